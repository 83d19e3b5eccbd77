"""Laws of lineage on simulated histories: stability, symmetry, indifference."""

import os
import random
from collections.abc import Mapping, Sequence
from typing import Final

import pytest

from provdb.store import Store, open_store
from tests.lineage.simulator.history import History
from tests.lineage.simulator.judge import store_of, write_logs
from tests.lineage.simulator.kinds import KINDS, make
from tests.lineage.simulator.laws import (
    answers,
    asymmetric_files,
    asymmetric_versions,
    differing_unmarked,
    ingested,
    pieces,
    unstable,
)

_COUNT: Final = 200 if os.environ.get("PROVDB_TRUTH") == "full" else 2
_ORDINARY: Final = [name for name, kind in KINDS.items() if kind.is_ordinary]
# Records that come late tell of what is earlier than what is known already.
_IN_TIME: Final = [name for name in _ORDINARY if name != "records_late"]
# Records in a piece without the start of their job are those of any job of that id.
_IN_PIECES: Final = [name for name in KINDS if name != "equal_ids"]
# Of these both stores are asked; to write to a server takes its time.
_ON_BOTH: Final = [
    "parts",
    "chains_of_three",
    "several_logs",
    "spoiled_over_a_good_file",
]


@pytest.mark.parametrize("kind", _IN_TIME)
def test_what_is_recorded_later_changes_nothing_that_was_known_earlier(
    kind: str,
) -> None:
    changed = {seed: unstable(make(kind, seed)) for seed in range(_COUNT)}

    assert _without_empty(changed) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_version_is_in_the_impact_of_what_is_in_its_lineage(kind: str) -> None:
    histories = {seed: make(kind, seed) for seed in range(_COUNT)}

    wrong = {s: asymmetric_versions(store_of(h), h) for s, h in histories.items()}

    assert _without_empty(wrong) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_the_impact_of_a_file_is_every_current_file_that_any_version_of_it_is_in(
    kind: str,
) -> None:
    histories = {seed: make(kind, seed) for seed in range(_COUNT)}

    wrong = {s: asymmetric_files(store_of(h), h) for s, h in histories.items()}

    assert _without_empty(wrong) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_neither_the_order_of_logs_nor_their_repetition_changes_an_answer(
    kind: str,
) -> None:
    history = make(kind, 0)
    straight = store_of(history)

    again = write_logs(
        open_store("memory://", zone=history.zone),
        [*reversed(history.logs), *history.logs],
    )

    assert answers(again, history) == answers(straight, history)


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_that_is_read_as_text_gives_the_answers_of_its_records(
    kind: str,
) -> None:
    history = make(kind, 1)

    read = ingested(open_store("memory://", zone=history.zone), history)

    assert answers(read, history) == answers(store_of(history), history)


@pytest.mark.parametrize("kind", _IN_PIECES)
def test_a_log_in_pieces_gives_no_other_answer_without_a_mark(kind: str) -> None:
    chance = random.Random(kind)
    histories = {seed: make(kind, seed) for seed in range(_COUNT)}

    wrong = {
        seed: differing_unmarked(
            store_of(history), _in_pieces(history, chance), history
        )
        for seed, history in histories.items()
    }

    assert _without_empty(wrong) == {}


@pytest.mark.parametrize("kind", _ON_BOTH)
def test_both_stores_give_the_same_json(store: Store, kind: str) -> None:
    history = make(kind, 0)

    written = write_logs(store, history.logs)

    assert answers(written, history) == answers(store_of(history), history)


def _in_pieces(history: History, chance: random.Random) -> Store:
    store = open_store("memory://", zone=history.zone)
    return write_logs(store, pieces(history, chance))


def _without_empty(found: Mapping[int, Sequence[object]]) -> dict[int, object]:
    return {seed: wrong for seed, wrong in found.items() if wrong}
