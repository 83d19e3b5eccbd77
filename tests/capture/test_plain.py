"""Whatever a pipeline hands over becomes a literal that can be stored."""

import enum
import functools
import threading
from collections import OrderedDict, UserDict, defaultdict, deque, namedtuple
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provdb.capture.plain import DEEPEST, LONGEST, MOST_ITEMS, plain
from provdb.model.values import canonical, decode, encode
from tests.model.literals import literals, signature


class Level(enum.Enum):
    """An enumeration of numbers."""

    R0 = 0


class Mode(enum.StrEnum):
    """An enumeration of texts."""

    SUBRUN = "subrun-wise"


class Flags(enum.IntFlag):
    """Flags, of which several together have no name of their own."""

    A = 1
    B = 2


class Cuts(NamedTuple):
    """A named tuple."""

    picture: int
    boundary: int


Odd = namedtuple("Odd", "a")  # The older spelling.


@dataclass
class Settings:
    """A dataclass that can hold itself."""

    run: int
    cuts: Cuts = field(default_factory=lambda: Cuts(6, 3))
    more: dict[str, Any] = field(default_factory=dict)


class Text(str):
    """A text that shows itself otherwise."""

    __slots__ = ()

    def __str__(self) -> str:
        """Show something else."""
        return "something else"


class Number(int):
    """An integer of another type."""


class Table(dict[str, Any]):
    """A mapping whose iteration does something."""

    def __iter__(self) -> Iterator[str]:
        """Fail."""
        raise RuntimeError


class Broken:
    """An object that cannot be shown."""

    def __repr__(self) -> str:
        """Fail."""
        raise RuntimeError("no repr")


class Proxy:
    """An object that does not say what it is."""

    @property  # type: ignore[misc]  # As a proxy of another object does.
    def __class__(self) -> Any:
        """Fail."""
        raise RuntimeError

    def __repr__(self) -> str:
        """Show it with an address."""
        return "<Proxy object at 0x7f00deadbeef>"


class PathOfBytes:
    """Something that has a path."""

    def __fspath__(self) -> bytes:
        """Return bytes."""
        return b"/fefs/\xff"


def numpy_type(name: str, **members: Any) -> Any:
    """Return a type that looks like one of numpy."""
    return type(name, (), {"__module__": "numpy", **members})


INT64 = numpy_type("int64", item=lambda self: 7, tolist=lambda self: 7, shape=())
NDARRAY = numpy_type(
    "ndarray",
    item=None,
    tolist=lambda self: [[1, 2], [3, 4]],
    shape=(2, 2),
    size=4,
    dtype="int64",
)
HUGE = numpy_type(
    "ndarray", item=None, tolist=None, shape=(1855, 1855), size=1855**2, dtype="float32"
)
LONGDOUBLE = numpy_type(
    "longdouble",
    item=None,
    tolist=lambda self: self,
    shape=(),
    __str__=lambda self: "1.5",
)
QUANTITY = type(
    "Quantity",
    (NDARRAY,),
    {"__module__": "astropy.units.quantity", "__str__": lambda self: "3.0 deg"},
)


def looped() -> list[Any]:
    loop: list[Any] = [1]
    loop.append({"again": loop})
    return loop


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = (value,)
    return value


def held_by_itself() -> Settings:
    settings = Settings(1)
    settings.more["self"] = settings
    return settings


ODD_VALUES = [
    pytest.param(INT64(), 7, id="number of numpy"),
    pytest.param(NDARRAY(), [[1, 2], [3, 4]], id="array of numpy"),
    pytest.param(
        HUGE(), "<numpy.ndarray of 1855×1855 items of type float32>", id="large array"
    ),
    pytest.param(LONGDOUBLE(), "1.5", id="number that is no item"),
    pytest.param(QUANTITY(), "3.0 deg", id="quantity"),
    pytest.param(Path("/fefs/lst.json"), "/fefs/lst.json", id="path"),
    pytest.param(PurePosixPath("a/b"), "a/b", id="pure path"),
    pytest.param(PathOfBytes(), "/fefs/\udcff", id="something with a path"),
    pytest.param(Level.R0, "R0", id="enumeration"),
    pytest.param(Mode.SUBRUN, "subrun-wise", id="enumeration of texts"),
    pytest.param(Flags.A | Flags.B, "A|B", id="flags"),
    pytest.param(
        datetime(2020, 1, 18, 8, tzinfo=UTC), "2020-01-18T08:00:00+00:00", id="time"
    ),
    pytest.param(date(2020, 1, 18), "2020-01-18", id="date"),
    pytest.param(time(8, 30), "08:30:00", id="time of day"),
    pytest.param(timedelta(minutes=1, microseconds=5), 60.000005, id="duration"),
    pytest.param(Decimal("1.10"), "1.10", id="decimal"),
    pytest.param(Fraction(1, 3), "1/3", id="fraction"),
    pytest.param(
        UUID(int=1), "00000000-0000-0000-0000-000000000001", id="unique identifier"
    ),
    pytest.param(
        Settings(1618),
        {"run": 1618, "cuts": {"picture": 6, "boundary": 3}, "more": {}},
        id="dataclass",
    ),
    pytest.param(Cuts(6, 3), {"picture": 6, "boundary": 3}, id="named tuple"),
    pytest.param(Odd([1]), {"a": [1]}, id="older named tuple"),
    pytest.param(Text("text"), "text", id="subclass of text"),
    pytest.param(Number(3), 3, id="subclass of integer"),
    pytest.param(Table(a=Number(1)), {"a": 1}, id="subclass of dictionary"),
    pytest.param(OrderedDict(b=1, a=2), {"b": 1, "a": 2}, id="ordered dictionary"),
    pytest.param(defaultdict(list, a=[1]), {"a": [1]}, id="default dictionary"),
    pytest.param(MappingProxyType({"a": 1}), {"a": 1}, id="mapping proxy"),
    pytest.param(deque([1, 2]), [1, 2], id="deque"),
    pytest.param(frozenset({1}), {1}, id="frozen set"),
    pytest.param({1, "a", None}, {1, "a", None}, id="mixed set"),
    pytest.param({(1, frozenset({2, 1}))}, {(1, (1, 2))}, id="set in a set"),
    pytest.param({Path("a"): 1, "a": 2}, {"a": 1, "a (2)": 2}, id="paths as keys"),
    pytest.param({float("nan"): 1, float("nan"): 2}, {"nan": 1, "nan (2)": 2}),
    pytest.param(range(3), "range(0, 3)", id="range"),
    pytest.param(bytearray(b"ab"), b"ab", id="byte array"),
    pytest.param(memoryview(b"ab"), b"ab", id="view of memory"),
    pytest.param(ValueError("no pedestal"), "ValueError: no pedestal", id="exception"),
    pytest.param(KeyboardInterrupt(), "KeyboardInterrupt", id="interruption"),
    pytest.param(len, "builtins.len", id="built-in function"),
    pytest.param(str.join, "builtins.str.join", id="method"),
    pytest.param(Path, "pathlib.Path", id="class"),
    pytest.param(functools.partial(len, []), "functools.partial of builtins.len"),
    pytest.param(functools, "functools", id="module"),
    pytest.param((n for n in [1]), "<generator object <genexpr>>", id="generator"),
    pytest.param(SimpleNamespace(a=1), "namespace(a=1)", id="namespace"),
    pytest.param(UserDict(a=1), "{'a': 1}", id="mapping of its own"),
    pytest.param(Proxy(), "<Proxy object>", id="no class"),
    pytest.param(2**3000, "<int of 3001 bits>", id="very long integer"),
    pytest.param(2**70, 2**70, id="long integer"),
    pytest.param("a\0\ud800", "a\0\ud800", id="odd text"),
    pytest.param(looped(), [1, {"again": "<list of 2 items>"}], id="loop"),
    pytest.param(
        [0] * (MOST_ITEMS + 1), f"<list of {MOST_ITEMS + 1} items>", id="long list"
    ),
]


@pytest.mark.parametrize(("value", "literal"), ODD_VALUES)
def test_a_value_becomes_the_nearest_literal(value: Any, literal: Any) -> None:
    assert signature(plain(value)) == signature(literal)


@pytest.mark.parametrize(
    ("value", "note"),
    [
        pytest.param(
            "a" * 200_000, "… (200000 characters, sha256 2287d207f24a941f)", id="text"
        ),
        pytest.param(
            b"a" * 200_000, b"... (200000 bytes, sha256 2287d207f24a941f)", id="bytes"
        ),
        pytest.param(
            SimpleNamespace(a="b" * 9000),
            "… (9015 characters, sha256 e854798f7e9d098a)",
            id="repr",
        ),
    ],
)
def test_what_is_too_long_is_cut_with_a_note(value: Any, note: Any) -> None:
    cut = plain(value)

    assert cut.endswith(note)
    assert len(cut) <= LONGEST


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("a" * 200_000, "a" * 199_999 + "b", id="text"),
        pytest.param(b"a" * 200_000, b"a" * 199_999 + b"b", id="bytes"),
        pytest.param(Path("a" * 200_000), Path("a" * 199_999 + "b"), id="path"),
    ],
)
def test_what_is_cut_is_told_from_another_that_is_cut(one: Any, other: Any) -> None:
    assert plain(one) != plain(other)
    assert plain(one) == plain(one)


def test_an_object_that_cannot_be_shown_is_named() -> None:
    shown = plain({"a": Broken(), "b": 1})

    assert shown["a"].endswith("Broken, unreadable: RuntimeError>")
    assert shown["b"] == 1


def test_a_generator_is_not_consumed() -> None:
    numbers = (number for number in range(3))

    plain({"numbers": numbers})

    assert list(numbers) == [0, 1, 2]


def test_what_is_nested_too_deeply_ends_with_a_name() -> None:
    value = plain(nested(500))

    assert encode({"parameters": {"a": value}})
    assert "<tuple of 1 items>" in repr(value)
    assert plain(nested(DEEPEST)) == nested(DEEPEST)


def test_a_dataclass_that_holds_itself_ends_with_a_name() -> None:
    assert "Settings of 3 items>" in plain(held_by_itself())["more"]["self"]


def test_a_value_is_not_changed() -> None:
    value = {"a": [Path("b"), {"c": deque([1])}]}

    plain(value)

    assert value == {"a": [Path("b"), {"c": deque([1])}]}


# hypothesis asks what it shows for its class.
OBJECTS = st.sampled_from(
    [p.values[0] for p in ODD_VALUES if type(p.values[0]) is not Proxy] + [threading]
)
HASHABLE = (
    st.sampled_from([Path("a"), Level.R0, len, float("nan"), (float("nan"),), 1.0])
    | st.text(max_size=3)
    | st.binary(max_size=3)
    | st.frozensets(st.integers() | st.floats(), max_size=3)
)
VALUES = st.recursive(
    OBJECTS | literals(4) | st.floats() | HASHABLE,
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.lists(parts, max_size=3).map(tuple)
        | st.dictionaries(HASHABLE, parts, max_size=3)
        | st.sets(HASHABLE, max_size=3)
        | st.builds(Settings, parts, parts)
    ),
    max_leaves=6,
)


@given(VALUES)
def test_any_value_can_be_stored_and_comes_back(value: Any) -> None:
    literal = plain(value)

    assert signature(decode(encode(literal))) == signature(literal)
    assert canonical(encode(literal))


@given(VALUES)
def test_a_literal_is_its_own(value: Any) -> None:
    literal = plain(value)

    assert signature(plain(literal)) == signature(literal)


@given(literals())
def test_what_is_a_literal_stays_as_it_is(value: Any) -> None:
    assert signature(plain(value)) == signature(value)
