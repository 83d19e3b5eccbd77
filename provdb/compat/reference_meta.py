"""The reference metadata of a file, as ctapipe reads it."""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

__all__ = ["as_mapping", "read_reference_meta"]

_READER: Final = "ctapipe.io.metadata"


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
