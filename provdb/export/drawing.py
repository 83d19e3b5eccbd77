"""DOT drawn as SVG, PDF or PNG, by the Graphviz that pygraphviz carries.

Graphviz is C code that keeps state for all of a process, writes to its stderr, and does
not hear Ctrl-C. So it works in a process of its own.
"""

import subprocess
import sys
from importlib.util import find_spec
from typing import Final

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


def draw(dot: str, format_name: str) -> bytes:
    """Return a graph as a picture, laid out in layers.

    Args:
        dot: The graph, in the DOT language.
        format_name: ``svg``, ``pdf`` or ``png``.

    Raises:
        MissingExtra: pygraphviz is not installed.
        ExportError: Graphviz cannot draw it.
    """
    if find_spec("pygraphviz") is None:
        raise MissingExtra("pygraphviz", extra="graph")
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
