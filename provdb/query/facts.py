"""Compute the values of a result row: the fields of what a query selected."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeAlias

from provdb.model import Document, session_key
from provdb.model import fields as f
from provdb.model.values import decode_key
from provdb.query.configs import read_copy
from provdb.query.fields import KIND, BoundField, Place
from provdb.query.routes import outermost
from provdb.query.select import Found
from provdb.query.spans import read_day
from provdb.store import Store
from provdb.store.base import batches
from provdb.store.evaluate import value_at

__all__ = ["DURATION", "Facts", "default_row", "needed_fields", "needs_makers"]

DURATION: Final = "duration"
_BATCH: Final = 500
_OF_SOURCE: Final = {
    "environment": (f.ENVIRONMENT,),
    "session": (f.SESSION_TAG, f.SESSION_ID),
    "config": (f.COPIES,),
}
_ENTITY: Final = (f.NAME, f.LEVEL, f.RUN, f.SUBRUN, f.LOCATION, f.TYPE, f.HASH, f.SIZE)
_ACTIVITY: Final = (
    f.NAME,
    f.ACTIVITY_ID,
    f.SESSION_TAG,
    f.SESSION_ID,
    f.RUN,
    f.SUBRUN,
    f.STATUS,
    f.START,
    f.END,
    DURATION,
    f.AGENT,
    f.SCRIPT,
)
# Values that JSON does not hold, and that are shown as the text of them.
_WRAPPED: Final = ("%str", "%int", "%float", "%bytes", "%complex", "%ellipsis")
_SHOWN: Final = {"entity": _ENTITY, "activity": _ACTIVITY}


def default_row(found: Found) -> dict[str, Any]:
    """Return the row of something where no field is chosen."""
    kind, document = found.kind, found.document
    row = {"kind": kind, "id": document[f.ID]}
    for name in _SHOWN[kind]:
        row[name] = document.get(name)
    if kind == "activity":
        row[DURATION] = _duration(document)
    return row


def needed_fields(
    kind: str, fields: Iterable[BoundField], *, is_default: bool
) -> tuple[str, ...]:
    """Return the fields of the documents of a kind that rows are made of.

    Args:
        kind: Entity or activity.
        fields: The fields that are asked for.
        is_default: Whether the row of no choice is wanted too.
    """
    needed = dict.fromkeys((f.ID, *(_SHOWN[kind] if is_default else ())))
    for field in fields:
        places = (field.type.activity, field.type.otherwise)
        for place in (field.type.entity,) if kind == "entity" else places:
            if place is not None:
                own = (field.path(place),)
                needed |= dict.fromkeys(_OF_SOURCE.get(place.source, own))
        if kind == "entity" and field.type.named is not None:
            needed[field.path(field.type.named)] = None
    if DURATION in needed:
        needed |= dict.fromkeys((f.START, f.END))
    return outermost(name for name in needed if name != DURATION)


def needs_makers(fields: Iterable[BoundField]) -> bool:
    """Say whether fields of an entity are those of who made it."""
    return any(field.type.entity is None for field in fields)


class Facts:
    """Reads fields of what was selected, with the documents that they stand in."""

    def __init__(self, store: Store, fields: Sequence[BoundField]) -> None:
        """Read some fields.

        Args:
            store: Where the documents are.
            fields: The fields.
        """
        self._store = store
        self._fields = fields
        self._sources: dict[str, list[str]] = {}
        for field in fields:
            for place in (field.type.activity, field.type.otherwise):
                if place is not None and place.source != "own":
                    paths = self._sources.setdefault(place.source, [])
                    paths.append(field.path(place))
        self._documents: dict[tuple[str, str], Document] = {}

    def rows(
        self, found: Iterable[Found], *, is_default: bool
    ) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield the row of each thing, and how many things it stands for.

        Args:
            found: The things.
            is_default: Whether the row of no choice comes first.
        """
        for some in batches(found, _BATCH):
            self._load(some)
            for one in some:
                row = default_row(one) if is_default else {}
                for field in self._fields:
                    row[field.name] = self.value(one, field)
                yield row, one.weight

    def value(self, found: Found, field: BoundField) -> Any:
        """Return the value of a field: a list where there are several, else None."""
        if field.type.name == KIND:
            return found.kind
        place, documents = field.type.activity, found.makers
        if found.kind == "activity":
            documents = (found.document,)
        elif field.type.entity is not None:
            place, documents = field.type.entity, (found.document,)
        elif field.type.name == "made_by":
            place = Place(path=f.NAME)
        if place is None:
            return None
        values: list[Any] = []
        for document in documents:
            found_here = list(self._values_at(document, field, place))
            if not found_here and field.type.otherwise is not None:
                found_here = list(
                    self._values_at(document, field, field.type.otherwise)
                )
            values += found_here
        named = field.type.named
        if not values and found.kind == "entity" and named is not None:
            values = list(self._values_at(found.document, field, named))
        if len(values) > 1:
            different = {repr(value): value for value in values}
            values = [different[key] for key in sorted(different)]
        if len(values) > 1:
            return values
        return values[0] if values else None

    def _values_at(
        self, document: Document, field: BoundField, place: Place
    ) -> Iterator[Any]:
        for source in self._standing(document, place):
            yield from _values(source, field, place)

    def _standing(self, document: Document, place: Place) -> Iterator[Document]:
        if place.source == "own":
            yield document
            return
        for key in _keys(document, place.source):
            found = self._documents.get((place.source, key))
            if found is not None:
                yield found

    def _load(self, found: Iterable[Found]) -> None:
        activities = [
            activity
            for one in found
            for activity in ((one.document,) if one.kind == "activity" else one.makers)
        ]
        for source, paths in self._sources.items():
            keys = {key for a in activities for key in _keys(a, source)}
            missing = [key for key in keys if (source, key) not in self._documents]
            for id_, document in _READ[source](self._store, sorted(missing), paths):
                self._documents[source, id_] = document


def _keys(activity: Document, source: str) -> Iterator[str]:
    if source == "environment":
        if activity.get(f.ENVIRONMENT) is not None:
            yield activity[f.ENVIRONMENT]
    elif source == "session":
        yield session_key(activity.get(f.SESSION_TAG), activity.get(f.SESSION_ID))
    else:
        for copy in activity.get(f.COPIES) or ():
            yield copy[f.ENTITY]


def _values(document: Document, field: BoundField, place: Place) -> Iterator[Any]:
    if field.type.type == "duration":
        found: Any = _duration(document)
    else:
        found = value_at(document, field.path(place))
    if field.type.type == "production":
        parts = (found or "").split("/")[:-1]
        yield from (p for p in parts if p[:1] == "v" and p[1:2].isdigit())
    elif field.type.type == "truth":
        yield found is True
    elif found is not None:
        yield _SHOWN_OF_TYPE.get(field.type.type, _as_it_is)(found)


def _as_it_is(value: Any) -> Any:
    return value


def _one_date(written: Any) -> Any:
    """Return a date in one form, so that a night is one whoever wrote it."""
    day = read_day(written) if isinstance(written, str) else None
    return written if day is None else day.isoformat()


def _as_recorded(stored: Any) -> Any:
    """Return the value of which this is the storable form, as JSON holds it.

    >>> _as_recorded({"%tuple": [6, {"%int": "1180591620717411303424"}]})
    [6, '1180591620717411303424']
    """
    if isinstance(stored, list):
        return [_as_recorded(item) for item in stored]
    if not isinstance(stored, dict):
        return stored
    ((key, content), *others) = stored.items() if stored else [("", None)]
    if not others and key in ("%tuple", "%set"):
        return _as_recorded(content)
    if not others and key in _WRAPPED:
        return "..." if content is True else content
    return {str(decode_key(name)): _as_recorded(item) for name, item in stored.items()}


def _duration(document: Document) -> float | list[float] | None:
    if DURATION in document:
        milliseconds: list[int | None] | int | None = document[DURATION]
        if isinstance(milliseconds, list):
            return [one / 1000 for one in milliseconds if one is not None]
        return None if milliseconds is None else milliseconds / 1000
    start, end = document.get(f.START), document.get(f.END)
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return None
    return round((end - start).total_seconds() * 1000) / 1000


def _read_plain(
    collection: str, store: Store, ids: Sequence[str], paths: Iterable[str]
) -> Iterator[tuple[str, Document]]:
    fields = outermost((f.ID, *paths))
    for batch in batches(ids):
        for document in store.find(collection, {f.ID: {"$in": batch}}, fields=fields):
            yield document[f.ID], document


def _read_configs(
    store: Store, ids: Sequence[str], _: Iterable[str]
) -> Iterator[tuple[str, Document]]:
    for copy in store.read(f.FILES, ids):
        yield copy[f.ID], dict(read_copy(copy))


_SHOWN_OF_TYPE: Final[dict[str, Callable[[Any], Any]]] = {
    "any": _as_recorded,
    "date": _one_date,
}
_Read: TypeAlias = Callable[
    [Store, Sequence[str], Iterable[str]], Iterator[tuple[str, Document]]
]
_READ: Final[dict[str, _Read]] = {
    "environment": partial(_read_plain, f.ENVIRONMENTS),
    "session": partial(_read_plain, f.SESSIONS),
    "config": _read_configs,
}
