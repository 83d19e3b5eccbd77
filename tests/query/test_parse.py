"""Text becomes the right tree, the tree the same text; all else is a syntax error."""

import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provdb.errors import QueryError, QuerySyntaxError, UnknownField
from provdb.query import compile_query, from_json, parse, to_json, to_text
from provdb.query.tree import (
    And,
    Compare,
    Field,
    Free,
    Known,
    Match,
    Node,
    Not,
    Or,
    Query,
    Range,
    Reach,
    Regex,
    Text,
)
from tests.query.queries import queries

_GOLDEN = Path(__file__).with_name("golden") / "errors.txt"
_LEVEL = Compare(field=Field(parts=("level",)), operator=":", value=Text(text="DL2"))


def _is(name: str, value: str | Range, operator: str = ":") -> Compare:
    held = Text(text=value) if isinstance(value, str) else value
    return Compare(field=Field(parts=(name,)), operator=operator, value=held)


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("NOTice:val", _is("NOTice", "val")),
        ("order:1", _is("order", "1")),
        ("path:/fefs/x/", _is("path", "/fefs/x/")),
        ("session_tag:r0_to_dl1:01618", _is("session_tag", "r0_to_dl1:01618")),
        ("LST-1.Run01618.0008", Free(text=Text(text="LST-1.Run01618.0008"))),
        ("-upstream(level:DL2)", Not(part=Reach(direction="upstream", part=_LEVEL))),
        ("-status:failed", Not(part=_is("status", "failed"))),
        ("run:1618..", _is("run", Range(low="1618", high=None))),
        ("run:..1618", _is("run", Range(low=None, high="1618"))),
        ("value > -5", _is("value", "-5", ">")),
        ("end IS Unknown", Known(field=Field(parts=("end",)), is_known=False)),
        (
            "name !~ /^dl1|x/i",
            Match(
                field=Field(parts=("name",)),
                pattern=Regex(pattern="^dl1|x", ignores_case=True),
                is_negated=True,
            ),
        ),
        (
            r'param."a.b \"c\""=6',
            Compare(
                field=Field(parts=("param", 'a.b "c"')),
                operator="=",
                value=Text(text="6"),
            ),
        ),
    ],
)
def test_what_must_hold(text: str, selector: Node) -> None:
    assert parse(text) == Query(selector=selector)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("level == 'DL2' && run:1807", "level='DL2' run:1807"),
        ("status <> failed", "status != failed"),
        ("status IS NULL", "status is unknown"),
        ("status IS NOT NULL", "status is known"),
        ("!status:failed", "-status:failed"),
        ("level:DL1 || level:DL2", "level:DL1 OR level:DL2"),
        ("level:(DL1 OR DL2)", "level in (DL1, DL2)"),
        ("level=(DL1 OR DL2)", "level=DL1 OR level=DL2"),
        ("run:1807,1808 level:DL1", "run in (1807, 1808) level:DL1"),
        ("level:(DL1)", "level:DL1"),
        ("run:>1807", "run > 1807"),
        ("run:>=1807", "run >= 1807"),
        ("start:[2020-01-17 TO *]", "start:2020-01-17.."),
        ("run:[1807 TO 1810]", "run:1807..1810"),
        ("LEVEL:DL2", "level:DL2"),
        ("ancestors(level:DL2)", "upstream(level:DL2)"),
        ("descendants(level:R0)", "downstream(level:R0)"),
        ("x | order by run desc, subrun asc", "x | sort -run,subrun"),
        ("x | sort by run", "x | sort run"),
        ("x | group by run", "x | count by run"),
        ("x | distinct run", "x | unique run"),
        ("x | top 5", "x | limit 5"),
        ("x | median duration", "x | p50 duration"),
        ("x | mean duration by node", "x | avg duration by node"),
    ],
)
def test_what_other_languages_say_means_the_same(text: str, same: str) -> None:
    assert parse(text) == parse(same)


def test_not_binds_tighter_than_and_and_and_than_or() -> None:
    a, b, c = (Free(text=Text(text=letter)) for letter in "abc")

    expected = Or(parts=(And(parts=(Not(part=a), b)), c))

    assert parse("not a b OR c").selector == expected
    assert parse("((NOT a) and b) or c").selector == expected


def test_a_bracket_groups() -> None:
    a, b, c = (Free(text=Text(text=letter)) for letter in "abc")

    assert parse("a (b OR c)").selector == And(parts=(a, Or(parts=(b, c))))


@settings(max_examples=300)
@given(queries)
def test_a_tree_comes_back_from_its_text(query: Query) -> None:
    text = to_text(query)

    assert parse(text) == query
    assert to_text(parse(text)) == text


@settings(max_examples=100)
@given(queries)
def test_a_tree_comes_back_from_its_json(query: Query) -> None:
    assert from_json(to_json(query)) == query


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"is": "select", "fields": []},
        {"is": "query", "selector": 5, "stages": []},
        {"is": "query", "selector": {"is": "free", "text": "x"}, "stages": []},
        {"is": "query", "where": "1"},
        {"is": "nothing"},
        {
            "is": "query",
            "selector": {
                "is": "free",
                "text": {"is": "text", "text": "a) OR (b", "is_quoted": False},
            },
            "stages": [],
        },
    ],
)
def test_json_that_is_no_query_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(QueryError):
        from_json(value)


_TOKENS = st.one_of(
    st.sampled_from("():|/~,*\\-\"' "),
    st.sampled_from(["level", "DL1", "OR", "NOT", "..", "count", "by", "upstream("]),
    st.sampled_from(["in", "is", "known", "run", "1618", "date", "status", "param.x"]),
    st.sampled_from(["duration", "$where", "sort", ">=", "é", "\n"]),
)


@settings(max_examples=500)
@given(st.one_of(st.text(max_size=300), st.lists(_TOKENS, max_size=60).map("".join)))
def test_any_text_is_a_query_or_one_of_two_errors(text: str) -> None:
    _compile(text)


@pytest.mark.parametrize(
    "piece",
    [
        "(",
        "a ",
        '"',
        "a..",
        "a.",
        "-",
        "a:b|",
        "/",
        "a OR ",
        "x",
        "NOT ",
        "'\\",
        "*",
        ",",
        '"a"',
        "- ",
        "-(",
        "a~/",
        "param.a.",
        "..",
        "level in (",
        "|count",
        "\\",
    ],
)
def test_ten_thousand_characters_take_no_time(piece: str) -> None:
    _compile("level:DL1")
    text = (piece * 10_000)[:10_000]

    calls = _calls_of(text)

    # Some hundred thousand calls are what fits into the promised 50 ms.
    assert calls < 150_000


@settings(max_examples=40)
@given(st.lists(_TOKENS, min_size=1, max_size=6), st.integers(1, 10_000))
def test_no_text_takes_many_steps(tokens: list[str], length: int) -> None:
    text = ("".join(tokens) * length)[:length]

    assert _calls_of(text) < 200_000


@pytest.mark.parametrize(
    "text",
    [
        "date:20200101..20210101 " * 416,
        "run in (" + "1618," * 495 + "1618)",
        "level:DL1 OR " * 165 + "level:DL1",
        "x | count by " + "run," * 490 + "run",
    ],
    ids=["dates", "list", "or", "fields"],
)
def test_the_longest_queries_are_compiled_in_as_few_steps(text: str) -> None:
    compile_query(text)

    assert _calls_of(text) < 200_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a " * 501, "a query has 500 words at most"),
        ("'a'" * 501, "a query has 500 words at most"),
        ("a" * 10_001, "a query has 10000 characters at most"),
        ("NOT " * 51 + "a", "a query is nested 50 levels deep at most"),
        ("-(a OR " * 51 + "b" + ")" * 51, "a query is nested 50 levels deep at most"),
        ("a\x00", "a character that can be stored"),
        ("a\ud800", "a character that can be stored"),
    ],
)
def test_what_is_too_much_is_refused(text: str, expected: str) -> None:
    with pytest.raises(QuerySyntaxError, match=expected):
        compile_query(text)


def test_errors_show_the_place() -> None:
    """Each query of the golden file is followed by the message that it gets."""
    golden = _GOLDEN.read_text(encoding="utf-8")
    texts = [block.partition("\n")[0] for block in golden.split("\n\n")]

    written = "\n\n".join(f"{text}\n{_message(text)}" for text in texts)

    assert written == golden.rstrip("\n")


@pytest.mark.parametrize(
    ("text", "column"), [("run>>1", 5), (":1", 1), ("level:DL1 and", 14), ("(a", 3)]
)
def test_an_error_knows_its_column(text: str, column: int) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)

    assert caught.value.position + 1 == column
    assert caught.value.text == text


def _calls_of(text: str) -> int:
    """Return how many functions are called to compile a text, which no load changes."""
    count = 0

    def note(frame: object, event: str, _: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        _compile(text)
    finally:
        sys.setprofile(None)
    return count


def _compile(text: str) -> None:
    with suppress(QuerySyntaxError, UnknownField):
        compile_query(text)


def _message(text: str) -> str:
    with pytest.raises((QuerySyntaxError, UnknownField)) as caught:
        compile_query(text)
    return str(caught.value)
