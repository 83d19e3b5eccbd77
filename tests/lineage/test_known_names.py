"""Names that start so, in order, a bounded number, on both stores alike."""

import pytest

from provdb.lineage.known_names import names_starting, paths_starting, runs_starting
from provdb.model import fields as f
from provdb.model import fold
from provdb.store import Store

_PATHS = (
    "/fefs/DL1/20200117/v0.1/dl1_LST-1.Run01807.0000.h5",
    "/fefs/DL1/20200117/v0.2/dl1_LST-1.Run01807.0000.h5",
    "/fefs/DL1/20200117/v0.2/dl1_LST-1.Run01807.0001.h5",
    "/fefs/R0/20200117/LST-1.1.Run01807.0000.fits.fz",
    "/fefs/a b/é*.h5",
    "relative.h5",
)


@pytest.fixture
def night(store: Store) -> Store:
    """A store with some files and runs."""
    entities = [{"entity_id": str(n), "filepath": p} for n, p in enumerate(_PATHS)]
    started = [
        {
            "activity_id": f"a{run}",
            "name": "r0_to_dl1",
            "startTime": "2020-01-18T08:00:00",
            "session_tag": f"r0_to_dl1:{run}",
        }
        for run in ("00018", "01807", "01808", "18070")
    ]
    store.write(fold([*entities, *started]))
    return store


def _files(store: Store, prefix: str, limit: int = 9) -> list[str]:
    return names_starting(
        store, prefix, collection=f.ENTITIES, field=f.FILE_NAME, limit=limit
    )


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        (
            "dl1_",
            ["dl1_LST-1.Run01807.0000.h5", "dl1_LST-1.Run01807.0001.h5"],
        ),
        ("é", ["é*.h5"]),
        ("é?", []),
        ("$where", []),
        ("\x00", []),
        ("\udcff", []),
    ],
)
def test_file_names(night: Store, prefix: str, names: list[str]) -> None:
    assert _files(night, prefix) == names


def test_no_more_than_asked_for(night: Store) -> None:
    assert _files(night, "", limit=2) == [
        "LST-1.1.Run01807.0000.fits.fz",
        "dl1_LST-1.Run01807.0000.h5",
    ]


@pytest.mark.parametrize(
    ("prefix", "paths"),
    [
        ("", ["/", "relative.h5"]),
        ("/f", ["/fefs/"]),
        ("/fefs/", ["/fefs/DL1/", "/fefs/R0/", "/fefs/a b/"]),
        ("/fefs/DL1/20200117/v", [
            "/fefs/DL1/20200117/v0.1/", "/fefs/DL1/20200117/v0.2/",
        ]),
        ("/fefs/DL1/20200117/v0.2/", [_PATHS[1], _PATHS[2]]),
        ("/fefs/x", []),
    ],
)  # fmt: skip  # Paths at a glance.
def test_paths_go_on_to_the_next_folder(
    night: Store, prefix: str, paths: list[str]
) -> None:
    assert paths_starting(night, prefix, limit=9) == paths


@pytest.mark.parametrize(
    ("prefix", "runs"),
    [
        ("", ["00018", "01807", "01808", "18070"]),
        ("0180", ["01807", "01808"]),
        ("18", ["18", "1807", "1808", "18070"]),
        ("1807", ["1807", "18070"]),
        ("000", ["00018"]),
        ("²", []),
        ("x", []),
        ("9999999999", []),
    ],
)
def test_runs_as_they_are_written(night: Store, prefix: str, runs: list[str]) -> None:
    assert runs_starting(night, prefix, limit=9) == runs


def test_each_name_is_one_look_into_an_index(night: Store) -> None:
    asked = {f.FILE_NAME: {"$gte": "dl1_", "$lt": "dl1_\U0010ffff"}}
    located = {f.LOCATION: {"$gte": "/fefs/", "$lt": "/fefs/\U0010ffff"}}
    run = {f.RUN: {"$gte": 1800, "$lt": 1900}}

    assert night.indexes_for(f.ENTITIES, asked) != []
    assert night.indexes_for(f.ENTITIES, located) != []
    assert night.indexes_for(f.ACTIVITIES, run) != []
