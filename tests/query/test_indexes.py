"""What is asked of a store finds its documents by an index, as a server itself says."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from provdb.model import fields as f
from provdb.query import explain, find
from provdb.store import Store, open_store
from tests.benchmarks.archive import FIRST_RUN, archive, date_of
from tests.benchmarks.query_rows import INDEXED
from tests.benchmarks.stage import fill_archive
from tests.mongod import with_database

_SUBRUNS = 8


@pytest.fixture(scope="module")
def few_nights(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]]
) -> Iterator[Store]:
    """A database with 2,000 activities of six nights; tests only read from it."""
    name = f"provdb_test_{uuid.uuid4().hex}"
    with open_store(with_database(mongo_uri, name)) as store:
        fill_archive(store, archive(nights=6, subruns=_SUBRUNS))
        yield store
    mongo_client.drop_database(name)


@pytest.mark.mongo
@pytest.mark.parametrize("query", INDEXED)
def test_an_index_serves_all_that_is_asked(few_nights: Store, query: str) -> None:
    asks = explain(few_nights, query)["asks"]

    assert [ask for ask in asks if not ask["index"]] == []


@pytest.mark.mongo
@pytest.mark.parametrize(
    ("query", "index"),
    [
        (f"level:DL2 run:{FIRST_RUN}", "level_1_run_1"),
        (f"level:R0..DL1 run:{FIRST_RUN}", "level_1_run_1"),
        (f"entity:* run:{FIRST_RUN}", "level_1_run_1"),
        (f"entity:* (run:{FIRST_RUN} OR level:DL3)", "level_1_run_1"),
        (f"activity:* run:{FIRST_RUN} status:failed", "status_1_run_1"),
        (f"agent:* run:{FIRST_RUN}", "status_1_run_1"),
    ],
)
def test_a_run_is_found_behind_what_has_few_values(
    few_nights: Store, query: str, index: str
) -> None:
    (ask,) = explain(few_nights, query)["asks"]

    assert ask["index"] == [index]


@pytest.mark.mongo
def test_the_order_of_questions_is_shown(few_nights: Store) -> None:
    asks = explain(few_nights, f"level:DL2 date:{date_of(0)}")["asks"]

    assert [ask["collection"] for ask in asks] == [
        f.SESSIONS,
        f.ACTIVITIES,
        f.ENTITIES,
        f.ENTITIES,
    ]
    assert asks[-2]["pipeline"] == [
        {"$match": {"_id": {"$in": "what these generated"}, "level": "DL2"}}
    ]
    # And those whose own names say the night, where no session does.
    assert asks[-1]["index"] == ["date_1"]


@pytest.mark.mongo
@pytest.mark.parametrize(
    ("query", "count"),
    [
        (f"kind:entity run:{FIRST_RUN}", _SUBRUNS * 5 + 4),
        (f"kind:activity run:{FIRST_RUN}", _SUBRUNS * 4 + 2),
        (f"level:DL2 run:{FIRST_RUN}", _SUBRUNS + 1),
        (f"level:DL2 date:{date_of(0)}", 10 * (_SUBRUNS + 1)),
        (f"kind:activity date:{date_of(1)}", 10 * (_SUBRUNS * 4 + 2) + 2),
    ],
)
def test_nothing_is_lost_on_the_way(few_nights: Store, query: str, count: int) -> None:
    assert list(find(few_nights, f"{query} | count")) == [{"count": count}]
