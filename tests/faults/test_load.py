"""Under load nothing that was taken is lost, whatever becomes of the servers."""

import os
import signal
from collections.abc import Iterator
from typing import Any, Final

import pytest
from pymongo import MongoClient

from provdb.errors import StoreUnavailable
from provdb.model import fold
from provdb.store import open_store
from tests.faults.conftest import NewSpools, database_of, new_server
from tests.faults.kit import FULL, Spools, until
from tests.faults.records import ACTIVITY_RECORDS, Sent, record
from tests.mongod import MongoServer

_PROCESSES: Final = 100 if FULL else 20
_ROUNDS: Final = 4 if FULL else 1
_WRITERS: Final = 8
_LOG_ON: Final = """
import os, sys
writer = Writer(sys.argv[1], flush_interval_seconds=0.05, close_timeout_seconds=2)
while not os.path.exists("over"):
    writer.log(6, pause=0.001)
"""


@pytest.fixture
def lone_server() -> Iterator[MongoServer]:
    """A standalone server, which loses what it did not write to its journal."""
    yield from new_server(replica_set=None)


@pytest.fixture
def members() -> Iterator[list[MongoServer]]:
    """The three members of a replica set, the first of which is the primary."""
    starting = [new_server(replica_set="rs3", initiate=False) for _ in range(3)]
    servers = [next(each) for each in starting]
    configuration = {
        "_id": "rs3",
        "members": [
            {"_id": n, "host": f"127.0.0.1:{server.port}", "priority": 3 - n}
            for n, server in enumerate(servers)
        ],
        "settings": {"electionTimeoutMillis": 2000},
    }
    with MongoClient[dict[str, Any]](servers[0].uri, directConnection=True) as client:
        client.admin.command("replSetInitiate", configuration)
        until(lambda: client.admin.command("hello")["isWritablePrimary"])
        until(lambda: len(caught_up(client)) == len(servers))
    yield servers
    for server in servers:
        server.close()


def caught_up(client: MongoClient[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the members that serve."""
    status = client.admin.command("replSetGetStatus")
    return [each for each in status["members"] if each["state"] in (1, 2)]


def uri_of(members: list[MongoServer]) -> str:
    hosts = ",".join(f"127.0.0.1:{member.port}" for member in members)
    return f"{database_of(f'mongodb://{hosts}')}?replicaSet=rs3"


@pytest.mark.mongo
def test_a_server_that_is_killed_under_load_loses_nothing(
    lone_server: MongoServer, new_spools: NewSpools
) -> None:
    spools = new_spools(database_of(lone_server.uri))
    writers = [spools.start(_LOG_ON, f"w{each}") for each in range(_WRITERS)]

    for taken in range(1, _ROUNDS + 1):
        writers[0].wait_until_taken(300 * taken)
        until(lambda: spools.stored_count() > 0)
        lone_server.kill()
        lone_server.restart()
    (spools.folder / "over").touch()
    ended = [writer.wait_for_end() for writer in writers]

    assert [each.status for each in ended] == [0] * _WRITERS
    assert len(spools.taken) > _WRITERS * 100
    assert spools.outcome() == ([], [], [])


@pytest.mark.mongo
def test_a_primary_that_is_killed_under_load_loses_nothing(
    members: list[MongoServer], new_spools: NewSpools
) -> None:
    spools = new_spools(uri_of(members))
    writers = [spools.start(_LOG_ON, f"w{each}") for each in range(_WRITERS)]
    writers[0].wait_until_taken(300)
    until(lambda: spools.stored_count() > 0)

    members[0].kill()
    before = len(writers[0].taken())
    writers[0].wait_until_taken(before + 1500)
    (spools.folder / "over").touch()
    ended = [writer.wait_for_end() for writer in writers]

    assert [each.status for each in ended] == [0] * _WRITERS
    assert spools.outcome() == ([], [], [])


@pytest.mark.mongo
def test_what_a_majority_does_not_have_yet_is_not_acknowledged(
    members: list[MongoServer],
) -> None:
    """A document can be read before it is safe; it must not count as stored then."""
    uri = uri_of(members)
    an_entity = fold([record(Sent("w", 2))])
    with open_store(uri) as store:
        store.initialise()
    with open_store(uri, timeout_seconds=0.5) as store:
        for member in members[1:]:
            os.kill(member.pid, signal.SIGSTOP)
        try:
            with pytest.raises(StoreUnavailable):
                store.write(an_entity)

            with pytest.raises(StoreUnavailable):
                store.write(an_entity)
        finally:
            for member in members[1:]:
                os.kill(member.pid, signal.SIGCONT)


def test_many_processes_at_once_store_everything(spools: Spools) -> None:
    script = 'Writer(__import__("sys").argv[1], close_timeout_seconds=120).log(60)'

    processes = [spools.start(script, f"s{each}") for each in range(_PROCESSES)]
    ended = [process.wait_for_end() for process in processes]

    assert [(each.status, each.stderr) for each in ended] == [(0, "")] * _PROCESSES
    assert len(spools.taken) == 60 * _PROCESSES
    assert (spools.missing(), spools.twice(), spools.left()) == ([], [], [])
    assert spools.stored_count() == 60 // ACTIVITY_RECORDS * _PROCESSES
