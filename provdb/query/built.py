"""A query that Python built: a tree with operators, and the stages as methods."""

from collections.abc import Iterable, Sequence
from typing import Final, NoReturn, TypeAlias

from provdb.errors import QueryError, QuerySyntaxError
from provdb.query.parse import parse
from provdb.query.run import compile_query
from provdb.query.text import to_text
from provdb.query.tree import (
    And,
    Count,
    Field,
    Limit,
    Measure,
    Node,
    Not,
    Or,
    Order,
    Query,
    Select,
    Sort,
    Stage,
    Unique,
)

__all__ = [
    "NO_BRACKETS",
    "NO_TRUTH",
    "BuiltQuery",
    "FieldName",
    "checked",
    "condition_of",
    "field_of",
]

NO_TRUTH: Final = (
    "a condition is neither true nor false by itself: join conditions with & | ~ and "
    "not with and, or, not; write .is_in([…]) for in, and .between(low, high) for two "
    "comparisons at once"
)
NO_BRACKETS: Final = (
    "a field is no condition: put brackets around each comparison, as in "
    "(field.level == 'DL2') & (field.run == 1618)"
)


class FieldName:
    """A field as a query names it."""

    __slots__ = ("_parts",)

    def __init__(self, parts: tuple[str, ...]) -> None:
        """Name the field: its name, then the keys."""
        self._parts = parts

    @property
    def _field(self) -> Field:
        return Field(parts=self._parts)


FieldLike: TypeAlias = str | FieldName
FieldLikes: TypeAlias = FieldLike | Sequence[FieldLike]


class BuiltQuery(Query):
    """A query that Python built: a tree, with operators.

    ``&`` is AND, ``|`` is OR and ``~`` is NOT, which never matches what is unknown.
    The methods are the stages; they come after all conditions. It equals the tree of
    its text, which ``str`` gives.

    >>> from provdb.query import field, parse
    >>> (field.level == "DL2") | ~(field.run == 1618) == parse("level:DL2 OR -run:1618")
    True
    """

    __slots__ = ()

    def __str__(self) -> str:
        """Return the text of the query."""
        return to_text(self)

    def __repr__(self) -> str:
        """Say what is asked."""
        return f"<query {to_text(self)}>"

    def __eq__(self, other: object) -> bool:
        """Say whether another query asks the same, in the same words."""
        if not isinstance(other, Query):
            return NotImplemented
        return (self.selector, self.stages) == (other.selector, other.stages)

    def __hash__(self) -> int:
        """Return what is equal for queries that are."""
        return hash((self.selector, self.stages))

    def __bool__(self) -> NoReturn:
        """Refuse to be true or false."""
        raise TypeError(NO_TRUTH)

    def __and__(self, other: Query) -> "BuiltQuery":
        """Ask for what both ask for."""
        if not isinstance(other, Query):
            return NotImplemented
        return BuiltQuery(selector=And(parts=_joined(And, self, other)))

    def __or__(self, other: Query) -> "BuiltQuery":
        """Ask for what any of the two asks for."""
        if not isinstance(other, Query):
            return NotImplemented
        return BuiltQuery(selector=Or(parts=_joined(Or, self, other)))

    def __invert__(self) -> "BuiltQuery":
        """Ask for what is known not to be so."""
        return BuiltQuery(selector=Not(part=condition_of(self)))

    def select(self, *fields: FieldLike) -> "BuiltQuery":
        """Show these fields and no other."""
        return self._then(Select(fields=_fields(fields)))

    def sort(self, *fields: FieldLike | Order) -> "BuiltQuery":
        """Put rows in order; of ``"-start"`` or ``-field.start`` the largest first."""
        return self._then(Sort(orders=tuple(map(_order, fields))))

    def limit(self, count: int) -> "BuiltQuery":
        """Keep so many rows."""
        return self._then(Limit(count=count))

    def count(self, *, by: FieldLikes = ()) -> "BuiltQuery":
        """Count rows, all or by fields."""
        return self._then(Count(by=_by(by)))

    def unique(self, field: FieldLike) -> "BuiltQuery":
        """List the different values of a field, and how often there is each."""
        return self._then(Unique(field=field_of(field)))

    def sum(self, field: FieldLike, *, by: FieldLikes = ()) -> "BuiltQuery":
        """Add the values of a field, all or by fields."""
        return self._measure("sum", field, by)

    def avg(self, field: FieldLike, *, by: FieldLikes = ()) -> "BuiltQuery":
        """Compute the mean of a field, of all rows or by fields."""
        return self._measure("avg", field, by)

    def min(self, field: FieldLike, *, by: FieldLikes = ()) -> "BuiltQuery":
        """Find the smallest value of a field, of all rows or by fields."""
        return self._measure("min", field, by)

    def max(self, field: FieldLike, *, by: FieldLikes = ()) -> "BuiltQuery":
        """Find the largest value of a field, of all rows or by fields."""
        return self._measure("max", field, by)

    def p50(self, field: FieldLike, *, by: FieldLikes = ()) -> "BuiltQuery":
        """Find the median of a field, of all rows or by fields."""
        return self._measure("p50", field, by)

    def p95(self, field: FieldLike, *, by: FieldLikes = ()) -> "BuiltQuery":
        """Find what 95 % of the values of a field do not exceed."""
        return self._measure("p95", field, by)

    def p99(self, field: FieldLike, *, by: FieldLikes = ()) -> "BuiltQuery":
        """Find what 99 % of the values of a field do not exceed."""
        return self._measure("p99", field, by)

    def _measure(self, function: str, field: FieldLike, by: FieldLikes) -> "BuiltQuery":
        measure = Measure(function=function, field=field_of(field), by=_by(by))
        return self._then(measure)

    def _then(self, stage: Stage) -> "BuiltQuery":
        return checked(BuiltQuery(selector=self.selector, stages=(*self.stages, stage)))


def _joined(kind: type[And | Or], *queries: Query) -> tuple[Node, ...]:
    parts: list[Node] = []
    for query in queries:
        condition = condition_of(query)
        parts += condition.parts if isinstance(condition, kind) else [condition]
    return tuple(parts)


def condition_of(query: Query) -> Node:
    """Return what a query asks for, to be joined with something else.

    Raises:
        TypeError: It is no query, but a field that is compared with nothing.
        QueryError: It has stages, or asks for everything.
    """
    if not isinstance(query, Query):
        raise TypeError(NO_BRACKETS)
    if query.stages:
        raise QueryError(
            f"{to_text(query)!r:.80} has stages; join conditions first, then add them"
        )
    if query.selector is None:
        raise QueryError("everything is no condition; name a field")
    return query.selector


def checked(query: BuiltQuery) -> BuiltQuery:
    """Return a query that can be asked, where the mistake is made and not later."""
    if compile_query(query).query != query:
        raise QueryError(f"no query asks that: {to_text(query):.200}")
    return query


def _fields(fields: Iterable[FieldLike]) -> tuple[Field, ...]:
    return tuple(map(field_of, fields))


def _by(fields: FieldLikes) -> tuple[Field, ...]:
    if isinstance(fields, str | FieldName):
        return (field_of(fields),)
    return _fields(fields)


def _order(asked: FieldLike | Order) -> Order:
    if isinstance(asked, Order):
        return asked
    is_descending = isinstance(asked, str) and asked.startswith("-")
    name = asked[1:] if isinstance(asked, str) and is_descending else asked
    return Order(field=field_of(name), is_descending=is_descending)


def field_of(asked: FieldLike) -> Field:
    """Return the field that a text names as a query would.

    Raises:
        QueryError: It names none.

    >>> field_of('param."tailcut.picture"').parts
    ('param', 'tailcut.picture')
    """
    if isinstance(asked, FieldName):
        return asked._field
    if isinstance(asked, str):
        try:
            (stage,) = parse(f"| unique {asked}").stages
        except (QuerySyntaxError, ValueError):
            stage = None
        if isinstance(stage, Unique):
            return Field(parts=stage.field.parts)
    raise QueryError(
        f"{asked!r:.80} names no field; write it as in a query, such as run, "
        'param.ProdID or param."a.b"'
    )
