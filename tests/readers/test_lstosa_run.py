"""Run-wise products of lstosa: marked as such, so that they hide no subrun."""

import json
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provdb.ingest import ingest
from provdb.lineage import lineage, versions
from provdb.model import fields as f
from provdb.model import fold
from provdb.store import Store, open_store
from tests.readers.reading import read_file, read_text
from tests.samples import NIGHT_LOG, RUN_JSON, RUN_LOG

_ORDERS: Final = [
    pytest.param([NIGHT_LOG, RUN_LOG, RUN_JSON], id="products last"),
    pytest.param([RUN_LOG, RUN_JSON, NIGHT_LOG], id="products first"),
]


@pytest.fixture(scope="module")
def night() -> Store:
    """What the log of the night says, subrun by subrun."""
    return _read(NIGHT_LOG)


def _read(*paths: Path) -> Store:
    store = open_store("memory://")
    ingest(store, paths)
    return store


@pytest.mark.parametrize("paths", _ORDERS)
def test_no_lineage_of_the_night_changes_with_the_products(
    night: Store, paths: list[Path]
) -> None:
    both = _read(*paths)
    entities = [entity[f.ID] for entity in night.scan(f.ENTITIES)]

    after = {entity: lineage(both, entity).to_dict() for entity in entities}

    assert len(entities) == 121
    assert after == {entity: lineage(night, entity).to_dict() for entity in entities}


@pytest.mark.parametrize("paths", _ORDERS)
def test_no_version_of_a_file_is_written_by_a_product(
    night: Store, paths: list[Path]
) -> None:
    both = _read(*paths)

    after = versions(both, "dl2_LST-1.Run01807.h5").to_dict()

    assert after == versions(night, "dl2_LST-1.Run01807.h5").to_dict()


def test_a_later_run_of_which_the_subruns_are_lost_is_seen() -> None:
    later = RUN_LOG.read_text().replace("'2026-11-22T", "'2026-11-23T")
    both = _read(NIGHT_LOG)
    both.write(fold(read_text(later)[0]))

    answer = lineage(both, "dl2_LST-1.Run01807.h5")

    assert "R0Collection" in {node.name for node in answer.nodes}
    assert not any(node.subrun for node in answer.nodes if node.level == "R0")


def test_both_products_of_a_run_give_the_same_activities() -> None:
    of_log = fold(read_file(RUN_LOG)[0])["activities"]

    of_json = fold(read_file(RUN_JSON)[0])["activities"]

    assert of_json == [_without_environment(activity) for activity in of_log]
    assert {activity["granularity"] for activity in of_json} == {"run"}


def test_all_that_the_log_says_is_read() -> None:
    records, problems = read_file(RUN_LOG)

    assert (len(records), problems) == (77, "")
    assert sum("granularity" in record for record in records) == 6


def test_the_session_that_lstosa_loses_is_not_missed() -> None:
    document = json.loads(RUN_JSON.read_text())
    del document["entity"]["id:2020-01-1701807"]

    records, problems = read_text(json.dumps(document))

    assert problems == ""
    assert {record.get("session_tag") for record in records} >= {
        "dl1_to_dl2:01807",
        "drs4_pedestal:01804-01809",
    }


@settings(max_examples=80)
@given(st.data())
def test_any_change_of_the_json_gives_records_or_a_problem(data: st.DataObject) -> None:
    document = json.loads(RUN_JSON.read_text())
    place = document
    for _ in range(data.draw(st.integers(1, 4))):
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or not place[key]:
            break
        place = place[key]
    odd = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.none())
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(odd)
    document["prefix"] = {"id": "id:", "default": "param:"}

    records, _ = read_text(json.dumps(document))

    fold(records)


def _without_environment(activity: dict[str, object]) -> dict[str, object]:
    return {
        name: activity[name]
        for name in activity
        if name not in ("environment", "arguments")
    }
