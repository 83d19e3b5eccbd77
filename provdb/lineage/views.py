"""Views: a part of an answer by the name that the users of lstosa know it by.

A view says which steps are shown, with all that they used and generated. Users add
their own in the config file:

    [[views]]
    name = "dl3"
    steps = ["dl2_to_dl3", "create_irf*"]
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from provdb.errors import ConfigError, NotFound, QueryError
from provdb.lineage.assess import completeness_of
from provdb.lineage.collapse import collapse
from provdb.lineage.result import Lineage, LineageNode, order_of_node
from provdb.model import LEVELS

__all__ = ["VIEWS", "View", "get_view", "view", "views"]

_KEYS: Final = ("name", "steps")
_DIRECT: Final = ("wasDerivedFrom", "hadMember")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Some steps of the pipelines, by one name.

    Attributes:
        name: Name of the view.
        steps: Patterns of names of activities, with ``*`` and ``?``.
    """

    name: str
    steps: tuple[str, ...]

    def shows(self, step: str | None) -> bool:
        """Say whether a step is in the view.

        >>> VIEWS[1].shows("dl1ab")
        True
        """
        return any(fnmatchcase(step or "", pattern) for pattern in self.steps)


_CALIBRATION: Final = (
    "drs4_pedestal*",
    "drs4_time*",
    "calibrate_*",
    "catB_calibration",
    "*calibration_file*",
)
_R0_TO_DL1: Final = ("r0_to_dl1", "dl1ab", "dl1_datacheck", "merge_dl1*")
_DL1_TO_DL2: Final = ("dl1_to_dl2", "merge_dl2*")

VIEWS: Final = (
    View(name="calibration", steps=_CALIBRATION),
    View(name="r0_to_dl1", steps=_R0_TO_DL1),
    View(name="dl1_to_dl2", steps=_DL1_TO_DL2),
    View(name="calibration_to_dl1", steps=_CALIBRATION + _R0_TO_DL1),
    View(name="calibration_to_dl2", steps=_CALIBRATION + _R0_TO_DL1 + _DL1_TO_DL2),
    View(name="all", steps=("*",)),
)


def views(tables: Iterable[Mapping[str, Any]]) -> tuple[View, ...]:
    """Return the known views and those of a config file.

    Args:
        tables: The ``views`` of the config file, as they are written there. One with
            the name of a known view takes its place.

    Raises:
        ConfigError: A table is no view.

    >>> [view.name for view in views([{"name": "dl3", "steps": ["dl2_to_dl3"]}])][-1]
    'dl3'
    """
    known = {view.name: view for view in VIEWS}
    for table in tables:
        own = _view(table)
        known[own.name] = own
    return tuple(known.values())


def get_view(name: str, *, among: Sequence[View] = VIEWS) -> View:
    """Return the view of a name.

    Raises:
        QueryError: There is no such view.

    >>> get_view("calibration").steps[0]
    'drs4_pedestal*'
    """
    for one in among:
        if one.name == name:
            return one
    known = ", ".join(one.name for one in among)
    raise QueryError(f"there is no view {name}; known are {known}")


def view(lineage: Lineage, name: str, *, among: Sequence[View] = VIEWS) -> Lineage:
    """Return the part of an answer that a view shows: its steps and their files.

    What a file was derived from, or has as members, is shown with it. What stands at
    the beginning is what was asked for, or the data of the highest level that are
    nearest to it.

    Args:
        lineage: The answer; one that is collapsed stays so.
        name: Name of the view.
        among: The views that there are.

    Raises:
        NotFound: The answer has none of its steps.
        QueryError: There is no such view.

    >>> import provdb
    >>> from provdb.lineage import lineage
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> records = provdb.store_demo(store)
    >>> answer = lineage(store, "dl3_LST-1.Run01807.fits")
    >>> sorted({node.level for node in view(answer, "dl1_to_dl2").nodes if node.level})
    ['DL1', 'DL2']
    """
    shown = get_view(name, among=among)
    if lineage.opened is not None:
        part = view(lineage.opened, name, among=among)
        return collapse(part, to=lineage.question["collapse"])
    steps = {
        node.id
        for node in lineage.nodes
        if node.kind == "activity" and shown.shows(node.name)
    }
    if not steps:
        raise NotFound(name, message=f"nothing here is of a step of the view {name}")
    kept = _with_files(lineage, steps)
    nodes = tuple(node for node in lineage.nodes if node.id in kept)
    edges = [e for e in lineage.edges if e.source in kept and e.target in kept]
    is_cut_off = any(n.id == lineage.start for n in lineage.nodes if n.id not in kept)
    start = _nearest(nodes).id if is_cut_off else lineage.start
    return replace(
        lineage,
        question={**lineage.question, "view": name},
        start=start,
        nodes=nodes,
        edges=tuple(edges),
        completeness=completeness_of(
            nodes,
            edges,
            reasons=dict(lineage.completeness.mixed),
            is_cut=lineage.completeness.is_cut,
        ),
    )


def _with_files(lineage: Lineage, steps: set[str]) -> set[str]:
    """Return steps, their files, and all that is bound to these without a step."""
    kept = set(steps)
    bound: dict[str, list[str]] = {}
    for edge in lineage.edges:
        ends = edge.source, edge.target
        if edge.relation in _DIRECT:
            bound.setdefault(edge.source, []).append(edge.target)
            bound.setdefault(edge.target, []).append(edge.source)
        elif not steps.isdisjoint(ends):
            kept.update(ends)
    todo = list(kept)
    while todo:
        found = [other for other in bound.get(todo.pop(), ()) if other not in kept]
        kept.update(found)
        todo += found
    return kept


def _nearest(nodes: Iterable[LineageNode]) -> LineageNode:
    return min(
        nodes,
        key=lambda node: (
            node.kind == "activity",
            node.distance,
            0 if node.level is None else -1 - LEVELS.index(node.level),
            order_of_node(node),
        ),
    )


def _view(table: Mapping[str, Any]) -> View:
    name, steps = table.get("name"), table.get("steps")
    unknown = [key for key in table if key not in _KEYS]
    reason = None
    if not isinstance(name, str) or not name:
        reason = "it needs a name"
    elif "/" in name or name.startswith("."):
        reason = "its name begins the names of files, so it has no slash"
    elif unknown:
        reason = f"{unknown[0]} is none of {', '.join(_KEYS)}"
    elif not (isinstance(steps, list) and steps) or not all(
        isinstance(pattern, str) for pattern in steps
    ):
        reason = "steps must be a list of patterns such as 'dl2_to_*'"
    if reason is not None:
        raise ConfigError(
            f"the view {name or '(without name)'} in the config file is wrong: "
            f"{reason}",
            setting="views",
        )
    return View(name=str(name), steps=tuple(steps or ()))
