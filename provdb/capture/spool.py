r"""Spool files: what was captured and may not be in the store yet, one file a process.

A line is one record with its id and a checksum of its text::

    {"id":"cp15-4711-20201122T211503123-17","crc":2583214201,"record":{…}}

``record`` is JSON: a mapping, or a text line of lstosa or logprov. What JSON cannot
hold stands under ``encoded`` instead, in the storable form of `provdb.model.encode`.
The first line names the store that the records are for, under ``store``.
A line is one ``write`` to the operating system, so it survives the death of the
process; `Spool.sync` brings the lines to the disk, to survive that of the machine.

A file is locked as long as its process lives: nobody else takes it for left behind.
"""

import errno
import fcntl
import os
import re
import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any, Final, NamedTuple

import orjson

from provdb.errors import RecordError
from provdb.model import decode

__all__ = [
    "ENCODED",
    "PLAIN",
    "SUFFIX",
    "Spool",
    "SpoolClosed",
    "SpoolFull",
    "SpoolLine",
    "SpoolName",
    "left_behind",
    "read_lines",
    "read_store",
    "read_value",
    "spool_line",
]

PLAIN: Final = b"record"
ENCODED: Final = b"encoded"
_STORE: Final = b"store"
SUFFIX: Final = ".jsonl"
_UNFINISHED: Final = ".new"

_FORM: Final = b'{"id":"%b","crc":%d,"%b":%b}\n'
_LINE: Final = re.compile(
    rb'\{"id":"([^"\\]{1,300})","crc":(\d{1,10}),"(store|record|encoded)":(.*)\}\n?',
    re.DOTALL,
)
_NAME: Final = re.compile(r"([^.]+)-(\d+(?:\+\d+)*)-(\d{8}T\d{9})")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_]")
_NO_LOCKS: Final = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)
_START: Final = "%Y%m%dT%H%M%S%f"
_READ_BYTES: Final = 2**20
_OWNER_ONLY: Final = 0o600
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
# A file with so many bytes that are done with is exchanged for one with the rest, if
# that is small enough to be moved while the pipeline waits.
_MOST_DONE_BYTES: Final = 2**26
_MOST_MOVED_BYTES: Final = 2**21


class SpoolFull(Exception):
    """The file has as many bytes as it may have."""


class SpoolClosed(Exception):
    """The file takes no more records."""


class SpoolName(NamedTuple):
    """Whose file it is, as its name says.

    Attributes:
        host: Name of the machine.
        pids: Id of the process, after those that it was forked from.
        start: When the process started to record, UTC.
    """

    host: str
    pids: tuple[int, ...]
    start: str

    @classmethod
    def of_process(cls, now: datetime, *, parents: tuple[int, ...] = ()) -> "SpoolName":
        """Return the name for this process.

        >>> from datetime import UTC
        >>> name = SpoolName.of_process(datetime(2020, 11, 22, tzinfo=UTC))
        >>> name.start
        '20201122T000000000'
        """
        host = _UNSAFE.sub("_", socket.gethostname()) or "unknown"
        return cls(host, (*parents, os.getpid()), _written(now))

    @classmethod
    def parse(cls, file_name: str) -> "SpoolName | None":
        """Read the name of a spool or of its dead letters, or return None.

        >>> SpoolName.parse("cp15-4711+4712-20201122T211503123.jsonl").pids
        (4711, 4712)
        """
        found = _NAME.fullmatch(file_name.partition(".")[0])
        if found is None:
            return None
        host, pids, start = found.groups()
        return cls(host, tuple(int(pid) for pid in pids.split("+")), start)

    def __str__(self) -> str:
        """Return the name as it stands before ``.jsonl``."""
        return f"{self.host}-{'+'.join(map(str, self.pids))}-{self.start}"


class SpoolLine(NamedTuple):
    """One line of a spool.

    Attributes:
        text: The line as it is.
        end: Where the next one starts in the file.
    """

    text: bytes
    end: int


class Spool:
    """The file that one process writes its records to.

    Attributes:
        path: Where it is.
    """

    def __init__(
        self, folder: Path, name: SpoolName, *, store: str, max_bytes: int
    ) -> None:
        """Make the file, locked and readable by its owner alone.

        Args:
            folder: Where to; it is made if it is missing.
            name: Whose file it is.
            store: URI of the store that the records are for, without any password.
            max_bytes: How large it may become.

        Raises:
            OSError: It cannot be made.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = _unused(folder, name)
        self.path = folder / f"{name}{SUFFIX}"
        self._max_bytes = max_bytes
        # Made once, as each record is written in the pipeline's own time.
        self._form = _FORM.replace(b"%b", f"{name}-%d".encode(), 1)
        self._count = 0
        self._size = self._head = 0
        self._is_synced = True
        self._is_closed = False
        # A signal may interrupt a record by another one.
        self._lock = RLock()
        # It gets its name when it is locked, so that nobody finds it without a lock.
        unlocked = self.path.with_suffix(_UNFINISHED)
        self._file = -1
        try:
            self._file = os.open(unlocked, _NEW_FILE, _OWNER_ONLY)
            with suppress(OSError):  # Not every file system has locks: left_behind.
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.append(_STORE, orjson.dumps(store))
            self._head = self._size
            unlocked.rename(self.path)
        except BaseException:
            if self._file >= 0:
                os.close(self._file)
            unlocked.unlink(missing_ok=True)
            raise

    def append(self, key: bytes, payload: bytes) -> None:
        """Write one record.

        Args:
            key: `PLAIN` or `ENCODED`.
            payload: The record as JSON of one line.

        Raises:
            SpoolClosed: The file was closed; nothing was written.
            SpoolFull: The file has reached its limit; nothing was written.
            OSError: The system could not write it; nothing was written.
        """
        checksum = zlib.crc32(payload)
        with self._lock:
            line = self._form % (self._count, checksum, key, payload)
            size = self._size + len(line)
            if size > self._max_bytes:
                raise SpoolClosed if self._is_closed else SpoolFull
            written = os.write(self._file, line)
            if written < len(line):
                self._write_rest(line, written)
            self._count += 1
            self._size = size
            self._is_synced = False

    def sync(self) -> None:
        """Bring what was written to the disk."""
        if not (self._is_synced or self._is_closed):
            self._is_synced = True
            os.fdatasync(self._file)

    @property
    def is_empty(self) -> bool:
        """Whether it holds no record."""
        return self._size == self._head

    def forget(self, end: int) -> int:
        """Take records out of the file, if few or none stand behind a position.

        Returns:
            Where the records stand that follow that position.
        """
        with self._lock:
            if self._is_closed:
                return end
            # A signal may have ended a call before it counted what it had written.
            self._size = os.fstat(self._file).st_size
            if self._size == end > self._head:
                os.ftruncate(self._file, self._head)
                self._size = self._head
                return self._head
            if (
                end - self._head >= min(_MOST_DONE_BYTES, self._max_bytes // 4)
                and self._size - end <= _MOST_MOVED_BYTES
            ):
                # Who logs all the time would never let it become empty.
                with suppress(OSError):
                    self._move(end)
                    return self._head
            return min(end, self._size)

    def close(self) -> bool:
        """Close the file, and say whether it could be removed, being empty."""
        with self._lock:
            if self._is_closed:
                return self.is_empty
            self._is_closed = True
            self._max_bytes = 0
            self._size = os.fstat(self._file).st_size
            if self.is_empty:
                self.path.unlink(missing_ok=True)
            os.close(self._file)
            return self.is_empty

    def abandon(self) -> None:
        """Let go of the file of the process that this one was forked from."""
        self._is_closed = True
        self._max_bytes = 0
        os.close(self._file)

    def _write_rest(self, line: bytes, written: int) -> None:
        """Write what the system did not take at once, or take the beginning back."""
        try:
            while written < len(line):
                written += os.write(self._file, line[written:])
        except OSError:  # The disk is full.
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)
            raise

    def _move(self, start: int) -> None:
        """Go on in a new file that holds what stands behind a position."""
        unfinished = self.path.with_suffix(_UNFINISHED)
        file = os.open(unfinished, _NEW_FILE, _OWNER_ONLY)
        try:
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with self.path.open("rb") as old:
                kept = old.read(self._head)
                old.seek(start)
                kept += old.read(self._size - start)
            if os.write(file, kept) != len(kept):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fdatasync(file)
            unfinished.rename(self.path)
        except BaseException:
            os.close(file)
            unfinished.unlink(missing_ok=True)
            raise
        self._file, old_file = file, self._file
        self._size = len(kept)
        os.close(old_file)


def spool_line(id_: bytes, key: bytes, payload: bytes) -> bytes:
    r"""Return the line that holds a record.

    >>> spool_line(b"cp15-1-0", PLAIN, b'{"run":1618}')
    b'{"id":"cp15-1-0","crc":3579097309,"record":{"run":1618}}\n'
    """
    return _FORM % (id_, zlib.crc32(payload), key, payload)


def read_lines(path: Path, *, start: int = 0) -> Iterator[SpoolLine]:
    """Yield the whole lines of a spool from a position on.

    A last line without an end is still being written, or was cut off with its
    process; it is left out.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        file.seek(start)
        end, rest = start, [b""]
        while block := file.read(_READ_BYTES):
            *whole, last = block.split(b"\n")
            for line in whole:
                text = b"".join([*rest, line])
                rest = []
                end += len(text) + 1
                if text:
                    yield SpoolLine(text, end)
            rest.append(last)


def read_store(path: Path) -> str | None:
    """Return the URI of the store that a spool is for, or None if it does not say.

    Raises:
        OSError: The file cannot be read.
    """
    for line in read_lines(path):
        found = _LINE.fullmatch(line.text)
        if found is None or found.group(3) != _STORE:
            return None
        return str(orjson.loads(found.group(4)))
    return None


def read_value(text: bytes) -> tuple[str, Any]:
    """Return the id and the value of a line, None for the line that names the store.

    Raises:
        RecordError: The line is not what was written.

    >>> read_value(b'{"id":"cp15-1-x-0","crc":3579097309,"record":{"run":1618}}')
    ('cp15-1-x-0', {'run': 1618})
    """
    found = _LINE.fullmatch(text)
    if found is None:
        raise RecordError("it is no line of a spool")
    id_, checksum, key, payload = found.groups()
    if zlib.crc32(payload) != int(checksum):
        raise RecordError("its checksum is wrong: it was damaged or changed")
    if key == _STORE:
        return id_.decode(), None
    try:
        value = orjson.loads(payload)
        return id_.decode(), decode(value) if key == ENCODED else value
    except ValueError as error:
        raise RecordError(f"it is no JSON: {error}") from error


@contextmanager
def left_behind(path: Path) -> Iterator[bool]:
    """Hold a spool in a block, and say whether the process that wrote it has ended.

    Its lock says so, for processes of any host; without locks, a process of this
    host is looked for, and that of another host counts as running.

    Raises:
        OSError: The file cannot be read.
    """
    # Network file systems lock only what can be written to.
    with path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            is_left = error.errno in _NO_LOCKS and _has_ended(path)
        else:
            is_left = os.fstat(file.fileno()).st_nlink > 0
        yield is_left


def _unused(folder: Path, name: SpoolName) -> SpoolName:
    """Return a name that no file has: one process can have two handlers."""
    while any((folder / f"{name}{end}").exists() for end in (SUFFIX, _UNFINISHED)):
        start = datetime.strptime(name.start, _START) + timedelta(milliseconds=1)
        name = name._replace(start=_written(start))
    return name


def _written(start: datetime) -> str:
    return start.strftime(_START)[:-3]


def _has_ended(path: Path) -> bool:
    name = SpoolName.parse(path.name)
    if name is None or name.host != SpoolName.of_process(datetime.min).host:
        return False
    try:
        os.kill(name.pids[-1], 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
