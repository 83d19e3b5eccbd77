"""Records that are missing: starts, ends, sessions, and what links lead to."""

from collections.abc import Collection, Iterator
from typing import Final

from provdb.check.report import Fault, Findings
from provdb.model import Document
from provdb.model import fields as f

__all__ = ["SOURCES", "SourceIds", "check_records", "check_sources", "linked_ids"]

# What an entity comes from, and how that is said.
SOURCES: Final = ((f.DERIVED_FROM, "derived from"), (f.MEMBERS, "member"))


def check_records(
    activity: Document,
    *,
    entities: Collection[str],
    copies: Collection[str],
    has_session: bool,
    findings: Findings,
) -> None:
    """Find what no record says of an activity whose start is known.

    Args:
        activity: The activity.
        entities: Ids of the entities among its links that are described.
        copies: Ids of all copies of files that are stored.
        has_session: Whether there is a record of its session, or it is of none.
        findings: Where to add what is wrong.
    """
    step = activity.get(f.NAME)
    if activity[f.STATUS] == "running":
        findings.add(Fault("no end", step, "running"), activity)
    if not has_session:
        detail = "no record of the session"
        findings.add(Fault("unknown session", step, detail), activity)
    for relation in (f.USED, f.GENERATED):
        for link in activity.get(relation, ()):
            if link[f.ENTITY] not in entities:
                detail = f"{relation}: {link.get(f.ROLE) or 'in no role'}"
                findings.add(Fault("dangling link", step, detail), activity)
    for copy in activity.get(f.COPIES, ()):
        if copy[f.ENTITY] not in copies:
            detail = f"copy: {copy.get(f.LOCATION) or copy[f.ENTITY]}"
            findings.add(Fault("dangling link", step, detail), activity)


def linked_ids(entity: Document) -> Iterator[str]:
    """Yield the ids of what an entity is derived from, and of its members."""
    for array, _ in SOURCES:
        for link in entity.get(array, ()):
            yield link[f.ENTITY]


def check_sources(
    entity: Document, *, known: Collection[str], findings: Findings
) -> None:
    """Find what an entity comes from that no record describes.

    Args:
        entity: The entity.
        known: Ids of the entities among its links that are described.
        findings: Where to add what is wrong.
    """
    for array, relation in SOURCES:
        for link in entity.get(array, ()):
            if link[f.ENTITY] not in known:
                name = entity.get(f.NAME) or "an entity"
                detail = f"{name}: {relation} {link[f.ENTITY]}"
                findings.add(Fault("dangling link", None, detail), entity, file=entity)


class SourceIds:
    """The ids that activities have in their own system, and which mean several."""

    def __init__(self) -> None:
        """Begin without any."""
        # As little as a finding needs: all activities of the store are in it.
        self._first: dict[tuple[str | None, str], tuple[str, str | None]] = {}
        self._repeated: set[tuple[str | None, str]] = set()

    def check(self, activity: Document, *, findings: Findings) -> None:
        """Find another activity of the same tag and id.

        Ids of lstosa have 24 bits.
        """
        key = activity[f.SESSION_TAG], activity[f.ACTIVITY_ID]
        this = activity[f.ID], activity.get(f.NAME)
        first = self._first.setdefault(key, this)
        if first is this:
            return
        if key not in self._repeated:
            self._repeated.add(key)
            _add_collision(first, key, findings)
        _add_collision(this, key, findings)


def _add_collision(
    activity: tuple[str, str | None], key: tuple[str | None, str], findings: Findings
) -> None:
    id_, step = activity
    session_tag, source_id = key
    document = {f.ID: id_, f.SESSION_TAG: session_tag}
    findings.add(Fault("id collision", step, f"activity_id {source_id}"), document)
