"""The document of a lineage: the same nodes and edges, with what documents say."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from prov.model import ProvDocument, ProvRecord

from provdb.export import prov_document
from provdb.ingest import ingest
from provdb.lineage import Lineage, impact, lineage
from provdb.store import Store, open_store
from tests.samples import NIGHT_LOG

DL2: Final = "dl2_LST-1.Run01807.h5"
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


def test_an_impact_is_a_document_too(night: Store) -> None:
    answer = impact(night, PEDESTAL)

    document = prov_document(answer, night)

    relations = ("prov:Usage", "prov:Generation", "prov:Derivation")
    count = sum(len(of_kind(document, relation)) for relation in relations)
    assert count == len(answer.edges)
