"""Lines of text out of files, plain or compressed."""

import gzip
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, Final, cast

from provdb.errors import ReadError

__all__ = [
    "LONGEST_LINE_BYTES",
    "Line",
    "is_called_log",
    "open_log",
    "printable",
    "read_lines",
    "reason_of",
]

# The longest real line has 20 kB; a much longer one is no record, and is not kept.
# To read a literal takes 300 times its size of memory at worst.
LONGEST_LINE_BYTES: Final = 2 * 2**20
_GZIP_MAGIC: Final = b"\x1f\x8b"
_LOOK_BYTES: Final = 8192


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log.

    Attributes:
        source: Name of the file.
        number: Number of the line in it, from 1.
        text: The line without white space at its ends.
        is_complete: Whether the line has an end; only the last one may have none.
    """

    source: str
    number: int
    text: str
    is_complete: bool


@contextmanager
def open_log(path: Path) -> Iterator[BinaryIO]:
    """Open a file to read its bytes as they lie on the disk.

    Raises:
        ReadError: It cannot be opened.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise ReadError(printable(str(path)), reason_of(error)) from error
    with stream:
        yield stream


def is_called_log(path: Path) -> bool:
    """Say whether a file is called as logs are, also ``prov.log.2.gz``.

    >>> is_called_log(Path("prov.log.1")), is_called_log(Path("prov.pdf"))
    (True, False)
    """
    name = path.name.lower().removesuffix(".gz")
    stem, _, rotation = name.rpartition(".")
    if rotation.isdecimal():
        name = stem
    return name.endswith((".log", ".txt", ".jsonl"))


def printable(path: str) -> str:
    r"""Return a path for a message: in one line, whatever bytes are in it.

    >>> printable("/DL1/a\nb"), printable("/DL1/r\udce9sum\udce9")
    ('/DL1/a\\nb', '/DL1/r\\xe9sum\\xe9')
    """
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def reason_of(error: OSError | ValueError) -> str:
    """Say in a message why something cannot be read."""
    return f"it cannot be read: {getattr(error, 'strerror', None) or error}"


def read_lines(
    stream: BinaryIO, source: str, *, on_problem: Callable[[ReadError], None]
) -> Iterator[Line]:
    """Yield the lines of a stream of bytes, plain or compressed by gzip.

    Bytes that are no UTF-8 are read as the escapes that Python writes for them.

    Args:
        stream: The bytes.
        source: What the stream is called in messages.
        on_problem: Is told of lines that are too long, and of a damaged end.

    Raises:
        ReadError: The stream is no text, or damaged before its first line.
    """
    number = 0
    plain = _buffered(stream)
    try:
        text: BufferedReader | gzip.GzipFile = plain
        if plain.peek(_LOOK_BYTES).startswith(_GZIP_MAGIC):
            # Not buffered once more, which would lose what comes before a damage.
            text = gzip.GzipFile(fileobj=plain)
        if b"\0" in text.peek(_LOOK_BYTES):
            raise ReadError(source, "it is no text log, it holds binary data")
        while line := text.readline(LONGEST_LINE_BYTES + 1):
            number += 1
            if number == 1:
                line = line.removeprefix(BOM_UTF8)
            if len(line) > LONGEST_LINE_BYTES and not line.endswith(b"\n"):
                size = len(line) + _skip_line(text)
                reason = f"a line of {size} bytes is too long for a record"
                on_problem(ReadError(source, reason, line=number))
                continue
            yield Line(
                source,
                number,
                line.decode("utf-8", "backslashreplace").strip(),
                line.endswith(b"\n"),
            )
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        if number == 0:
            reason = f"the compressed file is damaged: {error}"
            raise ReadError(source, reason) from error
        reason = f"the compressed file is damaged after this line: {error}"
        on_problem(ReadError(source, reason, line=number))
    except OSError as error:
        raise ReadError(source, reason_of(error)) from error
    finally:
        if plain is not stream:
            plain.detach()  # Else the caller's stream would be closed with it.


def _buffered(stream: BinaryIO) -> BufferedReader:
    if isinstance(stream, BufferedReader):
        return stream
    return BufferedReader(cast("RawIOBase", stream))


def _skip_line(stream: BufferedReader | gzip.GzipFile) -> int:
    size = 0
    while rest := stream.readline(LONGEST_LINE_BYTES):
        size += len(rest)
        if rest.endswith(b"\n"):
            break
    return size
