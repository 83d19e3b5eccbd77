"""A lineage as statements of W3C PROV, with what the documents say of its nodes.

Each node is one element and each edge one relation. Beside them stand what a lineage
does not show: agents, sessions and environments.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from provdb.export.declared import Declared
from provdb.export.details import Details
from provdb.export.ivoa import ivoa_statements
from provdb.export.kept import (
    is_all_kept,
    kept_beside,
    kept_elements,
    kept_of,
)
from provdb.export.surroundings import (
    answer,
    environments,
    operators,
    said_as,
    session_of,
    sessions,
)
from provdb.lineage import Lineage, LineageEdge, LineageNode
from provdb.lineage.result import order_of_node
from provdb.model import Document, format_time
from provdb.model import fields as f
from provdb.model.attributes import (
    ACTIVITY,
    ENTITY,
    EVIDENCE,
    INFERRED,
    LINK,
    attributes_of,
    to_value,
)
from provdb.model.qualified import (
    PARAMETER,
    PROV,
    PROVDB,
    is_uri,
    uri_of,
)
from provdb.model.statement import (
    LOCATION,
    ROLE,
    TYPE,
    Statement,
    Value,
    name_value,
)

__all__ = ["Names", "statements_of"]

Attributes = list[tuple[str, Value]]
_Place = tuple[str | None, str | None]

_NOTHING_SAID: Final[tuple[Document, ...]] = ({},)
_RULE: Final = f"{PROVDB}rule"
_TIME_CONFLICT: Final = f"{PROVDB}time_conflict"
_MARK: Final = f"{PROVDB}mark"
_DAMAGED_BY: Final = f"{PROVDB}damaged_by"
_PART: Final = name_value(f"{PROVDB}Part")
_COLLECTION: Final = name_value(f"{PROV}Collection")
_OF_ACTIVITY: Final = ("status", "run", "subrun")
_OF_ENTITY: Final = ("level", "run", "subrun", "version", "status", "origin")
_SOURCES: Final = {"wasDerivedFrom": f.DERIVED_FROM, "hadMember": f.MEMBERS}
_ENDS: Final = {
    "used": ("activity", "entity"),
    "wasGeneratedBy": ("entity", "activity"),
    "wasDerivedFrom": ("generatedEntity", "usedEntity"),
    "hadMember": ("collection", "entity"),
}


class Names:
    """The URIs of nodes.

    Attributes:
        given: Those that others gave, by the ids of the nodes.
    """

    def __init__(
        self,
        nodes: Iterable[LineageNode],
        details: Details,
        edges: Iterable[LineageEdge] = (),
    ) -> None:
        """Name each node by an id that it has elsewhere, or by its own.

        Args:
            nodes: The nodes.
            details: Their documents.
            edges: The edges, which tell what was written in parts.
        """
        by_id = {node.id: node for node in nodes}
        given = {id_: _given_name(node, details) for id_, node in by_id.items()}
        count = Counter(given.values())
        self.given = {
            id_: name
            for id_, name in given.items()
            if name is not None and count[name] == 1
        }
        self._uris = {
            id_: self.given.get(id_) or _own_name(node) for id_, node in by_id.items()
        }
        self._parts = {
            id_: {
                writer: uri_of("part", by_id[id_].entity or id_, writer)
                for writer in sorted(writers)
            }
            for id_, writers in _writers(edges).items()
            if len(writers) > 1 and _is_in_parts(by_id[id_], details)
        }

    def __getitem__(self, node: str) -> str:
        """Return the URI of a node, by its id."""
        return self._uris[node]

    def get(self, node: str) -> str | None:
        """Return the URI of a node, or None if there is no such node."""
        return self._uris.get(node)

    def parts(self, node: str) -> Mapping[str, str]:
        """Return the URIs of the parts of a version by the activities that wrote them.

        There are none of a version that one activity wrote: it has no parts.
        """
        return self._parts.get(node, {})

    def uris(self) -> set[str]:
        """Return the URIs of all nodes."""
        return set(self._uris.values())


def statements_of(
    lineage: Lineage, details: Details, *, definition: Declared | None = None
) -> Iterator[Statement]:
    """Yield what a lineage states: its nodes, its edges, and whom they go back to.

    Args:
        lineage: The lineage.
        details: The documents of its nodes.
        definition: What is declared of the steps, or None.
    """
    names = Names(lineage.nodes, details, lineage.edges)
    nodes = {node.id: node for node in lineage.nodes}
    edges = sorted(lineage.edges, key=_order_of_edge)
    sources: dict[str, list[LineageEdge]] = {}
    for edge in edges:
        if edge.relation in _SOURCES:
            sources.setdefault(edge.source, []).append(edge)
    links = _Links(details)
    tags = {node.session_tag for node in lineage.nodes if node.kind == "activity"}
    for node in sorted(lineage.nodes, key=order_of_node):
        if node.kind == "activity":
            own = _activity(node, names, details)
            document = details.activities.get(node.id, {})
        else:
            document = _document_of(node, details, tags=tags)
            direct = sources.get(node.id, ())
            document |= _sources(direct, document, nodes=nodes)
            own = _entity(node, names, document, late=_late_members(direct, names))
        yield from _elements(node, own, names, document)
        yield from _parts(node, names)
        if node.members and node.kind != "activity":
            yield from _members(node, lineage, details, tags=tags)
    generated: set[tuple[str, str, str | None]] = set()
    for edge in edges:
        part = names.parts(edge.source).get(edge.target)
        if part is not None:
            # One part may be in many versions of its file.
            if (part, edge.target, edge.role) in generated:
                continue
            generated.add((part, edge.target, edge.role))
        yield from _relations(edge, names, links, nodes=nodes)
    yield from _invalidations(lineage.nodes, names, details)
    yield from _communications(edges, names)
    yield from _starters(lineage.nodes, names, details)
    is_everything = lineage.question.get("tag") == "*"
    yield from kept_beside(details, names.uris(), is_everything=is_everything)
    yield from operators(lineage.nodes, names, details)
    yield from sessions(details)
    yield from environments(details)
    yield from answer(lineage, names)
    if definition is not None:
        yield from ivoa_statements(lineage, details, definition, names)


def _elements(
    node: LineageNode, own: Statement, names: Names, document: Document
) -> Iterator[Statement]:
    """Yield what states a node: provdb itself, or who gave it its name, or both."""
    kept = kept_elements(document)
    if node.kind != "agent" and not (
        kept and node.id in names.given and is_all_kept(document)
    ):
        yield own
        for general in sorted({str(one.id) for one in kept} - {names[node.id]}):
            ends = (("specificEntity", names[node.id]), ("generalEntity", general))
            if node.kind != "activity":
                yield Statement("specializationOf", None, ends)
    yield from kept


def _activity(node: LineageNode, names: Names, details: Details) -> Statement:
    document = details.activities.get(node.id, _said_by(node))
    attributes: Attributes = list(attributes_of(document, ACTIVITY))
    attributes += [*_of_node(node, _OF_ACTIVITY), *_marks(node.marks)]
    if f.NODE in document:
        attributes.append((f"{PROVDB}{f.NODE}", to_value(document[f.NODE])))
    attributes += _of_many(node)
    attributes += [
        (f"{PROVDB}member", name_value(uri_of("activity", member)))
        for member in node.members
    ]
    attributes += [
        (said_as(PARAMETER, key), to_value(value))
        for key, value in document.get(f.PARAMETERS, {}).items()
    ]
    for field, kind, id_ in (
        ("session", "session", session_of(document)),
        (f.ENVIRONMENT, "environment", document.get(f.ENVIRONMENT)),
    ):
        if id_ is not None:
            attributes.append((f"{PROVDB}{field}", name_value(uri_of(kind, id_))))
    times = (("startTime", node.start), ("endTime", node.end))
    arguments = [(name, format_time(time)) for name, time in times if time is not None]
    return Statement("activity", names[node.id], tuple(arguments), tuple(attributes))


def _entity(
    node: LineageNode, names: Names, document: Document, *, late: Attributes
) -> Statement:
    attributes: Attributes = list(attributes_of(document, ENTITY))
    if node.kind == "collection" or names.parts(node.id):
        attributes.append((TYPE, _COLLECTION))
    attributes += [*_of_node(node, _OF_ENTITY), *_marks(node.marks)]
    attributes += [*_of_many(node), *late]
    return Statement("entity", names[node.id], (), tuple(attributes))


def _parts(node: LineageNode, names: Names) -> Iterator[Statement]:
    """Yield what several activities wrote of one version, as members of it.

    An entity of W3C PROV is generated once.
    """
    place = () if node.location is None else ((LOCATION, to_value(node.location)),)
    for part in names.parts(node.id).values():
        yield Statement("entity", part, (), ((TYPE, _PART), *place))
        ends = (("collection", names[node.id]), ("entity", part))
        yield Statement("hadMember", None, ends)


def _members(
    node: LineageNode, lineage: Lineage, details: Details, *, tags: set[str | None]
) -> Iterator[Statement]:
    """Yield the entities that a collapsed one stands for, as its members."""
    members = lineage.members(node)
    names = Names(members, details)
    for member in members:
        document = _document_of(member, details, tags=tags)
        yield _entity(member, names, document, late=[])
    for member in members:
        ends = (("collection", _own_name(node)), ("entity", names[member.id]))
        yield Statement("hadMember", None, ends)


def _document_of(
    node: LineageNode, details: Details, *, tags: set[str | None]
) -> Document:
    """Return the document of an entity, without what is said of it elsewhere."""
    document = dict(details.entities.get(node.entity or "", _said_by(node)))
    document |= {field: None for field in _SOURCES.values()}
    here = [tag for tag in document.get(f.SESSION_TAGS, ()) if tag in tags]
    if here:
        document[f.SESSION_TAGS] = here
    return document


def _sources(
    edges: Iterable[LineageEdge],
    document: Document,
    *,
    nodes: Mapping[str, LineageNode],
) -> Document:
    """Return what records say of the derivations and members of an entity."""
    said: Document = {}
    for relation, field in _SOURCES.items():
        targets = {
            nodes[edge.target].entity
            for edge in edges
            if edge.relation == relation and not edge.is_inferred
        }
        entries = [e for e in document.get(field) or () if e[f.ENTITY] in targets]
        if any(len(entry) > 1 for entry in entries):
            said[field] = entries
    return said


def _late_members(edges: Iterable[LineageEdge], names: Names) -> Attributes:
    # A membership has no attributes of its own.
    return [
        (f"{PROVDB}late_member", name_value(names[edge.target]))
        for edge in edges
        if edge.relation == "hadMember" and edge.time_conflict
    ]


class _Links:
    """What documents say of each usage, generation, derivation and membership."""

    def __init__(self, details: Details) -> None:
        self._details = details
        self._found: dict[tuple[str | None, str], dict[_Place, list[Document]]] = {}

    def of(
        self, edge: LineageEdge, nodes: Mapping[str, LineageNode]
    ) -> Iterable[Document]:
        """Return what is said of an edge: once for each record that states it."""
        relation = edge.relation
        place: _Place = (nodes[edge.target].entity, edge.role)
        if relation in _SOURCES:
            subject, field = nodes[edge.source].entity, _SOURCES[relation]
        elif relation == "used":
            subject, field = edge.source, f.USED
        else:
            subject, field = edge.target, f.GENERATED
            place = (nodes[edge.source].entity, edge.role)
        found = self._found.get((subject, field))
        if found is None:
            found = self._found[subject, field] = {}
            documents = self._details.entities
            if relation not in _SOURCES:
                documents = self._details.activities
            for link in documents.get(subject or "", {}).get(field, ()):
                at = (link[f.ENTITY], link.get(f.ROLE))
                found.setdefault(at, []).append(link)
        return found.get(place, _NOTHING_SAID)


def _relations(
    edge: LineageEdge,
    names: Names,
    links: _Links,
    *,
    nodes: Mapping[str, LineageNode],
) -> Iterator[Statement]:
    """Yield an edge as a relation: one for each record that states it."""
    source, target = _ENDS[edge.relation]
    generated = names.parts(edge.source).get(edge.target, names[edge.source])
    arguments = ((source, generated), (target, names[edge.target]))
    said = tuple(_said_of(edge, names))
    is_source = edge.relation in _SOURCES
    stated: list[Statement] = []
    for link in links.of(edge, nodes) if not edge.is_inferred else _NOTHING_SAID:
        kept = kept_of(link) if f.EXTRA in link else None
        if kept is None or not set(arguments) <= set(kept.arguments):
            attributes = said
            if len(link) > 1 + (f.ROLE in link) and not is_source:
                attributes += tuple(attributes_of(link, LINK))
            own = Statement(edge.relation, None, arguments, attributes)
            if own not in stated:
                stated.append(own)
        if kept is not None:
            yield kept
    yield from stated


def _said_of(edge: LineageEdge, names: Names) -> Iterator[tuple[str, Value]]:
    """Yield the attributes of an edge: its role, how it is known, what is in doubt."""
    if edge.role is not None:
        yield ROLE, to_value(edge.role)
    if edge.is_inferred:
        yield INFERRED, True
    if edge.rule is not None:
        yield _RULE, to_value(edge.rule)
    if edge.relation == "hadMember":
        return  # A membership has no attributes of its own.
    if edge.time_conflict:
        yield _TIME_CONFLICT, True
    is_of_others = {edge.source, edge.target} <= names.given.keys()
    if not is_of_others or edge.is_inferred or edge.marks:
        yield EVIDENCE, edge.evidence
    yield from _marks(edge.marks)
    for activity in edge.damaged_by:
        uri = names.get(activity) or uri_of("activity", activity)
        yield _DAMAGED_BY, name_value(uri)


def _marks(marks: Iterable[str]) -> Iterator[tuple[str, Value]]:
    return ((_MARK, mark) for mark in marks)


def _invalidations(
    nodes: Iterable[LineageNode], names: Names, details: Details
) -> Iterator[Statement]:
    """Yield what activities removed, as a move does.

    Which version it was is said only if the lineage has no other one.
    """
    uris: dict[str, set[str]] = {}
    for node in nodes:
        if node.entity is not None:
            uris.setdefault(node.entity, set()).add(names[node.id])
    for node in nodes:
        for link in details.activities.get(node.id, {}).get(f.INVALIDATED, ()):
            if kept_of(link) is not None:
                continue
            entity = link[f.ENTITY]
            own = entity if is_uri(entity) else uri_of("entity", entity)
            known = uris.get(entity, set())
            ends = (
                ("entity", min(known) if len(known) == 1 else own),
                ("activity", names[node.id]),
            )
            said: Attributes = list(attributes_of(link, LINK))
            if f.ROLE in link:
                said.insert(0, (ROLE, to_value(link[f.ROLE])))
            yield Statement("wasInvalidatedBy", None, ends, tuple(said))


def _starters(
    nodes: Iterable[LineageNode], names: Names, details: Details
) -> Iterator[Statement]:
    """Yield inside which activity another one ran."""
    ids: dict[tuple[str | None, str], list[str]] = {}
    documents = [details.activities.get(node.id, {}) for node in nodes]
    documents = [document for document in documents if document]
    for document in documents:
        place = (document[f.SESSION_ID], document[f.ACTIVITY_ID])
        ids.setdefault(place, []).append(document[f.ID])
    for document in documents:
        parent = document.get(f.STARTED_BY)
        starters = ids.get((document[f.SESSION_ID], parent), []) if parent else []
        if len(starters) == 1:
            ends = (
                ("activity", names[document[f.ID]]),
                ("starter", names[starters[0]]),
            )
            yield Statement("wasStartedBy", None, ends)


def _communications(edges: Iterable[LineageEdge], names: Names) -> Iterator[Statement]:
    """Yield which activity used what which other one generated."""
    makers: dict[str, list[str]] = {}
    used: list[LineageEdge] = []
    for edge in edges:
        if edge.relation == "wasGeneratedBy":
            makers.setdefault(edge.source, []).append(edge.target)
        elif edge.relation == "used":
            used.append(edge)
    pairs = {
        (edge.source, maker): None
        for edge in used
        for maker in makers.get(edge.target, ())
    }
    for informed, informant in pairs:
        if informed in names.given and informant in names.given:
            continue  # They said so themselves, or did not.
        arguments = (("informed", names[informed]), ("informant", names[informant]))
        yield Statement("wasInformedBy", None, arguments)


def _said_by(node: LineageNode) -> Document:
    """Return what a node says that no document is about, as a collapsed one."""
    return {
        f.NAME: node.name,
        f.LOCATION: node.location,
        f.SESSION_TAG: node.session_tag,
    }


def _of_many(node: LineageNode) -> Attributes:
    """Return what is said of a node that stands for many."""
    counts = [(f"{status}_count", count) for status, count in node.statuses]
    said = [("size", node.size), ("folder", node.folder), *counts]
    return [(f"{PROVDB}{key}", value) for key, value in said if value is not None]


def _of_node(node: LineageNode, names: Iterable[str]) -> Attributes:
    return [
        (f"{PROVDB}{name}", to_value(value))
        for name in names
        if (value := getattr(node, name)) is not None
    ]


def _given_name(node: LineageNode, details: Details) -> str | None:
    """Return the URI that a node has in somebody else's documents, if it has one."""
    if node.kind != "activity":
        id_ = node.entity
    else:
        document = details.activities.get(node.id, {})
        is_own = document.get(f.SESSION_TAG) or document.get(f.SESSION_ID)
        id_ = None if is_own else document.get(f.ACTIVITY_ID)
    return id_ if id_ is not None and is_uri(id_) else None


def _writers(edges: Iterable[LineageEdge]) -> dict[str, set[str]]:
    """Return the activities that generated each version."""
    writers: dict[str, set[str]] = {}
    for edge in edges:
        if edge.relation == "wasGeneratedBy":
            writers.setdefault(edge.source, set()).add(edge.target)
    return writers


def _is_in_parts(node: LineageNode, details: Details) -> bool:
    """Say whether several activities that generated a version wrote parts of it.

    Of one fixed thing they are several accounts of one event, and a collapsed node has
    its members.
    """
    document = details.entities.get(node.entity or "", {})
    return not (node.members or document.get(f.FIXED))


def _own_name(node: LineageNode) -> str:
    if node.kind == "activity":
        return uri_of("activity", node.id)
    id_ = node.id if node.entity is None else node.entity
    return uri_of("entity", id_, node.version)


def _order_of_edge(edge: LineageEdge) -> tuple[str, str, str, str, str]:
    return edge.source, edge.target, edge.relation, edge.role or "", edge.rule or ""
