"""Stores that are empty again and again, and processes that write into one."""

import itertools
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from provdb.model import fields as f
from provdb.store import Store, open_store
from tests.mongod import with_database

ROOT = Path(__file__).parent.parent.parent
NewStore = Callable[[], Store]


@pytest.fixture(scope="module")
def new_local_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewStore]:
    """Give an empty local store, each time."""
    folder = tmp_path_factory.mktemp("stores")
    numbers = itertools.count()
    opened: list[Store] = []

    def new() -> Store:
        opened.append(open_store(f"sqlite:///{folder}/{next(numbers)}.db"))
        return opened[-1]

    yield new
    for store in opened:
        store.close()


@pytest.fixture(scope="module")
def new_mongo_store(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]]
) -> Iterator[NewStore]:
    """Give one store on the server, emptied each time."""
    name = f"provdb_test_{uuid.uuid4().hex}"
    database = mongo_client[name]
    store = open_store(with_database(mongo_uri, name))

    def new() -> Store:
        for collection in f.COLLECTIONS:
            database[collection].delete_many({})
        return store

    yield new
    store.close()
    mongo_client.drop_database(name)


@pytest.fixture(params=["local", pytest.param("mongo", marks=pytest.mark.mongo)])
def new_store(request: pytest.FixtureRequest) -> NewStore:
    """Give an empty store each time; once of each kind."""
    new: NewStore = request.getfixturevalue(f"new_{request.param}_store")
    return new


@pytest.fixture
def start_process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a script in another process, killed afterwards."""
    started: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: str) -> subprocess.Popen[str]:
        paths = [str(ROOT), str(ROOT / "schemas")]
        process = subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
