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
    from provdb.capture.activity import activity, current_activity
    from provdb.capture.dry_run import dry_run, is_dry_run
    from provdb.capture.handler import ProvHandler
    from provdb.capture.in_use import use_definition
    from provdb.capture.session import current_session, session
    from provdb.capture.tracing import trace, trace_class
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
    "ProvHandler": "provdb.capture.handler",
    "ProvdbError": "provdb.errors",
    "Store": "provdb.store",
    "activity": "provdb.capture.activity",
    "connect": "provdb.database",
    "copy_store": "provdb.store",
    "current_activity": "provdb.capture.activity",
    "current_session": "provdb.capture.session",
    "dry_run": "provdb.capture.dry_run",
    "is_dry_run": "provdb.capture.dry_run",
    "open_store": "provdb.store",
    "session": "provdb.capture.session",
    "store_demo": "provdb.demo",
    "trace": "provdb.capture.tracing",
    "trace_class": "provdb.capture.tracing",
    "use_definition": "provdb.capture.in_use",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that a command starts quickly."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'provdb' has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)
