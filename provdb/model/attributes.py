"""Fields of documents as attributes of PROV statements, and back.

What is a text, a number or a truth is written as one, so that every tool shows it.
All else is JSON in an attribute of the type ``provdb:json``, from which it comes back.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from provdb.model import fields as f
from provdb.model.qualified import PROVDB
from provdb.model.statement import LABEL, LOCATION, Value
from provdb.model.values import is_plain_integer

__all__ = [
    "ACTIVITY",
    "EDGE",
    "ENTITY",
    "EVIDENCE",
    "FILE",
    "INFERRED",
    "LINK",
    "SESSION",
    "attributes_of",
    "part_of",
    "to_value",
    "value_of",
]

_JSON: Final = f"{PROVDB}json"
# What XML cannot hold, or gives back changed.
_NO_XML: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\ufffe\uffff]")


def _own(*names: str) -> dict[str, str]:
    return {name: f"{PROVDB}{name}" for name in names}


ACTIVITY: Final = {
    f.NAME: LABEL,
    **_own(
        *(f.SESSION_TAG, f.SESSION_ID, f.ACTIVITY_ID, f.SESSION_START),
        *(f.AGENT, f.SCRIPT, f.GRANULARITY, f.STARTED_BY, f.DRY_RUN),
        *(f.EXTRA, f.WRITTEN, f.END_EXTRA, f.END_WRITTEN, f.RECORDED),
        *(f.COPIES, f.OTHER_RECORDS),
    ),
}
ENTITY: Final = {
    f.NAME: LABEL,
    f.LOCATION: LOCATION,
    **_own(
        *(f.TYPE, f.CONTENT_TYPE, f.SIZE, f.HASH, f.HASH_TYPE),
        *(f.EXTRA, f.WRITTEN, f.DESCRIPTIONS, f.DERIVED_FROM, f.MEMBERS),
        f.OTHER_RECORDS,
    ),
    f.SESSION_TAGS: f"{PROVDB}session_tag",
}
# What an answer says of an edge, beside what records say: how it is known, and what is
# in doubt. It is no history, so nothing of it is read.
INFERRED: Final = f"{PROVDB}inferred"
EVIDENCE: Final = f"{PROVDB}evidence"
EDGE: Final = (
    *(INFERRED, EVIDENCE),
    *(f"{PROVDB}{name}" for name in ("rule", "time_conflict", "mark", "damaged_by")),
)
FILE: Final = _own(f.SIZE, f.NAMES, f.CONTENT)
LINK: Final = _own(f.HASH, f.MODE, f.EXTRA, f.WRITTEN)
SESSION: Final = _own(f.SESSION_TAG, f.SESSION_ID, f.EXECUTIONS, f.OTHER_RECORDS)


def attributes_of(
    part: Mapping[str, Any], table: Mapping[str, str]
) -> Iterator[tuple[str, Value]]:
    """Yield the fields of a part of a document as attributes.

    Args:
        part: Storable values by the names of their fields.
        table: The attributes by the names of the fields; others are left out.

    >>> list(attributes_of({"name": "r0_to_dl1", "run": 1618}, ACTIVITY))
    [('http://www.w3.org/ns/prov#label', 'r0_to_dl1')]
    """
    for name, attribute in table.items():
        value = part.get(name)
        if name == f.SESSION_TAGS:
            yield from ((attribute, to_value(tag)) for tag in value or ())
        elif value is not None:
            yield attribute, to_value(value)


def part_of(
    attributes: Iterable[tuple[str, Value]], table: Mapping[str, str]
) -> dict[str, Any]:
    """Return the fields that attributes were made from.

    Raises:
        ValueError: An attribute holds no JSON where there should be some.

    >>> part_of([("urn:provdb:session_tag", "r0_to_dl1:01618")], ACTIVITY)
    {'session_tag': 'r0_to_dl1:01618'}
    """
    names = {attribute: name for name, attribute in table.items()}
    part: dict[str, Any] = {}
    for attribute, value in attributes:
        name = names.get(attribute)
        if name == f.SESSION_TAGS:
            part.setdefault(name, []).append(value_of(value))
        elif name is not None:
            part[name] = value_of(value)
    return part


def to_value(stored: Any) -> Value:
    """Return a storable value as the value of an attribute.

    >>> to_value("StoreImage"), to_value([1, 2])
    ('StoreImage', {'value': '[1,2]', 'type': 'urn:provdb:json'})
    """
    kind = type(stored)
    if (
        kind is str
        and stored
        and ((stored.isascii() and stored.isprintable()) or not _NO_XML.search(stored))
    ):
        return stored
    if kind is bool or is_plain_integer(stored):
        return stored
    if kind is float and math.isfinite(stored):
        return stored
    text = json.dumps(stored, sort_keys=True, separators=(",", ":"))
    return {"value": text, "type": _JSON}


def value_of(value: Value) -> Any:
    """Return the storable value that the value of an attribute was made from.

    Raises:
        ValueError: It is no JSON where it should be.
    """
    if isinstance(value, dict):
        is_json = value.get("type") == _JSON
        return json.loads(value["value"]) if is_json else value["value"]
    return value
