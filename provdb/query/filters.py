"""Queries from Python: conditions as keyword arguments, without any text."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from provdb.errors import QueryError
from provdb.query.parse import parse
from provdb.query.tree import (
    And,
    Compare,
    Field,
    Known,
    Member,
    Node,
    Query,
    Text,
    Value,
)

__all__ = ["filter_query"]

_SAFE: Final = re.compile(r"[\w:./+*?-]+")


def filter_query(query: str | Query, filters: Mapping[str, Any]) -> str | Query:
    """Return a query that asks for some fields beside what it asks.

    Args:
        query: A text, or a tree.
        filters: Fields and what they are: a value, a list of which it is any, or None
            for what is unknown. Keys follow a name behind ``__``.

    Raises:
        QueryError: A value is none that a field can be compared with.
        QuerySyntaxError: The text is no query.

    >>> from provdb.query.text import to_text
    >>> to_text(filter_query("level:DL1 OR level:DL2 | count", {"run": [1618, 1619]}))
    '(level:DL1 OR level:DL2) run in (1618, 1619) | count'
    >>> to_text(filter_query("", {"config__tailcut__picture_thresh": 6}))
    'config.tailcut.picture_thresh:6'
    """
    if not filters:
        return query
    tree = parse(query) if isinstance(query, str) else query
    asked = () if tree.selector is None else (tree.selector,)
    parts = (*asked, *(_condition(name, value) for name, value in filters.items()))
    selector = parts[0] if len(parts) == 1 else And(parts=parts)
    return Query(selector=selector, stages=tree.stages)


def _condition(name: str, value: Any) -> Node:
    field = Field(parts=tuple(name.split("__")))
    if value is None:
        return Known(field=field, is_known=False)
    if isinstance(value, list | tuple | set | frozenset):
        if not value:
            raise QueryError(f"the filter {name} has no value to be any of")
        return Member(field=field, values=tuple(_value(name, one) for one in value))
    return Compare(field=field, operator=":", value=_value(name, value))


def _value(name: str, value: Any) -> Value:
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        value = aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    elif isinstance(value, date):
        value = value.isoformat()
    elif not isinstance(value, str | int | float):
        raise QueryError(f"the filter {name} cannot be {value!r:.80}")
    written = str(value)
    # Wild as in a line of text, where it can stand there; else it is just a text.
    return Text(text=written, is_quoted=_is_quoted(written))


def _is_quoted(written: str) -> bool:
    is_safe = _SAFE.fullmatch(written) is not None
    return not is_safe or ".." in written or written.startswith(":")
