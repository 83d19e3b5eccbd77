"""Read plain values out of a pickle without running anything in it.

lstchain's DL2 files hold their configuration as a pickle. Python's own `pickle` calls
what a pickle names, so it is never used here: the opcodes are read one by one
(`pickletools.genops`), and only those that make containers, texts, bytes and numbers
are followed. Any other one ends the reading with its name.
"""

import pickletools
from collections.abc import Callable, Iterator
from typing import Any, Final

__all__ = ["read_pickle"]

# Nodes of a value: a configuration of lstchain has a few hundred.
_MOST_NODES: Final = 100_000
_DEEPEST: Final = 90
_MARK: Final = object()
_SCALARS: Final = frozenset(
    (
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"),
        *("FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING"),
        *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    )
)
_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: Final[dict[str, Callable[[], Any]]] = {
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
    "EMPTY_TUPLE": tuple,
}
_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_PUTS: Final = ("PUT", "BINPUT", "LONG_BINPUT")
_GETS: Final = ("GET", "BINGET", "LONG_BINGET")
_NOTHING: Final = ("PROTO", "FRAME")


def read_pickle(content: bytes) -> Any:
    r"""Return the plain value that a pickle holds.

    Raises:
        ValueError: It is no pickle, or holds something else; the message says what.

    >>> read_pickle(b"(dp0\nVpicture_thresh\np1\nI8\ns.")
    {'picture_thresh': 8}
    """
    try:
        return _Machine().run(pickletools.genops(content))
    except ValueError:
        raise
    except (IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError("it is no whole pickle") from error


class _Machine:
    """The stack and the memo of a pickle, as its opcodes change them."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, opcodes: Iterator[tuple[Any, Any, int | None]]) -> Any:
        for opcode, argument, _ in opcodes:
            name = opcode.name
            if name == "STOP":
                (value,) = self._stack
                return _Copy().of(value)
            self._step(name, argument)
        raise ValueError("it is no whole pickle")

    def _step(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _SCALARS:
            self._push(argument)
        elif name in _CONSTANTS:
            self._push(_CONSTANTS[name])
        elif name in _EMPTY:
            self._push(_EMPTY[name]())
        elif name in _TUPLES:
            count = _TUPLES[name]
            self._close(tuple(stack[-count:]), count)
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "TUPLE":
            self._push(tuple(self._to_mark()))
        elif name == "LIST":
            self._push(list(self._to_mark()))
        elif name == "DICT":
            self._push(_paired(self._to_mark()))
        elif name == "APPEND":
            item = stack.pop()
            _of(list, stack[-1]).append(item)
        elif name == "APPENDS":
            items = self._to_mark()
            _of(list, stack[-1]).extend(items)
        elif name == "ADDITEMS":
            items = self._to_mark()
            _of(set, stack[-1]).update(items)
        elif name == "SETITEM":
            value, key = stack.pop(), stack.pop()
            _of(dict, stack[-1])[key] = value
        elif name == "SETITEMS":
            items = self._to_mark()
            _of(dict, stack[-1]).update(_paired(items))
        elif name in _PUTS:
            self._memo[int(argument)] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in _GETS:
            self._push(self._memo[int(argument)])
        elif name not in _NOTHING:
            what = f" {argument}" if isinstance(argument, str) else ""
            raise ValueError(f"the pickle is more than plain values: {name}{what:.60}")

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _close(self, value: tuple[Any, ...], count: int) -> None:
        if len(value) < count or _MARK in value:
            raise ValueError("it is no whole pickle")
        del self._stack[-count:]
        self._push(value)

    def _to_mark(self) -> list[Any]:
        items: list[Any] = []
        while (item := self._stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]


class _Copy:
    """Parts that a pickle names twice, each on its own, and no part within itself.

    A list that holds another twice, which holds another twice, is as large as its copy.
    """

    def __init__(self) -> None:
        self._nodes = 0

    def of(self, value: Any, *, depth: int = 0) -> Any:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise ValueError(f"the pickle has more than {_MOST_NODES} values")
        if depth > _DEEPEST:
            raise ValueError(f"the pickle is more than {_DEEPEST} levels deep")
        if value is _MARK:
            raise ValueError("it is no whole pickle")
        if isinstance(value, dict):
            return {
                self.of(key, depth=depth + 1): self.of(item, depth=depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple | set):
            return type(value)(self.of(item, depth=depth + 1) for item in value)
        return value


def _of(kind: type[Any], value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError("it is no whole pickle")
    return value


def _paired(items: list[Any]) -> dict[Any, Any]:
    return dict(zip(items[::2], items[1::2], strict=True))
