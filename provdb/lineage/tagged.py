"""All steps of a tag, with what they used and made: a part of a store as one answer."""

from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Final

from provdb.errors import NotFound
from provdb.lineage.describe import describe
from provdb.lineage.essentials import Activity
from provdb.lineage.history import History, Node, Step
from provdb.lineage.loaded import Loaded
from provdb.lineage.resolve import Version
from provdb.lineage.result import Lineage, LineageEdge
from provdb.lineage.rules import LINK_RULES, LinkRule
from provdb.lineage.walk import without_collector
from provdb.model import Document
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["tag_lineage"]

_ALL: Final = "*"
_AGENT: Final = "Agent"


def tag_lineage(
    store: Store, tag: str, *, rules: Collection[LinkRule] = LINK_RULES
) -> Lineage:
    """Return the steps of a session tag, what they used, and what they made.

    Every version that they made is there, also one that nobody used. What others did
    with it, and what others made that they used, is not.

    Args:
        store: Where the documents are.
        tag: A session tag, with ``*`` and ``?``: ``*:01807`` is all of a run. ``*``
            is all that is in the store, also what has no tag.
        rules: The link rules that may bridge gaps.

    Raises:
        NotFound: No step has such a tag.

    >>> import provdb
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> records = provdb.store_demo(store)
    >>> answer = tag_lineage(store, "r0_to_dl1:01807")
    >>> sum(node.kind == "activity" for node in answer.nodes)
    5
    """
    found = sorted(_steps(store, tag), key=lambda activity: str(activity[f.ID]))
    agents = _agents(store) if tag == _ALL else set()
    entities = _entities(store) if tag == _ALL else []
    if not found and not entities:
        raise NotFound(
            tag,
            message=f"no step has the tag {tag}; 'provdb session list' shows all",
        )
    loaded = Loaded(store, rules=rules, as_of=None)
    history = History(loaded)
    with without_collector():
        _load(loaded, found, entities)
        steps = [loaded.activity(activity[f.ID]) for activity in found]
        nodes: dict[Node, int] = dict.fromkeys(steps, 0)
        edges: dict[LineageEdge, None] = {}
        for step in steps:
            for other, edge in _around(history, step):
                nodes.setdefault(other, 1)
                edges[edge] = None
        known = {node.entity for node in nodes if isinstance(node, Version)}
        nodes |= {history.now(one): 1 for one in entities if one not in known}
        _add_sources(history, nodes, edges)
        distances = {node.id: distance for node, distance in nodes.items()}
        described = tuple(
            node._replace(kind="agent") if node.entity in agents else node
            for node in describe(nodes, distances, edges, loaded=loaded)
        )
    return Lineage(
        question={"name": tag, "tag": tag, "direction": "none", "as_of": None},
        start="",
        nodes=described,
        edges=tuple(edges),
        warnings=tuple(history.warnings),
    )


def _steps(store: Store, tag: str) -> Iterable[Document]:
    if tag == _ALL:
        return store.scan(f.ACTIVITIES)
    tags = [one for one in store.session_tags() if fnmatchcase(one, tag)]
    return store.tagged(tags)


def _entities(store: Store) -> list[str]:
    """Return the ids of all entities, in order."""
    return sorted(str(entity[f.ID]) for entity in store.scan(f.ENTITIES))


def _agents(store: Store) -> set[str]:
    """Return the ids of agents, which are stored as entities are."""
    return {entity[f.ID] for entity in store.find(f.ENTITIES, {f.TYPE: _AGENT})}


def _load(loaded: Loaded, activities: list[Document], entities: list[str]) -> None:
    loaded.load_activities(activity[f.ID] for activity in activities)
    named = dict.fromkeys(
        link[f.ENTITY]
        for activity in activities
        for array in (f.USED, f.GENERATED)
        for link in activity[array]
    )
    loaded.load_uses([*named, *entities])
    loaded.load_readers([*named, *entities])


def _around(history: History, step: Activity) -> Iterator[Step]:
    """Yield what a step used, and every version of what it made."""
    yield from history.upstream(step)
    for entity, role, _ in step.generated:
        for version in _made(history, step, entity):
            edge = LineageEdge(version.id, step.id, "wasGeneratedBy", role)
            yield version, edge


def _made(history: History, step: Activity, entity: str) -> Collection[Version]:
    versions = (*history.versions(entity), *history.written(entity))
    made = dict.fromkeys(v for v in versions if step.id in v.generators)
    # What another step is known to have made in its place was made all the same.
    return made or (Version.of(entity, frozenset((step.id,))),)


def _add_sources(
    history: History, nodes: dict[Node, int], edges: dict[LineageEdge, None]
) -> None:
    """Add what the entities come from without any activity."""
    todo = [node for node in nodes if isinstance(node, Version)]
    while todo:
        for other, edge in history.upstream(todo.pop()):
            if edge.relation == "wasGeneratedBy":
                continue
            edges[edge] = None
            if other not in nodes and isinstance(other, Version):
                nodes[other] = 2
                todo.append(other)
