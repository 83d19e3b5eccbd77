"""What many entities and activities come from, or what came from them, in one walk."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from provdb.lineage.completeness import Completeness
from provdb.lineage.essentials import Activity
from provdb.lineage.history import History, Node
from provdb.lineage.loaded import Loaded
from provdb.lineage.resolve import Version
from provdb.lineage.rules import LINK_RULES, LinkRule
from provdb.lineage.walk import DOWNSTREAM, UPSTREAM, without_collector
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
    rules: Collection[LinkRule] = LINK_RULES,
) -> ReachedIds:
    """Return what is reached from some entities, as they are now, and activities.

    An entity is upstream if any version of it was used; it is downstream if the
    version that there is now came from there. What the walk starts at is reached only
    if it leads back there.

    Args:
        store: Where the documents are.
        entities: Ids of entities.
        activities: Ids of activities.
        is_upstream: Whether to walk back in time, not on.
        rules: The link rules that may bridge gaps.
    """
    direction = UPSTREAM if is_upstream else DOWNSTREAM
    loaded = Loaded(store, rules=rules, as_of=None, is_ahead=is_upstream)
    history = History(loaded)
    with without_collector():
        loaded.load_activities(activities)
        direction.load(loaded, entities)
        level: list[Node] = [history.now(entity) for entity in entities]
        level += [loaded.activity(activity) for activity in activities]
        visited = {node.id for node in level}
        reached: dict[str, Node] = {}
        while level:
            direction.load_next(loaded, level)
            found = {
                other.id: other
                for node in level
                for other, _ in direction.step(history, node)
            }
            reached |= found
            level = [node for id_, node in found.items() if id_ not in visited]
            visited |= found.keys()
        versions = [node for node in reached.values() if isinstance(node, Version)]
        if not is_upstream:
            versions = [v for v in versions if history.now(v.entity) is v]
    return ReachedIds(
        entities=frozenset(version.entity for version in versions),
        activities=frozenset(n.id for n in reached.values() if isinstance(n, Activity)),
    )


def makers(
    store: Store,
    entities: Collection[str],
    *,
    rules: Collection[LinkRule] = LINK_RULES,
) -> dict[str, frozenset[str]]:
    """Return the ids of the activities that made the current version of each entity.

    Args:
        store: Where the documents are.
        entities: Ids of entities.
        rules: The link rules that may bridge gaps.
    """
    loaded = Loaded(store, rules=rules, as_of=None)
    loaded.load_uses(entities)
    history = History(loaded)
    return {entity: history.now(entity).generators for entity in entities}
