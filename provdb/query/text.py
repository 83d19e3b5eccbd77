"""A query as text: the one way in which a tree is written.

>>> from provdb.query.parse import parse
>>> to_text(parse("LEVEL:DL1 and not run : 1618|count by run"))
'level:DL1 NOT run:1618 | count by run'
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from provdb.query.tree import (
    And,
    Compare,
    Count,
    Field,
    Free,
    Known,
    Limit,
    Match,
    Measure,
    Member,
    Node,
    Not,
    Or,
    Query,
    Range,
    Reach,
    Regex,
    Select,
    Sort,
    Stage,
    Text,
    Unique,
)

__all__ = ["field_text", "to_text"]

_PLAIN_KEY: Final = re.compile(r"[\w-]{1,200}")


def to_text(query: Query) -> str:
    """Write a query; reading the text gives the same tree."""
    selector = [] if query.selector is None else [_node(query.selector)]
    stages = [f"| {_STAGES[type(stage)](stage)}" for stage in query.stages]
    return " ".join(selector + stages)


def field_text(field: Field) -> str:
    """Write a field, with quotes around keys that need them.

    >>> field_text(Field(parts=("param", "tailcut.picture")))
    'param."tailcut.picture"'
    """
    name, *keys = field.parts
    written = (key if _PLAIN_KEY.fullmatch(key) else _quoted(key) for key in keys)
    return ".".join([name, *written])


def _node(node: Node) -> str:
    return _NODES[type(node)](node)


def _compare(node: Compare) -> str:
    is_word = node.operator in (":", "=")
    gap = "" if is_word else " "
    return f"{field_text(node.field)}{gap}{node.operator}{gap}{_value(node.value)}"


def _match(node: Match) -> str:
    sign = "!~" if node.is_negated else "~"
    return f"{field_text(node.field)} {sign} {_value(node.pattern)}"


def _member(node: Member) -> str:
    return f"{field_text(node.field)} in ({', '.join(map(_value, node.values))})"


def _known(node: Known) -> str:
    return f"{field_text(node.field)} is {'known' if node.is_known else 'unknown'}"


def _inner(node: Node, *around: type) -> str:
    return f"({_node(node)})" if isinstance(node, around) else _node(node)


def _or(node: Or) -> str:
    return " OR ".join(_inner(part, Or) for part in node.parts)


def _and(node: And) -> str:
    return " ".join(_inner(part, Or, And) for part in node.parts)


def _value(value: Text | Range | Regex) -> str:
    if isinstance(value, Range):
        return f"{value.low or ''}..{value.high or ''}"
    if isinstance(value, Regex):
        return f"/{value.pattern}/{'i' if value.ignores_case else ''}"
    return _quoted(value.text) if value.is_quoted else value.text


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _fields(fields: Iterable[Field]) -> str:
    return ",".join(map(field_text, fields))


def _by(fields: tuple[Field, ...]) -> str:
    return f" by {_fields(fields)}" if fields else ""


def _sort(stage: Sort) -> str:
    return "sort " + ",".join(
        ("-" if order.is_descending else "") + field_text(order.field)
        for order in stage.orders
    )


def _measure(stage: Measure) -> str:
    return f"{stage.function} {field_text(stage.field)}{_by(stage.by)}"


_NODES: Final[dict[type, Callable[[Any], str]]] = {
    Compare: _compare,
    Match: _match,
    Member: _member,
    Known: _known,
    Free: lambda node: _value(node.text),
    Not: lambda node: f"NOT {_inner(node.part, Or, And)}",
    And: _and,
    Or: _or,
    Reach: lambda node: f"{node.direction}({_node(node.part)})",
}
_STAGES: Final[dict[type[Stage], Callable[[Any], str]]] = {
    Select: lambda stage: f"select {_fields(stage.fields)}",
    Sort: _sort,
    Limit: lambda stage: f"limit {stage.count}",
    Count: lambda stage: f"count{_by(stage.by)}",
    Measure: _measure,
    Unique: lambda stage: f"unique {field_text(stage.field)}",
}
