"""Whether a file was, while it was read, what its size and time say it is.

A file that is written to while it is read, or a moment later, may have the same size
and time and another content: clocks of disks tick in steps.
"""

import os
import time
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["Settled"]

# The coarsest clock of a disk in use ticks every two seconds.
_TICK_NS: Final = 2 * 10**9
# How far the clock of another machine may be ahead.
_AHEAD_NS: Final = 3600 * 10**9


class Settled:
    """A file as it was when it was opened.

    Attributes:
        size_bytes: Its size then.
    """

    def __init__(self, stream: BinaryIO) -> None:
        """Look at a file that was just opened."""
        self._about = os.fstat(stream.fileno())
        self._now_ns = time.time_ns()
        self._path = Path(stream.name)
        self.size_bytes = self._about.st_size

    @property
    def age_seconds(self) -> float:
        """How long ago it had been changed then."""
        return (self._now_ns - self._about.st_mtime_ns) / 1e9

    def state(self) -> tuple[int, int] | None:
        """Return its size and time, or None if these may tell of another content.

        To be called when it was read.
        """
        try:
            now = os.stat(self._path)
        except OSError:
            return None
        if _identity(now) != _identity(self._about):
            return None
        age_ns = self._now_ns - now.st_mtime_ns
        if -_AHEAD_NS < age_ns < _TICK_NS:
            return None
        return now.st_size, now.st_mtime_ns


def _identity(about: os.stat_result) -> tuple[int, int, int, int]:
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns
