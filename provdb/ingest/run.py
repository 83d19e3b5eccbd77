"""Read inputs into a store: here if they are few, else in several processes."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from provdb.errors import ReadError
from provdb.ingest.inputs import Input, find_inputs
from provdb.ingest.known import KnownFiles
from provdb.ingest.progress import Progress, count_beside
from provdb.ingest.reading import Reading
from provdb.ingest.report import IngestReport
from provdb.ingest.unsettled import UnsettledFiles
from provdb.readers.folders import FoundFile
from provdb.readers.formats import FORMATS, Format
from provdb.readers.guard import end_guards
from provdb.store import Store

__all__ = ["ingest", "read_inputs", "usable_cores"]

# Fewer files are read here: to start a process takes as long as to read a hundred.
_FEW: Final = 16
OnProblem = Callable[[ReadError], None]


def ingest(
    store: Store,
    paths: Iterable[Path | BinaryIO],
    *,
    format: Format | None = None,
    jobs: int | None = None,
    is_again: bool = False,
    on_problem: OnProblem = lambda problem: None,
    on_progress: Callable[[Progress], None] | None = None,
) -> IngestReport:
    """Store the provenance in files, and say what became of them.

    The same file may be read again, in pieces or together with others: the store
    stays as it is. A file in a folder that was read is not read again as long as its
    size and time are the same.

    Args:
        store: Where the documents go.
        paths: Files, folders, or streams of bytes such as standard input.
        format: What all of them are, or None to find it out of each one's content.
        jobs: How many processes read, or None for as many as there are cores; few
            files are read in this one.
        is_again: Whether files are read that have not changed.
        on_problem: Is told of each part and each input that could not be read.
        on_progress: Is told how far the reading is.

    Raises:
        StoreError: The store cannot be written to; what was written stays.

    >>> from io import BytesIO
    >>> from provdb.store import open_store
    >>> log = BytesIO(b"{'entity_id': '446f45', 'name': 'R0SubrunDataset'}")
    >>> with open_store("memory://") as store:
    ...     ingest(store, [log]).written["entities"].added
    1
    """
    report = IngestReport()
    read_inputs(
        store,
        list(paths),
        report=report,
        told=format,
        jobs=jobs,
        is_again=is_again,
        on_problem=on_problem,
        on_progress=on_progress,
    )
    return report


def usable_cores() -> int:
    """Return on how many cores this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_inputs(
    store: Store,
    paths: list[Path | BinaryIO],
    *,
    report: IngestReport,
    told: Format | None,
    jobs: int | None,
    is_again: bool,
    on_problem: OnProblem,
    on_progress: Callable[[Progress], None] | None,
    unsettled: UnsettledFiles | None = None,
) -> None:
    """Read inputs as `ingest` does, and count what became of them in a report.

    Args:
        store: Where the documents go.
        paths: Files, folders or streams.
        report: What is counted in, also where something is raised.
        told: What all of them are, or None.
        jobs: How many processes read, or None for as many as there are cores.
        is_again: Whether files are read that have not changed.
        on_problem: Is told of what could not be read.
        on_progress: Is told how far the reading is.
        unsettled: Knows the files that may be written to just now, where the same
            paths are read time and again.
    """
    is_watch = unsettled is not None
    is_own = told is not None and told not in FORMATS  # No other process knows it.
    has_stream = any(not isinstance(path, Path) for path in paths)
    count = jobs or usable_cores()

    def find() -> Iterator[Input]:
        known = KnownFiles(store, told=told, is_again=is_again, is_named_known=is_watch)
        found = find_inputs(paths, known=known)
        return found if unsettled is None else unsettled.without(found)

    def request_of(item: Input) -> dict[str, Any] | None:
        if not isinstance(item, FoundFile) or item.state is None or is_own:
            return None
        name = None if told is None else told.name
        return {"path": item.path, "is_named": item.is_named, "format": name}

    reading = Reading(
        store,
        report,
        told=told,
        on_problem=on_problem,
        on_progress=on_progress,
        unsettled=unsettled,
    )
    items = find()
    first = list(islice(items, _FEW))
    is_all = len(first) < _FEW
    if is_all:
        for item in first:
            reading.progress.count(item)
        reading.progress.is_total_known = not has_stream
    is_counted = not (is_all or has_stream) and on_progress is not None
    try:
        with count_beside(reading.progress, find) if is_counted else nullcontext():
            whole = chain(first, items)
            if is_all or count == 1:
                for item in whole:
                    reading.take(item, None)
            else:
                # Loaded here, for few files need none.
                from provdb.readers.pool import read_in_processes

                for item, answer in read_in_processes(
                    whole, request_of=request_of, jobs=count
                ):
                    reading.take(item, answer)
            reading.end()
    finally:
        end_guards()
