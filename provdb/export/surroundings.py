"""What stands around the steps of a lineage: agents, sessions and environments."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from provdb.export.details import Details
from provdb.export.kept import kept_in
from provdb.lineage import Lineage, LineageNode
from provdb.model import Document, execution_start, format_time, session_key
from provdb.model import fields as f
from provdb.model.attributes import SESSION, attributes_of, to_value
from provdb.model.qualified import PROPERTY, PROVDB, attribute_uri, uri_of
from provdb.model.statement import LABEL, ROLE, TYPE, Statement, Value, name_value
from provdb.model.values import decode_key

__all__ = ["answer", "environments", "operators", "said_as", "session_of", "sessions"]

Attributes = list[tuple[str, Value]]


class Names(Protocol):
    """The URIs of nodes by their ids."""

    def __getitem__(self, node: str, /) -> str:
        """Return the URI of a node."""
        ...


def operators(
    nodes: Iterable[LineageNode], names: Names, details: Details
) -> Iterator[Statement]:
    """Yield who ran the activities."""
    operators = [
        (node.id, agent)
        for node in nodes
        if (agent := details.activities.get(node.id, {}).get(f.AGENT)) is not None
    ]
    for agent in sorted({agent for _, agent in operators}):
        yield Statement(
            "agent", uri_of("agent", agent), (), ((LABEL, to_value(agent)),)
        )
    for activity, agent in sorted(operators):
        arguments = (("activity", names[activity]), ("agent", uri_of("agent", agent)))
        yield Statement("wasAssociatedWith", None, arguments, ((ROLE, "Operator"),))


def sessions(details: Details) -> Iterator[Statement]:
    """Yield the sessions, with the executions of them that the activities belong to."""
    starts: dict[str | None, set[str | None]] = {}
    for activity in details.activities.values():
        key = session_of(activity)
        starts.setdefault(key, set()).add(execution_start(activity))
    for key in sorted(details.sessions):
        session = details.sessions[key]
        executions = [
            entry | {f.START: format_time(entry[f.START])}
            if f.START in entry
            else entry
            for entry in session[f.EXECUTIONS]
            if key not in starts or execution_start(entry) in starts[key]
        ]
        others = [
            record
            for record in session.get(f.OTHER_RECORDS, ())
            if kept_in(record) is None
        ]
        if not executions and not others:
            continue
        told = {**session, f.EXECUTIONS: executions, f.OTHER_RECORDS: others or None}
        attributes: Attributes = [(TYPE, name_value(f"{PROVDB}ExecutionSession"))]
        attributes += attributes_of(told, SESSION)
        attributes += [
            (said_as(PROPERTY, name), to_value(value))
            for name, value in session[f.PROPERTIES].items()
        ]
        yield Statement("entity", uri_of("session", key), (), tuple(attributes))


def environments(details: Details) -> Iterator[Statement]:
    """Yield the environments that the activities ran in."""
    for digest in sorted(details.environments):
        yield _environment(details.environments[digest])


def _environment(environment: Document) -> Statement:
    attributes: Attributes = [(TYPE, name_value(f"{PROVDB}Environment"))]
    fields = (f.NODE, f.INTERPRETER, f.SYSTEM)
    table = {field: f"{PROVDB}{field}" for field in fields}
    attributes += attributes_of(environment, table)
    uri = uri_of("environment", environment[f.ID])
    return Statement("entity", uri, (), tuple(attributes))


def answer(lineage: Lineage, names: Names) -> Iterator[Statement]:
    """Yield what the lineage knows and what it does not know, as one entity.

    Nothing is said of what is no question of lineage or impact.
    """
    if lineage.question.get("direction") not in ("upstream", "downstream"):
        return
    known = lineage.completeness
    uris = {node.id: names[node.id] for node in lineage.nodes}

    def named(ids: Iterable[str], kind: str) -> list[Value]:
        return [name_value(uris.get(id_) or uri_of(kind, id_)) for id_ in ids]

    attributes: Attributes = [
        (TYPE, name_value(f"{PROVDB}Answer")),
        (LABEL, known.sentence),
        (f"{PROVDB}complete", known.is_complete),
        (f"{PROVDB}certain", known.is_certain),
        (f"{PROVDB}cut", known.is_cut),
        (f"{PROVDB}contested_count", known.contested),
        (f"{PROVDB}inferred_count", known.inferred),
    ]
    for key, values in (
        ("about", named([lineage.start] if lineage.start in uris else [], "entity")),
        ("gap", named(known.gaps, "entity")),
        ("mixed", named([id_ for id_, _ in known.mixed], "entity")),
        ("mixed_reason", [to_value(reason) for _, reason in known.mixed]),
        ("damaged_by", named(known.damaged, "activity")),
        ("incomplete", named(known.incomplete, "activity")),
        ("tie", [to_value(tie) for tie in known.ties]),
    ):
        attributes += [(f"{PROVDB}{key}", value) for value in values]
    uri = uri_of("answer", lineage.start or str(lineage.question.get("name", "")))
    yield Statement("entity", uri, (), tuple(attributes))


def session_of(activity: Document) -> str | None:
    """Return the id of the session of an activity, or None if it has none."""
    if activity.get(f.SESSION_ID) is None:
        return None
    return session_key(activity[f.SESSION_TAG], activity[f.SESSION_ID])


def said_as(namespace: str, key: str) -> str:
    """Return the attribute for a stored key of a mapping."""
    name = decode_key(key)
    is_text = isinstance(name, str) and not name.startswith("%")
    return attribute_uri(namespace, name if is_text else key)
