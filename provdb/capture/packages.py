"""The packages that an interpreter can import, by the names of their folders."""

import os
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

__all__ = ["Package", "packages_in"]

_SEPARATORS: Final = re.compile(r"[-_.]+")
_OF_PYTHON: Final = re.compile(r"-py\d.*\Z")
_VERSION: Final = re.compile(rb"^Version:[ \t]*(\S+)", re.MULTILINE)
_HEAD_BYTES: Final = 8192


class Package(NamedTuple):
    """An installed package.

    Attributes:
        name: Its name as pip writes it: lower case, with hyphens.
        version: Its version.
        path: The folder that it is installed in.
    """

    name: str
    version: str
    path: str


def packages_in(folders: Iterable[str]) -> list[Package]:
    """Return the packages in the folders of a path such as `sys.path`, by name.

    Of several with one name the first counts, as it does for the interpreter. Only the
    names of folders are read (``name-version.dist-info``): to parse the metadata of 200
    packages takes a quarter of a second. What cannot be read is left out.

    Example:
        >>> import sys
        >>> "pymongo" in {package.name for package in packages_in(sys.path)}
        True
    """
    found: dict[str, Package] = {}
    for folder in folders:
        for package in _packages_of(folder or "."):
            found.setdefault(package.name, package)
    return sorted(found.values())


def _packages_of(folder: str) -> Iterator[Package]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except (OSError, ValueError):  # ValueError: a NUL in the path.
        return
    for entry in names:
        stem, ending = os.path.splitext(entry)
        if ending not in (".dist-info", ".egg-info") or stem.startswith("~"):
            continue  # With a tilde begins what pip could not delete.
        name, _, version = _OF_PYTHON.sub("", stem).partition("-")
        # An older package in development has no version in its folder's name.
        version = version or _version_in(os.path.join(folder, entry))
        if name and version:
            normal = _SEPARATORS.sub("-", name).lower()
            yield Package(name=normal, version=version, path=folder)


def _version_in(folder: str) -> str:
    for name in ("METADATA", "PKG-INFO"):
        try:
            with open(os.path.join(folder, name), "rb") as stream:
                found = _VERSION.search(stream.read(_HEAD_BYTES))
        except OSError:
            continue
        if found:
            return found[1].decode("utf-8", "backslashreplace")
    return ""
