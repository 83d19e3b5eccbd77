"""The rules that say which version of a file was used; pure functions of history.

Pipelines overwrite files, and a hundred subruns write parts of one. So a use of a file
is resolved in time: of all activities that generated the file, which ones made what
was used? The numbers in this file are those of the rules in the documentation.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from provdb.lineage.essentials import Activity

__all__ = [
    "Resolution",
    "Source",
    "Use",
    "Version",
    "contested_inputs",
    "generation_rounds",
    "likely_generators",
    "resolve",
    "wrote_in_turn",
]

_TAG_BYTES: Final = 6
_FAILED: Final = ("failed", "interrupted")


class Source(NamedTuple):
    """What an entity that nothing generated comes from.

    Attributes:
        relation: ``wasDerivedFrom`` or ``hadMember``.
        version: The version that it comes from.
        rule: Name of the link rule that says so, or None if a record does.
    """

    relation: str
    version: "Version"
    rule: str | None


class Version(NamedTuple):
    """One version of an entity: who generated it.

    Attributes:
        id: Id of the entity, with the version's short name where it has one.
        entity: Id of the entity.
        generators: Ids of the activities that generated this version, all parts of
            it; empty for what nothing generated.
        sources: Where nothing generated it, what it comes from all the same.
    """

    id: str
    entity: str
    generators: frozenset[str]
    sources: frozenset[Source]

    @classmethod
    def of(
        cls,
        entity: str,
        generators: frozenset[str] = frozenset(),
        sources: frozenset[Source] = frozenset(),
    ) -> "Version":
        """Return the version of an entity, with its id.

        >>> Version.of("446f45", frozenset(["9c3006f3f024849006d7d3bf1743d164"])).id
        '446f45@9c3006f3f024'
        """
        if not generators and not sources:
            return cls(entity, entity, generators, sources)
        if len(generators) == 1 and not sources:
            (maker,) = generators
            return cls.made_by(entity, maker)
        parts = sorted(generators)
        parts += sorted(f"{s.relation} {s.rule} {s.version.id}" for s in sources)
        digest = hashlib.blake2b("\n".join(parts).encode(), digest_size=_TAG_BYTES)
        return cls(f"{entity}@{digest.hexdigest()}", entity, generators, sources)

    @classmethod
    def made_by(cls, entity: str, maker: str) -> "Version":
        """Return the version of an entity that one activity generated, by its id."""
        id_ = f"{entity}@{maker[: 2 * _TAG_BYTES]}"
        return _version((id_, entity, frozenset((maker,)), _NO_SOURCES))

    @property
    def tag(self) -> str | None:
        """The short name of the version, or None for an entity without versions."""
        return self.id[len(self.entity) + 1 :] or None


class Use(NamedTuple):
    """A use of an entity, which is to be resolved.

    Attributes:
        entity: Id of the entity.
        time: When it was used, or None for now.
        hash: Hash of the content that was used, where it was recorded.
        exclude: Ids of activities that cannot have made it, such as the user itself.
        session_id: Session that must have made it, for what is no file; else None.
    """

    entity: str
    time: datetime | None = None
    hash: str | None = None
    exclude: frozenset[str] = frozenset()
    session_id: str | None = None


class Resolution(NamedTuple):
    """Who made what was used.

    Attributes:
        generators: The activities; empty if none is known.
        has_time_conflict: Whether they ended only after the use began.
    """

    generators: tuple[Activity, ...] = ()
    has_time_conflict: bool = False

    @property
    def has_failed(self) -> bool:
        """Whether there are only generators that did not end well."""
        return any(activity.status in _FAILED for activity in self.generators)


def resolve(
    use: Use,
    candidates: Iterable[Activity],
    *,
    levels: Mapping[str, str | None],
    is_for_all_sessions: bool = False,
) -> Resolution:
    """Say which of the generators of an entity made the version that was used.

    Args:
        use: The use.
        candidates: All activities that generated the entity.
        levels: Data levels of `contested_inputs`, by entity; what is missing has none.
        is_for_all_sessions: Whether the session of the use does not matter, as for
            a file.
    """
    session_id = None if is_for_all_sessions else use.session_id
    eligible = _eligible(use, candidates, session_id=session_id)
    if not eligible:
        return Resolution()
    time = use.time
    timely = [
        activity
        for activity in eligible
        # 3. Only what had ended by then, and what is running still has not.
        if activity.end is not None and (time is None or activity.end <= time)
    ]
    kept = timely or eligible
    latest = kept[0]
    if len(kept) > 1:
        # No later one can replace the latest.
        latest = max(kept, key=_order)
    writers = [
        activity
        for activity in kept
        if activity.name == latest.name
        and activity.session_tag == latest.session_tag
        and activity.is_run_wise == latest.is_run_wise
    ]
    if len(writers) > 1:
        left = set(_without_replaced(kept, levels))
        writers = sorted((a for a in writers if a in left), key=_order)
    is_late = not timely and any(_is_after(activity, time) for activity in writers)
    return Resolution(tuple(writers), is_late)


def contested_inputs(candidates: Collection[Activity]) -> set[str]:
    """Return the entities whose levels decide between candidates, by rule 4."""
    if len({activity.name for activity in candidates}) == len(candidates):
        return set()
    return {
        entity
        for group in _same_step(candidates).values()
        if len(group) > 1
        for activity in group
        for entity, _, _ in activity.used
    }


def likely_generators(candidates: Sequence[Activity]) -> Sequence[Activity]:
    """Return the generators of a file if uses are likely of what each made, else none.

    One after another changed it then, or by rule 5 they wrote it together. What one
    step wrote in several sessions may be overwritten every night, and of all nights a
    use is of one.

    Args:
        candidates: All activities that generated the entity.
    """
    if len(candidates) < 2:
        return candidates
    steps = {activity.name for activity in candidates}
    sessions = {(activity.name, activity.session_tag) for activity in candidates}
    return candidates if len(steps) == len(sessions) else ()


def wrote_in_turn(candidates: Sequence[Activity]) -> bool:
    """Say whether different steps wrote an entity, one after another, and ended well.

    No rule but the third one decides between them then.

    Args:
        candidates: All activities that generated the entity.
    """
    if len(candidates) == 1:
        return candidates[0].end is not None
    if any(activity.end is None for activity in candidates):
        return False
    steps = {activity.name for activity in candidates}
    return len(steps) == len(candidates) and not any(
        activity.status in _FAILED for activity in candidates
    )


def generation_rounds(
    candidates: Iterable[Activity], *, levels: Mapping[str, str | None]
) -> list[list[Activity]]:
    """Part the generators of an entity in rounds of writing, the latest one first.

    Each round is what one processing wrote: an activity that rule 4 replaces stands
    in an earlier round than the one that replaces it.
    """
    rounds: list[list[Activity]] = []
    left = sorted(_without_sums(candidates), key=lambda activity: activity.order)
    while left:
        kept = _without_replaced(left, levels)
        latest = max(kept, key=lambda activity: activity.order)
        written = [
            activity
            for activity in kept
            if activity.name == latest.name
            and activity.session_tag == latest.session_tag
            and activity.is_run_wise == latest.is_run_wise
        ]
        rounds.append(written)
        left = [activity for activity in left if activity not in written]
    return rounds


def _eligible(
    use: Use, candidates: Iterable[Activity], *, session_id: str | None
) -> list[Activity]:
    # 1. Activities other than the user, and those that failed only if there is
    # nothing else. What is no file means something within its session only.
    others = [
        activity
        for activity in candidates
        if activity.id not in use.exclude
        and (session_id is None or activity.session_id == session_id)
    ]
    eligible = [a for a in others if a.status not in _FAILED] or others
    eligible = _without_sums(eligible)
    if use.hash is None:
        return eligible
    # 2. The same content, if anybody is known to have written it.
    return [
        activity
        for activity in eligible
        if any(
            entity == use.entity and hash_ == use.hash
            for entity, _, hash_ in activity.generated
        )
    ] or eligible


def _without_sums(activities: Iterable[Activity]) -> list[Activity]:
    # What lstosa made of the subruns of a run says nothing beside these.
    listed = list(activities)
    sums = [activity for activity in listed if activity.is_run_wise]
    if not sums:
        return listed
    parts = [activity for activity in listed if not activity.is_run_wise]
    needless = {a.id for a in sums if any(_is_sum_of(a, part) for part in parts)}
    return [activity for activity in listed if activity.id not in needless]


def _is_sum_of(run: Activity, part: Activity) -> bool:
    if (run.name, run.session_tag) != (part.name, part.session_tag):
        return False
    if run.start is None or part.start is None:
        return True
    return run.start <= part.start and (run.end is None or part.start <= run.end)


def _without_replaced(
    activities: Sequence[Activity], levels: Mapping[str, str | None]
) -> list[Activity]:
    # 4. Of executions of the same step a later one replaces an earlier one, unless
    # their data inputs are disjoint: then they wrote parts of one product.
    kept: list[Activity] = []
    for group in _same_step(activities).values():
        if len(group) == 1:
            kept += group
            continue
        seen: set[str] = set()
        has_later = False
        for activity in sorted(group, key=lambda a: a.order, reverse=True):
            inputs = _data_inputs(activity, levels)
            if not has_later or (inputs and seen.isdisjoint(inputs)):
                kept.append(activity)
            seen |= inputs
            has_later = True
    return kept


def _same_step(
    activities: Iterable[Activity],
) -> dict[tuple[str | None, frozenset[str]], list[Activity]]:
    groups: dict[tuple[str | None, frozenset[str]], list[Activity]] = {}
    for activity in activities:
        outputs = frozenset([entity for entity, _, _ in activity.generated])
        groups.setdefault((activity.name, outputs), []).append(activity)
    return groups


def _data_inputs(
    activity: Activity, levels: Mapping[str, str | None]
) -> frozenset[str]:
    inputs = {entity for entity, _, _ in activity.used}
    # Where no input is known to be data, each may be.
    data = {entity for entity in inputs if levels.get(entity) is not None}
    return frozenset(data or inputs)


def _order(activity: Activity) -> tuple[datetime, datetime, str]:
    return activity.order


def _is_after(activity: Activity, time: datetime | None) -> bool:
    known = activity.end or activity.start
    return time is not None and known is not None and known > time


# There are many versions, and the class itself takes twice as long.
_NO_SOURCES: Final[frozenset[Source]] = frozenset()
_version: Final[Callable[[tuple[Any, ...]], Version]] = partial(tuple.__new__, Version)
