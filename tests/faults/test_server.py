"""Whatever the server does, pipelines run on, end in time, and lose nothing."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Final

import pytest

from tests.faults.conftest import NewSpools, database_of
from tests.faults.kit import (
    FULL,
    MARGIN_SECONDS,
    Ended,
    Pipeline,
    Spools,
    failing,
    until,
)
from tests.faults.proxy import Proxy
from tests.mongod import MongoServer

Broken = Callable[[MongoServer], AbstractContextManager[None]]

_CLOSE_SECONDS: Final = 1.0
# No call waits for anything; this is what a busy machine may make of one.
_CALL_SECONDS: Final = 1.0
# Two parts, between which the server is broken.
_PARTS: Final = f"""
writer = Writer("w", close_timeout_seconds={_CLOSE_SECONDS})
writer.log(60)
wait("half")
writer.log(60, pause=0.005)
wait("done")
writer.end()
"""
# The first part is stored before the second one begins: it is a write that fails, and
# not the opening of the store. The end waits longer than the driver does.
_PATIENT_SECONDS: Final = 5.0
_WRITES: Final = f"""
writer = Writer(
    "w", flush_interval_seconds=0.2, close_timeout_seconds={_PATIENT_SECONDS}
)
writer.log(60)
wait("half")
writer.log(60)
wait("done")
writer.end()
"""


@contextmanager
def killed(server: MongoServer) -> Iterator[None]:
    """Keep a server killed."""
    server.kill()
    try:
        yield
    finally:
        server.restart()


@contextmanager
def frozen(server: MongoServer) -> Iterator[None]:
    """Keep a server stopped: it takes connections, and answers none."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def refusing(server: MongoServer, **how: Any) -> AbstractContextManager[None]:
    """Let a server answer with errors."""
    return failing(server.uri, **how)


def with_error(code: int) -> Broken:
    return partial(refusing, errorCode=code)


FAULTS: Final[dict[str, Broken]] = {
    "killed": killed,
    "frozen": frozen,
    "shutting down": with_error(91),
    "write conflict": with_error(112),
    "time is over": with_error(50),
    "write concern": partial(
        refusing, writeConcernError={"code": 64, "errmsg": "waiting"}
    ),
    "closes connection": partial(refusing, closeConnection=True),
}
# What the server may answer to a write alone.
WRITING: Final = ["insert", "update"]
REFUSALS: Final[dict[str, dict[str, Any]]] = {
    "shutting down": {"errorCode": 91},
    "write conflict": {"errorCode": 112},
    "write concern": {"writeConcernError": {"code": 64, "errmsg": "waiting"}},
}


def cases(*short: str) -> pytest.MarkDecorator:
    """Parametrise with all faults on both kinds of server, or with these alone.

    Args:
        short: Kind and fault of each case of the short form.
    """
    named = [f"{kind}-{fault}" for kind in (None, "rs0") for fault in FAULTS]
    return pytest.mark.parametrize(
        ("server", "broken"),
        [
            pytest.param(kind, broken, id=f"{kind}-{fault}")
            for kind in (None, "rs0")
            for fault, broken in FAULTS.items()
            if f"{kind}-{fault}" in (named if FULL else short)
        ],
        indirect=["server"],
    )


@pytest.mark.mongo
@cases("None-killed", "rs0-frozen")
def test_a_server_that_is_broken_at_the_start_loses_nothing(
    server: MongoServer, server_spools: Spools, broken: Broken
) -> None:
    with broken(server):
        ended = run_parts(server_spools)

    assert_went_well(server_spools, ended)
    assert server_spools.outcome() == ([], [], [])


@pytest.mark.mongo
@cases(
    "None-killed",
    "None-frozen",
    "None-closes connection",
    "rs0-time is over",
)
def test_a_server_that_breaks_loses_nothing(
    server: MongoServer, server_spools: Spools, broken: Broken
) -> None:
    pipeline = server_spools.start(_PARTS)
    pipeline.wait_for("half")

    with broken(server):
        pipeline.go_on()
        pipeline.wait_for("done")
        pipeline.go_on()
        ended = pipeline.wait_for_end()

    assert_went_well(server_spools, ended)
    assert server_spools.outcome() == ([], [], [])


@pytest.mark.mongo
@cases("None-killed", "rs0-closes connection")
def test_a_server_that_comes_back_loses_nothing(
    server: MongoServer, server_spools: Spools, broken: Broken
) -> None:
    pipeline = server_spools.start(_PARTS)
    pipeline.wait_for("half")

    with broken(server):
        pipeline.go_on()
        pipeline.wait_for("done")
    pipeline.go_on()
    ended = pipeline.wait_for_end()

    assert_went_well(server_spools, ended)
    assert server_spools.outcome() == ([], [], [])


def refusals(*short: str) -> pytest.MarkDecorator:
    """Parametrise with all refusals on a set of one, or with these alone."""
    return pytest.mark.parametrize(
        ("server", "refusal"),
        [
            pytest.param("rs0", REFUSALS[name], id=name)
            for name in (tuple(REFUSALS) if FULL else short)
        ],
        indirect=["server"],
    )


@pytest.mark.mongo
@refusals("write conflict")
def test_a_write_that_fails_is_made_again(
    server: MongoServer, hasty_spools: Spools, refusal: dict[str, Any]
) -> None:
    pipeline = start_writes(hasty_spools)

    with refusing(server, failCommands=WRITING, **refusal):
        log_until_a_write_fails(pipeline)
    pipeline.go_on()
    ended = pipeline.wait_for_end()

    assert (ended.status, len(hasty_spools.taken)) == (0, 120)
    assert (hasty_spools.missing(), hasty_spools.twice()) == ([], [])
    assert hasty_spools.left() == []


@pytest.mark.mongo
@refusals("shutting down", "write conflict", "write concern")
def test_a_write_that_fails_until_the_end_stays_in_the_spool(
    server: MongoServer, hasty_spools: Spools, refusal: dict[str, Any]
) -> None:
    pipeline = start_writes(hasty_spools)

    with refusing(server, failCommands=WRITING, **refusal):
        log_until_a_write_fails(pipeline)
        pipeline.go_on()
        ended = pipeline.wait_for_end()

    assert (ended.status, len(hasty_spools.taken)) == (0, 120)
    assert hasty_spools.outcome() == ([], [], [])


@pytest.mark.mongo
@pytest.mark.parametrize("server", [None], indirect=True, ids=["standalone"])
def test_a_server_that_is_killed_before_the_last_write_loses_nothing(
    server: MongoServer, hasty_spools: Spools
) -> None:
    pipeline = start_writes(hasty_spools)

    with killed(server):
        pipeline.go_on()
        pipeline.wait_for("done")
        pipeline.go_on()
        ended = pipeline.wait_for_end()

    assert (ended.status, len(hasty_spools.taken)) == (0, 120)
    assert ended.exit_seconds is not None
    assert ended.exit_seconds < _PATIENT_SECONDS + MARGIN_SECONDS
    assert len(ended.complaints) <= 2
    assert hasty_spools.outcome() == ([], [], [])


@pytest.mark.mongo
@pytest.mark.parametrize("server", [None], indirect=True, ids=["standalone"])
def test_a_server_that_is_killed_and_started_again_gets_the_failed_write(
    server: MongoServer, hasty_spools: Spools
) -> None:
    pipeline = start_writes(hasty_spools)

    with killed(server):
        log_until_a_write_fails(pipeline)
    pipeline.go_on()
    ended = pipeline.wait_for_end()

    assert (ended.status, len(hasty_spools.taken)) == (0, 120)
    assert hasty_spools.outcome() == ([], [], [])


@pytest.mark.mongo
@pytest.mark.parametrize("server", [None], indirect=True, ids=["standalone"])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"cut_after_bytes": 3000}, id="cuts"),
        pytest.param({"cut_after_bytes": 0}, id="cuts at once"),
        pytest.param({"delay_seconds": 0.1}, id="delays"),
        pytest.param({"is_mute_to_server": True}, id="swallows what is sent"),
        pytest.param({"is_mute_to_client": True}, id="swallows what is answered"),
    ],
)
def test_a_network_that_fails_loses_nothing(
    server: MongoServer, proxy: Proxy, new_spools: NewSpools, fault: dict[str, Any]
) -> None:
    spools = new_spools(database_of(f"mongodb://127.0.0.1:{proxy.port}"))
    pipeline = spools.start(_PARTS)
    pipeline.wait_for("half")

    vars(proxy).update(fault)
    pipeline.go_on()
    pipeline.wait_for("done")
    pipeline.go_on()
    ended = pipeline.wait_for_end()
    proxy.heal()

    assert_went_well(spools, ended)
    assert proxy.connections > 0
    assert spools.outcome() == ([], [], [])


@pytest.mark.mongo
def test_a_server_that_refuses_the_password_loses_nothing(
    guarded_uri: str, new_spools: NewSpools
) -> None:
    spools = new_spools(guarded_uri)
    spools.environ = {"FAULTS_URI": guarded_uri.replace("hunter2", "wr0ng")}

    ended = run_parts(spools)

    assert_went_well(spools, ended)
    assert "refuses the user or the password" in ended.stderr
    assert "wr0ng" not in ended.stderr
    assert spools.outcome() == ([], [], [])


@pytest.mark.mongo
@pytest.mark.parametrize("server", [None], indirect=True, ids=["standalone"])
def test_the_command_stores_what_is_left(
    server: MongoServer, server_spools: Spools
) -> None:
    with killed(server):
        run_parts(server_spools)

    first, again = server_spools.replay(), server_spools.replay()

    assert (first.status, first.stderr) == (
        0,
        "provdb: stored 120 records of 1 spool\n",
    )
    assert (again.status, again.stderr) == (
        0,
        "provdb: stored 0 records of 0 spools\n",
    )
    assert (server_spools.missing(), server_spools.twice()) == ([], [])


@pytest.fixture
def hasty_spools(server: MongoServer, new_spools: NewSpools) -> Spools:
    """Pipelines whose driver gives up before their handler does."""
    return new_spools(f"{database_of(server.uri)}?timeoutMS=1000")


def run_parts(spools: Spools) -> Ended:
    pipeline = spools.start(_PARTS)
    pipeline.wait_for("half")
    pipeline.go_on()
    pipeline.wait_for("done")
    pipeline.go_on()
    return pipeline.wait_for_end()


def start_writes(spools: Spools) -> Pipeline:
    """Start a pipeline, and wait until the store holds the first half."""
    pipeline = spools.start(_WRITES)
    pipeline.wait_for("half")
    until(lambda: not spools.missing())
    return pipeline


def log_until_a_write_fails(pipeline: Pipeline) -> None:
    """Have the second half logged, and wait until its write has failed."""
    pipeline.go_on()
    pipeline.wait_for("done")
    pipeline.wait_for_complaint()


def assert_went_well(spools: Spools, ended: Ended) -> None:
    """Hold what a pipeline is promised, whatever the server does."""
    assert ended.status == 0
    assert ended.exit_seconds is not None
    assert ended.exit_seconds < _CLOSE_SECONDS + MARGIN_SECONDS
    assert len(ended.complaints) <= 2
    assert "Traceback" not in ended.stderr
    assert spools.slowest_seconds < _CALL_SECONDS
    assert len(spools.taken) == 120
