"""The provenance that provdb wrote into a FITS file, as it lies there.

It is an extension ``PROVENANCE``: a table of one column of bytes, packed by gzip.
"""

import warnings
from itertools import count
from pathlib import Path
from typing import Any, Final

from provdb.errors import MissingExtra, ReadError
from provdb.readers.embedded import FITS_NAME, LARGEST_BYTES, Embedded, unpacked
from provdb.readers.lines import printable

__all__ = [
    "BEFORE",
    "CHECKSUM_BEFORE",
    "CLASS",
    "COLUMN",
    "SIZE",
    "astropy_library",
    "embedded_in",
    "is_embedded",
    "read",
    "wrong",
]

# Values of HDUCLASS and TTYPE1, and keywords.
CLASS: Final = "PROVDB"
COLUMN: Final = "PROV_JSON_GZIP"
BEFORE: Final = "PROVHASH"
SIZE: Final = "PROVSIZE"
# The checksum that the first header had before provdb wrote its lines into it.
CHECKSUM_BEFORE: Final = "PROVCHKS"


def read(path: Path) -> Embedded | None:
    """Return what is embedded in a file, or None where nothing is.

    Raises:
        ReadError: It is no whole FITS file, or what is embedded is damaged.
        MissingExtra: astropy is not installed.
    """
    fits = astropy_library()
    try:
        with warnings.catch_warnings(), path.open("rb") as stream:
            warnings.simplefilter("ignore")
            with fits.open(stream, lazy_load_hdus=True) as units:
                for number in count(1):
                    unit = _extension(units, number)
                    if unit is None:
                        return None
                    if is_embedded(unit.header):
                        return embedded_in(unit)
    except (OSError, ValueError, TypeError, KeyError, IndexError, EOFError) as error:
        raise wrong(path, str(error)) from error
    return None


def is_embedded(header: Any) -> bool:
    """Say whether a header is that of the extension that provdb writes."""
    return bool(
        header.get("XTENSION") == "BINTABLE"
        and header.get("EXTNAME") == FITS_NAME
        and header.get("HDUCLASS") == CLASS
    )


def embedded_in(unit: Any) -> Embedded:
    """Return what is embedded in an extension that is provdb's.

    Raises:
        ValueError: What is there is not what provdb writes.
    """
    header = unit.header
    size = header.get("NAXIS1", 0) * header.get("NAXIS2", 0)
    if header.get("TTYPE1") != COLUMN or header.get("TFIELDS") != 1:
        raise ValueError("it is no table of bytes")
    if size > LARGEST_BYTES:
        raise ValueError(f"it has {size} bytes, which is too much for provenance")
    content = unit.data[COLUMN].tobytes()
    before = str(header.get(BEFORE, "")).split()
    file_size = header.get(SIZE)
    return Embedded(
        text=unpacked(content),
        before=tuple(before),
        file_size=file_size if type(file_size) is int else None,
    )


def _extension(units: Any, number: int) -> Any:
    """Return an extension, or None where there is no more."""
    try:
        return units[number]
    # Behind the last extension there may be records that are none.
    except (IndexError, OSError):
        return None


def wrong(path: Path, reason: str) -> ReadError:
    """Return what is said of a file that cannot be read."""
    return ReadError(printable(str(path)), f"it is no whole FITS file: {reason}")


def astropy_library() -> Any:
    """Return ``astropy.io.fits``, if it is installed.

    Raises:
        MissingExtra: It is not.
    """
    try:
        from astropy.io import fits
    except ImportError as error:
        raise MissingExtra("astropy", extra="readers") from error
    return fits
