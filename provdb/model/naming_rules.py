r"""The names that pipelines give their files, as one table: what each name says.

A row says which entities it is about and what their names say: level, telescope, kind
of data. Its patterns are those of lstchain, lstosa, ctapipe, CORSIKA and sim_telarray.
The rows of other instruments belong to a store, so that all its readers answer alike,
and come before these; ``provdb db rules add`` takes a file such as

    [[naming_rules]]
    name = "magic_calibrated"
    file = '^\d{8}_M(?P<telescope>\d)_(?P<run>\d{8})\.(?P<subrun>\d{3})_Y_'
    telescope = 'MAGIC-\g<telescope>'
    level = "DL1"
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from provdb.errors import ConfigError

__all__ = [
    "CONFIGURATION",
    "DATA_KINDS",
    "EVENTS",
    "LEVELS",
    "NAMING_RULES",
    "SIMULATED_EVENTS",
    "SIMULATION",
    "TELESCOPES",
    "NamingRule",
    "NamingRules",
    "naming_rules",
]

LEVELS: Final = ("R0", "R1", "DL0", "DL1", "DL2", "DL3", "DL4", "DL5")
EVENTS: Final = "events"
SIMULATED_EVENTS: Final = "simulated_events"
SIMULATION: Final = "simulation"
CONFIGURATION: Final = "configuration"
# Those that the known rows name.
TELESCOPES: Final = ("LST-1", "LST-2", "LST-3", "LST-4")
# What the data of a file are; rows of other instruments may say more.
DATA_KINDS: Final = {
    EVENTS: "observed events, or parameters of them",
    SIMULATED_EVENTS: "the same, made of a simulation",
    SIMULATION: "output of CORSIKA or sim_telarray, which pipelines begin with",
    "interleaved": "calibration events that were taken during an observation",
    "muons": "rings of muons",
    "datacheck": "checks of data",
    "calibration": "calibration made from a calibration run or an observation",
    "correction": "a correction of calibration that belongs to no run",
    "model": "trained models",
    "irf": "instrument response functions",
    "catalogue": "lists of runs and indexes of files",
    "drive": "log of the telescope drive",
    CONFIGURATION: "configuration of a step",
    "provenance": "provenance, written by provdb or by a pipeline",
    "plot": "pictures of what other files hold",
}
_PARTICLE: Final = (
    r"(?P<particle>gamma[-_]?diffuse|gamma|proton|electron|positron|helium|nitrogen"
    r"|silicon|iron)s?"
)
# Fields that a row may state, and groups that its patterns may have.
_STATED: Final = ("level", "data_kind", "telescope", "particle")
_NUMBERS: Final = ("run", "subrun", "simulation_run")
_GROUPS: Final = (*_STATED, *_NUMBERS, "stream", "date")
_PATTERNS: Final = ("entity", "file", "folder")
# Stands before a pattern that finds small and capital letters alike.
_CASELESS: Final = "(?i)"
_KEYS: Final = ("name", *_PATTERNS, *_STATED, "simulated")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamingRule:
    r"""A row: what the names of some entities say.

    The patterns are searched for, and all that are given must be found. A group with
    the name of a field (level, run, subrun, simulation_run, telescope, stream,
    particle, data_kind, date) gives its value; a stated value is taken otherwise, or
    filled in with groups such as ``\g<telescope>``.

    Attributes:
        name: Name of the row.
        entity: Pattern of the name of the entity.
        file: Pattern of the last part of its location. Rows whose pattern has no group
            for a run or a subrun see a file name with the numbers of its run replaced:
            ``dl1_LST-1.Run00001.0000.h5``.
        folder: Pattern of the folder of its location.
        level: Data level, one of `LEVELS`.
        data_kind: Kind of the data, such as those of `DATA_KINDS`.
        telescope: The telescope.
        particle: The simulated particle.
        is_simulated: Whether such a file is made of a simulation.
    """

    name: str
    entity: re.Pattern[str] | None = None
    file: re.Pattern[str] | None = None
    folder: re.Pattern[str] | None = None
    level: str | None = None
    data_kind: str | None = None
    telescope: str | None = None
    particle: str | None = None
    is_simulated: bool = False

    @property
    def has_numbers(self) -> bool:
        """Whether the row reads a run or a subrun out of the file name."""
        groups = () if self.file is None else self.file.groupindex
        return any(name in groups for name in _NUMBERS)

    def table(self) -> dict[str, Any]:
        """Return the row as a table of a file that `naming_rules` takes.

        >>> NamingRule(name="drive", file=re.compile("^Drive"), level="R0").table()
        {'name': 'drive', 'file': '^Drive', 'level': 'R0'}
        """
        table: dict[str, Any] = {"name": self.name}
        for key in _PATTERNS:
            pattern: re.Pattern[str] | None = getattr(self, key)
            if pattern is not None:
                is_caseless = pattern.flags & re.IGNORECASE
                table[key] = pattern.pattern
                if is_caseless and not pattern.pattern.startswith(_CASELESS):
                    table[key] = _CASELESS + pattern.pattern
        table |= {key: value for key in _STATED if (value := getattr(self, key))}
        return table | ({"simulated": True} if self.is_simulated else {})

    def read(self, entity: str, file: str, folder: str) -> dict[str, str] | None:
        """Return what the row says of an entity, or None if it is not about it.

        >>> row = NamingRule(name="drive", file=re.compile("^Drive"), data_kind="drive")
        >>> row.read("PointingFile", "DrivePosition_log_20200117.txt", "/drive")
        {'data_kind': 'drive'}
        """
        values: dict[str, str] = {}
        for pattern, text in (
            (self.entity, entity),
            (self.folder, folder),
            (self.file, file),
        ):
            if pattern is None:
                continue
            match = pattern.search(text)
            if match is None:
                return None
            for name, value in match.groupdict().items():
                template: str = getattr(self, name, None) or ""
                if value:
                    values[name] = match.expand(template) if "\\" in template else value
        stated = {name: getattr(self, name) for name in _STATED}
        return {k: v for k, v in stated.items() if v and "\\" not in v} | values


@dataclass(frozen=True, slots=True, eq=False)
class NamingRules:
    """Rows in the order in which they count: the first that states a field says it.

    One set of rows is equal to itself only, which makes it quick to look up.

    Attributes:
        rows: The rows.
        numbered: Those that read a run or a subrun.
        others: The others.
    """

    rows: tuple[NamingRule, ...]
    numbered: tuple[NamingRule, ...] = field(init=False)
    others: tuple[NamingRule, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Divide the rows."""
        numbered = tuple(row for row in self.rows if row.has_numbers)
        others = tuple(row for row in self.rows if not row.has_numbers)
        object.__setattr__(self, "numbered", numbered)
        object.__setattr__(self, "others", others)


def naming_rules(tables: Iterable[Mapping[str, Any]]) -> NamingRules:
    """Return rows that somebody wrote, followed by the known ones.

    Args:
        tables: The tables ``naming_rules`` of a file. One with the name of a known row
            takes its place.

    Raises:
        ConfigError: A table is not a row.

    >>> rules = naming_rules([{"name": "sky", "file": "^sky_", "data_kind": "map"}])
    >>> rules.rows[0].name, len(rules.rows) - len(NAMING_RULES.rows)
    ('sky', 1)
    """
    own = {row.name: row for row in map(_row, tables)}
    if not own:
        return NAMING_RULES
    known = (row for row in NAMING_RULES.rows if row.name not in own)
    return NamingRules((*own.values(), *known))


def _row(table: Mapping[str, Any]) -> NamingRule:
    name = table.get("name")
    unknown = [key for key in table if key not in _KEYS]
    texts = {key: table[key] for key in (*_PATTERNS, *_STATED) if key in table}
    level = texts.get("level")
    reason = None
    if not isinstance(name, str) or not name:
        reason = "it needs a name"
    elif unknown:
        reason = f"{unknown[0]} is none of {', '.join(_KEYS)}"
    elif not any(key in texts for key in _PATTERNS):
        reason = f"it needs a pattern: {', '.join(_PATTERNS)}"
    elif not all(isinstance(text, str) and text for text in texts.values()):
        wrong = next(k for k, v in texts.items() if not isinstance(v, str) or not v)
        reason = f"{wrong} must be a text"
    elif level is not None and level not in LEVELS:
        reason = f"level must be one of {', '.join(LEVELS)}, it is {level!r}"
    elif not isinstance(table.get("simulated", False), bool):
        reason = "simulated must be true or false"
    if reason is None:
        try:
            stated: dict[str, Any] = {
                key: re.compile(text) if key in _PATTERNS else text
                for key, text in texts.items()
            }
            row = NamingRule(
                name=str(name),
                **stated,
                is_simulated=table.get("simulated", False),
            )
            _check_groups(row)
        except (re.error, IndexError, OverflowError, RecursionError) as error:
            reason = f"a pattern is wrong: {error}"
        else:
            return row
    raise ConfigError(
        f"the naming rule {name or '(without name)'} is wrong: {reason}",
        setting="naming_rules",
    )


def _check_groups(row: NamingRule) -> None:
    """Check the names of groups, and the templates that use them.

    Raises:
        re.error: A group is no field, or a template names one that there is not.
    """
    known: set[str] = set()
    for key in _PATTERNS:
        pattern = getattr(row, key)
        known |= set() if pattern is None else set(pattern.groupindex)
    for group in sorted(known - set(_GROUPS)):
        raise re.error(f"the group {group} is none of {', '.join(_GROUPS)}")
    for key in _STATED:
        text = getattr(row, key) or ""
        is_filled = text.count("\\") == 1 and f"\\g<{key}>" in text and key in known
        if "\\" in text and not is_filled:
            raise re.error(f"{key} may have one \\g<{key}>, for a group {key}")


def _entity(pattern: str, **stated: Any) -> NamingRule:
    return NamingRule(name=f"entity {pattern}", entity=re.compile(pattern), **stated)


def _file(pattern: str, folder: str | None = None, **stated: Any) -> NamingRule:
    return NamingRule(
        name=f"file {pattern}",
        file=re.compile(pattern, re.IGNORECASE),
        folder=None if folder is None else re.compile(folder, re.IGNORECASE),
        **stated,
    )


# Names of entities as lstosa and lstchain define them, then names of files, then
# folders. What a pipeline calls an entity counts before what its file is called.
NAMING_RULES: Final = NamingRules(
    (
        _entity(r"^Muons[A-Z]", level="DL1", data_kind="muons"),
        _entity(r"^(?P<level>DL1)Check", data_kind="datacheck"),
        _entity(r"^RawObservationFile$", level="R0"),
        _entity(r"^(?P<level>R[01]|DL[0-5])(?![a-z0-9])"),
        _entity(r"^Interleaved", data_kind="interleaved"),
        _entity(r"Plot$", data_kind="plot"),
        _entity(r"Config\w*File$", data_kind="configuration"),
        _entity(r"^SystematicCorrectionFile$", data_kind="correction"),
        _entity(r"(?:Pedestal|Calibration)File$", data_kind="calibration"),
        _entity(r"^RFModel", data_kind="model"),
        _entity(r"^PointingFile$", data_kind="drive"),
        _entity(r"^Run(?:Summary|Catalog(?:ue)?)File$", data_kind="catalogue"),
        # Raw data: LST-1.1.Run02033.0000_first50.fits.fz, LST-1.Run02035.0000.fits.fz,
        # LST-1.*.Run02034.0000.fits.fz.
        _file(
            r"^LST-\d(?:\.(?:\d+|\*))?\.Run(?:\d+|\*)(?:\.(?:\d+|\*))?(?:_\w+)?"
            r"\.fits(?:\.(?:fz|gz))?$",
            level="R0",
        ),
        _file(r"_prov\.(?:json|log)$|\.provenance\.log$", data_kind="provenance"),
        _file(r"^muons?_", level="DL1", data_kind="muons"),
        _file(r"(?:^|[._-])datacheck(?=[._-])", data_kind="datacheck"),
        # R1 waveforms of pedestal and flat-field events, which Cat-B is made of.
        _file(r"^interleaved_", level="R1", data_kind="interleaved"),
        _file(r"\.(?:pdf|png|svg)$", data_kind="plot"),
        # drs4_pedestal.Run01804.0000.h5, calibration_filters_52.Run01809.0000.h5,
        # time_calibration.Run01625.0000.h5, cat_B_calibration_filters_52.Run02006.h5.
        _file(
            r"^(?:cat_?b_)?(?:drs4(?:_pedestal)?|pedestal|time_calibration|flat_?field"
            r"|calibration(?:_filters_\w+?)?)\.",
            data_kind="calibration",
        ),
        _file(r"^ffactor_systematics", data_kind="correction"),
        _file(r"\.(?:sav|joblib)$", data_kind="model"),
        _file(
            r"(?:^|[_-])(?:reg|cls|regressor|classifier|reconstructor|model)"
            r"[^/]*\.(?:pkl|pickle)$",
            data_kind="model",
        ),
        _file(r"\.(?:pkl|pickle)$", folder=r"(?:^|/)models?(?:/|$)", data_kind="model"),
        _file(r"^irf(?=[._-])", data_kind="irf"),
        _file(r"^(?:RunSummary|Run_?Catalog)", data_kind="catalogue"),
        _file(r"^(?:obs|hdu)-index\.fits", level="DL3", data_kind="catalogue"),
        _file(r"^DrivePosition", data_kind="drive"),
        # drive_log_19_11_23.txt is of 2019-11-23.
        _file(r"^drive_log_(?P<date>\d\d_\d\d_\d\d)\.", data_kind="drive"),
        # Simulations begin with CORSIKA and sim_telarray; pipelines name the particle,
        # the pointing and the run in what they make of them.
        _file(
            r"^simtel_|\.simtel(?:\.|$)|\.corsika(?:\.|$)|^corsika|^DAT\d{6}",
            data_kind="simulation",
            is_simulated=True,
        ),
        _file(
            r"(?:^|[._-])(?:simtel|corsika|(?:cta-)?prod\d\w*)(?=[._-])",
            is_simulated=True,
        ),
        _file(r"(?:^|[._-])node_(?:corsika_)?theta_", is_simulated=True),
        _file(rf"(?:^|[^a-z]){_PARTICLE}(?![a-z])"),
        # dl1ab writes dl1 again; GammaDiffuse and srcdep stand behind the level.
        _file(r"(?:^|[._-])(?P<level>dl1)ab(?=[._-])"),
        _file(r"(?:^|[._-])(?P<level>r[01]|dl[0-5])(?=[._-])"),
        # LST-2.4.Run is the fourth stream of LST-2; LSTN-02 and LST2 are LST-2, too.
        _file(
            r"(?<![a-z0-9])LSTN?-?0?(?P<telescope>[1-9])"
            r"(?:\.(?P<stream>\d{1,2})(?=\.Run))?(?![a-z0-9])",
            telescope=r"LST-\g<telescope>",
        ),
        NamingRule(
            name="folder of a telescope",
            # Its own letter case: lst1 may be somebody's account.
            folder=re.compile(r".*(?:^|/)LSTN?-?0?(?P<telescope>[1-9])(?:/|$)"),
            telescope=r"LST-\g<telescope>",
        ),
        NamingRule(
            name="folder of simulations",
            folder=re.compile(r"(?:^|/)(?:mc|sim_telarray)(?:/|$)", re.IGNORECASE),
            is_simulated=True,
        ),
        NamingRule(
            name="folder of a particle",
            folder=re.compile(rf".*(?:^|/){_PARTICLE}(?:/|$)", re.IGNORECASE),
        ),
        NamingRule(
            name="folder of a night",
            folder=re.compile(r".*(?:^|/)(?P<date>(?:19|20)\d{6})(?:/|$)"),
        ),
    )
)
