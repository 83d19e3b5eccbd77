"""Locations of files as pipelines hand them over: one path or URL for each file."""

import os
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from provdb.capture.plain import plain
from provdb.capture.problems import report

__all__ = [
    "Location",
    "file_path",
    "file_paths",
    "files_below",
    "moved_paths",
    "real_path",
]

# What names one file.
Location = str | bytes | os.PathLike[str] | os.PathLike[bytes]

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_FILE_URL: Final = re.compile(
    r"file:(?://(?:localhost)?(?=/)|(?!//))(?P<path>/.*)", re.IGNORECASE | re.DOTALL
)
_PATHS: Final = (str, bytes, os.PathLike)
_SEVERAL: Final = (list, tuple, set, frozenset)
_LONGEST_VALUE: Final = 100


def file_path(location: object) -> str:
    """Return the path that names a file in every process, or its URL.

    A relative path is taken from the working folder. A ``file://`` URL is the path in
    it, another URL stays as it is.

    >>> file_path("/R0/20191123/../LST-1.1.Run01618.0008.fits.fz")
    '/R0/LST-1.1.Run01618.0008.fits.fz'
    >>> file_path("file:///R0/LST-1.1.Run01618.0008.fits.fz")
    '/R0/LST-1.1.Run01618.0008.fits.fz'
    """
    text = _text(location)
    if (url := _FILE_URL.fullmatch(text)) is not None:
        text = unquote(url["path"], errors="surrogateescape")
    return text if _URL.match(text) else os.path.abspath(text)


def file_paths(given: object, *, activity: str, verb: str) -> list[str]:
    """Return the path of each file that a pipeline hands over.

    Of what names no file one line on stderr says so, and nothing else happens.

    Args:
        given: A path, or a list, a tuple or a set of paths.
        activity: Name of the activity, for the problem.
        verb: ``used`` or ``generated``, for the problem.

    >>> file_paths(["/DL1/a.h5", b"/DL1/b.h5"], activity="dl1ab", verb="used")
    ['/DL1/a.h5', '/DL1/b.h5']
    """
    return list(_found(given, activity=activity, verb=verb))


def real_path(path: str) -> str | None:
    """Return the path of the file behind symbolic links, None if there are none.

    It is asked of this disk; links that lead nowhere are followed as far as they lead.
    """
    if _URL.match(path):
        return None
    try:
        real = os.path.realpath(path)
    except (OSError, ValueError):  # ValueError: a NUL in the path.
        return None
    return None if real == path else real


def moved_paths(
    source: object, target: object, *, activity: str
) -> tuple[str, str] | None:
    """Return the paths of a file before and after a move, None if there was none.

    A target that is a folder with a file of that name in it stands for that file.

    >>> moved_paths("/DL1/tmp.h5", "/DL1/dl1_LST-1.Run01618.0008.h5", activity="dl1ab")
    ('/DL1/tmp.h5', '/DL1/dl1_LST-1.Run01618.0008.h5')
    """
    before = file_paths(source, activity=activity, verb="moved")
    after = file_paths(target, activity=activity, verb="moved something to")
    if len(before) != 1 or len(after) != 1:
        if before and after:
            report(f"{activity} moved several files at once; this is not recorded")
        return None
    (old,), (new,) = before, after
    inside = os.path.join(new, os.path.basename(old))
    if os.path.isdir(new) and os.path.lexists(inside):
        new = inside
    if old == new:
        report(f"{activity} moved {old} to itself; this is not recorded")
        return None
    return old, new


def files_below(folder: str) -> list[str]:
    """Return the paths of the files in a folder and in those below it, sorted."""
    return sorted(
        os.path.join(place, name)
        for place, _, names in os.walk(folder)
        for name in names
    )


def _found(given: object, *, activity: str, verb: str) -> Iterator[str]:
    if isinstance(given, _SEVERAL):
        in_order = (
            sorted(given, key=str) if isinstance(given, set | frozenset) else given
        )
        for one in in_order:
            yield from _found(one, activity=activity, verb=verb)
    elif not isinstance(given, _PATHS):
        value = repr(plain(given))[:_LONGEST_VALUE]
        report(f"{activity} {verb} {value}, not a path; this is not recorded")
    elif not os.fspath(given):
        report(f"{activity} {verb} a file with an empty path; this is not recorded")
    else:
        yield file_path(given)


def _text(location: object) -> str:
    """Return a path as text; a value of another type must not stop a pipeline."""
    try:
        return os.fsdecode(location)  # type: ignore[arg-type]
    except TypeError:
        return str(plain(location))
