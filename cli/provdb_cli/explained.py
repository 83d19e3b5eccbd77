"""What a query means and how a store answers it, for people at a terminal."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from provdb.query import Query, to_text
from provdb.query.tree import And, Node, Not, Or, Reach

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["draw_explained"]


def draw_explained(
    console: "Console", query: Query, explained: Mapping[str, Any]
) -> None:
    """Draw the tree of a query, then what a store is asked, in order.

    Args:
        console: Where to draw.
        query: The query.
        explained: What `provdb.query.explain` says of it.
    """
    for line in (*_tree(query), *_asks(explained)):
        console.print(line, soft_wrap=True)


def _tree(query: Query) -> Iterator[str]:
    if query.selector is None:
        yield "everything"
    else:
        yield from _node(query.selector)
    for stage in query.stages:
        yield to_text(Query(stages=(stage,)))


def _node(node: Node) -> Iterator[str]:
    """Yield the lines of a tree, each part below what joins it."""
    name, parts = _joined(node)
    yield name
    for number, part in enumerate(parts, start=1):
        first, below = ("└ ", "  ") if number == len(parts) else ("├ ", "│ ")
        for place, line in enumerate(_node(part)):
            yield f"{below if place else first}{line}"


def _joined(node: Node) -> tuple[str, tuple[Node, ...]]:
    if isinstance(node, And):
        return "all of", node.parts
    if isinstance(node, Or):
        return "any of", node.parts
    if isinstance(node, Not):
        return "not", (node.part,)
    if isinstance(node, Reach):
        return f"{node.direction} of", (node.part,)
    return to_text(Query(selector=node)), ()


def _asks(explained: Mapping[str, Any]) -> Iterator[str]:
    for number, ask in enumerate(explained["asks"], start=1):
        index = ", ".join(ask["index"])
        how = f"by the index {index}" if index else "all are read, no index serves it"
        yield ""
        yield f"{number}. {ask['collection']}: {how}"
        for stage in ask["pipeline"]:
            for name, value in stage.items():
                yield f"   {name} {_json(value)}"
        if "then" in ask:
            yield f"   then those of which lineage says: {_condition(ask['then'])}"


def _condition(value: Any) -> str:
    """Return a condition in one line.

    >>> own = {"own": {"filter": {"run": 1807}}}
    >>> reached = {"direction": "upstream", "plans": [], "is_negated": True}
    >>> _condition({"allof": {"parts": [own, {"reached": reached}]}})
    '{"run":1807} and not upstream of ()'
    """
    ((kind, parts),) = value.items()
    if kind == "own":
        return _json(parts["filter"])
    if kind == "reached":
        negated = "not " if parts["is_negated"] else ""
        plans = " and ".join(
            _condition(p["kindplan"]["condition"]) for p in parts["plans"]
        )
        return f"{negated}{parts['direction']} of ({plans})"
    if kind == "made":
        asked = parts["known" if "known" in parts["sign"] else "positive"]
        return f"who made it {parts['sign']} {_json(asked)}"
    if kind == "constant":
        return "always" if parts["value"] else "never"
    joined = [_condition(part) for part in parts["parts"]]
    text = (" and " if kind == "allof" else " or ").join(joined)
    return text if kind == "allof" else f"({text})"


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z).decode()
