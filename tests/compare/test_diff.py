"""What differs between two files, runs, tags and productions, and what does not."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provdb import Database
from provdb.compare import Comparison, diff
from provdb.errors import NotFound, QueryError
from provdb.model import fields as f
from provdb.store import Store, open_store
from tests.compare.productions import Production, remember
from tests.lineage.histories import Step, file, stored
from tests.lineage.histories import remember as remember_steps
from tests.lineage.random_histories import RandomHistory, histories

_ONE = Production()
_OTHER = replace(
    _ONE,
    run=1950,
    subruns=(3, 4, 5),
    night="20200218",
    start=datetime(2020, 2, 19, 9, tzinfo=UTC),
)
_RUNS = ("run:01807", "run:01950")


def _rows(found: Comparison) -> list[tuple[str, tuple[str, ...], str, Any, Any]]:
    return [(d.kind, d.steps, d.name, d.a, d.b) for d in found.differences]


def test_what_is_of_another_run_by_its_nature_is_no_difference(store: Store) -> None:
    remember(store, _ONE, _OTHER)

    found = diff(store, *_RUNS)

    assert _rows(found) == []
    assert found.is_equal
    assert (found.steps, found.activities) == (("r0_to_dl1", "dl1_to_dl2"), (4, 6))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            {"pedestal": "/cal/v03/drs4_pedestal.Run01611.0000.h5"},
            (
                "input",
                ("r0_to_dl1",),
                "Pedestal file",
                ("/cal/v03/drs4_pedestal.Run01804.0000.h5",),
                ("/cal/v03/drs4_pedestal.Run01611.0000.h5",),
            ),
            id="another calibration",
        ),
        pytest.param(
            {"models": "/models/v2"},
            (
                "input",
                ("dl1_to_dl2",),
                "RFModelEnergyFile",
                ("/models/v1/reg_energy.sav",),
                ("/models/v2/reg_energy.sav",),
            ),
            id="a model of the same name elsewhere",
        ),
        pytest.param(
            {"threshold": 8},
            ("parameter", ("r0_to_dl1",), "picture_threshold", (6,), (8,)),
            id="parameter",
        ),
        pytest.param(
            {"config": b'{"tailcut": {"picture_thresh": 6, "boundary_thresh": 4}}'},
            (
                "configuration",
                ("dl1_to_dl2",),
                "Analysis configuration file: tailcut.picture_thresh",
                (8,),
                (6,),
            ),
            id="configuration",
        ),
        pytest.param(
            {"packages": {"lstchain": "0.13.0"}},
            (
                "software",
                ("r0_to_dl1", "dl1_to_dl2"),
                "lstchain",
                ("0.12.3",),
                ("0.13.0",),
            ),
            id="software",
        ),
        pytest.param(
            {"commit": "1" * 40},
            (
                "commit",
                ("r0_to_dl1", "dl1_to_dl2"),
                "git",
                (_ONE.commit,),
                ("1" * 40,),
            ),
            id="commit",
        ),
        pytest.param(
            {"node": "cp16"},
            ("node", ("r0_to_dl1", "dl1_to_dl2"), "node", ("cp15",), ("cp16",)),
            id="node",
        ),
        pytest.param(
            {"status": "failed"},
            ("status", ("dl1_to_dl2",), "status", ("completed",), ("failed",)),
            id="status",
        ),
        pytest.param(
            {"seconds": 600},
            ("duration", ("dl1_to_dl2",), "median seconds", (60.0,), (600.0,)),
            id="duration",
        ),
    ],
)
def test_what_was_done_otherwise_is_named(
    store: Store, change: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    remember(store, _ONE, replace(_OTHER, **change))

    assert _rows(diff(store, *_RUNS)) == [expected]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"config_path": "/elsewhere/other.json"}, id="its path"),
        pytest.param({"config": _ONE.config + b"\n"}, id="its layout"),
        pytest.param({"seconds": 70}, id="a little longer"),
        pytest.param({"folder": "v0.2.0"}, id="the folder of what the steps made"),
        pytest.param({"packages": {}}, id="what was not recorded"),
    ],
)
def test_what_means_nothing_is_no_difference(
    store: Store, change: dict[str, Any]
) -> None:
    remember(store, _ONE, replace(_OTHER, **change))

    assert _rows(diff(store, *_RUNS)) == []


def test_what_was_not_recorded_is_said(store: Store) -> None:
    remember(store, _ONE, replace(_OTHER, packages={}))

    assert diff(store, *_RUNS).warnings == (
        "no software is recorded for run:01950, so it is not compared: "
        "r0_to_dl1, dl1_to_dl2",
        "no commit is recorded for run:01950, so it is not compared: "
        "r0_to_dl1, dl1_to_dl2",
    )


def test_without_a_copy_on_both_sides_paths_are_compared(store: Store) -> None:
    moved = replace(_OTHER, has_copies=False, config_path="/elsewhere/other.json")
    remember(store, _ONE, moved)

    ((kind, _, name, a, b),) = _rows(diff(store, *_RUNS))

    assert (kind, name) == ("input", "Analysis configuration file")
    assert (a, b) == ((_ONE.config_path,), ("/elsewhere/other.json",))


def test_hashes_of_inputs_count_more_than_their_paths(store: Store) -> None:
    one = replace(_ONE, hash="aaaa")
    moved = replace(_OTHER, hash="aaaa", pedestal="/cal/v04/drs4.Run01611.0000.h5")
    changed = replace(_OTHER, hash="bbbb", run=1951)
    remember(store, one, moved, changed)

    same = diff(store, "run:1807", "run:1950")
    different = diff(store, "run:1807", "run:1951")

    assert _rows(same) == []
    assert [(row[0], row[2]) for row in _rows(different)] == [
        ("input", "Pedestal file")
    ]


def test_other_texts_are_compared_by_lines(store: Store) -> None:
    one = replace(_ONE, config=b"[LST]\nscale = 1\n", config_path="/cfg/osa.cfg")
    other = replace(_OTHER, config=b"[LST]\nscale = 2\n", config_path="/cfg/osa.cfg")
    remember(store, one, other)

    ((kind, _, name, a, b),) = _rows(diff(store, *_RUNS))

    assert (kind, name) == ("configuration", "Analysis configuration file, line 2")
    assert (a, b) == (("scale = 1",), ("scale = 2",))


def test_a_step_of_one_side_alone_is_named_and_not_compared(store: Store) -> None:
    remember(store, _ONE)

    found = diff(store, "run:1807", "r0_to_dl1:01807")

    assert _rows(found) == [("step", ("dl1_to_dl2",), "dl1_to_dl2", (2,), ())]


@pytest.mark.parametrize(
    ("a", "b", "kind", "activities"),
    [
        pytest.param("01807", "1950", "run", (4, 6), id="numbers of runs"),
        pytest.param(
            "dl1_to_dl2:01807", "tag:dl1_to_dl2:01950", "tag", (2, 3), id="tags"
        ),
        pytest.param(
            "tag:*:01807", "tag:*:01950", "tag", (4, 6), id="patterns of tags"
        ),
        pytest.param(
            "production:v0.12.3",
            "production:v0.13",
            "production",
            (4, 6),
            id="productions",
        ),
        pytest.param(
            "production:v0.12.3/20200117",
            "production:v0.13/2020-02-18",
            "production",
            (4, 6),
            id="nights of productions",
        ),
        pytest.param(
            "dl2_LST-1.Run01807.0000.h5",
            "file:dl2_LST-1.Run01950.0004.h5",
            "file",
            (2, 2),
            id="files",
        ),
    ],
)
def test_every_way_to_name_a_side(
    store: Store, a: str, b: str, kind: str, activities: tuple[int, int]
) -> None:
    remember(store, _ONE, replace(_OTHER, version="v0.13", threshold=8))

    found = diff(store, a, b)

    assert found.question["kinds"] == [kind, kind]
    assert found.activities == activities
    assert {d.name for d in found.differences} <= {
        "picture_threshold",
        "software_version",
    }
    assert not found.is_equal


def test_two_versions_of_one_file_are_compared_by_their_names(store: Store) -> None:
    """The same run was processed again, into the same paths."""
    again = replace(
        _ONE, threshold=8, start=datetime(2020, 3, 1, tzinfo=UTC), node="cp16"
    )
    remember(store, _ONE, again)
    new, old = Database(store).versions("dl2_LST-1.Run01807.0000.h5")

    found = diff(store, old.id, new.id)

    assert {(d.kind, d.name, d.a, d.b) for d in found.differences} == {
        ("parameter", "picture_threshold", (6,), (8,)),
        ("node", "node", ("cp15",), ("cp16",)),
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("run:9999", "no activity is of run 9999", id="run"),
        pytest.param("9999", "no activity is of run 9999", id="number"),
        pytest.param("tag:dl3:01807", "no activity has the tag dl3:01807", id="tag"),
        pytest.param(
            "production:v9", "no session has the software_version v9", id="production"
        ),
        pytest.param("no_such_file.h5", "nothing in the store is called", id="file"),
        pytest.param(
            _ONE.name("R0", 0), "nothing is known to have made", id="raw file"
        ),
    ],
)
def test_what_is_not_there_is_not_found(store: Store, name: str, reason: str) -> None:
    remember(store, _ONE)

    with pytest.raises(NotFound, match=reason):
        diff(store, "run:01807", name)


def test_a_run_that_is_no_number_cannot_be_asked_for(store: Store) -> None:
    remember(store, _ONE)

    with pytest.raises(QueryError, match="last is no run; write it as run:01807"):
        Database(store).diff("run:01807", "run:last")


@settings(max_examples=30)
@given(
    run=st.integers(1, 99999).filter(lambda run: run not in (1804, 1807)),
    subruns=st.lists(st.integers(0, 9999), min_size=1, max_size=3, unique=True),
    night=st.dates(datetime(2018, 1, 1).date(), datetime(2030, 1, 1).date()),
)
def test_the_same_processing_of_any_other_run_is_equal(
    run: int, subruns: list[int], night: Any
) -> None:
    other = replace(_ONE, run=run, subruns=tuple(subruns), night=f"{night:%Y%m%d}")
    with open_store("memory://") as store:
        remember(store, _ONE, other)

        found = diff(store, "run:1807", f"run:{run}")

    assert _rows(found) == []


@settings(max_examples=30)
@given(histories())
def test_a_file_does_not_differ_from_itself_and_sides_can_be_swapped(
    history: RandomHistory,
) -> None:
    store = stored(*history.parts)
    known = [a[f.SESSION_TAG] for a in store.scan(f.ACTIVITIES)]

    same = [diff(store, f"tag:{tag}", f"tag:{tag}") for tag in known]
    pairs = [
        (diff(store, f"tag:{a}", f"tag:{b}"), diff(store, f"tag:{b}", f"tag:{a}"))
        for a in known
        for b in known
    ]

    assert [found for found in same if not found.is_equal] == []
    assert [
        pair
        for pair in pairs
        if _as_set(pair[0]) != {(*rest, b, a) for *rest, a, b in _as_set(pair[1])}
    ] == []


def _calibration(pedestal: int, calibration: int, night: str, tag: str) -> list[Step]:
    raw = {
        n: file(f"/R0/{night}/LST-1.1.Run{n:05d}.fits.fz")
        for n in (pedestal, calibration)
    }
    made = file(f"/cal/{night}/pro/drs4_pedestal.Run{pedestal:05d}.0000.h5")
    charge = file(f"/cal/{night}/pro/calibration.Run{calibration:05d}.0000.h5")
    runs = f"{pedestal:05d}-{calibration:05d}"
    return [
        Step(
            name="drs4_pedestal",
            used=[raw[pedestal]],
            generated=[made],
            tag=f"drs4_pedestal:{runs}",
        ),
        Step(
            name="calibrate_charge",
            used=[raw[calibration], made],
            generated=[charge],
            tag=f"{tag}:{runs}",
            start=2,
            end=3,
        ),
    ]


@pytest.mark.parametrize("tag", ["drs4_pedestal", "calibrate_charge"])
def test_both_runs_of_a_calibration_are_its_own(store: Store, tag: str) -> None:
    steps = _calibration(1804, 1809, "20200117", tag)
    others = _calibration(1830, 1835, "20200118", tag)
    remember_steps(store, *steps, *others)

    found = diff(store, "tag:*:01804-01809", "tag:*:01830-01835")

    assert found.steps == ("drs4_pedestal", "calibrate_charge")
    assert _rows(found) == []


def test_a_calibration_with_another_pedestal_differs(store: Store) -> None:
    steps = _calibration(1804, 1809, "20200117", "calibrate_charge")
    others = _calibration(1830, 1835, "20200118", "calibrate_charge")
    pedestal = file("/cal/20200118/pro/drs4_pedestal.Run01822.0000.h5")
    wrong = replace(others[1], used=[*others[1].used[:1], pedestal])
    remember_steps(store, *steps, others[0], wrong)

    ((kind, ran, *_),) = _rows(
        diff(store, "calibrate_charge:01804-01809", "calibrate_charge:01830-01835")
    )

    assert (kind, ran) == ("input", ("calibrate_charge",))


def _as_set(found: Comparison) -> set[tuple[Any, ...]]:
    return {
        (d.kind, d.name, frozenset(d.steps), repr(d.a), repr(d.b))
        for d in found.differences
    }
