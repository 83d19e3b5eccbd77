"""Draw a lineage as people look at it: level, file, step, time, status."""

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from provdb.lineage import Lineage, LineageNode, Paths, TreeRow, tree
from provdb.model import file_facts

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
_STATUS_STYLES: Final = {
    "completed": "green",
    "running": "yellow",
    "interrupted": "red",
    "failed": "bold red",
}


def draw_tree(
    console: "Console", lineage: Lineage, *, is_unfolded: bool = False
) -> None:
    """Draw an answer as a tree, and below it the raw data that it comes from.

    Args:
        console: Where to draw; the wider it is, the more is shown.
        lineage: The answer.
        is_unfolded: Whether each subrun has a line of its own.
    """
    _draw(console, tree(lineage, is_unfolded=is_unfolded))
    for line in _summary(lineage):
        console.print(line, soft_wrap=True)


def draw_paths(console: "Console", paths: Paths, *, is_unfolded: bool = False) -> None:
    """Draw chains between two files as one tree, with roles where there is room.

    Args:
        console: Where to draw; the wider it is, the more is shown.
        paths: The chains; one at least.
        is_unfolded: Whether each subrun has a line of its own.
    """
    rows = tree(paths.lineage, is_unfolded=is_unfolded)
    _draw(console, rows, has_roles=True)
    console.print(paths.sentence, soft_wrap=True)


def _draw(
    console: "Console", rows: Iterable[TreeRow], *, has_roles: bool = False
) -> None:
    is_wide = console.width >= _WIDE
    lines = [
        (
            _file(row, guide),
            *([_roles(row)] if has_roles and is_wide else []),
            _step(row),
            _time(row, is_wide=is_wide),
            _status(row, is_wide=is_wide),
            _folder(row),
        )
        for guide, row in _guided(rows)
    ]
    widths = _widths(lines, console.width)
    for line in lines:
        console.print(_line(line, widths), soft_wrap=True)


def draw_leaves(console: "Console", lineage: Lineage) -> None:
    """Draw the files of the level that was asked for, one location a line."""
    for leaf in lineage.leaves:
        console.print(leaf.location or leaf.id, soft_wrap=True)


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


def _guided(rows: Iterable[TreeRow]) -> Iterator[tuple[str, TreeRow]]:
    """Yield each row with the lines that are drawn before it."""
    rails: list[str] = []
    for row in rows:
        del rails[max(row.depth - 1, 0) :]
        guide = "".join(rails)
        if row.depth:
            guide += "└ " if row.is_last else "├ "
            rails.append("  " if row.is_last else "│ ")
        yield guide, row


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
    text.append(row.folder + _label(row.files), style="default not dim")
    return text


def _label(files: Sequence[LineageNode]) -> str:
    """Return the name of files, with the first and the last number of what differs."""
    label = _name(files[0])
    if len(files) == 1:
        return label
    subruns = {file.subrun for file in files if file.subrun is not None}
    if len(subruns) > 1:
        label = _ranged(label, _SUBRUN_OF_NAME, subruns)
    named = (file_facts(file.name, file.location).stream for file in files)
    streams = {stream for stream in named if stream is not None}
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
        return Text(origin or "", style="yellow" if origin == "unknown" else "dim")
    name = row.steps[0].name or "unknown step"
    count = f" ×{len(row.steps)}" if len(row.steps) > 1 else ""
    return Text(name + count, style="bold")


def _time(row: TreeRow, *, is_wide: bool) -> "Text":
    from rich.text import Text

    times = [step.start or step.end for step in row.steps]
    known = [time for time in times if time is not None]
    if not known or row.is_repeated:
        return Text()
    return Text(f"{min(known):{'%Y-%m-%d %H:%M:%S' if is_wide else '%m-%d %H:%M'}}")


def _status(row: TreeRow, *, is_wide: bool) -> "Text":
    from rich.text import Text

    statuses = [] if row.is_repeated else [step.status or "" for step in row.steps]
    words: list[tuple[str, str]] = []
    for status in sorted(set(statuses)):
        count = f"{statuses.count(status)} " if len(set(statuses)) > 1 else ""
        word = "ok" if status == "completed" and not is_wide else status
        words.append((count + word, _STATUS_STYLES.get(status, "")))
    if row.rule is not None:
        words.append(("inferred", "yellow"))
    if row.has_time_conflict:
        words.append(("time conflict", "yellow"))
    return Text(", ").join(Text(word, style=style) for word, style in words)


def _folder(row: TreeRow) -> "Text":
    from rich.text import Text

    folders = {posixpath.dirname(file.location) for file in row.files if file.location}
    return Text(folders.pop() if len(folders) == 1 else "", style="dim")


def _summary(lineage: Lineage) -> Iterator[str]:
    """Yield in words which subruns of raw data there are."""
    if not lineage.is_upstream:
        return
    runs: dict[int | None, list[LineageNode]] = {}
    for leaf in lineage.files_of_level("R0"):
        runs.setdefault(leaf.run, []).append(leaf)
    for run, leaves in runs.items():
        subruns = [leaf.subrun for leaf in leaves if leaf.subrun is not None]
        if run is None:
            yield f"R0: {len(leaves)} files of no known run"
        elif not subruns:
            yield f"R0: run {run:05d}"
        else:
            yield f"R0: run {run:05d}, {_ranges(subruns)}"


def _ranges(subruns: Sequence[int]) -> str:
    """Return numbers in words: ``subruns 0000-0006, 0008 (8)``."""
    parts: list[list[int]] = []
    different = sorted(set(subruns))  # A subrun may have several streams.
    for subrun in different:
        if parts and subrun == parts[-1][-1] + 1:
            parts[-1].append(subrun)
        else:
            parts.append([subrun])
    spans = [
        f"{part[0]:04d}" if len(part) == 1 else f"{part[0]:04d}-{part[-1]:04d}"
        for part in parts
    ]
    if len(different) == 1:
        return f"subrun {spans[0]}"
    return f"subruns {', '.join(spans)} ({len(different)})"
