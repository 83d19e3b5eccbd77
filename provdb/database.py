"""A store with the questions that it answers: what a script or a notebook needs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from provdb.compare import Comparison, diff
from provdb.ingest import IngestReport, ingest
from provdb.lineage import (
    FileVersions,
    Lineage,
    LinkRule,
    Paths,
    WalkOptions,
    impact,
    lineage,
    path,
    versions,
)
from provdb.model import Document
from provdb.query import Query, Rows, filter_query
from provdb.sessions import get_sessions, list_sessions
from provdb.store import Store, known_collection, open_store, reading_pipeline
from provdb.tabular import RowList

__all__ = ["Database", "connect"]


def connect(
    uri: str, *, zone: tzinfo = UTC, rules: Collection[LinkRule] | None = None
) -> "Database":
    """Open the store that a URI names, to ask it.

    Args:
        uri: ``mongodb://HOST/DATABASE``, ``sqlite:///PATH`` or ``memory://``.
        zone: Zone in which times that name none are read: of records, in queries, and
            of ``as_of``.
        rules: The link rules that may bridge gaps between files, or None for those
            of the store.

    Raises:
        StoreUnavailable: The URI names no store, or cannot be read.

    >>> with connect("memory://") as db:
    ...     db.store.initialise()
    ...     db.sessions()
    []
    """
    return Database(open_store(uri, zone=zone), rules=rules)


class Database:
    """Provenance in a store, and what can be asked of it.

    Attributes:
        store: The store itself.
    """

    def __init__(
        self, store: Store, *, rules: Collection[LinkRule] | None = None
    ) -> None:
        """Ask a store that is open."""
        self.store = store
        self._rules = rules

    def __enter__(self) -> Self:
        """Return the database itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store."""
        self.store.close()

    def ingest(self, *paths: str | Path) -> IngestReport:
        """Store the provenance in logs, as `provdb.ingest.ingest` does."""
        return ingest(self.store, [Path(path) for path in paths])

    def lineage(self, name: str, **options: Any) -> Lineage:
        """Return everything that a file came from, as `provdb.lineage.lineage` does.

        Args:
            name: A path, the end of one, a file name or an id.
            **options: Fields of `WalkOptions`.
        """
        return _shown(lineage(self.store, name, options=self._options(options)))

    def impact(self, name: str, **options: Any) -> Lineage:
        """Return everything that came from a file, as `provdb.lineage.impact` does.

        Args:
            name: A path, the end of one, a file name or an id.
            **options: Fields of `WalkOptions`.
        """
        return _shown(impact(self.store, name, options=self._options(options)))

    def path(self, a: str, b: str, *, limit: int = 10, **options: Any) -> Paths:
        """Return how one file came from another, as `provdb.lineage.path` does.

        Args:
            a: A path, the end of one, a file name or an id.
            b: The other file, in the same way.
            limit: Chains to return at most.
            **options: Fields of `WalkOptions`, but for its limit.
        """
        return path(self.store, a, b, options=self._options(options), limit=limit)

    def diff(
        self, a: str, b: str, *, telescope: str | None = None, **options: Any
    ) -> Comparison:
        """Return what differs between two sides, as `provdb.compare.diff` does.

        Args:
            a: A run, a tag, a production or a file, such as ``run:01807``.
            b: The other side, in the same way.
            telescope: The telescope whose activities are compared; unless told, of all.
            **options: Fields of `WalkOptions`.
        """
        return diff(
            self.store, a, b, options=self._options(options), telescope=telescope
        )

    def versions(self, name: str) -> FileVersions:
        """Return every writing of a file, the latest one first."""
        return versions(self.store, name, rules=self._rules)

    def find(
        self,
        query: str | Query = "",
        *,
        timeout_seconds: float | None = None,
        **filters: Any,
    ) -> Rows:
        """Return the rows that answer a query, asked of the store as they are taken.

        Args:
            query: A line of the query language, a tree, or what was built of
                `provdb.query.field`; all of everything unless told.
            timeout_seconds: How long it may take, or None for any time.
            **filters: Fields and what they are: a value, a list of which it is any,
                or None for what is unknown. A string may have ``*`` and ``?``.

        Raises:
            QuerySyntaxError: The text is no query, or a value is none of its field.
            UnknownField: It names a field that there is not.

        >>> with connect("memory://") as db:
        ...     db.store.initialise()
        ...     list(db.find("level:DL1 | count", run=[1618, 1619]))
        [{'count': 0}]
        >>> from provdb.query import field
        >>> asked = (field.level == "DL1") & (field.run == 1618)
        >>> list(db.find(asked.count()))
        [{'count': 0}]
        """
        asked = filter_query(query, filters)
        return Rows(
            self.store, asked, rules=self._rules, timeout_seconds=timeout_seconds
        )

    def sessions(self, tag: str = "*", *, telescope: str | None = None) -> RowList:
        """Return a line for each session whose tag is like a pattern.

        Args:
            tag: The pattern, with ``*`` and ``?``.
            telescope: The telescope that files of the sessions name; unless told, any.
        """
        return list_sessions(self.store, tag, telescope=telescope)

    def session(self, tag: str) -> list[Document]:
        """Return the documents of all sessions of a tag."""
        return get_sessions(self.store, tag)

    def aggregate(
        self, collection: str, pipeline: Sequence[Mapping[str, Any]]
    ) -> RowList:
        """Return what a pipeline of MongoDB makes of a collection, as a table.

        A store without a server runs the stages and operators that it answers like a
        server, on 100 000 documents at most behind a first ``$match``, and refuses all
        others by their names.

        Args:
            collection: ``activities``, ``entities``, ``sessions``, ``environments`` or
                ``files``.
            pipeline: The stages; none that writes.

        Raises:
            QueryError: There is no such collection, or the pipeline is wrong, writes,
                or cannot be run by this store.

        >>> import provdb
        >>> db = connect("memory://")
        >>> records = provdb.store_demo(db.store)
        >>> ran = {"$match": {"name": "dl2_to_dl3"}}
        >>> db.aggregate("activities", [ran, {"$sortByCount": "$status"}])
        [{'_id': 'completed', 'count': 2}]
        """
        stages = reading_pipeline(pipeline)
        return RowList(self.store.run_pipeline(known_collection(collection), stages))

    def collection(self, name: str) -> Any:
        """Return a collection as it is: of a MongoDB server that of pymongo.

        Without a server it has ``aggregate``, ``find`` and ``count_documents``, within
        what `aggregate` says.

        Args:
            name: ``activities``, ``entities``, ``sessions``, ``environments`` or
                ``files``.

        Raises:
            QueryError: There is no such collection.

        >>> import provdb
        >>> db = connect("memory://")
        >>> records = provdb.store_demo(db.store)
        >>> db.collection("entities").count_documents({"level": "DL3"})
        2
        """
        return self.store.collection(name)

    def _options(self, options: dict[str, Any]) -> WalkOptions:
        as_of = options.get("as_of")
        if as_of is not None and as_of.tzinfo is None:
            as_of = as_of.replace(tzinfo=self.store.zone).astimezone(UTC)
            options = {**options, "as_of": as_of}
        return WalkOptions(**{"rules": self._rules, **options})


def _shown(lineage: Lineage) -> Lineage:
    """Return a lineage that a notebook shows as a graph."""
    # Loaded here: a script that asks something else need not wait for it.
    from provdb.export.notebook import ShownLineage

    return ShownLineage.of(lineage)
