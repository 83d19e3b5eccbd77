"""Any Python literal as a value that MongoDB and JSON both hold, and back.

A pipeline may log a parameter that BSON or JSON cannot hold as it is: a key with
a dot, a tuple, an integer of more than 64 bits, a NaN. Such a value is wrapped in
a mapping with one key that starts with ``%``; keys of ordinary mappings are
escaped so that none of theirs does. What needs no wrapping is stored as it is.
"""

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeGuard

import orjson

from provdb.errors import RecordError

__all__ = [
    "canonical",
    "decode",
    "decode_key",
    "encode",
    "encode_key",
    "is_plain_integer",
    "is_plain_text",
    "is_wrapped",
]

_INT64: Final = range(-(2**63), 2**63)
_SCALARS: Final = (str, int, bool, float, type(None), datetime)
_DEEPEST: Final = 90  # MongoDB takes 100 levels in a document.
_UNSAFE_KEY: Final = re.compile(r"[%.\x00\ud800-\udfff]|^\$")
_NUL: Final = "\x00"
_UNSAFE_TEXT: Final = re.compile(r"[\x00\ud800-\udfff]")
_ESCAPE: Final = re.compile(r"%([0-9A-F]{2}|u[0-9A-F]{4})")


def encode(value: Any) -> Any:
    """Return the storable form of a Python literal.

    Raises:
        RecordError: The value is no literal, or is nested too deeply to be stored.

    >>> encode({"tailcut.picture": (6, 3), "n": 2**70})
    {'tailcut%2Epicture': {'%tuple': [6, 3]}, 'n': {'%int': '1180591620717411303424'}}
    """
    return _encode(value, depth=0)


def decode(value: Any) -> Any:
    """Return the Python literal whose storable form this is.

    >>> decode({"tailcut%2Epicture": {"%tuple": [6, 3]}})
    {'tailcut.picture': (6, 3)}
    """
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        # MongoDB's driver has an integer type of its own for large ones.
        return value if type(value) in _SCALARS else int(value)
    if len(value) == 1:
        ((key, content),) = value.items()
        if key in _UNWRAP:
            return _UNWRAP[key](content)
    return {decode_key(key): decode(item) for key, item in value.items()}


def canonical(value: Any) -> bytes:
    """Return the one JSON text of a storable value, with sorted keys.

    Equal values have equal texts, and different ones (also ``1``, ``1.0`` and
    ``True``) have different texts.

    >>> canonical({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def encode_key(key: Any) -> str:
    """Return the storable form of the key of a mapping.

    Raises:
        RecordError: The key is no literal.

    >>> encode_key("tailcut.picture"), encode_key(1)
    ('tailcut%2Epicture', '%(1)')
    """
    if type(key) is str:
        if _UNSAFE_KEY.search(key):
            return _UNSAFE_KEY.sub(_escape, key)
        return key
    return "%" + _UNSAFE_KEY.sub(_escape, f"({canonical(encode(key)).decode()})")


def decode_key(key: str) -> Any:
    """Return the key whose storable form this is.

    >>> decode_key("tailcut%2Epicture"), decode_key("%(1)")
    ('tailcut.picture', 1)
    """
    if "%" not in key:
        return key
    if key.startswith("%("):
        return decode(orjson.loads(_unescape(key[2:-1])))
    return _unescape(key)


def is_plain_text(value: object) -> TypeGuard[str]:
    r"""Say whether a value is a text that is stored as it is.

    >>> is_plain_text("r0_to_dl1"), is_plain_text("a\x00b"), is_plain_text(7)
    (True, False, False)
    """
    if type(value) is not str:
        return False
    # Nearly all are ASCII, which is known of a text without a look at it.
    return _NUL not in value if value.isascii() else not _UNSAFE_TEXT.search(value)


def is_plain_integer(value: object) -> TypeGuard[int]:
    """Say whether a value is an integer that is stored as it is.

    >>> is_plain_integer(7), is_plain_integer(2**63), is_plain_integer(True)
    (True, False, False)
    """
    return type(value) is int and value in _INT64


def is_wrapped(value: object) -> bool:
    """Say whether a storable value is a mapping that wraps another value.

    >>> is_wrapped({"%tuple": [6, 3]}), is_wrapped({"picture": 6})
    (True, False)
    """
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _UNWRAP


def _encode(value: Any, *, depth: int) -> Any:
    kind = type(value)
    if kind is str:
        if _UNSAFE_TEXT.search(value):
            return {"%str": value.encode("utf-8", "surrogatepass").hex()}
        return value
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if value in _INT64 else {"%int": _decimal(value)}
    if kind is float:
        return value if math.isfinite(value) else {"%float": repr(value)}
    if depth > _DEEPEST:
        raise RecordError(f"a value is nested more than {_DEEPEST} levels deep")
    if kind is dict:
        encoded = {
            encode_key(key): _encode(item, depth=depth + 1)
            for key, item in value.items()
        }
        if len(encoded) < len(value):
            raise RecordError("a mapping has several keys that are no number")
        return encoded
    if kind is list:
        return [_encode(item, depth=depth + 1) for item in value]
    if kind is tuple:
        return {"%tuple": [_encode(item, depth=depth + 2) for item in value]}
    if kind is set:
        members = [_encode(item, depth=depth + 2) for item in value]
        return {"%set": sorted(members, key=canonical)}
    if kind is bytes:
        return {"%bytes": value.hex()}
    if kind is complex:
        return {"%complex": repr(value)}
    if value is Ellipsis:
        return {"%ellipsis": True}
    raise RecordError(f"a value of type {kind.__name__} is no literal")


def _decimal(value: int) -> str:
    try:
        return str(value)
    except ValueError as error:  # Python limits the digits that it writes and reads.
        raise RecordError("an integer has too many digits to be stored") from error


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"%{code:02X}" if code < 256 else f"%u{code:04X}"


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match.group(1).lstrip("u"), 16)), text)


_UNWRAP: Final[dict[str, Callable[[Any], Any]]] = {
    "%str": lambda content: bytes.fromhex(content).decode("utf-8", "surrogatepass"),
    "%int": int,
    "%float": float,
    "%tuple": lambda content: tuple(decode(item) for item in content),
    "%set": lambda content: {decode(item) for item in content},
    "%bytes": bytes.fromhex,
    "%complex": complex,
    "%ellipsis": lambda content: ...,
}
