"""What a definition file declares: activities, what they use and generate, entities.

The words are those of the IVOA model (ActivityDescription, UsageDescription…), the
attributes those of lstosa's definition files. Pure values; `definition` reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from provdb.capture.lookup import ValuePath
from provdb.errors import ReadError

__all__ = [
    "ActivityDescription",
    "AgentDescription",
    "Definition",
    "EntityDescription",
    "LinkDescription",
    "ParameterDescription",
    "RelatedDescription",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityDescription:
    """A kind of entity.

    Attributes:
        name: Such as ``R0SubrunDataset``.
        description: What it is, for people.
        docurl: Where more is said of it.
        content_type: Such as ``application/fits``.
        type: ``File``, ``FileCollection``, ``SetCollection``, ``PythonObject``, or
            None where it is not said: then a text or a path is a file.
        index: File of a ``FileCollection`` whose content stands for all of it.
        line: Where it is declared.
    """

    name: str
    description: str | None = None
    docurl: str | None = None
    content_type: str | None = None
    type: str | None = None
    index: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDescription:
    """Somebody who is responsible.

    Attributes:
        name: The name in the definition.
        properties: What is said of the agent, such as ``email``.
        line: Where it is declared.
    """

    name: str
    properties: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterDescription:
    """A parameter of an activity.

    Attributes:
        name: Its name in the records.
        value: Where its value is.
        description: What it is, for people.
        line: Where it is declared.
    """

    name: str
    value: ValuePath
    description: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedDescription:
    """Members of a collection, or progenitors of an entity, that are declared.

    Attributes:
        entity: The kind of entity, or None where none is declared.
        value: Where its value is: the path of a file, or a Python object.
        location: Where its location is, for one whose value is something else.
        id: Where its id is, for one that has its own.
        namespace: What the id is prefixed with.
        each: Where a list of them is; the other paths start at each item of it, and
            where there are none the item itself is the value.
        line: Where it is declared.
    """

    entity: EntityDescription | None = None
    value: ValuePath | None = None
    location: ValuePath | None = None
    id: ValuePath | None = None
    namespace: str | None = None
    each: ValuePath | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDescription(RelatedDescription):
    """A usage or a generation that is declared.

    Attributes:
        role: What the entity is to the activity.
        description: What it is, for people.
        overwrite: Whether the activity changes the entity in place: it is used, and
            then generated.
        hash_method: Method by which the content is hashed, or None for its path alone.
        copy: Whether a copy of a used file is kept; None for configuration only.
        mode: What a write does to a generated file: ``overwrite``, ``part`` or
            ``append``, or None where it is not declared.
        members: Members of the entity, as of a collection.
        progenitors: What the entity was derived from.
    """

    role: str | None = None
    description: str | None = None
    overwrite: bool = False
    hash_method: str | None = None
    copy: bool | None = None
    mode: str | None = None
    members: tuple[RelatedDescription, ...] = ()
    progenitors: tuple[RelatedDescription, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityDescription:
    """A step: what it uses and generates.

    Attributes:
        name: Such as ``r0_to_dl1``; the name of the function that is traced.
        description: What it does, for people.
        contact: Whom to ask.
        parameters: Its parameters.
        usage: What it uses, in the order of the definition.
        generation: What it generates, in the order of the definition.
        session_tag: Template of its session tag, such as ``{activity}:{run}``.
        line: Where it is declared.
    """

    name: str
    description: str | None = None
    contact: str | None = None
    parameters: tuple[ParameterDescription, ...] = ()
    usage: tuple[LinkDescription, ...] = ()
    generation: tuple[LinkDescription, ...] = ()
    session_tag: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a definition file declares, as far as it can be read.

    Attributes:
        source: Path of the file, or another name of it.
        activities: The activities by name.
        entities: The entities by name.
        agents: The agents by name.
        problems: What is wrong in it, in the order of the lines.
    """

    source: str
    activities: Mapping[str, ActivityDescription] = field(default_factory=dict)
    entities: Mapping[str, EntityDescription] = field(default_factory=dict)
    agents: Mapping[str, AgentDescription] = field(default_factory=dict)
    problems: tuple[ReadError, ...] = ()
