"""Draw documents and pipelines at random, of all that a local store runs."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from provdb.store.pipeline.operators import OF_ONE, OF_SOME

__all__ = ["documents", "pipelines"]

_EPOCH: Final = datetime(2020, 1, 17, 23, 59, 58, 500_000, tzinfo=UTC)
_TIMES = st.integers(0, 400).map(lambda days: _EPOCH + timedelta(days=days, hours=days))
_NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, 1.0, -2.5, 2.675]))
_TEXTS = st.sampled_from(["", "a", "A", "ab", "a.b", "é"])
_SCALARS = st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS, _TIMES)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
    ),
    max_leaves=4,
)
# What fields usually hold, and what they may hold all the same.
_FIELDS: Final = {
    "n": st.one_of(_NUMBERS, _NUMBERS, _VALUES),
    "m": st.one_of(_NUMBERS, _NUMBERS, _VALUES),
    "s": st.one_of(_TEXTS, _TEXTS, _VALUES),
    "t": st.one_of(_TIMES, _TIMES, _VALUES),
    "l": st.one_of(st.lists(_VALUES, max_size=3), _VALUES),
    "d": _VALUES,
}
documents: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.fixed_dictionaries({}, optional=_FIELDS), min_size=1, max_size=6
)
_PATHS = st.sampled_from(["n", "m", "s", "t", "l", "d", "d.x", "l.x", "d.x.y", "no"])
_LITERALS = st.one_of(_NUMBERS, _TEXTS, st.none(), st.booleans(), _TIMES)


def _larger(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    one = st.builds(lambda name, part: {name: part}, st.sampled_from([*OF_ONE]), parts)
    several = st.sampled_from([*OF_SOME]).flatmap(
        lambda name: st.lists(
            parts, min_size=OF_SOME[name][0], max_size=min(3, OF_SOME[name][1])
        ).map(lambda listed: {name: listed})
    )
    return st.one_of(one, several, _special(parts), st.lists(parts, max_size=2))


def _special(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(parts, min_size=2, max_size=3)
    over = st.one_of(parts, st.just("$$this"), st.just("$$this.x"))
    return st.one_of(
        st.builds(lambda name, p: {name: p}, st.sampled_from(["$and", "$or"]), some),
        st.builds(lambda p: {"$ifNull": p}, some),
        st.builds(lambda a, b, c: {"$cond": [a, b, c]}, parts, parts, parts),
        st.builds(
            lambda a, b, c: {
                "$switch": {"branches": [{"case": a, "then": b}], "default": c}
            },
            parts,
            parts,
            parts,
        ),
        st.builds(lambda a, b: {"$map": {"input": a, "in": b}}, parts, over),
        st.builds(lambda a, b: {"$filter": {"input": a, "cond": b}}, parts, over),
        st.builds(
            lambda date, form: {"$dateToString": {"date": date, "format": form}},
            parts,
            st.sampled_from(["%Y-%m-%d", "%H:%M:%S.%L", "%j%%{0}"]),
        ),
        st.builds(
            lambda date, unit: {"$dateTrunc": {"date": date, "unit": unit}},
            parts,
            st.sampled_from(["year", "month", "day", "hour", "minute", "second"]),
        ),
        st.builds(
            lambda text, options: {
                "$regexMatch": {"input": text, "regex": "^a|b", "options": options}
            },
            parts,
            st.sampled_from(["", "i"]),
        ),
        st.builds(lambda v: {"$literal": v}, st.one_of(_LITERALS, st.just("$n"))),
    )


_PATH_EXPRESSIONS = _PATHS.map(lambda path: f"${path}")
_EXPRESSIONS = st.recursive(
    st.one_of(*[_PATH_EXPRESSIONS] * 4, _LITERALS),
    _larger,
    max_leaves=5,
)
_ACCUMULATORS = st.builds(
    lambda name, part: {name: part},
    st.sampled_from(
        ["$sum", "$avg", "$min", "$max", "$first", "$last", "$push", "$addToSet"]
    ),
    _EXPRESSIONS,
)
_KEYS = st.one_of(
    st.none(),
    _EXPRESSIONS,
    st.builds(lambda a, b: {"a": a, "b": b}, _EXPRESSIONS, _EXPRESSIONS),
)
_GROUPS = st.builds(
    lambda key, one, other: {
        "$group": {"_id": key, "one": one, "other": other, "count": {"$sum": 1}}
    },
    _KEYS,
    _ACCUMULATORS,
    _ACCUMULATORS,
)
_TESTS = st.one_of(
    _LITERALS,
    st.builds(lambda value: {"$exists": value}, st.booleans()),
    st.builds(lambda value: {"$not": {"$gte": value}}, _NUMBERS),
    st.builds(lambda value: {"$elemMatch": {"$gte": value}}, _NUMBERS),
    st.builds(lambda value: {"$elemMatch": {"x": value}}, _LITERALS),
    st.builds(lambda values: {"$in": values}, st.lists(_LITERALS, max_size=2)),
)
_MATCHES = st.one_of(
    st.dictionaries(_PATHS, _TESTS, min_size=1, max_size=2),
    st.builds(lambda part: {"$expr": part}, _EXPRESSIONS),
).map(lambda filter_: {"$match": filter_})
_CHOICES = st.one_of(
    st.sets(st.sampled_from(["n", "s", "d.x", "l.x", "no", "_id"]), min_size=1),
).flatmap(
    lambda names: st.sampled_from(
        [{"$project": dict.fromkeys(sorted(names), keep)} for keep in (0, 1)]
    )
)
_COMPUTED = st.builds(
    lambda name, part: {name: {"q": part, "n": {"$ifNull": ["$n", "$m"]}}},
    st.sampled_from(["$project", "$set"]),
    _EXPRESSIONS.filter(lambda part: not isinstance(part, int | float)),
)
_UNWOUND = st.builds(
    lambda path, is_kept, index: {
        "$unwind": {
            "path": path,
            "preserveNullAndEmptyArrays": is_kept,
            **({"includeArrayIndex": "at"} if index else {}),
        }
    },
    st.sampled_from(["$l", "$d", "$d.x", "$no"]),
    st.booleans(),
    st.booleans(),
)
_BUCKETS = st.builds(
    lambda part, bounds, one: {
        "$bucket": {
            "groupBy": part,
            "boundaries": bounds,
            "default": "other",
            "output": {"one": one},
        }
    },
    _EXPRESSIONS,
    st.sampled_from([[-3, 0, 1.5], ["", "a", "b"]]),
    _ACCUMULATORS,
)
_OF_EACH = st.one_of(_MATCHES, _CHOICES, _COMPUTED, _UNWOUND)
_LAST = st.one_of(
    _GROUPS,
    _GROUPS,
    _BUCKETS,
    _OF_EACH,
    st.just({"$count": "all"}),
    st.just({"$unset": ["n", "d.x"]}),
    st.builds(lambda part: {"$sortByCount": part}, _PATH_EXPRESSIONS),
    st.builds(lambda part: {"$replaceWith": part}, st.just("$d")),
    st.builds(
        lambda groups, part: {"$facet": {"a": [groups], "b": [part]}}, _GROUPS, _OF_EACH
    ),
)
pipelines: st.SearchStrategy[list[dict[str, Any]]] = st.builds(
    lambda before, last: [*before, last], st.lists(_OF_EACH, max_size=2), _LAST
)
