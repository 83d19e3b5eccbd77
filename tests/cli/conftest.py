"""Stores with something in them, the command that asks them, and golden files.

``pytest tests/cli --update-golden`` writes the golden files anew; look at what
changed before you commit it.
"""

import uuid
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from pymongo import MongoClient

from provdb.ingest import ingest
from provdb.store import open_store
from tests.benchmarks.night import Night, write
from tests.cli.command import Provdb
from tests.mongod import with_database

_GOLDEN: Final = Path(__file__).with_name("golden")
_DATA: Final = Path(__file__).parents[1] / "data"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a user who has nothing yet."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def provdb(home: Path) -> Provdb:
    """The command, with the store of its settings."""
    return Provdb(home=home)


@pytest.fixture
def provdb_there(home: Path, store_uri: str) -> Provdb:
    """The command, with an empty store, once of each kind."""
    return Provdb(home=home, uri=store_uri)


@pytest.fixture(scope="session")
def sample_log() -> Path:
    """The log of two runs that lstosa 0.10.18 wrote in a dry run."""
    return _DATA / "lstosa-0.10.18" / "prov.log.gz"


@pytest.fixture(scope="session")
def slides_log() -> Path:
    """The log of one subrun that the slides of 2020 show."""
    return _DATA / "slides-prov.log"


@pytest.fixture(scope="session")
def night_log(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """What gives the log of a simulated night with so many subruns."""

    @cache
    def night_log(subruns: int) -> Path:
        path = tmp_path_factory.mktemp("night") / "prov.log"
        write(Night(subruns=subruns), path)
        return path

    return night_log


@pytest.fixture(scope="session")
def local_filled_uri(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Path], str]:
    """What fills a file with a log."""
    return cache(
        lambda log: _filled(f"sqlite:///{tmp_path_factory.mktemp('store')}/it.db", log)
    )


@pytest.fixture(scope="session")
def mongo_filled_uri(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]]
) -> Iterator[Callable[[Path], str]]:
    """What fills a database of its own on the server with a log."""
    names = (f"provdb_test_{uuid.uuid4().hex}" for _ in count())
    made: list[str] = []

    @cache
    def filled_uri(log: Path) -> str:
        made.append(next(names))
        return _filled(with_database(mongo_uri, made[-1]), log)

    yield filled_uri
    for name in made:
        mongo_client.drop_database(name)


@pytest.fixture(
    scope="session",
    params=["local", pytest.param("mongo", marks=pytest.mark.mongo)],
)
def filled_uri(request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """What fills a store with a log, once of each kind; tests only read from it."""
    given: Callable[[Path], str]
    given = request.getfixturevalue(f"{request.param}_filled_uri")
    return given


@pytest.fixture
def ask_night(
    home: Path, night_log: Callable[[int], Path], filled_uri: Callable[[Path], str]
) -> Callable[[int], Provdb]:
    """What gives the command with a simulated night of so many subruns."""
    return lambda subruns: Provdb(home=home, uri=filled_uri(night_log(subruns)))


@pytest.fixture
def ask_sample(
    home: Path, sample_log: Path, filled_uri: Callable[[Path], str]
) -> Provdb:
    """The command with the store of the sample of lstosa."""
    return Provdb(home=home, uri=filled_uri(sample_log))


@pytest.fixture
def is_golden(pytestconfig: pytest.Config) -> Callable[[str, str], bool]:
    """What says whether a text is that of a golden file, and shows a difference."""
    is_updated = pytestconfig.getoption("--update-golden", default=False)

    def is_golden(name: str, text: str) -> bool:
        path = _GOLDEN / name
        if is_updated:
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name} differs"
        return True

    return is_golden


def _filled(uri: str, log: Path) -> str:
    with open_store(uri) as store:
        ingest(store, [log])
    return uri
