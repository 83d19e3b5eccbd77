"""Queries built by operators are those of their texts; mistakes are told at once."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provdb import Database
from provdb.errors import ProvdbError, QueryError, QuerySyntaxError, UnknownField
from provdb.query import (
    BuiltQuery,
    downstream,
    everything,
    field,
    from_json,
    named,
    parse,
    to_json,
    upstream,
)
from provdb.store import Store

_LEVEL: Final = field.level == "DL2"
_RUN: Final = field.run == 1618
_R0: Final = field.level == "R0"


@pytest.mark.parametrize(
    ("built", "text"),
    [
        (_LEVEL & _RUN & ~upstream(_R0), "level:DL2 run:1618 -upstream(level:R0)"),
        (_LEVEL | _RUN & _R0, "level:DL2 OR run:1618 level:R0"),
        ((_LEVEL | _RUN) & _R0, "(level:DL2 OR run:1618) level:R0"),
        (~(_LEVEL & _RUN), "NOT (level:DL2 run:1618)"),
        (_LEVEL & parse("run:1618 level:R0"), "level:DL2 run:1618 level:R0"),
        (downstream(_LEVEL | _RUN), "downstream(level:DL2 OR run:1618)"),
        (named("Run01618.0008"), '"Run01618.0008"'),
        (field.run.is_in([1618, 1619]), "run in (1618, 1619)"),
        (field.run.is_in(np.array([1618, 1619])), "run in (1618, 1619)"),
        (field.run.between(1618, 1620), "run:1618..1620"),
        (field.date.between(date(2019, 11, 1), None), "date:2019-11-01.."),
        (field.subrun.between(None, 9), "subrun:..9"),
        (field.end.is_unknown(), "end is unknown"),
        (field.end == None, "end is unknown"),  # noqa: E711  # What a user may write.
        (field.end != None, "end is known"),  # noqa: E711  # The same.
        (field.agent != "lstanalyzer", "agent != lstanalyzer"),
        (field.path == "*dl1_*.h5", "path:*dl1_*.h5"),
        (field.path == Path("/fefs/x"), "path:/fefs/x"),
        (field.path.exactly("a*"), 'path="a*"'),
        (field.path.contains("a*"), 'path ~ "a*"'),
        (field.path.matches("^/DL1/", ignores_case=True), r"path ~ /^\/DL1\//i"),
        (field.param.ProdID == "03", "param.ProdID:03"),
        (field.param["a.b"] == 6, 'param."a.b":6'),
        (field['param."a.b"'] == 6, 'param."a.b":6'),
        (field.param.x.exactly(6), "param.x=6"),
        (field.param.x.exactly("6"), 'param.x="6"'),
        (field.param.x == True, "param.x:True"),  # noqa: E712  # A value.
        (
            field.config.tailcut.picture_thresh > 6.5,
            "config.tailcut.picture_thresh > 6.5",
        ),
        (field.duration > timedelta(minutes=20), "duration > 1200000ms"),
        (
            field.start >= datetime(2020, 1, 17, tzinfo=UTC),
            "start >= 2020-01-17T00:00:00Z",
        ),
        (_LEVEL.select("path", field.run), "level:DL2 | select path,run"),
        (everything.sort("-start", field.run), "| sort -start,run"),
        (everything.sort(-field.start).limit(3), "| sort -start | limit 3"),
        (
            everything.count(by="status").sort("-count"),
            "| count by status | sort -count",
        ),
        (_RUN.count(), "run:1618 | count"),
        (_RUN.unique("software.lstchain"), "run:1618 | unique software.lstchain"),
        (
            everything.p95("duration", by=["node", "activity"]),
            "| p95 duration by node,activity",
        ),
        (
            everything.min("param.x").max("min_param.x"),
            "| min param.x | max min_param.x",
        ),
        (everything.sum("size"), "| sum size"),
        (everything.avg("size", by=field.run), "| avg size by run"),
        (everything.p50("duration"), "| p50 duration"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_built_is_the_tree_of_its_text(built: BuiltQuery, text: str) -> None:
    assert built == parse(text)
    assert parse(str(built)) == built
    assert from_json(to_json(built)) == built


_VALUES: Final = st.one_of(
    st.text(
        st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"),
        max_size=8,
    ),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.dates(),
    st.datetimes(),
)
_KEYS: Final = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"),
    min_size=1,
    max_size=6,
)
_REFERENCES: Final = st.one_of(
    st.sampled_from([field.path, field.agent, field.entity, field.name]),
    st.lists(_KEYS, min_size=1, max_size=2).map(
        lambda keys: (
            field.param[keys[0]] if len(keys) == 1 else field.env[keys[0]][keys[1]]
        )
    ),
)
_MADE: Final[st.SearchStrategy[Callable[[Any, Any], BuiltQuery]]] = st.sampled_from(
    [
        lambda name, value: name == value,
        lambda name, value: name != value,
        lambda name, value: name >= value,
        lambda name, value: name.exactly(value),
        lambda name, value: name.contains(value),
        lambda name, value: name.between(value, None),
        lambda name, value: name.is_in([value, "x"]),
        lambda name, value: name.is_known(),
        lambda name, value: name.matches(str(value)),
    ]
)
_JOINED: Final = st.lists(
    st.sampled_from(["and", "or", "not", "upstream", "downstream"]), max_size=6
)


@given(_MADE, _REFERENCES, _VALUES, _JOINED, st.booleans())
def test_whatever_is_built_reads_back_from_its_text(
    make: Callable[[Any, Any], BuiltQuery],
    name: Any,
    value: Any,
    joined: list[str],
    is_counted: bool,
) -> None:
    try:
        built = make(name, value)
    except ProvdbError:
        return
    for how in joined:
        built = _JOIN[how](built)
    asked = built.count(by=field.run) if is_counted else built

    assert parse(str(asked)) == asked


_JOIN: Final[dict[str, Callable[[BuiltQuery], BuiltQuery]]] = {
    "and": lambda query: query & _RUN,
    "or": lambda query: _LEVEL | query,
    "not": lambda query: ~query,
    "upstream": upstream,
    "downstream": downstream,
}


def test_what_is_built_finds_what_its_text_finds(samples: Store) -> None:
    db = Database(samples)
    built = (field.level == "DL2") & field.run.is_in([1807]) & (field.type == "File")

    assert list(db.find(built)) == list(db.find(str(built)))
    assert list(db.find(built.count())) == [{"count": 12}]
    assert list(db.find(built.count(), subrun=[3, 4])) == [{"count": 2}]


@pytest.mark.parametrize(
    ("ask", "error", "told"),
    [
        (lambda: field.levle, UnknownField, "no field levle, did you mean level"),
        (lambda: field["levle"], UnknownField, "did you mean level"),
        (lambda: field.run.isin, UnknownField, "no field run.isin"),
        (lambda: field.param == 3, QuerySyntaxError, "a key behind it"),
        (lambda: field.run == "abc", QuerySyntaxError, "a run such as 1618"),
        (lambda: field.run == object(), QueryError, "run cannot be <object"),
        (lambda: field.run == float("nan"), QueryError, "run cannot be nan"),
        (lambda: field.run.is_in([]), QueryError, "the list is empty"),
        (lambda: field.run.is_in("1618"), QueryError, "a list of values"),
        (lambda: field.path == "a b*", QueryError, r"use \.exactly"),
        (lambda: field.path.between("a b", None), QueryError, "compare with >="),
        (lambda: field.run.between(None, None), QueryError, "a low end"),
        (lambda: field.path.matches("(a+)+"), QuerySyntaxError, "repeats no group"),
        (lambda: field.path.matches(""), QueryError, "no query asks that"),
        (lambda: field["run | count"], QueryError, "names no field"),
        (lambda: everything.count(by="levle"), UnknownField, "did you mean level"),
        (lambda: everything.count().sort("run"), UnknownField, "did you mean count"),
        (lambda: everything.limit(-1), QuerySyntaxError, "a whole number"),
        (lambda: _RUN.count() & _LEVEL, QueryError, "join conditions first"),
        (lambda: ~everything, QueryError, "everything is no condition"),
    ],
)
def test_a_mistake_is_told_where_it_is_made(
    ask: Callable[[], Any], error: type[ProvdbError], told: str
) -> None:
    with pytest.raises(error, match=told):
        ask()


# Python of users, that no type checker sees.
_LOOK: Final[Any] = field
_TEXT: Final[Any] = "run:1618"


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: _LEVEL and _RUN, "join conditions with & | ~"),
        (lambda: _LEVEL or _RUN, "and not with and, or, not"),
        (lambda: not _LEVEL, "join conditions with"),
        (lambda: _LOOK.run in [1618], r"\.is_in"),
        (lambda: 1 < _LOOK.run < 3, r"\.between"),
        (lambda: bool(_LOOK.run), "join conditions"),
        (lambda: _LOOK.level == "DL2" & _LOOK.run == 1, "brackets around each"),
        (lambda: _LEVEL & _LOOK.run == 1618, "brackets around each"),
        (lambda: _LOOK.run | _LEVEL, "brackets around each"),
        (lambda: upstream(_LOOK.run), "brackets around each"),
        (lambda: _TEXT & _LEVEL, "unsupported operand"),
        (lambda: list(_LOOK.param), "not iterable"),
    ],
)
def test_python_that_would_ask_something_else_is_a_type_error(
    ask: Callable[[], Any], told: str
) -> None:
    with pytest.raises(TypeError, match=told):
        ask()


def test_fields_are_completed() -> None:
    assert {"level", "param", "made_by"} <= set(dir(field))
