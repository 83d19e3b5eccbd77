"""MongoDB's filters on documents in memory: the part of them that queries need.

Operators mean what they mean on a server, which a test holds them to: a missing field
equals null, an array is what any of its items is, and only values of one type have an
order (https://www.mongodb.com/docs/manual/reference/operator/query/).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import ge, gt, le, lt
from typing import Any, Final, TypeAlias

from provdb.model import Document
from provdb.model import fields as f
from provdb.store.pipeline.values import MISSING, ends, order_of

__all__ = ["Filter", "Pipeline", "matcher", "tally", "value_at"]

Filter: TypeAlias = Mapping[str, Any]
Pipeline: TypeAlias = Sequence[Mapping[str, Any]]
_Test: TypeAlias = Callable[[Any], bool]

_ORDERS: Final = {"$gt": gt, "$gte": ge, "$lt": lt, "$lte": le}
_ORDERED: Final = (str, int, float, datetime)
_FLAGS: Final = {"i": re.IGNORECASE, "s": re.DOTALL}


def matcher(filter_: Filter) -> Callable[[Document], bool]:
    """Return what says whether a document matches a filter.

    >>> is_dl1 = matcher({"level": "DL1", "run": {"$gte": 1618}})
    >>> is_dl1({"level": "DL1", "run": 1618}), is_dl1({"level": "DL1", "run": None})
    (True, False)
    """
    tests = [_part(name, value) for name, value in filter_.items()]
    if len(tests) == 1:
        return tests[0]
    return lambda document: all(test(document) for test in tests)


def tally(
    documents: Iterable[Document], group: Mapping[str, Any]
) -> Iterator[Document]:
    """Yield what ``$group`` gives that counts, or gathers the values of a field.

    Args:
        documents: The documents.
        group: What ``$group`` is told: the id is a name for each ``"$field"``,
            ``$subtract`` of two or start of one; beside it is one ``$sum`` of 1 or
            one ``$push``.

    >>> group = {"_id": {"run": "$run"}, "count": {"$sum": 1}}
    >>> list(tally([{"run": 1618}, {"run": 1618}], group))
    [{'_id': {'run': 1618}, 'count': 2}]
    """
    key = group[f.ID]
    ((name, told),) = (part for part in group.items() if part[0] != f.ID)
    groups: dict[tuple[Any, ...], tuple[list[Any], list[Any]]] = {}
    for document in documents:
        values = [_computed(document, expression) for expression in key.values()]
        same = tuple((type(value).__name__, repr(value)) for value in values)
        _, gathered = groups.setdefault(same, (values, []))
        gathered.append(_computed(document, told["$push"]) if "$push" in told else 1)
    for values, gathered in groups.values():
        found = zip(key, values, strict=True)
        id_ = {part: value for part, value in found if value is not MISSING}
        pushed = [value for value in gathered if value is not MISSING]
        yield {f.ID: id_, name: pushed if "$push" in told else len(gathered)}


def value_at(document: Any, path: str) -> Any:
    """Return the value at a path of keys, or None where there is none.

    >>> value_at({"packages": {"lstchain": "0.9.6"}}, "packages.lstchain")
    '0.9.6'
    """
    for key in path.split("."):
        if not isinstance(document, Mapping) or key not in document:
            return None
        document = document[key]
    return document


def _part(name: str, value: Any) -> Callable[[Document], bool]:
    if name in ("$and", "$or", "$nor"):
        tests = [matcher(part) for part in value]
        if name == "$and":
            return lambda document: all(test(document) for test in tests)
        is_any = name == "$or"
        return lambda document: any(test(document) for test in tests) is is_any
    if name == "$expr":
        return _expression(value)
    if name.startswith("$"):
        raise ValueError(f"the operator {name} is not one of queries")
    keys = name.split(".")
    test = _test(value)
    if len(keys) == 1:
        (key,) = keys
        return lambda document: test(document.get(key, MISSING))
    return lambda document: test(_end(document, keys))


def _test(value: Any) -> _Test:
    if isinstance(value, re.Pattern):
        value = _as_regex(value)
    if not isinstance(value, Mapping):
        value = {"$eq": value}
    operators = [operator for operator in value if operator != "$options"]
    tests = [_operation(value, operator) for operator in operators]
    if len(tests) == 1:
        return tests[0]
    return lambda found: all(test(found) for test in tests)


def _as_regex(pattern: re.Pattern[str]) -> Filter:
    """Return the condition that the driver makes of a compiled expression."""
    given = pattern.flags & ~re.UNICODE
    options = [letter for letter, flag in _FLAGS.items() if given & flag]
    if given & ~(re.IGNORECASE | re.DOTALL):
        raise ValueError("a regular expression has the flags I and S only")
    return {"$regex": pattern.pattern, "$options": "".join(options)}


def _end(value: Any, keys: Sequence[str]) -> Any:
    for place, key in enumerate(keys):
        if isinstance(value, list):
            found = list(ends(value, keys[place:]))
            return found[0] if len(found) == 1 else _Several(found)
        # Documents are plain mappings, and nearly no path leads through an array.
        value = value.get(key, MISSING) if isinstance(value, dict) else MISSING
        if value is MISSING:
            return MISSING
    return value


class _Several(list[Any]):
    """What stands at a path that leads through an array."""


def _operation(condition: Mapping[str, Any], operator: str) -> _Test:
    value = condition[operator]
    if operator == "$regex":
        flags = re.ASCII
        for letter in condition.get("$options", ""):
            flags |= _FLAGS[letter]
        return _of_any(partial(_is_like, re.compile(value, flags)))
    if operator in _ORDERS:
        if isinstance(value, bool) or not isinstance(value, _ORDERED):
            raise ValueError(f"{operator} takes a number, a text or a time")
        return _of_any(partial(_is_ordered, _ORDERS[operator], value))
    if operator in _OTHERS:
        return _OTHERS[operator](value)
    if operator in ("$eq", "$ne"):
        value = [value]
    if isinstance(value, str) or any(isinstance(one, re.Pattern) for one in value):
        raise ValueError(f"{operator} takes a list of values, and no expressions")
    known = {_key(one) for one in value}
    # An array is asked for as a whole, or as an item of another one.
    has_array = any(isinstance(one, list) for one in value)
    is_one = _of_any(lambda found: _key(found) in known, or_whole=has_array)
    if operator in ("$eq", "$in"):
        return is_one
    if operator in ("$ne", "$nin"):
        return lambda found: not is_one(found)
    raise ValueError(f"the operator {operator} is not one of queries")


def _exists(value: Any) -> _Test:
    is_asked = bool(value)

    def test_exists(found: Any) -> bool:
        several = found if isinstance(found, _Several) else [found]
        return any(one is not MISSING for one in several) is is_asked

    return test_exists


def _not(value: Any) -> _Test:
    if not isinstance(value, Mapping):
        raise ValueError("$not takes a condition with an operator")
    test = _test(value)
    return lambda found: not test(found)


def _has_item(value: Any) -> _Test:
    """Return what says whether any item of an array is what is asked."""
    is_of_documents = not any(name in _OF_VALUES for name in value)
    test = matcher(value) if is_of_documents else _test(value)

    def test_items(found: Any) -> bool:
        arrays = found if isinstance(found, _Several) else [found]
        return any(
            test(item)
            for array in arrays
            if isinstance(array, list)
            for item in array
            if isinstance(item, Mapping) or not is_of_documents
        )

    return test_items


def _of_any(test: _Test, *, or_whole: bool = False) -> _Test:
    """Return what says whether a value or any item of an array passes.

    Args:
        test: The test.
        or_whole: Whether an array passes too that does as a whole.
    """

    def test_any(found: Any) -> bool:
        if isinstance(found, _Several):
            return any(test_any(one) for one in found)
        if isinstance(found, list):
            return any(map(test, found)) or (or_whole and test(found))
        return test(found)

    return test_any


def _key(value: Any) -> Any:
    """Return what is equal for values that are equal in MongoDB."""
    if value is MISSING or value is None:
        return None
    if isinstance(value, bool):
        return bool, value
    if isinstance(value, int | float):
        return float, value
    if isinstance(value, Mapping | list):
        return type(value), order_of(value)
    return type(value), value


def _is_like(pattern: re.Pattern[str], found: Any) -> bool:
    return isinstance(found, str) and pattern.search(found) is not None


def _is_ordered(order: Callable[[Any, Any], bool], bound: Any, found: Any) -> bool:
    if isinstance(found, bool):
        return False
    for kind in (str, int | float, datetime):
        if isinstance(bound, kind):
            return isinstance(found, kind) and order(found, bound)
    return False


def _expression(value: Any) -> Callable[[Document], bool]:
    # Loaded here, for few filters compute anything.
    from provdb.store.pipeline.expressions import expression
    from provdb.store.pipeline.operators import is_true

    compute = expression(value)
    return lambda document: is_true(compute({"ROOT": document}))


def _computed(document: Document, expression: Any) -> Any:
    if isinstance(expression, str):
        keys = expression[1:].split(".")
        found: Any = document
        for key in keys:
            found = found.get(key, MISSING) if isinstance(found, Mapping) else MISSING
        return found
    if "$substrCP" in expression:
        whole, first, count = expression["$substrCP"]
        return str(_computed(document, whole))[first : first + count]
    end, start = (_computed(document, part) for part in expression["$subtract"])
    if not (isinstance(end, datetime) and isinstance(start, datetime)):
        return None
    return round((end - start).total_seconds() * 1000)


_OTHERS: Final[dict[str, Callable[[Any], _Test]]] = {
    "$exists": _exists,
    "$not": _not,
    "$elemMatch": _has_item,
}
_OF_VALUES: Final = (*_ORDERS, *_OTHERS, "$eq", "$ne", "$in", "$nin", "$regex")
