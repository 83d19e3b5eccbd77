"""What in a store a query selects: documents, with who made them where that is asked.

What a filter can say is left to the store. What only lineage knows is decided here,
for some hundreds of documents at a time.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from provdb.lineage import LINK_RULES, LinkRule, makers, reach
from provdb.model import Document
from provdb.model import fields as f
from provdb.query.compile import (
    COLLECTION_OF,
    SESSION,
    AllOf,
    AnyOf,
    Condition,
    Constant,
    KindPlan,
    Made,
    Own,
    Reached,
    filter_of,
    is_exact,
    signed,
)
from provdb.query.fields import Kind
from provdb.query.lookups import Lookups
from provdb.store import Store
from provdb.store.base import batches
from provdb.store.evaluate import Filter, matcher

__all__ = ["Found", "Selection"]

_BATCH: Final = 1000
# Ids in one filter; a message of MongoDB holds some hundred thousand.
_IDS: Final = 20_000
_GENERATED: Final = f"{f.GENERATED}.{f.ENTITY}"
# Fields of entities with few documents for a value.
_FEW: Final = (f.ID, f.RUN, f.LOCATION, f.FILE_NAME, f.HASH)
_FEW_MADE: Final = (SESSION, f.SESSION_TAG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something that a query selected.

    Attributes:
        kind: Entity or activity.
        document: Its document.
        makers: The activities that made the current version of an entity; none where
            nobody asked.
        weight: How many things it stands for.
    """

    kind: Kind
    document: Document
    makers: tuple[Document, ...] = ()
    weight: int = field(default=1)


class Selection:
    """Answers the plans of one query, on one store."""

    def __init__(
        self,
        store: Store,
        *,
        rules: Collection[LinkRule] = LINK_RULES,
        on_batch: Callable[[], None] = lambda: None,
    ) -> None:
        """Select from a store.

        Args:
            store: Where the documents are.
            rules: The link rules that may bridge gaps.
            on_batch: Called often, so that it can stop a long query.
        """
        self.lookups = Lookups(store)
        self._store = store
        self._rules = rules
        self._on_batch = on_batch
        self._reached: dict[str, Mapping[Kind, frozenset[str]]] = {}

    def find(
        self, plan: KindPlan, *, fields: Collection[str] = (), with_makers: bool = False
    ) -> Iterator[Found]:
        """Yield what a plan selects, in no order.

        Args:
            plan: What is asked of one kind.
            fields: The fields that are needed of activities or entities themselves.
            with_makers: Whether who made an entity is needed.
        """
        needs_makers = plan.kind == "entity" and (
            with_makers or _has_made(plan.condition)
        )
        if is_exact(plan.condition) and not needs_makers:
            filter_ = self.filter(plan)
            found = self._store.find(COLLECTION_OF[plan.kind], filter_, fields=fields)
            for number, document in enumerate(found):
                if number % _BATCH == 0:
                    self._on_batch()
                yield Found(kind=plan.kind, document=document)
            return
        holds = self._decided(plan.condition, plan.kind)
        for documents in batches(self._candidates(plan), _BATCH):
            self._on_batch()
            made = self._makers(documents) if needs_makers else {}
            for document in documents:
                found_one = Found(
                    kind=plan.kind,
                    document=document,
                    makers=made.get(document[f.ID], ()),
                )
                if holds(found_one):
                    yield found_one

    def filter(self, plan: KindPlan) -> Filter:
        """Return the filter of a plan, with all look-ups answered."""
        filter_ = filter_of(plan.condition)
        return {} if filter_ is None else self.lookups.resolve(filter_)

    def _candidates(self, plan: KindPlan) -> Iterator[Document]:
        """Yield the documents that a plan may select, by the shortest way there."""
        collection = COLLECTION_OF[plan.kind]
        own = filter_of(plan.condition)
        parts = _parts(plan.condition)
        for part in parts:
            if isinstance(part, Reached) and not part.is_negated:
                ids = self._reached_ids(part)[plan.kind]
                yield from self._with_ids(collection, sorted(ids), own)
                return
        driving = None
        if own is None or not _names(own) & set(_FEW):
            few = () if own is None else _FEW_MADE
            driving = _driving(parts, among=few)
        if driving is not None:
            resolved = self.lookups.resolve(driving)
            found = self._store.find(f.ACTIVITIES, resolved, fields=(_GENERATED,))
            ids = frozenset(
                link[f.ENTITY] for activity in found for link in activity[f.GENERATED]
            )
            yield from self._with_ids(collection, sorted(ids), own)
            return
        filter_ = {} if own is None else self.lookups.resolve(own)
        yield from self._store.find(collection, filter_)

    def _with_ids(
        self, collection: str, ids: Iterable[str], filter_: Filter | None
    ) -> Iterator[Document]:
        also = [] if filter_ is None else [self.lookups.resolve(filter_)]
        for batch in batches(ids, _IDS):
            self._on_batch()
            one = {f.ID: {"$in": batch}}
            yield from self._store.find(collection, {"$and": [one, *also]})

    def _makers(self, documents: Iterable[Document]) -> dict[str, tuple[Document, ...]]:
        made = makers(self._store, [d[f.ID] for d in documents], rules=self._rules)
        ids = sorted(frozenset[str]().union(*made.values()))
        activities = {a[f.ID]: a for a in self._store.read(f.ACTIVITIES, ids)}
        return {
            entity: tuple(activities[maker] for maker in sorted(by))
            for entity, by in made.items()
        }

    def _reached_ids(self, condition: Reached) -> Mapping[Kind, frozenset[str]]:
        key = repr((condition.direction, condition.plans))
        if key not in self._reached:
            starts: dict[Kind, list[str]] = {"entity": [], "activity": []}
            for plan in condition.plans:
                found = self.find(plan, fields=(f.ID,))
                starts[plan.kind] = sorted(one.document[f.ID] for one in found)
            self._on_batch()
            reached = reach(
                self._store,
                entities=starts["entity"],
                activities=starts["activity"],
                is_upstream=condition.direction == "upstream",
                rules=self._rules,
            )
            self._reached[key] = {
                "entity": reached.entities,
                "activity": reached.activities,
            }
        return self._reached[key]

    def _decided(self, condition: Condition, kind: Kind) -> Callable[[Found], bool]:
        """Return what says whether a condition holds of something."""
        if isinstance(condition, Constant):
            return lambda found: condition.value
        if isinstance(condition, Own):
            is_own = matcher(self.lookups.resolve(condition.filter))
            return lambda found: is_own(found.document)
        if isinstance(condition, Reached):
            ids = self._reached_ids(condition)[kind]
            return lambda found: (
                (found.document[f.ID] in ids) is not (condition.is_negated)
            )
        if isinstance(condition, Made):
            return self._decided_of_makers(condition)
        parts = [self._decided(part, kind) for part in condition.parts]
        if isinstance(condition, AllOf):
            return lambda found: all(part(found) for part in parts)
        return lambda found: any(part(found) for part in parts)

    def _decided_of_makers(self, condition: Made) -> Callable[[Found], bool]:
        is_known = matcher(self.lookups.resolve(condition.known))
        holds = matcher(self.lookups.resolve(condition.positive))
        decided: dict[str, Callable[[Found], bool]] = {
            "is": lambda found: any(map(holds, found.makers)),
            "is not": lambda found: (
                any(map(is_known, found.makers)) and not any(map(holds, found.makers))
            ),
            "known": lambda found: any(map(is_known, found.makers)),
            "unknown": lambda found: not any(map(is_known, found.makers)),
        }
        return decided[condition.sign]


def _parts(condition: Condition) -> tuple[Condition, ...]:
    return condition.parts if isinstance(condition, AllOf) else (condition,)


def _has_made(condition: Condition) -> bool:
    if isinstance(condition, AllOf | AnyOf):
        return any(map(_has_made, condition.parts))
    return isinstance(condition, Made)


def _driving(parts: Iterable[Condition], *, among: Collection[str]) -> Filter | None:
    """Return what one of the makers matches of everything that is selected.

    Args:
        parts: Conditions of which all hold.
        among: Fields of which it must name one, the best first; none for any.
    """
    filters = [made for part in parts if (made := _of_a_maker(part)) is not None]
    for name in (*_FEW_MADE, *among):
        for filter_ in filters:
            if name in _names(filter_):
                return filter_
    return None if among or not filters else filters[0]


def _of_a_maker(condition: Condition) -> Filter | None:
    if isinstance(condition, AnyOf):
        filters = [_of_a_maker(part) for part in condition.parts]
        told = [filter_ for filter_ in filters if filter_ is not None]
        return {"$or": told} if len(told) == len(filters) else None
    if isinstance(condition, Made) and condition.sign != "unknown":
        return signed(condition.positive, condition.known, condition.sign)
    return None


def _names(filter_: Filter) -> set[str]:
    """Return the fields of which a filter asks something that all must have."""
    names: set[str] = set()
    for name, value in filter_.items():
        if name == "$and":
            names = names.union(*map(_names, value))
        elif name == "$or":
            # Any of them may be the one that matches.
            names |= set.intersection(*map(_names, value)) if value else set()
            if all(_names(part) & set(_FEW) for part in value):
                names.add(f.ID)
        elif not _is_open(value):
            names.add(name)
    return names


def _is_open(value: Any) -> bool:
    """Say whether a condition is one that most values meet."""
    return isinstance(value, dict) and not {"$in", "$gte", "$lt"} & value.keys()
