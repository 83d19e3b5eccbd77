"""What a query means and what a store does for it: tree, pipeline, index."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from provdb.model import fields as f
from provdb.query.compile import COLLECTION_OF, KindPlan, Lookup, filter_of, is_exact
from provdb.query.json_form import to_json
from provdb.query.routes import ByMakers, ByReach, Route, Several, route_of
from provdb.query.run import CompiledQuery, compile_query
from provdb.query.select import Selection
from provdb.query.tallies import Tally
from provdb.query.text import to_text
from provdb.query.tree import Query
from provdb.store import Store
from provdb.store.evaluate import Filter, Pipeline

__all__ = ["explain"]


def explain(store: Store, query: str | Query | CompiledQuery) -> dict[str, Any]:
    """Return what a query means and which indexes a store uses for it.

    The questions are in the order in which the store is asked. A look-up in another
    collection stands where its ids will be; what only lineage decides is beside the
    question whose answer it is about.

    Args:
        store: The store that would be asked.
        query: A text, a tree, or what `compile_query` made of one.

    Raises:
        QuerySyntaxError: The text is no query, or a value is none of its field.
        UnknownField: It names a field that there is not.

    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> store.initialise()
    >>> explain(store, "run:1618 level:DL1")["asks"][0]["index"]
    ['entities_level_run']
    """
    compiled = (
        query
        if isinstance(query, CompiledQuery)
        else compile_query(query, zone=store.zone)
    )
    asker = _Asker(store)
    for number, plan in enumerate(compiled.plans):
        tally = compiled.tallies[number] if compiled.tallies else None
        asker.ask(plan, tally=tally)
    return {
        "query": to_text(compiled.query),
        "tree": to_json(compiled.query),
        "asks": asker.asks,
    }


class _Asker:
    """Notes what a store would be asked, in that order."""

    def __init__(self, store: Store) -> None:
        self.asks: list[dict[str, Any]] = []
        self._store = store
        self._selection = Selection(store)

    def ask(self, plan: KindPlan, *, tally: Tally | None = None) -> None:
        """Note what is asked for a plan."""
        collection = COLLECTION_OF[plan.kind]
        if is_exact(plan.condition):
            filter_ = filter_of(plan.condition) or {}
            told = [{"$match": filter_}] if tally is None else tally.pipeline(filter_)
            self._note(collection, filter_, told)
            return
        self._follow(route_of(plan.condition), collection)
        self.asks[-1]["then"] = _shown(plan.condition)

    def _follow(self, route: Route, collection: str) -> None:
        if isinstance(route, Several):
            for part in route.routes:
                self._follow(part, collection)
        elif isinstance(route, ByMakers):
            self._note(f.ACTIVITIES, route.makers, [{"$match": route.makers}])
            self._among("what these generated", collection, route.filter)
        elif isinstance(route, ByReach):
            for plan in route.reached.plans:
                self.ask(plan)
            reached = f"what is {route.reached.direction} of these"
            self._among(reached, collection, route.filter)
        else:
            filter_ = route.filter or {}
            self._note(collection, filter_, [{"$match": filter_}])

    def _among(self, whose: str, collection: str, filter_: Filter | None) -> None:
        also = filter_ or {}
        asked = {"$and": [{f.ID: {"$in": [""]}}, also]} if also else {f.ID: ""}
        told = {f.ID: {"$in": whose}, **also}
        self._note(collection, asked, [{"$match": told}])

    def _note(self, collection: str, filter_: Filter, pipeline: Pipeline) -> None:
        for lookup in _lookups(filter_):
            if lookup.collection != f.FILES:
                self._note(
                    lookup.collection, lookup.filter, [{"$match": lookup.filter}]
                )
        resolved = self._selection.lookups.resolve(filter_)
        self.asks.append(
            {
                "collection": collection,
                "pipeline": _shown(pipeline),
                "index": self._store.indexes_for(collection, resolved),
            }
        )


def _lookups(value: Any) -> Iterator[Lookup]:
    """Yield what a filter looks up in other collections."""
    if isinstance(value, Lookup):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _lookups(part)
    elif isinstance(value, list):
        for part in value:
            yield from _lookups(part)


def _shown(value: Any) -> Any:
    """Return filters and conditions as JSON shows them."""
    if isinstance(value, Lookup):
        return {"look up": value.collection, "filter": _shown(value.filter)}
    if isinstance(value, dict):
        return {name: _shown(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(part) for part in value]
    if is_dataclass(value) and not isinstance(value, type):
        parts = {part.name: getattr(value, part.name) for part in fields(value)}
        return {type(value).__name__.lower(): _shown(parts)}
    return value
