"""Read what comes to files and folders, time and again, until somebody ends it.

Folders are walked over, and not asked to tell of changes: on a disk of another machine
nobody tells, and a walk over a hundred thousand files that have not changed takes a
second or two.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from provdb.errors import ReadError, StoreUnavailable
from provdb.ingest.progress import Progress
from provdb.ingest.report import IngestReport
from provdb.ingest.run import read_inputs
from provdb.ingest.unsettled import UnsettledFiles
from provdb.readers.formats import Format
from provdb.store import Store

__all__ = ["INTERVAL_SECONDS", "watch"]

INTERVAL_SECONDS: Final = 10.0
# Problems that are remembered, so that each is told once.
_MOST_PROBLEMS: Final = 10_000


def watch(
    store: Store,
    paths: Iterable[Path],
    *,
    report: IngestReport,
    interval_seconds: float = INTERVAL_SECONDS,
    format: Format | None = None,
    jobs: int | None = None,
    is_again: bool = False,
    on_problem: Callable[[ReadError], None] = lambda problem: None,
    on_progress: Callable[[Progress], None] | None = None,
    on_pass: Callable[[], None] = lambda: None,
    on_lost: Callable[[StoreUnavailable], None] = lambda error: None,
    on_back: Callable[[], None] = lambda: None,
    wait: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> None:
    """Store the provenance in files, and in what comes to them, until interrupted.

    A log may grow: its last line is read when it has its end. A file that cannot be
    read is told of when nobody writes to it any more, and tried again when it has
    changed. While the store does not answer nothing is lost: what was not written is
    read again.

    Args:
        store: Where the documents go.
        paths: Files and folders.
        report: What is counted in, over all passes; what is unchanged, in the last.
        interval_seconds: How long to wait between two passes.
        format: What all of them are, or None to find it out of each one's content.
        jobs: How many processes read, as for `ingest`.
        is_again: Whether the first pass reads files that have not changed.
        on_problem: Is told once of each part and each input that could not be read.
        on_progress: Is told how far a pass is.
        on_pass: Is called after each pass.
        on_lost: Is told that the store does not answer any more.
        on_back: Is called when it answers again.
        wait: Waits so many seconds.
        now: Returns the time.

    Raises:
        StoreUnavailable: The store cannot be used in the first pass.
        KeyboardInterrupt: Somebody ended it.
    """
    listed = list(paths)
    unsettled = UnsettledFiles(now=now)
    once = _Once(on_problem)
    is_first, is_lost = True, False
    while True:
        unsettled.begin_pass()
        report.begin_pass()
        try:
            read_inputs(
                store,
                [*listed],
                report=report,
                told=format,
                jobs=jobs,
                is_again=is_again and is_first,
                on_problem=once,
                on_progress=on_progress,
                unsettled=unsettled,
            )
        except StoreUnavailable as error:
            if is_first:
                raise
            unsettled.give_up_pass()
            if not is_lost:
                on_lost(error)
            is_lost = True
        else:
            if is_lost:
                on_back()
            is_first = is_lost = False
        on_pass()
        wait(interval_seconds)


class _Once:
    """Tells each problem once, however often it is met."""

    def __init__(self, on_problem: Callable[[ReadError], None]) -> None:
        self._on_problem = on_problem
        self._told: set[int] = set()

    def __call__(self, problem: ReadError) -> None:
        key = hash(str(problem))
        if key in self._told:
            return
        if len(self._told) >= _MOST_PROBLEMS:
            self._told.clear()
        self._told.add(key)
        self._on_problem(problem)
