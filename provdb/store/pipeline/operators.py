"""What MongoDB's operators make of values: those of one value, and of several.

What a value is not to an operator is a `TypeError` or a `ValueError`; who computes an
expression says so (https://www.mongodb.com/docs/v6.0/reference/operator/aggregation/).
"""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any, Final

from provdb.store.pipeline.values import MISSING, order_of

__all__ = ["ARRAY_FUNCTIONS", "OF_ONE", "OF_SOME", "is_null", "is_true", "or_null"]

_MILLISECOND: Final = timedelta(milliseconds=1)
_MANY: Final = 1000


def is_true(value: Any) -> bool:
    """Say whether a value counts as true: all does but false, 0, null and missing."""
    return (
        value is not MISSING
        and value is not None
        and value is not False
        and (isinstance(value, bool) or value != 0)
    )


def or_null(value: Any) -> Any:
    """Return a value, and null for a missing one."""
    return None if value is MISSING else value


def is_null(value: Any) -> bool:
    """Say whether a value is null or missing."""
    return value is None or value is MISSING


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return value


def _texts(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _unless_null(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what is null where any value is."""
    return lambda *values: None if any(map(is_null, values)) else function(*values)


def _add(*values: Any) -> Any:
    dates = [value for value in values if isinstance(value, datetime)]
    total = sum(_number(v) for v in values if not isinstance(v, datetime))
    if len(dates) > 1:
        raise TypeError
    return dates[0] + round(total) * _MILLISECOND if dates else total


def _subtract(one: Any, other: Any) -> Any:
    if isinstance(one, datetime):
        if isinstance(other, datetime):
            return round((one - other) / _MILLISECOND)
        return one - round(_number(other)) * _MILLISECOND
    return _number(one) - _number(other)


def _modulo(one: Any, other: Any) -> Any:
    if not (isinstance(one, int) and isinstance(other, int)):
        return math.fmod(_number(one), _number(other))
    # Of the sign of the first, as nowhere in Python.
    rest = abs(_number(one)) % abs(_number(other))
    return -rest if one < 0 else rest


def _whole(function: Callable[[float], int]) -> Callable[[Any], Any]:
    def of(value: Any) -> Any:
        whole = function(_number(value))
        return whole if isinstance(value, int) else float(whole)

    return of


def _round(value: Any, place: Any = 0) -> Any:
    if isinstance(value, int):
        return round(_number(value), min(place, 0))
    # Few pipelines round.
    from decimal import ROUND_HALF_EVEN, Decimal

    # As the server does it: in decimals, of which a double has fifteen.
    decimal = Decimal(f"{_number(value):.15g}")
    step = Decimal(1).scaleb(-_number(place))
    return float(decimal.quantize(step, rounding=ROUND_HALF_EVEN))


def _compared(order: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda one, other: order(order_of(one), order_of(other))


def _in(value: Any, array: Any) -> bool:
    key = order_of(value)
    return any(order_of(item) == key for item in _array(array))


def _element(array: Any, place: Any) -> Any:
    listed = _array(array)
    if not float(_number(place)).is_integer():
        raise TypeError
    at = int(place)
    return listed[at] if -len(listed) <= at < len(listed) else MISSING


def _numbers(values: Iterable[Any]) -> list[Any]:
    return [v for v in values if isinstance(v, int | float) and type(v) is not bool]


def _known(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if not is_null(value)]


def _sum(values: Iterable[Any]) -> Any:
    numbers = _numbers(values)
    is_whole = all(isinstance(number, int) for number in numbers)
    return sum(numbers) if is_whole else math.fsum(numbers)


def _average(values: Iterable[Any]) -> Any:
    numbers = _numbers(values)
    return _sum(numbers) / len(numbers) if numbers else None


def _smallest(values: Iterable[Any]) -> Any:
    return min(_known(values), key=order_of, default=None)


def _largest(values: Iterable[Any]) -> Any:
    return max(_known(values), key=order_of, default=None)


def _merged(values: Iterable[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for value in _known(values):
        if not isinstance(value, Mapping):
            raise TypeError
        merged |= value
    return merged


def _of_array(function: Callable[[Iterable[Any]], Any]) -> Callable[..., Any]:
    """Return what takes one array, or several values."""
    return lambda *values: function(
        values[0] if len(values) == 1 and isinstance(values[0], list) else values
    )


def _date_part(function: Callable[[datetime], int]) -> Callable[[Any], Any]:
    def of(value: Any) -> Any:
        if is_null(value):
            return None
        if not isinstance(value, datetime):
            raise TypeError
        return function(value)

    return of


def _text_or_empty(value: Any) -> str:
    return "" if is_null(value) else _texts(value)


def _ascii_case(is_upper: bool) -> Callable[[Any], str]:
    def of(value: Any) -> str:
        text = _text_or_empty(value)
        changed = str.upper if is_upper else str.lower
        return "".join(changed(c) if c.isascii() else c for c in text)

    return of


def _part_of(text: Any, start: Any, length: Any) -> str:
    if _number(start) < 0 or _number(length) < 0:
        raise ValueError
    return _text_or_empty(text)[start : start + length]


# What they make of the values of an array, or of a group.
ARRAY_FUNCTIONS: Final[dict[str, Callable[[Iterable[Any]], Any]]] = {
    "$sum": _sum,
    "$avg": _average,
    "$min": _smallest,
    "$max": _largest,
    "$mergeObjects": _merged,
}
OF_ONE: Final[dict[str, Callable[[Any], Any]]] = {
    "$abs": _unless_null(lambda value: abs(_number(value))),
    "$ceil": _unless_null(_whole(math.ceil)),
    "$floor": _unless_null(_whole(math.floor)),
    "$trunc": _unless_null(_whole(math.trunc)),
    "$sqrt": _unless_null(lambda value: math.sqrt(_number(value))),
    "$not": lambda value: not is_true(value),
    "$isArray": lambda value: isinstance(value, list),
    "$isNumber": lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool)
    ),
    "$size": lambda value: len(_array(value)),
    "$first": _unless_null(lambda array: _element(array, 0)),
    "$last": _unless_null(lambda array: _element(array, -1)),
    "$reverseArray": _unless_null(lambda array: _array(array)[::-1]),
    "$objectToArray": _unless_null(
        lambda value: (
            [{"k": k, "v": v} for k, v in dict(value).items()]
            if isinstance(value, Mapping)
            else _array(None)
        )
    ),
    "$toLower": _ascii_case(False),
    "$toUpper": _ascii_case(True),
    "$strLenCP": lambda value: len(_texts(value)),
    "$year": _date_part(lambda at: at.year),
    "$month": _date_part(lambda at: at.month),
    "$dayOfMonth": _date_part(lambda at: at.day),
    "$dayOfWeek": _date_part(lambda at: at.isoweekday() % 7 + 1),
    "$dayOfYear": _date_part(lambda at: at.timetuple().tm_yday),
    "$hour": _date_part(lambda at: at.hour),
    "$minute": _date_part(lambda at: at.minute),
    "$second": _date_part(lambda at: at.second),
    "$millisecond": _date_part(lambda at: at.microsecond // 1000),
}
# How few and how many values each takes, and what it makes of them.
OF_SOME: Final[dict[str, tuple[int, int, Callable[..., Any]]]] = {
    "$add": (1, _MANY, _unless_null(_add)),
    "$multiply": (1, _MANY, _unless_null(lambda *v: math.prod(map(_number, v)))),
    "$subtract": (2, 2, _unless_null(_subtract)),
    "$divide": (2, 2, _unless_null(lambda a, b: _number(a) / _number(b))),
    "$mod": (2, 2, _unless_null(_modulo)),
    "$round": (1, 2, _unless_null(_round)),
    "$eq": (2, 2, lambda a, b: order_of(a) == order_of(b)),
    "$ne": (2, 2, lambda a, b: order_of(a) != order_of(b)),
    "$gt": (2, 2, _compared(gt)),
    "$gte": (2, 2, _compared(ge)),
    "$lt": (2, 2, _compared(lt)),
    "$lte": (2, 2, _compared(le)),
    "$in": (2, 2, _in),
    "$arrayElemAt": (2, 2, _unless_null(_element)),
    "$concatArrays": (
        1,
        _MANY,
        _unless_null(lambda *arrays: [v for a in arrays for v in _array(a)]),
    ),
    "$concat": (1, _MANY, _unless_null(lambda *texts: "".join(map(_texts, texts)))),
    "$split": (2, 2, _unless_null(lambda text, by: _texts(text).split(_texts(by)))),
    "$substrCP": (3, 3, _part_of),
    "$mergeObjects": (1, _MANY, lambda *values: _merged(values)),
    **{
        name: (1, _MANY, _of_array(ARRAY_FUNCTIONS[name]))
        for name in ("$sum", "$avg", "$min", "$max")
    },
}
