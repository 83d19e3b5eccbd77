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
    from provdb.capture import (
        ProvHandler,
        activity,
        current_activity,
        current_session,
        dry_run,
        is_dry_run,
        session,
        trace,
        trace_class,
        use_definition,
    )
    from provdb.database import Database, connect
    from provdb.demo import store_demo
    from provdb.errors import ProvdbError
    from provdb.store import Store, copy_store, open_store

__all__ = [
    "Database",
    "ProvHandler",
    "ProvdbError",
    "Store",
    "activity",
    "connect",
    "copy_store",
    "current_activity",
    "current_session",
    "dry_run",
    "is_dry_run",
    "open_store",
    "session",
    "store_demo",
    "trace",
    "trace_class",
    "use_definition",
]

_ROOMS: Final = {
    "Database": "provdb.database",
    "ProvHandler": "provdb.capture",
    "ProvdbError": "provdb.errors",
    "Store": "provdb.store",
    "activity": "provdb.capture",
    "connect": "provdb.database",
    "copy_store": "provdb.store",
    "current_activity": "provdb.capture",
    "current_session": "provdb.capture",
    "dry_run": "provdb.capture",
    "is_dry_run": "provdb.capture",
    "open_store": "provdb.store",
    "session": "provdb.capture",
    "store_demo": "provdb.demo",
    "trace": "provdb.capture",
    "trace_class": "provdb.capture",
    "use_definition": "provdb.capture",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that a command starts quickly."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'provdb' has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)
