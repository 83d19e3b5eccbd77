"""The names that secrets have, in mappings, on command lines and in texts."""

import re
from typing import Any, Final

__all__ = [
    "FLAGS",
    "FOLDERS",
    "MASK",
    "NAME",
    "is_flag",
    "is_secret_flag",
    "is_secret_key",
    "is_secret_name",
]

# What stands in the place of a secret.
MASK: Final = "***"
# Names are compared as ASCII: no other letter is taken for one of these.
FLAGS: Final = re.IGNORECASE | re.ASCII
NAME: Final = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret|token|credential|authorization"
    r"|(?:api|private|access)[_ -]?key)"
)
# Variables of a shell that hold a folder.
FOLDERS: Final = ("PWD", "OLDPWD")
_SECRET_NAME: Final = re.compile(NAME, FLAGS)
_NEXT_FLAG: Final = re.compile(r"--[A-Za-z]")


def is_secret_name(name: str) -> bool:
    """Say whether what has this name is a secret.

    Example:
        >>> [is_secret_name(name) for name in ("DB_PASSWORD", "api-key", "author")]
        [True, True, False]
        >>> is_secret_name("PWD")  # The working directory, in an environment.
        False
    """
    return _SECRET_NAME.search(name) is not None and name not in FOLDERS


def is_secret_key(key: Any) -> bool:
    """Say whether what a mapping has under this key is a secret.

    >>> is_secret_key(b"db_pwd"), is_secret_key(("db", "pwd")), is_secret_key(1)
    (True, True, False)
    """
    if isinstance(key, str):
        return is_secret_name(key)
    if isinstance(key, bytes):
        return is_secret_name(key.decode("latin-1"))
    return isinstance(key, tuple) and any(map(is_secret_key, key))


def is_flag(item: Any) -> bool:
    """Say whether an argument is a long flag, and no value.

    >>> is_flag("--all"), is_flag("01618"), is_flag("--")
    (True, False, False)
    """
    return isinstance(item, str) and _NEXT_FLAG.match(item) is not None


def is_secret_flag(item: Any) -> bool:
    """Say whether an argument is a flag whose value, the next one, is a secret.

    >>> is_secret_flag("--db-password"), is_secret_flag("-p"), is_secret_flag("pwd")
    (True, False, False)
    """
    return (
        isinstance(item, str)
        and item.startswith("-")
        and "=" not in item
        and not any(map(str.isspace, item))
        and is_secret_name(item)
    )
