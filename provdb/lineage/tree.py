"""A lineage as a tree to look at: a line a file with the step that made it.

Files that differ only in their subrun or stream, and stand at the same place, are
folded into one line; so is each node of a collapsed answer. Files of one name that lie
in different folders have a line each, and so have those of different telescopes. What
was shown once is not shown again below another line.
"""

import posixpath
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from provdb.lineage.result import DOUBTS, Lineage, LineageEdge, LineageNode
from provdb.model import file_name

__all__ = ["Doubt", "TreeRow", "tree"]


class Doubt(NamedTuple):
    """A mark of a line, and of how many of its files or steps it is.

    Attributes:
        mark: A key of `DOUBTS`.
        number: How many of them have the mark.
        total: How many there are.
    """

    mark: str
    number: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeRow:
    """One line of a tree: a file, or many that differ only in their subrun.

    Attributes:
        depth: How deep the line stands, 0 for what was asked for.
        is_last: Whether no line of the same depth follows below the same line.
        files: The entities, in order; none for a step that made nothing.
        steps: The activities that made them, in order.
        inferred_by: What inferred the relation to the line above: link rules,
            ``folder`` or ``glob``; none if a record states it.
        doubts: What is in doubt of that relation, in the order of `DOUBTS`.
        own_doubts: What is in doubt of the files themselves, and of their steps.
        damaging: Activities that may have damaged the files.
        roles: The roles of that relation, in order.
        is_repeated: Whether they stand further up already, with all below them.
        folder: The end of their folder, where a line beside has files of the same name.
        version: The version, where several of what was asked for have a line.
    """

    depth: int
    is_last: bool
    files: tuple[LineageNode, ...]
    steps: tuple[LineageNode, ...]
    inferred_by: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    own_doubts: tuple[Doubt, ...] = ()
    damaging: tuple[LineageNode, ...] = ()
    roles: tuple[str, ...] = ()
    is_repeated: bool = False
    folder: str = ""
    version: str | None = None


def tree(lineage: Lineage, *, is_unfolded: bool = False) -> Iterator[TreeRow]:
    """Yield the lines of an answer as a tree, from what was asked for, top down.

    Args:
        lineage: The answer.
        is_unfolded: Whether each file has a line of its own.
    """
    graph = _Graph(lineage)
    shown: set[str] = set()
    starts = [graph.nodes[id_] for id_ in (lineage.start, *lineage.starts)]
    rows = [graph.first_row(one, is_last=one is starts[-1]) for one in starts]
    waiting = list(reversed(rows))
    while waiting:
        row = waiting.pop()
        new = [node for node in row.files or row.steps if node.id not in shown]
        shown.update(node.id for node in new)
        if not new:
            has_more = any(graph.below(node) for node in row.files)
            own_doubts = () if has_more else row.own_doubts
            yield graph.opened(
                replace(row, is_repeated=has_more, own_doubts=own_doubts)
            )
            continue
        yield graph.opened(row)
        below = [step for node in new for step in graph.below(node)]
        groups = _groups(below, is_unfolded=is_unfolded)
        rows = [
            graph.row(group, depth=row.depth + 1, is_last=group is groups[-1])
            for group in groups
        ]
        waiting += reversed(_with_folders(rows))


@dataclass(frozen=True, slots=True)
class _Step:
    """A node below another one, and the edge that leads to it."""

    node: LineageNode
    edge: LineageEdge
    place: Hashable


class _Graph:
    """The edges of an answer, as a tree follows them."""

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage
        self.nodes = {node.id: node for node in lineage.nodes}
        self.has_versions = bool(lineage.starts)
        self._is_upstream = lineage.is_upstream
        self._from: dict[str, list[LineageEdge]] = {}
        self._to: dict[str, list[LineageEdge]] = {}
        for edge in lineage.edges:
            self._from.setdefault(edge.source, []).append(edge)
            self._to.setdefault(edge.target, []).append(edge)
        self._inside = _edges_inside(lineage)
        everything = (*(lineage.opened or lineage).nodes, *lineage.damaging)
        self._known = {node.id: node for node in everything}

    def makers(self, node: LineageNode) -> list[LineageNode]:
        """Return the activities that generated an entity."""
        edges = self._from.get(node.id, ())
        found = (e.target for e in edges if e.relation == "wasGeneratedBy")
        return _distinct(self.nodes[id_] for id_ in found)

    def below(self, node: LineageNode) -> list[_Step]:
        """Return what stands below an entity: its inputs, or what it was put into."""
        if node.kind == "activity":
            return []
        return self._inputs(node) if self._is_upstream else self._outputs(node)

    def first_row(self, node: LineageNode, *, is_last: bool) -> TreeRow:
        """Return the line of what was asked for: an activity or a version."""
        if node.kind == "activity":
            return TreeRow(
                depth=0,
                is_last=is_last,
                files=(),
                steps=(node,),
                own_doubts=self._own_doubts([node], []),
            )
        edges = self._edges_of_generation([node])
        return TreeRow(
            depth=0,
            is_last=is_last,
            version=node.version if self.has_versions else None,
            files=(node,),
            steps=tuple(self.makers(node)),
            own_doubts=self._own_doubts([node, *self.makers(node)], edges),
            damaging=self._damaging(edges),
        )

    def row(self, group: list[_Step], *, depth: int, is_last: bool) -> TreeRow:
        """Return the line of nodes at one place."""
        nodes = _distinct(step.node for step in group)
        is_step = nodes[0].kind == "activity"
        makers = nodes if is_step else [m for n in nodes for m in self.makers(n)]
        leading = [edge for step in group for edge in self._edges_inside(step.edge)]
        own = [] if is_step else self._edges_of_generation(nodes)
        inferred = {edge.inferred_by for edge in (*leading, *own)}
        return TreeRow(
            depth=depth,
            is_last=is_last,
            files=() if is_step else tuple(nodes),
            steps=tuple(_distinct(makers)),
            inferred_by=tuple(sorted(name for name in inferred if name is not None)),
            doubts=_doubts((self._far_end(edge), edge.marks) for edge in leading),
            own_doubts=self._own_doubts([*nodes, *makers], own),
            damaging=self._damaging([*leading, *own]),
            roles=tuple(sorted({s.edge.role for s in group if s.edge.role})),
        )

    def opened(self, row: TreeRow) -> TreeRow:
        """Return a line with the files and steps that collapsed nodes stand for."""
        if self._lineage.opened is None:
            return row
        members = self._lineage.members
        return replace(
            row,
            files=tuple(one for node in row.files for one in members(node)),
            steps=tuple(one for node in row.steps for one in members(node)),
        )

    def _edges_inside(self, edge: LineageEdge) -> list[LineageEdge]:
        """Return the edges that an edge of a collapsed answer stands for."""
        return self._inside.get(_key(edge), [edge]) if self._inside else [edge]

    def _edges_of_generation(self, nodes: Iterable[LineageNode]) -> list[LineageEdge]:
        return [
            inner
            for node in nodes
            for edge in self._from.get(node.id, ())
            if edge.relation == "wasGeneratedBy"
            for inner in self._edges_inside(edge)
        ]

    def _far_end(self, edge: LineageEdge) -> str:
        return edge.target if self._is_upstream else edge.source

    def _own_doubts(
        self, nodes: Iterable[LineageNode], edges: Iterable[LineageEdge]
    ) -> tuple[Doubt, ...]:
        members = [one for node in nodes for one in self._lineage.members(node)]
        files = [one for one in members if one.kind != "activity"]
        steps = [one for one in members if one.kind == "activity"]
        found = {
            doubt.mark: doubt
            for doubt in (
                *_doubts((step.id, step.marks) for step in steps),
                *_doubts((edge.source, edge.marks) for edge in edges),
                *_doubts((file.id, file.marks) for file in files),
            )
        }
        return tuple(found[mark] for mark in DOUBTS if mark in found)

    def _damaging(self, edges: Iterable[LineageEdge]) -> tuple[LineageNode, ...]:
        ids = {id_ for edge in edges for id_ in edge.damaged_by}
        return tuple(
            self._known.get(id_, LineageNode(id_, "activity")) for id_ in sorted(ids)
        )

    def _inputs(self, node: LineageNode) -> list[_Step]:
        edges = [
            edge for maker in self.makers(node) for edge in self._from.get(maker.id, ())
        ]
        edges += [
            edge
            for edge in self._from.get(node.id, ())
            if edge.relation != "wasGeneratedBy"
        ]
        return [self._step(edge.target, edge) for edge in edges]

    def _outputs(self, node: LineageNode) -> list[_Step]:
        steps: list[_Step] = []
        for edge in self._to.get(node.id, ()):
            made = self._to.get(edge.source, ()) if edge.relation == "used" else ()
            steps += [self._step(output.source, edge) for output in made]
            if not made:
                steps.append(self._step(edge.source, edge))
        return steps

    def _step(self, id_: str, edge: LineageEdge) -> _Step:
        node = self.nodes[id_]
        makers = self.makers(node) or [node]
        step = makers[0].name, makers[0].session_tag
        has_subrun = node.id if node.subrun is None else None
        if node.kind == "activity":
            return _Step(node, edge, (node.kind, step))
        what = node.kind, node.name, node.level, node.run, has_subrun
        place = (*what, step, node.origin == "gap")
        return _Step(node, edge, (place, edge.inferred_by))


def _edges_inside(lineage: Lineage) -> dict[Hashable, list[LineageEdge]]:
    """Return the edges that each edge of a collapsed answer stands for."""
    if lineage.opened is None:
        return {}
    parts = {id_: node.id for node in lineage.nodes for id_ in node.members}
    inside: dict[Hashable, list[LineageEdge]] = {}
    for edge in lineage.opened.edges:
        outer = edge._replace(
            source=parts.get(edge.source, edge.source),
            target=parts.get(edge.target, edge.target),
        )
        inside.setdefault(_key(outer), []).append(edge)
    return inside


def _key(edge: LineageEdge) -> Hashable:
    return edge.source, edge.target, edge.relation, edge.role


def _doubts(marks: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[Doubt, ...]:
    """Return what is in doubt, each with how many ids have the mark."""
    ids: set[str] = set()
    marked: dict[str, set[str]] = {}
    for id_, some in marks:
        ids.add(id_)
        for mark in some:
            marked.setdefault(mark, set()).add(id_)
    return tuple(
        Doubt(mark, len(marked[mark]), len(ids)) for mark in DOUBTS if mark in marked
    )


def _groups(steps: Iterable[_Step], *, is_unfolded: bool) -> list[list[_Step]]:
    groups: dict[Hashable, list[_Step]] = {}
    for step in steps:
        place = step.node.id if is_unfolded else (step.place, step.node.telescope)
        groups.setdefault(place, []).append(step)
    lines = [line for group in groups.values() for line in _by_folder(group)]
    return sorted(lines, key=lambda line: _order(line[0].node))


def _with_folders(rows: Iterable[TreeRow]) -> list[TreeRow]:
    """Return lines with as much of their folders as tells files of one name apart."""
    by_name: dict[str, list[TreeRow]] = {}
    for row in rows:
        location = row.files[0].location if row.files else None
        by_name.setdefault(file_name(location or ""), []).append(row)
    ends: dict[int, str] = {}
    for name, alike in by_name.items():
        if not name or len(alike) == 1:
            continue
        folders = [posixpath.dirname(row.files[0].location or "") for row in alike]
        for row, end in zip(alike, _different_ends(folders), strict=True):
            ends[id(row)] = end
    return [replace(row, folder=ends.get(id(row), "")) for row in rows]


def _different_ends(folders: Sequence[str]) -> list[str]:
    """Return the shortest ends of folders that differ as much as they do.

    >>> _different_ends(["/cal/v1/pro", "/cal/v2/pro"])
    ['v1/pro/', 'v2/pro/']
    """
    parts = [folder.split("/") for folder in folders]
    for count in range(1, max(map(len, parts)) + 1):
        ends = ["/".join(part[-count:]) for part in parts]
        if len(set(ends)) == len(set(folders)):
            break
    is_one = len(set(folders)) == 1
    return ["" if is_one else f"{end}/" for end in ends]


def _by_folder(group: list[_Step]) -> list[list[_Step]]:
    """Return files by their folder if two of them differ in nothing else."""
    locations = {step.node.location for step in group if step.node.location}
    if len(locations) == len({file_name(location) for location in locations}):
        return [group]
    lines: dict[str, list[_Step]] = {}
    for step in group:
        folder = posixpath.dirname(step.node.location or "")
        lines.setdefault(folder, []).append(step)
    return list(lines.values())


def _distinct(nodes: Iterable[LineageNode]) -> list[LineageNode]:
    return sorted({node.id: node for node in nodes}.values(), key=_order)


def _order(node: LineageNode) -> tuple[bool, str, int, int, str, str]:
    # Data first, by level, then what it was made with.
    return (
        node.level is None,
        node.level or node.name or "",
        -1 if node.run is None else node.run,
        -1 if node.subrun is None else node.subrun,
        node.location or "",
        node.id,
    )
