"""What an answer says of the nodes that a walk met: names, places, levels, origins."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from provdb.lineage.essentials import Activity, Entity
from provdb.lineage.history import Node
from provdb.lineage.loaded import Loaded
from provdb.lineage.result import LineageEdge, LineageNode

__all__ = ["describe"]

_FAILED: Final = ("failed", "interrupted")
_RAW: Final = "R0"
_UNKNOWN: Final = Entity("")
# What follows the distance is said of collapsed nodes only.
_OF_ONE: Final = LineageNode("", "")[LineageNode._fields.index("distance") + 1 :]
# There are many nodes, and the class itself takes twice as long.
_node: Final[Callable[[tuple[Any, ...]], LineageNode]] = partial(
    tuple.__new__, LineageNode
)


def describe(
    nodes: Iterable[Node],
    distances: Mapping[str, int],
    edges: Iterable[LineageEdge],
    *,
    loaded: Loaded,
) -> Iterator[LineageNode]:
    """Yield what an answer says of each node, in the order they were met.

    Args:
        nodes: The nodes.
        distances: How many steps away each is, by id.
        edges: All edges between them.
        loaded: The documents of their entities, and their activities.
    """
    runs: dict[str, int | None] = {}
    entities = loaded.entities
    for node in nodes:
        if isinstance(node, Activity):
            id_, name, tag, _, status, start, end, run, subrun, _, _, _ = node
            told = id_, "activity", name, None, None, run, subrun, None, status, None
            when = tag, start, end, None, distances[id_]
            yield _node(told + when + _OF_ONE)
            continue
        id_, entity, generators, sources = node
        known = entities.get(entity, _UNKNOWN)
        _, name, location, level, run, subrun, _, is_collection, _ = known
        if is_collection:
            runs = runs or _runs_of_collections(nodes, edges, loaded)
            run = runs[id_]
        worst = _status(generators, loaded) if generators else None
        origin = None if generators or sources else _origin(known)
        kind = "collection" if is_collection else "entity"
        what = id_, kind, name, location, level, run, subrun
        which = id_[len(entity) + 1 :] or None, worst, origin
        where = None, None, None, entity, distances[id_]
        yield _node(what + which + where + _OF_ONE)


def _runs_of_collections(
    nodes: Iterable[Node], edges: Iterable[LineageEdge], loaded: Loaded
) -> dict[str, int | None]:
    """Return each collection, with the run of the activities beside it, if it is one.

    A collection of lstosa names a folder, which says nothing of the run.
    """
    runs: dict[str, set[int]] = {}
    runs_of_activities: dict[str, int | None] = {}
    for node in nodes:
        if isinstance(node, Activity):
            runs_of_activities[node.id] = node.run
        elif loaded.entities.get(node.entity, _UNKNOWN).is_collection:
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


def _status(generators: Iterable[str], loaded: Loaded) -> str | None:
    """Return how the generators of a version ended, if none of them ended well."""
    worst: str | None = None
    for generator in generators:
        status = loaded.activity(generator).status
        if status not in _FAILED:
            return None
        worst = status if worst is None else min(worst, status)
    return worst


def _origin(entity: Entity) -> str:
    """Return where an entity is from that nothing is known to have generated."""
    if entity is _UNKNOWN:
        return "unknown"
    return "raw" if entity.level == _RAW else "external"
