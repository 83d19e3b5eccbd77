"""What was recorded is found as what it is: numbers, versions, dates, times."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provdb import Database
from provdb.model import fields as f
from provdb.model import fold
from provdb.query import explain, find
from provdb.store import Store, open_store

_TAG = {"session_tag": "dl1ab:01807"}


def _activity(
    number: int,
    parameters: dict[str, Any],
    *,
    version: str = "0.10.18",
    date: str = "20200117",
    **more: Any,
) -> Iterator[dict[str, Any]]:
    act = {**_TAG, "activity_id": f"a{number}"}
    yield {
        **_TAG,
        "session_id": f"s{number}",
        "name": "01807",
        "startTime": f"2026-11-22T20:01:{number:02}",
        "observation_date": date,
        "system": {
            "platform": {"node": "cp01"},
            "python": {"packages": [{"name": "lstchain", "version": version}]},
        },
    }
    yield {
        **act,
        "name": "dl1ab",
        "in_session": f"s{number}",
        "startTime": f"2026-11-22T20:01:{number:02}",
        **more,
    }
    yield {**act, "parameters": parameters}


def _store(store: Store, *values: Any) -> Store:
    records = [
        record
        for number, value in enumerate(values)
        for record in _activity(number, {"x": value})
    ]
    store.write(fold(records))
    return store


def _count(store: Store, condition: str) -> int:
    (row,) = find(store, f"activity:* {condition} | count")
    count: int = row["count"]
    return count


_RECORDED = (5, "6", 6.5, "06", "1_0", "abc", (8, 4), [8, "4"], 2**64 - 1, -(2**70))
_SPECIAL = (math.nan, math.inf, -math.inf, None, True, {8}, [[1, "*", 10.0]], 1000.0)
_LARGE = (1e300, 10**70)


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("param.x:6", 2),
        ('param.x:"6"', 1),
        ("param.x=6", 0),
        ("param.x=06", 1),
        ("param.x > 5.5", 11),
        ("-param.x > 5.5", 8),
        ("param.x >= 6.5 -param.x > 7", 1),
        ("param.x < 5", 4),
        ("param.x:6..7 -param.x:8", 3),
        ("param.x:1_0", 1),
        ("param.x=1_0", 1),
        ("param.x:10", 0),
        ("param.x:8", 3),
        ("param.x:4", 2),
        ("param.x=4", 1),
        ("param.x > 7 -param.x > 8", 3),
        ("param.x:18446744073709551615", 1),
        ("param.x=18446744073709551615", 1),
        ("param.x = -1180591620717411303424", 1),
        ("param.x > 18446744073709551614", 4),
        ("param.x > 18446744073709551615", 3),
        ("param.x < -9e20", 2),
        ("param.x:nan", 1),
        ("param.x:inf", 1),
        ("param.x = -inf", 1),
        ("param.x >= inf", 1),
        ("param.x < inf", 13),
        ("param.x:true", 1),
        ("param.x=1e3", 1),
        ("param.x=1e300", 1),
        (f"param.x:1{'0' * 70}", 1),
        ("param.x:1000", 1),
        ('param.x:"[8, 4]"', 1),
        ('param.x:"(8, 4)"', 1),
        ('param.x="(8, 4)"', 1),
        ('param.x="[8, 4]"', 0),
        ("param.x:\"[8, '4']\"", 1),
        ('param.x:"[[1, \\"*\\", 10.0]]"', 1),
        ("param.x is known", 19),
    ],
)
def test_what_was_recorded_is_found_as_what_it_is(
    store: Store, condition: str, count: int
) -> None:
    _store(store, *_RECORDED, *_SPECIAL, *_LARGE)

    assert _count(store, condition) == count


_NUMBERS = st.one_of(
    st.integers(-12, 12),
    st.integers(2**63 - 2, 2**64 + 2),
    st.sampled_from([0.5, 5.5, -2.25, 1e300, -0.0]),
)
_HELD = st.one_of(
    _NUMBERS,
    _NUMBERS.filter(lambda n: n != 1e300).map(str),
    st.sampled_from(["06", "abc", "", "nan", math.nan, math.inf, -math.inf, True]),
)


@settings(max_examples=30)
@given(st.lists(_HELD, min_size=1, max_size=6), _NUMBERS.filter(lambda n: n != 1e300))
def test_orders_divide_what_is_known(held: list[Any], bound: float) -> None:
    """Each number is less, equal or more; a negation has all others that are known."""
    with open_store("memory://") as store:
        _store(store, *held)

        less, equal, more, not_less = (
            _count(store, condition)
            for condition in (
                f"param.x < {bound!r}",
                f"param.x:{bound!r}",
                f"param.x > {bound!r}",
                f"-param.x < {bound!r}",
            )
        )

    numbers = [n for one in held if (n := _number(one)) is not None]
    assert less == sum(n < bound for n in numbers)
    assert equal == sum(n == bound for n in numbers)
    assert more == sum(n > bound for n in numbers)
    assert less + not_less == len(held)


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool) or value in ("abc", "", "nan") or value != value:
        return None
    if isinstance(value, str):
        return int(value) if value.lstrip("-").isdigit() else float(value)
    number: float | int = value
    return number


def test_a_list_with_a_null_in_it_is_known(store: Store) -> None:
    _store(store, [5, None], [None], None)

    assert _count(store, "param.x is known") == 2
    assert _count(store, "param.x:5") == 1
    assert _count(store, "-param.x:5") == 1


def test_values_show_as_what_they_are(store: Store) -> None:
    _store(store, (8, 4), {2, 1}, 2**70, math.nan, {"a.b": (1,)}, b"\xff")

    rows = find(store, "activity:* | sort start | select param.x")

    assert [row["param.x"] for row in rows] == [
        [8, 4],
        [1, 2],
        "1180591620717411303424",
        "nan",
        {"a.b": [1]},
        "ff",
    ]


def test_measures_take_texts_of_digits_as_numbers(store: Store) -> None:
    _store(store, 5, "11", 6.5, "abc", math.nan, True)

    found = [
        next(find(store, f"activity:* | {name} param.x"))[f"{name}_param.x"]
        for name in ("sum", "avg", "p50", "min")
    ]

    assert found == [22.5, 7.5, 6.5, True]


def test_sorting_compares_texts_of_digits_as_numbers(store: Store) -> None:
    _store(store, "11", 5, "6", 6.5)

    rows = find(store, "activity:* | sort param.x | select param.x")

    assert [row["param.x"] for row in rows] == [5, "6", 6.5, "11"]


def test_sums_that_json_cannot_hold_are_floats(store: Store) -> None:
    _store(store, 2**62, 2**62)

    assert list(find(store, "activity:* | sum param.x")) == [{"sum_param.x": 2.0**63}]


@pytest.fixture
def versions(store: Store) -> Store:
    """A store with activities of five versions of lstchain."""
    told = ("0.9.2", "0.10.18", "0.11.10", "0.11.10rc1", "main")
    records = [
        record
        for number, version in enumerate(told)
        for record in _activity(number, {}, version=version)
    ]
    store.write(fold(records))
    return store


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("software.lstchain >= 0.10", 3),
        ("-software.lstchain >= 0.10", 2),
        ("software.lstchain < 0.11", 2),
        ("software.lstchain:0.9..0.11", 2),
        ("software.lstchain:0.11..", 2),
        ("software.lstchain > 0.11.10", 0),
        ("software.lstchain:0.11.10", 1),
    ],
)
def test_versions_are_compared_as_versions(
    versions: Store, condition: str, count: int
) -> None:
    assert _count(versions, condition) == count


def test_the_largest_version_is_the_latest_release(versions: Store) -> None:
    found = find(versions, "activity:* | max software.lstchain")

    assert list(found) == [{"max_software.lstchain": "0.11.10"}]


def test_versions_sort_as_versions(versions: Store) -> None:
    rows = find(versions, "activity:* | unique software.lstchain | limit 4")
    latest = find(versions, "activity:* | sort -software.lstchain | limit 1 | count")

    assert [row["software.lstchain"] for row in rows] == [
        "main",
        "0.9.2",
        "0.10.18",
        "0.11.10rc1",
    ]
    assert list(latest) == [{"count": 1}]


def test_versions_are_explained_as_they_are_asked(versions: Store) -> None:
    asks = explain(versions, "software.lstchain >= 0.10")["asks"]

    assert [ask["collection"] for ask in asks] == ["environments", "activities"]
    assert asks[0]["pipeline"] == [
        {"$match": {"packages.lstchain": {"$versions": {"$gte": "0.10"}}}}
    ]


def test_a_night_is_one_however_its_date_is_written(store: Store) -> None:
    dates = ("20200117", "2020-01-17", "2020_01_18")
    records = [
        record
        for number, date in enumerate(dates)
        for record in _activity(number, {}, date=date)
    ]
    store.write(fold(records))

    assert list(find(store, "activity:* | count by date")) == [
        {"date": "2020-01-17", "count": 2},
        {"date": "2020-01-18", "count": 1},
    ]
    assert list(find(store, "activity:* | max date")) == [{"max_date": "2020-01-18"}]


def test_the_middle_of_times_is_a_time(store: Store) -> None:
    _store(store, 1, 2, 3)

    (row,) = find(store, "activity:* | p50 start")

    assert row["p50_start"] == datetime(2026, 11, 22, 20, 1, 1, tzinfo=UTC)


def test_dry_runs_and_who_started_an_activity_can_be_asked_for(store: Store) -> None:
    records = [
        *_activity(1, {}),
        *_activity(2, {}, dry_run=True),
        *_activity(3, {}, started_by="a1"),
    ]
    store.write(fold(records))

    rows = list(find(store, "activity:* | select activity_id,dry_run,started_by"))

    assert [(row["dry_run"], row["started_by"]) for row in rows] == [
        (False, None),
        (True, None),
        (False, "a1"),
    ]
    assert _count(store, "dry_run:true") == 1
    assert _count(store, "-dry_run:true") == 2
    assert _count(store, "started_by:a1") == 1


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("start:2026-10-25T02:40", 1),
        ("start:2026-10-25T00:40Z", 1),
        ("start:2026-10-25T00:40", 0),
        ("start:2026-10-24", 1),
        ("start < 2026-10-25", 1),
        ("start:2026-10-25T02:40:00+02:00", 1),
    ],
)
def test_times_without_a_zone_are_read_in_that_of_the_store(
    store_uri: str, condition: str, count: int
) -> None:
    times = ("2026-10-24T00:30:00", "2026-10-25T02:40:00")
    with open_store(store_uri, zone=ZoneInfo("Europe/Madrid")) as store:
        store.write(
            fold(
                [
                    {**_TAG, "activity_id": time, "name": "dl1ab", "startTime": time}
                    for time in times
                ],
                zone=store.zone,
            )
        )

        assert _count(store, condition) == count
        assert len(Database(store).find(f"activity:* {condition}").rows()) == count
        naive = datetime(2026, 10, 25, 2, 40)
        assert len(Database(store).find(start=naive).rows()) == 1


def test_the_node_of_an_older_document_is_that_of_its_environment(
    store: Store,
) -> None:
    folded = fold([*_activity(1, {}), *_activity(2, {})])
    for activity in folded[f.ACTIVITIES]:
        del activity[f.NODE]
    store.write(folded)

    assert _count(store, "node:cp01") == 2
    assert _count(store, "-node:cp02") == 2
    assert list(find(store, "activity:* | count by node")) == [
        {"node": "cp01", "count": 2}
    ]


def test_large_sizes_are_summed(store: Store) -> None:
    sizes = (3_000_000_000, 5)
    records = [
        {"entity_id": f"{number}", "filepath": f"/{number}", "size": size}
        for number, size in enumerate(sizes)
    ]
    store.write(fold(records))

    assert list(find(store, "path:/* | sum size")) == [{"sum_size": 3_000_000_005}]
    assert list(find(store, "size > 2999999999 | count")) == [{"count": 1}]


def test_as_of_without_a_zone_is_in_that_of_the_database(store_uri: str) -> None:
    zone = ZoneInfo("Europe/Madrid")
    path = "/R0/LST-1.1.Run01807.0000.fits.fz"
    with open_store(store_uri, zone=zone) as store:
        store.write(fold([{"entity_id": "1", "filepath": path}], zone=zone))

        found = Database(store).lineage(path, as_of=datetime(2026, 7, 1, 2))

    assert found.question["as_of"] == "2026-07-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("size > 1GB", 1),
        ("size:3GB", 1),
        ("size < 1KiB", 1),
        ("file:a.h5", 1),
    ],
)
def test_sizes_have_units(store: Store, condition: str, count: int) -> None:
    sizes = {"/a.h5": 3_000_000_000, "/b.h5": 5}
    records = [
        {"entity_id": path, "filepath": path, "size": size}
        for path, size in sizes.items()
    ]
    store.write(fold(records))

    assert len(list(find(store, condition))) == count


@pytest.mark.parametrize("condition", ["duration:0:00:10", "duration > 0:00:09"])
def test_a_duration_can_be_hours_minutes_and_seconds(
    store: Store, condition: str
) -> None:
    end = {**_TAG, "activity_id": "a0", "endTime": "2026-11-22T20:01:10"}
    store.write(fold([*_activity(0, {}), end]))

    assert _count(store, condition) == 1


def test_a_ninety_ninth_percentile_is_a_value(store: Store) -> None:
    _store(store, *range(1, 201))

    assert list(find(store, "activity:* | p99 param.x")) == [{"p99_param.x": 198}]
