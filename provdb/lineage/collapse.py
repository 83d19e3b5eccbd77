"""Collapse an answer: a step of many subruns becomes one node, so do their files.

What is collapsed is a partition of the nodes, and the edges between its parts: if one
node comes from another one, its part comes from the part of that other one. Nothing
is lost, the answer that it was made of stands beside it.
"""

import hashlib
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeVar

from provdb.errors import QueryError
from provdb.lineage.components import components, ranks
from provdb.lineage.result import (
    Lineage,
    LineageEdge,
    LineageNode,
    joined_marks,
    order_of_node,
    weakness,
)
from provdb.lineage.telescopes import by_telescope, telescopes
from provdb.model import file_name

__all__ = ["GRANULARITIES", "collapse"]

GRANULARITIES: Final = ("none", "activity", "run")

_NUMBER: Final = re.compile(r"\d+")
_SUBRUN_NAME: Final = re.compile(r"SubrunDataset$")
# The worst first.
_STATUSES: Final = ("failed", "interrupted", "running", "unknown", "completed")
_ID_BYTES: Final = 16
_Fact = TypeVar("_Fact")


def collapse(lineage: Lineage, *, to: str = "run") -> Lineage:
    """Return an answer with one node for the many that differ in their subrun only.

    The answer is the same in all else: each node stands in one node of it, and that
    one comes from another one exactly if a node in it comes from one in the other.
    No cycle comes about: two versions of a file are two nodes, and what was read and
    written again, as by dl1ab, does not come from itself. A file that was asked for is
    a node of its own.

    Args:
        lineage: An answer of lineage or impact; also one that is collapsed.
        to: ``none``, the answer with all nodes of their own; ``activity``, one node
            for the activities of one name and session tag; or ``run``, one for those
            of one name and run, as lstosa's products have them, that wrote into the
            same folders: two productions are two. What they made, and the subruns
            that they used, are one collection for each kind of file.

    Raises:
        QueryError: There is no such granularity.

    >>> from provdb.lineage.result import LineageEdge, LineageNode
    >>> r0 = [LineageNode(f"r{i}", "entity", "R0SubrunDataset", run=1618, subrun=i,
    ...     location=f"/R0/LST-1.1.Run01618.000{i}.fits.fz") for i in range(3)]
    >>> dl2 = LineageNode("dl2", "entity", "DL2MergedFile", run=1618)
    >>> answer = Lineage(question={}, start="dl2", nodes=(dl2, *r0),
    ...     edges=tuple(LineageEdge("dl2", n.id, "wasDerivedFrom") for n in r0))
    >>> [(node.name, node.size) for node in collapse(answer).nodes]
    [('DL2MergedFile', None), ('R0Collection', 3)]
    """
    if to not in GRANULARITIES:
        raise QueryError(
            f"an answer is collapsed to {', '.join(GRANULARITIES)}, not to {to}"
        )
    opened = lineage if lineage.opened is None else lineage.opened
    if to == "none":
        return opened
    parts = _by_folder(_Parting(opened, to).parts(), opened)
    parts = _without_new_cycles(parts, opened)
    members: dict[Hashable, list[LineageNode]] = {}
    for node in opened.nodes:
        members.setdefault(parts[node.id], []).append(node)
    nodes = {part: _joined(found) for part, found in members.items()}
    ids = {id_: nodes[part].id for id_, part in parts.items()}
    return replace(
        opened,
        question={**opened.question, "collapse": to},
        # What a tag holds begins nowhere.
        start=ids.get(opened.start, opened.start),
        starts=tuple(dict.fromkeys(ids[id_] for id_ in opened.starts)),
        nodes=tuple(nodes.values()),
        edges=_edges(opened.edges, ids),
        opened=opened,
    )


class _Parting:
    """Which nodes belong together, said by what they have in common."""

    def __init__(self, lineage: Lineage, to: str) -> None:
        self._lineage = lineage
        self._is_by_run = to == "run"
        self._edges_from: dict[str, list[LineageEdge]] = {}
        for edge in lineage.edges:
            self._edges_from.setdefault(edge.source, []).append(edge)
        self._telescopes = telescopes(lineage)

    def parts(self) -> dict[str, Hashable]:
        """Return what each node has in common with those of its part, by its id."""
        nodes = self._lineage.nodes
        steps = {n.id: self._of_activity(n) for n in nodes if n.kind == "activity"}
        steps = by_telescope(steps, self._telescopes)
        if self._is_by_run:
            steps = _by_production(steps, self._folders())
        counts = Counter(steps.values())
        parts: dict[str, Hashable] = {}
        for node in nodes:
            if node.id == self._lineage.start == self._lineage.question.get("id"):
                parts[node.id] = node.id
            elif node.kind == "activity":
                parts[node.id] = steps[node.id]
            else:
                parts[node.id] = self._of_entity(node, steps, counts)
        return parts

    def _of_activity(self, node: LineageNode) -> Hashable:
        if node.name is None:
            return node.id
        by_run = self._is_by_run or node.session_tag is None
        if by_run and node.run is not None:
            return node.name, node.run
        if node.session_tag is not None:
            return node.name, node.session_tag
        return node.id

    def _folders(self) -> dict[str, set[str]]:
        """Return the folders into which each activity wrote, but for its subrun."""
        places = {
            node.id: _folder_of_run(node.location, node.subrun)
            for node in self._lineage.nodes
            if node.location is not None
        }
        found: dict[str, set[str]] = {}
        for edge in self._lineage.edges:
            if edge.relation == "wasGeneratedBy" and edge.source in places:
                found.setdefault(edge.target, set()).add(places[edge.source])
        return found

    def _of_entity(
        self,
        node: LineageNode,
        steps: Mapping[str, Hashable],
        counts: Mapping[Hashable, int],
    ) -> Hashable:
        edges = self._edges_from.get(node.id, ())
        makers = {steps[e.target] for e in edges if e.relation == "wasGeneratedBy"}
        is_of_many = any(counts[maker] > 1 for maker in makers)
        if node.subrun is None and not is_of_many:
            return node.id
        sources = {(e.relation, e.rule) for e in edges} if not makers else set()
        return _Kind(
            kind=node.kind,
            name=node.name,
            level=node.level,
            origin=node.origin,
            file=_NUMBER.sub("0", file_name(node.location or "")),
            run=node.run if self._is_by_run or not makers else None,
            telescope=self._telescopes.get(node.id),
            makers=frozenset(makers),
            sources=frozenset(sources),
        )


def _folder_of_run(location: str, subrun: int | None) -> str:
    """Return the folder of a file, the same for all subruns of a run."""
    folder = posixpath.dirname(location)
    if subrun is None or f"{subrun:04d}" not in folder:
        return folder
    return re.sub(rf"(?<!\d){subrun:04d}(?!\d)", "*", folder)


def _by_production(
    steps: Mapping[str, Hashable], folders: Mapping[str, set[str]]
) -> dict[str, Hashable]:
    """Part the steps of a run that wrote into different folders: its productions.

    What wrote into one folder belongs together, and all else that it wrote. What wrote
    nothing is of the one production, if there is but one.
    """
    above: dict[tuple[Hashable, str], str] = {}

    def top(step: Hashable, folder: str) -> str:
        while (higher := above.setdefault((step, folder), folder)) != folder:
            folder = higher
        return folder

    for id_, step in steps.items():
        tops = sorted({top(step, folder) for folder in folders.get(id_, ())})
        for other in tops[1:]:
            above[step, other] = tops[0]
    productions: dict[Hashable, set[str]] = {}
    for step, folder in above:
        productions.setdefault(step, set()).add(top(step, folder))

    def production(id_: str, step: Hashable) -> str | None:
        if id_ in folders:
            return top(step, min(folders[id_]))
        known = productions.get(step, set())
        return next(iter(known)) if len(known) == 1 else None

    return {id_: (step, production(id_, step)) for id_, step in steps.items()}


class _Kind(NamedTuple):
    """What the entities of one part have in common."""

    kind: str
    name: str | None
    level: str | None
    origin: str | None
    file: str
    run: int | None
    telescope: str | None
    makers: frozenset[Hashable]
    sources: frozenset[tuple[str, str | None]]


def _by_folder(parts: Mapping[str, Hashable], lineage: Lineage) -> dict[str, Hashable]:
    """Part files of one name in different folders: they are no subruns of one run.

    Those that a step of the answer made belong together as their steps do.
    """
    folders: dict[tuple[Hashable, str], set[str]] = {}
    for node in lineage.nodes:
        if node.location is not None:
            key = parts[node.id], file_name(node.location)
            folders.setdefault(key, set()).add(posixpath.dirname(node.location))
    made = {e.source for e in lineage.edges if e.relation == "wasGeneratedBy"}
    several = {part for (part, _), found in folders.items() if len(found) > 1}
    return {
        node.id: (parts[node.id], _folder_of_run(node.location or "", node.subrun))
        if parts[node.id] in several and node.id not in made
        else parts[node.id]
        for node in lineage.nodes
    }


def _without_new_cycles(
    parts: Mapping[str, Hashable], lineage: Lineage
) -> dict[str, Hashable]:
    """Part what would make a cycle by how far each node is from the beginning."""
    between: dict[Hashable, list[Hashable]] = {part: [] for part in parts.values()}
    for edge in lineage.edges:
        between[parts[edge.source]].append(parts[edge.target])
    on_cycles = {
        part
        for component in components(between)
        for part in component
        if len(component) > 1 or part in between[part]
    }
    if not on_cycles:
        return dict(parts)
    targets: dict[str, list[str]] = {node.id: [] for node in lineage.nodes}
    for edge in lineage.edges:
        targets[edge.source].append(edge.target)
    rank = ranks(targets)
    return {
        id_: (part, rank[id_]) if part in on_cycles else part
        for id_, part in parts.items()
    }


def _edges(
    edges: Iterable[LineageEdge], ids: Mapping[str, str]
) -> tuple[LineageEdge, ...]:
    """Return each edge between two parts once, with all marks of those in it.

    It is as weak as the weakest of them.
    """
    groups: dict[tuple[str, str, str, str | None], list[LineageEdge]] = {}
    for edge in edges:
        source, target = ids[edge.source], ids[edge.target]
        if source != target or source == edge.source:
            key = source, target, edge.relation, edge.role
            groups.setdefault(key, []).append(edge)
    return tuple(
        LineageEdge(
            *key,
            evidence=max((edge.evidence for edge in group), key=weakness),
            marks=joined_marks(edge.marks for edge in group),
            damaged_by=tuple(sorted({id_ for e in group for id_ in e.damaged_by})),
        )
        for key, group in groups.items()
    )


def _joined(nodes: Sequence[LineageNode]) -> LineageNode:
    """Return the node that stands for others."""
    if len(nodes) == 1:
        return nodes[0]
    members = sorted(nodes, key=_order_of_member)
    ids = tuple(node.id for node in members)
    is_step = members[0].kind == "activity"
    starts = [node.start for node in members if node.start is not None]
    ends = [node.end for node in members if node.end is not None]
    counts = Counter(node.status for node in members if node.status is not None)
    statuses = sorted(counts.items(), key=lambda item: _badness(item[0]))
    location, folder = _place(members)
    return LineageNode(
        id=_id(ids),
        kind="activity" if is_step else "collection",
        name=_name(members[0]),
        location=location,
        level=members[0].level,
        run=_shared(members, lambda node: node.run),
        subrun=_shared(members, lambda node: node.subrun),
        status=statuses[0][0] if statuses else None,
        origin=members[0].origin,
        session_tag=_shared(members, lambda node: node.session_tag),
        start=min(starts, default=None),
        # What still runs in part has not ended.
        end=max(ends) if len(ends) == len(members) else None,
        distance=min(node.distance for node in members),
        members=ids,
        size=len(ids),
        folder=folder,
        statuses=tuple(statuses),
        marks=joined_marks(node.marks for node in members),
        telescope=_shared(members, lambda node: node.telescope),
        stream=_shared(members, lambda node: node.stream),
    )


def _name(node: LineageNode) -> str | None:
    """Return what many nodes like one are called: of subruns as lstosa does."""
    if node.kind == "activity" or node.name is None:
        return node.name
    return _SUBRUN_NAME.sub("Collection", node.name)


def _id(members: Sequence[str]) -> str:
    """Return an id that says of what it is made, as long as those of files."""
    text = "\n".join(sorted(members))
    return hashlib.sha256(text.encode()).hexdigest()[: 2 * _ID_BYTES]


def _place(nodes: Sequence[LineageNode]) -> tuple[str | None, str | None]:
    """Return where files are, as one location, and the folder that holds them all."""
    locations = {node.location for node in nodes}
    folders = {posixpath.dirname(place or "") for place in locations}
    folder = folders.pop() if len(folders) == 1 else ""
    if not folder:
        return None, None
    # A folder ends so in the collections of lstosa.
    is_one = len(locations) == 1
    return locations.pop() if is_one else f"{folder.rstrip('/')}/", folder


def _shared(
    nodes: Iterable[LineageNode], fact: Callable[[LineageNode], _Fact | None]
) -> _Fact | None:
    facts: set[Any] = {fact(node) for node in nodes}
    return facts.pop() if len(facts) == 1 else None


def _badness(status: str) -> tuple[int, str]:
    known = _STATUSES.index(status) if status in _STATUSES else len(_STATUSES)
    return known, status


def _order_of_member(node: LineageNode) -> tuple[int, int, tuple[Any, ...]]:
    run = -1 if node.run is None else node.run
    subrun = -1 if node.subrun is None else node.subrun
    return run, subrun, order_of_node(node)
