"""Locations of files: one canonical spelling of each, by its text alone.

No disk is asked: a file may be gone, or on another machine. Mount points and sites that
name one folder differently are joined by a table of aliases, which belongs to a store.
"""

import posixpath
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias
from urllib.parse import unquote
from uuid import UUID

from provdb.model.values import is_plain_text

__all__ = [
    "AliasPair",
    "canonical_alias",
    "canonical_location",
    "file_url_path",
    "is_below",
    "spellings",
]

# A prefix of locations, and what stands in its place in the canonical spelling.
AliasPair: TypeAlias = tuple[str, str]

# What no canonical location has; most locations have none of it.
_UNTIDY: Final = re.compile(
    r"//|/\.{1,2}(?:/|$)|^\.{1,2}/|.[/]$|^file:", re.IGNORECASE | re.DOTALL
)
_FILE_URL: Final = re.compile(
    r"file:(?://(?:localhost)?(?=/)|(?!//))(?P<path>/.*)", re.IGNORECASE | re.DOTALL
)
_URL: Final = re.compile(
    r"(?P<host>[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)",
    re.DOTALL,
)
_LOGICAL_NAME: Final = re.compile(r"lfn:(?://)?(?=/)", re.IGNORECASE)
_UUID: Final = re.compile(
    r"(?:urn:uuid:)?\{?(?P<uuid>[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12})\}?",
    re.IGNORECASE,
)
_MOST_SPELLINGS: Final = 100


def canonical_location(text: str) -> str:
    """Return the canonical spelling of the location of a file.

    Repeated slashes, ``.`` and ``..``, a slash at the end, ``file://`` and the form of
    Unicode are normalised. A URL of another scheme keeps its scheme and its host; a
    relative path stays relative.

    >>> canonical_location("file:///fefs/aswg//DL1/../DL2/dl2%20a.h5")
    '/fefs/aswg/DL2/dl2 a.h5'
    >>> canonical_location("root://eos.cta.org//fefs/./DL1/")
    'root://eos.cta.org/fefs/DL1'
    """
    if text.isascii():
        if _UNTIDY.search(text) is None:
            return text
    else:
        text = unicodedata.normalize("NFC", text)
    if (path := file_url_path(text)) is not None:
        return _normal_path(unicodedata.normalize("NFC", path))
    url = _URL.fullmatch(text)
    if url is None:
        return _normal_path(text)
    path = _normal_path(url["path"])
    return f"{url['host']}{'' if path == '/' else path}{url['rest']}"


def file_url_path(text: str) -> str | None:
    """Return the path that a ``file:`` URL names, or None for all else.

    The URL of a file on another host names no path here.

    >>> file_url_path("file://localhost/fefs/a%20b.h5"), file_url_path("/fefs/a.h5")
    ('/fefs/a b.h5', None)
    """
    url = _FILE_URL.fullmatch(text)
    if url is None:
        return None
    try:
        path = unquote(url["path"], errors="strict")
    except UnicodeDecodeError:
        return url["path"]
    return path if is_plain_text(path) else url["path"]


def canonical_alias(text: str) -> str:
    """Return the canonical spelling of another name of a file.

    A UUID is written without dashes in lower case, a logical file name without its
    scheme.

    >>> canonical_alias("F69C1A88-c8df-4e89-a78f-1a34f30e3b20")
    'f69c1a88c8df4e89a78f1a34f30e3b20'
    >>> canonical_alias("lfn:///ctao/dpps/DL0/dl0_obs1.fits")
    '/ctao/dpps/DL0/dl0_obs1.fits'
    """
    uuid = _UUID.fullmatch(text)
    if uuid is not None:
        return UUID(uuid["uuid"]).hex
    return canonical_location(_LOGICAL_NAME.sub("", text, count=1))


def spellings(location: str, aliases: Iterable[AliasPair] = ()) -> list[str]:
    """Return every canonical spelling of one file, the preferred one first.

    Args:
        location: Any spelling of it.
        aliases: Pairs of a prefix and what stands in its place in the preferred
            spelling; a prefix is whole parts of a path.

    >>> spellings("/mnt/lst//DL1/", [("/mnt/lst", "/fefs/aswg")])
    ['/fefs/aswg/DL1', '/mnt/lst/DL1']
    """
    # The longest prefix first: a mount point may lie below another one.
    pairs = sorted(aliases, key=lambda pair: (-len(pair[0]), pair))
    preferred = _preferred(canonical_location(location), pairs)
    known = {preferred: None}
    pending = [preferred]
    while pending and len(known) < _MOST_SPELLINGS:
        spelling = pending.pop(0)
        for prefix, target in pairs:
            other = _replaced(spelling, target, prefix)
            # A spelling below another mount point may be another file.
            if (
                other is not None
                and other not in known
                and (_preferred(other, pairs) == preferred)
            ):
                known[other] = None
                pending.append(other)
    return list(known)


def is_below(location: str, prefix: str) -> bool:
    """Say whether a location is a folder, or lies below it.

    >>> is_below("/mnt/lst/DL1", "/mnt/lst"), is_below("/mnt/lst2", "/mnt/lst")
    (True, False)
    """
    return location.startswith(prefix) and (
        prefix.endswith("/") or location[len(prefix) :][:1] in ("", "/")
    )


def _preferred(location: str, pairs: Sequence[AliasPair]) -> str:
    # Each pair is used once at most, so that this ends whatever the table holds.
    unused = list(pairs)
    while True:
        for pair in unused:
            replaced = _replaced(location, *pair)
            if replaced is not None:
                location = replaced
                unused.remove(pair)
                break
        else:
            return location


def _replaced(location: str, prefix: str, target: str) -> str | None:
    if not is_below(location, prefix):
        return None
    rest = location[len(prefix) :].lstrip("/")
    return target if not rest else f"{target.rstrip('/')}/{rest}"


def _normal_path(path: str) -> str:
    if not path:
        return path
    normal = posixpath.normpath(path)
    # POSIX leaves two slashes at the beginning to the system; here they are one.
    return normal[1:] if normal.startswith("//") else normal
