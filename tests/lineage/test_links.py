"""Gaps between packages, and the rules that bridge them."""

from collections.abc import Sequence

import pytest

from provdb.lineage import (
    LINK_RULES,
    Lineage,
    LinkRule,
    WalkOptions,
    impact,
    lineage,
    link_rules,
    loader,
)
from provdb.lineage.steps import Entity
from provdb.model import fold
from provdb.store import Store
from tests.lineage.histories import File, Step, entities, file, remember

RAW = file("/R0/LST-1.1.Run01807.0001.fits.fz", "R0SubrunDataset")
PEDESTAL_RAW = file("/R0/LST-1.1.Run01804.fits.fz", "RawObservationFile")
DL1 = file("/DL1/20200117/v0.1.0/dl1_LST-1.Run01807.0001.h5", "DL1SubrunDataset")
DL1_BELOW = file(
    "/DL1/20200117/v0.1.0/tailcut84/dl1_LST-1.Run01807.0001.h5", "DL1SubrunDataset"
)
DL2 = file("/DL2/dl2_LST-1.Run01807.0001.h5", "DL2SubrunDataset")
RAW_LEVEL = WalkOptions(leaf_level="R0")


@pytest.fixture(
    params=[pytest.param(1000, id="by-name"), pytest.param(1, id="by-run")],
    autouse=True,
)
def way_to_ask(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask in both ways what lies across a gap: of few files, and of very many."""
    monkeypatch.setattr(loader, "_MANY", request.param)


def pedestal(folder: str, run: int = 1804) -> File:
    """Return the pedestal file of a run in a folder."""
    return file(f"{folder}/drs4_pedestal.Run{run:05d}.0000.h5", "PedestalFile")


def writing(written: File, raw: File = PEDESTAL_RAW, *, start: float = 0) -> Step:
    """Return the step that writes a pedestal file, within a minute."""
    return Step(
        name="drs4_pedestal",
        used=[raw],
        generated=[written],
        start=start,
        end=start + 1,
    )


def reading(read: File) -> Step:
    """Return the step that makes DL1 of a pedestal file, five minutes later."""
    return Step(name="r0_to_dl1", used=[read], generated=[DL1], start=5, end=6)


def inferred(answer: Lineage) -> list[tuple[str | None, str | None, str | None]]:
    """Return (from, to, rule) of the inferred edges, by location."""
    places = {node.id: node.location for node in answer.nodes}
    return [
        (places[edge.source], places[edge.target], edge.rule)
        for edge in answer.edges
        if edge.rule is not None
    ]


def test_a_calibration_is_found_under_another_version_folder(store: Store) -> None:
    written, read = pedestal("/cal/v0.12.3"), pedestal("/cal/pro")
    remember(store, writing(written), reading(read))

    back, on = lineage(store, DL1.id), impact(store, PEDESTAL_RAW.id)

    link = (
        "/cal/pro/drs4_pedestal.Run01804.0000.h5",
        "/cal/v0.12.3/drs4_pedestal.Run01804.0000.h5",
        "calibration_version_folder",
    )
    assert inferred(back) == inferred(on) == [link]
    assert PEDESTAL_RAW.id in entities(back)
    assert DL1.id in entities(on)
    assert [e.to_dict()["inferred"] for e in back.edges if e.rule] == [True]


@pytest.mark.parametrize(
    ("entity", "name"),
    [
        pytest.param("DL1SubrunDataset", "dl1_LST-1.Run01807.0001.h5", id="dl1"),
        pytest.param(
            "MuonsSubrunDataset", "muons_LST-1.Run01807.0001.fits", id="muons"
        ),
    ],
)
def test_a_file_that_was_moved_into_a_subfolder_is_found(
    store: Store, entity: str, name: str
) -> None:
    written, read = file(f"/DL1/v1/{name}", entity), file(f"/DL1/v1/sub/{name}", entity)
    remember(
        store,
        Step(name="r0_to_dl1", used=[RAW], generated=[written]),
        Step(name="dl1_to_dl2", used=[read], generated=[DL2], start=2, end=3),
    )

    answer = lineage(store, DL2.id, options=RAW_LEVEL)

    assert inferred(answer) == [
        (f"/DL1/v1/sub/{name}", f"/DL1/v1/{name}", "moved_to_subfolder")
    ]
    assert [leaf.entity for leaf in answer.leaves] == [RAW.id]


def test_a_file_was_not_moved_out_of_a_subfolder(store: Store) -> None:
    remember(
        store,
        Step(name="r0_to_dl1", used=[RAW], generated=[DL1_BELOW]),
        Step(name="dl1_to_dl2", used=[DL1], generated=[DL2], start=2, end=3),
    )

    assert inferred(lineage(store, DL2.id)) == []
    assert entities(impact(store, RAW.id)) == {RAW.id, DL1_BELOW.id}


def test_a_folder_whose_name_only_begins_alike_is_not_below(store: Store) -> None:
    written = file("/DL1/v1/dl1_LST-1.Run01807.0001.h5", "DL1SubrunDataset")
    read = file("/DL1/v10/dl1_LST-1.Run01807.0001.h5", "DL1SubrunDataset")
    remember(
        store,
        Step(name="r0_to_dl1", used=[RAW], generated=[written]),
        Step(name="dl1_to_dl2", used=[read], generated=[DL2], start=2, end=3),
    )

    assert inferred(lineage(store, DL2.id)) == []


def test_a_step_that_overwrites_what_was_moved_comes_from_before_the_move(
    store: Store,
) -> None:
    """Lstosa 0.11 writes DL1 in a folder; dl1ab works in a folder below it."""
    remember(
        store,
        Step(name="r0_to_dl1", used=[RAW], generated=[DL1], start=0, end=1),
        Step(name="dl1ab", used=[DL1_BELOW], generated=[DL1_BELOW], start=2, end=3),
        Step(name="dl1_to_dl2", used=[DL1_BELOW], generated=[DL2], start=4, end=5),
    )

    answer = lineage(store, DL2.id, options=RAW_LEVEL)

    steps = [node.name for node in answer.nodes if node.kind == "activity"]
    assert steps == ["dl1_to_dl2", "dl1ab", "r0_to_dl1"]
    assert [leaf.entity for leaf in answer.leaves] == [RAW.id]
    assert DL2.id in entities(impact(store, RAW.id))


def test_a_file_that_was_generated_where_it_was_read_needs_no_rule(
    store: Store,
) -> None:
    here, there = pedestal("/cal/pro"), pedestal("/cal/v0.12.3")
    remember(store, writing(here), writing(there, RAW), reading(here))

    answer = lineage(store, DL1.id)

    assert inferred(answer) == []
    assert entities(answer) == {DL1.id, here.id, PEDESTAL_RAW.id}


def test_a_declared_derivation_comes_before_every_rule(store: Store) -> None:
    read, written = pedestal("/cal/pro"), pedestal("/cal/v0.12.3")
    remember(store, writing(written), read.derived(RAW), reading(read), RAW)

    assert entities(lineage(store, DL1.id)) == {DL1.id, read.id, RAW.id}


def test_a_dl3_file_is_found_by_the_name_of_the_dl2_file_that_it_is_of(
    store: Store,
) -> None:
    dl2 = file("/DL2/dl2_LST-1.Run01807.h5", "DL2MergedDataset")
    dl3 = file("/DL3/dl3_LST-1.Run01807.fits", "DL3File")
    other = file("/DL3/dl3_LST-1.Run01808.fits", "DL3File")
    shown = file("/sky/map.fits", "SkyMap")
    remember(
        store,
        Step(name="dl1_to_dl2", used=[DL1], generated=[dl2]),
        Step(name="sky_map", used=[dl3, other], generated=[shown], start=5, end=6),
    )

    back, on = lineage(store, shown.id), impact(store, DL1.id)

    places = ("/DL3/dl3_LST-1.Run01807.fits", "/DL2/dl2_LST-1.Run01807.h5")
    assert inferred(back) == inferred(on) == [(*places, "dl3_from_dl2")]
    assert DL1.id in entities(back)
    assert shown.id in entities(on)


def test_a_rule_of_the_user_bridges_its_gap(store: Store) -> None:
    written = file("/DL3/dl3_LST-1.Run01807.fits", "DL3File")
    archived = file("/archive/dl3_LST-1.Run01807.fits", "DL3File")
    remember(store, Step(name="dl2_to_dl3", used=[DL2], generated=[written]), archived)
    rules = link_rules([{"name": "archive", "entities": ["DL3*"]}])

    without = lineage(store, archived.id)
    answer = lineage(store, archived.id, options=WalkOptions(rules=rules))

    assert entities(without) == {archived.id}
    assert [rule for _, _, rule in inferred(answer)] == ["archive"]
    assert DL2.id in entities(answer)


def test_no_rules_leave_out_what_is_inferred(store: Store) -> None:
    written, read = pedestal("/cal/v0.12.3"), pedestal("/cal/pro")
    remember(store, writing(written), reading(read))
    options = WalkOptions(rules=())

    assert entities(lineage(store, DL1.id, options=options)) == {DL1.id, read.id}
    assert DL1.id not in entities(impact(store, PEDESTAL_RAW.id, options=options))


def test_of_several_files_the_one_with_the_longest_common_path_is_linked(
    store: Store,
) -> None:
    near, far = pedestal("/real/cal/v1"), pedestal("/simulated/cal/v1")
    read = pedestal("/real/cal/pro")
    remember(store, writing(near), writing(far, RAW, start=2), reading(read))

    answer = lineage(store, DL1.id)

    assert entities(answer) == {DL1.id, read.id, near.id, PEDESTAL_RAW.id}
    assert answer.warnings == ()


def test_a_tie_links_nothing_and_is_warned_of(store: Store) -> None:
    one, other = pedestal("/cal/v1"), pedestal("/cal/v2")
    read = pedestal("/cal/pro")
    remember(store, writing(one), writing(other, start=2), reading(read))

    answer = lineage(store, DL1.id)

    assert entities(answer) == {DL1.id, read.id}
    assert answer.warnings == (
        "/cal/pro/drs4_pedestal.Run01804.0000.h5 can be any of 2 files by the link "
        "rule calibration_version_folder, so it was linked to none: "
        "/cal/v1/drs4_pedestal.Run01804.0000.h5, "
        "/cal/v2/drs4_pedestal.Run01804.0000.h5",
    )


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(
            file("/cal/v1/pedestal.Run01805.0000.h5", "PedestalFile"), id="another run"
        ),
        pytest.param(pedestal("/cal/v1", 1805), id="another run in its name"),
        pytest.param(
            file("/cal/v1/pedestal.Run01804.0000.fits", "PedestalFile"), id="other name"
        ),
        pytest.param(
            file("/cal/v1/drs4_pedestal.Run01804.0000.h5", "CheckPlot"),
            id="another kind of entity",
        ),
    ],
)
def test_a_file_of_another_name_run_or_kind_is_never_linked(
    store: Store, written: File
) -> None:
    read = pedestal("/cal/pro")
    remember(store, writing(written), reading(read))

    assert entities(lineage(store, DL1.id)) == {DL1.id, read.id}
    assert DL1.id not in entities(impact(store, PEDESTAL_RAW.id))


def test_a_file_without_a_run_in_its_name_is_never_linked(store: Store) -> None:
    written = file("/cal/v1/ffactor_systematics.h5", "SystematicCorrectionFile")
    read = file("/cal/pro/ffactor_systematics.h5", "SystematicCorrectionFile")
    remember(store, writing(written), reading(read))

    assert entities(lineage(store, DL1.id)) == {DL1.id, read.id}


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([writing(pedestal("/cal/v1"), start=8)], id="written later"),
        pytest.param(
            [Step(name="drs4_pedestal", generated=[pedestal("/cal/v1")], end=None)],
            id="still being written",
        ),
        pytest.param([pedestal("/cal/v1")], id="never written"),
    ],
)
def test_only_what_had_been_written_is_linked(
    store: Store, steps: Sequence[Step | File]
) -> None:
    read = pedestal("/cal/pro")
    remember(store, *steps, reading(read))

    assert inferred(lineage(store, DL1.id)) == []


def test_the_version_that_there_was_at_the_use_is_linked(store: Store) -> None:
    """The calibration was made again later, after it had been read elsewhere."""
    written, read = pedestal("/cal/v1"), pedestal("/cal/pro")
    remember(store, writing(written), reading(read), writing(written, RAW, start=8))

    answer = lineage(store, DL1.id)

    assert PEDESTAL_RAW.id in entities(answer)
    assert RAW.id not in entities(answer)
    assert DL1.id in entities(impact(store, written.id))
    now = lineage(store, written.id).start
    assert DL1.id not in entities(impact(store, now))


def test_a_rule_with_the_name_of_a_known_one_takes_its_place() -> None:
    rules = link_rules([{"name": "moved_to_subfolder", "entities": ["DL2*"]}])

    by_name = {rule.name: rule for rule in rules}
    assert by_name["moved_to_subfolder"] == LinkRule(
        name="moved_to_subfolder", entities=("DL2*",)
    )
    assert [rule.name for rule in rules] == [rule.name for rule in LINK_RULES]


def _simulated(folder: str, run: int, particle: str = "gamma") -> File:
    """Return a DL1 file of a simulation in a folder."""
    name = f"dl1_{particle}_20deg_run{run}.h5"
    return file(f"{folder}/{name}", "DL1Dataset")


def _as_read(read: File, written: File) -> bool:
    """Say whether a rule takes one file for another one, whatever they are called."""
    rule = LinkRule(name="renumbered", read="dl1_*.h5", written="dl1_*.h5")
    one, other = (
        Entity.of_document(document)
        for document in fold([*read.records(), *written.records()])["entities"]
    )
    return rule.bridges(one, other._replace(file_name=one.file_name))


def test_a_file_of_a_simulation_that_was_moved_is_found(store: Store) -> None:
    written, read = _simulated("/mc/v1", 1000), _simulated("/mc/v1/train", 1000)
    simtel = file("/mc/gamma/simtel_gamma_run1000.simtel.zst", "SimtelFile")
    remember(
        store,
        Step(name="r0_to_dl1", used=[simtel], generated=[written]),
        Step(name="dl1_to_dl2", used=[read], generated=[DL2], start=2, end=3),
    )

    answer = lineage(store, DL2.id)

    assert [rule for *_, rule in inferred(answer)] == ["moved_to_subfolder"]
    assert simtel.id in entities(answer)


@pytest.mark.parametrize(
    ("read", "written", "is_same"),
    [
        pytest.param(_simulated("/a", 7), _simulated("/b", 7), True, id="one run"),
        pytest.param(_simulated("/a", 7), _simulated("/b", 8), False, id="runs"),
        pytest.param(
            _simulated("/a", 7), _simulated("/b", 7, "proton"), False, id="particles"
        ),
        pytest.param(
            _simulated("/a", 7),
            file("/b/dl1_LST-1.Run00007.h5", "DL1Dataset"),
            False,
            id="a run of an observation",
        ),
    ],
)
def test_a_rule_compares_the_runs_of_simulations(
    read: File, written: File, is_same: bool
) -> None:
    assert _as_read(read, written) is is_same


def test_a_file_that_is_written_later_changes_nothing_of_who_read_it_before(
    store: Store,
) -> None:
    raw = file("/R0/LST-1.1.Run00001.0000.fits.fz", "R0SubrunDataset")
    written = file("/a/dl1_LST-1.Run00001.0000.h5", "DL1SubrunDataset")
    read = file("/a/v1/sub/dl1_LST-1.Run00001.0000.h5", "DL1SubrunDataset")
    remember(
        store,
        *(raw, written, read, DL2),
        Step(name="r0_to_dl1", used=[raw], generated=[written], start=0, end=1),
        Step(name="dl1_to_dl2", used=[read], generated=[DL2], start=2, end=3),
    )
    before = lineage(store, DL2.id)

    remember(
        store, Step(name="copy", used=[written], generated=[read], start=9, end=10)
    )
    back, on = lineage(store, DL2.id), impact(store, raw.id)

    assert inferred(before) != []
    assert (back.nodes, back.edges) == (before.nodes, before.edges)
    assert DL2.id in entities(on)
