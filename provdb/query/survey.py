"""What the fields of a query hold in a store: how often, and which values and keys.

A large store is not read: some of its documents tell, and of each step a few more, for
a step that ran once may have parameters that no other has.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from provdb.lineage import makers
from provdb.lineage.known_names import names_starting
from provdb.model import Document
from provdb.model import fields as f
from provdb.model.values import decode_key, is_wrapped
from provdb.query.configs import read_copy
from provdb.query.facts import Facts
from provdb.query.fields import FIELDS, BoundField, FieldType, find_field
from provdb.query.select import Found
from provdb.query.text import field_text
from provdb.query.tree import Field
from provdb.store import Store
from provdb.store.evaluate import value_at

__all__ = ["FieldUse", "Survey", "field_names", "survey"]

# Documents of a collection that are read, and of the activities of one name.
_SAMPLE: Final = 1000
_OF_A_NAME: Final = 5
_MOST_NAMES: Final = 100
_MOST_COPIES: Final = 50
_DEEPEST: Final = 8
_MOST_EXAMPLES: Final = 3
_MADE_BY: Final = "made_by"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldUse:
    """A field, and what a store has of it.

    Attributes:
        name: Its name as a query writes it, with its key.
        type: The field, or the family of fields.
        count: How many documents have it.
        is_estimated: Whether the count is an estimate, from some of the documents.
        examples: Some of its values, the most frequent ones first; of a family its
            fields, in order.
    """

    name: str
    type: FieldType
    count: int
    is_estimated: bool
    examples: tuple[Any, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return what somebody who asks must know of the field."""
        told = self.type.to_dict()
        if self.type.has_keys and self.name != told["field"]:
            told["example"] = f"{self.name} is known"
        return {
            **told,
            "field": self.name,
            "count": self.count,
            "estimated": self.is_estimated,
            "examples": list(self.examples),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a store has of the fields.

    Attributes:
        uses: The fields.
        read: How many documents were read of a collection that was not read whole,
            and how many it has; counts are estimates where there is one.
    """

    uses: tuple[FieldUse, ...]
    read: Mapping[str, tuple[int, int]]


def survey(store: Store, prefix: str = "", *, size: int = _SAMPLE) -> Survey:
    """Return what a store has of the fields that can be asked for.

    Fields with keys are one, unless the prefix names their family: then each key is.

    Args:
        store: Where the documents are.
        prefix: How the names of the fields start.
        size: How many documents of a collection are read at most; where there are
            more, counts are estimates from so many.

    Raises:
        StoreUnavailable: The store does not answer.

    >>> from provdb.model import fold
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> start = {"name": "r0_to_dl1", "startTime": "2020-05-18T10:00:00"}
    >>> record = {**start, "activity_id": "1a", "session_tag": "r0_to_dl1:01618"}
    >>> counts = store.write(fold([record, {**record, "parameters": {"ProdID": "03"}}]))
    >>> (use,) = survey(store, "param.").uses
    >>> use.name, use.count, use.examples
    ('param.ProdID', 1, ('03',))
    """
    seen = _Seen(store, size=size)
    family, dot, _ = prefix.partition(".")
    named = FIELDS.get(family)
    if named is not None and named.has_keys and (dot or prefix == family):
        bound = [
            field for field in seen.fields_of(named) if field.name.startswith(prefix)
        ]
        uses = seen.uses(bound)
    else:
        asked = [t for t in FIELDS.values() if t.name.startswith(prefix)]
        bound = [_bound(type_) for type_ in asked if not type_.has_keys]
        found = {use.name: use for use in seen.uses(bound)}
        found |= {t.name: seen.use_of_family(t) for t in asked if t.has_keys}
        uses = [found[type_.name] for type_ in asked]
    return Survey(uses=tuple(uses), read=seen.read)


def field_names(store: Store, prefix: str, *, size: int = _OF_A_NAME) -> list[str]:
    """Return the names of the fields of a family that start so, in order.

    Args:
        store: Where the documents are.
        prefix: How they start: the name of the family, a dot, and more.
        size: How many documents are read, beside a few of each step.
    """
    family = FIELDS[prefix.partition(".")[0]]
    found = _Seen(store, size=size).fields_of(family)
    return [field.name for field in found if field.name.startswith(prefix)]


class _Seen:
    """The documents that were read."""

    def __init__(self, store: Store, *, size: int) -> None:
        self._store = store
        self._shares: dict[str, float] = {}
        self._held: dict[str, dict[str, list[tuple[str, ...]]]] = {}
        self.read: dict[str, tuple[int, int]] = {}
        self._activities = self._some(f.ACTIVITIES, size)
        self._entities = self._some(f.ENTITIES, size)

    def uses(self, fields: Sequence[BoundField]) -> list[FieldUse]:
        """Return what there is of fields."""
        examples: dict[str, Counter[str]] = {field.name: Counter() for field in fields}
        values: dict[tuple[str, str], Any] = {}
        counts = dict.fromkeys((field.name for field in fields), 0.0)
        # What an entity only has of who made it is counted where it stands.
        own = [b for b in fields if b.type.entity or b.type.activity is None]
        for collection, asked, found in (
            (f.ACTIVITIES, fields, self._found_activities()),
            (f.ENTITIES, own, self._found_entities(own)),
        ):
            for row, _ in Facts(self._store, asked).rows(found, is_default=False):
                for name, value in row.items():
                    if value is not None:
                        counts[name] += self._shares[collection]
                        for one in value if isinstance(value, list) else [value]:
                            examples[name][repr(one)] += 1
                            values[name, repr(one)] = one
        return [
            FieldUse(
                name=field.name,
                type=field.type,
                count=_rounded(counts[field.name], is_whole=not self.read),
                is_estimated=bool(self.read),
                examples=tuple(
                    values[field.name, written]
                    for written, _ in sorted(
                        examples[field.name].items(), key=lambda e: (-e[1], e[0])
                    )[:_MOST_EXAMPLES]
                ),
            )
            for field in fields
        ]

    def use_of_family(self, family: FieldType) -> FieldUse:
        """Return what there is of a field with keys, whichever they are."""
        held = self._keys_held(family)
        count = sum(
            any(held.get(holder) for holder in _holders(a, family))
            for a in self._activities
        )
        return FieldUse(
            name=f"{family.name}.KEY",
            type=family,
            count=_rounded(count * self._shares[f.ACTIVITIES], is_whole=not self.read),
            is_estimated=bool(self.read),
            examples=tuple(field.name for field in self.fields_of(family)),
        )

    def fields_of(self, family: FieldType) -> list[BoundField]:
        """Return the fields of a family that there are, in order."""
        found = {
            field.name: field
            for several in self._keys_held(family).values()
            for keys in several
            for field in _with_keys(family, keys)
        }
        return [found[name] for name in sorted(found, key=_without_quotes)]

    def _keys_held(self, family: FieldType) -> dict[str, list[tuple[str, ...]]]:
        """Return the keys of a family, by the id of the document that holds them."""
        if family.name not in self._held:
            self._held[family.name] = {
                holder: list(_leaves(held))
                for holder, held in self._documents_of(family)
                if isinstance(held, Mapping)
            }
        return self._held[family.name]

    def _documents_of(self, family: FieldType) -> Iterator[tuple[str, Any]]:
        place = family.activity
        assert place is not None  # A family is about activities.
        activities = [*self._activities, *self._few_of_each_name]
        if place.source == "own":
            for activity in activities:
                yield activity[f.ID], value_at(activity, place.path)
            return
        ids = sorted({id_ for a in activities for id_ in _holders(a, family)})
        if place.source == "config":
            for copy in self._store.read(f.FILES, ids[:_MOST_COPIES]):
                yield copy[f.ID], read_copy(copy)
            return
        for document in self._store.read(f.ENVIRONMENTS, ids):
            yield document[f.ID], value_at(document, place.path)

    @cached_property
    def _few_of_each_name(self) -> list[Document]:
        if f.ACTIVITIES not in self.read:
            return []
        names = names_starting(
            self._store, "", collection=f.ACTIVITIES, field=f.NAME, limit=_MOST_NAMES
        )
        return [
            document
            for name in names
            for document in self._store.sample(
                f.ACTIVITIES, size=_OF_A_NAME, filter_={f.NAME: name}
            )
        ]

    def _found_activities(self) -> Iterator[Found]:
        for document in self._activities:
            yield Found(kind="activity", document=document)

    def _found_entities(self, fields: Iterable[BoundField]) -> Iterator[Found]:
        made: Mapping[str, Iterable[str]] = {}
        by_id: dict[str, Document] = {}
        if any(field.type.name == _MADE_BY for field in fields):
            made = makers(self._store, [d[f.ID] for d in self._entities])
            ids = sorted({id_ for several in made.values() for id_ in several})
            by_id = {d[f.ID]: d for d in self._store.read(f.ACTIVITIES, ids)}
        for document in self._entities:
            # Of an activity nothing is counted here but that it made something.
            names = {by_id[id_][f.NAME] for id_ in made.get(document[f.ID], ())}
            makers_named = tuple({f.ID: name, f.NAME: name} for name in sorted(names))
            yield Found(kind="entity", document=document, makers=makers_named)

    def _some(self, collection: str, size: int) -> list[Document]:
        found = self._store.sample(collection, size=size)
        total = max(len(found), self._store.document_count(collection))
        if total > len(found):
            self.read[collection] = (len(found), total)
        self._shares[collection] = total / len(found) if found else 1
        return found


def _holders(activity: Document, family: FieldType) -> list[str]:
    """Return the ids of the documents in which an activity has a family."""
    source = "own" if family.activity is None else family.activity.source
    if source == "environment":
        return list(filter(None, [activity.get(f.ENVIRONMENT)]))
    if source == "config":
        return [copy[f.ENTITY] for copy in activity.get(f.COPIES) or ()]
    return [activity[f.ID]]


def _bound(type_: FieldType) -> BoundField:
    return BoundField(name=type_.name, type=type_)


def _with_keys(family: FieldType, keys: Sequence[str]) -> Iterator[BoundField]:
    decoded = [decode_key(key) for key in keys]
    # A key that is no text, or an empty one, cannot be asked for.
    if all(isinstance(key, str) and key for key in decoded):
        field = Field(parts=(family.name, *decoded))
        yield find_field(field, text=field_text(field))


def _without_quotes(name: str) -> str:
    return name.replace('"', "")


def _leaves(
    held: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    for key, value in held.items():
        is_mapping = isinstance(value, Mapping) and value and not is_wrapped(value)
        if is_mapping and len(above) < _DEEPEST:
            yield from _leaves(value, (*above, key))
        elif value is not None:
            yield (*above, key)


def _rounded(count: float, *, is_whole: bool) -> int:
    """Return a count, with the two digits that an estimate has."""
    if is_whole or count < 100:
        return round(count)
    return int(round(count, 2 - len(str(round(count)))))
