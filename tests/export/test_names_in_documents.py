"""Every name that a PROV document of provdb has leads back to what it names."""

from typing import Final

import pytest

import provdb
from provdb.export import export
from provdb.lineage import Lineage, collapse, lineage, tag_lineage
from provdb.model import fields as f
from provdb.model.qualified import QualifiedId, parse_uri, uri_of
from provdb.model.statement import TIMES, Statement
from provdb.readers.prov import PROV_FORMATS, read_document
from provdb.store import Store, open_store

_JSON: Final = PROV_FORMATS[0]
_COLLECTIONS: Final = {
    "activity": f.ACTIVITIES,
    "entity": f.ENTITIES,
    "part": f.ENTITIES,
    "session": f.SESSIONS,
    "environment": f.ENVIRONMENTS,
}


@pytest.fixture(scope="module")
def demo() -> Store:
    """A store with the demonstration pipeline."""
    store = open_store("memory://")
    provdb.store_demo(store)
    return store


def names_in(answer: Lineage, store: Store) -> set[QualifiedId | None]:
    """Return what the names of provdb in a document name."""
    content = export(answer, store, format_name="prov-json")
    statements = read_document(content, _JSON, "a document")
    return {
        parse_uri(uri)
        for statement in statements
        for uri in uris_of(statement)
        if uri.startswith("urn:provdb:")
    }


def uris_of(statement: Statement) -> list[str]:
    ends = [uri for name, uri in statement.arguments if name not in TIMES]
    return ends if statement.id is None else [*ends, statement.id]


@pytest.mark.parametrize(
    ("kind", "id_", "version"),
    [
        pytest.param("entity", "446f45dd1c878559", None, id="entity"),
        pytest.param("entity", "446f45dd1c878559", "9c3006f3f024", id="version"),
        pytest.param("entity", "http://example.org/dl1", "9c30", id="entity by URI"),
        pytest.param("entity", "DL1Collection 01618", None, id="collection"),
        pytest.param("part", "446f45", "7542cfa8c5e21b9b", id="part"),
        pytest.param("activity", "7542cfa8c5e21b9b", None, id="activity"),
        pytest.param("agent", "José García <j@example.org>", None, id="agent"),
        pytest.param("session", "r0_to_dl1:01618/8739478486569", None, id="session"),
        pytest.param("environment", "82f6e615a7ba", None, id="environment"),
        pytest.param("file", "44136fa355b3", None, id="content"),
        pytest.param("answer", "446f45@9c3006f3f024", None, id="answer"),
    ],
)
def test_the_name_of_every_kind_is_read_back(
    kind: str, id_: str, version: str | None
) -> None:
    assert parse_uri(uri_of(kind, id_, version)) == QualifiedId(kind, id_, version)


@pytest.mark.parametrize("granularity", ["none", "activity", "run"])
def test_every_name_in_a_document_is_read_back(demo: Store, granularity: str) -> None:
    answer = collapse(lineage(demo, "dl3_LST-1.Run01807.fits"), to=granularity)

    assert None not in names_in(answer, demo)


@pytest.mark.parametrize("kind", _COLLECTIONS)
def test_every_name_in_a_document_is_of_a_document_in_the_store(
    demo: Store, kind: str
) -> None:
    named = {
        name.id
        for name in names_in(tag_lineage(demo, "*"), demo)
        if name is not None and name.kind == kind
    }

    stored = {document[f.ID] for document in demo.scan(_COLLECTIONS[kind])}
    assert named
    assert named <= stored
