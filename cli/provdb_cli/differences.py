"""Draw what differs between two sides: a table, or lines where there is less room."""

import posixpath
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from rich.console import Console

    from provdb.compare import Comparison, Difference

__all__ = ["draw_differences"]

_GAP: Final = 2
_INDENT: Final = "  "
_NONE: Final = "-"
_MOST_VALUES: Final = 3
_LONGEST: Final = 120
_ALL: Final = "every step"


def draw_differences(console: "Console", comparison: "Comparison") -> None:
    """Draw what differs, and in the last line how much that is.

    Args:
        console: Where to draw; where a table is wider, values stand below each other.
        comparison: What was compared.
    """
    a, b = comparison.question["a"], comparison.question["b"]
    if comparison.differences:
        header = ["step", "kind", "name", f"only {a}", f"only {b}"]
        rows = [header, *(_cells(one, comparison) for one in comparison.differences)]
        columns = zip(*rows, strict=True)
        widths = [max(map(len, column)) for column in columns]
        if sum(widths) + _GAP * (len(widths) - 1) <= console.width:
            lines = _table(rows, widths)
        else:
            lines = _listed(comparison)
        for line in lines:
            console.print(line.rstrip(), soft_wrap=True)
    console.print(_summary(comparison), soft_wrap=True)


def _table(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    header, *others = rows
    gap = " " * _GAP
    yield gap.join(c.ljust(w) for c, w in zip(header, widths, strict=True))
    yield "─" * (sum(widths) + _GAP * (len(widths) - 1))
    for row in others:
        yield gap.join(c.ljust(w) for c, w in zip(row, widths, strict=True))


def _listed(comparison: "Comparison") -> Iterator[str]:
    """Yield the differences of each step below its name, as diff writes them."""
    a, b = comparison.question["a"], comparison.question["b"]
    yield f"--- {a}"
    yield f"+++ {b}"
    steps = None
    for one in sorted(comparison.differences, key=_order_of_steps(comparison)):
        if one.steps != steps:
            steps = one.steps
            yield _steps(one, comparison)
        yield f"{_INDENT}{one.kind}: {_name(one)}".rstrip(": ")
        for sign, values in zip("-+", _shown(one), strict=True):
            for value in values:
                yield f"{_INDENT * 2}{sign} {value}"


def _order_of_steps(
    comparison: "Comparison",
) -> "Callable[[Difference], tuple[int, int, int]]":
    first: dict[tuple[str, ...], int] = {}
    for place, one in enumerate(comparison.differences):
        first.setdefault(one.steps, place)
    order = {step: place for place, step in enumerate(comparison.steps)}
    return lambda one: (order.get(one.steps[0], -1), len(one.steps), first[one.steps])


def _cells(one: "Difference", comparison: "Comparison") -> list[str]:
    a, b = (", ".join(values) or _NONE for values in _shown(one))
    return [_steps(one, comparison), one.kind, _name(one), a, b]


def _name(one: "Difference") -> str:
    # Of a step, a node and a status there is one kind only.
    return "" if one.name in (one.kind, *one.steps) else one.name


def _steps(one: "Difference", comparison: "Comparison") -> str:
    if one.steps == comparison.steps and len(one.steps) > 1:
        return _ALL
    return ", ".join(one.steps)


def _shown(one: "Difference") -> tuple[list[str], list[str]]:
    """Return the values of both sides, without the folders that all of them share."""
    texts = [[_text(value) for value in values] for values in (one.a, one.b)]
    paths = [text for side in texts for text in side]
    shared = ""
    if one.kind == "input" and len(paths) > 1 and all(p.startswith("/") for p in paths):
        shared = posixpath.commonpath([posixpath.dirname(path) for path in paths])
    if len(shared) > 1:
        texts = [[f"…{text.removeprefix(shared)}" for text in side] for side in texts]
    if one.kind == "step":
        texts = [[_activities(text) for text in side] for side in texts]
    a, b = (_some(side) for side in texts)
    return a, b


def _activities(count: str) -> str:
    return "1 activity" if count == "1" else f"{count} activities"


def _some(texts: list[str]) -> list[str]:
    if len(texts) <= _MOST_VALUES:
        return texts
    left = len(texts) - _MOST_VALUES
    return [*texts[:_MOST_VALUES], f"and {left} more"]


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    line = text.replace("\n", "⏎")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _summary(comparison: "Comparison") -> str:
    steps = len(comparison.steps)
    compared = f"{steps} step{'' if steps == 1 else 's'} compared"
    if comparison.is_equal:
        return f"no differences ({compared})"
    count = len(comparison.differences)
    return f"{count} difference{'' if count == 1 else 's'} ({compared})"
