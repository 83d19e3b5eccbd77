"""A lineage in the DOT language of Graphviz (https://graphviz.org/doc/info/lang.html)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape as escape_html
from textwrap import wrap
from typing import Final

from provdb.export.palette import COLOURS, EDGE, EMPTY, INK, MARK, QUIET
from provdb.export.picture import Arrow, Box, Entry, Picture
from provdb.model import LEVELS

__all__ = ["dot"]

_FONT: Final = "Helvetica,Arial,sans-serif"
_IN_A_ROW: Final = 8
# Letters in a line of the sentence.
_LINE: Final = 110
_MARKED: Final = ("failed", "interrupted", "running")
# What stands in the sign of a legend, and how wide its border is.
_SIGNS: Final[Mapping[str, tuple[str, str]]] = {
    "many": ("×N", "1"),
    "asked": ("&#160;", "3"),
    "failed": ("&#160;", "3"),
    "interrupted": ("&#160;", "3"),
    "running": ("&#160;", "3"),
    "mixed": ("&#160;", "1"),
    "incomplete": ("&#160;", "2"),
    "gap": ("&#160;", "2"),
    "inferred": ("- - -", "0"),
    "contested": ("===", "0"),
    "time_conflict": ("• • •", "0"),
    "maybe_damaged": ("[]---", "0"),
}
# How the border of what is in doubt is drawn; a gap is empty besides.
_BORDERS: Final[Mapping[str, str]] = {"gap": "dashed", "incomplete": "dotted"}
_IN_DOUBT: Final = ("mixed", "incomplete", "gap")
_DOUBTFUL_ARROWS: Final = ("contested", "time_conflict", "maybe_damaged")


def dot(picture: Picture) -> str:
    """Return a picture as DOT: the earliest data on the left, the latest on the right.

    The names of its nodes are the ids of the lineage. Its edges point as those of PROV
    do, from what came about to what it came from; the heads of the arrows are drawn
    where the data went.
    """
    return "\n".join([*_lines(picture), ""])


def _lines(picture: Picture) -> Iterator[str]:
    yield f"digraph {_name(picture.title)} {{"
    yield _statement(
        "graph",
        rankdir="RL",
        ranksep="0.35",
        nodesep="0.14",
        pad="0.2",
        margin="0",
        fontname=_FONT,
        fontcolor=INK,
        labelloc="b",
        labeljust="l",
        tooltip=_hint(picture.title),
        label=_Html(_closing(picture)),
    )
    yield _statement(
        "node",
        fontname=_FONT,
        fontsize="11",
        fontcolor=INK,
        style="filled",
        margin="0.12,0.08",
        height="0.3",
    )
    yield _statement(
        "edge",
        fontname=_FONT,
        fontsize="9",
        fontcolor=QUIET,
        color=EDGE,
        dir="back",
        arrowsize="0.7",
    )
    boxes = {box.id: box for box in picture.boxes}
    ordered = _ordered(picture.arrows, boxes)
    # A graph has one label, which is the sentence below: the heading is that of a part.
    yield "  subgraph cluster {"
    yield _statement(
        "graph",
        labelloc="t",
        labeljust="r",  # Graphviz turns it with rankdir=RL, of a part alone.
        penwidth="0",
        label=_Html(_heading(picture)),
    )
    for box in picture.boxes:
        yield _statement(_name(box.id), **_box(box), **ordered.get(box.id, {}))
    place = {id_: number for number, id_ in enumerate(boxes)}
    for arrow in sorted(picture.arrows, key=lambda a: (place[a[0]], place[a[1]])):
        ends = f"{_name(arrow.source)} -> {_name(arrow.target)}"
        is_data = boxes[arrow.source].is_data or boxes[arrow.target].is_data
        weight = {"weight": "4"} if is_data else {}
        yield _statement(ends, **_arrow(arrow), **weight)
    yield "  }"
    yield "}"


def _ordered(
    arrows: Iterable[Arrow], boxes: Mapping[str, Box]
) -> dict[str, dict[str, str]]:
    """Return which boxes keep their neighbours in order, as that of subruns."""
    sides: dict[tuple[str, str], list[str]] = {}
    for arrow in arrows:
        sides.setdefault(("in", arrow.target), []).append(boxes[arrow.source].colour)
        sides.setdefault(("out", arrow.source), []).append(boxes[arrow.target].colour)
    ordered: dict[str, dict[str, str]] = {}
    for (side, id_), colours in sides.items():
        kinds = [c for c in colours if c == "step" or c in LEVELS]
        if len(kinds) > len(set(kinds)):
            ordered.setdefault(id_, {"ordering": side})
    return ordered


class _Html(str):
    """A label in the HTML of Graphviz, in which all text is escaped."""

    __slots__ = ()


def _box(box: Box) -> dict[str, str]:
    colour = COLOURS[box.colour]
    shape, style = "note", "filled"
    if box.is_step:
        shape, style = "box", "filled,rounded"
    elif box.colour == "value":
        shape = "ellipse"
    elif box.size > 1:
        shape = "folder"
    drawn = {
        "label": _Html(_label(box)),
        "shape": shape,
        "style": style,
        "fillcolor": colour.fill,
        "color": MARK if box.mark else colour.edge,
        "tooltip": _hint(box.hint),
    }
    if box.is_step and box.size > 1:
        drawn["peripheries"] = "2"
    if box.doubts:
        drawn["color"] = MARK
        drawn["penwidth"] = "1.8"
        for doubt, border in _BORDERS.items():
            if doubt in box.doubts:
                drawn["style"] += f",{border}"
                break
    if "gap" in box.doubts:
        drawn["fillcolor"] = EMPTY
    if "mixed" in box.doubts:
        drawn["peripheries"] = "2"
    if box.mark or box.is_asked:
        drawn["penwidth"] = "2.5"
    if box.mark == "running":
        drawn["style"] += ",dashed"
    if box.link is not None:
        drawn["URL"] = box.link
        drawn["target"] = "_blank"
    return drawn


def _label(box: Box) -> str:
    name = "<br/>".join(f"<b>{_escape(line)}</b>" for line in box.name)
    lines = "".join(
        f'<br/><font point-size="9" color="{_colour_of_fact(box, number)}">'
        f"{_escape(line)}</font>"
        for number, line in enumerate(box.facts)
    )
    doubts = ""
    if box.doubts:
        doubts = (
            f'<br/><font point-size="9" color="{MARK}"><b>{_escape(box.words)}</b>'
            "</font>"
        )
    return name + lines + doubts


def _colour_of_fact(box: Box, number: int) -> str:
    return MARK if box.mark and number == len(box.facts) - 1 else QUIET


def _arrow(arrow: Arrow) -> dict[str, str]:
    hint = _hint(arrow.hint)
    drawn = {"tooltip": hint, "labeltooltip": hint}
    if arrow.words:
        drawn["label"] = arrow.words
    if arrow.is_inferred:
        drawn["style"] = "dashed"
    signs = arrow.signs
    if signs:
        drawn |= {"color": MARK, "fontcolor": MARK, "penwidth": "1.5"}
    if "contested" in signs:
        # Two lines, for there are two writes that it may be.
        drawn["color"] = f"{MARK}:{MARK}"
    if "time_conflict" in signs:
        drawn |= {"style": "dotted", "penwidth": "2"}
    if "maybe_damaged" in signs:
        drawn |= {"dir": "both", "arrowhead": "obox"}
    return drawn


def _closing(picture: Picture) -> str:
    colour = INK if picture.is_certain else MARK
    lines = "".join(
        f'{_escape(line)}<br align="left"/>'
        for line in wrap(picture.sentence, _LINE) or [" "]
    )
    return f'<font point-size="11" color="{colour}">{lines}</font>'


def _heading(picture: Picture) -> str:
    title = f'<font point-size="16"><b>{_escape(picture.title)}</b></font>'
    notes = [f'<font point-size="10">{_escape(note)}</font>' for note in picture.notes]
    lines = [title, *notes]
    cells = [_entry(entry) for entry in picture.legend]
    legend = "".join(
        f"<tr>{''.join(cells[first : first + _IN_A_ROW])}</tr>"
        for first in range(0, len(cells), _IN_A_ROW)
    )
    lines.append(f'<table border="0" cellspacing="5">{legend}</table>')
    rows = "".join(f'<tr><td align="left">{line}</td></tr>' for line in lines)
    return f'<table border="0" cellborder="0" cellspacing="0">{rows}</table>'


def _entry(entry: Entry) -> str:
    sign, look = _SIGNS.get(entry.key, ("&#160;", "1"))
    attributes = (
        f'border="{look}" cellpadding="1" width="22" height="14" fixedsize="true"'
    )
    colour = COLOURS.get(entry.key)
    if colour is not None:
        attributes += f' bgcolor="{colour.fill}" color="{colour.edge}"'
    if entry.key in ("step", *_MARKED):
        attributes += ' style="rounded"'
    if entry.key in (*_MARKED, *_IN_DOUBT):
        attributes += f' color="{MARK}"'
    if entry.key in _BORDERS:
        attributes += f' style="{_BORDERS[entry.key]}"'
    ink = MARK if entry.key in _DOUBTFUL_ARROWS else INK
    drawn = f'<font point-size="9" color="{ink}">{sign}</font>'
    if entry.key == "mixed":
        drawn = (
            f'<table border="1" cellborder="0" cellspacing="0" cellpadding="0" '
            f'color="{MARK}"><tr><td width="14" height="6">{drawn}</td></tr></table>'
        )
    return (
        f"<td {attributes}>{drawn}</td>"
        f'<td align="left" border="0"><font point-size="10">{entry.meaning}</font></td>'
    )


def _escape(text: str) -> str:
    """Return a text for a label, in which a backslash stays one."""
    return escape_html(text).replace("\\", "\\\\")


def _hint(text: str) -> str:
    """Return a text for a tooltip, whose backslashes Graphviz expands twice."""
    return text.replace("\\", "\\\\")


def _statement(what: str, **attributes: str) -> str:
    written = ", ".join(
        f"{name}=<{value}>" if isinstance(value, _Html) else f"{name}={_text(value)}"
        for name, value in attributes.items()
    )
    return f"  {what} [{written}];"


def _name(id_: str) -> str:
    r"""Return an id as a name, in which Graphviz keeps backslashes as they are.

    No two ids have one name, also those that hold letters that no text can have.

    >>> print(_name('a"b'), _name("a\\b"), _name("a\nb"))
    "a\"b" "a\\b" "a\u000ab"
    """
    written = "".join(
        c if c.isprintable() and c != "\\" else _escape_letter(c) for c in id_
    )
    # What begins so is the name of nothing for Graphviz.
    written = re.sub("^%", r"\\u0025", written)
    return '"' + written.replace('"', '\\"') + '"'


def _escape_letter(letter: str) -> str:
    return "\\\\" if letter == "\\" else f"\\u{ord(letter):04x}"


def _text(text: str) -> str:
    """Return a text as a value, in which Graphviz would expand escapes and entities."""
    written = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{written}"'
