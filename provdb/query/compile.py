"""From the tree of a query to filters of MongoDB; nothing is asked of a store here.

A condition is true, false or unknown of a document, and "not" leaves unknown what is
unknown. So negations are moved down to the single conditions, where "is not" means
"is known, and is not". What stands in another document becomes a `Lookup` in the
filter; what only lineage knows becomes a condition of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Final, Literal, TypeAlias

from provdb.errors import QuerySyntaxError
from provdb.model import fields as f
from provdb.query.fields import FIELDS, KIND, BoundField, Kind, Place, find_field
from provdb.query.tree import (
    And,
    Compare,
    Field,
    Free,
    Known,
    Match,
    Member,
    Node,
    Not,
    Or,
    Order,
    Query,
    Reach,
    Text,
)
from provdb.query.values import known, positive
from provdb.store.evaluate import Filter

__all__ = [
    "COLLECTION_OF",
    "SESSION",
    "AllOf",
    "AnyOf",
    "Condition",
    "Constant",
    "KindPlan",
    "Lookup",
    "Made",
    "Own",
    "Reached",
    "Sign",
    "compile_selector",
    "filter_of",
    "is_exact",
    "signed",
]

# Stands for a field in a filter: the session of an activity is one of those looked up.
SESSION: Final = "$session"
COLLECTION_OF: Final[dict[Kind, str]] = {
    "entity": f.ENTITIES,
    "activity": f.ACTIVITIES,
}
_KINDS: Final[tuple[Kind, ...]] = ("entity", "activity")
_KIND_EXPECTED: Final = "kind:entity, kind:activity or kind:any"
_COLLECTION: Final = {"environment": f.ENVIRONMENTS, "session": f.SESSIONS}

Sign = Literal["is", "is not", "known", "unknown"]
_NOT: Final[dict[Sign, Sign]] = {
    "is": "is not",
    "is not": "is",
    "known": "unknown",
    "unknown": "known",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """The ids of the documents of another collection that match a filter.

    Attributes:
        collection: That collection; of files, the filter is about their content.
        filter: What they match.
    """

    collection: str
    filter: Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A filter on the document itself."""

    filter: Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A condition on the activities that made the current version of an entity.

    Attributes:
        positive: What matches one of which it holds.
        known: What matches one that has the field.
        sign: What is asked: that it holds of one, that it is known and holds of none,
            that the field is known, or that it is not.
    """

    positive: Filter
    known: Filter
    sign: Sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Whether something is reached from all that other plans select."""

    direction: Literal["upstream", "downstream"]
    plans: "tuple[KindPlan, ...]"
    is_negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """What holds of everything, or of nothing."""

    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """What holds where all parts hold."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """What holds where any part holds."""

    parts: "tuple[Condition, ...]"


Condition: TypeAlias = Own | Made | Reached | Constant | AllOf | AnyOf


@dataclass(frozen=True, slots=True, kw_only=True)
class KindPlan:
    """What a query asks of entities, or of activities."""

    kind: Kind
    condition: Condition


def compile_selector(
    query: Query, *, text: str, zone: tzinfo = UTC
) -> tuple[KindPlan, ...]:
    """Return what a query asks of each kind that it ranges over.

    Args:
        query: The query.
        text: The text that it was read from, for messages.
        zone: Zone in which times that name none are read.

    Raises:
        QuerySyntaxError: A value is none of the type of its field.
        UnknownField: There is no such field.

    >>> from provdb.query.parse import parse
    >>> (plan,) = compile_selector(parse("level:DL2 -run:1618"), text="")
    >>> plan.kind, filter_of(plan.condition)
    ('entity', {'level': 'DL2', 'run': {'$nin': [1618, None]}})
    """
    stage_fields = list(_fields_of_stages(query))
    compiler = _Compiler(text, zone)
    return compiler.plans(query.selector, stage_fields=stage_fields)


def filter_of(condition: Condition) -> Filter | None:
    """Return the filter that matches all of which a condition holds, and maybe more.

    Returns:
        The filter, or None where no filter says anything.
    """
    if isinstance(condition, Own):
        return condition.filter
    if isinstance(condition, Constant):
        return None if condition.value else {f.ID: {"$in": []}}
    if not isinstance(condition, AllOf | AnyOf):
        return None
    filters = [filter_of(part) for part in condition.parts]
    told = [filter_ for filter_ in filters if filter_ is not None]
    if isinstance(condition, AllOf):
        return _all(told) if told else None
    return {"$or": told} if len(told) == len(filters) else None


def is_exact(condition: Condition) -> bool:
    """Say whether the filter of a condition says all of it."""
    if isinstance(condition, AllOf | AnyOf):
        return all(map(is_exact, condition.parts))
    return isinstance(condition, Own | Constant)


def signed(positive: Filter, known: Filter, sign: Sign) -> Filter:
    """Return the filter of a condition, of its negation, or of what it is about.

    MongoDB matches a missing field with ``$ne``, so the negation asks for both.

    >>> signed({"run": 1618}, {"run": {"$ne": None}}, "is not")
    {'run': {'$nin': [1618, None]}}
    """
    if sign == "is":
        return positive
    if sign == "known":
        return known
    if sign == "unknown":
        ((path, _),) = list(known.items())[:1]
        return {path: None} if known == {path: {"$ne": None}} else {"$nor": [known]}
    if len(positive) == 1:
        ((path, value),) = positive.items()
        if known == {path: {"$ne": None}}:
            if not isinstance(value, dict):
                return {path: {"$nin": [value, None]}}
            if list(value) == ["$in"] and isinstance(value["$in"], list):
                return {path: {"$nin": [*value["$in"], None]}}
    return {"$and": [known, {"$nor": [positive]}]}


def _all(filters: list[Filter]) -> Filter:
    names = [name for filter_ in filters for name in filter_]
    if len(set(names)) == len(names):
        return {name: value for filter_ in filters for name, value in filter_.items()}
    return {"$and": filters}


def _kinds(fields: Iterable[Field], *, text: str) -> tuple[Kind, ...]:
    """Return what a query ranges over that names these fields, if they say it."""
    about = set()
    for field in fields:
        if field.parts == (KIND,):
            return _KINDS
        about.add(find_field(field, text=text).type.about)
    for kind in _KINDS:
        if kind in about:
            return (kind,)
    return ()


def _fields_of(node: Node) -> Iterator[Field]:
    """Yield the fields that a selector names at its top, not inside what is reached."""
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from _fields_of(part)
    elif isinstance(node, Not):
        yield from _fields_of(node.part)
    elif not isinstance(node, Free | Reach):
        yield node.field


def _fields_of_stages(query: Query) -> Iterator[Field]:
    """Yield the fields of stages, as far as they are those of the documents."""
    for stage in query.stages:
        for name in ("fields", "by", "orders", "field"):
            found = getattr(stage, name, ())
            for one in found if isinstance(found, tuple) else (found,):
                field = one.field if isinstance(one, Order) else one
                if isinstance(field, Field) and field.parts[0] in FIELDS:
                    yield field
        if not hasattr(stage, "orders") and not hasattr(stage, "count"):
            return  # What follows has other columns.


class _Compiler:
    def __init__(self, text: str, zone: tzinfo) -> None:
        self._text = text
        self._zone = zone

    def plans(
        self, selector: Node | None, *, stage_fields: Iterable[Field]
    ) -> tuple[KindPlan, ...]:
        """Return what a selector asks of each kind that it ranges over."""
        named = [] if selector is None else list(_fields_of(selector))
        return tuple(
            KindPlan(kind=kind, condition=self.condition(selector, kind))
            for kind in _kinds(named, text=self._text)
            or _kinds(stage_fields, text=self._text)
            or _KINDS
        )

    def condition(self, selector: Node | None, kind: Kind) -> Condition:
        """Return what a selector asks of one kind."""
        if selector is None:
            return Constant(value=True)
        return self._node(selector, kind, is_negated=False)

    def _node(self, node: Node, kind: Kind, *, is_negated: bool) -> Condition:
        if isinstance(node, Not):
            return self._node(node.part, kind, is_negated=not is_negated)
        if isinstance(node, And | Or):
            parts = [self._node(p, kind, is_negated=is_negated) for p in node.parts]
            return _joined(parts, is_all=isinstance(node, And) is not is_negated)
        if isinstance(node, Member):
            # Each value is compared as if it stood alone.
            values = [
                Compare(field=node.field, operator=":", value=value)
                for value in node.values
            ]
            parts = [self._node(v, kind, is_negated=is_negated) for v in values]
            return _joined(parts, is_all=is_negated)
        if isinstance(node, Reach):
            plans = self.plans(node.part, stage_fields=())
            return Reached(direction=node.direction, plans=plans, is_negated=is_negated)
        if isinstance(node, Free):
            name = f.FILE_NAME if kind == "entity" else f.NAME
            like = Match(field=Field(parts=(name,)), pattern=node.text)
            return self._own(like, name, "text", "is not" if is_negated else "is")
        if node.field.parts[0] == KIND:
            return Constant(value=self._is_kind(node, kind) is not is_negated)
        sign = _sign(node)
        return self._leaf(node, kind, _NOT[sign] if is_negated else sign)

    def _is_kind(self, node: Compare | Match | Known, kind: Kind) -> bool:
        if (
            isinstance(node, Compare)
            and node.operator in (":", "=", "!=")
            and isinstance(node.value, Text)
            and node.value.text in (*_KINDS, "any")
        ):
            is_it = node.value.text in (kind, "any")
            return is_it is (node.operator != "!=")
        raise QuerySyntaxError(self._text, node.field.position, expected=_KIND_EXPECTED)

    def _leaf(self, node: Compare | Match | Known, kind: Kind, sign: Sign) -> Condition:
        field = find_field(node.field, text=self._text)
        if kind == "entity" and field.type.entity is not None:
            path = field.path(field.type.entity)
            return self._own(node, path, field.type.type, sign)
        place = field.type.activity
        if kind == "entity" and field.type.name == "made_by":
            place = Place(path=f.NAME)
        if place is None:
            # Checked all the same: a wrong value is wrong whatever it is asked of.
            self._filters(node, field, Place(path=f.NAME))
            return Constant(value=sign == "unknown")
        positive, known = self._filters(node, field, place)
        if kind == "activity":
            return Own(filter=signed(positive, known, sign))
        made = Made(positive=positive, known=known, sign=sign)
        other = field.type.named
        if other is None:
            return made
        type_ = other.type or field.type.type
        named = self._own(node, field.path(other), type_, sign)
        if sign == "known":
            return AnyOf(parts=(made, named))
        if sign == "unknown":
            return AllOf(parts=(made, named))
        # What its own name says counts only where none of its makers says it.
        is_unsaid = Made(positive=positive, known=known, sign="unknown")
        return AnyOf(parts=(made, AllOf(parts=(is_unsaid, named))))

    def _own(
        self, node: Compare | Match | Known, path: str, type_: str, sign: Sign
    ) -> Condition:
        holds, has_value = self._pair(node, path, type_)
        return Own(filter=signed(holds, has_value, sign))

    def _filters(
        self, node: Compare | Match | Known, field: BoundField, place: Place
    ) -> tuple[Filter, Filter]:
        """Return what matches an activity where it holds, and where it is known."""
        holds, has_value = self._at(node, field, place)
        other = field.type.otherwise
        if other is None:
            return holds, has_value
        path = field.path(place)
        holds_there, has_value_there = self._at(node, field, other)
        return (
            {"$or": [holds, {path: None, **holds_there}]},
            {"$or": [has_value, has_value_there]},
        )

    def _at(
        self, node: Compare | Match | Known, field: BoundField, place: Place
    ) -> tuple[Filter, Filter]:
        holds, has_value = self._pair(node, field.path(place), field.type.type)
        return _looked_up(place, holds), _looked_up(place, has_value)

    def _pair(
        self, node: Compare | Match | Known, path: str, type_: str
    ) -> tuple[Filter, Filter]:
        has_value = known(path, type_)
        if isinstance(node, Known):
            return has_value, has_value
        holds = positive(node, path=path, type_=type_, text=self._text, zone=self._zone)
        return holds, has_value


def _looked_up(place: Place, filter_: Filter) -> Filter:
    if place.source == "own":
        return filter_
    if place.source == "config":
        lookup = Lookup(collection=f.FILES, filter=filter_)
        return {f"{f.COPIES}.{f.ENTITY}": {"$in": lookup}}
    lookup = Lookup(collection=_COLLECTION[place.source], filter=filter_)
    if place.source == "session":
        return {SESSION: lookup}
    return {f.ENVIRONMENT: {"$in": lookup}}


def _sign(node: Compare | Match | Known) -> Sign:
    if isinstance(node, Known):
        return "known" if node.is_known else "unknown"
    is_negated = node.is_negated if isinstance(node, Match) else node.operator == "!="
    return "is not" if is_negated else "is"


def _joined(parts: list[Condition], *, is_all: bool) -> Condition:
    """Return all or any of some conditions, without constants and brackets."""
    kind: Any = AllOf if is_all else AnyOf
    flat: list[Condition] = []
    for part in parts:
        if isinstance(part, Constant):
            if part.value is not is_all:
                return part
        elif isinstance(part, kind):
            flat += part.parts
        else:
            flat.append(part)
    if not flat:
        return Constant(value=is_all)
    return flat[0] if len(flat) == 1 else kind(parts=tuple(flat))
