"""Many processes that write at once, each a subrun of one run with its activities.

Run as a program this is one of them: it says when it is ready, begins when its input
says so, and prints when it began and when all that it logged was in the store.
"""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from pymongo import MongoClient
from pymongo.errors import BulkWriteError

from provdb.capture.handler import ProvHandler
from provdb.capture.replay import spool_states
from provdb.model import Record, fold, location_id
from provdb.store import open_store
from tests.benchmarks.stage import Stage

__all__ = ["Turn", "run_writers"]

_ROOT: Final = Path(__file__).parents[2]
_TIME: Final = "2020-01-17T00:00:00"
_TAG: Final = "r0_to_dl1:01807"
_SESSION: Final = "2020011701807"
_USED: Final = ("Pedestal file", "Coefficients calibration file", "Run summary file")
_PACKAGES: Final = 170


class Turn(NamedTuple):
    """What writers did.

    Attributes:
        records: How many records all of them logged.
        seconds: From the first call to the last record in the store.
        busy_seconds: Processor time of all of them in that time.
        server_seconds: Processor time of the server meanwhile.
    """

    records: int
    seconds: float
    busy_seconds: float
    server_seconds: float


def run_writers(
    stage: Stage, *, count: int, activities: int, is_bare: bool = False
) -> Turn:
    """Have processes log their records into an empty database, all at once.

    Args:
        stage: Where to.
        count: How many processes.
        activities: How many activities each of them logs.
        is_bare: Whether they log to a text file, and insert documents that were made
            before: the least that can be done.

    Raises:
        RuntimeError: Not everything is in the store.
    """
    uri = stage.empty_database(is_lone=True)
    (stage.folder / "spool").mkdir(exist_ok=True)
    writers = [
        subprocess.Popen(
            [
                sys.executable,
                *("-m", "tests.benchmarks.writers", uri, stage.folder / "spool"),
                *(str(number), str(activities), "bare" if is_bare else "handler"),
            ],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    for writer in writers:
        if writer.stdout is None or writer.stdout.readline() != "ready\n":
            raise RuntimeError("a writer did not begin")
    server: MongoClient[Any] = MongoClient(uri)
    before = _server_seconds(server)
    for writer in writers:
        if writer.stdin is not None:
            writer.stdin.write("go\n")
            writer.stdin.flush()
    lines = [writer.stdout.readline() for writer in writers if writer.stdout]
    of_server = _server_seconds(server) - before
    server.close()
    # An interpreter that ends takes as long as hundreds of records: none ends before
    # all have written theirs.
    for writer in writers:
        writer.communicate()
    said = [[float(word) for word in line.split()] for line in lines]
    begins, ends, busy, records = zip(*said, strict=True)
    with open_store(uri) as store:
        stored = {stats.name: stats.documents for stats in store.stats()}
    if stored["activities"] != count * activities:
        raise RuntimeError(f"{stored['activities']} activities are in the store")
    return Turn(int(sum(records)), max(ends) - min(begins), sum(busy), of_server)


def _server_seconds(server: MongoClient[Any]) -> float:
    """Return the processor time that a server has taken so far."""
    used = server.admin.command("serverStatus")["extra_info"]
    return float(used["user_time_us"] + used["system_time_us"]) / 1e6


def _records(number: int, activities: int) -> Iterator[dict[str, Any]]:
    """Yield what a subrun logs: its session, and five files for each activity."""
    packages = [{"name": f"p{n}", "version": "1.0"} for n in range(_PACKAGES)]
    system = {
        "executable": "/opt/conda/bin/python",
        "platform": {"node": "cp15"},
        "python": {"version": "3.11.7", "packages": packages},
        "arguments": ["datasequence", str(number)],
    }
    session = {"session_id": _SESSION, "startTime": f"{_TIME}.{number:06d}"}
    yield {**session, "system": system, "session_tag": _TAG}
    for place in range(activities):
        activity = {"activity_id": f"{number:08x}{place:08x}", "session_tag": _TAG}
        started = {"name": "r0_to_dl1", "startTime": session["startTime"]}
        yield {**activity, **started, "script": "datasequence", "in_session": _SESSION}
        yield {**activity, "parameters": {"StoreImage": True}}
        # More than there are on a night, so that it lasts.
        subrun = f"Run01807.{number:04d}-{place:03d}"
        used = {
            "Observation subrun": f"/R0/20200117/LST-1.1.{subrun}.fits.fz",
            **{role: f"/calibration/20200117/{role}.h5" for role in _USED},
        }
        for role, path in used.items():
            yield _entity(path)
            yield {**activity, "used_id": location_id(path), "used_role": role}
        for role in ("DL1 subrun dataset", "Muons subrun dataset"):
            path = f"/DL1/20200117/{role}.{subrun}.h5"
            yield _entity(path)
            yield {
                **activity,
                "generated_id": location_id(path),
                "generated_role": role,
            }
        yield {**activity, "endTime": _TIME, "status": "completed"}


def _entity(path: str) -> dict[str, Any]:
    return {
        "entity_id": location_id(path),
        "filepath": path,
        "type": "File",
        "contentType": "application/x-hdf",
        "session_tag": _TAG,
    }


def _log(uri: str, spool_dir: str, session: Record, records: list[Record]) -> None:
    handler = ProvHandler(uri, spool_dir=spool_dir, close_timeout_seconds=300)
    logger = logging.Logger("provLogger", level=logging.INFO)
    logger.addHandler(handler)
    # A pipeline that does a hundred steps has recorded its session long before.
    logger.info(session)
    spools = list(Path(spool_dir).glob(f"*-{os.getpid()}-*"))
    while any(state.records for state in spool_states(spools)):
        time.sleep(0.02)
    with _measured(len(records)):
        for record in records:
            logger.info(record)
        handler.close()


def _log_bare(uri: str, folder: str, session: Record, records: list[Record]) -> None:
    handler = logging.FileHandler(Path(folder) / f"{os.getpid()}.log")
    logger = logging.Logger("provLogger", level=logging.INFO)
    logger.addHandler(handler)
    documents = fold([session, *records])
    client: MongoClient[Any] = MongoClient(uri, w="majority", journal=True)
    database = client.get_default_database()
    database.command("ping")
    with _measured(len(records)):
        for record in records:
            logger.info(record)
        handler.close()
        for name in ("entities", "activities"):
            # Others know the same calibration.
            with suppress(BulkWriteError):
                database[name].insert_many(documents[name], ordered=False)


@contextmanager
def _measured(records: int) -> Iterator[None]:
    """Wait until all may begin, and say when the block began and ended."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    begin, busy = time.time(), time.process_time()
    yield
    took = time.process_time() - busy
    sys.stdout.write(f"{begin} {time.time()} {took} {records}\n")
    sys.stdout.flush()
    sys.stdin.readline()


def _write(uri: str, folder: str, number: str, activities: str, how: str) -> None:
    session, *records = _records(int(number), int(activities))
    log = _log_bare if how == "bare" else _log
    log(uri, folder, session, records)


if __name__ == "__main__":
    _write(*sys.argv[1:])
