"""Conditions on values of any type, such as parameters, as filters of MongoDB.

A number and a text of digits are compared as numbers. Values that neither MongoDB nor
JSON holds stand in a mapping with one key, such as ``%int`` (`provdb.model.values`);
a condition is about the value, so it asks there too.
"""

import ast
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

from provdb.errors import RecordError
from provdb.model.values import encode
from provdb.query.decimal_regex import MOST_DIGITS, decimal_regex, read_number
from provdb.query.globs import glob_condition, is_glob
from provdb.query.tree import Range, Text, Value
from provdb.store.evaluate import Filter

__all__ = ["any_condition", "equal_any", "is_unordered", "ordered_any"]

# Items of tuples and sets are items of the value, as those of lists are.
_ITEMS: Final = ("", ".%tuple", ".%set")
_INT64: Final = 2**63
_FLOATS: Final = ("nan", "inf", "-inf")
_NAMES: Final = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
_LONGEST_LITERAL: Final = 1000


def any_condition(path: str, condition: Any) -> Filter:
    """Return what matches where a value, or an item of it, is as a condition says.

    >>> any_condition("parameters.x", "a")["$or"][1]
    {'parameters.x.%tuple': 'a'}
    """
    return _any_of(_at_items(path, condition))


def equal_any(path: str, value: Text, *, is_exact: bool) -> Filter:
    """Return what matches where a value equals what is written.

    Args:
        path: Where the value stands.
        value: What is written.
        is_exact: Whether it is to be just what was recorded: ``03`` is a text then.

    >>> equal_any("parameters.x", Text(text="03"), is_exact=True)["$or"][0]
    {'parameters.x': '03'}
    """
    text = value.text
    if value.is_quoted:
        wholes = list(_wholes(path, text, is_exact=is_exact))
        return _any_of([*_at_items(path, text), *wholes])
    if not is_exact and is_glob(value):
        return any_condition(path, glob_condition(text))
    if text.lower() in ("true", "false"):
        truth = text.lower() == "true"
        return any_condition(path, truth if is_exact else {"$in": [truth, text]})
    if text.lower() in _FLOATS:
        special = {f"{path}{items}.%float": text.lower() for items in _ITEMS}
        others = [{where: name} for where, name in special.items()]
        return _any_of([*_at_items(path, text), *others])
    number = read_number(text)
    if number is None or (is_exact and _is_padded(text)):
        return any_condition(path, text)
    # The digits of a longer number are compared as they are written.
    same = {"$regex": f"^{re.escape(text)}$"}
    if not _is_too_long(number):
        same = {"$regex": decimal_regex("=", number)}
    parts = _at_items(path, _plain(number))
    if not is_exact:
        parts = _at_items(path, {"$in": [_plain(number), text]})
        parts += _at_items(path, same)
    if not _fits(number):
        parts += _at_integers(path, same)
    return _any_of(parts)


def is_unordered(value: Value) -> str | None:
    """Return what is expected in place of a bound that has no order, or None."""
    if isinstance(value, Range):
        ends = [end for end in (value.low, value.high) if end is not None]
    else:
        ends = [] if value.is_quoted else [value.text]
    numbers = [_bound(end) for end in ends]
    for end, number in zip(ends, numbers, strict=True):
        if end.lower() in ("true", "false", "nan"):
            return f"one value with : or =; {end.lower()} has no order"
        if isinstance(number, Decimal) and _is_too_long(number):
            return f"a number of {MOST_DIGITS} digits at most before the point"
    if len({number is None for number in numbers}) > 1:
        return "a range of two numbers, or of two texts"
    return None


def ordered_any(path: str, operator: str, value: Value) -> Filter:
    """Return what matches where a value is within bounds that have an order.

    A number has an order with numbers and with texts of digits, a text with texts.

    Args:
        path: Where the value stands.
        operator: ``>``, ``>=``, ``<`` or ``<=``; a range says its bounds itself.
        value: The bound, or a range.
    """
    if isinstance(value, Range):
        ends = ((">=", value.low), ("<=", value.high))
        parts = [_within(path, name, end) for name, end in ends if end is not None]
        return parts[0] if len(parts) == 1 else {"$and": parts}
    if value.is_quoted:
        return any_condition(path, {_NAMES[operator]: value.text})
    return _within(path, operator, value.text)


def _within(path: str, operator: str, end: str) -> Filter:
    bound = _bound(end)
    if bound is None:
        return any_condition(path, {_NAMES[operator]: end})
    parts = _at_items(path, {_NAMES[operator]: _plain(bound)})
    special = [name for name in ("inf", "-inf") if _holds(float(name), operator, bound)]
    if special:
        asked = {"$in": special}
        parts += [{f"{path}{items}.%float": asked} for items in _ITEMS]
    if isinstance(bound, Decimal):
        pattern = decimal_regex(operator, bound)
    elif _holds(0.0, operator, bound):
        pattern = r"^[+-]?[0-9]+(?:\.[0-9]*)?$(?!\n)"
    else:
        return _any_of(parts)
    parts += _at_items(path, {"$regex": pattern})
    return _any_of([*parts, *_at_integers(path, {"$regex": pattern})])


def _holds(number: float, operator: str, bound: Decimal | float) -> bool:
    return {
        ">": number > bound,
        ">=": number >= bound,
        "<": number < bound,
        "<=": number <= bound,
    }[operator]


def _bound(text: str) -> Decimal | float | None:
    return float(text) if text.lower() in _FLOATS else read_number(text)


def _plain(number: Decimal | float) -> int | float:
    """Return a number as MongoDB compares it."""
    if isinstance(number, Decimal) and _fits(number):
        return int(number)
    return float(number)


def _fits(number: Decimal) -> bool:
    return abs(number) < _INT64 and number == number.to_integral_value()


def _is_too_long(number: Decimal) -> bool:
    return number != 0 and number.adjusted() >= MOST_DIGITS


def _is_padded(text: str) -> bool:
    """Say whether no number is written so: it has a sign or a zero too many."""
    digits = text.removeprefix("-")
    return digits[:1] == "+" or (digits[:1] == "0" and digits[1:2].isdigit())


def _at_items(path: str, condition: Any) -> list[Filter]:
    return [{f"{path}{items}": condition} for items in _ITEMS]


def _at_integers(path: str, digits: Filter) -> list[Filter]:
    """Return what integers of more than 64 bits match, which stand as digits."""
    return [{f"{path}{items}.%int": digits} for items in _ITEMS]


def _wholes(path: str, text: str, *, is_exact: bool) -> Iterator[Filter]:
    """Yield what matches a list, a tuple or a mapping that is written as a text."""
    if not text.startswith(("[", "(", "{")) or len(text) > _LONGEST_LITERAL:
        return
    found: Any = None
    for read in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            found = read(text)
            break
    if not isinstance(found, list | tuple | dict | set):
        return
    # A row shows a tuple as a list, so either is meant by what looks like a list.
    is_both = not is_exact and isinstance(found, list | tuple)
    for value in (list(found), tuple(found)) if is_both else (found,):
        with suppress(RecordError, RecursionError):
            yield {path: {"$eq": encode(value)}}


def _any_of(parts: list[Filter]) -> Filter:
    return parts[0] if len(parts) == 1 else {"$or": parts}
