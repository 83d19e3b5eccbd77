"""Where records go: to the handlers of the logger ``provdb``."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from provdb.capture.handler import ProvHandler
from provdb.model import Record

__all__ = ["LOGGER", "emit", "recording_to", "settle"]

LOGGER: Final = "provdb"
_ONLY: Final = ContextVar[ProvHandler | None]("provdb_handler", default=None)


def emit(record: Record) -> None:
    """Hand a record to the `ProvHandler` of the logger ``provdb``.

    Handlers of other classes do not get it, for it is no message to people, and no
    level of a logger holds it back. Where no logger has a `ProvHandler` the logger
    gets one for the store that the settings name.
    """
    logged = logging.LogRecord(LOGGER, logging.INFO, "", 0, record, None, None)
    for handler in _handlers():
        handler.handle(logged)


@contextmanager
def recording_to(handler: ProvHandler) -> Iterator[None]:
    """Hand the records of a block to one handler and to no other.

    A simulation does not belong among the records of the pipeline around it.
    """
    token = _ONLY.set(handler)
    try:
        yield
    finally:
        _ONLY.reset(token)


def settle() -> None:
    """Have all that was recorded written to the disk, and shipped soon."""
    for handler in _handlers():
        handler.flush()


def _handlers() -> list[ProvHandler]:
    only = _ONLY.get()
    if only is not None:
        return [only]
    logger = logging.getLogger(LOGGER)
    found = list(_handlers_of(logger))
    if not found:
        logger.addHandler(ProvHandler())
        found = list(_handlers_of(logger))
    return found


def _handlers_of(logger: logging.Logger) -> Iterator[ProvHandler]:
    above: logging.Logger | None = logger
    while above is not None:
        for handler in above.handlers:
            if isinstance(handler, ProvHandler):
                yield handler
        above = above.parent if above.propagate else None
