"""RDF has the plain relations of PROV-O, so that its property paths find data."""

from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

import orjson
import pytest
from rdflib import Graph

from provdb.export import export
from provdb.ingest import ingest
from provdb.lineage import Lineage, lineage
from provdb.readers.prov import PROV_FORMATS, read_document
from provdb.store import Store, open_store
from tests.export.lineages import MARKED
from tests.samples import NIGHT_LOG

DL1: Final = "dl1_LST-1.Run01807.0000.h5"
DL2: Final = "dl2_LST-1.Run01807.h5"
_READERS: Final = {one.name: one for one in PROV_FORMATS}
_LIBRARY: Final = {"turtle": "rdf", "prov-jsonld": "prov-jsonld"}

# Of rdflib, in its own reader of JSON-LD.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph")
every_format = pytest.mark.parametrize("format_name", _LIBRARY)


@pytest.fixture(scope="module")
def night() -> Store:
    """A store with the night of two runs."""
    store = open_store("memory://")
    ingest(store, [NIGHT_LOG])
    return store


def graph_of(answer: Lineage, store: Store, format_name: str) -> Graph:
    """Return the graph that an export is to tools of RDF."""
    content = export(answer, store, format_name=format_name)
    return _PARSED[format_name](content)


def _turtle(content: bytes) -> Graph:
    return Graph().parse(data=content, format="turtle")


def _jsonld(content: bytes) -> Graph:
    from prov.serializers.provjsonld import load_vendored_context

    document = orjson.loads(content)
    # It is on the network.
    document["@context"][-1] = load_vendored_context()
    return Graph().parse(data=orjson.dumps(document), format="json-ld")


_PARSED: Final[dict[str, Callable[[bytes], Graph]]] = {
    "turtle": _turtle,
    "prov-jsonld": _jsonld,
}


def levels_along(graph: Graph, answer: Lineage, path: str) -> list[str]:
    """Return the locations of the R0 files that a path leads to, in order."""
    id_ = answer.start.replace("@", ".")
    rows: Any = graph.query(
        f"""PREFIX prov: <http://www.w3.org/ns/prov#>
        PREFIX provdb: <urn:provdb:>
        SELECT DISTINCT ?file WHERE {{
            provdb:entity-{id_} {path} ?file . ?file provdb:level "R0" .
        }}"""
    )
    return sorted(str(row.file) for row in rows)


def raw_files(answer: Lineage) -> list[str]:
    return sorted(
        f"urn:provdb:entity-{node.entity}"
        for node in answer.nodes
        if node.level == "R0"
    )


@every_format
def test_a_property_path_leads_from_a_file_to_its_raw_files(
    night: Store, format_name: str
) -> None:
    answer = lineage(night, DL1)
    graph = graph_of(answer, night, format_name)

    found = levels_along(graph, answer, "(prov:wasGeneratedBy/prov:used)+")

    assert found == raw_files(answer) != []


@every_format
def test_a_property_path_leads_from_a_merged_file_through_its_parts(
    night: Store, format_name: str
) -> None:
    answer = lineage(night, DL2)
    graph = graph_of(answer, night, format_name)

    found = levels_along(
        graph, answer, "(prov:hadMember?/prov:wasGeneratedBy/prov:used)+"
    )

    assert found == raw_files(answer)
    assert len(found) > 11


@every_format
@pytest.mark.parametrize(
    "relation",
    ["used", "wasGeneratedBy", "wasInformedBy", "wasAssociatedWith", "hadMember"],
)
def test_every_relation_stands_there_in_its_plain_form(
    night: Store, format_name: str, relation: str
) -> None:
    answer = lineage(night, DL2)
    content = export(answer, night, format_name="prov-json")
    stated = read_document(content, _READERS["prov-json"], "a document")

    graph = graph_of(answer, night, format_name)

    rows: Any = graph.query(
        "PREFIX prov: <http://www.w3.org/ns/prov#> "
        f"SELECT ?a ?b WHERE {{ ?a prov:{relation} ?b }}"
    )
    pairs = {(str(row.a), str(row.b)) for row in rows}
    assert pairs == {
        (one.arguments[0][1], one.arguments[1][1])
        for one in stated
        if one.kind == relation
    }


@every_format
def test_what_a_rule_inferred_is_no_statement_when_it_is_read(format_name: str) -> None:
    """The plain form has no attributes, and says nothing of its own."""
    written, again = open_store("memory://"), open_store("memory://")
    ingest(again, [BytesIO(export(MARKED, written, format_name=format_name))])

    derived = [one for one in again.scan("entities") if "derived_from" in one]
    assert derived == []


@every_format
def test_a_relation_in_both_forms_is_read_once(night: Store, format_name: str) -> None:
    answer = lineage(night, DL1)
    forms = {
        name: read_document(
            export(answer, night, format_name=name), _READERS[library], "a document"
        )
        for name, library in {**_LIBRARY, "prov-json": "prov-json"}.items()
    }

    kinds = [
        sorted(one.kind for one in forms[name]) for name in ("prov-json", format_name)
    ]
    assert kinds[0] == kinds[1]
