"""Problems of the capture: each is said once on stderr, and counted, never raised."""

import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from provdb.secrets.redaction import redact_text

__all__ = ["is_shielded", "message_of", "problem_counts", "report", "say", "shield"]

# A definition has fewer values; what is beyond comes from a loop of some kind.
_MOST_LINES: Final = 200
_SHIELDED: Final = ContextVar[bool]("provdb_shielded", default=False)
_UNSAID: Final = "there are further problems, which are only counted"


def report(problem: object) -> None:
    """Say a problem on stderr, the first time that it is met in this process.

    Args:
        problem: One sentence with the value in it, or an error with such a message.
    """
    line = _PROBLEMS.note(" ".join(str(problem).split()))
    if line is not None:
        say(line)


def say(line: str) -> None:
    """Write a line to stderr, without any secret; nothing is ever raised."""
    try:
        sys.stderr.write(f"provdb: {redact_text(line)}\n")
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        return  # There is no stderr, or it is closed.


def problem_counts() -> dict[str, int]:
    """Return how often each problem was met in this process."""
    return _PROBLEMS.counts()


@contextmanager
def shield(name: str) -> Iterator[None]:
    """Report what goes wrong in a block of the capture, and go on after it.

    Args:
        name: Name of the activity that is recorded.
    """
    token = _SHIELDED.set(True)
    try:
        yield
    except Exception as error:  # The pipeline goes on, whatever it is.
        said = f"{type(error).__name__}: {message_of(error)}"
        report(f"{name} is not recorded in full: {said}")
    finally:
        _SHIELDED.reset(token)


def message_of(error: BaseException) -> str:
    """Return the text of an error, which one of the pipeline's own need not have.

    >>> message_of(ValueError("no such subrun"))
    'no such subrun'
    """
    try:
        return str(error)
    except Exception:  # Whatever its own code raises.
        return ""


def is_shielded() -> bool:
    """Say whether it is the capture that runs: what it calls is no activity."""
    return _SHIELDED.get()


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
