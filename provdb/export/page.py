"""A lineage as a page of HTML that is one file: no server, no network, no library.

The data stand in it as JSON, in which nothing can end the element that holds it. Its
policy lets nothing be loaded from anywhere, and runs the one script whose digest it
names.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any, Final

from provdb.export.details import Details
from provdb.export.links import LinkTemplate
from provdb.export.node_fields import node_fields
from provdb.export.palette import COLOURS, DARK_COLOURS, Colour
from provdb.export.picture import MOST_BOXES, Box, picture
from provdb.lineage import Lineage, collapse

__all__ = ["page"]

_PARTS: Final = files("provdb.export") / "page_parts"
_SCRIPTS: Final = ("layout.js", "graph.js", "draw.js", "page.js", "start.js")
_PLACE: Final = re.compile(r"\$([a-z]+)")
_POLICY: Final = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; "
    "base-uri 'none'; form-action 'none'"
)
_MARKUP: Final = re.compile("[<>&]")
# The flags of an arrow, as the script has them.
_INFERRED: Final = 1
_FLAGS: Final[Mapping[str, int]] = {
    "time_conflict": 2,
    "contested": 4,
    "clock": 8,
    "maybe_damaged": 16,
}


def page(
    lineage: Lineage,
    *,
    link: LinkTemplate | None = None,
    details: Details | None = None,
) -> str:
    """Return an answer as a page to look at, whose boxes of many open and close.

    They are closed at first, if the answer is collapsed or large.

    Args:
        lineage: An answer of lineage or impact, collapsed or not.
        link: Where the data of a file is; ``file://`` and its place unless told.
        details: What is known of its nodes beside, to be shown when one is clicked.

    >>> from provdb.lineage import LineageNode
    >>> node = LineageNode("5a2d", "entity", location="/R0/</script>.fits.fz")
    >>> answer = Lineage(question={}, start="5a2d", nodes=(node,), edges=())
    >>> page(answer).count("</script>")
    2
    """
    opened = lineage if lineage.opened is None else lineage.opened
    collapsed = collapse(opened, to="run") if lineage.opened is None else lineage
    single, many = picture(opened, link=link), picture(collapsed, link=link)
    known = details or Details()
    nodes = {node.id: node for node in (*opened.nodes, *collapsed.nodes)}
    groups = [box for box in many.boxes if box.size > 1]
    group_of = {
        member: number
        for number, group in enumerate(groups)
        for member in nodes[group.id].members
    }
    places = {box.id: number for number, box in enumerate(single.boxes)}
    is_open = lineage.opened is None and len(opened.nodes) <= MOST_BOXES
    data = {
        "title": single.title,
        "notes": single.notes,
        "isOpen": is_open,
        "legend": list(dict.fromkeys((*single.legend, *many.legend))),
        "boxes": [
            _box(box, node_fields(nodes[box.id], known), group=group_of.get(box.id))
            for box in single.boxes
        ],
        "groups": [_box(box, node_fields(nodes[box.id], known)) for box in groups],
        "arrows": [
            (
                places[arrow.source],
                places[arrow.target],
                arrow.relation,
                arrow.hint,
                _INFERRED * arrow.is_inferred
                + sum(_FLAGS.get(mark, 0) for mark in arrow.marks),
            )
            for arrow in single.arrows
        ],
    }
    script = "".join(_part(name) for name in _SCRIPTS)
    style = _filled(_part("page.css"), _style_parts())
    return _filled(
        _part("page.html"),
        {
            "title": escape(single.title),
            "sentence": escape(single.sentence),
            "certainty": "certain" if single.is_certain else "doubtful",
            "policy": _POLICY.format(script=_digest(script), style=_digest(style)),
            "style": style,
            "script": script,
            "data": _json(data),
        },
    )


def _box(
    box: Box, fields: Mapping[str, Any], *, group: int | None = None
) -> dict[str, Any]:
    """Return a box as the script has it; what is usual is left out."""
    unusual = {
        "mark": box.mark,
        "asked": box.is_asked or None,
        "link": box.link,
        "of": group,
        "doubts": box.doubts or None,
        "doubtful": box.words or None,
    }
    return {
        "colour": box.colour,
        "name": box.name,
        "facts": box.facts,
        "hint": box.hint,
        "fields": fields,
        **{name: value for name, value in unusual.items() if value is not None},
    }


def _style_parts() -> dict[str, str]:
    return {
        "light": _variables(COLOURS),
        "dark": _variables(DARK_COLOURS),
        "boxes": "\n".join(
            f".{name} .shape, .{name} .behind, .{name} .fold "
            f"{{ fill: var(--{name}); stroke: var(--{name}-edge); }}"
            for name in COLOURS
        ),
    }


def _variables(colours: Mapping[str, Colour]) -> str:
    return "\n".join(
        f"  --{name}: {fill}; --{name}-edge: {edge};"
        for name, (fill, edge) in colours.items()
    )


def _part(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8")


def _filled(text: str, parts: Mapping[str, str]) -> str:
    """Return a text with its places filled in, once: what is put in has none."""
    return _PLACE.sub(lambda found: parts.get(found[1], found[0]), text)


def _digest(text: str) -> str:
    """Return what the policy of a page calls a text that it holds."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _json(value: Any) -> str:
    """Return a value as JSON in which no letter means anything to HTML."""
    # ASCII alone: also a lone half of a letter, which UTF-8 does not have.
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return _MARKUP.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
