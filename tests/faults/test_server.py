"""Whatever the server does, pipelines run on, end in time, and lose nothing."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Final

import pytest

from tests.faults.kit import MARGIN_SECONDS, Ended, Spools, failing
from tests.mongod import MongoServer

Broken = Callable[[MongoServer], AbstractContextManager[None]]

_CLOSE_SECONDS: Final = 2.0
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


every_fault = pytest.mark.parametrize(
    "broken",
    [
        pytest.param(killed, id="killed"),
        pytest.param(frozen, id="frozen"),
        pytest.param(with_error(91), id="shutting down"),
        pytest.param(with_error(112), id="write conflict"),
        pytest.param(with_error(50), id="time is over"),
        pytest.param(
            partial(refusing, writeConcernError={"code": 64, "errmsg": "waiting"}),
            id="write concern",
        ),
        pytest.param(partial(refusing, closeConnection=True), id="closes connection"),
    ],
)


@pytest.mark.mongo
@every_fault
def test_a_server_that_is_broken_at_the_start_loses_nothing(
    server: MongoServer, server_spools: Spools, broken: Broken
) -> None:
    with broken(server):
        ended = run_parts(server_spools)

    assert_went_well(server_spools, ended)
    assert server_spools.outcome() == ([], [], [])


@pytest.mark.mongo
@every_fault
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
@every_fault
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


def run_parts(spools: Spools) -> Ended:
    pipeline = spools.start(_PARTS)
    pipeline.wait_for("half")
    pipeline.go_on()
    pipeline.wait_for("done")
    pipeline.go_on()
    return pipeline.wait_for_end()


def assert_went_well(spools: Spools, ended: Ended) -> None:
    """Hold what a pipeline is promised, whatever the server does."""
    assert ended.status == 0
    assert ended.exit_seconds is not None
    assert ended.exit_seconds < _CLOSE_SECONDS + MARGIN_SECONDS
    assert len(ended.complaints) <= 2
    assert "Traceback" not in ended.stderr
    assert spools.slowest_seconds < _CALL_SECONDS
    assert len(spools.taken) == 120
