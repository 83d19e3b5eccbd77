"""Entity documents: a file, a collection or a value, and what it is derived from.

One entity may be described many times, under many session tags, mostly alike. What
is described alike is stored once, with the tags under which it was.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import tzinfo
from typing import Any, Final

from provdb.model import fields as f
from provdb.model.ids import location_id
from provdb.model.locations import canonical_alias, canonical_location
from provdb.model.names import file_facts, file_name
from provdb.model.naming_rules import (
    EVENTS,
    LEVELS,
    NAMING_RULES,
    SIMULATED_EVENTS,
    SIMULATION,
    NamingRules,
)
from provdb.model.qualified import is_uri
from provdb.model.records import (
    Field,
    Kind,
    Record,
    Table,
    identifier,
    kind_of,
    lay_out,
    restore,
    text,
    whole_number,
)
from provdb.model.values import (
    canonical,
    decode,
    encode,
    is_plain_integer,
    is_plain_text,
)

__all__ = [
    "COPY",
    "DESCRIPTION",
    "ENTITY_VERSION",
    "FIXED",
    "differ_in_tags_only",
    "entity_document",
    "entity_records",
    "is_copy_of",
    "is_file",
    "with_names",
    "with_tags_of",
]

ENTITY_VERSION: Final = 2
# What the record of a derivation says of a file that has the content of another one.
COPY: Final = "copy"
# What the record of an entity says that is one fixed thing, as W3C PROV has it: only
# named in relations, or described by a statement of PROV.
FIXED: Final = "fixed"

DESCRIPTION: Final = Table(
    Field(
        record="name",
        aliases=("entity_description",),
        document=f.NAME,
        convert=text,
    ),
    Field(record="filepath", aliases=("location",), document=f.LOCATION, convert=text),
    Field(record="real_path", document=f.REAL_PATH, convert=text),
    Field(record="type", document=f.TYPE, convert=text),
    Field(record="contentType", document=f.CONTENT_TYPE, convert=text),
    Field(record="size", document=f.SIZE, convert=whole_number),
    Field(record="hash", document=f.HASH, convert=text),
    Field(record="hash_type", document=f.HASH_TYPE, convert=text),
)
_SESSION_TAG: Final = Field(record="session_tag", document=f.SESSION_TAG, convert=text)
_RELATIONS: Final = (
    (
        Kind.DERIVATION,
        f.DERIVED_FROM,
        Table(
            Field(record="progenitor_id", document=f.ENTITY, convert=identifier),
            _SESSION_TAG,
        ),
    ),
    (
        Kind.MEMBERSHIP,
        f.MEMBERS,
        Table(
            Field(record="member_id", document=f.ENTITY, convert=identifier),
            _SESSION_TAG,
        ),
    ),
)
# What `_named` gives.
_NAMED: Final = frozenset(
    (
        *(f.LEVEL, f.RUN, f.SUBRUN, f.SIMULATION_RUN, f.TELESCOPE, f.STREAM),
        *(f.PARTICLE, f.DATA_KIND, f.DATE),
    )
)
# Types of lstosa's model whose id means something within one session only.
# A recorded pattern stands for all files that match it.
_WILD: Final = re.compile(r"[*?]")
_NO_FILE: Final = ("SetCollection", "PythonObject")
_RUNS: Final = 10**9
# Their runs are those of a simulation.
_SIMULATED: Final = (SIMULATION, SIMULATED_EVENTS)
# Fields of records, and of the metadata in a product, that hold another name of the
# file: the UUID of the product, a logical file name, a Rucio DID.
_ALIAS_FIELDS: Final = frozenset(
    (
        *("uuid", "product_id", "lfn", "logical_file_name", "did", "rucio_did"),
        *("CTA PRODUCT ID", "DATAID", "LFN"),
    )
)
# Fields that hold metadata: one mapping, or a list of them.
_METADATA: Final = ("reference_meta", "headers", "attributes")


def entity_document(records: Mapping[bytes, Record], *, zone: tzinfo) -> dict[str, Any]:
    """Return the document of one entity from the records about it.

    Args:
        records: Records that all have one ``entity_id``, by their canonical text
            (`records.distinct`).
        zone: Zone of times that name none.
    """
    by_text = records if len(records) == 1 else dict(sorted(records.items()))
    entity_id = str(next(iter(by_text.values()))["entity_id"])
    document: dict[str, Any] = {
        f.ID: entity_id,
        f.SCHEMA_VERSION: ENTITY_VERSION,
        f.SESSION_TAGS: [],
    }
    by_kind: dict[Kind, dict[bytes, Record]] = {}
    for key, record in by_text.items():
        by_kind.setdefault(kind_of(record), {})[key] = record
    descriptions = _descriptions(
        by_kind.get(Kind.ENTITY, {}).values(), entity_id=entity_id, zone=zone
    )
    if descriptions:
        *others, main = descriptions
        document |= main
        if others:
            document[f.DESCRIPTIONS] = others
    document |= _named(document, descriptions, NAMING_RULES)
    if is_file(document):
        document |= _identity(document, descriptions)
        if wild := _WILD.search(document[f.LOCATION]):
            folder = document[f.LOCATION][: wild.start()]
            document[f.PATTERN] = folder.rpartition("/")[0] or "/"
    if aliases := _aliases(descriptions):
        document[f.ALIASES] = aliases
    if is_uri(entity_id) and descriptions and all(map(_is_foreign, descriptions)):
        document[f.FIXED] = True
    unplaced = set()
    for kind, array, table in _RELATIONS:
        related = []
        for key, record in by_kind.get(kind, {}).items():
            part = lay_out(record, table, known={"entity_id": entity_id}, zone=zone)
            if f.ENTITY in part:
                related.append(part)
            else:
                unplaced.add(key)
        if related:
            document[array] = sorted(
                related, key=lambda part: (part[f.ENTITY], canonical(part))
            )
    if unplaced:
        document[f.OTHER_RECORDS] = [encode(by_text[key]) for key in sorted(unplaced)]
    return document


def entity_records(document: Mapping[str, Any]) -> list[Record]:
    """Return the records that an entity document was made from.

    The inverse of `entity_document`, order and repeats apart.
    """
    known: Record = {"entity_id": document[f.ID]}
    records = [
        restore(
            description,
            DESCRIPTION,
            known=known if tag is None else {**known, "session_tag": tag},
        )
        for description in (document, *document.get(f.DESCRIPTIONS, ()))
        for tag in description[f.SESSION_TAGS]
    ]
    for _, array, table in _RELATIONS:
        records += [
            restore(part, table, known=known) for part in document.get(array, ())
        ]
    return records + [decode(record) for record in document.get(f.OTHER_RECORDS, ())]


def differ_in_tags_only(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Say whether two documents describe one entity alike, under whichever tags."""
    tagless = {**one, f.SESSION_TAGS: other[f.SESSION_TAGS]}
    return tagless == other and bool(one[f.SESSION_TAGS] and other[f.SESSION_TAGS])


def with_tags_of(
    document: Mapping[str, Any], other: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an entity document with the tags of another one that is alike."""
    tags = {*document[f.SESSION_TAGS], *other[f.SESSION_TAGS]}
    return {**document, f.SESSION_TAGS: sorted(tags, key=_order_of_tag)}


def with_names(document: Mapping[str, Any], naming: NamingRules) -> dict[str, Any]:
    """Return an entity document with what its names say by some naming rules.

    Args:
        document: The document, by whichever naming rules.
        naming: The rules that count.

    >>> from provdb.model.naming_rules import naming_rules
    >>> rules = naming_rules([{"name": "sky", "file": "^sky_", "data_kind": "map"}])
    >>> with_names({"location": "/sky_1.fits", "date": "2020-01-17"}, rules)
    ... # doctest: +NORMALIZE_WHITESPACE
    {'location': '/sky_1.fits', 'level': None, 'run': None, 'subrun': None,
    'data_kind': 'map'}
    """
    others = {name: document[name] for name in document if name not in _NAMED}
    descriptions = (document, *document.get(f.DESCRIPTIONS, ()))
    return others | _named(document, descriptions, naming)


def is_file(document: Mapping[str, Any]) -> bool:
    """Say whether an entity is a file: one thing, whichever session names it.

    >>> is_file({"location": "/fefs/R0/20200117/", "type": "SetCollection"})
    False
    """
    return f.LOCATION in document and document.get(f.TYPE) not in _NO_FILE


def is_copy_of(document: Mapping[str, Any], others: Collection[str]) -> bool:
    """Say whether an entity is a copy of one of some others, as records say.

    >>> derived = {"entity": "446f45", "extra": {"copy": True}}
    >>> is_copy_of({"derived_from": [derived]}, ["446f45"])
    True
    """
    return any(
        part[f.ENTITY] in others and part.get(f.EXTRA, {}).get(COPY) is True
        for part in document.get(f.DERIVED_FROM, ())
    )


def _descriptions(
    records: Collection[Record], *, entity_id: str, zone: tzinfo
) -> list[dict[str, Any]]:
    """Return the different descriptions with their tags.

    The fullest comes last, and before it those without a name: what a file says of
    itself is long, and its pipeline says what it is.
    """
    parts: dict[bytes, dict[str, Any]] = {}
    tags: dict[bytes, set[str | None]] = {}
    is_one = len(records) == 1
    for record in records:
        known: Record = {"entity_id": entity_id}
        tag = record.get("session_tag")
        if is_plain_text(tag):
            known["session_tag"] = tag
        part = lay_out(record, DESCRIPTION, known=known, zone=zone)
        key = b"" if is_one else canonical(part)
        parts[key] = part
        tags.setdefault(key, set()).add(known.get("session_tag"))
    return [
        parts[key] | {f.SESSION_TAGS: sorted(tags[key], key=_order_of_tag)}
        for key in sorted(
            parts, key=lambda key: (f.NAME in parts[key], len(parts[key]), key)
        )
    ]


def _named(
    document: Mapping[str, Any],
    descriptions: Iterable[Mapping[str, Any]],
    naming: NamingRules,
) -> dict[str, Any]:
    """Return what the names of an entity say, and what it says itself otherwise.

    Level, run and subrun always stand in a document, the rest where it is known.
    """
    facts = file_facts(document.get(f.NAME), document.get(f.LOCATION), naming)
    level, run, subrun, telescope, stream, particle, data_kind, date, simulated = facts
    if level is None:
        level = _stated(descriptions, "data_level", LEVELS.__contains__)
        if level is not None and data_kind is None:
            data_kind = EVENTS
    named = {
        f.LEVEL: level,
        f.RUN: run,
        f.SUBRUN: subrun,
    }
    if run is None and simulated is None:
        number = _stated(descriptions, "observation_run", _is_run)
        is_simulated = particle is not None or data_kind in _SIMULATED
        if is_simulated:
            simulated = number
        else:
            named[f.RUN] = number
    for field, value in (
        (f.SIMULATION_RUN, simulated),
        (f.TELESCOPE, telescope),
        (f.STREAM, stream),
        (f.PARTICLE, particle),
        (f.DATA_KIND, data_kind),
        (f.DATE, date),
    ):
        if value is not None:
            named[field] = value
    return named


def _identity(
    document: Mapping[str, Any], descriptions: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the name of a file, and the id of its location if it has another id.

    The ids of pipelines are computed from the location as they spell it. What is
    behind a symbolic link is the same file; a link that led to several files in the
    course of time stands for none of them.
    """
    location = canonical_location(document[f.LOCATION])
    identity = {f.FILE_NAME: file_name(location)}
    real = {part[f.REAL_PATH] for part in descriptions if f.REAL_PATH in part}
    if len(real) == 1:
        location = canonical_location(real.pop())
    id_ = document[f.ID]
    # A URI names a thing that does not change, wherever it is.
    if not is_uri(id_) and (same_as := location_id(location)) != id_:
        identity[f.SAME_AS] = same_as
    return identity


def _aliases(descriptions: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the other names of a file that its descriptions hold, sorted."""
    found: set[str] = set()
    for description in descriptions:
        extra = description.get(f.EXTRA)
        if not extra:
            continue
        listed = extra.get(f.ALIASES)
        names = listed if isinstance(listed, list) else [listed]
        for metadata in (extra, *_metadata(extra)):
            names += [metadata[name] for name in _ALIAS_FIELDS.intersection(metadata)]
        found |= {canonical_alias(name) for name in names if is_plain_text(name)}
    return sorted(found - {""})


def _metadata(extra: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for name in _METADATA:
        value = extra.get(name)
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                yield part


def _is_foreign(description: Mapping[str, Any]) -> bool:
    """Say whether a description is from a PROV document of somebody else."""
    extra = description.get(f.EXTRA, {})
    return "prov" in extra or extra.get(FIXED) is True


def _stated(
    descriptions: Iterable[Mapping[str, Any]],
    name: str,
    is_known: Callable[[Any], bool],
) -> Any:
    """Return what a file says of itself where its name says nothing, or None."""
    said = [description.get(f.EXTRA, {}).get(name) for description in descriptions]
    return min(filter(is_known, said), default=None)


def _is_run(value: Any) -> bool:
    return is_plain_integer(value) and 0 < value < _RUNS


def _order_of_tag(tag: str | None) -> tuple[bool, str]:
    return tag is not None, tag or ""
