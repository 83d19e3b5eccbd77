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
        session: Tag and id of its session.
        started_by: What its records name as the activity that started it.
        hashes: Digests of the content that it wrote, in lower case.
    """

    activity: str
    name: str | None
    start: datetime | None
    end: datetime | None
    is_damaged: bool
    session: tuple[str | None, str | None]
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
            session=(activity.get(f.SESSION_TAG), activity.get(f.SESSION_ID)),
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
        is_of_session = self.session == (reader[f.SESSION_TAG], reader[f.SESSION_ID])
        return is_of_session and start <= self.start and self.end <= end

    def is_later(self, reader: Document) -> bool:
        """Say whether it began after a reader had ended."""
        last = reader.get(f.END) or reader.get(f.START)
        return last is not None and self.start is not None and self.start > last


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
