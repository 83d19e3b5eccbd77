"""How one file came from another."""

import pytest
from hypothesis import given, settings

from provdb.errors import NotFound
from provdb.lineage import Paths, WalkOptions, lineage, path
from provdb.model import fields as f
from provdb.store import Store
from tests.lineage.histories import Step, file, remember, stored
from tests.lineage.random_histories import RandomHistory, histories

_RAW = file("/R0/LST-1.1.Run01807.0000.fits.fz", "R0SubrunDataset")
_CALIBRATION = file("/cal/calibration.Run01809.h5", "CoefficientsCalibrationFile")
_DL1 = file("/DL1/dl1_LST-1.Run01807.0000.h5", "DL1SubrunDataset")
_OTHER_DL1 = file("/DL1/dl1_LST-1.Run01807.0001.h5", "DL1SubrunDataset")
_DL2 = file("/DL2/dl2_LST-1.Run01807.h5", "DL2MergedFile")

_STEPS = (
    Step(
        name="r0_to_dl1",
        used=[_RAW.link(role="Observation subrun"), _CALIBRATION],
        generated=[_DL1],
        start=0,
        end=1,
        id="000001",
    ),
    Step(
        name="r0_to_dl1",
        used=[_CALIBRATION],
        generated=[_OTHER_DL1],
        start=0,
        end=1,
        id="000002",
    ),
    Step(
        name="dl1_to_dl2",
        used=[_DL1, _OTHER_DL1],
        generated=[_DL2],
        start=2,
        end=3,
        id="000003",
    ),
)
_EVERYTHING = (_RAW, _CALIBRATION, _DL1, _OTHER_DL1, _DL2, *_STEPS)


@pytest.fixture
def reduced(store: Store) -> Store:
    """A store in which two subruns were reduced with one calibration."""
    return remember(store, *_EVERYTHING)


def test_a_chain_goes_from_the_later_file_back_to_the_earlier_one(
    reduced: Store,
) -> None:
    found = path(reduced, _RAW.id, _DL2.id)

    assert _names(found) == [
        [
            "DL2MergedFile",
            "dl1_to_dl2",
            "DL1SubrunDataset",
            "r0_to_dl1",
            "R0SubrunDataset",
        ]
    ]
    assert not found.is_reversed


def test_the_order_of_the_names_is_told_and_changes_nothing_else(
    reduced: Store,
) -> None:
    one, other = path(reduced, _RAW.id, _DL2.id), path(reduced, _DL2.id, _RAW.id)

    assert other.is_reversed
    assert (other.chains, other.nodes, other.edges) == (
        one.chains,
        one.nodes,
        one.edges,
    )
    assert one.sentence == other.sentence
    assert one.sentence == f"{_DL2.id} came from {_RAW.id} in 1 way through 2 steps"


def test_every_shortest_way_is_shown_up_to_the_limit(reduced: Store) -> None:
    whole = path(reduced, _CALIBRATION.id, _DL2.id)
    cut = path(reduced, _CALIBRATION.id, _DL2.id, limit=1)

    assert (len(whole.chains), whole.count, whole.truncated) == (2, 2, False)
    assert (len(cut.chains), cut.count, cut.truncated) == (1, 2, True)
    assert cut.chains == whole.chains[:1]
    assert cut.sentence.endswith("in 2 ways through 2 steps, 1 of them shown")


def test_siblings_have_no_chain(reduced: Store) -> None:
    found = path(reduced, _DL1.id, _OTHER_DL1.id)

    assert (found.chains, found.count, found.rows()) == ((), 0, [])
    assert found.to_dict()["later"] is None
    assert found.sentence == (
        f"neither came {_OTHER_DL1.id} from {_DL1.id} "
        f"nor {_DL1.id} from {_OTHER_DL1.id}"
    )


def test_a_file_and_itself_are_one_version(reduced: Store) -> None:
    found = path(reduced, _DL1.id, _DL1.id)

    assert found.chains == ((found.later,),)
    assert found.sentence.endswith("are the same version of one file")


def test_rows_have_the_role_of_each_step(reduced: Store) -> None:
    *_, last = path(reduced, _RAW.id, _DL2.id).rows()

    assert (last["relation"], last["role"]) == ("used", "Observation subrun")
    assert (last["inferred"], last["time_conflict"]) == (False, False)


def test_another_version_that_was_used_is_named(store: Store) -> None:
    """The DL1 file was written again after the DL2 file was made of it."""
    again = Step(
        name="r0_to_dl1",
        used=[_RAW.link(role="Observation subrun"), _CALIBRATION],
        generated=[_DL1],
        start=8,
        end=9,
        id="000004",
    )
    remember(store, *_EVERYTHING, again)

    found = path(store, _DL1.id, _DL2.id)

    (warning,) = found.warnings
    assert found.chains == ()
    assert warning.startswith(f"{_DL2.id} came from another version of {_DL1.id}: ")
    assert path(store, warning.rpartition(" ")[2], _DL2.id).chains


def test_what_a_link_rule_infers_is_marked_and_can_be_left_out(store: Store) -> None:
    written = file("/cal/v1/calibration.Run01809.h5", "CoefficientsCalibrationFile")
    read = file("/cal/v2/calibration.Run01809.h5", "CoefficientsCalibrationFile")
    calibrate = Step(name="calibrate_charge", generated=[written], start=0, end=1)
    reduce = Step(name="r0_to_dl1", used=[read], generated=[_DL1], start=2, end=3)
    remember(store, written, read, _DL1, calibrate, reduce)

    found = path(store, written.id, _DL1.id)
    without = path(store, written.id, _DL1.id, options=WalkOptions(rules=()))

    assert found.rows()[-1]["rule"] == "calibration_version_folder"
    assert found.rows()[-1]["inferred"]
    assert without.chains == ()


def test_times_that_conflict_are_marked(store: Store) -> None:
    late = Step(name="r0_to_dl1", used=[_RAW], generated=[_DL1], start=0, end=2)
    early = Step(name="dl1_to_dl2", used=[_DL1], generated=[_DL2], start=1, end=3)
    remember(store, _RAW, _DL1, _DL2, late, early)

    found = path(store, _RAW.id, _DL2.id)

    assert [row["time_conflict"] for row in found.rows()].count(True) == 1
    assert found.completeness.time_conflicts == 1
    assert found.sentence.endswith("; 1 time conflict (dl1_LST-1.Run01807.0000.h5)")


def test_an_unknown_name_is_not_found(reduced: Store) -> None:
    with pytest.raises(NotFound, match=r"no_such_file\.h5"):
        path(reduced, _DL2.id, "no_such_file.h5")


@settings(max_examples=40)
@given(histories())
def test_there_is_a_chain_exactly_when_one_is_in_the_lineage_of_the_other(
    history: RandomHistory,
) -> None:
    store = stored(*history.parts)
    lineages = {one: lineage(store, one) for one in _known(store, history)}
    behind = {one: {node.id for node in lineages[one].nodes} for one in lineages}

    found = {
        (a, b) for a in lineages for b in lineages if path(store, a, b, limit=1).chains
    }

    assert found == {
        (a, b)
        for a in lineages
        for b in lineages
        if lineages[a].start in behind[b] or lineages[b].start in behind[a]
    }


@settings(max_examples=40)
@given(histories())
def test_every_chain_is_a_shortest_one_of_edges_of_the_lineage(
    history: RandomHistory,
) -> None:
    store = stored(*history.parts)
    known = _known(store, history)
    lineages = {answer.start: answer for answer in (lineage(store, k) for k in known)}

    found = [path(store, a, b, limit=100) for a in known for b in known]

    assert [
        one for one in found if not set(one.edges) <= {*lineages[one.later].edges}
    ] == []
    assert [one for one in found if len(set(one.chains)) != min(one.count, 100)] == []
    assert [
        one
        for one in found
        for chain in one.chains
        for node in lineages[one.later].nodes
        if node.id == one.earlier and len(chain) != node.distance + 1
    ] == []


def _known(store: Store, history: RandomHistory) -> list[str]:
    ids = [one.id for one in history.files]
    return sorted(document[f.ID] for document in store.read(f.ENTITIES, ids))


def _names(found: Paths) -> list[list[str | None]]:
    names = {node.id: node.name for node in found.nodes}
    return [[names[id_] for id_ in chain] for chain in found.chains]
