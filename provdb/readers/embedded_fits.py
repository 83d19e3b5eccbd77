"""The provenance that provdb wrote into a FITS file, as it lies there.

It is an extension ``PROVENANCE``: a table of one column of bytes, packed by gzip.
"""

from typing import Any, Final

from provdb.readers.embedded import FITS_NAME, LARGEST_BYTES, Embedded, unpacked

__all__ = ["BEFORE", "CHECKSUM_BEFORE", "CLASS", "COLUMN", "embedded_in", "is_embedded"]

# Values of HDUCLASS and TTYPE1, and keywords.
CLASS: Final = "PROVDB"
COLUMN: Final = "PROV_JSON_GZIP"
BEFORE: Final = "PROVHASH"
# The checksum that the first header had before provdb wrote its lines into it.
CHECKSUM_BEFORE: Final = "PROVCHKS"


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
    return Embedded(text=unpacked(content), before=tuple(before))
