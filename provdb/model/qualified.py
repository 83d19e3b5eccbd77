"""Names of things in W3C PROV documents: the URI of each id, and the id of each URI.

An id of provdb becomes ``urn:provdb:KIND-ID``, where every character that XML, Turtle
or PROV-N may not like in a name is written as ``-XX``, so that it is a name in each of
them. The version of an entity follows after a dot, and of a part of a file the activity
that wrote it. An id that is a URI already, as one that was read from a PROV document,
stays what it is.
"""

import re
from typing import Final, NamedTuple

__all__ = [
    "IVOA",
    "PARAMETER",
    "PROPERTY",
    "PROV",
    "PROVDB",
    "XSD",
    "QualifiedId",
    "attribute_name",
    "attribute_uri",
    "escape_name",
    "is_uri",
    "parse_uri",
    "unescape_name",
    "uri_of",
]

PROV: Final = "http://www.w3.org/ns/prov#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
# As the IVOA's own library has it.
IVOA: Final = "http://www.ivoa.net/documents/ProvenanceDM/index.html#"
PROVDB: Final = "urn:provdb:"
PARAMETER: Final = "urn:provdb:parameter:"
PROPERTY: Final = "urn:provdb:property:"

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_]")
_ESCAPED: Final = re.compile(r"(?:-[0-9A-F]{2})+")
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")


class QualifiedId(NamedTuple):
    """What a URI of provdb names.

    Attributes:
        kind: ``activity``, ``entity``, ``part``, ``agent``, ``session``…
        id: Id of its document, or its name; of a part the id of its entity.
        version: Short name of the version of an entity, or None; of a part the id of
            the activity that wrote it.
    """

    kind: str
    id: str
    version: str | None = None


def uri_of(kind: str, id_: str, version: str | None = None) -> str:
    """Return the URI that names a thing of provdb in PROV documents.

    >>> uri_of("entity", "446f45", "9c3006f3f024")
    'urn:provdb:entity-446f45.9c3006f3f024'
    >>> uri_of("session", "r0_to_dl1:01618/8739478486569")
    'urn:provdb:session-r0_to_dl1-3A01618-2F8739478486569'
    """
    name = f"{PROVDB}{kind}-{escape_name(id_)}"
    return name if version is None else f"{name}.{escape_name(version)}"


def parse_uri(uri: str) -> QualifiedId | None:
    """Return what a URI of provdb names, or None for a URI of somebody else.

    >>> parse_uri("urn:provdb:entity-446f45.9c3006f3f024")
    QualifiedId(kind='entity', id='446f45', version='9c3006f3f024')
    >>> parse_uri("http://example.org/dl1") is None
    True

    A URI that somebody damaged names nothing either.

    >>> parse_uri("urn:provdb:entity--FF") is None
    True
    """
    if not uri.startswith(PROVDB):
        return None
    kind, dash, name = uri[len(PROVDB) :].partition("-")
    if not dash:
        return None
    id_, dot, version = name.partition(".")
    try:
        return QualifiedId(
            kind, unescape_name(id_), unescape_name(version) if dot else None
        )
    except UnicodeDecodeError:
        return None


def is_uri(text: str) -> bool:
    """Say whether an id can stand for itself in a PROV document.

    >>> is_uri("http://example.org/dl1"), is_uri("446f45")
    (True, False)
    """
    return _URI.fullmatch(text) is not None


def escape_name(text: str) -> str:
    """Return a text as letters, digits and escapes, from which it comes back.

    >>> escape_name("tailcut.picture")
    'tailcut-2Epicture'
    """
    return _UNSAFE.sub(_escape, text)


def unescape_name(name: str) -> str:
    """Return the text that a name was made from.

    >>> unescape_name("tailcut-2Epicture")
    'tailcut.picture'
    """
    return _ESCAPED.sub(_unescape, name)


def attribute_uri(namespace: str, name: str) -> str:
    """Return the URI of an attribute that anybody named.

    >>> attribute_uri(PARAMETER, "StoreImage"), attribute_uri(PARAMETER, "1st")
    ('urn:provdb:parameter:StoreImage', 'urn:provdb:parameter:_1st')
    """
    escaped = escape_name(name)
    # The name of an element of XML begins with a letter.
    return namespace + (escaped if escaped[:1].isalpha() else f"_{escaped}")


def attribute_name(namespace: str, uri: str) -> str | None:
    """Return the name of an attribute, or None for one of another namespace.

    >>> attribute_name(PARAMETER, "urn:provdb:parameter:_1st")
    '1st'
    """
    if not uri.startswith(namespace):
        return None
    return unescape_name(uri[len(namespace) :].removeprefix("_"))


def _escape(match: re.Match[str]) -> str:
    encoded = match.group().encode("utf-8", "surrogatepass")
    return "".join(f"-{byte:02X}" for byte in encoded)


def _unescape(match: re.Match[str]) -> str:
    encoded = bytes.fromhex(match.group().replace("-", ""))
    return encoded.decode("utf-8", "surrogatepass")
