"""A source: what a reader reads, whose first bytes tell its format."""

import gzip
import os
import zlib
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, Final, cast

from provdb.errors import ReadError
from provdb.readers.lines import printable, reason_of

__all__ = ["FIRST_BYTES", "Source"]

# What the claims of most formats are about.
FIRST_BYTES: Final = 16 * 2**10
_PART_BYTES: Final = 2**20
_GZIP_MAGIC: Final = b"\x1f\x8b"


class Source:
    """A stream of bytes, of which the first can be looked at before it is read.

    Attributes:
        name: What it is called in messages.
        path: Its path, or None for what is no file, such as standard input.
        stream: Its bytes from the first on, as they lie on the disk.
        line_count: Lines that its reader has read so far.
        is_growing: Whether more may be written to it, so that a last line without its
            end is no broken one.
        is_cut: Whether its reader has left such a line.
    """

    def __init__(self, stream: BinaryIO, *, path: Path | None = None) -> None:
        """Take a stream that nobody has read from yet."""
        self.name = "standard input" if path is None else printable(str(path))
        self.path = path
        self.line_count = 0
        self.is_growing = False
        self.is_cut = False
        self._replay = _Replay(stream)
        self.stream: BinaryIO = BufferedReader(self._replay)

    def first_bytes(self, size: int = FIRST_BYTES) -> bytes:
        """Return the first bytes, decompressed, without reading them off the stream.

        Args:
            size: How many bytes to look at, compressed ones at that.

        Raises:
            ReadError: They cannot be read.

        >>> from io import BytesIO
        >>> source = Source(BytesIO(b"SIMPLE  =                    T"))
        >>> source.first_bytes()[:6], source.stream.read(9)
        (b'SIMPLE', b'SIMPLE  =')
        """
        try:
            first = self._replay.first(size)
        except OSError as error:
            raise ReadError(self.name, reason_of(error)) from error
        if not first.startswith(_GZIP_MAGIC):
            return first
        try:
            return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(first, size)
        except zlib.error:
            return b""

    def read_all(self, most_bytes: int) -> bytes:
        """Return the whole content, decompressed.

        Args:
            most_bytes: The most that is read.

        Raises:
            ReadError: It is larger, damaged, or cannot be read.

        >>> from io import BytesIO
        >>> Source(BytesIO(b"{}")).read_all(100)
        b'{}'
        """
        stream = self.stream
        try:
            if self._replay.first(len(_GZIP_MAGIC)) == _GZIP_MAGIC:
                stream = cast(BinaryIO, gzip.GzipFile(fileobj=stream))
            parts: list[bytes] = []
            left = most_bytes + 1
            while left > 0 and (part := stream.read(min(left, _PART_BYTES))):
                parts.append(part)
                left -= len(part)
            content = b"".join(parts)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            reason = f"the compressed file is damaged: {error}"
            raise ReadError(self.name, reason) from error
        except OSError as error:
            raise ReadError(self.name, reason_of(error)) from error
        if len(content) > most_bytes:
            reason = f"it is larger than {most_bytes // 2**20} MiB"
            raise ReadError(self.name, reason)
        return content

    def location(self) -> str:
        """Return the path that names the file in every process.

        Raises:
            ReadError: It is no file, so it has none.
        """
        if self.path is None:
            reason = "such a file is known by its path: name the file itself"
            raise ReadError(self.name, reason)
        return os.path.abspath(self.path)


class _Replay(RawIOBase):
    """A stream whose first bytes can be looked at, and are read again."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._first = b""
        self._place = 0

    def first(self, size: int) -> bytes:
        """Return the first bytes; nothing may have been read yet."""
        while len(self._first) < size:
            more = self._stream.read(size - len(self._first))
            if not more:
                break
            self._first += more
        return self._first[:size]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # Any buffer.
        kept = self._first[self._place : self._place + len(buffer)]
        if kept:
            self._place += len(kept)
        else:
            kept = self._stream.read(len(buffer))
        buffer[: len(kept)] = kept
        return len(kept)
