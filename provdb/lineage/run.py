"""All that belongs to a run: its steps, what they made, and all that it came from."""

from collections.abc import Collection, Iterable
from typing import Final

from provdb.errors import NotFound
from provdb.lineage.describe import describe
from provdb.lineage.essentials import Activity
from provdb.lineage.history import History, Node
from provdb.lineage.loaded import Loaded
from provdb.lineage.resolve import Version
from provdb.lineage.result import Lineage, LineageEdge, order_of_node
from provdb.lineage.rules import LINK_RULES, LinkRule
from provdb.lineage.walk import UPSTREAM, without_collector
from provdb.model import LEVELS, Document
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["run_lineage"]

_MOST_NEAR: Final = 3


def run_lineage(
    store: Store, run: int, *, rules: Collection[LinkRule] = LINK_RULES
) -> Lineage:
    """Return the steps of a run, what they made, and everything that it came from.

    Of a file that was written again it is the version that there is now. What another
    step made beside a file of this run, such as a check plot of its calibration, is
    with it. It begins at the product of the highest level.

    Args:
        store: Where the documents are.
        run: Number of the run.
        rules: The link rules that may bridge gaps.

    Raises:
        NotFound: No step of that run is known.

    >>> import provdb
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> records = provdb.store_demo(store)
    >>> answer = run_lineage(store, 1807)
    >>> [file.subrun for file in answer.files_of_level("R0")]
    [0, 1, 2, 3, 4]
    """
    found = list(store.find(f.ACTIVITIES, {f.RUN: run}))
    if not found:
        raise NotFound(
            f"run {run:05d}",
            near=[f"{near:05d}" for near in _near(store, run)],
            message=f"no step of run {run:05d} is known",
        )
    loaded = Loaded(store, rules=rules, as_of=None, is_ahead=True)
    history = History(loaded)
    with without_collector():
        starts = _starts(history, found)
        distances: dict[Node, int] = dict.fromkeys(starts, 0)
        edges: list[LineageEdge] = []
        _walk(history, starts, distances, edges)
        beside = _made_beside(history, list(distances))
        distances |= dict.fromkeys(beside, 0)
        _walk(history, beside, distances, edges)
        by_id = {node.id: distance for node, distance in distances.items()}
        nodes = tuple(describe(distances, by_id, edges, loaded=loaded))
    first = max(
        (node for node in nodes if node.distance == 0 and node.run == run),
        key=lambda node: (
            -1 if node.level is None else LEVELS.index(node.level),
            node.kind != "activity",
            node.subrun is None,
            order_of_node(node),
        ),
        default=nodes[0],
    )
    return Lineage(
        question={
            "name": f"run {run:05d}",
            "id": None,
            "direction": "upstream",
            "as_of": None,
        },
        start=first.id,
        nodes=nodes,
        edges=tuple(dict.fromkeys(edges)),
        warnings=tuple(history.warnings),
    )


def _near(store: Store, run: int) -> list[int]:
    rows = store.find(f.ACTIVITIES, {}, fields=[f.RUN])
    runs = {row[f.RUN] for row in rows if row[f.RUN] is not None}
    return sorted(sorted(runs, key=lambda other: abs(other - run))[:_MOST_NEAR])


def _starts(history: History, activities: Iterable[Document]) -> list[Node]:
    """Return what the steps of a run made, as it is now, and what made nothing."""
    loaded = history.loaded
    activities = sorted(activities, key=lambda activity: activity[f.ID])
    loaded.load_activities(activity[f.ID] for activity in activities)
    entities = dict.fromkeys(
        link[f.ENTITY] for activity in activities for link in activity[f.GENERATED]
    )
    loaded.load_uses(entities)
    starts: list[Node] = [history.now(entity) for entity in entities]
    starts += [
        loaded.activity(activity[f.ID])
        for activity in activities
        if not activity[f.GENERATED]
    ]
    return starts


def _walk(
    history: History,
    level: list[Node],
    distances: dict[Node, int],
    edges: list[LineageEdge],
) -> None:
    """Visit all that some nodes came from."""
    distance = 0
    while level:
        distance += 1
        UPSTREAM.load_next(history.loaded, level)
        found: list[Node] = []
        for node in level:
            for other, edge in UPSTREAM.step(history, node):
                edges.append(edge)
                if other not in distances:
                    distances[other] = distance
                    found.append(other)
        level = found


def _made_beside(history: History, nodes: Iterable[Node]) -> list[Node]:
    """Return what steps made of their own run, and nothing that was reached uses."""
    known = set(nodes)
    made = {
        (entity, activity.id): activity
        for activity in known
        if isinstance(activity, Activity)
        for entity, _, _ in activity.generated
    }
    history.loaded.load_uses({entity for entity, _ in made})
    reached = {v.entity for v in known if isinstance(v, Version)}
    found: dict[Node, None] = {}
    for (entity, id_), activity in sorted(made.items()):
        document = history.loaded.entities.get(entity)
        run = None if document is None else document.run
        if entity in reached or run != activity.run:
            continue
        for version in history.written(entity):
            if id_ in version.generators:
                found[version] = None
    return list(found)
