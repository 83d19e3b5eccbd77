"""Many files are read by several processes, of which any may die."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from provdb.readers import guard, pool, worker
from provdb.readers.pool import read_in_processes
from tests.samples import LSTCHAIN_DL1, SLIDES_LOG

# Stands for the process that reads, and does what the name of a file says.
_READS: Final = """
import json, os, sys, time
for line in sys.stdin:
    request = json.loads(line)
    if "dies" in request["path"]:
        os.kill(os.getpid(), 9)
    if "hangs" in request["path"]:
        time.sleep(600)
    if "slow" in request["path"]:
        time.sleep(0.05)
    print(json.dumps({"pid": os.getpid(), "path": request["path"]}))
    sys.stdout.flush()
"""
# Reads for ever, and says the ids of the processes that read for it.
_PARENT: Final = """
import itertools, sys
from provdb.readers.pool import read_in_processes
request = {"path": sys.argv[1], "is_named": False, "format": None}
told = set()
for number, answer in read_in_processes(
    itertools.count(), request_of=lambda number: request, jobs=2
):
    if number == 200:
        import psutil
        print(*(child.pid for child in psutil.Process().children()), flush=True)
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a program read that dies or hangs of some files."""
    program = tmp_path / "reader.py"
    program.write_text(_READS)
    real = subprocess.Popen

    def started(words: list[str], **options: object) -> object:
        return real([words[0], str(program)], **options)  # type: ignore[call-overload]  # As given.

    monkeypatch.setattr(subprocess, "Popen", started)


def _request(path: str) -> dict[str, Any] | None:
    return {"path": path, "is_named": False, "format": None} if path else None


def _read(paths: list[str], *, jobs: int = 3) -> list[tuple[str, Any]]:
    found = read_in_processes(iter(paths), request_of=_request, jobs=jobs)
    return [(item, answer and answer.get("unread")) for item, answer in found]


@pytest.mark.usefixtures("fake")
def test_answers_come_in_the_order_of_the_items() -> None:
    paths = [f"{'slow' if n % 7 == 0 else 'quick'} {n}" for n in range(60)]

    found = list(read_in_processes(iter(paths), request_of=_request, jobs=3))

    answers = [answer for _, answer in found if answer is not None]
    assert [item for item, _ in found] == paths
    assert [answer["path"] for answer in answers] == paths
    assert len({answer["pid"] for answer in answers}) == 3


@pytest.mark.usefixtures("fake")
def test_what_needs_no_process_keeps_its_place() -> None:
    assert _read(["a", "", "b", "", ""]) == [
        (name, None) for name in ["a", "", "b", "", ""]
    ]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_nothing_to_read_needs_no_process(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.delattr(subprocess, "Popen")

    read = [_read([""] * count) for _ in range(200)]

    assert read == [[("", None)] * count] * 200


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.usefixtures("fake")
def test_a_file_that_kills_its_process_costs_no_other_file(jobs: int) -> None:
    paths = [f"{'dies' if n in (3, 4, 19) else 'good'} {n}" for n in range(40)]

    read = _read(paths, jobs=jobs)

    reason = "it ended the process that read it: SIGKILL"
    assert read == [(p, reason if p.startswith("dies") else None) for p in paths]


@pytest.mark.usefixtures("fake")
def test_a_file_that_takes_for_ever_costs_no_other_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard, "TIMEOUT_SECONDS", 1.0)

    read = _read(["good", "hangs", *["after"] * 20], jobs=1)

    assert read[1] == ("hangs", "to read it takes more than 1 s")
    assert [reason for _, reason in read].count(None) == 21


@pytest.mark.usefixtures("fake")
def test_no_more_is_taken_than_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_MOST_TASKS", 10)
    taken: list[int] = []

    def items() -> Iterator[str]:
        for number in range(100):
            taken.append(number)
            yield str(number)

    reading = read_in_processes(items(), request_of=_request, jobs=2)
    next(reading)
    time.sleep(0.5)  # In which it would take all of them.
    most = len(taken)
    rest = sum(1 for _ in reading)

    assert most <= 12
    assert rest == 99


@pytest.mark.usefixtures("fake")
def test_what_is_read_and_not_taken_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "_MOST_BYTES", 1)

    assert len(_read(["a"] * 100)) == 100


@pytest.mark.usefixtures("fake")
def test_what_is_wrong_with_the_items_is_raised_behind_those_before() -> None:
    def items() -> Iterator[str]:
        yield "a"
        raise LookupError("no more")

    reading = read_in_processes(items(), request_of=_request, jobs=2)

    with pytest.raises(LookupError, match="no more"):
        list(reading)


@pytest.mark.usefixtures("fake")
def test_who_stops_in_the_middle_leaves_no_process() -> None:
    psutil = pytest.importorskip("psutil")
    before = psutil.Process().children()
    reading = read_in_processes(iter(["a"] * 99), request_of=_request, jobs=2)

    next(reading)
    reading.close()

    assert psutil.Process().children() == before


def test_no_process_outlives_one_that_was_killed() -> None:
    psutil = pytest.importorskip("psutil")
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(LSTCHAIN_DL1)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert parent.stdout is not None

    children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
    parent.send_signal(signal.SIGKILL)
    parent.wait(timeout=60)
    _, alive = psutil.wait_procs(children, timeout=30)
    parent.stdout.close()

    assert len(children) == 2
    assert alive == []


def test_a_file_is_read_by_its_content_and_a_log_is_left(tmp_path: Path) -> None:
    (tmp_path / "notes.bin").write_bytes(b"\0")
    paths = [str(LSTCHAIN_DL1), str(SLIDES_LOG), str(tmp_path / "notes.bin")]
    paths.append(str(tmp_path / "missing.h5"))

    found = read_in_processes(iter(paths), request_of=_request, jobs=2)

    hdf5, log, other, missing = (answer for _, answer in found if answer is not None)
    assert (hdf5["format"], len(hdf5["records"]), hdf5["problems"]) == ("hdf5", 2, [])
    assert log["is_left"]
    assert "format" not in other
    assert missing["unread"] == "it cannot be read: No such file or directory"


def test_what_would_take_too_much_memory_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"picture_thresh": 8}')
    request = {"path": str(config), "is_named": False, "format": None}

    small = worker.find_and_read(request)
    monkeypatch.setattr(worker, "_LARGEST_HANDED_OVER", 10)
    large = worker.find_and_read(request)

    assert (small["format"], len(small["records"])) == ("config", 2)
    assert large == {"format": "config", "is_left": True}


def test_what_somebody_named_and_nobody_knows_is_left(tmp_path: Path) -> None:
    path = tmp_path / "model.sav"
    path.write_bytes(b"\x80\4\x95" + bytes(100))

    answer = worker.find_and_read({"path": str(path), "is_named": True, "format": None})

    assert answer == {"is_left": True}
