"""The store without a server: the very same documents as JSON in one SQLite file.

Each collection is a table of JSON texts with the few columns that are looked up; the
links of activities and entities are one indexed table more. Many processes of one
machine write at once: each write is a transaction, and waits for its turn.
"""

import os
import re
import sqlite3
import time
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from itertools import islice
from pathlib import Path
from threading import RLock, get_ident
from typing import Any, Final

import orjson

from provdb.errors import QueryError, StoreUnavailable
from provdb.model import CURRENT_VERSIONS, Document, is_plain_text
from provdb.model import fields as f
from provdb.store.base import TOO_LATE, Store
from provdb.store.collection import LocalCollection, known_collection
from provdb.store.counts import CollectionStats
from provdb.store.evaluate import Filter, Pipeline, matcher, tally
from provdb.store.indexes import INDEXES
from provdb.store.sql import sql_condition, sql_field

__all__ = ["LocalStore"]

_VERSION: Final = 1
_WAIT_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.01
_NO_STORE: Final = "the file is not a provdb store; name another one with --uri"
# How long a fork waits for what is just being written.
_FORK_SECONDS: Final = 1.0
_JSON: Final = orjson.OPT_UTC_Z
_ROWS: Final = 500
# Steps of SQLite between two looks at the clock: some milliseconds.
_STEPS: Final = 100_000
_MOST_AGGREGATED: Final = 100_000
_INDEX_USED: Final = re.compile(
    r"SEARCH (?P<table>\w+) USING (?:COVERING )?INDEX (?P<index>\w+)"
)

# The columns beside the document, by collection: the fields that are looked up.
_COLUMNS: Final = {
    f.ENVIRONMENTS: (),
    f.ENTITIES: (f.FILE_NAME,),
    f.SESSIONS: (),
    f.ACTIVITIES: (f.SESSION_TAG, f.ACTIVITY_ID),
    f.FILES: (),
    f.READINGS: (),
    f.SETTINGS: (),
}
# The tables that the first versions did not have.
_LATER: Final = (f.READINGS, f.SETTINGS)
# The arrays of links, by collection: each is indexed by the entity that it names.
_LINKS: Final = {
    f.ACTIVITIES: (f.USED, f.GENERATED, f.INVALIDATED, f.COPIES),
    f.ENTITIES: (f.DERIVED_FROM, f.MEMBERS),
}
# Other names of entities: one text, or several; they are rows of the same table.
_NAMES: Final = (f.SAME_AS, f.ALIASES)
_TIMES: Final = {
    f.ACTIVITIES: (f.START, f.END),
    f.SESSIONS: (f.FIRST_START, f.LAST_START),
}


class LocalStore(Store):
    """Documents in one SQLite file, for one machine."""

    def __init__(self, path: Path | None, *, zone: tzinfo = UTC) -> None:
        """Name the file; it is opened when it is first needed.

        Args:
            path: The file, or None for a store that lives as long as this object.
            zone: Zone in which times that name none are read.
        """
        self.uri = "memory://" if path is None else f"sqlite://{path}"
        self.zone = zone
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._owner = 0
        self._end: float | None = None
        self._lock = RLock()
        if path is not None:
            _STORES.add(self)

    def initialise(self) -> None:
        """Make the file, its tables and its indexes where they are missing."""
        with self._transaction():
            for statement in _tables():
                self._open().execute(statement)

    def recall(self, ids: Iterable[str]) -> list[Document]:
        """Return what is known of files that were read, nothing before any was."""
        if self._path is not None and not self._path.exists():
            return []
        return super().recall(ids)

    def read(self, collection: str, ids: Iterable[str]) -> list[Document]:
        """Return the documents that have these ids, in no order."""
        return self._select(collection, f"FROM {collection} WHERE id IN", ids)

    def scan(self, collection: str) -> Iterator[Document]:
        """Yield every document of a collection, in the order of their ids."""
        last, beyond = "", ">="
        while rows := self._rows(
            f"SELECT id, document FROM {collection} "
            f"WHERE id {beyond} ? ORDER BY id LIMIT 500",
            (last,),
        ):
            last, beyond = rows[-1][0], ">"
            yield from (_load(collection, text) for _, text in rows)

    def generations(
        self, entities: Iterable[str], *, known: Collection[str] = ()
    ) -> Iterator[Document]:
        """Yield the activities that generated any of these entities."""
        yield from self._linked(f.ACTIVITIES, (f.GENERATED,), entities)

    def usages(self, entities: Iterable[str]) -> Iterator[Document]:
        """Yield the activities that used any of these entities."""
        yield from self._linked(f.ACTIVITIES, (f.USED,), entities)

    def removals(self, entities: Iterable[str]) -> Iterator[Document]:
        """Yield the activities that removed any of these entities."""
        yield from self._linked(f.ACTIVITIES, (f.INVALIDATED,), entities)

    def has_any(self, collection: str, field: str) -> bool:
        """Say whether any document may have a text in an indexed field."""
        if field.endswith(f".{f.ENTITY}"):
            return True  # Links are found by the entity alone, which is as quick.
        return super().has_any(collection, field)

    def descendants(self, entities: Iterable[str]) -> list[Document]:
        """Return the entities derived from these, and the collections with them."""
        return self._linked(f.ENTITIES, _LINKS[f.ENTITIES], entities)

    def named(
        self, file_names: Iterable[str], *, known: Collection[str] = ()
    ) -> list[Document]:
        """Return the entities whose file has one of these names, in any folder."""
        source = f"FROM {f.ENTITIES} WHERE {f.FILE_NAME} IN"
        return self._select(f.ENTITIES, source, file_names)

    def known_as(self, names: Iterable[str]) -> list[Document]:
        """Return the entities that have one of these as another id or name."""
        return self._linked(f.ENTITIES, _NAMES, names)

    def file_names(self) -> Iterator[str]:
        """Yield the different names of files, in order."""
        query = (
            f"SELECT DISTINCT {f.FILE_NAME} FROM {f.ENTITIES} "
            f"WHERE {f.FILE_NAME} IS NOT NULL ORDER BY {f.FILE_NAME}"
        )
        yield from (name for (name,) in self._rows(query, ()))

    def session_tags(self) -> Iterator[str]:
        """Yield the different tags of activities, in order."""
        query = (
            f"SELECT DISTINCT {f.SESSION_TAG} FROM {f.ACTIVITIES} "
            f"WHERE {f.SESSION_TAG} > '' ORDER BY {f.SESSION_TAG}"
        )
        yield from (tag for (tag,) in self._rows(query, ()))

    def tagged(self, session_tags: Iterable[str]) -> list[Document]:
        """Return the activities that have one of these tags, in no order."""
        return self._of_tags(tag for tag in session_tags if tag)

    def copies(self) -> Iterator[Document]:
        """Yield every file document without its content, in the order of their ids."""
        query = (
            f"SELECT json_remove(document, '$.{f.CONTENT}') FROM {f.FILES} ORDER BY id"
        )
        yield from (_load(f.FILES, text) for (text,) in self._rows(query, ()))

    def copy_uses(self, digests: Iterable[str]) -> dict[str, int]:
        """Return how many activities used a copy, by the digest of its content."""
        query = (
            f"SELECT entity, count(*) FROM links WHERE kind = '{f.COPIES}' "
            "AND entity IN (SELECT value FROM json_each(?)) GROUP BY entity"
        )
        return dict(self._rows(query, (orjson.dumps(list(digests)).decode(),)))

    def starting(self, collection: str, prefix: str, *, limit: int) -> list[Document]:
        """Return up to *limit* documents whose id starts so, in order of the ids."""
        query = (
            f"SELECT document FROM {collection} "
            "WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
        )
        if not is_plain_text(str(prefix)):
            return []
        rows = self._rows(query, (prefix, prefix + "\U0010ffff", limit))
        return [_load(collection, text) for (text,) in rows]

    def smallest(
        self, collection: str, field: str, *, low: Any, beyond: Any
    ) -> Any | None:
        """Return the smallest value of an indexed field in a span; None without one."""
        place = sql_field(field, columns=_COLUMNS[collection])
        rows = self._rows(
            f"SELECT {place} FROM {collection} WHERE {place} >= ? AND {place} < ? "
            f"ORDER BY {place} LIMIT 1",
            (low, beyond),
        )
        return rows[0][0] if rows else None

    def sample(
        self, collection: str, *, size: int, filter_: Filter | None = None
    ) -> list[Document]:
        """Return some documents of a collection, all of them where there are few."""
        if filter_ is not None:
            return list(islice(self.find(collection, filter_), size))
        first = self._rows(f"SELECT document FROM {collection} LIMIT ?", (size + 1,))
        if len(first) <= size:
            return [_load(collection, text) for (text,) in first]
        # By row: nothing is read but what is returned, and a gap has a next row.
        ((last,),) = self._rows(f"SELECT max(rowid) FROM {collection}", ())
        places = orjson.dumps([last * part // size for part in range(size)]).decode()
        rows = self._rows(
            f"SELECT document FROM {collection} WHERE rowid IN (SELECT (SELECT "
            f"min(rowid) FROM {collection} WHERE rowid >= value) FROM json_each(?))",
            (places,),
        )
        return [_load(collection, text) for (text,) in rows]

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
        place = sql_field(field, columns=_COLUMNS[collection])
        query = (
            f"SELECT document FROM {collection} WHERE {place} = ? ORDER BY id LIMIT ?"
        )
        return [
            [_load(collection, text) for (text,) in self._rows(query, (value, limit))]
            for value in values
        ]

    def document_count(self, collection: str) -> int:
        """Return how many documents a collection has, without reading them."""
        ((count,),) = self._rows(f"SELECT count(*) FROM {collection}", ())
        return int(count)

    @contextmanager
    def within(self, seconds: float | None) -> Iterator[None]:
        """Let all that is asked in the block end after some time, or on Ctrl-C."""
        try:
            with self._lock, self._errors():
                self._open().set_progress_handler(self._is_over, _STEPS)
            self._end = None if seconds is None else time.monotonic() + seconds
            yield
        finally:
            self._end = None
            if self._connection is not None:
                self._connection.set_progress_handler(None, 0)

    def collection(self, name: str) -> LocalCollection:
        """Return a collection to find documents in and to aggregate.

        Raises:
            QueryError: A store has no collection of that name.
        """
        return LocalCollection(self, known_collection(name))

    def find(
        self, collection: str, filter_: Filter, *, fields: Collection[str] = ()
    ) -> Iterator[Document]:
        """Yield the documents that match a filter, in no order; they are whole."""
        condition, values = sql_condition(filter_, columns=_COLUMNS[collection])
        query = f"SELECT document FROM {collection} WHERE {condition}"
        is_match = matcher(filter_)
        for rows in self._row_batches(query, values):
            for (text,) in rows:
                document = _load(collection, text)
                if is_match(document):
                    yield document

    def aggregate(self, collection: str, pipeline: Pipeline) -> Iterator[Document]:
        """Yield what a pipeline of one ``$match`` and one ``$group`` gives."""
        match, group = pipeline
        found = self.find(collection, match["$match"])
        yield from tally(found, group["$group"])

    def run_pipeline(self, collection: str, pipeline: Pipeline) -> Iterator[Document]:
        """Yield what a pipeline of the stages and operators that are known gives.

        Raises:
            QueryError: The pipeline is wrong, has what only a server knows, or goes
                over more than 100 000 documents behind its first ``$match``.
        """
        # Loaded here, for the query language needs none of it.
        from provdb.store.pipeline.stages import first_match, run_pipeline
        from provdb.store.pipeline.values import as_sent

        filter_, stages = first_match(as_sent(pipeline))
        yield from run_pipeline(
            self._some(collection, filter_),
            stages,
            read=lambda other: self._some(other, {}),
        )

    def _some(self, collection: str, filter_: Filter) -> Iterator[Document]:
        for number, document in enumerate(self.find(collection, filter_)):
            if number == _MOST_AGGREGATED:
                raise QueryError(
                    f"a local store aggregates {_MOST_AGGREGATED} documents at most, "
                    f"and there are more {collection}; begin with a $match that finds "
                    "fewer, or 'provdb db copy mongodb://HOST/DATABASE' takes them to "
                    "a server"
                )
            yield document

    def indexes_for(self, collection: str, filter_: Filter) -> list[str]:
        """Return the names of the indexes that find what matches; none for a scan."""
        condition, values = sql_condition(filter_, columns=_COLUMNS[collection])
        rows = self._rows(
            f"EXPLAIN QUERY PLAN SELECT document FROM {collection} WHERE {condition}",
            values,
        )
        found = (_INDEX_USED.match(detail) for *_, detail in rows)
        names = {match["table"]: match["index"] for match in found if match}
        return [names[collection]] if collection in names else []

    def is_outdated(self) -> bool:
        """Say whether documents of an earlier version are there, if there is a file."""
        if self._path is not None and not self._path.exists():
            return False
        return super().is_outdated()

    def has_outdated_names(self) -> bool:
        """Say whether entities may follow earlier naming rules, if there is a file."""
        if self._path is not None and not self._path.exists():
            return False
        return super().has_outdated_names()

    def outdated(self, collection: str, *, limit: int) -> list[Document]:
        """Return some documents that an earlier version of provdb wrote."""
        rows = self._rows(
            f"SELECT document FROM {collection} WHERE {_outdated(collection)} LIMIT ?",
            (limit,),
        )
        return [_load(collection, text) for (text,) in rows]

    def outdated_count(self, collection: str) -> int:
        """Return how many documents an earlier version of provdb wrote."""
        ((count,),) = self._rows(
            f"SELECT count(*) FROM {collection} WHERE {_outdated(collection)}", ()
        )
        return int(count)

    def stats(self) -> list[CollectionStats]:
        """Return how large each collection is."""
        return [
            CollectionStats(name=name, documents=count, size_bytes=size, index_bytes=0)
            for name in f.STORED
            for count, size in self._rows(
                f"SELECT count(*), coalesce(sum(length(document)), 0) FROM {name}", ()
            )
        ]

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                self._connection.close()
            self._connection = None

    def _pause(self) -> bool:
        """Close the file for a fork, and say whether nothing of it is in use."""
        if not self._lock.acquire(timeout=_FORK_SECONDS):
            return False
        if self._connection is not None and self._connection.in_transaction:
            self._lock.release()
            return False
        self.close()
        return True

    def _resume(self) -> None:
        self._lock.release()

    def _begin_anew(self) -> None:
        self._lock = RLock()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, self._errors():
            connection = self._open(is_new_allowed=True)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _confirm(self) -> None:
        """Return at once: a transaction reads nothing but what is on the disk."""

    def _insert(self, collection: str, documents: Sequence[Document]) -> int:
        columns = _COLUMNS[collection]
        names = "".join(f", {name}" for name in columns)
        places = ", ?" * len(columns)
        self._write(
            f"INSERT INTO {collection} (id, document{names}) VALUES (?, ?{places})",
            [
                (d[f.ID], _dump(d), *(d.get(name) for name in columns))
                for d in documents
            ],
        )
        self._write(
            "INSERT OR IGNORE INTO links VALUES (?, ?, ?)",
            [row for document in documents for row in _links(collection, document)],
        )
        return len(documents)

    def _replace(
        self, collection: str, changes: Sequence[tuple[Document, Document]]
    ) -> int:
        # Inside a transaction nobody else writes: all are still as they were read.
        self._delete(collection, [stored for stored, _ in changes])
        return self._insert(collection, [changed for _, changed in changes])

    def _delete(self, collection: str, documents: Sequence[Document]) -> None:
        self._write(
            "DELETE FROM links WHERE entity = ? AND kind = ? AND source = ?",
            [row for document in documents for row in _links(collection, document)],
        )
        self._write(
            f"DELETE FROM {collection} WHERE id = ?", [(d[f.ID],) for d in documents]
        )

    def _clear(self, collection: str) -> None:
        with self._transaction():
            self._open().execute(f"DELETE FROM {collection}")

    def _with_activity_id(
        self, activity_id: str, session_tag: str | None
    ) -> list[Document]:
        found = self._with_activity_id_of_any_tag(activity_id)
        return [a for a in found if a[f.SESSION_TAG] == session_tag]

    def _with_activity_id_of_any_tag(self, activity_id: str) -> list[Document]:
        source = f"FROM {f.ACTIVITIES} WHERE {f.ACTIVITY_ID} IN"
        return self._select(f.ACTIVITIES, source, [activity_id])

    def _without_environment(
        self, session_tags: Iterable[str | None]
    ) -> list[Document]:
        found = self._of_tags(session_tags)
        return [activity for activity in found if f.ENVIRONMENT not in activity]

    def _of_session(self, session_tag: str | None, session_id: str) -> list[Document]:
        found = self._of_tags([session_tag])
        return [a for a in found if a[f.SESSION_ID] == session_id]

    def _of_tags(self, session_tags: Iterable[str | None]) -> list[Document]:
        """Return the activities of tags; no tag and an empty one are the same."""
        tags = set(session_tags)
        source = f"FROM {f.ACTIVITIES} WHERE {f.SESSION_TAG}"
        found = self._select(f.ACTIVITIES, f"{source} IN", [t for t in tags if t])
        if not all(tags):
            query = f"SELECT document {source} IS NULL OR {f.SESSION_TAG} = ''"
            rows = self._rows(query, ())
            found += [_load(f.ACTIVITIES, text) for (text,) in rows]
        return found

    def _linked(
        self, collection: str, kinds: Sequence[str], entities: Iterable[str]
    ) -> list[Document]:
        kind_list = ", ".join(f"'{kind}'" for kind in kinds)
        source = (
            f"FROM {collection} WHERE id IN (SELECT source FROM links "
            f"WHERE kind IN ({kind_list}) AND entity IN"
        )
        return self._select(collection, source, entities, close=")")

    def _select(
        self, collection: str, source: str, values: Iterable[str], *, close: str = ""
    ) -> list[Document]:
        asked = {value for value in values if is_plain_text(str(value))}
        listed = orjson.dumps(sorted(asked)).decode()
        query = f"SELECT document {source} (SELECT value FROM json_each(?)){close}"
        return [_load(collection, text) for (text,) in self._rows(query, (listed,))]

    def _rows(self, query: str, values: Sequence[Any]) -> list[Any]:
        with self._lock, self._errors():
            return self._open().execute(query, values).fetchall()

    def _row_batches(self, query: str, values: Sequence[Any]) -> Iterator[list[Any]]:
        with self._lock, self._errors():
            cursor = self._open().execute(query, values)
        while True:
            with self._lock, self._errors():
                rows = cursor.fetchmany(_ROWS)
            if not rows:
                return
            yield rows

    def _is_over(self) -> bool:
        return self._end is not None and time.monotonic() > self._end

    def _write(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._open().executemany(statement, rows)

    def _open(self, *, is_new_allowed: bool = False) -> sqlite3.Connection:
        if self._connection is not None and self._owner == os.getpid():
            return self._connection
        if self._path in _IN_USE_OF_PARENT:
            raise StoreUnavailable(
                self.uri, "this process was forked while its parent wrote there"
            )
        if self._path is not None and not self._path.exists():
            if not is_new_allowed:
                raise StoreUnavailable(
                    self.uri,
                    "there is no such file yet; 'provdb ingest PATH' stores a log "
                    "there, 'provdb demo' an example",
                )
            self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._path or ":memory:",
            timeout=_WAIT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._owner = connection, os.getpid()
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version, tables, is_whole = connection.execute(
            "SELECT user_version, count(name), "
            f"coalesce(sum(name IN {_LATER}), 0) = {len(_LATER)} "
            "FROM pragma_user_version LEFT JOIN sqlite_schema"
        ).fetchone()
        if version > _VERSION:
            raise StoreUnavailable(
                self.uri, "a later version of provdb wrote it; upgrade provdb"
            )
        if version == 0 and tables > 0:
            raise StoreUnavailable(self.uri, _NO_STORE)
        connection.execute("PRAGMA synchronous = FULL")
        if version == _VERSION:
            if not is_whole:
                _add_later_tables(connection)
            return
        _keep_journal(connection)
        connection.execute("BEGIN IMMEDIATE")
        for statement in _tables():
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        if self._is_over():
            raise StoreUnavailable(self.uri, TOO_LATE)
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                if not self._is_over():
                    # SQLite only knows that what it called was interrupted.
                    raise KeyboardInterrupt from error
                raise StoreUnavailable(self.uri, TOO_LATE) from error
            raise StoreUnavailable(self.uri, _reason(error)) from error


# SQLite keeps its locks by process: a file that is open while a process is forked can
# be used on one side only. So it is closed before, and opened again when needed.
_STORES: Final = weakref.WeakSet[LocalStore]()
_PAUSED: Final[dict[int, list[LocalStore]]] = {}
_IN_USE_OF_PARENT: Final[set[Path | None]] = set()


def _before_fork() -> None:
    _PAUSED[get_ident()] = [store for store in list(_STORES) if store._pause()]


def _after_fork_in_parent() -> None:
    for store in _PAUSED.pop(get_ident()):
        store._resume()


def _after_fork_in_child() -> None:
    paused = _PAUSED.pop(get_ident())
    _PAUSED.clear()
    for store in list(_STORES):
        if store not in paused:
            _IN_USE_OF_PARENT.add(store._path)
        store._begin_anew()


os.register_at_fork(
    before=_before_fork,
    after_in_parent=_after_fork_in_parent,
    after_in_child=_after_fork_in_child,
)


def _keep_journal(connection: sqlite3.Connection) -> None:
    # SQLite itself does not wait for other processes that make the same file here.
    end = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > end:
                raise
        time.sleep(_PAUSE_SECONDS)


def _add_later_tables(connection: sqlite3.Connection) -> None:
    """Add what the first versions did not have; for oneself if one may only read."""
    for temporary in ("", "TEMP "):
        try:
            for name in _LATER:
                connection.execute(_table(name, (), kind=temporary))
            return
        except sqlite3.OperationalError:
            if temporary:
                raise


def _table(name: str, columns: Iterable[str], *, kind: str = "") -> str:
    names = "".join(f", {column} TEXT" for column in columns)
    return (
        f"CREATE {kind}TABLE IF NOT EXISTS {name} "
        f"(id TEXT NOT NULL UNIQUE, document TEXT NOT NULL{names})"
    )


def _tables() -> Iterator[str]:
    for collection, columns in _COLUMNS.items():
        yield _table(collection, columns)
        for name in columns:
            yield (
                f"CREATE INDEX IF NOT EXISTS {collection}_{name} "
                f"ON {collection} ({name})"
            )
    yield from _expression_indexes()
    yield (
        "CREATE TABLE IF NOT EXISTS links (entity TEXT NOT NULL, kind TEXT NOT NULL, "
        "source TEXT NOT NULL, PRIMARY KEY (entity, kind, source)) WITHOUT ROWID"
    )


def _expression_indexes() -> Iterator[str]:
    """Yield what makes the indexes of fields that are no column of their own."""
    for index in INDEXES:
        columns = _COLUMNS[index.collection]
        is_of_array = any("." in name for name in index.fields)
        if is_of_array or index.fields[0] in (*columns, *_NAMES):
            continue
        if index.below is not None:
            yield (
                f"CREATE INDEX IF NOT EXISTS {index.collection}_below_{index.below} "
                f"ON {index.collection} ({sql_field(index.fields[0], columns=())}) "
                f"WHERE {_outdated(index.collection)}"
            )
            continue
        alone = [index.fields[1:]] if index.has_few_first else []
        for fields in (index.fields, *alone):
            listed = ", ".join(sql_field(name, columns=columns) for name in fields)
            yield (
                f"CREATE INDEX IF NOT EXISTS {index.collection}_{'_'.join(fields)} "
                f"ON {index.collection} ({listed})"
            )


def _links(collection: str, document: Document) -> Iterator[tuple[str, str, str]]:
    for kind in _LINKS.get(collection, ()):
        for link in document.get(kind, ()):
            yield link[f.ENTITY], kind, document[f.ID]
    if collection == f.ENTITIES:
        if f.SAME_AS in document:
            yield document[f.SAME_AS], f.SAME_AS, document[f.ID]
        for name in document.get(f.ALIASES, ()):
            yield name, f.ALIASES, document[f.ID]


def _outdated(collection: str) -> str:
    # A literal, for only then SQLite sees that an index of such documents will do.
    place = sql_field(f.SCHEMA_VERSION, columns=())
    return f"{place} < {CURRENT_VERSIONS[collection]}"


def _dump(document: Mapping[str, Any]) -> str:
    return orjson.dumps(document, option=_JSON).decode()


def _load(collection: str, text: str) -> Document:
    document: Document = orjson.loads(text)
    for name in _TIMES.get(collection, ()):
        _read_time(document, name)
    if collection == f.SESSIONS:
        for execution in document[f.EXECUTIONS]:
            _read_time(execution, f.START)
    return document


def _read_time(part: Document, name: str) -> None:
    if part.get(name) is not None:
        part[name] = datetime.fromisoformat(part[name])


def _reason(error: Exception) -> str:
    text = str(error).rstrip(".")
    if isinstance(error, sqlite3.DatabaseError) and "not a database" in text:
        return _NO_STORE
    if isinstance(error, OSError) or "readonly" in text or "unable to open" in text:
        return f"{text}; check the permissions, or name another file with --uri"
    return text
