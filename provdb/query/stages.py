"""What the stages of a query do with rows; the numbers are the same from every store.

A row may stand for many things that are alike. The percentiles are nearest ranks: each
is a value that there is.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, repeat
from operator import itemgetter
from typing import Any, Final, TypeAlias

from provdb.errors import QuerySyntaxError, UnknownField
from provdb.query.fields import BoundField, find_field
from provdb.query.row_order import (
    NUMBERS,
    PLACED,
    number_of,
    order_of_column,
    type_of_column,
)
from provdb.query.text import field_text
from provdb.query.tree import (
    Count,
    Field,
    Limit,
    Measure,
    Query,
    Select,
    Sort,
    Stage,
    Unique,
)
from provdb.query.version_order import is_version

__all__ = ["COUNT", "Row", "apply_stage", "columns_of", "first_fields", "measured_of"]

Row: TypeAlias = dict[str, Any]
Weighted: TypeAlias = tuple[Row, int]

COUNT: Final = "count"
_INT64: Final = 2**63


def first_fields(query: Query, *, text: str) -> tuple[BoundField, ...]:
    """Return the fields of documents that the stages of a query need.

    Args:
        query: The query.
        text: The text that it was read from, for messages.

    Raises:
        UnknownField: A stage names a field that there is not, or not there.
        QuerySyntaxError: A stage names a field without its key, or measures one that
            has no such measure.
    """
    bound: dict[str, BoundField] = {}
    columns: tuple[str, ...] | None = None
    for stage in query.stages:
        for field in _fields_of(stage):
            name = field_text(field)
            if columns is None:
                bound[name] = find_field(field, text=text)
            elif name not in columns:
                raise UnknownField(
                    name, near=columns, text=text, position=field.position
                )
        if isinstance(stage, Measure):
            _check_measure(stage, text=text)
        columns = columns_of(stage) or columns
    return tuple(bound.values())


def _check_measure(stage: Measure, *, text: str) -> None:
    type_ = type_of_column(field_text(stage.field))
    if stage.function in ("sum", "avg") and type_ not in NUMBERS:
        other = "min, max, p50 and p95" if type_ in PLACED else "min and max"
    elif stage.function not in ("min", "max") and type_ not in PLACED:
        other = "min and max"
    else:
        return
    expected = f"numbers behind {stage.function}, such as duration; of a {type_} there "
    raise QuerySyntaxError(
        text, stage.field.position, expected=f"{expected}are {other}"
    )


def columns_of(stage: Stage) -> tuple[str, ...]:
    """Return the columns that rows have after a stage; none if it changes none."""
    if isinstance(stage, Select):
        return tuple(map(field_text, stage.fields))
    if isinstance(stage, Unique):
        return (field_text(stage.field), COUNT)
    if isinstance(stage, Count):
        return (*map(field_text, stage.by), COUNT)
    if isinstance(stage, Measure):
        return (*map(field_text, stage.by), _measured(stage))
    return ()


def measured_of(stage: Stage, fields: Iterable[BoundField]) -> BoundField | None:
    """Return which of some fields a stage measures, and nothing else with it."""
    if not isinstance(stage, Measure) or stage.field in stage.by:
        return None
    name = field_text(stage.field)
    return next((field for field in fields if field.name == name), None)


def apply_stage(stage: Stage, rows: Iterable[Weighted]) -> Iterator[Weighted]:
    """Yield the rows after a stage.

    >>> from provdb.query.parse import parse
    >>> (stage,) = parse("| p50 duration by node").stages
    >>> rows = [({"node": "cp15", "duration": seconds}, 1) for seconds in (3, 1, 2)]
    >>> list(apply_stage(stage, rows))
    [({'node': 'cp15', 'p50_duration': 2}, 1)]
    """
    applied: Iterator[Weighted] = _APPLY[type(stage)](stage, rows)
    return applied


def _fields_of(stage: Stage) -> Iterator[Field]:
    if isinstance(stage, Select):
        yield from stage.fields
    elif isinstance(stage, Sort):
        yield from (order.field for order in stage.orders)
    elif isinstance(stage, Count):
        yield from stage.by
    elif not isinstance(stage, Limit):
        yield stage.field
        yield from getattr(stage, "by", ())


def _select(stage: Select, rows: Iterable[Weighted]) -> Iterator[Weighted]:
    names = columns_of(stage)
    for row, weight in rows:
        yield {name: row[name] for name in names}, weight


def _sort(stage: Sort, rows: Iterable[Weighted]) -> Iterator[Weighted]:
    ordered = list(rows)
    for order in reversed(stage.orders):
        name = field_text(order.field)
        key_of = order_of_column(name)
        ordered.sort(
            key=lambda weighted: key_of(weighted[0][name]),
            reverse=order.is_descending,
        )
        # Whichever way: what is unknown comes last.
        ordered.sort(key=lambda weighted: weighted[0][name] is None)
    yield from ordered


def _limit(stage: Limit, rows: Iterable[Weighted]) -> Iterator[Weighted]:
    return islice(rows, stage.count)


def _count(stage: Count, rows: Iterable[Weighted]) -> Iterator[Weighted]:
    groups = _grouped(rows, stage.by)
    if not stage.by and not groups:
        yield {COUNT: 0}, 1
    for group, members in groups:
        yield {**group, COUNT: sum(weight for _, weight in members)}, 1


def _unique(stage: Unique, rows: Iterable[Weighted]) -> Iterator[Weighted]:
    name = field_text(stage.field)
    single = (
        ({name: value}, weight)
        for row, weight in rows
        for value in (row[name] if isinstance(row[name], list) else [row[name]])
        if value is not None
    )
    for group, members in _grouped(single, (stage.field,)):
        yield {**group, COUNT: sum(weight for _, weight in members)}, 1


def _measure(stage: Measure, rows: Iterable[Weighted]) -> Iterator[Weighted]:
    name = field_text(stage.field)
    for group, members in _grouped(rows, stage.by, keep=name):
        values: list[tuple[Any, int]] = []
        for row, weight in members:
            several = row[name] if isinstance(row[name], list) else [row[name]]
            values += zip(several, repeat(weight))
        usable = _usable(values, stage.function, name)
        found = _FUNCTIONS[stage.function](usable) if usable else None
        yield {**group, _measured(stage): found}, 1


def _usable(
    values: list[tuple[Any, int]], function: str, name: str
) -> list[tuple[Any, int]]:
    """Return the values of which a function is computed, in order."""
    if {type(value) for value, _ in values} <= {int, float}:
        finite = [v for v in values if math.isfinite(v[0])]
        return sorted(finite, key=itemgetter(0))
    type_ = type_of_column(name)
    known = [v for v in values if v[0] is not None]
    if function in ("sum", "avg") or (
        type_ in NUMBERS and function not in ("min", "max")
    ):
        numbers = [(number_of(value), weight) for value, weight in known]
        known = [v for v in numbers if v[0] is not None]
    elif type_ == "version" and any(is_version(value) for value, _ in known):
        known = [v for v in known if is_version(v[0])]
    key_of = order_of_column(name)
    return sorted(known, key=lambda v: key_of(v[0]))


def _measured(stage: Measure) -> str:
    return f"{stage.function}_{field_text(stage.field)}"


def _grouped(
    rows: Iterable[Weighted], by: Sequence[Field], *, keep: str | None = None
) -> list[tuple[Row, list[tuple[Any, int]]]]:
    """Return groups in the order of their values, with what is kept of their rows."""
    names = [field_text(field) for field in by]
    keys = [order_of_column(name) for name in names]
    groups: dict[tuple[Any, ...], tuple[Row, list[tuple[Any, int]]]] = {}
    for row, weight in rows:
        key = tuple(key_of(row[name]) for name, key_of in zip(names, keys, strict=True))
        if key not in groups:
            groups[key] = {name: row[name] for name in names}, []
        kept = None if keep is None else {keep: row[keep]}
        groups[key][1].append((kept, weight))
    return [groups[key] for key in sorted(groups)]


def _rank(share: float) -> Callable[[list[tuple[Any, int]]], Any]:
    def at_rank(values: list[tuple[Any, int]]) -> Any:
        total = sum(weight for _, weight in values)
        # In whole numbers, as 0.95 of 20 is more than 19 by a rounding.
        rank = -(-total * round(share * 100) // 100)
        for value, weight in values:
            rank -= weight
            if rank <= 0:
                return value
        return values[-1][0]

    return at_rank


def _sum(values: list[tuple[Any, int]]) -> Any:
    total = _total(values)
    # JSON holds no larger integers.
    return float(total) if abs(total) >= _INT64 else total


def _total(values: list[tuple[Any, int]]) -> Any:
    if all(isinstance(value, int) for value, _ in values):
        return sum(value * weight for value, weight in values)
    # Decimals of a product are not those of a sum: the same from every store.
    return math.fsum(value for value, weight in values for _ in range(weight))


def _average(values: list[tuple[Any, int]]) -> float:
    return float(_total(values) / sum(weight for _, weight in values))


_FUNCTIONS: Final[dict[str, Callable[[list[tuple[Any, int]]], Any]]] = {
    "sum": _sum,
    "avg": _average,
    "min": lambda values: values[0][0],
    "max": lambda values: values[-1][0],
    "p50": _rank(0.50),
    "p95": _rank(0.95),
    "p99": _rank(0.99),
}
_APPLY: Final[dict[type[Stage], Callable[[Any, Iterable[Weighted]], Any]]] = {
    Select: _select,
    Sort: _sort,
    Limit: _limit,
    Count: _count,
    Measure: _measure,
    Unique: _unique,
}
