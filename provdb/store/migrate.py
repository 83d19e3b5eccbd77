"""Bring a store that an earlier version of provdb wrote to the version of today."""

from collections.abc import Callable, Sequence
from functools import partial

from provdb.model import (
    CURRENT_VERSIONS,
    Document,
    environments_of,
    refold,
    with_names,
)
from provdb.model import fields as f
from provdb.store.base import Store, batches

__all__ = ["migrate_store", "migration_size", "rename_entities", "upgraded"]


def migrate_store(
    store: Store, *, on_progress: Callable[[int], None] = lambda documents: None
) -> dict[str, int]:
    """Make the documents of earlier versions anew from the records that they hold.

    The names of entities that follow earlier naming rules are read anew too. Others
    may read and write meanwhile. What was changed stays when the migration is
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
    if store.has_outdated_names():
        changed[f.ENTITIES] += rename_entities(store, on_progress=on_progress)
    return changed


def migration_size(store: Store) -> int:
    """Return how many documents `migrate_store` tells of."""
    outdated = sum(store.outdated_count(name) for name in CURRENT_VERSIONS)
    if not store.has_outdated_names():
        return outdated
    return outdated + store.document_count(f.ENTITIES)


def rename_entities(
    store: Store, *, on_progress: Callable[[int], None] = lambda documents: None
) -> int:
    """Read the names of all entities anew by the naming rules of the store.

    Others may read and write meanwhile. Whoever interrupts it calls it again, or
    `migrate_store`.

    Args:
        store: The store, whose naming rules have changed.
        on_progress: Is told how many more entities were looked at.

    Returns:
        How many entities say something else now.

    Raises:
        StoreUnavailable: The store does not answer, or may not be written.

    >>> from provdb.store import open_store
    >>> rename_entities(open_store("memory://"))
    0
    """
    store.initialise()
    tables = store.settings().naming_rules
    changed = 0
    for batch in batches(store.scan(f.ENTITIES)):
        naming = store.naming()
        changed += store.rename(
            [entity[f.ID] for entity in batch if with_names(entity, naming) != entity]
        )
        on_progress(len(batch))
    store.confirm_names(tables)
    return changed


def upgraded(
    store: Store, collection: str, documents: Sequence[Document]
) -> list[Document]:
    """Return documents of a store as today's version and its naming rules make them.

    Args:
        store: Where their environments are.
        collection: The collection that they belong to.
        documents: Documents of any version; those of today stay as they are.
    """
    refolded = _refolded(store, collection, documents)
    if collection != f.ENTITIES or not store.settings().has_named_by_rules:
        return refolded
    naming = store.naming()
    return [with_names(document, naming) for document in refolded]


def _refolded(
    store: Store, collection: str, documents: Sequence[Document]
) -> list[Document]:
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
