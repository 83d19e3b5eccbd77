"""Embed provenance in an HDF5 file: a data set of bytes below ``/provenance``.

The file is copied as it is, and the data set is added to the copy: nothing else in it
is read or written. It stands beside the activities that lstchain keeps there.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from provdb.embed.content import Content
from provdb.embed.reading import PIECE_BYTES, Reading
from provdb.model import format_time
from provdb.readers.embedded import HDF5_NAME, Embedded
from provdb.readers.embedded_hdf5 import BEFORE, FORMAT, SIZE, h5py_library, read, wrong

__all__ = ["claims", "is_up_to_date", "read", "write"]

_MAGIC: Final = b"\x89HDF\r\n\x1a\n"
_PLACES: Final = (0, 512, 1024, 2048, 4096, 8192)
_CHUNK_BYTES: Final = 2**20
_PACKING: Final = 6
# What HDF5 needs beside the text itself.
_ROOM_BYTES: Final = 2**20
_OF_HDF5: Final = (OSError, RuntimeError, KeyError, ValueError, TypeError)


def claims(path: Path) -> bool:
    """Say whether the first bytes of a file are those of HDF5."""
    with path.open("rb") as stream:
        first = stream.read(_PLACES[-1] + len(_MAGIC))
    return any(first.startswith(_MAGIC, place) for place in _PLACES)


def is_up_to_date(path: Path, embedded: Embedded, content: Content) -> bool:
    """Say whether what is embedded in a file is of a content."""
    return embedded.text == content.text


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
        ReadError: The file is no whole HDF5 file.
        MissingExtra: h5py is not installed.
        OSError: It cannot be written.
    """
    import numpy

    h5py = h5py_library()
    with target.open("wb") as out:
        while piece := reading.read(PIECE_BYTES):
            out.write(piece)
        out.flush()
        _find_room(out.fileno(), size_bytes=len(content.text) + _ROOM_BYTES)
    before = before or reading.finish()
    try:
        # Nobody else knows of the copy.
        with h5py.File(target, "r+", locking=False) as file:
            _embed(file, content, before=before, creator=creator, time=time)
        size = target.stat().st_size
        with h5py.File(target, "r+", locking=False) as file:
            # Written over what is there: nothing moves, and the size stays.
            attribute = h5py.h5a.open(file[HDF5_NAME].id, SIZE.encode())
            attribute.write(numpy.asarray(size, dtype="i8"))
    except OSError as error:
        if error.errno is not None:
            raise  # The disk is full, or the like.
        raise wrong(reading.path, error) from error
    except _OF_HDF5 as error:
        raise wrong(reading.path, error) from error
    return before


def _find_room(file: int, *, size_bytes: int) -> None:
    """See whether a file can grow, for HDF5 crashes where a disk takes no more.

    Raises:
        OSError: It cannot.
    """
    if not hasattr(os, "posix_fallocate"):  # macOS has none.
        return
    size = os.fstat(file).st_size
    os.posix_fallocate(file, size, size_bytes)
    os.ftruncate(file, size)


def _embed(
    file: Any,
    content: Content,
    *,
    before: tuple[str, ...],
    creator: str,
    time: datetime,
) -> None:
    import numpy

    if HDF5_NAME in file:
        del file[HDF5_NAME]
    text = numpy.frombuffer(content.text, dtype="u1")
    dataset = file.create_dataset(
        HDF5_NAME,
        data=text,
        chunks=(min(len(text), _CHUNK_BYTES),),
        compression="gzip",
        compression_opts=_PACKING,
    )
    said = {
        FORMAT: "PROV-JSON",
        "format_version": "1",
        "creator": creator,
        "date": format_time(time),
        BEFORE: " ".join(before),
    }
    for name, value in said.items():
        # As PyTables writes a text; one of variable length it cannot read.
        dataset.attrs[name] = numpy.bytes_(value.encode("ascii", "replace"))
    dataset.attrs[SIZE] = numpy.int64(0)
