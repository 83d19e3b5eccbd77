"""The parser of literals says what Python says, and evaluates nothing."""

import ast
import re
import warnings
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from provdb.readers.literal import parse_literal
from tests.model.literals import literals, signature

TOKENS = st.sampled_from(
    [
        *"{}[](),:'\"\\-+.#_ \n\r\t",
        *("0", "1", "00", "1_0", "0x1f", "1.", ".5", "1e5", "1E-5", "1e400", "2j"),
        *("9" * 18, "9" * 19, "-0", "-0.0", "0.1", "'a'", "'run': ", "b'x'", "r'\\'"),
        *("None", "True", "False", "null", "true", "nan", "NaN", "Infinity", "set()"),
        *("'None'", "'%'", "é", "\x00", "\ud800", "\u2028", "٣", "f'{1}'", "..."),
    ]
)


@given(literals())
@example({1: -1j})
@example({Ellipsis: 1j})
def test_the_literal_that_python_writes_is_read(value: Any) -> None:
    text = repr(value)
    # Python writes the zeros of a complex number with a sign that it reads otherwise.
    is_zero_signed = "0j" in text or "(-0" in text
    assume(by_python_is_able(text) or not is_zero_signed)

    accepted = [outcome(lambda _: value, text), outcome(by_python, text)]
    assert outcome(parse_literal, text) in accepted


@given(st.text() | st.lists(TOKENS, max_size=10).map("".join))
@example("{'a': 1e400, 'b': -0, 'c': -0.0, 'd': 1E5}")
@example("{'a': 1_000}")
@example("'a' 'b'")
@example("{'a': 1, 'a': 2}")
@example("[1, 2, ]")
@example("-9223372036854775808")
@example("123456789012345678901234567890")
@example("{'x': 00}")
@example("[0.1, 1e-7, 5e-324, 1.7976931348623157e308, 2.5e-8]")
@example("\t{'a': 1}")
def test_any_text_is_read_as_python_reads_it_or_as_json(text: str) -> None:
    assume(re.search(r"\b(nan|inf)", text) is None)
    expected = outcome(by_python, text)
    accepted = [expected] if expected else [None, outcome(by_json, text)]

    assert outcome(parse_literal, text) in accepted


@pytest.mark.parametrize(
    "text",
    [
        "__import__('pathlib').Path('made').touch()",
        "[open('made', 'w')]",
        "{'a': (lambda: open('made', 'w'))()}",
        'f\'{open("made", "w")}\'',
        "{**{}}",
        "a",
        "1 + 1",
        "'a' % 1",
        "",
    ],
)
def test_nothing_is_evaluated(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ValueError, match="it is no Python literal"):
        parse_literal(text)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 100_000, id="lists"),
        pytest.param("[" * 100_000 + "]" * 100_000, id="closed lists"),
        pytest.param("{'a':" * 50_000, id="dictionaries"),
        pytest.param("-" * 100_000 + "1", id="signs"),
        pytest.param("(" * 50_000 + "'", id="tuples"),
        pytest.param("1+" * 50_000 + "1j", id="sum"),
        pytest.param("9" * 5000, id="digits"),
    ],
)
def test_a_text_without_measure_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"it is no|nested too deeply"):
        parse_literal(text)


def test_json_words_are_read_in_json_only() -> None:
    assert parse_literal('{"a": [true, false, null]}') == {"a": [True, False, None]}


def test_an_integer_that_json_would_round_is_not_taken_from_json() -> None:
    with pytest.raises(ValueError, match="no Python literal"):
        parse_literal('{"a": true, "id": 123456789012345678901}')


def by_python_is_able(text: str) -> bool:
    """Say whether Python reads what it wrote: not where there is a nan in it."""
    return outcome(by_python, text) is not None


def by_python(text: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.literal_eval(text)


def by_json(text: str) -> Any:
    return orjson.loads(text)


def outcome(parse: Any, text: str) -> Any:
    """Return what a parser reads, in a form that compares, or None."""
    try:
        return signature(parse(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
