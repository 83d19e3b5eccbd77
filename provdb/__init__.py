"""provdb keeps the provenance of telescope pipelines, and answers for it.

>>> import provdb
>>> db = provdb.connect("memory://")
>>> records = provdb.store_demo(db.store)
>>> answer = db.lineage("dl3_LST-1.Run01807.fits")
>>> [file.subrun for file in answer.files_of_level("R0")]
[0, 1, 2, 3, 4]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from provdb.database import Database, connect
    from provdb.demo import store_demo
    from provdb.errors import ProvdbError
    from provdb.store import Store, copy_store, open_store

__all__ = [
    "Database",
    "ProvdbError",
    "Store",
    "connect",
    "copy_store",
    "open_store",
    "store_demo",
]

_ROOMS: Final = {
    "Database": "provdb.database",
    "ProvdbError": "provdb.errors",
    "Store": "provdb.store",
    "connect": "provdb.database",
    "copy_store": "provdb.store",
    "open_store": "provdb.store",
    "store_demo": "provdb.demo",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that a command starts quickly."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'provdb' has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)
