"""Ask a store a query: text in, rows out."""

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final

from provdb.errors import StoreUnavailable
from provdb.lineage import LINK_RULES, LinkRule
from provdb.model import fields as f
from provdb.query.compile import (
    COLLECTION_OF,
    KindPlan,
    compile_selector,
    is_exact,
)
from provdb.query.facts import DURATION, Facts, needed_fields, needs_makers
from provdb.query.fields import BoundField, Kind
from provdb.query.parse import parse
from provdb.query.select import Found, Selection
from provdb.query.stages import (
    Row,
    apply_stage,
    columns_of,
    first_fields,
)
from provdb.query.text import to_text
from provdb.query.tree import Count, Measure, Query, Unique
from provdb.store import Store
from provdb.store.evaluate import Filter, Pipeline

__all__ = ["CompiledQuery", "compile_query", "find", "tally_pipeline"]

# So many rows come in order; more come as the store gives them.
_SORTED: Final = 2000
_ORDER: Final[dict[Kind, str]] = {"entity": f.LOCATION, "activity": f.START}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledQuery:
    """A query that can be asked of any store.

    Attributes:
        query: Its tree.
        text: Its text.
        plans: What it asks of each kind that it ranges over.
        fields: The fields of documents that its stages need.
    """

    query: Query
    text: str
    plans: tuple[KindPlan, ...]
    fields: tuple[BoundField, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its rows, or none where nothing chooses them."""
        chosen: tuple[str, ...] = ()
        for stage in self.query.stages:
            chosen = columns_of(stage) or chosen
        return chosen

    @property
    def is_tallied(self) -> bool:
        """Whether the store can count documents that are alike for the first stage."""
        return (
            bool(self.query.stages)
            and isinstance(self.query.stages[0], Count | Measure | Unique)
            and all(
                is_exact(plan.condition)
                and (plan.kind == "activity" or not needs_makers(self.fields))
                for plan in self.plans
            )
        )


def compile_query(query: str | Query) -> CompiledQuery:
    """Return what a query asks, without asking it.

    Args:
        query: A text, or a tree.

    Raises:
        QuerySyntaxError: The text is no query, or a value is none of its field.
        UnknownField: It names a field that there is not.

    >>> compile_query("run:1618 | count by status").columns
    ('status', 'count')
    """
    text = query if isinstance(query, str) else to_text(query)
    # A tree is read again from its text, so that a message can point there.
    tree = parse(text)
    return CompiledQuery(
        query=tree,
        text=text,
        plans=compile_selector(tree, text=text),
        fields=first_fields(tree, text=text),
    )


def find(
    store: Store,
    query: str | Query | CompiledQuery,
    *,
    rules: Collection[LinkRule] = LINK_RULES,
    timeout_seconds: float | None = None,
) -> Iterator[Row]:
    """Yield the rows that answer a query; the store is asked as they are taken.

    Up to 2000 rows come in order; more come as the store has them, unless the query
    sorts.

    Args:
        store: Where the documents are.
        query: A text, a tree, or what `compile_query` made of one.
        rules: The link rules that may bridge gaps.
        timeout_seconds: How long it may take, or None for any time.

    Raises:
        QuerySyntaxError: The text is no query, or a value is none of its field.
        UnknownField: It names a field that there is not.
        StoreUnavailable: The store does not answer, or not in time.

    >>> from provdb.model import fold
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> raw = {"entity_id": "446f45", "filepath": "/R0/LST-1.1.Run01618.0008.fits.fz"}
    >>> counts = store.write(fold([raw]))
    >>> [row["location"] for row in find(store, "level:R0 run:1618")]
    ['/R0/LST-1.1.Run01618.0008.fits.fz']
    """
    compiled = query if isinstance(query, CompiledQuery) else compile_query(query)
    clock = _Clock(store.uri, timeout_seconds)
    selection = Selection(store, rules=rules, on_batch=clock.check)
    return _rows(store, compiled, selection)


def tally_pipeline(
    kind: str, filter_: Filter, fields: Iterable[BoundField]
) -> Pipeline:
    """Return the pipeline that counts what is alike in the fields of documents.

    Args:
        kind: Entity or activity.
        filter_: What is counted.
        fields: The fields in which it may differ.

    >>> counted = compile_query("level:DL1 | count by run")
    >>> tally_pipeline("entity", {"level": "DL1"}, counted.fields)[1]
    {'$group': {'_id': {'f0': '$run'}, 'count': {'$sum': 1}}}
    """
    key: dict[str, Any] = {
        f"f{number}": _computed(name)
        for number, name in enumerate(_tallied(kind, fields))
    }
    return [
        {"$match": filter_},
        {"$group": {f.ID: key, "count": {"$sum": 1}}},
    ]


def _rows(store: Store, compiled: CompiledQuery, selection: Selection) -> Iterator[Row]:
    stages = compiled.query.stages
    has_columns = any(columns_of(stage) for stage in stages)
    facts = Facts(store, compiled.fields)
    if compiled.is_tallied:
        found = _tallies(store, compiled, selection)
    else:
        needed = {
            plan.kind: needed_fields(
                plan.kind, compiled.fields, is_default=not has_columns
            )
            for plan in compiled.plans
        }
        found = chain.from_iterable(
            selection.find(
                plan,
                fields=tuple(dict.fromkeys((*needed[plan.kind], _ORDER[plan.kind]))),
                with_makers=needs_makers(compiled.fields),
            )
            for plan in compiled.plans
        )
        found = _in_order(found)
    rows = facts.rows(found, is_default=not has_columns)
    for stage in stages:
        rows = apply_stage(stage, rows)
    for row, _ in rows:
        yield row


def _tallies(
    store: Store, compiled: CompiledQuery, selection: Selection
) -> Iterator[Found]:
    for plan in compiled.plans:
        names = _tallied(plan.kind, compiled.fields)
        pipeline = tally_pipeline(plan.kind, selection.filter(plan), compiled.fields)
        for group in store.aggregate(COLLECTION_OF[plan.kind], pipeline):
            document: dict[str, Any] = {}
            for number, name in enumerate(names):
                _put(document, name, group[f.ID].get(f"f{number}"))
            yield Found(kind=plan.kind, document=document, weight=group["count"])


def _tallied(kind: str, fields: Iterable[BoundField]) -> list[str]:
    bound = list(fields)
    names = dict.fromkeys(needed_fields(kind, bound, is_default=False))
    is_lasting = kind == "activity" and any(b.type.type == DURATION for b in bound)
    if is_lasting:
        others = needed_fields(
            kind, [b for b in bound if b.type.type != DURATION], is_default=False
        )
        names = dict.fromkeys((*others, DURATION))
    if not any(field.type.name == "id" for field in bound):
        names.pop(f.ID, None)
    return list(names)


def _computed(name: str) -> Any:
    if name == DURATION:
        return {"$subtract": [f"${f.END}", f"${f.START}"]}
    return f"${name}"


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split(".")
    for key in above:
        document = document.setdefault(key, {})
    document[last] = value


def _in_order(found: Iterator[Found]) -> Iterator[Found]:
    first = list(islice(found, _SORTED + 1))
    if len(first) <= _SORTED:
        first.sort(key=_place)
    yield from first
    yield from found


def _place(found: Found) -> tuple[str, str, str]:
    value = found.document.get(_ORDER[found.kind])
    return found.kind, str(value or ""), found.document[f.ID]


class _Clock:
    """Ends what takes too long."""

    def __init__(self, uri: str, timeout_seconds: float | None) -> None:
        self._uri = uri
        self._seconds = timeout_seconds
        self._end = (
            None if timeout_seconds is None else time.monotonic() + timeout_seconds
        )

    def check(self) -> None:
        """Raise an error if the time is over."""
        if self._end is not None and time.monotonic() > self._end:
            raise StoreUnavailable(
                self._uri,
                f"no whole answer within {self._seconds:g} s; ask for less, "
                "or give more time with --timeout",
            )
