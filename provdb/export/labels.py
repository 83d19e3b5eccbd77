"""What is to be read in a box of a picture: short names, runs, times, statuses."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from provdb.lineage import LineageNode
from provdb.model import file_name

__all__ = ["facts", "name_lines", "visible"]

_LONGEST_NAME: Final = 54
_LINE: Final = 27
_LONGEST_PART: Final = 0.8
_SIGN: Final = re.compile(r"[._/-]")
_END_OF_NUMBER: Final = re.compile(r"^\d+")


def visible(text: str) -> str:
    r"""Return a text without letters that cannot be drawn, or that turn its order.

    >>> visible("dl1\n.h5")
    'dl1�.h5'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def name_lines(node: LineageNode, members: Sequence[LineageNode]) -> tuple[str, ...]:
    """Return the name of a node in one line or two, never empty.

    Args:
        node: A step or a file, or many of them.
        members: The nodes that it stands for, in order; none for one of its own.

    >>> files = [LineageNode(f"{subrun}", "entity",
    ...     location=f"/dl1_LST-1.Run01618.000{subrun}.h5") for subrun in range(8)]
    >>> name_lines(LineageNode("5a2d", "collection"), files)
    ('dl1_LST-1.Run01618.', '[0000…0007].h5')
    """
    name = _cut(visible(_name(node, members))).strip() or visible(node.id)
    return _broken(name)


def facts(node: LineageNode, members: Sequence[LineageNode]) -> tuple[str, ...]:
    """Return what else is to be read of a node, a line each.

    >>> facts(LineageNode("5a2d", "entity", level="R0", run=1618, subrun=8), ())
    ('R0 · run 01618.0008',)
    """
    lines = _of_step(node) if node.kind == "activity" else _of_file(node, members)
    return tuple(visible(line) for line in lines if line)


def _name(node: LineageNode, members: Sequence[LineageNode]) -> str:
    if node.kind == "activity":
        count = f" ×{len(members)}" if members else ""
        return (node.name or node.id) + count
    if members:
        first, last = (file_name(members[at].location or "") for at in (0, -1))
        if first and last:
            return _span(first, last)
    return file_name(node.location or "") or node.location or node.name or node.id


def _span(first: str, last: str) -> str:
    """Return two names as one: ``dl1_LST-1.Run01807.[0000…0099].h5``."""
    if first == last:
        return first
    start = _common_start(first, last)
    start = start.rstrip("0123456789")
    end = _common_start(first[len(start) :][::-1], last[len(start) :][::-1])[::-1]
    end = _END_OF_NUMBER.sub("", end)
    stops = len(first) - len(end), len(last) - len(end)
    return f"{start}[{first[len(start) : stops[0]]}…{last[len(start) : stops[1]]}]{end}"


def _common_start(one: str, other: str) -> str:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return one[:length]


def _cut(name: str) -> str:
    """Return a name that is not too long, without its middle."""
    if len(name) <= _LONGEST_NAME:
        return name
    half = _LONGEST_NAME // 2
    return f"{name[:half]}…{name[1 - half :]}"


def _broken(name: str) -> tuple[str, ...]:
    """Return a name in one line, or in two of about one length, broken after a sign."""
    length = len(name)
    ends = [sign.end() for sign in _SIGN.finditer(name)]
    end = min(ends, key=lambda at: max(at, length - at), default=length)
    if length <= _LINE or max(end, length - end) > _LONGEST_PART * length:
        return (name,)
    return name[:end], name[end:]


def _of_step(node: LineageNode) -> Iterator[str]:
    yield _run(node)
    yield _time(node)
    counts = dict(node.statuses)
    size = sum(counts.values())
    for status, count in node.statuses:
        if status != "completed" and len(counts) > 1:
            yield f"{count} of {size} {status}"
    if node.status != "completed" and len(counts) < 2:
        yield node.status or ""


def _of_file(node: LineageNode, members: Sequence[LineageNode]) -> Iterator[str]:
    what = node.level or node.name or ""
    if node.kind == "agent":
        what = node.kind
    if members:
        what += f" ×{len(members)}"
    elif node.location is None and what == node.name:
        what = ""  # Its name is there already.
    # A gap is a mark of the box, beside what else is in doubt.
    origin = "" if node.origin in ("raw", "gap") else node.origin or ""
    yield " · ".join(word for word in (what, _run(node), origin) if word)
    if node.status is not None:
        yield f"made by a {node.status} step"


def _run(node: LineageNode) -> str:
    if node.run is None:
        return ""
    return f"run {node.run:05d}" + (
        "" if node.subrun is None else f".{node.subrun:04d}"
    )


def _time(node: LineageNode) -> str:
    start, end = node.start or node.end, node.end
    if start is None:
        return ""
    if end is None or not node.members or _minute(start) == _minute(end):
        return _minute(start)
    return _minute(start) + (
        f" to {end:%H:%M}" if end.date() == start.date() else f" to {end:%m-%d %H:%M}"
    )


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"
