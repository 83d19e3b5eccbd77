"""PROV in RDF, where each relation is one triple beside what else is said of it.

The library of PROV writes a relation with attributes only in its qualified form: a
node of its own, such as a ``prov:Usage``. Property paths such as
``prov:wasGeneratedBy/prov:used`` follow the plain triples of PROV-O, which the
qualified form implies (https://www.w3.org/TR/prov-o/#description-qualified-terms).
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from provdb.export.prefixes import Prefixes
from provdb.export.prov import document_of
from provdb.model.qualified import PROV
from provdb.model.statement import PLAIN_RELATIONS, Statement

if TYPE_CHECKING:
    from prov.model import ProvDocument

__all__ = ["prov_jsonld", "turtle"]


class _Triple(NamedTuple):
    """A relation in its plain form: URIs, and the bundle that it stands in."""

    subject: str
    relation: str
    object: str
    bundle: str | None


def turtle(statements: Iterable[Statement]) -> bytes:
    """Return statements as PROV-O in Turtle."""
    from prov.serializers.provrdf import ProvRDFSerializer
    from rdflib import URIRef
    from rdflib.graph import DATASET_DEFAULT_GRAPH_ID

    document, triples = _document(statements)
    graphs = ProvRDFSerializer(document).encode_document(document)
    graphs.addN(
        (
            URIRef(one.subject),
            URIRef(f"{PROV}{one.relation}"),
            URIRef(one.object),
            graphs.graph(
                URIRef(one.bundle) if one.bundle else DATASET_DEFAULT_GRAPH_ID
            ),
        )
        for one in triples
    )
    return graphs.serialize(format="turtle", encoding="utf-8")


def prov_jsonld(statements: Iterable[Statement]) -> bytes:
    """Return statements as PROV-JSONLD (https://www.w3.org/submissions/prov-jsonld/).

    The plain form of a relation is an attribute of the element that it is about, if
    the document has that element.
    """
    stream = BytesIO()
    document, triples = _document(statements)
    document.serialize(stream, format="jsonld")
    content: dict[str, Any] = orjson.loads(stream.getvalue())
    prefixes = Prefixes()
    plain: dict[tuple[str | None, str], dict[str, dict[str, None]]] = {}
    for one in triples:
        place = (one.bundle, prefixes.text(one.subject))
        objects = plain.setdefault(place, {}).setdefault(one.relation, {})
        objects[prefixes.text(one.object)] = None
    names = {prefixes.text(one.bundle): one.bundle for one in triples if one.bundle}
    for bundle, element in _elements(content["@graph"]):
        own = None if bundle is None else names.get(bundle)
        if bundle is None or own is not None:
            # An element may stand there several times; once is enough.
            for relation, objects in plain.pop((own, element["@id"]), {}).items():
                element[f"prov:{relation}"] = [{"@id": name} for name in objects]
    return orjson.dumps(content)


def _document(
    statements: Iterable[Statement],
) -> tuple["ProvDocument", list[_Triple]]:
    """Return the document of statements, and the plain forms of its relations."""
    stated = list(statements)
    triples = []
    for one in stated:
        ends = [one.argument(name) for name in PLAIN_RELATIONS.get(one.kind, ())]
        if len(ends) == 2 and all(ends):
            subject, object_ = map(str, ends)
            triples.append(_Triple(subject, one.kind, object_, one.bundle))
    return document_of(stated), triples


def _elements(
    graph: list[dict[str, Any]], bundle: str | None = None
) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Yield the elements of a graph and of its bundles, each with its bundle."""
    for node in graph:
        if node.get("@type") == "Bundle":
            yield from _elements(node.get("@graph", []), node["@id"])
        elif node.get("@type") in ("Entity", "Activity", "Agent"):
            yield bundle, node
