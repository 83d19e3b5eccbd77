"""Servers that can be broken, and pipelines that log to them."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.faults.kit import FULL, Spools
from tests.faults.proxy import Proxy
from tests.mongod import MongoServer, NoMongod, with_database

NewSpools = Callable[..., Spools]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[MongoServer]:
    """A server of the tests alone, alone or a set of one, as the parameter says."""
    yield from new_server(replica_set=request.param)


def new_server(**options: object) -> Iterator[MongoServer]:
    """Start a server, or skip the test loudly."""
    try:
        started = MongoServer(**options)  # type: ignore[arg-type]  # passed on
    except NoMongod as error:
        reason = f"NO MONGODB, ITS TESTS DO NOT RUN: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with started:
        yield started


@pytest.fixture
def new_spools(tmp_path: Path) -> Iterator[NewSpools]:
    """Give pipelines for a store, all killed afterwards."""
    made: list[Spools] = []

    def new(uri: str) -> Spools:
        folder = tmp_path / f"pipelines-{len(made)}"
        folder.mkdir()
        made.append(Spools(uri=uri, folder=folder))
        return made[-1]

    yield new
    for spools in made:
        spools.close()


@pytest.fixture
def server_spools(server: MongoServer, new_spools: NewSpools) -> Spools:
    """Pipelines that log to a database of their own of the server."""
    return new_spools(database_of(server.uri))


@pytest.fixture
def spools(store_uri: str, new_spools: NewSpools) -> Spools:
    """Pipelines that log to an empty store, once of each kind."""
    return new_spools(store_uri)


@pytest.fixture(
    params=["local", *([pytest.param("mongo", marks=pytest.mark.mongo)] * FULL)]
)
def any_store_uri(request: pytest.FixtureRequest) -> str:
    """Where an empty store is, for what does not depend on its kind."""
    uri: str = request.getfixturevalue(f"{request.param}_store_uri")
    return uri


@pytest.fixture
def proxy(server: MongoServer) -> Iterator[Proxy]:
    """A proxy before the server."""
    with Proxy(server.port) as listening:
        yield listening


@pytest.fixture(scope="session")
def guarded_server() -> Iterator[str]:
    """URI of a server that wants a password, with that."""
    for server in new_server(replica_set=None, arguments=("--auth",)):
        with MongoClient[dict[str, Any]](server.uri) as client:
            client.admin.command("createUser", "osa", pwd="hunter2", roles=["root"])
        yield f"mongodb://osa:hunter2@127.0.0.1:{server.port}/admin"


@pytest.fixture
def guarded_uri(guarded_server: str) -> str:
    """A database of its own on a server that wants a password."""
    return database_of(guarded_server)


def database_of(uri: str) -> str:
    """Return the URI of a new database on a server."""
    return with_database(uri, f"provdb_test_{uuid.uuid4().hex}")
