"""Sessions: one execution of a script, with what all its activities have in common."""

import os
import uuid
from collections.abc import Mapping
from contextvars import ContextVar, Token
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import Any, Final, Self

from provdb.capture.kept import KeptCopies
from provdb.capture.sink import emit, settle
from provdb.capture.statements import session_record
from provdb.capture.surroundings import Surroundings

__all__ = ["Session", "current_session", "session", "session_for"]

_VARIABLE: Final = "PROVDB_SESSION_TAG"
_CURRENT: Final = ContextVar[tuple["Session", ...]]("provdb_sessions", default=())
# The open sessions of the process: a thread does not inherit the context of the block
# that starts it, and belongs to the session all the same.
_OPEN: Final[list["Session"]] = []


def session(
    session_tag: str, *, surroundings: Surroundings | None = None, **properties: Any
) -> "Session":
    """Return a session to run activities in.

    Args:
        session_tag: ``<activity>:<run>``, or ``<activity>:<pedestal
            run>-<calibration run>``, as lstosa has it. Many sessions share one.
        surroundings: Other than those of the process, for a simulation.
        **properties: What is known of it: ``observation_date``,
            ``observation_run``, ``software_version``, ``config_file``…;
            ``session_id`` if it has one already, such as a job's.

    >>> with session("r0_to_dl1:01618", observation_run="01618") as execution:
    ...     execution.tag
    'r0_to_dl1:01618'
    """
    return Session(session_tag, properties=properties, surroundings=surroundings)


def current_session() -> "Session | None":
    """Return the innermost open session, or None outside of all."""
    inside = _CURRENT.get()
    if inside:
        return inside[-1]
    return _OPEN[-1] if _OPEN else None


def session_for(session_tag: str | None, *, activity: str) -> "Session":
    """Return the session of an activity: the open one, or one made for it.

    Args:
        session_tag: Tag that the activity is to have, or None for that of the open
            session, else that of ``PROVDB_SESSION_TAG``, else the activity's name.
        activity: Name of the activity.
    """
    current = current_session()
    if current is not None:
        return current if session_tag is None else current.with_tag(session_tag)
    tag = session_tag or os.environ.get(_VARIABLE) or activity
    return _process_session(os.getpid()).with_tag(tag)


class Session:
    """One execution of a script: a context manager, open while the script runs.

    Its record is written when it is entered, with the environment of the process.

    Attributes:
        tag: The ``session_tag``.
        id: The ``session_id``, unique to this execution unless one was given.
        start: When it started.
        properties: What is known of it.
        surroundings: Where it takes the time, new ids and its environment from.
        copies: The files that it has copied.
    """

    def __init__(
        self,
        tag: str,
        *,
        properties: Mapping[str, Any],
        start: datetime | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        """Describe a session; nothing is recorded yet."""
        self.tag = tag
        self.surroundings = surroundings or Surroundings()
        self.start = start or self.surroundings.now()
        self.properties = dict(properties)
        self.id = str(self.properties.pop("session_id", None) or _new_id(self.start))
        self.copies = KeptCopies()
        self._is_stated = False
        self._of_tag: dict[str, Session] = {tag: self}
        self._token: Token[tuple[Session, ...]] | None = None

    def __enter__(self) -> Self:
        """Record the session, and make it the current one."""
        self.state()
        self._token = _CURRENT.set((*_CURRENT.get(), self))
        _OPEN.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the session; what was recorded is on disk afterwards."""
        _OPEN.remove(self)
        if self._token is not None:
            _CURRENT.reset(self._token)
        settle()

    def with_tag(self, tag: str) -> "Session":
        """Return this execution under another tag, as lstosa has one for each step."""
        if tag not in self._of_tag:
            self._of_tag[tag] = Session(
                tag,
                properties={**self.properties, "session_id": self.id},
                start=self.start,
                surroundings=self.surroundings,
            )
        tagged = self._of_tag[tag]
        tagged.state()
        return tagged

    def state(self) -> None:
        """Record the session, once."""
        if self._is_stated:
            return
        self._is_stated = True
        emit(
            session_record(
                session_tag=self.tag,
                session_id=self.id,
                start=self.start,
                system=self.surroundings.system(),
                properties=self.properties,
            )
        )


def _new_id(start: datetime) -> str:
    return f"{start:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


@cache
def _process_session(pid: int) -> Session:
    """Return the session of a process that opened none; it is written per tag only."""
    return Session("", properties={})
