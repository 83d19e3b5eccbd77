"""Ask a store a query: text in, rows out."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from itertools import chain, islice
from typing import Final

from provdb.errors import StoreUnavailable
from provdb.lineage import LinkRule
from provdb.lineage.completeness import Completeness
from provdb.model import fields as f
from provdb.query.compile import (
    COLLECTION_OF,
    KindPlan,
    compile_selector,
    is_exact,
)
from provdb.query.facts import Facts, needed_fields, needs_makers
from provdb.query.fields import BoundField, Kind
from provdb.query.parse import parse
from provdb.query.routes import outermost
from provdb.query.select import Found, Selection
from provdb.query.stages import (
    Row,
    apply_stage,
    columns_of,
    first_fields,
)
from provdb.query.tallies import Tally, tally_of
from provdb.query.text import to_text
from provdb.query.tree import Query
from provdb.store import Store

__all__ = ["CompiledQuery", "compile_query", "find"]

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
    def tallies(self) -> tuple[Tally, ...]:
        """What a store counts of each kind for the first stage; none if it cannot."""
        told = [tally_of(self.query, plan.kind, self.fields) for plan in self.plans]
        is_exact_each = all(is_exact(plan.condition) for plan in self.plans)
        tallies = tuple(tally for tally in told if tally is not None)
        return tallies if is_exact_each and len(tallies) == len(told) else ()


def compile_query(query: str | Query, *, zone: tzinfo = UTC) -> CompiledQuery:
    """Return what a query asks, without asking it.

    Args:
        query: A text, or a tree.
        zone: Zone in which times that name none are read; that of the store.

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
        plans=compile_selector(tree, text=text, zone=zone),
        fields=first_fields(tree, text=text),
    )


def find(
    store: Store,
    query: str | Query | CompiledQuery,
    *,
    rules: Collection[LinkRule] | None = None,
    timeout_seconds: float | None = None,
    on_reached: Callable[[Completeness], None] = lambda _: None,
) -> Iterator[Row]:
    """Yield the rows that answer a query; the store is asked as they are taken.

    Up to 2000 rows come in order; more come as the store has them, unless the query
    sorts.

    Args:
        store: Where the documents are.
        query: A text, a tree, or what `compile_query` made of one. Times that name no
            zone are read in that of the store.
        rules: The link rules that may bridge gaps, or None for those of the store.
        timeout_seconds: How long it may take, or None for any time.
        on_reached: Called with what each upstream() or downstream() of the query knows
            and does not know, before the rows that depend on it.

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
    compiled = (
        query
        if isinstance(query, CompiledQuery)
        else compile_query(query, zone=store.zone)
    )
    clock = _Clock(store.uri, timeout_seconds)
    selection = Selection(
        store, rules=rules, on_batch=clock.check, on_reached=on_reached
    )
    return _rows(store, compiled, selection)


def _rows(store: Store, compiled: CompiledQuery, selection: Selection) -> Iterator[Row]:
    stages = compiled.query.stages
    has_columns = any(columns_of(stage) for stage in stages)
    facts = Facts(store, compiled.fields)
    found: Iterator[Found]
    if tallies := compiled.tallies:
        found = chain.from_iterable(
            _tallied(store, plan, tally, selection)
            for plan, tally in zip(compiled.plans, tallies, strict=True)
        )
    else:
        found = _in_order(
            chain.from_iterable(
                _selected(plan, compiled.fields, selection, is_default=not has_columns)
                for plan in compiled.plans
            )
        )
    rows = facts.rows(found, is_default=not has_columns)
    for stage in stages:
        rows = apply_stage(stage, rows)
    for row, _ in rows:
        yield row


def _tallied(
    store: Store, plan: KindPlan, tally: Tally, selection: Selection
) -> Iterator[Found]:
    pipeline = tally.pipeline(selection.filter(plan))
    groups = store.aggregate(COLLECTION_OF[plan.kind], pipeline)
    for document, weight in tally.read(groups):
        yield Found(plan.kind, document, weight=weight)


def _selected(
    plan: KindPlan,
    fields: Sequence[BoundField],
    selection: Selection,
    *,
    is_default: bool,
) -> Iterator[Found]:
    needed = needed_fields(plan.kind, fields, is_default=is_default)
    of_makers: tuple[str, ...] = ()
    if plan.kind == "entity" and needs_makers(fields):
        of_makers = needed_fields("activity", fields, is_default=False)
        # The name of the maker is asked for by another name.
        of_makers = outermost((f.NAME, *of_makers))
    return selection.find(
        plan,
        fields=outermost((*needed, _ORDER[plan.kind])),
        maker_fields=of_makers,
    )


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
