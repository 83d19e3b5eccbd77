"""MongoDB's aggregation expressions on documents in memory: those that are told here.

Each means what it means on a server, which a test holds it to. An operator that is not
in the table is refused by its name, and never answered in another way
(https://www.mongodb.com/docs/v6.0/reference/operator/aggregation/).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, NoReturn, TypeAlias

from provdb.errors import QueryError
from provdb.store.pipeline.operators import OF_ONE, OF_SOME, is_null, is_true, or_null
from provdb.store.pipeline.values import MISSING, value_of

__all__ = ["Expression", "Scope", "expression", "refuse"]

# The document, and the variables.
Scope: TypeAlias = Mapping[str, Any]
Expression: TypeAlias = Callable[[Scope], Any]

_ROOT: Final = ("ROOT", "CURRENT")
_DATE_PARTS: Final = {
    "%Y": "{0.year:04d}",
    "%m": "{0.month:02d}",
    "%d": "{0.day:02d}",
    "%H": "{0.hour:02d}",
    "%M": "{0.minute:02d}",
    "%S": "{0.second:02d}",
    "%L": "{1:03d}",
    "%j": "{2:03d}",
    "%%": "%",
}
_ISO: Final = "%Y-%m-%dT%H:%M:%S.%LZ"
_UNITS: Final = ("year", "month", "day", "hour", "minute", "second")


def expression(written: Any) -> Expression:
    """Return what computes an expression.

    Args:
        written: The expression, as a pipeline has it.

    Raises:
        QueryError: It is none, or has an operator that only a server knows.

    >>> ratio = expression({"$divide": ["$size", 1000]})
    >>> ratio({"ROOT": {"size": 2500}})
    2.5
    """
    if isinstance(written, str) and written.startswith("$"):
        return _path(written)
    if isinstance(written, list):
        items = [expression(item) for item in written]
        return lambda scope: [or_null(item(scope)) for item in items]
    if not isinstance(written, Mapping):
        return lambda _: written
    names = list(written)
    if names and str(names[0]).startswith("$"):
        if len(names) > 1:
            raise QueryError(f"an expression has one operator, and not {names!r:.80}")
        return _operation(names[0], written[names[0]])
    if bad := [name for name in names if "." in name or name.startswith("$")]:
        raise QueryError(f"a document in an expression cannot have the key {bad[0]}")
    parts = {name: expression(part) for name, part in written.items()}
    return lambda scope: {
        name: value
        for name, part in parts.items()
        if (value := part(scope)) is not MISSING
    }


def refuse(what: str) -> NoReturn:
    """Say that only a server can do something.

    Raises:
        QueryError: Always.
    """
    raise QueryError(
        f"a local store cannot do {what} as MongoDB does; 'provdb db copy "
        "mongodb://HOST/DATABASE' takes its documents to a server, which can"
    )


def _path(written: str) -> Expression:
    name, *keys = written.removeprefix("$").split(".")
    if not name or not all(keys):
        raise QueryError(f"{written} is no path of a field")
    if not name.startswith("$"):
        keys = [name, *keys]
        return lambda scope: value_of(scope["ROOT"], keys)
    variable = name.removeprefix("$")
    if variable == "REMOVE":
        return lambda _: MISSING
    if variable.isupper() and variable not in _ROOT:
        refuse(f"$${variable}")
    variable = "ROOT" if variable in _ROOT else variable

    def of_variable(scope: Scope) -> Any:
        if variable not in scope:
            raise QueryError(f"nothing defines the variable $${variable}")
        return value_of(scope[variable], keys)

    return of_variable


def _operation(name: str, written: Any) -> Expression:
    if name in _SPECIAL:
        return _SPECIAL[name](written)
    if name in OF_ONE:
        if isinstance(written, list):
            if len(written) != 1:
                raise QueryError(f"{name} takes one value, and not {len(written)}")
            (written,) = written
        return _applied(OF_ONE[name], [written], name)
    if name in OF_SOME:
        few, many, function = OF_SOME[name]
        given = written if isinstance(written, list) else [written]
        if not few <= len(given) <= many:
            raise QueryError(f"{name} cannot take {len(given)} values")
        return _applied(function, given, name)
    refuse(name)


def _applied(
    function: Callable[..., Any], written: Sequence[Any], name: str
) -> Expression:
    parts = [expression(part) for part in written]

    def compute(scope: Scope) -> Any:
        values = [part(scope) for part in parts]
        try:
            return function(*values)
        except (TypeError, ValueError, OverflowError, ZeroDivisionError) as error:
            told = ", ".join(f"{value!r:.40}" for value in values)
            raise QueryError(f"{name} cannot be computed of {told}") from error

    return compute


def _cond(written: Any) -> Expression:
    if isinstance(written, Mapping):
        _check("$cond", written, needed=("if", "then", "else"))
        written = [written["if"], written["then"], written["else"]]
    if not isinstance(written, list) or len(written) != 3:
        raise QueryError("$cond takes if, then and else")
    is_so, then, otherwise = map(expression, written)
    return lambda scope: (then if is_true(is_so(scope)) else otherwise)(scope)


def _switch(written: Any) -> Expression:
    _check("$switch", written, needed=("branches",), also=("default",))
    branches = []
    for branch in written["branches"]:
        _check("a branch of $switch", branch, needed=("case", "then"))
        branches.append((expression(branch["case"]), expression(branch["then"])))
    otherwise = expression(written["default"]) if "default" in written else None

    def compute(scope: Scope) -> Any:
        for case, then in branches:
            if is_true(case(scope)):
                return then(scope)
        if otherwise is None:
            raise QueryError("no branch of $switch is true, and it has no default")
        return otherwise(scope)

    return compute


def _if_null(written: Any) -> Expression:
    if not isinstance(written, list) or len(written) < 2:
        raise QueryError("$ifNull takes two expressions or more")
    *parts, last = map(expression, written)

    def compute(scope: Scope) -> Any:
        for part in parts:
            if not is_null(value := part(scope)):
                return value
        return last(scope)

    return compute


def _all_or_any(written: Any, *, is_all: bool) -> Expression:
    parts = list(map(expression, written if isinstance(written, list) else [written]))
    decide = all if is_all else any
    return lambda scope: decide(is_true(part(scope)) for part in parts)


def _over(name: str, written: Any, *, then: str) -> Expression:
    _check(name, written, needed=("input", then), also=("as",))
    array, of_item = expression(written["input"]), expression(written[then])
    variable = written.get("as", "this")

    def compute(scope: Scope) -> Any:
        items = array(scope)
        if is_null(items):
            return None
        if not isinstance(items, list):
            raise QueryError(f"{name} goes over an array, and not {items!r:.40}")
        values = [(item, of_item({**scope, variable: item})) for item in items]
        if then == "in":
            return [or_null(value) for _, value in values]
        return [item for item, value in values if is_true(value)]

    return compute


def _date_text(written: Any) -> Expression:
    _check("$dateToString", written, needed=("date",), also=("format", "onNull"))
    asked = written.get("format", _ISO)
    pieces = re.findall(r"%.|[^%]+", asked)
    if unknown := [p for p in pieces if p[0] == "%" and p not in _DATE_PARTS]:
        refuse(f"{unknown[0]} in the format of $dateToString")
    template = "".join(
        _DATE_PARTS.get(p) or p.replace("{", "{{").replace("}", "}}") for p in pieces
    )
    date, on_null = expression(written["date"]), expression(written.get("onNull"))

    def compute(scope: Scope) -> Any:
        at = date(scope)
        if is_null(at):
            return on_null(scope)
        if not isinstance(at, datetime):
            raise QueryError(f"$dateToString takes a time, and not {at!r:.40}")
        day = at.timetuple().tm_yday
        return template.format(at, at.microsecond // 1000, day)

    return compute


def _date_trunc(written: Any) -> Expression:
    _check("$dateTrunc", written, needed=("date", "unit"))
    unit = written["unit"]
    if unit not in _UNITS:
        refuse(f"{unit!r:.40} as the unit of $dateTrunc")
    date = expression(written["date"])
    begin = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}
    below: dict[str, Any] = {u: begin[u] for u in _UNITS[_UNITS.index(unit) + 1 :]}

    def compute(scope: Scope) -> Any:
        at = date(scope)
        if is_null(at):
            return None
        if not isinstance(at, datetime):
            raise QueryError(f"$dateTrunc takes a time, and not {at!r:.40}")
        return at.replace(microsecond=0, **below)

    return compute


def _regex_match(written: Any) -> Expression:
    _check("$regexMatch", written, needed=("input", "regex"), also=("options",))
    if not isinstance(written["regex"], str) or written.get("options", "") not in (
        "",
        "i",
    ):
        refuse("$regexMatch with other than a text and the option i")
    flags = re.ASCII | (re.IGNORECASE if written.get("options") else 0)
    try:
        pattern = re.compile(written["regex"], flags)
    except re.error as error:
        raise QueryError(f"$regexMatch has no regular expression: {error}") from error
    text = expression(written["input"])

    def compute(scope: Scope) -> Any:
        value = text(scope)
        if is_null(value):
            return False
        if not isinstance(value, str):
            raise QueryError(f"$regexMatch takes a text, and not {value!r:.40}")
        return pattern.search(value) is not None

    return compute


def _check(
    name: str, written: Any, *, needed: Sequence[str], also: Sequence[str] = ()
) -> None:
    if not isinstance(written, Mapping):
        raise QueryError(f"{name} takes {', '.join(needed)}, and not {written!r:.40}")
    if lacking := [key for key in needed if key not in written]:
        raise QueryError(f"{name} lacks {lacking[0]}")
    if unknown := [key for key in written if key not in (*needed, *also)]:
        refuse(f"{unknown[0]} of {name}")


_SPECIAL: Final[dict[str, Callable[[Any], Expression]]] = {
    "$literal": lambda written: lambda _: written,
    "$cond": _cond,
    "$switch": _switch,
    "$ifNull": _if_null,
    "$and": partial(_all_or_any, is_all=True),
    "$or": partial(_all_or_any, is_all=False),
    "$map": partial(_over, "$map", then="in"),
    "$filter": partial(_over, "$filter", then="cond"),
    "$dateToString": _date_text,
    "$dateTrunc": _date_trunc,
    "$regexMatch": _regex_match,
}
