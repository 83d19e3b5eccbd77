"""Documents of PROV are known by their content, and what is wrong in one is told."""

import importlib.util
import json
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import prov.tests
import pytest

from provdb.errors import ReadError
from provdb.ingest import IngestReport, ingest
from provdb.lineage import lineage
from provdb.model import fields as f
from provdb.readers import Source
from provdb.readers.formats import find_format, format_named
from provdb.store import Store, open_store

_OTHERS: Final = Path(str(prov.tests.__file__)).parent
_MALFORMED: Final = sorted((_OTHERS / "malformed").iterdir())
_EXAMPLES: Final = Path(__file__).parents[1] / "data" / "prov"
_SUFFIXES: Final = {
    ".json": "prov-json",
    ".xml": "prov-xml",
    ".ttl": "rdf",
    ".rdf": "rdf",
}
_FORMATS: Final = {".json": "prov-json", ".ttl": "rdf", ".provn": "prov-n"}

EX: Final = "http://example.org/"


def document(**sections: dict[str, Any]) -> bytes:
    return json.dumps({"prefix": {"ex": EX}, **sections}).encode()


def read(content: bytes) -> tuple[Store, IngestReport, list[str]]:
    """Return a store with what a document holds, and what was told of it."""
    store, problems = open_store("memory://"), []
    report = ingest(
        store, [BytesIO(content)], on_problem=lambda p: problems.append(str(p))
    )
    return store, report, problems


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b'{"prefix": {"ex": "http://e/"}}', "prov-json"),
        (b'\xef\xbb\xbf\n {"entity": {}}', "prov-json"),
        (b'{"wasGeneratedBy": {"_:a": {}}}', "prov-json"),
        (b'{"@context": ["https://openprovenance.org/prov-jsonld/x"]}', "prov-jsonld"),
        (b'<?xml version="1.0"?>\n<prov:document '
         b'xmlns:prov="http://www.w3.org/ns/prov#"/>', "prov-xml"),
        (b"@prefix prov: <http://www.w3.org/ns/prov#> .", "rdf"),
        (b"# made by hand\nPREFIX prov: <http://www.w3.org/ns/prov#>", "rdf"),
        (b"// a comment\ndocument\nendDocument", "prov-n"),
        (b"{'entity_id': '446f45'}", "lstosa"),
        (b"{}", "lstosa"),
        (b"@prefix ex: <http://e/> .", "lstosa"),
    ],
)  # fmt: skip
def test_a_document_is_known_by_its_content(content: bytes, name: str) -> None:
    found = find_format(Source(BytesIO(content)))

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("path", sorted(_EXAMPLES.iterdir()), ids=lambda p: p.name)
def test_one_history_is_the_same_in_every_format(path: Path) -> None:
    """Bundles, n-ary relations, languages and times, in the words of a telescope."""
    store, report, problems = read(path.read_bytes())

    answer = lineage(store, "http://example.org/dl1")
    assert (problems, list(report.formats)) == ([], [_FORMATS[path.suffix]])
    assert [(node.kind, node.name) for node in answer.nodes] == [
        ("entity", "DL1 of one subrun"),
        ("activity", "r0_to_dl1"),
        ("entity", "LST-1.1.Run01618.0008.fits.fz"),
        ("entity", "drs4_pedestal"),
    ]
    assert {(edge.relation, edge.role) for edge in answer.edges} == {
        ("wasGeneratedBy", "DL1 subrun dataset"),
        ("used", "Observation subrun"),
        ("used", "Pedestal file"),
        ("wasDerivedFrom", None),
    }


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.name) for path in _MALFORMED]
)
def test_a_malformed_document_is_told_in_one_sentence(path: Path) -> None:
    store, problems = open_store("memory://"), list[str]()
    told = format_named(_SUFFIXES[path.suffix])

    report = ingest(
        store, [path], format=told, on_problem=lambda p: problems.append(str(p))
    )

    assert report.records == 0
    assert len(problems) == 1
    assert "\n" not in problems[0]
    assert list(store.scan(f.ENTITIES)) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(
            document(entity={"ex:e": {}})[:-9], "it is no prov-json", id="cut"
        ),
        pytest.param(
            b'{"entity": {"ex:e": ' + b'{"a":' * 100_000,
            "it is nested too deeply",
            id="deep",
        ),
        pytest.param(b'{"entity": {"ex:e": 1}}', "it is no prov-json", id="types"),
        pytest.param(b'{"entity": {"\xff": {}}}', "it is no UTF-8", id="bytes"),
        pytest.param(
            b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n'
            b'<document xmlns="http://www.w3.org/ns/prov#">&x;</document>',
            "document type",
            id="entities",
        ),
    ],
)
def test_what_is_wrong_is_told(content: bytes, reason: str) -> None:
    _, report, problems = read(content)

    assert report.unread == 1
    assert len(problems) == 1
    assert reason in problems[0]


def test_an_attribute_that_is_too_long_costs_its_statement_alone() -> None:
    long = {"ex:blob": "x" * 3_000_000}

    store, report, problems = read(document(entity={"ex:a": long, "ex:b": {}}))

    assert [entity[f.ID] for entity in store.scan(f.ENTITIES)] == [f"{EX}b"]
    assert report.skipped == 1
    assert problems == [
        f"standard input: entity {EX}a has an attribute too long for a record"
    ]


def test_a_statement_that_somebody_damaged_costs_itself_alone() -> None:
    damaged = {
        "urn:provdb:x": {},
        "provdb:entity-446f45": {
            "provdb:session_tag": "a",
            "provdb:extra": {"$": "{no json", "type": "provdb:json"},
        },
        "provdb:entity-6d2362": {"provdb:session_tag": "a", "prov:label": "DL1"},
    }
    del damaged["urn:provdb:x"]
    content = json.dumps({"prefix": {"provdb": "urn:provdb:"}, "entity": damaged})

    store, report, problems = read(content.encode())

    assert [entity[f.ID] for entity in store.scan(f.ENTITIES)] == ["6d2362"]
    assert report.skipped == 1
    assert "it was changed by others" in problems[0]


def test_a_missing_library_costs_the_file_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    _, report, problems = read(b"@prefix prov: <http://www.w3.org/ns/prov#> .")

    assert report.unread == 1
    assert problems == [
        "standard input: rdflib is needed for this: pip install 'provdb[formats]'"
    ]


def test_a_compressed_document_is_read(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "lineage.json.gz"
    path.write_bytes(gzip.compress(document(entity={"ex:dl1": {}})))
    store = open_store("memory://")

    report = ingest(store, [path], on_problem=_fail)

    assert list(report.formats) == ["prov-json"]
    assert [entity[f.ID] for entity in store.scan(f.ENTITIES)] == [f"{EX}dl1"]


def _fail(problem: ReadError) -> None:
    raise problem
