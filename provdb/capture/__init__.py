"""Capture of provenance while a pipeline runs; it never stops or slows the pipeline.

What happens is stated in records, one after the other; a record goes to the handlers
of the logger ``provdb``, from there into a spool file, and from the spool to a store.
"""

from provdb.capture.activity import Activity, activity, current_activity
from provdb.capture.dry_run import dry_run, is_dry_run
from provdb.capture.handler import ProvHandler
from provdb.capture.in_use import use_definition
from provdb.capture.session import Session, current_session, session
from provdb.capture.tracing import trace, trace_class

__all__ = [
    "Activity",
    "ProvHandler",
    "Session",
    "activity",
    "current_activity",
    "current_session",
    "dry_run",
    "is_dry_run",
    "session",
    "trace",
    "trace_class",
    "use_definition",
]
