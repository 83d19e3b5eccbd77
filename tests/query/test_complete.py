"""A query goes on with fields, values and stages, and what was typed stays as it is."""

from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provdb.errors import QuerySyntaxError
from provdb.query import Query, parse, to_text
from provdb.query.complete import complete_query
from provdb.query.fields import FIELDS
from tests.query.queries import queries

_KNOWN = {
    "activity": ("r0_to_dl1", "dl1ab", "a b", "a..b"),
    "session_tag": ("r0_to_dl1:01618", 'it"s'),
    "path": ("/fefs/", "/fefs/x.h5"),
    "param.": ("param.ProdID", 'param."cut.level"', "param.tail.cut"),
}
_FIELDS = [f"{name}{'.' if f.has_keys else ':'}" for name, f in FIELDS.items()]


def _known(field: str, start: str) -> Sequence[str]:
    values = _KNOWN.get(field, ())
    whole = f"{field}{start}" if field.endswith(".") else start
    return [value for value in values if value.startswith(whole)]


def _words(text: str) -> list[str]:
    found = complete_query(text, known=_known)
    assert [c for c in found if not c.text.startswith(text) or c.text == text] == []
    return [completion.text[completion.added_to :] for completion in found]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ru", ["run:"]),
        ("level:DL2 sta", ["status:", "start:", "started_by:"]),
        ("-sta", ["status:", "start:", "started_by:"]),
        ("level:DL2 -(sub", ["subrun:"]),
        ("NOT sub", ["subrun:"]),
        ("upstream(sub", ["subrun:"]),
        ("ups", ["upstream("]),
        ("N", ["NOT "]),
        ("O", []),
        ("level:DL1 O", ["OR "]),
        ("level:DL", ["DL0", "DL1", "DL2", "DL3", "DL4", "DL5"]),
        ("level:dl", ["dl0", "dl1", "dl2", "dl3", "dl4", "dl5"]),
        ("level != R", ["R0", "R1"]),
        ("level in (R0, D", ["DL0", "DL1", "DL2", "DL3", "DL4", "DL5"]),
        ("-status:f", ["failed"]),
        ("dry_run:t", ["true"]),
        ("kind:a", ["activity", "any"]),
        ("end is ", ["known", "unknown"]),
        ("end is u", ["unknown"]),
        ("end i", ["is known", "is unknown", "in (", "interpreter:", "id:"]),
        ("activity:", ["r0_to_dl1", "dl1ab", '"a b"', '"a..b"']),
        ("activity:a", []),
        ('activity:"a', ['"a b"', '"a..b"']),
        ("activity:'r", ["'r0_to_dl1'"]),
        ("activity > r", []),
        ("activity ~ r", []),
        ("session_tag:r0_to_dl1:0", ["r0_to_dl1:01618"]),
        ("session_tag:", ["r0_to_dl1:01618", '"it\\"s"']),
        ("path:/", ["/fefs/", "/fefs/x.h5"]),
        ("para", ["param."]),
        ("data_kind:cal", ["calibration"]),
        ("telescope:LST-3", []),
        ("telescope:LST-", ["LST-1", "LST-2", "LST-3", "LST-4"]),
        ("param.P", ["param.ProdID:"]),
        ("param.tail.c", ["param.tail.cut:"]),
        ("param.", ["param.ProdID:", 'param."cut.level":', "param.tail.cut:"]),
        ("levle:D", []),
        ('"free text with run', []),
        ("x.y", []),
        ("name ~ /a|b/ subr", ["subrun:"]),
        ('entity:"a|b" subr', ["subrun:"]),
        ("| ", [f"{s} " for s in ["select", "sort", "limit", "count", "unique"]]
         + [f"{s} " for s in ["sum", "avg", "min", "max", "p50", "p95", "p99"]]),
        ("x | co", ["count "]),
        ("x | count ", ["by "]),
        ("x | count by sub", ["subrun"]),
        ("x | count by run,sub", ["subrun"]),
        ("x | count by run, sub", ["subrun"]),
        ("x | p95 dur", ["duration"]),
        ("x | p95 duration b", ["by "]),
        ("x | p95 duration by no", ["node"]),
        ("x | select path,sub", ["subrun"]),
        ("x | select param.P", ["param.ProdID"]),
        ("x | sort -sub", ["subrun"]),
        ("x | count by run | sort -", ["run", "count"]),
        ("x | p95 duration by run | sort p", ["p95_duration"]),
        ("x | limit ", []),
    ],
)  # fmt: skip  # The stages in two lines, not in eleven.
def test_how_a_query_goes_on(text: str, words: list[str]) -> None:
    assert _words(text) == words


@pytest.mark.parametrize("text", ["", "(", "level:DL1 ", "upstream(", "-(", "a OR "])
def test_every_field_is_offered_where_one_may_stand(text: str) -> None:
    assert [word for word in _FIELDS if word not in _words(text)] == []


@pytest.mark.parametrize(
    ("text", "is_finished"),
    [
        ("level:DL2", None),
        ("statu", False),
        ("status:fa", True),
        ("param.Pr", False),
        ("x | select param.Pr", True),
        ("ups", False),
        ("x | coun", False),
        ("x | unique subr", True),
        ("path:/fefs", False),
        ("path:/fefs/x", True),
        ("level in (R1, R0, status", None),
    ],
)
def test_what_may_end_there_is_told(text: str, is_finished: bool | None) -> None:
    found = complete_query(text, known=_known)[:1]

    assert [c.is_finished for c in found] == [
        value for value in [is_finished] if value is not None
    ]


@settings(max_examples=40)
@given(queries, st.integers(0, 200))
def test_what_a_query_begins_with_can_always_be_completed(
    query: Query, length: int
) -> None:
    _words(to_text(query)[:length])


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_any_text_can_be_completed(text: str) -> None:
    _words(text)


@pytest.mark.parametrize(
    "text", ["activity:", 'session_tag:"', "level in (", "status != ", "-kind:"]
)
def test_a_value_that_is_offered_is_one(text: str) -> None:
    found = complete_query(text, known=_known)

    assert found
    assert [_parses(f"{c.text}{')' * ('(' in text)}") for c in found] == [
        True for _ in found
    ]


def _parses(text: str) -> bool:
    with suppress(QuerySyntaxError):
        return parse(text) is not None
    return False
