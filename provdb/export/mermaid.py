"""A lineage as a flowchart of Mermaid (https://mermaid.js.org/syntax/flowchart.html).

It is what GitHub, GitLab and notebooks draw from text. It has no legend, which Mermaid
would lay out among the boxes: every box says in words what it is.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from provdb.export.palette import COLOURS, INK, MARK
from provdb.export.picture import Arrow, Box, Picture

__all__ = ["mermaid"]

_BORDERS: Final[Mapping[str, str]] = {"gap": "6 4", "incomplete": "2 4"}
# All but what means nothing to Mermaid, also in what it does before it reads.
_UNSAFE: Final = re.compile(r"[^\w .\-/()\[\],…·×�]")


def mermaid(picture: Picture) -> str:
    """Return a picture as text of Mermaid: the earliest data on the left.

    The arrows point where the data went, against those of PROV.
    """
    return "\n".join([*_lines(picture), ""])


def _lines(picture: Picture) -> Iterator[str]:
    names = {box.id: f"n{number}" for number, box in enumerate(picture.boxes)}
    yield "flowchart LR"
    yield f"  accTitle: {_escaped(picture.title)}"
    yield f"  accDescr: {_escaped(picture.sentence)}"
    for box in picture.boxes:
        yield f"  {names[box.id]}{_shape(box)}:::{box.colour}"
    for arrow in picture.arrows:
        yield f"  {names[arrow.target]} {_line(arrow)} {names[arrow.source]}"
    for box in picture.boxes:
        if box.link is not None:
            hint = _escaped(box.hint)
            yield f'  click {names[box.id]} href "{box.link}" "{hint}" _blank'
    for colour in sorted({box.colour for box in picture.boxes}):
        fill, edge = COLOURS[colour]
        yield f"  classDef {colour} fill:{fill},stroke:{edge},color:{INK}"
    for box in picture.boxes:
        if box.mark or box.is_asked or box.doubts:
            edge = f",stroke:{MARK}" if box.mark or box.doubts else ""
            yield f"  style {names[box.id]} stroke-width:3px{edge}{_border(box)}"
    for number, arrow in enumerate(picture.arrows):
        if arrow.marks:
            yield f"  linkStyle {number} stroke:{MARK},stroke-width:2px"


def _shape(box: Box) -> str:
    lines = (*box.name, *box.facts, box.words)
    label = "<br/>".join(_escaped(line) for line in lines if line)
    opening, closing = "[", "]"
    if box.is_step:
        opening, closing = ("[[", "]]") if box.size > 1 else ("([", "])")
    elif box.colour == "value":
        opening, closing = "{{", "}}"
    elif box.size > 1:
        opening, closing = "[(", ")]"
    return f'{opening}"{label}"{closing}'


def _line(arrow: Arrow) -> str:
    line = "-.->" if arrow.is_inferred or "time_conflict" in arrow.marks else "-->"
    if "contested" in arrow.signs:
        line = "==>"
    return f'{line}|"{arrow.words}"|' if arrow.words else line


def _border(box: Box) -> str:
    """Return how the border of what is in doubt is drawn."""
    for doubt, dashes in _BORDERS.items():
        if doubt in box.doubts:
            return f",stroke-dasharray:{dashes}"
    return ""


def _escaped(text: str) -> str:
    """Return a text with codes for all that Mermaid could take for its own."""
    return _UNSAFE.sub(lambda found: f"#{ord(found[0])};", text)
