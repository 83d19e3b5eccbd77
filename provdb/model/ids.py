"""The ids of stored documents, computed from what a record says and nothing else."""

import hashlib
from json.encoder import encode_basestring_ascii
from typing import Any

from provdb.model.values import canonical, encode

__all__ = [
    "activity_key",
    "content_digest",
    "location_id",
    "session_key",
    "value_id",
]


def activity_key(
    session_tag: str | None,
    session_id: str | None,
    activity_id: str,
    start: str | None,
) -> str:
    """Return the id of one execution of an activity: 128 bits in hexadecimal.

    lstosa's own ``activity_id`` has 24 bits, so it is the same for two activities of
    one night more often than not; it is never a key alone.

    >>> activity_key("r0_to_dl1:01618", "8739478486569", "621ca2", None)
    '7542cfa8c5e21b9b136096a9c1e53735'
    """
    # What `json.dumps` writes of such a list, in a third of the time.
    parts = ", ".join(
        "null" if part is None else encode_basestring_ascii(part)
        for part in (session_tag, session_id, activity_id, start)
    )
    return hashlib.blake2b(f"[{parts}]".encode(), digest_size=16).hexdigest()


def session_key(session_tag: str | None, session_id: str | None) -> str:
    """Return the id of a session document: its tag and its id, to be read by people.

    >>> session_key("r0_to_dl1:01618", "8739478486569")
    'r0_to_dl1:01618/8739478486569'
    """
    tag = (session_tag or "").replace("%", "%25").replace("/", "%2F")
    return f"{tag}/{session_id or ''}"


def location_id(location: str) -> str:
    """Return the entity id of a file: the md5 of its path, as lstosa computes it.

    >>> location_id("/fefs/aswg/data/real/R0/20191123/LST-1.1.Run01618.0008.fits.fz")
    '446f45dd1c878559585395eedce5bc7a'
    """
    digest = hashlib.md5(
        location.encode("utf-8", "surrogatepass"), usedforsecurity=False
    )
    return digest.hexdigest()


def content_digest(content: bytes) -> str:
    """Return the id of a document that is stored by its content: a sha256.

    >>> content_digest(b"{}")[:12]
    '44136fa355b3'
    """
    return hashlib.sha256(content).hexdigest()


def value_id(value: Any) -> str:
    """Return the entity id of something that is no file: a digest of the literal.

    Raises:
        RecordError: The value is no literal.

    >>> value_id(["r0_to_dl1:01618", "threshold", 0.5])
    '9e1067e848df2c2ba0f1e4c63110801f'
    """
    content = canonical(encode(value))
    return hashlib.blake2b(content, digest_size=16).hexdigest()
