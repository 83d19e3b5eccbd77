"""A handler that keeps the records it gets, in the place of one that ships them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from provdb.capture.handler import ProvHandler
from provdb.model import Documents, fold

__all__ = ["RecordList", "recorded"]


class RecordList(ProvHandler):
    """Keeps what is recorded; it has neither a spool nor a store."""

    def __init__(self) -> None:
        """Start with nothing."""
        logging.Handler.__init__(self)
        self.records: list[dict[str, Any]] = []

    def handle(self, record: logging.LogRecord) -> bool:
        """Keep a record."""
        assert isinstance(record.msg, dict)
        self.records.append(record.msg)
        return True

    def flush(self) -> None:
        """Do nothing: what is kept is kept."""

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    @property
    def documents(self) -> Documents:
        """The documents that the records make."""
        return fold(self.records)

    def activity(self, name: str) -> dict[str, Any]:
        """Return the document of the only activity of a name."""
        (found,) = (a for a in self.documents["activities"] if a["name"] == name)
        return found

    def entity(self, location: str) -> dict[str, Any]:
        """Return the document of the entity at a path."""
        (found,) = (
            e for e in self.documents["entities"] if e.get("location") == location
        )
        return found


@contextmanager
def recorded() -> Iterator[RecordList]:
    """Yield the list of what is recorded in the block."""
    handler = RecordList()
    logger = logging.getLogger("provdb")
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
