"""Other writers of the files of a lineage, which an answer elsewhere depends on.

A lineage shows the writes that were chosen. How sure a choice is follows from those
that were not: rivals, writes that failed, moves, and reads of unknown content.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Final

from provdb.lineage import Lineage, LineageNode
from provdb.model import Document
from provdb.model import fields as f
from provdb.model.qualified import is_uri
from provdb.store import Store

__all__ = ["with_other_writers"]

_RAW: Final = "raw"
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


def with_other_writers(lineage: Lineage, store: Store) -> Lineage:
    """Return a lineage with other activities that its doubts and evidence depend on.

    Of a file in doubt, and of one that is not known to be made, these are all that
    wrote it, moved it or read unknown content of it; of others that were written
    several times it is one. They have no edges. What they used is there too, for it
    tells which part of a file they wrote; and all that incomplete steps made.

    Args:
        lineage: The lineage of a file.
        store: The store that gave it.
    """
    known = {node.id for node in lineage.nodes}
    entities = {node.entity for node in lineage.nodes if node.entity is not None}
    doubtful = _doubtful(lineage)
    ids = {one[f.ID] for one in store.generations(entities)}
    ids |= {one[f.ID] for one in store.removals(doubtful)}
    ids |= _readers_by_content(doubtful, store)
    others = [
        activity
        for activity in store.read(f.ACTIVITIES, sorted(ids - known))
        if not activity.get(f.DRY_RUN) and not is_uri(activity[f.ACTIVITY_ID])
    ]
    others = _needed(others, lineage, store, doubtful=doubtful)
    beside = {link[f.ENTITY] for one in others for link in one[f.USED]}
    beside |= _made_by_incomplete(lineage, store)
    described = store.read(f.ENTITIES, sorted(beside - entities))
    nodes = chain(map(_activity, others), _entities(described))
    return replace(lineage, nodes=(*lineage.nodes, *nodes))


def _doubtful(lineage: Lineage) -> set[str]:
    """Return the entities with a mark, and those that no step is known to have made."""
    entities = {node.id: node.entity for node in lineage.nodes}
    made = {e.source for e in lineage.edges if e.relation == "wasGeneratedBy"}
    found = {
        node.entity
        for node in lineage.nodes
        if node.marks or (node.id not in made and node.origin != _RAW)
    }
    for edge in lineage.edges:
        if edge.marks:
            found |= {entities[edge.source], entities[edge.target]}
    return {entity for entity in found if entity is not None}


def _made_by_incomplete(lineage: Lineage, store: Store) -> set[str]:
    """Return what steps made of which records are missing; it may be why they are."""
    marked = [n.id for n in lineage.nodes if n.kind == "activity" and n.marks]
    return {
        link[f.ENTITY]
        for activity in store.read(f.ACTIVITIES, sorted(marked))
        for link in activity[f.GENERATED]
    }


def _readers_by_content(entities: set[str], store: Store) -> set[str]:
    """Return the ids of activities that recorded a hash of what they read."""
    written = {
        link[f.ENTITY]
        for activity in store.generations(entities)
        for link in activity[f.GENERATED]
        if link[f.ENTITY] in entities and f.HASH in link
    }
    return {
        activity[f.ID]
        for activity in store.usages(written)
        for link in activity[f.USED]
        if link[f.ENTITY] in written and f.HASH in link
    }


def _needed(
    activities: list[Document],
    lineage: Lineage,
    store: Store,
    *,
    doubtful: set[str],
) -> list[Document]:
    """Return the activities that an answer depends on."""
    entities = {node.id: node.entity for node in lineage.nodes}
    ordered = {entities[e.target] for e in lineage.edges if e.evidence == "order"}
    # Whether a recorded derivation counts depends on how many made the file.
    generated = {link[f.ENTITY] for one in activities for link in one[f.GENERATED]}
    for entity in store.read(f.ENTITIES, sorted(generated & set(entities.values()))):
        if entity.get(f.DERIVED_FROM) or entity.get(f.MEMBERS):
            ordered.add(entity[f.ID])
    # The time of a read by no step, or by a step without a start, is now.
    timed = {node.id for node in lineage.nodes if node.start is not None}
    now = {entities[lineage.start]} | {
        entities[edge.target] for edge in lineage.edges if edge.source not in timed
    }
    times = [t for node in lineage.nodes for t in (node.start, node.end) if t]
    last = max(times, default=None)
    needed: dict[str, Document] = {}
    for activity in sorted(activities, key=_start_of, reverse=True):
        written = {link[f.ENTITY] for link in activity[f.GENERATED]}
        hashed = [link for link in activity[f.USED] if f.HASH in link]
        others = (*hashed, *activity.get(f.INVALIDATED, ()))
        touched = written | {link[f.ENTITY] for link in others}
        start = activity.get(f.START)
        is_later = last is not None and start is not None and start > last
        if touched & (doubtful & now if is_later else doubtful):
            needed[activity[f.ID]] = activity
        elif not is_later and (found := written & ordered):
            needed[activity[f.ID]] = activity
            ordered -= found
    return [one for one in activities if one[f.ID] in needed]


def _start_of(activity: Document) -> tuple[bool, datetime, str]:
    """Return the sort key of an activity: the earliest first."""
    start = activity.get(f.START) or activity.get(f.END)
    return start is not None, start or _EARLIEST, activity[f.ID]


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
