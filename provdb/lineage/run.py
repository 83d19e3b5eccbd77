"""All that belongs to a run: its steps, what they made, and all that it came from."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from provdb.errors import NotFound
from provdb.lineage.file_answer import answer_of
from provdb.lineage.graph import Graph, Node, Seen
from provdb.lineage.link_rules import LinkRule
from provdb.lineage.loader import Loader
from provdb.lineage.result import Lineage, order_of_node
from provdb.lineage.steps import Activity
from provdb.lineage.traverse import UPSTREAM, Walk, WalkOptions, without_collector
from provdb.lineage.version import Version
from provdb.model import LEVELS, Document, format_time
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["run_lineage"]

_MOST_NEAR: Final = 3


def run_lineage(
    store: Store,
    run: int,
    *,
    rules: Collection[LinkRule] | None = None,
    as_of: datetime | None = None,
) -> Lineage:
    """Return the steps of a run, what they made, and everything that it came from.

    Of a file that was written again it is the version that there is now, or was then:
    executions whose products were overwritten are not part of it. What another step
    made beside a file of this run, such as a check plot of its calibration, is with
    it. It begins at the product of the highest level.

    Args:
        store: Where the documents are.
        run: Number of the run.
        rules: The link rules that may bridge gaps, or None for those of the store.
        as_of: Answer from what had happened by then, or None for now.

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
    loader = Loader(store, rules=rules, as_of=as_of, is_ahead=True)
    graph = Graph(loader)
    with without_collector():
        starts = _starts(graph, found)
        if not starts:
            raise NotFound(
                f"run {run:05d}",
                near=[f"{near:05d}" for near in _near(store, run)],
                message=f"no step of run {run:05d} is known",
            )
        walk = Walk(graph, UPSTREAM, WalkOptions(rules=rules, as_of=as_of))
        walk.run(starts)
        walk.run(_made_beside(graph, list(walk.nodes.values())))
        answer = answer_of(
            walk,
            store,
            question={
                "name": f"run {run:05d}",
                "id": None,
                "direction": "upstream",
                "as_of": None if as_of is None else format_time(as_of),
            },
            start="",
            is_upstream=True,
        )
    first = max(
        (node for node in answer.nodes if node.distance == 0 and node.run == run),
        key=lambda node: (
            -1 if node.level is None else LEVELS.index(node.level),
            node.kind != "activity",
            node.subrun is None,
            order_of_node(node),
        ),
        default=answer.nodes[0],
    )
    return replace(answer, start=first.id)


def _near(store: Store, run: int) -> list[int]:
    rows = store.find(f.ACTIVITIES, {}, fields=[f.RUN])
    runs = {row[f.RUN] for row in rows if row[f.RUN] is not None}
    return sorted(sorted(runs, key=lambda other: abs(other - run))[:_MOST_NEAR])


def _starts(graph: Graph, documents: Iterable[Document]) -> list[Node | Seen]:
    """Return what the steps of a run made, as it is now, and what made nothing."""
    loader = graph.loader
    ids = sorted(document[f.ID] for document in documents)
    loader.load_activities(ids)
    # Dry runs wrote nothing, and others had not begun.
    steps = [
        activity
        for id_ in ids
        if (activity := loader.activities[id_]) is not None and not activity.is_dry_run
    ]
    entities = dict.fromkeys(link[0] for step in steps for link in step.generated)
    loader.load_uses(entities)
    starts: list[Node | Seen] = [graph.see(entity) for entity in entities]
    return starts + [step for step in steps if not step.generated]


def _made_beside(graph: Graph, nodes: Iterable[Node]) -> list[Node]:
    """Return what steps made of their own run, and nothing that was reached uses."""
    known = set(nodes)
    made = {
        (link[0], activity.id): activity
        for activity in known
        if isinstance(activity, Activity)
        for link in activity.generated
    }
    graph.loader.load_uses({entity for entity, _ in made})
    reached = {v.entity for v in known if isinstance(v, Version)}
    found: dict[Node, None] = {}
    for (entity, id_), activity in sorted(made.items()):
        known_entity = graph.loader.entities.get(entity)
        run = None if known_entity is None else known_entity.run
        if entity in reached or run != activity.run:
            continue
        for version in graph.written(entity):
            if id_ in version.generators:
                found[version] = None
    return list(found)
