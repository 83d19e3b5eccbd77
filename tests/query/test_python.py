"""`Database.find`: text, trees and keyword arguments ask the same."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from provdb.database import Database
from provdb.errors import QueryError, UnknownField
from provdb.query import from_json, parse, to_json, to_text
from provdb.query.filters import filter_query
from provdb.store import Store


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("", {"level": "DL2", "run": 1807}),
        ("level:DL2", {"run": [1807, 2007]}),
        (parse("level:DL2"), {"run": 1807}),
        (from_json(to_json(parse("level:DL2 run:1807"))), {}),
        ("", {"path": "dl2_*", "run": "1807", "date": date(2020, 1, 17)}),
    ],
)
def test_filters_ask_what_a_text_asks(
    samples: Store, query: Any, filters: dict[str, Any]
) -> None:
    asked = {row["id"] for row in Database(samples).find(query, **filters)}
    plain = {row["id"] for row in Database(samples).find("level:DL2 run:1807")}

    assert asked == plain


@pytest.mark.parametrize(
    ("filters", "text"),
    [
        ({"agent": None}, "agent is unknown"),
        ({"agent": "a b"}, 'agent:"a b"'),
        ({"agent": "x OR y"}, 'agent:"x OR y"'),
        ({"agent": 'a"b'}, r'agent:"a\"b"'),
        ({"agent": ""}, 'agent:""'),
        ({"path": "a..b"}, 'path:"a..b"'),
        ({"param__x": True}, "param.x:True"),
        (
            {"start": datetime(2020, 1, 17, 8, tzinfo=UTC)},
            "start:2020-01-17T08:00:00Z",
        ),
    ],
)
def test_a_value_is_only_ever_a_value(filters: dict[str, Any], text: str) -> None:
    query = filter_query("", filters)

    assert not isinstance(query, str)
    assert to_text(query) == text
    assert parse(text) == query


def test_a_value_that_is_none_is_refused(samples: Store) -> None:
    with pytest.raises(QueryError, match="the filter run cannot be"):
        Database(samples).find(run=object())


def test_an_unknown_filter_names_the_nearest_field(samples: Store) -> None:
    with pytest.raises(UnknownField) as caught:
        Database(samples).find(levle="DL1")

    assert caught.value.near == ("level",)
