"""Bring a store that an earlier version of provdb wrote to the version of today."""

from collections.abc import Callable, Sequence
from functools import partial

from provdb.model import CURRENT_VERSIONS, Document, environments_of, refold
from provdb.model import fields as f
from provdb.store.base import Store

__all__ = ["migrate_store", "upgraded"]


def migrate_store(
    store: Store, *, on_progress: Callable[[int], None] = lambda documents: None
) -> dict[str, int]:
    """Make the documents of earlier versions anew from the records that they hold.

    Others may read and write meanwhile. What was changed stays when the migration is
    interrupted, and the next one goes on from there.

    Args:
        store: The store.
        on_progress: Is told how many more documents were changed.

    Returns:
        How many documents of each collection were changed.

    Raises:
        StoreUnavailable: The store does not answer, or may not be written.

    >>> from provdb.store import open_store
    >>> migrate_store(open_store("memory://"))
    {'entities': 0, 'sessions': 0, 'activities': 0}
    """
    store.initialise()
    changed = dict.fromkeys(CURRENT_VERSIONS, 0)
    for collection in changed:
        while store.outdated(collection, limit=1):
            count = store.replace_outdated(
                collection, partial(upgraded, store, collection)
            )
            changed[collection] += count
            on_progress(count)
    return changed


def upgraded(
    store: Store, collection: str, documents: Sequence[Document]
) -> list[Document]:
    """Return documents of a store as the version of today makes them.

    Args:
        store: Where their environments are.
        collection: The collection that they belong to.
        documents: Documents of any version; those of today stay as they are.
    """
    version = CURRENT_VERSIONS.get(collection, 0)
    old = [document for document in documents if document[f.SCHEMA_VERSION] < version]
    if not old:
        return list(documents)
    used = {id_ for document in old for id_ in environments_of(collection, document)}
    environments = {
        document[f.ID]: document for document in store.read(f.ENVIRONMENTS, used)
    }
    return [
        refold(collection, document, environments=environments, zone=store.zone)
        if document[f.SCHEMA_VERSION] < version
        else document
        for document in documents
    ]
