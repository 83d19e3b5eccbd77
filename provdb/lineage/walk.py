"""Walk through versions of files, level by level: lineage back, impact on.

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

from provdb.errors import NotFound
from provdb.lineage.describe import describe
from provdb.lineage.essentials import Activity, Link
from provdb.lineage.history import History, Node, Step
from provdb.lineage.loaded import Loaded
from provdb.lineage.name import Name, find_name
from provdb.lineage.resolve import Version
from provdb.lineage.result import Lineage, LineageEdge, LineageNode
from provdb.lineage.rules import LINK_RULES, LinkRule
from provdb.model import format_time
from provdb.store import Store

__all__ = [
    "DOWNSTREAM",
    "UPSTREAM",
    "Direction",
    "WalkOptions",
    "impact",
    "lineage",
    "lineage_until",
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
        rules: The link rules that may bridge gaps; none leaves out what is inferred.
    """

    depth: int | None = None
    via: tuple[str, ...] = ()
    role: str | None = None
    limit: int | None = None
    leaf_level: str | None = None
    as_of: datetime | None = None
    rules: Collection[LinkRule] = LINK_RULES

    @property
    def is_filtered(self) -> bool:
        """Whether only some relations are followed."""
        return bool(self.via) or self.role is not None

    @property
    def is_cut(self) -> bool:
        """Whether the walk may end before it met everything."""
        return self.depth is not None or self.limit is not None


_EVERYTHING: Final = WalkOptions()


def lineage(store: Store, name: str, *, options: WalkOptions = _EVERYTHING) -> Lineage:
    """Return everything that a file came from, back to raw data.

    Each use of a file is resolved to the version that there was at that time.

    Args:
        store: Where the documents are.
        name: The file, as `find_name` takes it.
        options: How far to walk, and through what.

    Raises:
        NotFound: Nothing has that name.
        Ambiguous: Several things have it.

    >>> from provdb.model import fold
    >>> from provdb.store import open_store
    >>> r0 = {"entity_id": "446f45", "filepath": "/R0/LST-1.1.Run01618.0008.fits.fz"}
    >>> dl1 = {"entity_id": "6d2362", "filepath": "/DL1/dl1_LST-1.Run01618.0008.h5"}
    >>> act = {"activity_id": "621ca2"}
    >>> store = open_store("memory://")
    >>> counts = store.write(fold([r0, dl1, act | {"name": "r0_to_dl1"},
    ...     act | {"used_id": "446f45"}, act | {"generated_id": "6d2362"}]))
    >>> [node.level or node.name for node in
    ...     lineage(store, "dl1_LST-1.Run01618.0008.h5").nodes]
    ['DL1', 'r0_to_dl1', 'R0']
    """
    return _walk(store, name, UPSTREAM, options)


def impact(store: Store, name: str, *, options: WalkOptions = _EVERYTHING) -> Lineage:
    """Return everything that came from a file.

    It is the same relation as `lineage`, read on in time: a version of a file is in
    the impact of another one exactly when that one is in its lineage.

    Args:
        store: Where the documents are.
        name: The file, as `find_name` takes it.
        options: How far to walk, and through what.

    Raises:
        NotFound: Nothing has that name.
        Ambiguous: Several things have it.
    """
    return _walk(store, name, DOWNSTREAM, options)


def lineage_until(
    store: Store, name: str, until: str, *, options: WalkOptions = _EVERYTHING
) -> Lineage:
    """Return what a file came from, as far back as another one is from it.

    The id of that other one is the ``until`` of the question; where it is not among
    the nodes they are the whole lineage.

    Args:
        store: Where the documents are.
        name: The file, as `find_name` takes it.
        until: The other file, in the same way.
        options: How far to walk, and through what.

    Raises:
        NotFound: Nothing has one of the names.
        Ambiguous: Several things have one of them.
    """
    return _walk(store, name, UPSTREAM, options, until=until)


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
    load: Callable[[Loaded, Iterable[str]], None]
    step: Callable[[History, Node], list[Step]]

    def load_next(self, loaded: Loaded, nodes: Iterable[Node]) -> None:
        """Load what the steps from nodes need, each of which was reached by a step.

        What comes next to an entity was loaded together with it.
        """
        links = self.links
        linked = [links(node) for node in nodes if isinstance(node, Activity)]
        if linked:
            self.load(loaded, [entity for some in linked for entity, _, _ in some])


UPSTREAM: Final = Direction(
    name="upstream",
    links=attrgetter("used"),
    load=Loaded.load_uses,
    step=History.upstream,
)
DOWNSTREAM: Final = Direction(
    name="downstream",
    links=attrgetter("generated"),
    load=Loaded.load_readers,
    step=History.downstream,
)


def _walk(
    store: Store,
    name: str,
    direction: Direction,
    options: WalkOptions,
    *,
    until: str | None = None,
) -> Lineage:
    is_whole = not (options.is_filtered or options.is_cut) and until is None
    loaded = Loaded(
        store,
        rules=options.rules,
        as_of=options.as_of,
        is_ahead=direction is UPSTREAM and is_whole,
    )
    history = History(loaded)
    found = find_name(store, name)
    sought = None if until is None else find_name(store, until)
    with without_collector():
        start = _start(history, found, name=name, as_of=options.as_of)
        end = None
        if until is not None and sought is not None:
            end = _start(history, sought, name=until, as_of=options.as_of)
        walk = _Walk(history, direction, options)
        walk.run(start, until=end)
        return _answer(walk, name, start, until=end)


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


def _start(
    history: History, found: Name, *, name: str, as_of: datetime | None
) -> Version:
    entity = found.entity
    history.loaded.load_uses([entity])
    if found.version is not None:
        history.loaded.load_readers([entity])
        versions = {*history.versions(entity), *history.written(entity)}
        matching = [v for v in versions if (v.tag or "").startswith(found.version)]
        if len(matching) == 1:
            return matching[0]
        raise NotFound(
            name,
            near=sorted(version.id for version in versions),
            message=f"{entity} has no version {found.version}",
        )
    version = history.now(entity)
    if as_of is not None and history.loaded.comes_later(entity):
        raise NotFound(
            name,
            message=f"{name} was not there as of {format_time(as_of)}, "
            "it was written later",
        )
    return version


class _Walk:
    """The nodes and edges that were met, and how far away they are."""

    def __init__(
        self, history: History, direction: Direction, options: WalkOptions
    ) -> None:
        self.history = history
        self.direction = direction
        self.options = options
        self.nodes: dict[str, Node] = {}
        self.distances: dict[str, int] = {}
        self.edges: list[LineageEdge] = []
        self.cut_by: dict[str, None] = {}
        self._passed: dict[str, int] = {}
        self._is_filtered = options.is_filtered
        self._is_cut = options.is_cut

    def run(self, start: Version, *, until: Version | None = None) -> None:
        """Visit everything that can be reached from one version, or up to another."""
        self.nodes[start.id] = start
        self._passed[start.id] = 0
        self.direction.load(self.history.loaded, [start.entity])
        level: list[Node] = [start]
        distance = 0
        while level:
            self.distances |= dict.fromkeys([node.id for node in level], distance)
            if until is not None and until.id in self.nodes:
                break
            distance += 1
            self.direction.load_next(self.history.loaded, level)
            level = self._visit(level)

    def _visit(self, level: Iterable[Node]) -> list[Node]:
        step, nodes, edges = self.direction.step, self.nodes, self.edges
        found: list[Node] = []
        for node in level:
            steps = step(self.history, node)
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


def _answer(
    walk: _Walk, name: str, start: Version, *, until: Version | None
) -> Lineage:
    options = walk.options
    nodes = tuple(
        describe(
            walk.nodes.values(), walk.distances, walk.edges, loaded=walk.history.loaded
        )
    )
    as_of = None if options.as_of is None else format_time(options.as_of)
    return Lineage(
        question={
            "name": name,
            "id": start.id,
            "direction": walk.direction.name,
            "as_of": as_of,
            **({} if until is None else {"until": until.id}),
        },
        start=start.id,
        nodes=nodes,
        # Two uses in one role can be of one version.
        edges=tuple(dict.fromkeys(walk.edges)),
        truncated=bool(walk.cut_by),
        warnings=tuple(_warnings(walk, nodes)),
        leaf_level=options.leaf_level,
    )


def _warnings(walk: _Walk, nodes: Iterable[LineageNode]) -> Iterator[str]:
    for cut in walk.cut_by:
        yield f"the answer was cut at {cut}"
    late = sum(edge.time_conflict for edge in walk.edges)
    if late:
        yield (
            f"the times of {late} edges conflict: by the clocks of the machines the "
            "file was written only after it was used"
        )
    for node in nodes:
        if node.kind != "activity" and node.status is not None:
            place = node.location or node.id
            yield f"{place} was made only by steps that are {node.status}"
    yield from walk.history.warnings
