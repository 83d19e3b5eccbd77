"""Link rules: known gaps between packages, and how they are bridged.

Calibration is written under one version folder and read from another; a DL1 file is
moved into a sub-folder. Both keep the file's name and its run. The header of a DL3 file
names only the run, and its name is that of the DL2 file but for the level. A rule says
for which entities that may be assumed. A merged file names its parts without their
folder: the rule ``same_name`` links each name with the one file of that name. Rules
belong to a store, so that all its readers answer alike; ``provdb db rules add`` takes a
file such as

    [[link_rules]]
    name = "copied_to_archive"
    entities = ["DL3*"]
    folder = "any"

    [[link_rules]]
    name = "spectrum_from_dl3"
    read = "dl5_*.fits"
    written = "dl3_*.fits"

    [[link_rules]]
    name = "night_is_closed"
    entities = ["DL1*", "DL2*"]
    source = "running_analysis"
    target = "DL*"

A rule acts only where nobody is known to have written a file. One with a ``target``
says that files are moved: each write of the file in the source folder counts as a write
here, at its end.
"""

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any, Final

from provdb.errors import ConfigError
from provdb.lineage.steps import Entity

__all__ = [
    "LINK_RULES",
    "LinkRule",
    "RuleIndex",
    "common_parts",
    "has_name_only",
    "link_rules",
]

_FOLDERS: Final = ("any", "above", "unknown")
_KEYS: Final = ("name", "entities", "folder", "read", "written", "source", "target")
_ANY: Final = "*"
_UNKNOWN: Final = "unknown"
_NO_SIDES: Final = (False, False)
_READ_SIDE: Final = (True, False)
_BOTH_SIDES: Final = (True, True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRule:
    """A gap that may be bridged between two files of one run.

    Attributes:
        name: Name of the rule, which marks the edges that it makes.
        entities: Patterns of names of entities, with ``*`` and ``?``.
        folder: Where the written file may lie: ``any`` folder, or in one ``above``
            the folder of the one that was read. With ``unknown`` the rule is about
            data products whose own folder is not known: their location is a file name
            alone, as in the names of the files that were merged.
        read: What the file that was read is called, with one ``*``.
        written: What the file that was written is called then, with the same in the
            place of its ``*``. By default both have one name.
        target: Of a move: pattern of the folder that files are moved to; None for a
            rule that acts at gaps only.
        source: Of a move: the folder that stands in the place of the target where the
            files are written; None if they are written right above the target.
    """

    name: str
    entities: tuple[str, ...] = (_ANY,)
    folder: str = "any"
    read: str = _ANY
    written: str = _ANY
    target: str | None = None
    source: str | None = None

    @property
    def is_move(self) -> bool:
        """Whether the rule says that files are moved."""
        return self.target is not None

    @property
    def is_by_name(self) -> bool:
        """Whether the rule is about files of which a name is known and no folder."""
        return self.folder == _UNKNOWN

    def moves_to(self, location: str) -> bool:
        """Say whether a place is one that files are moved to.

        >>> LINK_RULES[1].moves_to("/DL1/20200117/v0.11/tailcut84/dl1.h5")
        True
        """
        folders = location.split("/")[:-1]
        if self.target is None:
            return False
        if self.source is None:
            return bool(folders) and fnmatchcase(folders[-1], self.target)
        return any(fnmatchcase(folder, self.target) for folder in folders)

    def _is_source(self, read: str, written: str) -> bool:
        """Say whether files are moved from one place to another."""
        if self.target is None:
            return False
        here, there = read.split("/")[:-1], written.split("/")[:-1]
        if self.source is None:
            return bool(here) and here[:-1] == there and self.moves_to(read)
        for place, folder in enumerate(here):
            if fnmatchcase(folder, self.target) and folder != self.source:
                moved = [*here[:place], self.source, *here[place + 1 :]]
                # Some are moved one folder further down at the same time.
                if there in (moved, moved[:-1]):
                    return True
        return False

    def is_about(self, name: str) -> bool:
        """Say whether the rule is about entities of a name.

        >>> LINK_RULES[1].is_about("DL1SubrunDataset")
        True
        """
        return any(fnmatchcase(name, pattern) for pattern in self.entities)

    def is_about_file(self, file_name: str) -> bool:
        """Say whether the rule is about files of a name, read or written."""
        if self.read == self.written:
            return True
        return bool(self.names_written(file_name) or self.names_read(file_name))

    def names_written(self, file_name: str) -> list[str]:
        """Return what a file that was read may be called where it was written.

        >>> LINK_RULES[4].names_written("dl3_LST-1.Run01807.fits")
        ['dl2_LST-1.Run01807.h5']
        """
        return _renamed(file_name, self.read, self.written)

    def names_read(self, file_name: str) -> list[str]:
        """Return what a file that was written may be called where it is read.

        >>> LINK_RULES[4].names_read("dl2_LST-1.Run01807.h5")
        ['dl3_LST-1.Run01807.fits']
        """
        return _renamed(file_name, self.written, self.read)

    def covers(self, entity: Entity) -> bool:
        """Say whether the rule is about an entity at all."""
        return (
            entity.is_of_run
            and entity.file_name is not None
            and self.is_about(entity.name or "")
            and self.is_about_file(entity.file_name)
        )

    def bridges(self, read: Entity, written: Entity) -> bool:
        """Say whether what was read can be what was written elsewhere."""
        # Nearly all files have a name of their own: most pairs are one file twice.
        if read.id == written.id:
            return False
        if self.is_by_name:
            return self._is_namesake(read, written)
        if read.run != written.run:
            return False
        if not self.covers(read) or not self.covers(written):
            return False
        if written.file_name not in self.names_written(read.file_name or ""):
            return False
        if not _agree(read, written):
            return False
        if self.is_move:
            return self._is_source(read.location or "", written.location or "")
        folder = posixpath.dirname(written.location or "")
        is_below = (read.location or "").startswith(f"{folder}/")
        return self.folder == "any" or is_below

    def _is_namesake(self, read: Entity, written: Entity) -> bool:
        """Say whether a file in a folder can be the one of which a name is known."""
        if not has_name_only(read) or "/" not in (written.location or ""):
            return False
        if not self.is_about(read.name or "") or written.file_name is None:
            return False
        if written.file_name not in self.names_written(read.file_name or ""):
            return False
        # The name of a folder can say more.
        return all(
            mine is None or mine == other
            for mine, other in zip(_data_of(read), _data_of(written), strict=True)
        )


class RuleIndex:
    """Rules, and which of them may be about an entity, found at once.

    A walk asks of every entity, and hardly any is called otherwise where it is read.

    Attributes:
        begun_read: How the names of files begin that are called otherwise where they
            were written.
        begun_written: How the names of files begin that are called otherwise where
            they are read.
    """

    def __init__(self, rules: Collection[LinkRule]) -> None:
        """Look up what rules are about."""
        self._by_name = [rule for rule in rules if rule.is_by_name]
        self._keeping = [
            rule for rule in rules if rule.read == rule.written and not rule.is_by_name
        ]
        self._renaming = [rule for rule in rules if rule.read != rule.written]
        # Whether a file in a folder can be one of which a name alone is known.
        self.finds_names = bool(self._by_name)
        self.begun_read = _beginnings(rule.read for rule in self._renaming)
        self.begun_written = _beginnings(rule.written for rule in self._renaming)
        # By the name of an entity.
        self._is_kept: dict[str, bool] = {}
        self._renamed: dict[str, tuple[re.Pattern[str], re.Pattern[str]]] = {}

    def sides(self, entity: Entity) -> tuple[bool, bool]:
        """Say whether an entity may have been read across a gap, and written.

        >>> dl2 = Entity("6d2362", file_name="dl2_LST-1.Run01807.h5", run=1807)
        >>> RuleIndex(LINK_RULES).sides(dl2)
        (False, True)
        """
        file_name = entity.file_name
        if file_name is not None and self._finds(entity):
            return _READ_SIDE
        if file_name is None or not entity.is_of_run:
            return _NO_SIDES
        name = entity.name or ""
        if self.keeps(name):
            return _BOTH_SIDES
        patterns = self._renamed.get(name)
        if patterns is None:
            about = [rule for rule in self._renaming if rule.is_about(name)]
            patterns = self._renamed[name] = (
                _pattern(rule.read for rule in about),
                _pattern(rule.written for rule in about),
            )
        read, written = patterns
        return read.fullmatch(file_name) is not None, (
            written.fullmatch(file_name) is not None
        )

    def _finds(self, entity: Entity) -> bool:
        # Nearly all files lie in a folder.
        return (
            "/" not in (entity.location or "/")
            and has_name_only(entity)
            and any(rule.is_about(entity.name or "") for rule in self._by_name)
        )

    def keeps(self, name: str) -> bool:
        """Say whether entities of a name may lie elsewhere under one file name."""
        is_kept = self._is_kept.get(name)
        if is_kept is None:
            is_kept = any(rule.is_about(name) for rule in self._keeping)
            self._is_kept[name] = is_kept
        return is_kept

    def names_written(self, file_name: str) -> list[str]:
        """Return what a file that was read may be called where it was written."""
        if not file_name.startswith(self.begun_read):
            return [file_name]
        others = (rule.names_written(file_name) for rule in self._renaming)
        return sorted({file_name, *chain.from_iterable(others)})

    def names_read(self, file_name: str) -> list[str]:
        """Return what a file that was written may be called where it is read."""
        if not file_name.startswith(self.begun_written):
            return [file_name]
        others = (rule.names_read(file_name) for rule in self._renaming)
        return sorted({file_name, *chain.from_iterable(others)})


LINK_RULES: Final = (
    LinkRule(
        name="calibration_version_folder",
        entities=("*Pedestal*File", "*Calibration*File", "SystematicCorrectionFile"),
    ),
    # lstosa moves what r0_to_dl1 wrote into a folder of the cleaning, and a night that
    # is closed out of the folder of the running analysis.
    LinkRule(name="moved_to_tailcut", entities=("DL1*", "Muons*"), target="tailcut*"),
    LinkRule(
        name="night_is_closed",
        entities=("DL1*", "DL2*", "DL3*", "Muons*"),
        source="running_analysis",
        target="DL?",
    ),
    LinkRule(name="moved_to_subfolder", entities=("DL1*", "Muons*"), folder="above"),
    # As lstchain_create_dl3_file names what it makes of a DL2 file.
    LinkRule(name="dl3_from_dl2", read="dl3_*.fits", written="dl2_*.h5"),
    LinkRule(name="dl3_gz_from_dl2", read="dl3_*.fits.gz", written="dl2_*.h5"),
    # Merged files name their parts without a folder.
    LinkRule(name="same_name", folder="unknown"),
)


def link_rules(tables: Iterable[Mapping[str, Any]]) -> tuple[LinkRule, ...]:
    """Return the known link rules and those of tables.

    Args:
        tables: The tables ``link_rules`` of a file. One with the name of a known rule
            takes its place.

    Raises:
        ConfigError: A table is no link rule.

    >>> rules = link_rules([{"name": "archive", "entities": ["DL3*"]}])
    >>> [rule.name for rule in rules]  # doctest: +NORMALIZE_WHITESPACE
    ['calibration_version_folder', 'moved_to_tailcut', 'night_is_closed',
    'moved_to_subfolder', 'dl3_from_dl2', 'dl3_gz_from_dl2', 'same_name', 'archive']
    """
    rules = {rule.name: rule for rule in LINK_RULES}
    for table in tables:
        rule = _rule(table)
        rules[rule.name] = rule
    return tuple(rules.values())


def has_name_only(entity: Entity) -> bool:
    """Say whether of a data product a file name is known and no folder.

    >>> has_name_only(Entity("6d2362", location="dl1_LST-1.Run01618.h5", level="DL1"))
    True
    """
    location = entity.location
    return (
        location is not None
        and "/" not in location
        and (
            entity.level is not None
            or entity.run is not None
            or entity.particle is not None
        )
    )


def common_parts(one: str, other: str) -> int:
    """Return how many folders two locations have in common, from the top.

    >>> common_parts("/fefs/v0.12.3/a.h5", "/fefs/v0.11/a.h5")
    2
    """
    folders = zip(one.split("/")[:-1], other.split("/")[:-1], strict=False)
    count = 0
    for mine, yours in folders:
        if mine != yours:
            break
        count += 1
    return count


def _rule(table: Mapping[str, Any]) -> LinkRule:
    name = table.get("name")
    entities = table.get("entities", [_ANY] if "read" in table else None)
    folder = table.get("folder", "any")
    read, written = table.get("read", _ANY), table.get("written", _ANY)
    source, target = table.get("source"), table.get("target")
    unknown = [key for key in table if key not in _KEYS]
    reason = None
    if not isinstance(name, str) or not name:
        reason = "it needs a name"
    elif unknown:
        reason = f"{unknown[0]} is none of {', '.join(_KEYS)}"
    elif not isinstance(entities, list) or not all(
        isinstance(pattern, str) for pattern in entities
    ):
        reason = "entities must be a list of patterns such as 'DL1*'"
    elif folder not in _FOLDERS:
        reason = f"folder must be one of {', '.join(_FOLDERS)}, it is {folder!r}"
    elif not all(
        isinstance(one, str) and one.count(_ANY) == 1 for one in (read, written)
    ):
        reason = "read and written must be names with one *, such as 'dl2_*.h5'"
    elif source is not None and target is None:
        reason = "a source needs a target, the folder that files are moved to"
    elif not all(
        one is None or (isinstance(one, str) and one and "/" not in one)
        for one in (source, target)
    ):
        reason = "source and target must each be the name of one folder"
    if reason is not None:
        raise ConfigError(
            f"the link rule {name or '(without name)'} is wrong: {reason}",
            setting="link_rules",
        )
    return LinkRule(
        name=str(name),
        entities=tuple(entities or ()),
        folder=folder,
        read=read,
        written=written,
        target=target,
        source=source,
    )


def _agree(one: Entity, other: Entity) -> bool:
    """Say whether the names of two files are of the same data."""
    return (
        one.telescope == other.telescope
        and one.stream == other.stream
        and one.subrun == other.subrun
        and one.particle == other.particle
        and one.simulation_run == other.simulation_run
    )


def _data_of(entity: Entity) -> tuple[str | int | None, ...]:
    return (
        entity.telescope,
        entity.stream,
        entity.run,
        entity.subrun,
        entity.particle,
    )


def _beginnings(patterns: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({pattern.partition(_ANY)[0] for pattern in patterns}))


def _pattern(patterns: Iterable[str]) -> re.Pattern[str]:
    """Return what matches the names that one of the patterns renames."""
    parts = (pattern.partition(_ANY) for pattern in sorted(set(patterns)))
    told = [f"{re.escape(before)}.+{re.escape(after)}" for before, _, after in parts]
    return re.compile("|".join(told) or r"(?!)", re.DOTALL)


def _renamed(file_name: str, pattern: str, into: str) -> list[str]:
    before, _, after = pattern.partition(_ANY)
    is_like = file_name.startswith(before) and file_name.endswith(after)
    if not is_like or len(file_name) <= len(before) + len(after):
        return []
    same = file_name[len(before) : len(file_name) - len(after)]
    return [into.replace(_ANY, same, 1)]
