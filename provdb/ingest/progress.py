"""How far a reading is, and how much there is to read."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from provdb.errors import ProvdbError
from provdb.readers.folders import FoundFile

__all__ = ["Progress", "count_beside"]

_END_SECONDS = 1.0


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a reading is; files that have not changed are no part of it.

    Attributes:
        files: Files read, or found to hold nothing.
        size_bytes: Bytes of them, and of the one that is being read.
        total_files: Files found so far that are to be read.
        total_bytes: Bytes of them.
        is_total_known: Whether there will be no more.
    """

    files: int = 0
    size_bytes: int = 0
    total_files: int = 0
    total_bytes: int = 0
    is_total_known: bool = False

    def count(self, item: object) -> None:
        """Add to the total what is to be read."""
        if isinstance(item, FoundFile):
            self.total_files += 1
            self.total_bytes += 0 if item.state is None else item.state.size


@contextmanager
def count_beside(
    progress: Progress, find: Callable[[], Iterable[object]]
) -> Iterator[None]:
    """Count what there is to read while it is read, by a walk of its own.

    Args:
        progress: What is told of it.
        find: Returns what there is.
    """
    is_over = Event()

    def count() -> None:
        try:
            for item in find():
                if is_over.is_set():
                    return
                progress.count(item)
            progress.is_total_known = True
        except ProvdbError:
            return  # The reading itself meets and tells it.

    thread = Thread(target=count, name="provdb-counting", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(_END_SECONDS)
