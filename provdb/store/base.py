"""The verbs that every store has, and the one way in which documents are written.

A store is written by many processes at once, each with a piece of what happened. The
rules by which pieces join are in `provdb.model.fold`; this file says in which order
they are applied, a store only reads, inserts and replaces documents.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from itertools import islice
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from provdb.model import (
    CURRENT_VERSIONS,
    Document,
    attach_sessions,
    contested_starts,
    execution_start,
    is_waiting,
    merge,
    session_key,
    waiting_keys,
    with_names,
)
from provdb.model import fields as f
from provdb.model.naming_rules import NAMING_RULES, NamingRules, naming_rules
from provdb.model.settings import (
    SETTINGS_ID,
    StoreSettings,
    naming_digest,
    settings_document,
    settings_of,
)
from provdb.store.counts import CollectionStats, WriteCounts
from provdb.store.evaluate import Filter, Pipeline
from provdb.store.validators import check

__all__ = ["BATCH", "TOO_LATE", "Store", "batches"]

# Ids asked for, and documents written, in one message.
BATCH: Final = 1000
# Why there is no answer where there was no time for one.
TOO_LATE: Final = (
    "there was no whole answer in time; ask for less, or give it more time"
)
# For how long the settings need not be read again.
_SETTINGS_SECONDS: Final = 5.0
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_Item = TypeVar("_Item")


class Store(ABC):
    """A place where provenance documents are kept.

    A store is opened by `provdb.store.open_store` and is a context manager. All its
    verbs raise `StoreUnavailable` when the place does not answer.

    Attributes:
        uri: Where the store is, without any password.
        zone: Zone in which times that name none are read.
    """

    uri: str
    zone: tzinfo
    _settings: StoreSettings | None = None
    _settings_end: float = 0.0
    # The naming rules that were compiled, and what of.
    _naming: NamingRules = NAMING_RULES
    _naming_tables: tuple[Mapping[str, Any], ...] = ()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store; who was interrupted waits for nothing more."""
        if kind is KeyboardInterrupt:
            self._abandon()
        else:
            self.close()

    def write(
        self, documents: Mapping[str, Sequence[Document]]
    ) -> dict[str, WriteCounts]:
        """Write documents, joined with what is stored of the same things.

        Writing the same documents again, in pieces or in another order, leaves the
        store as it is. A reader never sees an activity before its entities. What names
        of entities say is read by the naming rules of the store, whoever made the
        documents and by which rules.

        Args:
            documents: Documents by collection, as `provdb.model.fold` gives them.

        Returns:
            What became of the documents of each collection.

        Raises:
            RecordError: A document does not follow the schema of its collection;
                nothing was written.
        """
        for collection in f.COLLECTIONS:
            check(collection, documents.get(collection, ()))
        contested: dict[str, set[str | None]] = {}

        def look(sessions: Iterable[Document]) -> None:
            for session in sessions:
                contested[session[f.ID]] = contested_starts(session)

        with self._transaction():
            naming = self.naming()
            entities = self._named(documents.get(f.ENTITIES, ()))
            documents = {**documents, f.ENTITIES: entities}
            counts = {
                collection: self._join(
                    collection,
                    documents.get(collection, ()),
                    on_joined=look if collection == f.SESSIONS else None,
                )
                for collection in f.COLLECTIONS
            }
            self._bring_together(
                documents.get(f.ACTIVITIES, ()),
                documents.get(f.SESSIONS, ()),
                contested=contested,
            )
            if entities:
                self._rename_unless(naming, [entity[f.ID] for entity in entities])
        if any(count.unchanged for count in counts.values()):
            self._confirm()
        return counts

    @abstractmethod
    def initialise(self) -> None:
        """Make collections, indexes and validators where they are missing."""

    @abstractmethod
    def read(self, collection: str, ids: Iterable[str]) -> list[Document]:
        """Return the documents that have these ids, in no order."""

    @abstractmethod
    def scan(self, collection: str) -> Iterator[Document]:
        """Yield every document of a collection, in the order of their ids."""

    def recall(self, ids: Iterable[str]) -> list[Document]:
        """Return what is known of files that were read, by the ids of the documents.

        All is forgotten where some of them held provenance and the store holds none:
        somebody emptied it.
        """
        if not any(self.starting(name, "", limit=1) for name in f.COLLECTIONS):
            # Without an index: the collection is small, and is looked at once.
            for _ in self.find(f.READINGS, {f.FORMATS: {"$gt": ""}}):
                self._clear(f.READINGS)
                return []
        return self.read(f.READINGS, ids)

    def remember(self, readings: Sequence[Document]) -> WriteCounts:
        """Write which files were read, joined with what is stored of them.

        What the files hold must be written before.

        Args:
            readings: Documents as `provdb.model.reading_document` gives them, each
                id once.
        """
        check(f.READINGS, readings)
        with self._transaction():
            return self._join(f.READINGS, readings, on_joined=None)

    def settings(self) -> StoreSettings:
        """Return the settings of the store, as they were some seconds ago at most.

        A store without any has the defaults.
        """
        now = time.monotonic()
        if self._settings is None or now >= self._settings_end:
            stored = self.read(f.SETTINGS, [SETTINGS_ID])
            self._settings = settings_of(stored[0] if stored else {})
            self._settings_end = now + _SETTINGS_SECONDS
        return self._settings

    def change_settings(
        self, change: StoreSettings | Callable[[StoreSettings], StoreSettings]
    ) -> StoreSettings:
        """Change the settings of the store, and return them.

        Args:
            change: What takes the settings as they are stored and returns the new
                ones; it is called again where another process was quicker, so nothing
                of theirs is lost. Settings themselves replace whatever is stored.

        Raises:
            ConfigError: A naming rule is wrong; nothing was changed.
        """
        return self._change_settings(
            lambda known: replace(
                change(known) if callable(change) else change, named_by=known.named_by
            )
        )

    def naming(self) -> NamingRules:
        """Return the naming rules of the store, as they were some seconds ago at most.

        Raises:
            ConfigError: A rule is wrong, such as one of a later version of provdb.
        """
        tables = self.settings().naming_rules
        # Compiled once, for what was read by rules is remembered with them.
        if tables != self._naming_tables:
            self._naming, self._naming_tables = naming_rules(tables), tables
        return self._naming

    def has_outdated_names(self) -> bool:
        """Say whether entities may hold what earlier naming rules said of them."""
        return self.settings().is_naming_outdated

    def rename(self, entities: Iterable[str]) -> int:
        """Read the names of entities anew by the naming rules of the store.

        Documents of an earlier version stay as they are, a migration makes them anew.

        Args:
            entities: Ids of the entities.

        Returns:
            How many documents were changed.
        """
        changed = 0
        for batch in batches(entities):
            with self._transaction():
                changed += self._rename(batch)
        return changed

    def confirm_names(self, tables: Sequence[Mapping[str, Any]]) -> None:
        """Remember that all entities follow some naming rules.

        Args:
            tables: The rules as the settings had them before the first was renamed.
        """
        digest = naming_digest(tables)
        self._change_settings(lambda known: replace(known, named_by=digest))

    def _change_settings(
        self, change: Callable[[StoreSettings], StoreSettings]
    ) -> StoreSettings:
        while True:
            with self._transaction():
                stored = self.read(f.SETTINGS, [SETTINGS_ID])
                known = settings_of(stored[0] if stored else {})
                changed = change(known)
                naming_rules(changed.naming_rules)
                document = settings_document(changed)
                check(f.SETTINGS, [document])
                if not stored:
                    is_done = self._insert(f.SETTINGS, [document]) == 1
                elif document == stored[0]:
                    is_done = True
                else:
                    is_done = self._replace(f.SETTINGS, [(stored[0], document)]) == 1
            if is_done:
                self._settings = None
                return changed

    def is_outdated(self) -> bool:
        """Say whether documents that an earlier version of provdb wrote are there."""
        return any(self.outdated(name, limit=1) for name in CURRENT_VERSIONS)

    @abstractmethod
    def outdated(self, collection: str, *, limit: int) -> list[Document]:
        """Return some documents that an earlier version of provdb wrote, in no order.

        Args:
            collection: One of `provdb.model.CURRENT_VERSIONS`.
            limit: How many to return at most.
        """

    @abstractmethod
    def outdated_count(self, collection: str) -> int:
        """Return how many documents an earlier version of provdb wrote."""

    def replace_outdated(
        self,
        collection: str,
        upgrade: Callable[[Sequence[Document]], Sequence[Document]],
    ) -> int:
        """Replace some outdated documents, and return how many.

        One that another process changed meanwhile is left as it is.

        Args:
            collection: One of `provdb.model.CURRENT_VERSIONS`.
            upgrade: Returns the new documents, in the order of the old ones.
        """
        with self._transaction():
            documents = self.outdated(collection, limit=BATCH)
            changes = list(zip(documents, upgrade(documents), strict=True))
            return self._replace(collection, changes) if changes else 0

    def entities(self, ids: Iterable[str]) -> Iterator[Document]:
        """Yield the entities that have these ids, in no order.

        They hold what a lineage shows and follows at least.
        """
        yield from self.read(f.ENTITIES, ids)

    @abstractmethod
    def generations(
        self, entities: Iterable[str], *, known: Collection[str] = ()
    ) -> Iterator[Document]:
        """Yield the activities that generated any of these entities.

        They hold their names, sessions, times and links at least.

        Args:
            entities: Ids of the entities.
            known: Ids of activities that generated some of them; these may be left
                out.
        """

    @abstractmethod
    def usages(self, entities: Iterable[str]) -> Iterator[Document]:
        """Yield the activities that used any of these entities.

        They hold their names, sessions, times and links at least.
        """

    @abstractmethod
    def removals(self, entities: Iterable[str]) -> Iterator[Document]:
        """Yield the activities that removed any of these entities, as moves do.

        They hold their names, sessions, times and links at least.
        """

    @abstractmethod
    def descendants(self, entities: Iterable[str]) -> list[Document]:
        """Return the entities derived from these, and the collections with them."""

    @abstractmethod
    def named(
        self, file_names: Iterable[str], *, known: Collection[str] = ()
    ) -> list[Document]:
        """Return the entities whose file has one of these names, in any folder.

        Args:
            file_names: The names.
            known: Ids of entities that have one of them; these may be left out.
        """

    def has_any(self, collection: str, field: str) -> bool:
        """Say whether any document has a text in an indexed field."""
        return self.smallest(collection, field, low="", beyond="\U0010ffff") is not None

    @abstractmethod
    def known_as(self, names: Iterable[str]) -> list[Document]:
        """Return the entities that have one of these as another id or name.

        Args:
            names: Ids of canonical locations (``same_as``), and canonical other names
                (``aliases``), as `provdb.model.locations` gives them.
        """

    @abstractmethod
    def file_names(self) -> Iterator[str]:
        """Yield the different names of files, in order."""

    @abstractmethod
    def session_tags(self) -> Iterator[str]:
        """Yield the different tags of activities, in order."""

    @abstractmethod
    def tagged(self, session_tags: Iterable[str]) -> list[Document]:
        """Return the activities that have one of these tags, in no order."""

    @abstractmethod
    def copies(self) -> Iterator[Document]:
        """Yield every file document without its content, in the order of their ids."""

    @abstractmethod
    def copy_uses(self, digests: Iterable[str]) -> dict[str, int]:
        """Return how many activities used a copy, by the digest of its content.

        A copy that none used is not in it.
        """

    def at_once(self, *questions: Callable[[], Any]) -> list[Any]:
        """Return what questions to this store answer, asked at once if it can."""
        return [question() for question in questions]

    @abstractmethod
    def starting(self, collection: str, prefix: str, *, limit: int) -> list[Document]:
        """Return up to *limit* documents whose id starts so, in order of the ids."""

    @abstractmethod
    def smallest(
        self, collection: str, field: str, *, low: Any, beyond: Any
    ) -> Any | None:
        """Return the smallest value of an indexed field in a span; None without one.

        Args:
            collection: The collection.
            field: A field that an index starts with.
            low: The least that it may be, a text or a whole number.
            beyond: What it must be less than.
        """

    @abstractmethod
    def sample(
        self, collection: str, *, size: int, filter_: Filter | None = None
    ) -> list[Document]:
        """Return some documents of a collection, all of them where there are few.

        Args:
            collection: The collection.
            size: How many to return at most.
            filter_: What they match, which an index must find; any unless told.
        """

    @abstractmethod
    def first(
        self,
        collection: str,
        field: str,
        values: Sequence[str],
        *,
        limit: int,
        fields: Collection[str] = (),
    ) -> list[list[Document]]:
        """Return the first documents with each value, in the order of their ids.

        Args:
            collection: The collection.
            field: A field that an index starts with, and the id follows in it.
            values: The values, each once.
            limit: How many to return at most of one value.
            fields: The fields that are needed, with all below them; none for all.
        """

    @abstractmethod
    def document_count(self, collection: str) -> int:
        """Return how many documents a collection has, without reading them."""

    @abstractmethod
    def within(self, seconds: float | None) -> AbstractContextManager[None]:
        """Let all that is asked in the block end after some time, here and there.

        What takes longer raises `StoreUnavailable`.

        Args:
            seconds: The time from now on, or None for any.
        """

    @abstractmethod
    def collection(self, name: str) -> Any:
        """Return a collection to aggregate: of a server as its driver has it.

        Raises:
            QueryError: A store has no collection of that name.
        """

    @abstractmethod
    def find(
        self, collection: str, filter_: Filter, *, fields: Collection[str] = ()
    ) -> Iterator[Document]:
        """Yield the documents that match a filter of MongoDB, in no order.

        Args:
            collection: The collection.
            filter_: A filter of the operators that `provdb.store.evaluate` has.
            fields: The fields that are needed, with all below them; none for all.
        """

    @abstractmethod
    def aggregate(self, collection: str, pipeline: Pipeline) -> Iterator[Document]:
        """Yield what a pipeline of one ``$match`` and one ``$group`` gives.

        Args:
            collection: The collection.
            pipeline: With a group as `provdb.store.evaluate.tally` takes it.
        """

    @abstractmethod
    def run_pipeline(self, collection: str, pipeline: Pipeline) -> Iterator[Document]:
        """Yield what any pipeline gives.

        Raises:
            QueryError: The pipeline is wrong, or the store cannot run it.
        """

    @abstractmethod
    def indexes_for(self, collection: str, filter_: Filter) -> list[str]:
        """Return the names of the indexes that find what matches; none for a scan."""

    @abstractmethod
    def stats(self) -> list[CollectionStats]:
        """Return how large each collection is."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections."""

    def _abandon(self) -> None:
        """Let go at once, also of what has not been answered."""
        self.close()

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[None]:
        """Make all writes inside one, where the store can."""

    @abstractmethod
    def _confirm(self) -> None:
        """Return when all that was read is as safe as what is written."""

    @abstractmethod
    def _insert(self, collection: str, documents: Sequence[Document]) -> int:
        """Insert documents, and return how many; one whose id is there is left out."""

    @abstractmethod
    def _replace(
        self, collection: str, changes: Sequence[tuple[Document, Document]]
    ) -> int:
        """Replace documents that are still as they were read, and return how many."""

    @abstractmethod
    def _delete(self, collection: str, documents: Sequence[Document]) -> None:
        """Delete documents that are still as they were read."""

    @abstractmethod
    def _clear(self, collection: str) -> None:
        """Delete all documents of a collection."""

    @abstractmethod
    def _with_activity_id(
        self, activity_id: str, session_tag: str | None
    ) -> list[Document]:
        """Return the activities of a tag that have this id in their own system."""

    @abstractmethod
    def _with_activity_id_of_any_tag(self, activity_id: str) -> list[Document]:
        """Return the activities that have this id in their own system."""

    @abstractmethod
    def _without_environment(
        self, session_tags: Iterable[str | None]
    ) -> list[Document]:
        """Return the activities of tags that no session was attached to."""

    @abstractmethod
    def _of_session(self, session_tag: str | None, session_id: str) -> list[Document]:
        """Return the activities of a session; no tag and an empty one are the same."""

    def _join(
        self,
        collection: str,
        documents: Iterable[Document],
        *,
        on_joined: Callable[[Iterable[Document]], None] | None,
    ) -> WriteCounts:
        counts = WriteCounts()
        for batch in batches(documents):
            counts += self._join_batch(collection, batch, on_joined=on_joined)
        return counts

    def _join_batch(
        self,
        collection: str,
        documents: Sequence[Document],
        *,
        on_joined: Callable[[Iterable[Document]], None] | None,
    ) -> WriteCounts:
        counts = WriteCounts()
        pending = documents
        while pending:
            # Another process may write the same documents at the same time: what it
            # was quicker with is read and joined again.
            stored = {
                document[f.ID]: document
                for document in self.read(collection, [d[f.ID] for d in pending])
            }
            new = [document for document in pending if document[f.ID] not in stored]
            changes = [
                (known, joined)
                for document in pending
                if (known := stored.get(document[f.ID])) is not None
                and known != document
                and (joined := self._merged(collection, known, document)) != known
            ]
            inserted = self._insert(collection, new) if new else 0
            replaced = self._replace(collection, changes) if changes else 0
            counts += WriteCounts(added=inserted, changed=replaced)
            if on_joined is not None:
                joined_now = {joined[f.ID]: joined for _, joined in changes}
                on_joined([*new, *(stored | joined_now).values()])
            contested = set()
            if inserted < len(new):
                contested |= {document[f.ID] for document in new}
            if replaced < len(changes):
                contested |= {joined[f.ID] for _, joined in changes}
            pending = [document for document in pending if document[f.ID] in contested]
        unchanged = max(0, len(documents) - counts.added - counts.changed)
        return counts + WriteCounts(unchanged=unchanged)

    def _merged(
        self, collection: str, stored: Document, arriving: Document
    ) -> Document:
        joined = merge(collection, stored, arriving, zone=self.zone)
        return self._named([joined])[0] if collection == f.ENTITIES else joined

    def _named(self, entities: Sequence[Document]) -> Sequence[Document]:
        """Return entities with what their names say by the rules of the store."""
        naming = self.naming()
        if naming is NAMING_RULES:
            return entities  # As whoever made them read their names.
        return [with_names(entity, naming) for entity in entities]

    def _rename_unless(self, naming: NamingRules, entities: Iterable[str]) -> None:
        """Rename entities that were written, if the naming rules are others by now.

        Who changes the rules renames all entities that are stored by then; who writes
        meanwhile looks at the rules once more when the entities are stored.
        """
        self._settings = None
        if self.naming() is not naming:
            for batch in batches(entities):
                self._rename(batch)

    def _rename(self, entities: Collection[str]) -> int:
        version, changed = CURRENT_VERSIONS[f.ENTITIES], 0
        while True:
            naming = self.naming()
            changes = [
                (entity, renamed)
                for entity in self.read(f.ENTITIES, entities)
                if entity[f.SCHEMA_VERSION] >= version
                and (renamed := with_names(entity, naming)) != entity
            ]
            replaced = self._replace(f.ENTITIES, changes) if changes else 0
            changed += replaced
            self._settings = None
            if replaced == len(changes) and self.naming() is naming:
                return changed

    def _bring_together(
        self,
        activities: Iterable[Document],
        sessions: Iterable[Document],
        *,
        contested: Mapping[str, Collection[str | None]],
    ) -> None:
        """Join statements with the start that they wait for, and with their session.

        Whoever writes last sees what the other wrote, so both look.

        Args:
            activities: The activities that were written.
            sessions: The sessions that were written.
            contested: The contested starts of these sessions, as they are stored.
        """
        written, sessions = list(activities), list(sessions)
        started = [activity for activity in written if not is_waiting(activity)]
        places = {activity[f.ID] for activity in written if is_waiting(activity)}
        places |= {key for activity in started for key in waiting_keys(activity)}
        for batch in batches(sorted(places)):
            # As they are stored: another process may have added statements to them.
            for statements in self.read(f.ACTIVITIES, batch):
                if is_waiting(statements):
                    self._end_waiting(statements)
        tags = {session[f.SESSION_TAG] for session in sessions}
        tags |= {a[f.SESSION_TAG] for a in started if f.ENVIRONMENT not in a}
        if not tags.isdisjoint((None, "")):
            tags |= {None, ""}  # Their sessions are the same.
        for batch in batches(self._without_environment(tags)):
            self._attach_sessions(batch)
        for session in sessions:
            if told_twice := contested[session[f.ID]]:
                starts = {execution_start(entry) for entry in session[f.EXECUTIONS]}
                self._attach_again(session, starts.intersection(told_twice))
        self._attach_copied(
            [
                a
                for a in started
                if f.ENVIRONMENT in a and _session_of(a) not in contested
            ]
        )

    def _end_waiting(self, statements: Document) -> None:
        while starts := self._starts_for(statements):
            latest = max(starts, key=_order_of_start)
            joined = merge(f.ACTIVITIES, latest, statements, zone=self.zone)
            if joined == latest or self._replace(f.ACTIVITIES, [(latest, joined)]):
                self._delete(f.ACTIVITIES, [statements])
                return

    def _starts_for(self, statements: Document) -> list[Document]:
        source_id, tag = statements[f.ACTIVITY_ID], statements[f.SESSION_TAG]
        known = self._with_activity_id(source_id, tag)
        if tag is None and all(is_waiting(activity) for activity in known):
            known = self._with_activity_id_of_any_tag(source_id)
        return [activity for activity in known if not is_waiting(activity)]

    def _attach_again(self, session: Document, starts: Collection[str | None]) -> None:
        """Attach a session to its activities of contested starts, as it is now."""
        if not starts:
            return
        known = self._of_session(session[f.SESSION_TAG], session[f.SESSION_ID])
        for batch in batches(a for a in known if execution_start(a) in starts):
            self._attach_sessions(batch)

    def _attach_copied(self, activities: Iterable[Document]) -> None:
        """Attach their sessions to activities that were written without them.

        What they bring may be from a store that knew less of their sessions.
        """
        for batch in batches(activities):
            keys = {_session_of(activity) for activity in batch}
            contested = {
                session[f.ID]: contested_starts(session)
                for session in self.read(f.SESSIONS, keys)
            }
            ids = [
                activity[f.ID]
                for activity in batch
                if execution_start(activity) in contested.get(_session_of(activity), ())
            ]
            if ids:
                self._attach_sessions(self.read(f.ACTIVITIES, ids))

    def _attach_sessions(self, activities: Sequence[Document]) -> None:
        while activities:
            keys = {_session_of(activity) for activity in activities}
            attached = attach_sessions(activities, self.read(f.SESSIONS, keys))
            changes = [
                (activity, with_session)
                for activity, with_session in zip(activities, attached, strict=True)
                if with_session != activity
            ]
            if not changes or self._replace(f.ACTIVITIES, changes) == len(changes):
                break
            ids = [activity[f.ID] for activity, _ in changes]
            activities = self.read(f.ACTIVITIES, ids)


def batches(items: Iterable[_Item], size: int = BATCH) -> Iterator[list[_Item]]:
    """Yield items in lists of a size that one message holds.

    >>> list(batches("abc", 2))
    [['a', 'b'], ['c']]
    """
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _session_of(activity: Document) -> str:
    return session_key(activity[f.SESSION_TAG], activity[f.SESSION_ID])


def _order_of_start(activity: Document) -> tuple[datetime, str]:
    return activity.get(f.START) or _EARLIEST, activity[f.ID]
