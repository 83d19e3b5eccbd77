"""A lineage as the metadata file of an RO-Crate, by the Process Run Crate profile.

Of the Workflow Run profiles it is the one for runs whose workflow is no file of its
own (https://www.researchobject.org/workflow-run-crate/profiles/process_run_crate/):
each activity is a ``CreateAction`` of its own, whose ``instrument`` is the step. What
it used is its ``object`` and what it generated its ``result``; what is derived from
something else ``isBasedOn`` it. Versions of one file differ in their fragment. How
complete the answer is, and what is in doubt, are an ``additionalProperty``.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

import orjson

from provdb.export.details import Details
from provdb.export.surroundings import session_of
from provdb.lineage import Lineage, LineageNode
from provdb.lineage.result import DOUBTS, order_of_node
from provdb.model import Document, decode, file_name, format_time
from provdb.model import fields as f
from provdb.model.qualified import escape_name, is_uri
from provdb.model.values import canonical, decode_key

__all__ = ["METADATA_FILE", "ro_crate"]

METADATA_FILE: Final = "ro-crate-metadata.json"

_CRATE: Final = "https://w3id.org/ro/crate/1.1"
_PROFILE: Final = "https://w3id.org/ro/wfrun/process/0.5"
_CONTEXT: Final = (
    f"{_CRATE}/context",
    "https://w3id.org/ro/terms/workflow-run/context",
)
_STATUSES: Final = {
    "completed": "http://schema.org/CompletedActionStatus",
    "failed": "http://schema.org/FailedActionStatus",
    "interrupted": "http://schema.org/FailedActionStatus",
    "running": "http://schema.org/ActiveActionStatus",
}
_COMPLETENESS: Final = "#completeness"
_LICENSE: Final = "No license of these files is recorded."
_LONGEST_VALUE: Final = 10_000

Thing = dict[str, Any]


def ro_crate(lineage: Lineage, details: Details) -> bytes:
    """Return a lineage as the content of an ``ro-crate-metadata.json``.

    Args:
        lineage: The lineage.
        details: The documents of its nodes.
    """
    crate = _Crate(lineage, details)
    graph = [*_head(lineage), *crate.things()]
    root = graph[1]
    if lineage.question.get("direction") in ("upstream", "downstream"):
        root["additionalProperty"] = {"@id": _COMPLETENESS}
        graph.append(_completeness(lineage))
    root["hasPart"] = [_ref(thing) for thing in graph if thing["@type"] == "File"]
    root["mentions"] = [
        _ref(thing) for thing in graph if thing["@type"] == "CreateAction"
    ]
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps({"@context": _CONTEXT, "@graph": graph}, option=option)


def _head(lineage: Lineage) -> list[Thing]:
    times = [time for node in lineage.nodes for time in (node.start, node.end) if time]
    name = str(lineage.question.get("name", ""))
    direction = "from" if lineage.question.get("direction") == "downstream" else "to"
    root: Thing = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Provenance of {name}",
        "description": f"The steps that lead {direction} {name}, and their files.",
        "license": _LICENSE,
        "conformsTo": {"@id": _PROFILE},
    }
    if times:
        root["datePublished"] = format_time(max(times))
    return [
        {
            "@id": METADATA_FILE,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": _CRATE},
        },
        root,
        {
            "@id": _PROFILE,
            "@type": "CreativeWork",
            "name": "Process Run Crate",
            "version": "0.5",
        },
    ]


def _completeness(lineage: Lineage) -> Thing:
    return {
        "@id": _COMPLETENESS,
        "@type": "PropertyValue",
        "name": "completeness",
        "value": lineage.sentence,
    }


class _Crate:
    """The things of one crate, and what they are called."""

    def __init__(self, lineage: Lineage, details: Details) -> None:
        self._lineage = lineage
        self._details = details
        self._nodes = {node.id: node for node in lineage.nodes}
        self._beside: dict[str, Thing] = {}
        places = Counter(_place(node) for node in lineage.nodes)
        self._ids = {
            node.id: _id(node, is_only=places[_place(node)] == 1)
            for node in lineage.nodes
        }
        self._targets: dict[tuple[str, str], dict[str, None]] = {}
        self._doubts: dict[str, list[str]] = {}
        for edge in sorted(lineage.edges):
            for mark in edge.marks:
                other = self._ids[edge.target]
                text = f"{edge.relation} {other}: {DOUBTS.get(mark, mark)}"
                self._doubts.setdefault(edge.source, []).append(f"{mark}: {text}")
            source, target = self._ids[edge.source], self._ids[edge.target]
            if edge.relation == "wasGeneratedBy":
                source, target = target, source
            self._targets.setdefault((source, edge.relation), {})[target] = None

    def things(self) -> Iterator[Thing]:
        """Yield everything in the crate, but for its head."""
        for node in sorted(self._lineage.nodes, key=order_of_node):
            if node.kind == "activity":
                yield self._action(node)
            elif node.kind != "agent":
                yield self._file(node)
        yield from (self._beside[id_] for id_ in sorted(self._beside))

    def _action(self, node: LineageNode) -> Thing:
        document = self._details.activities.get(node.id, {})
        action: Thing = {
            "@id": self._ids[node.id],
            "@type": "CreateAction",
            "name": node.name or node.id,
            "instrument": self._instrument(node, document),
            "object": [
                *self._refs(node, "used"),
                *self._parameters(document.get(f.PARAMETERS, {})),
            ],
            "result": self._refs(node, "wasGeneratedBy"),
        }
        for key, time in (("startTime", node.start), ("endTime", node.end)):
            if time is not None:
                action[key] = format_time(time)
        action["additionalProperty"] = self._marks(node)
        if node.status in _STATUSES:
            action["actionStatus"] = {"@id": _STATUSES[str(node.status)]}
        if document.get(f.AGENT) is not None:
            action["agent"] = self._add(
                f"agent-{escape_name(document[f.AGENT])}",
                {"@type": "Person", "name": document[f.AGENT]},
            )
        return {key: value for key, value in action.items() if value != []}

    def _instrument(self, node: LineageNode, document: Document) -> Thing:
        """Return the step that an activity is a run of, in its version."""
        session = self._details.sessions.get(session_of(document) or "", {})
        version = session.get(f.PROPERTIES, {}).get("software_version")
        name = node.name or "step"
        step: Thing = {"@type": "SoftwareApplication", "name": name}
        if document.get(f.SCRIPT) is not None:
            step["alternateName"] = document[f.SCRIPT]
        if isinstance(version, str):
            step["softwareVersion"] = version
        told = [str(step[key]) for key in sorted(step) if key not in ("@type", "name")]
        return self._add("-".join(map(escape_name, ["step", name, *told])), step)

    def _parameters(self, parameters: Mapping[str, Any]) -> list[Thing]:
        return [
            self._add(
                f"parameter-{escape_name(str(decode_key(key)))}-{_digest(value)}",
                {
                    "@type": "PropertyValue",
                    "name": str(decode_key(key)),
                    "value": _plain(value),
                },
            )
            for key, value in sorted(parameters.items())
        ]

    def _file(self, node: LineageNode) -> Thing:
        document = self._details.entities.get(node.entity or "", {})
        is_file = node.kind == "entity" and node.location is not None
        place = node.location or node.entity or node.id
        thing: Thing = {
            "@id": self._ids[node.id],
            "@type": _type(node, is_file=is_file),
            "name": file_name(place) or place,
        }
        for key, value in (
            ("description", node.name),
            ("encodingFormat", document.get(f.CONTENT_TYPE)),
            ("version", node.version),
        ):
            if value is not None:
                thing[key] = value
        if is_file and isinstance(document.get(f.SIZE), int):
            thing["contentSize"] = str(document[f.SIZE])
        for key, relation in (
            ("isBasedOn", "wasDerivedFrom"),
            ("hasPart", "hadMember"),
        ):
            refs = self._refs(node, relation)
            if refs:
                thing[key] = refs
        if node.members:
            thing["hasPart"] = [*self._members(node)]
        if marks := self._marks(node):
            thing["additionalProperty"] = marks
        return thing

    def _marks(self, node: LineageNode) -> list[Thing]:
        """Return what is in doubt of a node and of the edges that go from it."""
        own = [f"{mark}: {DOUBTS.get(mark, mark)}" for mark in node.marks]
        return [
            self._add(
                f"mark-{_digest(text)}",
                {"@type": "PropertyValue", "name": "mark", "value": text},
            )
            for text in dict.fromkeys([*own, *self._doubts.get(node.id, ())])
        ]

    def _members(self, node: LineageNode) -> Iterator[Thing]:
        """Yield the files that a collapsed node stands for."""
        for member in self._lineage.members(node):
            file = self._details.entities.get(member.entity or "", {})
            thing: Thing = {
                "@type": _type(member, is_file=member.location is not None),
                "name": file_name(member.location or member.id),
            }
            if file.get(f.CONTENT_TYPE) is not None:
                thing["encodingFormat"] = file[f.CONTENT_TYPE]
            yield self._add(_id(member, is_only=True), thing, prefix="")

    def _refs(self, node: LineageNode, relation: str) -> list[Thing]:
        return [
            {"@id": id_}
            for id_ in self._targets.get((self._ids[node.id], relation), ())
        ]

    def _add(self, id_: str, thing: Thing, *, prefix: str = "#") -> Thing:
        full = f"{prefix}{id_.removeprefix(prefix)}"
        self._beside.setdefault(full, {"@id": full, **thing})
        return {"@id": full}


def _place(node: LineageNode) -> str:
    return f"{node.kind} {node.location or node.id}"


def _id(node: LineageNode, *, is_only: bool) -> str:
    """Return what a node is called: a file by its place, all else by its id."""
    if node.kind == "activity":
        return f"#activity-{node.id}"
    if node.location is None:
        id_ = node.entity or node.id
        return id_ if is_only and is_uri(id_) else f"#entity-{escape_name(node.id)}"
    place = node.location
    uri = place if is_uri(place) else f"file://{'' if place[:1] == '/' else '/'}"
    uri = uri if is_uri(place) else uri + quote(place, safe="/")
    return uri if is_only else f"{uri}#{node.version or node.id}"


def _type(node: LineageNode, *, is_file: bool) -> str:
    if node.kind == "collection":
        return "Collection"
    return "File" if is_file else "CreativeWork"


def _ref(thing: Thing) -> Thing:
    return {"@id": thing["@id"]}


def _digest(value: Any) -> str:
    return hashlib.blake2b(canonical(value), digest_size=6).hexdigest()


def _plain(value: Any) -> Any:
    """Return the value of a parameter as JSON-LD has it: all but the simple as text."""
    if isinstance(value, bool | int | float | str):
        return value
    return str(decode(value))[:_LONGEST_VALUE]
