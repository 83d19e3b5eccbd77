"""The server that tests and benchmarks start: it works, and it goes away."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.mongod import MongoServer

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.mongo


def is_running(pid: int) -> bool:
    """Whether that process is there and not just waiting to be collected."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except FileNotFoundError:
        return False


def wait_for_end(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(pid)


def test_it_commits_a_transaction(mongo_store_uri: str) -> None:
    with MongoClient[dict[str, Any]](mongo_store_uri) as client:
        night = client.get_default_database()["night"]

        with client.start_session() as session, session.start_transaction():
            night.insert_one({"_id": "r0_to_dl1:01618"}, session=session)

        assert night.count_documents({}) == 1


@pytest.mark.slow
@pytest.mark.skipif("PROVDB_TEST_URI" in os.environ, reason="a server was given")
def test_closing_leaves_no_process_and_no_folder(mongo_uri: str) -> None:
    with MongoServer(replica_set=None) as server:
        pid = server.pid

    assert not is_running(pid)
    assert not server.folder.exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")
@pytest.mark.skipif("PROVDB_TEST_URI" in os.environ, reason="a server was given")
def test_it_dies_with_the_process_that_started_it(
    mongo_uri: str, tmp_path: Path
) -> None:
    script = (
        "from tests.mongod import MongoServer\n"
        "server = MongoServer(replica_set=None)\n"
        "print(server.pid, flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)

        parent.send_signal(signal.SIGKILL)

        assert wait_for_end(pid)
