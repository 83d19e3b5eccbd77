"""Values as MongoDB tells them apart and puts them in order.

Numbers come before texts, texts before documents, and so on; a field that is missing
is less than all (https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

__all__ = ["MISSING", "Key", "as_sent", "ends", "order_of", "value_of"]

Key: TypeAlias = tuple[Any, ...]


class _Missing:
    """What a field is that a document has not."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = _Missing()


def order_of(value: Any) -> Key:
    """Return a key by which values sort, equal for values that are.

    >>> order_of(1) == order_of(1.0), order_of(True) == order_of(1)
    (True, False)
    >>> sorted(["a", 2, None, {"b": 1}, True], key=order_of)
    [None, 2, 'a', {'b': 1}, True]
    """
    if value is MISSING:
        return (0,)
    if value is None:
        return (1,)
    if isinstance(value, bool):
        return 7, value
    if isinstance(value, int | float):
        return 2, value == value, value if value == value else 0
    if isinstance(value, str):
        return 3, value
    if isinstance(value, Mapping):
        return 4, tuple((order_of(v)[0], k, order_of(v)) for k, v in value.items())
    if isinstance(value, list):
        return 5, tuple(map(order_of, value))
    if isinstance(value, bytes):
        return 6, len(value), value
    if isinstance(value, datetime):
        return 8, value
    return 9, repr(value)


def as_sent(value: Any) -> Any:
    """Return a part of a pipeline as a server gets it: times in UTC and milliseconds.

    >>> as_sent({"$gte": datetime(2020, 1, 17, 8, 30, 0, 123456)})["$gte"].isoformat()
    '2020-01-17T08:30:00.123000+00:00'
    """
    if isinstance(value, Mapping):
        return {name: as_sent(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_sent(part) for part in value]
    if isinstance(value, datetime):
        utc = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        return utc.replace(microsecond=utc.microsecond // 1000 * 1000)
    return value


def value_of(value: Any, keys: Sequence[str]) -> Any:
    """Return what an expression finds at a path; of an array what its documents have.

    >>> value_of({"used": [{"role": "Pedestal file"}, {}]}, ["used", "role"])
    ['Pedestal file']
    """
    for place, key in enumerate(keys):
        if isinstance(value, list):
            found = [
                value_of(item, keys[place:])
                for item in value
                if isinstance(item, Mapping)
            ]
            return [item for item in found if item is not MISSING]
        if not isinstance(value, Mapping):
            return MISSING
        value = value.get(key, MISSING)
    return value


def ends(value: Any, keys: Sequence[str]) -> Iterator[Any]:
    """Yield all that a filter finds at a path, which may lead through arrays."""
    if not keys:
        yield value
    elif isinstance(value, Mapping):
        yield from ends(value.get(keys[0], MISSING), keys[1:])
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, Mapping):
                yield from ends(item, keys)
        if keys[0].isdigit() and int(keys[0]) < len(value):
            yield from ends(value[int(keys[0])], keys[1:])
    else:
        yield MISSING
