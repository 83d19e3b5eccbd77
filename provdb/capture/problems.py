"""Problems of the capture: each is said once on stderr, and counted, never raised."""

import os
import sys
import threading
from collections import Counter
from typing import Final

from provdb.capture.redaction import redact_text

__all__ = ["problem_counts", "report"]

# A definition has fewer values; what is beyond comes from a loop of some kind.
_MOST_LINES: Final = 200
_UNSAID: Final = "there are further problems, which are only counted"


def report(problem: object) -> None:
    """Say a problem on stderr, the first time that it is met in this process.

    Args:
        problem: One sentence with the value in it, or an error with such a message.
    """
    line = _PROBLEMS.note(redact_text(" ".join(str(problem).split())))
    if line is None:
        return
    try:
        sys.stderr.write(f"provdb: {line}\n")
    except (AttributeError, OSError, ValueError):
        return  # There is no stderr, or it is closed.


def problem_counts() -> dict[str, int]:
    """Return how often each problem was met in this process."""
    return _PROBLEMS.counts()


class _Problems:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self.renew_lock()

    def renew_lock(self) -> None:
        """Forget who holds the lock: threads do not live on in a forked process."""
        # A signal handler may report while the code that it interrupts does.
        self._lock = threading.RLock()

    def note(self, problem: str) -> str | None:
        """Count a problem, and return what is to be said of it now."""
        with self._lock:
            if problem not in self._counts and len(self._counts) >= _MOST_LINES:
                problem = _UNSAID
            self._counts[problem] += 1
            return problem if self._counts[problem] == 1 else None

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)


_PROBLEMS: Final = _Problems()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_PROBLEMS.renew_lock)
