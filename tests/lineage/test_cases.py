"""Histories that were answered wrongly once: what real clients and reports tried."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from provdb.ingest import ingest
from provdb.lineage import Lineage, WalkOptions, impact, lineage, versions
from provdb.model.settings import with_alias
from provdb.query import find
from provdb.store import Store, open_store

CASES = Path(__file__).parent.parent / "data" / "cases"
R0 = WalkOptions(leaf_level="R0")
DL1_3 = "dl1_LST-1.Run01807.0003.h5"
DL2_3 = "dl2_LST-1.Run01807.0003.h5"
PEDESTAL = "drs4_pedestal.Run01804.0000.h5"
Case = Callable[..., Store]


@pytest.fixture
def case(store_uri: str) -> Iterator[Case]:
    """Return a function that gives a store with the log of a case."""
    opened: list[Store] = []

    def load(name: str, *, zone: str = "UTC") -> Store:
        store = open_store(store_uri, zone=UTC if zone == "UTC" else ZoneInfo(zone))
        opened.append(store)
        (log,) = CASES.glob(f"{name}*/prov.log")
        ingest(store, [log])
        return store

    yield load
    for store in opened:
        store.close()


def steps(answer: Lineage) -> list[tuple[str | None, str]]:
    """Return name and start of the steps of an answer, the earliest first."""
    found = [node for node in answer.nodes if node.kind == "activity"]
    return sorted(
        ((node.name, f"{node.start:%d %H:%M:%S}") for node in found if node.start),
        key=lambda step: step[1],
    )


def names(answer: Lineage, origin: str) -> list[str]:
    """Return the file names of what has an origin, in order."""
    found = [n.location or n.id for n in answer.nodes if n.origin == origin]
    return sorted(place.rpartition("/")[2] for place in found)


def marks(answer: Lineage) -> set[str]:
    """Return all marks of an answer."""
    of_nodes = {mark for node in answer.nodes for mark in node.marks}
    return of_nodes | {mark for edge in answer.edges for mark in edge.marks}


def leaves(answer: Lineage) -> list[int | None]:
    """Return the subruns of raw data of an answer."""
    return [leaf.subrun for leaf in answer.leaves]


def test_a_rerun_with_other_outputs_replaces_the_first_run(case: Case) -> None:
    answer = lineage(case("history-02"), DL1_3)

    assert steps(answer) == [
        ("drs4_pedestal", "22 21:23:20"),
        ("calibrate_charge", "22 21:23:25"),
        ("r0_to_dl1", "22 21:40:00"),
    ]
    assert marks(answer) == set()


def test_a_rerun_has_versions_apart_from_those_of_the_first_run(case: Case) -> None:
    store = case("history-02")

    now, before = versions(store, DL1_3)

    assert (now.is_current, before.is_current) == (True, False)
    assert len(steps(lineage(store, before.id))) == 3
    assert max(time for _, time in steps(lineage(store, before.id))) < "22 21"


def test_a_rerun_with_inputs_in_another_folder_used_these_alone(case: Case) -> None:
    answer = lineage(case("history-03"), "dl2_LST-1.Run01807.0001.h5")

    folders = {
        n.location.split("/")[3]
        for n in answer.nodes
        if n.level == "DL1" and n.location
    }
    assert folders == {"v0.11"}
    assert [name for name, _ in steps(answer)] == ["r0_to_dl1", "dl1ab", "dl1_to_dl2"]


def test_what_was_made_with_an_old_calibration_must_be_redone(case: Case) -> None:
    store = case("history-05")
    query = "downstream(entity:PedestalFile run:1804) level:DL2 | select path"

    found = [row["path"] for row in find(store, query)]
    rest = list(find(store, "level:DL2 -downstream(entity:PedestalFile run:1804)"))
    answer = impact(store, PEDESTAL, options=WalkOptions(leaf_level="DL2"))

    assert len(found) == 2
    assert rest == []
    assert sorted(leaf.location or "" for leaf in answer.leaves) == sorted(found)


def test_upstream_and_downstream_agree_after_a_recalibration(case: Case) -> None:
    store = case("history-05")

    assert len(list(find(store, "upstream(level:DL2) entity:PedestalFile"))) == 1


def test_impact_says_which_version_of_the_calibration_each_step_read(
    case: Case,
) -> None:
    answer = impact(case("history-05"), PEDESTAL)

    read = {e.source: e.target for e in answer.edges if e.relation == "used"}
    starts = {
        n.id: f"{n.start:%H:%M}" for n in answer.nodes if n.id in read and n.start
    }
    of_now = {starts[id_] for id_ in read if read[id_] == answer.start}
    assert of_now == {"20:16"}
    assert len(answer.starts) == 1


def test_the_second_pass_of_lstosa_0_11_is_all_of_the_second_day(case: Case) -> None:
    store = case("history-06")

    answer = lineage(store, DL2_3, options=R0)
    before = lineage(
        store,
        DL2_3,
        options=WalkOptions(as_of=datetime(2026, 11, 23, tzinfo=UTC), leaf_level="R0"),
    )

    chain = ["r0_to_dl1", "dl1ab", "dl1_to_dl2"]
    assert [name for name, _ in steps(answer)] == chain
    assert {time[:2] for _, time in steps(answer)} == {"23"}
    assert [name for name, _ in steps(before)] == chain
    assert {time[:2] for _, time in steps(before)} == {"22"}
    assert leaves(answer) == leaves(before) == [3]


def test_a_clock_that_is_two_seconds_behind_skips_no_step(case: Case) -> None:
    answer = lineage(case("history-08"), DL2_3)

    assert [name for name, _ in steps(answer)] == ["r0_to_dl1", "dl1ab", "dl1_to_dl2"]
    assert marks(answer) == {"contested"}


@pytest.mark.parametrize("subrun", range(8))
def test_steps_of_one_second_are_in_the_order_of_their_records(
    case: Case, subrun: int
) -> None:
    answer = lineage(case("history-09"), f"dl2_LST-1.Run01807.{subrun:04d}.h5")

    assert [name for name, _ in steps(answer)].count("dl1ab") == 1
    assert marks(answer) == set()


def test_a_step_uses_what_was_made_inside_of_it_in_every_pass(case: Case) -> None:
    answer = lineage(case("history-10"), DL2_3)

    assert steps(answer) == [("sequence", "22 21:23:20"), ("r0_to_dl1", "22 21:23:21")]
    assert marks(answer) == {"contested"}


def test_a_merged_file_of_two_passes_says_that_it_is_mixed(case: Case) -> None:
    answer = lineage(case("history-14"), "dl2_LST-1.Run01807.h5", options=R0)

    assert [reason for _, reason in answer.completeness.mixed] == [
        "software 0.11.10, 0.12.0"
    ]
    assert leaves(answer) == [0, 1, 2]
    assert {time[:2] for _, time in steps(answer)} == {"22", "23"}


def test_the_version_of_the_first_pass_has_all_of_its_parts(case: Case) -> None:
    store = case("history-14")
    name = "dl2_LST-1.Run01807.h5"
    before = WalkOptions(as_of=datetime(2026, 11, 23, tzinfo=UTC), leaf_level="R0")

    first = versions(store, name)[-1]

    assert leaves(lineage(store, first.id, options=R0)) == [0, 1, 2]
    assert leaves(lineage(store, name, options=before)) == [0, 1, 2]
    assert lineage(store, name, options=before).start == first.id


def test_a_file_under_another_mount_point_is_a_gap_until_an_alias_joins_both(
    case: Case,
) -> None:
    store = case("history-15")

    before = lineage(store, DL2_3, options=R0)
    store.change_settings(
        lambda settings: with_alias(settings, "/lustre/fefs", "/fefs/aswg")
    )

    assert names(before, "gap") == [DL1_3]
    assert not before.completeness.is_complete


def test_a_step_after_the_clock_went_back_is_not_lost(case: Case) -> None:
    answer = lineage(case("history-19", zone="Europe/Madrid"), DL2_3)

    assert {name for name, _ in steps(answer)} == {"r0_to_dl1", "dl1ab", "dl1_to_dl2"}
    assert marks(answer) == set()


def test_telescopes_with_one_run_number_are_kept_apart(case: Case) -> None:
    store = case("report-01")

    answer = lineage(store, "dl2_LST-2.Run21000.h5", options=R0)

    assert {
        leaf.location.rpartition("/")[2][:5] for leaf in answer.leaves if leaf.location
    } == {"LST-2"}
    assert len(list(find(store, "telescope:LST-2 level:DL2"))) == 1


def test_streams_of_one_subrun_are_raw_data_of_one_subrun(case: Case) -> None:
    answer = lineage(case("report-02"), "dl1_LST-1.Run02032.0192.h5", options=R0)

    assert len(answer.leaves) == 4
    assert answer.sentence == "Complete to raw data: run 02032, subrun 0192."


@pytest.mark.parametrize("subrun", [0, 1, 2, 3, 5])
def test_spellings_of_one_path_are_one_file(case: Case, subrun: int) -> None:
    store = case("report-06")

    answer = lineage(store, f"dl2_LST-1.Run04000.{subrun:04d}.h5", options=R0)

    assert leaves(answer) == [subrun]
    assert answer.completeness.is_certain


def test_an_alias_joins_a_mount_point(case: Case) -> None:
    store = case("report-06")
    store.change_settings(
        lambda settings: with_alias(settings, "/storage/gpfs_data/fefs", "/fefs")
    )

    answer = lineage(store, "dl2_LST-1.Run04000.0004.h5", options=R0)

    assert leaves(answer) == [4]


def test_a_calibration_of_another_telescope_is_never_taken(case: Case) -> None:
    answer = lineage(case("report-13"), "dl1_LST-2.Run21003.0000.h5")

    assert names(answer, "gap") == ["drs4_pedestal.Run21001.0000.h5"]
    assert names(answer, "raw") == ["LST-2.1.Run21003.0000.fits.fz"]


def test_a_merged_file_names_both_calibrations_of_its_parts(case: Case) -> None:
    answer = lineage(case("report-16"), "dl2_LST-1.Run03200.h5")

    places = {
        n.location.split("/")[6]
        for n in answer.nodes
        if n.location and "calibration_" in n.location
    }
    assert places == {"v1", "v2"}
    assert "mixed" in marks(answer)


@pytest.mark.parametrize(
    ("run", "evidence"),
    [
        pytest.param(3400, "folder", id="a file in the folder"),
        pytest.param(3401, "only", id="the folder without a slash"),
    ],
)
def test_what_lies_in_a_folder_comes_from_what_made_the_folder(
    case: Case, run: int, evidence: str
) -> None:
    answer = lineage(case("report-18"), f"dl2_LST-1.Run{run:05d}.0000.h5")

    assert "train_rf" in {name for name, _ in steps(answer)}
    assert evidence in {edge.evidence for edge in answer.edges}


def test_the_impact_of_training_data_goes_through_the_folder_of_the_models(
    case: Case,
) -> None:
    answer = impact(case("report-18"), "dl1_GammaDiffuse.h5")

    assert sum(node.level == "DL2" for node in answer.nodes) == 2


def test_a_scratch_name_that_is_used_again_is_read_between_its_writes(
    case: Case,
) -> None:
    store = case("report-35")

    answer = lineage(store, "dl2_LST-1.Run03703.0001.h5", options=R0)
    later = impact(store, "LST-1.1.Run03703.0000.fits.fz")

    assert leaves(answer) == [1]
    assert [n.subrun for n in later.nodes if n.level == "DL2"] == [0]
