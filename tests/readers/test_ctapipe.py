"""Logs of ctapipe: every activity, and what joins one tool with the next."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provdb.lineage import lineage
from provdb.model import Record, fold, location_id
from provdb.model.values import decode
from provdb.store import Store, open_store
from tests.readers.reading import activities_of, read_file, read_text, roots_of
from tests.samples import CTAPIPE_MERGE, CTAPIPE_PROCESS

_DL1: Final = "/fefs/aswg/cta/dl1_LST-1.Run01807.h5"
_RAW: Final = [f"/fefs/aswg/cta/LST-1.1.Run01807.000{n}.toy" for n in range(3)]


def _activities(text: str) -> Iterator[dict[str, Any]]:
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        listed, place = decoder.raw_decode(text, place)
        yield from listed


PROCESS: Final = list(_activities(CTAPIPE_PROCESS.read_text().strip()))
(MERGE,) = _activities(CTAPIPE_MERGE.read_text().strip())


def _log(*activities: dict[str, Any]) -> str:
    return json.dumps(list(activities))


def _without(activity: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: activity[name] for name in activity if name not in names}


def _stored(*records: list[Record]) -> Store:
    store = open_store("memory://")
    for some in records:
        store.write(fold(some))
    return store


def _statuses(records: list[Record]) -> list[str]:
    return [activity["status"] for activity in fold(records)["activities"]]


@pytest.mark.parametrize(
    "written", [*PROCESS, MERGE], ids=["first", "second", "third", "merge"]
)
def test_all_that_the_log_says_of_an_activity_is_in_the_documents(
    written: dict[str, Any],
) -> None:
    folded = fold(read_text(_log(written))[0])

    id_ = written["activity_uuid"].replace("-", "")
    (activity,) = (a for a in folded["activities"] if a["activity_id"] == id_)
    (environment,) = folded["environments"]
    entities = {entity["_id"]: entity for entity in folded["entities"]}
    files = {"used": written["input"], "generated": written["output"]}
    assert activity["name"] == written["activity_name"]
    assert decode(activity["parameters"]) == written["config"]
    assert activity["status"] == written["status"]
    assert f"{activity['start']:%FT%T.%f}"[:-3] == written["start"]["time_utc"]
    assert f"{activity['end']:%FT%T.%f}"[:-3] == written["stop"]["time_utc"]
    assert activity["end_extra"]["duration_min"] == written["duration_min"]
    assert activity["arguments"] == written["system"]["arguments"]
    assert environment["interpreter"] == "3.11.7"
    assert environment["packages"]["ctapipe"] == "0.28.0"
    assert {
        relation: sorted(
            (entities[link["entity"]]["location"], link.get("role"))
            for link in activity[relation]
        )
        for relation in files
    } == {
        relation: sorted((file["url"], file["role"]) for file in listed)
        for relation, listed in files.items()
    }
    assert {
        file["url"]: file["reference_meta"]
        for file in [*files["used"], *files["generated"]]
    } == {
        entity["location"]: decode(entity.get("extra", {})).get("reference_meta")
        for entity in entities.values()
    }


def test_lists_after_one_another_are_one_log() -> None:
    whole, problems = read_file(CTAPIPE_PROCESS)

    assert problems == ""
    assert fold(whole) == fold(read_text(_log(*PROCESS))[0])
    assert len(fold(whole)["activities"]) == 3


def test_an_activity_that_is_written_again_is_one_activity() -> None:
    once, _ = read_text(_log(PROCESS[0], MERGE))

    again, _ = read_text(_log(PROCESS[0]) + _log(PROCESS[0], MERGE))

    assert len(again) > len(once)
    assert fold(again) == fold(once)


def test_the_lineage_of_the_merge_reaches_the_steps_before_it() -> None:
    store = _stored(read_file(CTAPIPE_MERGE)[0], read_file(CTAPIPE_PROCESS)[0])

    answer = lineage(store, _DL1)

    assert roots_of(answer) == {*_RAW, "/fefs/aswg/cta/dl1.json"}
    assert activities_of(answer) == ["ctapipe-merge", *["ctapipe-process"] * 3]
    assert not any(edge.rule for edge in answer.edges)


def test_the_log_of_the_merge_alone_names_the_steps_before_it() -> None:
    answer = lineage(_stored(read_file(CTAPIPE_MERGE)[0]), _DL1)

    assert activities_of(answer) == ["ctapipe-merge", *["ctapipe-process"] * 3]


def test_a_file_that_was_moved_and_renamed_is_joined_by_its_metadata() -> None:
    moved = deepcopy(MERGE)
    moved["input"][0]["url"] = "/archive/first.h5"

    answer = lineage(
        _stored(read_text(_log(moved))[0], read_file(CTAPIPE_PROCESS)[0]), _DL1
    )

    assert set(_RAW) < roots_of(answer)


def test_a_random_product_id_of_a_file_without_metadata_joins_nothing() -> None:
    made_up = {
        "CTA PRODUCT ID": PROCESS[0]["output"][0]["reference_meta"]["CTA PRODUCT ID"],
        "CTA PRODUCT FORMAT": "",
        "CTA PRODUCT DATA LEVELS": "",
        "CTA ACTIVITY ID": "",
        "CTA ACTIVITY START TIME": "2026-11-22 17:15:11.614",
    }
    read = deepcopy(MERGE)
    read["input"] = [{"url": "/a.h5", "role": "DL1", "reference_meta": made_up}]

    folded = fold(read_text(_log(read))[0])

    (entity,) = (e for e in folded["entities"] if e["location"] == "/a.h5")
    assert "extra" not in entity
    assert [a["name"] for a in folded["activities"]] == ["ctapipe-merge"]


def test_what_a_failed_merge_leaves_is_not_said_to_come_from_its_input() -> None:
    failed = {**deepcopy(MERGE), "status": "error", "exit_code": 1}
    failed["output"][0]["reference_meta"] = failed["input"][0]["reference_meta"]

    records, _ = read_text(_log(failed))

    generators = [
        (activity["name"], activity["status"])
        for activity in fold(records)["activities"]
        if location_id(_DL1) in {link["entity"] for link in activity["generated"]}
    ]
    assert generators == [("ctapipe-merge", "failed")]


@pytest.mark.parametrize(
    ("written", "status"),
    [
        pytest.param({"status": "completed"}, "completed", id="completed"),
        pytest.param({"status": "error", "exit_code": 1}, "failed", id="failed"),
        pytest.param({"status": "interrupted"}, "interrupted", id="interrupted"),
        pytest.param({"status": "running", "stop": {}}, "running", id="running"),
        pytest.param({"status": "error", "stop": {}}, "failed", id="without an end"),
    ],
)
def test_how_an_activity_ended_is_read(written: dict[str, Any], status: str) -> None:
    assert _statuses(read_text(_log(PROCESS[0] | written))[0]) == [status]


def test_a_field_that_nobody_knows_is_kept() -> None:
    (activity,) = fold(read_text(_log(PROCESS[0] | {"job": {"id": 7}}))[0])[
        "activities"
    ]

    assert activity["extra"] == {"job": {"id": 7}}


def test_the_tag_has_the_run_of_what_was_generated() -> None:
    records, _ = read_text(_log({**MERGE, "input": []}))

    assert {record.get("session_tag") for record in records} == {"ctapipe-merge:01807"}


def test_an_activity_without_files_has_its_name_for_a_tag() -> None:
    records, _ = read_text(_log({**MERGE, "input": [], "output": []}))

    assert {record.get("session_tag") for record in records} == {"ctapipe-merge"}


@pytest.mark.parametrize(
    ("text", "names", "problem"),
    [
        pytest.param(
            _log(PROCESS[0])[:-50], 0, "Unterminated string", id="cut in the first"
        ),
        pytest.param(
            _log(PROCESS[0], MERGE)[:-50],
            1,
            "Expecting",
            id="cut in the last",
        ),
        pytest.param(
            _log(PROCESS[0])[:500] + _log(MERGE), 1, "", id="another list after a cut"
        ),
        pytest.param(
            _log(_without(PROCESS[0], "activity_uuid"), MERGE),
            1,
            "an activity without a name or an id",
            id="no id",
        ),
        pytest.param(
            '[{"activity_uuid": ' + "[" * 100_000, 0, "too deeply", id="nested"
        ),
    ],
)
def test_a_damaged_activity_costs_no_other(text: str, names: int, problem: str) -> None:
    records, problems = read_text(text)

    merges = [a for a in fold(records)["activities"] if a["used"]]
    assert len(merges) == names
    assert problem in problems
    assert problems.startswith("standard input:1: no activity of ctapipe was read: ")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_change_of_the_log_gives_records_or_problems(data: st.DataObject) -> None:
    text = bytearray(CTAPIPE_MERGE.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(100, len(text) - 1))
        text[place : place + data.draw(st.integers(0, 40))] = data.draw(
            st.binary(max_size=4)
            | st.sampled_from([b"null", b"[", b"}", b'"', b"1e999"])
        )

    records, problems = read_text(bytes(text))

    fold(records)
    assert records or problems
