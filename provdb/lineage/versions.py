"""Who wrote a file, when, and which version of it is there now."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from provdb.lineage.essentials import Activity
from provdb.lineage.history import History
from provdb.lineage.loaded import Loaded
from provdb.lineage.name import find_name
from provdb.lineage.resolve import Version, generation_rounds
from provdb.lineage.rules import LINK_RULES, LinkRule
from provdb.model import format_time
from provdb.store import Store
from provdb.tabular import Tabular

__all__ = ["FileVersion", "FileVersions", "versions"]

_WORST_FIRST: Final = ("failed", "interrupted", "running", "completed")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVersion:
    """One writing of a file: by one activity, or by many that wrote parts of it.

    Attributes:
        id: The entity with the version, a name that every question takes.
        location: Path or URL of the file.
        is_current: Whether this is what is there now.
        name: Name of the step.
        session_tag: Tag of its session.
        status: How it ended; the worst, if there are many.
        start: Start of the first activity, UTC.
        end: End of the last one, UTC.
        activities: Ids of the activities, earliest first.
    """

    id: str
    location: str | None
    is_current: bool
    name: str | None
    session_tag: str | None
    status: str
    start: datetime | None
    end: datetime | None
    activities: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the version as it stands in JSON."""
        return {
            "id": self.id,
            "location": self.location,
            "current": self.is_current,
            "name": self.name,
            "session_tag": self.session_tag,
            "status": self.status,
            "start": None if self.start is None else format_time(self.start),
            "end": None if self.end is None else format_time(self.end),
            "activities": list(self.activities),
        }


class FileVersions(tuple[FileVersion, ...], Tabular):
    """Every writing of a file, the latest one first."""

    __slots__ = ()

    def rows(self) -> list[dict[str, Any]]:
        """Return the versions as they stand in JSON."""
        return [version.to_dict() for version in self]

    def to_dict(self) -> dict[str, Any]:
        """Return the versions as one value that JSON can hold."""
        return {"versions": self.rows()}


def versions(
    store: Store,
    name: str,
    *,
    as_of: datetime | None = None,
    rules: Collection[LinkRule] = LINK_RULES,
) -> FileVersions:
    """Return every writing of a file, the latest one first.

    A file that nothing is known to have written has no versions.

    Args:
        store: Where the documents are.
        name: The file, as `find_name` takes it.
        as_of: Answer from what had happened by then, or None for now.
        rules: The link rules that may bridge gaps.

    Raises:
        NotFound: Nothing has that name.
        Ambiguous: Several things have it.
    """
    found = find_name(store, name)
    loaded = Loaded(store, rules=rules, as_of=as_of)
    loaded.load_uses([found.entity])
    current = History(loaded).now(found.entity).generators
    rounds = generation_rounds(loaded.generators[found.entity], levels=loaded.levels)
    return FileVersions(
        _file_version(found.entity, found.location, activities, current=current)
        for activities in rounds
    )


def _file_version(
    entity: str,
    location: str | None,
    activities: Iterable[Activity],
    *,
    current: frozenset[str],
) -> FileVersion:
    ordered = sorted(activities, key=lambda activity: activity.order)
    ids = tuple(activity.id for activity in ordered)
    starts = [a.start for a in ordered if a.start is not None]
    ends = [a.end for a in ordered if a.end is not None]
    return FileVersion(
        id=Version.of(entity, frozenset(ids)).id,
        location=location,
        is_current=not current.isdisjoint(ids),
        name=ordered[0].name,
        session_tag=ordered[0].session_tag,
        status=min((a.status for a in ordered), key=_WORST_FIRST.index),
        start=min(starts, default=None),
        end=max(ends, default=None),
        activities=ids,
    )
