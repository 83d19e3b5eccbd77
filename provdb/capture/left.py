"""Spools that ended processes left behind: delivered by others, and then removed."""

from collections.abc import Iterator
from pathlib import Path

from provdb.capture.dead_letters import DeadLetters
from provdb.capture.delivery import Delivery
from provdb.capture.spool import left_behind, read_store
from provdb.store import Store

__all__ = ["deliver_left"]


def deliver_left(
    path: Path, store: Store, *, limit: int, only_for: str | None = None
) -> Iterator[Delivery]:
    """Deliver a spool that was left behind, step by step, and remove it.

    A spool whose process is running, or that somebody else is just delivering, is
    left alone, as is one that is gone.

    Args:
        path: The spool.
        store: Where to.
        limit: Lines a step at most.
        only_for: URI of the store that the spool must be for, or None for any.

    Yields:
        How far it is, after each step.

    Raises:
        StoreUnavailable: The store does not answer; the spool stays.
        OSError: A file cannot be read or written.
    """
    try:
        with left_behind(path) as is_left:
            if not is_left or (only_for is not None and read_store(path) != only_for):
                return
            delivery = Delivery(path, store, dead_letters=DeadLetters(path))
            while delivery.step(limit=limit):
                yield delivery
            path.unlink()
    except FileNotFoundError:
        return  # Somebody else has just delivered it.
