"""The text log beside the store: the lines that lstosa writes and reads.

Who reads it back gets the very records that went into the spool.
"""

import logging
import os
from copy import copy
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from typing import Any, Final

from provdb.secrets.redaction import redact_text

__all__ = ["TextLog"]

_PREFIX: Final = "__PROV__"
_FORMAT: Final = "%(levelname)s %(name)s %(message)s"


class TextLog(WatchedFileHandler):
    """Appends lines to a file, as the handler did that lstosa is configured with."""

    def __init__(self, filename: str | os.PathLike[str]) -> None:
        """Name the file; it is opened by the first line."""
        super().__init__(filename, encoding="utf-8", delay=True, errors="replace")
        self.setFormatter(None)

    def setFormatter(self, fmt: logging.Formatter | None) -> None:
        """Set the form of a line; None sets that of lstosa."""
        super().setFormatter(fmt or logging.Formatter(_FORMAT))

    def write(self, record: logging.LogRecord, value: Any) -> None:
        """Write a line.

        Args:
            record: The message that it is about.
            value: A record, the text of a line, or None for the message itself.

        Raises:
            OSError: It cannot be written.
        """
        line = copy(record)
        line.args = None
        if value is None or isinstance(value, str):
            line.msg = redact_text(value or record.getMessage())
        else:
            time = datetime.fromtimestamp(record.created, UTC).replace(tzinfo=None)
            line.msg = f"{_PREFIX}{time.isoformat()}{_PREFIX}{value!r}"
        self.emit(line)

    def handleError(self, record: logging.LogRecord) -> None:
        """Raise what went wrong with a line, for `ProvHandler` says it."""
        raise
