"""URIs as the prefixed names that documents of PROV and RDF are written with."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from provdb.model.qualified import IVOA, PARAMETER, PROPERTY, PROV, PROVDB, XSD

__all__ = ["PrefixedName", "Prefixes"]

_KNOWN: Final = {
    PROV: "prov",
    XSD: "xsd",
    PROVDB: "provdb",
    PARAMETER: "parameter",
    PROPERTY: "property",
    IVOA: "voprov",
}
# Every document has these, said or not.
_BUILT_IN: Final = (PROV, XSD)
# A name that XML, Turtle and PROV-N all have, at the end of a URI.
_LOCAL: Final = re.compile(r"(?<![A-Za-z0-9_.-])[A-Za-z_][A-Za-z0-9_.-]*(?<!\.)$")
_AFTER_SEPARATOR: Final = re.compile(r"[^/#:]*$")


class PrefixedName(NamedTuple):
    """A URI in parts.

    Attributes:
        prefix: What stands for its first part.
        base: The first part.
        local: The rest.
    """

    prefix: str
    base: str
    local: str

    def __str__(self) -> str:
        """Return the name as it is written."""
        return f"{self.prefix}:{self.local}"


class Prefixes:
    """The prefixes of one document; each URI is parted once."""

    def __init__(self) -> None:
        """Start with no prefix in use."""
        self._names: dict[str, PrefixedName] = {}
        self._texts: dict[str, str] = {}
        self._used: dict[str, str] = {}

    def __getitem__(self, uri: str) -> PrefixedName:
        """Return the prefixed name of a URI.

        >>> str(Prefixes()["urn:provdb:entity-446f45"])
        'provdb:entity-446f45'
        >>> Prefixes()["http://example.org/dl1"]
        PrefixedName(prefix='ns1', base='http://example.org/', local='dl1')
        """
        found = self._names.get(uri)
        if found is None:
            place = _LOCAL.search(uri) or _AFTER_SEPARATOR.search(uri)
            cut = len(uri) if place is None else place.start()
            prefix = self._prefix(uri[:cut])
            found = self._names[uri] = PrefixedName(prefix, uri[:cut], uri[cut:])
        return found

    def text(self, uri: str) -> str:
        """Return the prefixed name of a URI as it is written."""
        text = self._texts.get(uri)
        if text is None:
            text = self._texts[uri] = str(self[uri])
        return text

    @property
    def used(self) -> Mapping[str, str]:
        """What the prefixes in use stand for, without those of PROV itself."""
        return {
            prefix: base for base, prefix in self._used.items() if base not in _BUILT_IN
        }

    def _prefix(self, base: str) -> str:
        if base not in self._used:
            new = sum(one not in _KNOWN for one in self._used) + 1
            self._used[base] = _KNOWN.get(base) or f"ns{new}"
        return self._used[base]
