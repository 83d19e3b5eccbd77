"""Statements of others as records: what a lineage knows, and each statement itself.

A statement that says more than the record it makes is kept in it under ``prov``. One
that makes no record of its own stands with what it is about first: an activity, or an
entity. Agents are kept as entities are, for they are named by everybody alike.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from provdb.model import Record
from provdb.model.entity import FIXED
from provdb.model.qualified import PROV, parse_uri
from provdb.model.statement import ELEMENTS, LABEL, LOCATION, ROLE, Statement, Value
from provdb.model.values import canonical

__all__ = ["AGENT", "foreign_records", "kept_statement", "plain_id"]

AGENT: Final = "Agent"
_LINKS: Final = {
    "used": "used",
    "wasGeneratedBy": "generated",
    "wasInvalidatedBy": "invalidated",
}
_SOURCES: Final = {
    "wasDerivedFrom": ("generatedEntity", "usedEntity", "progenitor_id"),
    "hadMember": ("collection", "entity", "member_id"),
}
# What the arguments of relations are, by their names.
_ENTITIES: Final = (
    *("entity", "trigger", "generatedEntity", "usedEntity", "collection", "plan"),
    *("specificEntity", "generalEntity", "alternate1", "alternate2"),
)
_AGENTS: Final = ("agent", "delegate", "responsible")
_ACTIVITIES: Final = ("activity", "informed", "informant", "starter", "ender")
# The first argument of these is an activity.
_OF_ACTIVITY: Final = (
    *("used", "wasStartedBy", "wasEndedBy"),
    *("wasInformedBy", "wasAssociatedWith"),
)
_LAST_PART: Final = re.compile(r"[^/#:]+(?=[/#:]*$)")


def foreign_records(statements: Sequence[Statement]) -> Iterator[Record]:
    """Yield the records of statements that anybody wrote.

    >>> used = Statement("used", None, (("activity", "http://example.org/step"),
    ...     ("entity", "http://example.org/dl1")), ((ROLE, "input"),))
    >>> start, usage, entity = foreign_records([used])
    >>> usage["used_role"], entity["entity_id"], start["status"]
    ('input', 'http://example.org/dl1', 'unknown')
    """
    activities = _activities(statements)
    for uri, times in activities.items():
        yield from _activity(uri, times, statements)
    for statement in statements:
        if statement.kind != "activity":
            yield _record(statement, activities)
    for uri, is_agent in _named_only(statements):
        record: Record = {"entity_id": uri, "name": _name(uri), FIXED: True}
        yield record | {"type": AGENT} if is_agent else record


def kept_statement(kept: Any) -> Statement:
    """Return the statement that was kept in a record.

    Args:
        kept: What the record has under ``prov``.
    """
    return Statement(
        kept["kind"],
        kept.get("id"),
        tuple(kept.get("arguments", {}).items()),
        tuple((name, value) for name, value in kept.get("attributes", ())),
        kept.get("bundle"),
    )


def plain_id(uri: str) -> str:
    """Return the id under which a thing is stored.

    >>> plain_id("urn:provdb:entity-446f45.9c3006f3f024"), plain_id("http://a.org/dl1")
    ('446f45', 'http://a.org/dl1')
    """
    named = parse_uri(uri)
    return named.id if named is not None and named.kind == "entity" else uri


def _activities(statements: Iterable[Statement]) -> dict[str, dict[str, str]]:
    """Return all activities that are named, with what is said of their times."""
    activities: dict[str, dict[str, str]] = {}
    for statement in statements:
        if statement.kind == "activity":
            times = activities.setdefault(statement.id or "", {})
            for name, time in statement.arguments:
                times.setdefault(name, time)
    for statement in statements:
        for name, uri in statement.arguments:
            is_first = statement.kind in (*_OF_ACTIVITY, *_LINKS)
            if name in _ACTIVITIES and (is_first or parse_uri(uri) is None):
                activities.setdefault(uri, {})
    return activities


def _named_only(statements: Iterable[Statement]) -> list[tuple[str, bool]]:
    """Return what relations name and no statement describes: entities and agents.

    What provdb itself named is described elsewhere.

    Returns:
        The URI of each, and whether it is an agent.
    """
    named: dict[str, bool] = {}
    described: set[str | None] = set()
    for statement in statements:
        if statement.kind in ELEMENTS:
            described.add(statement.id)
            continue
        for name, uri in statement.arguments:
            is_agent = name in _AGENTS
            if (is_agent or name in _ENTITIES) and parse_uri(uri) is None:
                named[uri] = is_agent or named.get(uri, False)
    return [(uri, named[uri]) for uri in named if uri not in described]


def _activity(
    uri: str, times: dict[str, str], statements: Iterable[Statement]
) -> Iterator[Record]:
    start: Record = {"activity_id": uri, "name": _name(uri)}
    if "startTime" in times:
        start["startTime"] = times["startTime"]
    described = [s for s in statements if s.kind == "activity" and s.id == uri]
    for statement in described:
        name = _said(statement, LABEL) or start["name"]
        yield {**start, "name": name, "prov": _kept(statement)}
    if not described:
        yield {**start, "status": "unknown"}
    if "endTime" in times:
        yield {"activity_id": uri, "endTime": times["endTime"]}


def _record(statement: Statement, activities: Iterable[str]) -> Record:
    kind = statement.kind
    if kind in ELEMENTS:
        return _element(statement)
    if kind in _LINKS:
        activity, entity = statement.argument("activity"), statement.argument("entity")
        if activity is not None and entity is not None:
            return _link(statement, activity, entity)
    if kind in _SOURCES:
        first, second, field = _SOURCES[kind]
        one, other = statement.argument(first), statement.argument(second)
        if one is not None and other is not None:
            record: Record = {"entity_id": plain_id(one), field: plain_id(other)}
            return record if _is_plain(statement) else record | _kept_in(statement)
    return _other(statement, activities)


def _element(statement: Statement) -> Record:
    uri = statement.id or ""
    name, place = _said(statement, LABEL), _said(statement, LOCATION)
    record: Record = {"entity_id": plain_id(uri), "name": name or _name(uri)}
    if place is not None:
        record["filepath"] = place
    if statement.kind == "agent":
        record["type"] = AGENT
    return record | _kept_in(statement)


def _link(statement: Statement, activity: str, entity: str) -> Record:
    relation = _LINKS[statement.kind]
    record: Record = {"activity_id": activity, f"{relation}_id": plain_id(entity)}
    role = _said(statement, ROLE)
    if role is not None:
        record[f"{relation}_role"] = role
    return record if _is_plain(statement) else record | _kept_in(statement)


def _other(statement: Statement, activities: Iterable[str]) -> Record:
    """Return a record of what no lineage knows, where what it is about is kept."""
    first, subject = next(iter(statement.arguments), ("", ""))
    if first in ("", "time"):
        return _kept_in(statement)
    if statement.kind in _OF_ACTIVITY or subject in activities:
        return {"activity_id": subject, **_kept_in(statement)}
    record: Record = {"entity_id": plain_id(subject), **_kept_in(statement)}
    return record | {"type": AGENT} if first == "delegate" else record


def _is_plain(statement: Statement) -> bool:
    """Say whether a relation says nothing but what its record does."""
    roles = [value for name, value in statement.attributes if name == ROLE]
    return (
        statement.id is None
        and statement.bundle is None
        and len(statement.arguments) == 2
        and len(roles) == len(statement.attributes) <= 1
        and all(isinstance(role, str) for role in roles)
    )


def _kept_in(statement: Statement) -> Record:
    return {"prov": _kept(statement)}


def _kept(statement: Statement) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "kind": statement.kind,
        "id": statement.id,
        "arguments": dict(statement.arguments),
        # Documents have them in any order.
        "attributes": sorted(map(list, statement.attributes), key=canonical),
        "bundle": statement.bundle,
    }
    return {key: value for key, value in kept.items() if value}


def _said(statement: Statement, attribute: str) -> str | None:
    """Return one value of an attribute as a text: of several one of no language."""
    values = sorted(statement.values(attribute), key=_order_of_value)
    if not values:
        return None
    if not isinstance(values[0], dict):
        return str(values[0])
    text = str(values[0]["value"])
    return _name(text) if values[0].get("type") == f"{PROV}QUALIFIED_NAME" else text


def _order_of_value(value: Value) -> tuple[bool, bytes]:
    return isinstance(value, dict) and "lang" in value, canonical(value)


def _name(uri: str) -> str:
    """Return the last part of a URI, to be read by people."""
    named = _LAST_PART.search(uri)
    return uri if named is None else named.group()
