"""What an answer says of the nodes that a walk met: names, places, levels, origins."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from provdb.lineage.history import Edge, Node
from provdb.lineage.loaded import Loaded
from provdb.lineage.resolve import Activity, Version
from provdb.lineage.result import LineageNode
from provdb.model import Document
from provdb.model import fields as f

__all__ = ["describe"]

_COLLECTIONS: Final = ("SetCollection", "FileCollection")
_FAILED: Final = ("failed", "interrupted")
_RAW: Final = "R0"


def describe(
    distances: Mapping[Node, int], edges: Iterable[Edge], loaded: Loaded
) -> Iterator[LineageNode]:
    """Yield what an answer says of each node, in the order they were met.

    Args:
        distances: The nodes, and how many steps away each is.
        edges: All edges between them.
        loaded: The documents of their entities, and their activities.
    """
    runs: dict[Version, int | None] = {}
    for node, distance in distances.items():
        if isinstance(node, Activity):
            yield LineageNode(
                id=node.id,
                kind="activity",
                name=node.name,
                run=node.run,
                subrun=node.subrun,
                status=node.status,
                session_tag=node.session_tag,
                start=node.start,
                end=node.end,
                distance=distance,
            )
            continue
        document: Document = loaded.entities.get(node.entity, {})
        field = document.get
        is_collection = _is_collection(document)
        if is_collection and not runs:
            runs = _runs_of_collections(distances, edges, loaded)
        yield LineageNode(
            id=node.id,
            kind="collection" if is_collection else "entity",
            name=field(f.NAME),
            location=field(f.LOCATION),
            level=field(f.LEVEL),
            run=runs[node] if is_collection else field(f.RUN),
            subrun=field(f.SUBRUN),
            version=node.tag,
            status=_status(node, loaded),
            origin=_origin(node, document),
            entity=node.entity,
            distance=distance,
        )


def _runs_of_collections(
    nodes: Iterable[Node], edges: Iterable[Edge], loaded: Loaded
) -> dict[Version, int | None]:
    """Return each collection, with the run of the activities beside it, if it is one.

    A collection of lstosa names a folder, which says nothing of the run.
    """
    entities = loaded.entities
    runs: dict[Version, set[int]] = {
        node: set()
        for node in nodes
        if isinstance(node, Version) and _is_collection(entities.get(node.entity, {}))
    }
    for edge in edges if runs else ():
        for version, activity in ((edge[0], edge[1]), (edge[1], edge[0])):
            if (
                isinstance(version, Version)
                and isinstance(activity, Activity)
                and version in runs
                and activity.run is not None
            ):
                runs[version].add(activity.run)
    return {
        version: found.pop() if len(found) == 1 else None
        for version, found in runs.items()
    }


def _is_collection(document: Document) -> bool:
    return document.get(f.TYPE) in _COLLECTIONS or f.MEMBERS in document


def _status(version: Version, loaded: Loaded) -> str | None:
    """Return how the generators of a version ended, if none of them ended well."""
    worst: str | None = None
    for generator in version.generators:
        status = loaded.activity(generator).status
        if status not in _FAILED:
            return None
        worst = status if worst is None else min(worst, status)
    return worst


def _origin(version: Version, document: Document) -> str | None:
    if version.generators or version.sources:
        return None
    if not document:
        return "unknown"
    return "raw" if document[f.LEVEL] == _RAW else "external"
