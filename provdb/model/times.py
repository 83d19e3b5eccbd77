"""Times as records write them, and as documents hold them: UTC, to the millisecond."""

from datetime import UTC, datetime, tzinfo

__all__ = [
    "format_time",
    "is_ambiguous",
    "microseconds_of",
    "parse_time",
    "to_milliseconds",
]


def parse_time(text: object, *, zone: tzinfo) -> datetime | None:
    """Read the time that a record holds, or None where it holds none.

    A time without a zone is read in *zone*. MongoDB keeps milliseconds, so what is
    smaller is cut off here, for every store alike.

    >>> parse_time("2020-05-18T14:18:06.362321", zone=UTC).isoformat()
    '2020-05-18T14:18:06.362000+00:00'
    """
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            time = time.replace(tzinfo=zone)
        return to_milliseconds(time.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def microseconds_of(text: object) -> int:
    """Return the microseconds below the millisecond of a time as it was written.

    >>> microseconds_of("2020-05-18T14:18:06.362321")
    321
    """
    if not isinstance(text, str) or "." not in text:
        return 0
    try:
        return datetime.fromisoformat(text).microsecond % 1000
    except ValueError:
        return 0


def is_ambiguous(text: object, *, zone: tzinfo) -> bool:
    """Say whether a time without a zone happened twice: the clock was set back.

    >>> from zoneinfo import ZoneInfo
    >>> is_ambiguous("2026-10-25T02:40:00", zone=ZoneInfo("Europe/Madrid"))
    True
    """
    if zone is UTC or not isinstance(text, str):
        return False
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return False
    if time.tzinfo is not None:
        return False
    first, second = (time.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    # A gap in spring has two offsets too, in the other order.
    earlier, later = first.utcoffset(), second.utcoffset()
    return earlier is not None and later is not None and earlier > later


def to_milliseconds(time: datetime) -> datetime:
    """Cut a time to whole milliseconds, which is all that MongoDB keeps.

    >>> to_milliseconds(datetime(2020, 5, 18, 14, 18, 6, 362999)).microsecond
    362000
    """
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def format_time(time: datetime) -> str:
    """Write a time the one way in which documents are printed: ISO 8601, UTC, ms.

    >>> format_time(datetime(2020, 5, 18, 14, 18, 6, 362000, tzinfo=UTC))
    '2020-05-18T14:18:06.362Z'
    """
    written = time.astimezone(UTC).isoformat(timespec="milliseconds")
    return written.removesuffix("+00:00") + "Z"
