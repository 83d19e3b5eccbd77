"""Draw rows as a table that fits: fewer columns where there is less room."""

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from provdb.model import format_time

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["draw_table"]

_GAP: Final = 2
_SHORTEST_FILE: Final = 8
# The one column that may be cut; all else is shown whole.
_FILE: Final = "file"
_HEADERS: Final = {
    "execution_count": "executions",
    "short_digest": "digest",
    "short_id": "id",
    "start": "start (UTC)",
    "end": "end (UTC)",
    "first_start": "first start (UTC)",
    "last_start": "last start (UTC)",
}
_DIGEST: Final = re.compile("[0-9a-f]{32}")
_SHORT: Final = 8
_SHORT_DIGEST: Final = 12
_TIMES: Final = ("start", "end", "first_start", "last_start")


def draw_table(
    console: "Console",
    rows: Sequence[Mapping[str, Any]],
    tables: Sequence[Sequence[str]],
    *,
    write: Callable[[Any], str],
) -> None:
    """Draw rows with the first columns that there is room for.

    Args:
        console: Where to draw.
        rows: The rows.
        tables: Columns to show, the most first and the fewest last. ``file`` is the
            last part of a row's location or of its names, ``short_id`` and
            ``short_digest`` as much of its id or its digest as names it.
        write: Gives the text of a value.
    """
    from rich.text import Text

    for columns in tables:
        lines = [
            _header(columns),
            *([_shown(row, column, write) for column in columns] for row in rows),
        ]
        widths = [
            max(Text(line[place]).cell_len for line in lines)
            for place in range(len(columns))
        ]
        if _whole(widths) <= console.width:
            break
    if _FILE in columns:
        place = columns.index(_FILE)
        too_wide = max(0, _whole(widths) - console.width)
        widths[place] = max(widths[place] - too_wide, _SHORTEST_FILE)
    for number, line in enumerate(lines):
        drawn = Text(style="" if number else "bold")
        for text, width in zip(line, widths, strict=True):
            shown = Text(text)
            shown.truncate(width, overflow="ellipsis", pad=True)
            drawn.append_text(shown).append(" " * _GAP)
        drawn.rstrip()
        console.print(drawn, soft_wrap=True)
        if not number:
            console.print("─" * _whole(widths), soft_wrap=True)


def _whole(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _header(columns: Sequence[str]) -> list[str]:
    return [_HEADERS.get(name, name.replace("_", " ")) for name in columns]


def _shown(row: Mapping[str, Any], column: str, write: Callable[[Any], str]) -> str:
    if column == _FILE:
        names = row.get("names") or [row.get("location") or ""]
        return ", ".join(map(_file_name, names))
    if column == "names":
        return ", ".join(row["names"])
    if column == "short_digest":
        return str(row["digest"])[:_SHORT_DIGEST]
    if column == "short_id":
        return _short(row["id"])
    if column in _TIMES:
        return _to_the_second(row.get(column))
    return write(row.get(column))


def _file_name(location: str) -> str:
    """Return the last part of a location, of a folder with its slash."""
    folder = "/" if location.endswith("/") else ""
    return posixpath.basename(location.rstrip("/")) + folder


def _short(version_id: str) -> str:
    digest, _, version = version_id.partition("@")
    if not _DIGEST.fullmatch(digest):
        return version_id
    return f"{digest[:_SHORT]}@{version}" if version else digest[:_SHORT]


def _to_the_second(time: str | datetime | None) -> str:
    if time is None:
        return ""
    written = time if isinstance(time, str) else format_time(time)
    return written[: len("2020-01-18T08:00:00")].replace("T", " ")
