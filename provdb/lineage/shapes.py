"""Which versions are mixed, and of which steps and versions records are missing."""

from collections.abc import Iterable, Mapping
from typing import Final

from provdb.lineage.graph import Graph, Node, Seen
from provdb.lineage.result import joined_marks
from provdb.lineage.steps import Activity, Entity
from provdb.lineage.timeline import Timeline, Write, handled_slots, is_damaged
from provdb.lineage.version import Version
from provdb.model import fields as f
from provdb.model import session_key
from provdb.store import Store

__all__ = ["Shapes", "find_shapes"]

_UNKNOWN: Final = Entity("")
# Executions of a step that are looked at for the roles that it has.
_SAMPLE: Final = 24
_FEWEST: Final = 4
_MOST: Final = 0.8
_ROLES: Final = f"{f.USED}.{f.ROLE}"


class Shapes:
    """What is not as it should be of versions and activities, by id of the node.

    Attributes:
        marks: What is in doubt of a node, in the order of `DOUBTS`.
        reasons: Why a version is mixed.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.marks: dict[str, tuple[str, ...]] = {}
        self.reasons: dict[str, str] = {}

    def add(self, id_: str, mark: str) -> None:
        """Mark a node."""
        self.marks[id_] = joined_marks([self.marks.get(id_, ()), (mark,)])


def find_shapes(
    graph: Graph,
    store: Store,
    nodes: Iterable[Node],
    *,
    asked: Iterable[Seen],
    is_upstream: bool,
) -> Shapes:
    """Return which versions are mixed, and of which steps records are missing.

    Args:
        graph: The graph that the nodes are of.
        store: Where the documents are.
        nodes: The nodes of an answer.
        asked: What the question itself read.
        is_upstream: Whether all inputs of the activities are among the nodes.
    """
    shapes = Shapes()
    for seen in asked:
        for mark in seen.marks:
            shapes.add(seen.version.id, mark)
    activities: list[Activity] = []
    parted: list[tuple[Version, Timeline]] = []
    for node in nodes:
        if isinstance(node, Activity):
            activities.append(node)
        elif (
            node.generators
            and not graph.is_plain(node.entity)
            and (len(node.generators) > 1 or graph.timeline(node.entity).has_parts)
        ):
            timeline = graph.timeline(node.entity)
            if not timeline.is_fixed:
                parted.append((node, timeline))
    for activity in activities:
        if activity.start is None and activity.name is None:
            shapes.add(activity.id, "incomplete")
    if is_upstream:
        _mark_made_of_nothing(graph, activities, shapes)
        _mark_missing_roles(store, activities, shapes)
    if parted:
        software = _software(store, graph, parted)
        for version, timeline in parted:
            reason = _mixture(version, timeline, software)
            if reason is not None:
                shapes.add(version.id, "mixed")
                shapes.reasons[version.id] = reason
        _mark_missing_parts(graph, store, parted, shapes)
    return shapes


def _mark_made_of_nothing(
    graph: Graph, activities: Iterable[Activity], shapes: Shapes
) -> None:
    """9. Mark steps that made a data product and used no data."""
    entities = graph.loader.entities
    for activity in activities:
        if is_damaged(activity) and not activity.generated:
            continue
        made = (entities.get(link[0], _UNKNOWN) for link in activity.generated)
        if not any(
            one.level is not None and one.particle is None and not one.is_fixed
            for one in made
        ):
            continue
        if not any(_is_data(entities.get(link[0])) for link in activity.used):
            shapes.add(activity.id, "incomplete")


def _is_data(entity: Entity | None) -> bool:
    return entity is not None and (
        entity.level is not None
        or entity.is_collection
        or entity.particle is not None
        or entity.data_kind in ("simulation", "calibration", "simulated_events")
        or entity.data_kind is None
    )


def _mark_missing_roles(
    store: Store, activities: Iterable[Activity], shapes: Shapes
) -> None:
    """9. Mark steps that lack a role which most executions of their step have."""
    by_name: dict[str, list[Activity]] = {}
    for activity in activities:
        if activity.name is not None and not activity.is_run_wise:
            by_name.setdefault(activity.name, []).append(activity)
    names = sorted(by_name)
    samples = store.first(f.ACTIVITIES, f.NAME, names, limit=_SAMPLE, fields=(_ROLES,))
    for name, documents in zip(names, samples, strict=True):
        executions = by_name[name]
        sample = [
            {role for link in document[f.USED] if (role := link.get(f.ROLE))}
            for document in documents
        ]
        if len(sample) < _FEWEST:
            continue
        counts: dict[str, int] = {}
        for roles in sample:
            for role in roles:
                counts[role] = counts.get(role, 0) + 1
        usual = {role for role, n in counts.items() if n > _MOST * len(sample)}
        if usual:
            for activity in executions:
                if not usual.issubset({link[1] for link in activity.used}):
                    shapes.add(activity.id, "incomplete")


def _mixture(
    version: Version,
    timeline: Timeline,
    software: Mapping[str, str | None],
) -> str | None:
    """6. Return why a version holds parts of several passes, or None."""
    writes = [w for w in timeline.writes if w.id in version.generators]
    if len(writes) < 2:
        return None
    versions = {software.get(w.id) for w in writes} - {None}
    if len(versions) > 1:
        return f"software {', '.join(sorted(map(str, versions)))}"
    base = [w for w in writes if w.mode == "overwrite"]
    parts = [w for w in writes if w.mode == "part"]
    if base and parts:
        return f"{len(parts)} parts over a whole write"
    new = [w for w in parts if _replaces(timeline, w, version)]
    if new and len(new) < len(parts):
        return f"{len(new)} of {len(parts)} parts written again"
    return None


def _replaces(timeline: Timeline, part: Write, version: Version) -> bool:
    """Say whether a part took the place of another one of its slot."""
    end = part.end or part.start
    return any(
        w.slots & part.slots and (w.end or w.start) <= end
        for w in timeline.writes
        if w.id not in version.generators
    )


def _software(
    store: Store, graph: Graph, parted: Iterable[tuple[Version, Timeline]]
) -> dict[str, str | None]:
    """Return the software version of each activity, as its session states it."""
    makers = {
        id_: graph.loader.activity(id_)
        for version, _ in parted
        for id_ in version.generators
    }
    keys = sorted({session_key(a.session_tag, a.session_id) for a in makers.values()})
    stated = {
        document[f.ID]: document[f.PROPERTIES].get("software_version")
        for document in store.read(f.SESSIONS, keys)
    }
    return {
        id_: stated.get(session_key(one.session_tag, one.session_id))
        for id_, one in makers.items()
    }


def _mark_missing_parts(
    graph: Graph,
    store: Store,
    parted: Iterable[tuple[Version, Timeline]],
    shapes: Shapes,
) -> None:
    """9. Mark versions of parts that an execution of their step did not write."""
    listed = list(parted)
    loader = graph.loader
    steps = {
        (maker.session_tag, maker.name)
        for version, _ in listed
        for maker in map(loader.activity, version.generators)
        if maker.session_tag
    }
    tags = sorted({tag for tag, _ in steps if tag is not None})
    known = [Activity.of_document(d) for d in store.tagged(tags)]
    loader.describe(link[0] for one in known for link in one.used)
    for version, timeline in listed:
        entity = loader.entities.get(version.entity)
        if entity is None:
            continue
        mine = {
            (maker.session_tag, maker.name)
            for maker in map(loader.activity, version.generators)
        }
        covered = {
            slot.subrun if entity.run is not None else slot.run
            for write in timeline.writes
            for slot in write.slots
        }
        if not covered:
            continue
        for one in known:
            if (one.session_tag, one.name) not in mine or is_damaged(one):
                continue
            if one.id in timeline.makers or one.is_dry_run:
                continue
            handled = handled_slots(one, entity, loader.entities)
            pieces = {
                slot.subrun if entity.run is not None else slot.run for slot in handled
            }
            if pieces and pieces.isdisjoint(covered):
                shapes.add(version.id, "incomplete")
                break
