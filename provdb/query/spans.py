"""Values that have an order: whole numbers, times, dates, durations.

Each is read into the span of what it means: a day is all of its times.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import partial
from typing import Any, Final

__all__ = ["SPANS", "Span", "read_day", "spans_in"]

_RUN: Final = re.compile(r"(?:run_?)?(\d{1,15})", re.IGNORECASE)
_WHOLE: Final = re.compile(r"-?\d{1,15}")
_NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d{1,15})?")
_MONTH: Final = re.compile(r"(\d{4})-(\d\d)")
_DAY: Final = re.compile(r"(\d{4})([-_/]?)(\d\d)\2(\d\d)")
_MINUTE: Final = re.compile(r"[^.]*T\d\d:\d\d(Z|[+-]\d\d:?\d\d)?")
_SECOND: Final = re.compile(r"[^.]*T\d\d:\d\d:\d\d(Z|[+-]\d\d:?\d\d)?")
_CLOCK: Final = re.compile(r"(\d{1,6}):([0-5]\d):([0-5]\d)")
_SIZE: Final = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)([kKMGT])(i?)B?")
_PIECE: Final = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)(ms|[smhd])")
_MILLISECONDS: Final = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """All that a value means: from its lower end to what is just beyond it."""

    low: Any
    beyond: Any


def _run(text: str) -> Span | None:
    found = _RUN.fullmatch(text)
    return None if found is None else _one(int(found.group(1)))


def _whole(text: str) -> Span | None:
    return _one(int(text)) if _WHOLE.fullmatch(text) else None


def _size(text: str) -> Span | None:
    """Return a number, which may be a size with a unit.

    >>> _size("1.5GB").low, _size("1KiB").low
    (1500000000, 1024)
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        return _whole(text)
    unit = (1024 if found[3] else 1000) ** ("KMGT".index(found[2].upper()) + 1)
    return _one(round(float(found[1]) * unit))


def _one(number: int) -> Span:
    return Span(low=number, beyond=number + 1)


def _date(text: str) -> Span | None:
    """Return the days of a date or a month.

    >>> _date("2019-11").beyond
    datetime.date(2019, 12, 1)
    """
    try:
        if month := _MONTH.fullmatch(text):
            first = date(int(month.group(1)), int(month.group(2)), 1)
            later = first + timedelta(days=31)
            return Span(low=first, beyond=later.replace(day=1))
        if day := _DAY.fullmatch(text):
            found = date(int(day.group(1)), int(day.group(3)), int(day.group(4)))
            return Span(low=found, beyond=found + timedelta(days=1))
    except (ValueError, OverflowError):
        return None
    return None


def read_day(text: str) -> date | None:
    """Return the day of a date in any of its spellings, or None.

    >>> read_day("20200117") == read_day("2020_01_17")
    True
    """
    found = _date(text) if _DAY.fullmatch(text) else None
    return None if found is None else found.low


def _time(text: str, zone: tzinfo = UTC) -> Span | None:
    """Return what a time means: a day, a minute, a second or a millisecond.

    One that names no zone is read in *zone*; of a time that happened twice the first
    is meant, as for records.

    >>> _time("2020-05-18T14:30").beyond.isoformat()
    '2020-05-18T14:31:00+00:00'
    """
    days = _date(text)
    try:
        if days is not None:
            low, beyond = (_midnight(day, zone) for day in (days.low, days.beyond))
            return Span(low=low, beyond=beyond)
        time = datetime.fromisoformat(text)
        time = time.replace(tzinfo=zone) if time.tzinfo is None else time
        time = time.astimezone(UTC)
        time = time.replace(microsecond=time.microsecond // 1000 * 1000)
        step = timedelta(milliseconds=1)
        if _MINUTE.fullmatch(text):
            step = timedelta(minutes=1)
        elif _SECOND.fullmatch(text):
            step = timedelta(seconds=1)
        return Span(low=time, beyond=time + step)
    except (ValueError, OverflowError):
        return None


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _duration(text: str) -> Span | None:
    """Return a duration in milliseconds; a number alone is seconds.

    >>> _duration("1h30m").low, _duration("90").low
    (5400000, 90000)
    """
    if clock := _CLOCK.fullmatch(text):
        text = "{}h{}m{}s".format(*clock.groups())
    elif _NUMBER.fullmatch(text):
        text += "s"
    pieces = list(_PIECE.finditer(text))
    if not text or "".join(piece.group() for piece in pieces) != text:
        return None
    total = sum(
        float(piece.group(1)) * _MILLISECONDS[piece.group(2)] for piece in pieces
    )
    return _one(round(total))


def spans_in(zone: tzinfo) -> dict[str, Callable[[str], Span | None]]:
    """Return what reads the values of each type, with times in a zone.

    >>> from zoneinfo import ZoneInfo
    >>> read = spans_in(ZoneInfo("Europe/Madrid"))["time"]
    >>> read("2020-05-18T14:30").low.isoformat()
    '2020-05-18T12:30:00+00:00'
    """
    return {**SPANS, "time": partial(_time, zone=zone)}


SPANS: Final[dict[str, Callable[[str], Span | None]]] = {
    "run": _run,
    "whole number": _whole,
    "number": _size,
    "date": _date,
    "day": _date,
    "time": _time,
    "duration": _duration,
}
