"""Stores that hold the sample logs, once of each kind."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from provdb.model import fold
from provdb.store import Store, open_store
from tests.mongod import with_database
from tests.samples import LOGS, read_log, records_of


@pytest.fixture(scope="session")
def local_samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A local store with the samples."""
    path: Path = tmp_path_factory.mktemp("samples") / "provdb.db"
    with open_store(f"sqlite:///{path}") as store:
        yield _filled(store)


@pytest.fixture(scope="session")
def mongo_samples(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]]
) -> Iterator[Store]:
    """A database of its own on the server, with the samples."""
    name = f"provdb_test_{uuid.uuid4().hex}"
    with open_store(with_database(mongo_uri, name)) as store:
        yield _filled(store)
    mongo_client.drop_database(name)


@pytest.fixture(params=["local", pytest.param("mongo", marks=pytest.mark.mongo)])
def samples(request: pytest.FixtureRequest) -> Store:
    """A store with the three sample logs; tests only read from it."""
    store: Store = request.getfixturevalue(f"{request.param}_samples")
    return store


def _filled(store: Store) -> Store:
    for log in LOGS:
        store.write(fold(records_of(read_log(log))))
    return store
