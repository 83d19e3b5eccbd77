"""The rules: which write made what was read, as a pure function of a timeline."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provdb.lineage.resolve import Read, Resolution, resolve
from provdb.lineage.steps import Activity, Entity
from provdb.lineage.timeline import Arrival, Timeline, Unexplained, recorded_before

FILE = "dl2"
TOLERANCE = timedelta(seconds=5)
_BEGIN = datetime(2020, 1, 17, 20, tzinfo=UTC)
RUN_WISE = Entity(FILE, "DL2MergedFile", "/DL2/dl2_LST-1.Run01807.h5", "DL2", 1807)
RUN_WISE = RUN_WISE._replace(file_name="dl2_LST-1.Run01807.h5")
INPUTS = {
    f"dl1.{subrun}": Entity(f"dl1.{subrun}", level="DL1", run=1807, subrun=subrun)
    for subrun in range(4)
}


def at(seconds: float) -> datetime:
    """Return a time so many seconds after the beginning."""
    return _BEGIN + timedelta(seconds=seconds)


def step(
    name: str,
    start: float | None,
    end: float | None,
    *,
    used: Iterable[str] = (),
    made: bool = True,
    hash: str | None = None,
    mode: str | None = None,
    node: str | None = "cp01",
    place: int | None = None,
    status: str = "completed",
    session_id: str | None = None,
    started_by: str | None = None,
) -> Activity:
    """Return an execution that wrote the file, or that did not."""
    return Activity(
        id=name,
        name=name.partition(".")[0],
        session_tag=None,
        session_id=session_id,
        status=status if end is not None else "running",
        start=None if start is None else at(start),
        end=None if end is None else at(end),
        run=None,
        subrun=None,
        used=tuple((one, None, None, None) for one in used),
        generated=((FILE, None, hash, mode),) if made else (),
        node=node,
        activity_id=name,
        started_by=started_by,
        recorded=() if place is None else (("log", place, place + 1),),
    )


def reader(start: float | None, end: float | None = None, **facts: Any) -> Activity:
    """Return an execution that read the file."""
    one = step("reader", start, end, made=False)
    return one._replace(**facts)


def timeline(*writers: Activity, **facts: Any) -> Timeline:
    """Return the timeline of the file."""
    return Timeline.of(FILE, writers, tolerance=TOLERANCE, **facts)


def read(
    line: Timeline, by: Activity | None = None, *, hash: str | None = None
) -> Resolution:
    """Return what was read by somebody, or is there now."""
    return resolve(line, Read(by, hash), tolerance=TOLERANCE)


def makers(resolution: Resolution) -> list[str]:
    """Return the ids of the writes."""
    return [write.id for write in resolution.writes]


def test_a_file_holds_what_was_last_written_before_it_was_read() -> None:
    line = timeline(step("a", 0, 10), step("b", 100, 110), step("c", 200, 210))

    found = read(line, reader(150, 160))

    assert (makers(found), found.evidence, found.marks) == (["b"], "order", ())


def test_one_write_is_the_only_one_that_can_have_made_it() -> None:
    found = read(timeline(step("a", 0, 10)), reader(20, 30))

    assert (makers(found), found.evidence) == (["a"], "only")


def test_what_there_is_now_is_the_last_write() -> None:
    line = timeline(step("a", 0, 10), step("b", 100, 110))

    assert makers(read(line)) == ["b"]


def test_what_ended_after_the_reader_ended_was_never_read() -> None:
    line = timeline(step("a", 50, 60))

    found = read(line, reader(20, 30))

    assert (makers(found), found.marks) == ([], ())


def test_what_ended_while_the_reader_ran_is_a_time_conflict() -> None:
    found = read(timeline(step("a", 10, 25)), reader(20, 30))

    assert makers(found) == ["a"]
    assert "time_conflict" in found.marks


def test_a_step_that_rewrites_a_file_did_not_read_its_own_write() -> None:
    rewriting = step("dl1ab", 20, 30, used=[FILE])

    assert makers(read(timeline(step("a", 0, 10), rewriting), rewriting)) == ["a"]


def test_a_write_on_another_node_may_end_within_the_tolerance_of_the_clocks() -> None:
    late = step("dl1ab", 10, 22, node="cp02", place=3)

    found = read(
        timeline(step("a", 0, 5, place=1), late),
        reader(20, 30, recorded=(("log", 5, 6),)),
    )

    assert makers(found) == ["dl1ab"]
    assert "contested" in found.marks


@pytest.mark.parametrize(
    ("node", "place"),
    [
        pytest.param("cp01", 3, id="on the same node"),
        pytest.param("cp02", 9, id="recorded later"),
        pytest.param("cp02", None, id="recorded nobody knows when"),
    ],
)
def test_no_other_write_that_ended_after_the_start_of_the_reader_is_chosen(
    node: str, place: int | None
) -> None:
    late = step("b", 21, 22, node=node, place=place)
    by = reader(20, 30, recorded=(("log", 5, 6),))

    found = read(timeline(step("a", 0, 5, place=1), late), by)

    assert makers(found) == ["a"]
    assert "contested" in found.marks


def test_what_a_step_that_the_reader_started_wrote_was_read() -> None:
    inner = step("r0_to_dl1", 21, 25, started_by="reader")

    found = read(timeline(step("a", 0, 5), inner), reader(20, 30))

    assert (makers(found), found.marks) == (["r0_to_dl1"], ())


def test_what_was_written_in_the_same_session_inside_of_the_reader_is_contested() -> (
    None
):
    inner = step("r0_to_dl1", 21, 25, session_id="1807")

    found = read(timeline(step("a", 0, 5), inner), reader(20, 30, session_id="1807"))

    assert (makers(found), found.marks) == (["r0_to_dl1"], ("contested",))


def test_a_damaged_write_counts_where_there_is_no_other() -> None:
    found = read(timeline(step("a", 0, 10, status="failed")), reader(20, 30))

    assert (makers(found), found.marks, found.damaged_by) == (
        ["a"],
        ("maybe_damaged",),
        ("a",),
    )


def test_a_failed_write_over_a_good_file_may_have_damaged_it() -> None:
    line = timeline(step("a", 0, 10), step("b", 20, 30, status="failed"))

    found = read(line, reader(40, 50))

    assert (makers(found), found.marks, found.damaged_by) == (
        ["a"],
        ("maybe_damaged",),
        ("b",),
    )


def test_a_failed_write_before_the_good_one_damaged_nothing() -> None:
    line = timeline(step("b", 0, 10, status="failed"), step("a", 20, 30))

    assert read(line, reader(40, 50)).marks == ()


def test_a_write_without_an_end_may_still_be_writing() -> None:
    line = timeline(step("b", 0, None), step("a", 20, 30))

    assert read(line, reader(40, 50)).damaged_by == ("b",)


def test_a_recorded_hash_removes_what_recorded_another_one() -> None:
    line = timeline(step("a", 0, 10, hash="aaaa"), step("b", 20, 30, hash="bbbb"))

    found = read(line, reader(40, 50), hash="aaaa")

    assert (makers(found), found.evidence, found.marks) == (["a"], "content", ())


def test_equal_hashes_on_both_sides_lift_every_doubt() -> None:
    line = timeline(step("a", 0, 10, hash="aaaa"), step("b", 35, 60))

    found = read(line, reader(40, 50), hash="aaaa")

    assert (makers(found), found.evidence, found.marks) == (["a"], "content", ())


def test_content_that_no_write_explains_is_of_nobody() -> None:
    line = timeline(step("a", 0, 10, hash="aaaa"))

    found = read(line, reader(40, 50), hash="cccc")

    assert (makers(found), found.is_unknown) == ([], True)


def test_unknown_content_stays_until_the_next_write() -> None:
    seen = Unexplained(at(40), "cccc", "other")
    line = timeline(
        step("a", 0, 10, hash="aaaa"), step("b", 80, 90), unexplained=[seen]
    )

    assert read(line, reader(30, 35)).is_unknown is False
    assert read(line, reader(50, 60)).is_unknown is True
    assert makers(read(line, reader(100, 110))) == ["b"]


def test_of_writes_in_one_second_on_one_node_the_last_record_counts() -> None:
    line = timeline(step("a", 9, 10, place=1), step("b", 10, 10, place=3))

    found = read(line, reader(10, 20, recorded=(("log", 5, 6),)))

    assert (makers(found), found.marks) == (["b"], ())


def test_a_tie_is_never_decided_silently() -> None:
    found = read(timeline(step("a", 9, 10), step("b", 10, 10)), reader(20, 30))

    assert found.marks == ("contested",)


def test_of_near_writes_on_two_nodes_the_one_that_read_the_file_was_the_later() -> None:
    rewriting = step("a", 8, 9, used=[FILE], node="cp02")

    found = read(timeline(rewriting, step("b", 8, 11)), reader(20, 30))

    assert (makers(found), found.marks) == (["a"], ("contested",))


def test_a_write_that_overlaps_the_read_contests_it() -> None:
    line = timeline(step("a", 0, 10), step("b", 25, 60))

    found = read(line, reader(20, 30))

    assert (makers(found), found.marks) == (["a"], ("contested",))


def test_an_order_of_records_against_the_clocks_of_two_machines_is_marked() -> None:
    ahead = step("b", 400, 410, node="cp02", place=3)
    by = reader(20, 30, recorded=(("log", 5, 6),))

    found = read(timeline(step("a", 0, 10, place=1), ahead), by)

    assert (makers(found), found.marks) == (["a"], ("clock",))


def test_subruns_that_each_wrote_their_part_made_the_file_together() -> None:
    line = _parts(
        *(step(f"dl1_to_dl2.{n}", n, n + 5, used=[f"dl1.{n}"]) for n in (0, 1))
    )

    assert makers(read(line)) == ["dl1_to_dl2.0", "dl1_to_dl2.1"]


def test_a_part_that_was_written_again_takes_the_place_of_its_slot_alone() -> None:
    first = [step(f"dl1_to_dl2.{n}", n, n + 5, used=[f"dl1.{n}"]) for n in (0, 1)]
    again = step("dl1_to_dl2.again", 100, 110, used=["dl1.0"])

    assert makers(read(_parts(*first, again))) == ["dl1_to_dl2.1", "dl1_to_dl2.again"]


def test_a_whole_write_drops_out_when_all_its_slots_were_written_again() -> None:
    whole = step("merge", 0, 10, used=["dl1.0", "dl1.1"])
    parts = [step(f"dl1_to_dl2.{n}", 20 + n, 30, used=[f"dl1.{n}"]) for n in (0, 1)]

    assert makers(read(_parts(whole, parts[0]))) == ["merge", "dl1_to_dl2.0"]
    assert "merge" not in makers(read(_parts(whole, *parts)))


def test_a_step_that_merged_before_overwrites_when_it_handles_one_subrun() -> None:
    line = _parts(
        step("merge.1", 0, 10, used=["dl1.0", "dl1.1"]),
        step("merge.2", 20, 30, used=["dl1.0"]),
    )

    assert makers(read(line)) == ["merge.2"]


def test_a_declared_mode_counts_whatever_was_handled() -> None:
    line = timeline(
        step("a", 0, 10), step("b", 20, 30, mode="append"), entity=Entity(FILE)
    )

    assert makers(read(line)) == ["a", "b"]


def test_what_was_moved_here_competes_with_what_was_written_here() -> None:
    source = step("r0_to_dl1", 50, 60, made=False)
    line = timeline(
        step("dl1ab", 0, 10, used=[FILE]),
        arrivals=[(Arrival("dl1 above", "moved_to_tailcut"), source)],
    )

    found = read(line, reader(70, 80))

    assert [write.arrival for write in found.writes] == [
        Arrival("dl1 above", "moved_to_tailcut")
    ]


def test_what_was_moved_away_is_not_read_any_more() -> None:
    mover = step("mv", 20, 21, made=False)
    line = timeline(step("a", 0, 10), removals=[mover])

    assert makers(read(line, reader(15, 16))) == ["a"]
    assert makers(read(line, reader(30, 40))) == []


def test_each_node_has_its_own_file_under_a_local_name() -> None:
    line = timeline(
        step("a", 0, 10, node="cp01"), step("b", 11, 12, node="cp02"), is_local=True
    )

    found = read(line, reader(20, 30, node="cp01"))

    assert (makers(found), found.marks) == (["a"], ())


def test_accounts_of_one_fixed_thing_are_all_followed() -> None:
    fixed = Entity(FILE, is_fixed=True)
    line = timeline(step("a", 0, 10), step("b", 100, 110), entity=fixed)

    assert makers(read(line, reader(50, 60))) == ["a", "b"]


def test_a_time_that_happened_twice_is_told_apart_by_the_order_of_records() -> None:
    first = step("r0_to_dl1", 0, 2400, place=1)
    second = step("dl1ab", 300, 900, place=3, used=[FILE])
    twice = [one._replace(is_end_ambiguous=True) for one in (first, second)]

    found = read(timeline(*twice), reader(9000, 9100, recorded=(("log", 5, 6),)))

    assert (makers(found), found.marks) == (["dl1ab"], ())


def test_places_of_one_source_say_what_was_recorded_first() -> None:
    one, other = step("a", 0, 1, place=1), step("b", 0, 1, place=5)

    assert recorded_before(one, other) is True
    assert recorded_before(other, one) is False
    assert recorded_before(one, step("c", 0, 1)) is None


def _parts(*writers: Activity) -> Timeline:
    return timeline(*writers, entity=RUN_WISE, entities=INPUTS)
