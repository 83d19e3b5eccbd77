"""A definition adds the classes of the IVOA's model to a document."""

from io import BytesIO
from pathlib import Path
from typing import Final

import pytest

import provdb.demo
from provdb.capture.definition import get_definition, parse_definition
from provdb.export import export
from provdb.ingest import ingest
from provdb.lineage import Lineage, lineage
from provdb.model import fields as f
from provdb.model.qualified import IVOA
from provdb.model.statement import TYPE, Statement
from provdb.readers.prov import PROV_FORMATS, read_document
from provdb.store import Store, open_store
from tests.samples import NIGHT_LOG

_DEFINITION: Final = Path(str(provdb.demo.__file__)).with_name("definition.yaml")
_AGENTS: Final = """
agents:
  Anonymous: {type: Person, email: lst@example.org}
"""


@pytest.fixture(scope="module")
def night() -> Store:
    """A store with the night of two runs."""
    store = open_store("memory://")
    ingest(store, [NIGHT_LOG])
    return store


@pytest.fixture(scope="module")
def answer(night: Store) -> Lineage:
    """The lineage of a DL2 file."""
    return lineage(night, "dl2_LST-1.Run01807.h5")


@pytest.fixture(scope="module")
def statements(night: Store, answer: Lineage) -> list[Statement]:
    """What its document states, with the definition of the demo."""
    content = export(
        answer,
        night,
        format_name="prov-json",
        definition=get_definition(_DEFINITION),
    )
    return read_document(content, PROV_FORMATS[0], "a document")


def of_class(statements: list[Statement], name: str) -> list[Statement]:
    return [
        one
        for one in statements
        if any(value == _class(name) for value in one.values(TYPE))
    ]


def _class(name: str) -> dict[str, str]:
    return {
        "value": f"{IVOA}{name}",
        "type": "http://www.w3.org/ns/prov#QUALIFIED_NAME",
    }


def test_each_step_and_file_has_its_description(
    statements: list[Statement], answer: Lineage
) -> None:
    steps = of_class(statements, "ActivityDescription")
    described = of_class(statements, "DescriptionRelation")

    names = {node.name for node in answer.nodes if node.kind == "activity"}
    assert {one.value(f"{IVOA}name") for one in steps} == names
    assert {one.argument("influencer") for one in described} >= {
        one.id for one in steps
    }
    assert len(
        [o for o in described if "activity-" in str(o.argument("influencee"))]
    ) == (sum(node.kind == "activity" for node in answer.nodes))


def test_usages_and_generations_are_described_by_their_roles(
    statements: list[Statement],
) -> None:
    roles = {
        one.value(f"{IVOA}role")
        for name in ("UsageDescription", "GenerationDescription")
        for one in of_class(statements, name)
    }

    assert {"Observation subrun", "Pedestal file", "DL1 subrun dataset"} <= roles


def test_a_parameter_stands_there_once_and_configures_every_step(
    statements: list[Statement],
) -> None:
    parameters = of_class(statements, "Parameter")

    assert [(p.value(f"{IVOA}name"), p.value(f"{IVOA}value")) for p in parameters] == [
        ("StoreImage", "True")
    ]
    configured = [
        one
        for one in of_class(statements, "ConfigurationRelation")
        if one.argument("influencer") == parameters[0].id
    ]
    assert len(configured) == 11
    assert {one.value(f"{IVOA}artefactType") for one in configured} == {"Parameter"}


def test_a_configuration_file_is_one(statements: list[Statement]) -> None:
    files = of_class(statements, "ConfigFile")

    assert [one.value(f"{IVOA}location") for one in files] == [
        "/software/lstchain/data/lstchain_standard_config.json"
    ]


def test_an_agent_has_what_is_declared_of_it(night: Store, answer: Lineage) -> None:
    content = export(
        answer, night, format_name="prov-n", definition=parse_definition(_AGENTS)
    ).decode()

    assert 'voprov:email="lst@example.org"' in content
    assert "prov:type='prov:Person'" in content


@pytest.mark.parametrize("format_name", ["prov-json", "prov-xml", "turtle"])
def test_what_is_declared_is_no_history(
    night: Store, answer: Lineage, format_name: str
) -> None:
    """It is read from the definition, not from what was written with it."""
    definition = get_definition(_DEFINITION)
    plain, declared = open_store("memory://"), open_store("memory://")

    ingest(plain, [BytesIO(export(answer, night, format_name=format_name))])
    content = export(answer, night, format_name=format_name, definition=definition)
    ingest(declared, [BytesIO(content)])

    assert list(declared.scan(f.ENTITIES)) == list(plain.scan(f.ENTITIES))
    assert list(declared.scan(f.ACTIVITIES)) == list(plain.scan(f.ACTIVITIES))
