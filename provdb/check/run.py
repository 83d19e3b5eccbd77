"""Go through a store once, a batch at a time, and report what is wrong with it."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Final

from provdb.capture.descriptions import Definition
from provdb.check.declared import check_declared
from provdb.check.file_names import check_placeholders, check_telescopes
from provdb.check.records import SourceIds, check_records, check_sources, linked_ids
from provdb.check.report import CheckReport, Fault, Findings
from provdb.check.times import check_times
from provdb.check.uses import UseCheck
from provdb.lineage import LinkRule
from provdb.model import Document, is_waiting, session_key
from provdb.model import fields as f
from provdb.store import Store
from provdb.store.base import batches

__all__ = ["check"]

_ACTIVITY: Final = (
    f.ID,
    f.NAME,
    f.SESSION_TAG,
    f.SESSION_ID,
    f.ACTIVITY_ID,
    f.STATUS,
    f.START,
    f.START_AMBIGUOUS,
    f.END,
    f.END_AMBIGUOUS,
    f.RECORDED,
    f.DRY_RUN,
    f.AGENT,
    f.SCRIPT,
    f.EXTRA,
    f.WRITTEN,
    f.USED,
    f.GENERATED,
    f.COPIES,
)
_ENTITY: Final = (
    f.ID,
    f.NAME,
    f.LOCATION,
    f.TYPE,
    f.LEVEL,
    f.RUN,
    f.DERIVED_FROM,
    f.MEMBERS,
    f.TELESCOPE,
    f.DATA_KIND,
    f.PARTICLE,
)


def check(
    store: Store,
    *,
    definition: Definition | None = None,
    rules: Collection[LinkRule] | None = None,
    now: datetime | None = None,
    on_checked: Callable[[int], None] = lambda documents: None,
) -> CheckReport:
    """Return what is wrong with the provenance in a store.

    Links lead to what no record describes, activities have begun and have no end, or
    their statements came without their start; one id means two activities of a tag.
    A step used another content than was written, a data product that nobody made, or a
    file before it was written; paths have placeholders, and links lead from one
    telescope to another. Against a definition roles are missing in activities that
    completed, and names are there that it does not declare.

    The store is read in batches: the memory that it takes grows with what is wrong,
    and by a few words for each activity.

    Args:
        store: Where the documents are.
        definition: What each activity should use and generate, or None to look at the
            provenance alone.
        rules: The link rules that may bridge gaps between files.
        now: The time, to find times in the future; None not to look for them.
        on_checked: Is told of each batch, how many documents it has.

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
    findings = Findings()
    checked = _ActivityCheck(
        store, definition=definition, rules=rules, now=now, findings=findings
    )
    activities = entities = 0
    for batch in batches(store.find(f.ACTIVITIES, {}, fields=_ACTIVITY)):
        checked.check(sorted(batch, key=lambda activity: str(activity[f.ID])))
        activities += len(batch)
        on_checked(len(batch))
    checked.finish()
    for batch in batches(store.find(f.ENTITIES, {}, fields=_ENTITY)):
        ids = (id_ for entity in batch for id_ in linked_ids(entity))
        known = _known(store, f.ENTITIES, ids)
        for entity in batch:
            check_sources(entity, known=known, findings=findings)
            check_placeholders(entity, findings=findings)
        entities += len(batch)
        on_checked(len(batch))
    return CheckReport(
        activities=activities, entities=entities, findings=findings.in_order()
    )


class _ActivityCheck:
    """What is compared of every activity, and what that takes from the store."""

    def __init__(
        self,
        store: Store,
        *,
        definition: Definition | None,
        rules: Collection[LinkRule] | None,
        now: datetime | None,
        findings: Findings,
    ) -> None:
        self._store = store
        self._definition = definition
        self._now = now
        self._findings = findings
        self._uses = UseCheck(store, findings=findings, rules=rules)
        self._source_ids = SourceIds()
        self._copies = {document[f.ID] for document in store.copies()}

    def check(self, batch: Iterable[Document]) -> None:
        """Find what is wrong with some activities."""
        activities = [one for one in batch if not self._is_waiting(one)]
        entities = self._entities(activities)
        sessions = _known(self._store, f.SESSIONS, map(_session_of, activities))
        for activity in activities:
            self._source_ids.check(activity, findings=self._findings)
            check_records(
                activity,
                entities=entities.keys(),
                copies=self._copies,
                has_session=activity[f.SESSION_ID] is None
                or _session_of(activity) in sessions,
                findings=self._findings,
            )
            check_times(activity, now=self._now, findings=self._findings)
            if not activity.get(f.DRY_RUN):
                check_telescopes(activity, entities=entities, findings=self._findings)
            if self._definition is not None:
                check_declared(
                    activity,
                    definition=self._definition,
                    entities=entities,
                    findings=self._findings,
                )
        self._uses.check(activities, entities=entities)

    def finish(self) -> None:
        """Find what can be said only when all activities are known."""
        self._uses.check_used_contents()

    def _is_waiting(self, activity: Document) -> bool:
        if not is_waiting(activity):
            return False
        detail = f"activity_id {activity[f.ACTIVITY_ID]}"
        self._findings.add(Fault("no start", None, detail), activity)
        return True

    def _entities(self, activities: Iterable[Document]) -> dict[str, Document]:
        """Return the described entities that activities are linked to, by id."""
        ids = {
            link[f.ENTITY]
            for activity in activities
            for array in (f.USED, f.GENERATED)
            for link in activity.get(array, ())
        }
        return {
            document[f.ID]: document
            for batch in batches(sorted(ids))
            for document in self._store.find(
                f.ENTITIES, {f.ID: {"$in": batch}}, fields=_ENTITY
            )
        }


def _known(store: Store, collection: str, ids: Iterable[str]) -> set[str]:
    return {
        str(document[f.ID])
        for batch in batches(dict.fromkeys(ids))
        for document in store.find(collection, {f.ID: {"$in": batch}}, fields=(f.ID,))
    }


def _session_of(activity: Document) -> str:
    return session_key(activity[f.SESSION_TAG], activity[f.SESSION_ID])
