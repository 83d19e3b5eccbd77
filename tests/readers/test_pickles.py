"""Pickles give plain values, and nothing in them is ever called."""

import pickle
from collections import OrderedDict
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provdb.readers.pickles import read_pickle

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=20,
)


class _Runs:
    """What runs code when it is loaded."""

    def __reduce__(self) -> Any:
        return (exec, ("raise SystemExit('it ran')",))


@given(_VALUES, st.integers(0, 5))
@example({"picture_thresh": 8, "cuts": [-0.9, 2], "path": None}, 0)
def test_plain_values_come_back_as_they_were(value: Any, protocol: int) -> None:
    written = pickle.dumps(_without_bytes(value, protocol), protocol)

    assert read_pickle(written) == pickle.loads(written)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("value", "named"),
    [
        pytest.param(_Runs(), "exec", id="code"),
        pytest.param(OrderedDict(a=1), "OrderedDict", id="class"),
        pytest.param({"a": {"b": [PurePosixPath("/")]}}, "PurePosixPath", id="inside"),
    ],
)
def test_what_names_something_to_call_is_refused(
    value: object, named: str, protocol: int
) -> None:
    with pytest.raises(
        ValueError, match="the pickle is more than plain values"
    ) as said:
        read_pickle(pickle.dumps(value, protocol))

    # The newer protocols name it in an opcode before.
    assert named in str(said.value) or protocol >= 4


def test_one_list_in_two_places_is_two_lists() -> None:
    twice = [1]

    read = read_pickle(pickle.dumps({"a": twice, "b": twice}, 2))

    assert read == {"a": [1], "b": [1]}
    assert read["a"] is not read["b"]


def test_a_list_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(ValueError, match="levels deep"):
        read_pickle(pickle.dumps(endless, 2))


def test_lists_that_hold_others_twice_do_not_fill_the_memory() -> None:
    value: list[Any] = []
    for _ in range(60):
        value = [value, value]

    with pytest.raises(ValueError, match="more than 100000 values"):
        read_pickle(pickle.dumps(value, 2))


@given(st.binary(max_size=60))
@example(b".")
@example(b"(t.")
@example(b"(l0.")
@example(b"a.")
@example(b"((.")
@example(b"}(K\x01u.")
@example(b"}](]e.")
@example(b"}}K\x01s.")
@example(b"I1\n\x85")
def test_any_bytes_are_a_value_or_an_error(content: bytes) -> None:
    with suppress(ValueError):
        read_pickle(content)


def _without_bytes(value: Any, protocol: int) -> Any:
    """Return a value in which nothing is bytes, which old protocols build by a call."""
    if protocol >= 3:
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, list):
        return [_without_bytes(item, protocol) for item in value]
    if isinstance(value, tuple):
        return tuple(_without_bytes(item, protocol) for item in value)
    if isinstance(value, dict):
        return {key: _without_bytes(item, protocol) for key, item in value.items()}
    return value
