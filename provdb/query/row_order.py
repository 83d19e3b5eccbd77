"""The order of values in the columns of rows: numbers, versions, times, texts.

What a column holds follows from its name: it is a field, or a measure of one.
"""

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from provdb.query.decimal_regex import is_decimal
from provdb.query.fields import FIELDS
from provdb.query.version_order import version_key

__all__ = ["NUMBERS", "PLACED", "number_of", "order_of_column", "type_of_column"]

# Types whose values are numbers, or may be.
NUMBERS: Final = ("duration", "number", "whole number", "run", "any")
# Types that have a value in the middle too.
PLACED: Final = (*NUMBERS, "time", "date", "version")
_MEASURED: Final = re.compile(
    r"(?P<function>sum|avg|min|max|p50|p95|p99)_(?P<of>.+)", re.S
)
# Larger integers have no float.
_MOST: Final = 10**300
_LAST_NUMBER: Final = (1, math.inf, "nan")


def type_of_column(name: str) -> str:
    """Return the type of the values of a column.

    >>> type_of_column("max_software.lstchain"), type_of_column("avg_duration")
    ('version', 'duration')
    """
    if name == "count":
        return "number"
    while found := _MEASURED.fullmatch(name):
        name = found["of"]
        if found["function"] in ("sum", "avg"):
            inner = type_of_column(name)
            return "number" if inner == "any" else inner
    field = FIELDS.get(name.partition(".")[0])
    return "text" if field is None else field.type


def order_of_column(name: str) -> Callable[[Any], tuple[Any, ...]]:
    """Return the function whose keys put the values of a column in order.

    >>> sorted(["0.11.10", "0.9.2"], key=order_of_column("software.lstchain"))
    ['0.9.2', '0.11.10']
    >>> sorted([5, "11", "6"], key=order_of_column("param.threshold"))
    [5, '6', '11']
    """
    return _ORDERS.get(type_of_column(name), _order)


def number_of(value: Any) -> int | float | None:
    """Return the number that a value is or that its digits say, or None.

    >>> number_of("06.5"), number_of("1.2.3"), number_of(True)
    (6.5, None, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if math.isfinite(value) else None
    if isinstance(value, str) and is_decimal(value):
        try:
            number = float(value) if "." in value else int(value)
        except ValueError:  # Python limits the digits that it reads.
            return None
        return number if abs(number) < _MOST else None
    return None


def _order(value: Any) -> tuple[Any, ...]:
    """Return a key that puts values of any types in one order."""
    if value is None:
        return 9, ""
    if isinstance(value, bool):
        return 0, value
    if isinstance(value, int | float):
        return (1, value) if value == value else _LAST_NUMBER
    if isinstance(value, datetime):
        return 2, value
    if isinstance(value, str):
        return 3, value
    return 4, repr(value)


def _order_of_any(value: Any) -> tuple[Any, ...]:
    number = number_of(value) if isinstance(value, str) else None
    # The text itself decides last: 6 and '6' are two values.
    return _order(value) if number is None else (1, number, value)


def _order_of_versions(value: Any) -> tuple[Any, ...]:
    return (3, *version_key(value)) if isinstance(value, str) else _order(value)


_ORDERS: Final[dict[str, Callable[[Any], tuple[Any, ...]]]] = {
    "any": _order_of_any,
    "version": _order_of_versions,
}
