"""What in a store a query selects: documents, with who made them where that is asked.

What a filter can say is left to the store. What only lineage knows is decided here,
for some hundreds of documents at a time.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from provdb.lineage import LinkRule, makers, reach
from provdb.lineage.completeness import Completeness
from provdb.model import Document
from provdb.model import fields as f
from provdb.query.compile import (
    COLLECTION_OF,
    AllOf,
    Condition,
    Constant,
    KindPlan,
    Made,
    Own,
    Reached,
    filter_of,
    is_exact,
)
from provdb.query.fields import Kind
from provdb.query.lookups import Lookups
from provdb.query.routes import (
    ByMakers,
    ByReach,
    Route,
    Several,
    has_made,
    needed_of,
    needed_of_makers,
    outermost,
    route_of,
)
from provdb.store import Store
from provdb.store.base import batches
from provdb.store.evaluate import Filter, matcher

__all__ = ["Found", "Selection"]

_BATCH: Final = 1000
# Ids in one filter; a message of MongoDB holds some hundred thousand.
_IDS: Final = 20_000
_GENERATED: Final = f"{f.GENERATED}.{f.ENTITY}"


class Found(NamedTuple):
    """Something that a query selected.

    Attributes:
        kind: Entity or activity.
        document: Its document, with the fields that are needed of it at least.
        makers: The activities that made the current version of an entity; none where
            nobody asked.
        weight: How many things it stands for.
    """

    kind: Kind
    document: Document
    makers: tuple[Document, ...] = ()
    weight: int = 1


class Selection:
    """Answers the plans of one query, on one store."""

    def __init__(
        self,
        store: Store,
        *,
        rules: Collection[LinkRule] | None = None,
        on_batch: Callable[[], None] = lambda: None,
        on_reached: Callable[[Completeness], None] = lambda _: None,
    ) -> None:
        """Select from a store.

        Args:
            store: Where the documents are.
            rules: The link rules that may bridge gaps, or None for those of the store.
            on_batch: Called often, so that it can stop a long query.
            on_reached: Called with the completeness of each walk.
        """
        self.lookups = Lookups(store)
        self._store = store
        self._rules = rules
        self._on_batch = on_batch
        self._on_reached = on_reached
        self._reached: dict[str, Mapping[Kind, frozenset[str]]] = {}

    def find(
        self,
        plan: KindPlan,
        *,
        fields: Collection[str],
        maker_fields: Collection[str] = (),
    ) -> Iterator[Found]:
        """Yield what a plan selects, in no order.

        Args:
            plan: What is asked of one kind.
            fields: The fields that are needed of activities or entities themselves.
            maker_fields: The fields that are needed of who made an entity.
        """
        kind = plan.kind
        has_makers = kind == "entity" and (
            bool(maker_fields) or has_made(plan.condition)
        )
        if is_exact(plan.condition) and not has_makers:
            found = self._store.find(
                COLLECTION_OF[kind], self.filter(plan), fields=fields
            )
            for documents in batches(found, _BATCH):
                self._on_batch()
                for document in documents:
                    yield Found(kind, document)
            return
        holds = self._decided(plan.condition, kind)
        needed = outermost((f.ID, *fields, *needed_of(plan.condition)))
        of_makers = outermost((f.ID, *maker_fields, *needed_of_makers(plan.condition)))
        candidates = self._candidates(
            route_of(plan.condition), COLLECTION_OF[kind], needed
        )
        for documents in batches(candidates, _BATCH):
            self._on_batch()
            made = self._makers(documents, of_makers) if has_makers else {}
            for document in documents:
                one = Found(kind, document, made.get(document[f.ID], ()))
                if holds(one):
                    yield one

    def filter(self, plan: KindPlan) -> Filter:
        """Return the filter of a plan, with all look-ups answered."""
        filter_ = filter_of(plan.condition)
        return {} if filter_ is None else self.lookups.resolve(filter_)

    def _candidates(
        self, route: Route, collection: str, fields: Collection[str]
    ) -> Iterator[Document]:
        """Yield the documents on a route, each once."""
        if isinstance(route, Several):
            seen = set[str]()
            for part in route.routes:
                for document in self._candidates(part, collection, fields):
                    if document[f.ID] not in seen:
                        seen.add(document[f.ID])
                        yield document
        elif isinstance(route, ByReach):
            kind: Kind = "entity" if collection == f.ENTITIES else "activity"
            ids = self._reached_ids(route.reached)[kind]
            yield from self._with_ids(collection, ids, route.filter, fields)
        elif isinstance(route, ByMakers):
            resolved = self.lookups.resolve(route.makers)
            found = self._store.find(f.ACTIVITIES, resolved, fields=(_GENERATED,))
            ids = frozenset(
                link[f.ENTITY] for activity in found for link in activity[f.GENERATED]
            )
            yield from self._with_ids(collection, ids, route.filter, fields)
        else:
            filter_ = {} if route.filter is None else self.lookups.resolve(route.filter)
            yield from self._store.find(collection, filter_, fields=fields)

    def _with_ids(
        self,
        collection: str,
        ids: Iterable[str],
        filter_: Filter | None,
        fields: Collection[str],
    ) -> Iterator[Document]:
        also = [] if filter_ is None else [self.lookups.resolve(filter_)]
        for batch in batches(sorted(ids), _IDS):
            self._on_batch()
            one = {"$and": [{f.ID: {"$in": batch}}, *also]}
            yield from self._store.find(collection, one, fields=fields)

    def _makers(
        self, documents: Iterable[Document], fields: Collection[str]
    ) -> dict[str, tuple[Document, ...]]:
        made = makers(self._store, [d[f.ID] for d in documents], rules=self._rules)
        ids = sorted(frozenset[str]().union(*made.values()))
        found = self._with_ids(f.ACTIVITIES, ids, None, fields)
        activities = {activity[f.ID]: activity for activity in found}
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
            self._on_reached(reached.completeness)
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
