"""The provenance that provdb wrote into a data file: what it is, and its records.

It is a document of PROV-JSON with all that the file came from. The file may lie
elsewhere than where it was made: then it is a copy, derived from what it was made as.
Tools of lstchain copy what they find in a file into what they make of it: such a file
has another size or another name, and is derived from that, but is no copy.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from provdb.errors import ReadError
from provdb.model import COPY, Record, file_name, location_id
from provdb.model.attributes import value_of
from provdb.model.qualified import parse_uri, uri_of
from provdb.model.statement import LOCATION, Statement
from provdb.readers.prov import PROV_FORMATS, read_document, records_of, storable

__all__ = [
    "FITS_NAME",
    "HDF5_NAME",
    "HISTORY_MARK",
    "LARGEST_BYTES",
    "PRODUCT",
    "Embedded",
    "embedded_records",
    "product_of",
    "unpacked",
]

# Beside what lstchain writes, which are the stages of its pipeline.
HDF5_NAME: Final = "provenance/provdb"
FITS_NAME: Final = "PROVENANCE"
# How the lines of HISTORY begin that are provdb's to replace.
HISTORY_MARK: Final = "provdb: "
# Of a run of a thousand subruns there are some fifteen million bytes.
LARGEST_BYTES: Final = 64 * 2**20
# The file that carries the document, a specialization of what it was made as.
PRODUCT: Final = uri_of("product", "file")

_PROV_JSON: Final = PROV_FORMATS[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """What is embedded in a file.

    Attributes:
        text: The document of PROV-JSON.
        before: Digests that the file had before anything was embedded, each as
            ``METHOD:DIGEST``.
        file_size: How many bytes the file had with it, unpacked; None if unknown.
    """

    text: bytes
    before: tuple[str, ...] = ()
    file_size: int | None = None


def embedded_records(
    embedded: Embedded,
    *,
    location: str,
    file_size: int | None,
    source: str,
    on_problem: Callable[[ReadError], None],
) -> Iterator[Record]:
    """Yield the records that a document embedded in a file was made from.

    Args:
        embedded: What is embedded.
        location: Path of the file now.
        file_size: How many bytes it has now, unpacked.
        source: What the file is called in messages.
        on_problem: Is told of each statement that is no record, and of a document that
            is none.
    """
    name = f"{source}: its embedded provenance"
    try:
        stated = read_document(embedded.text, _PROV_JSON, name)
    except ReadError as error:
        on_problem(ReadError(source, f"its embedded provenance: {error.reason}"))
        return
    statements = storable(stated, source=name, on_problem=on_problem)
    yield from records_of(statements, source=name, on_problem=on_problem)
    is_same = embedded.file_size is not None and embedded.file_size == file_size
    yield from _link(statements, location, is_same=is_same)


def unpacked(content: bytes) -> bytes:
    """Return what gzip packed, if it is no more than provenance can have.

    Raises:
        ValueError: It is larger, or damaged.

    >>> import gzip
    >>> unpacked(gzip.compress(b"{}"))
    b'{}'
    """
    unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        text = unpacking.decompress(content, LARGEST_BYTES)
    except zlib.error as error:
        raise ValueError(f"it is damaged: {error}") from error
    if not unpacking.eof:
        raise ValueError("it is cut off, or too large for provenance")
    return text


def _link(
    statements: Iterable[Statement], location: str, *, is_same: bool
) -> Iterator[Record]:
    """Yield what joins the file with what was embedded, if that was elsewhere."""
    here = location_id(location)
    names = [value_of(one.value(LOCATION)) for one in statements if one.id == PRODUCT]
    for one in statements:
        uri = one.argument("generalEntity")
        if one.argument("specificEntity") != PRODUCT or uri is None:
            continue
        named = parse_uri(uri)
        made = uri if named is None else named.id
        if made != here:
            is_copy = is_same and file_name(location) in [
                file_name(str(name)) for name in names
            ]
            yield {"entity_id": here, "filepath": location, "type": "File"}
            link = {"entity_id": here, "progenitor_id": made}
            yield {**link, COPY: True} if is_copy else link
        return


def product_of(text: bytes) -> str | None:
    """Return the name of the version that a file is by what is embedded in it.

    >>> product_of(b"[]") is None
    True
    """
    try:
        relations = orjson.loads(text)["specializationOf"].values()
        names = [one["prov:generalEntity"] for one in relations if _is_product(one)]
    except (ValueError, TypeError, LookupError, AttributeError):
        return None
    return str(names[0]) if names else None


def _is_product(relation: Any) -> bool:
    return bool(relation["prov:specificEntity"] == PRODUCT.removeprefix("urn:"))
