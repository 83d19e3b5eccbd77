"""Where to find a value while a pipeline runs: paths such as ``config.input.path``.

A path is names with dots between them, items in brackets and calls, the first name
being that of an argument, a variable, an attribute or a global. It is no Python: it
is never evaluated, it is walked. Walking asks objects of the pipeline, which may do
and raise anything; what does not lead to a value is an answer, not an error. Pure.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from provdb.errors import ReadError

__all__ = ["Found", "Missing", "ValuePath", "find_value", "parse_path"]

_NAME: Final = re.compile(r"""\s*([^\s.,()\[\]{}'"=]+)\s*""")
_ITEM: Final = re.compile(r"""\[\s*(-?\d{1,18}|'[^']*'|"[^"]*")\s*\]\s*""")
_CALL: Final = re.compile(r"""\(((?:[^()'"]|'[^']*'|"[^"]*")*)\)\s*""")
_ARGUMENT: Final = re.compile(
    r"""\s*(?:([^\W\d]\w*)\s*=\s*)?('[^']*'|"[^"]*"|[^\s,'"=]+)\s*(,|$)"""
)
_WORDS: Final = {"True": True, "False": False, "None": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuePath:
    """The way to a value.

    Attributes:
        text: The path as it is written.
        steps: What is taken, one after the other; the first one is a name.
    """

    text: str
    steps: tuple["_Step", ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A path leads to this value, which can be None."""

    value: Any


@dataclass(frozen=True, slots=True)
class Missing:
    """A path leads nowhere, for this reason."""

    reason: str


def parse_path(text: str) -> ValuePath:
    """Return the path that a text means.

    Arguments of calls are numbers, texts and words; a word that is none of Python's
    is a text, as for lstosa.

    Raises:
        ReadError: The text is no path.

    >>> parse_path('options["prod_id"]').text
    'options["prod_id"]'
    """
    steps: list[_Step] = []
    first = _NAME.match(text)
    if first is None:
        raise ReadError(text, "a path starts with a name")
    steps.append(_Name(first.group(1), is_called=text[first.end() :].startswith("(")))
    position = first.end()
    while position < len(text):
        step, position = _next_step(text, position)
        steps.append(step)
    return ValuePath(text=text.strip(), steps=tuple(steps))


def find_value(path: ValuePath, places: Iterable[object]) -> Found | Missing:
    """Walk a path, from the first place where it leads to a value.

    Args:
        path: The path.
        places: Where its first name may stand: mappings, by their keys, and other
            objects, by their attributes.

    >>> find_value(parse_path("options.prod_id"), [{"options": {"prod_id": "v0.1"}}])
    Found(value='v0.1')
    >>> find_value(parse_path("R0SubrunDataset"), [{"run": 1618}])
    Missing(reason='there is no R0SubrunDataset')
    """
    missing = Missing(f"there is no {path.steps[0]}")
    has_begun = False
    for place in places:
        walked = _walk(path.steps, place)
        if isinstance(walked, Found):
            return walked
        if walked.is_begun and not has_begun:
            missing, has_begun = Missing(walked.reason), True
    return missing


@dataclass(frozen=True, slots=True)
class _Name:
    name: str
    is_called: bool = False

    def take(self, value: Any) -> Any:
        # A method of a mapping is no key of it.
        if isinstance(value, Mapping) and not self.is_called:
            return _of_mapping(value, self.name)
        return getattr(value, self.name)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class _Item:
    key: str | int

    def take(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return _of_mapping(value, self.key)
        return value[self.key]

    def __str__(self) -> str:
        return f"[{self.key!r}]"


@dataclass(frozen=True, slots=True)
class _Call:
    arguments: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()

    def take(self, value: Any) -> Any:
        return value(*self.arguments, **dict(self.keywords))

    def __str__(self) -> str:
        return "()"


_Step = _Name | _Item | _Call


@dataclass(frozen=True, slots=True)
class _Stuck:
    reason: str
    is_begun: bool


def _next_step(text: str, position: int) -> tuple[_Step, int]:
    if text[position] == ".":
        found = _NAME.match(text, position + 1)
        if found is not None:
            is_called = text[found.end() :].startswith("(")
            return _Name(found.group(1), is_called=is_called), found.end()
        raise ReadError(text, "a name is missing after a dot")
    if found := _ITEM.match(text, position):
        key = found.group(1)
        return _Item(key[1:-1] if key[0] in "'\"" else int(key)), found.end()
    if found := _CALL.match(text, position):
        return _call(found.group(1), text), found.end()
    raise ReadError(text, f"{text[position:]!r} is no name, item or call")


def _call(written: str, text: str) -> _Call:
    arguments: list[Any] = []
    keywords: list[tuple[str, Any]] = []
    position, is_open = 0, bool(written.strip())
    while is_open:
        found = _ARGUMENT.match(written, position)
        if found is None:
            raise ReadError(text, f"({written}) are no arguments of a call")
        name, value, end = found.groups()
        if name is None:
            arguments.append(_literal(value))
        else:
            keywords.append((name, _literal(value)))
        position, is_open = found.end(), end == ","
    return _Call(tuple(arguments), tuple(keywords))


def _literal(written: str) -> Any:
    if written in _WORDS:
        return _WORDS[written]
    if written[0] in "'\"":
        return written[1:-1]
    for kind in (int, float):
        try:
            return kind(written)
        except ValueError:
            continue
    return written


def _walk(steps: tuple[_Step, ...], place: Any) -> Found | _Stuck:
    value, walked = place, ""
    for number, step in enumerate(steps):
        try:
            is_name_of_place = number == 0 and isinstance(place, Mapping)
            if is_name_of_place:
                value = _of_mapping(place, str(step))
            else:
                value = step.take(value)
        except (AttributeError, LookupError):
            return _Stuck(f"{walked} has no {step}", is_begun=number > 0)
        except Exception as error:  # Whatever objects of the pipeline raise.
            kind = type(error).__name__
            return _Stuck(f"{walked}{_joint(step)} raises {kind}", is_begun=True)
        walked += _joint(step) if walked else str(step)
    return Found(value)


def _of_mapping(mapping: Mapping[Any, Any], key: object) -> Any:
    # Asking a defaultdict for a key that it has not would change it.
    if key not in mapping:
        raise KeyError(key)
    return mapping[key]


def _joint(step: _Step) -> str:
    return f".{step}" if isinstance(step, _Name) else str(step)
