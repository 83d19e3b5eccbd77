"""Say why a query selects nothing: unknown keys, conditions without a match."""

from collections.abc import Iterator
from typing import Final

from provdb.model import fields as f
from provdb.query.compile import compile_selector, is_exact
from provdb.query.fields import FIELDS, find_field
from provdb.query.run import CompiledQuery
from provdb.query.select import Selection
from provdb.query.survey import field_names
from provdb.query.text import field_text, to_text
from provdb.query.tree import (
    And,
    Field,
    Free,
    Known,
    Node,
    Not,
    Or,
    Query,
    Reach,
)
from provdb.store import Store

__all__ = ["hints_for"]

_LIKENESS: Final = 60
# How much less like a name another one may be that is named beside the best.
_NEARLY: Final = 10
_MOST_NEAR: Final = 3
_MOST_HINTS: Final = 5


def hints_for(store: Store, compiled: CompiledQuery) -> list[str]:
    """Return sentences that say why a query selects nothing; maybe none.

    Args:
        store: The store that was asked.
        compiled: The query.

    Raises:
        StoreUnavailable: The store does not answer.

    >>> from provdb.query.run import compile_query
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> store.initialise()
    >>> hints_for(store, compile_query("software.lstchian:0.10.18"))
    ["no activity has software.lstchian; 'provdb query fields software' lists the keys"]
    """
    selector = compiled.query.selector
    if selector is None:
        return []
    asker = _Asker(store)
    found: dict[str, None] = {}
    lacking: set[Field] = set()
    for field in _fields_of(selector):
        if field not in lacking and asker.lacks(field):
            lacking.add(field)
            found[asker.hint_for(field)] = None
    parts = selector.parts if isinstance(selector, And) else ()
    for part in parts:
        is_told = any(field in lacking for field in _fields_of(part))
        if not is_told and not isinstance(part, Not) and asker.selects_nothing(part):
            found[f"nothing matches {to_text(Query(selector=part))}"] = None
    return list(found)[:_MOST_HINTS]


class _Asker:
    """Asks a store about parts of a query."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._selection = Selection(store)

    def lacks(self, field: Field) -> bool:
        """Say whether a field has keys, and nothing has a value of it."""
        type_ = find_field(field, text=field_text(field)).type
        if not type_.has_keys:
            return False
        return self.selects_nothing(Known(field=field, is_known=True))

    def selects_nothing(self, node: Node) -> bool:
        """Say whether no document matches a part of a query alone.

        What lineage decides is not asked again: that can take as long as the query.
        """
        query = Query(selector=node)
        plans = compile_selector(query, text=to_text(query), zone=self._store.zone)
        return all(
            is_exact(plan.condition)
            and next(self._selection.find(plan, fields=(f.ID,)), None) is None
            for plan in plans
        )

    def hint_for(self, field: Field) -> str:
        """Return what to do about a field that nothing has."""
        # Loaded here, for most queries find something.
        from rapidfuzz import fuzz, process

        name, family = field_text(field), field.parts[0]
        start = len(family) + 1
        known = field_names(self._store, f"{family}.")
        found = process.extract(
            name[start:].lower(),
            {one: one[start:].lower() for one in known},
            scorer=fuzz.ratio,
            limit=_MOST_NEAR,
            score_cutoff=_LIKENESS,
        )
        near = [one for _, likeness, one in found if likeness > found[0][1] - _NEARLY]
        if near:
            return f"no activity has {name}; did you mean {' or '.join(near)}?"
        return f"no activity has {name}; 'provdb query fields {family}' lists the keys"


def _fields_of(node: Node) -> Iterator[Field]:
    """Yield the fields that a selector names, also inside what is reached."""
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from _fields_of(part)
    elif isinstance(node, Not | Reach):
        yield from _fields_of(node.part)
    elif not isinstance(node, Free) and node.field.parts[0] in FIELDS:
        yield node.field
