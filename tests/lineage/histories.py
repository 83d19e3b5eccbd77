"""Write small histories: files, steps that use and generate them, and their records."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from provdb.lineage import Lineage
from provdb.model import fold, location_id
from provdb.store import Store, open_store

__all__ = [
    "File",
    "Link",
    "Step",
    "at",
    "collection",
    "edges",
    "entities",
    "file",
    "generated_by",
    "generation",
    "remember",
    "stored",
    "undescribed",
]

Record = dict[str, Any]

_BEGIN = datetime(2020, 1, 17, 20, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """Return the time so many minutes after the beginning of the history."""
    return _BEGIN + timedelta(minutes=minutes)


@dataclass(frozen=True, slots=True)
class File:
    """An entity, with what its records say of it."""

    id: str
    fields: tuple[tuple[str, Any], ...] = ()
    derived_from: tuple[str, ...] = ()
    members: tuple[str, ...] = ()

    def records(self) -> list[Record]:
        """Return the records about the entity; none of what nobody describes."""
        this = {"entity_id": self.id}
        described = [{**this, **dict(self.fields)}] if self.fields else []
        return [
            *described,
            *({**this, "progenitor_id": other} for other in self.derived_from),
            *({**this, "member_id": other} for other in self.members),
        ]

    def derived(self, *others: "File") -> "File":
        """Return the entity with what it is derived from."""
        return replace(self, derived_from=tuple(other.id for other in others))

    def holding(self, *others: "File") -> "File":
        """Return the entity with its members."""
        return replace(self, members=tuple(other.id for other in others))

    def link(self, *, role: str | None = None, content: str | None = None) -> "Link":
        """Return a usage or generation of the entity."""
        return Link(self, role, content)


@dataclass(frozen=True, slots=True)
class Link:
    """A usage or generation of an entity, with its role and the hash of its content."""

    file: File
    role: str | None = None
    content: str | None = None

    def record(self, relation: str) -> Record:
        """Return the fields of its record."""
        fields = {
            f"{relation}_id": self.file.id,
            f"{relation}_role": self.role,
            f"{relation}_hash": self.content,
        }
        return {key: value for key, value in fields.items() if value is not None}


def file(path: str, name: str = "SomeFile") -> File:
    """Return a file, under the id that lstosa gives to its path."""
    fields = (("name", name), ("filepath", path), ("type", "File"))
    return File(location_id(path), fields)


def collection(id_: str, name: str = "DL1Collection", folder: str = "/DL1/") -> File:
    """Return a collection, which means something within its session only."""
    fields = (("name", name), ("filepath", folder), ("type", "SetCollection"))
    return File(id_, fields)


def undescribed(id_: str) -> File:
    """Return an entity that is used or generated, and that no record describes."""
    return File(id_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One execution of a step.

    Attributes:
        name: Name of the activity.
        used: What it used.
        generated: What it generated.
        start: Minutes after the beginning of the history, or None if unknown.
        end: Minutes after the beginning, or None for what has not ended.
        status: How it ended, or None for the usual end.
        tag: Its session_tag; of its name and run 1807 if left out.
        session: Its session_id.
        id: Its activity_id; a digest of all else if left out.
    """

    name: str
    used: Sequence[File | Link] = ()
    generated: Sequence[File | Link] = ()
    start: float | None = 0
    end: float | None = 1
    status: str | None = None
    tag: str | None = None
    session: str = "202001171807"
    id: str | None = None

    @property
    def session_tag(self) -> str:
        """The tag of the session."""
        return self.tag or f"{self.name}:01807"

    @property
    def activity_id(self) -> str:
        """The id under which the records name the execution."""
        text = repr(replace(self, id=""))
        return self.id or hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def files(self) -> list[File]:
        """What it used and generated."""
        return [_link(one).file for one in (*self.used, *self.generated)]

    def records(self) -> list[Record]:
        """Return the records that a pipeline would have written about it."""
        this = {"activity_id": self.activity_id, "session_tag": self.session_tag}
        start = {**this, "name": self.name, "in_session": self.session}
        if self.start is not None:
            start["startTime"] = at(self.start).isoformat()
        records = [start]
        records += [record for one in self.files for record in one.records()]
        records += [{**this, **_link(one).record("used")} for one in self.used]
        records += [
            {**this, **_link(one).record("generated")} for one in self.generated
        ]
        if self.end is not None:
            end = {**this, "endTime": at(self.end).isoformat()}
            records.append(
                end if self.status is None else end | {"status": self.status}
            )
        return records


def remember(store: Store, *steps: Step | File) -> Store:
    """Write steps and entities into a store, and return the store."""
    store.write(fold(record for one in steps for record in one.records()))
    return store


def stored(*steps: Step | File) -> Store:
    """Return a store in memory with steps and entities."""
    return remember(open_store("memory://"), *steps)


def entities(answer: Lineage) -> set[str]:
    """Return the ids of the entities of an answer, without their versions."""
    return {node.entity for node in answer.nodes if node.entity is not None}


def edges(answer: Lineage, relation: str) -> set[tuple[str, str]]:
    """Return the ends of the edges of one relation, without versions.

    An activity is named by what it is called and its start in minutes.
    """
    names = {node.id: node.entity or node.name or "" for node in answer.nodes}
    return {
        (names[edge.source], names[edge.target])
        for edge in answer.edges
        if edge.relation == relation
    }


def generation(answer: Lineage, of: File) -> set[tuple[str | None, float | None]]:
    """Return name and start, in minutes, of what generated an entity in an answer."""
    nodes = {node.id: node for node in answer.nodes}
    return {
        (nodes[edge.target].name, _minutes(nodes[edge.target].start))
        for edge in answer.edges
        if edge.relation == "wasGeneratedBy" and nodes[edge.source].entity == of.id
    }


def generated_by(*steps: tuple[str, float]) -> set[tuple[str | None, float | None]]:
    """Return what `generation` says of steps with these names and starts."""
    return set(steps)


def _minutes(time: datetime | None) -> float | None:
    return None if time is None else (time - _BEGIN) / timedelta(minutes=1)


def _link(one: File | Link) -> Link:
    return one if isinstance(one, Link) else Link(one)
