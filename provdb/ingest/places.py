"""Which log a record stands in: its name is the same wherever the log lies."""

import hashlib
from typing import Final

from provdb.model import Record
from provdb.model.records import record_text

__all__ = ["Places"]

_DIGEST_BYTES: Final = 8


class Places:
    """The identity of a log, known from its first records.

    It is a digest of the first record and of the first one about an activity. A log
    that grows, is moved, rotated or compressed keeps it; a piece of a log without
    its beginning has another one.
    """

    def __init__(self) -> None:
        """Begin at the first record of a log."""
        self._first: bytes | None = None
        self._source: str | None = None

    def source_of(self, record: Record) -> str | None:
        """Return the identity of the log that holds a record; None before it is known.

        Raises:
            RecordError: The record holds a value that cannot be stored.

        >>> places = Places()
        >>> places.source_of({"session_id": "1618"}) is None
        True
        >>> places.source_of({"activity_id": "621ca2", "name": "r0_to_dl1"})
        '11af66bf2950658d'
        """
        if self._source is not None:
            return self._source
        if self._first is None:
            self._first = record_text(record)
        if "activity_id" not in record:
            return None
        text = self._first + b"\n" + record_text(record)
        self._source = hashlib.blake2b(text, digest_size=_DIGEST_BYTES).hexdigest()
        return self._source
