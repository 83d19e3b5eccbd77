"""How a thing is measured beside its baseline: in turns, by medians, as one line."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

__all__ = ["Line", "at_most", "in_turns", "seconds_of", "time_text"]

_MILLISECOND = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table.

    Attributes:
        what: What was measured.
        ours: What provdb takes.
        baseline: What the other takes.
        ratio: How many times larger one is than the other, whichever way the promise
            has it; None for what could not be measured.
        at_least: The promised ratio, where a larger one is better.
        at_most: The promised ratio, where a smaller one is better.
    """

    what: str
    ours: str
    baseline: str
    ratio: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def promised(self) -> str:
        """The promise as text, empty if there is none."""
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return "" if self.at_most is None else f"<= {self.at_most:g}"

    @property
    def kept(self) -> str:
        """Whether the promise was kept, as text, empty if that is not known."""
        if self.ratio is None or not self.promised:
            return ""
        is_kept = (self.at_least is None or self.ratio >= self.at_least) and (
            self.at_most is None or self.ratio <= self.at_most
        )
        return "yes" if is_kept else "NO"


def in_turns(rounds: int, *todo: Callable[[], object]) -> list[float]:
    """Return the median time of each in seconds, taken in turns."""
    taken: list[list[float]] = [[] for _ in todo]
    for turn in range(rounds):
        # Not always the same one first.
        for number in range(len(todo))[:: 1 if turn % 2 == 0 else -1]:
            taken[number].append(seconds_of(todo[number]))
    return [median(times) for times in taken]


def seconds_of(todo: Callable[[], object]) -> float:
    gc.collect()
    begin = time.perf_counter()
    todo()
    return time.perf_counter() - begin


def at_most(what: str, ours: float, baseline: float, promised: float | None) -> Line:
    return Line(
        what=what,
        ours=time_text(ours),
        baseline=time_text(baseline),
        ratio=ours / baseline,
        at_most=promised,
    )


def time_text(seconds: float) -> str:
    if seconds < _MILLISECOND:
        return f"{seconds * 1e6:.1f} µs"
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
