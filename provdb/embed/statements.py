"""All that a file came from as statements of PROV, whole enough to answer as before.

Beside what `provdb.export` states of a lineage stand the configuration files that its
steps used, with their contents, and where it matters what else its steps generated:
which of them replaced which is told by that. What holds a secret is masked, for files
are given away.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from provdb.export.details import Details
from provdb.export.statements import Names, statements_of
from provdb.files import used_copies
from provdb.lineage import Lineage
from provdb.model import Document
from provdb.model import fields as f
from provdb.model.attributes import FILE, LINK, attributes_of, to_value
from provdb.model.qualified import (
    PARAMETER,
    PROPERTY,
    PROVDB,
    attribute_name,
    is_uri,
    uri_of,
)
from provdb.model.statement import LOCATION, ROLE, TYPE, Statement, Value, name_value
from provdb.readers.embedded import PRODUCT
from provdb.secrets import redact
from provdb.secrets.texts import hints_at_secret
from provdb.store import Store

__all__ = ["masked", "whole_statements"]

_COPY: Final = name_value(f"{PROVDB}FileCopy")


def whole_statements(
    lineage: Lineage, details: Details, store: Store
) -> Iterator[Statement]:
    """Yield what a lineage states, and what it takes to answer the same elsewhere.

    Args:
        lineage: The lineage of a file, whole.
        details: The documents of its nodes.
        store: The store that gave both.
    """
    yield from statements_of(lineage, details)
    yield from _product(lineage, details)
    yield from _generated_beside(lineage, details)
    yield from _copies(details, store)


def _product(lineage: Lineage, details: Details) -> Iterator[Statement]:
    """Yield which entity the file is that carries the document."""
    product = next(node for node in lineage.nodes if node.id == lineage.start)
    where = (
        () if product.location is None else ((LOCATION, to_value(product.location)),)
    )
    yield Statement("entity", PRODUCT, (), where)
    ends = (
        ("specificEntity", PRODUCT),
        ("generalEntity", Names(lineage.nodes, details)[product.id]),
    )
    yield Statement("specializationOf", None, ends)


def masked(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Yield statements without the secrets in them, such as passwords.

    >>> password = Statement("entity", "urn:e", (), ((f"{PARAMETER}password", "p"),))
    >>> [one.attributes[0][1] for one in masked([password])]
    ['***']
    """
    for statement in statements:
        attributes = tuple(
            (name, _masked(name, value)) for name, value in statement.attributes
        )
        if attributes == statement.attributes:
            yield statement
        else:
            yield statement._replace(attributes=attributes)


def _masked(name: str, value: Value) -> Value:
    text = value["value"] if isinstance(value, dict) else value
    key = attribute_name(PARAMETER, name) or attribute_name(PROPERTY, name) or ""
    if name == f"{PROVDB}{f.CONTENT}" or not hints_at_secret(f"{key} {text}"):
        return value
    if isinstance(value, dict) and value.get("type") == f"{PROVDB}json":
        stored: Any = json.loads(text)
        found = redact({key: stored})[key]
        return value if found is stored else to_value(found)
    if not isinstance(text, str):
        return value
    found = redact({key: text})[key]
    if found == text:
        return value
    return {**value, "value": found} if isinstance(value, dict) else found


def _generated_beside(lineage: Lineage, details: Details) -> Iterator[Statement]:
    """Yield what steps generated beside their lineage, where the answer depends on it.

    A later execution of a step replaces an earlier one that generated the same: so of
    those that generated one entity all of it must be told. Nothing is said of the
    entities themselves, they are no part of what the file came from.
    """
    entities = {node.id: node.entity or "" for node in lineage.nodes}
    told: dict[str, set[str]] = {}
    for edge in lineage.edges:
        if edge.relation == "wasGeneratedBy":
            told.setdefault(edge.target, set()).add(entities[edge.source])
    steps = {
        id_: details.activities[id_]
        for id_ in sorted(told)
        if id_ in details.activities and not _is_of_others(details.activities[id_])
    }
    writers: dict[tuple[str | None, str], set[str]] = {}
    for id_, activity in steps.items():
        for link in activity[f.GENERATED]:
            place = (activity.get(f.NAME), link[f.ENTITY])
            writers.setdefault(place, set()).add(id_)
    contested = {id_ for ids in writers.values() if len(ids) > 1 for id_ in ids}
    for id_ in sorted(contested):
        for link in steps[id_][f.GENERATED]:
            if link[f.ENTITY] in told[id_]:
                continue
            ends = (
                ("entity", _entity_uri(link[f.ENTITY])),
                ("activity", uri_of("activity", id_)),
            )
            said: tuple[tuple[str, Value], ...] = tuple(attributes_of(link, LINK))
            if f.ROLE in link:
                said = ((ROLE, to_value(link[f.ROLE])), *said)
            yield Statement("wasGeneratedBy", None, ends, said)


def _is_of_others(activity: Document) -> bool:
    """Say whether others named the activity, who said all of it themselves."""
    is_own = activity.get(f.SESSION_TAG) or activity.get(f.SESSION_ID)
    return not is_own and is_uri(activity[f.ACTIVITY_ID])


def _entity_uri(id_: str) -> str:
    return id_ if is_uri(id_) else uri_of("entity", id_)


def _copies(details: Details, store: Store) -> Iterator[Statement]:
    """Yield the contents of the configuration files that the steps used."""
    activities = list(details.activities.values())
    tags = {activity[f.SESSION_TAG] for activity in activities}
    digests = set().union(*used_copies(store, activities).values())
    for activity in activities:
        digests |= {copy[f.ENTITY] for copy in activity.get(f.COPIES, ())}
    for document in details.entities.values():
        digests |= set(_configurations(document))
    for document in store.read(f.FILES, sorted(digests)):
        names = [
            {**name, f.SESSION_TAGS: here}
            for name in document[f.NAMES]
            if (here := [t for t in name[f.SESSION_TAGS] if t is None or t in tags])
        ]
        attributes = tuple(attributes_of({**document, f.NAMES: names}, FILE))
        uri = uri_of("file", document[f.ID])
        yield Statement("entity", uri, (), ((TYPE, _COPY), *attributes))


def _configurations(document: Document) -> Iterator[str]:
    """Yield the digests of configurations that an HDF5 file says it is made with."""
    for description in (document, *document.get(f.DESCRIPTIONS, ())):
        tables = description.get(f.EXTRA, {}).get("tables", ())
        for table in tables if isinstance(tables, list) else ():
            config = table.get("config") if isinstance(table, dict) else None
            if isinstance(config, str):
                yield config
