"""Walk over files and folders: what lies there, one after another and never as a list.

Files come in the order of their names, so that who reads them finds the same whatever
the disk answers first; what is wrong in a folder comes where it was met.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Final

from provdb.errors import ReadError
from provdb.model import FileState
from provdb.readers.lines import printable, reason_of

__all__ = ["UNFINISHED", "FoundFile", "Place", "walk_files"]

# How the name of a file ends that provdb writes beside another one, to take its place.
UNFINISHED: Final = ".provdb-unfinished"

# A device and a number on it: what a folder is, whatever it is called.
_Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in which files were found.

    Attributes:
        path: Its path, as it was come to.
        location: Its absolute path.
        file_count: How many files and folders are in it.
    """

    path: str
    location: str
    file_count: int


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that was found.

    Attributes:
        place: The folder it lies in.
        name: Its name there.
        position: Its place among all in the folder, by name.
        state: Its size and time; None of what is no plain file, or gone.
        is_named: Whether somebody named it, and no folder that it is in.
    """

    place: Place
    name: str
    position: int
    state: FileState | None
    is_named: bool

    @property
    def path(self) -> str:
        """Its path, as it was come to."""
        return os.path.join(self.place.path, self.name)


def walk_files(path: Path) -> Iterator[FoundFile | ReadError]:
    """Yield the files that a path means: itself, or all in a folder.

    In a folder these are the files at any depth. Pipes and devices in it are none, nor
    is what provdb began to write and was killed. A link to a folder that it lies in is
    not followed.

    Args:
        path: A file or a folder.

    Raises:
        ReadError: There is no such path, or it cannot be looked at.
    """
    try:
        about = path.stat()
        if S_ISDIR(about.st_mode):
            os.scandir(path).close()
    except (FileNotFoundError, NotADirectoryError) as error:
        reason = "there is no such file or folder"
        raise ReadError(printable(str(path)), reason) from error
    except (OSError, ValueError) as error:
        raise ReadError(printable(str(path)), reason_of(error)) from error
    if S_ISDIR(about.st_mode):
        # A file in it is called "prov.log" in messages, not "./prov.log".
        yield from _walk("" if str(path) == os.curdir else str(path))
        return
    yield FoundFile(_parent(path), path.name, 0, _state(about), is_named=True)


def _walk(root: str) -> Iterator[FoundFile | ReadError]:
    # Not by recursion: folders may be nested deeper than Python calls.
    folders = [_Open(root, above=frozenset())]
    while folders:
        folder = folders[-1]
        if not folder.is_open:
            problem = folder.open()
            if problem is not None:
                yield problem
        if not folder.entries:
            folders.pop()
            continue
        entry = folder.entries.pop()
        position = folder.place.file_count - len(folder.entries) - 1
        try:
            if entry.is_dir():
                above = folder.above | {folder.identity}
                path = os.path.join(folder.place.path, entry.name)
                folders.append(_Open(path, above=above))
                continue
            about = _about(entry)
        except OSError as error:
            path = os.path.join(folder.place.path, entry.name)
            yield ReadError(printable(path), reason_of(error))
            continue
        if entry.name.endswith(UNFINISHED):
            continue
        # What is no pipe and no device is told of when it cannot be opened.
        if about is None or S_ISREG(about.st_mode):
            state = None if about is None else _state(about)
            yield FoundFile(folder.place, entry.name, position, state, is_named=False)


class _Open:
    """A folder that is walked over, and what is left of it, the next one last."""

    def __init__(self, path: str, *, above: frozenset[_Identity]) -> None:
        self.place = Place(path, os.path.abspath(path), 0)
        self.above = above
        self.identity: _Identity = (0, 0)
        self.is_open = False
        self.entries: list[os.DirEntry[str]] = []

    def open(self) -> ReadError | None:
        """List what is in it, and return what is wrong with it if anything is."""
        self.is_open = True
        path = self.place.path
        try:
            about = os.stat(path or os.curdir)
            self.identity = (about.st_dev, about.st_ino)
            if self.identity in self.above:
                return None  # A link to a folder that holds it.
            with os.scandir(path or os.curdir) as entries:
                listed = sorted(entries, key=lambda e: e.name, reverse=True)
        except OSError as error:
            return ReadError(printable(path), reason_of(error))
        self.place = Place(path, self.place.location, len(listed))
        self.entries = listed
        return None


def _about(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat()
    except FileNotFoundError:
        return None


def _state(about: os.stat_result) -> FileState | None:
    if not S_ISREG(about.st_mode):
        return None
    return FileState(about.st_size, about.st_mtime_ns)


def _parent(path: Path) -> Place:
    parent = os.path.dirname(str(path))
    return Place(parent, os.path.abspath(parent), 1)
