"""Lineage once more, as the documentation words it and with no thought of speed.

Written to be compared with, from the rules alone: 1 to 7, without the link rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

__all__ = ["generations_behind"]

Document = dict[str, Any]

_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_NOW = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Use:
    entity: str
    time: datetime = _NOW
    content: str | None = None
    without: frozenset[str] = frozenset()
    session: str | None = None


def generations_behind(
    entity: str, documents: Mapping[str, Sequence[Document]]
) -> set[tuple[str, str]]:
    """Return (entity, activity that generated it) for all in the entity's lineage."""
    reading = _Reading(documents)
    found: set[tuple[str, str]] = set()
    seen: set[_Use] = set()
    todo = [reading.question(entity)]
    while todo:
        use = todo.pop()
        if use in seen:
            continue
        seen.add(use)
        writers = reading.writers(use)
        found |= {(use.entity, writer["_id"]) for writer in writers}
        for writer in writers:
            todo += reading.uses_by(writer)
        todo += reading.uses_by_relations(use, writers)
    return found


class _Reading:
    def __init__(self, documents: Mapping[str, Sequence[Document]]) -> None:
        self.activities = sorted(documents["activities"], key=lambda a: str(a["_id"]))
        self.entities = {e["_id"]: e for e in documents["entities"]}

    def question(self, entity: str) -> _Use:
        """Somebody asks now; of what is no file they mean the latest session's."""
        use = _Use(entity)
        writers = self.writers(use)
        if not writers:
            return use
        return replace(use, session=max(writers, key=_order)["session_id"])

    def uses_by(self, activity: Document) -> list[_Use]:
        """An activity used what there was when it started."""
        return [
            _Use(
                used["entity"],
                time=activity.get("start") or _NOW,
                content=used.get("hash"),
                without=frozenset([activity["_id"]]),
                session=activity["session_id"],
            )
            for used in activity["used"]
        ]

    def uses_by_relations(self, use: _Use, writers: list[Document]) -> list[_Use]:
        """Rule 6: what it was derived from and has as members, as they were then."""
        described = self.entities.get(use.entity, {})
        related = [
            link["entity"]
            for array in ("derived_from", "members")
            for link in described.get(array, ())
        ]
        if not writers:
            return [replace(use, entity=other, content=None) for other in related]
        ends = [a["end"] for a in writers if a.get("end")]
        starts = [a["start"] for a in writers if a.get("start")]
        written = _Use(
            use.entity,
            time=max(ends, default=_NOW),
            session=writers[0]["session_id"],
        )
        before = replace(
            written,
            time=min(starts, default=_NOW),
            without=frozenset(a["_id"] for a in writers),
        )
        return [
            before if other == use.entity else replace(written, entity=other)
            for other in related
        ]

    def writers(self, use: _Use) -> list[Document]:
        """Rules 1 to 5: who made the version that was used, in order of the ids."""
        made = [
            activity
            for activity in self.activities
            if use.entity in _outputs(activity) and activity["_id"] not in use.without
        ]
        if use.session is not None and not self.is_file(use.entity):
            made = [a for a in made if a["session_id"] == use.session]
        # 1. Failed ones only when there is nothing else.
        made = [a for a in made if a["status"] in ("running", "completed")] or made
        # 2. The same content.
        if use.content is not None:
            wanted = {"entity": use.entity, "hash": use.content}
            made = [
                activity
                for activity in made
                if any(wanted.items() <= g.items() for g in activity["generated"])
            ] or made
        # 3. What had ended by then.
        made = [a for a in made if a.get("end") and a["end"] <= use.time] or made
        if not made:
            return []
        # 4. A later execution replaces an earlier one.
        kept = [a for a in made if not any(self.replaces(b, a) for b in made)]
        # 5. The latest one, and who wrote the same product with it.
        latest = max(kept, key=_order)
        return [a for a in kept if _product(a) == _product(latest)]

    def replaces(self, later: Document, earlier: Document) -> bool:
        """Rule 4: the same step, later, and not from other data."""
        if later["name"] != earlier["name"] or _order(later) <= _order(earlier):
            return False
        if _outputs(later) != _outputs(earlier):
            return False
        mine, yours = self.data_inputs(later), self.data_inputs(earlier)
        return not yours or bool(mine & yours)

    def data_inputs(self, activity: Document) -> set[str]:
        """Inputs that have a level; all of them, where none is known to have one."""
        inputs = {used["entity"] for used in activity["used"]}
        return {
            entity for entity in inputs if self.entities.get(entity, {}).get("level")
        } or inputs

    def is_file(self, entity: str) -> bool:
        """Whether it is one thing in all sessions; what nobody describes may be."""
        described = self.entities.get(entity)
        return described is None or (
            "location" in described and described.get("type") != "SetCollection"
        )


def _outputs(activity: Document) -> set[str]:
    return {generated["entity"] for generated in activity["generated"]}


def _product(activity: Document) -> tuple[str | None, str | None]:
    return activity.get("name"), activity["session_tag"]


def _order(activity: Document) -> tuple[datetime, datetime, str]:
    start = activity.get("start") or _FIRST
    return activity.get("end") or start, start, activity["_id"]
