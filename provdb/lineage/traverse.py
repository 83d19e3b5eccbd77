"""The one walk through versions, level by level, for every question of lineage.

Each level costs a few questions to the store at most, each for all nodes of the
level at once; each version is visited once, so a walk ends on any cycle.
"""

import gc
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from operator import attrgetter
from typing import Final

from provdb.lineage.graph import Graph, Node, Seen, Step
from provdb.lineage.link_rules import LinkRule
from provdb.lineage.loader import Loader
from provdb.lineage.result import LineageEdge
from provdb.lineage.steps import Activity, Link
from provdb.lineage.version import Version

__all__ = [
    "DOWNSTREAM",
    "UPSTREAM",
    "Direction",
    "Walk",
    "WalkOptions",
    "without_collector",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkOptions:
    """How far to walk, and through what.

    Attributes:
        depth: Activities to pass at most, or None for any number.
        via: Patterns of names of activities to pass, all others are left out; none
            for all.
        role: Pattern of roles of usages to follow, or None for all.
        limit: Nodes to visit at most, or None for any number.
        leaf_level: Data level whose files are listed beside the answer, or None.
        as_of: Answer from what had happened by then, or None for now.
        rules: The link rules that may bridge gaps, or None for those of the store; an
            empty collection leaves out all that no record states.
        is_dry_run: Whether dry runs count, which wrote nothing.
    """

    depth: int | None = None
    via: tuple[str, ...] = ()
    role: str | None = None
    limit: int | None = None
    leaf_level: str | None = None
    as_of: datetime | None = None
    rules: Collection[LinkRule] | None = None
    is_dry_run: bool = False

    @property
    def is_filtered(self) -> bool:
        """Whether only some relations are followed."""
        return bool(self.via) or self.role is not None

    @property
    def is_cut(self) -> bool:
        """Whether the walk may end before it met everything."""
        return self.depth is not None or self.limit is not None


_EVERYTHING: Final = WalkOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """What differs between a walk back and a walk on.

    Attributes:
        name: What the direction is called in answers.
        links: Gives the links of an activity to what comes next.
        load: Loads what the steps from some entities need, and from those that come
            next to them without any activity.
        step: Gives the next nodes, and the edges to them.
    """

    name: str
    links: Callable[[Activity], Iterable[Link]]
    load: Callable[[Loader, Iterable[str]], None]
    step: Callable[[Graph, Node], list[Step]]

    def load_next(self, loader: Loader, nodes: Iterable[Node]) -> None:
        """Load what the steps from nodes need, each of which was reached by a step.

        What comes next to an entity was loaded together with it.
        """
        links = self.links
        linked = [links(node) for node in nodes if isinstance(node, Activity)]
        if linked:
            self.load(loader, [link[0] for some in linked for link in some])


UPSTREAM: Final = Direction(
    name="upstream",
    links=attrgetter("used"),
    load=Loader.load_uses,
    step=Graph.upstream,
)
DOWNSTREAM: Final = Direction(
    name="downstream",
    links=attrgetter("generated"),
    load=Loader.load_readers,
    step=Graph.downstream,
)


class Walk:
    """The nodes and edges that were met, and how far away they are.

    Attributes:
        nodes: Nodes by id, in the order in which they were met.
        distances: How many steps away each is.
        edges: The relations between them, nearest first.
        cut_by: Which limits kept something out.
        asked: What was read by the question itself, and how sure that is, by id.
    """

    def __init__(
        self, graph: Graph, direction: Direction, options: WalkOptions = _EVERYTHING
    ) -> None:
        """Start with nothing."""
        self.graph = graph
        self.direction = direction
        self.options = options
        self.nodes: dict[str, Node] = {}
        self.distances: dict[str, int] = {}
        self.edges: list[LineageEdge] = []
        self.cut_by: dict[str, None] = {}
        self.asked: dict[str, Seen] = {}
        self._passed: dict[str, int] = {}
        self._is_filtered = options.is_filtered
        self._is_cut = options.is_cut

    def run(
        self,
        starts: Iterable[Node | Seen],
        *,
        until: str | None = None,
        on_level: Callable[[], None] | None = None,
    ) -> None:
        """Visit everything that can be reached from some nodes, or up to another.

        Args:
            starts: The nodes, whose entities are loaded; as they were seen, where the
                question reads what is there now.
            until: Id of the node at which the walk may end.
            on_level: Called after each level.
        """
        level: list[Node] = []
        for start in starts:
            node: Node
            if isinstance(start, Seen):
                node = start.version
                self.asked[node.id] = start
            else:
                node = start
            if node.id not in self.nodes:
                self.nodes[node.id] = node
                self._passed[node.id] = 0
                level.append(node)
        self.direction.load(
            self.graph.loader, [n.entity for n in level if isinstance(n, Version)]
        )
        distance = 0
        while level:
            self.distances |= dict.fromkeys([node.id for node in level], distance)
            if until is not None and until in self.nodes:
                break
            distance += 1
            self.direction.load_next(self.graph.loader, level)
            level = self._visit(level)
            if on_level is not None:
                on_level()

    def _visit(self, level: Iterable[Node]) -> list[Node]:
        step, nodes, edges = self.direction.step, self.nodes, self.edges
        found: list[Node] = []
        for node in level:
            steps = step(self.graph, node)
            if self._is_filtered:
                steps = [s for s in steps if self._is_followed(node, *s)]
            if self._is_cut:
                steps = [s for s in steps if self._is_within(node, s[0])]
            for other, edge in steps:
                edges.append(edge)
                if other.id not in nodes:
                    nodes[other.id] = other
                    found.append(other)
        return found

    def _is_followed(self, node: Node, other: Node, edge: LineageEdge) -> bool:
        activity = node if isinstance(node, Activity) else other
        if isinstance(activity, Activity) and self.options.via:
            name = activity.name or ""
            if not any(fnmatchcase(name, pattern) for pattern in self.options.via):
                return False
        if self.options.role is None or edge.relation != "used":
            return True
        return fnmatchcase(edge.role or "", self.options.role)

    def _is_within(self, node: Node, other: Node) -> bool:
        """Say whether a node may be visited, and note why not."""
        if other.id in self._passed:
            return True
        depth, limit = self.options.depth, self.options.limit
        passed = self._passed[node.id] + isinstance(other, Activity)
        if depth is not None and passed > depth:
            self.cut_by[f"the depth of {depth} activities; there is more"] = None
            return False
        if limit is not None and len(self._passed) >= limit:
            self.cut_by[f"the limit of {limit} nodes; there is more"] = None
            return False
        self._passed[other.id] = passed
        return True

    def doubts_passed_by(self) -> list[LineageEdge]:
        """Return the reads in doubt that could be of a version that was met.

        They are of another version of the same file, by all that is known, and may
        be of this one. A read now, by the question, is one of them.
        """
        graph = self.graph
        found: dict[LineageEdge, None] = {}
        for node in self.nodes.values():
            if not isinstance(node, Version) or graph.is_plain(node.entity):
                continue
            seen = graph.see(node.entity)
            now = LineageEdge("", seen.version.id, "used", *(None, *seen[1:]))
            if now.marks and seen.version == node and node.id not in self.asked:
                found[now] = None
            for edge in (now, *graph.doubtful_reads(node.entity)):
                is_doubt = edge.is_contested or edge.time_conflict
                is_other = is_doubt and edge.target not in self.nodes
                if is_other or not node.generators.isdisjoint(edge.damaged_by):
                    found[edge] = None
        return list(found)

    def keep_current(self, *always: Node) -> None:
        """Forget the versions that are not there now, unless something now needs them.

        An activity stays if it leads to something that is there now, or if it made
        nothing at all.

        Args:
            *always: Nodes that stay whatever comes of them.
        """
        graph = self.graph
        current = {
            id_
            for id_, node in self.nodes.items()
            if (
                graph.is_there(node)
                if isinstance(node, Version)
                else not node.generated
            )
        }
        current.update(node.id for node in always)
        is_all_current = all(
            id_ in current or isinstance(node, Activity)
            for id_, node in self.nodes.items()
        )
        if is_all_current and not self._has_lost_outputs():
            return
        earlier: dict[str, list[str]] = {}
        for edge in self.edges:
            earlier.setdefault(edge.source, []).append(edge.target)
        todo = list(current)
        while todo:
            for target in earlier.get(todo.pop(), ()):
                if target not in current:
                    current.add(target)
                    todo.append(target)
        self.nodes = {id_: n for id_, n in self.nodes.items() if id_ in current}
        self.distances = {id_: self.distances[id_] for id_ in self.nodes}
        self.edges = [
            edge
            for edge in self.edges
            if edge.source in current and edge.target in current
        ]

    def _has_lost_outputs(self) -> bool:
        """Say whether an activity made something, and nothing of it was met."""
        makers = {e.target for e in self.edges if e.relation == "wasGeneratedBy"}
        return any(
            isinstance(node, Activity) and node.generated and id_ not in makers
            for id_, node in self.nodes.items()
        )


@contextmanager
def without_collector() -> Iterator[None]:
    """Let the cycle collector rest: a walk makes many objects and no cycles.

    It would look through all of them again and again, for a third of the time.
    """
    if not gc.isenabled() or gc.get_freeze_count():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        # What was made counts as old: the collector need not look through it at once.
        gc.freeze()
        gc.unfreeze()
        gc.enable()
