"""A store that cannot be used says why in one sentence, soon, without a password."""

import os
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provdb.errors import StoreUnavailable
from provdb.model import fields as f
from provdb.model import fold
from provdb.store import Store, open_store
from tests.samples import SLIDES_LOG, read_log, records_of, stored_in, together

# Makes forty stores, each at the same moment as all other processes do.
MAKER = """
import sys, time
from provdb.store import open_store
folder, begin = sys.argv[1], float(sys.argv[2])
for number in range(40):
    time.sleep(max(0, begin + number * 0.05 - time.time()))
    with open_store(f"sqlite:///{folder}/{number}.db") as store:
        store.initialise()
"""
UNREACHABLE = "127.0.0.1:1/night?serverSelectionTimeoutMS=50"


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("", id="empty"),
        pytest.param("night.db", id="no scheme"),
        pytest.param("postgres://osa:secret@cp01/night", id="unknown scheme"),
        pytest.param("sqlite://", id="no path"),
        pytest.param("memory://night", id="memory with a name"),
        pytest.param("mongodb:/cp01/night", id="one slash"),
    ],
)
def test_a_uri_that_names_no_store_is_told_what_does(uri: str) -> None:
    with pytest.raises(StoreUnavailable, match="a store is sqlite:///PATH") as caught:
        open_store(uri)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("mongodb://", id="no host"),
        pytest.param("mongodb://osa:secret@cp01:port/night", id="port"),
        pytest.param("mongodb://osa:secret@cp01:99999/night", id="high port"),
        pytest.param("mongodb://osa:sec/secret@cp01/night", id="slash in password"),
        pytest.param("mongodb://osa:secret@x@cp01/night", id="at in password"),
        pytest.param("mongodb://osa:%secret@cp01/night", id="percent in password"),
        pytest.param("mongodb://osa:secret@cp01/ni ght", id="database"),
        pytest.param("mongodb+srv://osa:secret@a.b.c:1/night", id="srv with port"),
    ],
)
def test_a_wrong_uri_of_mongodb_is_said(uri: str) -> None:
    with pytest.raises(StoreUnavailable, match="the URI is wrong") as no:
        open_store(uri)

    assert "secret" not in str(no.value)
    assert "\n" not in str(no.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param("nonsense=1", "nonsense", id="unknown option"),
        pytest.param("maxPoolSize=many", "maxPoolSize", id="wrong value"),
        pytest.param("retryWrites=perhaps", "retryWrites", id="no boolean"),
    ],
)
def test_a_wrong_option_of_mongodb_is_said(options: str, said: str) -> None:
    with pytest.raises(StoreUnavailable, match="an option of the URI is ") as no:
        open_store(f"mongodb://cp01/night?{options}")

    assert said.lower() in str(no.value).lower()
    assert "\n" not in str(no.value)


def test_a_wrong_option_shows_no_password() -> None:
    with pytest.raises(StoreUnavailable, match="an option of the URI is ") as no:
        open_store("mongodb://osa:secret@cp01/night?nonsense=1")

    assert "secret" not in str(no.value)


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda store: store.initialise(), id="initialise"),
        pytest.param(lambda store: store.write(fold([{"entity_id": "e"}])), id="write"),
        pytest.param(lambda store: store.read(f.ENTITIES, ["e"]), id="read"),
        pytest.param(lambda store: list(store.scan(f.ENTITIES)), id="scan"),
        pytest.param(lambda store: list(store.generations(["e"])), id="generations"),
        pytest.param(lambda store: list(store.usages(["e"])), id="usages"),
        pytest.param(lambda store: store.descendants(["e"]), id="descendants"),
        pytest.param(lambda store: store.named(["e"]), id="named"),
        pytest.param(lambda store: list(store.file_names()), id="file names"),
        pytest.param(
            lambda store: store.starting(f.ENTITIES, "e", limit=1), id="starting"
        ),
        pytest.param(lambda store: store.stats(), id="stats"),
    ],
)
@pytest.mark.parametrize(
    ("uri", "message"),
    [
        pytest.param(
            f"mongodb://osa:secret@{UNREACHABLE}", "no server answers", id="mongo"
        ),
        pytest.param("sqlite:////proc/version", "cannot be used: ", id="local"),
        pytest.param("sqlite:////dev/null/night.db", "check the perm", id="below file"),
    ],
)
def test_every_verb_says_that_the_store_is_not_there(
    uri: str, message: str, ask: Callable[[Store], object]
) -> None:
    with open_store(uri) as store, pytest.raises(StoreUnavailable) as caught:
        ask(store)

    assert message in str(caught.value) or "no such file yet" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_question_to_a_file_that_is_not_there_makes_none(tmp_path: Path) -> None:
    with (
        open_store(f"sqlite:///{tmp_path}/night.db") as store,
        pytest.raises(StoreUnavailable, match="no such file yet; 'provdb ingest"),
    ):
        store.read(f.ENTITIES, ["e"])

    assert list(tmp_path.iterdir()) == []


def test_folders_of_a_new_file_are_made(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/a/b/night.db") as store:
        store.initialise()

    assert (tmp_path / "a" / "b" / "night.db").is_file()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"{'a': 1}\n" * 200, "the file is not a provdb store", id="log"),
        pytest.param(b"SQLite format 3\0" + b"\xff" * 9000, "cannot be", id="damaged"),
    ],
)
def test_a_file_that_is_no_database_is_left_as_it_is(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "prov.log"
    path.write_bytes(content)

    with (
        open_store(f"sqlite:///{path}") as store,
        pytest.raises(StoreUnavailable, match=message),
    ):
        store.write(fold([{"entity_id": "e"}]))

    assert path.read_bytes() == content


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with (
        open_store(f"sqlite:///{tmp_path}") as store,
        pytest.raises(StoreUnavailable, match="unable to open database file"),
    ):
        store.initialise()


@pytest.mark.parametrize(
    "ask",
    [lambda store: store.initialise(), lambda store: store.stats()],
    ids=["initialise", "stats"],
)
def test_a_database_of_another_program_is_left_as_it_is(
    tmp_path: Path, ask: Callable[[Store], object]
) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE runs (id INTEGER)")
    other.close()
    before = path.read_bytes()

    with (
        open_store(f"sqlite:///{path}") as store,
        pytest.raises(StoreUnavailable, match="the file is not a provdb store"),
    ):
        ask(store)

    assert path.read_bytes() == before


def test_a_store_of_a_later_version_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "night.db"
    with sqlite3.connect(path) as later:
        later.execute("PRAGMA user_version = 2")
    later.close()

    with (
        open_store(f"sqlite:///{path}") as store,
        pytest.raises(StoreUnavailable, match="a later version of provdb wrote it"),
    ):
        store.stats()


@pytest.mark.slow
def test_a_new_file_may_be_made_by_many_at_once(
    tmp_path: Path, start_process: Callable[..., subprocess.Popen[str]]
) -> None:
    begin = time.time() + 2

    makers = [start_process(MAKER, str(tmp_path), str(begin)) for _ in range(6)]
    said = [maker.communicate(timeout=60) for maker in makers]

    assert said == [("", "")] * 6
    assert len(list(tmp_path.glob("*.db"))) == 40


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "night.db"
    path.touch()

    with open_store(f"sqlite:///{path}") as store:
        store.write(fold([{"entity_id": "e"}]))

        assert len(store.read(f.ENTITIES, ["e"])) == 1


def test_a_store_in_memory_is_empty_each_time() -> None:
    with open_store("memory://") as store:
        store.write(fold([{"entity_id": "e"}]))
    with open_store("memory://") as store:
        store.initialise()

        assert stored_in(store) == {}


def test_what_was_written_is_there_when_it_is_opened_again(store_uri: str) -> None:
    documents = fold(records_of(read_log(SLIDES_LOG)))
    with open_store(store_uri) as store:
        store.write(documents)

    with open_store(store_uri) as store:
        assert stored_in(store) == together(documents)


def test_a_store_that_was_closed_opens_again(store: Store) -> None:
    documents = fold(records_of(read_log(SLIDES_LOG)))
    store.write(documents)

    store.close()
    store.close()

    assert store.uri


@pytest.mark.usefixtures("nobody")
def test_a_folder_that_may_not_be_written_is_said(closed_folder: Path) -> None:
    with (
        open_store(f"sqlite:///{closed_folder}/night.db") as store,
        pytest.raises(StoreUnavailable, match="check the permissions"),
    ):
        store.initialise()


@pytest.mark.usefixtures("nobody")
def test_a_file_that_may_not_be_written_is_said(read_only_store: Path) -> None:
    with (
        open_store(f"sqlite:///{read_only_store}") as store,
        pytest.raises(StoreUnavailable, match="check the permissions"),
    ):
        store.write(fold([{"entity_id": "e"}]))


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder in which nobody may write."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o555)
        yield path
        path.chmod(0o700)


@pytest.fixture
def read_only_store(closed_folder: Path) -> Path:
    """A store in a file that nobody may write."""
    closed_folder.chmod(0o755)
    path = closed_folder / "night.db"
    with open_store(f"sqlite:///{path}") as store:
        store.initialise()
    path.chmod(0o444)
    closed_folder.chmod(0o555)
    return path


@pytest.fixture
def nobody(closed_folder: Path, read_only_store: Path) -> Iterator[None]:
    """Work without the rights of the superuser, who may write anything."""
    user = os.geteuid()
    os.seteuid(user or 65534)
    yield
    os.seteuid(user)
