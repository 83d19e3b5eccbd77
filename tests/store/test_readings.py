"""Which files were read is kept beside the provenance, and joined like it."""

import sqlite3
from pathlib import Path

import pytest

from provdb.model import (
    Document,
    FileState,
    ReadFile,
    fold,
    read_files,
    reading_document,
    reading_id,
)
from provdb.model import fields as f
from provdb.model import reading as room
from provdb.store import Store, WriteCounts, copy_store, open_store
from provdb.store.validators import load_schema, server_schema

_FOLDER = "/fefs/DL1/20200117"
_ID = reading_id(_FOLDER, 0)
_ENTITY = fold([{"entity_id": "446f45", "name": "R0SubrunDataset"}])


@pytest.fixture
def filled(store: Store) -> Store:
    """A store with something in it, once of each kind."""
    store.write(_ENTITY)
    return store


def _file(name: str, *, mtime_ns: int = 1_579_306_800_123_456_789) -> ReadFile:
    return ReadFile(name, FileState(16_139, mtime_ns), "hdf5")


def _document(*files: ReadFile, readers: str = "1 UTC") -> Document:
    return reading_document(_FOLDER, 0, files, readers=readers)


def _names(store: Store) -> list[str]:
    return [file.name for d in store.recall([_ID]) for file in read_files(d)]


def test_what_is_remembered_is_recalled(filled: Store) -> None:
    files = [_file("a.h5"), _file("prov.log", mtime_ns=-(2**62))]

    counts = filled.remember([_document(*files)])
    again = filled.remember([_document(*files)])

    (document,) = filled.recall([_ID, reading_id("/other", 0)])
    assert list(read_files(document)) == files
    assert (counts, again) == (WriteCounts(added=1), WriteCounts(unchanged=1))


def test_several_processes_know_what_all_of_them_read(filled: Store) -> None:
    filled.remember([_document(_file("b.h5"), _file("c.h5"))])
    filled.remember([_document(_file("a.h5"), _file("b.h5", mtime_ns=7))])

    (document,) = filled.recall([_ID])
    assert list(read_files(document)) == [
        _file("a.h5"),
        _file("b.h5", mtime_ns=7),
        _file("c.h5"),
    ]


def test_what_other_readers_read_is_forgotten(filled: Store) -> None:
    filled.remember([_document(_file("a.h5"))])
    filled.remember([_document(_file("b.h5"), readers="2 UTC")])

    assert _names(filled) == ["b.h5"]


def test_a_document_does_not_outgrow_a_server(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_FILES", 2)

    filled.remember([_document(_file("a", mtime_ns=3), _file("b", mtime_ns=1))])
    filled.remember([_document(_file("c", mtime_ns=2))])

    assert _names(filled) == ["a", "c"]


def test_a_store_without_provenance_knows_of_nothing(store: Store) -> None:
    before = store.recall([_ID])
    store.remember([_document(_file("a.h5"))])

    assert (before, store.recall([_ID])) == ([], [])


def test_an_empty_store_knows_of_files_that_held_nothing(store: Store) -> None:
    other = ReadFile("notes.md", FileState(8, 1), "")

    store.initialise()
    store.remember([_document(other)])

    assert _names(store) == ["notes.md"]


def test_a_name_that_no_store_holds_is_left_out(filled: Store) -> None:
    filled.remember([_document(_file("r\udce9sum\udce9.h5"), _file("✓.h5"))])

    assert _names(filled) == ["✓.h5"]


def test_a_copy_of_a_store_knows_of_them_too(filled: Store, memory: Store) -> None:
    filled.remember([_document(_file("a.h5"))])

    counts = copy_store(filled, memory)

    assert counts[f.READINGS] == WriteCounts(added=1)
    assert memory.recall([_ID]) == filled.recall([_ID])


def test_a_file_of_an_earlier_version_gets_its_table(
    local_store_uri: str, tmp_path: Path
) -> None:
    with open_store(local_store_uri) as store:
        store.write(_ENTITY)
    with sqlite3.connect(tmp_path / "provdb.db") as connection:
        connection.execute(f"DROP TABLE {f.READINGS}")
    connection.close()

    with open_store(local_store_uri) as store:
        before = [stats.documents for stats in store.stats()]
        store.remember([_document(_file("a.h5"))])

        assert before == [0, 1, 0, 0, 0, 0, 0]
        assert _names(store) == ["a.h5"]


@pytest.mark.mongo
def test_the_server_finds_no_fault_in_it(mongo_store_uri: str) -> None:
    with open_store(mongo_store_uri) as store:
        store.write(_ENTITY)
        store.remember([_document(_file("a.h5"))])

        schema = server_schema(load_schema(f.READINGS))
        faulty = {"$match": {"$nor": [{"$jsonSchema": schema}]}}
        assert list(store.run_pipeline(f.READINGS, [faulty])) == []
        assert len(store.recall([_ID])) == 1
