"""What a definition declares of a lineage, in the classes of the IVOA's model.

See https://www.ivoa.net/documents/ProvenanceDM/ for the classes. In W3C PROV they are
entities and influences of a type of the IVOA's own, as in the IVOA's library (voprov).
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from provdb.export.declared import (
    Declared,
    DeclaredActivity,
    DeclaredAgent,
    DeclaredEntity,
)
from provdb.export.details import Details
from provdb.export.surroundings import Names
from provdb.lineage import Lineage, LineageNode
from provdb.lineage.result import order_of_node
from provdb.model import decode
from provdb.model import fields as f
from provdb.model.attributes import to_value
from provdb.model.qualified import IVOA, PROV, uri_of
from provdb.model.statement import LABEL, TYPE, Statement, Value, name_value
from provdb.model.values import canonical, decode_key

__all__ = ["ivoa_statements"]

_Step = tuple[LineageNode, DeclaredActivity]
_PERSONS: Final = ("Person", "Organization", "SoftwareAgent")


def ivoa_statements(
    lineage: Lineage, details: Details, definition: Declared, names: Names
) -> Iterator[Statement]:
    """Yield what a definition declares of the nodes of a lineage.

    These are ActivityDescription, UsageDescription, GenerationDescription and
    EntityDescription, Parameter and ParameterDescription, ConfigFile and Agent.

    Args:
        lineage: The lineage.
        details: The documents of its nodes.
        definition: What is declared.
        names: The URIs of the nodes.
    """
    nodes = sorted(lineage.nodes, key=order_of_node)
    steps = [
        (node, step)
        for node in nodes
        if node.kind == "activity"
        and (step := definition.activities.get(node.name or "")) is not None
    ]
    files = [
        (node, kind)
        for node in nodes
        if node.kind != "activity"
        and (kind := definition.entities.get(node.name or "")) is not None
    ]
    for name in sorted({step.name for _, step in steps}):
        yield from _activity_description(definition.activities[name])
    for name in sorted({kind.name for _, kind in files}):
        yield _entity_description(definition.entities[name])
    for node, step in steps:
        uri = uri_of("activityDescription", step.name)
        yield _influence(names[node.id], uri, "DescriptionRelation")
    for node, kind in files:
        uri = uri_of("entityDescription", kind.name)
        yield _influence(names[node.id], uri, "DescriptionRelation")
    yield from _parameters(steps, details, names)
    yield from _configuration(lineage, steps, names)
    for name in sorted({str(d.get(f.AGENT)) for d in details.activities.values()}):
        if name in definition.agents:
            yield _agent(name, definition.agents[name])


def _activity_description(step: DeclaredActivity) -> Iterator[Statement]:
    uri = uri_of("activityDescription", step.name)
    yield _described(
        uri,
        "ActivityDescription",
        name=step.name,
        description=step.description,
        contact=step.contact,
    )
    for what, links in (("usage", step.usage), ("generation", step.generation)):
        for link in links:
            if link.role is None:
                continue
            own = uri_of(f"{what}Description", f"{step.name}/{link.role}")
            yield _described(
                own,
                f"{what.capitalize()}Description",
                role=link.role,
                description=link.description,
                entityName=None if link.entity is None else link.entity.name,
            )
            yield _influence(own, uri, "RelatedToRelation")
    for parameter in step.parameters:
        own = uri_of("parameterDescription", f"{step.name}/{parameter.name}")
        yield _described(
            own,
            "ParameterDescription",
            name=parameter.name,
            description=parameter.description,
        )
        yield _influence(own, uri, "RelatedToRelation")


def _entity_description(kind: DeclaredEntity) -> Statement:
    is_data = kind.content_type is not None
    return _described(
        uri_of("entityDescription", kind.name),
        "DatasetDescription" if is_data else "EntityDescription",
        name=kind.name,
        description=kind.description,
        docurl=kind.docurl,
        contentType=kind.content_type,
        type=kind.type,
    )


def _parameters(
    steps: Iterable[_Step],
    details: Details,
    names: Names,
) -> Iterator[Statement]:
    """Yield the parameters of steps; each value stands there once."""
    known: set[str] = set()
    for node, step in steps:
        declared = {parameter.name for parameter in step.parameters}
        given = details.activities.get(node.id, {}).get(f.PARAMETERS, {})
        for key, value in sorted(given.items()):
            name = str(decode_key(key))
            uri = uri_of("parameter", f"{name}={canonical(value).decode()}")
            if uri not in known:
                known.add(uri)
                yield _described(uri, "Parameter", name=name, value=_text(value))
                if name in declared:
                    of = uri_of("parameterDescription", f"{step.name}/{name}")
                    yield _influence(uri, of, "DescriptionRelation")
            yield _influence(
                names[node.id], uri, "ConfigurationRelation", artefactType="Parameter"
            )


def _configuration(
    lineage: Lineage,
    steps: Iterable[_Step],
    names: Names,
) -> Iterator[Statement]:
    """Yield the configuration files that steps used, by the names of their kinds."""
    nodes = {node.id: node for node in lineage.nodes}
    declared = {
        (node.id, link.role)
        for node, step in steps
        for link in step.usage
        if link.entity is not None and "config" in link.entity.name.lower()
    }
    known: set[str] = set()
    for edge in sorted(lineage.edges, key=lambda edge: (edge.source, edge.target)):
        if edge.relation != "used" or (edge.source, edge.role) not in declared:
            continue
        file = nodes[edge.target]
        if file.id not in known:
            known.add(file.id)
            yield _described(
                names[file.id], "ConfigFile", name=file.name, location=file.location
            )
        yield _influence(
            names[edge.source],
            names[file.id],
            "ConfigurationRelation",
            artefactType="ConfigFile",
        )


def _agent(name: str, agent: DeclaredAgent) -> Statement:
    said = dict(agent.properties)
    kind = said.pop("type", None)
    attributes = [(f"{IVOA}{key}", to_value(said[key])) for key in sorted(said)]
    if kind in _PERSONS:
        attributes.append((TYPE, name_value(f"{PROV}{kind}")))
    return Statement("agent", uri_of("agent", name), (), tuple(attributes))


def _described(uri: str, kind: str, **said: Any) -> Statement:
    """Return an entity of a class of the IVOA, with what is known of it."""
    attributes: list[tuple[str, Value]] = [(TYPE, name_value(f"{IVOA}{kind}"))]
    label = said.get("name") or said.get("role")
    if label is not None and kind != "ConfigFile":
        attributes.append((LABEL, to_value(label)))
    attributes += [
        (f"{IVOA}{key}", to_value(value))
        for key, value in said.items()
        if value is not None
    ]
    return Statement("entity", uri, (), tuple(attributes))


def _influence(influencee: str, influencer: str, kind: str, **said: str) -> Statement:
    ends = (("influencee", influencee), ("influencer", influencer))
    attributes: list[tuple[str, Value]] = [(TYPE, name_value(f"{IVOA}{kind}"))]
    attributes += [(f"{IVOA}{key}", value) for key, value in said.items()]
    return Statement("wasInfluencedBy", None, ends, tuple(attributes))


def _text(value: Any) -> str:
    decoded = decode(value)
    return decoded if isinstance(decoded, str) else str(decoded)
