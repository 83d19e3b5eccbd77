"""Other writers of the files of a lineage, which an answer elsewhere depends on.

A lineage shows the writes that were chosen. How sure a choice is follows from the
writes that were not: earlier ones, those that failed, and moves.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from provdb.lineage import Lineage, LineageNode
from provdb.model import Document
from provdb.model import fields as f
from provdb.model.qualified import is_uri
from provdb.store import Store

__all__ = ["with_other_writers"]


def with_other_writers(lineage: Lineage, store: Store) -> Lineage:
    """Return a lineage with the activities that wrote or moved its files in vain.

    They have no edges. What they used is there too, for it tells which part of a file
    they wrote. Writes that began after the last step ended are left out where no step
    can have read them.

    Args:
        lineage: The lineage of a file.
        store: The store that gave it.
    """
    known = {node.id for node in lineage.nodes}
    entities = {node.entity for node in lineage.nodes if node.entity is not None}
    found = chain(store.generations(entities), store.removals(entities))
    ids = {activity[f.ID] for activity in found} - known
    others = [
        activity
        for activity in store.read(f.ACTIVITIES, sorted(ids))
        if not activity.get(f.DRY_RUN) and not is_uri(activity[f.ACTIVITY_ID])
    ]
    others = _without_later(others, lineage, store)
    used = {link[f.ENTITY] for one in others for link in one[f.USED]} - entities
    inputs = store.read(f.ENTITIES, sorted(used))
    nodes = chain(map(_activity, others), _entities(inputs))
    return replace(lineage, nodes=(*lineage.nodes, *nodes))


def _without_later(
    activities: list[Document], lineage: Lineage, store: Store
) -> list[Document]:
    """Leave out what began after the last step ended, where that changes nothing."""
    times = [t for node in lineage.nodes for t in (node.start, node.end) if t]
    last = max(times, default=None)
    later = {
        activity[f.ID]: {link[f.ENTITY] for link in activity[f.GENERATED]}
        for activity in activities
        if last is not None and (start := activity.get(f.START)) and start > last
    }
    if not later:
        return activities
    # No step reads what was asked for, nor what files are derived from: the time of
    # such a read is now. Whether a recorded derivation counts is decided by all makers.
    entities = {node.id: node.entity for node in lineage.nodes}
    deciding = {entities[lineage.start]} | {
        entities[edge.target]
        for edge in lineage.edges
        if edge.relation in ("hadMember", "wasDerivedFrom")
    }
    for entity in store.read(f.ENTITIES, sorted(set().union(*later.values()))):
        if entity.get(f.DERIVED_FROM) or entity.get(f.MEMBERS):
            deciding.add(entity[f.ID])
    return [
        activity
        for activity in activities
        if not deciding.isdisjoint(later.get(activity[f.ID], deciding))
    ]


def _activity(document: Document) -> LineageNode:
    return LineageNode(
        document[f.ID],
        "activity",
        document.get(f.NAME),
        run=document[f.RUN],
        subrun=document[f.SUBRUN],
        status=document[f.STATUS],
        session_tag=document[f.SESSION_TAG],
        start=document.get(f.START),
        end=document.get(f.END),
    )


def _entities(documents: Iterable[Document]) -> Iterator[LineageNode]:
    for document in documents:
        id_ = document[f.ID]
        yield LineageNode(
            id_,
            "entity",
            document.get(f.NAME),
            document.get(f.LOCATION),
            document[f.LEVEL],
            document[f.RUN],
            document[f.SUBRUN],
            entity=id_,
        )
