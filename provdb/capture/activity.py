"""Activities as they happen: started, used, generated, ended."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

from provdb.capture.dry_run import is_dry_run
from provdb.capture.entity import Entity, file_entity, is_configuration, value_entity
from provdb.capture.locations import Location, file_paths, files_below, moved_paths
from provdb.capture.plain import plain
from provdb.capture.problems import message_of, report, shield
from provdb.capture.session import current_session, session_for
from provdb.capture.sink import emit
from provdb.capture.statements import (
    derivation_record,
    end_record,
    entity_record,
    generation_record,
    invalidation_record,
    membership_record,
    parameters_record,
    start_record,
    usage_record,
)
from provdb.capture.surroundings import Surroundings
from provdb.errors import ReadError
from provdb.model import MODES

__all__ = ["MOVE", "Activity", "activity", "current_activity"]

_RUNNING: Final = ContextVar[tuple["Activity", ...]]("provdb_activities", default=())
_LONGEST_MESSAGE: Final = 2000
# The step of a file that is moved, and what its source and its target are to it.
MOVE: Final = "mv"
MOVE_ROLES: Final = ("Source file", "Target file")


def activity(
    name: str, *, session_tag: str | None = None, **parameters: Any
) -> "Activity":
    """Return an activity to be run in a block.

    Its start is recorded when the block is entered, its end and status when it is
    left: an activity that fails or is killed is seen.

    Args:
        name: The step, such as ``r0_to_dl1``.
        session_tag: Tag of the session it belongs to, or None for that of the open
            session.
        **parameters: Values of its parameters.

    >>> with activity("r0_to_dl1", session_tag="r0_to_dl1:01618") as step:
    ...     r0 = step.used("/R0/LST-1.1.Run01618.0008.fits.fz", role="Observation")
    ...     dl1 = step.generated("/DL1/dl1_LST-1.Run01618.0008.h5", role="DL1 subrun")
    """
    return Activity(name, session_tag=session_tag, parameters=parameters)


def current_activity() -> "Activity | None":
    """Return the innermost running activity, or None outside of all."""
    running = _RUNNING.get()
    return running[-1] if running else None


class Activity:
    """One execution of a step: a context manager, running while the block does.

    Attributes:
        id: The ``activity_id``, 128 random bits in hexadecimal.
        name: The step.
        is_dry_run: Whether the block should record only, and do nothing.
        session_id: Id of its session, once it has started.
    """

    is_dry_run: bool
    session_id: str

    def __init__(
        self,
        name: str,
        *,
        session_tag: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Describe an activity; nothing is recorded yet.

        Args:
            name: The step.
            session_tag: As of `activity`.
            parameters: Values of its parameters.
            attributes: Further fields of the record of its start, or other values
                of those that it has anyway: ``script``, ``started_by``…
        """
        session = current_session()
        self._around = Surroundings() if session is None else session.surroundings
        self.id = self._around.new_id()
        self.name = name
        above = current_activity()
        self.is_dry_run = is_dry_run() or (above is not None and above.is_dry_run)
        self._wanted_tag = session_tag
        self._parameters = dict(parameters or {})
        self._attributes = dict(attributes or {})
        self._is_ended = False
        self._tokens: list[Token[tuple[Activity, ...]]] = []

    def __enter__(self) -> Self:
        """Record the start."""
        self.start()
        self.enter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Record the end, and how it came about."""
        self.leave()
        self.finish(error=error)

    def enter(self) -> None:
        """Be the innermost running activity, until `leave`."""
        self._tokens.append(_RUNNING.set((*_RUNNING.get(), self)))

    def leave(self) -> None:
        """Be the innermost running activity no longer."""
        if self._tokens:
            # An asynchronous generator may be closed from somewhere else.
            with suppress(ValueError):
                _RUNNING.reset(self._tokens.pop())

    def start(self) -> None:
        """Record the start, for code that has no block."""
        session = session_for(self._wanted_tag, activity=self.name)
        above = current_activity()
        self._session = session
        self._tag = session.tag
        self.session_id = session.id
        emit(
            start_record(
                session_tag=self._tag,
                activity_id=self.id,
                name=self.name,
                start=self._around.now(),
                session_id=session.id,
                session_start=session.start,
                agent=self._around.agent(),
                script=self._around.script(),
                attributes={
                    **({"started_by": above.id} if above is not None else {}),
                    **self._marks(),
                    **self._attributes,
                },
            )
        )
        if self._parameters:
            self.parameters(self._parameters)

    def finish(
        self,
        *,
        error: BaseException | None = None,
        status: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Record the end, once.

        Args:
            error: What ended it, if it did not end well; its type and its message
                are recorded.
            status: ``completed``, ``failed`` or ``interrupted``, or None for what
                the error says.
            attributes: Further fields of the record.
        """
        if self._is_ended:
            return
        self._is_ended = True
        emit(
            end_record(
                session_tag=self._tag,
                activity_id=self.id,
                end=self._around.now(),
                status=status or _status(error),
                attributes={**_failure(error), **(attributes or {})},
            )
        )

    def parameters(self, parameters: Mapping[str, Any]) -> None:
        """Record values of parameters."""
        emit(
            parameters_record(
                session_tag=self._tag,
                activity_id=self.id,
                parameters={name: plain(value) for name, value in parameters.items()},
            )
        )

    def used(
        self,
        location: Location | Iterable[Location] | None,
        *,
        role: str | None = None,
        name: str | None = None,
        content_type: str | None = None,
        hash: str | None = None,
        copy: bool | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> str:
        """Record that the activity used a file, and return the file's id.

        Nothing is raised: what is not recorded, such as None or an empty path, is said
        once on stderr.

        Args:
            location: Path or URL of the file; a ``file://`` URL is the path in it. Of a
                list, a tuple or a set each file is recorded.
            role: What it was to the activity, such as ``Pedestal file``.
            name: Kind of file, such as ``PedestalFile``.
            content_type: Such as ``application/fits``.
            hash: ``sha256``, ``sha1`` or ``md5`` to record what was in it.
            copy: Whether a copy is kept; None for configuration files only.
            attributes: Further fields of its record.

        Returns:
            The id of the file, of several that of the first, or an empty text if none
            is recorded.
        """
        description = {"name": name, "contentType": content_type, **(attributes or {})}
        ids = []
        with shield(self.name):
            for path in file_paths(location, activity=self.name, verb="used"):
                entity = file_entity(path, description=description, hash_method=hash)
                self.use(entity, role=role, copy=copy)
                ids.append(entity.id)
        return ids[0] if ids else ""

    def generated(
        self,
        location: Location | Iterable[Location] | None,
        *,
        role: str | None = None,
        name: str | None = None,
        content_type: str | None = None,
        hash: str | None = None,
        mode: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> str:
        """Record that the activity generated a file, and return the file's id.

        Nothing is raised: what is not recorded, such as None or an empty path, is said
        once on stderr.

        Args:
            location: Path or URL of the file; a ``file://`` URL is the path in it. Of a
                list, a tuple or a set each file is recorded.
            role: What it is to the activity, such as ``DL1 subrun dataset``.
            name: Kind of file, such as ``DL1SubrunDataset``.
            content_type: Such as ``application/x-hdf``.
            hash: ``sha256``, ``sha1`` or ``md5`` to record what is in it.
            mode: What the write did to the file: ``overwrite`` replaced all that was in
                it, ``part`` the part of the activity's run or subrun, ``append`` added
                to it. None leaves it to lineage to tell from the other writes.
            attributes: Further fields of its record.

        Returns:
            The id of the file, of several that of the first, or an empty text if none
            is recorded.
        """
        description = {"name": name, "contentType": content_type, **(attributes or {})}
        ids = []
        with shield(self.name):
            for path in file_paths(location, activity=self.name, verb="generated"):
                entity = file_entity(path, description=description, hash_method=hash)
                self.generate(entity, role=role, mode=mode)
                ids.append(entity.id)
        return ids[0] if ids else ""

    def moved(
        self, source: Location, target: Location, *, hash: str | None = None
    ) -> str:
        """Record that the activity moved or renamed a file, and return its new id.

        The move is recorded as an activity ``mv`` that this one started, which used the
        source and generated the target; the source is gone after it. Of a folder the
        files below it are recorded too. To be called after the file was moved; nothing
        is raised.

        Args:
            source: Path that the file had.
            target: Path that it has now.
            hash: ``sha256``, ``sha1`` or ``md5`` to record what is in it.

        Returns:
            The id of the target, or an empty text if nothing is recorded.

        >>> with activity("dl1ab", session_tag="dl1ab:01618") as step:
        ...     dl1 = step.moved("/DL1/tmp.h5", "/DL1/dl1_LST-1.Run01618.0008.h5")
        """
        with shield(self.name):
            found = moved_paths(source, target, activity=self.name)
            if found is not None:
                step = Activity(
                    MOVE,
                    session_tag=self._tag,
                    attributes={"started_by": self.id, **self._marks()},
                )
                step.start()
                id_ = step.record_move(*found, hash_method=hash)
                step.finish()
                return id_
        return ""

    def record_move(
        self, source: str, target: str, *, hash_method: str | None = None
    ) -> str:
        """Record that the activity is a move, and return the id of the target.

        Args:
            source: Path that the file had.
            target: Path that it has now.
            hash_method: As of `moved`.
        """
        is_folder = os.path.isdir(target) and not os.path.islink(target)
        new = file_entity(
            target,
            description={},
            hash_method=None if is_folder else hash_method,
        )
        old = file_entity(source, description={})
        # The content is that of the source, too.
        old = replace(old, content_hash=new.content_hash)
        self.use(old, role=MOVE_ROLES[0], copy=False)
        self.generate(new, role=MOVE_ROLES[1], mode="overwrite")
        self.invalidate(old, role=MOVE_ROLES[0])
        if is_folder:
            for path in files_below(target):
                below = os.path.relpath(path, target)
                self.moved(os.path.join(source, below), path, hash=hash_method)
        return new.id

    def used_value(self, value: object, *, name: str, role: str | None = None) -> str:
        """Record that the activity used a value that is no file, and return its id."""
        entity = self._value(value, name=name)
        self.use(entity, role=role)
        return entity.id

    def generated_value(
        self, value: object, *, name: str, role: str | None = None
    ) -> str:
        """Record that the activity made a value that is no file, and return its id."""
        entity = self._value(value, name=name)
        self.generate(entity, role=role)
        return entity.id

    def use(
        self,
        entity: Entity,
        *,
        role: str | None,
        copy: bool | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Record that the activity used an entity.

        Args:
            entity: What it used.
            role: What it was to the activity.
            copy: Whether a copy is kept; None for configuration files only.
            attributes: Further fields of the record of this one use.
        """
        self.describe(entity)
        content_hash = entity.content_hash
        if copy is None:
            copy = is_configuration(entity.description)
        if copy and entity.location is not None:
            copied = self._copy(entity.location)
            # The copy tells which content it was, should the file change later.
            content_hash = content_hash or copied
        emit(
            usage_record(
                session_tag=self._tag,
                activity_id=self.id,
                entity_id=entity.id,
                role=role,
                content_hash=content_hash,
                attributes=attributes,
            )
        )

    def generate(
        self,
        entity: Entity,
        *,
        role: str | None,
        mode: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Record that the activity generated an entity.

        Args:
            entity: What it generated.
            role: What it is to the activity.
            mode: As of `generated`; another mode is reported and not recorded.
            attributes: Further fields of the record of this one generation.
        """
        self.describe(entity)
        if mode is not None and mode not in MODES:
            known = ", ".join(MODES)
            report(f"{self.name}: mode {mode!r} is not one of {known}; not recorded")
            mode = None
        emit(
            generation_record(
                session_tag=self._tag,
                activity_id=self.id,
                entity_id=entity.id,
                role=role,
                content_hash=entity.content_hash,
                mode=mode,
                attributes=attributes,
            )
        )

    def invalidate(self, entity: Entity, *, role: str | None) -> None:
        """Record that an entity is gone since the activity: moved or deleted."""
        emit(
            invalidation_record(
                session_tag=self._tag,
                activity_id=self.id,
                entity_id=entity.id,
                role=role,
            )
        )

    def describe(self, entity: Entity) -> None:
        """Record what an entity is."""
        emit(
            entity_record(
                session_tag=self._tag,
                entity_id=entity.id,
                description=entity.description,
            )
        )

    def derive(self, entity_id: str, *, progenitor_id: str) -> None:
        """Record that an entity was derived from another one."""
        emit(
            derivation_record(
                session_tag=self._tag, entity_id=entity_id, progenitor_id=progenitor_id
            )
        )

    def add_member(self, entity_id: str, *, member_id: str) -> None:
        """Record that a collection has a member."""
        emit(
            membership_record(
                session_tag=self._tag, entity_id=entity_id, member_id=member_id
            )
        )

    def _marks(self) -> dict[str, Any]:
        return {"dry_run": True} if self.is_dry_run else {}

    def _value(self, value: object, *, name: str) -> Entity:
        return value_entity(value, description={"name": name}, scope=self.session_id)

    def _copy(self, location: str) -> str | None:
        """Record a copy of a file, and return the digest of its content."""
        try:
            copied = self._session.copies.record(
                location, session_tag=self._tag, activity_id=self.id
            )
        except ReadError as problem:
            report(problem)
            return None
        if copied is None:
            return None
        emit(copied)
        return str(copied["file_id"])


def _status(error: BaseException | None) -> str:
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return "completed"
    is_fault = isinstance(error, (Exception, SystemExit))
    return "failed" if is_fault else "interrupted"


def _failure(error: BaseException | None) -> dict[str, Any]:
    if error is None:
        return {}
    if isinstance(error, SystemExit) and isinstance(error.code, int | None):
        return {"exit_code": error.code or 0}
    return {
        "exception": {
            "type": type(error).__qualname__,
            "message": message_of(error)[:_LONGEST_MESSAGE],
        }
    }
