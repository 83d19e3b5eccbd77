"""Names in a store that start as somebody typed: a bounded number, by indexes alone."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from provdb.model import fields as f
from provdb.model import is_plain_text
from provdb.store import Store

__all__ = ["names_starting", "paths_starting", "runs_starting"]

_LAST: Final = "\U0010ffff"
# Digits of a run at most; runs are written with five.
_MOST_DIGITS: Final = 6
_DIGITS: Final = 5


def names_starting(
    store: Store, prefix: str, *, collection: str, field: str, limit: int
) -> list[str]:
    """Return the first texts of an indexed field that start so, in order.

    Each is one question to the index, whatever the store holds.

    Args:
        store: Where the documents are.
        prefix: How they start.
        collection: The collection.
        field: A field that an index starts with.
        limit: How many there may be.

    >>> from provdb.model import fold
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> raw = "/fefs/R0/20191123/LST-1.1.Run01618.0008.fits.fz"
    >>> counts = store.write(fold([{"entity_id": "1", "filepath": raw}]))
    >>> names_starting(
    ...     store, "LST", collection="entities", field="file_name", limit=9
    ... )
    ['LST-1.1.Run01618.0008.fits.fz']
    """
    found = _seek(store, collection, field, prefix, is_by_folder=False)
    return list(islice(found, limit))


def paths_starting(store: Store, prefix: str, *, limit: int) -> list[str]:
    """Return how paths go on that start so: to the end, or to the next slash.

    >>> from provdb.model import fold
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> raw = "/fefs/R0/20191123/LST-1.1.Run01618.0008.fits.fz"
    >>> counts = store.write(fold([{"entity_id": "1", "filepath": raw}]))
    >>> paths_starting(store, "/fefs/R", limit=9)
    ['/fefs/R0/']
    """
    found = _seek(store, f.ENTITIES, f.LOCATION, prefix, is_by_folder=True)
    return list(islice(found, limit))


def runs_starting(store: Store, prefix: str, *, limit: int) -> list[str]:
    """Return the runs of activities that start so, as they are written.

    A run is written with five digits, and found without the zeros before it too.

    >>> from provdb.model import fold
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> start = {"name": "r0_to_dl1", "startTime": "2020-05-18T10:00:00"}
    >>> record = {**start, "activity_id": "1a", "session_tag": "r0_to_dl1:01618"}
    >>> counts = store.write(fold([record]))
    >>> runs_starting(store, "016", limit=9), runs_starting(store, "16", limit=9)
    (['01618'], ['1618'])
    """
    if prefix and not (prefix.isascii() and prefix.isdigit()):
        return []
    return list(islice(_runs(store, prefix), limit))


def _runs(store: Store, prefix: str) -> Iterator[str]:
    is_padded = prefix in ("", "0") or prefix.startswith("0")
    longest = _DIGITS if is_padded else _MOST_DIGITS
    for more in range(longest - len(prefix) + 1):
        if is_padded and len(prefix) + more != _DIGITS:
            continue
        step = 10**more
        low = int(prefix or "0") * step
        beyond = low + step
        while low < beyond:
            found = store.smallest(f.ACTIVITIES, f.RUN, low=low, beyond=beyond)
            if found is None:
                break
            yield f"{found:0{_DIGITS}}" if is_padded else str(found)
            low = found + 1


def _seek(
    store: Store, collection: str, field: str, prefix: str, *, is_by_folder: bool
) -> Iterator[str]:
    if not is_plain_text(prefix):
        return
    low, beyond = prefix, prefix + _LAST
    while True:
        found = store.smallest(collection, field, low=low, beyond=beyond)
        if found is None:
            return
        slash = found.find("/", len(prefix)) if is_by_folder else -1
        if slash >= 0:
            found = found[: slash + 1]
        if found:
            yield found
        # The next text there is, or the next one that is not in this folder.
        low = found + (_LAST if slash >= 0 else "\0")
