"""What is shown of a node of a lineage to somebody who wants to know all of it."""

import shlex
from collections.abc import Iterator
from typing import Any

from provdb.export.details import Details
from provdb.lineage import LineageNode
from provdb.lineage.result import mark_in_words
from provdb.model import Document, decode
from provdb.model import fields as f

__all__ = ["node_fields"]


def node_fields(node: LineageNode, details: Details) -> dict[str, Any]:
    """Return what is known of a node by name, in the order to read it, as texts.

    Args:
        node: A step or a file, or many of them.
        details: The documents of the nodes.

    >>> step = LineageNode("9891", "activity", "r0_to_dl1", run=1618)
    >>> node_fields(step, Details())
    {'kind': 'activity', 'name': 'r0_to_dl1', 'run': '01618', 'id': '9891'}
    """
    known = details.entities.get(node.entity or "", {})
    of_kind = _of_entity(known)
    if node.kind == "activity":
        of_kind = _of_activity(details.activities.get(node.id, {}), details)
    fields = (*_of_node(node), *of_kind, ("version", node.version), ("id", node.id))
    return {name: value for name, value in fields if value not in (None, "", {})}


def _of_node(node: LineageNode) -> Iterator[tuple[str, Any]]:
    row = node.to_dict()
    yield "kind", node.kind
    yield "name", node.name
    yield "stands for", node.size and str(node.size)
    yield "level", node.level
    yield "run", None if node.run is None else f"{node.run:05d}"
    yield "subrun", None if node.subrun is None else f"{node.subrun:04d}"
    yield "status", node.status
    if len(node.statuses) > 1:
        yield "statuses", {status: str(count) for status, count in node.statuses}
    yield "origin", node.origin
    yield "marks", ", ".join(map(mark_in_words, node.marks))
    yield "start", row["start"]
    yield "end", row["end"]
    if node.start is not None and node.end is not None:
        yield "duration", str(node.end - node.start)
    yield "session tag", node.session_tag
    yield "location", node.location


def _of_activity(document: Document, details: Details) -> Iterator[tuple[str, Any]]:
    environment = details.environments.get(document.get(f.ENVIRONMENT, ""), {})
    yield "agent", _text(document.get(f.AGENT))
    yield "node", _text(environment.get(f.NODE))
    arguments = document.get(f.ARGUMENTS)
    if isinstance(arguments, list):
        yield "command", shlex.join(map(_text, arguments))
    parameters = decode(document.get(f.PARAMETERS, {}))
    yield "parameters", {str(name): _text(value) for name, value in parameters.items()}


def _of_entity(document: Document) -> Iterator[tuple[str, Any]]:
    yield "type", _text(document.get(f.TYPE))
    yield "content type", _text(document.get(f.CONTENT_TYPE))
    yield "size", _text(document.get(f.SIZE))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else repr(value)
