"""Files that may be written to just now, where folders are watched.

A file that changes while it is read may be half a file: what is wrong with it is told
only when it is left alone. What cannot be read is tried again when it has changed.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from provdb.errors import ReadError
from provdb.ingest.inputs import Input
from provdb.model import FileState, is_plain_text
from provdb.readers.folders import FoundFile

__all__ = ["UnsettledFiles"]

# Who writes to a file for hours does so more often.
_QUIET_SECONDS: Final = 60.0


class UnsettledFiles:
    """What is known of files that the store cannot remember, from pass to pass."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        """Know of no file.

        Args:
            now: Returns the time.
        """
        self._now = now
        # Files that are not read again as they are, by their paths, in the last pass
        # and in this one: those that are gone are forgotten.
        self._before: dict[str, FileState | None] = {}
        self._done: dict[str, FileState | None] = {}

    def begin_pass(self) -> None:
        """Go over all files once more."""
        self._before, self._done = self._done, {}

    def give_up_pass(self) -> None:
        """Know what was known before, as not all that was read is written."""
        self._done = self._before

    def without(self, items: Iterable[Input]) -> Iterator[Input]:
        """Yield inputs but for those that would be read, or told, in vain."""
        for item in items:
            if isinstance(item, ReadError):
                self._done[item.source] = None
                if item.source in self._before:
                    continue
            if isinstance(item, FoundFile) and self._before:
                path = item.path
                if path in self._before and self._before[path] == item.state:
                    self._done[path] = item.state
                    continue
            yield item

    def may_grow(self, file: FoundFile) -> bool:
        """Say whether more may be written to a file."""
        if file.state is None:
            return False
        return self._now() - file.state.mtime_ns / 1e9 < _QUIET_SECONDS

    def is_read(self, file: FoundFile) -> None:
        """Take note of a file that was read."""
        if not is_plain_text(file.name):
            self._done[file.path] = file.state

    def is_told(self, file: FoundFile) -> bool:
        """Say whether to tell that a file cannot be read; it may be half a file."""
        if self.may_grow(file) or not os.path.lexists(file.path):
            return False
        self._done[file.path] = file.state
        return True
