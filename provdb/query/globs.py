"""Texts with ``*`` and ``?``, and regular expressions, as conditions of MongoDB."""

import re
import warnings
from typing import Any, Final

from provdb.errors import QuerySyntaxError
from provdb.query.tree import Regex, Text, Value

__all__ = ["glob_condition", "glob_regex", "is_glob", "regex_condition"]

_WILD: Final = re.compile(r"[*?]")
_LAST: Final = "\U0010ffff"
_LONGEST: Final = 200
_MOST_REPEATS: Final = 3
_ATOM: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_REPEAT: Final = re.compile(r"[*+]|\{\d*,\d*\}|\{\d+\}")
_ESCAPES: Final = frozenset("dDwWsSbBnrt")


def is_glob(value: Value) -> bool:
    """Say whether a value has something wild in it."""
    return (
        isinstance(value, Text)
        and not value.is_quoted
        and _WILD.search(value.text) is not None
    )


def glob_condition(glob: str) -> dict[str, Any]:
    r"""Return what a text is that a glob matches, so that an index finds its start.

    >>> glob_condition("dl1_*")
    {'$gte': 'dl1_', '$lt': 'dl1_\U0010ffff'}
    >>> glob_condition("*.h5")
    {'$regex': '^.*\\.h5$', '$options': 's'}
    """
    start = _WILD.split(glob, maxsplit=1)[0]
    between = {"$gte": start, "$lt": start + _LAST} if start else {}
    if between and glob[len(start) :] == "*":
        return between
    return {**between, "$regex": glob_regex(glob), "$options": "s"}


def glob_regex(glob: str) -> str:
    """Return the regular expression of a glob; it never goes back over a star.

    >>> glob_regex("*dl2*Run01618?")
    '^(?>.*?dl2).*Run01618.$'
    """
    pieces = [
        "".join("." if letter == "?" else re.escape(letter) for letter in piece)
        for piece in re.split(r"\*+", glob)
    ]
    if len(pieces) == 1:
        return f"^{pieces[0]}$"
    first, *middle, last = pieces
    return f"^{first}{''.join(f'(?>.*?{piece})' for piece in middle)}.*{last}$"


def regex_condition(regex: Regex, *, text: str) -> dict[str, Any]:
    """Return the condition of a regular expression that is bounded in time.

    Args:
        regex: The expression.
        text: The query, for messages.

    Raises:
        QuerySyntaxError: It is no regular expression, or one that could take long.
    """
    expected = _fault(regex.pattern)
    if expected:
        raise QuerySyntaxError(text, regex.position, expected=expected)
    options = {"$options": "i"} if regex.ignores_case else {}
    return {"$regex": regex.pattern.replace("\\/", "/"), **options}


def _fault(pattern: str) -> str | None:
    """Return what is expected instead of a pattern, if it cannot be had."""
    if len(pattern) > _LONGEST:
        return f"a regular expression of {_LONGEST} characters at most"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern.replace("\\/", "/"))
    except (re.error, OverflowError, RecursionError, Warning) as error:
        return f"a regular expression, but: {error}"
    atoms = [match.group() for match in _ATOM.finditer(pattern)]
    repeats = 0
    for place, atom in enumerate(atoms):
        if atom[0] == "\\" and atom[1].isalnum() and atom[1] not in _ESCAPES:
            return f"a regular expression without {atom}"
        if atom == "(" and "".join(atoms[place + 1 : place + 2]) == "?":
            return "a regular expression without (?"
        rest = "".join(atoms[place:])
        repeat = _REPEAT.match(rest)
        if repeat is None or len(atom) > 1:
            continue
        repeats += 1
        if place and atoms[place - 1] == ")":
            return "a regular expression that repeats no group"
        if any(int(number) > 100 for number in re.findall(r"\d+", repeat.group())):
            return "a regular expression that repeats 100 times at most"
        if repeats > _MOST_REPEATS:
            return f"a regular expression with {_MOST_REPEATS} repeats at most"
    return None
