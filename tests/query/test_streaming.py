"""Rows come as the store gives them; what is not asked for yet is not held."""

import tracemalloc
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

import pytest

from provdb.model import fields as f
from provdb.query import find
from provdb.store.evaluate import Filter
from provdb.store.local import LocalStore

_DOCUMENTS = 12_000
# Rows that are put in order before the first one comes.
_ORDERED = 2000


class _LargeStore(LocalStore):
    """A store with very many activities, that counts those which were taken."""

    def __init__(self) -> None:
        super().__init__(None)
        self.taken = 0

    def find(
        self, collection: str, filter_: Filter, *, fields: Collection[str] = ()
    ) -> Iterator[dict[str, Any]]:
        """Yield activities, and nothing of other collections."""
        for number in range(_DOCUMENTS if collection == f.ACTIVITIES else 0):
            self.taken += 1
            yield {f.ID: f"{number:032x}", f.NAME: "r0_to_dl1" * 10, f.RUN: number}


def test_the_first_row_comes_when_a_few_have_been_read() -> None:
    store = _LargeStore()

    next(find(store, "activity:r0_to_dl1"))

    assert store.taken <= 2 * _ORDERED


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("activity:r0_to_dl1", id="all"),
        pytest.param("activity:r0_to_dl1 | select run", id="a column"),
    ],
)
def test_memory_does_not_grow_with_the_rows(query: str) -> None:
    rows = find(_LargeStore(), query)
    first = list(islice(rows, 2 * _ORDERED))
    tracemalloc.start()
    count = sum(1 for _ in rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(first) + count == _DOCUMENTS
    # A thousand documents at once take 1 MB; all that are left would take 8 MB.
    assert peak < 3_000_000
