"""What provdb says of simulated histories is what is on the pretended disk.

A short form runs by default. ``PROVDB_TRUTH=full`` runs 2,000 histories of each kind.
One history is shown by ``python -m tests.lineage.simulator.table --kind K --seed S``.
"""

import os
from collections import Counter
from functools import cache
from typing import Final

import pytest

from tests.lineage.simulator.disk import RAW, Disk, File, Job, Read, Write, truth_of
from tests.lineage.simulator.judge import NEEDLESS, SILENT, Verdict
from tests.lineage.simulator.kinds import KINDS, make
from tests.lineage.simulator.table import verdicts_of

_SHORT: Final = 8
_FULL: Final = 2000
_IS_FULL: Final = os.environ.get("PROVDB_TRUTH") == "full"
_COUNT: Final = _FULL if _IS_FULL else _SHORT
_MOST_NEEDLESS: Final = 0.01
_MOST_SHOWN: Final = 5

RAW_FILE = File("/R0/LST-1.1.Run01807.0000.fits.fz", "R0SubrunDataset")
DL1 = File("/DL1/dl1_LST-1.Run01807.0000.h5", "DL1SubrunDataset")
MERGED = File("/DL2/dl2_LST-1.Run01807.h5", "DL2MergedFile")


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_is_wrong_without_a_mark_or_a_gap(kind: str) -> None:
    """The one exception is content that changed with no record and no hash."""
    _, silent = _judged(kind)

    assert not silent, _told(kind, silent)


def test_of_ordinary_histories_hardly_any_right_answer_is_marked() -> None:
    ordinary = [name for name, kind in KINDS.items() if kind.is_ordinary]

    counts = sum((_judged(name)[0] for name in ordinary), Counter[str]())

    assert counts[NEEDLESS] <= _MOST_NEEDLESS * counts.total()


@pytest.mark.parametrize("kind", KINDS)
def test_a_history_can_be_made_again_from_its_seed(kind: str) -> None:
    assert make(kind, 3).text() == make(kind, 3).text()


def test_the_disk_gives_a_reader_what_was_written_last_before_it_read() -> None:
    disk = _disk()
    first, second = (
        _job(1, writes=[Write(DL1, "", 2)]),
        _job(5, reads=[Read(DL1, "", 5)]),
    )
    third = _job(4, writes=[Write(DL1, "", 6)])
    disk.jobs += [third, second, first]

    disk.run()

    assert [content.writer for _, content in second.reads[0].state] == [first]
    assert [content.writer for _, content in disk.now(DL1)] == [third]


def test_the_disk_keeps_the_parts_of_a_file_that_were_not_written_again() -> None:
    disk = _disk()
    parts = [
        _job(time, writes=[Write(MERGED, "", time, (slot,), is_part=True)])
        for time, slot in [(1, "0000"), (2, "0001"), (3, "0000")]
    ]
    disk.jobs += parts

    disk.run()

    assert {content.writer for _, content in disk.now(MERGED)} == set(parts[1:])


def test_the_truth_goes_back_to_the_raw_files_that_were_read() -> None:
    disk = _disk()
    first = _job(1, reads=[Read(RAW_FILE, "", 1)], writes=[Write(DL1, "", 2)])
    again = _job(3, reads=[Read(DL1, "", 3)], writes=[Write(DL1, "", 4)])
    disk.jobs += [first, again]
    disk.run()

    truth = truth_of(disk, disk.now(DL1), DL1, until=9)

    assert set(truth.jobs) == {first, again}
    assert set(truth.raw) == {RAW_FILE.path}


def test_nothing_can_know_of_an_edit_that_left_no_record_and_no_hash() -> None:
    disk = _disk()
    disk.jobs.append(_job(1, writes=[Write(DL1, "", 2)]))
    disk.happen("edit", 3, DL1)
    disk.run()

    before, after = (
        truth_of(disk, disk.at(DL1, time), DL1, until=time) for time in (2.5, 9)
    )

    assert (before.is_known, after.is_known) == (True, False)


def _disk() -> Disk:
    disk = Disk()
    disk.put(RAW_FILE, RAW)
    return disk


def _job(
    start: float, *, reads: list[Read] | None = None, writes: list[Write] | None = None
) -> Job:
    return Job(
        step="step",
        run="01807",
        start=start,
        end=start + 1,
        node="cp01",
        order=int(start),
        reads=reads or [],
        writes=writes or [],
    )


@cache
def _judged(kind: str) -> tuple[Counter[str], list[tuple[int, Verdict]]]:
    """Return how many verdicts of each kind there are, and those that are silent."""
    counts: Counter[str] = Counter()
    silent = []
    for seed in range(_COUNT):
        for verdict in verdicts_of(kind, seed):
            counts[verdict.kind] += 1
            if verdict.kind == SILENT:
                silent.append((seed, verdict))
    return counts, silent


def _told(kind: str, silent: list[tuple[int, Verdict]]) -> str:
    """Return what is wrong, how to see it again, and the log of the first history."""
    lines = [f"{len(silent)} answers of {kind} are silently wrong"]
    for seed, verdict in silent[:_MOST_SHOWN]:
        lines += [
            f"python -m tests.lineage.simulator.table --kind {kind} --seed {seed}",
            f"  {verdict.question}",
            f"  lacks {', '.join(verdict.missing)}",
            f"  adds {', '.join(verdict.added)}",
        ]
    if silent:
        lines.append(make(kind, silent[0][0]).text())
    return "\n".join(lines)
