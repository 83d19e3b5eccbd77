"""Copies of small files, such as configurations, as records by content."""

import hashlib
import os
from base64 import b64encode
from typing import Final

from provdb.errors import ReadError
from provdb.model import Record
from provdb.secrets.texts import redact_bytes

__all__ = ["LARGEST_BYTES", "SECRETS", "content_record", "copy_record"]

# In base64 it is a line that the readers of logs take (2 MiB).
LARGEST_BYTES: Final = 2**20
# Why a record is without the content.
SECRETS: Final = "secrets"


def copy_record(
    path: str | os.PathLike[str],
    *,
    session_tag: str | None,
    activity_id: str | None = None,
) -> Record | None:
    """Return the record that holds a copy of a small file, such as a configuration.

    The digest is that of the real content, so that it can be verified. A content in
    which a secret is found is not copied: the record says so with
    ``content_left_out: secrets``, and has the digest and the size alone.

    Args:
        path: The file; the record has its absolute path.
        session_tag: Tag of the session, if there is one.
        activity_id: Id of the activity that used it. Without one the same file costs
            no more, however many activities of a session use it.

    Returns:
        The record, or None where the file is larger than `LARGEST_BYTES`, 1 MiB.

    Raises:
        ReadError: The file is not there, is none, or cannot be read.

    Example:
        >>> from tempfile import NamedTemporaryFile
        >>> with NamedTemporaryFile() as file:
        ...     size = file.write(b'{"picture_thresh": 8}')
        ...     file.flush()
        ...     record = copy_record(file.name, session_tag="dl1ab:01618")
        >>> record["size"], record["content"]
        (21, 'eyJwaWN0dXJlX3RocmVzaCI6IDh9')
    """
    try:
        with open(path, "rb") as stream:
            content = stream.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path.
        reason = getattr(error, "strerror", None) or error
        raise ReadError(os.fspath(path), f"it cannot be read: {reason}") from error
    if len(content) > LARGEST_BYTES:
        return None
    record = content_record(content, location=os.path.abspath(path))
    if session_tag is not None:
        record["session_tag"] = session_tag
    if activity_id is not None:
        record["activity_id"] = activity_id
    return record


def content_record(content: bytes, *, location: str | None = None) -> Record:
    """Return the record that holds a content, unless there is a secret in it.

    Args:
        content: No more than `LARGEST_BYTES`.
        location: The path that it was found under, or None where that says nothing.

    >>> content_record(b'{"picture_thresh": 8}')["content"]
    'eyJwaWN0dXJlX3RocmVzaCI6IDh9'
    """
    record: Record = {
        "file_id": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }
    if location is not None:
        record["filepath"] = location
    if _has_secrets(content):
        record["content_left_out"] = SECRETS
    else:
        record["content"] = b64encode(content).decode()
    return record


def _has_secrets(content: bytes) -> bool:
    # UTF-16 is looked through as if it were ASCII.
    text = content.replace(b"\0", b"")
    return redact_bytes(text) is not text
