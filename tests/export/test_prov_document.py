"""The document of a lineage: the same nodes and edges, with what documents say."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final

import pytest
from prov.model import ProvDocument, ProvRecord

from provdb.export import export, prov_document
from provdb.export.details import Details
from provdb.export.prov import document_of
from provdb.export.statements import statements_of
from provdb.ingest import ingest
from provdb.lineage import (
    Lineage,
    LineageEdge,
    LineageNode,
    impact,
    lineage,
    tag_lineage,
)
from provdb.lineage.result import Completeness
from provdb.model import fold
from provdb.store import Store, open_store
from tests.samples import NIGHT_LOG

DL2: Final = "dl2_LST-1.Run01807.h5"
# A step that read a file which a killed job may have changed.
DAMAGED: Final = Lineage(
    question={"name": "dl1", "direction": "downstream"},
    start="dl1",
    nodes=(
        LineageNode("dl1", "entity", "DL1SubrunDataset", origin="gap"),
        LineageNode("step", "activity", "dl1_to_dl2", marks=("incomplete",)),
    ),
    edges=(
        LineageEdge(
            "step",
            "dl1",
            "used",
            evidence="order",
            marks=("maybe_damaged",),
            damaged_by=("killed",),
        ),
    ),
    completeness=Completeness(gaps=("dl1",), contested=1),
)
PEDESTAL: Final = "drs4_pedestal.Run01804.0000.h5"


@pytest.fixture(scope="module")
def night() -> Iterator[Store]:
    """A store with the night of two runs."""
    with open_store("memory://") as opened:
        ingest(opened, [NIGHT_LOG])
        yield opened


@pytest.fixture(scope="module")
def answer(night: Store) -> Lineage:
    """The lineage of the merged DL2 file of one run."""
    return lineage(night, DL2)


@pytest.fixture(scope="module")
def document(answer: Lineage, night: Store) -> ProvDocument:
    """The PROV document of that lineage."""
    return prov_document(answer, night)


def one(document: ProvDocument, label: str) -> dict[str, Any]:
    """Return the attributes of the first element with a label."""
    found = next(r for r in document.get_records() if r.label == label)
    return {str(name): value for name, value in found.attributes}


def of_kind(document: ProvDocument, kind: str) -> list[ProvRecord]:
    return [r for r in document.get_records() if str(r.get_type()) == kind]


def test_every_node_is_an_element(document: ProvDocument, answer: Lineage) -> None:
    activities = [node for node in answer.nodes if node.kind == "activity"]
    names = {str(record.identifier) for record in of_kind(document, "prov:Entity")}
    files = {name for name in names if name.startswith("provdb:entity-")}

    assert len(of_kind(document, "prov:Activity")) == len(activities)
    assert len(files) == len(answer.nodes) - len(activities)


@pytest.mark.parametrize(
    ("kind", "relation"),
    [
        pytest.param("prov:Usage", "used", id="used"),
        pytest.param("prov:Generation", "wasGeneratedBy", id="wasGeneratedBy"),
    ],
)
def test_every_edge_is_a_relation(
    document: ProvDocument, answer: Lineage, kind: str, relation: str
) -> None:
    edges = [edge for edge in answer.edges if edge.relation == relation]

    assert len(of_kind(document, kind)) == len(edges) > 0


def test_a_file_has_its_place_level_run_and_version(document: ProvDocument) -> None:
    file = one(document, "DL2MergedFile")

    assert file["prov:location"].endswith(f"/model2/{DL2}")
    assert file["provdb:level"] == "DL2"
    assert file["provdb:run"] == 1807
    assert file["provdb:version"] == "dd641bb41e4e"


def test_an_activity_has_its_session_and_its_environment(
    document: ProvDocument,
) -> None:
    step = one(document, "dl1_to_dl2")

    assert step["provdb:status"] == "completed"
    assert step["provdb:session_tag"] == "dl1_to_dl2:01807"
    assert document.get_record(step["provdb:session"])
    assert document.get_record(step["provdb:environment"])


def test_an_activity_is_associated_with_who_ran_it(document: ProvDocument) -> None:
    associations = of_kind(document, "prov:Association")

    assert len(associations) == len(of_kind(document, "prov:Activity"))
    assert {str(association.args[1]) for association in associations} == {
        "provdb:agent-Anonymous"
    }


def test_an_activity_is_informed_by_those_whose_files_it_used(
    document: ProvDocument, answer: Lineage
) -> None:
    step = next(node for node in answer.nodes if node.name == "r0_to_dl1")
    informed = f"provdb:activity-{step.id}"

    informants = {
        one_of.args[1]
        for one_of in of_kind(document, "prov:Communication")
        if str(one_of.args[0]) == informed
    }

    labels = [document.get_record(name)[0].label for name in informants]
    assert sorted(labels) == ["calibrate_charge", "drs4_pedestal"]


def test_a_session_stands_there_once_with_what_its_script_said(
    document: ProvDocument,
) -> None:
    sessions = [
        {str(name): value for name, value in record.attributes}
        for record in of_kind(document, "prov:Entity")
        if str(record.identifier).startswith("provdb:session-dl1ab")
    ]

    assert [session["property:observation_date"] for session in sessions] == [
        "20200117"
    ]


def test_every_usage_says_how_it_is_known(
    document: ProvDocument, answer: Lineage
) -> None:
    said = [
        str(value)
        for usage in of_kind(document, "prov:Usage")
        for name, value in usage.attributes
        if str(name) == "provdb:evidence"
    ]

    used = [edge.evidence for edge in answer.edges if edge.relation == "used"]
    assert sorted(said) == sorted(used) != []


def test_an_edge_in_doubt_is_marked() -> None:
    document = document_of(statements_of(DAMAGED, Details()))

    (usage,) = of_kind(document, "prov:Usage")

    said = {str(name): str(value) for name, value in usage.extra_attributes}
    assert said == {
        "provdb:evidence": "order",
        "provdb:mark": "maybe_damaged",
        "provdb:damaged_by": "provdb:activity-killed",
    }


def test_a_node_in_doubt_is_marked() -> None:
    document = document_of(statements_of(DAMAGED, Details()))

    assert one(document, "dl1_to_dl2")["provdb:mark"] == "incomplete"


def test_a_document_says_how_complete_the_answer_is() -> None:
    document = document_of(statements_of(DAMAGED, Details()))

    said = one(document, "Not complete: 1 gap; 1 edge contested.")
    assert str(said["provdb:gap"]) == "provdb:entity-dl1"
    assert said["provdb:complete"] is False


def test_what_an_answer_says_of_itself_is_no_history(night: Store) -> None:
    written = export(DAMAGED, night, format_name="prov-json")
    store = open_store("memory://")

    ingest(store, [BytesIO(written)])

    content = str([*store.scan("activities"), *store.scan("entities")])
    assert "order" not in content
    assert "damaged" not in content
    assert "incomplete" not in content


def test_an_entity_is_generated_once(night: Store) -> None:
    """A merged file is a collection of parts, each with its own activity."""
    written = prov_document(tag_lineage(night, "*"), night)

    generations = {
        (str(record.args[0]), str(record.args[1]))
        for record in of_kind(written, "prov:Generation")
    }
    assert len({entity for entity, _ in generations}) == len(generations) > 0


def test_a_merged_file_is_a_collection_of_its_parts(
    document: ProvDocument, answer: Lineage
) -> None:
    merged = f"provdb:entity-{answer.start.replace('@', '.')}"

    parts = {
        str(record.args[1])
        for record in of_kind(document, "prov:Membership")
        if str(record.args[0]) == merged
    }

    generated = [str(r.args[0]) for r in of_kind(document, "prov:Generation")]
    assert len(parts) == 11
    assert sorted(parts) == sorted(name for name in generated if "part-" in name)


def test_a_nested_activity_was_started_by_the_one_around_it() -> None:
    step = {"in_session": "7", "session_tag": "r0_to_dl1:01807"}
    store = open_store("memory://")
    store.write(
        fold(
            [
                {"activity_id": "621ca2", "name": "night", **step},
                {
                    "activity_id": "621ca3",
                    "name": "r0_to_dl1",
                    "started_by": "621ca2",
                    **step,
                },
            ]
        )
    )

    written = prov_document(tag_lineage(store, "*"), store)

    (start,) = of_kind(written, "prov:Start")
    names = [written.get_record(start.args[place])[0].label for place in (0, 2)]
    assert names == ["r0_to_dl1", "night"]


def test_an_impact_is_a_document_too(night: Store) -> None:
    answer = impact(night, PEDESTAL)

    document = prov_document(answer, night)

    relations = ("prov:Usage", "prov:Generation", "prov:Derivation")
    count = sum(len(of_kind(document, relation)) for relation in relations)
    assert count == len(answer.edges)
