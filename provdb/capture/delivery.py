"""Deliver the lines of a spool to a store; what one line spoils costs no other.

Delivering a line again changes nothing, so a spool can be delivered from any
position, any number of times, by anybody.
"""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from provdb.capture.dead_letters import DeadLetters
from provdb.capture.spool import SpoolLine, read_lines, read_value
from provdb.errors import RecordError
from provdb.model import Documents, Folder, Kind, Record, kind_of
from provdb.readers import RecordParser
from provdb.store import Store

__all__ = ["Delivery", "record_of"]

# A batch has at most so many bytes, and so many lines as the caller asks for.
_BATCH_BYTES: Final = 16 * 2**20
# The largest document of MongoDB has twice this.
_LONGEST_LINE_BYTES: Final = 8 * 2**20
# How many records a folder remembers before it is exchanged for a new one, and how
# long a line is that is remembered as it is.
_MOST_REMEMBERED: Final = 50_000
_LONGEST_TOLD_BYTES: Final = 1000
_CHECKSUM: Final = b'"crc":'
# What a record that nobody has thought of may make of a part of provdb.
_SPOILT: Final = (RecordError, ArithmeticError, LookupError, TypeError, ValueError)


class _Place(NamedTuple):
    source: str | None
    place: int


class _Item(NamedTuple):
    line: SpoolLine
    record: Record
    place: _Place


class _Batch(NamedTuple):
    end: int
    items: list[_Item]
    told_again: int
    documents: Documents


class Delivery:
    """The way of one spool into a store.

    Attributes:
        position: Up to where in the file everything is in the store.
        delivered: How many records were delivered.
        dead: How many of them went into the file of dead letters instead.
    """

    def __init__(self, path: Path, store: Store, *, dead_letters: DeadLetters) -> None:
        """Start at the beginning of a spool."""
        self.position = 0
        self.delivered = 0
        self.dead = 0
        self._path = path
        self._store = store
        self._dead_letters = dead_letters
        self._parser = RecordParser()
        self._folder = Folder(zone=store.zone)
        self._remembered = 0
        # What lines said of entities that are in the store, or on their way.
        self._told: set[bytes] = set()
        self._batch: _Batch | None = None

    def step(self, *, limit: int) -> int:
        """Deliver the next lines, and return how many; none at the end.

        Args:
            limit: How many lines at most.

        Raises:
            StoreUnavailable: The store does not answer; the same lines are
                delivered by the next call.
            OSError: The spool cannot be read, or the dead letters cannot be written.
        """
        batch = self._batch = self._batch or self._read(limit)
        if batch is None:
            return 0
        if batch.items:
            try:
                self._store.write(batch.documents)
            except _SPOILT:
                self._told = set()
                self._write_apart(batch.items)
        self._batch = None
        count = len(batch.items) + batch.told_again
        self.position = batch.end
        self.delivered += count
        self._renew_folder(count)
        return max(count, 1)

    def _read(self, limit: int) -> _Batch | None:
        items: list[_Item] = []
        end, size, told_again = self.position, 0, 0
        for line in islice(read_lines(self._path, start=self.position), limit):
            end = line.end
            # Every subrun names the calibration and the models anew.
            said = line.text[line.text.find(_CHECKSUM) :]
            if said in self._told:
                told_again += 1
                continue
            size += len(line.text)
            try:
                id_, record = record_of(line.text, self._parser)
                if record is not None:
                    place = _place_of(id_)
                    self._folder.add(record, source=place.source, place=place.place)
                    items.append(_Item(line, record, place))
                    if len(said) < _LONGEST_TOLD_BYTES and _is_of_entity(record):
                        self._told.add(said)
            except _SPOILT as error:
                self._bury(line, error)
            if size > _BATCH_BYTES:
                break
        if end == self.position:
            return None
        return _Batch(end, items, told_again, self._folder.take())

    def _write_apart(self, items: Sequence[_Item]) -> None:
        """Write the good ones of records that cannot be written together."""
        if not items:
            return
        try:
            folder = Folder(zone=self._store.zone)
            for _, record, place in items:
                folder.add(record, source=place.source, place=place.place)
            self._store.write(folder.take())
        except _SPOILT as error:
            if len(items) == 1:
                self._bury(items[0].line, error)
                return
            middle = len(items) // 2
            self._write_apart(items[:middle])
            self._write_apart(items[middle:])

    def _bury(self, line: SpoolLine, error: Exception) -> None:
        self.dead += self._dead_letters.add(line.text, reason=_reason(error))

    def _renew_folder(self, count: int) -> None:
        # What it remembers of activities is a short cut; the store joins the rest.
        self._remembered += count
        if self._remembered > _MOST_REMEMBERED:
            self._folder = Folder(zone=self._store.zone)
            self._told = set()
            self._remembered = 0


def record_of(text: bytes, parser: RecordParser) -> tuple[str, Record | None]:
    """Return the id and the record of a line; None for a line that holds no record.

    Raises:
        RecordError: The line is damaged, too long, or holds no record.
    """
    if len(text) > _LONGEST_LINE_BYTES:
        size = len(text) / 2**20
        raise RecordError(f"it has {size:.1f} MiB, a record has 8 at most")
    id_, value = read_value(text)
    if isinstance(value, str):
        try:
            return id_, parser.parse_line(value)
        except ValueError as error:
            raise RecordError(f"no record was read from it: {error}") from error
    if value is not None and not isinstance(value, dict):
        raise RecordError("it is no mapping")
    return id_, value


def _place_of(id_: str) -> _Place:
    """Return the spool and the place in it that the id of a line names.

    The id of a line that somebody mended may be another one; it has no place.
    """
    source, _, place = id_.rpartition("-")
    if not (source and place.isascii() and place.isdigit()):
        return _Place(None, 0)
    return _Place(source, int(place))


def _is_of_entity(record: Record) -> bool:
    """Say whether a record is of an entity alone, and means the same at any place."""
    return "entity_id" in record and kind_of(record) is Kind.ENTITY


def _reason(error: Exception) -> str:
    if isinstance(error, RecordError):
        return str(error)
    return f"provdb cannot store it: {type(error).__name__}: {error}"
