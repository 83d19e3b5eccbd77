"""The store on a MongoDB server; the only file that imports pymongo.

Ids are computed, so a write can be told again: a document that is there is read,
joined and replaced only if it is still what was read. Every write waits until the
majority of the members has it in the journal.
"""

import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import copy_context
from datetime import UTC, tzinfo
from functools import cached_property, partial
from threading import Thread
from typing import Any, Final

import pymongo
from bson.errors import BSONError
from bson.min_key import MinKey
from pymongo import MongoClient, ReplaceOne, UpdateOne
from pymongo.collection import Collection as MongoCollection
from pymongo.cursor import CursorType
from pymongo.errors import (
    BulkWriteError,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from provdb.config import mask_uri
from provdb.errors import QueryError, RecordError, StoreUnavailable
from provdb.model import CURRENT_VERSIONS, Document, is_plain_text
from provdb.model import fields as f
from provdb.model.entity import DESCRIPTION, differ_in_tags_only
from provdb.store.base import TOO_LATE, Store, batches
from provdb.store.collection import known_collection
from provdb.store.counts import CollectionStats
from provdb.store.evaluate import Filter, Pipeline
from provdb.store.indexes import INDEXES
from provdb.store.validators import load_schema, server_schema

__all__ = ["MongoStore"]

_DATABASE: Final = "provdb"
_PATIENCE_MS: Final = 5000
_SHORT_PATIENCE_MS: Final = 3000
# Ids asked for, and documents sent back, in one message.
_IDS: Final = 10_000
_DOCUMENTS: Final = 2000
# Fewer of those that are let go one after another: a processor's cache holds them.
_STREAMED: Final = 500
# Ids in one message that asks only how many there are; it may have 16 MiB.
_COUNTED_IDS: Final = 200_000
# From here on one question more costs less than documents that are known.
_MANY: Final = 200
_DUPLICATE_KEY: Final = 11000
_NAMESPACE_EXISTS: Final = 48
_INDEX_BUILD: Final = 12587
_OTHER_OPTIONS: Final = (85, 86)
_MAY_NOT: Final = 13
_UNAUTHORISED: Final = (_MAY_NOT, 18)
# Codes of what is wrong with one document, and not with the server: it is nested too
# deeply, invalid, too large, too large for an index, too large after a change.
_OF_A_DOCUMENT: Final = (15, 121, 10334, 17280, 17419, 17420)
# Codes of what is wrong with a pipeline: a bad value, what cannot be parsed, a wrong
# type, no such operator; and, from a number on, what its expressions say.
_OF_A_PIPELINE: Final = (2, 9, 14, 168)
_OF_AN_EXPRESSION: Final = 15_000
_WRONG_URI: Final = (
    "the URI is wrong; check the host and the port, "
    "and write / ? # @ : % in a password as %2F %3F %23 %40 %3A %25"
)
_WRONG_OPTION: Final = (
    "an option of the URI is unknown or has a wrong value; check what follows the ?"
)

# What a walk needs of an activity; parameters and arguments stay on the server.
_STEP: Final = dict.fromkeys(
    (
        f.NAME,
        f.SESSION_TAG,
        f.SESSION_ID,
        f.STATUS,
        f.START,
        f.END,
        f.RUN,
        f.SUBRUN,
        f.GRANULARITY,
        f.USED,
        f.GENERATED,
        f.INVALIDATED,
        f.START_MICROSECONDS,
        f.END_MICROSECONDS,
        f.START_AMBIGUOUS,
        f.END_AMBIGUOUS,
        f.RECORDED,
        f.NODE,
        f.STARTED_BY,
        f.DRY_RUN,
        f.ACTIVITY_ID,
    ),
    1,
)
# And of an entity; the tags of a file that many sessions used stay there too.
_FACTS: Final = dict.fromkeys(
    (
        f.NAME,
        f.LOCATION,
        f.FILE_NAME,
        f.TYPE,
        f.LEVEL,
        f.RUN,
        f.SUBRUN,
        f.SIMULATION_RUN,
        f.TELESCOPE,
        f.STREAM,
        f.PARTICLE,
        f.DATE,
        f.DATA_KIND,
        f.HASH,
        f.FIXED,
        f.DERIVED_FROM,
        f.MEMBERS,
        f.SAME_AS,
        f.ALIASES,
        f.REAL_PATH,
    ),
    1,
)


class MongoStore(Store):
    """Documents in one database of a MongoDB server."""

    def __init__(
        self,
        uri: str,
        *,
        zone: tzinfo = UTC,
        timeout_seconds: float | None = None,
        is_eager: bool = False,
    ) -> None:
        """Name the server; it is asked when something is first needed of it.

        Args:
            uri: ``mongodb://`` or ``mongodb+srv://`` URI; its database is provdb
                where it names none.
            zone: Zone in which times that name none are read.
            timeout_seconds: How long one answer may take, or None for as long as
                the URI allows.
            is_eager: Whether to connect at once, in threads beside.

        Raises:
            StoreUnavailable: The URI cannot be read.
        """
        self.uri = mask_uri(uri)
        self.zone = zone
        self._is_ready = False
        self._may_bypass = True
        self._cursor_type = CursorType.EXHAUST
        options: dict[str, Any] = {"w": "majority", "journal": True, "tz_aware": True}
        if "serverselectiontimeoutms" not in uri.lower():
            is_bounded = timeout_seconds is not None
            patience = _SHORT_PATIENCE_MS if is_bounded else _PATIENCE_MS
            options["serverSelectionTimeoutMS"] = patience
        if timeout_seconds is not None and "timeoutms" not in uri.lower():
            options["timeoutMS"] = round(timeout_seconds * 1000)
        try:
            with warnings.catch_warnings():
                # The driver goes on without an option that it does not understand.
                warnings.simplefilter("error", UserWarning)
                self._client: MongoClient[Document] = MongoClient(
                    uri, connect=is_eager, appname="provdb", **options
                )
            self._database = self._client.get_default_database(_DATABASE)
        except UserWarning as warning:
            reason = _WRONG_OPTION
            if self.uri == uri:
                reason = f"an option of the URI is wrong: {str(warning).rstrip('.')}"
            raise StoreUnavailable(self.uri, reason) from None
        except (PyMongoError, ValueError) as error:
            if self.uri == uri:
                raise StoreUnavailable(uri, f"the URI is wrong: {error}") from error
            # The driver quotes what it cannot read, so a part of the password.
            raise StoreUnavailable(self.uri, _WRONG_URI) from None

    def initialise(self) -> None:
        """Make collections, indexes and validators where they are missing."""
        with self._errors():
            existing = set(self._database.list_collection_names())
            for name in f.STORED:
                validation: dict[str, Any] = {
                    "validator": {"$jsonSchema": server_schema(load_schema(name))},
                    # A slip in a schema must not cost anybody's provenance.
                    "validationAction": "warn",
                    "validationLevel": "moderate",
                }
                if name in existing:
                    self._modify(name, **validation)
                else:
                    self._create(name, **validation)
            self._create_indexes()
        self._is_ready = True

    def read(self, collection: str, ids: Iterable[str]) -> list[Document]:
        """Return the documents that have these ids, in no order."""
        return list(self._find(collection, f.ID, ids))

    def scan(self, collection: str) -> Iterator[Document]:
        """Yield every document of a collection, in the order of their ids."""
        with self._errors():
            yield from self._database[collection].find(sort=[(f.ID, 1)])

    def entities(self, ids: Iterable[str]) -> Iterator[Document]:
        """Yield the entities that have these ids, in no order."""
        return self._find(f.ENTITIES, f.ID, ids, projection=_FACTS)

    def generations(
        self, entities: Iterable[str], *, known: Collection[str] = ()
    ) -> Iterator[Document]:
        """Yield the activities that generated any of these entities."""
        field = f"{f.GENERATED}.{f.ENTITY}"
        return self._find_new(f.ACTIVITIES, field, entities, known, projection=_STEP)

    def usages(self, entities: Iterable[str]) -> Iterator[Document]:
        """Yield the activities that used any of these entities."""
        field = f"{f.USED}.{f.ENTITY}"
        return self._find(f.ACTIVITIES, field, entities, projection=_STEP)

    def removals(self, entities: Iterable[str]) -> Iterator[Document]:
        """Yield the activities that removed any of these entities."""
        field = f"{f.INVALIDATED}.{f.ENTITY}"
        return self._find(f.ACTIVITIES, field, entities, projection=_STEP)

    def descendants(self, entities: Iterable[str]) -> list[Document]:
        """Return the entities derived from these, and the collections with them."""
        listed = list(entities)
        fields = [f"{array}.{f.ENTITY}" for array in (f.DERIVED_FROM, f.MEMBERS)]
        if len(listed) >= _MANY:
            fields = [field for field in fields if self.has_any(f.ENTITIES, field)]
        found = {
            document[f.ID]: document
            for field in fields
            for document in self._find(f.ENTITIES, field, listed)
        }
        return list(found.values())

    def at_once(self, *questions: Callable[[], Any]) -> list[Any]:
        """Return what questions answer; the server works at all of them at once."""
        *others, last = questions
        # The time that is left is known to this thread alone.
        later = [self._asker.submit(copy_context().run, asked) for asked in others]
        answered = last()
        return [*(future.result() for future in later), answered]

    def named(
        self, file_names: Iterable[str], *, known: Collection[str] = ()
    ) -> list[Document]:
        """Return the entities whose file has one of these names, in any folder."""
        field = f.FILE_NAME
        found = self._find_new(f.ENTITIES, field, file_names, known, projection=_FACTS)
        return list(found)

    def known_as(self, names: Iterable[str]) -> list[Document]:
        """Return the entities that have one of these as another id or name."""
        listed = list(filter(is_plain_text, names))
        fields: Iterable[str] = (f.SAME_AS, f.ALIASES)
        if len(listed) < _MANY:
            any_of = {"$or": [{field: {"$in": listed}} for field in fields]}
            with self._errors():
                return list(self._database[f.ENTITIES].find(any_of, _FACTS))
        fields = [field for field in fields if self.has_any(f.ENTITIES, field)]
        found = {
            document[f.ID]: document
            for field in fields
            for document in self._find(f.ENTITIES, field, listed, projection=_FACTS)
        }
        return list(found.values())

    def file_names(self) -> Iterator[str]:
        """Yield the different names of files, in order."""
        with self._errors():
            # Not `distinct`, whose answer must fit into one document.
            groups = self._database[f.ENTITIES].aggregate(
                [
                    {"$match": {f.FILE_NAME: {"$gt": ""}}},
                    {"$group": {"_id": f"${f.FILE_NAME}"}},
                    {"$sort": {"_id": 1}},
                ],
                allowDiskUse=True,
            )
            yield from (group["_id"] for group in groups)

    def session_tags(self) -> Iterator[str]:
        """Yield the different tags of activities, in order."""
        with self._errors():
            groups = self._database[f.ACTIVITIES].aggregate(
                [
                    {"$match": {f.SESSION_TAG: {"$gt": ""}}},
                    {"$group": {"_id": f"${f.SESSION_TAG}"}},
                    {"$sort": {"_id": 1}},
                ],
                allowDiskUse=True,
            )
            yield from (group["_id"] for group in groups)

    def tagged(self, session_tags: Iterable[str]) -> list[Document]:
        """Return the activities that have one of these tags, in no order."""
        return list(self._find(f.ACTIVITIES, f.SESSION_TAG, filter(None, session_tags)))

    def copies(self) -> Iterator[Document]:
        """Yield every file document without its content, in the order of their ids."""
        with self._errors():
            found = self._database[f.FILES].find({}, {f.CONTENT: 0})
            yield from found.sort(f.ID, 1)

    def copy_uses(self, digests: Iterable[str]) -> dict[str, int]:
        """Return how many activities used a copy, by the digest of its content."""
        with self._errors():
            groups = self._database[f.ACTIVITIES].aggregate(_copy_uses(list(digests)))
            return {group[f.ID]: group["count"] for group in groups}

    def starting(self, collection: str, prefix: str, *, limit: int) -> list[Document]:
        """Return up to *limit* documents whose id starts so, in order of the ids."""
        if not is_plain_text(str(prefix)):
            return []
        with self._errors():
            between = {"$gte": prefix, "$lt": prefix + "\U0010ffff"}
            found = self._database[collection].find({f.ID: between})
            return list(found.sort(f.ID, 1).limit(limit))

    def smallest(
        self, collection: str, field: str, *, low: Any, beyond: Any
    ) -> Any | None:
        """Return the smallest value of an indexed field in a span; None without one."""
        between = {field: {"$gte": low, "$lt": beyond}}
        with self._errors():
            found = self._database[collection].find_one(
                between, {f.ID: 0, field: 1}, sort=[(field, 1)]
            )
        return None if found is None else found[field]

    def sample(
        self, collection: str, *, size: int, filter_: Filter | None = None
    ) -> list[Document]:
        """Return some documents of a collection, all of them where there are few."""
        documents = self._database[collection]
        if filter_ is None and self.document_count(collection) > size:
            with self._errors():
                return list(documents.aggregate([{"$sample": {"size": size}}]))
        with self._errors():
            return list(documents.find(filter_ or {}, limit=size))

    def first(
        self,
        collection: str,
        field: str,
        values: Sequence[str],
        *,
        limit: int,
        fields: Collection[str] = (),
    ) -> list[list[Document]]:
        """Return the first documents with each value, in the order of their ids."""
        listed: dict[str, list[Document]] = {value: [] for value in values}
        shown: list[dict[str, Any]] = []
        if fields:
            shown = [{"$project": dict.fromkeys((field, *fields), 1)}]
        # One question for all: each alone would cost more than it finds.
        pipeline: list[dict[str, Any]] = []
        for value in listed:
            part: list[dict[str, Any]] = [{"$match": {field: value}}]
            part += [{"$sort": {f.ID: 1}}, {"$limit": limit}, *shown]
            if pipeline:
                pipeline.append({"$unionWith": {"coll": collection, "pipeline": part}})
            else:
                pipeline = part
        if pipeline:
            for document in self._aggregate(collection, pipeline):
                listed[document[field]].append(document)
        return list(listed.values())

    def document_count(self, collection: str) -> int:
        """Return how many documents a collection has, without reading them."""
        with self._errors():
            return self._database[collection].estimated_document_count()

    def within(self, seconds: float | None) -> AbstractContextManager[None]:
        """Let all that is asked in the block end after some time, here and there."""
        return nullcontext() if seconds is None else pymongo.timeout(seconds)

    def collection(self, name: str) -> MongoCollection[Document]:
        """Return a collection of the server as pymongo has it, to aggregate.

        What pymongo raises then is not translated.

        Raises:
            QueryError: A store has no collection of that name.
        """
        return self._database[known_collection(name)]

    def find(
        self, collection: str, filter_: Filter, *, fields: Collection[str] = ()
    ) -> Iterator[Document]:
        """Yield the documents that match a filter, in no order."""
        shown = dict.fromkeys(fields, 1)
        if fields and f.ID not in fields:
            shown[f.ID] = 0  # Else the document is read for it, beside an index.
        with self._errors():
            yield from self._database[collection].find(
                _served(collection, filter_), shown or None, batch_size=_DOCUMENTS
            )

    def aggregate(self, collection: str, pipeline: Pipeline) -> Iterator[Document]:
        """Yield what a pipeline of one ``$match`` and one ``$group`` gives."""
        match, *others = pipeline
        served = {"$match": _served(collection, match["$match"])}
        yield from self._aggregate(collection, [served, *others])

    def run_pipeline(self, collection: str, pipeline: Pipeline) -> Iterator[Document]:
        """Yield what any pipeline gives.

        Raises:
            QueryError: The server says that the pipeline is wrong.
        """
        try:
            yield from self._aggregate(collection, pipeline)
        except (RecordError, StoreUnavailable) as error:
            if (reason := _wrong_pipeline(error.__cause__)) is None:
                raise
            raise QueryError(f"MongoDB refuses the pipeline: {reason}") from error

    def indexes_for(self, collection: str, filter_: Filter) -> list[str]:
        """Return the names of the indexes that find what matches; none for a scan."""
        with self._errors():
            served = _served(collection, filter_)
            plan = self._database[collection].find(served).explain()
        return sorted(set(_indexes(plan["queryPlanner"]["winningPlan"])))

    def outdated(self, collection: str, *, limit: int) -> list[Document]:
        """Return some documents that an earlier version of provdb wrote."""
        with self._errors():
            found = self._database[collection].find(_outdated(collection), limit=limit)
            return list(found)

    def outdated_count(self, collection: str) -> int:
        """Return how many documents an earlier version of provdb wrote."""
        with self._errors():
            return self._database[collection].count_documents(_outdated(collection))

    def stats(self) -> list[CollectionStats]:
        """Return how large each collection is."""
        with self._errors():
            existing = set(self._database.list_collection_names())
            return [self._stats_of(name) for name in f.STORED if name in existing]

    def close(self) -> None:
        """Let go of the connections."""
        if "_asker" in vars(self):
            self._asker.shutdown()
        self._client.close()

    def _abandon(self) -> None:
        if "_asker" in vars(self):
            self._asker.shutdown(wait=False, cancel_futures=True)
        # A client that is closed asks the server once more, which may be busy.
        Thread(target=self._client.close, daemon=True).start()

    @cached_property
    def _asker(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(3, thread_name_prefix="provdb-store")

    def _transaction(self) -> AbstractContextManager[None]:
        # A standalone server has none, and joining needs none.
        if not self._is_ready:
            with self._errors():
                existing = set(self._database.list_collection_names())
            if not existing.issuperset(f.STORED):
                self.initialise()
            self._is_ready = True
        return nullcontext()

    def _confirm(self) -> None:
        # A document can be read before a majority has it, and be gone with the
        # primary. A write waits for all that came before it, also one of nothing.
        with self._errors():
            self._database[f.SESSIONS].delete_one({f.ID: ""})

    def _insert(self, collection: str, documents: Sequence[Document]) -> int:
        try:
            with self._errors():
                self._write_checked(self._database[collection].insert_many, documents)
        except _Refused as refused:
            return len(documents) - refused.count
        return len(documents)

    def _replace(
        self, collection: str, changes: Sequence[tuple[Document, Document]]
    ) -> int:
        with self._errors():
            updates = [_update(stored, changed) for stored, changed in changes]
            result = self._write_checked(self._database[collection].bulk_write, updates)
            return int(result.matched_count)

    def _write_checked(self, write: Callable[..., Any], many: Sequence[Any]) -> Any:
        """Write what was checked here, without having the server check it again.

        Its validators would take a third of the time of a write. Not every user may
        leave them out.
        """
        if self._may_bypass:
            try:
                return write(many, ordered=False, bypass_document_validation=True)
            except OperationFailure as error:
                if error.code != _MAY_NOT:
                    raise
                self._may_bypass = False
        return write(many, ordered=False)

    def _delete(self, collection: str, documents: Sequence[Document]) -> None:
        with self._errors():
            for document in documents:
                self._database[collection].delete_one(_still_is(document))

    def _clear(self, collection: str) -> None:
        with self._errors():
            self._database[collection].delete_many({})

    def _with_activity_id(
        self, activity_id: str, session_tag: str | None
    ) -> list[Document]:
        tagged = {f.SESSION_TAG: session_tag}
        return list(self._find(f.ACTIVITIES, f.ACTIVITY_ID, [activity_id], also=tagged))

    def _with_activity_id_of_any_tag(self, activity_id: str) -> list[Document]:
        # Without an index: only statements of lstosa's run-wise products have no tag
        # where their start has one, and only in a log that was cut between them.
        return list(self._find(f.ACTIVITIES, f.ACTIVITY_ID, [activity_id]))

    def _without_environment(
        self, session_tags: Iterable[str | None]
    ) -> list[Document]:
        lacking = {f.ENVIRONMENT: {"$exists": False}}
        return list(self._find(f.ACTIVITIES, f.SESSION_TAG, session_tags, also=lacking))

    def _of_session(self, session_tag: str | None, session_id: str) -> list[Document]:
        tags = [session_tag] if session_tag else [None, ""]
        of_session = {f.SESSION_ID: session_id}
        return list(self._find(f.ACTIVITIES, f.SESSION_TAG, tags, also=of_session))

    def _aggregate(self, collection: str, pipeline: Pipeline) -> Iterator[Document]:
        with self._errors():
            yield from self._database[collection].aggregate(
                list(pipeline), allowDiskUse=True, batchSize=_DOCUMENTS
            )

    def _find(
        self,
        collection: str,
        field: str,
        values: Iterable[str | None],
        *,
        also: Mapping[str, Any] | None = None,
        projection: Mapping[str, Any] | None = None,
    ) -> Iterator[Document]:
        """Yield the documents with some values, each once."""
        seen: set[str] = set()
        asked = dict.fromkeys(
            value
            for value in values
            if value is None or value.isascii() or is_plain_text(value)
        )
        with self._errors():
            for batch in batches(asked, _IDS):
                matching = {field: {"$in": batch}, **(also or {})}
                for documents in self._stream(collection, matching, projection):
                    if len(asked) > _IDS:
                        documents = [d for d in documents if d[f.ID] not in seen]
                        seen.update(document[f.ID] for document in documents)
                    yield from documents

    def _find_new(
        self,
        collection: str,
        field: str,
        values: Iterable[str],
        known: Collection[str],
        *,
        projection: Mapping[str, Any],
    ) -> Iterator[Document]:
        """Yield the documents with some values; those that are known may be left out.

        Args:
            collection: The collection.
            field: An indexed field.
            values: The values.
            known: Ids of documents that have some of them.
            projection: What is needed of each.
        """
        if len(known) >= _MANY:
            values = list(values)
            # An index alone says how many there are, and likely all are known.
            if self._count(collection, field, values) == len(known):
                return
            found = self._find(collection, field, values, projection={f.ID: 1})
            field, values = f.ID, [d[f.ID] for d in found if d[f.ID] not in known]
        yield from self._find(collection, field, values, projection=projection)

    def _stream(
        self, collection: str, matching: Filter, projection: Mapping[str, Any] | None
    ) -> Iterator[list[Document]]:
        """Yield some documents at a time; the server sends more meanwhile."""
        find = partial(
            self._database[collection].find,
            matching,
            projection,
            batch_size=_STREAMED,
        )
        try:
            cursor = find(cursor_type=self._cursor_type)
            documents = cursor.to_list(_STREAMED)
        except InvalidOperation:  # The router of a sharded cluster sends none.
            self._cursor_type = CursorType.NON_TAILABLE
            cursor = find()
            documents = cursor.to_list(_STREAMED)
        yield documents
        while len(documents) == _STREAMED:
            documents = cursor.to_list(_STREAMED)
            yield documents

    def _count(self, collection: str, field: str, values: Iterable[str]) -> int:
        """Count the documents with some values; those with several, once or more."""
        documents = self._database[collection]
        with self._errors():
            return sum(
                documents.count_documents({field: {"$in": batch}})
                for batch in batches(filter(is_plain_text, values), _COUNTED_IDS)
            )

    def has_any(self, collection: str, field: str) -> bool:
        """Say whether any document has a text in an indexed field."""
        with self._errors():
            some = self._database[collection].find_one({field: {"$gt": ""}}, {f.ID: 1})
        return some is not None

    def _create(self, name: str, **validation: Any) -> None:
        try:
            self._database.create_collection(
                name,
                check_exists=False,
                storageEngine=_engine(page="64KB"),
                indexOptionDefaults={"storageEngine": _engine(page="32KB")},
                **validation,
            )
        except OperationFailure as error:
            # Another process was quicker.
            if error.code != _NAMESPACE_EXISTS:
                raise

    def _modify(self, name: str, **validation: Any) -> None:
        try:
            self._database.command("collMod", name, **validation)
        except OperationFailure as error:
            # Another process is just making it, with the same validator.
            if error.code != _INDEX_BUILD:
                raise

    def _create_indexes(self) -> None:
        for index in INDEXES:
            options: dict[str, Any] = {"sparse": index.is_sparse}
            if index.below is not None:
                (field,) = index.fields
                options = {
                    "name": f"{field}_below_{index.below}",
                    "partialFilterExpression": {field: {"$lt": index.below}},
                }
            try:
                self._database[index.collection].create_index(
                    list(index.fields), **options, storageEngine=_engine(page="32KB")
                )
            except OperationFailure as error:
                # An older one of these fields finds the same.
                if error.code not in _OTHER_OPTIONS:
                    raise

    def _stats_of(self, name: str) -> CollectionStats:
        (stats,) = self._database[name].aggregate(
            [{"$collStats": {"storageStats": {}}}]
        )
        storage = stats["storageStats"]
        return CollectionStats(
            name=name,
            documents=storage["count"],
            size_bytes=storage["storageSize"],
            index_bytes=storage["totalIndexSize"],
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except BulkWriteError as error:
            failures = error.details.get("writeErrors", [])
            codes = {failure["code"] for failure in failures}
            if not codes.isdisjoint(_OF_A_DOCUMENT):
                raise RecordError(_bulk_reason(error)) from error
            if codes == {_DUPLICATE_KEY} and not error.details["writeConcernErrors"]:
                raise _Refused(len(failures)) from error
            raise StoreUnavailable(self.uri, _bulk_reason(error)) from error
        except (BSONError, ValueError, OverflowError) as error:
            raise RecordError(f"MongoDB cannot hold a document: {error}") from error
        except PyMongoError as error:
            if isinstance(error, OperationFailure) and error.code in _OF_A_DOCUMENT:
                raise RecordError(_refused(_reason(error))) from error
            raise StoreUnavailable(self.uri, _reason(error)) from error


def _served(collection: str, filter_: Filter) -> Filter:
    """Return a filter that an index serves also by its second field alone.

    The server takes an index only if something is asked of its first field. Where
    that has few values, it then skips from one to the next.
    """
    for index in INDEXES:
        if index.collection == collection and index.has_few_first:
            filter_ = _with_anything(filter_, *index.fields)
    return filter_


def _with_anything(filter_: Filter, first: str, second: str) -> Filter:
    told = {
        name: [_with_anything(part, first, second) for part in value]
        if name in ("$and", "$or")
        else value
        for name, value in filter_.items()
    }
    return {first: {"$gte": MinKey()}, **told} if second in told else told


def _outdated(collection: str) -> Filter:
    return {f.SCHEMA_VERSION: {"$lt": CURRENT_VERSIONS[collection]}}


def _copy_uses(digests: Sequence[str]) -> list[dict[str, Any]]:
    field = f"{f.COPIES}.{f.ENTITY}"
    asked = {"$match": {field: {"$in": digests}}}
    # One activity may name a content under two paths.
    pair = {"digest": f"${field}", "activity": f"${f.ID}"}
    return [
        asked,
        {"$unwind": f"${f.COPIES}"},
        asked,
        {"$group": {f.ID: pair}},
        {"$group": {f.ID: f"${f.ID}.digest", "count": {"$sum": 1}}},
    ]


def _indexes(stage: Mapping[str, Any]) -> Iterator[str]:
    """Yield the indexes of a plan; it may stand below what another engine calls it."""
    if stage.get("stage") == "IXSCAN":
        yield stage["indexName"]
    if stage.get("stage") == "IDHACK":
        yield "_id_"
    below = [stage.get("inputStage"), stage.get("queryPlan")]
    for part in [*below, *stage.get("inputStages", ())]:
        if part is not None:
            yield from _indexes(part)


class _Refused(Exception):
    """Some documents were not inserted, as their ids are there already."""

    def __init__(self, count: int) -> None:
        self.count = count


def _engine(*, page: str) -> dict[str, Any]:
    # Ids are digests, which a block compressor halves and MongoDB's default for
    # indexes does not; neighbours in a large page are much alike.
    compressed = f"block_compressor=zstd,leaf_page_max={page}"
    return {"wiredTiger": {"configString": compressed}}


def _update(stored: Document, changed: Document) -> ReplaceOne[Document] | UpdateOne:
    """Return the change of a document, that happens only if it is what was read."""
    if f.SESSION_TAGS not in stored or not differ_in_tags_only(stored, changed):
        return ReplaceOne(_still_is(stored), changed)
    # A hundred processes name one calibration file at once: none of them has to wait
    # for the tags of the others.
    names = (field.document for field in DESCRIPTION)
    described = {name: stored.get(name, {"$exists": False}) for name in names}
    known = stored[f.SESSION_TAGS]
    tags = [tag for tag in changed[f.SESSION_TAGS] if tag not in known]
    return UpdateOne(
        {f.ID: stored[f.ID], **described, f.SESSION_TAGS: {"$nin": tags}},
        {"$push": {f.SESSION_TAGS: {"$each": tags, "$sort": 1}}},
    )


def _still_is(document: Document) -> dict[str, Any]:
    """Match the document with this id, if nothing in it has changed."""
    return {
        f.ID: document[f.ID],
        "$expr": {"$eq": ["$$ROOT", {"$literal": document}]},
    }


def _wrong_pipeline(error: BaseException | None) -> str | None:
    """Return what is wrong with a pipeline, or None if that is not the reason."""
    if isinstance(error, BSONError | ValueError | OverflowError | TypeError):
        return str(error)
    if isinstance(error, OperationFailure) and (
        error.code in _OF_A_PIPELINE or (error.code or 0) >= _OF_AN_EXPRESSION
    ):
        return _reason(error)
    return None


def _bulk_reason(error: BulkWriteError) -> str:
    failures = error.details.get("writeErrors") or error.details["writeConcernErrors"]
    return _refused(failures[0].get("errmsg", "no reason given"))


def _refused(reason: str) -> str:
    return f"a document was refused: {reason}"


def _reason(error: Exception) -> str:
    if isinstance(error, ServerSelectionTimeoutError):
        first = (
            str(error).partition(" (configured timeouts")[0].partition(", Timeout:")[0]
        )
        hint = "does it run, and does it ask for TLS?"
        return f"no server answers there ({first}); {hint}"
    if isinstance(error, OperationFailure) and error.code in _UNAUTHORISED:
        return "it refuses the user or the password, or the user may not do this"
    if isinstance(error, PyMongoError) and error.timeout:
        return TOO_LATE
    return str(error).partition(", full error:")[0]
