"""Copy a store into another one, such as a local file into MongoDB."""

from collections.abc import Callable
from typing import Final

from provdb.model import fields as f
from provdb.store.base import Store, batches
from provdb.store.counts import WriteCounts

__all__ = ["copy_store"]

# They are large.
_READINGS: Final = 20


def copy_store(
    source: Store,
    target: Store,
    *,
    on_progress: Callable[[int], None] = lambda documents: None,
) -> dict[str, WriteCounts]:
    """Write every document of a store into another, joined with what is there.

    Args:
        source: The store to read.
        target: The store to write.
        on_progress: Is told how many more documents were copied.

    Returns:
        What became of the documents of each collection.

    Raises:
        StoreUnavailable: One of the two does not answer; what was copied stays, and
            copying again goes on from there.
    """
    written: dict[str, WriteCounts] = {}
    for collection in f.COLLECTIONS:
        written[collection] = WriteCounts()
        for batch in batches(source.scan(collection)):
            written[collection] += target.write({collection: batch})[collection]
            on_progress(len(batch))
    # Last: it says that all the others are there.
    written[f.READINGS] = WriteCounts()
    for batch in batches(source.scan(f.READINGS), _READINGS):
        written[f.READINGS] += target.remember(batch)
        on_progress(len(batch))
    return written
