"""What the store asks of the server: indexes, validators, safe writes, clear errors."""

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from bson.errors import BSONError, InvalidDocument
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.cursor import CursorType
from pymongo.errors import (
    BulkWriteError,
    ClientBulkWriteException,
    DocumentTooLarge,
    EncryptedCollectionError,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
)

from provdb.errors import RecordError, StoreUnavailable
from provdb.model import fields as f
from provdb.model import fold
from provdb.store import Store, mongo, open_store
from provdb.store.indexes import INDEXES
from provdb.store.mongo import MongoStore
from provdb.store.validators import load_schema, server_schema
from tests.mongod import MongoServer, with_database
from tests.samples import NIGHT_LOG, read_log, records_of

pytestmark = pytest.mark.mongo
Database = Any


@pytest.fixture(scope="module")
def database(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]]
) -> Iterator[Database]:
    """The database below the store."""
    name = f"provdb_test_{uuid.uuid4().hex}"
    yield mongo_client[name]
    mongo_client.drop_database(name)


@pytest.fixture(scope="module")
def mongo_store(mongo_uri: str, database: Database) -> Iterator[Store]:
    """A store that holds a night; whoever changes it changes it back."""
    with open_store(with_database(mongo_uri, database.name)) as store:
        store.write(fold(records_of(read_log(NIGHT_LOG))))
        yield store


@pytest.fixture
def profile(mongo_store: Store, database: Database) -> Iterator[Database]:
    """What the server did during the test."""
    database.drop_collection("system.profile")
    database.command("profile", 2)
    yield database["system.profile"]
    database.command("profile", 0)


@pytest.mark.parametrize("collection", f.COLLECTIONS)
def test_server_finds_no_fault_in_any_document(
    mongo_store: Store, database: Database, collection: str
) -> None:
    schema = server_schema(load_schema(collection))

    faulty = database[collection].find({"$nor": [{"$jsonSchema": schema}]})

    assert list(faulty) == []


@pytest.mark.parametrize("collection", f.STORED)
def test_validators_are_installed(
    mongo_store: Store, database: Database, collection: str
) -> None:
    options = database[collection].options()

    assert options["validator"] == {
        "$jsonSchema": server_schema(load_schema(collection))
    }
    assert (options["validationAction"], options["validationLevel"]) == (
        "warn",
        "moderate",
    )


def test_validator_sees_a_fault(mongo_store: Store, database: Database) -> None:
    schema = database[f.ENTITIES].options()["validator"]

    database[f.FILES].insert_one({"_id": "x", "colour": "red"})
    faulty = database[f.FILES].find_one_and_delete({"$nor": [schema]})

    assert faulty == {"_id": "x", "colour": "red"}


@pytest.mark.parametrize(
    "index", INDEXES, ids=lambda index: f"{index.collection} {' '.join(index.fields)}"
)
def test_indexes_exist(mongo_store: Store, database: Database, index: Any) -> None:
    found = database[index.collection].index_information().values()

    keys = [(key["key"], key.get("sparse", False)) for key in found]
    assert ([(field, 1) for field in index.fields], index.is_sparse) in keys


def test_initialising_again_changes_nothing(
    mongo_store: Store, database: Database
) -> None:
    before = [database[name].index_information() for name in f.COLLECTIONS]

    mongo_store.initialise()

    assert [database[name].index_information() for name in f.COLLECTIONS] == before


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda store: store.read(f.ENTITIES, ["a", "b"]), id="read"),
        pytest.param(
            lambda store: list(store.generations(["a", "b"])), id="generations"
        ),
        pytest.param(lambda store: list(store.usages(["a", "b"])), id="usages"),
        pytest.param(lambda store: store.descendants(["a", "b"]), id="descendants"),
        pytest.param(lambda store: store.named(["a.h5", "b.h5"]), id="named"),
        pytest.param(
            lambda store: store.starting(f.ENTITIES, "21", limit=9), id="starting"
        ),
        pytest.param(lambda store: list(store.file_names()), id="file names"),
        pytest.param(lambda store: list(store.scan(f.SESSIONS)), id="scan"),
    ],
)
def test_every_question_uses_an_index(
    mongo_store: Store, profile: Database, ask: Callable[[Store], Any]
) -> None:
    ask(mongo_store)

    reads = {"op": {"$in": ["query", "command"]}, "planSummary": {"$exists": True}}
    plans = [entry["planSummary"] for entry in profile.find(reads)]
    assert plans
    assert not [plan for plan in plans if "COLLSCAN" in plan]


def test_a_walk_does_not_fetch_parameters(mongo_store: Store) -> None:
    (activity,) = mongo_store.generations(["21617da81522592415543ffc60cfcfd8"])

    assert f.GENERATED in activity
    assert f.PARAMETERS not in activity
    assert f.ARGUMENTS not in activity


@pytest.fixture
def many_made(mongo_store: Store, database: Database) -> Iterator[dict[str, str]]:
    """More entities than are asked for in one way, and the steps that made them."""
    steps = [{"activity_id": f"{n:x}", "session_tag": "many"} for n in range(300)]
    starts = [{**one, "name": "step", "startTime": "2020-01-17"} for one in steps]
    made = [{**one, "generated_id": f"made {n}"} for n, one in enumerate(steps)]
    documents = fold(starts + made)
    mongo_store.write(documents)
    yield {
        link[f.ENTITY]: activity[f.ID]
        for activity in documents[f.ACTIVITIES]
        for link in activity[f.GENERATED]
    }
    database[f.ACTIVITIES].delete_many({f.SESSION_TAG: "many"})


def test_activities_that_are_all_known_are_counted_and_not_fetched(
    mongo_store: Store, many_made: dict[str, str], profile: Database
) -> None:
    assert not list(mongo_store.generations(many_made, known={*many_made.values()}))

    assert [entry["op"] for entry in profile.find()] == ["command"]


def test_of_many_activities_those_that_are_not_known_are_fetched(
    mongo_store: Store, many_made: dict[str, str]
) -> None:
    unknown, *known = many_made.values()

    (found,) = mongo_store.generations(many_made, known=set(known))

    assert found[f.ID] == unknown
    assert f.GENERATED in found


@pytest.mark.parametrize("size", [7, 100, 300, 301])
def test_documents_that_come_some_at_a_time_are_all_there(
    mongo_store: Store,
    many_made: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    monkeypatch.setattr(mongo, "_STREAMED", size)

    found = [activity[f.ID] for activity in mongo_store.generations(many_made)]

    assert sorted(found) == sorted(many_made.values())


@pytest.mark.parametrize("size", [7, 300])
def test_what_several_messages_ask_for_is_found_once(
    mongo_store: Store,
    many_made: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    (known, *_) = many_made.values()
    # One activity made two of the entities that different messages ask for.
    ids = {"activity_id": "0", "session_tag": "many"}
    mongo_store.write(fold([{**ids, "generated_id": "made last"}]))
    monkeypatch.setattr(mongo, "_IDS", size)
    monkeypatch.setattr(mongo, "_STREAMED", size)

    asked = [*many_made, "made last"]
    found = [activity[f.ID] for activity in mongo_store.generations(asked)]

    assert found.count(known) == 1
    assert sorted(found) == sorted(many_made.values())


def test_behind_a_router_that_cannot_stream_answers_are_the_same(
    mongo_store: Store, many_made: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = list(mongo_store.generations(many_made))
    refused = []
    find = Collection.find

    def find_as_a_router(self: Any, *args: Any, **options: Any) -> Any:
        if options.get("cursor_type") == CursorType.EXHAUST:
            refused.append(args)
            raise InvalidOperation("Exhaust cursors are not supported by mongos")
        return find(self, *args, **options)

    monkeypatch.setattr(Collection, "find", find_as_a_router)
    monkeypatch.setattr(mongo_store, "_cursor_type", CursorType.EXHAUST)

    answers = [list(mongo_store.generations(many_made)) for _ in range(2)]

    assert answers == [expected] * 2
    assert len(refused) == 1


def test_every_write_waits_for_the_journal_of_the_majority(
    mongo_store: Store, database: Database, profile: Database
) -> None:
    mongo_store.write(fold([{"entity_id": "new"}, {"activity_id": "new"}]))

    inserts = list(profile.find({"op": "insert"}))
    database[f.ENTITIES].delete_one({"_id": "new"})
    database[f.ACTIVITIES].delete_one({"activity_id": "new"})
    assert {entry["ns"].rpartition(".")[2] for entry in inserts} == {
        f.ENTITIES,
        f.ACTIVITIES,
    }
    assert [entry["command"]["writeConcern"] for entry in inserts] == [
        {"w": "majority", "j": True}
    ] * 2


def every_subclass(error: type[Exception]) -> Iterator[type[Exception]]:
    for subclass in error.__subclasses__():
        yield subclass
        yield from every_subclass(subclass)


ARGUMENTS: dict[type[Exception], tuple[Any, ...]] = {
    BulkWriteError: ({"writeErrors": [{"code": 121, "errmsg": "said"}]},),
    ClientBulkWriteException: ({"error": "said", "anySuccessful": False}, False),
    EncryptedCollectionError: (ValueError("said"), {}),
}
DRIVER_ERRORS = sorted(
    {*every_subclass(PyMongoError), *every_subclass(BSONError), OverflowError},
    key=lambda error: error.__name__,
)


@pytest.mark.parametrize("error", DRIVER_ERRORS, ids=lambda error: error.__name__)
def test_every_error_of_the_driver_is_one_of_ours(error: type[Exception]) -> None:
    store = MongoStore("mongodb://osa:secret@cp01/night")

    with pytest.raises((StoreUnavailable, RecordError)) as caught, store._errors():
        raise error(*ARGUMENTS.get(error, ("said",)))

    assert caught.value.__cause__ is not None
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(InvalidDocument("no BSON"), id="no BSON"),
        pytest.param(DocumentTooLarge("17 MB"), id="too large for the driver"),
        pytest.param(OverflowError("2**64"), id="integer"),
        pytest.param(OperationFailure("too large", 10334), id="too large"),
        pytest.param(
            BulkWriteError({"writeErrors": [{"code": 17419, "errmsg": "too large"}]}),
            id="too large after a change",
        ),
    ],
)
def test_what_one_document_spoils_is_no_fault_of_the_store(error: Exception) -> None:
    store = MongoStore("mongodb://cp01/night")

    with pytest.raises(RecordError), store._errors():
        raise error


def test_our_own_errors_pass(mongo_store_uri: str) -> None:
    store = MongoStore(mongo_store_uri)

    with pytest.raises(KeyError), store._errors():
        raise KeyError("a fault of ours")


def test_a_document_that_is_too_large_is_an_error_of_its_record(
    mongo_store: Store, database: Database
) -> None:
    start = {"activity_id": "a", "name": "x"}
    parameters = {"activity_id": "a", "parameters": {"p": "a" * 17_000_000}}

    with pytest.raises(RecordError, match=r"was refused: [^{]*size[^{]*$"):
        mongo_store.write(fold([start, parameters]))


@pytest.mark.slow
@pytest.mark.skipif("PROVDB_TEST_URI" in os.environ, reason="a server was given")
def test_a_wrong_password_is_said_and_not_shown() -> None:
    with MongoServer(replica_set=None, arguments=["--auth"]) as server:
        with MongoClient[dict[str, Any]](server.uri) as client:
            client.admin.command("createUser", "osa", pwd="right", roles=["root"])
        place = server.uri.removeprefix("mongodb://")
        store = open_store(
            f"mongodb://osa:{quote('se/cret', safe='')}@{place}/?authSource=admin"
        )

        with store, pytest.raises(StoreUnavailable) as wrong:
            store.initialise()
        with open_store(server.uri) as store, pytest.raises(StoreUnavailable) as nobody:
            store.initialise()
        with open_store(f"mongodb://osa:right@{place}/night?authSource=admin") as store:
            store.initialise()

    assert "it refuses the user or the password" in str(wrong.value)
    assert "cret" not in str(wrong.value)
    assert "the user may not do this" in str(nobody.value)


@pytest.mark.slow
@pytest.mark.skipif("PROVDB_TEST_URI" in os.environ, reason="a server was given")
def test_a_user_may_write_who_may_not_leave_out_the_validators() -> None:
    with MongoServer(replica_set=None, arguments=["--auth"]) as server:
        with MongoClient[dict[str, Any]](server.uri) as client:
            client.admin.command("createUser", "osa", pwd="right", roles=["root"])
        place = server.uri.removeprefix("mongodb://")
        with MongoClient[dict[str, Any]](f"mongodb://osa:right@{place}") as client:
            client["night"].command("createUser", "job", pwd="x", roles=["readWrite"])
        documents = fold(records_of(read_log(NIGHT_LOG)))

        with open_store(f"mongodb://job:x@{place}/night") as store:
            first, again = store.write(documents), store.write(documents)

    assert first[f.ACTIVITIES].added == 82
    assert again[f.ACTIVITIES].unchanged == 82


def test_what_was_checked_here_is_not_checked_by_the_server_again(
    mongo_store: Store, profile: Database
) -> None:
    entity = {"entity_id": "446f45", "name": "R0SubrunDataset"}

    mongo_store.write(fold([entity]))

    (insert,) = profile.find({"op": "insert", "command.insert": f.ENTITIES})
    assert insert["command"]["bypassDocumentValidation"] is True
    mongo_store._delete(f.ENTITIES, mongo_store.read(f.ENTITIES, ["446f45"]))


@pytest.mark.slow
@pytest.mark.skipif("PROVDB_TEST_URI" in os.environ, reason="a server was given")
def test_a_lone_server_is_enough() -> None:
    with MongoServer(replica_set=None) as server:
        uri = with_database(server.uri, "night")
        documents = fold(records_of(read_log(NIGHT_LOG)))

        with open_store(uri) as store:
            counts = store.write(documents)

    assert counts[f.ACTIVITIES].added == 82


def test_sizes_are_those_of_the_server(mongo_store: Store) -> None:
    stats = {each.name: each for each in mongo_store.stats()}

    assert stats[f.ACTIVITIES].documents == 82
    assert stats[f.ACTIVITIES].size_bytes > 0
    assert stats[f.ACTIVITIES].index_bytes > 0


def test_an_index_of_an_older_version_is_left_as_it_is(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    name = f"provdb_test_{uuid.uuid4().hex}"
    old = mongo_client[name].entities
    old.create_index([(f.HASH, 1)])
    try:
        with open_store(with_database(mongo_uri, name)) as store:
            store.initialise()
            assert store.indexes_for(f.ENTITIES, {f.HASH: "ab"}) == ["hash_1"]
        assert "sparse" not in old.index_information()["hash_1"]
    finally:
        mongo_client.drop_database(name)
