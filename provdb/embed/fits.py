"""Embed provenance in a FITS file: lines of HISTORY, and an extension at its end.

What astropy writes is nothing but that extension. All other bytes are copied as they
are, in one pass and in pieces; of the first header only provdb's own lines, its
checksum and an EXTEND of F change. A file that is packed by gzip is packed again.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from provdb.embed.cards import (
    BLOCK_BYTES,
    CARD_BYTES,
    END,
    checksum_of,
    lines_in,
    padded,
    with_lines,
)
from provdb.embed.content import Content
from provdb.embed.reading import PIECE_BYTES, Reading
from provdb.model import format_time
from provdb.readers.embedded import FITS_NAME, Embedded
from provdb.readers.embedded_fits import (
    BEFORE,
    CHECKSUM_BEFORE,
    CLASS,
    COLUMN,
    SIZE,
    astropy_library,
    is_embedded,
    read,
    wrong,
)

__all__ = ["claims", "is_up_to_date", "read", "write"]

_GZIP: Final = b"\x1f\x8b"
_SIMPLE: Final = b"SIMPLE  ="
_EXTENSION: Final = b"XTENSION"
_MOST_HEADER_BYTES: Final = 16 * 2**20
_MOST_BEHIND_BYTES: Final = 64 * 2**20
# As gzip packs unless told.
_PACKING: Final = 6


def claims(path: Path) -> bool:
    """Say whether the first bytes of a file are those of FITS, packed or not."""
    with path.open("rb") as stream:
        first = stream.read(len(_SIMPLE))
        if not first.startswith(_GZIP):
            return first == _SIMPLE
        stream.seek(0)
        try:
            return gzip.GzipFile(fileobj=stream).read(len(_SIMPLE)) == _SIMPLE
        except (OSError, EOFError, zlib.error):
            return False


def is_up_to_date(path: Path, embedded: Embedded, content: Content) -> bool:
    """Say whether what is embedded in a file, and its lines, are of a content."""
    if embedded.text != content.text:
        return False
    with Reading(path) as reading, _unpacked(reading) as (stream, _):
        cards = _cards(_header(stream, path))
    return lines_in(cards) == list(content.lines)


def write(
    reading: Reading,
    target: Path,
    content: Content,
    *,
    before: tuple[str, ...],
    creator: str,
    time: datetime,
) -> tuple[str, ...]:
    """Write a file anew, with what is embedded in it.

    Args:
        reading: The file.
        target: What to write.
        content: What is to be embedded.
        before: Digests that the file had before anything was embedded, if something
            was.
        creator: Name and version of the program.
        time: When it is embedded.

    Returns:
        The digests that the file had before anything was embedded.

    Raises:
        ReadError: The file is no whole FITS file.
        MissingExtra: astropy is not installed.
        OSError: It cannot be written.
    """
    fits = astropy_library()
    path = reading.path
    with _unpacked(reading) as (stream, is_packed), target.open("wb") as raw:
        out = cast(BinaryIO, _packing(raw)) if is_packed else raw
        cards = _cards(_header(stream, path))
        checksum = checksum_of(cards)
        out.write(padded(with_lines(cards, content.lines)))
        _copy(stream, out, size=_data_bytes(fits, cards, path), path=path)
        while (block := stream.read(BLOCK_BYTES)).startswith(_EXTENSION):
            header = _header(stream, path, first=block)
            cards = _cards(header)
            size = _data_bytes(fits, cards, path)
            said = fits.Header.fromstring(b"".join(cards))
            if is_embedded(said):
                checksum = said.get(CHECKSUM_BEFORE)
                _copy(stream, None, size=size, path=path)
                continue
            out.write(header)
            _copy(stream, out, size=size, path=path)
        # Records of no extension stand behind all of them.
        behind = block + stream.read(_MOST_BEHIND_BYTES)
        if stream.read(1):
            raise wrong(path, "there is much behind its last extension")
        before = before or reading.finish()
        facts = (fits, content, before, checksum, creator, time)
        # A number takes as much room as any other one.
        file_size = out.tell() + len(_extension(*facts, file_size=0))
        out.write(_extension(*facts, file_size=file_size))
        out.write(behind)
        if is_packed:
            out.close()
    return before


def _header(stream: BinaryIO, path: Path, *, first: bytes = b"") -> bytes:
    """Return the next header, in whole blocks."""
    blocks = [first or stream.read(BLOCK_BYTES)]
    while not _ends(blocks[-1]):
        if len(blocks[-1]) < BLOCK_BYTES or len(blocks) * BLOCK_BYTES > (
            _MOST_HEADER_BYTES
        ):
            raise wrong(path, "a header has no end")
        blocks.append(stream.read(BLOCK_BYTES))
    return b"".join(blocks)


def _ends(block: bytes) -> bool:
    return len(block) == BLOCK_BYTES and END in _split(block)


def _split(content: bytes) -> list[bytes]:
    return [
        content[place : place + CARD_BYTES]
        for place in range(0, len(content), CARD_BYTES)
    ]


def _cards(header: bytes) -> list[bytes]:
    """Return the cards of a header, up to its end."""
    cards = _split(header)
    return cards[: cards.index(END)]


def _data_bytes(fits: Any, cards: list[bytes], path: Path) -> int:
    """Return how many bytes of data follow a header, in whole blocks."""
    header = fits.Header.fromstring(b"".join(cards))
    try:
        axes = [int(header[f"NAXIS{n + 1}"]) for n in range(int(header["NAXIS"]))]
        if not axes:
            return 0
        if axes[0] == 0 and header.get("GROUPS") is True:
            axes = axes[1:]
        count = 1
        for axis in axes:
            count *= axis
        count = int(header.get("GCOUNT", 1)) * (int(header.get("PCOUNT", 0)) + count)
        size = abs(int(header["BITPIX"])) // 8 * count
    except (KeyError, ValueError, TypeError) as error:
        raise wrong(
            path, f"a header does not say how large its data are: {error}"
        ) from error
    if size < 0:
        raise wrong(path, "the data of a header have a negative size")
    return size + -size % BLOCK_BYTES


def _copy(stream: BinaryIO, out: BinaryIO | None, *, size: int, path: Path) -> None:
    while size > 0:
        piece = stream.read(min(size, PIECE_BYTES))
        if not piece:
            raise wrong(path, "it is cut off")
        if out is not None:
            out.write(piece)
        size -= len(piece)


def _extension(
    fits: Any,
    content: Content,
    before: tuple[str, ...],
    checksum: str | None,
    creator: str,
    time: datetime,
    *,
    file_size: int,
) -> bytes:
    import numpy

    packed = gzip.compress(content.text, _PACKING, mtime=0)
    column = fits.Column(
        name=COLUMN, format="B", array=numpy.frombuffer(packed, dtype="u1")
    )
    table = fits.BinTableHDU.from_columns([column], name=FITS_NAME)
    table.header.update(
        {
            "HDUCLASS": (CLASS, "provenance written by provdb"),
            "HDUDOC": ("https://www.w3.org/TR/prov-dm/", "PROV-JSON, packed by gzip"),
            "HDUVERS": ("1", "version of this extension"),
            "CREATOR": (creator, "who wrote this extension"),
            "DATE": (format_time(time).rstrip("Z"), "when (UTC)"),
            SIZE: (file_size, "bytes up to the end of this, unpacked"),
        }
    )
    if before:
        table.header[BEFORE] = (" ".join(before), "file without this")
    if checksum is not None:
        table.header[CHECKSUM_BEFORE] = (checksum, "first header without HISTORY")
    table.add_checksum(when="of this extension")
    stream = BytesIO()
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(stream, output_verify="exception")
    return stream.getvalue()[BLOCK_BYTES:]


@contextmanager
def _unpacked(reading: Reading) -> Iterator[tuple[BinaryIO, bool]]:
    """Yield the content of a file, and whether it is packed by gzip."""
    with reading.path.open("rb") as stream:
        is_packed = stream.read(len(_GZIP)) == _GZIP
    try:
        if is_packed:
            unpacking = gzip.GzipFile(fileobj=reading.stream, mode="rb")
            yield cast(BinaryIO, unpacking), True
        else:
            yield reading.stream, False
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise wrong(reading.path, str(error)) from error


def _packing(raw: BinaryIO) -> gzip.GzipFile:
    # Without a name and a time: the same content makes the same file.
    return gzip.GzipFile(
        filename="", fileobj=raw, mode="wb", compresslevel=_PACKING, mtime=0
    )
