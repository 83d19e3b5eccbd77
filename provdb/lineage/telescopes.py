"""Which telescope each file and step of an answer is of, and what one telescope has.

Runs are counted by each array or telescope, so one number can be of several. A file
names its telescope, and a step is of the one that its files name.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace

from provdb.lineage.result import Lineage, LineageNode, order_of_node
from provdb.model import LEVELS, Document
from provdb.model import fields as f

__all__ = [
    "by_telescope",
    "is_of_telescope",
    "of_telescope",
    "telescopes",
    "telescopes_of_run",
]


def telescopes(lineage: Lineage) -> dict[str, str]:
    """Return the telescopes that files name, and those of the steps beside them.

    >>> from provdb.lineage.result import LineageEdge
    >>> step = LineageNode("621ca2", "activity", "r0_to_dl1", run=2032)
    >>> raw = LineageNode("r0", "entity", level="R0", telescope="LST-2")
    >>> used = (LineageEdge(step.id, raw.id, "used"),)
    >>> telescopes(Lineage(question={}, start="", nodes=(step, raw), edges=used))
    {'621ca2': 'LST-2', 'r0': 'LST-2'}
    """
    named = {
        node.id: node.telescope for node in lineage.nodes if node.telescope is not None
    }
    beside: dict[str, set[str]] = {}
    for edge in lineage.edges:
        if edge.relation == "used" and edge.target in named:
            beside.setdefault(edge.source, set()).add(named[edge.target])
        elif edge.relation == "wasGeneratedBy" and edge.source in named:
            beside.setdefault(edge.target, set()).add(named[edge.source])
    steps = {id_: min(found) for id_, found in beside.items() if len(found) == 1}
    return {**steps, **named}


def by_telescope(
    steps: Mapping[str, Hashable], known: Mapping[str, str]
) -> dict[str, Hashable]:
    """Part the steps of different telescopes, which may have runs of one number.

    A step that names no telescope is of the one that the others name, if it is one.

    Args:
        steps: What steps have in common with those of their part, by id.
        known: Telescopes of steps.
    """
    of_part: dict[Hashable, set[str]] = {}
    for id_, step in steps.items():
        if id_ in known:
            of_part.setdefault(step, set()).add(known[id_])
    only = {step: min(found) for step, found in of_part.items() if len(found) == 1}
    return {id_: (step, known.get(id_, only.get(step))) for id_, step in steps.items()}


def telescopes_of_run(lineage: Lineage, run: int) -> list[str]:
    """Return the telescopes of the steps of a run, in order."""
    known = telescopes(lineage)
    return sorted({known[step.id] for step in _steps(lineage, run) if step.id in known})


def of_telescope(lineage: Lineage, run: int, telescope: str) -> Lineage:
    """Return the steps of a run of one telescope, and all that they came from.

    Steps that name no telescope are of each.

    Args:
        lineage: All that belongs to the run, as `run_lineage` returns it.
        run: Number of the run.
        telescope: The telescope.
    """
    known = telescopes(lineage)
    targets: dict[str, list[str]] = {}
    made: dict[str, list[str]] = {}
    for edge in lineage.edges:
        targets.setdefault(edge.source, []).append(edge.target)
        if edge.relation == "wasGeneratedBy":
            made.setdefault(edge.target, []).append(edge.source)
    waiting = [
        step.id
        for step in _steps(lineage, run)
        if known.get(step.id, telescope) == telescope
    ]
    reached = set(waiting)
    while waiting:
        id_ = waiting.pop()
        # What a step made stands beside it, whether anything used it or not.
        for other in (*targets.get(id_, ()), *made.get(id_, ())):
            if other not in reached:
                reached.add(other)
                waiting.append(other)
    nodes = tuple(node for node in lineage.nodes if node.id in reached)
    start = lineage.start
    if start not in reached and nodes:
        start = max(nodes, key=lambda node: _height(node, run)).id
    return replace(
        lineage,
        start=start,
        nodes=nodes,
        edges=tuple(
            edge
            for edge in lineage.edges
            if edge.source in reached and edge.target in reached
        ),
    )


def is_of_telescope(
    activity: Document, entities: Mapping[str, Document], telescope: str
) -> bool:
    """Say whether an activity is of a telescope: its files name it, and no other one.

    Args:
        activity: The document of the activity.
        entities: The documents of its files, by id.
        telescope: The telescope, as `telescope_name` returns it.

    >>> files = {"r0": {"telescope": "LST-2"}, "configuration": {}}
    >>> links = [{"entity": "r0"}, {"entity": "configuration"}]
    >>> is_of_telescope({"used": links, "generated": []}, files, "LST-2")
    True
    """
    named = {
        entities.get(link[f.ENTITY], {}).get(f.TELESCOPE)
        for link in (*activity[f.USED], *activity[f.GENERATED])
    }
    return named - {None} == {telescope}


def _steps(lineage: Lineage, run: int) -> Iterable[LineageNode]:
    return (n for n in lineage.nodes if n.kind == "activity" and n.run == run)


def _height(node: LineageNode, run: int) -> tuple[object, ...]:
    return (
        node.distance == 0 and node.run == run,
        -1 if node.level is None else LEVELS.index(node.level),
        node.kind != "activity",
        node.subrun is None,
        order_of_node(node),
    )
