"""The answer to a question of lineage or impact: one value, whatever shows it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from provdb.lineage.completeness import Completeness, Places, runs_in_words
from provdb.model import file_name, format_time
from provdb.tabular import Tabular, html_note

__all__ = [
    "DOUBTS",
    "EVIDENCE",
    "Completeness",
    "Lineage",
    "LineageEdge",
    "LineageNode",
    "joined_marks",
    "mark_in_words",
    "name_in_words",
    "order_of_node",
    "weakness",
]

# How an edge is known; beside these ``rule:NAME``, for a link rule.
EVIDENCE: Final = (
    "content",  # The recorded hashes of both sides are equal.
    "recorded",  # A record states it.
    "only",  # Nothing else can have made what was used.
    "order",  # It was the last to write before the read.
    "folder",  # What made the folder made the file in it.
    "glob",  # The name matches a recorded pattern.
)
# What is in doubt, of an edge; and of a node that is a version or an activity.
DOUBTS: Final = {
    "contested": "another write may have made what was used",
    "clock": "the clocks of two machines contradict the order of the records",
    "time_conflict": "by the clocks the file was written only after it was used",
    "maybe_damaged": "a write that did not end well may have changed the file",
    "mixed": "parts of several passes or of different software are in one file",
    "incomplete": "records about the step are missing",
}
_RULE: Final = "rule:"
_INFERRED: Final = ("folder", "glob")
# Another write may have made what was used.
_CONTESTED: Final = ("contested", "clock")
_RAW: Final = "R0"
_COMPLETE: Final = Completeness()


def mark_in_words(mark: str) -> str:
    """Return a key of `DOUBTS` as every format prints it.

    >>> mark_in_words("maybe_damaged")
    'maybe damaged'
    """
    return mark.replace("_", " ")


def joined_marks(marks: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Return all marks of several nodes and edges, each once, in the order of `DOUBTS`.

    >>> joined_marks([("mixed",), ("contested", "mixed")])
    ('contested', 'mixed')
    """
    present = {mark for some in marks for mark in some}
    return tuple(mark for mark in DOUBTS if mark in present)


def is_contested(marks: Iterable[str]) -> bool:
    """Say whether marks say that another write may have made what was used."""
    return any(mark in _CONTESTED for mark in marks)


def is_inferred(evidence: str) -> bool:
    """Say whether evidence is that of a relation that no record states."""
    return evidence in _INFERRED or evidence.startswith(_RULE)


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
        origin: Of an entity that nothing generated: ``raw``, ``external``, ``gap`` for
            a data product that nobody is known to have made, or ``unknown``; None for
            others.
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
        marks: What is in doubt, as `DOUBTS` has it: ``mixed`` of a version,
            ``incomplete`` of an activity or a version; of what was asked for, also
            what is in doubt about what is there now.
        telescope: Telescope that the names of a file name, such as ``LST-1``.
        stream: Stream of raw data that a file name names.
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
    marks: tuple[str, ...] = ()
    telescope: str | None = None
    stream: int | None = None

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
            "marks": list(self.marks),
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
        evidence: How it is known: one of `EVIDENCE`, or ``rule:NAME``.
        marks: What is in doubt, in the order of `DOUBTS`.
        damaged_by: Ids of the activities that may have damaged what was used.
    """

    source: str
    target: str
    relation: str
    role: str | None = None
    evidence: str = "recorded"
    marks: tuple[str, ...] = ()
    damaged_by: tuple[str, ...] = ()

    @property
    def rule(self) -> str | None:
        """Name of the link rule that inferred the relation; None if none did."""
        is_rule = self.evidence.startswith(_RULE)
        return self.evidence[len(_RULE) :] if is_rule else None

    @property
    def is_inferred(self) -> bool:
        """Whether no record states the relation."""
        return is_inferred(self.evidence)

    @property
    def inferred_by(self) -> str | None:
        """What inferred the relation: a link rule, ``folder`` or ``glob``; or None.

        >>> LineageEdge("9891", "5a2d", "used", evidence="rule:archive").inferred_by
        'archive'
        """
        return self.rule or (self.evidence if self.is_inferred else None)

    @property
    def is_contested(self) -> bool:
        """Whether another write may have made what was used."""
        return is_contested(self.marks)

    @property
    def time_conflict(self) -> bool:
        """Whether what was used was generated later, by the clocks."""
        return "time_conflict" in self.marks

    def to_dict(self) -> dict[str, Any]:
        """Return the edge as it stands in JSON."""
        return {
            "source": self.source,
            "target": self.target,
            "relation": self.relation,
            "role": self.role,
            "evidence": self.evidence,
            "inferred": self.is_inferred,
            "rule": self.rule,
            "time_conflict": self.time_conflict,
            "marks": list(self.marks),
            "damaged_by": list(self.damaged_by),
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
        completeness: What the answer knows, and what it does not know.
        damaging: Activities that may have damaged something, and are not in `nodes`.
        starts: Ids of other versions of what was asked for, of which something came.
    """

    question: Mapping[str, Any]
    start: str
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    truncated: bool = False
    warnings: tuple[str, ...] = ()
    leaf_level: str | None = None
    opened: "Lineage | None" = None
    completeness: Completeness = _COMPLETE
    damaging: tuple[LineageNode, ...] = ()
    starts: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What the answer knows and does not know, in words and with names.

        >>> raw = LineageNode("5a2d", "entity", level="R0", run=1618, subrun=8)
        >>> question = {"direction": "upstream"}
        >>> Lineage(question=question, start="5a2d", nodes=(raw,), edges=()).sentence
        'Complete to raw data: run 01618, subrun 0008.'
        """
        opened = self if self.opened is None else self.opened
        files = opened.files_of_level(_RAW) if self.is_upstream else ()
        raw = runs_in_words((file.run, file.subrun) for file in files)
        complete = f"Complete to raw data: {raw}" if raw else "Complete"
        sentence = self.completeness.describe(self.places, complete=complete)
        if raw and not self.completeness.is_complete:
            return f"{sentence} Raw data found: {raw}."
        return sentence

    @property
    def places(self) -> Places:
        """Names of what is missing or in doubt."""
        known = self.completeness
        opened = self if self.opened is None else self.opened
        edges = opened.edges if known.contested or known.time_conflicts else ()
        contested = [_file_of(edge) for edge in edges if edge.is_contested]
        late = [_file_of(edge) for edge in edges if edge.time_conflict]
        wanted = {*known.gaps, *known.incomplete, *known.damaged, *contested, *late}
        wanted.update(id_ for id_, _ in known.mixed)
        # Most answers have nothing to name, and they can have 100,000 nodes.
        nodes = (*opened.nodes, *self.damaging) if wanted else ()
        names = {node.id: name_in_words(node) for node in nodes if node.id in wanted}
        return known.places(names)._replace(
            contested=tuple(names[id_] for id_ in contested),
            time_conflicts=tuple(names[id_] for id_ in late),
        )

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

    @property
    def _is_downstream(self) -> bool:
        return bool(self.question.get("direction") == "downstream")

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

    def _repr_html_(self) -> str:
        """Return the table that a notebook shows, and below it the sentence."""
        return Tabular._repr_html_(self) + html_note(self.sentence)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each node: nearest first, then in order.

        Beside the node it holds the weakest evidence of the edges that lead to it, and
        the marks of those edges too.
        """
        return self.rows_of(self.nodes)

    def rows_of(self, nodes: Iterable[LineageNode]) -> list[dict[str, Any]]:
        """Return the rows of some of the nodes, as `rows` does.

        >>> raw = LineageNode("5a2d", "entity", level="R0")
        >>> used = LineageEdge("9891", "5a2d", "used", evidence="only")
        >>> step = LineageNode("9891", "activity", "r0_to_dl1")
        >>> answer = Lineage(question={"direction": "upstream"}, start="9891",
        ...     nodes=(step, raw), edges=(used,))
        >>> [(row["id"], row["evidence"]) for row in answer.rows()]
        [('9891', None), ('5a2d', 'only')]
        """
        opened = self if self.opened is None else self.opened
        leading: dict[str, list[LineageEdge]] = {}
        for edge in {*self.edges, *opened.edges}:
            far = edge.source if self._is_downstream else edge.target
            leading.setdefault(far, []).append(edge)
        rows = []
        for node in sorted(nodes, key=order_of_node):
            edges = leading.get(node.id, ())
            marks = joined_marks([node.marks, *(edge.marks for edge in edges)])
            rows.append(
                {
                    **node.to_dict(),
                    "evidence": max((e.evidence for e in edges), key=weakness)
                    if edges
                    else None,
                    "marks": list(marks),
                }
            )
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as it stands in JSON."""
        answer: dict[str, Any] = {
            "question": dict(self.question),
            "roots": list(self.roots),
            "nodes": [node.to_dict() for node in sorted(self.nodes, key=order_of_node)],
            "edges": _edges(self.edges),
            "truncated": self.truncated,
            "warnings": list(self.warnings),
            "completeness": self.completeness.to_dict(sentence=self.sentence),
        }
        if self.damaging:
            answer["damaging"] = [node.to_dict() for node in self.damaging]
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


def weakness(evidence: str) -> tuple[int, str]:
    """Return the sort key of evidence: the strongest first."""
    place = EVIDENCE.index(evidence) if evidence in EVIDENCE else len(EVIDENCE)
    return place, evidence


def name_in_words(node: LineageNode) -> str:
    """Return what a sentence calls a node: a file by its name, a step with its time.

    >>> name_in_words(LineageNode("9891", "entity", location="/DL1/dl1.h5"))
    'dl1.h5'
    """
    if node.kind == "activity":
        time = node.start or node.end
        name = (node.name or node.id) + (f" {time:%Y-%m-%d %H:%M}" if time else "")
    else:
        name = file_name(node.location or "") or node.name or node.id
    # A name from a store must not control a terminal.
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


def _file_of(edge: LineageEdge) -> str:
    """Return which end of an edge is a file."""
    return edge.source if edge.relation == "wasGeneratedBy" else edge.target


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
    return edge.source, edge.target, edge.relation, edge.role or "", edge.evidence
