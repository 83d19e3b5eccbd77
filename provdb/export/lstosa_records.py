"""The provenance of a run as lstosa writes it: one activity a step, no subruns.

A collapsed lineage is told in records of lstosa's: a session, then each step with its
parameters, what it used and generated, and the collections of subruns last. What
lstosa loses on the way is here: sessions of calibration that is used again, the two
versions of what dl1ab writes where it read, and the calibration that a link rule found.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from provdb.export.details import Details
from provdb.lineage import Lineage, LineageEdge, LineageNode
from provdb.lineage.components import ranks
from provdb.model import Document, Kind, Record, kind_of, session_key, unfold
from provdb.model import fields as f

__all__ = ["RunLink", "RunProvenance", "RunStep", "run_provenance"]

_COLLECTION: Final = "Collection"
# Where lstosa has a plural.
_ROLES: Final = {"DL1CheckCollection": "DL1Checks Collection"}
_IDS: Final = ("activity_id", "session_tag")
_SUBRUN: Final = "ObservationSubRun"
_DIRECT: Final = ("wasDerivedFrom", "hadMember")
_LATEST: Final = datetime.max.replace(tzinfo=UTC)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLink:
    """What a step used or generated.

    Attributes:
        node: The entity, or the collection of subruns.
        role: Its role in the step.
        marks: What is in doubt of it.
    """

    node: LineageNode
    role: str | None
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep:
    """A step of a run, or one of its calibration.

    Attributes:
        node: The activity, or all of its subruns.
        start: The record of its start.
        parameters: The parameters that it has for every subrun.
        end: The record of its end, or None for what has not ended.
        agents: Who ran it, in order.
        used: What it used, in order.
        generated: What it generated, in order.
    """

    node: LineageNode
    start: Record
    parameters: Record
    end: Record | None
    agents: tuple[str, ...]
    used: tuple[RunLink, ...]
    generated: tuple[RunLink, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProvenance:
    """The provenance of a run.

    Attributes:
        sessions: The record of the first execution of each session.
        steps: The steps, what comes first first.
        derivations: What is derived from what, or holds it, without any step.
        descriptions: The record that describes an entity, by the id of its node.
    """

    sessions: tuple[Record, ...]
    steps: tuple[RunStep, ...]
    derivations: tuple[LineageEdge, ...]
    descriptions: Mapping[str, Record] = field(repr=False)

    def records(self) -> Iterator[Record]:
        """Yield the records in the order of lstosa; what a rule infers is in none."""
        yield from self.sessions
        for step in self.steps:
            yield from self._records_of(step)
        for edge in self.derivations:
            if edge.rule is None:
                name = "progenitor_id" if edge.relation == _DIRECT[0] else "member_id"
                yield {
                    "entity_id": self.descriptions[edge.source]["entity_id"],
                    name: self.descriptions[edge.target]["entity_id"],
                }

    def _records_of(self, step: RunStep) -> Iterator[Record]:
        ids: Record = {k: step.start[k] for k in _IDS if k in step.start}
        links = [("used", link) for link in step.used]
        links += [("generated", link) for link in step.generated]
        yield step.start
        if step.parameters:
            yield {**ids, "parameters": step.parameters}
        yield from self._link_records(links, ids, is_collapsed=False)
        if step.end is not None:
            yield step.end
        yield from self._link_records(links, ids, is_collapsed=True)

    def _link_records(
        self,
        links: Iterable[tuple[str, RunLink]],
        ids: Mapping[str, Any],
        *,
        is_collapsed: bool,
    ) -> Iterator[Record]:
        tag = {k: ids[k] for k in ("session_tag",) if k in ids}
        for relation, link in links:
            if bool(link.node.members) != is_collapsed:
                continue
            described = self.descriptions[link.node.id]
            if len(described) > 1:
                yield {**described, **tag}
            record = {
                "activity_id": ids["activity_id"],
                f"{relation}_id": described["entity_id"],
            }
            if link.role is not None:
                record[f"{relation}_role"] = link.role
            yield {**record, **tag}


def run_provenance(lineage: Lineage, details: Details, *, run: int) -> RunProvenance:
    """Return the provenance of a run from its collapsed lineage.

    Args:
        lineage: The lineage, collapsed to the run.
        details: The documents of the nodes of the opened one.
        run: Number of the run.
    """
    return _Telling(lineage, details, run).tell()


class _Telling:
    """A collapsed lineage, and what its documents say."""

    def __init__(self, lineage: Lineage, details: Details, run: int) -> None:
        self._lineage = lineage
        self._details = details
        self._run = run
        self._nodes = {node.id: node for node in lineage.nodes}
        # The marks of each role of a node, by relation and step.
        self._links: dict[
            tuple[str, str], dict[tuple[LineageNode, str | None], set[str]]
        ] = {}
        for edge in lineage.edges:
            relation, step, entity = edge.relation, edge.source, edge.target
            if relation == "wasGeneratedBy":
                step, entity = entity, step
            if relation not in _DIRECT:
                node = self._nodes[entity]
                links = self._links.setdefault((relation, step), {})
                place = node, _role(node, edge.role)
                links.setdefault(place, set()).update(edge.marks)

    def tell(self) -> RunProvenance:
        """Return all of it."""
        executions = {
            node.id: self._documents(node)
            for node in self._lineage.nodes
            if node.kind == "activity"
        }
        session = self._session_of_run(executions.values())
        sessions: dict[str, list[Document]] = {}
        steps = []
        for node in self._in_order():
            documents = executions[node.id]
            in_session = documents[0].get(f.SESSION_ID)
            if in_session is not None and node.run == self._run:
                in_session = session
            if in_session is not None:
                sessions.setdefault(in_session, []).extend(documents)
            steps.append(self._step(node, documents, in_session))
        told = [self._session(id_, sessions[id_]) for id_ in sessions]
        edges = [edge for edge in self._lineage.edges if edge.relation in _DIRECT]
        return RunProvenance(
            sessions=tuple(
                sorted(told, key=lambda record: str(record.get("startTime")))
            ),
            steps=tuple(steps),
            derivations=tuple(sorted(edges, key=lambda e: (e.source, e.target))),
            descriptions={
                node.id: self._description(node)
                for node in self._lineage.nodes
                if node.kind != "activity"
            },
        )

    def _documents(self, node: LineageNode) -> list[Document]:
        """Return the documents of an activity or its members, the first one first."""
        found = self._details.activities
        documents = [found[one.id] for one in self._lineage.members(node)]
        return sorted(documents, key=lambda d: (d.get(f.START) or _LATEST, d[f.ID]))

    def _session_of_run(self, executions: Iterable[Sequence[Document]]) -> str:
        """Return the session of the steps of the run: theirs, or as lstosa names it."""
        ids = {
            document[f.SESSION_ID]
            for documents in executions
            for document in documents
            if document[f.RUN] == self._run and document[f.SESSION_ID] is not None
        }
        if len(ids) == 1:
            return str(ids.pop())
        dates = sorted(
            str(date).replace("-", "")
            for session in self._details.sessions.values()
            if session[f.RUN] == self._run
            and (date := session[f.PROPERTIES].get("observation_date")) is not None
        )
        return f"{dates[0] if dates else ''}{self._run:05d}"

    def _in_order(self) -> list[LineageNode]:
        """Return the activities: each after those whose products it used."""
        targets: dict[str, list[str]] = {node.id: [] for node in self._lineage.nodes}
        for edge in self._lineage.edges:
            targets[edge.source].append(edge.target)
        rank = ranks(targets)
        return sorted(
            (node for node in self._lineage.nodes if node.kind == "activity"),
            key=lambda n: (rank[n.id], n.start or _LATEST, n.name or "", n.id),
        )

    def _step(
        self, node: LineageNode, documents: Sequence[Document], in_session: str | None
    ) -> RunStep:
        known: dict[str, Any] = {"activity_id": documents[0][f.ACTIVITY_ID]}
        if node.members:
            known = {"activity_id": node.id, "size": node.size}
            if len(node.statuses) > 1:
                known["statuses"] = dict(node.statuses)
        if in_session is not None:
            known["in_session"] = in_session
        start = {**_record(documents[0], Kind.START), **known}
        agents = {d[f.AGENT]: None for d in documents if f.AGENT in d}
        if len(agents) > 1:
            start["agent_names"] = list(agents)
        return RunStep(
            node=node,
            start=start,
            parameters=_shared_parameters(documents),
            end=self._end(node, documents, start),
            agents=tuple(agents),
            used=self._links_of("used", node),
            generated=self._links_of("wasGeneratedBy", node),
        )

    def _end(
        self, node: LineageNode, documents: Sequence[Document], start: Record
    ) -> Record | None:
        if node.end is None:
            return None
        last = max(documents, key=lambda d: (d.get(f.END) or _EARLIEST, d[f.ID]))
        end = {**_record(last, Kind.END), "activity_id": start["activity_id"]}
        if node.members and node.status != "completed":
            end["status"] = node.status
        return end

    def _links_of(self, relation: str, node: LineageNode) -> tuple[RunLink, ...]:
        links = self._links.get((relation, node.id), {})
        return tuple(
            sorted(
                (
                    RunLink(node=entity, role=role, marks=tuple(sorted(marks)))
                    for (entity, role), marks in links.items()
                ),
                key=lambda link: (
                    bool(link.node.members),
                    link.role or "",
                    link.node.location or "",
                    link.node.id,
                ),
            )
        )

    def _description(self, node: LineageNode) -> Record:
        if node.members:
            record = {
                "entity_id": node.id,
                "name": node.name,
                "type": "SetCollection",
                "size": node.size,
                "filepath": node.location,
            }
            return {name: value for name, value in record.items() if value is not None}
        document = self._details.entities.get(node.entity or "")
        if document is None:
            return {"entity_id": node.entity}
        described = {**document, f.DERIVED_FROM: [], f.MEMBERS: []}
        records = list(unfold({f.ENTITIES: [described]}))
        if not records:
            return {"entity_id": node.entity}
        # The fullest description is the one that the document itself has.
        return {k: v for k, v in records[0].items() if k != "session_tag"}

    def _session(self, id_: str, documents: Sequence[Document]) -> Record:
        """Return the record of the first execution of a session."""
        keys = {session_key(d[f.SESSION_TAG], d[f.SESSION_ID]) for d in documents}
        executions = [
            (str(execution.get(f.START)), key, execution)
            for key in sorted(keys & self._details.sessions.keys())
            for execution in self._details.sessions[key][f.EXECUTIONS]
        ]
        if not executions:
            return {"session_id": id_, "session_tag": documents[0][f.SESSION_TAG]}
        _, key, first = min(executions, key=lambda found: found[:2])
        told = {**self._details.sessions[key], f.EXECUTIONS: [first]}
        environment = self._details.environments.get(first.get(f.ENVIRONMENT, ""))
        if environment is None:
            told[f.EXECUTIONS] = [
                {name: first[name] for name in first if name != f.ENVIRONMENT}
            ]
        records = unfold(
            {
                f.SESSIONS: [told],
                f.ENVIRONMENTS: [] if environment is None else [environment],
            }
        )
        record = next(r for r in records if kind_of(r) is Kind.SESSION)
        return {**record, "session_id": id_}


def _role(node: LineageNode, role: str | None) -> str | None:
    """Return the role of a collection as lstosa names it, any other as it is."""
    name = node.name or ""
    if not node.members or not name.endswith(_COLLECTION):
        return role
    return _ROLES.get(name, f"{name.removesuffix(_COLLECTION)} {_COLLECTION}")


def _record(document: Document, kind: Kind) -> Record:
    """Return the record of an activity that is of a kind, as it was written."""
    bare = {**document, f.COPIES: [], f.USED: [], f.GENERATED: []}
    records = (r for r in unfold({f.ACTIVITIES: [bare]}) if kind_of(r) is kind)
    return next(records, {})


def _shared_parameters(documents: Sequence[Document]) -> Record:
    """Return the parameters that all subruns have alike."""
    first, *others = (
        _record(document, Kind.PARAMETERS).get("parameters") or {}
        for document in documents
    )
    return {
        name: value
        for name, value in first.items()
        if name != _SUBRUN
        and all(name in other and other[name] == value for other in others)
    }
