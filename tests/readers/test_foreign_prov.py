"""PROV documents of others: nothing in them is lost, and nothing is added to them."""

import json
from io import BytesIO
from typing import Final

import pytest

from provdb.errors import ReadError
from provdb.export import export
from provdb.ingest import ingest
from provdb.lineage import (
    Lineage,
    LineageEdge,
    LineageNode,
    lineage,
    tag_lineage,
)
from provdb.model import Document, fold
from provdb.model import fields as f
from provdb.store import Store

EX: Final = "http://example.org/"
# One event told twice: by the whole night, and by the step.
ACCOUNTS: Final = """
entity(ex:raw) entity(ex:cfg) entity(ex:dl2)
activity(ex:night, 2020-01-17T20:00:00, 2020-01-18T06:00:00)
activity(ex:step, 2020-01-17T21:00:00, 2020-01-17T22:00:00)
used(ex:night, ex:cfg, -)
used(ex:step, ex:raw, -)
wasGeneratedBy(ex:dl2, ex:step, 2020-01-17T22:00:00)
wasGeneratedBy(ex:dl2, ex:night, 2020-01-17T22:00:00)
"""
UNDECLARED: Final = """
activity(ex:step, 2020-01-17T21:00:00, 2020-01-17T22:00:00)
used(ex:step, ex:raw, -)
wasGeneratedBy(ex:dl2, ex:step, -)
"""


def read(store: Store, statements: str) -> None:
    """Write what a document in PROV-N states into a store."""
    text = (
        f"document\nprefix ex <{EX}>\nprefix provdb <urn:provdb:>\n"
        f"{statements}\nendDocument\n"
    )
    ingest(store, [BytesIO(text.encode())], on_problem=fail)


def fail(problem: ReadError) -> None:
    raise problem


def entity(store: Store, id_: str) -> Document:
    return next(iter(store.read(f.ENTITIES, [id_])))


def activity(store: Store, uri: str) -> Document:
    return next(iter(store.find(f.ACTIVITIES, {f.ACTIVITY_ID: uri})))


def test_an_entity_of_a_prov_document_is_one_fixed_thing(store: Store) -> None:
    read(store, ACCOUNTS)

    fixed = [document.get(f.FIXED) for document in store.scan(f.ENTITIES)]
    assert fixed == [True, True, True]


def test_both_accounts_of_one_event_are_stored(store: Store) -> None:
    read(store, ACCOUNTS)

    generators = {
        document[f.NAME]
        for document in store.scan(f.ACTIVITIES)
        for link in document[f.GENERATED]
        if link[f.ENTITY] == f"{EX}dl2"
    }
    assert generators == {"night", "step"}


def test_both_accounts_of_one_event_are_followed(store: Store) -> None:
    """Both raw and cfg are found, and no entity has a version."""
    read(store, ACCOUNTS)

    answer = lineage(store, f"{EX}dl2")

    assert {node.name for node in answer.nodes} >= {"raw", "cfg", "night", "step"}
    assert {node.version for node in answer.nodes} == {None}


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param(ACCOUNTS, id="two accounts"),
        pytest.param(UNDECLARED, id="undeclared"),
        pytest.param("used(ex:a, ex:e, -)", id="nothing declared"),
        pytest.param("wasInformedBy(ex:a, ex:b)", id="activities"),
        pytest.param("wasAssociatedWith(ex:a, ex:who, ex:plan)", id="agent and plan"),
        pytest.param("wasInvalidatedBy(ex:e, ex:a, -)", id="removal"),
        pytest.param("wasStartedBy(ex:a, ex:e, ex:b, -)", id="start"),
        pytest.param("hadMember(ex:e, ex:f)", id="member"),
    ],
)
def test_a_document_of_others_comes_back(store: Store, statements: str) -> None:
    read(store, statements)
    documents = [sorted(map(str, store.scan(name))) for name in f.COLLECTIONS]

    written = export(tag_lineage(store, "*"), store, format_name="prov-json")
    ingest(store, [BytesIO(written)], on_problem=fail)

    assert [sorted(map(str, store.scan(name))) for name in f.COLLECTIONS] == documents


def test_what_is_named_only_in_relations_can_be_asked_for(store: Store) -> None:
    read(store, UNDECLARED)

    answer = lineage(store, f"{EX}dl2")

    assert [node.name for node in answer.nodes] == ["dl2", "step", "raw"]


@pytest.mark.parametrize(
    ("relation", "name"),
    [
        pytest.param("wasDerivedFrom(ex:a, ex:b)", "b", id="wasDerivedFrom"),
        pytest.param("hadMember(ex:a, ex:b)", "b", id="hadMember"),
        pytest.param("specializationOf(ex:a, ex:b)", "b", id="specializationOf"),
        pytest.param("alternateOf(ex:a, ex:b)", "b", id="alternateOf"),
        pytest.param("wasInvalidatedBy(ex:a, ex:b, -)", "a", id="wasInvalidatedBy"),
        pytest.param("wasStartedBy(ex:a, ex:b, -, -)", "b", id="wasStartedBy"),
        pytest.param("wasAttributedTo(ex:a, ex:b)", "a", id="wasAttributedTo"),
        pytest.param("wasAttributedTo(ex:a, ex:b)", "b", id="agent"),
        pytest.param("actedOnBehalfOf(ex:a, ex:b)", "b", id="responsible"),
        pytest.param("wasAssociatedWith(ex:a, -, ex:b)", "b", id="plan"),
    ],
)
def test_every_relation_names_what_exists(
    store: Store, relation: str, name: str
) -> None:
    read(store, relation)

    assert entity(store, f"{EX}{name}")[f.NAME] == name


@pytest.mark.parametrize(
    "relation",
    [
        pytest.param("used(ex:a, ex:e, -)", id="used"),
        pytest.param("wasGeneratedBy(ex:e, ex:a, -)", id="wasGeneratedBy"),
        pytest.param("wasInformedBy(ex:b, ex:a)", id="informant"),
        pytest.param("wasStartedBy(ex:b, -, ex:a, -)", id="starter"),
        pytest.param("wasDerivedFrom(ex:d, ex:e, ex:a, -, -)", id="derivation"),
    ],
)
def test_an_activity_that_only_a_relation_names_exists(
    store: Store, relation: str
) -> None:
    read(store, relation)

    assert activity(store, f"{EX}a")[f.NAME] == "a"


@pytest.mark.parametrize(
    ("statements", "status"),
    [
        pytest.param("activity(ex:a)", "unknown", id="declared"),
        pytest.param("activity(ex:a, 2020-01-17T21:00:00, -)", "unknown", id="start"),
        pytest.param("used(ex:a, ex:e, -)", "unknown", id="only named"),
        pytest.param(
            "activity(ex:a, -, 2020-01-17T22:00:00)", "completed", id="with an end"
        ),
    ],
)
def test_nobody_stated_that_an_activity_is_running(
    store: Store, statements: str, status: str
) -> None:
    read(store, statements)

    assert activity(store, f"{EX}a")[f.STATUS] == status


def test_a_file_of_provdb_keeps_its_versions_when_others_describe_it(
    store: Store,
) -> None:
    read(store, 'entity(provdb:entity-446f45, [ex:quality="good"])')

    document = entity(store, "446f45")
    assert f.FIXED not in document
    assert document[f.EXTRA]["prov"]["attributes"] == [[f"{EX}quality", "good"]]


def test_what_a_pipeline_describes_too_is_a_file_that_may_be_overwritten(
    store: Store,
) -> None:
    read(store, UNDECLARED)

    store.write(fold([{"entity_id": f"{EX}dl2", "filepath": f"{EX}dl2"}]))

    assert f.FIXED not in entity(store, f"{EX}dl2")
    assert entity(store, f"{EX}raw")[f.FIXED] is True


def test_a_removal_is_one_of_the_links_of_its_activity(store: Store) -> None:
    read(store, "wasInvalidatedBy(ex:dl1, ex:clean, 2020-01-19T00:00:00)")

    links = activity(store, f"{EX}clean")[f.INVALIDATED]
    assert [link[f.ENTITY] for link in links] == [f"{EX}dl1"]


def test_two_accounts_of_one_event_are_exported_as_they_were_stated(
    store: Store,
) -> None:
    """They are not parts of a file, and nothing is said beside them."""
    read(store, ACCOUNTS)
    dl2 = LineageNode(f"{EX}dl2", "entity", "dl2", entity=f"{EX}dl2")
    steps = [
        LineageNode(document[f.ID], "activity", document[f.NAME])
        for document in store.scan(f.ACTIVITIES)
    ]
    answer = Lineage(
        question={"direction": "none"},
        start=dl2.id,
        nodes=(dl2, *steps),
        edges=tuple(LineageEdge(dl2.id, one.id, "wasGeneratedBy") for one in steps),
    )

    written = json.loads(export(answer, store, format_name="prov-json"))

    stated = {"prov:entity": "ns1:dl2", "prov:time": "2020-01-17T22:00:00"}
    assert sorted(written["wasGeneratedBy"].values(), key=str) == [
        stated | {"prov:activity": "ns1:night"},
        stated | {"prov:activity": "ns1:step"},
    ]
    assert "hadMember" not in written
