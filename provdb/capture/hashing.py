"""Digests of the content of files, for telling whether two have the same."""

import hashlib
import os
from typing import Final

from provdb.errors import ConfigError, ReadError

__all__ = ["METHODS", "file_hash", "method_of"]

METHODS: Final = (
    "sha256",
    "sha1",
    "md5",
    "sha224",
    "sha384",
    "sha512",
    "blake2b",
    "blake2s",
    "sha3_256",
    "sha3_512",
)


def file_hash(path: str | os.PathLike[str], method: str = "sha256") -> str:
    """Return the digest of the content of a file, in hexadecimal.

    The file is read in pieces, some 400 MB in a second. Its content is compared, not
    kept secret: so ``md5`` and ``sha1`` are taken too, which logprov and lstosa write.

    Args:
        path: The file.
        method: One of `METHODS`.

    Raises:
        ConfigError: There is no such method.
        ReadError: The file is not there, is none, or cannot be read.

    Example:
        >>> from tempfile import NamedTemporaryFile
        >>> with NamedTemporaryFile() as file:
        ...     file_hash(file.name)[:12], file_hash(file.name, "md5")
        ('e3b0c44298fc', 'd41d8cd98f00b204e9800998ecf8427e')
    """
    if method not in METHODS:
        raise ConfigError(
            f"there is no hash method {method}; known are {', '.join(METHODS)}",
            setting="hash",
        )
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(
                stream, lambda: hashlib.new(method, usedforsecurity=False)
            ).hexdigest()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path.
        reason = getattr(error, "strerror", None) or error
        raise ReadError(os.fspath(path), f"it cannot be read: {reason}") from error


def method_of(digest: str, *, stated: str | None = None) -> str | None:
    """Return the method of a digest: the stated one if the length fits, or the usual.

    Args:
        digest: The digest, in hexadecimal.
        stated: The method that a record states, or None.

    Returns:
        One of `METHODS`, or None where none has digests of this length.

    >>> method_of("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    'sha256'
    """
    fitting = [
        method
        for method in METHODS
        if 2 * hashlib.new(method, usedforsecurity=False).digest_size == len(digest)
    ]
    if stated in fitting:
        return stated
    return fitting[0] if fitting else None
