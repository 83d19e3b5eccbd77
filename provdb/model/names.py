"""What the names of files, entities and sessions say: level, run, telescope, date.

The names themselves are in the table of `naming_rules`. Here they are read: numbers out
of each file name, and all else once for all files that differ in their numbers only.
"""

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from provdb.model.naming_rules import (
    CONFIGURATION,
    EVENTS,
    LEVELS,
    NAMING_RULES,
    SIMULATED_EVENTS,
    SIMULATION,
    NamingRules,
)

__all__ = [
    "LEVELS",
    "FileFacts",
    "calibration_runs",
    "file_facts",
    "file_name",
    "run_of_tag",
    "subrun_of_arguments",
    "telescope_name",
]

# Run01618.0008, run1618, dl1Run1618; DL3 files may name their run obs_id_01618. Each
# alternative begins with a letter, which is quicker to search for than a look-behind.
_RUN: Final = re.compile(
    r"(?:R(?<![A-Z]R)[Uu][Nn]_?|r(?<![A-Za-z]r)[Uu][Nn]_?"
    r"|o(?<![A-Za-z]o)bs_?(?:id)?[_-]?(?!20\d{6}(?!\d)))"
    r"(\d{1,9})(?!\d)(?:\.(\d{4,7})(?!\d))?",
    re.ASCII,
)
# What stands in place of the numbers where all else is read.
_RUN_ONLY: Final = "Run00001"
_WITH_SUBRUN: Final = "Run00001.0000"
_NOWHERE: Final = ("", "", "")
_OBSERVED: Final = re.compile(r"LST-?\d(?:\.(?:\d+|\*))?\.Run", re.IGNORECASE)
# A configuration is called after the step that it is for, and names no run.
_SETTINGS_FILE: Final = re.compile(
    r"\.(?:cfg|conf|ini|json|toml|ya?ml)$", re.IGNORECASE
)
# Up to these levels, a name with a particle in it is that of a simulation.
_BELOW_SKY: Final = ("R0", "R1", "DL0", "DL1", "DL2")
# Their names hold the date of a production, not that of an observation.
_UNDATED: Final = (CONFIGURATION, "model", "irf", SIMULATION)
_DATE: Final = re.compile(r"(?<!\d)((?:19|20)\d{6})(?!\d)", re.ASCII)
_TELESCOPE: Final = re.compile(r"LSTN?-?0?([1-9])", re.IGNORECASE)
_TAG: Final = re.compile(r"[^:]*:(\d{1,9})(?:-(\d{1,9}))?$")
_RUN_ARGUMENT: Final = re.compile(r"\d{5,9}\.(\d{4,7})$")
# The tag of a calibration names the pedestal run, then the calibration run.
_CALIBRATES_PEDESTAL: Final = "drs4_pedestal"


class FileFacts(NamedTuple):
    """What the names of an entity say about it; None for what they do not say.

    Attributes:
        level: Data level, one of `LEVELS`.
        run: Observation run; None for files of simulations.
        subrun: Subrun of the run.
        telescope: The telescope, such as LST-1.
        stream: Number of the stream of raw data.
        particle: The simulated particle, such as gamma-diffuse.
        data_kind: What the data are, such as those of `DATA_KINDS`.
        date: Date of the observation, as YYYY-MM-DD.
        simulation_run: Run of the simulation, which is not one of an observation.
    """

    level: str | None
    run: int | None
    subrun: int | None
    telescope: str | None = None
    stream: int | None = None
    particle: str | None = None
    data_kind: str | None = None
    date: str | None = None
    simulation_run: int | None = None


# Quicker than its own constructor, which takes each field by name.
_made: Final = FileFacts._make


def file_facts(
    name: str | None, location: str | None, rows: NamingRules = NAMING_RULES
) -> FileFacts:
    """Read what an entity's name and its location say about it.

    Args:
        name: Name of the entity, as in a definition.
        location: Path or URL.
        rows: The names that are known.

    >>> r0 = file_facts("R0SubrunDataset", "/R0/20191123/LST-1.4.Run01618.0008.fits.fz")
    >>> r0.level, r0.run, r0.subrun, r0.telescope, r0.stream, r0.date
    ('R0', 1618, 8, 'LST-1', 4, '2019-11-23')
    >>> file_facts("PedestalFile", "/v03/drs4_pedestal.Run1611.0000.fits").data_kind
    'calibration'
    >>> gamma = file_facts(None, "/mc/dl1_gamma_20deg_180deg_run1000___cta-prod5.h5")
    >>> gamma.run, gamma.simulation_run, gamma.particle
    (None, 1000, 'gamma')
    """
    folder, _, base = location.rstrip("/").rpartition("/") if location else _NOWHERE
    if rows.numbered and (own := _numbered(name or "", base, folder, rows)):
        return own
    match = _RUN.search(base)
    if match is None:
        return _facts(name, base, folder, rows)[0]
    run, subrun = match.groups()
    start, end = match.span()
    number = _RUN_ONLY if subrun is None else _WITH_SUBRUN
    facts, is_simulated = _facts(name, base[:start] + number + base[end:], folder, rows)
    if is_simulated:
        return facts._replace(simulation_run=int(run))
    numbers = int(run), None if subrun is None else int(subrun)
    return _made((facts[0], *numbers, *facts[3:]))


def telescope_name(written: str) -> str:
    """Return the name of a telescope as it is stored.

    >>> telescope_name("LST1"), telescope_name("lst-2"), telescope_name("MAGIC-1")
    ('LST-1', 'LST-2', 'MAGIC-1')
    """
    match = _TELESCOPE.fullmatch(written)
    return written if match is None else f"LST-{match[1]}"


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


# Of thousands of files a night there are some forty kinds.
@lru_cache(maxsize=4096)
def _facts(
    name: str | None, file: str, folder: str, rows: NamingRules
) -> tuple[FileFacts, bool]:
    """Return what names say but for run and subrun, and whether of a simulation."""
    values, is_simulated = _values(name or "", file, folder, rows)
    return _stated(values, file, is_simulated=is_simulated)


def _numbered(name: str, base: str, folder: str, rows: NamingRules) -> FileFacts | None:
    """Return what is said where a row reads a run or a subrun, or None."""
    for row in rows.numbered:
        read = row.read(name, base, folder)
        if read is None:
            continue
        values, is_simulated = _values(name, base, folder, rows)
        run, simulation_run = _number(read.get("run")), read.get("simulation_run")
        facts, is_simulated = _stated(
            values | read,
            base,
            is_simulated=is_simulated or row.is_simulated or bool(simulation_run),
        )
        if is_simulated:
            number = run if simulation_run is None else _number(simulation_run)
            return facts._replace(simulation_run=number)
        return facts._replace(run=run, subrun=_number(read.get("subrun")))
    return None


def _values(
    name: str, file: str, folder: str, rows: NamingRules
) -> tuple[dict[str, str], bool]:
    """Return what rows say that read no run, and whether of a simulation."""
    values: dict[str, str] = {}
    is_simulated = False
    is_configuration = _RUN_ONLY not in file and _SETTINGS_FILE.search(file) is not None
    for row in rows.others:
        read = row.read(name, file, folder)
        if read is None:
            continue
        if is_configuration and row.entity is None:
            read.pop("level", None)
        values = read | values
        is_simulated = is_simulated or row.is_simulated
    if is_configuration:
        values.setdefault("data_kind", CONFIGURATION)
    return values, is_simulated


def _stated(
    values: dict[str, str], file: str, *, is_simulated: bool
) -> tuple[FileFacts, bool]:
    """Return what the values of a name mean together, and whether of a simulation."""
    level = values.get("level", "").upper() or None
    if level not in LEVELS:
        level = None  # A pattern of somebody may find any text.
    kind, particle = values.get("data_kind"), values.get("particle")
    if particle is not None and level in _BELOW_SKY:
        is_simulated = True
    is_simulated = is_simulated and _OBSERVED.search(file) is None
    if kind is None and level is not None:
        kind = SIMULATED_EVENTS if is_simulated else EVENTS
    is_dated = kind not in _UNDATED and not is_simulated
    facts = FileFacts(
        level=level,
        run=None,
        subrun=None,
        telescope=values.get("telescope"),
        stream=_number(values.get("stream")),
        particle=_particle(particle) if is_simulated else None,
        data_kind=kind,
        date=_date(file, values.get("date")) if is_dated else None,
    )
    return facts, is_simulated


def _particle(written: str | None) -> str | None:
    if written is None:
        return None
    lower = written.lower()
    return "gamma-diffuse" if lower.endswith("diffuse") else lower


def _date(file: str, written: str | None) -> str | None:
    """Return the date in a file name, else the one that is written elsewhere."""
    for text in (*_DATE.findall(file), written):
        digits = "".join(filter(str.isdigit, text or ""))
        try:
            return date.fromisoformat(
                digits if len(digits) == 8 else f"20{digits:0>6}"
            ).isoformat()
        except ValueError:
            continue
    return None


def _number(written: str | None) -> int | None:
    is_number = written is not None and written.isdecimal() and len(written) < 10
    return int(written or 0) if is_number else None
