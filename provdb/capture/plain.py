"""Make a literal of any Python value, so that every record can be stored.

Parameters of a pipeline are numbers of numpy, paths, quantities, enumerations and
whatever else its authors had at hand. What is no literal becomes the nearest one that
says what it is; nothing of it is changed, used up, or asked for more than its text.
Pure, and without numpy or astropy: what is theirs is known by the names of its types.
"""

import dataclasses
import hashlib
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from types import MappingProxyType, ModuleType
from typing import Any, Final
from uuid import UUID

from provdb.capture.arrays import array_note, exact_text

__all__ = ["DEEPEST", "LONGEST", "MOST_ITEMS", "plain"]

# `provdb.model.values` takes 90 levels and makes two of a tuple; the record has some.
DEEPEST: Final = 40
# Characters of a text, bytes of bytes.
LONGEST: Final = 100_000
# Of all lists and mappings in a value together.
MOST_ITEMS: Final = 100_000

_LONGEST_REPR: Final = 2_000
# Python always writes and reads integers of 640 digits.
_LONGEST_INTEGER_BITS: Final = 2_000
_ADDRESS: Final = re.compile(r" at 0x[0-9A-Fa-f]+")
# Whose text is what their authors mean by them, also where they are arrays.
_ASTROPY: Final = "astropy"
_READABLE: Final = (_ASTROPY, "pint", "uncertainties")
# Times of numpy that are finer than those of Python: integers without a unit.
_FINE_TIME: Final = re.compile(r"\[\d*[npfa]s\]")
_DIGEST_DIGITS: Final = 16


def plain(value: Any) -> Any:
    """Return the literal that says what a value is, whatever it is.

    ========================================= =========================================
    value                                     literal
    ========================================= =========================================
    None, numbers, text, bytes                themselves; of subclasses, the base's
    number or array of numpy                  number or list (``item``, ``tolist``)
    path, UUID, decimal, fraction             its text
    time, date                                ISO 8601; a ``timedelta`` in seconds
    enumeration                               its name; its value, where that is a text
    quantity of astropy                       numbers with all digits, and the unit
    time of astropy                           ISO 8601 and its scale (``tai``, ``utc``)
    table, coordinate of astropy              its text
    dataclass, named tuple, mapping           dictionary
    list, tuple, set, deque                   list, tuple, set, list
    function, class, module                   its qualified name
    exception                                 ``ValueError: what it says``
    anything else (also generators)           its ``repr`` without addresses
    ========================================= =========================================

    A part that holds itself, is nested more than `DEEPEST` levels deep or would make
    more than `MOST_ITEMS` items is named (``<list of 3 items>``); texts and bytes that
    are longer than `LONGEST` are cut, with a note. A digest stands for what is left out
    of an array, a text or bytes, so that different ones are told apart. Nothing is
    raised. What comes out can be stored (`provdb.model.values.encode`), and is its own
    literal.

    Example:
        >>> from pathlib import Path
        >>> plain({"config": Path("/fefs/lst.json"), "sizes": (1, {2})})
        {'config': '/fefs/lst.json', 'sizes': (1, {2})}
        >>> plain([timedelta(minutes=2), ValueError("no pedestal"), len])
        [120.0, 'ValueError: no pedestal', 'builtins.len']
    """
    return _Plain().of(value)


class _Plain:
    """What was met on the way to a part of a value."""

    def __init__(self) -> None:
        self._items_left = MOST_ITEMS
        self._above: set[int] = set()

    def of(self, value: Any) -> Any:
        """Return the literal of a part."""
        kind = type(value)
        if kind in _THEMSELVES:
            return value
        # One of these runs code of others, which may raise anything.
        try:
            for base, convert in _CONVERT:
                # Not `isinstance`, which asks the value what it would like to be.
                if issubclass(kind, base):
                    return convert(self, value)
            return _other(self, value)
        except Exception as error:
            return _cut(f"<{_name_of(kind)}, unreadable: {type(error).__name__}>")

    def items(self, value: Any, items: Iterable[Any], count: int) -> list[Any] | None:
        """Return the literals of the items of a part, or None where it is too large."""
        with self._entered(value, count) as is_entered:
            return [self.of(item) for item in items] if is_entered else None

    def mapping(self, value: Any, items: Iterable[tuple[Any, Any]], count: int) -> Any:
        """Return the dictionary that a part is."""
        with self._entered(value, count) as is_entered:
            if not is_entered:
                return _description(value, count)
            made: dict[Any, Any] = {}
            for key, item in items:
                made[_unlike(self.hashable(key), made)] = self.of(item)
            return made

    def hashable(self, value: Any) -> Any:
        """Return a literal that a dictionary or a set can hold."""
        made = self.of(value)
        if isinstance(made, dict):
            return _cut(repr(made))
        if isinstance(made, list | tuple | set):
            parts = sorted(made, key=repr) if isinstance(made, set) else made
            made = tuple(self.hashable(part) for part in parts)
        # What is no number is not equal to itself, so there could be several.
        return (
            repr(made) if isinstance(made, float | complex) and made != made else made
        )

    @contextmanager
    def _entered(self, value: Any, count: int) -> Iterator[bool]:
        is_entered = (
            id(value) not in self._above
            and len(self._above) < DEEPEST
            and count <= self._items_left
        )
        if not is_entered:
            yield False
            return
        self._items_left -= count
        self._above.add(id(value))
        try:
            yield True
        finally:
            self._above.discard(id(value))


def _text(state: _Plain, value: Any) -> str:
    return _cut(str.__str__(value), LONGEST)


def _integer(state: _Plain, value: Any) -> Any:
    number = int.__index__(value)
    if number.bit_length() > _LONGEST_INTEGER_BITS:
        return f"<int of {number.bit_length()} bits>"
    return number


def _bytes(state: _Plain, value: Any) -> bytes:
    size = memoryview(value).nbytes
    if size <= LONGEST:
        return bytes(memoryview(value))
    digest = _digest(memoryview(value).cast("B"))
    note = f"... ({size} bytes, sha256 {digest})".encode()
    return bytes(memoryview(value).cast("B")[: LONGEST - len(note)]) + note


def _enumeration(state: _Plain, value: Any) -> Any:
    if isinstance(value.value, str):
        return state.of(str.__str__(value.value))
    return _cut(value.name) if value.name else _cut(repr(value))


def _dictionary(state: _Plain, value: Any) -> Any:
    return state.mapping(value, dict.items(value), dict.__len__(value))


def _proxy(state: _Plain, value: Any) -> Any:
    return state.mapping(value, value.items(), len(value))


def _list(state: _Plain, value: Any) -> Any:
    items = state.items(value, list.__iter__(value), list.__len__(value))
    return _description(value, list.__len__(value)) if items is None else items


def _deque(state: _Plain, value: Any) -> Any:
    items = state.items(value, deque.__iter__(value), deque.__len__(value))
    return _description(value, deque.__len__(value)) if items is None else items


def _tuple(state: _Plain, value: Any) -> Any:
    count = tuple.__len__(value)
    names = getattr(type(value), "_fields", None)
    if isinstance(names, tuple) and len(names) == count:
        pairs = zip(names, tuple.__iter__(value), strict=True)
        return state.mapping(value, pairs, count)
    items = state.items(value, tuple.__iter__(value), count)
    return _description(value, count) if items is None else tuple(items)


def _set(state: _Plain, value: Any) -> Any:
    with state._entered(value, len(value)) as is_entered:
        if not is_entered:
            return _description(value, len(value))
        return {state.hashable(member) for member in value}


def _path(state: _Plain, value: Any) -> str:
    return _cut(os.fsdecode(os.fspath(value)), LONGEST)


def _exception(state: _Plain, value: Any) -> str:
    said = str(value)
    name = _name_of(type(value)).removeprefix("builtins.")
    return _cut(f"{name}: {said}" if said else name)


def _module(state: _Plain, value: Any) -> str:
    return str(value.__name__)


def _partial(state: _Plain, value: Any) -> str:
    return f"functools.partial of {state.of(value.func)}"


def _other(state: _Plain, value: Any) -> Any:
    kind = type(value)
    rooms = {str(base.__module__).partition(".")[0] for base in kind.__mro__}
    if not rooms.isdisjoint(_READABLE):
        return _readable(value) if _ASTROPY in rooms else _cut(str(value))
    if "numpy" in rooms:
        return _of_numpy(state, value)
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
        pairs = ((name, getattr(value, name)) for name in names)
        return state.mapping(value, pairs, len(names))
    if isinstance(getattr(kind, "__qualname__", None), str) and callable(value):
        named = getattr(value, "__qualname__", None)
        if isinstance(named, str):
            return _cut(_name_of(value))
    return _cut(_ADDRESS.sub("", repr(value)))


def _readable(value: Any) -> str:
    try:
        text = exact_text(value)
    except Exception:  # An object of a class that is unlike others of its name.
        text = None
    return _cut(str(value) if text is None else text)


def _of_numpy(state: _Plain, value: Any) -> Any:
    kind = type(value)
    if getattr(value, "shape", ()) and hasattr(kind, "tolist"):
        if value.size > state._items_left:
            return f"<{_name_of(kind)} of {array_note(value)}>"
        if _FINE_TIME.search(str(value.dtype)):
            return state.of(value.astype(str).tolist())
        return state.of(value.tolist())
    if hasattr(kind, "item"):
        if _FINE_TIME.search(str(getattr(value, "dtype", ""))):
            return _cut(str(value))
        item = value.tolist()  # As `item`, but None for what is masked.
        if type(item) is not kind:
            return state.of(item)
    if hasattr(value, "__qualname__"):
        return _cut(_name_of(value))
    return _cut(str(value))


def _description(value: Any, count: int) -> str:
    return f"<{_name_of(type(value)).removeprefix('builtins.')} of {count} items>"


def _name_of(thing: Any) -> str:
    module = getattr(thing, "__module__", None)
    if not isinstance(module, str):  # A method of a built-in type.
        module = type(getattr(thing, "__self__", None)).__module__
    return f"{module}.{thing.__qualname__}"


def _cut(text: str, longest: int = _LONGEST_REPR) -> str:
    if len(text) <= longest:
        return text
    digest = _digest(text.encode("utf-8", "surrogatepass"))
    note = f"… ({len(text)} characters, sha256 {digest})"
    return text[: longest - len(note)] + note


def _digest(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGEST_DIGITS]


def _unlike(key: Any, taken: dict[Any, Any]) -> Any:
    """Return a key that is not that of another item."""
    number, new = 1, key
    while new in taken:
        number += 1
        new = f"{key} ({number})"
    return new


_THEMSELVES: Final = (type(None), bool, float, complex, type(...))
_Converter = Callable[[_Plain, Any], Any]
_CONVERT: Final[tuple[tuple[type | tuple[type, ...], _Converter], ...]] = (
    (Enum, _enumeration),
    (str, _text),
    (int, _integer),
    (dict, _dictionary),
    (list, _list),
    (tuple, _tuple),
    ((set, frozenset), _set),
    ((bytes, bytearray, memoryview), _bytes),
    (float, lambda state, value: float.__float__(value)),
    (complex, lambda state, value: complex.__complex__(value)),
    (os.PathLike, _path),
    ((date, datetime), lambda state, value: value.isoformat()),
    (time, lambda state, value: value.isoformat()),
    (timedelta, lambda state, value: timedelta.total_seconds(value)),
    ((UUID, Decimal, Fraction), lambda state, value: str(value)),
    (MappingProxyType, _proxy),
    (deque, _deque),
    (BaseException, _exception),
    (ModuleType, _module),
    (partial, _partial),
)
