"""Collections by their names, and what can be asked of one without a server."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from provdb.errors import QueryError
from provdb.model import Document
from provdb.model import fields as f
from provdb.store.base import Store
from provdb.store.evaluate import Filter, Pipeline

__all__ = ["LocalCollection", "known_collection", "reading_pipeline"]

_WRITING: Final = ("$out", "$merge")


def known_collection(name: str) -> str:
    """Return the name of a collection that stores have.

    Raises:
        QueryError: A store has no collection of that name.
    """
    if name not in f.COLLECTIONS:
        known = ", ".join(f.COLLECTIONS)
        raise QueryError(f"there is no collection {name:.80}; known are {known}")
    return name


def reading_pipeline(pipeline: Any) -> Pipeline:
    """Return a pipeline that is a list of stages, none of which writes.

    Raises:
        QueryError: It is none.
    """
    is_list = isinstance(pipeline, Sequence) and not isinstance(pipeline, str)
    for stage in pipeline if is_list else [pipeline]:
        if not isinstance(stage, Mapping) or len(stage) != 1 or not is_list:
            raise QueryError(
                "a pipeline is a list of stages, each one operator with what it takes, "
                f"and not {stage!r:.80}"
            )
        (name,) = stage
        if name in _WRITING:
            raise QueryError(
                f"{name} writes, and a question does not; the collection of a MongoDB "
                "server, db.collection(…), can do it"
            )
    return list(pipeline)


class LocalCollection:
    """A collection without a server: the verbs of pymongo's that only read.

    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> store.initialise()
    >>> list(store.collection("activities").aggregate([{"$sortByCount": "$name"}]))
    []
    """

    def __init__(self, store: Store, name: str) -> None:
        """Name a collection of a store."""
        self.name = name
        self._store = store

    def aggregate(self, pipeline: Pipeline) -> Iterator[Document]:
        """Yield what a pipeline gives, as `Store.run_pipeline` does."""
        return self._store.run_pipeline(self.name, reading_pipeline(pipeline))

    def find(
        self, filter: Filter | None = None, projection: Filter | None = None
    ) -> Iterator[Document]:
        """Yield what matches a filter.

        Args:
            filter: What it matches, or None for all.
            projection: What is shown of it, as in a ``$project``, or None for all.
        """
        shown = [{"$project": projection}] if projection else []
        return self.aggregate([{"$match": filter or {}}, *shown])

    def count_documents(self, filter: Filter) -> int:
        """Return how many documents match a filter."""
        return sum(1 for _ in self.find(filter))
