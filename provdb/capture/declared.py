"""From what a definition declares, and what a call can see, to the entities. Pure."""

import os
import string
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from provdb.capture.descriptions import (
    ActivityDescription,
    EntityDescription,
    RelatedDescription,
)
from provdb.capture.entity import Entity, file_entity, value_entity
from provdb.capture.lookup import Found, Missing, find_value, parse_path
from provdb.capture.plain import plain
from provdb.errors import ReadError
from provdb.model import file_facts, value_id

__all__ = ["Sighting", "entities", "look_for", "related", "session_tag"]

_FILES: Final = ("File", "FileCollection")
_PATHS: Final = (str, bytes, os.PathLike)
_SEVERAL: Final = (list, tuple, set, frozenset)
_RUN: Final = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What was found of an entity that is declared.

    Attributes:
        value: Its value, or None.
        location: Its location, or None.
        id: Its own id, or None.
        missing: Why a path of it leads nowhere, or None.
    """

    value: Any = None
    location: Any = None
    id: Any = None
    missing: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing: as for an optional file that is not given."""
        return all(_is_nothing(part) for part in (self.value, self.location, self.id))

    def paths(self) -> Iterator[str]:
        """Yield the paths of its files, should they be files."""
        for value in _each(_first(self.value, self.location)):
            if isinstance(value, _PATHS):
                yield os.fsdecode(value)


def look_for(description: RelatedDescription, places: Iterable[object]) -> Sighting:
    """Look for an entity where its description says.

    >>> link = RelatedDescription(value=parse_path("files.pedestal"))
    >>> look_for(link, [{"files": {"pedestal": "/drs4_pedestal.Run01611.0000.h5"}}])
    ... # doctest: +ELLIPSIS
    Sighting(value='/drs4_pedestal.Run01611.0000.h5', location=None, id=None, ...)
    """
    places = tuple(places)
    found: dict[str, Any] = {}
    for key in ("value", "location", "id"):
        path = getattr(description, key)
        if path is None:
            continue
        outcome = find_value(path, places)
        if isinstance(outcome, Missing):
            reason = f"{key} {path.text} is not found: {outcome.reason}"
            found.setdefault("missing", reason)
        else:
            found[key] = outcome.value
    return Sighting(**found)


def entities(
    sighting: Sighting, description: RelatedDescription, *, scope: str, source: str
) -> list[Entity]:
    """Return the entities that were found: one, none, or one for each file of a list.

    Args:
        sighting: What was found.
        description: What was declared.
        scope: Id of the session, in which equal values are the same thing.
        source: Path of the definition, for the problem.

    Raises:
        ReadError: What should be a file is no path.
    """
    if sighting.is_empty:
        return []
    kind = description.entity or EntityDescription(name="")
    value = _first(sighting.value, sighting.location)
    if not _is_nothing(sighting.id):
        return [_identified(sighting, description, kind)]
    if kind.type == "SetCollection":
        return [_collection(value, kind, scope=scope)]
    is_file = kind.type in _FILES or (
        kind.type is None and all(isinstance(one, _PATHS) for one in _each(value))
    )
    if not is_file:
        fields = {**_fields(kind), "location": _text(sighting.location)}
        return [value_entity(value, description=fields, scope=scope)]
    hash_method = getattr(description, "hash_method", None)
    found = []
    for one in _each(value):
        if _is_nothing(one):
            continue
        if not isinstance(one, _PATHS):
            raise ReadError(
                source,
                f"{kind.name or 'a file'} is {_type(one)}, not a path",
                line=description.line,
            )
        found.append(_file(os.fsdecode(one), kind, hash_method=hash_method))
    return found


def related(
    descriptions: Iterable[RelatedDescription],
    places: Iterable[object],
    *,
    scope: str,
    source: str,
) -> Iterator[Entity | ReadError]:
    """Yield the members or the progenitors that are declared, and the problems.

    Args:
        descriptions: What is declared.
        places: Where their paths start, but for the items of a list.
        scope: Id of the session, in which equal values are the same thing.
        source: Path of the definition, for the problems.
    """
    places = tuple(places)
    for description in descriptions:
        sightings = [look_for(description, places)]
        if description.each is not None:
            listed = find_value(description.each, places)
            if isinstance(listed, Missing):
                reason = f"list {description.each.text} is not found: {listed.reason}"
                yield ReadError(source, reason, line=description.line)
                continue
            if not isinstance(listed.value, Collection | None):
                # An iterator would be used up.
                reason = f"list {description.each.text} is {_type(listed.value)}"
                yield ReadError(source, f"{reason}, not a list", line=description.line)
                continue
            sightings = _of_items(description, listed.value or ())
        for sighting in sightings:
            if sighting.missing is not None:
                yield ReadError(source, sighting.missing, line=description.line)
            try:
                yield from entities(sighting, description, scope=scope, source=source)
            except ReadError as problem:
                yield problem


def session_tag(
    description: ActivityDescription,
    places: Iterable[object],
    *,
    paths: Iterable[str],
    source: str,
) -> str | None:
    """Return the session tag by the template of an activity, None if it has none.

    Args:
        description: The activity.
        places: Where the names of the template are looked for.
        paths: Those of the used files; the run is that of the first data file.
        source: Path of the definition, for the problem.

    Raises:
        ReadError: A name of the template leads nowhere.

    >>> described = ActivityDescription(
    ...     name="r0_to_dl1", session_tag="{activity}:{run}")
    >>> session_tag(described, [{}], source="definition.yaml",
    ...     paths=["/R0/LST-1.1.Run01618.0008.fits.fz"])
    'r0_to_dl1:01618'
    """
    if description.session_tag is None:
        return None
    places = ({"activity": description.name}, *places)
    tag = ""
    for text, name, spec, _ in string.Formatter().parse(description.session_tag):
        tag += text
        if name is None:
            continue
        found = find_value(parse_path(name), places)
        value = found.value if isinstance(found, Found) else None
        if callable(value):  # A function of the module that has that name.
            value = None
        if name == _RUN:
            value = _run(value, paths)
        if value is None:
            raise ReadError(
                source,
                f"{name} of the session_tag of {description.name} is not found",
                line=description.line,
            )
        tag += _formatted(value, spec or "")
    return tag


def _of_items(
    description: RelatedDescription, listed: Collection[Any]
) -> list[Sighting]:
    items = list(listed.values()) if isinstance(listed, Mapping) else list(listed)
    if description.value or description.location or description.id:
        return [look_for(description, [item]) for item in items]
    return [Sighting(value=item) for item in items]


def _identified(
    sighting: Sighting, description: RelatedDescription, kind: EntityDescription
) -> Entity:
    prefix = "" if description.namespace is None else f"{description.namespace}:"
    place = _first(sighting.location, sighting.value)
    location = _text(place) if isinstance(place, _PATHS) else None
    fields = {**_fields(kind), "filepath": location}
    if location is None and sighting.value is not None:
        fields["value"] = plain(sighting.value)
    return Entity(
        id=f"{prefix}{sighting.id}",
        description={key: part for key, part in fields.items() if part is not None},
        location=location,
    )


def _collection(value: Any, kind: EntityDescription, *, scope: str) -> Entity:
    fields = _fields(kind)
    if isinstance(value, _PATHS):
        fields["filepath"] = os.path.abspath(os.fsdecode(value))
    elif isinstance(value, _SEVERAL):
        fields["size"] = len(value)
    identity = [scope, kind.name, fields.get("filepath") or plain(value)]
    return Entity(id=value_id(identity), description=fields)


def _file(path: str, kind: EntityDescription, *, hash_method: str | None) -> Entity:
    fields = _fields(kind)
    if kind.type != "FileCollection" or hash_method is None:
        return file_entity(path, description=fields, hash_method=hash_method)
    folder = file_entity(path, description=fields)
    if kind.index is None:
        return folder
    index = file_entity(
        os.path.join(path, kind.index), description={}, hash_method=hash_method
    )
    hashed = {
        key: part for key, part in index.description.items() if key.startswith("hash")
    }
    return replace(
        folder,
        description={**folder.description, **hashed},
        content_hash=index.content_hash,
    )


def _fields(kind: EntityDescription) -> dict[str, Any]:
    fields = {
        "name": kind.name or None,
        "type": kind.type,
        "contentType": kind.content_type,
    }
    return {key: part for key, part in fields.items() if part is not None}


def _run(value: object, paths: Iterable[str]) -> object:
    """Return a run as tags have it, taken from the names of files if need be."""
    if value is None:
        facts = [file_facts(None, path) for path in paths]
        runs = [fact.run for fact in facts if fact.level and fact.run is not None]
        runs += [fact.run for fact in facts if fact.run is not None]
        value = runs[0] if runs else None
    is_number = isinstance(value, int) or (isinstance(value, str) and value.isdecimal())
    return f"{int(str(value)):05d}" if is_number else value


def _formatted(value: object, spec: str) -> str:
    if spec.endswith("d") and isinstance(value, str) and value.isdecimal():
        value = int(value)
    try:
        return format(value, spec)
    except (TypeError, ValueError):
        return str(value)


def _each(value: Any) -> Iterable[Any]:
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return value if isinstance(value, _SEVERAL) else (value,)


def _first(*values: Any) -> Any:
    return next((value for value in values if not _is_nothing(value)), None)


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str | bytes) and not value)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return os.fsdecode(value) if isinstance(value, _PATHS) else str(value)


def _type(value: object) -> str:
    return type(value).__name__
