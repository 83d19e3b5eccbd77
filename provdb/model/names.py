"""What the names of files, entities and sessions say: level, run, subrun.

The tables follow the names that lstosa, lstchain and ctapipe give: file names such
as ``dl1_LST-1.Run01807.0001.h5``, entity names such as ``R0SubrunDataset``, tags
such as ``r0_to_dl1:01618``.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

__all__ = [
    "LEVELS",
    "FileFacts",
    "calibration_runs",
    "file_facts",
    "file_name",
    "run_of_tag",
    "subrun_of_arguments",
]

LEVELS: Final = ("R0", "R1", "DL0", "DL1", "DL2", "DL3", "DL4", "DL5")

_LEVEL_OF_ENTITY: Final = (
    (re.compile(r"^(R[01]|DL[0-5])(?![a-z0-9])"), None),
    (re.compile(r"^RawObservationFile$"), "R0"),
    (re.compile(r"^Muons[A-Z]"), "DL1"),
)
_LEVEL_OF_FILE: Final = (
    (re.compile(r"(?:^|[._-])(r[01]|dl[0-5])(?=[._-])", re.IGNORECASE), None),
    (re.compile(r"^LST-\d\.\d\.Run\d+(\.\d+)?\.fits(\.fz)?$"), "R0"),
    (re.compile(r"^muons_"), "DL1"),
)
# A configuration is called after the step that it is for, and names no run.
_NO_DATA: Final = re.compile(r"\.(?:cfg|conf|ini|json|toml|ya?ml)$", re.IGNORECASE)
_RUN: Final = re.compile(r"Run_?(\d{1,9})(?:\.(\d{4})(?!\d))?", re.IGNORECASE)
_TAG: Final = re.compile(r"[^:]*:(\d{1,9})(?:-(\d{1,9}))?$")
_RUN_ARGUMENT: Final = re.compile(r"\d{5}\.(\d{4})$")
# The tag of a calibration names the pedestal run, then the calibration run.
_CALIBRATES_PEDESTAL: Final = "drs4_pedestal"


class FileFacts(NamedTuple):
    """What the names of an entity say about it.

    Attributes:
        level: Data level, one of `LEVELS`, or None for what is no data product.
        run: Observation run, or None.
        subrun: Subrun of the run, or None.
    """

    level: str | None
    run: int | None
    subrun: int | None


def file_facts(name: str | None, location: str | None) -> FileFacts:
    """Read level, run and subrun out of an entity's name and its location.

    >>> file_facts("R0SubrunDataset", "/R0/20191123/LST-1.1.Run01618.0008.fits.fz")
    FileFacts(level='R0', run=1618, subrun=8)
    >>> file_facts("PedestalFile", "/v03/drs4_pedestal.Run1611.0000.fits").run
    1611
    """
    base = file_name(location) if location else ""
    level = _level_of_entity(name or "")
    found = _RUN.search(base)
    if level is None and (found is not None or not _NO_DATA.search(base)):
        level = _first_level(_LEVEL_OF_FILE, base)
    if found is None:
        return FileFacts(level=level, run=None, subrun=None)
    run, subrun = found.groups()
    return FileFacts(
        level=level, run=int(run), subrun=None if subrun is None else int(subrun)
    )


def file_name(location: str) -> str:
    """Return the last part of a location, also of one that ends with a slash.

    >>> file_name("/fefs/aswg/data/real/DL1/20200117/")
    '20200117'
    """
    return location.rstrip("/").rpartition("/")[2]


def run_of_tag(session_tag: str | None) -> int | None:
    """Return the run that a session tag names.

    >>> run_of_tag("r0_to_dl1:01618"), run_of_tag("drs4_pedestal:01804-01809")
    (1618, 1804)
    """
    found = _TAG.match(session_tag or "")
    if found is None:
        return None
    pedestal_run, calibration_run = found.groups()
    is_pedestal = found.string.startswith(_CALIBRATES_PEDESTAL)
    return int(pedestal_run if is_pedestal else calibration_run or pedestal_run)


def calibration_runs(session_tag: str | None) -> tuple[int, int] | None:
    """Return the pedestal run and the calibration run that a session tag names.

    >>> calibration_runs("drs4_pedestal:01804-01809"), calibration_runs("dl1ab:01618")
    ((1804, 1809), None)
    """
    found = _TAG.match(session_tag or "")
    if found is None or found[2] is None:
        return None
    return int(found[1]), int(found[2])


def subrun_of_arguments(arguments: Iterable[object]) -> int | None:
    """Return the subrun that a script was called for, as in ``01618.0008``.

    >>> subrun_of_arguments(["datasequence", "--date=2020-01-17", "01618.0008", "LST1"])
    8
    """
    found = [
        match.group(1)
        for argument in arguments
        if isinstance(argument, str) and (match := _RUN_ARGUMENT.match(argument))
    ]
    return int(found[0]) if len(found) == 1 else None


# Of thousands of files a night there are twenty names.
@lru_cache(maxsize=1024)
def _level_of_entity(name: str) -> str | None:
    return _first_level(_LEVEL_OF_ENTITY, name)


def _first_level(
    table: Iterable[tuple[re.Pattern[str], str | None]], text: str
) -> str | None:
    for pattern, level in table:
        if found := pattern.search(text):
            return level or found.group(1).upper()
    return None
