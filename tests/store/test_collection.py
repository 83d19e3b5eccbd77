"""Activities by their tags, and the collections of a server as they are."""

import pytest
from pymongo.collection import Collection

from provdb import Database
from provdb.errors import QueryError
from provdb.model import fields as f
from provdb.store import Store, open_store
from tests.lineage.histories import Step, file, remember

_DL1 = file("/DL1/dl1_LST-1.Run01807.0000.h5", "DL1SubrunDataset")
_STEPS = (
    Step(name="dl1ab", generated=[_DL1], tag="dl1ab:01807", start=0, end=1),
    Step(name="r0_to_dl1", generated=[_DL1], tag="r0_to_dl1:01807", start=2, end=3),
    Step(name="r0_to_dl1", generated=[_DL1], tag="r0_to_dl1:01807", start=4, end=5),
)


def test_tags_come_once_and_in_order(store: Store) -> None:
    remember(store, *_STEPS)

    assert list(store.session_tags()) == ["dl1ab:01807", "r0_to_dl1:01807"]


def test_activities_are_found_by_their_tags(store: Store) -> None:
    remember(store, *_STEPS)

    found = store.tagged(["r0_to_dl1:01807", "unknown:01807", ""])

    assert [activity[f.NAME] for activity in found] == ["r0_to_dl1", "r0_to_dl1"]


def test_a_collection_can_be_aggregated(store: Store) -> None:
    remember(store, *_STEPS)
    activities = Database(store).collection("activities")

    groups = list(activities.aggregate([{"$sortByCount": "$name"}]))

    assert groups == [{"_id": "r0_to_dl1", "count": 2}, {"_id": "dl1ab", "count": 1}]


def test_documents_of_a_collection_can_be_found_and_counted(store: Store) -> None:
    remember(store, *_STEPS)
    activities = Database(store).collection("activities")
    made = {"generated": {"$elemMatch": {"role": {"$exists": True}}}}

    shown = list(activities.find({"name": "dl1ab"}, {"_id": 0, "session_tag": 1}))

    assert shown == [{"session_tag": "dl1ab:01807"}]
    assert activities.count_documents({"name": {"$ne": "dl1ab"}}) == 2
    assert activities.count_documents(made) == 0


@pytest.mark.mongo
def test_a_collection_of_a_server_is_that_of_the_driver(mongo_store_uri: str) -> None:
    with open_store(mongo_store_uri) as store:
        assert isinstance(Database(store).collection("files"), Collection)


def test_an_unknown_collection_is_named(store: Store) -> None:
    with pytest.raises(QueryError, match="no collection runs; known are environments"):
        Database(store).collection("runs")
