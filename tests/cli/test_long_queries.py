"""A long query says so, and ends by Ctrl-C, by its time, or with its reader."""

import fcntl
import os
import pty
import shlex
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tests.cli.command import Provdb, ProvdbProcess
from tests.faults.kit import until
from tests.faults.proxy import Proxy

_SECONDS: Final = 30
_QUERY: Final = ("query", "find", "level:DL1")
_QUESTIONS: Final = [
    pytest.param(_QUERY, id="find"),
    pytest.param(("query", "find", "upstream(level:DL1)"), id="upstream"),
    pytest.param(("query", "lineage", "dl2_LST-1.Run01807.h5"), id="lineage"),
]


class BusyServer:
    """A server that works at what it is asked until it is told to go on.

    Attributes:
        uri: A database on it, with the sample.
    """

    def __init__(self, client: MongoClient[dict[str, Any]], uri: str) -> None:
        """Watch a database."""
        self.uri = uri
        self._client = client
        self._database = urlsplit(uri).path.strip("/")

    def hang(self, mode: str) -> None:
        """Begin or end to hang in whatever is asked of the entities."""
        where = {"nss": f"{self._database}.entities", "shouldCheckForInterrupt": True}
        self._client.admin.command(
            "configureFailPoint",
            "waitInFindBeforeMakingBatch",
            mode=mode,
            data=where,
        )

    def works(self) -> bool:
        """Say whether it works at anything for a client of provdb there."""
        asked = {"appName": "provdb", "active": True, "ns": {"$regex": self._database}}
        running: list[dict[str, Any]] = [{"$currentOp": {}}, {"$match": asked}]
        return bool(list(self._client.admin.aggregate(running)))

    def rests(self) -> bool:
        """Say whether it works at nothing."""
        return not self.works()


@pytest.fixture
def busy(
    mongo_client: MongoClient[dict[str, Any]],
    sample_log: Path,
    mongo_filled_uri: Callable[[Path], str],
) -> Iterator[BusyServer]:
    """A server with the sample that hangs."""
    server = BusyServer(mongo_client, mongo_filled_uri(sample_log))
    try:
        server.hang("alwaysOn")
    except OperationFailure as error:
        pytest.skip(f"THE SERVER HAS NO TEST COMMANDS: {error}")
    yield server
    server.hang("off")


@pytest.mark.mongo
@pytest.mark.parametrize("words", _QUESTIONS)
def test_ctrl_c_ends_what_a_busy_server_does(
    home: Path, busy: BusyServer, words: tuple[str, ...]
) -> None:
    process = ProvdbProcess(home=home, uri=busy.uri).start(
        *words, "-o", "answer.csv", stdout=subprocess.PIPE
    )
    until(busy.works)

    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=_SECONDS)

    assert (process.returncode, *said) == (130, b"", b"")
    assert list(home.glob("*answer*")) == []
    until(busy.rests)


@pytest.mark.mongo
def test_ctrl_c_waits_for_no_server_that_is_mute(home: Path, busy: BusyServer) -> None:
    parts = urlsplit(busy.uri)

    with Proxy(parts.port or 27017) as proxy:
        uri = f"mongodb://127.0.0.1:{proxy.port}{parts.path}?directConnection=true"
        process = ProvdbProcess(home=home, uri=uri).start(
            "query", "find", "upstream(level:DL1)", stdout=subprocess.PIPE
        )
        until(busy.works)
        proxy.is_mute_to_client = True

        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=_SECONDS)

    assert (process.returncode, *said) == (130, b"", b"")


@pytest.mark.mongo
@pytest.mark.parametrize("query", ["level:DL1", "level:DL1 node:vm"])
def test_a_timeout_ends_it_on_the_server_too(
    home: Path, busy: BusyServer, query: str
) -> None:
    said = Provdb(home=home, uri=busy.uri)("query", "find", query, "--timeout", "0.3")

    assert (said.status, said.stdout) == (3, "")
    assert said.stderr.endswith(
        "there was no whole answer in time; ask for less, or give it more time\n"
    )
    until(busy.rests)


@pytest.mark.mongo
def test_progress_is_shown_on_a_terminal(home: Path, busy: BusyServer) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
    process = ProvdbProcess(home=home, uri=busy.uri).start(
        *_QUERY, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    while b"0 rows so far" not in shown:
        shown += os.read(ours, 4096)

    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=_SECONDS)
    os.close(ours)

    assert (process.returncode, stdout) == (130, b"")


def test_what_is_short_shows_no_progress(
    home: Path, local_filled_uri: Callable[[Path], str], sample_log: Path
) -> None:
    process = ProvdbProcess(home=home, uri=local_filled_uri(sample_log))

    said = process.on_terminal(*_QUERY, "--format", "jsonl")

    assert said.status == 0
    assert [line[:1] for line in said.stdout.splitlines()] == ["{"] * 64


@pytest.mark.parametrize(
    ("words", "reader"),
    [
        (("query", "find", "", "--format", "jsonl"), "head -1"),
        (("query", "find", "", "--format", "json"), "true"),
        (("query", "lineage", "dl2_LST-1.Run01807.h5"), "true"),
    ],
)
def test_a_reader_that_has_seen_enough_ends_it_quietly(
    home: Path,
    local_filled_uri: Callable[[Path], str],
    sample_log: Path,
    words: tuple[str, ...],
    reader: str,
) -> None:
    process = ProvdbProcess(home=home, uri=local_filled_uri(sample_log))
    ours = shlex.join(process.words(*words))

    said = subprocess.run(
        ["bash", "-c", f'{ours} | {reader} >/dev/null; echo "${{PIPESTATUS[*]}}"'],
        env=process.environ,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert (said.stdout, said.stderr) == ("0 0\n", "")
