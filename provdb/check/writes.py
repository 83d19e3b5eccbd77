"""The writes of files, as far as a check compares uses with them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from provdb.model import Document
from provdb.model import fields as f
from provdb.store import Store
from provdb.store.base import batches

__all__ = ["CLOCK_TOLERANCE", "Write", "find_writes"]

# How far the clocks of two machines may be apart.
CLOCK_TOLERANCE: Final = timedelta(seconds=5)
_DAMAGED: Final = ("failed", "interrupted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One activity that generated a file.

    Attributes:
        activity: Id of the activity.
        name: Name of the step.
        start: Start of the activity, UTC.
        end: End of the activity, UTC.
        is_damaged: Whether it failed or was interrupted.
        session_id: Id of its session.
        is_ambiguous: Whether a time of it is in an hour that happened twice.
        places: Where the record of its end stands, by the source of the record.
        started_by: What its records name as the activity that started it.
        hashes: Digests of the content that it wrote, in lower case.
    """

    activity: str
    name: str | None
    start: datetime | None
    end: datetime | None
    is_damaged: bool
    session_id: str | None
    is_ambiguous: bool
    places: Mapping[str, int]
    started_by: str | None
    hashes: frozenset[str]

    @classmethod
    def of(cls, activity: Document, links: Iterable[Mapping[str, Any]]) -> Self:
        """Return the write of an activity, from its links to one file."""
        return cls(
            activity=activity[f.ID],
            name=activity.get(f.NAME),
            start=activity.get(f.START),
            end=activity.get(f.END),
            is_damaged=activity[f.STATUS] in _DAMAGED,
            session_id=activity.get(f.SESSION_ID),
            is_ambiguous=_is_ambiguous(activity),
            places=_places(activity, f.END),
            started_by=activity.get(f.STARTED_BY),
            hashes=frozenset(
                link[f.HASH].lower() for link in links if link.get(f.HASH)
            ),
        )

    def may_precede(self, reader: Document) -> bool:
        """Say whether it may have ended before a reader started, by the clocks."""
        start: datetime | None = reader.get(f.START)
        if start is None or self.is_inside(reader):
            return True
        if self.is_ambiguous or _is_ambiguous(reader):
            return self.is_recorded_before(reader) or not self.places
        time = self.end or self.start
        return time is None or time <= start + CLOCK_TOLERANCE

    def is_inside(self, reader: Document) -> bool:
        """Say whether its step was a part of the reader."""
        if self.started_by is not None and self.started_by in (
            reader[f.ID],
            reader[f.ACTIVITY_ID],
        ):
            return True
        start: datetime | None = reader.get(f.START)
        end: datetime | None = reader.get(f.END)
        if start is None or end is None or self.start is None or self.end is None:
            return False
        is_of_session = self.session_id is not None and (
            self.session_id == reader[f.SESSION_ID]
        )
        return is_of_session and start <= self.start and self.end <= end

    def is_later(self, reader: Document) -> bool:
        """Say whether it began after a reader had ended."""
        last = reader.get(f.END) or reader.get(f.START)
        if last is None or self.start is None or self.is_recorded_before(reader):
            return False
        return bool(self.start > last)

    def is_recorded_before(self, reader: Document) -> bool:
        """Say whether a log or spool has its end before the start of a reader."""
        starts = _places(reader, f.START)
        return any(
            place < starts[source]
            for source, place in self.places.items()
            if source in starts
        )


def find_writes(store: Store, entities: Iterable[str]) -> dict[str, list[Write]]:
    """Return the writes of entities, by their ids; a dry run writes nothing."""
    wanted = set(entities)
    writes: dict[str, list[Write]] = {}
    for batch in batches(sorted(wanted)):
        asked = set(batch)
        for activity in store.generations(batch):
            if activity.get(f.DRY_RUN):
                continue
            links: dict[str, list[Mapping[str, Any]]] = {}
            for link in activity.get(f.GENERATED, ()):
                if link[f.ENTITY] in asked:
                    links.setdefault(link[f.ENTITY], []).append(link)
            for entity, of_entity in links.items():
                writes.setdefault(entity, []).append(Write.of(activity, of_entity))
    return writes


def _places(activity: Document, record: str) -> dict[str, int]:
    """Return where the record of a start or an end stands, by its source."""
    return {
        entry[f.SOURCE]: entry[record]
        for entry in activity.get(f.RECORDED, ())
        if record in entry
    }


def _is_ambiguous(activity: Document) -> bool:
    return bool(activity.get(f.START_AMBIGUOUS) or activity.get(f.END_AMBIGUOUS))
