"""Fold records into documents, and unfold documents into records.

Records of parallel processes come interleaved, repeated and in any order. `Folder`
takes them one by one and gives the documents that they make; `merge` joins two
documents of one id, from two deliveries. Both are pure: the same set of records
gives the same documents, however it is cut into pieces.
"""

import marshal
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, Final

from provdb.errors import RecordError
from provdb.model import fields as f
from provdb.model.activity import (
    ATTACHED,
    activity_document,
    activity_records,
    attach_execution,
    merge_recorded,
    start_text,
)
from provdb.model.entity import (
    differ_in_tags_only,
    entity_document,
    entity_records,
    with_tags_of,
)
from provdb.model.file import (
    FileRecord,
    file_document,
    file_records,
    name_records,
    split_content,
    with_content,
    without_activity,
)
from provdb.model.ids import activity_key, session_key
from provdb.model.reading import merge_readings
from provdb.model.records import (
    Kind,
    Record,
    distinct,
    identifier,
    kind_of,
    record_text,
    text,
)
from provdb.model.session import (
    SessionRecord,
    environment_document,
    session_document,
    session_records,
    split_system,
    with_environment,
)
from provdb.model.times import format_time

__all__ = [
    "Document",
    "Documents",
    "Folder",
    "attach_sessions",
    "contested_starts",
    "execution_start",
    "fold",
    "merge",
    "unfold",
]

Document = dict[str, Any]
Documents = dict[str, list[Document]]


def fold(records: Iterable[Record], *, zone: tzinfo = UTC) -> Documents:
    """Return the documents that records make, by collection.

    Raises:
        RecordError: A record holds a value that cannot be stored.

    >>> folded = fold([{"activity_id": "621ca2", "name": "r0_to_dl1",
    ...     "startTime": "2020-05-18T14:18:06", "session_tag": "r0_to_dl1:01618"}])
    >>> [(a["name"], a["run"], a["status"]) for a in folded["activities"]]
    [('r0_to_dl1', 1618, 'running')]
    """
    folder = Folder(zone=zone)
    for record in records:
        folder.add(record)
    return folder.take()


def unfold(documents: Mapping[str, Iterable[Document]]) -> Iterator[Record]:
    """Yield the records that documents were made from, each once, in no order.

    >>> record = {"entity_id": "446f45", "name": "R0SubrunDataset"}
    >>> list(unfold(fold([record, record])))
    [{'entity_id': '446f45', 'name': 'R0SubrunDataset'}]
    """
    environments = {
        document[f.ID]: document for document in documents.get(f.ENVIRONMENTS, ())
    }
    for document in documents.get(f.SESSIONS, ()):
        sessions, others = session_records(document)
        yield from (with_environment(session, environments) for session in sessions)
        yield from others
    for document in documents.get(f.ENTITIES, ()):
        yield from entity_records(document)
    files = {document[f.ID]: document for document in documents.get(f.FILES, ())}
    for document in documents.get(f.ACTIVITIES, ()):
        records = activity_records(document)
        if f.COPIES in document:
            records = [
                with_content(record, files) if kind_of(record) is Kind.FILE else record
                for record in records
            ]
        yield from records
    for document in files.values():
        yield from (with_content(record, files) for record in file_records(document))


def merge(
    collection: str, stored: Document, arriving: Document, *, zone: tzinfo
) -> Document:
    """Return the document that the records of both documents make together.

    Args:
        collection: The collection that both belong to.
        stored: One document.
        arriving: Another one about the same thing.
        zone: Zone of times that name none.
    """
    return _MERGE[collection](stored, arriving, zone)


def attach_sessions(
    activities: Iterable[Document], sessions: Iterable[Document]
) -> Iterator[Document]:
    """Yield each activity document with what its session says of its execution.

    An activity of provdb's own capture names the start of its session's execution. An
    activity of lstosa has that very start, for lstosa writes a session for every
    activity. Where there is no such entry the document stays as it is; where there
    are several it is the first of those that have an environment, without the node
    and the arguments in which they differ: nobody can tell whose these are.
    """
    entries: dict[tuple[str, str | None], Document] = {}
    for session in sessions:
        for entry in sorted(session[f.EXECUTIONS], key=_lacks_environment):
            place = session[f.ID], execution_start(entry)
            known = entries.setdefault(place, entry)
            differing = [
                name
                for name in (f.NODE, f.ARGUMENTS)
                if name in known and known[name] != entry.get(name, known[name])
            ]
            if differing:
                entries[place] = {n: known[n] for n in known if n not in differing}
    for activity in activities:
        key = session_key(activity[f.SESSION_TAG], activity[f.SESSION_ID])
        entry = entries.get((key, execution_start(activity)))
        yield activity if entry is None else attach_execution(activity, entry)


def contested_starts(session: Document) -> set[str | None]:
    """Return the starts of a session of which its executions say different things.

    What an activity with such a start takes from its session may change when the
    session learns of one more execution.
    """
    told: dict[str | None, list[Any]] = {}
    contested: set[str | None] = set()
    for entry in session[f.EXECUTIONS]:
        start = execution_start(entry)
        said = [entry.get(name) for name in ATTACHED]
        if told.setdefault(start, said) != said:
            contested.add(start)
    return contested


def execution_start(part: Document) -> str | None:
    """Return the start, as it was written, of an execution of a session.

    Args:
        part: The entry of that execution, or the document of an activity in it.
    """
    if f.SESSION_START in part:
        return str(part[f.SESSION_START])
    written = part.get(f.WRITTEN, {}).get("startTime")
    if written is None and f.START in part:
        return format_time(part[f.START])
    return None if written is None else str(written)


class Folder:
    """Take records one by one, and give the documents that they make.

    A record belongs to the latest execution of its ``activity_id`` and its
    ``session_tag`` that was seen before it, else to the first one that follows. What
    finds no start at all is kept in a document that waits for it.
    """

    def __init__(self, *, zone: tzinfo = UTC) -> None:
        """Start with nothing; naive times are read in *zone*."""
        self._zone = zone
        self._activities: dict[str, _Activity] = {}
        self._latest: dict[tuple[str | None, str], _Activity] = {}
        self._waiting: dict[tuple[str | None, str], _Activity] = {}
        self._entities: dict[str, dict[bytes, Record]] = {}
        self._sessions: dict[str, _Session] = {}
        self._environments: dict[str, Document] = {}
        self._files: dict[str, _File] = {}
        self._blocks: dict[bytes, Document] = {}
        self._told_sessions: dict[str, Document] = {}

    def add(self, record: Record, *, source: str | None = None, place: int = 0) -> None:
        """Take one record.

        Args:
            record: The record.
            source: The log or the spool that holds it, if its records are in order.
            place: Its place there; only places of one source are compared.

        Raises:
            RecordError: The record holds a value that cannot be stored; nothing of
                it was taken.
        """
        kind = kind_of(record)
        if kind is Kind.SESSION:
            self._add_session(record)
            return
        if kind is Kind.FILE:
            if record.get("activity_id") is None:
                self._add_file(*split_content(record))
                return
            bare, content = split_content(record)
            named, record = without_activity(bare)
        key = record_text(record)
        if kind is Kind.OTHER:
            tag = text(record.get("session_tag"))
            self._session(tag, None).others[key] = record
            return
        is_of_activity = record.get("activity_id") is not None
        name = "activity_id" if is_of_activity else "entity_id"
        source_id = identifier(record[name])
        if source_id is None:
            raise RecordError(f"the {name} is neither a text nor an integer")
        if kind is Kind.FILE:
            self._add_file(named, content)
        if not is_of_activity:
            self._entities.setdefault(source_id, {})[key] = record
            return
        tag = text(record.get("session_tag"))
        if kind is Kind.RECORDED:
            self._activity_of(tag, source_id).take_places(record["recorded"])
            return
        add = self._add_start if kind is Kind.START else self._add_statement
        activity = add(key, record, tag=tag, source_id=source_id)
        if source is not None and kind in _PLACED:
            activity.add_place(kind, source, place)

    def take(self) -> Documents:
        """Return the documents of the records so far, and forget those records.

        Which executions and sessions there were is remembered, for records that
        follow.
        """
        sessions = [
            session_document(session.sessions, session.others, zone=self._zone)
            for session in self._sessions.values()
        ]
        activities = [
            activity_document(
                activity.records,
                session_tag=activity.session_tag,
                zone=self._zone,
                recorded=activity.recorded.values(),
                activity_id=activity.source_id,
            )
            for activity in self._activities.values()
        ]
        documents = {
            f.ENVIRONMENTS: list(self._environments.values()),
            f.ENTITIES: [
                entity_document(records, zone=self._zone)
                for records in self._entities.values()
            ],
            f.SESSIONS: sessions,
            f.ACTIVITIES: list(
                attach_sessions(activities, [*sessions, *self._told_sessions.values()])
            ),
            f.FILES: [
                file_document(file.records, content=file.content, zone=self._zone)
                for file in self._files.values()
            ],
        }
        self._told_sessions |= {session[f.ID]: session for session in sessions}
        for activity in self._activities.values():
            activity.records = dict(activity.start)
            activity.recorded = {}
        self._activities = {}
        self._waiting = {}
        self._entities = {}
        self._sessions = {}
        self._environments = {}
        self._files = {}
        self._blocks = {}
        return documents

    def _add_start(
        self, key: bytes, record: Record, *, tag: str | None, source_id: str
    ) -> "_Activity":
        session_id = identifier(record.get("in_session"))
        id_ = activity_key(tag, session_id, source_id, start_text(record))
        activity = self._activities.get(id_) or _Activity(
            id=id_, session_tag=tag, source_id=source_id
        )
        activity.start[key] = record
        activity.records[key] = record
        for place in ((tag, source_id), (None, source_id)):
            self._latest[place] = activity
            waiting = self._waiting.pop(place, None)
            if waiting is not None:
                del self._activities[waiting.id]
                activity.records |= waiting.records
                activity.take_places(waiting.recorded.values())
        self._activities[id_] = activity
        return activity

    def _add_statement(
        self, key: bytes, record: Record, *, tag: str | None, source_id: str
    ) -> "_Activity":
        activity = self._activity_of(tag, source_id)
        activity.records[key] = record
        return activity

    def _activity_of(self, tag: str | None, source_id: str) -> "_Activity":
        """Return the activity that a statement belongs to, or one that waits."""
        place = (tag, source_id)
        activity = self._latest.get(place) or self._waiting.get(place)
        if activity is None:
            id_ = activity_key(tag, None, source_id, None)
            activity = self._waiting[place] = _Activity(
                id=id_, session_tag=tag, source_id=source_id
            )
        self._activities[activity.id] = activity
        return activity

    def _add_session(self, record: Record) -> None:
        tag = text(record.get("session_tag"))
        session_id = identifier(record.get("session_id"))
        if session_id is None:
            raise RecordError("the session_id is neither a text nor an integer")
        system = record.get("system")
        if not isinstance(system, dict):
            session = SessionRecord(record=record, environment=None, process={})
            key = session.key()
        else:
            block, process = split_system(system)
            bare = {name: record[name] for name in record if name != "system"}
            environment = self._environment(block)
            digest = environment[f.ID]
            session = SessionRecord(
                record=bare,
                environment=digest,
                process=process,
                node=environment[f.NODE],
            )
            key = session.key()
            self._environments[digest] = environment
        self._session(tag, session_id).sessions[key] = session

    def _add_file(self, bare: FileRecord, content: str | None) -> None:
        key = bare.key()
        file = self._files.setdefault(bare.record["file_id"], _File())
        file.records[key] = bare
        file.content = content if file.content is None else file.content

    def _session(self, tag: str | None, session_id: str | None) -> "_Session":
        return self._sessions.setdefault(session_key(tag, session_id), _Session())

    def _environment(self, block: Record) -> Document:
        # The block is the same in hundreds of records, and costs more to encode
        # than all else in them.
        try:
            content = marshal.dumps(block, 2)
        except ValueError as error:
            raise RecordError("the system block is no literal") from error
        document = self._blocks.get(content)
        if document is None:
            document = self._blocks[content] = environment_document(block)
        return document


@dataclass(slots=True, kw_only=True)
class _Activity:
    """The records about one execution, and which of them state its start."""

    id: str
    session_tag: str | None
    source_id: str
    records: dict[bytes, Record] = field(default_factory=dict)
    start: dict[bytes, Record] = field(default_factory=dict)
    recorded: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add_place(self, kind: Kind, source: str, place: int) -> None:
        """Take in where a record of its start or its end stands in a source."""
        entry = self.recorded.setdefault(source, {f.SOURCE: source})
        name = _PLACED[kind]
        entry[name] = min(place, entry.get(name, place))

    def take_places(self, entries: Iterable[Document]) -> None:
        """Take in places of its records, as entries of ``recorded`` say them."""
        both = [*self.recorded.values(), *entries]
        self.recorded = {entry[f.SOURCE]: entry for entry in merge_recorded(both)}


@dataclass(slots=True, kw_only=True)
class _Session:
    """The records of one session."""

    sessions: dict[bytes, SessionRecord] = field(default_factory=dict)
    others: dict[bytes, Record] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _File:
    """The records of one content, and the content if one of them has it."""

    records: dict[bytes, FileRecord] = field(default_factory=dict)
    content: str | None = None


def _merge_environments(stored: Document, arriving: Document, zone: tzinfo) -> Document:
    return stored  # Its id is a digest of its content.


def _merge_entities(stored: Document, arriving: Document, zone: tzinfo) -> Document:
    if differ_in_tags_only(stored, arriving):
        # As thousands of runs do of one model: its records would be as many.
        return with_tags_of(stored, arriving)
    records = entity_records(stored) + entity_records(arriving)
    return entity_document(distinct(records), zone=zone)


def _merge_sessions(stored: Document, arriving: Document, zone: tzinfo) -> Document:
    sessions, others = session_records(stored)
    more_sessions, more_others = session_records(arriving)
    return session_document(
        {session.key(): session for session in sessions + more_sessions},
        distinct(others + more_others),
        zone=zone,
    )


def _merge_activities(stored: Document, arriving: Document, zone: tzinfo) -> Document:
    records = activity_records(stored) + activity_records(arriving)
    merged = activity_document(
        distinct(records),
        session_tag=stored[f.SESSION_TAG],
        zone=zone,
        recorded=[*stored.get(f.RECORDED, ()), *arriving.get(f.RECORDED, ())],
        activity_id=stored[f.ACTIVITY_ID],
    )
    return attach_execution(merged, {**arriving, **stored})


def _merge_files(stored: Document, arriving: Document, zone: tzinfo) -> Document:
    records = name_records(stored) + name_records(arriving)
    return file_document(
        {record.key(): record for record in records},
        content=stored.get(f.CONTENT, arriving.get(f.CONTENT)),
        zone=zone,
    )


def _merge_readings(stored: Document, arriving: Document, zone: tzinfo) -> Document:
    return merge_readings(stored, arriving)


# The records whose places are kept, and the names of these.
_PLACED: Final = {Kind.START: f.START, Kind.END: f.END}
_MERGE: Final = {
    f.ENVIRONMENTS: _merge_environments,
    f.ENTITIES: _merge_entities,
    f.SESSIONS: _merge_sessions,
    f.ACTIVITIES: _merge_activities,
    f.FILES: _merge_files,
    f.READINGS: _merge_readings,
}


def _lacks_environment(execution: Document) -> bool:
    return f.ENVIRONMENT not in execution
