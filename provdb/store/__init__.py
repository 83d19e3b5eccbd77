"""Where provenance is kept: on a MongoDB server, or in one file without a server."""

from datetime import UTC, tzinfo
from importlib import import_module
from pathlib import Path
from typing import Final

from provdb.config import mask_uri
from provdb.errors import StoreUnavailable
from provdb.store.base import Store
from provdb.store.collection import known_collection, reading_pipeline
from provdb.store.copy import copy_store
from provdb.store.counts import CollectionStats, WriteCounts
from provdb.store.migrate import migrate_store, migration_size, rename_entities
from provdb.store.validators import load_validators

__all__ = [
    "CollectionStats",
    "Store",
    "WriteCounts",
    "copy_store",
    "known_collection",
    "migrate_store",
    "migration_size",
    "open_store",
    "prepare_store",
    "reading_pipeline",
    "rename_entities",
]

_SQLITE: Final = "sqlite://"
_MEMORY: Final = "memory://"
# The driver looks up the name of a host with the first.
_MONGO_CODE: Final = ("encodings.idna", "provdb.store.mongo")
_LOCAL_CODE: Final = ("provdb.store.local",)
_MONGO: Final = ("mongodb://", "mongodb+srv://")


def open_store(
    uri: str,
    *,
    zone: tzinfo = UTC,
    timeout_seconds: float | None = None,
    is_eager: bool = False,
) -> Store:
    """Open the store that a URI names.

    Args:
        uri: ``mongodb://HOST/DATABASE`` or ``mongodb+srv://…`` for a server,
            ``sqlite:///PATH`` for a file, ``memory://`` for a store that ends with
            the process.
        zone: Zone in which times of records that name none are read.
        timeout_seconds: How long a server may take for one answer, or None for as
            long as the URI allows.
        is_eager: Whether to begin to connect at once; nothing waits for it.

    Raises:
        StoreUnavailable: The URI is none of these, or cannot be read.

    >>> with open_store("memory://") as store:
    ...     store.initialise()
    ...     [stats.documents for stats in store.stats()]
    [0, 0, 0, 0, 0, 0, 0]
    """
    if uri.startswith(_MONGO):
        # pymongo takes longer to load than a lineage takes to find.
        from provdb.store.mongo import MongoStore

        # Where a server is must be asked of the network for the others.
        is_eager = is_eager and uri.startswith(_MONGO[0])
        return MongoStore(
            uri, zone=zone, timeout_seconds=timeout_seconds, is_eager=is_eager
        )
    from provdb.store.local import LocalStore

    if uri == _MEMORY:
        return LocalStore(None, zone=zone)
    if uri.startswith(_SQLITE) and len(uri) > len(_SQLITE):
        return LocalStore(Path(uri.removeprefix(_SQLITE)).absolute(), zone=zone)
    raise StoreUnavailable(
        mask_uri(uri),
        "a store is sqlite:///PATH, mongodb://HOST/DATABASE or memory://",
    )


def prepare_store(uri: str) -> None:
    """Load the code that a store needs, now and not when it is opened."""
    for module in _MONGO_CODE if uri.startswith(_MONGO) else _LOCAL_CODE:
        import_module(module)
    load_validators()
