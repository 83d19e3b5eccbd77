"""A night that is reprocessed into the same paths."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provdb.errors import NotFound
from provdb.ingest import ingest
from provdb.lineage import Lineage, WalkOptions, impact, lineage, versions
from provdb.model import fields as f
from provdb.store import Store, open_store
from tests.benchmarks.night import Night, write
from tests.lineage.histories import Step, at, file, generated_by, generation, remember
from tests.lineage.logs import products

FIRST = Night(runs=1, subruns=3)
AGAIN = Night(runs=1, subruns=3, start=datetime(2020, 2, 1, 8), seed=2)
BETWEEN = datetime(2020, 1, 25, tzinfo=UTC)

RAW = {
    subrun: file(f"/R0/LST-1.1.Run01807.{subrun:04d}.fits.fz", "R0SubrunDataset")
    for subrun in (1, 2, 3)
}
MERGED = file("/DL2/dl2_LST-1.Run01807.h5", "DL2MergedFile")


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """The log of the first processing."""
    path = tmp_path / "first.log"
    write(FIRST, path)
    return path


@pytest.fixture
def again(tmp_path: Path) -> Path:
    """The log of the second one, which writes the same paths."""
    path = tmp_path / "again.log"
    write(AGAIN, path)
    return path


def test_after_a_reprocessing_lineage_names_only_the_later_executions(
    store: Store, first: Path, again: Path
) -> None:
    ingest(store, [first, again])

    answers = [lineage(store, document[f.ID]) for document in products(store)]

    starts = [
        node.start
        for answer in answers
        for node in answer.nodes
        if node.start is not None
    ]
    assert len(answers) == 16
    assert min(starts) > BETWEEN
    assert {answer.warnings for answer in answers} == {()}


def test_after_a_reprocessing_impact_names_only_the_later_executions_of_later_files(
    store: Store, first: Path, again: Path
) -> None:
    ingest(store, [first, again])

    answer = impact(store, "drs4_pedestal.Run01804.0000.h5")

    starts = [node.start for node in answer.nodes if node.start is not None]
    assert min(starts) > BETWEEN


def test_the_impact_of_raw_data_is_what_is_there_now(
    store: Store, first: Path, again: Path
) -> None:
    ingest(store, [first, again])

    answer = impact(store, "LST-1.1.Run01807.0001.fits.fz")

    starts = [n.start for n in answer.nodes if n.name == "r0_to_dl1" and n.start]
    assert [start > BETWEEN for start in starts] == [True]


@pytest.mark.parametrize("ask", [lineage, impact], ids=["lineage", "impact"])
def test_as_of_a_time_before_gives_the_answer_from_before(
    store: Store, first: Path, again: Path, ask: Callable[..., Lineage]
) -> None:
    ingest(store, [first])
    ids = [document[f.ID] for document in store.scan(f.ENTITIES)]
    before = [_answer(ask(store, one)) for one in ids]

    ingest(store, [again])

    options = WalkOptions(as_of=BETWEEN)
    assert [_answer(ask(store, one, options=options)) for one in ids] == before


def test_as_of_a_time_before_anything_was_written_there_is_no_product(
    store: Store, first: Path
) -> None:
    ingest(store, [first])
    options = WalkOptions(as_of=datetime(2020, 1, 1, tzinfo=UTC))

    with pytest.raises(NotFound, match=r"as of 2020-01-01T00:00:00\.000Z"):
        lineage(store, "dl2_LST-1.Run01807.h5", options=options)


def test_every_version_that_is_listed_can_be_asked_for(
    store: Store, first: Path, again: Path
) -> None:
    """Nobody used the merged file before it was overwritten."""
    ingest(store, [first, again])
    new, old = versions(store, "dl2_LST-1.Run01807.h5")

    answers = [lineage(store, version.id) for version in (old, new)]

    starts = [[n.start for n in a.nodes if n.start is not None] for a in answers]
    assert [answer.start for answer in answers] == [old.id, new.id]
    assert max(starts[0]) < BETWEEN < min(starts[1])


def test_as_of_is_part_of_the_question(store: Store, first: Path) -> None:
    ingest(store, [first])

    answer = lineage(store, "dl2_LST-1.Run01807.h5", options=WalkOptions(as_of=BETWEEN))

    assert answer.question["as_of"] == "2020-01-25T00:00:00.000Z"


def test_a_subrun_that_was_processed_again_joins_the_others_in_the_merged_file(
    store: Store,
) -> None:
    """Its new execution stands beside the old ones of the other subruns."""
    remember(store, _part(1, start=0), _part(2, start=1), _part(3, start=2))
    remember(store, _part(2, start=5))

    answer = lineage(store, MERGED.id, options=WalkOptions(leaf_level="R0"))

    assert generation(answer, MERGED) == generated_by(
        ("dl1_to_dl2", 0), ("dl1_to_dl2", 2), ("dl1_to_dl2", 5)
    )
    assert [leaf.subrun for leaf in answer.leaves] == [1, 2, 3]


def test_as_of_a_time_before_a_subrun_was_processed_again_its_old_execution_counts(
    store: Store,
) -> None:
    remember(store, _part(1, start=0), _part(2, start=1), _part(3, start=2))
    remember(store, _part(2, start=5))

    answer = lineage(store, MERGED.id, options=WalkOptions(as_of=at(4)))

    assert generation(answer, MERGED) == generated_by(
        ("dl1_to_dl2", 0), ("dl1_to_dl2", 1), ("dl1_to_dl2", 2)
    )


def test_what_was_running_at_a_time_is_running_in_the_answer_as_of_then() -> None:
    store = open_store("memory://")
    remember(store, Step(name="r0_to_dl1", generated=[MERGED], start=0, end=2))

    answer = lineage(store, MERGED.id, options=WalkOptions(as_of=at(1)))

    assert [(n.status, n.end) for n in answer.nodes if n.kind == "activity"] == [
        ("running", None)
    ]


def _part(subrun: int, *, start: float) -> Step:
    """Return the step that writes the part of a subrun into the merged file."""
    return Step(
        name="dl1_to_dl2",
        used=[RAW[subrun]],
        generated=[MERGED],
        start=start,
        end=start + 0.5,
    )


def _answer(answer: Lineage) -> dict[str, Any]:
    return {**answer.to_dict(), "question": None}
