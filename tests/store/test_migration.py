"""A store that an earlier version wrote answers, and becomes one of today."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from pymongo import MongoClient

from provdb.ingest import ingest
from provdb.lineage import lineage
from provdb.model import CURRENT_VERSIONS, Document, fold, location_id
from provdb.model import fields as f
from provdb.store import Store, copy_store, migrate_store, open_store
from provdb.store.migrate import upgraded
from tests.old_stores import OLD_LOGS, fill_old_store

DL1_ID = location_id("/fefs/aswg//DL1/dl1_LST-1.Run04000.0000.h5/")
DL2 = "dl2_LST-1.Run01807.h5"


@pytest.fixture
def old_store(store_uri: str) -> Iterator[Store]:
    """A store of an earlier version, once of each kind."""
    fill_old_store(store_uri)
    with open_store(store_uri) as opened:
        yield opened


def _documents(store: Store, *, without: str = "") -> dict[str, list[Document]]:
    return {
        name: [
            {key: value for key, value in document.items() if key != without}
            for document in store.scan(name)
        ]
        for name in f.COLLECTIONS
    }


def test_after_a_migration_documents_are_those_of_a_fresh_ingest(
    old_store: Store, memory: Store
) -> None:
    ingest(memory, OLD_LOGS)

    changed = migrate_store(old_store)

    assert _documents(old_store) == _documents(memory, without=f.RECORDED)
    assert changed == {"entities": 122, "sessions": 11, "activities": 84}


def test_what_was_extra_becomes_fields(old_store: Store) -> None:
    migrate_store(old_store)

    outer, inner = sorted(
        old_store.tagged(["r0_to_dl1:04000"]), key=lambda activity: activity[f.START]
    )
    (dl1,) = old_store.read(f.ENTITIES, [DL1_ID])
    assert outer[f.DRY_RUN] is True
    assert outer[f.START_MICROSECONDS] == 321
    assert (inner[f.STARTED_BY], inner[f.NODE]) == ("edcaa9", "cp01")
    assert inner[f.GENERATED][0][f.MODE] == "part"
    assert inner[f.INVALIDATED] == [{f.ENTITY: "446f45dd1c878559585395eedce5bc7a"}]
    assert dl1[f.SAME_AS] == location_id("/fefs/aswg/DL1/dl1_LST-1.Run04000.0000.h5")
    assert dl1[f.ALIASES] == ["f69c1a88c8df4e89a78f1a34f30e3b20"]


def test_what_is_migrated_is_found_by_its_new_names(old_store: Store) -> None:
    migrate_store(old_store)

    same = location_id("/fefs/aswg/DL1/dl1_LST-1.Run04000.0000.h5")
    by_place = old_store.known_as([same])
    by_uuid = old_store.known_as(["f69c1a88c8df4e89a78f1a34f30e3b20"])
    assert [document[f.ID] for document in (*by_place, *by_uuid)] == [DL1_ID] * 2


def test_a_repeated_migration_changes_nothing(old_store: Store) -> None:
    migrate_store(old_store)
    before = _documents(old_store)

    again = migrate_store(old_store)

    assert set(again.values()) == {0}
    assert _documents(old_store) == before


def test_an_interrupted_migration_goes_on_where_it_ended(
    old_store: Store, memory: Store
) -> None:
    ingest(memory, OLD_LOGS)
    told: list[int] = []

    def interrupt(documents: int) -> None:
        told.append(documents)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate_store(old_store, on_progress=interrupt)
    rest = migrate_store(old_store)

    assert (told, rest["entities"]) == ([122], 0)
    assert _documents(old_store) == _documents(memory, without=f.RECORDED)


def test_a_migration_tells_how_far_it_is(old_store: Store) -> None:
    total = sum(old_store.outdated_count(name) for name in CURRENT_VERSIONS)
    told: list[int] = []

    migrate_store(old_store, on_progress=told.append)

    assert sum(told) == total == 217


def test_what_is_still_of_an_earlier_version_is_known(
    old_store: Store, memory: Store
) -> None:
    memory.initialise()
    before = old_store.is_outdated()

    migrate_store(old_store)

    assert (before, old_store.is_outdated(), memory.is_outdated()) == (
        True,
        False,
        False,
    )


def test_a_store_that_is_not_there_is_not_outdated(local_store_uri: str) -> None:
    with open_store(local_store_uri) as store:
        assert not store.is_outdated()


def test_a_store_of_an_earlier_version_answers(old_store: Store, memory: Store) -> None:
    ingest(memory, OLD_LOGS)

    answer = lineage(old_store, DL2)

    assert {node.location for node in answer.nodes} == {
        node.location for node in lineage(memory, DL2).nodes
    }


def test_statements_that_come_before_the_migration_are_not_lost(
    old_store: Store, memory: Store
) -> None:
    ingest(memory, OLD_LOGS)

    ingest(old_store, OLD_LOGS)
    migrate_store(old_store)

    assert _documents(old_store, without=f.RECORDED) == _documents(
        memory, without=f.RECORDED
    )


def test_a_copy_of_a_store_of_an_earlier_version_is_one_of_today(
    old_store: Store, memory: Store
) -> None:
    copy_store(old_store, memory)
    migrate_store(old_store)

    assert not memory.is_outdated()
    assert _documents(memory) == _documents(old_store)


@pytest.mark.mongo
def test_what_another_process_writes_meanwhile_stays(mongo_store_uri: str) -> None:
    """On a server others write between the reading and the replacing."""
    fill_old_store(mongo_store_uri)

    with open_store(mongo_store_uri) as store, open_store(mongo_store_uri) as other:

        def late(documents: Sequence[Document]) -> list[Document]:
            other.write(fold([{"entity_id": DL1_ID, "name": "DL1", "by": "other"}]))
            return upgraded(store, f.ENTITIES, documents)

        store.initialise()
        replaced = store.replace_outdated(f.ENTITIES, late)
        migrate_store(store)
        (dl1,) = store.read(f.ENTITIES, [DL1_ID])

    assert replaced == 121
    assert {"by": "other"} in [part.get(f.EXTRA) for part in dl1[f.DESCRIPTIONS]]


@pytest.mark.mongo
def test_the_question_whether_a_store_is_outdated_scans_nothing(
    mongo_store_uri: str,
) -> None:
    with open_store(mongo_store_uri) as store:
        store.initialise()
        with MongoClient[dict[str, Any]](mongo_store_uri) as client:
            found = client.get_default_database()[f.ACTIVITIES].find(
                {f.SCHEMA_VERSION: {"$lt": CURRENT_VERSIONS[f.ACTIVITIES]}}
            )
            plan = found.explain()["queryPlanner"]["winningPlan"]

    assert "IXSCAN" in str(plan)


def test_a_local_store_has_an_index_of_what_is_outdated(memory: Store) -> None:
    memory.initialise()

    plan = memory._rows(  # type: ignore[attr-defined]  # Of the local store only.
        "EXPLAIN QUERY PLAN SELECT document FROM activities "
        "WHERE json_extract(document, '$.schema_version') < 2 LIMIT 1",
        (),
    )

    assert "USING INDEX activities_below_2" in plan[0][-1]
