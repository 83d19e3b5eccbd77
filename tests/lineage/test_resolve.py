"""Rules 1 to 5 by themselves: of all that wrote a file, who made what was used?"""

from collections.abc import Mapping
from typing import Any

import pytest

from provdb.lineage.essentials import Activity, Link
from provdb.lineage.resolve import (
    Use,
    contested_inputs,
    generation_rounds,
    likely_generators,
    resolve,
)
from tests.lineage.histories import at

LEVELS: Mapping[str, str | None] = {"r0.1": "R0", "r0.2": "R0", "config": None}


def step(id_: str, start: float | None, end: float | None, **changes: Any) -> Activity:
    """Return an execution of r0_to_dl1 that made "dl1" of "r0.1"."""
    activity = Activity(
        id=id_,
        name="r0_to_dl1",
        session_tag="r0_to_dl1:01807",
        session_id="1",
        status="running" if end is None else "completed",
        start=None if start is None else at(start),
        end=None if end is None else at(end),
        run=1807,
        subrun=1,
        used=(("r0.1", None, None),),
        generated=(("dl1", None, None),),
    )
    return activity._replace(**changes)


def reading(*entities: str) -> tuple[Link, ...]:
    """Return usages of entities."""
    return tuple((entity, None, None) for entity in entities)


def content(hash_: str) -> tuple[Link, ...]:
    """Return the generation of "dl1" with a recorded content."""
    return (("dl1", None, hash_),)


def used_at(minutes: float | None, **changes: Any) -> Use:
    """Return a use of "dl1"; now if no time is given."""
    return Use("dl1", time=None if minutes is None else at(minutes), **changes)


def made_by(use: Use, *candidates: Activity) -> list[str]:
    """Return the ids of who made what was used, in order of their ends."""
    return [a.id for a in resolve(use, candidates, levels=LEVELS).generators]


def test_nobody_made_what_has_no_candidates() -> None:
    resolution = resolve(used_at(5), [], levels={})

    assert resolution.generators == ()
    assert not resolution.has_time_conflict
    assert not resolution.has_failed


def test_rule_1_the_user_did_not_make_what_it_used() -> None:
    use = used_at(2, exclude=frozenset({"dl1ab"}))

    assert made_by(use, step("r0_to_dl1", 0, 1), step("dl1ab", 2, 3)) == ["r0_to_dl1"]
    assert made_by(use, step("dl1ab", 2, 3)) == []


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_rule_1_what_failed_made_nothing_if_anything_else_did(status: str) -> None:
    failed = step("failed", 2, 3, status=status)

    assert made_by(used_at(5), step("good", 0, 1), failed) == ["good"]


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_rule_1_what_failed_is_taken_and_marked_if_nothing_else_did(
    status: str,
) -> None:
    failed = step("failed", 2, 3, status=status)

    resolution = resolve(used_at(5), [failed], levels=LEVELS)

    assert resolution.generators == (failed,)
    assert resolution.has_failed


def test_rule_2_the_content_that_was_used_says_who_made_it() -> None:
    old = step("old", 0, 1, generated=content("aa"))
    new = step("new", 2, 3, generated=content("bb"))

    assert made_by(used_at(5, hash="aa"), old, new) == ["old"]


def test_rule_2_a_content_that_nobody_wrote_decides_nothing() -> None:
    old = step("old", 0, 1, generated=content("aa"))
    new = step("new", 2, 3, generated=content("bb"))

    assert made_by(used_at(5, hash="cc"), old, new) == ["new"]


def test_rule_2_of_two_that_wrote_the_content_the_later_one_made_it() -> None:
    old = step("old", 0, 1, generated=content("aa"))
    new = step("new", 2, 3, generated=content("aa"))

    assert made_by(used_at(5, hash="aa"), old, new) == ["new"]


def test_rule_2_the_hash_of_another_output_does_not_count() -> None:
    both = (("dl1", None, "bb"), ("muons", None, "aa"))
    new = step("new", 2, 3, generated=both)
    old = step("old", 0, 1, generated=content("aa"))

    assert made_by(used_at(5, hash="aa"), old, new) == ["old"]


@pytest.mark.parametrize(
    ("minutes", "maker"),
    [
        pytest.param(1, "old", id="at the end of the first"),
        pytest.param(2.5, "old", id="while the second was at work"),
        pytest.param(3, "new", id="at the end of the second"),
        pytest.param(None, "new", id="now"),
    ],
)
def test_rule_3_only_what_had_ended_was_there(minutes: float, maker: str) -> None:
    candidates = step("old", 0, 1), step("new", 2, 3)

    assert made_by(used_at(minutes), *candidates) == [maker]


def test_rule_3_what_has_not_ended_is_not_there_now() -> None:
    candidates = step("old", 0, 1), step("running", 2, None)

    assert made_by(used_at(None), *candidates) == ["old"]


def test_rule_3_clocks_that_differ_are_marked() -> None:
    late = step("late", 4, 6)

    resolution = resolve(used_at(5), [late], levels=LEVELS)

    assert resolution.generators == (late,)
    assert resolution.has_time_conflict


@pytest.mark.parametrize(
    ("candidate", "use"),
    [
        pytest.param(step("a", 0, 1), used_at(5), id="ended before"),
        pytest.param(step("a", 0, None), used_at(5), id="began before"),
        pytest.param(step("a", 9, None), used_at(None), id="asked for now"),
        pytest.param(step("a", None, None), used_at(5), id="times unknown"),
    ],
)
def test_rule_3_what_can_have_been_there_is_no_conflict(
    candidate: Activity, use: Use
) -> None:
    resolution = resolve(use, [candidate], levels=LEVELS)

    assert resolution.generators == (candidate,)
    assert not resolution.has_time_conflict


def test_rule_4_the_same_step_again_replaces_what_it_wrote_before() -> None:
    assert made_by(used_at(5), step("old", 0, 1), step("new", 2, 3)) == ["new"]


def test_rule_4_steps_with_other_data_wrote_parts_of_one_product() -> None:
    first = step("first", 0, 1, used=reading("r0.1", "config"))
    second = step("second", 2, 3, used=reading("r0.2", "config"))

    assert made_by(used_at(5), first, second) == ["first", "second"]


def test_rule_4_a_part_that_was_written_again_replaces_that_part_alone() -> None:
    first = step("first", 0, 1, used=reading("r0.1"))
    second = step("second", 1, 2, used=reading("r0.2"))
    again = step("first again", 3, 4, used=reading("r0.1"))

    assert made_by(used_at(5), first, second, again) == ["second", "first again"]
    assert made_by(used_at(2), first, second, again) == ["first", "second"]


def test_rule_4_inputs_of_no_known_level_count_where_there_are_no_others() -> None:
    first = step("first", 0, 1, used=reading("calibration.1"))
    second = step("second", 2, 3, used=reading("calibration.2"))

    assert made_by(used_at(5), first, second) == ["first", "second"]


def test_rule_4_a_step_without_inputs_is_replaced() -> None:
    first = step("first", 0, 1, used=())
    second = step("second", 2, 3, used=())

    assert made_by(used_at(5), first, second) == ["second"]


def test_rule_5_another_step_overwrites_what_was_there() -> None:
    dl1ab = step("dl1ab", 2, 3, name="dl1ab", session_tag="dl1ab:01807")

    assert made_by(used_at(5), step("r0_to_dl1", 0, 1), dl1ab) == ["dl1ab"]


def test_rule_5_an_older_product_of_another_session_tag_is_overwritten() -> None:
    first = step("first", 0, 1, session_tag="r0_to_dl1:01806")
    second = step("second", 2, 3, used=reading("r0.2"))

    assert made_by(used_at(5), first, second) == ["second"]


def test_rule_5_of_two_that_ended_together_the_later_start_is_the_latest() -> None:
    long = step("a long one", 0, 3, name="p")
    short = step("a short one", 2, 3, name="q")

    assert made_by(used_at(5), short, long) == ["a short one"]


def test_what_is_no_file_was_made_in_the_session_of_its_user() -> None:
    candidates = step("mine", 0, 1), step("yours", 2, 3, session_id="2")

    assert made_by(used_at(5, session_id="1"), *candidates) == ["mine"]
    assert made_by(used_at(5, session_id="3"), *candidates) == []


def test_the_inputs_that_decide_are_those_of_steps_that_can_replace_each_other() -> (
    None
):
    alone = step("alone", 0, 1, name="dl1ab", used=reading("config"))
    twice = step("a", 0, 1), step("b", 2, 3, used=reading("r0.2"))

    assert contested_inputs([alone]) == set()
    assert contested_inputs([alone, *twice]) == {"r0.1", "r0.2"}


def test_steps_that_wrote_one_file_after_another_are_all_likely_to_be_used() -> None:
    made, parts = step("made", 0, 1), step("other part", 0, 1, used=reading("r0.2"))
    changed = step("changed", 2, 3, name="dl1ab", session_tag="dl1ab:01807")

    assert list(likely_generators([made, parts, changed])) == [made, parts, changed]


def test_of_what_one_step_wrote_in_several_sessions_none_is_likely() -> None:
    tonight = step("tonight", 5, 6)
    last_night = step("last night", 0, 1, session_tag="r0_to_dl1:01806")

    assert list(likely_generators([tonight, last_night])) == []


def test_rounds_of_writing_come_latest_first_with_their_parts_together() -> None:
    first = step("first", 0, 1)
    second = step("second", 1, 2, used=reading("r0.2"))
    again = step("first again", 3, 4)
    dl1ab = step("dl1ab", 5, 6, name="dl1ab", session_tag="dl1ab:01807")

    rounds = generation_rounds([second, dl1ab, again, first], levels=LEVELS)

    assert [{activity.id for activity in written} for written in rounds] == [
        {"dl1ab"},
        {"second", "first again"},
        {"first"},
    ]
