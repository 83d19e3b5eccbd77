"""Draw a lineage as people look at it: level, file, step, time, status."""

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from provdb.lineage import Lineage, LineageNode, Paths, TreeRow, tree
from provdb.lineage.result import DOUBTS, mark_in_words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ["draw_leaves", "draw_paths", "draw_tree"]

_WIDE: Final = 100
_WITH_FOLDERS: Final = 140
_GAP: Final = 2
_SHORTEST_NAME: Final = 8
_SUBRUN_OF_NAME: Final = re.compile(r"(?<=\d\.)\d{4,7}(?!\d)")
_STREAM_OF_NAME: Final = re.compile(r"(?<=LST-\d\.)\d+(?=\.Run)")
_DOUBT: Final = "yellow"
_STATUS_STYLES: Final = {
    "completed": "green",
    "running": "yellow",
    "interrupted": "red",
    "failed": "bold red",
}


_ORIGIN_STYLES: Final = {"gap": "bold yellow", "unknown": "yellow"}


def draw_tree(
    console: "Console", lineage: Lineage, *, is_unfolded: bool = False
) -> None:
    """Draw an answer as a tree, and below it what it knows and does not know.

    Args:
        console: Where to draw; the wider it is, the more is shown.
        lineage: The answer.
        is_unfolded: Whether each subrun has a line of its own.
    """
    _draw(console, tree(lineage, is_unfolded=is_unfolded))
    _close(console, lineage)


def draw_paths(console: "Console", paths: Paths, *, is_unfolded: bool = False) -> None:
    """Draw chains between two files as one tree, with roles where there is room.

    Args:
        console: Where to draw; the wider it is, the more is shown.
        paths: The chains; one at least.
        is_unfolded: Whether each subrun has a line of its own.
    """
    rows = tree(paths.lineage, is_unfolded=is_unfolded)
    _draw(console, rows, has_roles=True)
    _close(console, paths)


def _close(console: "Console", answer: Lineage | Paths) -> None:
    style = None if answer.completeness.is_certain else _DOUBT
    # A name of a file is never cut, that it can be copied.
    lines = wrap(
        answer.sentence,
        width=console.width,
        break_long_words=False,
        break_on_hyphens=False,
    )
    console.print("\n".join(lines), soft_wrap=True, style=style)


def _draw(
    console: "Console", rows: Iterable[TreeRow], *, has_roles: bool = False
) -> None:
    """Draw lines; what is weak stands at their ends, or below them for lack of room."""
    is_wide = console.width >= _WIDE
    guided = list(_guided(rows))

    def cells(*, has_marks: bool) -> list[Sequence["Text"]]:
        return [
            (
                _file(row, guide),
                *([_roles(row)] if has_roles and is_wide else []),
                _step(row),
                _time(() if row.is_repeated else row.steps, is_wide=is_wide),
                _status(row, is_wide=is_wide, has_marks=has_marks),
                _folder(row),
            )
            for guide, _, row in guided
        ]

    lines = cells(has_marks=True)
    is_below = not is_wide or _least_room(lines) > console.width
    if is_below:
        lines = cells(has_marks=False)
    widths = _widths(lines, console.width)
    for line, (_, guide_below, row) in zip(lines, guided, strict=True):
        console.print(_line(line, widths), soft_wrap=True)
        if is_below and (marks := ", ".join(_marks(row, is_wide=is_wide))):
            console.print(_line_of_marks(guide_below, marks), soft_wrap=True)


def _line_of_marks(guide: str, marks: str) -> "Text":
    from rich.text import Text

    return Text(guide, style="dim").append(f"! {marks}", style=f"{_DOUBT} not dim")


def draw_leaves(console: "Console", lineage: Lineage) -> None:
    """Draw the files of the level that was asked for, one location a line."""
    for leaf in lineage.leaves:
        console.print(leaf.location or leaf.id, soft_wrap=True)


def _least_room(rows: Iterable[Sequence["Text"]]) -> int:
    """Return how wide lines are that are not cut, without the folder."""
    *columns, _ = zip(*rows, strict=True)
    widths: list[int] = [max(cell.cell_len for cell in cells) for cells in columns]
    return sum(widths) + _GAP * (len(widths) - 1)


def _widths(rows: Iterable[Sequence["Text"]], room: int) -> Sequence[int]:
    """Return how wide each column is; the folder is shown where there is room.

    Where a line is too long the name of its file is cut, and its folder is, and
    nothing else.
    """
    columns = zip(*rows, strict=True)
    name, *others, folder = (max(cell.cell_len for cell in cells) for cells in columns)
    least = sum(width + _GAP for width in others)
    name = max(min(name, room - least), _SHORTEST_NAME)
    if room < _WITH_FOLDERS:
        return name, *others
    return name, *others, min(folder, room - name - _GAP - least)


def _line(cells: Sequence["Text"], widths: Sequence[int]) -> "Text":
    from rich.text import Text

    line = Text()
    for cell, width in zip(cells, widths, strict=False):
        cell.truncate(width, overflow="ellipsis", pad=True)
        line.append_text(cell).append(" " * _GAP)
    line.rstrip()
    return line


def _guided(rows: Iterable[TreeRow]) -> Iterator[tuple[str, str, TreeRow]]:
    """Yield each row with what is drawn before it, and before a line below it."""
    rails: list[str] = []
    for row, following in pairwise((*rows, None)):
        if row is None:
            return
        del rails[max(row.depth - 1, 0) :]
        guide = "".join(rails)
        if row.depth:
            guide += "└ " if row.is_last else "├ "
            rails.append("  " if row.is_last else "│ ")
        has_more = following is not None and following.depth > row.depth
        yield guide, "".join(rails) + ("│ " if has_more else "  "), row


def _file(row: TreeRow, guide: str) -> "Text":
    from rich.text import Text

    text = Text(guide, style="dim")
    if not row.files:
        return text
    first = row.files[0]
    if first.level is not None:
        text.append(f"{first.level} ", style="bold cyan")
    if len(row.files) > 1:
        text.append(f"×{len(row.files)} ", style="bold")
    version = "" if row.version is None else f"@{row.version}"
    text.append(row.folder + _label(row.files) + version, style="default not dim")
    return text


def _label(files: Sequence[LineageNode]) -> str:
    """Return the name of files, with the first and the last number of what differs."""
    label = _name(files[0])
    if len(files) == 1:
        return label
    subruns = {file.subrun for file in files if file.subrun is not None}
    if len(subruns) > 1:
        label = _ranged(label, _SUBRUN_OF_NAME, subruns)
    streams = {file.stream for file in files if file.stream is not None}
    return _ranged(label, _STREAM_OF_NAME, streams)


def _ranged(label: str, pattern: re.Pattern[str], numbers: Collection[int]) -> str:
    match = pattern.search(label)
    if match is None or len(numbers) < 2:
        return label
    width = len(match[0])
    numbers_shown = f"[{min(numbers):0{width}d}…{max(numbers):0{width}d}]"
    return label[: match.start()] + numbers_shown + label[match.end() :]


def _name(node: LineageNode) -> str:
    if node.location is None:
        return node.name or node.id
    base = posixpath.basename(node.location)
    return base or f"{node.name} in {node.location}"


def _roles(row: TreeRow) -> "Text":
    from rich.text import Text

    return Text(", ".join(row.roles), style="dim")


def _step(row: TreeRow) -> "Text":
    from rich.text import Text

    if row.is_repeated:
        return Text("see above", style="dim")
    if not row.steps:
        origin = row.files[0].origin
        return Text(origin or "", style=_ORIGIN_STYLES.get(origin or "", "dim"))
    name = row.steps[0].name or "unknown step"
    count = f" ×{len(row.steps)}" if len(row.steps) > 1 else ""
    return Text(name + count, style="bold")


def _time(steps: Iterable[LineageNode], *, is_wide: bool) -> "Text":
    from rich.text import Text

    times = [step.start or step.end for step in steps]
    known = [time for time in times if time is not None]
    if not known:
        return Text()
    return Text(f"{min(known):{'%Y-%m-%d %H:%M:%S' if is_wide else '%m-%d %H:%M'}}")


def _status(row: TreeRow, *, is_wide: bool, has_marks: bool) -> "Text":
    from rich.text import Text

    statuses = [] if row.is_repeated else [step.status or "" for step in row.steps]
    words: list[tuple[str, str]] = []
    for status in sorted(set(statuses)):
        count = f"{statuses.count(status)} " if len(set(statuses)) > 1 else ""
        word = "ok" if status == "completed" and not is_wide else status
        words.append((count + word, _STATUS_STYLES.get(status, "")))
    if has_marks:
        words += [(mark, _DOUBT) for mark in _marks(row, is_wide=is_wide)]
    return Text(", ").join(Text(word, style=style) for word, style in words)


def _marks(row: TreeRow, *, is_wide: bool) -> Iterator[str]:
    """Yield in words what is weak: how it was inferred, and what is in doubt."""
    if row.inferred_by:
        yield f"inferred by {', '.join(row.inferred_by)}"
    doubts = {doubt.mark: doubt for doubt in (*row.own_doubts, *row.doubts)}
    for mark in DOUBTS:
        if mark not in doubts:
            continue
        _, number, total = doubts[mark]
        words = mark_in_words(mark)
        if mark == "maybe_damaged":
            words += _damaging(row.damaging, is_wide=is_wide)
        yield words if number == total else f"{number} of {total} {words}"


def _damaging(steps: Sequence[LineageNode], *, is_wide: bool) -> str:
    if len(steps) != 1:
        return f" by {len(steps)} steps" if steps else ""
    time = _time(steps, is_wide=is_wide).plain
    return f" by {steps[0].name or steps[0].id} {time}".rstrip()


def _folder(row: TreeRow) -> "Text":
    from rich.text import Text

    folders = {posixpath.dirname(file.location) for file in row.files if file.location}
    return Text(folders.pop() if len(folders) == 1 else "", style="dim")
