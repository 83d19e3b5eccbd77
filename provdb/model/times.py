"""Times as records write them, and as documents hold them: UTC, to the millisecond."""

from datetime import UTC, datetime, tzinfo

__all__ = ["format_time", "parse_time", "to_milliseconds"]


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
