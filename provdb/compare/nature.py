"""What belongs to a run by its very nature: its numbers, its night, times and ids.

Such a text is no difference between two runs. What names *another* run is one: the
pedestal that a run was calibrated with.
"""

import re
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

__all__ = ["Nature", "night_of"]

_NIGHT: Final = re.compile(r"/((?:19|20)\d{2})/?(\d{2})/?(\d{2})/")
_DATE: Final = re.compile(r"((?:19|20)\d{2})[-_]?(\d{2})[-_]?(\d{2})")
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
)
_ID: Final = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE
)


class Nature:
    """The run of some activities, and the nights of its data.

    >>> nature = Nature(1807, ["20200117"])
    >>> nature.text("/R0/20200117/LST-1.1.Run01807.0003.fits.fz")
    '/R0/{date}/LST-1.1.Run{run}.{subrun}.fits.fz'
    >>> nature.text("/v03/20200117/drs4_pedestal.Run01804.0000.h5")
    '/v03/{date}/drs4_pedestal.Run01804.0000.h5'
    """

    def __init__(
        self,
        run: int | None,
        nights: Iterable[str] = (),
        *,
        calibration: tuple[int, int] | None = None,
    ) -> None:
        """Say what is natural.

        Args:
            run: The run, or None if it has none.
            nights: The nights, as ``YYYYMMDD``.
            calibration: Of a calibration its pedestal run and its calibration run, of
                which the run is one.
        """
        self._words = {} if run is None else {run: "{run}"}
        if calibration is not None:
            words = ("{pedestal_run}", "{calibration_run}")
            self._words |= dict(zip(calibration, words, strict=True))
        self._rules = [(_TIME, "{time}"), (_ID, "{id}")]
        for night in sorted(set(nights)):
            year, month, day = night[:4], night[4:6], night[6:]
            written = rf"(?<!\d){year}(?P<gap>[-_/]?){month}(?P=gap){day}(?!\d)"
            self._rules.append((re.compile(written), "{date}"))
        self._numbers = [
            (
                re.compile(
                    rf"(?P<word>Run_?)0*{number}(?P<subrun>\.\d{{4}})?(?!\d)"
                    rf"|(?<![\d.]){number:05d}(?P<other>\.\d{{4}})?(?!\d)",
                    re.IGNORECASE,
                ),
                partial(_without_numbers, word),
            )
            for number, word in self._words.items()
        ]

    def text(self, text: str) -> str:
        """Return a text with words for what is of the run by its nature."""
        for pattern, word in self._rules:
            text = pattern.sub(word, text)
        for numbers, without in self._numbers:
            text = numbers.sub(without, text)
        return text

    def value(self, name: str, value: Any) -> Any:
        """Return the value of a parameter in the same way, by its name too.

        >>> Nature(1807).value("ObservationRun", "01807")
        '{run}'
        """
        if isinstance(value, dict):
            return {key: self.value(str(key), item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(name, item) for item in value]
        if isinstance(value, bool) or not isinstance(value, str | int):
            return value
        number = str(value)
        if number.isascii() and number.isdecimal():
            if "subrun" in name.lower():
                return "{subrun}"
            if "run" in name.lower() and int(number) in self._words:
                return self._words[int(number)]
        return self.text(value) if isinstance(value, str) else value


def night_of(text: str) -> str | None:
    """Return the night that a date, or a folder of a path, names.

    >>> night_of("2019-11-23"), night_of("/R0/20200117/LST-1.1.Run01807.0003.fits.fz")
    ('20191123', '20200117')
    """
    found = _DATE.fullmatch(text) or _NIGHT.search(text)
    return None if found is None else "".join(found.groups())


def _without_numbers(word: str, match: re.Match[str]) -> str:
    subrun = ".{subrun}" if match["subrun"] or match["other"] else ""
    return f"{'Run' if match['word'] else ''}{word}{subrun}"
