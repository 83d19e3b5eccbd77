"""Put a file into the place of another one, whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from provdb.readers.folders import UNFINISHED

__all__ = ["replacing"]


@contextmanager
def replacing(path: Path, *, like: Path) -> Iterator[Path]:
    """Yield the path of a new file, which takes the place of another one at the end.

    It lies beside the other one, and is on the disk before it takes its place; the
    folder has either of them at any time. If anything goes wrong nothing is left of
    it. Only a process that is killed leaves it, under a name that readers pass over.

    Args:
        path: What is replaced, or where there is nothing yet. A link stays, and what
            it leads to is replaced.
        like: The file whose permissions, owner and attributes the new one gets.

    Raises:
        OSError: It cannot be written there.
    """
    place = Path(os.path.realpath(path))
    # A name has 255 bytes at most.
    name = os.fsdecode(os.fsencode(place.name)[:200])
    unfinished = place.with_name(f".{name}.{token_hex(4)}{UNFINISHED}")
    try:
        # Nobody may read it before its permissions are those of the other one.
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield unfinished
        _become_like(unfinished, like)
        _sync(unfinished)
        os.replace(unfinished, place)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
    with suppress(OSError):  # Some file systems know no folders on their disk.
        _sync(place.parent)


def _become_like(path: Path, other: Path) -> None:
    found = other.stat()
    with suppress(OSError):  # Only root gives files away.
        os.chown(path, found.st_uid, found.st_gid)
    shutil.copystat(other, path)
    # It was written now.
    os.utime(path)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
