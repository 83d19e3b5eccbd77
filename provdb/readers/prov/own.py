"""Statements that provdb wrote, as the records that they were made of.

What follows from other statements, as which activity informed which, is not read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from provdb.model import Document, Kind, Record, kind_of
from provdb.model import fields as f
from provdb.model.activity import activity_records
from provdb.model.attributes import (
    ACTIVITY,
    ENTITY,
    FILE,
    INFERRED,
    LINK,
    SESSION,
    part_of,
    value_of,
)
from provdb.model.entity import entity_records
from provdb.model.file import file_records, with_content
from provdb.model.qualified import (
    IVOA,
    PARAMETER,
    PROPERTY,
    PROV,
    PROVDB,
    QualifiedId,
    attribute_name,
    parse_uri,
)
from provdb.model.session import session_records, with_environment
from provdb.model.statement import ROLE, Statement, Value
from provdb.model.times import parse_time
from provdb.model.values import encode_key

__all__ = ["OwnDocument"]

_KINDS: Final = (
    *("activity", "agent", "answer", "entity", "environment"),
    *("file", "part", "product", "session"),
)
_LINKS: Final = {
    "used": f.USED,
    "wasGeneratedBy": f.GENERATED,
    "wasInvalidatedBy": f.INVALIDATED,
}
_SOURCES: Final = {
    "wasDerivedFrom": (f.DERIVED_FROM, "generatedEntity", "usedEntity"),
    "hadMember": (f.MEMBERS, "collection", "entity"),
}
# Nothing that is not said elsewhere.
_IMPLIED: Final = {
    "wasInformedBy": ("informed", "informant"),
    "wasStartedBy": ("activity", "starter"),
    "wasAssociatedWith": ("activity", "agent"),
    "specializationOf": ("specificEntity",),
    "wasInfluencedBy": ("influencee", "influencer"),
}
# What a definition declares, which is read from the definition.
_DECLARED: Final = (
    *("activityDescription", "entityDescription", "usageDescription"),
    *("generationDescription", "parameter", "parameterDescription"),
)
_SYSTEM: Final = {f.SYSTEM: f"{PROVDB}{f.SYSTEM}"}


class OwnDocument:
    """Takes the statements that provdb wrote, and gives their records."""

    def __init__(self) -> None:
        """Start with no statement."""
        self._elements: dict[str, list[Statement]] = {}
        self._links: dict[str, list[Statement]] = {}
        self._sources: dict[str, list[Statement]] = {}

    def takes(self, statement: Statement) -> bool:
        """Take a statement if provdb wrote it, and say whether it did."""
        if statement.bundle is not None:
            return False
        kind, id_ = statement.kind, statement.id
        if kind in ("entity", "activity", "agent"):
            if id_ is None or not _is_own(statement):
                return False
            self._elements.setdefault(id_, []).append(statement)
            return True
        if id_ is not None or any(name == "time" for name, _ in statement.arguments):
            return False
        if kind in _LINKS and _names_own(statement, ("activity",)):
            if statement.argument("entity") is None or not _is_plain(statement):
                return False
            if not statement.values(INFERRED):
                activity = statement.argument("activity") or ""
                self._links.setdefault(activity, []).append(statement)
            return True
        if kind == "hadMember" and _is_part(statement.argument("entity") or ""):
            return True  # The activities of the parts generated the whole.
        if kind in _SOURCES and _names_own(statement, _SOURCES[kind][1:2]):
            _, one, other = _SOURCES[kind]
            if statement.argument(other) is None or not _is_plain(statement):
                return False
            self._sources.setdefault(statement.argument(one) or "", []).append(
                statement
            )
            return True
        return kind in _IMPLIED and _names_own(statement, _IMPLIED[kind])

    def records(
        self, *, on_problem: Callable[[Statement, str], None]
    ) -> Iterator[Record]:
        """Yield the records of all statements that were taken.

        Args:
            on_problem: Is told of each statement that somebody damaged.
        """
        environments = self._beside("environment", _SYSTEM, on_problem)
        files = self._beside("file", FILE, on_problem)
        for uri in {**self._elements, **self._links, **self._sources}:
            statements = self._elements.get(uri) or [Statement("entity", uri)]
            for statement in statements:
                try:
                    yield from (
                        _whole(record, files)
                        for record in self._records_of(uri, statement, environments)
                    )
                except (ValueError, TypeError, LookupError, AttributeError) as error:
                    on_problem(statement, f"it was changed by others: {error}")

    def _records_of(
        self, uri: str, statement: Statement, environments: dict[str, Document]
    ) -> list[Record]:
        named = parse_uri(uri)
        kind = statement.kind if named is None else named.kind
        if uri in self._links:
            kind = "activity"
        if kind == "activity":
            document = self._activity(uri, statement)
            return [*activity_records(document), *_places(document)]
        if kind == "session":
            return _session(statement, environments)
        if kind == "entity":
            return entity_records(self._entity(uri, statement))
        if named is not None and kind == "file":
            return file_records(_file(named.id, part_of(statement.attributes, FILE)))
        return []

    def _activity(self, uri: str, statement: Statement) -> Document:
        said = part_of(statement.attributes, ACTIVITY)
        document: Document = {
            f.SESSION_TAG: None,
            f.SESSION_ID: None,
            f.ACTIVITY_ID: _id_of(uri),
            f.PARAMETERS: dict(_named(statement.attributes, PARAMETER)),
            f.USED: [],
            f.GENERATED: [],
            f.INVALIDATED: [],
            **said,
        }
        for argument, field in (("startTime", f.START), ("endTime", f.END)):
            time = parse_time(statement.argument(argument), zone=UTC)
            if time is not None:
                document[field] = time
        for link in self._links.get(uri, ()):
            entry: Document = {f.ENTITY: _id_of(link.argument("entity") or "")}
            role = link.value(ROLE)
            if role is not None:
                entry[f.ROLE] = value_of(role)
            entry |= part_of(link.attributes, LINK)
            if entry not in document[_LINKS[link.kind]]:
                document[_LINKS[link.kind]].append(entry)
        return document

    def _entity(self, uri: str, statement: Statement) -> Document:
        said = part_of(statement.attributes, ENTITY)
        document: Document = {f.ID: _id_of(uri), f.SESSION_TAGS: [], **said}
        for relation in self._sources.get(uri, ()):
            if relation.values(INFERRED):
                continue
            field, _, other = _SOURCES[relation.kind]
            target = _id_of(relation.argument(other) or "")
            entries = document.setdefault(field, [])
            if not any(entry[f.ENTITY] == target for entry in entries):
                entries.append({f.ENTITY: target})
        return document

    def _beside(
        self,
        kind: str,
        table: Mapping[str, str],
        on_problem: Callable[[Statement, str], None],
    ) -> dict[str, Document]:
        """Return what is said of all elements of a kind that others refer to."""
        found: dict[str, Document] = {}
        for uri, statements in self._elements.items():
            named = parse_uri(uri)
            if named is not None and named.kind == kind:
                try:
                    found[named.id] = part_of(statements[0].attributes, table)
                except ValueError as error:
                    on_problem(statements[0], f"it was changed by others: {error}")
        return found


def _places(document: Document) -> Iterator[Record]:
    """Yield where the records of an activity stood, if the document says it."""
    if f.RECORDED not in document:
        return
    record: Record = {
        "activity_id": document[f.ACTIVITY_ID],
        "recorded": document[f.RECORDED],
    }
    if document[f.SESSION_TAG] is not None:
        record["session_tag"] = document[f.SESSION_TAG]
    if kind_of(record) is not Kind.RECORDED:
        raise ValueError("its places are not places")
    yield record


def _file(digest: str, said: Document) -> Document:
    return {f.ID: digest, f.SIZE: None, f.NAMES: [], **said}


def _whole(record: Record, files: Mapping[str, Document]) -> Record:
    """Return a record with the content of the file that it is about, if it had one."""
    file = files.get(str(record.get("file_id")), {})
    return (
        with_content(record, {record["file_id"]: file}) if f.CONTENT in file else record
    )


def _session(statement: Statement, environments: dict[str, Document]) -> list[Record]:
    document: Document = {
        f.SESSION_TAG: None,
        f.SESSION_ID: None,
        f.EXECUTIONS: [],
        **part_of(statement.attributes, SESSION),
        f.PROPERTIES: dict(_named(statement.attributes, PROPERTY)),
    }
    for entry in document[f.EXECUTIONS]:
        if f.START in entry:
            entry[f.START] = datetime.fromisoformat(entry[f.START])
        if f.SYSTEM not in environments.get(entry.get(f.ENVIRONMENT), {}):
            entry.pop(f.ENVIRONMENT, None)
    sessions, others = session_records(document)
    return [with_environment(session, environments) for session in sessions] + others


def _named(
    attributes: Iterable[tuple[str, Value]], namespace: str
) -> Iterator[tuple[str, Any]]:
    """Yield the names, as they are stored, and values of the attributes of one kind."""
    for attribute, value in attributes:
        name = attribute_name(namespace, attribute)
        if name is not None:
            stored = name if name.startswith("%") else encode_key(name)
            yield stored, value_of(value)


def _id_of(uri: str) -> str:
    named = parse_uri(uri)
    return uri if named is None or named.kind not in _KINDS else named.id


def _is_part(uri: str) -> bool:
    named = parse_uri(uri)
    return named is not None and named.kind == "part"


def _is_own(statement: Statement) -> bool:
    if any(attribute.startswith(PROVDB) for attribute, _ in statement.attributes):
        return True
    named = _own_name(statement.id or "")
    is_of_others = any(
        not attribute.startswith((PROV, IVOA)) for attribute, _ in statement.attributes
    )
    return named is not None and not (named.kind == "entity" and is_of_others)


def _own_name(uri: str) -> QualifiedId | None:
    named = parse_uri(uri)
    is_own = named is not None and named.kind in (*_KINDS, *_DECLARED)
    return named if is_own else None


def _names_own(statement: Statement, arguments: Iterable[str]) -> bool:
    return all(
        _own_name(statement.argument(argument) or "") is not None
        for argument in arguments
    )


def _is_plain(statement: Statement) -> bool:
    return len(statement.arguments) == 2 and all(
        attribute == ROLE or attribute.startswith(PROVDB)
        for attribute, _ in statement.attributes
    )
