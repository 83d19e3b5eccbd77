"""What a data product says of itself: the reference metadata of CTAO.

ctapipe writes it into its files as flat ``CTA …`` fields, and reads it back. For a file
that has none, such as those of lstchain, it answers with defaults, a new random product
id among them at every reading: such metadata says nothing.

What it does say is which activity generated the product. That joins the file with the
log of that activity, wherever it was moved since, and whatever it is called.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from provdb.model import Record, file_facts, location_id

__all__ = [
    "generator_of",
    "hex_id",
    "is_made_up",
    "product_level",
    "product_records",
    "session_tag_of",
    "utc_text",
]

_LEVELS: Final = "CTA PRODUCT DATA LEVELS"
_PROCESS: Final = "CTA PROCESS ID"
_PROCESS_TYPE: Final = "CTA PROCESS TYPE"
_ACTIVITY: Final = "CTA ACTIVITY ID"
_NAME: Final = "CTA ACTIVITY NAME"
_START: Final = "CTA ACTIVITY START TIME"
_STOP: Final = "CTA ACTIVITY STOP TIME"
_SOFTWARE: Final = "CTA ACTIVITY SOFTWARE NAME"
_VERSION: Final = "CTA ACTIVITY SOFTWARE VERSION"
# Written into every product by whoever makes one, and empty in the defaults.
_ALWAYS_WRITTEN: Final = (_LEVELS, "CTA PRODUCT FORMAT", _ACTIVITY)
_LEVEL: Final = re.compile(r"(?:R[01]|DL[0-6])(?![a-z0-9])")
_RUN: Final = re.compile(r"\d{1,9}")


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


def generator_of(metadata: Mapping[str, Any]) -> str | None:
    """Return the id of the activity that generated a product, if the metadata says it.

    >>> generator_of({"CTA ACTIVITY ID": "0bca4c15-6cc4-481b-88a9-07af21fb834a"})
    '0bca4c156cc4481b88a907af21fb834a'
    """
    written = metadata.get(_ACTIVITY)
    return hex_id(written) if isinstance(written, str) and written else None


def session_tag_of(
    activity: str, metadata: Mapping[str, Any] | None, location: str
) -> str:
    """Return the tag of the activity that generated a product, with its run if known.

    Args:
        activity: Its name.
        metadata: Reference metadata of the product, or None.
        location: Path of the product.

    >>> session_tag_of("ctapipe-merge", None, "/DL1/dl1_LST-1.Run01807.h5")
    'ctapipe-merge:01807'
    """
    run = None if metadata is None else _observation(metadata)
    if run is None:
        run = file_facts(None, location).run
    return activity if run is None else f"{activity}:{run:05d}"


def product_records(metadata: Mapping[str, Any], location: str) -> list[Record]:
    """Return what the metadata of a product says of the activity that generated it.

    Args:
        metadata: Reference metadata.
        location: Path under which the product is known.
    """
    activity_id, name = generator_of(metadata), metadata.get(_NAME)
    start, stop = utc_text(metadata.get(_START)), utc_text(metadata.get(_STOP))
    if activity_id is None or start is None or not isinstance(name, str) or not name:
        return []
    of_tag = {"session_tag": session_tag_of(name, metadata, location)}
    of_activity = {"activity_id": activity_id, **of_tag}
    records: list[Record] = [
        {
            "session_id": activity_id,
            "startTime": start,
            "software": metadata.get(_SOFTWARE),
            "software_version": metadata.get(_VERSION),
            **of_tag,
        },
        {
            **of_activity,
            "name": name,
            "startTime": start,
            "in_session": activity_id,
            "session_start": start,
        },
        {**of_activity, "generated_id": location_id(location)},
    ]
    if stop is not None:
        # When the product was complete; the activity's own log says its real end.
        records.append({**of_activity, "endTime": stop})
    return records


def hex_id(written: str) -> str:
    """Return a UUID in the hexadecimal form of provdb's own ids; all else as it is.

    >>> hex_id("0bca4c15-6cc4-481b-88a9-07af21fb834a"), hex_id("621ca2")
    ('0bca4c156cc4481b88a907af21fb834a', '621ca2')
    """
    try:
        return UUID(written).hex
    except ValueError:
        return written


def utc_text(written: object) -> str | None:
    """Return a time of ctapipe, which is UTC and does not say so, with its zone.

    >>> utc_text("2026-11-22 17:16:54.642")
    '2026-11-22T17:16:54.642Z'
    """
    if not isinstance(written, str) or not written:
        return None
    try:
        time = datetime.fromisoformat(written)
    except ValueError:
        return written
    if time.tzinfo is not None:
        time = time.astimezone(UTC).replace(tzinfo=None)
    return f"{time.isoformat(timespec='milliseconds')}Z"


def _observation(metadata: Mapping[str, Any]) -> int | None:
    """Return the run of an observation; that of a simulation is no run of the LST."""
    written = str(metadata.get(_PROCESS, ""))
    if metadata.get(_PROCESS_TYPE) != "Observation" or not _RUN.fullmatch(written):
        return None
    return int(written)


def _order(level: str) -> tuple[bool, str]:
    return level.startswith("DL"), level
