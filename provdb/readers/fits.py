"""Read what the headers of FITS files say, and no data: DL3, IRFs, DL4, calibration.

All cards of all headers are kept, but for those that describe the layout of the data:
CREATOR, OBS_ID, HISTORY, checksums, cut values of IRFs, the reference metadata of CTAO.
A header of lstchain names no file that the events came from, only their run: what it
came from is found by the link rules of `provdb.lineage`, unless `provdb embed` wrote it
into the file: then that is read too.
"""

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from provdb.errors import ReadError
from provdb.model import Record, location_id
from provdb.readers import embedded_fits
from provdb.readers.embedded import HISTORY_MARK, Embedded, embedded_records
from provdb.readers.reference_meta import is_made_up, product_level, product_records
from provdb.readers.source import Source

__all__ = ["claims", "read_file"]

_MAGIC: Final = b"SIMPLE  ="
_MOST_HEADERS: Final = 1000
_MOST_CARDS: Final = 5000
# The layout of the data (FITS 4.0, sections 4.4.1 and 7), of compressed ones too.
_LAYOUT: Final = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|EXTEND|END|THEAP|TFIELDS|BLOCKED|"
    r"(?:T(?:TYPE|FORM|UNIT|DIM|NULL|SCAL|ZERO|DISP|BCOL|COMM|UCD|CTYP|DMIN|DMAX|LMIN"
    r"|LMAX)|ZFORM|ZCTYP|ZNAXIS|ZTILE|ZNAME|ZVAL)\d+"
    r"|Z(?:IMAGE|TABLE|CMPTYPE|BITPIX|NAXIS|PCOUNT|GCOUNT|THEAP|TILELEN|HEAPPTR)|"
)
_LINES: Final = ("HISTORY", "COMMENT")
_CTA: Final = "CTA "
_OBSERVATION: Final = "OBS_ID"
_CHECKSUM: Final = "CHECKSUM"
# What the headers of event lists have, by the data formats for gamma-ray astronomy.
_EVENTS: Final = ("GADF", "OGIP")
OnProblem = Callable[[ReadError], None]


def claims(source: Source) -> bool:
    """Say whether the first bytes are those of a FITS file."""
    return source.first_bytes().startswith(_MAGIC)


def read_file(
    source: Source, on_problem: OnProblem
) -> Iterator[tuple[int | None, Record]]:
    """Yield the records of a FITS file.

    Args:
        source: The file.
        on_problem: Is told of each card that cannot be read.

    Raises:
        ReadError: It is no whole FITS file.
        MissingExtra: astropy is not installed.
    """
    fits = embedded_fits.astropy_library()
    location = source.location()

    def tell(reason: str) -> None:
        on_problem(ReadError(source.name, reason))

    try:
        # astropy leaves a file open that it cannot read, and warns of what it mends.
        with (
            warnings.catch_warnings(),
            open(location, "rb") as stream,
        ):
            warnings.simplefilter("ignore")
            with fits.open(
                stream, lazy_load_hdus=True, disable_image_compression=True
            ) as units:
                headers, embedded = _headers(units, tell)
                file_size = _end_of(units) if embedded is not None else None
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise ReadError(source.name, f"it is no whole FITS file: {error}") from error
    yield from ((None, record) for record in _records(headers, location))
    if embedded is not None:
        for record in embedded_records(
            embedded,
            location=location,
            file_size=file_size,
            source=source.name,
            on_problem=on_problem,
        ):
            yield None, record


def _headers(
    units: Any, tell: Callable[[str], None]
) -> tuple[list[Record], Embedded | None]:
    """Return what each header says, with the name of its unit, and what is embedded."""
    headers: list[Record] = []
    embedded: Embedded | None = None
    for number in range(_MOST_HEADERS + 1):
        try:
            unit = units[number]
        except IndexError:
            break
        if number == _MOST_HEADERS:
            tell(f"only {_MOST_HEADERS} of its headers were read")
            break
        name = unit.name or str(number)
        if number and embedded_fits.is_embedded(unit.header):
            try:
                embedded = embedded_fits.embedded_in(unit)
            except Exception as error:  # As of cards.
                tell(f"{name}: it cannot be read: {error}")
            before = unit.header.get(embedded_fits.CHECKSUM_BEFORE)
            if before is not None and _CHECKSUM in headers[0]:
                headers[0][_CHECKSUM] = before
            continue
        headers.append({"hdu": name, **_cards(unit.header, name, tell)})
    return headers, embedded


def _end_of(units: Any) -> int:
    """Return where the data of the last unit end."""
    place = units[-1].fileinfo()
    return int(place["datLoc"] + place["datSpan"])


def _cards(header: Any, unit: str, tell: Callable[[str], None]) -> Record:
    said: Record = {}
    for number, card in enumerate(header.cards):
        if number == _MOST_CARDS:
            tell(f"{unit}: only {_MOST_CARDS} of its cards were read")
            break
        try:
            keyword, value = str(card.keyword), _plain(card.value)
        except Exception as error:  # astropy raises what its parsers do.
            tell(f"{unit}: card {number + 1} cannot be read: {error}")
            continue
        if _LAYOUT.fullmatch(keyword):
            continue
        if keyword in _LINES and str(value).startswith(HISTORY_MARK):
            continue  # In words what is embedded.
        if keyword in _LINES:
            said.setdefault(keyword, []).append(value)
        else:
            said[keyword] = value
    return said


def _records(headers: list[Record], location: str) -> Iterator[Record]:
    # The first header of a file may say nothing, as in all files of tables.
    told = [header for header in headers if len(header) > 1]
    if not told:
        return
    entity: Record = {
        "entity_id": location_id(location),
        "filepath": location,
        "type": "File",
        "contentType": "application/fits",
    }
    runs = {run for header in told if (run := _run(header)) is not None}
    if len(runs) == 1:
        entity["observation_run"] = runs.pop()
    if any(_is_event_list(header) for header in told):
        entity["data_level"] = "DL3"
    metadata = _reference_meta(told)
    if not is_made_up(metadata):
        level = product_level(metadata)
        entity |= {} if level is None else {"name": level}
        entity["reference_meta"] = metadata
    entity["headers"] = [
        {key: header[key] for key in header if not key.startswith(_CTA)}
        for header in told
    ]
    yield entity
    if "reference_meta" in entity:
        yield from product_records(metadata, location)


def _reference_meta(headers: list[Record]) -> Record:
    """Return the reference metadata of the first header that has any."""
    for header in headers:
        found = {key: header[key] for key in header if key.startswith(_CTA)}
        if found:
            return found
    return {}


def _run(header: Mapping[str, Any]) -> int | None:
    written = header.get(_OBSERVATION)
    if isinstance(written, str) and written.strip().isdecimal():
        return int(written.strip()[:18])
    return written if type(written) is int else None


def _is_event_list(header: Mapping[str, Any]) -> bool:
    is_known = header.get("HDUCLASS") in _EVENTS
    return is_known and header.get("HDUCLAS1") == "EVENTS"


def _plain(value: Any) -> Any:
    """Return the value of a card as a Python literal; one without a value is None."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, str | int | float | complex | bool):
        return value
    text = str(value)
    return None if type(value).__name__ == "Undefined" else text
