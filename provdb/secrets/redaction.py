"""Mask secrets in records and log lines, before any of it is written down.

A secret is known by its name (``password``, ``token``, …) or by its form (the
password of a URI, a bearer token, a private key). In doubt more is masked rather
than less. Pure throughout; names and forms are compared as ASCII, whatever the case.
"""

from collections.abc import Sequence
from typing import Any, Final

from provdb.secrets.names import (
    MASK,
    is_flag,
    is_secret_flag,
    is_secret_key,
    is_secret_name,
)
from provdb.secrets.texts import hints_at_secret, redact_bytes, redact_text

__all__ = ["MASK", "is_secret_name", "may_hold_secret", "redact", "redact_text"]

# Deeper than any record that can be stored.
_DEEPEST: Final = 200


def may_hold_secret(content: bytes) -> bool:
    """Say whether there may be a secret in the bytes of a record or a log line.

    A quick look, for every record and in the caller's time. False means that `redact`
    and `redact_text` would change nothing; True means no more than that they should be
    asked.

    Args:
        content: A log line, or a record as JSON, with what JSON cannot hold wrapped
            as `provdb.model.values.encode` does.

    Example:
        >>> may_hold_secret(b'{"used_role": "Pedestal", "used_id": "446f45"}')
        False
        >>> may_hold_secret(b'{"parameters": {"DB_PASSWORD": "p"}}')
        True
    """
    # A text is searched in half the time that bytes are.
    return hints_at_secret(content.decode("latin-1"))


def redact(value: Any) -> Any:
    """Return a value with ``***`` in the place of every secret in it.

    Masked are what stands under a key with the name of a secret, whatever it is; in a
    list the argument that follows a flag with such a name (``--db-password``, not
    ``-p``), unless it is a long flag itself; and in any text what `redact_text` masks.
    Where nothing is masked, the very same object is returned; where something is, only
    what holds it is new.

    Args:
        value: A literal, as `provdb.capture.plain.plain` gives it: without loops.

    Example:
        >>> redact({"parameters": {"db_password": "p", "run": "01618"}})
        {'parameters': {'db_password': '***', 'run': '01618'}}
        >>> redact(["datasequence", "--token", "abc", "01618.0008"])
        ['datasequence', '--token', '***', '01618.0008']
    """
    return _redact(value, depth=0)


def _redact(value: Any, *, depth: int) -> Any:
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        return redact_bytes(value)
    if not isinstance(value, dict | list | tuple | set | frozenset):
        return value
    if depth > _DEEPEST:
        return MASK
    if isinstance(value, dict):
        return _redact_mapping(value, depth=depth + 1)
    if isinstance(value, list | tuple):
        items = _redact_arguments(value, depth=depth + 1)
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        return items if isinstance(value, list) else tuple(items)
    members = [(_redact(member, depth=depth + 1), member) for member in value]
    if all(new is old for new, old in members):
        return value
    return type(value)(new for new, _ in members)


def _redact_mapping(value: dict[Any, Any], *, depth: int) -> dict[Any, Any]:
    redacted: dict[Any, Any] = {}
    is_changed = False
    for key, item in value.items():
        new_key = _redact(key, depth=depth)
        if new_key is not key:
            new_key = _unlike(new_key, redacted)
        is_secret = is_secret_key(key)
        new_item = MASK if is_secret else _redact(item, depth=depth)
        if is_secret and type(item) is str and item == MASK:
            new_item = item
        is_changed = is_changed or new_key is not key or new_item is not item
        redacted[new_key] = new_item
    return redacted if is_changed else value


def _unlike(key: Any, taken: dict[Any, Any]) -> Any:
    """Return a masked key that is not that of another entry."""
    number, new = 1, key
    while new in taken:
        number += 1
        new = f"{key} ({number})"
    return new


def _redact_arguments(items: Sequence[Any], *, depth: int) -> list[Any]:
    redacted = []
    is_awaited = False
    for item in items:
        is_masked = is_awaited and not is_flag(item) and item != MASK
        redacted.append(MASK if is_masked else _redact(item, depth=depth))
        is_awaited = is_secret_flag(item)
    return redacted
