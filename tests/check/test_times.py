"""Times of one activity that cannot be."""

import pytest

from provdb.check import check
from provdb.store import Store
from tests.lineage.histories import Step, at, remember


def _details(store: Store, *, minutes: float | None = None) -> list[str]:
    now = None if minutes is None else at(minutes)
    return [
        finding.detail
        for finding in check(store, now=now).findings
        if finding.kind == "time conflict"
    ]


def test_an_end_before_the_start_is_a_time_conflict(store: Store) -> None:
    remember(store, Step(name="r0_to_dl1", start=2, end=1))

    assert _details(store) == ["it ended before it started"]


@pytest.mark.parametrize(
    ("minutes", "details"),
    [
        (-5, ["it ended in the future", "it started in the future"]),
        (1, ["it ended in the future"]),
        (9, []),
    ],
)
def test_a_time_in_the_future_is_a_time_conflict(
    memory: Store, minutes: float, details: list[str]
) -> None:
    remember(memory, Step(name="r0_to_dl1", start=0, end=5))

    assert _details(memory, minutes=minutes) == details


def test_without_the_time_nothing_is_in_the_future(memory: Store) -> None:
    remember(memory, Step(name="r0_to_dl1", start=10**7, end=10**7 + 1))

    assert _details(memory) == []
