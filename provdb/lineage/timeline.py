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
    "is_inverted",
    "needs_inputs",
    "recorded_before",
]

HOUR: Final = timedelta(hours=1)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_OVERWRITE: Final = "overwrite"
_PART: Final = "part"
_NONE: Final[frozenset["Slot"]] = frozenset()
_COMPLETED: Final = "completed"
# The status of an activity of which a foreign document states no end.
_UNKNOWN: Final = "unknown"


class Slot(NamedTuple):
    """The part of a run-wise or night-wise file that belongs to one piece of data."""

    telescope: str | None
    stream: int | None
    run: int | None
    subrun: int | None

    def run_wise(self) -> "Slot":
        """Return the slot of the whole run."""
        return Slot(self.telescope, None, self.run, None)


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
        is_ambiguous: Whether its end happened twice, as the clock was set back, and no
            record says which of the two is meant.
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
    is_ambiguous: bool = False


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
        is_inverted: Whether a write ended before it began, by its own times.
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
    is_inverted: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether nothing but one good write or none is on it."""
        return not (
            len(self.writes) > 1
            or self.damage
            or self.removals
            or self.unexplained
            or self.is_inverted
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
        if len(activities) > 1:
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
                arrival=arrival,
                is_ambiguous=one.is_end_ambiguous,
            )
            for arrival, one in arrivals
        ]
        good = [write for write in writes if not is_damaged(write.activity)]
        if len(good) > 1:
            good = _in_order(good)
        is_ambiguous = any(write.is_ambiguous for write in good)
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
            is_inverted=any(is_inverted(write.activity) for write in good),
        )

    def ended_by(self, time: datetime | None) -> int:
        """Return how many writes had ended by a time."""
        return len(self.ends) if time is None else bisect_right(self.ends, time)


def is_damaged(activity: Activity) -> bool:
    """Say whether an activity may have left a broken file: it did not end well."""
    if activity.status == _UNKNOWN:
        return False
    return activity.status != _COMPLETED or activity.end is None


def is_inverted(activity: Activity) -> bool:
    """Say whether an activity ended before it began, where no clock was set back."""
    start, end = activity.start, activity.end
    is_ambiguous = activity.is_start_ambiguous or activity.is_end_ambiguous
    return start is not None and end is not None and end < start and not is_ambiguous


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
    if len(activities) < 2 or entity is None or entity.file_name is None:
        return False
    if entity.subrun is None and (entity.run is not None or _is_night_wise(entity)):
        return True
    return any(
        mode not in (None, _OVERWRITE)
        for activity in activities
        for id_, _, _, mode in activity.generated
        if id_ == entity.id
    )


def handled_slots(
    activity: Activity, entity: Entity, entities: Mapping[str, Entity]
) -> frozenset[Slot]:
    """Return what an activity handled of the data that a file stands for.

    It is read off the data that it used; without any, off what its script was called
    for. Of a night-wise file the slots are runs.
    """
    inputs = [
        one
        for id_ in {link[0] for link in activity.used}
        if id_ != entity.id
        and (one := entities.get(id_)) is not None
        and one.level is not None
        and one.is_of_run
        and (entity.run is None or one.run == entity.run)
    ]
    slots = {Slot(one.telescope, one.stream, one.run, one.subrun) for one in inputs}
    is_of_its_run = entity.run in (None, activity.run) and activity.run is not None
    if not slots and is_of_its_run and None not in (activity.subrun, entity.run):
        slots = {Slot(None, None, activity.run, activity.subrun)}
    if not slots and is_of_its_run and _is_night_wise(entity):
        slots = {Slot(None, None, activity.run, None)}
    return frozenset(slots)


def _modes(
    activities: Sequence[Activity],
    file: str,
    entity: Entity | None,
    entities: Mapping[str, Entity],
) -> list[tuple[str, frozenset[Slot]]]:
    """5. Return the mode and the slots of each write."""
    if entity is None or not needs_inputs(activities, entity):
        return [(_declared_mode(one, file) or _OVERWRITE, _NONE) for one in activities]
    slots = [handled_slots(one, entity, entities) for one in activities]
    # Steps that wrote the file from several pieces, and when they did so first.
    merging: dict[str | None, datetime] = {}
    for one, handled in zip(activities, slots, strict=True):
        if handled and _piece(handled, entity) is None:
            end = one.end or one.start or _EARLIEST
            merging[one.name] = min(end, merging.get(one.name, end))
    modes = []
    for one, handled in zip(activities, slots, strict=True):
        mode = _declared_mode(one, file)
        if mode == _PART and not handled and one.run is not None:
            # Nothing else says which part it declared.
            handled = frozenset((Slot(None, None, one.run, one.subrun),))
        if mode is None:
            piece = _piece(handled, entity)
            end = one.end or one.start or _EARLIEST
            is_merged = one.name in merging and merging[one.name] < end
            mode = _OVERWRITE if piece is None or is_merged else _PART
            if _is_night_wise(entity):
                handled = frozenset(slot.run_wise() for slot in handled)
            elif mode == _PART and piece is not None:
                handled = frozenset((piece,))
        modes.append((mode, handled))
    return modes


def _declared_mode(activity: Activity, file: str) -> str | None:
    return next((m for id_, _, _, m in activity.generated if id_ == file and m), None)


def _piece(slots: frozenset[Slot], entity: Entity) -> Slot | None:
    """Return the one piece of its run or its night that was handled, or None."""
    if _is_night_wise(entity):
        runs = {slot.run_wise() for slot in slots if slot.run is not None}
        return runs.pop() if len(runs) == 1 else None
    subruns = {slot.subrun for slot in slots}
    if entity.run is None or len(subruns) != 1 or None in subruns:
        return None
    return _joined(slots)


def _is_night_wise(entity: Entity) -> bool:
    """Say whether the name of a file is that of a night, and of no run."""
    return (
        entity.run is None
        and entity.date is not None
        and entity.date.replace("-", "") in (entity.file_name or "")
    )


def _joined(slots: frozenset[Slot]) -> Slot:
    """Return the slot of several streams of one subrun."""
    telescopes, streams = ({slot[place] for slot in slots} for place in (0, 1))
    one = next(iter(slots))
    telescope = one.telescope if len(telescopes) == 1 else None
    stream = one.stream if len(streams) == 1 else None
    return Slot(telescope, stream, one.run, one.subrun)


def _write(activity: Activity, file: str, mode: str, handled: frozenset[Slot]) -> Write:
    hash_ = next((h for id_, _, h, _ in activity.generated if id_ == file), None)
    end = activity.end
    return Write(
        activity.id,
        activity,
        activity.start or end or _EARLIEST,
        end,
        mode,
        handled,
        hash_,
        any(link[0] == file for link in activity.used),
        None,
        activity.is_end_ambiguous,
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


def _in_order(writes: Sequence[Write]) -> list[Write]:
    """Return writes, the earliest end first; of equal ones the first record first."""
    places: dict[str, int] = {}
    sources = [{p[0] for p in write.activity.recorded} for write in writes]
    common = set.intersection(*sources)
    if common:
        source = min(common)
        for write in writes:
            for name, start, end in write.activity.recorded:
                if name == source:
                    places[write.id] = (end if start is None else start) or 0
                    if end is not None:
                        places[write.id] = end
    if places and any(write.is_ambiguous for write in writes):
        writes = _told_apart(sorted(writes, key=lambda write: places[write.id]))
    return sorted(writes, key=lambda w: (w.end or w.start, places.get(w.id, 0), w.id))


def _told_apart(writes: Iterable[Write]) -> list[Write]:
    """Return writes in the order of their records with the times that they had.

    Where the clock was set back a time was written that happened twice: it is the
    second one if a record before it has a later one.
    """
    latest = _EARLIEST
    told = []
    for write in writes:
        end = write.end
        if end is not None:
            if write.is_ambiguous and end < latest:
                end += HOUR
                write = write._replace(end=end, start=write.start + HOUR)
            write = write._replace(is_ambiguous=False)
            latest = max(latest, end)
        told.append(write)
    return told


def _end_of(activity: Activity) -> tuple[datetime, str]:
    return activity.end or activity.start or _EARLIEST, activity.id
