"""What goes wrong in a handler: each kind of fault is said once, and counted."""

from collections import Counter
from threading import RLock

from provdb.capture.problems import say

__all__ = ["Complaints"]


class Complaints:
    """Say each kind of fault once, in one line, and count how often it was.

    It never raises: a pipeline may have closed its stderr.
    """

    def __init__(self) -> None:
        """Start with nothing said."""
        self._counts: Counter[str] = Counter()
        # A signal handler may log while something is said.
        self._lock = RLock()

    def add(self, kind: str, text: str) -> None:
        """Count a fault, and say its text if it is the first of its kind."""
        with self._lock:
            self._counts[kind] += 1
            is_first = self._counts[kind] == 1
        if is_first:
            say(text)

    def count(self, kind: str) -> int:
        """Return how often a kind of fault was."""
        return self._counts[kind]
