"""One call of a traced function, and what is recorded of it.

The start is recorded before the function runs, with the parameters and the usages
that can be found by then; the rest and the generations when it has ended. Of a call
that failed those generated files are recorded that are there and were written since
it started: a partial product is known for what it is. Of a dry call all is recorded
that can be found without running it.

Whatever goes wrong here is a problem that is reported; the call goes on without.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

from provdb.capture.activity import Activity
from provdb.capture.declared import (
    Sighting,
    entities,
    look_for,
    related,
    session_tag,
)
from provdb.capture.descriptions import (
    ActivityDescription,
    LinkDescription,
    ParameterDescription,
)
from provdb.capture.entity import Entity
from provdb.capture.lookup import Missing, find_value
from provdb.capture.problems import report, shield
from provdb.capture.visible import INSTANCES, Visible
from provdb.errors import ReadError

__all__ = ["TracedCall", "UntracedCall"]

# A file system may keep whole seconds, or another machine's time.
_CLOCK_SLACK_SECONDS: Final = 2.0


class UntracedCall:
    """A call of which nothing is recorded: it only runs."""

    __slots__ = ("result",)
    is_dry = False
    result: Any

    def __enter__(self) -> Self:
        """Do nothing."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing."""

    def enter(self) -> None:
        """Do nothing."""

    def leave(self) -> None:
        """Do nothing."""

    def end(self, error: BaseException | None) -> None:
        """Do nothing."""


class TracedCall:
    """A call of a traced function: a context manager around its execution.

    Attributes:
        is_dry: Whether the function is not to be run, for all is recorded already.
        result: What it returned, to be set before the block is left.
    """

    def __init__(
        self,
        name: str,
        description: ActivityDescription | None,
        visible: Visible,
        *,
        source: str,
    ) -> None:
        """Record the start of the call.

        Args:
            name: Name of the activity.
            description: What is declared of it, or None.
            visible: What it can see.
            source: Path of the definition.
        """
        self.result: Any = None
        self._description = description or ActivityDescription(name=name)
        self._visible = visible
        self._source = source
        self._late_parameters: list[ParameterDescription] = []
        self._late_usages: list[LinkDescription] = []
        self._before: dict[str, list[Entity]] = {}
        sightings = [
            (link, look_for(link, visible.places))
            for link in _with_overwritten(
                self._description.usage, self._description.generation
            )
        ]
        self._activity = Activity(name, session_tag=self._tag(sightings))
        self.is_dry = self._activity.is_dry_run
        self._activity.start()
        self._start_seconds = time.time()
        with shield(name):
            if description is None:
                self._record_arguments()
            else:
                self._record_parameters()
            for link, sighting in sightings:
                if sighting.is_empty:
                    self._late_usages.append(link)
                else:
                    self._use(link, sighting, visible.places)
        if self.is_dry:
            self.end(None)

    def __enter__(self) -> Self:
        """Be the activity that others are started by."""
        self.enter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Record how it ended."""
        self.leave()
        self.end(error)

    def enter(self) -> None:
        """Be the innermost activity, until `leave`."""
        self._activity.enter()

    def leave(self) -> None:
        """Be the innermost activity no longer."""
        self._activity.leave()

    def end(self, error: BaseException | None) -> None:
        """Record how it ended, and what it made.

        Args:
            error: What ended it, or None if it returned.
        """
        if isinstance(error, GeneratorExit):
            error = None  # Who iterates over a generator has had enough of it.
        has_result = error is None and not self.is_dry
        visible = self._visible
        places = visible.with_result(self.result) if has_result else visible.places
        with shield(self._description.name):
            self._record_late(places, is_complete=has_result)
            for link in _with_overwritten(
                self._description.generation, self._description.usage
            ):
                sighting = look_for(link, places)
                self._say_missing(link, sighting.missing, is_complete=has_result)
                self._generate(link, sighting, places, has_failed=error is not None)
        with shield(self._description.name):
            self._activity.finish(error=error)

    def _tag(self, sightings: Iterable[tuple[LinkDescription, Sighting]]) -> str | None:
        paths = [path for _, sighting in sightings for path in sighting.paths()]
        try:
            return session_tag(
                self._description,
                self._visible.places,
                paths=paths,
                source=self._source,
            )
        except ReadError as problem:
            report(problem)
            return None

    def _record_arguments(self) -> None:
        arguments = {
            name: value
            for name, value in self._visible.arguments.items()
            if name not in INSTANCES
        }
        if arguments:
            self._activity.parameters(arguments)

    def _record_parameters(self) -> None:
        found: dict[str, Any] = {}
        for parameter in self._description.parameters:
            outcome = find_value(parameter.value, self._visible.places)
            if isinstance(outcome, Missing):
                self._late_parameters.append(parameter)
            else:
                found[parameter.name] = outcome.value
        if found:
            self._activity.parameters(found)

    def _record_late(self, places: tuple[object, ...], *, is_complete: bool) -> None:
        late: dict[str, Any] = {}
        for parameter in self._late_parameters:
            outcome = find_value(parameter.value, places)
            if isinstance(outcome, Missing):
                reason = f"value {parameter.value.text} is not found: {outcome.reason}"
                self._say_missing(parameter, reason, is_complete=is_complete)
            else:
                late[parameter.name] = outcome.value
        if late:
            self._activity.parameters(late)
        for link in self._late_usages:
            sighting = look_for(link, places)
            self._say_missing(link, sighting.missing, is_complete=is_complete)
            self._use(link, sighting, places)

    def _say_missing(
        self,
        description: LinkDescription | ParameterDescription,
        reason: str | None,
        *,
        is_complete: bool,
    ) -> None:
        # What a call did not come to make is no fault of the definition.
        if reason is not None and is_complete:
            activity = self._description.name
            reason = f"{activity}: {reason}"
            report(ReadError(self._source, reason, line=description.line))

    def _use(
        self, link: LinkDescription, sighting: Sighting, places: tuple[object, ...]
    ) -> None:
        found = self._entities(link, sighting)
        if link.value is not None:
            self._before[link.value.text] = found
        for entity in found:
            self._activity.use(entity, role=link.role, copy=link.copy)
            self._relate(link, entity, places)

    def _generate(
        self,
        link: LinkDescription,
        sighting: Sighting,
        places: tuple[object, ...],
        *,
        has_failed: bool,
    ) -> None:
        found = self._entities(link, sighting)
        before = self._before.get(link.value.text, []) if link.value else []
        for number, entity in enumerate(found):
            if has_failed and not self._was_written(entity):
                continue
            self._activity.generate(entity, role=link.role, mode=link.mode)
            self._relate(link, entity, places)
            old = before[number] if number < len(before) else entity
            if link.overwrite and old.id != entity.id:
                self._activity.derive(entity.id, progenitor_id=old.id)

    def _entities(self, link: LinkDescription, sighting: Sighting) -> list[Entity]:
        scope = self._activity.session_id
        try:
            return entities(sighting, link, scope=scope, source=self._source)
        except ReadError as problem:
            report(problem)
            return []

    def _relate(
        self, link: LinkDescription, entity: Entity, places: tuple[object, ...]
    ) -> None:
        scope = self._activity.session_id
        find = partial(related, places=places, scope=scope, source=self._source)
        for member in _reported(find(link.members)):
            self._activity.describe(member)
            self._activity.add_member(entity.id, member_id=member.id)
        for progenitor in _reported(find(link.progenitors)):
            self._activity.describe(progenitor)
            self._activity.derive(entity.id, progenitor_id=progenitor.id)

    def _was_written(self, entity: Entity) -> bool:
        """Say whether a file is there that was written since the call started."""
        if entity.location is None:
            return False
        try:
            changed = os.stat(entity.location).st_mtime
        except (OSError, ValueError):
            return False
        return changed >= self._start_seconds - _CLOCK_SLACK_SECONDS


def _with_overwritten(
    links: Sequence[LinkDescription], others: Sequence[LinkDescription]
) -> list[LinkDescription]:
    """Return links, and those of the other side that are overwritten in place."""
    known = {link.value.text for link in links if link.value is not None}
    return [
        *links,
        *(
            link
            for link in others
            if link.overwrite and link.value and link.value.text not in known
        ),
    ]


def _reported(found: Iterable[Entity | ReadError]) -> Iterator[Entity]:
    for one in found:
        if isinstance(one, ReadError):
            report(one)
        else:
            yield one
