"""The formats of PROV: how each is known by its first bytes, and who reads it."""

import logging
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from provdb.errors import MissingExtra, ReadError
from provdb.model import Record
from provdb.model.qualified import PROV, XSD
from provdb.model.statement import ARGUMENTS, Statement, Value, name_value, time_value
from provdb.model.values import is_plain_integer
from provdb.readers.lines import LONGEST_LINE_BYTES
from provdb.readers.prov.implied import without_implied
from provdb.readers.prov.records import records_of
from provdb.readers.source import Source

if TYPE_CHECKING:
    from prov.model import ProvBundle, ProvDocument, ProvRecord

__all__ = ["PROV_FORMATS", "ProvFormat", "read_document", "storable"]

# Of a run of a thousand subruns a document has some ten million bytes.
_LARGEST_BYTES: Final = 256 * 2**20
_SECTIONS: Final = "|".join(("prefix", "bundle", *ARGUMENTS))
_PROV_JSON: Final = re.compile(rb'\s*\{\s*"(?:%b)"\s*:\s*\{' % _SECTIONS.encode())
_PROV_JSONLD: Final = re.compile(rb'\s*\{\s*"@context"\s*:')
_PROV_XML: Final = re.compile(rb"\s*<.*?<?(?:[\w.-]+:)?document[\s>]", re.DOTALL)
_PROV_N: Final = re.compile(rb"(?:\s|//[^\n]*\n|/\*.*?\*/)*document\b", re.DOTALL)
_TURTLE: Final = re.compile(rb"(?:\s|#[^\n]*\n)*(?:@prefix|@base|PREFIX|BASE)\b", re.I)
_BOM: Final = b"\xef\xbb\xbf"
_NAMESPACE: Final = PROV.encode()
_REASON_LENGTH: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvFormat:
    """A format of PROV documents.

    Attributes:
        name: What it is called, such as ``prov-json``.
        title: What such files are, in a few words.
        library_name: What the library calls it.
        options: What else the library is told.
        needs: A library that must be installed for it, or None.
        is_rdf: Whether a relation may stand there in two forms, plain and qualified.
        looks_like: Says whether these are the first bytes of one.
    """

    name: str
    title: str
    library_name: str
    looks_like: Callable[[bytes], bool]
    options: tuple[tuple[str, str], ...] = ()
    needs: str | None = None
    is_rdf: bool = False

    def claims(self, source: Source) -> bool:
        """Say whether a source is in this format, by its first bytes."""
        return self.looks_like(source.first_bytes().removeprefix(_BOM))

    def read(
        self, source: Source, on_problem: Callable[[ReadError], None]
    ) -> Iterator[tuple[int | None, Record]]:
        """Yield the records of a source.

        Args:
            source: The document.
            on_problem: Is told of each statement that is no record.

        Raises:
            ReadError: It is no such document, it is larger than 256 MiB, or the library
                for it is not installed.
        """
        try:
            content = source.read_all(_LARGEST_BYTES)
            statements = read_document(content, self, source.name)
        except MissingExtra as error:  # It may be one of many files.
            raise ReadError(source.name, str(error)) from error
        kept = storable(statements, source=source.name, on_problem=on_problem)
        for record in records_of(kept, source=source.name, on_problem=on_problem):
            yield None, record


def read_document(content: bytes, format_: ProvFormat, source: str) -> list[Statement]:
    """Return the statements of a document, in their order.

    Raises:
        ReadError: It is no document of the format.
        MissingExtra: The library for it is not installed.

    >>> read_document(b'{"entity": {"_:e": {}}}', PROV_FORMATS[0], "a.json")
    Traceback (most recent call last):
    ...
    provdb.errors.ReadError: a.json: it is no prov-json: ...
    """
    document = _parse(content, format_, source)
    statements = [
        statement
        for bundle in (document, *document.bundles)
        for statement in _statements(bundle)
    ]
    return list(without_implied(statements)) if format_.is_rdf else statements


def storable(
    statements: Iterable[Statement],
    *,
    source: str,
    on_problem: Callable[[ReadError], None],
) -> list[Statement]:
    """Return the statements that are no longer than a record may be.

    Args:
        statements: All statements of a document.
        source: What the document is called in messages.
        on_problem: Is told of each of the others.
    """
    kept = []
    for statement in statements:
        longest = max((_size(value) for _, value in statement.attributes), default=0)
        if longest > LONGEST_LINE_BYTES:
            what = f"{statement.kind} {statement.id or ''}".strip()
            reason = f"{what} has an attribute too long for a record"
            on_problem(ReadError(source, reason))
            continue
        kept.append(statement)
    return kept


def _parse(content: bytes, format_: ProvFormat, source: str) -> "ProvDocument":
    from prov import Error
    from prov.model import ProvDocument

    if format_.needs is not None:
        _require(format_.needs)
    try:
        text = content.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        raise ReadError(source, f"it is no UTF-8: {error.reason}") from error
    if format_.library_name == "xml" and "<!DOCTYPE" in text:
        # PROV-XML needs none, and what it declares could be anything.
        raise ReadError(source, "it has a document type, which PROV-XML has not")
    try:
        with _silence():
            return ProvDocument.deserialize(
                content=text, format=format_.library_name, **dict(format_.options)
            )
    except RecursionError as error:
        raise ReadError(source, "it is nested too deeply") from error
    # The libraries below raise what happens to come first in a malformed document.
    except (
        *(Error, ValueError, TypeError, LookupError, AttributeError),
        *(SyntaxError, ArithmeticError, AssertionError),
    ) as error:
        told = " ".join(str(error).split()) or type(error).__name__
        reason = f"it is no {format_.name}: {told:.{_REASON_LENGTH}}"
        raise ReadError(source, reason) from error


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the libraries from telling what later versions of them will not read."""
    logger = logging.getLogger("rdflib.term")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _statements(bundle: "ProvBundle") -> Iterator[Statement]:
    name = None if bundle.identifier is None else bundle.identifier.uri
    records = bundle.get_records()
    if name is not None and not records:
        yield Statement("bundle", name)
    for record in records:
        yield _statement(record, name)


def _statement(record: "ProvRecord", bundle: str | None) -> Statement:
    from prov.constants import PROV_N_MAP

    arguments = tuple(
        (name.localpart, value.isoformat() if type(value) is datetime else value.uri)
        for name, value in record.formal_attributes
        if value is not None
    )
    attributes = tuple(
        (name.uri, _value(value)) for name, value in record.extra_attributes
    )
    id_ = None if record.identifier is None else record.identifier.uri
    return Statement(PROV_N_MAP[record.get_type()], id_, arguments, attributes, bundle)


def _value(value: Any) -> Value:
    from prov.identifier import Identifier, QualifiedName
    from prov.model import Literal

    kind = type(value)
    if kind is str or kind is bool or is_plain_integer(value):
        return value
    if kind is float and isfinite(value):
        return value
    if kind is datetime:
        return time_value(value.isoformat())
    if isinstance(value, QualifiedName):
        return name_value(value.uri)
    if isinstance(value, Identifier):
        return {"value": value.uri, "type": f"{XSD}anyURI"}
    if isinstance(value, Literal):
        if value.langtag is not None:
            return {"value": value.value, "lang": value.langtag}
        type_ = value.datatype
        return {"value": value.value, "type": getattr(type_, "uri", f"{XSD}string")}
    return {"value": str(value), "type": f"{XSD}{_XSD_TYPES.get(kind, 'string')}"}


def _size(value: Value) -> int:
    text = value["value"] if isinstance(value, dict) else value
    return len(text) if isinstance(text, str) else 0


def _require(library: str) -> None:
    from importlib.util import find_spec

    if find_spec(library) is None:
        raise MissingExtra(library, extra="formats")


_XSD_TYPES: Final = {int: "integer", float: "double"}

PROV_FORMATS: Final = (
    ProvFormat(
        name="prov-json",
        title="documents of PROV-JSON",
        library_name="json",
        looks_like=lambda first: _PROV_JSON.match(first) is not None,
    ),
    ProvFormat(
        name="prov-jsonld",
        title="documents of PROV-JSONLD",
        library_name="jsonld",
        is_rdf=True,
        looks_like=lambda first: (
            _PROV_JSONLD.match(first) is not None and b"prov-jsonld" in first
        ),
    ),
    ProvFormat(
        name="prov-xml",
        title="documents of PROV-XML",
        library_name="xml",
        looks_like=lambda first: (
            _NAMESPACE in first and _PROV_XML.match(first) is not None
        ),
        needs="lxml",
    ),
    ProvFormat(
        name="rdf",
        title="PROV in Turtle or TriG",
        library_name="rdf",
        # TriG is Turtle with bundles.
        options=(("rdf_format", "trig"),),
        looks_like=lambda first: (
            _NAMESPACE in first and _TURTLE.match(first) is not None
        ),
        needs="rdflib",
        is_rdf=True,
    ),
    ProvFormat(
        name="prov-n",
        title="documents of PROV-N",
        library_name="provn",
        looks_like=lambda first: _PROV_N.match(first) is not None,
    ),
)
