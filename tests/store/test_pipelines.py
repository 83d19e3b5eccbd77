"""A local store runs the pipelines that it knows like a server, and no others."""

import re
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import mongomock
import pytest
from hypothesis import given, settings
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from provdb import Database
from provdb.errors import QueryError
from provdb.model import fields as f
from provdb.store import local, open_store
from provdb.store.pipeline.stages import run_pipeline
from tests.lineage.histories import Step, at, file, remember
from tests.mongod import with_database
from tests.store.pipelines import documents, pipelines

_R0 = file("/R0/LST-1.1.Run01807.0000.fits.fz", "R0SubrunDataset")
_DL1 = file("/DL1/dl1_LST-1.Run01807.0000.h5", "DL1SubrunDataset")
_STEPS = (
    Step(name="r0_to_dl1", used=[_R0], generated=[_DL1], start=0, end=2),
    Step(name="dl1ab", used=[_DL1], generated=[_DL1], start=3, end=4),
    Step(name="dl1ab", used=[_DL1], generated=[_DL1], start=5, end=8),
)
# Without a zone, as people write it.
_FOUR_MINUTES_LATER: Final = at(4).replace(tzinfo=None)
# Lists in which a server puts things in no order.
_SETS: Final = ("one", "other", "a", "b")


@pytest.fixture(scope="module")
def here() -> Iterator[Database]:
    """Three steps in a local store; tests only read."""
    with open_store("memory://") as store:
        remember(store, *_STEPS)
        yield Database(store)


@pytest.fixture(scope="module")
def there(mongo_uri: str, mongo_client: MongoClient[Any]) -> Iterator[Database]:
    """The same steps on a server."""
    name = f"provdb_test_{uuid.uuid4().hex}"
    with open_store(with_database(mongo_uri, name)) as store:
        remember(store, *_STEPS)
        yield Database(store)
    mongo_client.drop_database(name)


@pytest.mark.mongo
def test_what_both_answer_is_the_same(mongo_client: MongoClient[Any]) -> None:
    collection = mongo_client["provdb_test_pipelines"]["documents"]
    answered: list[bool] = []

    @settings(max_examples=100)
    @given(documents, pipelines)
    def run(drawn: list[dict[str, Any]], pipeline: list[dict[str, Any]]) -> None:
        collection.delete_many({})
        collection.insert_many([{f.ID: n, **one} for n, one in enumerate(drawn)])
        stored = list(collection.find(sort=[(f.ID, 1)]))

        there = _answer(lambda: collection.aggregate(pipeline))
        here = _answer(lambda: run_pipeline(stored, pipeline, read=lambda _: []))

        # A server computes what is constant first, and joins stages: either may find a
        # mistake that the other never comes to.
        assert here is None or there is None or here == there
        answered.append(here is not None and there is not None)

    run()
    assert sum(answered) > len(answered) / 3


_PIPELINES: Final = [
    pytest.param(
        f.ACTIVITIES,
        [
            {"$match": {"status": "completed"}},
            {"$set": {"seconds": {"$subtract": ["$end", "$start"]}}},
            {
                "$group": {
                    "_id": "$name",
                    "mean": {"$avg": {"$divide": ["$seconds", 1000]}},
                    "longest": {"$max": "$seconds"},
                }
            },
            {"$sort": {"_id": 1}},
        ],
        [
            {"_id": "dl1ab", "mean": 120.0, "longest": 180_000},
            {"_id": "r0_to_dl1", "mean": 120.0, "longest": 120_000},
        ],
        id="durations by step",
    ),
    pytest.param(
        f.ACTIVITIES,
        [
            {"$unwind": "$used"},
            {
                "$lookup": {
                    "from": "entities",
                    "localField": "used.entity",
                    "foreignField": "_id",
                    "as": "file",
                }
            },
            {"$group": {"_id": {"$first": "$file.level"}, "steps": {"$push": "$name"}}},
            {"$sort": {"_id": 1}},
        ],
        [
            {"_id": "DL1", "steps": ["dl1ab", "dl1ab"]},
            {"_id": "R0", "steps": ["r0_to_dl1"]},
        ],
        id="levels that steps use",
    ),
    pytest.param(
        f.ACTIVITIES,
        [
            {
                "$lookup": {
                    "from": "entities",
                    "localField": "generated.entity",
                    "foreignField": "_id",
                    "as": "made",
                }
            },
            {"$sort": {"start": -1}},
            {"$skip": 1},
            {"$limit": 1},
            {"$project": {"_id": 0, "name": 1, "made.location": 1}},
        ],
        [{"name": "dl1ab", "made": [{"location": "/DL1/dl1_LST-1.Run01807.0000.h5"}]}],
        id="the file that the last step but one made",
    ),
    pytest.param(
        f.ENTITIES,
        [{"$match": {"level": "DL3"}}, {"$count": "files"}],
        [],
        id="a count of nothing",
    ),
    pytest.param(
        f.ACTIVITIES,
        [
            {"$match": {"name": re.compile("^DL1", re.IGNORECASE)}},
            {"$match": {"start": {"$gt": _FOUR_MINUTES_LATER}}},
            {"$count": "steps"},
        ],
        [{"steps": 1}],
        id="an expression and a time of Python",
    ),
]


# Of the others it takes a list for a value, and counts nothing as a document.
_SAME_TO_MONGOMOCK: Final = (
    "durations by step",
    "levels that steps use",
    "an expression and a time of Python",
)


@pytest.mark.mongo
@pytest.mark.parametrize(("collection", "pipeline", "expected"), _PIPELINES)
def test_a_pipeline_of_a_notebook(
    here: Database,
    there: Database,
    collection: str,
    pipeline: Any,
    expected: list[Any],
) -> None:
    assert here.aggregate(collection, pipeline) == expected
    assert there.aggregate(collection, pipeline) == expected


@pytest.mark.parametrize(
    ("collection", "pipeline", "expected"),
    [one for one in _PIPELINES if one.id in _SAME_TO_MONGOMOCK],
)
def test_a_pipeline_of_a_notebook_means_the_same_to_mongomock(
    here: Database, collection: str, pipeline: Any, expected: list[Any]
) -> None:
    imitated: Any = mongomock.MongoClient(tz_aware=True)["provdb"]
    imitated[f.ACTIVITIES].insert_many(list(here.store.scan(f.ACTIVITIES)))
    imitated[f.ENTITIES].insert_many(list(here.store.scan(f.ENTITIES)))

    assert list(imitated[collection].aggregate(pipeline)) == expected


@pytest.mark.parametrize(
    ("pipeline", "told"),
    [
        pytest.param([{"$graphLookup": {}}], r"the stage .\$graphLookup", id="stage"),
        pytest.param(
            [{"$group": {"_id": 1, "d": {"$stdDevPop": "$run"}}}],
            r"'\$stdDevPop' in \$group",
            id="accumulator",
        ),
        pytest.param([{"$set": {"x": {"$rand": {}}}}], r"\$rand", id="operator"),
        pytest.param([{"$match": {"$text": {"$search": "x"}}}], "match", id="filter"),
        pytest.param(
            [{"$lookup": {"from": "entities", "pipeline": [], "as": "x"}}],
            r"\$lookup without",
            id="lookup with a pipeline",
        ),
        pytest.param(
            [{"$set": {"x": {"$dateToString": {"date": "$end", "format": "%U"}}}}],
            "%U in the format",
            id="format",
        ),
        pytest.param([{"$set": {"x": "$$NOW"}}], r"\$\$NOW", id="variable"),
    ],
)
def test_what_only_a_server_knows_is_refused_by_its_name(
    here: Database, pipeline: list[dict[str, Any]], told: str
) -> None:
    with pytest.raises(QueryError, match=f"a local store cannot .*{told}"):
        here.aggregate("activities", pipeline)


@pytest.mark.mongo
@pytest.mark.parametrize(
    "pipeline",
    [
        pytest.param([{"$grup": {}}], id="stage"),
        pytest.param([{"$group": {"n": {"$sum": 1}}}], id="group without id"),
        pytest.param([{"$set": {"x": {"$concat": ["$name", 1]}}}], id="operand"),
        pytest.param([{"$set": {"x": {"$cond": [1]}}}], id="operands"),
        pytest.param([{"$limit": 0}], id="limit"),
        pytest.param([{"$sort": {"name": "up"}}], id="order"),
        pytest.param([{"$project": {"name": 1, "status": 0}}], id="projection"),
        pytest.param([{"$match": {"run": {"$near": 1}}}], id="filter"),
        pytest.param([{"$match": {"name": {"$in": "dl1ab"}}}], id="no list"),
        pytest.param([{"$match": {}, "$limit": 1}], id="two in one"),
        pytest.param([{"$unwind": "used"}], id="path"),
        pytest.param([{"$match": 5}], id="no filter"),
        pytest.param([{"$unset": 5}], id="no names"),
        pytest.param([{"$facet": {"a": [5]}}], id="no stage inside"),
        pytest.param([{"$bucket": {"groupBy": 1, "boundaries": 5}}], id="no bounds"),
        pytest.param([{"$set": {"x": {"$switch": {"branches": 5}}}}], id="no branch"),
        pytest.param([{"$out": "runs"}], id="out"),
        pytest.param([{"$merge": {"into": "runs"}}], id="merge"),
        pytest.param([5], id="no stage"),
    ],
)
def test_a_wrong_pipeline_is_an_error_of_the_question(
    here: Database, there: Database, pipeline: list[dict[str, Any]]
) -> None:
    with pytest.raises(QueryError):
        here.aggregate("activities", pipeline)
    with pytest.raises(QueryError):
        there.aggregate("activities", pipeline)


def test_a_local_store_says_how_many_documents_it_aggregates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local, "_MOST_AGGREGATED", 2)
    by_name: list[dict[str, Any]] = [{"$sortByCount": "$name"}]
    with open_store("memory://") as store:
        remember(store, *_STEPS)
        db = Database(store)

        few = db.aggregate("activities", [{"$match": {"name": "dl1ab"}}, *by_name])
        with pytest.raises(
            QueryError, match=r"2 documents at most, .* more activities"
        ):
            db.aggregate("activities", by_name)

    assert few == [{"_id": "dl1ab", "count": 2}]


def _answer(ask: Any) -> list[str] | None:
    """Return what documents a pipeline gives, in any order, or None for an error."""
    try:
        return _written(ask())
    except (OperationFailure, QueryError):
        return None


def _written(found: Iterable[Any]) -> list[str]:
    return sorted(_as_text(document) for document in found)


def _as_text(value: Any, *, name: str = "") -> str:
    """Return what differs for what differs, also 1, 1.0 and True."""
    if isinstance(value, dict):
        parts = [f"{key}: {_as_text(value[key], name=key)}" for key in sorted(value)]
        return f"{{{', '.join(parts)}}}"
    if isinstance(value, list):
        items = [_as_text(item) for item in value]
        return f"[{', '.join(sorted(items) if name in _SETS else items)}]"
    return value.isoformat() if isinstance(value, datetime) else repr(value)


@pytest.mark.mongo
@pytest.mark.parametrize(
    "pipeline",
    [
        pytest.param([{"$match": {"thr": [8, 4]}}], id="equal"),
        pytest.param([{"$match": {"thr": {"$in": [[8.0, 4], 6]}}}], id="any of"),
        pytest.param([{"$match": {"thr": {"$ne": [8, 4]}}}], id="not equal"),
        pytest.param([{"$sort": {"thr": 1}}], id="rising"),
        pytest.param([{"$sort": {"thr": -1}}], id="falling"),
        pytest.param(
            [{"$group": {"_id": "$thr"}}, {"$sort": {"_id": 1}}], id="grouped"
        ),
        pytest.param(
            [{"$group": {"_id": "$thr"}}, {"$sort": {"_id": -1}}], id="grouped, falling"
        ),
        pytest.param(
            [
                {"$group": {"_id": "$thr", "n": {"$sum": 1}, "at": {"$min": "$_id"}}},
                {"$sort": {"_id": 1, "at": 1}},
            ],
            id="grouped, by two fields",
        ),
        pytest.param(
            [{"$group": {"_id": None, "most": {"$max": "$thr"}}}], id="largest"
        ),
    ],
)
def test_arrays_are_as_on_a_server(
    mongo_client: MongoClient[Any], pipeline: list[dict[str, Any]]
) -> None:
    collection = mongo_client["provdb_test_arrays"]["documents"]
    collection.delete_many({})
    values = ([8, 4], 5, 6, [[8, 4]], [4, 8], [1, 9], {"a": 1}, "x", None)
    held = [{f.ID: number, "thr": value} for number, value in enumerate(values)]
    collection.insert_many(held)

    here = list(run_pipeline(held, pipeline, read=lambda _: []))

    assert here == list(collection.aggregate(pipeline))
