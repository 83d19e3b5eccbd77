"""Copy a store into another one, such as a local file into MongoDB."""

from collections.abc import Callable
from typing import Final

from provdb.model import fields as f
from provdb.model.settings import StoreSettings, merge_settings
from provdb.store.base import Store, batches
from provdb.store.counts import WriteCounts
from provdb.store.migrate import rename_entities, upgraded

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

    Documents of an earlier version become those of today; settings that both have
    stay those of the target, and all entities follow its naming rules.

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
    # First, for the target names entities by its own rules.
    settings = _copy_settings(source, target)
    written: dict[str, WriteCounts] = {}
    for collection in f.COLLECTIONS:
        written[collection] = WriteCounts()
        for batch in batches(source.scan(collection)):
            documents = upgraded(source, collection, batch)
            written[collection] += target.write({collection: documents})[collection]
            on_progress(len(batch))
    # Last: it says that all the others are there.
    written[f.READINGS] = WriteCounts()
    for batch in batches(source.scan(f.READINGS), _READINGS):
        written[f.READINGS] += target.remember(batch)
        on_progress(len(batch))
    written[f.SETTINGS] = settings
    if target.has_outdated_names():
        rename_entities(target)
    return written


def _copy_settings(source: Store, target: Store) -> WriteCounts:
    arriving = source.settings()
    if arriving == StoreSettings():
        return WriteCounts()
    known: list[StoreSettings] = []

    def join(stored: StoreSettings) -> StoreSettings:
        known.append(stored)
        return merge_settings(stored, arriving)

    joined = target.change_settings(join)
    if joined == known[-1]:
        return WriteCounts(unchanged=1)
    is_new = known[-1] == StoreSettings()
    return WriteCounts(added=1) if is_new else WriteCounts(changed=1)
