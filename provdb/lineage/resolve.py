"""The rules: which write made what was read, and how sure that is. Pure.

A file holds what was last written to it before it was read. `resolve` is the only
place that decides this; the numbers are those of the rules in the documentation.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from provdb.lineage.result import DOUBTS
from provdb.lineage.steps import Activity
from provdb.lineage.timeline import HOUR, Timeline, Write, recorded_before

__all__ = ["Read", "Resolution", "is_before", "resolve", "state_of"]

_OVERWRITE: Final = "overwrite"
_APPEND: Final = "append"
_ORDER: Final = "order"
_ONLY: Final = "only"
_CONTENT: Final = "content"
_CONTESTED: Final = "contested"
_NONE: Final = timedelta(0)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
# Clocks are never further apart; records that are were merged from several logs.
_MOST_CLOCK_ERROR: Final = timedelta(days=1)


class Read(NamedTuple):
    """A read of a file, which is to be resolved.

    Attributes:
        activity: Who read it, or None for the question itself: a read now.
        hash: Hash of the whole content that was read, where it was recorded.
        session_id: Session in which it is asked for, of what is no file; that of the
            activity unless told.
    """

    activity: Activity | None = None
    hash: str | None = None
    session_id: str | None = None


class Resolution(NamedTuple):
    """What made the content that was read.

    Attributes:
        writes: The writes that made it, the earliest end first; none where it is not
            known.
        evidence: How that is known.
        marks: What is in doubt, in the order of `DOUBTS`.
        damaged_by: Ids of the activities that may have damaged the content.
        is_unknown: Whether other content than that of any write was read.
    """

    writes: tuple[Write, ...] = ()
    evidence: str = _ONLY
    marks: tuple[str, ...] = ()
    damaged_by: tuple[str, ...] = ()
    is_unknown: bool = False


_NOTHING: Final = Resolution()
_UNKNOWN: Final = Resolution(is_unknown=True)


def resolve(
    timeline: Timeline, read: Read, *, tolerance: timedelta = _NONE
) -> Resolution:
    """Return what made the content that was read.

    Args:
        timeline: The timeline of the file.
        read: The read.
        tolerance: How far the clocks of two machines may differ.
    """
    reader = read.activity
    writes = timeline.writes
    if timeline.is_plain and read.hash is None:
        # One write, or none, is all that can be, wherever it ended in time.
        if not writes:
            return _NOTHING
        if reader is None or is_before(writes[0].activity, reader):
            return Resolution(writes)
    if timeline.is_fixed:
        accounts = [w for w in (*writes, *timeline.damage) if w.activity is not reader]
        return Resolution(tuple(accounts), "recorded")
    search = _Search(timeline, read, tolerance)
    return search.resolve()


def is_before(maker: Activity, reader: Activity) -> bool:
    """Say whether a write ended before a read began, and no record contradicts that.

    Args:
        maker: Who made the only write.
        reader: Who read.

    >>> from datetime import UTC, datetime
    >>> nobody = Activity("9c30", None, None, None, "completed", None, None, None,
    ...     None, (), ())
    >>> time = datetime(2020, 1, 17, tzinfo=UTC)
    >>> is_before(nobody._replace(end=time), nobody._replace(start=time))
    False
    """
    start = reader.start
    return (
        start is not None
        and (maker.end or maker.start or _EARLIEST) < start
        and maker is not reader
        and not _contradicts(maker, reader)
    )


def state_of(
    writes: Sequence[Write], *, tolerance: timedelta = _NONE, slack: timedelta = _NONE
) -> tuple[tuple[Write, ...], bool]:
    """Return the writes that make the content after some writes, and if in doubt.

    Args:
        writes: All writes until then, the earliest end first.
        tolerance: How far the clocks of two machines may differ.
        slack: The same, where some times are ambiguous.
    """
    # 6. The last overwrite, and the later parts, each the last one of its slot.
    overwrites = [write for write in writes if write.mode == _OVERWRITE]
    base, is_contested = None, False
    if overwrites:
        base, is_contested = _latest(overwrites, tolerance, slack)
    if len(overwrites) == len(writes):
        return ((base,) if base is not None else ()), is_contested
    appended: list[Write] = []
    by_slot: dict[object, list[Write]] = {}
    for write in writes:
        if write.mode == _OVERWRITE:
            continue
        if base is not None:
            follows, is_doubtful = _follows(write, base, tolerance)
            is_contested |= is_doubtful
            if not follows:
                continue
        if write.mode == _APPEND:
            appended.append(write)
        else:
            # Of a part that nobody knows the slot of, nothing is known to replace it.
            by_slot.setdefault(write.slots or write.id, []).append(write)
    parts: list[Write] = []
    for rivals in by_slot.values():
        part, is_doubtful = _latest(rivals, tolerance, slack)
        is_contested |= is_doubtful
        parts.append(part)
    state = [*parts, *appended]
    if base is not None:
        replaced = {slot for part in parts for slot in part.slots}
        if not base.slots or not base.slots <= replaced:
            state.append(base)
    state.sort(key=lambda write: (write.end or write.start, write.id))
    return tuple(state), is_contested


class _Search:
    """The rules for one read of one file."""

    def __init__(self, timeline: Timeline, read: Read, tolerance: timedelta) -> None:
        self._timeline = timeline
        self._read = read
        self._reader = read.activity
        self._tolerance = tolerance
        self._marks: set[str] = set()

    def resolve(self) -> Resolution:
        candidates = self._candidates()
        evidence = _ONLY if len(candidates) == 1 else _ORDER
        if not candidates:
            candidates = self._conflicting()
            if candidates:
                self._marks.add("time_conflict")
        if not candidates:
            return self._damaged_only()
        hash_ = self._read.hash
        if hash_ is not None:
            # 2. A recorded hash removes the writes that recorded another one.
            candidates = _until_explained(candidates, hash_)
            if not candidates:
                return _UNKNOWN
        chosen, is_contested = state_of(
            candidates, tolerance=self._tolerance, slack=self._timeline.slack
        )
        if hash_ is not None and chosen[-1].hash == hash_:
            return Resolution(chosen, _CONTENT, (), ())
        if self._is_gone(chosen):
            return _UNKNOWN
        if is_contested:
            self._marks.add(_CONTESTED)
        if self._timeline.is_inverted:
            self._marks.add("time_conflict")
        self._compare_others(chosen)
        damaged_by = self._damage(chosen)
        if damaged_by:
            self._marks.add("maybe_damaged")
        marks = tuple([mark for mark in DOUBTS if mark in self._marks])
        return Resolution(chosen, evidence, marks, damaged_by)

    def _candidates(self) -> list[Write]:
        """1. Return the writes by others that had ended when the file was read."""
        timeline, reader = self._timeline, self._reader
        cut = timeline.ended_by(None if reader is None else reader.start)
        candidates = list(timeline.writes[:cut])
        if reader is not None:
            candidates = [w for w in candidates if self._had_ended(w, reader)]
            for write in timeline.writes[cut:]:
                if write.activity is reader:
                    continue
                if self._is_inner(write, reader):
                    candidates.append(write)
                elif self._is_near(write, reader):
                    candidates.append(write)
                    if not _is_one_node(write.activity, reader):
                        self._marks.add(_CONTESTED)
        candidates = self._of_session(candidates)
        return self._of_node(candidates)

    def _had_ended(self, write: Write, reader: Activity) -> bool:
        """Say whether no record says that a write ended after the read began."""
        if write.activity is reader:
            return False
        if reader.start is None or write.end is None:
            return True
        slack = _NONE
        if write.activity.is_end_ambiguous or reader.is_start_ambiguous:
            slack = HOUR
        if reader.start - write.end > slack:
            return True
        if not _is_one_node(write.activity, reader):
            return True
        before = recorded_before(write.activity, reader, is_start=True)
        return before is not False

    def _is_inner(self, write: Write, reader: Activity) -> bool:
        """Say whether a step that the reader started made it, or one inside of it."""
        if write.activity.started_by is not None:
            return write.activity.started_by == reader.activity_id
        if (
            reader.session_id is None
            or reader.session_id != write.activity.session_id
            or reader.start is None
            or reader.end is None
            or write.end is None
            or not reader.start <= write.start <= write.end <= reader.end
            # In one second the order of the records says what came later.
            or (
                write.end == reader.end
                and recorded_before(write.activity, reader) is False
            )
        ):
            return False
        self._marks.add(_CONTESTED)
        return True

    def _is_near(self, write: Write, reader: Activity) -> bool:
        """Say whether clocks alone say that a write ended after the read began."""
        if reader.start is None or write.end is None:
            return False
        slack = _slack(write.activity, reader, self._tolerance)
        if write.activity.is_end_ambiguous or reader.is_start_ambiguous:
            slack += HOUR
        if write.end - reader.start > slack:
            return False
        return recorded_before(write.activity, reader, is_start=True) is True

    def _of_session(self, writes: list[Write]) -> list[Write]:
        """Return the writes of the session of the read, of what is no file."""
        if not self._timeline.is_of_session or not writes:
            return writes
        session_id = self._read.session_id
        if session_id is None and self._reader is not None:
            session_id = self._reader.session_id
        if session_id is None:
            # Nobody says which; it means something in the latest one.
            session_id = writes[-1].activity.session_id
        return [w for w in writes if w.activity.session_id == session_id]

    def _of_node(self, writes: list[Write]) -> list[Write]:
        """Return the writes that the node of the reader can see."""
        if not self._timeline.is_local:
            return writes
        node = None if self._reader is None else self._reader.node
        nodes = {write.activity.node for write in writes}
        if node is not None:
            here = [write for write in writes if write.activity.node in (node, None)]
            if here or not writes:
                if any(write.activity.node is None for write in here):
                    self._marks.add(_CONTESTED)
                return here
        if len(nodes) > 1 or node is not None:
            self._marks.add(_CONTESTED)
        return writes

    def _conflicting(self) -> list[Write]:
        """Return the writes that ended while the file was being read, of the last."""
        reader, timeline = self._reader, self._timeline
        if reader is None or reader.end is None:
            return []
        until = timeline.ended_by(reader.end)
        found = [w for w in timeline.writes[:until] if w.activity is not reader]
        return self._of_node(self._of_session(found))

    def _damaged_only(self) -> Resolution:
        """Return what a write that did not end well may have left, if there is one."""
        reader = self._reader
        until = None if reader is None else reader.end or reader.start
        damage = [
            write
            for write in self._timeline.damage
            if write.activity is not reader
            and (until is None or write.start <= until)
            and (reader is None or write.activity.started_by != reader.activity_id)
        ]
        damage = self._of_node(self._of_session(damage))
        if not damage:
            return _NOTHING
        last = max(damage, key=lambda write: (write.start, write.id))
        return Resolution((last,), _ORDER, ("maybe_damaged",), (last.activity.id,))

    def _is_gone(self, chosen: Sequence[Write]) -> bool:
        """Say whether other content came, or the file went, after the chosen writes."""
        reader = self._reader
        time = None if reader is None else reader.start
        last = chosen[-1].end or chosen[-1].start
        for remover in self._timeline.removals:
            end = remover.end or remover.start
            if end is None or remover is reader or reader is None:
                continue
            if last <= end and (time is None or end <= time):
                return True
        for found in self._timeline.unexplained:
            if last <= found.time and (time is None or found.time < time):
                return True
        return False

    def _compare_others(self, chosen: Collection[Write]) -> None:
        """4. Doubt what another write, that was not chosen, may have changed."""
        reader, is_local = self._reader, self._timeline.is_local
        ids = {write.id for write in chosen}
        for write in self._timeline.writes:
            other = write.activity
            if other is reader or (reader is not None and _are_nested(other, reader)):
                continue
            if write.id in ids:
                if reader is not None and _contradicts(other, reader):
                    self._marks.add("clock")
                continue
            if (
                is_local
                and reader is not None
                and reader.node not in (other.node, None)
            ):
                continue
            if _overlaps(write, reader):
                self._marks.add(_CONTESTED)
            elif _is_recorded_before_end(write, reader) or any(
                _overtakes(write, one, reader) for one in chosen
            ):
                self._marks.add("clock")

    def _damage(self, chosen: Sequence[Write]) -> tuple[str, ...]:
        """8. Return who may have damaged what the chosen writes made."""
        reader = self._reader
        until = None if reader is None else reader.end or reader.start
        found = []
        for write in self._timeline.damage:
            other = write.activity
            if other is reader or (until is not None and write.start >= until):
                continue
            if reader is not None and _are_nested(other, reader):
                continue
            touched: Sequence[Write] = chosen
            if write.mode != _OVERWRITE:
                touched = [w for w in chosen if not w.slots or w.slots & write.slots]
            if self._timeline.is_local and not any(
                w.activity.node in (other.node, None) for w in chosen
            ):
                continue
            # A part that no other took the place of may be there or not.
            if not touched or any(
                write.end is None or write.end > w.start for w in touched
            ):
                found.append(other.id)
        return tuple(sorted(found))


def _until_explained(candidates: Sequence[Write], hash_: str) -> list[Write]:
    """Return the writes until the last one that can have made content of a hash."""
    for place in range(len(candidates), 0, -1):
        write = candidates[place - 1]
        if write.hash == hash_:
            return list(candidates[:place])
    for place in range(len(candidates), 0, -1):
        write = candidates[place - 1]
        if write.hash is None or len(write.hash) != len(hash_):
            return list(candidates[:place])
    return []


def _latest(
    writes: Sequence[Write], tolerance: timedelta, slack: timedelta
) -> tuple[Write, bool]:
    """3. Return the write that was the last one, and whether that is in doubt."""
    last = writes[-1]
    if len(writes) == 1:
        return last, False
    last_end = last.end or last.start
    group = [last]
    for write in reversed(writes[:-1]):
        apart = last_end - (write.end or write.start)
        if apart > slack:
            break
        if apart <= _slack(write.activity, last.activity, tolerance) + _ambiguity(
            write, last
        ):
            group.append(write)
    if len(group) == 1:
        return last, False
    ordered = _in_order_of_records(group)
    is_one_node = len({w.activity.node for w in group}) == 1 and (
        last.activity.node is not None
    )
    if ordered is not None and is_one_node:
        return ordered[-1], False
    rewriting = [write for write in group if write.rereads]
    pool = rewriting or group
    ordered = _in_order_of_records(pool)
    if ordered is not None:
        return ordered[-1], True
    return max(pool, key=lambda write: (write.end or write.start, write.id)), True


def _in_order_of_records(writes: Sequence[Write]) -> list[Write] | None:
    """Return writes in the order of their records, or None if no source has all."""
    sources: dict[str, list[tuple[int, Write]]] = {}
    for write in writes:
        for source, start, end in write.activity.recorded:
            place = start if end is None else end
            if place is not None:
                sources.setdefault(source, []).append((place, write))
    for _, placed in sorted(sources.items()):
        if len(placed) == len(writes):
            return [write for _, write in sorted(placed, key=lambda item: item[0])]
    return None


def _follows(part: Write, base: Write, tolerance: timedelta) -> tuple[bool, bool]:
    """Say whether a part was written after an overwrite, and if that is in doubt."""
    apart = (part.end or part.start) - (base.end or base.start)
    slack = _slack(part.activity, base.activity, tolerance) + _ambiguity(part, base)
    if abs(apart) > slack:
        return apart > _NONE, False
    before = recorded_before(base.activity, part.activity)
    if before is not None:
        return before, not _is_one_node(part.activity, base.activity)
    return apart > _NONE or (apart == _NONE and part.id > base.id), True


def _slack(one: Activity, other: Activity, tolerance: timedelta) -> timedelta:
    """Return how far apart two times may be whose order is in doubt."""
    return _NONE if _is_one_node(one, other) else tolerance


def _ambiguity(one: Write, other: Write) -> timedelta:
    return HOUR if one.is_ambiguous or other.is_ambiguous else _NONE


def _contradicts(write: Activity, read: Activity) -> bool:
    """Say whether a write that ended before a read was recorded after it."""
    if not _has_two_nodes(write, read) or write.end is None:
        return False
    time = read.end or read.start
    if time is None or abs(time - write.end) > _MOST_CLOCK_ERROR:
        return False
    return recorded_before(write, read) is False


def _overlaps(write: Write, reader: Activity | None) -> bool:
    """Say whether a write was going on while the file was read."""
    if reader is None or reader.start is None:
        return False
    end = reader.end or reader.start
    return write.start < end and (write.end or write.start) > reader.start


def _is_recorded_before_end(write: Write, reader: Activity | None) -> bool:
    """Say whether a write that ended after a read was recorded before its end."""
    if reader is None or write.end is None:
        return False
    time = reader.end or reader.start
    if time is None or not _NONE < write.end - time <= _MOST_CLOCK_ERROR:
        return False
    other = write.activity
    return _has_two_nodes(other, reader) and recorded_before(other, reader) is True


def _overtakes(write: Write, chosen: Write, reader: Activity | None) -> bool:
    """Say whether a write that ended before the chosen one was recorded after it."""
    last, other = chosen.activity, write.activity
    is_rival = "part" not in (write.mode, chosen.mode) or write.slots & chosen.slots
    apart = (chosen.end or chosen.start) - (write.end or write.start)
    return (
        bool(is_rival)
        and _NONE < apart <= _MOST_CLOCK_ERROR
        and _has_two_nodes(other, last)
        and recorded_before(last, other) is True
        and (reader is None or recorded_before(other, reader) is True)
    )


def _are_nested(one: Activity, other: Activity) -> bool:
    """Say whether records say that one of two activities started the other."""
    return one.started_by == other.activity_id or (
        other.started_by is not None and other.started_by == one.activity_id
    )


def _is_one_node(one: Activity, other: Activity) -> bool:
    return one.node is not None and one.node == other.node


def _has_two_nodes(one: Activity, other: Activity) -> bool:
    return one.node is not None and other.node is not None and one.node != other.node
