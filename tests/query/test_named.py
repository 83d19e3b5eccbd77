"""What names say can be asked for: telescope, stream, particle, kind of data, date."""

from collections.abc import Iterator
from typing import Any

import pytest

from provdb.model import fold, location_id
from provdb.query import find
from provdb.store import Store

_R0 = "/fefs/R0/20240110"
_FILES = (
    f"{_R0}/LST-1.1.Run21000.0000.fits.fz",
    f"{_R0}/LST-2.1.Run21000.0000.fits.fz",
    f"{_R0}/LST-2.4.Run21000.0000.fits.fz",
    "/fefs/cal/20240109/drs4_pedestal.Run20999.0000.h5",
    "/fefs/mc/DL1/Protons/dl1_simtel_corsika_theta_6.000_az_180.000_run21000.h5",
    "/fefs/mc/DL1/20240110_v0.10/dl1_GammaDiffuse.h5",
    "/fefs/DL2/20240111/v0.10/dl2_LST-1.Run21000.h5",
)


def _records() -> Iterator[dict[str, Any]]:
    """Yield files; of the last one its session says another date than its folder."""
    for path in _FILES:
        yield {"entity_id": location_id(path), "filepath": path, "name": "AnyFile"}
    tag = {"session_tag": "dl1_to_dl2:21000"}
    started = {"startTime": "2024-01-11T10:00:00"}
    yield {**tag, "session_id": "s1", "observation_date": "20240110", **started}
    act = {**tag, "activity_id": "a1"}
    yield {**act, "name": "dl1_to_dl2", "in_session": "s1", **started}
    yield {**act, "generated_id": location_id(_FILES[-1])}


@pytest.fixture
def named(store: Store) -> Store:
    """A store with files that are named in many ways."""
    store.write(fold(_records()))
    return store


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("telescope:LST-2", [1, 2], id="telescope"),
        pytest.param("telescope:LST2 stream:4", [2], id="stream"),
        pytest.param("-telescope:LST-2", [0, 6], id="another telescope"),
        pytest.param("run:21000", [0, 1, 2, 6], id="no simulation is of a run"),
        pytest.param("simulation_run:21000", [4], id="run of a simulation"),
        pytest.param("particle:proton", [4], id="particle by its folder"),
        pytest.param("particle:gamma*", [5], id="particle"),
        pytest.param("data_kind:calibration", [3], id="kind of data"),
        pytest.param("data_kind:simulated_events", [4, 5], id="simulated"),
        pytest.param("kind:entity date:20240110", [0, 1, 2, 6], id="date"),
        pytest.param("kind:entity date:20240111", [], id="the session says the date"),
        pytest.param("level:R0 date:2024-01-10", [0, 1, 2], id="date of raw data"),
        pytest.param("data_kind:calibration date:2024-01", [3], id="date of a file"),
        pytest.param("kind:entity -date:20240110", [3], id="another date"),
        pytest.param("kind:entity date is unknown", [4, 5], id="no date"),
        pytest.param("kind:entity date is known", [0, 1, 2, 3, 6], id="known date"),
        pytest.param(
            "kind:entity date:20240110 (level:DL2 OR stream:4)", [2, 6], id="either"
        ),
    ],
)
def test_what_a_name_says_can_be_asked_for(
    named: Store, query: str, expected: list[int]
) -> None:
    found = [row["location"] for row in find(named, query) if row["kind"] == "entity"]

    assert sorted(map(_FILES.index, found)) == expected


def test_the_date_of_a_name_stands_in_rows(named: Store) -> None:
    query = "kind:entity level:R0..DL2 | count by date"

    rows = {row["date"]: row["count"] for row in find(named, query)}

    assert rows == {"2024-01-10": 4, None: 2}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        pytest.param("kind:activity | count by date", 3, id="activities"),
        pytest.param("kind:entity level:DL2 | count by date", 3, id="entities"),
        pytest.param("kind:any name:dl1_to_dl2 | count by date", 3, id="any"),
        pytest.param("kind:activity | unique date", 3, id="unique"),
    ],
)
def test_a_night_is_one_row_however_its_date_is_written(
    store: Store, query: str, count: int
) -> None:
    for number, written in enumerate(("20240110", "2024-01-10", "2024_01_10")):
        path = f"/fefs/DL2/v0.1{number}/dl2_LST-1.Run21000.h5"
        act = {"session_tag": "dl1_to_dl2:21000", "activity_id": f"a{number}"}
        session = {"session_id": f"s{number}", "observation_date": written}
        started = {"startTime": f"2024-01-11T10:0{number}:00"}
        store.write(
            fold(
                [
                    {"session_tag": act["session_tag"], **session, **started},
                    {
                        **act,
                        "name": "dl1_to_dl2",
                        "in_session": f"s{number}",
                        **started,
                    },
                    {**act, "generated_id": location_id(path)},
                    {"entity_id": location_id(path), "filepath": path},
                ]
            )
        )

    assert list(find(store, query)) == [{"date": "2024-01-10", "count": count}]


def test_a_telescope_is_counted(named: Store) -> None:
    rows = list(find(named, "level:R0 | count by telescope"))

    assert {row["telescope"]: row["count"] for row in rows} == {"LST-1": 1, "LST-2": 2}
