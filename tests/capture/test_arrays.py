"""Arrays, quantities and times as literals: other values, other literals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from astropy.table import Table
from astropy.time import Time, TimeDelta
from hypothesis import given
from hypothesis import strategies as st

from provdb.capture.plain import MOST_ITEMS, plain
from provdb.model.values import canonical, decode, encode

ONE = 1.1234567890123456
OTHER = 1.1234567890123459


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        pytest.param(5 * u.deg, "5.0 deg", id="quantity"),
        pytest.param(ONE * u.TeV, f"{ONE} TeV", id="all digits"),
        pytest.param([1, 2.5] * u.m, "[1.0, 2.5] m", id="quantities"),
        pytest.param([[1], [2]] * u.m, "[[1.0], [2.0]] m", id="quantities of two axes"),
        pytest.param(2 * u.dimensionless_unscaled, "2.0", id="no unit"),
        pytest.param(Angle([1, 2] * u.deg), "[1.0, 2.0] deg", id="angles"),
        pytest.param(u.TeV, "TeV", id="unit"),
        pytest.param(
            Time("2024-01-01T00:00:00", scale="tai"),
            "2024-01-01T00:00:00.000000000 tai",
            id="time",
        ),
        pytest.param(
            Time(60310.5, format="mjd", scale="utc"),
            "2024-01-01T12:00:00.000000000 utc",
            id="time as a number",
        ),
        pytest.param(
            Time(["2024-01-01", "2024-01-02"], scale="tt"),
            "['2024-01-01T00:00:00.000000000', '2024-01-02T00:00:00.000000000'] tt",
            id="times",
        ),
        pytest.param(TimeDelta(5, format="sec"), "5.0 s", id="duration"),
        pytest.param(TimeDelta(1, format="jd"), "86400.0 s", id="duration in days"),
        pytest.param(TimeDelta(1 * u.s, scale="tai"), "1.0 s tai", id="scaled"),
        pytest.param(np.uint64(2**64 - 1), 2**64 - 1, id="largest integer"),
        pytest.param(
            np.array([2**64 - 1], dtype="u8"), [2**64 - 1], id="largest integers"
        ),
        pytest.param(
            np.datetime64("2024-01-01T00:00:00", "s"), "2024-01-01T00:00:00", id="date"
        ),
        pytest.param(
            np.datetime64("2024-01-01T00:00:00", "ns"),
            "2024-01-01T00:00:00.000000000",
            id="date with nanoseconds",
        ),
        pytest.param(
            np.array(["2024-01-01"], dtype="M8[ns]"),
            ["2024-01-01T00:00:00.000000000"],
            id="dates",
        ),
        pytest.param(np.timedelta64(5, "s"), 5.0, id="duration of numpy"),
    ],
)
def test_a_value_is_written_with_all_that_it_is(value: Any, literal: Any) -> None:
    assert plain(value) == literal


def changed(array: Any, *, index: Any = 2500) -> Any:
    other = array.copy()
    other[index] = -1 * getattr(array, "unit", 1)
    return other


def masked_time() -> Any:
    times = Time([1.0, 2.0], format="unix")
    times[0] = np.ma.masked
    return times


LONG = np.arange(5000.0)
IMAGE = np.zeros((400, 300))
TIMES = Time(60310 + LONG / 1e6, format="mjd")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(LONG * u.m, changed(LONG * u.m), id="value"),
        pytest.param(LONG * u.m, LONG * u.cm, id="unit"),
        pytest.param(LONG * u.m, LONG.reshape(2, 2500) * u.m, id="shape"),
        pytest.param(LONG * u.m, LONG.astype("f4") * u.m, id="type"),
        pytest.param([ONE, 1] * u.m, [OTHER, 1] * u.m, id="last digit"),
        pytest.param(IMAGE, changed(IMAGE, index=(7, 9)), id="large array"),
        pytest.param(IMAGE, IMAGE.T, id="transposed"),
        pytest.param(Time(1e9, format="unix"), Time(1e9, format="gps"), id="format"),
        pytest.param(
            Time("2024-01-01", scale="tai"), Time("2024-01-01", scale="utc"), id="scale"
        ),
        pytest.param(
            Time("2024-01-01T00:00:00.0001"), Time("2024-01-01"), id="microseconds"
        ),
        pytest.param(TIMES, TIMES + TimeDelta(1e-6, format="sec"), id="times"),
        pytest.param(TIMES, Time(TIMES.mjd, format="mjd", scale="tai"), id="scales"),
        pytest.param(
            TimeDelta(5, format="sec"), TimeDelta(5, format="jd"), id="durations"
        ),
        pytest.param(
            SkyCoord(LONG / 100 * u.deg, LONG / 100 * u.deg),
            SkyCoord(changed(LONG / 100) * u.deg, LONG / 100 * u.deg),
            id="coordinates",
        ),
        pytest.param(Table({"a": LONG}), Table({"a": changed(LONG)}), id="table"),
        pytest.param(
            Table({"a": LONG * u.m}), Table({"a": LONG * u.cm}), id="unit of a column"
        ),
        pytest.param(
            np.ma.masked_array(IMAGE, IMAGE == 0),
            np.ma.masked_array(IMAGE, IMAGE == 1),
            id="mask",
        ),
    ],
)
def test_different_values_have_different_literals(one: Any, other: Any) -> None:
    assert plain(one) != plain(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(LONG * u.m, LONG.astype(">f8") * u.m, id="byte order"),
        pytest.param(IMAGE, np.asfortranarray(IMAGE), id="order in memory"),
        pytest.param(IMAGE, np.zeros((800, 300))[::2], id="view"),
        pytest.param(TIMES, TIMES.copy(), id="times"),
        pytest.param(
            np.ma.masked_array(IMAGE, IMAGE == 0),
            np.ma.masked_array(IMAGE + 1, IMAGE == 0),
            id="what is masked",
        ),
    ],
)
def test_equal_values_have_equal_literals(one: Any, other: Any) -> None:
    assert plain(one) == plain(other)


def test_a_long_quantity_says_what_it_is() -> None:
    text = plain(LONG * u.m)

    assert text.startswith("[0.000e+00 1.000e+00 2.000e+00 ...")
    assert " m (5000 items of type float64, sha256 " in text
    assert len(text) < 200


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(lambda: np.array([object()] * (MOST_ITEMS + 1)), id="objects"),
        pytest.param(lambda: Time(-1e7, format="mjd"), id="a year of five digits"),
        pytest.param(masked_time, id="masked time"),
        pytest.param(lambda: [] * u.m, id="empty"),
        pytest.param(lambda: np.zeros((0, 5)), id="empty array"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_an_odd_value_is_a_literal_too(value: Callable[[], Any]) -> None:
    made = plain(value())

    assert decode(encode(made)) == made


@given(st.lists(st.floats(width=64, allow_nan=False), min_size=1, max_size=60))
def test_quantities_are_equal_as_their_literals_are(numbers: list[float]) -> None:
    one, other = np.array(numbers) * u.m, np.array(numbers[::-1]) * u.m

    is_equal = one.value.tobytes() == other.value.tobytes()
    assert (plain(one) == plain(other)) is is_equal
    assert canonical(encode(plain(one))) == canonical(encode(plain(one.copy())))
