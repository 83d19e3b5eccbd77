"""Every format has the nodes and edges of the lineage, and says what it needs."""

import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, Final

import pytest
from prov.model import ProvDocument

from provdb.errors import MissingExtra, UnknownFormat
from provdb.export import FORMATS, export, format_of, get_format, prov_document
from provdb.export.details import read_details
from provdb.export.prov_json import prov_json
from provdb.export.statements import statements_of
from provdb.ingest import ingest
from provdb.lineage import Lineage, collapse, impact, lineage
from provdb.readers.prov import PROV_FORMATS, read_document
from provdb.store import Store, open_store
from provdb_cli.options import GRAPH_FORMATS
from tests.lineage.histories import Step, file, stored
from tests.samples import NIGHT_LOG

_LIBRARY: Final = {
    "prov-json": "prov-json",
    "prov-xml": "prov-xml",
    "turtle": "rdf",
    "prov-n": "prov-n",
    "prov-jsonld": "prov-jsonld",
}
_READERS: Final = {one.name: one for one in PROV_FORMATS}
_EDGES: Final = ("used", "wasGeneratedBy", "wasDerivedFrom", "hadMember")

Counts = dict[str, int]


@pytest.fixture(scope="module")
def night() -> Store:
    """A store with the night of two runs."""
    store = open_store("memory://")
    ingest(store, [NIGHT_LOG])
    return store


@pytest.fixture(
    scope="module", params=["lineage", "impact", "collapsed", "every relation"]
)
def asked(request: pytest.FixtureRequest, night: Store) -> tuple[Lineage, Store]:
    """An answer, and the store that gave it."""
    r0, dl1, dl2 = file("/R0/a.fits"), file("/DL1/a.h5"), file("/DL2/a.h5")
    group = file("/DL2/", "DL2Collection").holding(dl2, dl1)
    step = Step(name="dl1_to_dl2", used=[dl1], generated=[dl2])
    small = stored(r0, dl1, dl2, group.derived(r0), step)
    answers: dict[str, Callable[[], tuple[Lineage, Store]]] = {
        "lineage": lambda: (lineage(night, "dl2_LST-1.Run01807.h5"), night),
        "impact": lambda: (impact(night, "drs4_pedestal.Run01804.0000.h5"), night),
        "collapsed": lambda: (collapse(lineage(night, "dl2_LST-1.Run01807.h5")), night),
        "every relation": lambda: (lineage(small, group.id), small),
    }
    return answers[request.param]()


@pytest.mark.parametrize("format_name", _LIBRARY)
def test_a_prov_document_has_the_nodes_and_edges(
    asked: tuple[Lineage, Store], format_name: str
) -> None:
    answer, store = asked

    content = export(answer, store, format_name=format_name)

    assert counts_in(content, format_name, answer) == counts_of(answer)


def test_a_crate_has_the_nodes_and_edges(asked: tuple[Lineage, Store]) -> None:
    answer, store = asked

    graph = json.loads(export(answer, store, format_name="ro-crate"))["@graph"]

    actions = [thing for thing in graph if thing["@type"] == "CreateAction"]
    files = {id_ for thing in graph for id_ in [thing["@id"]]}
    assert len(actions) == counts_of(answer)["activity"]
    assert len(files) == len(graph)
    assert links(actions, "result") == pairs_of(answer, "wasGeneratedBy")
    assert links(actions, "object") - parameters(graph) == pairs_of(answer, "used")
    assert links(graph, "isBasedOn") == pairs_of(answer, "wasDerivedFrom")


def test_a_graph_has_the_nodes_and_edges(asked: tuple[Lineage, Store]) -> None:
    answer, store = asked
    shown = answer.question.get("collapse", "none")

    text = export(answer, store, format_name="dot", granularity=shown).decode()

    boxes = re.findall(r'^  "([^"]+)" \[', text, re.MULTILINE)
    arrows = re.findall(r'^  "([^"]+)" -> "([^"]+)" \[', text, re.MULTILINE)
    assert sorted(boxes) == sorted(node.id for node in answer.nodes)
    assert set(arrows) == {(edge.source, edge.target) for edge in answer.edges}


def test_a_flowchart_has_as_many_nodes_and_edges(asked: tuple[Lineage, Store]) -> None:
    answer, store = asked
    shown = answer.question.get("collapse", "none")

    text = export(answer, store, format_name="mermaid", granularity=shown).decode()

    boxes = re.findall(r"^  (n\d+)[\[({>]", text, re.MULTILINE)
    arrows = re.findall(r"^  n\d+ [-=.|].*> ?n\d+$|^  n\d+ -.*n\d+", text, re.MULTILINE)
    assert len(boxes) == len(set(boxes)) == len(answer.nodes)
    assert len(arrows) == len({(edge.source, edge.target) for edge in answer.edges})


def test_the_library_reads_what_is_written_without_it(
    asked: tuple[Lineage, Store],
) -> None:
    answer, store = asked

    text = prov_json(statements_of(answer, read_details(answer, store))).decode()

    document = ProvDocument.deserialize(content=text, format="json")
    assert document == prov_document(answer, store)


def test_output_is_the_same_each_time(asked: tuple[Lineage, Store]) -> None:
    answer, store = asked

    once, again = (export(answer, store, format_name="prov-json") for _ in range(2))

    assert once == again


@pytest.mark.parametrize(
    ("name", "format_name"),
    [
        ("lineage.json", "prov-json"),
        ("lineage.provn", "prov-n"),
        ("lineage.xml", "prov-xml"),
        ("LINEAGE.TTL", "turtle"),
        ("lineage.jsonld", "prov-jsonld"),
        ("crate/ro-crate-metadata.json", "ro-crate"),
        ("lineage.svg", "svg"),
        ("lineage.dot", "dot"),
    ],
)
def test_the_name_of_a_file_chooses_the_format(name: str, format_name: str) -> None:
    assert format_of(PurePath(name)).name == format_name


@pytest.mark.parametrize("name", ["lineage", "lineage.docx", ".hidden"])
def test_an_unknown_ending_is_told_with_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownFormat, match=r"known are \.json, \.provjson"):
        format_of(PurePath(name))


def test_an_unknown_format_is_told_with_the_known_ones() -> None:
    with pytest.raises(UnknownFormat, match="no format prov; known are prov-json, "):
        get_format("prov")


def test_the_command_line_knows_all_formats() -> None:
    assert sorted(GRAPH_FORMATS) == sorted(FORMATS)


@pytest.mark.parametrize(
    ("format_name", "library"), [("turtle", "rdflib"), ("prov-xml", "lxml")]
)
def test_a_missing_library_is_named_with_the_line_that_installs_it(
    night: Store,
    monkeypatch: pytest.MonkeyPatch,
    format_name: str,
    library: str,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    answer = lineage(night, "dl2_LST-1.Run01807.h5")

    with pytest.raises(MissingExtra, match=rf"^{library} .*'provdb\[formats\]'$"):
        export(answer, night, format_name=format_name)


def counts_of(answer: Lineage) -> Counts:
    """Return how many nodes and edges of each kind an answer has."""
    activities = sum(node.kind == "activity" for node in answer.nodes)
    relations = [edge.relation for edge in answer.edges]
    members = sum(len(n.members) for n in answer.nodes if n.kind != "activity")
    counts = {name: relations.count(name) for name in _EDGES}
    counts["hadMember"] += members
    entities = len(answer.nodes) - activities + members
    return {"activity": activities, "entity": entities, **counts}


def counts_in(content: bytes, format_name: str, answer: Lineage) -> Counts:
    """Return the same of a document."""
    statements = read_document(content, _READERS[_LIBRARY[format_name]], "a document")
    kinds = [
        statement.kind
        for statement in statements
        if statement.kind != "entity" or "urn:provdb:entity-" in str(statement.id)
        # A merged file has a member for each part, which is no node.
        if "urn:provdb:part-" not in str(statement.argument("entity"))
        or statement.kind != "hadMember"
    ]
    return {kind: kinds.count(kind) for kind in ("activity", "entity", *_EDGES)}


def links(things: list[dict[str, Any]], key: str) -> int:
    return sum(len(thing.get(key, ())) for thing in things)


def parameters(graph: list[dict[str, Any]]) -> int:
    names = {one["@id"] for one in graph if one["@type"] == "PropertyValue"}
    return sum(ref["@id"] in names for one in graph for ref in one.get("object", ()))


def pairs_of(answer: Lineage, relation: str) -> int:
    """Return how many pairs of nodes a relation joins; a crate has no roles."""
    return len({(e.source, e.target) for e in answer.edges if e.relation == relation})
