"""DOT drawn as SVG, PDF or PNG, by the Graphviz that pygraphviz carries.

Graphviz is C code that keeps its state for all of a process, writes to its stderr, and
does not hear Ctrl-C. So it works in a process of its own.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from importlib.util import find_spec
from io import BytesIO
from typing import Any, Final

from provdb.errors import ExportError, MissingExtra

__all__ = ["draw"]

# -P: a file of the folder that a user happens to be in is no module.
_OPTIONS: Final = ("-P", "-W", "ignore", "-c")
_SCRIPT: Final = """
import sys
from pygraphviz import AGraph
graph = AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""
_POINTS_PER_INCH: Final = 72
_NO_BORDER: Final = [0, 0, 0]
_Rectangle = tuple[float, float, float, float]


def draw(dot: str, format_name: str) -> bytes:
    """Return a graph as a picture, laid out in layers; the same each time.

    Args:
        dot: The graph, in the DOT language.
        format_name: ``svg``, ``pdf`` or ``png``.

    Raises:
        MissingExtra: pygraphviz is not installed, or pypdf for a PDF.
        ExportError: Graphviz cannot draw it.
    """
    needed = ("pygraphviz", "pypdf") if format_name == "pdf" else ("pygraphviz",)
    for library in needed:
        if find_spec(library) is None:
            raise MissingExtra(library, extra="graph")
    drawn = _drawn(dot, format_name)
    if format_name == "pdf":
        return _with_links(drawn, json.loads(_drawn(dot, "json")))
    return drawn


def _drawn(dot: str, format_name: str) -> bytes:
    done = subprocess.run(
        [sys.executable, *_OPTIONS, _SCRIPT, format_name],
        input=dot.encode(),
        capture_output=True,
    )
    said = done.stderr.decode(errors="replace").splitlines()
    errors = [line for line in said if line.startswith("Error:")]
    if done.returncode != 0 or errors:
        reason = [*errors, *said[-1:], f"it ended with status {done.returncode}"][0]
        raise ExportError(f"Graphviz cannot draw this graph: {reason}")
    return done.stdout


def _with_links(pdf: bytes, plan: dict[str, Any]) -> bytes:
    """Return a PDF with the links of its boxes, which this Graphviz leaves out."""
    from pypdf import PdfWriter
    from pypdf.annotations import Link

    writer = PdfWriter(clone_from=BytesIO(pdf))
    for rectangle, url in _links(plan):
        link = Link(rect=rectangle, border=_NO_BORDER, url=url)
        writer.add_annotation(page_number=0, annotation=link)
    # In place of what cairo says of itself and of the time.
    writer.metadata = {"/Title": plan["name"]}
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def _links(plan: dict[str, Any]) -> Iterator[tuple[_Rectangle, str]]:
    """Yield where on the page a box is, in points from below left, and its link."""
    pad = _POINTS_PER_INCH * float(plan["pad"])
    for box in plan.get("objects", ()):
        if "URL" not in box:
            continue
        x, y = (float(part) + pad for part in box["pos"].split(","))
        width = _POINTS_PER_INCH * float(box["width"]) / 2
        height = _POINTS_PER_INCH * float(box["height"]) / 2
        link = unescape(box["URL"])
        yield (x - width, y - height, x + width, y + height), link
