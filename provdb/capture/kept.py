"""Which files a session has copied already: each version of a file is read once."""

import os
import time
from dataclasses import dataclass
from typing import Final

from provdb.capture.copies import copy_record
from provdb.errors import ReadError
from provdb.model import Record

__all__ = ["Copy", "KeptCopies"]

# A file that was just written may be written again without looking different.
_SETTLED_SECONDS: Final = 2.0
# Configuration files are few; whoever copies more pays for reading them again.
_MOST_FILES: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy of a file, as far as there is one.

    Attributes:
        digest: The sha256 of the content, or None for a file that is not copied.
        record: The record to be written, or None where it was written before.
    """

    digest: str | None
    record: Record | None


class KeptCopies:
    """The copies of one session."""

    def __init__(self) -> None:
        """Start with none."""
        self._digests: dict[tuple[str, int, int, int], str | None] = {}

    def take(self, path: str, *, session_tag: str) -> Copy:
        """Return the copy of a file as it is now.

        Args:
            path: The file; one that is not there, as in a dry execution, has none.
            session_tag: Tag of the session.

        Raises:
            ReadError: The file is there and cannot be read.
        """
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            return Copy(digest=None, record=None)
        version = (path, found.st_mtime_ns, found.st_size, found.st_ino)
        if version in self._digests:
            return Copy(digest=self._digests[version], record=None)
        try:
            record = copy_record(path, session_tag=session_tag)
        except ReadError:
            if not os.path.exists(path):
                return Copy(digest=None, record=None)
            raise
        digest = None if record is None else str(record["file_id"])
        if time.time() - found.st_mtime > _SETTLED_SECONDS:
            if len(self._digests) >= _MOST_FILES:
                self._digests.clear()
            self._digests[version] = digest
        return Copy(digest=digest, record=record)
