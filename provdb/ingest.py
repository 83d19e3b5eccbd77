"""Read logs into a store: what was read, what was new, and what could not be read.

Every input is read to its end, whatever is wrong in it, and what is good is stored.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from provdb.errors import ReadError, RecordError
from provdb.model import Folder
from provdb.readers import Line, find_logs, open_log, read_lines, read_records
from provdb.store import Store, WriteCounts

__all__ = ["IngestReport", "ingest", "total_bytes"]

# Records folded before they are written: some hundred megabytes of memory at most.
_RECORDS_A_WRITE: Final = 200_000
_LINES_A_STEP: Final = 500


@dataclass(slots=True, kw_only=True)
class IngestReport:
    """What became of the inputs.

    Attributes:
        inputs: Files read, standard input among them.
        lines: Lines read.
        records: Records among them, repeated ones too.
        skipped: Lines that should hold a record and do not.
        unread: Inputs that could not be read at all.
        written: What became of the documents, by collection.
    """

    inputs: int = 0
    lines: int = 0
    records: int = 0
    skipped: int = 0
    unread: int = 0
    written: dict[str, WriteCounts] = field(default_factory=dict)

    @property
    def foreign(self) -> int:
        """Lines that are no provenance, such as warnings between the records."""
        return self.lines - self.records - self.skipped

    def to_dict(self) -> dict[str, Any]:
        """Return the report as it stands in JSON."""
        return {
            "inputs": self.inputs,
            "unread": self.unread,
            "lines": self.lines,
            "records": self.records,
            "foreign": self.foreign,
            "skipped": self.skipped,
            "written": {
                collection: asdict(counts)
                for collection, counts in self.written.items()
            },
        }

    def _add(self, written: dict[str, WriteCounts]) -> None:
        for collection, counts in written.items():
            before = self.written.get(collection, WriteCounts())
            self.written[collection] = before + counts


def ingest(
    store: Store,
    paths: Iterable[Path | BinaryIO],
    *,
    on_problem: Callable[[ReadError], None] = lambda problem: None,
    on_progress: Callable[[int], None] = lambda size_bytes: None,
) -> IngestReport:
    """Store the provenance in logs, and say what became of them.

    The same log may be read again, in pieces or together with others: the store
    stays as it is.

    Args:
        store: Where the documents go.
        paths: Files, folders, or streams of bytes such as standard input.
        on_problem: Is told of each line and each input that could not be read.
        on_progress: Is told how many more bytes of files were read.

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
    folder = Folder(zone=store.zone)
    pending = 0

    def skip(problem: ReadError) -> None:
        report.skipped += 1
        on_problem(problem)

    def skip_unsplit(problem: ReadError) -> None:
        report.lines += 1
        skip(problem)

    for path in _logs(paths, report=report, on_problem=on_problem):
        before = report.records
        try:
            with _opened(path) as (stream, source):
                lines = _watched(
                    read_lines(stream, source, on_problem=skip_unsplit),
                    stream,
                    report=report,
                    on_progress=on_progress,
                )
                for line, record in read_records(lines, on_problem=skip):
                    try:
                        folder.add(record)
                    except RecordError as error:
                        skip(ReadError(source, error.reason, line=line.number))
                        continue
                    report.records += 1
                    pending += 1
                    if pending >= _RECORDS_A_WRITE:
                        report._add(store.write(folder.take()))
                        pending = 0
        except ReadError as problem:
            report.unread += 1
            on_problem(problem)
            continue
        report.inputs += 1
        if report.records == before:
            on_problem(ReadError(source, "it holds no provenance record"))
    report._add(store.write(folder.take()))
    return report


def total_bytes(paths: Iterable[Path | BinaryIO]) -> int | None:
    """Return how many bytes the files of paths have, or None where that is unknown."""
    total = 0
    for path in paths:
        if not isinstance(path, Path):
            return None
        try:
            total += sum(log.stat().st_size for log in find_logs(path))
        except (ReadError, OSError):
            continue  # It is reported when it is read.
    return total


def _logs(
    paths: Iterable[Path | BinaryIO],
    *,
    report: IngestReport,
    on_problem: Callable[[ReadError], None],
) -> Iterator[Path | BinaryIO]:
    for path in paths:
        if not isinstance(path, Path):
            yield path
            continue
        try:
            logs = find_logs(path)
        except ReadError as problem:
            report.unread += 1
            on_problem(problem)
            continue
        if not logs:
            on_problem(ReadError(str(path), "there is no log in this folder"))
        yield from logs


@contextmanager
def _opened(path: Path | BinaryIO) -> Iterator[tuple[BinaryIO, str]]:
    if isinstance(path, Path):
        with open_log(path) as stream:
            yield stream, str(path)
    else:
        yield path, "standard input"


def _watched(
    lines: Iterable[Line],
    stream: BinaryIO,
    *,
    report: IngestReport,
    on_progress: Callable[[int], None],
) -> Iterator[Line]:
    told = 0
    for line in lines:
        report.lines += 1
        yield line
        if report.lines % _LINES_A_STEP == 0 and stream.seekable():
            on_progress(stream.tell() - told)
            told = stream.tell()
    if stream.seekable():
        on_progress(stream.tell() - told)
