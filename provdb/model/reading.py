"""Which files of a folder were read, and how large and how old they were then.

Each entry is a fact that stays true as long as the store is kept: a file of this name,
size and time was read, and what it holds is stored. So documents of several processes
join by having the entries of both. They are no provenance, and no question is asked of
them but that of the next walk over the folder.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from provdb.model import fields as f
from provdb.model.values import is_plain_text

__all__ = [
    "MOST_FILES",
    "FileState",
    "ReadFile",
    "merge_readings",
    "read_files",
    "reading_document",
    "reading_id",
]

READING_VERSION: Final = 1
# Of long names they take some megabytes, and a server takes 16 in a document.
MOST_FILES: Final = 10_000
_COLUMNS: Final = (f.NAMES, f.SIZES, f.TIMES, f.FORMATS)


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells whether a file has changed.

    Attributes:
        size: Its size in bytes.
        mtime_ns: When it was changed, in nanoseconds.
    """

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was read.

    Attributes:
        name: Its name in its folder.
        state: How it was.
        format_name: The format it was read as, empty for none that is known.
    """

    name: str
    state: FileState
    format_name: str


def reading_id(folder: str, part: int) -> str:
    """Return the id of the document about a part of the files of a folder.

    >>> reading_id("/DL1/20200117", 0)
    '925d4d8684db3bf12dc4df1a2f689b6d/0'
    """
    written = folder.encode("utf-8", "surrogateescape")
    digest = hashlib.md5(written, usedforsecurity=False).hexdigest()
    return f"{digest}/{part}"


def reading_document(
    folder: str, part: int, files: Iterable[ReadFile], *, readers: str
) -> dict[str, Any]:
    """Return the document about files of a folder.

    Args:
        folder: Its absolute path.
        part: The part of the folder that they are in.
        files: The files; one whose name no store holds is left out.
        readers: What read them: what another one made of them is another thing.
    """
    listed = [file for file in files if is_plain_text(file.name)]
    return _document(reading_id(folder, part), readers, listed)


def read_files(document: dict[str, Any]) -> Iterator[ReadFile]:
    """Yield the files that a document is about."""
    for name, size, time, format_name in zip(
        *(document[column] for column in _COLUMNS), strict=True
    ):
        yield ReadFile(name, FileState(size, time), format_name)


def merge_readings(stored: dict[str, Any], arriving: dict[str, Any]) -> dict[str, Any]:
    """Return the document with the files of both, as they were read last.

    >>> files = [ReadFile("prov.log", FileState(10, 5), "lstosa")]
    >>> stored = reading_document("/DL1", 0, files, readers="1 UTC")
    >>> other = reading_document("/DL1", 0, files, readers="2 UTC")
    >>> merge_readings(stored, stored) == stored
    True
    >>> merge_readings(stored, other) == other
    True
    """
    if stored[f.READERS] != arriving[f.READERS]:
        return arriving
    known = {file.name: file for file in read_files(stored)}
    known |= {file.name: file for file in read_files(arriving)}
    files = list(known.values())
    if len(files) > MOST_FILES:
        # Who is left out is read again; likely those are not there any more.
        files = sorted(files, key=_age)[-MOST_FILES:]
    return _document(stored[f.ID], stored[f.READERS], files)


def _document(id_: str, readers: str, files: Iterable[ReadFile]) -> dict[str, Any]:
    listed = sorted(files, key=lambda file: file.name)
    return {
        f.ID: id_,
        f.SCHEMA_VERSION: READING_VERSION,
        f.READERS: readers,
        f.NAMES: [file.name for file in listed],
        f.SIZES: [file.state.size for file in listed],
        f.TIMES: [file.state.mtime_ns for file in listed],
        f.FORMATS: [file.format_name for file in listed],
    }


def _age(file: ReadFile) -> tuple[int, str]:
    return file.state.mtime_ns, file.name
