"""What goes wrong in the capture: said once on stderr, and counted."""

import sys
from collections import Counter
from contextlib import suppress
from threading import Lock

__all__ = ["Complaints"]


class Complaints:
    """Say each kind of fault once, in one line, and count how often it was.

    It never raises: a pipeline may have closed its stderr.
    """

    def __init__(self) -> None:
        """Start with nothing said."""
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, kind: str, text: str) -> None:
        """Count a fault, and say its text if it is the first of its kind."""
        with self._lock:
            self._counts[kind] += 1
            is_first = self._counts[kind] == 1
        if is_first:
            self.say(text)

    def count(self, kind: str) -> int:
        """Return how often a kind of fault was."""
        return self._counts[kind]

    def say(self, text: str) -> None:
        """Write a line to stderr."""
        with suppress(Exception):  # Nothing is left to complain to.
            sys.stderr.write(f"provdb: {text}\n")
            sys.stderr.flush()
