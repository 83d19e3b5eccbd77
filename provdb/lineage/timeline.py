"""The timeline of a file: all writes that can have made what somebody read. Pure.

A timeline needs no other file. What is not on it cannot decide which version was read;
`provdb.lineage.resolve` reads it.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from provdb.lineage.steps import Activity, Entity

__all__ = [
    "HOUR",
    "Arrival",
    "Slot",
    "Timeline",
    "Unexplained",
    "Write",
    "handled_slots",
    "is_damaged",
    "needs_inputs",
    "recorded_before",
]

HOUR: Final = timedelta(hours=1)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_OVERWRITE: Final = "overwrite"
_PART: Final = "part"
_COMPLETED: Final = "completed"
# The status of an activity of which a foreign document states no end.
_UNKNOWN: Final = "unknown"


class Slot(NamedTuple):
    """The part of a run-wise or night-wise file that belongs to one piece of data."""

    telescope: str | None
    stream: int | None
    run: int | None
    subrun: int | None


class Arrival(NamedTuple):
    """Content that a link rule moves here when the file of that name is written.

    Attributes:
        file: Id of the file in the source folder.
        rule: Name of the link rule.
    """

    file: str
    rule: str


class Write(NamedTuple):
    """One write of a file.

    Attributes:
        id: Id of the activity; of an arrival, with the id of the file it comes from.
        activity: The activity that wrote; of an arrival, the one that wrote there.
        start: When it began, UTC.
        end: When it ended, UTC; None if it has no end.
        mode: ``overwrite``, ``part`` or ``append``.
        slots: What it handled of the file; one of a part.
        hash: Hash of the whole content after it, where it was recorded.
        rereads: Whether the activity read the file too.
        arrival: Where the content was moved from, or None for a real write.
    """

    id: str
    activity: Activity
    start: datetime
    end: datetime | None
    mode: str = _OVERWRITE
    slots: frozenset[Slot] = frozenset()
    hash: str | None = None
    rereads: bool = False
    arrival: Arrival | None = None


class Unexplained(NamedTuple):
    """A read whose content no write explains: it arrived in a way nobody recorded."""

    time: datetime
    hash: str
    activity: str


@dataclass(slots=True)
class Timeline:
    """All that decides what was in a file.

    Attributes:
        file: Id of the file.
        writes: Writes that ended well, the earliest end first.
        damage: Writes that failed, were interrupted, or have not ended.
        removals: Activities that moved the file away, the earliest end first.
        unexplained: Reads of unknown content, the earliest first.
        is_fixed: Whether it is one fixed thing, of which several writes are accounts.
        is_local: Whether each node has a file of its own under the name.
        is_of_session: Whether it means another thing in every session.
        ends: The ends of the writes.
        makers: Ids of the activities that wrote it, however they ended.
        has_parts: Whether a write left other parts of the file as they were.
        slack: How far apart two ends may be whose order is in doubt.
    """

    file: str
    writes: tuple[Write, ...] = ()
    damage: tuple[Write, ...] = ()
    removals: tuple[Activity, ...] = ()
    unexplained: tuple[Unexplained, ...] = ()
    is_fixed: bool = False
    is_local: bool = False
    is_of_session: bool = False
    ends: list[datetime] = field(default_factory=list)
    makers: frozenset[str] = frozenset()
    has_parts: bool = False
    slack: timedelta = timedelta(0)

    @property
    def is_plain(self) -> bool:
        """Whether nothing but one good write or none is on it."""
        return not (
            len(self.writes) > 1
            or self.damage
            or self.removals
            or self.unexplained
            or self.is_local
            or self.is_of_session
            or self.is_fixed
        )

    @classmethod
    def of(
        cls,
        file: str,
        activities: Sequence[Activity],
        *,
        entity: Entity | None = None,
        entities: Mapping[str, Entity] | None = None,
        arrivals: Iterable[tuple[Arrival, Activity]] = (),
        removals: Iterable[Activity] = (),
        unexplained: Iterable[Unexplained] = (),
        is_local: bool = False,
        tolerance: timedelta = timedelta(0),
    ) -> "Timeline":
        """Return the timeline of a file.

        Args:
            file: Id of the file.
            activities: All activities that generated it.
            entity: What is known of the file, or None if nothing describes it.
            entities: What is known of the inputs of the activities, by id; needed
                where `needs_inputs` says so.
            arrivals: Moves by a rule, and who wrote the file that was moved.
            removals: Activities that moved the file away.
            unexplained: Reads of unknown content.
            is_local: Whether each node has a file of its own under the name.
            tolerance: How far the clocks of two machines may differ.
        """
        activities = _without_sums(activities)
        modes = _modes(activities, file, entity, entities or {})
        writes = [
            _write(one, file, *mode)
            for one, mode in zip(activities, modes, strict=True)
        ]
        writes += [
            Write(
                f"{arrival.file}>{one.id}",
                one,
                one.start or one.end or _EARLIEST,
                one.end,
                rereads=False,
                arrival=arrival,
            )
            for arrival, one in arrivals
        ]
        good = [write for write in writes if not is_damaged(write.activity)]
        good.sort(key=_order)
        is_ambiguous = any(write.activity.is_end_ambiguous for write in good)
        return cls(
            file,
            writes=tuple(good),
            damage=tuple(w for w in writes if is_damaged(w.activity)),
            removals=tuple(sorted(removals, key=_end_of)),
            unexplained=tuple(sorted(unexplained)),
            is_fixed=entity is not None and entity.is_fixed,
            is_local=is_local,
            is_of_session=entity is not None
            and entity.file_name is None
            and not entity.is_fixed,
            ends=[write.end or write.start for write in good],
            makers=frozenset([one.id for one in activities]),
            has_parts=any(write.mode != _OVERWRITE for write in good),
            slack=tolerance + HOUR if is_ambiguous else tolerance,
        )

    def ended_by(self, time: datetime | None) -> int:
        """Return how many writes had ended by a time."""
        return len(self.ends) if time is None else bisect_right(self.ends, time)


def is_damaged(activity: Activity) -> bool:
    """Say whether an activity may have left a broken file: it did not end well."""
    if activity.status == _UNKNOWN:
        return False
    return activity.status != _COMPLETED or activity.end is None


def recorded_before(
    one: Activity, other: Activity, *, is_start: bool = False
) -> bool | None:
    """Say whether the end of one activity was recorded before that of another.

    Args:
        one: The one.
        other: The other.
        is_start: Whether the start of the other one counts, not its end.

    Returns:
        None where no source holds both records, or two sources contradict.
    """
    answers = set()
    for source, start, end in one.recorded:
        mine = start if end is None else end
        for other_source, other_start, other_end in other.recorded:
            if other_source == source:
                theirs = other_start if is_start or other_end is None else other_end
                if mine is not None and theirs is not None:
                    answers.add(mine < theirs)
    return answers.pop() if len(answers) == 1 else None


def needs_inputs(activities: Collection[Activity], entity: Entity | None) -> bool:
    """Say whether the inputs of the writers decide how each of them changed a file."""
    return (
        len(activities) > 1
        and entity is not None
        and entity.file_name is not None
        and entity.subrun is None
        and (entity.run is not None or entity.date is not None)
    )


def handled_slots(
    activity: Activity, entity: Entity, entities: Mapping[str, Entity]
) -> frozenset[Slot]:
    """Return what an activity handled of the data that a file stands for.

    It is read off the data that it used; without any, off what its script was called
    for.
    """
    used = {link[0] for link in activity.used}
    inputs = [
        one
        for id_ in used
        if id_ != entity.id
        and (one := entities.get(id_)) is not None
        and one.level is not None
    ]
    if entity.run is None:
        runs = {(one.telescope, one.run) for one in inputs if one.run is not None}
        if not runs and activity.run is not None:
            runs = {(None, activity.run)}
        return frozenset(Slot(telescope, None, run, None) for telescope, run in runs)
    slots = {
        Slot(one.telescope, one.stream, one.run, one.subrun)
        for one in inputs
        if one.run == entity.run
    }
    if not slots and activity.subrun is not None and activity.run == entity.run:
        slots = {Slot(None, None, activity.run, activity.subrun)}
    return frozenset(slots)


def _modes(
    activities: Sequence[Activity],
    file: str,
    entity: Entity | None,
    entities: Mapping[str, Entity],
) -> list[tuple[str, frozenset[Slot]]]:
    """Return the mode and the slots of each write."""
    is_inferred = entity is not None and needs_inputs(activities, entity)
    slots: list[frozenset[Slot]] = [
        handled_slots(one, entity, entities)
        if is_inferred and entity is not None
        else frozenset()
        for one in activities
    ]
    # Steps that wrote the file from several pieces, and when they did so first.
    merging: dict[str | None, datetime] = {}
    for one, handled in zip(activities, slots, strict=True):
        if _piece(handled, entity) is None and handled:
            end = one.end or one.start or _EARLIEST
            merging[one.name] = min(end, merging.get(one.name, end))
    modes = []
    for one, handled in zip(activities, slots, strict=True):
        mode = next((m for id_, _, _, m in one.generated if id_ == file and m), None)
        if mode is None:
            end = one.end or one.start or _EARLIEST
            is_merged = one.name in merging and merging[one.name] < end
            is_part = _piece(handled, entity) is not None and not is_merged
            mode = _PART if is_part else _OVERWRITE
        modes.append((mode, handled))
    return modes


def _piece(slots: frozenset[Slot], entity: Entity | None) -> Slot | None:
    """Return the one piece of its run or its night that was handled, or None."""
    if entity is None or not slots:
        return None
    if entity.run is None:
        return next(iter(slots)) if len(slots) == 1 else None
    subruns = {slot.subrun for slot in slots}
    if len(subruns) != 1 or None in subruns:
        return None
    return next(iter(slots)) if len(slots) == 1 else _joined(slots)


def _joined(slots: frozenset[Slot]) -> Slot:
    """Return the slot of several streams of one subrun."""
    telescopes = {slot.telescope for slot in slots}
    one = next(iter(slots))
    telescope = telescopes.pop() if len(telescopes) == 1 else None
    return Slot(telescope, None, one.run, one.subrun)


def _write(activity: Activity, file: str, mode: str, handled: frozenset[Slot]) -> Write:
    hash_ = next((h for id_, _, h, _ in activity.generated if id_ == file), None)
    end = activity.end
    if mode == _PART and len(handled) > 1:
        handled = frozenset((_joined(handled),))
    return Write(
        activity.id,
        activity,
        activity.start or end or _EARLIEST,
        end,
        mode,
        handled,
        hash_,
        any(link[0] == file for link in activity.used),
    )


def _without_sums(activities: Sequence[Activity]) -> Sequence[Activity]:
    # What lstosa made of the subruns of a run says nothing beside these.
    sums = [activity for activity in activities if activity.is_run_wise]
    if not sums:
        return activities
    parts = [activity for activity in activities if not activity.is_run_wise]
    needless = {a.id for a in sums if any(_is_sum_of(a, part) for part in parts)}
    return [activity for activity in activities if activity.id not in needless]


def _is_sum_of(run: Activity, part: Activity) -> bool:
    if (run.name, run.session_tag) != (part.name, part.session_tag):
        return False
    if run.start is None or part.start is None:
        return True
    return run.start <= part.start and (run.end is None or part.start <= run.end)


def _order(write: Write) -> tuple[datetime, str]:
    return write.end or write.start, write.id


def _end_of(activity: Activity) -> tuple[datetime, str]:
    return activity.end or activity.start or _EARLIEST, activity.id
