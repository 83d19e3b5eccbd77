"""The provenance of a run as W3C PROV in the shape of lstosa's products.

Names begin with ``id:``, attributes have no prefix; the session and the parameters of
a step are entities. See https://www.w3.org/TR/prov-dm/ for what the relations say.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from io import StringIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import orjson

from provdb.export.lstosa_records import RunLink, RunProvenance, RunStep
from provdb.lineage import LineageEdge
from provdb.model import Record

if TYPE_CHECKING:
    from prov.identifier import QualifiedName
    from prov.model import ProvDocument

__all__ = ["lstosa_document", "lstosa_json"]

# Characters of a name that need no escape in PROV-N.
_PLAIN: Final = "@~.-_"
_NOT_SHOWN: Final = (
    "entity_id",
    "activity_id",
    "session_id",
    "session_tag",
    "system",
    "agent_name",
    "agent_names",
)
_NAMES: Final = {"name": "prov:label", "type": "prov:type"}


def lstosa_document(provenance: RunProvenance) -> "ProvDocument":
    """Return the provenance of a run as a PROV document like those of lstosa.

    Beside what they hold, agents and sessions are associated with the activities,
    and each of two versions of a file has a name of its own.
    """
    from prov.model import ProvDocument

    document = ProvDocument()
    document.set_default_namespace("param:")
    document.add_namespace("id", "id:")
    _Writer(document, provenance).write()
    return document


def lstosa_json(provenance: RunProvenance) -> bytes:
    """Return the same document as PROV-JSON, indented."""
    # Asked for a format by its name, the library loads all formats, and RDF with them.
    from prov.serializers.provjson import ProvJSONSerializer

    stream = StringIO()
    ProvJSONSerializer(lstosa_document(provenance)).serialize(stream)
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(orjson.loads(stream.getvalue()), option=option)


class _Writer:
    """A document, and the names of what is in it."""

    def __init__(self, document: "ProvDocument", provenance: RunProvenance) -> None:
        self._document = document
        self._provenance = provenance
        self._described = provenance.descriptions
        self._sessions = {record["session_id"] for record in provenance.sessions}
        self._agents = {
            agent: self._document.agent(self._name(agent))
            for agent in dict.fromkeys(a for s in provenance.steps for a in s.agents)
        }
        names = {node: record["entity_id"] for node, record in self._described.items()}
        names |= {step.node.id: step.start["activity_id"] for step in provenance.steps}
        count = Counter(names.values())
        # Versions of one file have one id in the records, and so may two activities.
        self._ids = {
            node: id_ if count[id_] == 1 else node for node, id_ in names.items()
        }
        self._names = {node: self._name(id_) for node, id_ in self._ids.items()}
        self._versioned = {
            node: id_
            for node, id_ in names.items()
            if count[id_] > 1 and node in self._described
        }

    def write(self) -> None:
        """Write sessions, entities, activities, and what binds them."""
        for session in self._provenance.sessions:
            self._write_session(session)
        for node in self._described:
            self._write_entity(node)
        for step in self._provenance.steps:
            self._write_step(step)
        for edge in self._provenance.derivations:
            self._write_derivation(edge)

    def _write_session(self, session: Record) -> None:
        attributes = self._attributes(session)
        attributes["prov:type"] = "ExecutionSession"
        start = attributes.pop("startTime", None)
        if start is not None:
            attributes["prov:generatedAtTime"] = start
        self._document.entity(self._name(session["session_id"]), attributes)

    def _write_entity(self, node: str) -> None:
        described = dict(self._described[node])
        # It is the name once more: no hash of a content.
        if described.get("hash") == described["entity_id"]:
            described = {k: v for k, v in described.items() if not k.startswith("hash")}
        attributes = self._attributes(described)
        self._document.entity(self._names[node], attributes)
        if node in self._versioned:
            whole = self._name(self._versioned[node])
            self._document.entity(whole, attributes)
            self._document.specializationOf(self._names[node], whole)

    def _write_step(self, step: RunStep) -> None:
        name = self._names[step.node.id]
        attributes = self._attributes(step.start)
        attributes.pop("startTime", None)
        if step.node.status != "completed":
            attributes["status"] = str(step.node.status)
        self._document.activity(
            name,
            _time(step.start.get("startTime"), step.node.start),
            _time((step.end or {}).get("endTime"), step.node.end),
            attributes,
        )
        for agent in step.agents:
            self._document.wasAssociatedWith(name, self._agents[agent])
        session = step.start.get("in_session")
        if session in self._sessions:
            self._document.wasInfluencedBy(
                name, self._name(session), other_attributes={"prov:type": "in_session"}
            )
        if step.parameters:
            self._write_parameters(step, name)
        for link in step.used:
            self._document.used(
                name, self._names[link.node.id], other_attributes=_said_of(link)
            )
        for link in step.generated:
            self._document.wasGeneratedBy(
                self._names[link.node.id], name, other_attributes=_said_of(link)
            )

    def _write_parameters(self, step: RunStep, name: "QualifiedName") -> None:
        parameters = self._name(f"{self._ids[step.node.id]}_parameters")
        attributes = {
            quote(str(key), safe=_PLAIN): str(value)
            for key, value in step.parameters.items()
        }
        typed = {"prov:type": "Parameters", "prov:label": "Parameters"}
        self._document.entity(parameters, attributes | typed)
        self._document.used(name, parameters, other_attributes={"prov:type": "Setup"})

    def _write_derivation(self, edge: LineageEdge) -> None:
        source, target = self._names[edge.source], self._names[edge.target]
        if edge.relation == "hadMember":
            self._document.hadMember(source, target)
            return
        said = {"inferred": edge.rule or edge.evidence} if edge.is_inferred else {}
        attributes = [*said.items(), *(("mark", mark) for mark in edge.marks)]
        self._document.wasDerivedFrom(source, target, other_attributes=attributes)

    def _name(self, id_: object) -> "QualifiedName":
        name = f"id:{quote(str(id_), safe=_PLAIN)}"
        found = self._document.valid_qualified_name(name)
        assert found is not None  # Its prefix is that of this document.
        return found

    @staticmethod
    def _attributes(record: Mapping[Any, Any]) -> dict[str, str]:
        """Return what a record says, as texts, as lstosa does."""
        return {
            _NAMES.get(str(key), quote(str(key), safe=_PLAIN)): str(value)
            for key, value in record.items()
            if key not in _NOT_SHOWN and value is not None
        }


def _time(written: object, read: datetime | None) -> datetime | None:
    """Return a time as it was written, which is finer than what is stored."""
    if isinstance(written, str):
        with suppress(ValueError):
            return datetime.fromisoformat(written)
    return read


def _said_of(link: RunLink) -> list[tuple[str, str]]:
    """Return the attributes of a usage or a generation: its role and its marks."""
    role = [] if link.role is None else [("prov:role", link.role)]
    return [*role, *(("mark", mark) for mark in link.marks)]
