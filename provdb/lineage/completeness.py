"""What an answer knows, what it does not know, and how a sentence says so."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

__all__ = ["Completeness", "Places", "runs_in_words"]

# So many names stand in a sentence; the rest is counted.
_MOST_NAMES: Final = 3
_MOST_RUNS: Final = 3
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """What an answer knows, and what it does not know.

    Attributes:
        gaps: Ids of the data products that nobody is known to have made.
        mixed: Ids of the versions that hold parts of several passes, each with what
            differs: the slots or the software versions.
        contested: How many edges are in doubt: another write is possible, or clocks
            contradict the order of records.
        time_conflicts: How many edges lead to a file that was written only after it
            was used, by the clocks.
        inferred: How many edges no record states.
        damaged: Ids of the activities that may have damaged something.
        incomplete: Ids of the activities and versions of which records are missing.
        ties: Files that a link rule could link to several others; each a sentence.
        is_cut: Whether a limit or a filter kept something out.
    """

    gaps: tuple[str, ...] = ()
    mixed: tuple[tuple[str, str], ...] = ()
    contested: int = 0
    time_conflicts: int = 0
    inferred: int = 0
    damaged: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()
    is_cut: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether everything is known back to raw data."""
        return not (self.gaps or self.incomplete or self.ties or self.is_cut)

    @property
    def is_certain(self) -> bool:
        """Whether the answer is complete, and nothing in it is in doubt."""
        has_doubts = self.contested or self.time_conflicts or self.damaged or self.mixed
        return self.is_complete and not has_doubts

    @property
    def sentence(self) -> str:
        """All of it as one sentence, without the names that a `Lineage` knows.

        >>> Completeness().sentence
        'Complete.'
        >>> Completeness(gaps=("6d2362",), contested=2).sentence
        'Not complete: 1 gap; 2 edges contested.'
        """
        return self.describe(self.places({}))

    def places(self, names: Mapping[str, str]) -> "Places":
        """Return what is to be named of it.

        Args:
            names: Names of nodes and activities by id; what has none is not named.
        """

        def named(ids: Iterable[str]) -> tuple[str, ...]:
            return tuple(sorted(names[id_] for id_ in ids if id_ in names))

        return Places(
            gaps=named(self.gaps),
            incomplete=named(self.incomplete),
            damaged=named(self.damaged),
            mixed=tuple(
                f"{names[id_]}: {reason}" if reason else names[id_]
                for id_, reason in self.mixed
                if id_ in names
            ),
        )

    def describe(self, places: "Places", *, complete: str = "Complete") -> str:
        """Return all of it as one sentence that names up to three places of a kind.

        Args:
            places: What is to be named.
            complete: How a complete answer begins.

        >>> lacking = Completeness(gaps=("6d2362",))
        >>> lacking.describe(lacking.places({"6d2362": "dl1_LST-1.Run01618.0008.h5"}))
        'Not complete: 1 gap (dl1_LST-1.Run01618.0008.h5).'
        """
        missing, doubts = self.missing(places), self.doubts(places)
        start = f"Not complete: {missing}" if missing else complete
        return "; ".join(filter(None, (start, doubts))) + "."

    def missing(self, places: "Places") -> str:
        """Return in words what is missing; nothing of a complete answer."""
        words = (
            _counted(len(self.gaps), "gap", places=places.gaps),
            _counted(
                len(self.incomplete), "step", "incomplete", places=places.incomplete
            ),
            _counted(len(self.ties), "tie", "of link rules"),
            "cut by an option" if self.is_cut else "",
        )
        return ", ".join(filter(None, words))

    def doubts(self, places: "Places") -> str:
        """Return in words what is in doubt or inferred; nothing if nothing is."""
        words = (
            _counted(self.contested, "edge", "contested", places=places.contested),
            _counted(
                self.time_conflicts, "time conflict", places=places.time_conflicts
            ),
            _counted(
                len(self.damaged),
                "step",
                "may have damaged a file",
                places=places.damaged,
            ),
            _counted(len(self.mixed), "version", "mixed", places=places.mixed),
            _counted(self.inferred, "edge", "inferred"),
        )
        return ", ".join(filter(None, words))

    def joined(self, other: "Completeness") -> "Completeness":
        """Return what two answers know and do not know together.

        >>> both = Completeness(gaps=("5a2d",)).joined(Completeness(contested=1))
        >>> both.sentence
        'Not complete: 1 gap; 1 edge contested.'
        """
        return Completeness(
            gaps=_union(self.gaps, other.gaps),
            mixed=_union(self.mixed, other.mixed),
            contested=self.contested + other.contested,
            time_conflicts=self.time_conflicts + other.time_conflicts,
            inferred=self.inferred + other.inferred,
            damaged=_union(self.damaged, other.damaged),
            incomplete=_union(self.incomplete, other.incomplete),
            ties=_union(self.ties, other.ties),
            is_cut=self.is_cut or other.is_cut,
        )

    def to_dict(self, *, sentence: str | None = None) -> dict[str, Any]:
        """Return it as it stands in JSON.

        Args:
            sentence: The sentence with names, if the answer knows them.
        """
        return {
            "complete": self.is_complete,
            "certain": self.is_certain,
            "gaps": list(self.gaps),
            "mixed": [{"id": id_, "reason": reason} for id_, reason in self.mixed],
            "contested": self.contested,
            "time_conflicts": self.time_conflicts,
            "inferred": self.inferred,
            "damaged": list(self.damaged),
            "incomplete": list(self.incomplete),
            "ties": list(self.ties),
            "cut": self.is_cut,
            "sentence": self.sentence if sentence is None else sentence,
        }


class Places(NamedTuple):
    """Names of what is missing or in doubt.

    Attributes:
        gaps: Of the data products that nobody is known to have made.
        incomplete: Of the steps and files of which records are missing.
        contested: Of the files that contested edges lead to.
        time_conflicts: Of the files that edges with conflicting times lead to.
        damaged: Of the steps that may have damaged a file.
        mixed: Of the mixed versions, with what differs.
    """

    gaps: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    contested: tuple[str, ...] = ()
    time_conflicts: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    mixed: tuple[str, ...] = ()


def runs_in_words(files: Iterable[tuple[int | None, int | None]]) -> str:
    """Return which runs and subruns there are, in words; nothing if there are none.

    Args:
        files: Run and subrun of each file.

    >>> runs_in_words([(1807, 0), (1807, 1), (1807, 3), (1808, None), (None, None)])
    'run 01807, subruns 0000-0001, 0003 (3); run 01808; 1 file of unknown run'
    """
    runs: dict[int | None, list[int | None]] = {}
    for run, subrun in files:
        runs.setdefault(run, []).append(subrun)
    unknown = len(runs.pop(None, ()))
    words = [
        f"run {run:05d}{_subruns([one for one in runs[run] if one is not None])}"
        for run in islice(runs, _MOST_RUNS)
        if run is not None
    ]
    if len(runs) > _MOST_RUNS:
        words.append(f"and {_counted(len(runs) - _MOST_RUNS, 'more run')}")
    if unknown:
        words.append(_counted(unknown, "file", "of unknown run"))
    return "; ".join(words)


def _subruns(subruns: Sequence[int]) -> str:
    """Return numbers in words: ``, subruns 0000-0006, 0008 (8)``."""
    if not subruns:
        return ""
    ranges: list[list[int]] = []
    # A subrun may have several streams.
    different = sorted(set(subruns))
    for subrun in different:
        if ranges and subrun == ranges[-1][-1] + 1:
            ranges[-1].append(subrun)
        else:
            ranges.append([subrun])
    spans = [
        f"{part[0]:04d}" if len(part) == 1 else f"{part[0]:04d}-{part[-1]:04d}"
        for part in ranges
    ]
    if len(different) == 1:
        return f", subrun {spans[0]}"
    return f", subruns {', '.join(spans)} ({len(different)})"


def _union(some: Iterable[_Item], others: Iterable[_Item]) -> tuple[_Item, ...]:
    return tuple(dict.fromkeys((*some, *others)))


def _counted(
    count: int, noun: str, rest: str = "", *, places: Collection[str] = ()
) -> str:
    """Return a number of things in words, with the names of some; none of nothing.

    >>> _counted(5, "gap", places=["a.h5", "b.h5", "c.h5", "d.h5", "e.h5"])
    '5 gaps (a.h5, b.h5, c.h5, …)'
    """
    if not count:
        return ""
    words = f"{count} {noun}{'' if count == 1 else 's'} {rest}".rstrip()
    if not places:
        return words
    distinct = list(dict.fromkeys(places))
    shown = distinct[:_MOST_NAMES]
    if len(distinct) > _MOST_NAMES:
        shown.append("…")
    return f"{words} ({', '.join(shown)})"
