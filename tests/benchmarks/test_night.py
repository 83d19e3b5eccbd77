"""The generator of logs writes what lstosa would have written."""

import ast
import gzip
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from hashlib import md5
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.night import Night, lines, write

_FOLDER = "/fefs/aswg/data/real"
_CHAIN = (
    "drs4_pedestal",
    "calibrate_charge",
    "r0_to_dl1",
    "dl1ab",
    "dl1_datacheck",
    "dl1_to_dl2",
    "merge_dl2",
    "dl2_to_dl3",
)


def _read(log: Iterable[str]) -> list[dict[str, Any]]:
    parts = (line.split("__PROV__", 2) for line in log)
    return [ast.literal_eval(part[2]) for part in parts if len(part) == 3]


def _activities(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Gather the records of each activity under its id."""
    paths = {r["entity_id"]: r["filepath"] for r in records if "filepath" in r}
    found = {
        r["activity_id"]: {**r, "used": set(), "generated": set()}
        for r in records
        if "startTime" in r and "activity_id" in r
    }
    for record in records:
        if "used_id" in record:
            found[record["activity_id"]]["used"].add(paths[record["used_id"]])
        if "generated_id" in record:
            generated = found[record["activity_id"]]["generated"]
            generated.add(paths[record["generated_id"]])
        if "endTime" in record:
            found[record["activity_id"]]["endTime"] = record["endTime"]
    return found


def _named(records: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [a for a in _activities(records).values() if a["name"] == name]


def test_a_night_has_every_step_once_a_subrun_and_the_calibration_once() -> None:
    records = _read(lines(Night(runs=2, subruns=3)))

    counts = Counter(a["name"] for a in _activities(records).values())

    assert counts == {
        "drs4_pedestal": 1,
        "calibrate_charge": 1,
        "r0_to_dl1": 6,
        "dl1ab": 6,
        "dl1_datacheck": 6,
        "dl1_to_dl2": 6,
        "merge_dl2": 2,
        "dl2_to_dl3": 2,
    }
    assert sum("system" in r for r in records) == 30
    assert {r["session_id"] for r in records if "session_id" in r} == {
        "0180401809",
        "2020011701807",
        "2020011701808",
    }


def test_a_session_record_is_as_big_as_a_real_one() -> None:
    night = Night(subruns=1)

    sessions = [line for line in lines(night) if "'session_id'" in line]

    assert all(19_000 < len(line) < 20_500 for line in sessions)
    assert len(_read(sessions)[0]["system"]["python"]["packages"]) == 168


def test_the_id_of_an_entity_is_the_md5_of_its_path() -> None:
    entities = [r for r in _read(lines(Night(subruns=2))) if "filepath" in r]

    ids = [(r["entity_id"], r["hash"]) for r in entities]
    digests = [md5(r["filepath"].encode()).hexdigest() for r in entities]

    assert ids == list(zip(digests, digests, strict=True))


def test_the_same_night_is_the_same_text() -> None:
    assert list(lines(Night(subruns=5))) == list(lines(Night(subruns=5)))


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(Night(subruns=5, seed=2), id="another seed"),
        pytest.param(Night(subruns=5, start=datetime(2021, 3, 4)), id="a later start"),
    ],
)
def test_a_reprocessing_writes_the_same_paths_with_new_ids(again: Night) -> None:
    first, second = _read(lines(Night(subruns=5))), _read(lines(again))

    assert {r["filepath"] for r in first if "filepath" in r} == {
        r["filepath"] for r in second if "filepath" in r
    }
    assert not set(_activities(first)) & set(_activities(second))


@pytest.mark.parametrize("processes", [1, 4, 9])
def test_a_step_starts_after_all_that_made_its_input(processes: int) -> None:
    night = Night(runs=3, subruns=8, processes=processes)
    activities = _activities(_read(lines(night))).values()

    # dl1ab overwrites its own input, and so is no maker of it for itself.
    pairs = [
        (maker, user)
        for user in activities
        for maker in activities
        if maker["generated"] & user["used"]
        and _CHAIN.index(maker["name"]) < _CHAIN.index(user["name"])
    ]

    assert len(pairs) > 150
    assert all(maker["endTime"] < user["startTime"] for maker, user in pairs)
    assert all(a["startTime"] < a["endTime"] for a in activities)


def test_the_chain_leads_from_r0_to_dl3() -> None:
    records = _read(lines(Night(subruns=2)))

    (dl3,) = _named(records, "dl2_to_dl3")
    (merge,) = _named(records, "merge_dl2")
    first = next(
        a
        for a in _named(records, "dl1_to_dl2")
        if a["generated"] <= merge["used"] and "0000.h5" in min(a["generated"])
    )
    (r0_to_dl1,) = (
        a for a in _named(records, "r0_to_dl1") if a["generated"] & first["used"]
    )

    assert dl3["generated"] == {
        f"{_FOLDER}/DL3/20200117/v0.1.0/model2/dl3_LST-1.Run01807.fits"
    }
    assert merge["generated"] < dl3["used"]
    assert len(merge["used"]) == 2
    assert f"{_FOLDER}/R0/20200117/LST-1.1.Run01807.0000.fits.fz" in r0_to_dl1["used"]


def test_dl1_to_dl2_claims_the_merged_file_only_if_asked() -> None:
    merged = f"{_FOLDER}/DL2/20200117/v0.1.0/model2/dl2_LST-1.Run01807.h5"
    plain = _read(lines(Night(subruns=2)))
    claiming = _read(lines(Night(subruns=2, merge=False, dl2_claims_merged=True)))

    assert all(merged not in a["generated"] for a in _named(plain, "dl1_to_dl2"))
    assert all(merged in a["generated"] for a in _named(claiming, "dl1_to_dl2"))


def test_processes_interleave_and_each_keeps_its_order() -> None:
    records = _read(lines(Night(subruns=60, activity_seconds=0.002)))
    ids = [r["activity_id"] for r in records if "activity_id" in r]

    changes = sum(a != b for a, b in pairwise(ids))
    kinds = [tuple(r)[1] for r in records if r.get("activity_id") == ids[-1]]

    assert changes > len(set(ids))
    assert kinds[0] == "name"
    assert kinds[-1] == "endTime"
    assert len(set(ids)) == 244


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"steps": ["dl1ab", "dl9"]}, id="an unknown step"),
        pytest.param({"steps": ["r0_to_dl1"]}, id="nothing to merge"),
        pytest.param({"merge": False}, id="nothing to make a DL3 file of"),
    ],
)
def test_a_night_that_cannot_be_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"step|DL2"):
        Night(**options)


def test_a_compressed_log_holds_the_same_text(tmp_path: Path) -> None:
    size_bytes = write(Night(subruns=2), tmp_path / "prov.log")
    write(Night(subruns=2), tmp_path / "prov.log.gz")

    text = (tmp_path / "prov.log").read_bytes()

    assert len(text) == size_bytes
    assert gzip.decompress((tmp_path / "prov.log.gz").read_bytes()) == text
