"""Where a file comes from, and what came from it."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Final

from provdb.errors import NotFound
from provdb.lineage.assess import completeness_of
from provdb.lineage.describe import describe
from provdb.lineage.graph import Graph, Node, Seen
from provdb.lineage.loader import Loader
from provdb.lineage.name import Name, find_name
from provdb.lineage.result import Lineage, LineageEdge, LineageNode
from provdb.lineage.shapes import Shapes, find_shapes
from provdb.lineage.steps import Activity
from provdb.lineage.traverse import (
    DOWNSTREAM,
    UPSTREAM,
    Direction,
    Walk,
    WalkOptions,
    without_collector,
)
from provdb.lineage.version import Version
from provdb.model import format_time
from provdb.store import Store

__all__ = ["answer_of", "impact", "lineage", "lineage_until"]

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
    return _ask(store, name, UPSTREAM, options)


def impact(store: Store, name: str, *, options: WalkOptions = _EVERYTHING) -> Lineage:
    """Return what is there now and came from a file, from any version of it.

    It is the same relation as `lineage`, read on in time. Where a version is named,
    everything that came from just that one is returned, also what is not there now:
    a version is in the impact of another one exactly when that one is in its lineage.

    Args:
        store: Where the documents are.
        name: The file, as `find_name` takes it.
        options: How far to walk, and through what.

    Raises:
        NotFound: Nothing has that name.
        Ambiguous: Several things have it.
    """
    return _ask(store, name, DOWNSTREAM, options)


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
    return _ask(store, name, UPSTREAM, options, until=until)


def answer_of(
    walk: Walk,
    store: Store,
    *,
    question: dict[str, object],
    start: str,
    starts: tuple[str, ...] = (),
    leaf_level: str | None = None,
    is_upstream: bool,
    passed_by: Collection[LineageEdge] = (),
) -> Lineage:
    """Return the answer that a walk is.

    Args:
        walk: The walk.
        store: Where the documents are.
        question: What was asked.
        start: Id of the node that was asked for; empty if it was none.
        starts: Ids of other versions of the same file that are asked for too.
        leaf_level: The level that was asked for, or None.
        is_upstream: Whether all inputs of the activities are among the nodes.
        passed_by: Reads in doubt that are no part of the answer, and could be.
    """
    graph = walk.graph
    nodes = list(walk.nodes.values())
    is_cut = bool(walk.cut_by) or walk.options.is_filtered
    asked = [seen for id_, seen in walk.asked.items() if id_ in walk.nodes]
    shapes = find_shapes(
        graph, store, nodes, asked=asked, is_upstream=is_upstream and not is_cut
    )
    # Two uses in one role can be of one version.
    edges = tuple(dict.fromkeys(walk.edges))
    described = _described(walk, nodes, shapes)
    known = completeness_of(
        # What was asked for may come from anywhere, if it is asked what came from it.
        [n for n in described if is_upstream or n.origin is None],
        tuple(dict.fromkeys((*edges, *passed_by))),
        reasons=shapes.reasons,
        ties=tuple(graph.ties),
        damaged_by=[id_ for seen in asked for id_ in seen.damaged_by],
        is_cut=is_cut,
    )
    damaging = [graph.loader.activity(i) for i in known.damaged if i not in walk.nodes]
    return Lineage(
        question=question,
        start=start,
        starts=starts,
        nodes=described,
        edges=edges,
        truncated=bool(walk.cut_by),
        warnings=tuple(_warnings(walk, described)),
        leaf_level=leaf_level,
        completeness=known,
        damaging=_described(walk, damaging, shapes),
    )


def _described(
    walk: Walk, nodes: Collection[Node], shapes: Shapes
) -> tuple[LineageNode, ...]:
    found = describe(
        nodes,
        walk.distances,
        walk.edges,
        loader=walk.graph.loader,
        marks=shapes.marks,
    )
    return tuple(found)


def _ask(
    store: Store,
    name: str,
    direction: Direction,
    options: WalkOptions,
    *,
    until: str | None = None,
) -> Lineage:
    is_upstream = direction is UPSTREAM
    is_whole = not (options.is_filtered or options.is_cut) and until is None
    found = find_name(store, name)
    sought = None if until is None else find_name(store, until)
    loader = Loader(
        store,
        rules=options.rules,
        as_of=options.as_of,
        is_ahead=is_upstream and is_whole,
        is_dry_run=options.is_dry_run,
    )
    graph = Graph(loader)
    with without_collector():
        asked = start_of(graph, found, name=name, as_of=options.as_of)
        start = asked.version if isinstance(asked, Seen) else asked
        end = None
        if until is not None and sought is not None:
            last = start_of(graph, sought, name=until, as_of=options.as_of)
            end = last.version if isinstance(last, Seen) else last
        walk = Walk(graph, direction, options)
        starts: list[Node | Seen] = [asked]
        is_of_all = not is_upstream and found.version is None
        if is_of_all and isinstance(start, Version):
            loader.load_readers([start.entity])
            starts += graph.versions(start.entity)
        walk.run(starts, until=None if end is None else end.id)
        passed_by: list[LineageEdge] = []
        if not is_upstream:
            passed_by = walk.doubts_passed_by()
        if is_of_all:
            walk.keep_current(start)
        as_of = None if options.as_of is None else format_time(options.as_of)
        return answer_of(
            walk,
            store,
            question={
                "name": name,
                "id": start.id,
                "direction": direction.name,
                "as_of": as_of,
                **({} if end is None else {"until": end.id}),
            },
            start=start.id,
            starts=_other_starts(walk, start) if is_of_all else (),
            leaf_level=options.leaf_level,
            is_upstream=is_upstream,
            passed_by=passed_by,
        )


def _other_starts(walk: Walk, start: Node) -> tuple[str, ...]:
    """Return the other versions of a file of which something came, the latest first."""
    if not isinstance(start, Version):
        return ()
    versions = list(walk.graph.versions(start.entity))
    return tuple(
        version.id
        for version in reversed(versions)
        if version.id in walk.nodes and version.id != start.id
    )


def start_of(
    graph: Graph, found: Name, *, name: str, as_of: datetime | None
) -> Seen | Activity:
    """Return what a name means: an activity, or a version and how sure that is.

    Raises:
        NotFound: There is no such version, or it was not there yet.
    """
    loader = graph.loader
    if found.activity is not None:
        loader.load_activities([found.activity])
        activity = loader.activities[found.activity]
        if activity is None:
            raise NotFound(name, message=f"{name} had not started by then")
        return activity
    loader.load_uses([found.entity])
    entity = loader.groups.group_of(found.entity)
    if found.version is not None:
        loader.load_readers([entity])
        versions = graph.versions(entity)
        matching = [v for v in versions if (v.tag or "").startswith(found.version)]
        if len(matching) == 1:
            return graph.asked(matching[0])
        raise NotFound(
            name,
            near=sorted(version.id for version in versions),
            message=f"{entity} has no version {found.version}",
        )
    seen = graph.see(entity)
    if as_of is not None and loader.comes_later(entity):
        raise NotFound(
            name,
            message=f"{name} was not there as of {format_time(as_of)}, "
            "it was written later",
        )
    return seen


def _warnings(walk: Walk, nodes: Iterable[LineageNode]) -> Iterator[str]:
    for cut in walk.cut_by:
        yield f"the answer was cut at {cut}"
    for node in nodes:
        if node.kind != "activity" and node.status is not None:
            place = node.location or node.id
            yield f"{place} was made only by steps that are {node.status}"
    loader = walk.graph.loader
    for seen in walk.asked.values():
        entity = seen.version.entity
        known = loader.entities.get(entity)
        place = entity if known is None else known.location or entity
        if loader.is_only_dry(entity):
            yield f"only a dry run wrote {place}; --dry-run answers from dry runs too"
        if (gone := walk.graph.moved_away(entity)) is not None:
            name = gone.name or "a step"
            when = "" if gone.end is None else f" at {format_time(gone.end)}"
            yield f"{place} is not there any more: {name} moved it away{when}"
    yield from walk.graph.ties
