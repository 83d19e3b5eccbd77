"""Values as the capture records them: different ones differ, equal ones do not."""

from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.time import Time

from provdb.capture.plain import plain
from provdb.compare import diff
from provdb.model import Record, fold
from provdb.store import Store

EDGES = np.arange(5000.0) * u.m


def remember(store: Store, run: int, value: Any) -> None:
    """Write a run with one step, which has a value as its parameter."""
    known = {"activity_id": f"id{run}", "session_tag": f"r0_to_dl1:{run:05d}"}
    r0 = {"entity_id": f"r0{run}", "filepath": f"/R0/LST-1.1.Run{run:05d}.0000.fits.fz"}
    dl1 = {"entity_id": f"d{run}", "filepath": f"/DL1/dl1_LST-1.Run{run:05d}.0000.h5"}
    records: list[Record] = [
        {**known, "name": "r0_to_dl1", "startTime": "2024-01-01T00:00:00"},
        {**known, "parameters": {"value": plain(value)}},
        {**known, "used_id": r0["entity_id"], "used_role": "R0"},
        {**known, "generated_id": dl1["entity_id"], "generated_role": "DL1"},
        {**known, "endTime": "2024-01-01T00:01:00"},
        r0,
        dl1,
    ]
    store.write(fold(records))


def changed(edges: Any) -> Any:
    other = edges.copy()
    other[2500] = -1 * u.m
    return other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(EDGES, changed(EDGES), id="one value of a long quantity"),
        pytest.param(
            Time("2024-01-01", scale="tai"), Time("2024-01-01", scale="utc"), id="scale"
        ),
        pytest.param(2**64 - 1, 2**64 - 2, id="large integer"),
        pytest.param("a" * 200_000, "a" * 199_999 + "b", id="end of a long text"),
    ],
)
def test_values_that_differ_are_a_difference(
    store: Store, one: Any, other: Any
) -> None:
    remember(store, 9201, one)
    remember(store, 9202, other)

    found = diff(store, "run:9201", "run:9202")

    assert [(d.kind, d.name) for d in found.differences] == [("parameter", "value")]


@pytest.mark.parametrize(
    "value",
    [EDGES, Time("2024-01-01", scale="tai"), 2**64 - 1],
    ids=["quantity", "time", "integer"],
)
def test_values_that_are_equal_are_none(store: Store, value: Any) -> None:
    remember(store, 9201, value)
    remember(store, 9202, value)

    assert diff(store, "run:9201", "run:9202").is_equal
