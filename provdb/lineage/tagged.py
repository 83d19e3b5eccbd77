"""All steps of a tag, with what they used and made: a part of a store as one answer."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from provdb.errors import NotFound
from provdb.lineage.file_answer import answer_of
from provdb.lineage.graph import Graph, Node, Step
from provdb.lineage.link_rules import LinkRule
from provdb.lineage.loader import Loader
from provdb.lineage.result import Lineage, LineageEdge
from provdb.lineage.steps import Activity
from provdb.lineage.traverse import UPSTREAM, Walk, without_collector
from provdb.lineage.version import Version
from provdb.model import Document
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["tag_lineage"]

_ALL: Final = "*"
_AGENT: Final = "Agent"


def tag_lineage(
    store: Store, tag: str, *, rules: Collection[LinkRule] | None = None
) -> Lineage:
    """Return the steps of a session tag, what they used, and what they made.

    Every version that they made is there, also one that nobody used. What others did
    with it, and what others made that they used, is not.

    Args:
        store: Where the documents are.
        tag: A session tag, with ``*`` and ``?``: ``*:01807`` is all of a run. ``*``
            is all that is in the store, also what has no tag.
        rules: The link rules that may bridge gaps, or None for those of the store.

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
    loader = Loader(store, rules=rules, is_dry_run=True)
    graph = Graph(loader)
    with without_collector():
        _load(loader, found, entities)
        walk = Walk(graph, UPSTREAM)
        steps = [loader.activity(activity[f.ID]) for activity in found]
        nodes: dict[Node, int] = dict.fromkeys(steps, 0)
        edges: dict[LineageEdge, None] = {}
        for step in steps:
            for other, edge in _around(graph, step):
                nodes.setdefault(other, 1)
                edges[edge] = None
        known = {node.entity for node in nodes if isinstance(node, Version)}
        nodes |= {graph.now(one): 1 for one in entities if one not in known}
        _add_sources(graph, nodes, edges)
        if tag == _ALL:
            _add_declared(graph, nodes, edges)
        walk.nodes = {node.id: node for node in nodes}
        walk.distances = {node.id: distance for node, distance in nodes.items()}
        walk.edges = list(edges)
        answer = answer_of(
            walk,
            store,
            question={"name": tag, "tag": tag, "direction": "none", "as_of": None},
            start="",
            is_upstream=False,
        )
    described = tuple(
        node._replace(kind="agent") if node.entity in agents else node
        for node in answer.nodes
    )
    return replace(answer, nodes=described)


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


def _load(loader: Loader, activities: list[Document], entities: list[str]) -> None:
    loader.load_activities(activity[f.ID] for activity in activities)
    named = dict.fromkeys(
        link[f.ENTITY]
        for activity in activities
        for array in (f.USED, f.GENERATED)
        for link in activity[array]
    )
    loader.load_uses([*named, *entities])
    loader.load_readers([*named, *entities])


def _around(graph: Graph, step: Activity) -> Iterator[Step]:
    """Yield what a step used, and every version of what it made."""
    yield from graph.upstream(step)
    for entity, role, *_ in step.generated:
        for version in _made(graph, step, entity):
            edge = LineageEdge(version.id, step.id, "wasGeneratedBy", role)
            yield version, edge


def _made(graph: Graph, step: Activity, entity: str) -> Collection[Version]:
    versions = (*graph.versions(entity), *graph.written(entity))
    made = dict.fromkeys(v for v in versions if step.id in v.generators)
    # What another step is known to have made in its place was made all the same.
    return made or (Version.of(entity, frozenset((step.id,))),)


def _add_sources(
    graph: Graph, nodes: dict[Node, int], edges: dict[LineageEdge, None]
) -> None:
    """Add what the entities come from without any activity."""
    todo = [node for node in nodes if isinstance(node, Version)]
    while todo:
        for other, edge in graph.upstream(todo.pop()):
            if edge.relation == "wasGeneratedBy":
                continue
            edges[edge] = None
            if other not in nodes and isinstance(other, Version):
                nodes[other] = 2
                todo.append(other)


def _add_declared(
    graph: Graph, nodes: dict[Node, int], edges: dict[LineageEdge, None]
) -> None:
    """Add what records say that entities come from, and that counts of no version.

    A record of a derivation names no version, and the makers of a file say more.
    """
    entities = {node.id: node.entity for node in nodes if isinstance(node, Version)}
    told = {
        (entities[edge.source], edge.relation, entities[edge.target])
        for edge in edges
        if edge.source in entities and edge.target in entities
    }
    for entity in sorted(set(entities.values())):
        for relation, other in graph.loader.declared(entity):
            if (entity, relation, other) in told:
                continue
            later, earlier = graph.now(entity), graph.now(other)
            nodes.setdefault(later, 1)
            nodes.setdefault(earlier, 2)
            edges[LineageEdge(later.id, earlier.id, relation)] = None
