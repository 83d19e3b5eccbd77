"""A query as JSON: for programs that build one without text, and for the browser."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from provdb.errors import QueryError
from provdb.query import tree
from provdb.query.parse import parse
from provdb.query.text import to_text
from provdb.query.tree import Query

__all__ = ["from_json", "to_json"]

_PLACE: Final = "position"
_TYPE: Final = "is"
_DEEPEST: Final = 200
_TYPES: Final[dict[str, type]] = {
    name.lower(): kind
    for name in tree.__all__
    if isinstance(kind := getattr(tree, name), type) and is_dataclass(kind)
}


def to_json(query: Query) -> dict[str, Any]:
    """Return a query as JSON holds it.

    >>> to_json(parse("run:1618"))["selector"]["value"]
    {'is': 'text', 'text': '1618', 'is_quoted': False}
    """
    # A query that Python built is one like any other.
    plain = Query(selector=query.selector, stages=query.stages)
    written: dict[str, Any] = _written(plain)
    return written


def from_json(value: Mapping[str, Any]) -> Query:
    """Return the query that JSON holds.

    Raises:
        QueryError: It holds none, or one that cannot be written as text.

    >>> from_json(to_json(parse("run:1618 | count"))) == parse("run:1618 | count")
    True
    """
    query = _read(value, depth=0)
    if not isinstance(query, Query):
        raise QueryError("the JSON holds no query; its 'is' must be 'query'")
    if parse(to_text(query)) != query:
        raise QueryError(f"the JSON holds a query that no text says: {to_text(query)}")
    return query


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_written(item) for item in value]
    if not is_dataclass(value):
        return value
    parts = {part.name: getattr(value, part.name) for part in fields(value)}
    parts.pop(_PLACE, None)
    return {
        _TYPE: type(value).__name__.lower(),
        **{name: _written(part) for name, part in parts.items()},
    }


def _read(value: Any, *, depth: int) -> Any:
    if depth > _DEEPEST:
        raise QueryError("the JSON of a query is nested too deeply")
    if isinstance(value, list):
        return tuple(_read(item, depth=depth + 1) for item in value)
    if not isinstance(value, Mapping):
        return value
    kind = _TYPES.get(str(value.get(_TYPE)))
    if kind is None:
        raise QueryError(f"the JSON of a query has an unknown part: {value!r:.80}")
    parts = {
        name: _read(part, depth=depth + 1)
        for name, part in value.items()
        if name != _TYPE
    }
    hints = get_type_hints(kind)
    hints.pop(_PLACE, None)
    try:
        read = kind(**parts)
    except TypeError as error:
        raise QueryError(f"the JSON of a query is wrong: {error}") from error
    for name, hint in hints.items():
        if not _fits(getattr(read, name), hint):
            raise QueryError(
                f"the JSON of a query is wrong: {name} of a {value[_TYPE]} is "
                f"{getattr(read, name)!r:.80}"
            )
    return read


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) is tuple:
        item, _ = get_args(hint)
        return isinstance(value, tuple) and all(_fits(part, item) for part in value)
    if isinstance(hint, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if isinstance(hint, type):
        return type(value) is hint
    return value in get_args(hint)
