"""Who wrote a file, when, and which version of it is there now."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from provdb.lineage.graph import Graph
from provdb.lineage.link_rules import LinkRule
from provdb.lineage.loader import Loader
from provdb.lineage.name import find_name
from provdb.lineage.steps import Activity
from provdb.lineage.version import Version
from provdb.model import format_time
from provdb.store import Store
from provdb.tabular import Tabular

__all__ = ["FileVersion", "FileVersions", "versions"]

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_WORST_FIRST: Final = ("failed", "interrupted", "lost", "running", "completed")


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
    rules: Collection[LinkRule] | None = None,
) -> FileVersions:
    """Return every writing of a file, the latest one first.

    A file that nothing is known to have written has no versions.

    Args:
        store: Where the documents are.
        name: The file, as `find_name` takes it.
        as_of: Answer from what had happened by then, or None for now.
        rules: The link rules that may bridge gaps, or None for those of the store.

    Raises:
        NotFound: Nothing has that name.
        Ambiguous: Several things have it.
    """
    found = find_name(store, name)
    loader = Loader(store, rules=rules, as_of=as_of)
    graph = Graph(loader)
    loader.load_uses([found.entity])
    current = graph.now(found.entity)
    states = graph.written(found.entity)
    if current.generators or current.sources:
        states.append(current)
    listed = sorted(dict.fromkeys(states), key=partial(_order, graph), reverse=True)
    return FileVersions(
        _file_version(
            graph, version, found.location, is_current=graph.is_there(version)
        )
        for version in listed
    )


def _order(graph: Graph, version: Version) -> tuple[datetime, datetime, str]:
    makers = _makers(graph, version)
    ends = [a.end or a.start or _EARLIEST for a in makers]
    starts = [a.start or _EARLIEST for a in makers]
    earliest = max(starts, default=_EARLIEST)
    return max(ends, default=_EARLIEST), earliest, version.id


def _makers(graph: Graph, version: Version) -> list[Activity]:
    """Return who made a version, the earliest first; of a move, who wrote there."""
    ids = set(version.generators)
    for source in version.sources:
        ids |= source.version.generators
    makers = [graph.loader.activity(id_) for id_ in ids]
    return sorted(makers, key=lambda a: (a.end or a.start or _EARLIEST, a.id))


def _file_version(
    graph: Graph, version: Version, location: str | None, *, is_current: bool
) -> FileVersion:
    makers = _makers(graph, version)
    starts = [a.start for a in makers if a.start is not None]
    ends = [a.end for a in makers if a.end is not None]
    return FileVersion(
        id=version.id,
        location=location,
        is_current=is_current,
        name=makers[-1].name if makers else None,
        session_tag=makers[-1].session_tag if makers else None,
        status=min((a.status for a in makers), key=_badness, default="unknown"),
        start=min(starts, default=None),
        end=max(ends, default=None),
        activities=tuple(activity.id for activity in makers),
    )


def _badness(status: str) -> tuple[int, str]:
    known = _WORST_FIRST.index(status) if status in _WORST_FIRST else len(_WORST_FIRST)
    return known, status
