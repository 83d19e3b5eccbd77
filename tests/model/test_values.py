"""Any literal survives its storage, and different values stay different."""

import math
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provdb.errors import RecordError
from provdb.model.values import (
    canonical,
    decode,
    decode_key,
    encode,
    encode_key,
    is_plain_integer,
    is_plain_text,
)
from tests.model.literals import literals, signature

INT64 = range(-(2**63), 2**63)


@given(literals())
@example({"tailcut.picture": {"$set": (6, 3), 1: {"%tuple": [1]}}})
@example({(math.inf,): -0.0, ...: {b"\xff"}, complex(-0.0, math.inf): "\ud83d\0"})
@example({1: "int", "1": "text", "%(1)": "escape", 1.5: "float", None: ""})
def test_any_literal_survives_its_storage(value: Any) -> None:
    assert signature(decode(encode(value))) == signature(value)


@given(literals())
def test_any_literal_survives_json(value: Any) -> None:
    stored = orjson.loads(canonical(encode(value)))

    assert signature(decode(stored)) == signature(value)


@given(literals())
def test_what_is_stored_is_what_bson_and_json_both_hold(value: Any) -> None:
    assert all(map(_is_storable, _parts(encode(value))))


@given(literals(), literals())
def test_different_values_have_different_texts(one: Any, other: Any) -> None:
    is_same_text = canonical(encode(one)) == canonical(encode(other))

    assert is_same_text == (signature(one) == signature(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(1, 1.0, id="1 and 1.0"),
        pytest.param(1, True, id="1 and True"),
        pytest.param(0.0, False, id="0.0 and False"),
        pytest.param(0.0, -0.0, id="0.0 and -0.0"),
        pytest.param([1], (1,), id="list and tuple"),
        pytest.param({}, set(), id="dictionary and set"),
        pytest.param("a", b"a", id="text and bytes"),
        pytest.param({1: 0}, {True: 0}, id="keys 1 and True"),
        pytest.param({1: 0}, {"1": 0}, id="keys 1 and text 1"),
        pytest.param(2**63, str(2**63), id="long integer and its text"),
        pytest.param(None, "None", id="None and its text"),
    ],
)
def test_values_that_python_or_a_reader_confuses_have_different_texts(
    one: Any, other: Any
) -> None:
    assert canonical(encode(one)) != canonical(encode(other))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(math.nan, id="not a number"),
        pytest.param([math.inf, -math.inf], id="infinities"),
    ],
)
def test_floats_without_json_survive(value: Any) -> None:
    assert repr(decode(encode(value))) == repr(value)


def test_the_order_of_keys_and_members_does_not_matter() -> None:
    one = encode({"b": {3, 1, 2}, "a": 1})
    other = encode({"a": 1, "b": {2, 3, 1}})

    assert canonical(one) == canonical(other)


def test_what_needs_no_wrapping_is_stored_as_it_is() -> None:
    value = {"run": 1618, "sizes": [1.5, None, True], "name": "Run №1", "": {"a": "$"}}

    assert encode(value) == value


@given(literals().filter(lambda value: isinstance(value, tuple | bytes | str | int)))
def test_keys_are_told_apart_and_come_back(key: Any) -> None:
    stored = encode_key(key)

    assert type(stored) is str
    assert not stored.startswith("$")
    assert "." not in stored
    assert "\0" not in stored
    assert signature(decode_key(stored)) == signature(key)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(object(), id="object"),
        pytest.param({"a": frozenset()}, id="frozenset"),
        pytest.param([range(3)], id="range"),
        pytest.param({object(): 1}, id="key"),
        pytest.param({math.nan: 1, float("nan"): 2}, id="keys that are no number"),
        pytest.param(1 << 100_000, id="integer that Python does not write"),
        pytest.param({(1 << 100_000,): 1}, id="key that Python does not write"),
    ],
)
def test_what_cannot_be_stored_is_refused(value: Any) -> None:
    with pytest.raises(RecordError):
        encode(value)


@pytest.mark.parametrize(
    "bracket", [pytest.param([], id="list"), pytest.param((), id="tuple")]
)
def test_nesting_without_end_is_refused(bracket: Any) -> None:
    value = bracket
    value = _nested(bracket, depth=5000)

    with pytest.raises(RecordError, match="nested more than"):
        encode(value)


@given(st.integers())
@example(2**63)
@example(-(2**63))
def test_integers_of_64_bits_are_plain(value: int) -> None:
    assert is_plain_integer(value) == (value in INT64)


@given(st.text(st.characters(exclude_categories=())))
def test_text_is_plain_if_it_is_unicode_without_nul(value: str) -> None:
    is_unicode = value.encode("utf-8", "ignore").decode() == value

    assert is_plain_text(value) == (is_unicode and "\0" not in value)


def _nested(value: Any, *, depth: int) -> Any:
    for _ in range(depth):
        value = type(value)((value,))
    return value


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        inner = [part for item in value.values() for part in _parts(item)]
        return [*value, *inner]
    if isinstance(value, list):
        return [part for item in value for part in _parts(item)]
    return [value]


def _is_storable(part: Any) -> bool:
    if isinstance(part, str):
        return "\0" not in part and part.encode("utf-8", "ignore").decode() == part
    if isinstance(part, bool | None):
        return True
    if isinstance(part, float):
        return math.isfinite(part)
    return isinstance(part, int) and part in INT64
