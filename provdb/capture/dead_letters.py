"""Dead letters: what no store takes, kept whole beside the spool with the reason.

A line of ``NAME.dead.jsonl`` is the line of the spool with a ``reason`` in place of
its checksum, so that it can be mended by hand and replayed::

    {"id":"cp15-4711-20201122T211503123-17","reason":"…","record":{…}}

Of a damaged line the text is kept under ``damaged``; it is mended by writing the
``record`` that it was.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import orjson

from provdb.capture.spool import ENCODED, PLAIN, read_lines, read_value, spool_line
from provdb.errors import RecordError

__all__ = ["DEAD_SUFFIX", "DeadLetters"]

DEAD_SUFFIX: Final = ".dead.jsonl"
_MENDED_SUFFIX: Final = ".mended.jsonl"
_OWNER_ONLY: Final = 0o600
_KEYS: Final = (PLAIN, ENCODED)


class DeadLetters:
    """The dead letters of one spool.

    Attributes:
        path: Their file, which is there only if there are any.
    """

    def __init__(self, spool: Path) -> None:
        """Name the file after the spool's."""
        self._known: set[bytes] | None = None
        self._stem = spool.name.partition(".")[0]
        self.path = spool.with_name(self._stem + DEAD_SUFFIX)

    def add(self, text: bytes, *, reason: str) -> bool:
        """Keep a line of the spool, and say whether it was not kept yet.

        It is on the disk when this returns.

        Raises:
            OSError: It cannot be written.
        """
        letter = _dead_line(text, reason=reason)
        with _locked(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as file:
            if self._known is None:
                self._known = {_digest(line.text) for line in read_lines(self.path)}
            digest = _digest(letter.rstrip(b"\n"))
            if digest in self._known:
                return False
            os.write(file, letter)
            os.fsync(file)
            self._known.add(digest)
            return True

    def count(self) -> int:
        """Return how many there are.

        Raises:
            OSError: They cannot be read.
        """
        return sum(1 for _ in read_lines(self.path)) if self.path.exists() else 0

    def exhume(self) -> Path | None:
        """Make a spool of them, to be delivered again; None if there are none.

        What cannot be delivered then becomes a dead letter again.

        Raises:
            OSError: The files cannot be read or written.
        """
        if not self.path.exists():
            return None
        spool = self.path.with_name(self._stem + _MENDED_SUFFIX)
        with _locked(self.path, os.O_RDWR):
            if spool.exists():  # The store was away when they were exhumed before.
                return spool
            unfinished = spool.with_suffix(".new")
            with open(
                unfinished,
                "wb",
                opener=lambda path, flags: os.open(path, flags, _OWNER_ONLY),
            ) as file:
                for line in read_lines(self.path):
                    file.write(_spool_line(line.text))
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(spool)
            self.path.unlink()
        return spool


@contextmanager
def _locked(path: Path, flags: int) -> Iterator[int]:
    """Open a file that several processes add to and one takes away."""
    while True:
        file = os.open(path, flags, _OWNER_ONLY)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file).st_nlink:
                yield file
                return
        finally:
            os.close(file)


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()


def _dead_line(text: bytes, *, reason: str) -> bytes:
    about = orjson.dumps(reason)
    try:
        id_, _ = read_value(text)
    except RecordError:
        damaged = orjson.dumps(text.decode("utf-8", "backslashreplace"))
        return b'{"reason":%b,"damaged":%b}\n' % (about, damaged)
    _, _, rest = text.rstrip(b"\n").partition(b',"crc":')
    _, _, value = rest.partition(b",")
    return b'{"id":"%b","reason":%b,%b\n' % (id_.encode(), about, value)


def _spool_line(text: bytes) -> bytes:
    """Return a dead letter as a line of a spool; what is none stays what it is."""
    try:
        letter: Any = orjson.loads(text)
    except ValueError:
        return text + b"\n"
    if isinstance(letter, dict):
        id_ = str(letter.get("id", "mended")).encode()
        for key in _KEYS:
            if key.decode() in letter:
                return spool_line(id_, key, orjson.dumps(letter[key.decode()]))
        if isinstance(damaged := letter.get("damaged"), str):
            return damaged.encode() + b"\n"
    return text + b"\n"
