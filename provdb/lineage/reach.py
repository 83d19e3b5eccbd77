"""What many entities and activities come from, or what came from them, in one walk."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from provdb.lineage.assess import completeness_of
from provdb.lineage.completeness import Completeness
from provdb.lineage.describe import UNDESCRIBED, origin_of
from provdb.lineage.graph import Graph, Node, Seen
from provdb.lineage.link_rules import LinkRule
from provdb.lineage.loader import Loader
from provdb.lineage.result import LineageEdge, LineageNode
from provdb.lineage.steps import Activity
from provdb.lineage.traverse import DOWNSTREAM, UPSTREAM, Walk, without_collector
from provdb.lineage.version import Version
from provdb.store import Store

__all__ = ["ReachedIds", "makers", "reach"]

_COMPLETE: Final = Completeness()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedIds:
    """Ids of what was reached.

    Attributes:
        entities: Ids of entities.
        activities: Ids of activities.
        completeness: What the walk knows, and what it does not know.
    """

    entities: frozenset[str]
    activities: frozenset[str]
    completeness: Completeness = _COMPLETE


def reach(
    store: Store,
    *,
    entities: Collection[str] = (),
    activities: Collection[str] = (),
    is_upstream: bool,
    rules: Collection[LinkRule] | None = None,
) -> ReachedIds:
    """Return what is reached from some entities and activities.

    An entity is upstream if any version of it went into what is there now of the
    entities; it is downstream if what is there now of it came from any version of
    them. What the walk starts at is reached only if it leads back there.

    Args:
        store: Where the documents are.
        entities: Ids of entities.
        activities: Ids of activities.
        is_upstream: Whether to walk back in time, not on.
        rules: The link rules that may bridge gaps, or None for those of the store.
    """
    direction = UPSTREAM if is_upstream else DOWNSTREAM
    loader = Loader(store, rules=rules, is_ahead=is_upstream)
    graph = Graph(loader)
    with without_collector():
        loader.load_activities(activities)
        direction.load(loader, entities)
        starts: list[Node | Seen] = []
        for entity in entities:
            starts += [graph.see(entity)] if is_upstream else graph.versions(entity)
        known = (loader.activities.get(activity) for activity in activities)
        starts += [activity for activity in known if activity is not None]
        walk = Walk(graph, direction)
        walk.run(starts)
        passed_by: list[LineageEdge] = []
        if not is_upstream:
            passed_by = walk.doubts_passed_by()
            walk.keep_current()
        # An edge leads to each node that was reached.
        ends = {e.target if is_upstream else e.source for e in walk.edges}
        reached = [walk.nodes[id_] for id_ in ends]
        versions = [node for node in reached if isinstance(node, Version)]
        if not is_upstream:
            versions = [v for v in versions if graph.is_there(v)]
        return ReachedIds(
            entities=frozenset([version.entity for version in versions]),
            activities=frozenset(n.id for n in reached if isinstance(n, Activity)),
            completeness=completeness_of(
                _gaps(graph, walk.nodes.values()) if is_upstream else [],
                [*walk.edges, *passed_by],
                ties=tuple(graph.ties),
                damaged_by=[i for seen in walk.asked.values() for i in seen.damaged_by],
            ),
        )


def _gaps(graph: Graph, nodes: Iterable[Node]) -> list[LineageNode]:
    """Return the data products that nobody is known to have made."""
    entities = graph.loader.entities
    return [
        LineageNode(node.id, "entity", origin=origin)
        for node in nodes
        if isinstance(node, Version)
        and not node.generators
        and not node.sources
        and (origin := origin_of(entities.get(node.entity, UNDESCRIBED)))
        in ("gap", "unknown")
    ]


def makers(
    store: Store,
    entities: Collection[str],
    *,
    rules: Collection[LinkRule] | None = None,
) -> dict[str, frozenset[str]]:
    """Return the ids of the activities that made the current version of each entity.

    What was moved was made where it was written.

    Args:
        store: Where the documents are.
        entities: Ids of entities.
        rules: The link rules that may bridge gaps, or None for those of the store.
    """
    loader = Loader(store, rules=rules)
    loader.load_uses(entities)
    graph = Graph(loader)
    return {entity: _makers_of(graph.now(entity)) for entity in entities}


def _makers_of(version: Version) -> frozenset[str]:
    found = set(version.generators)
    for source in version.sources:
        if source.relation == "wasDerivedFrom" and source.evidence.startswith("rule:"):
            found |= _makers_of(source.version)
    return frozenset(found)
