"""Take inputs one after another, and write what they hold.

What is written is the same however many processes read: the records of all files come
here in the order of the files.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from provdb.errors import ReadError, RecordError
from provdb.ingest.inputs import EndOfPath, Input, Stream
from provdb.ingest.known import KnownFiles, UnchangedFiles
from provdb.ingest.places import Places
from provdb.ingest.progress import Progress
from provdb.ingest.report import IngestReport
from provdb.ingest.unsettled import UnsettledFiles
from provdb.model import FileState, Folder, Record, decode
from provdb.readers import Source, open_log, printable
from provdb.readers.folders import FoundFile
from provdb.readers.formats import FORMATS, Format, find_format
from provdb.readers.settled import Settled
from provdb.store import Store

__all__ = ["Reading"]

# Records folded before they are written: some hundred megabytes of memory at most; and
# files, for what was read of these is lost when somebody interrupts the reading.
_RECORDS_A_WRITE: Final = 200_000
_BYTES_A_WRITE: Final = 64 * 2**20
_FILES_A_WRITE: Final = 500
# What a folder remembers of activities, for the files that follow, is bounded.
_RECORDS_A_FOLDER: Final = 2_000_000
_RECORDS_A_STEP: Final = 500
# What another process read of a file.
Answer = dict[str, Any]
OnProblem = Callable[[ReadError], None]


class Reading:
    """Inputs that are read one after another, and the records that are not written.

    Attributes:
        progress: How far the reading is.
    """

    def __init__(
        self,
        store: Store,
        report: IngestReport,
        *,
        told: Format | None,
        on_problem: OnProblem,
        on_progress: Callable[[Progress], None] | None,
        unsettled: UnsettledFiles | None,
    ) -> None:
        """Begin with nothing.

        Args:
            store: Where the documents go.
            report: What is counted in.
            told: What all inputs are, or None.
            on_problem: Is told of what could not be read.
            on_progress: Is told how far the reading is.
            unsettled: Knows the files that may be written to just now, or None.
        """
        self.progress = Progress()
        self._store = store
        self._report = report
        self._told = told
        self._on_problem = on_problem
        self._on_progress = on_progress
        self._unsettled = unsettled
        self._known = KnownFiles(store, told=told)
        self._folder = Folder(zone=store.zone)
        self._folded = 0
        self._found = 0
        # What is folded and not written, and the files that it is of.
        self._pending_records = 0
        self._pending_bytes = 0
        self._pending_count = 0
        self._pending_files: list[tuple[FoundFile, FileState, str]] = []

    def take(self, item: Input, answer: Answer | None) -> None:
        """Read an input, or take what another process read of it."""
        if isinstance(item, FoundFile):
            if answer is None or answer.get("is_left"):
                self._read_file(item)
            else:
                self._take_answer(item, answer)
            self.progress.files += 1
            self._pending_count += 1
            self._step()
            self._write_if_due()
        elif isinstance(item, Stream):
            self._read_stream(item.stream)
        elif isinstance(item, UnchangedFiles):
            self._count_unchanged(item)
        elif isinstance(item, ReadError):
            self._cannot_read(item)
        else:
            self._end_path(item)

    def end(self) -> None:
        """Write what is left."""
        self._write()

    def _read_stream(self, stream: BinaryIO) -> None:
        try:
            self._read(Source(stream), stream)
        except ReadError as problem:
            self._cannot_read(problem)

    def _read_file(self, file: FoundFile) -> None:
        path = Path(file.path)
        try:
            with open_log(path) as stream:
                settled = Settled(stream)
                source = Source(stream, path=path)
                unsettled = self._unsettled
                source.is_growing = unsettled is not None and unsettled.may_grow(file)
                format_name = self._read(source, stream, is_named=file.is_named)
        except ReadError as problem:
            self._cannot_read(problem, file)
            return
        if not source.is_cut:
            self._is_read(file, settled.state(), format_name)

    def _take_answer(self, file: FoundFile, answer: Answer) -> None:
        name, format_name = printable(file.path), answer.get("format")
        if "unread" in answer:
            if format_name:
                self._report.of_format(format_name).unread += 1
            self._cannot_read(ReadError(name, answer["unread"]), file)
            return
        if format_name:
            self._take_records(
                name,
                format_name,
                lambda skip: _answered(answer, name, skip),
                line_count=lambda: answer["line_count"],
                is_named=file.is_named,
                step=lambda: None,
            )
        else:
            self._report.others += 1
        self._pending_bytes += answer["size_bytes"]
        self.progress.size_bytes += 0 if file.state is None else file.state.size
        self._is_read(file, answer["state"], format_name or "")

    def _is_read(
        self, file: FoundFile, state: tuple[int, int] | None, format_name: str
    ) -> None:
        """Have a file remembered once what it holds is written."""
        if state is None or file.state is None:
            return
        if self._unsettled is not None:
            self._unsettled.is_read(file)
        elif file.is_named:
            return  # It is read whenever it is named.
        self._pending_files.append((file, FileState(*state), format_name))

    def _read(self, source: Source, stream: BinaryIO, *, is_named: bool = True) -> str:
        """Read a source to its end, whatever is wrong in it.

        Returns:
            The name of its format, empty if it is none that is known.

        Raises:
            ReadError: It cannot be read.
        """
        found = self._told or find_format(source, is_named=is_named)
        if found is None:
            if not is_named:
                self._report.others += 1
                return ""
            known = ", ".join(one.name for one in FORMATS)
            reason = f"it is in none of the formats that are known: {known}"
            raise ReadError(source.name, reason)
        try:
            with self._watched(stream) as step:
                self._take_records(
                    source.name,
                    found.name,
                    lambda skip: found.read(source, skip),
                    line_count=lambda: source.line_count,
                    is_named=is_named,
                    step=step,
                )
        except ReadError:
            self._report.of_format(found.name).unread += 1
            raise
        return found.name

    def _take_records(
        self,
        name: str,
        format_name: str,
        read: Callable[[OnProblem], Iterable[tuple[int | None, Record]]],
        *,
        line_count: Callable[[], int],
        is_named: bool,
        step: Callable[[], None],
    ) -> None:
        skipped = records = 0

        def skip(problem: ReadError) -> None:
            nonlocal skipped
            skipped += 1
            self._on_problem(problem)

        counts, report = self._report.of_format(format_name), self._report
        try:
            places = Places()
            for line, record in read(skip):
                try:
                    source = None if line is None else places.source_of(record)
                    self._folder.add(record, source=source, place=line or 0)
                except RecordError as error:
                    skip(ReadError(name, error.reason, line=line))
                    continue
                records += 1
                self._folded += 1
                self._pending_records += 1
                if self._pending_records >= _RECORDS_A_WRITE:
                    self._write()
                if records % _RECORDS_A_STEP == 0:
                    step()
        finally:
            counts.records += records
            counts.skipped += skipped
            report.records += records
            report.skipped += skipped
            report.lines += line_count()
            report.foreign += max(line_count() - records - skipped, 0)
        counts.inputs += 1
        report.inputs += 1
        if not records and is_named:
            self._on_problem(ReadError(name, "it holds no provenance record"))

    def _count_unchanged(self, unchanged: UnchangedFiles) -> None:
        for format_name, count in unchanged.counts.items():
            if not format_name:
                self._report.others += count
                continue
            self._report.unchanged += count
            self._report.of_format(format_name).unchanged += count

    def _end_path(self, end: EndOfPath) -> None:
        """Say so of a folder in which nothing is."""
        report = self._report
        found = report.inputs + report.unread + report.unchanged
        if found == self._found and self._unsettled is None:
            reason = "there is no file with provenance in this folder"
            self._on_problem(ReadError(printable(str(end.path)), reason))
        self._found = found

    def _write_if_due(self) -> None:
        is_large = self._pending_bytes >= _BYTES_A_WRITE
        is_many = self._pending_count >= _FILES_A_WRITE
        is_full = self._folded >= _RECORDS_A_FOLDER
        if is_large or is_many or is_full:
            self._write()
        if is_full:
            self._folder, self._folded = Folder(zone=self._store.zone), 0

    def _write(self) -> None:
        """Write what was read, and only then that it was."""
        self._report.add_written(self._store.write(self._folder.take()))
        files, self._pending_files = self._pending_files, []
        self._known.remember(files)
        self._pending_records = self._pending_bytes = self._pending_count = 0

    def _cannot_read(self, problem: ReadError, file: FoundFile | None = None) -> None:
        unsettled = self._unsettled
        if file is not None and unsettled is not None and not unsettled.is_told(file):
            return
        self._report.unread += 1
        self._on_problem(problem)

    @contextmanager
    def _watched(self, stream: BinaryIO) -> Iterator[Callable[[], None]]:
        """Give a function that tells how much more of a stream was read."""
        told = 0

        def step() -> None:
            nonlocal told
            if stream.seekable():
                place = stream.tell()
                self.progress.size_bytes += place - told
                told = place
                self._step()

        yield step
        step()

    def _step(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.progress)


def _answered(
    answer: Answer, name: str, skip: OnProblem
) -> Iterator[tuple[int | None, Record]]:
    """Yield the records of an answer, once its problems are told."""
    for reason, line in answer["problems"]:
        skip(ReadError(name, reason, line=line))
    for line, record in answer["records"]:
        yield line, decode(record)
