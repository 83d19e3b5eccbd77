"""What a session takes from around it: time, new ids, agent, script and environment."""

import getpass
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from provdb.capture.environment import environment_of_process

__all__ = ["Surroundings"]

_UNKNOWN_AGENT: Final = "Anonymous"


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return uuid.uuid4().hex


@cache
def _agent() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # no such user in this container
        return _UNKNOWN_AGENT


def _script() -> str:
    return sys.argv[0] if sys.argv else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a session takes from what it does not know itself.

    The defaults are the process, its user and its clock; a simulation has others.

    Attributes:
        now: Gives the time, with its zone.
        new_id: Gives an ``activity_id`` that no other activity has.
        agent: Gives who runs the process.
        script: Gives what is run.
        system: Gives the system block of the environment.
    """

    now: Callable[[], datetime] = _now
    new_id: Callable[[], str] = _new_id
    agent: Callable[[], str] = _agent
    script: Callable[[], str] = _script
    system: Callable[[], Mapping[str, Any]] = environment_of_process
