"""The files of a run's products, whatever became of the run."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provdb.errors import MissingExtra, NotFound, QueryError, ReadError
from provdb.ingest import ingest
from provdb.lineage import View, lineage
from provdb.model import fold
from provdb.products import parse_run, write_products
from provdb.store import Store, open_store
from tests.lineage.histories import File, Step, file, stored
from tests.products.conftest import Write
from tests.products.prov_json import reached, read
from tests.samples import NIGHT_LOG, read_log, records_of, shifted

_RAW = [
    file(f"/R0/LST-1.1.Run01618.{subrun:04d}.fits.fz", "R0SubrunDataset")
    for subrun in (0, 1)
]
_DL1 = [
    file(f"/DL1/dl1_LST-1.Run01618.{subrun:04d}.h5", "DL1SubrunDataset")
    for subrun in (0, 1)
]
_PEDESTAL = file("/v0.12/drs4_pedestal.Run01611.0000.h5", "PedestalFile")


def _r0_to_dl1(subrun: int, *used: File, **options: Any) -> Step:
    return Step(
        name="r0_to_dl1",
        used=[_RAW[subrun].link(role="Observation subrun"), *used],
        generated=[_DL1[subrun].link(role="DL1 subrun dataset")],
        **{"start": 5, "end": 6, "tag": "r0_to_dl1:01618", **options},
    )


def _calibration(**options: Any) -> Step:
    return Step(
        name="drs4_pedestal",
        generated=[_PEDESTAL.link(role="Pedestal")],
        **{"tag": "drs4_pedestal:01611-01614", "session": "0161101614", **options},
    )


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "written", ["01807", "1807", "Run01807", "run1807", "Run_1807"]
)
def test_a_run_is_named_as_people_write_it(written: str) -> None:
    assert parse_run(written) == 1807


@pytest.mark.parametrize("written", ["", "dl2", "01807.0003", "-1", "1807x", "١٨٠٧"])
def test_what_is_no_run_is_refused(written: str) -> None:
    with pytest.raises(NotFound, match="is no run such as 01807"):
        parse_run(written)


def test_files_have_the_names_that_lstosa_gives(
    sample: Store, write: Write, folder: Path
) -> None:
    written = write(sample)

    assert [product.path.name for product in written] == [
        "calibration_to_dl1_01807_prov.json",
        "calibration_to_dl1_01807_prov.log",
        "calibration_to_dl2_01807_prov.json",
        "calibration_to_dl2_01807_prov.log",
    ]
    assert _names(folder) == sorted(product.path.name for product in written)


@pytest.mark.mongo
def test_both_stores_give_the_same_files(
    mongo_store_uri: str, sample: Store, write: Write, folder: Path, tmp_path: Path
) -> None:
    with open_store(mongo_store_uri) as server:
        ingest(server, [NIGHT_LOG])
        write_products(
            server,
            1807,
            tmp_path / "other",
            views=["all"],
            has_graphs=False,
            on_problem=lambda problem: None,
        )

    write(sample, views=["all"])

    assert [path.read_bytes() for path in sorted(folder.iterdir())] == [
        path.read_bytes() for path in sorted((tmp_path / "other").iterdir())
    ]


def test_a_run_that_was_processed_twice_has_the_products_of_each_pass(
    store: Store, sample: Store, write: Write, folder: Path, tmp_path: Path
) -> None:
    records = records_of(read_log(NIGHT_LOG))
    for log in (records, shifted(records, timedelta(days=1))):
        store.write(fold(log))
    with open_store("memory://") as one_pass:
        one_pass.write(fold(records))
        write(one_pass)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def written(to: Path, **options: Any) -> dict[str, bytes]:
        write_products(
            store, 1807, to, has_graphs=False, on_problem=lambda _: None, **options
        )
        return {path.name: path.read_bytes() for path in to.iterdir()}

    now = written(tmp_path / "now")
    earlier = written(tmp_path / "earlier", as_of=datetime(2026, 11, 23, 5, tzinfo=UTC))

    assert earlier == before
    assert now.keys() == before.keys()
    for days, files in (({"2026-11-22"}, earlier), ({"2026-11-23"}, now)):
        text = files["calibration_to_dl2_01807_prov.log"].decode()
        steps = [line for line in text.splitlines() if "'activity_id'" in line]
        assert set(re.findall("Time': '([^T]+)T", "".join(steps))) == days


def test_writing_again_gives_the_same_files(
    sample: Store, write: Write, folder: Path
) -> None:
    write(sample)
    before = {path: path.read_bytes() for path in folder.iterdir()}

    write(sample)

    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("ending", ["log", "json"])
def test_what_is_written_is_read_by_ingest_and_leads_from_dl2_to_raw_data(
    store: Store, sample: Store, write: Write, folder: Path, ending: str
) -> None:
    write(sample)

    report = ingest(store, [folder / f"calibration_to_dl2_01807_prov.{ending}"])

    assert (report.skipped, report.foreign) == (0, 0)
    answer = lineage(store, "dl2_LST-1.Run01807.h5")
    assert {node.name for node in answer.files_of_level("R0")} == {"R0Collection"}
    assert {"calibrate_charge", "drs4_pedestal"} <= {n.name for n in answer.nodes}


def test_processes_with_sessions_of_their_own_are_one_session_in_the_log(
    store: Store, write: Write, folder: Path
) -> None:
    sessions = [
        {
            "session_id": f"process{subrun}",
            "session_tag": "r0_to_dl1:01618",
            "observation_date": "2019-11-23",
            "system": {"executable": "python", "arguments": [str(subrun)]},
        }
        for subrun in (0, 1)
    ]
    merge = Step(
        name="merge",
        used=_DL1,
        generated=[file("/DL1/dl1_LST-1.Run01618.h5", "DL1MergedFile")],
        start=9,
        end=10,
        session="process9",
        tag="merge:01618",
    )
    steps = [_r0_to_dl1(subrun, session=f"process{subrun}") for subrun in (0, 1)]
    source = stored(*steps, merge)
    source.write(fold(sessions))

    write(source, 1618, views=["all"])

    ingest(store, [folder / "all_01618_prov.log"])
    answer = lineage(store, "dl1_LST-1.Run01618.h5")
    assert {node.name for node in answer.files_of_level("R0")} == {"R0Collection"}
    activities = read(folder / "all_01618_prov.json")["activity"].values()
    assert {told["in_session"] for told in activities} == {"2019112301618"}


def test_calibration_that_is_used_again_brings_its_session(
    write: Write, folder: Path
) -> None:
    """Nothing of the calibration was logged in the night of the run."""
    source = stored(_calibration(), _r0_to_dl1(0, _PEDESTAL), _r0_to_dl1(1, _PEDESTAL))
    source.write(
        fold(
            [
                {
                    "session_id": id_,
                    "name": name,
                    "session_tag": tag,
                    "startTime": "2020-01-17T20:00:00",
                    "system": {"executable": "python"},
                }
                for id_, name, tag in (
                    ("0161101614", "01611-01614", "drs4_pedestal:01611-01614"),
                    ("202001171807", "01618", "r0_to_dl1:01618"),
                )
            ]
        )
    )

    write(source, 1618, views=["calibration_to_dl1"])

    document = read(folder / "calibration_to_dl1_01618_prov.json")
    sessions = {
        told["prov:label"]
        for told in document["entity"].values()
        if told.get("prov:type") == "ExecutionSession"
    }
    assert sessions == {"01611-01614", "01618"}


def test_calibration_that_a_link_rule_found_is_bound_to_dl1(
    write: Write, folder: Path
) -> None:
    """It is read from another folder than the one it was written into."""
    read_there = file("/v0.1/drs4_pedestal.Run01611.0000.h5", "PedestalFile")
    source = stored(
        _calibration(), _r0_to_dl1(0, read_there), _r0_to_dl1(1, read_there)
    )

    write(source, 1618, views=["calibration_to_dl1"])

    document = read(folder / "calibration_to_dl1_01618_prov.json")
    (bound,) = document["wasDerivedFrom"].values()
    assert bound["inferred"] == "calibration_version_folder"
    (made,) = (
        told["prov:entity"]
        for told in document["wasGeneratedBy"].values()
        if told["prov:role"] == "DL1 Collection"
    )
    assert "drs4_pedestal" in reached(document, made)
    log = (folder / "calibration_to_dl1_01618_prov.log").read_bytes()
    assert not [record for record in records_of(log) if "progenitor_id" in record]


def test_two_versions_of_one_file_have_a_name_each(write: Write, folder: Path) -> None:
    """A run of one subrun has no collections, and dl1ab writes where it read."""
    dl1ab = Step(
        name="dl1ab",
        used=_DL1[:1],
        generated=_DL1[:1],
        start=7,
        end=8,
        tag="dl1ab:01618",
    )

    write(stored(_r0_to_dl1(0), dl1ab), 1618)

    document = read(folder / "calibration_to_dl1_01618_prov.json")
    versions = {
        told["prov:specificEntity"]: told["prov:generalEntity"]
        for told in document["specializationOf"].values()
    }
    assert set(versions.values()) == {f"id:{_DL1[0].id}"}
    assert len(versions) == 2
    assert {told["prov:entity"] for told in document["wasGeneratedBy"].values()} == set(
        versions
    )


def test_a_failed_subrun_is_seen_in_the_step_of_its_run(
    write: Write, folder: Path
) -> None:
    source = stored(_r0_to_dl1(0), _r0_to_dl1(1, status="failed"))

    write(source, 1618)

    records = _records(folder / "calibration_to_dl1_01618_prov.log")
    (start,) = (record for record in records if "in_session" in record)
    (end,) = (record for record in records if "endTime" in record)
    assert (start["size"], start["statuses"]) == (2, {"failed": 1, "completed": 1})
    assert end["status"] == "failed"


def test_a_step_that_is_running_in_part_has_no_end(write: Write, folder: Path) -> None:
    write(stored(_r0_to_dl1(0), _r0_to_dl1(1, end=None)), 1618)

    path = folder / "calibration_to_dl1_01618_prov.json"
    (told,) = read(path)["activity"].values()
    assert ("prov:endTime" in told, told["status"]) == (False, "running")


def test_parameters_are_those_that_all_subruns_have(write: Write, folder: Path) -> None:
    steps = [_r0_to_dl1(subrun, id=f"62{subrun}") for subrun in (0, 1)]
    source = stored(*steps)
    source.write(
        fold(
            {
                "activity_id": f"62{subrun}",
                "session_tag": "r0_to_dl1:01618",
                "parameters": {
                    "ObservationSubRun": f"{subrun:04d}",
                    "ProdID": "03",
                    "Seed": subrun,
                },
            }
            for subrun in (0, 1)
        )
    )

    write(source, 1618)

    records = _records(folder / "calibration_to_dl1_01618_prov.log")
    assert [r["parameters"] for r in records if "parameters" in r] == [{"ProdID": "03"}]


@pytest.mark.parametrize(
    ("run", "names"),
    [
        pytest.param(1618, ["calibration_to_dl1"], id="no DL2 yet"),
        pytest.param(1611, ["calibration"], id="a run of the calibration"),
        pytest.param(1620, ["all"], id="steps that no view knows"),
    ],
)
def test_unless_told_the_views_are_as_far_as_the_run_has_come(
    write: Write, folder: Path, run: int, names: list[str]
) -> None:
    other = Step(name="look", used=_RAW[:1], tag="look:01620")

    write(stored(_calibration(), _r0_to_dl1(0, _PEDESTAL), other), run)

    assert {name.partition(f"_{run:05d}_")[0] for name in _names(folder)} == set(names)


def test_a_view_of_the_user_is_written_under_its_name(
    sample: Store, write: Write, folder: Path
) -> None:
    write(sample, views=["ab"], among=[View(name="ab", steps=("dl1ab",))])

    assert _names(folder) == ["ab_01807_prov.json", "ab_01807_prov.log"]


def test_an_unknown_run_is_refused_with_those_that_are_near(
    sample: Store, write: Write, folder: Path
) -> None:
    with pytest.raises(NotFound, match="no step of run 01806 is known") as caught:
        write(sample, 1806)

    assert caught.value.near == ("01804", "01807", "01808")
    assert not folder.exists()


def test_an_unknown_view_is_refused(sample: Store, write: Write, folder: Path) -> None:
    with pytest.raises(QueryError, match="there is no view dl3; known are calib"):
        write(sample, views=["all", "dl3"])

    assert not folder.exists()


def test_a_view_of_which_the_run_has_no_step_is_refused(
    write: Write, folder: Path
) -> None:
    with pytest.raises(NotFound, match="run 01618 has no step of the view dl1_to_dl2"):
        write(stored(_r0_to_dl1(0)), 1618, views=["r0_to_dl1", "dl1_to_dl2"])

    assert not folder.exists()


@pytest.mark.parametrize(
    "make", [Path.touch, lambda path: path.mkdir(mode=0o500)], ids=["file", "read-only"]
)
def test_a_folder_that_cannot_be_written_into_is_refused(
    sample: Store,
    write: Write,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], None],
) -> None:
    make(folder)
    # Root may write anywhere.
    monkeypatch.setattr("os.access", lambda path, mode: False)

    with pytest.raises(ReadError, match="log: it cannot be written: "):
        write(sample)

    assert folder.is_file() or not _names(folder)


def test_without_what_draws_the_graphs_nothing_is_written(
    sample: Store, write: Write, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provdb.export.drawing.find_spec", lambda library: None)

    with pytest.raises(MissingExtra, match=r"pip install 'provdb\[graph\]'"):
        write(sample, has_graphs=True)

    assert not folder.exists()


def test_what_cannot_be_written_leaves_nothing_half_written(
    sample: Store, write: Write, folder: Path
) -> None:
    (folder / "calibration_to_dl1_01807_prov.json").mkdir(parents=True)

    with pytest.raises(ReadError, match=r"prov\.json: it cannot be written: "):
        write(sample)

    assert [name for name in _names(folder) if name.startswith(".")] == []


def _records(path: Path) -> list[dict[Any, Any]]:
    return records_of(path.read_bytes())
