"""What copies of configuration files hold: values by key, or lines of text."""

import posixpath
import tomllib
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from typing import Any, Final

import orjson
import yaml

__all__ = ["changed_lines", "text_of", "values_of"]

_MOST_VALUES: Final = 10_000
_MOST_LINES: Final = 5_000


def values_of(location: str, content: bytes) -> dict[str, Any] | None:
    """Return the values of JSON, YAML or TOML by their keys, None for what is neither.

    Args:
        location: Path of the file, whose ending says which of them it is.
        content: The content.

    >>> values_of("lstchain.json", b'{"tailcut": {"picture_thresh": 8}}')
    {'tailcut.picture_thresh': 8}
    """
    read = _READERS.get(posixpath.splitext(location)[1].lower())
    if read is None:
        return None
    try:
        values: dict[str, Any] = {}
        # Written in YAML a small text can hold very many values, or itself.
        for key, value in _flat("", read(content)):
            values[key] = value
            if len(values) > _MOST_VALUES:
                return None
    except (ValueError, yaml.YAMLError, RecursionError):
        return None
    return values


def text_of(content: bytes) -> str | None:
    """Return a content as text, or None where it is none."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def changed_lines(one: str, other: str) -> Iterator[tuple[int, str, str]]:
    r"""Yield the number of each changed line, with what stood there and what stands.

    >>> list(changed_lines("a\nb\nc\n", "a\nB\nc\n"))
    [(2, 'b', 'B')]
    """
    before, after = one.splitlines(), other.splitlines()
    if max(len(before), len(after)) > _MOST_LINES:
        yield 1, f"{len(before)} lines", f"{len(after)} lines, too many to compare"
        return
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, start, end, other_start, other_end in matcher.get_opcodes():
        if tag != "equal":
            changed = "\n".join(after[other_start:other_end])
            yield start + 1, "\n".join(before[start:end]), changed


def _flat(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _flat(f"{key}.{name}" if key else str(name), item)
    elif isinstance(value, list) and any(isinstance(v, dict | list) for v in value):
        for place, item in enumerate(value):
            yield from _flat(f"{key}[{place}]", item)
    else:
        yield key, _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


_READERS: Final[dict[str, Callable[[bytes], Any]]] = {
    ".json": orjson.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
    ".toml": lambda content: tomllib.loads(content.decode("utf-8")),
}
