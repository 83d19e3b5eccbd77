"""The digests of content that were recorded of the files in a lineage."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from provdb.lineage import Lineage, LineageNode
from provdb.model import Document
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["recorded_contents"]

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


def recorded_contents(
    store: Store,
    answer: Lineage,
    *,
    activities: Mapping[str, Document],
    copies: Mapping[str, Collection[str]],
) -> dict[str, tuple[str, ...]]:
    """Return the digests that were recorded of the content of each file.

    A version has the content that its last write recorded; of a part that another one
    followed nobody has the content any more. The uses of a version record it too, and
    so do stored copies of configuration files. What was asked for has no use in its own
    lineage: where its writes recorded nothing, the last use of it counts.

    Args:
        store: Where the documents are.
        answer: The lineage, not collapsed.
        activities: The documents of its activities, by id.
        copies: The digests of stored copies of files, by location.

    Returns:
        The digests in hexadecimal, in order, by id of the node; one is enough to know
        the content, several say that records contradict each other.
    """
    nodes = {node.id: node for node in answer.nodes}
    digests: dict[str, set[str]] = {}
    makers: dict[str, list[Document]] = {}
    for edge in answer.edges:
        if edge.relation == "wasGeneratedBy" and edge.target in activities:
            makers.setdefault(edge.source, []).append(activities[edge.target])
        elif edge.relation == "used" and edge.source in activities:
            user, entity = activities[edge.source], nodes[edge.target].entity
            used = _hashes(user, f.USED, entity)
            digests.setdefault(edge.target, set()).update(used)
    for id_, writers in makers.items():
        last = max(map(_end, writers))
        for writer in writers:
            if _end(writer) == last:
                written = _hashes(writer, f.GENERATED, nodes[id_].entity)
                digests.setdefault(id_, set()).update(written)
    for node in answer.nodes:
        if node.kind == "entity" and not digests.get(node.id):
            digests[node.id] = set(copies.get(node.location or "", ()))
    if answer.start in nodes and not digests.get(answer.start):
        found = _last_used(store, nodes[answer.start], makers.get(answer.start, ()))
        digests[answer.start] = set(found)
    return {id_: tuple(sorted(found)) for id_, found in digests.items() if found}


def _last_used(
    store: Store, node: LineageNode, makers: Iterable[Document]
) -> tuple[str, ...]:
    """Return the digests of the last use since a version was written that has some."""
    if node.entity is None:
        return ()
    ids = {maker[f.ID] for maker in makers}
    written = max(map(_end, makers), default=_EARLIEST)
    latest = written
    found: tuple[str, ...] = ()
    for activity in store.usages([node.entity]):
        start = activity.get(f.START) or _EARLIEST
        if activity[f.ID] in ids or activity.get(f.DRY_RUN) or start < latest:
            continue
        digests = tuple(sorted(set(_hashes(activity, f.USED, node.entity))))
        if digests:
            latest, found = start, digests
    return found


def _hashes(
    activity: Mapping[str, Any], array: str, entity: str | None
) -> Iterator[str]:
    for link in activity.get(array, ()):
        if link[f.ENTITY] == entity and link.get(f.HASH):
            yield link[f.HASH]


def _end(activity: Document) -> datetime:
    return activity.get(f.END) or activity.get(f.START) or _EARLIEST
