"""The provenance that provdb wrote into an HDF5 file, as it lies there.

It is a data set of bytes, which every tool reads: h5py, PyTables, and HDF5's own. The
text of variable length that lstchain writes beside it is none that PyTables can read.
"""

from pathlib import Path
from typing import Any, Final

from provdb.errors import MissingExtra, ReadError
from provdb.readers.embedded import HDF5_NAME, LARGEST_BYTES, Embedded
from provdb.readers.lines import printable

__all__ = ["BEFORE", "FORMAT", "SIZE", "embedded_in", "h5py_library", "read", "wrong"]

FORMAT: Final = "format"
SIZE: Final = "file_size"
BEFORE: Final = "content_before"
_MOST_BEFORE: Final = 4096


def read(path: Path) -> Embedded | None:
    """Return what is embedded in a file, or None where nothing is.

    Raises:
        ReadError: It is no whole HDF5 file, or what is embedded is damaged.
        MissingExtra: h5py is not installed.
    """
    h5py = h5py_library()
    try:
        with h5py.File(path, "r", locking=False) as file:
            return embedded_in(h5py, file.id)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise wrong(path, error) from error


def embedded_in(h5py: Any, file: Any) -> Embedded | None:
    """Return what is embedded in a file, or None where nothing is.

    Args:
        h5py: The library.
        file: The id of the open file, or of its root.

    Raises:
        ValueError: What is there is not what provdb writes.
    """
    try:
        opened = h5py.h5o.open(file, HDF5_NAME.encode())
    except KeyError:
        return None
    if not isinstance(opened, h5py.h5d.DatasetID):
        raise ValueError("it is no data set")
    properties = opened.get_create_plist()
    is_elsewhere = properties.get_external_count() > 0
    if is_elsewhere or properties.get_layout() == h5py.h5d.VIRTUAL:
        raise ValueError("its values lie in another file, which is not read")
    if opened.dtype != "u1" or opened.rank != 1:
        raise ValueError("it is not made of bytes")
    if opened.shape[0] > LARGEST_BYTES:
        raise ValueError(
            f"it has {opened.shape[0]} bytes, which is too much for provenance"
        )
    dataset = h5py.Dataset(opened)
    return Embedded(
        text=dataset[()].tobytes(),
        before=_before(h5py, opened),
        file_size=_file_size(h5py, opened),
    )


def _before(h5py: Any, opened: Any) -> tuple[str, ...]:
    if not h5py.h5a.exists(opened, BEFORE.encode()):
        return ()
    attribute = h5py.h5a.open(opened, BEFORE.encode())
    if attribute.shape != () or attribute.get_storage_size() > _MOST_BEFORE:
        return ()
    value = h5py.Dataset(opened).attrs[BEFORE]
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else value
    return tuple(str(text).split())


def _file_size(h5py: Any, opened: Any) -> int | None:
    if not h5py.h5a.exists(opened, SIZE.encode()):
        return None
    attribute = h5py.h5a.open(opened, SIZE.encode())
    if attribute.shape != () or attribute.dtype != "i8":
        return None
    return int(h5py.Dataset(opened).attrs[SIZE])


def wrong(path: Path, error: Exception) -> ReadError:
    """Return what is said of a file that cannot be read."""
    return ReadError(printable(str(path)), f"it is no whole HDF5 file: {error}")


def h5py_library() -> Any:
    """Return the library, if it is installed.

    Raises:
        MissingExtra: It is not.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingExtra("h5py", extra="readers") from error
    return h5py
