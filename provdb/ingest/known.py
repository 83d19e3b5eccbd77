"""Which files were read already, asked of the store and told to it."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from provdb.errors import ReadError
from provdb.model import (
    FileState,
    ReadFile,
    read_files,
    reading_document,
    reading_id,
)
from provdb.model import fields as f
from provdb.readers.folders import FoundFile
from provdb.readers.formats import READERS_VERSION, Format
from provdb.store import Store

__all__ = ["KnownFiles", "UnchangedFiles"]

# Files looked up at once, and how long the first may wait for the last.
_FILES: Final = 4000
_WAIT_SECONDS: Final = 0.2
# A document in the store is about so many neighbours in a folder.
_FILES_A_PART: Final = 2000
_State = tuple[str, int, int]


@dataclass(slots=True)
class UnchangedFiles:
    """Files that need not be read, counted by their format; empty for none."""

    counts: dict[str, int] = field(default_factory=dict)


class KnownFiles:
    """What the store knows of files that were read.

    Several processes may read the same folder: what one of them knows of a file stays
    true, so the entries of all are joined.
    """

    def __init__(
        self,
        store: Store,
        *,
        told: Format | None,
        is_again: bool = False,
        is_named_known: bool = False,
    ) -> None:
        """Know nothing yet.

        Args:
            store: The store.
            told: What all files are, where somebody says so.
            is_again: Whether files are read that have not changed.
            is_named_known: Whether files that somebody named are looked up too.
        """
        self._store = store
        self._told = told
        self._is_again = is_again
        self._is_named_known = is_named_known
        self._readers = f"{READERS_VERSION} {store.zone}"
        # By the place of a folder, and by the document, both of the last look only.
        self._parts: dict[str, dict[_State, str]] = {}

    def without(
        self, found: Iterable[FoundFile | ReadError]
    ) -> Iterator[FoundFile | ReadError | UnchangedFiles]:
        """Yield what was found but for the files that are as they were when read.

        Raises:
            StoreUnavailable: The store does not answer.
        """
        if self._is_again:
            yield from found
            return
        for some in _some_at_once(found):
            yield from self._without(some)

    def remember(self, files: Iterable[tuple[FoundFile, FileState, str]]) -> None:
        """Tell the store which files were read, how they were, and of which format.

        All that they hold must be written.
        """
        parts: dict[tuple[str, int], dict[str, ReadFile]] = {}
        for file, state, format_name in files:
            part = (file.place.location, file.position // _FILES_A_PART)
            read = ReadFile(file.name, state, format_name)
            parts.setdefault(part, {})[file.name] = read
        documents = [
            reading_document(folder, part, read.values(), readers=self._readers)
            for (folder, part), read in parts.items()
        ]
        if documents:
            self._store.remember(documents)

    def _without(
        self, some: list[FoundFile | ReadError]
    ) -> Iterator[FoundFile | ReadError | UnchangedFiles]:
        ids = self._ids(some)
        self._look(ids)
        unchanged = UnchangedFiles()
        for found in some:
            if isinstance(found, FoundFile) and found.state is not None:
                state = (found.name, found.state.size, found.state.mtime_ns)
                is_asked = self._is_named_known or not found.is_named
                parts = ids.get(found.place.location, ()) if is_asked else ()
                known = [
                    self._parts[i][state] for i in parts if state in self._parts[i]
                ]
                if known and (self._told is None or self._told.name in known):
                    counts = unchanged.counts
                    counts[known[0]] = counts.get(known[0], 0) + 1
                    continue
            yield found
        if unchanged.counts:
            yield unchanged

    def _ids(self, some: list[FoundFile | ReadError]) -> dict[str, list[str]]:
        """Return the documents that may tell of files, by the place of their folder.

        A file that came or went before others has moved them all by one.
        """
        spans: dict[str, tuple[int, int, int]] = {}
        for found in some:
            if isinstance(found, ReadError) or found.state is None:
                continue
            if found.is_named and not self._is_named_known:
                continue
            part, most = found.position // _FILES_A_PART, found.place.file_count - 1
            first, last, _ = spans.get(found.place.location, (part, part, 0))
            span = (min(first, part), max(last, part), most // _FILES_A_PART)
            spans[found.place.location] = span
        return {
            location: [
                reading_id(location, part)
                for part in range(max(first - 1, 0), min(last + 1, most) + 1)
            ]
            for location, (first, last, most) in spans.items()
        }

    def _look(self, ids: dict[str, list[str]]) -> None:
        needed = {id_ for listed in ids.values() for id_ in listed}
        parts = {i: states for i, states in self._parts.items() if i in needed}
        unknown = needed.difference(parts)
        parts |= {id_: {} for id_ in unknown}
        for document in self._store.recall(unknown) if unknown else ():
            if document[f.READERS] == self._readers:
                parts[document[f.ID]] = {
                    (file.name, file.state.size, file.state.mtime_ns): file.format_name
                    for file in read_files(document)
                }
        self._parts = parts


def _some_at_once(
    found: Iterable[FoundFile | ReadError],
) -> Iterator[list[FoundFile | ReadError]]:
    some: list[FoundFile | ReadError] = []
    end = time.monotonic() + _WAIT_SECONDS
    for one in found:
        some.append(one)
        if len(some) >= _FILES or time.monotonic() > end:
            yield some
            some = []
            end = time.monotonic() + _WAIT_SECONDS
    if some:
        yield some
