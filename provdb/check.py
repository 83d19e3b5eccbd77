"""What is wrong with captured provenance: in itself, and against a definition."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from provdb.capture.descriptions import ActivityDescription, Definition
from provdb.model import Document, is_waiting, session_key
from provdb.model import fields as f
from provdb.store import Store
from provdb.store.base import batches
from provdb.tabular import Tabular

__all__ = ["KINDS", "CheckReport", "Finding", "check"]

# The kinds of findings, in the order of the report.
KINDS: Final = (
    "undeclared activity",
    "undeclared role",
    "undeclared entity",
    "missing role",
    "no end",
    "no start",
    "dangling link",
    "unknown session",
    "id collision",
)
_ACTIVITY: Final = (
    f.ID,
    f.NAME,
    f.SESSION_TAG,
    f.SESSION_ID,
    f.ACTIVITY_ID,
    f.STATUS,
    f.START,
    f.AGENT,
    f.SCRIPT,
    f.EXTRA,
    f.WRITTEN,
    f.USED,
    f.GENERATED,
    f.COPIES,
)
_ID: Final = (f.ID, f.NAME, f.SESSION_TAG)
_SOURCES: Final = ((f.DERIVED_FROM, "derived from"), (f.MEMBERS, "member"))
_COMPLETED: Final = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong, as often as it is.

    Attributes:
        kind: One of `KINDS`.
        step: Name of the activities that it is about, or None if of entities.
        detail: What it is: a role, the name of an entity, an id.
        count: How many there are.
        example: Id of the first activity or entity that has it.
        session_tag: Session tag of that activity.
    """

    kind: str
    step: str | None
    detail: str
    count: int
    example: str
    session_tag: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as it stands in JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport(Tabular):
    """What was looked at, and what is wrong with it.

    Attributes:
        activities: How many activities were looked at.
        entities: How many entities were looked at.
        findings: What is wrong, by kind, step and detail.
    """

    activities: int
    entities: int
    findings: tuple[Finding, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return the findings as they stand in JSON."""
        return [finding.to_dict() for finding in self.findings]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as it stands in JSON."""
        return {
            "activities": self.activities,
            "entities": self.entities,
            "findings": self.rows(),
        }


class _Fault(NamedTuple):
    kind: str
    step: str | None
    detail: str


def check(store: Store, *, definition: Definition | None = None) -> CheckReport:
    """Return what is wrong with the provenance in a store.

    Links lead to what no record describes, activities have begun and have no end, or
    their statements came without their start; one id means two activities of a tag.
    Against a definition roles are missing in activities that completed, and names are
    there that it does not declare.

    Args:
        store: Where the documents are.
        definition: What each activity should use and generate, or None to look at the
            provenance alone.

    >>> from provdb.model import fold
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> step = {"activity_id": "621ca2", "session_tag": "r0_to_dl1:01618"}
    >>> counts = store.write(fold([{**step, "name": "r0_to_dl1"},
    ...     {**step, "used_id": "446f45", "used_role": "Observation subrun"}]))
    >>> for finding in check(store).findings:
    ...     print(finding.kind, "|", finding.detail)
    no end | running
    dangling link | used: Observation subrun
    """
    return _Check(store, definition).run()


class _Check:
    """The faults that were found, and where each was first."""

    def __init__(self, store: Store, definition: Definition | None) -> None:
        self._store = store
        self._definition = definition
        self._counts: Counter[_Fault] = Counter()
        self._first: dict[_Fault, tuple[str, str | None]] = {}
        self._with_id: dict[tuple[str | None, str], list[Document]] = {}
        self._copies = {document[f.ID] for document in store.copies()}

    def run(self) -> CheckReport:
        activities = entities = 0
        found = self._store.find(f.ACTIVITIES, {}, fields=_ACTIVITY)
        for batch in batches(found):
            activities += len(batch)
            self._check_activities(sorted(batch, key=lambda a: str(a[f.ID])))
        self._check_ids()
        wanted = (f.ID, f.NAME, *(array for array, _ in _SOURCES))
        for batch in batches(self._store.find(f.ENTITIES, {}, fields=wanted)):
            entities += len(batch)
            self._check_entities(batch)
        return CheckReport(
            activities=activities,
            entities=entities,
            findings=tuple(sorted(self._findings(), key=_order)),
        )

    def _findings(self) -> Iterator[Finding]:
        for fault, count in self._counts.items():
            example, tag = self._first[fault]
            yield Finding(
                **fault._asdict(), count=count, example=example, session_tag=tag
            )

    def _note(self, document: Document, fault: _Fault) -> None:
        self._counts[fault] += 1
        known = str(document[f.ID]), document.get(f.SESSION_TAG)
        # The first one by its id, whatever the order of the store.
        self._first[fault] = min(self._first.get(fault, known), known, key=_by_id)

    def _check_activities(self, activities: list[Document]) -> None:
        entities = self._names_of(
            link[f.ENTITY]
            for activity in activities
            for array in (f.USED, f.GENERATED)
            for link in activity.get(array, ())
        )
        sessions = self._known(f.SESSIONS, map(_session_of, activities))
        for activity in activities:
            step = activity.get(f.NAME)
            if is_waiting(activity):
                fault = _Fault(
                    "no start", None, f"activity_id {activity[f.ACTIVITY_ID]}"
                )
                self._note(activity, fault)
                continue
            if activity[f.STATUS] == "running":
                self._note(activity, _Fault("no end", step, "running"))
            named = {name: activity.get(name) for name in _ID}
            key = activity[f.SESSION_TAG], activity[f.ACTIVITY_ID]
            self._with_id.setdefault(key, []).append(named)
            is_of_session = activity[f.SESSION_ID] is not None
            if is_of_session and _session_of(activity) not in sessions:
                detail = "no record of the session"
                self._note(activity, _Fault("unknown session", step, detail))
            for relation in (f.USED, f.GENERATED):
                for link in activity.get(relation, ()):
                    if link[f.ENTITY] not in entities:
                        detail = f"{relation}: {link.get(f.ROLE) or 'in no role'}"
                        self._note(activity, _Fault("dangling link", step, detail))
            for copy in activity.get(f.COPIES, ()):
                if copy[f.ENTITY] not in self._copies:
                    detail = f"copy: {copy.get(f.LOCATION) or copy[f.ENTITY]}"
                    self._note(activity, _Fault("dangling link", step, detail))
            if self._definition is not None and step is not None:
                self._check_declared(activity, step, self._definition, entities)

    def _check_ids(self) -> None:
        """Note ids that mean several activities of one tag."""
        for (_, source_id), activities in self._with_id.items():
            if len(activities) > 1:
                for activity in activities:
                    detail = f"activity_id {source_id}"
                    fault = _Fault("id collision", activity[f.NAME], detail)
                    self._note(activity, fault)

    def _check_declared(
        self,
        activity: Document,
        step: str,
        definition: Definition,
        entities: Mapping[str, str | None],
    ) -> None:
        declared = definition.activities.get(step)
        if declared is None:
            fault = _Fault("undeclared activity", step, "not in the definition")
            self._note(activity, fault)
            return
        for relation, (needed, known) in _roles(declared).items():
            links = activity.get(relation, ())
            told = {link[f.ROLE] for link in links if f.ROLE in link}
            for role in sorted(told - known):
                fault = _Fault("undeclared role", step, f"{relation}: {role}")
                self._note(activity, fault)
            if activity[f.STATUS] == _COMPLETED:
                for role in sorted(needed - told):
                    fault = _Fault("missing role", step, f"{relation}: {role}")
                    self._note(activity, fault)
            names = {entities.get(link[f.ENTITY]) for link in links} - {None}
            for name in sorted(map(str, names - definition.entities.keys())):
                fault = _Fault("undeclared entity", step, f"{relation}: {name}")
                self._note(activity, fault)

    def _check_entities(self, entities: list[Document]) -> None:
        linked = {
            link[f.ENTITY]
            for entity in entities
            for array, _ in _SOURCES
            for link in entity.get(array, ())
        }
        known = self._known(f.ENTITIES, linked)
        for entity in entities:
            for array, relation in _SOURCES:
                for link in entity.get(array, ()):
                    if link[f.ENTITY] not in known:
                        name = entity.get(f.NAME) or "an entity"
                        detail = f"{name}: {relation} {link[f.ENTITY]}"
                        self._note(entity, _Fault("dangling link", None, detail))

    def _names_of(self, ids: Iterable[str]) -> dict[str, str | None]:
        """Return the names of the entities that are described, by their ids."""
        wanted = list(dict.fromkeys(ids))
        return {
            document[f.ID]: document.get(f.NAME)
            for batch in batches(wanted)
            for document in self._store.entities(batch)
        }

    def _known(self, collection: str, ids: Iterable[str]) -> set[str]:
        return {
            str(document[f.ID])
            for batch in batches(dict.fromkeys(ids))
            for document in self._store.read(collection, batch)
        }


def _roles(declared: ActivityDescription) -> dict[str, tuple[set[str], set[str]]]:
    """Return the roles that a usage and a generation need, and those they may have."""
    needed = {
        relation: {link.role for link in links if link.role is not None}
        for relation, links in (
            (f.USED, declared.usage),
            (f.GENERATED, declared.generation),
        )
    }
    # What is changed in place is used and generated in one role.
    changed = {
        link.role
        for link in (*declared.usage, *declared.generation)
        if link.overwrite and link.role is not None
    }
    return {relation: (roles, roles | changed) for relation, roles in needed.items()}


def _session_of(activity: Document) -> str:
    return session_key(activity[f.SESSION_TAG], activity[f.SESSION_ID])


def _by_id(known: tuple[str, str | None]) -> str:
    return known[0]


def _order(finding: Finding) -> tuple[int, str, str]:
    return KINDS.index(finding.kind), finding.step or "", finding.detail
