"""How a store comes to the documents of which a condition may hold: what it is asked.

Nothing is asked here. Whether the condition holds is decided later, of what was found.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from provdb.model import fields as f
from provdb.query.compile import (
    SESSION,
    AllOf,
    AnyOf,
    Condition,
    Made,
    Own,
    Reached,
    filter_of,
    signed,
)
from provdb.store.evaluate import Filter

__all__ = [
    "ByMakers",
    "ByReach",
    "Matching",
    "Route",
    "Several",
    "has_made",
    "needed_of",
    "needed_of_makers",
    "outermost",
    "route_of",
]

# Fields of entities with few documents for a value.
_FEW: Final = (f.ID, f.RUN, f.LOCATION, f.FILE_NAME, f.HASH, f.DATE)
_FEW_MADE: Final = (SESSION, f.SESSION_TAG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """The documents that match a filter; all of them without one."""

    filter: Filter | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ByMakers:
    """What activities generated.

    Attributes:
        makers: What the activities match.
        filter: What the documents that they generated match, or None.
    """

    makers: Filter
    filter: Filter | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ByReach:
    """What is reached from elsewhere.

    Attributes:
        reached: From where.
        filter: What the documents that are reached match, or None.
    """

    reached: Reached
    filter: Filter | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """What is on any of some routes."""

    routes: "tuple[Route, ...]"


Route: TypeAlias = Matching | ByMakers | ByReach | Several


def route_of(condition: Condition) -> Route:
    """Return the shortest way to all documents of which a condition may hold.

    >>> from provdb.query.run import compile_query
    >>> (plan,) = compile_query("level:DL1 session_tag:r0_to_dl1:01618").plans
    >>> route_of(plan.condition).makers
    {'session_tag': 'r0_to_dl1:01618'}
    """
    own = filter_of(condition)
    parts = condition.parts if isinstance(condition, AllOf) else (condition,)
    for part in parts:
        if isinstance(part, Reached) and not part.is_negated:
            return ByReach(reached=part, filter=own)
    if own is None or not _names(own) & set(_FEW):
        makers = _driving(parts, among=() if own is None else _FEW_MADE)
        if makers is not None:
            return ByMakers(makers=makers, filter=own)
        for routes in _alternatives(parts):
            if all(map(_is_narrow, routes)):
                return Several(routes=routes)
    if own is None:
        for part in parts:
            if isinstance(part, AnyOf):
                routes = tuple(map(route_of, part.parts))
                if Matching(filter=None) not in routes:
                    return Several(routes=routes)
    return Matching(filter=own)


def has_made(condition: Condition) -> bool:
    """Say whether a condition is about the makers of an entity."""
    if isinstance(condition, AllOf | AnyOf):
        return any(map(has_made, condition.parts))
    return isinstance(condition, Made)


def needed_of(condition: Condition) -> Iterator[str]:
    """Yield the fields of a document that say whether a condition holds of it."""
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from needed_of(part)
    elif isinstance(condition, Own):
        yield from _paths(condition.filter)


def needed_of_makers(condition: Condition) -> Iterator[str]:
    """Yield the fields of the makers that say whether a condition holds."""
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from needed_of_makers(part)
    elif isinstance(condition, Made):
        yield from _paths(condition.positive)
        yield from _paths(condition.known)


def outermost(names: Iterable[str]) -> tuple[str, ...]:
    """Return fields without those below another one: MongoDB refuses both at once.

    >>> outermost(["parameters.x", "name", "parameters"])
    ('name', 'parameters')
    """
    different = dict.fromkeys(names)
    if not any("." in name for name in different):
        return tuple(different)
    return tuple(
        name
        for name in different
        if not any(name.startswith(f"{other}.") for other in different)
    )


def _paths(filter_: Filter) -> Iterator[str]:
    for name, value in filter_.items():
        if name in ("$and", "$or", "$nor"):
            for part in value:
                yield from _paths(part)
        elif name == SESSION:
            yield from (f.SESSION_TAG, f.SESSION_ID)
        elif name == "$expr":
            yield from (f.START, f.END)  # Nothing but a duration is computed.
        else:
            yield name


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
    if isinstance(condition, AllOf):
        return _driving(condition.parts, among=())
    if isinstance(condition, AnyOf):
        filters = [_of_a_maker(part) for part in condition.parts]
        told = [filter_ for filter_ in filters if filter_ is not None]
        return {"$or": told} if len(told) == len(filters) else None
    if isinstance(condition, Made) and condition.sign != "unknown":
        return signed(condition.positive, condition.known, condition.sign)
    return None


def _alternatives(parts: tuple[Condition, ...]) -> Iterator[tuple[Route, ...]]:
    """Yield, for each part that has alternatives, the route of each with the others."""
    for number, part in enumerate(parts):
        if isinstance(part, AnyOf) and len(parts) > 1 and has_made(part):
            others = (*parts[:number], *parts[number + 1 :])
            yield tuple(route_of(AllOf(parts=(*others, one))) for one in part.parts)


def _is_narrow(route: Route) -> bool:
    """Say whether a route comes to few documents that are not selected."""
    if isinstance(route, Several):
        return all(map(_is_narrow, route.routes))
    if isinstance(route, ByMakers):
        return bool(_names(route.makers) & set(_FEW_MADE))
    return isinstance(route, Matching) and bool(_names(route.filter or {}) & set(_FEW))


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
