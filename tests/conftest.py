"""The stores that every behaviour is tested on, and the server below one.

`store` gives an empty store, once the local one and once MongoDB. The server
is that of `PROVDB_TEST_URI`, or a mongod that is started for the session.
Without either those tests are skipped; in CI (`CI=true`) they fail.
"""

import atexit
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis
import pytest
from pymongo import MongoClient

from provdb.config import mask_uri
from provdb.store import Store, open_store
from tests.mongod import MongoServer, NoMongod, find_mongod, with_database

# A busy machine is no failure.
hypothesis.settings.register_profile("provdb", deadline=None)
hypothesis.settings.load_profile("provdb")

_WITHOUT_SERVER = pytest.StashKey[str]()
_WITHOUT_BROWSER = pytest.StashKey[str]()
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what writes the golden files."""
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files anew"
    )


def pytest_configure() -> None:
    """Keep what examples in docstrings record out of the stores of the user."""
    for name in [name for name in os.environ if name.startswith("PROVDB_")]:
        if name != "PROVDB_TEST_URI":
            del os.environ[name]
    folder = TemporaryDirectory(prefix="provdb-test-")
    for kind in ("CONFIG", "DATA", "STATE"):
        os.environ[f"XDG_{kind}_HOME"] = folder.name
    atexit.register(folder.cleanup)  # Handlers are closed before.


@pytest.fixture(scope="session")
def mongo_uri(pytestconfig: pytest.Config) -> Iterator[str]:
    """Where a MongoDB that can be written to answers."""
    given = os.environ.get("PROVDB_TEST_URI")
    if given:
        yield given
        return
    try:
        server = MongoServer()
    except NoMongod as error:
        reason = f"NO MONGODB, ITS TESTS DO NOT RUN: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytestconfig.stash[_WITHOUT_SERVER] = reason
        pytest.skip(reason)
    with server:
        yield server.uri


@pytest.fixture(scope="session")
def mongo_client(mongo_uri: str) -> Iterator[MongoClient[dict[str, Any]]]:
    """A client of the server, to look below the store and to clean up."""
    with MongoClient[dict[str, Any]](mongo_uri, tz_aware=True) as client:
        yield client


@pytest.fixture
def mongo_store_uri(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]]
) -> Iterator[str]:
    """A database of its own on the server, dropped afterwards."""
    name = f"provdb_test_{uuid.uuid4().hex}"
    yield with_database(mongo_uri, name)
    mongo_client.drop_database(name)


@pytest.fixture
def local_store_uri(tmp_path: Path) -> str:
    """A file of its own for the local store."""
    return f"sqlite:///{tmp_path}/provdb.db"


@pytest.fixture(params=["local", pytest.param("mongo", marks=pytest.mark.mongo)])
def store_uri(request: pytest.FixtureRequest) -> str:
    """Where an empty store is, once of each kind."""
    uri: str = request.getfixturevalue(f"{request.param}_store_uri")
    return uri


@pytest.fixture
def store(store_uri: str) -> Iterator[Store]:
    """An empty store, once of each kind, closed afterwards."""
    with open_store(store_uri) as opened:
        yield opened


@pytest.fixture
def memory() -> Iterator[Store]:
    """An empty store in memory, for what is the same whatever the store is."""
    with open_store("memory://") as opened:
        yield opened


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> str:
    """The path of a browser to look at pages with."""
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        reason = "NO CHROMIUM, THE TESTS OF PAGES DO NOT RUN: install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytestconfig.stash[_WITHOUT_BROWSER] = reason
        pytest.skip(reason)
    return found


def pytest_report_header() -> str:
    """Say which MongoDB the tests run on."""
    given = os.environ.get("PROVDB_TEST_URI")
    if given:
        return f"mongodb: {mask_uri(given)} (PROVDB_TEST_URI)"
    try:
        mongod = find_mongod()
    except NoMongod as error:
        return f"mongodb: none ({error})"
    return f"mongodb: mongod {mongod.version}, {mongod.path}"


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say loudly which tests did not run."""
    for key in (_WITHOUT_SERVER, _WITHOUT_BROWSER):
        reason = config.stash.get(key, None)
        if reason is not None:
            terminalreporter.write_line(reason, red=True, bold=True)
