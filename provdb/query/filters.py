"""Queries from Python: conditions as keyword arguments, without any text."""

from collections.abc import Mapping
from typing import Any

from provdb.errors import QueryError
from provdb.query.parse import parse
from provdb.query.tree import And, Compare, Field, Known, Member, Node, Query
from provdb.query.written import word

__all__ = ["filter_query"]


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
    of = f"the filter {name}"
    if value is None:
        return Known(field=field, is_known=False)
    if isinstance(value, list | tuple | set | frozenset):
        if not value:
            raise QueryError(f"{of} has no value to be any of")
        return Member(field=field, values=tuple(word(one, of=of) for one in value))
    return Compare(field=field, operator=":", value=word(value, of=of))
