"""Which files a session has copied already: each version of a file is read once."""

import os
import time
from typing import Final

from provdb.errors import ReadError
from provdb.model import Record
from provdb.secrets.copies import copy_record

__all__ = ["KeptCopies"]

# A file that was just written may be written again without looking different.
_SETTLED_SECONDS: Final = 2.0
# Configuration files are few; whoever copies more pays for reading them again.
_MOST_FILES: Final = 1000


class KeptCopies:
    """The copies of one session."""

    def __init__(self) -> None:
        """Start with none."""
        self._known: dict[tuple[str, int, int, int], Record | None] = {}

    def record(self, path: str, *, session_tag: str, activity_id: str) -> Record | None:
        """Return the record of a file as it is now, with its content the first time.

        Args:
            path: The file.
            session_tag: Tag of the session.
            activity_id: Id of the activity that used it.

        Returns:
            The record, or None for a file that is too large, or is not there, as in
            a dry execution.

        Raises:
            ReadError: The file is there and cannot be read.
        """
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            return None
        version = (path, found.st_mtime_ns, found.st_size, found.st_ino)
        if version in self._known:
            known = self._known[version]
            return None if known is None else {**known, "activity_id": activity_id}
        try:
            copied = copy_record(path, session_tag=session_tag, activity_id=activity_id)
        except ReadError:
            if not os.path.exists(path):
                return None
            raise
        if time.time() - found.st_mtime > _SETTLED_SECONDS:
            self._keep(version, copied)
        return copied

    def _keep(self, version: tuple[str, int, int, int], copied: Record | None) -> None:
        if len(self._known) >= _MOST_FILES:
            self._known.clear()
        self._known[version] = copied and {
            name: copied[name] for name in copied if name != "content"
        }
