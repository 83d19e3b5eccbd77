"""A file that is read once, piece by piece, with its digests taken on the way."""

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self, cast

from provdb.errors import ReadError
from provdb.readers import printable

__all__ = ["PIECE_BYTES", "Reading"]

PIECE_BYTES: Final = 2**20


class Reading:
    """The bytes of a file, in their order.

    Attributes:
        path: The file.
        stream: What they are read from.
    """

    def __init__(
        self,
        path: Path,
        *,
        methods: Iterable[str] = (),
        on_read: Callable[[int], None] = lambda size_bytes: None,
    ) -> None:
        """Open a file.

        Args:
            path: The file.
            methods: Methods of the digests to take.
            on_read: Is told of each piece that was read, how many bytes it has.
        """
        self.path = path
        self._raw = path.open("rb", buffering=0)
        self._digests = {
            method: hashlib.new(method, usedforsecurity=False)
            for method in sorted(methods)
        }
        self._on_read = on_read
        self._before = _state(self._raw.fileno())
        self._count = 0
        self.stream = cast(BinaryIO, self)

    def __enter__(self) -> Self:
        """Return the file itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._raw.close()

    def read(self, size: int = PIECE_BYTES) -> bytes:
        """Return the next bytes: as many as asked for, unless it ends.

        Raises:
            ReadError: It grows while it is read.
        """
        parts: list[bytes] = []
        left = PIECE_BYTES if size < 0 else size
        while left > 0 and (part := self._raw.read(left)):
            parts.append(part)
            left -= len(part)
        piece = b"".join(parts)
        for digest in self._digests.values():
            digest.update(piece)
        self._on_read(len(piece))
        self._count += len(piece)
        if self._count > self._before[0]:
            raise self._changed()
        return piece

    def finish(self) -> tuple[str, ...]:
        """Read what is left, and return all digests, each as ``METHOD:DIGEST``.

        Raises:
            ReadError: Somebody wrote into the file meanwhile.
        """
        while self.read(PIECE_BYTES):
            pass
        if _state(self._raw.fileno()) != self._before:
            raise self._changed()
        return tuple(f"{name}:{one.hexdigest()}" for name, one in self._digests.items())

    def _changed(self) -> ReadError:
        reason = "it was written to while it was read; try again"
        return ReadError(printable(str(self.path)), reason)


def _state(file: int) -> tuple[int, int]:
    found = os.fstat(file)
    return found.st_size, found.st_mtime_ns
