"""What a condition says of a value of each type, as a filter of MongoDB.

Every text of a user becomes a value to compare with, or is escaped in a regular
expression; none is ever an operator or a part of one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Final

from provdb.errors import QuerySyntaxError
from provdb.model import LEVELS, file_name, location_id
from provdb.model import fields as f
from provdb.model.activity import STATUSES
from provdb.model.locations import canonical_location
from provdb.model.names import telescope_name
from provdb.query.any_values import (
    any_condition,
    equal_any,
    is_unordered,
    ordered_any,
)
from provdb.query.globs import glob_condition, glob_regex, is_glob, regex_condition
from provdb.query.spans import SPANS, Span, spans_in
from provdb.query.tree import Compare, Match, Range, Regex, Text, Value
from provdb.query.version_order import is_version
from provdb.store.evaluate import Filter

__all__ = ["VERSIONS", "known", "positive"]

_CHOICES: Final = {"level": LEVELS, "status": STATUSES}
_EXAMPLES: Final = {
    "level": f"a level, one of {' '.join(LEVELS)}",
    "status": f"a status, one of {' '.join(STATUSES)}",
    "run": "a run such as 1618",
    "whole number": "a whole number",
    "number": "a number",
    "time": "a time such as 2020-05-18 or 2020-05-18T14:30",
    "date": "a date such as 20191123 or 2019-11",
    "day": "a date such as 20191123 or 2019-11",
    "duration": "a duration such as 20m, 1h30m or 90s",
    "version": "a version such as 0.10.18",
    "truth": "true or false",
}
# What stands between the parts of a written observation date, and what it looks like.
_DATES: Final = (
    ("", r"^\d{8}$"),
    ("-", r"^\d{4}-\d\d-\d\d$"),
    ("_", r"^\d{4}_\d\d_\d\d$"),
)
_NAMES: Final = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
_ORDERS: Final = tuple(_NAMES)
# Stands for an operator in a filter: the version is within bounds.
VERSIONS: Final = "$versions"
_VERSION_FOLDER: Final = r"(^|/)v\d[^/]*/"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is asked of a path: the type of its values, and where the query stands."""

    path: str
    type: str
    text: str
    zone: tzinfo

    def fail(self, value: Value | Regex, expected: str) -> QuerySyntaxError:
        """Return the error for a value that cannot be one."""
        return QuerySyntaxError(self.text, value.position, expected=expected)


def known(path: str, type_: str) -> Filter:
    """Return what matches where there is a value of a type at a path."""
    if type_ == "duration":
        return {f.END: {"$ne": None}, f.START: {"$ne": None}}
    if type_ == "production":
        return {path: {"$regex": _VERSION_FOLDER}}
    if type_ == "any":
        # A list with a null in it equals null too, and is a value all the same.
        return {"$or": [{path: {"$ne": None}}, {f"{path}.0": {"$exists": True}}]}
    if type_ == "truth":
        # Only what is true is stored, so what lacks it is false and not unknown.
        return {f.ID: {"$ne": None}}
    return {path: {"$ne": None}}


def positive(
    node: Compare | Match,
    *,
    path: str,
    type_: str,
    text: str,
    zone: tzinfo = UTC,
) -> Filter:
    """Return what matches where a condition holds, whichever way it is negated.

    Args:
        node: The condition; ``!=`` and ``!~`` are taken as ``:`` and ``~``.
        path: Where the value stands.
        type_: What its values are.
        text: The query, for messages.
        zone: Zone in which times that name none are read.

    Raises:
        QuerySyntaxError: The value is none of the type.

    >>> from provdb.query.parse import parse
    >>> positive(parse("run:01618").selector, path="run", type_="run", text="")
    {'run': 1618}
    """
    asked = _Asked(path=path, type=type_, text=text, zone=zone)
    if isinstance(node, Match):
        return _like(asked, node.pattern)
    operator = ":" if node.operator == "!=" else node.operator
    if type_ in SPANS:
        return _in_span(asked, operator, node.value)
    if operator in _ORDERS or isinstance(node.value, Range):
        return _ordered(asked, operator, node.value)
    return _EQUAL.get(type_, _equal_text)(asked, node.value, operator == "=")


def _like(asked: _Asked, pattern: Regex | Text) -> Filter:
    if asked.type in (*SPANS, "truth"):
        raise asked.fail(pattern, f"no ~ here; a {asked.type} is compared")
    if isinstance(pattern, Regex):
        condition = regex_condition(pattern, text=asked.text)
    elif is_glob(pattern):
        condition = {"$regex": glob_regex(f"*{pattern.text}*"), "$options": "s"}
    else:
        condition = {"$regex": re.escape(pattern.text)}
    if asked.type == "any":
        return any_condition(asked.path, condition)
    return {asked.path: condition}


def _in_span(asked: _Asked, operator: str, value: Value) -> Filter:
    read = spans_in(asked.zone)[asked.type]

    def span(written: str) -> Span:
        found = read(written)
        if found is None:
            raise asked.fail(value, _EXAMPLES[asked.type])
        return found

    low: Any = None
    high: Any = None
    if isinstance(value, Range):
        if operator in _ORDERS:
            raise asked.fail(value, f"one value behind {operator}")
        low = None if value.low is None else span(value.low).low
        high = None if value.high is None else span(value.high).beyond
        if low is not None and high is not None and low >= high:
            raise asked.fail(value, "a range from the lower to the higher value")
    else:
        one = span(value.text)
        if operator in (":", "=", ">="):
            low = one.low
        if operator in (":", "=", "<="):
            high = one.beyond
        if operator == ">":
            low = one.beyond
        if operator == "<":
            high = one.low
    return _BETWEEN.get(asked.type, _between)(asked, low, high)


def _between(asked: _Asked, low: Any, high: Any) -> Filter:
    if type(low) is int and type(high) is int and high == low + 1:
        return {asked.path: low}
    bounds = {"$gte": low, "$lt": high}
    return {asked.path: {name: b for name, b in bounds.items() if b is not None}}


def _dates_between(asked: _Asked, low: Any, high: Any) -> Filter:
    days = {"$gte": low, "$lt": high}
    bounds = {name: day.isoformat() for name, day in days.items() if day is not None}
    forms: list[Filter] = []
    for gap, looks in _DATES:
        written = {name: day.replace("-", gap) for name, day in bounds.items()}
        forms.append({asked.path: {**written, "$regex": looks}})
    return {"$or": forms}


def _days_between(asked: _Asked, low: Any, high: Any) -> Filter:
    """Return the condition for dates that are all written as YYYY-MM-DD."""
    bounds = {"$gte": low, "$lt": high}
    days = {name: day.isoformat() for name, day in bounds.items() if day is not None}
    return {asked.path: days}


def _lasts_between(asked: _Asked, low: Any, high: Any) -> Filter:
    computed = {"$subtract": [f"${f.END}", f"${f.START}"]}
    bounds = (("$gte", low), ("$lt", high))
    return {
        "$and": [
            known(asked.path, asked.type),
            *({"$expr": {o: [computed, b]}} for o, b in bounds if b is not None),
        ]
    }


def _ordered(asked: _Asked, operator: str, value: Value) -> Filter:
    if asked.type == "level":
        return _levels_between(asked, operator, value)
    if asked.type == "version":
        return _versions_between(asked, operator, value)
    if asked.type != "any":
        expected = f"one value with : or =; a {asked.type} has no order"
        raise asked.fail(value, expected)
    expected_bound = is_unordered(value)
    if expected_bound is not None:
        raise asked.fail(value, expected_bound)
    return ordered_any(asked.path, operator, value)


def _versions_between(asked: _Asked, operator: str, value: Value) -> Filter:
    if isinstance(value, Range):
        ends = {"$gte": value.low, "$lte": value.high}
        bounds = {name: end for name, end in ends.items() if end is not None}
    else:
        bounds = {_NAMES[operator]: value.text}
    if not all(map(is_version, bounds.values())):
        raise asked.fail(value, _EXAMPLES["version"])
    # Neither store has the order of versions: a look-up finds those that there are.
    return {asked.path: {VERSIONS: bounds}}


def _levels_between(asked: _Asked, operator: str, value: Value) -> Filter:
    def place(written: str) -> int:
        if written.upper() not in LEVELS:
            raise asked.fail(value, _EXAMPLES["level"])
        return LEVELS.index(written.upper())

    first, last = 0, len(LEVELS) - 1
    if isinstance(value, Range):
        first = first if value.low is None else place(value.low)
        last = last if value.high is None else place(value.high)
    else:
        one = place(value.text)
        if operator.startswith(">"):
            first = one + (operator == ">")
        else:
            last = one - (operator == "<")
    return {asked.path: {"$in": list(LEVELS[first : last + 1])}}


def _equal_text(asked: _Asked, value: Text, is_exact: bool) -> Filter:
    if is_exact or not is_glob(value):
        return {asked.path: value.text}
    return {asked.path: glob_condition(value.text)}


def _equal_telescope(asked: _Asked, value: Text, is_exact: bool) -> Filter:
    if is_exact or is_glob(value):
        return _equal_text(asked, value, is_exact)
    return {asked.path: telescope_name(value.text)}


def _equal_choice(asked: _Asked, value: Text, is_exact: bool) -> Filter:
    choices = _CHOICES[asked.type]
    written = value.text.upper() if asked.type == "level" else value.text.lower()
    if is_glob(value) and not is_exact:
        pattern = re.compile(glob_regex(written), re.DOTALL)
        return {asked.path: {"$in": [c for c in choices if pattern.search(c)]}}
    if written not in choices:
        raise asked.fail(value, _EXAMPLES[asked.type])
    return {asked.path: written}


def _equal_hash(asked: _Asked, value: Text, is_exact: bool) -> Filter:
    if is_exact or value.is_quoted:
        return {asked.path: value.text}
    start = value.text.lower()
    return {asked.path: glob_condition(start if is_glob(value) else f"{start}*")}


def _equal_path(asked: _Asked, value: Text, is_exact: bool) -> Filter:
    path = value.text
    if not is_exact and is_glob(value):
        # A pattern without a slash is about the file name, as in a shell.
        field = asked.path if "/" in path else f.FILE_NAME
        return {field: glob_condition(path)}
    if not is_exact and path.endswith("/"):
        return _below(asked, path)
    # The file name has an index that finds it; a collection has none.
    name = file_name(canonical_location(path))
    whole: Filter = {f.FILE_NAME: {"$in": [name, None]}, asked.path: path}
    if is_exact or path.startswith("/"):
        return {"$or": [{f.ID: location_id(path), asked.path: path}, whole]}
    ending = {"$regex": f"/{re.escape(path.removeprefix('./'))}$"}
    tail: Filter = {f.FILE_NAME: name, asked.path: ending}
    return {"$or": [whole, tail]}


def _below(asked: _Asked, folder: str) -> Filter:
    """Return what matches a folder and all that is below it."""
    bare = folder.rstrip("/")
    if not folder.startswith("/"):
        # Its beginning is not known, and it is not the end of another name.
        name = re.escape(bare.removeprefix("./"))
        return {asked.path: {"$regex": f"(^|/){name}(/|$)"}}
    parts: list[Filter] = [{asked.path: glob_condition(f"{bare}/*")}]
    if bare:
        parts.append({asked.path: bare})
    return {"$or": parts}


def _equal_production(asked: _Asked, value: Text, is_exact: bool) -> Filter:
    is_wild = is_glob(value) and not is_exact
    folder = _folder_regex(value.text) if is_wild else re.escape(value.text)
    return {asked.path: {"$regex": rf"(^|/)(?=v\d)({folder})/"}}


def _folder_regex(glob: str) -> str:
    wild = {"*": "[^/]*", "?": "[^/]"}
    return "".join(wild.get(letter) or re.escape(letter) for letter in glob)


def _equal_any(asked: _Asked, value: Text, is_exact: bool) -> Filter:
    return equal_any(asked.path, value, is_exact=is_exact)


def _equal_truth(asked: _Asked, value: Text, is_exact: bool) -> Filter:
    truths = {"true": True, "false": {"$ne": True}}
    if value.text.lower() not in truths:
        raise asked.fail(value, _EXAMPLES["truth"])
    return {asked.path: truths[value.text.lower()]}


_BETWEEN: Final[dict[str, Callable[[_Asked, Any, Any], Filter]]] = {
    "date": _dates_between,
    "day": _days_between,
    "duration": _lasts_between,
}
_EQUAL: Final[dict[str, Callable[[_Asked, Text, bool], Filter]]] = {
    "level": _equal_choice,
    "status": _equal_choice,
    "telescope": _equal_telescope,
    "hash": _equal_hash,
    "path": _equal_path,
    "production": _equal_production,
    "any": _equal_any,
    "truth": _equal_truth,
}
