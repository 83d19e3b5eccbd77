"""However a process ends or multiplies, what its handler took arrives."""

import random
import time
from typing import Final

import pytest

from tests.faults.conftest import NewSpools
from tests.faults.kit import FULL, MARGIN_SECONDS, NOBODY, Spools

_ROUNDS: Final = 20 if FULL else 1
_CLOSE_SECONDS: Final = 5.0
_LOG: Final = """
import atexit, os, signal, sys
writer = Writer("w")
writer.log(120)
writer.end()
"""
_KILLED: Final = """
writer = Writer(__import__("sys").argv[1], flush_interval_seconds=0.05)
writer.log(600_000, pause=0.0005)
"""


@pytest.mark.parametrize(
    ("end", "status"),
    [
        pytest.param("", 0, id="returns"),
        pytest.param("sys.exit(3)", 3, id="sys.exit"),
        pytest.param("raise RuntimeError('no pedestal')", 1, id="exception"),
        pytest.param(
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
            "os.kill(os.getpid(), signal.SIGTERM)",
            143,
            id="handled SIGTERM",
        ),
    ],
)
def test_a_process_that_ends_orderly_leaves_nothing_in_its_spool(
    spools: Spools, end: str, status: int
) -> None:
    ended = spools.run(_LOG + end)

    assert ended.status == status
    assert "provdb" not in ended.stderr
    assert (len(spools.taken), spools.missing(), spools.left()) == (120, [], [])


@pytest.mark.parametrize(
    ("end", "status"),
    [
        pytest.param("os._exit(4)", 4, id="os._exit"),
        pytest.param("os.kill(os.getpid(), signal.SIGTERM)", -15, id="SIGTERM"),
        pytest.param("os.kill(os.getpid(), signal.SIGKILL)", -9, id="SIGKILL"),
        pytest.param("os.abort()", -6, id="abort"),
        pytest.param(
            "os.execv(sys.executable, [sys.executable, '-c', 'pass'])", 0, id="exec"
        ),
    ],
)
def test_a_process_that_ends_at_once_leaves_its_records(
    any_store_uri: str, new_spools: NewSpools, end: str, status: int
) -> None:
    spools = new_spools(any_store_uri)

    ended = spools.run(_LOG + end)

    assert ended.status == status
    assert len(spools.taken) == 120
    assert spools.outcome() == ([], [], [])


def test_a_process_of_one_record_stores_it_itself(spools: Spools) -> None:
    ended = spools.run('Writer("w").log(1)')

    assert (ended.status, ended.stderr) == (0, "")
    assert (len(spools.taken), spools.missing(), spools.left()) == (1, [], [])


def test_records_of_exit_handlers_survive(spools: Spools) -> None:
    ended = spools.run(_LOG + "atexit.register(writer.log, 6)")

    assert ended.status == 0
    assert len(spools.taken) == 126
    assert spools.outcome() == ([], [], [])


@pytest.mark.parametrize("records", [1, 600])
def test_the_end_of_a_process_is_not_held_up_by_a_server_that_is_away(
    new_spools: NewSpools, records: int
) -> None:
    spools = new_spools(NOBODY)

    ended = spools.run(
        f'w = Writer("w", close_timeout_seconds=1)\nw.log({records})\nw.end()'
    )

    assert ended.exit_seconds is not None
    assert ended.exit_seconds < 1 + MARGIN_SECONDS
    assert ended.status == 0
    assert len(ended.complaints) <= 2


def test_writers_that_are_killed_at_any_moment_lose_nothing(spools: Spools) -> None:
    chance = random.Random(2020)

    lost = [kill_eight(spools, number, chance) for number in range(_ROUNDS)]

    assert lost == [([], [], [])] * _ROUNDS


def kill_eight(
    spools: Spools, number: int, chance: random.Random
) -> tuple[list[object], list[bytes], list[str]]:
    """Start 8 writers, kill each at some moment, and return what was lost."""
    writers = [spools.start(_KILLED, f"w{number}.{each}") for each in range(8)]
    for writer in writers:
        writer.wait_until_taken(1)
    for writer in chance.sample(writers, len(writers)):
        time.sleep(chance.uniform(0, 0.1))
        writer.process.kill()
        writer.process.wait()
    missing, twice, left = spools.outcome()
    return list(missing), twice, left


_CHILDREN: Final = """
import multiprocessing, os, sys, threading, time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

writer = Writer("w")

def child(number):
    writer.fork(f"c{number}")
    writer.log(12)

def child_of_pool(number):
    writer.fork(f"c{number}.{os.getpid()}")
    writer.log(12)

def wait_for_children(pids):
    for pid in pids:
        os.waitpid(pid, 0)

writer.log(6)
"""


@pytest.mark.parametrize(
    ("script", "records"),
    [
        pytest.param(
            """
pids = []
for number in range(4):
    pids.append(os.fork())
    if not pids[-1]:
        child(number)
        os._exit(0)
wait_for_children(pids)
writer.log(6)
""",
            12 + 4 * 12,
            id="os.fork and os._exit",
        ),
        pytest.param(
            """
pids = []
for number in range(4):
    pids.append(os.fork())
    if not pids[-1]:
        child(number)
        sys.exit(0)
wait_for_children(pids)
writer.log(6)
""",
            12 + 4 * 12,
            id="os.fork and sys.exit",
        ),
        pytest.param(
            """
for number in range(20):
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        os._exit(0)
    child(number)
""",
            6 + 20 * 12,
            id="20 generations",
        ),
        pytest.param(
            """
processes = [
    multiprocessing.get_context("fork").Process(target=child, args=(n,))
    for n in range(4)
]
for process in processes:
    process.start()
for process in processes:
    process.join()
writer.log(6)
""",
            12 + 4 * 12,
            id="Process",
        ),
        pytest.param(
            """
with multiprocessing.get_context("fork").Pool(3) as pool:
    pool.map(child_of_pool, range(12), chunksize=1)
writer.log(6)
""",
            12 + 12 * 12,
            id="pool that is terminated",
        ),
        pytest.param(
            """
pool = multiprocessing.get_context("fork").Pool(3, maxtasksperchild=1)
pool.map(child_of_pool, range(6), chunksize=1)
pool.close()
pool.join()
writer.log(6)
""",
            12 + 6 * 12,
            id="pool that is closed",
        ),
        pytest.param(
            """
with multiprocessing.get_context("spawn").Pool(2) as pool:
    pool.map(work, ["s1", "s2", "s3", "s4"], chunksize=1)
writer.log(6)
""",
            12 + 4 * 12,
            id="spawn pool",
        ),
        pytest.param(
            """
context = multiprocessing.get_context("fork")
with ProcessPoolExecutor(3, mp_context=context) as pool:
    list(pool.map(child_of_pool, range(12)))
writer.log(6)
""",
            12 + 12 * 12,
            id="ProcessPoolExecutor",
        ),
        pytest.param(
            """
import subprocess
code = "from tests.faults.writer import work; work('sub')"
subprocess.run([sys.executable, "-c", code], check=True)
writer.log(6)
""",
            12 + 12,
            id="subprocess",
        ),
        pytest.param(
            """
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda n: writer.log(60), range(8)))
""",
            6 + 8 * 60,
            id="ThreadPoolExecutor",
        ),
        pytest.param(
            """
threads = [threading.Thread(target=writer.log, args=(60,)) for _ in range(8)]
for thread in threads:
    thread.start()
""",
            6 + 8 * 60,
            id="threads that outlive the main one",
        ),
        pytest.param(
            """
def later():
    threading.main_thread().join()
    writer.log(300, pause=0.002)

threading.Thread(target=later).start()
""",
            6 + 300,
            id="thread that logs after the main one",
        ),
    ],
)
def test_records_of_children_and_threads_arrive(
    spools: Spools, script: str, records: int
) -> None:
    ended = spools.run(_CHILDREN + script)

    assert (ended.status, ended.stderr) == (0, "")
    assert len(spools.taken) == records
    assert spools.outcome() == ([], [], [])


def test_a_fork_while_threads_are_logging_neither_hangs_nor_loses(
    spools: Spools,
) -> None:
    ended = spools.run(
        _CHILDREN
        + """
is_over = threading.Event()

def log_on(number):
    while not is_over.is_set():
        writer.log_one(name=f"t{number}")

threads = [threading.Thread(target=log_on, args=(n,)) for n in range(4)]
for thread in threads:
    thread.start()
pids = []
for number in range(30):
    pids.append(os.fork())
    if not pids[-1]:
        child(number)
        os._exit(0)
wait_for_children(pids)
is_over.set()
"""
    )

    assert (ended.status, ended.stderr) == (0, "")
    assert len(spools.taken) >= 6 + 30 * 12
    assert spools.outcome() == ([], [], [])
