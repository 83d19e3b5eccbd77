"""A crate follows the Process Run Crate profile, and names nothing that it has not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from provdb.export import export
from provdb.ingest import ingest
from provdb.lineage import lineage
from provdb.store import open_store
from tests.export.lineages import MARKED
from tests.lineage.histories import Step, file, stored
from tests.samples import NIGHT_LOG

Thing = dict[str, Any]


@pytest.fixture(scope="module")
def graph() -> list[Thing]:
    """The crate of a DL2 file."""
    with open_store("memory://") as store:
        ingest(store, [NIGHT_LOG])
        answer = lineage(store, "dl2_LST-1.Run01807.h5")
        return things(export(answer, store, format_name="ro-crate"))


def things(content: bytes) -> list[Thing]:
    graph: list[Thing] = json.loads(content)["@graph"]
    return graph


def named(graph: list[Thing], name: str) -> Thing:
    return next(thing for thing in graph if thing.get("name") == name)


def references(value: Any) -> Iterator[str]:
    """Yield all ids that a value refers to."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        if set(value) == {"@id"}:
            yield value["@id"]
        for item in value.values():
            yield from references(item)


def test_the_head_says_what_a_crate_must(graph: list[Thing]) -> None:
    metadata, root = graph[0], graph[1]

    assert metadata["@id"] == "ro-crate-metadata.json"
    assert metadata["about"] == {"@id": "./"}
    assert root["conformsTo"] == {"@id": "https://w3id.org/ro/wfrun/process/0.5"}
    assert {"name", "description", "license", "datePublished"} <= root.keys()
    assert len(root["mentions"]) == 35


def test_every_reference_leads_to_something(graph: list[Thing]) -> None:
    ids = [thing["@id"] for thing in graph]
    outside = set(references(graph)) - set(ids)

    assert len(ids) == len(set(ids))
    assert {one for one in outside if not one.startswith("http")} == set()


def test_a_step_is_an_action_of_an_instrument(graph: list[Thing]) -> None:
    action = named(graph, "dl1_to_dl2")
    by_id = {thing["@id"]: thing for thing in graph}

    assert action["@type"] == "CreateAction"
    assert action["endTime"].startswith("2026-11-22T17:05:5")
    assert action["actionStatus"] == {"@id": "http://schema.org/CompletedActionStatus"}
    assert by_id[action["instrument"]["@id"]]["softwareVersion"] == "v0.12.3"
    assert by_id[action["agent"]["@id"]]["name"] == "Anonymous"


def test_versions_of_one_file_are_two_things() -> None:
    dl1 = file("/DL1/dl1 #1.h5")
    make = Step(name="r0_to_dl1", generated=[dl1], end=1)
    change = Step(name="dl1ab", used=[dl1], generated=[dl1], start=2, end=3)
    store = stored(dl1, make, change)

    graph = things(export(lineage(store, dl1.id), store, format_name="ro-crate"))

    places = [one["@id"] for one in graph if one["@type"] == "File"]
    assert len(set(places)) == 2
    assert {place.partition("#")[0] for place in places} == {
        "file:///DL1/dl1%20%231.h5"
    }


def test_a_failed_step_says_so() -> None:
    dl1 = file("/DL1/dl1.h5")
    store = stored(dl1, Step(name="r0_to_dl1", generated=[dl1], status="failed"))

    graph = things(export(lineage(store, dl1.id), store, format_name="ro-crate"))

    assert named(graph, "r0_to_dl1")["actionStatus"] == {
        "@id": "http://schema.org/FailedActionStatus"
    }


def test_a_crate_says_how_complete_it_is_and_what_is_in_doubt() -> None:
    written = export(MARKED, open_store("memory://"), format_name="ro-crate")

    graph = things(written)
    doubts = [one["value"] for one in graph if one.get("name") == "mark"]
    assert named(graph, "completeness")["value"] == MARKED.sentence
    assert [text.partition(":")[0] for text in doubts] == ["time_conflict"]
