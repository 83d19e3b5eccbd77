"""What a data product says of itself: the reference metadata of CTAO. Pure but to read.

ctapipe writes it into its files as flat ``CTA …`` fields, and reads it back. For a file
that has none, such as those of lstchain, it answers with defaults, a new random product
id among them at every reading: such metadata says nothing, and is not recorded.
"""

import re
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

__all__ = ["as_mapping", "is_made_up", "product_level", "read_reference_meta"]

_READER: Final = "ctapipe.io.metadata"
_LEVELS: Final = "CTA PRODUCT DATA LEVELS"
# Written into every product by whoever makes one, and empty in the defaults.
_ALWAYS_WRITTEN: Final = (_LEVELS, "CTA PRODUCT FORMAT", "CTA ACTIVITY ID")
_LEVEL: Final = re.compile(r"(?:R[01]|DL[0-6])(?![a-z0-9])")


def read_reference_meta(location: str) -> dict[str, Any] | None:
    """Return the reference metadata of a file, or None where it cannot be read.

    It is ctapipe that reads it. Where the process has not loaded it nothing is read,
    for to load it takes seconds.
    """
    if _READER.partition(".")[0] not in sys.modules:
        return None
    try:
        read = import_module(_READER).read_reference_metadata
        return as_mapping(read(location))
    except Exception:  # The readers of three formats: there is no telling what.
        return None


def as_mapping(metadata: object) -> dict[str, Any] | None:
    """Return metadata as a mapping: ctapipe gives its ``Reference`` or a mapping."""
    if metadata is None:
        return None
    to_dict = getattr(metadata, "to_dict", None)
    if to_dict is not None:
        metadata = to_dict()
    return dict(metadata) if isinstance(metadata, Mapping) else None


def is_made_up(metadata: Mapping[str, Any]) -> bool:
    """Say whether metadata is what ctapipe answers for a file that has none.

    >>> is_made_up({"CTA PRODUCT ID": "49eeeade-ab16-4db4-bfaa-64ea57ca61bf",
    ...     "CTA PRODUCT FORMAT": "", "CTA ACTIVITY ID": ""})
    True
    """
    return not any(metadata.get(name) for name in _ALWAYS_WRITTEN)


def product_level(metadata: Mapping[str, Any]) -> str | None:
    """Return the highest data level of a product, or None if it names none.

    >>> product_level({"CTA PRODUCT DATA LEVELS": "DL1_IMAGES,DL1_PARAMETERS,DL2"})
    'DL2'
    """
    return max(_LEVEL.findall(str(metadata.get(_LEVELS, ""))), default=None, key=_order)


def _order(level: str) -> tuple[bool, str]:
    return level.startswith("DL"), level
