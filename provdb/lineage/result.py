"""The answer to a question of lineage or impact: one value, whatever shows it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from provdb.model import format_time
from provdb.tabular import Tabular

__all__ = ["Lineage", "LineageEdge", "LineageNode"]


class LineageNode(NamedTuple):
    """An activity, one version of an entity, or many of them in a collapsed answer.

    Attributes:
        id: Id of the activity document, or of the entity with its version.
        kind: ``activity``, ``entity`` or ``collection``.
        name: Name of the step, or of the kind of entity.
        location: Path or URL of an entity.
        level: Data level of an entity.
        run: Observation run.
        subrun: Subrun of the run.
        version: Short name of the version of an entity that was generated.
        status: How an activity ended.
        origin: Of an entity that nothing generated: ``raw``, ``external`` or
            ``unknown``; None for others.
        session_tag: Tag of the session of an activity.
        start: Start of an activity, UTC.
        end: End of an activity, UTC.
        entity: Id of the entity document, without any version.
        distance: Steps from what was asked for.
        members: Ids of the nodes that it stands for, in order of run and subrun; none
            for a node of its own.
        size: How many nodes it stands for, or None for a node of its own.
        folder: Folder in which all its members lie, or None if there is none.
        statuses: How its members ended, and how many of them did.
    """

    id: str
    kind: str
    name: str | None = None
    location: str | None = None
    level: str | None = None
    run: int | None = None
    subrun: int | None = None
    version: str | None = None
    status: str | None = None
    origin: str | None = None
    session_tag: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    entity: str | None = None
    distance: int = 0
    members: tuple[str, ...] = ()
    size: int | None = None
    folder: str | None = None
    statuses: tuple[tuple[str, int], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the node as it stands in JSON; only what has members lists them."""
        node: dict[str, Any] = {
            "id": self.id,
            "kind": self.kind,
            "name": self.name,
            "location": self.location,
            "level": self.level,
            "run": self.run,
            "subrun": self.subrun,
            "version": self.version,
            "status": self.status,
            "origin": self.origin,
            "session_tag": self.session_tag,
            "start": None if self.start is None else format_time(self.start),
            "end": None if self.end is None else format_time(self.end),
            "distance": self.distance,
        }
        if self.members:
            node["size"] = self.size
            node["folder"] = self.folder
            node["statuses"] = dict(self.statuses)
            node["members"] = list(self.members)
        return node


class LineageEdge(NamedTuple):
    """A relation between two nodes, in the orientation of W3C PROV.

    Attributes:
        source: Id of the later node: the activity that used, the entity that was
            generated.
        target: Id of the earlier node.
        relation: ``used``, ``wasGeneratedBy``, ``wasDerivedFrom`` or ``hadMember``.
        role: Role of the entity in the activity.
        rule: Name of the link rule that inferred the relation, or None if a record
            states it.
        time_conflict: Whether what was used was generated later, by the clocks.
    """

    source: str
    target: str
    relation: str
    role: str | None = None
    rule: str | None = None
    time_conflict: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the edge as it stands in JSON."""
        return {
            "source": self.source,
            "target": self.target,
            "relation": self.relation,
            "role": self.role,
            "inferred": self.rule is not None,
            "rule": self.rule,
            "time_conflict": self.time_conflict,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage(Tabular):
    """All that one file came from, or all that came from it.

    Attributes:
        question: What was asked, as text by name.
        start: Id of the node that was asked for; empty if it was none.
        nodes: The nodes, nearest first.
        edges: The relations between them, nearest first.
        truncated: Whether a limit kept something out.
        warnings: What the reader should know: limits, conflicts, ties.
        leaf_level: The level that was asked for in ``--leaves``, or None.
        opened: The answer with every node of its own, if this one is collapsed; else
            None.
    """

    question: Mapping[str, Any]
    start: str
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    truncated: bool = False
    warnings: tuple[str, ...] = ()
    leaf_level: str | None = None
    opened: "Lineage | None" = None

    @property
    def roots(self) -> tuple[str, ...]:
        """Ids of the entities that come from nothing else in this answer."""
        derived = {edge.source for edge in self.edges}
        return tuple(
            node.id
            for node in self.nodes
            if node.kind != "activity" and node.id not in derived
        )

    @property
    def leaves(self) -> tuple[LineageNode, ...]:
        """The files of the level that was asked for, as `files_of_level` has them."""
        return () if self.leaf_level is None else self.files_of_level(self.leaf_level)

    def files_of_level(self, level: str) -> tuple[LineageNode, ...]:
        """Return the files of a data level, each once, in order of run and subrun.

        Back in time these are the data that the file was reduced from: what only
        went into its calibration is among the nodes, and not among these. Of a
        collapsed answer they are the files, not the collections that hold them.
        """
        if self.opened is not None:
            return self.opened.files_of_level(level)
        reached = self._data_nodes() if self.is_upstream else self.nodes
        files = {
            node.entity: node
            for node in reached
            if node.kind != "activity" and node.level == level
        }
        return tuple(sorted(files.values(), key=_order_of_leaf))

    @property
    def is_upstream(self) -> bool:
        """Whether this is what the file came from, not what came from it."""
        return bool(self.question.get("direction") == "upstream")

    def members(self, node: LineageNode) -> tuple[LineageNode, ...]:
        """Return the nodes that a node stands for, in order; itself if it is its own.

        >>> node = LineageNode("621ca2", "activity")
        >>> answer = Lineage(question={}, start=node.id, nodes=(node,), edges=())
        >>> answer.members(node) == (node,)
        True
        """
        if self.opened is None or not node.members:
            return (node,)
        wanted = dict.fromkeys(node.members)
        nodes = {one.id: one for one in self.opened.nodes if one.id in wanted}
        return tuple(nodes[id_] for id_ in wanted)

    def rows(self) -> list[dict[str, Any]]:
        """Return the nodes as they stand in JSON: nearest first, then in order."""
        return [node.to_dict() for node in sorted(self.nodes, key=order_of_node)]

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as it stands in JSON."""
        answer: dict[str, Any] = {
            "question": dict(self.question),
            "roots": list(self.roots),
            "nodes": self.rows(),
            "edges": _edges(self.edges),
            "truncated": self.truncated,
            "warnings": list(self.warnings),
        }
        if self.opened is not None:
            answer["opened"] = self._inside()
        if self.leaf_level is not None:
            answer["leaves"] = [
                {
                    "id": leaf.id,
                    "location": leaf.location,
                    "run": leaf.run,
                    "subrun": leaf.subrun,
                }
                for leaf in self.leaves
            ]
        return answer

    def _inside(self) -> dict[str, Any]:
        """Return the members of collapsed nodes, and all edges that they have."""
        opened = self if self.opened is None else self.opened
        members = {id_ for node in self.nodes for id_ in node.members}
        nodes = [node for node in opened.nodes if node.id in members]
        return {
            "nodes": [node.to_dict() for node in sorted(nodes, key=order_of_node)],
            "edges": _edges(
                edge
                for edge in opened.edges
                if edge.source in members or edge.target in members
            ),
        }

    def _data_nodes(self) -> list[LineageNode]:
        """Return the nodes that are reached through data products alone."""
        nodes = {node.id: node for node in self.nodes}
        targets: dict[str, list[str]] = {}
        for edge in self.edges:
            targets.setdefault(edge.source, []).append(edge.target)
        reached = [self.start]
        seen = {self.start}
        for id_ in reached:
            for target in targets.get(id_, ()):
                node = nodes[target]
                is_data = node.kind == "activity" or node.level is not None
                if is_data and target not in seen:
                    seen.add(target)
                    reached.append(target)
        return [nodes[id_] for id_ in reached]


def _order_of_leaf(leaf: LineageNode) -> tuple[int, int, str, str]:
    run = -1 if leaf.run is None else leaf.run
    subrun = -1 if leaf.subrun is None else leaf.subrun
    return run, subrun, leaf.location or "", leaf.id


def order_of_node(node: LineageNode) -> tuple[int, str, str, int, int, str, str]:
    """Return the sort key of a node: nearest first, then by kind, name and place."""
    run, subrun, location, id_ = _order_of_leaf(node)
    return node.distance, node.kind, node.name or "", run, subrun, location, id_


def _edges(edges: Iterable[LineageEdge]) -> list[dict[str, Any]]:
    return [edge.to_dict() for edge in sorted(edges, key=_order_of_edge)]


def _order_of_edge(edge: LineageEdge) -> tuple[str, str, str, str, str]:
    return edge.source, edge.target, edge.relation, edge.role or "", edge.rule or ""
