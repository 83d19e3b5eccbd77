"""What two sides do not share: one value, whatever shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from provdb.lineage.completeness import Completeness
from provdb.tabular import Tabular

__all__ = ["Comparison", "Difference"]

_COMPLETE: Final = Completeness()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Values of one thing that only one of two sides has.

    Attributes:
        kind: What it is about: ``step``, ``input``, ``parameter``,
            ``configuration``, ``software``, ``commit``, ``node``, ``status`` or
            ``duration``.
        steps: Names of the steps of which it is true, in the order they ran.
        name: Which one of that kind: a role, a parameter, a key of a configuration,
            a package.
        a: The values that only the first side has, as JSON has them.
        b: Those that only the second side has.
    """

    kind: str
    steps: tuple[str, ...]
    name: str
    a: tuple[Any, ...]
    b: tuple[Any, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as it stands in JSON."""
        return {
            "kind": self.kind,
            "steps": list(self.steps),
            "name": self.name,
            "a": list(self.a),
            "b": list(self.b),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Tabular):
    """What differs between two sides.

    Attributes:
        question: What was compared, as text by name.
        steps: Names of the steps that both sides have, in the order they ran.
        activities: How many activities each side has.
        differences: What differs, by kind, step and name.
        warnings: What could not be compared, and why.
        completeness: What the lineages of both sides, where they are files, know and do
            not know.
    """

    question: Mapping[str, Any]
    steps: tuple[str, ...]
    activities: tuple[int, int]
    differences: tuple[Difference, ...]
    warnings: tuple[str, ...] = ()
    completeness: Completeness = _COMPLETE

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each difference."""
        return [difference.to_dict() for difference in self.differences]

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as it stands in JSON."""
        return {
            "question": dict(self.question),
            "equal": self.is_equal,
            "steps": list(self.steps),
            "activities": list(self.activities),
            "differences": self.rows(),
            "warnings": list(self.warnings),
            "completeness": self.completeness.to_dict(),
        }
