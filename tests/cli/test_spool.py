"""``provdb spool`` shows what is not stored, stores it, and says what it left."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provdb.capture.encoding import encode_value
from provdb.capture.spool import Spool, SpoolName
from provdb.config import mask_uri
from tests.cli.command import Provdb

START = {"activity_id": "621ca2", "name": "r0_to_dl1", "session_tag": "r0_to_dl1:01618"}
NOW = datetime(2020, 11, 22, tzinfo=UTC)
DOWN = "mongodb://osa:secret@127.0.0.1:9/night?serverSelectionTimeoutMS=100"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spool folder."""
    return tmp_path / "spool"


def record(folder: Path, *records: dict[str, Any]) -> Spool:
    """Write records to the spool of a process, as it does while no store answers."""
    spool = Spool(
        folder, SpoolName.of_process(NOW), store=mask_uri(DOWN), max_bytes=10_000
    )
    for each in records:
        spool.append(*encode_value(each))
    return spool


def leave(folder: Path, *records: dict[str, Any]) -> None:
    """Do the same, and end."""
    record(folder, *records).close()


@pytest.fixture
def running(folder: Path) -> Iterator[Spool]:
    """The spool of a process that goes on."""
    spool = record(folder, START)
    yield spool
    spool.close()


def test_status_shows_what_is_left(provdb: Provdb, folder: Path) -> None:
    leave(folder, START, START)

    (row,) = provdb("spool", "status", folder).json

    assert row.pop("path").startswith(str(folder))
    assert row.pop("spool").endswith("-20201122T000000000.jsonl")
    assert row.pop("size_bytes") > 0
    assert row == {
        "running": False,
        "records": 2,
        "dead": 0,
        "store": "mongodb://osa:***@127.0.0.1:9/night?serverSelectionTimeoutMS=100",
    }


def test_a_table_of_spools_fits_a_terminal(provdb: Provdb, folder: Path) -> None:
    leave(folder, START)

    said = provdb("spool", "status", folder, "--format=table", columns=80)

    assert all(len(line) <= 80 for line in said.stdout.splitlines())
    assert said.stdout.splitlines()[0].split() == [
        *("spool", "running", "records", "dead", "size", "bytes")
    ]


def test_status_of_nothing_says_so(provdb: Provdb) -> None:
    said = provdb("spool", "status")

    assert (said.status, said.json) == (0, [])
    assert said.stderr == "provdb: no spool holds a record\n"


def test_a_folder_that_is_not_there_is_an_error(provdb: Provdb, folder: Path) -> None:
    said = provdb("spool", "status", folder)

    assert said.status == 3
    assert "there is no such folder" in said.stderr


def test_replay_stores_what_is_left_and_removes_it(
    provdb_there: Provdb, folder: Path
) -> None:
    leave(folder, START, {"entity_id": "446f45"})

    first = provdb_there("spool", "replay", folder)
    second = provdb_there("spool", "replay", folder)

    assert first.status == second.status == 0
    assert first.stderr == "provdb: stored 2 records of 1 spool\n"
    assert second.stderr == "provdb: stored 0 records of 0 spools\n"
    assert list(folder.iterdir()) == []
    assert provdb_there("session", "list").status in (0, 1)


def test_replay_of_the_usual_folder_leaves_spools_of_another_store(
    provdb_there: Provdb, folder: Path
) -> None:
    leave(folder, START)

    said = provdb_there("spool", "replay", environ={"PROVDB_SPOOL_DIR": str(folder)})

    assert said.status == 0
    assert "1 spool left for another store" in said.stderr
    assert len(list(folder.iterdir())) == 1


def test_replay_leaves_a_running_process_its_spool(
    provdb_there: Provdb, folder: Path, running: Spool
) -> None:
    said = provdb_there("spool", "replay", folder)

    assert said.status == 0
    assert "1 spool left to processes that still run" in said.stderr
    assert [row["running"] for row in provdb_there("spool", "status", folder).json] == [
        True
    ]


def test_replay_tells_what_cannot_be_stored(provdb_there: Provdb, folder: Path) -> None:
    leave(folder, START, {"activity_id": ["no id"], "name": "r0_to_dl1"})

    said = provdb_there("spool", "replay", folder)

    assert said.status == 1
    assert said.stderr.splitlines() == [
        "provdb: stored 1 record of 1 spool",
        "provdb: 1 record not stored; the .dead.jsonl beside their spool says why",
    ]
    assert [row["dead"] for row in provdb_there("spool", "status", folder).json] == [1]


def test_replay_needs_the_store(provdb: Provdb, folder: Path) -> None:
    leave(folder, START)

    said = provdb("--uri", DOWN, "spool", "replay", folder)

    assert said.status == 3
    assert "no server answers there" in said.stderr
    assert len(list(folder.iterdir())) == 1
