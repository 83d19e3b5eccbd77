"""What a query means and what a store does for it: tree, pipeline, index."""

from dataclasses import fields, is_dataclass
from typing import Any

from provdb.query.compile import COLLECTION_OF, Lookup, filter_of, is_exact
from provdb.query.json_form import to_json
from provdb.query.run import CompiledQuery, compile_query, tally_pipeline
from provdb.query.select import Selection
from provdb.query.text import to_text
from provdb.query.tree import Query
from provdb.store import Store
from provdb.store.evaluate import Pipeline

__all__ = ["explain"]


def explain(store: Store, query: str | Query | CompiledQuery) -> dict[str, Any]:
    """Return what a query means and which indexes a store uses for it.

    The filter is what the store is asked; what only lineage decides is beside it. A
    look-up in another collection stands where its ids will be.

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
    ['entities_run_level']
    """
    compiled = query if isinstance(query, CompiledQuery) else compile_query(query)
    selection = Selection(store)
    asks = []
    for plan in compiled.plans:
        collection = COLLECTION_OF[plan.kind]
        filter_ = filter_of(plan.condition) or {}
        pipeline: Pipeline = [{"$match": filter_}]
        if compiled.is_tallied:
            pipeline = tally_pipeline(plan.kind, filter_, compiled.fields)
        ask = {
            "collection": collection,
            "pipeline": _shown(pipeline),
            "index": store.indexes_for(collection, selection.filter(plan)),
        }
        if not is_exact(plan.condition):
            ask["then"] = _shown(plan.condition)
        asks.append(ask)
    return {
        "query": to_text(compiled.query),
        "tree": to_json(compiled.query),
        "asks": asks,
    }


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
