"""What came from a file says of which reads it is in doubt whether they were of it."""

import pytest

from provdb.lineage import Lineage, impact, lineage, reach, versions
from provdb.model import Record, fold
from provdb.store import Store
from tests.lineage.histories import File, Step, entities, file, remember

RAW = [file(f"/R0/LST-1.1.Run01807.000{n}.fits.fz", "R0SubrunDataset") for n in (0, 1)]
DL1 = file("/DL1/dl1_LST-1.Run01807.0000.h5", "DL1SubrunDataset")
DL2 = file("/DL2/dl2_LST-1.Run01807.0000.h5", "DL2SubrunDataset")
TABLE = file("/DL3/table.h5", "Table")
READING = Step(name="dl1_to_dl2", used=[DL1], generated=[DL2], start=60, end=90)


def _writing(raw: File, start: float, end: float | None) -> Step:
    return Step(name="r0_to_dl1", used=[raw], generated=[DL1], start=start, end=end)


def test_a_read_that_two_writes_overlap_is_in_doubt_from_both_sides(
    store: Store,
) -> None:
    remember(store, _writing(RAW[0], 0, 1), READING, _writing(RAW[1], 70, 80))

    answers = [impact(store, raw.id) for raw in RAW]

    assert "contested" in lineage(store, DL2.id).sentence
    assert [a.completeness.is_certain for a in answers] == [False, False]
    assert not reach(
        store, entities=[RAW[0].id], is_upstream=False
    ).completeness.is_certain


def test_the_impact_of_what_a_step_without_an_end_read_says_what_it_damaged(
    store: Store,
) -> None:
    remember(store, _writing(RAW[0], 0, 1), _writing(RAW[1], 30, None), READING)

    answer = impact(store, RAW[1].id)

    assert lineage(store, DL2.id).completeness.damaged != ()
    assert answer.completeness.damaged == lineage(store, DL2.id).completeness.damaged


def test_an_impact_without_rivals_is_in_no_doubt(store: Store) -> None:
    remember(store, _writing(RAW[0], 0, 1), READING, _writing(RAW[1], 100, 110))

    assert all(impact(store, raw.id).completeness.is_certain for raw in RAW)


@pytest.mark.parametrize("name", ["notes_{}.txt", "dl2_{}.h5"], ids=["text", "level"])
def test_a_declared_part_is_of_the_run_of_its_session_where_no_input_says_more(
    store: Store, name: str
) -> None:
    inputs = [file(f"/in/{name.format(n)}", "Notes") for n in range(3)]
    for number, run in enumerate((1807, 1808, 1807)):
        store.write(fold(_part(number, inputs[number], run)))

    answer = lineage(store, TABLE.id)

    assert entities(answer) == {TABLE.id, inputs[1].id, inputs[2].id}
    assert len(versions(store, TABLE.id)) == 2


def test_a_file_that_was_moved_away_is_not_there_now(store: Store) -> None:
    moved = file("/archive/dl1_LST-1.Run01807.0000.h5", "DL1SubrunDataset")
    remember(store, _writing(RAW[0], 0, 1))
    moving = Step(name="mv", used=[DL1], generated=[moved], start=5, end=6)
    this = {"activity_id": moving.activity_id, "session_tag": moving.session_tag}
    store.write(fold([*moving.records(), this | {"invalidated_id": DL1.id}]))

    (old,), (new,) = (versions(store, one.id) for one in (DL1, moved))
    reached = reach(store, entities=[RAW[0].id], is_upstream=False)

    assert (old.is_current, new.is_current) == (False, True)
    assert reached.entities == {moved.id}


def test_a_write_that_ended_before_it_began_is_a_time_conflict(store: Store) -> None:
    remember(store, _writing(RAW[1], 0, 1), _writing(RAW[0], 50, 20), READING)

    answer = lineage(store, DL2.id)

    assert answer.completeness.time_conflicts == 1
    assert not impact(store, RAW[1].id).completeness.is_certain


def test_a_version_says_what_may_have_damaged_it(store: Store) -> None:
    remember(store, _writing(RAW[0], 0, 5), _writing(RAW[1], 3, None))
    remember(store, _writing(RAW[0], 60, 61))

    _, earlier = (v for v in versions(store, DL1.id) if v.status == "completed")
    answer: Lineage = lineage(store, earlier.id)

    assert len(answer.completeness.damaged) == 1


def _part(number: int, input_: File, run: int) -> list[Record]:
    step = Step(
        name="fill",
        used=[input_],
        generated=[TABLE],
        start=number * 10,
        end=number * 10 + 1,
        tag=f"fill:0{run}",
    )
    return [
        record | {"mode": "part"} if "generated_id" in record else record
        for record in step.records()
    ]
