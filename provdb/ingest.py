"""Read files into a store: what was read, what was new, and what could not be read.

Every input is read to its end, whatever is wrong in it, and what is good is stored.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from provdb.errors import ReadError, RecordError
from provdb.model import Folder
from provdb.readers import Source, find_files, open_log, printable
from provdb.readers.formats import FORMATS, Format, find_format
from provdb.readers.guard import end_guards
from provdb.store import Store, WriteCounts

__all__ = ["FormatCounts", "IngestReport", "ingest", "total_bytes"]

# Records folded before they are written: some hundred megabytes of memory at most.
_RECORDS_A_WRITE: Final = 200_000
_RECORDS_A_STEP: Final = 500


@dataclass(slots=True, kw_only=True)
class FormatCounts:
    """What became of the inputs of one format.

    Attributes:
        inputs: Files read.
        records: Records in them, repeated ones too.
        skipped: Parts of them that should hold a record and do not.
        unread: Files that could not be read at all.
    """

    inputs: int = 0
    records: int = 0
    skipped: int = 0
    unread: int = 0


@dataclass(slots=True, kw_only=True)
class IngestReport:
    """What became of the inputs.

    Attributes:
        inputs: Files read, standard input among them.
        others: Files in folders whose format is none that is known.
        lines: Lines of logs that were read.
        records: Records in all inputs, repeated ones too.
        foreign: Lines that are no provenance, such as warnings between the records.
        skipped: Lines, or parts of other files, that should hold a record and do not.
        unread: Inputs that could not be read at all.
        formats: What became of the inputs, by the name of their format.
        written: What became of the documents, by collection.
    """

    inputs: int = 0
    others: int = 0
    lines: int = 0
    records: int = 0
    foreign: int = 0
    skipped: int = 0
    unread: int = 0
    formats: dict[str, FormatCounts] = field(default_factory=dict)
    written: dict[str, WriteCounts] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as it stands in JSON."""
        return {
            "inputs": self.inputs,
            "others": self.others,
            "unread": self.unread,
            "lines": self.lines,
            "records": self.records,
            "foreign": self.foreign,
            "skipped": self.skipped,
            "formats": {
                name: asdict(self.formats[name]) for name in sorted(self.formats)
            },
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
    format: Format | None = None,
    on_problem: Callable[[ReadError], None] = lambda problem: None,
    on_progress: Callable[[int], None] = lambda size_bytes: None,
) -> IngestReport:
    """Store the provenance in files, and say what became of them.

    The same file may be read again, in pieces or together with others: the store
    stays as it is.

    Args:
        store: Where the documents go.
        paths: Files, folders, or streams of bytes such as standard input.
        format: What all of them are, or None to find it out of each one's content.
        on_problem: Is told of each part and each input that could not be read.
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
    reading = _Reading(store, told=format, on_problem=on_problem)
    try:
        for path in paths:
            if not isinstance(path, Path):
                reading.read(Source(path), path, on_progress=on_progress)
                continue
            for file, is_named in reading.files(path):
                reading.read_file(file, is_named=is_named, on_progress=on_progress)
    finally:
        end_guards()
    return reading.end()


def total_bytes(paths: Iterable[Path | BinaryIO]) -> int | None:
    """Return how many bytes the files of paths have, or None where that is unknown."""
    total = 0
    for path in paths:
        if not isinstance(path, Path):
            return None
        try:
            files = find_files(path, on_problem=lambda problem: None)
        except ReadError:
            continue  # It is reported when it is read.
        total += sum(map(_size_of, files))
    return total


class _Reading:
    """Files that are read one after another, and the records that are not written."""

    def __init__(
        self,
        store: Store,
        *,
        told: Format | None,
        on_problem: Callable[[ReadError], None],
    ) -> None:
        self._store = store
        self._told = told
        self._on_problem = on_problem
        self._report = IngestReport()
        self._folder = Folder(zone=store.zone)
        self._pending = 0

    def files(self, path: Path) -> Iterator[tuple[Path, bool]]:
        """Yield the files of a path, and whether it is the path itself."""
        try:
            files = find_files(path, on_problem=self._cannot_read)
        except ReadError as problem:
            self._cannot_read(problem)
            return
        before = self._report.inputs + self._report.unread
        for file in files:
            yield file, file == path
        if self._report.inputs + self._report.unread == before:
            reason = "there is no file with provenance in this folder"
            self._on_problem(ReadError(printable(str(path)), reason))

    def read_file(
        self, path: Path, *, is_named: bool, on_progress: Callable[[int], None]
    ) -> None:
        """Read a file; one in a folder may be no provenance at all."""
        try:
            with open_log(path) as stream:
                source = Source(stream, path=path)
                self.read(source, stream, is_named=is_named, on_progress=on_progress)
        except ReadError as problem:
            self._cannot_read(problem)

    def read(
        self,
        source: Source,
        stream: BinaryIO,
        *,
        is_named: bool = True,
        on_progress: Callable[[int], None],
    ) -> None:
        """Read a source to its end, whatever is wrong in it."""
        counts: FormatCounts | None = None
        try:
            found = self._told or find_format(source, is_named=is_named)
            if found is None:
                if not is_named:
                    self._report.others += 1
                    return
                known = ", ".join(one.name for one in FORMATS)
                reason = f"it is in none of the formats that are known: {known}"
                raise ReadError(source.name, reason)
            counts = self._report.formats.setdefault(found.name, FormatCounts())
            with _watched(stream, on_progress) as step:
                self._read_as(found, source, counts, is_named=is_named, step=step)
        except ReadError as problem:
            if counts is not None:
                counts.unread += 1
            self._cannot_read(problem)

    def end(self) -> IngestReport:
        """Write what is left, and return what became of everything."""
        self._write()
        return self._report

    def _read_as(
        self,
        found: Format,
        source: Source,
        counts: FormatCounts,
        *,
        is_named: bool,
        step: Callable[[], None],
    ) -> None:
        skipped = records = 0

        def skip(problem: ReadError) -> None:
            nonlocal skipped
            skipped += 1
            self._on_problem(problem)

        try:
            for line, record in found.read(source, skip):
                try:
                    self._folder.add(record)
                except RecordError as error:
                    skip(ReadError(source.name, error.reason, line=line))
                    continue
                records += 1
                self._pending += 1
                if self._pending >= _RECORDS_A_WRITE:
                    self._write()
                if records % _RECORDS_A_STEP == 0:
                    step()
        finally:
            report = self._report
            counts.records += records
            counts.skipped += skipped
            report.records += records
            report.skipped += skipped
            report.lines += source.line_count
            report.foreign += max(source.line_count - records - skipped, 0)
        counts.inputs += 1
        self._report.inputs += 1
        if not records and is_named:
            self._on_problem(ReadError(source.name, "it holds no provenance record"))

    def _write(self) -> None:
        self._report._add(self._store.write(self._folder.take()))
        self._pending = 0

    def _cannot_read(self, problem: ReadError) -> None:
        self._report.unread += 1
        self._on_problem(problem)


@contextmanager
def _watched(
    stream: BinaryIO, on_progress: Callable[[int], None]
) -> Iterator[Callable[[], None]]:
    """Give a function that tells how much more of a stream was read."""
    told = 0

    def step() -> None:
        nonlocal told
        if stream.seekable():
            place = stream.tell()
            on_progress(place - told)
            told = place

    yield step
    step()


def _size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
