"""Records, the flat mappings that pipelines write, and how their fields are stored.

A record becomes a part of a document by a table of fields. What the table does not
know is kept under ``extra``; where the stored form is not what was written (a run
number as text, a time with microseconds, an id as an integer), the written form is
kept under ``written``. So every part gives its record back, field for field.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any, Final, Self

from provdb.model import fields as f
from provdb.model.times import format_time, parse_time
from provdb.model.values import (
    canonical,
    decode,
    decode_key,
    encode,
    encode_key,
    is_plain_integer,
    is_plain_text,
)

__all__ = [
    "ABSENT",
    "Field",
    "Kind",
    "Record",
    "Table",
    "distinct",
    "identifier",
    "kind_of",
    "lay_out",
    "record_text",
    "restore",
    "text",
    "time",
    "truth",
    "whole_number",
]

Record = dict[str, Any]
Converter = Callable[[Any, tzinfo], Any]

# Python does not write integers of any length.
_LONGEST_ID_BITS: Final = 1024
_USUAL_NAMES: Final = frozenset(
    (
        *("activity_id", "name", "startTime", "in_session", "agent_name", "script"),
        *("session_id", "session_start", "session_tag", "endTime", "status"),
        *("entity_id", "filepath", "hash", "hash_type", "type", "contentType"),
        *("used_id", "used_role", "generated_id", "generated_role"),
        *("progenitor_id", "member_id"),
    )
)
_TEXTS: Final = frozenset((str, bool, type(None)))
_NUL: Final = b"\\u0000"
_NUL_TEXT: Final = "\x00"
# How ``written`` says that the record has no such field.
ABSENT: Final = {"%absent": True}


class Kind(StrEnum):
    """What a record states, in the words of W3C PROV and lstosa."""

    SESSION = "session"
    START = "activity start"
    PARAMETERS = "parameters"
    USAGE = "usage"
    GENERATION = "generation"
    INVALIDATION = "invalidation"
    END = "activity end"
    RECORDED = "places of the records of an activity"
    OTHER_OF_ACTIVITY = "other statement about an activity"
    ENTITY = "entity"
    DERIVATION = "derivation"
    MEMBERSHIP = "membership"
    FILE = "copy of a file"
    OTHER = "other statement"


_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_OF_PLACES: Final = frozenset(("activity_id", "session_tag", "recorded"))
_PLACE: Final = frozenset((f.SOURCE, f.START, f.END))
_KIND_OF_ACTIVITY_RECORD: Final = (
    ("used_id", Kind.USAGE),
    ("generated_id", Kind.GENERATION),
    ("invalidated_id", Kind.INVALIDATION),
    ("parameters", Kind.PARAMETERS),
    ("endTime", Kind.END),
    ("startTime", Kind.START),
    ("in_session", Kind.START),
    ("name", Kind.START),
)
_KIND_OF_ENTITY_RECORD: Final = (
    ("progenitor_id", Kind.DERIVATION),
    ("member_id", Kind.MEMBERSHIP),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One row of a table of fields.

    Attributes:
        record: Usual name of the field in records.
        document: Name of the field in documents.
        convert: Takes the written value and the zone of naive times, and gives the
            stored value, or None where the written one cannot be stored like that.
        aliases: Other names of the field in records.
    """

    record: str
    document: str
    convert: Converter
    aliases: tuple[str, ...] = ()


class Table(tuple[Field, ...]):
    """The fields of a part of a document, in order.

    Attributes:
        plain: Usual names of those whose texts are stored as they are written, with
            their names in documents.
    """

    plain: tuple[tuple[str, str], ...]

    def __new__(cls, *fields: Field) -> Self:
        """Make a table of fields."""
        table = super().__new__(cls, fields)
        table.plain = tuple(
            (field.record, field.document)
            for field in fields
            if field.convert in (text, identifier)
        )
        return table


def kind_of(record: Mapping[str, Any]) -> Kind:
    """Say what a record states.

    >>> kind_of({"activity_id": "621ca2", "used_id": "446f45", "used_role": "Pedestal"})
    <Kind.USAGE: 'usage'>
    """
    if "file_id" in record and _is_of_file(record):
        return Kind.FILE
    if record.get("activity_id") is not None:
        for name, kind in _KIND_OF_ACTIVITY_RECORD:
            if name in record:
                return kind
        if "recorded" in record and _is_of_places(record):
            return Kind.RECORDED
        return Kind.OTHER_OF_ACTIVITY
    if record.get("entity_id") is not None:
        for name, kind in _KIND_OF_ENTITY_RECORD:
            if name in record:
                return kind
        return Kind.ENTITY
    return Kind.SESSION if record.get("session_id") is not None else Kind.OTHER


def _is_of_file(record: Mapping[str, Any]) -> bool:
    """Say whether a record is about a content, by its digest, and about no entity.

    It may name the activity that used the file; other systems may call other things
    ``file_id``.
    """
    file_id = record["file_id"]
    return (
        type(file_id) is str
        and _DIGEST.fullmatch(file_id) is not None
        and record.get("entity_id") is None
        and record.get("session_id") is None
        and not any(name in record for name, _ in _KIND_OF_ACTIVITY_RECORD)
    )


def _is_of_places(record: Mapping[str, Any]) -> bool:
    """Say whether a record says only where records of an activity stand."""
    entries = record["recorded"]
    return (
        _OF_PLACES.issuperset(record)
        and isinstance(entries, list)
        and all(isinstance(entry, dict) and _is_place(entry) for entry in entries)
    )


def _is_place(entry: Mapping[Any, Any]) -> bool:
    places = [entry[name] for name in entry if name != f.SOURCE]
    return (
        _PLACE.issuperset(entry)
        and is_plain_text(entry.get(f.SOURCE))
        and all(is_plain_integer(place) for place in places)
    )


def identifier(value: Any, zone: tzinfo | None = None) -> str | None:
    """Return an id as text; real ones are also integers of more than 64 bits."""
    if type(value) is int:
        return str(value) if value.bit_length() <= _LONGEST_ID_BITS else None
    return text(value)


def text(value: Any, zone: tzinfo | None = None) -> str | None:
    """Return a text that every store can hold as it is."""
    return value if is_plain_text(value) else None


def time(value: Any, zone: tzinfo) -> Any:
    """Return the time that a text names, in UTC."""
    return parse_time(value, zone=zone)


def whole_number(value: Any, zone: tzinfo | None = None) -> int | None:
    """Return an integer that every store can hold as it is."""
    return value if is_plain_integer(value) else None


def truth(value: Any, zone: tzinfo | None = None) -> bool | None:
    """Return a truth value; False is not stored, for it says nothing."""
    return True if value is True else None


def lay_out(
    record: Record, table: Table, *, known: Record, zone: tzinfo
) -> dict[str, Any]:
    """Return the part of a document that holds a record.

    Args:
        record: The record.
        table: The fields that the part has.
        known: Fields of the record that the document says elsewhere.
        zone: Zone of times that name none.
    """
    plain = _plain_part(record, table, known)
    if plain is not None:
        return plain
    part: dict[str, Any] = {}
    restored, taken = dict(known), set(known)
    for field in table:
        for name in (
            (field.record, *field.aliases) if field.aliases else (field.record,)
        ):
            value = record.get(name)
            stored = None if value is None else field.convert(value, zone)
            if stored is not None:
                part[field.document] = stored
                taken.add(name)
                restored[field.record] = _written(stored)
                break
    extra = {key: value for key, value in record.items() if key not in taken}
    if extra:
        part[f.EXTRA] = encode(extra)
        restored |= extra
    written = _differences(record, restored)
    if written:
        part[f.WRITTEN] = written
    return part


def restore(part: Mapping[str, Any], table: Table, *, known: Record) -> Record:
    """Return the record that a part of a document holds."""
    record = dict(known)
    for field in table:
        if field.document in part:
            record[field.record] = _written(decode(part[field.document]))
    record.update(decode(part.get(f.EXTRA, {})))
    for key, value in part.get(f.WRITTEN, {}).items():
        if value == ABSENT:
            record.pop(decode_key(key), None)
        else:
            record[decode_key(key)] = decode(value)
    return record


def distinct(records: Iterable[Record]) -> dict[bytes, Record]:
    """Return each record once, by its canonical text.

    Raises:
        RecordError: A record holds a value that cannot be stored.
    """
    return {record_text(record): record for record in records}


def record_text(record: Record) -> bytes:
    """Return the canonical text of a record.

    Raises:
        RecordError: It holds a value that cannot be stored.

    >>> record_text({"name": "r0_to_dl1", "activity_id": "621ca2"})
    b'{"activity_id":"621ca2","name":"r0_to_dl1"}'
    """
    # Nearly all records are texts under usual names, and are stored as they are.
    if _USUAL_NAMES.issuperset(record) and _TEXTS.issuperset(
        map(type, record.values())
    ):
        try:
            content = canonical(record)
        except TypeError:  # There is half a surrogate pair.
            pass
        else:
            if _NUL not in content:
                return content
    return canonical(encode(record))


def _plain_part(record: Record, table: Table, known: Record) -> dict[str, Any] | None:
    """Return the part of a record of usual fields and plain texts, as most are.

    None is returned for any other record.
    """
    part: dict[str, Any] = {}
    for name, stored in table.plain:
        value = record.get(name)
        if value is not None:
            if type(value) is not str or not value.isascii() or _NUL_TEXT in value:
                return None
            part[stored] = value
    if len(part) + len(known) != len(record):
        return None
    for name, value in known.items():
        if record.get(name) != value:
            return None
    return part


def _written(stored: Any) -> Any:
    return format_time(stored) if type(stored) is datetime else stored


def _differences(record: Record, restored: Record) -> dict[str, Any]:
    written = {
        encode_key(key): encode(value)
        for key, value in record.items()
        if key not in restored
        or not (restored[key] is value or _is_same(restored[key], value))
    }
    for key in restored:
        if key not in record:
            written[encode_key(key)] = ABSENT
    return written


def _is_same(one: Any, other: Any) -> bool:
    if type(one) is str or type(other) is str:
        return bool(one == other)
    return canonical(encode(one)) == canonical(encode(other))
