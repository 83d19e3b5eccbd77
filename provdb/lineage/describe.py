"""What an answer says of the nodes that a walk met: names, places, levels, origins."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from provdb.lineage.graph import Node
from provdb.lineage.loader import Loader
from provdb.lineage.result import LineageEdge, LineageNode
from provdb.lineage.steps import Activity, Entity

__all__ = ["UNDESCRIBED", "describe", "origin_of"]

_BAD: Final = ("failed", "interrupted", "lost")
_RAW: Final = "R0"
UNDESCRIBED: Final = Entity("")
# Data products of a run beside those that have a level.
_MADE_OF_RUNS: Final = ("calibration",)
# What follows the distance is said of collapsed nodes only, but for the marks.
_OF_ONE: Final = LineageNode("", "")[
    LineageNode._fields.index("distance") + 1 : LineageNode._fields.index("marks")
]
_NO_MARKS: Final[tuple[str, ...]] = ()
# Telescope and stream of an activity, which has no name of its own.
_UNNAMED: Final = (None, None)
# There are many nodes, and the class itself takes twice as long.
_node: Final[Callable[[tuple[Any, ...]], LineageNode]] = partial(
    tuple.__new__, LineageNode
)


def describe(
    nodes: Iterable[Node],
    distances: Mapping[str, int],
    edges: Iterable[LineageEdge],
    *,
    loader: Loader,
    marks: Mapping[str, tuple[str, ...]],
) -> Iterator[LineageNode]:
    """Yield what an answer says of each node, in the order they were met.

    Args:
        nodes: The nodes.
        distances: How many steps away each is, by id; of others it is 0.
        edges: All edges between them.
        loader: The documents of their entities, and their activities.
        marks: What is in doubt of nodes, by id.
    """
    runs: dict[str, int | None] = {}
    entities = loader.entities
    for node in nodes:
        if isinstance(node, Activity):
            id_, name, tag, _, status, start, end, run, subrun, *_ = node
            told = id_, "activity", name, None, None, run, subrun, None, status, None
            when = tag, start, end, None, distances.get(id_, 0)
            mark = marks.get(id_, _NO_MARKS)
            yield _node((*told, *when, *_OF_ONE, mark, *_UNNAMED))
            continue
        id_, entity, generators, sources = node
        known = entities.get(entity, UNDESCRIBED)
        run = known.run
        if known.is_collection and run is None:
            runs = runs or _runs_of_collections(nodes, edges, loader)
            run = runs[id_]
        worst = _status(generators, loader) if generators else None
        origin = None if generators or sources else origin_of(known)
        kind = "collection" if known.is_collection else "entity"
        what = id_, kind, known.name, known.location, known.level, run, known.subrun
        which = id_[len(entity) + 1 :] or None, worst, origin
        where = None, None, None, entity, distances[id_]
        mark = marks.get(id_, _NO_MARKS)
        named = known.telescope, known.stream
        yield _node((*what, *which, *where, *_OF_ONE, mark, *named))


def origin_of(entity: Entity) -> str:
    """Return where an entity is from that nothing is known to have generated.

    >>> origin_of(Entity("6d2362", level="DL1", run=1618))
    'gap'
    >>> origin_of(Entity("6d2362", data_kind="calibration", run=1618))
    'gap'
    """
    if entity is UNDESCRIBED:
        return "unknown"
    if entity.level == _RAW:
        return "raw"
    if entity.is_fixed or entity.particle is not None:
        return "external"
    is_product = entity.level is not None or (
        entity.data_kind in _MADE_OF_RUNS and entity.run is not None
    )
    return "gap" if is_product else "external"


def _runs_of_collections(
    nodes: Iterable[Node], edges: Iterable[LineageEdge], loader: Loader
) -> dict[str, int | None]:
    """Return each collection, with the run of the activities beside it, if it is one.

    A collection of lstosa names a folder, which says nothing of the run.
    """
    runs: dict[str, set[int]] = {}
    runs_of_activities: dict[str, int | None] = {}
    for node in nodes:
        if isinstance(node, Activity):
            runs_of_activities[node.id] = node.run
        elif loader.entities.get(node.entity, UNDESCRIBED).is_collection:
            runs[node.id] = set()
    for edge in edges:
        for one, other in (
            (edge.source, edge.target),
            (edge.target, edge.source),
        ):
            run = runs_of_activities.get(other)
            if one in runs and run is not None:
                runs[one].add(run)
    return {
        collection: found.pop() if len(found) == 1 else None
        for collection, found in runs.items()
    }


def _status(generators: Iterable[str], loader: Loader) -> str | None:
    """Return how the generators of a version ended, if none of them ended well."""
    worst: str | None = None
    for generator in generators:
        status = loader.activity(generator).status
        if status not in _BAD:
            return None
        worst = status if worst is None else min(worst, status)
    return worst
