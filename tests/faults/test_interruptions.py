"""Signals, forks and ends that come at the worst moment."""

from typing import Final

import pytest

from tests.faults.conftest import NewSpools
from tests.faults.kit import NOBODY, Spools

_ALARMS: Final = """
import signal, time

writer = Writer("w")

def start_alarms(seconds):
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)

def stop_alarms():
    signal.setitimer(signal.ITIMER_REAL, 0, 0)
"""


def test_a_signal_handler_that_logs_does_not_hang(spools: Spools) -> None:
    ended = spools.run(
        _ALARMS
        + """
signal.signal(signal.SIGALRM, lambda *_: writer.log_one(name="alarm"))
start_alarms(0.0003)
writer.log(3000)
stop_alarms()
"""
    )

    assert (ended.status, ended.stderr) == (0, "")
    assert len(spools.taken) > 3000
    assert spools.outcome() == ([], [], [])


def test_an_exception_of_a_signal_in_a_call_spoils_nothing(spools: Spools) -> None:
    ended = spools.run(
        _ALARMS
        + """
is_in_call = False

def interrupt(*_):
    global is_in_call
    if is_in_call:
        is_in_call = False
        raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
until = time.monotonic() + 3
# Opening takes longer than a call, and must come to its end now and then.
start_alarms(0.013)
while time.monotonic() < until:
    try:
        is_in_call = True
        writer.log_one()
        is_in_call = False
        time.sleep(0.001)
    except KeyboardInterrupt:
        pass
stop_alarms()
writer.end()
"""
    )

    assert (ended.status, ended.stderr) == (0, "")
    assert len(spools.taken) > 300
    assert ended.exit_seconds is not None
    assert spools.outcome() == ([], [], [])


def test_closing_while_threads_are_logging_loses_nothing(spools: Spools) -> None:
    ended = spools.run(
        """
import os, threading, time
writer = Writer("w")
is_over = threading.Event()

def log_on(number):
    while not is_over.is_set():
        writer.log_one(name=f"t{number}")
        time.sleep(0.005)

def open_and_close():
    while not is_over.is_set():
        file = os.open("foreign", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(file, b"mine\\n")
        os.close(file)

threads = [threading.Thread(target=log_on, args=(n,)) for n in range(4)]
threads += [threading.Thread(target=open_and_close)]
for thread in threads:
    thread.start()
for _ in range(8):
    writer.handler.close()
    writer.handler.flush()
is_over.set()
"""
    )

    assert (ended.status, ended.stderr) == (0, "")
    assert set((spools.folder / "foreign").read_text().splitlines()) == {"mine"}
    assert spools.outcome() == ([], [], [])


@pytest.mark.mongo
def test_a_child_that_is_forked_early_can_import_what_the_driver_needs(
    mongo_store_uri: str, new_spools: NewSpools
) -> None:
    spools = new_spools(mongo_store_uri)

    ended = spools.run(
        """
import os, time
writer = Writer("w")
writer.log(6)
pids = []
for number in range(40):
    time.sleep(0.01)
    pids.append(os.fork())
    if not pids[-1]:
        writer.fork(f"c{number}")
        writer.log(6)
        import pymongo.errors, ssl, encodings.idna
        os._exit(0)
deadline = time.monotonic() + 30
hanging = []
for pid in pids:
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        if time.monotonic() > deadline:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            hanging.append(pid)
            break
        time.sleep(0.01)
print(len(hanging))
"""
    )

    assert (ended.status, ended.stdout, ended.stderr) == (0, "0\n", "")
    assert spools.outcome() == ([], [], [])


@pytest.mark.mongo
def test_a_child_that_is_forked_while_the_driver_connects_ends_in_silence(
    mongo_store_uri: str, new_spools: NewSpools
) -> None:
    spools = new_spools(mongo_store_uri)

    ended = spools.run(
        """
import os, sys, threading, time
from pymongo.synchronous.monitor import _RttMonitor

is_connecting = threading.Event()
connect = _RttMonitor.__init__

def connect_slowly(self, *arguments):
    is_connecting.set()
    time.sleep(0.3)
    connect(self, *arguments)

_RttMonitor.__init__ = connect_slowly
writer = Writer("w")
writer.log(6)
is_connecting.wait()
pid = os.fork()
if not pid:
    writer.fork("c")
    writer.log(6)
    sys.exit(0)
os.waitpid(pid, 0)
"""
    )

    assert (ended.status, ended.stderr) == (0, "")
    assert len(spools.taken) == 12
    assert spools.outcome() == ([], [], [])


def test_a_server_that_is_away_all_night_ends_no_thread(new_spools: NewSpools) -> None:
    spools = new_spools("sqlite:////proc/nowhere/provdb.db")

    ended = spools.run(
        """
import threading, time
writer = Writer("w", flush_interval_seconds=0)
writer.log(6)
time.sleep(3)
names = {thread.name for thread in threading.enumerate()}
print("provdb-shipper" in names, writer.handler._shipper._failures > 1100)
"""
    )

    assert (ended.status, ended.stdout) == (0, "True True\n")
    assert "Traceback" not in ended.stderr


def test_an_open_spool_that_cannot_be_begun_leaves_nothing(
    new_spools: NewSpools,
) -> None:
    spools = new_spools(NOBODY)

    ended = spools.run(
        """
import os
from datetime import UTC, datetime
from pathlib import Path
from provdb.capture.spool import Spool, SpoolFull, SpoolName

before = len(os.listdir("/proc/self/fd"))
for _ in range(20):
    try:
        name = SpoolName.of_process(datetime.now(UTC))
        Spool(Path(os.environ["FAULTS_SPOOL"]), name, store="x", max_bytes=10)
    except SpoolFull:
        pass
print(len(os.listdir("/proc/self/fd")) - before)
"""
    )

    assert (ended.stdout, ended.stderr) == ("0\n", "")
    assert spools.left() == []
