"""Read definition files: what each activity uses and generates, and where to find it.

Two spellings are read, also mixed: that of lstosa (``activities``, ``entities``,
``agents``) and that of logprov (``activity_descriptions``, ``entity_descriptions``).
provdb adds keys of its own to activities:

``session_tag``
    Template of the session tag, such as ``"{activity}:{run}"``. Its names are value
    paths, or ``run``, which is also found in the names of the used files.
``hash``, ``hash_method``
    ``content`` to record a digest of the content of files beside that of their path,
    by ``sha256`` (unless told), ``sha1`` or ``md5``. The default is ``path``.
``copy``
    Whether copies of used files are kept. Without it configuration files are copied.
``mode``
    Of a generation only: what the write does to the file. ``overwrite`` replaces all
    that was in it, ``part`` the part of the activity's run or subrun, ``append`` adds
    to it. Without it lineage tells it from the other writes of the file.

``hash``, ``hash_method`` and ``copy`` can also be set for one usage or generation.
What is wrong in a file is collected, and what is good is used: capture does not stop a
pipeline.
"""

import os
import string
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from provdb.capture.descriptions import (
    ActivityDescription,
    AgentDescription,
    Definition,
    EntityDescription,
    LinkDescription,
    ParameterDescription,
    RelatedDescription,
)
from provdb.capture.lookup import ValuePath, parse_path
from provdb.capture.yaml_fields import Node, YamlFields, hint, is_null, line_of
from provdb.errors import ReadError
from provdb.model import MODES

__all__ = ["get_definition", "load_definition", "parse_definition"]

_ACTIVITIES: Final = ("activities", "activity_descriptions")
_ENTITIES: Final = ("entities", "entity_descriptions")
_AGENTS: Final = ("agents",)
_SECTIONS: Final = (*_ACTIVITIES, *_ENTITIES, *_AGENTS, "namespaces")
_OF_CONTENT: Final = ("hash", "hash_method", "copy")
_ACTIVITY: Final = (
    "description",
    "contact",
    "parameters",
    "usage",
    "generation",
    "session_tag",
    *_OF_CONTENT,
)
# The attributes after the first three are those of the IVOA model, for people.
_PARAMETER: Final = (
    "name",
    "description",
    "value",
    *("datatype", "arraysize", "xtype", "unit", "ucd", "utype"),
    *("min", "max", "options", "default"),
)
_NAMES_OF_ENTITY: Final = ("entityName", "entity_description", "entityType", "name")
_RELATED: Final = (
    *_NAMES_OF_ENTITY,
    "description",
    "value",
    "location",
    "id",
    "namespace",
    "list",
)
_LINK: Final = (
    *(key for key in _RELATED if key != "list"),
    "role",
    "multiplicity",
    "has_members",
    "has_progenitors",
    "overwrite",
    *_OF_CONTENT,
)
# Of the rows of each kind.
_LINKS: Final = {"usage": _LINK, "generation": (*_LINK, "mode")}
_ENTITY: Final = ("description", "docurl", "contentType", "type", "index")
_TYPES: Final = ("File", "FileCollection", "SetCollection", "PythonObject")
_HASHES: Final = ("path", "content")
_HASH_METHODS: Final = ("sha256", "sha1", "md5")
_T = TypeVar("_T", ParameterDescription, LinkDescription)


def load_definition(path: str | os.PathLike[str]) -> Definition:
    """Read a definition file, as far as it can be read.

    Args:
        path: The file; if it cannot be read, that is the one problem.

    >>> load_definition("/nowhere/definition.yaml").problems
    (ReadError('/nowhere/definition.yaml: No such file or directory'),)
    """
    source = os.fsdecode(path)
    try:
        text = Path(source).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or f"it is no text: {error}"
        return Definition(source=source, problems=(ReadError(source, reason),))
    return parse_definition(text, source=source)


def get_definition(path: str | os.PathLike[str]) -> Definition:
    """Return what a definition file declares.

    Args:
        path: The file.

    Raises:
        ReadError: Something is wrong in it; the first problem of the file.
    """
    definition = load_definition(path)
    if definition.problems:
        raise definition.problems[0]
    return definition


def parse_definition(text: str, *, source: str = "definition") -> Definition:
    """Return what the text of a definition declares, as far as it can be read.

    Args:
        text: The text, in YAML.
        source: Path or name of it, for the problems.

    >>> definition = parse_definition('''
    ... activities:
    ...   r0_to_dl1:
    ...     usage:
    ...       - role: Observation subrun
    ...         entityName: R0SubrunDataset
    ...         value: raw_file
    ... ''', source="definition.yaml")
    >>> definition.activities["r0_to_dl1"].usage[0].role
    'Observation subrun'
    >>> [str(problem) for problem in definition.problems]
    ['definition.yaml:6: entity R0SubrunDataset is not declared']
    """
    yaml = YamlFields(text, source=source)
    if yaml.root is None:
        if not yaml.problems:
            yaml.problem("it declares nothing", line=None)
        return Definition(source=source, problems=tuple(yaml.problems))
    sections = yaml.fields(yaml.root, "a definition", known=_SECTIONS)
    entities = {
        name: _entity(yaml, name, node)
        for name, node in _declared(yaml, sections, _ENTITIES)
    }
    reader = _ActivityReader(yaml, entities)
    activities = {
        name: reader.activity(name, node)
        for name, node in _declared(yaml, sections, _ACTIVITIES)
    }
    agents = {
        name: _agent(yaml, name, node)
        for name, node in _declared(yaml, sections, _AGENTS)
    }
    return Definition(
        source=source,
        activities=activities,
        entities=entities,
        agents=agents,
        problems=tuple(sorted(yaml.problems, key=lambda problem: problem.line or 0)),
    )


class _ActivityReader:
    """Reads activities, with the entities that are declared at hand."""

    def __init__(
        self, yaml: YamlFields, entities: dict[str, EntityDescription]
    ) -> None:
        self._yaml = yaml
        self._entities = entities

    def activity(self, name: str, node: Node) -> ActivityDescription:
        what = f"activity {name}"
        yaml = self._yaml
        fields = yaml.fields(node, what, known=_ACTIVITY)
        hash_method = self._hash_method(fields, what, default=None)
        copy = yaml.flag(fields.get("copy"), "copy")
        links = partial(self._links, what, hash_method=hash_method, copy=copy)
        return ActivityDescription(
            name=name,
            description=yaml.text(fields.get("description"), "description"),
            contact=yaml.text(fields.get("contact"), "contact"),
            parameters=self._parameters(fields.get("parameters"), what),
            usage=links(fields.get("usage"), "usage"),
            generation=links(fields.get("generation"), "generation"),
            session_tag=self._session_tag(fields.get("session_tag")),
            line=line_of(node),
        )

    def _parameters(
        self, node: Node | None, what: str
    ) -> tuple[ParameterDescription, ...]:
        parameters = []
        for item in self._yaml.list(node, f"parameters of {what}"):
            fields = self._yaml.fields(item, "a parameter", known=_PARAMETER)
            value = self._path(fields.get("value"), "value")
            written = self._yaml.text(fields.get("name"), "name")
            if value is None:
                if "value" not in fields or is_null(fields["value"]):
                    name = written or "a parameter"
                    self._yaml.problem(f"{name} has no value", line=line_of(item))
                continue
            parameters.append(
                ParameterDescription(
                    name=written or value.text,
                    value=value,
                    description=self._yaml.text(
                        fields.get("description"), "description"
                    ),
                    line=line_of(item),
                )
            )
        self._say_twice(parameters, lambda parameter: parameter.name, "parameter")
        return tuple(parameters)

    def _links(
        self,
        what: str,
        node: Node | None,
        kind: str,
        *,
        hash_method: str | None,
        copy: bool | None,
    ) -> tuple[LinkDescription, ...]:
        links = []
        yaml = self._yaml
        for item in yaml.list(node, f"{kind} of {what}"):
            fields = yaml.fields(item, f"a {kind} of {what}", known=_LINKS[kind])
            own_copy = yaml.flag(fields.get("copy"), "copy")
            related = partial(self._related, kind=kind)
            links.append(
                LinkDescription(
                    **self._whereabouts(fields, item, f"a {kind} of {what}"),
                    role=yaml.text(fields.get("role"), "role"),
                    description=yaml.text(fields.get("description"), "description"),
                    overwrite=bool(yaml.flag(fields.get("overwrite"), "overwrite")),
                    hash_method=self._hash_method(fields, what, default=hash_method),
                    copy=copy if own_copy is None else own_copy,
                    mode=yaml.choice(fields.get("mode"), "mode", options=MODES),
                    members=related(fields.get("has_members"), "has_members"),
                    progenitors=related(
                        fields.get("has_progenitors"), "has_progenitors"
                    ),
                )
            )
        good = [link for link in links if link.value or link.location or link.id]
        self._say_twice(good, lambda link: link.role, f"role in the {kind}")
        return tuple(good)

    def _related(
        self, node: Node | None, key: str, *, kind: str
    ) -> tuple[RelatedDescription, ...]:
        if node is None or is_null(node):
            return ()
        items = (
            self._yaml.list(node, f"{key} of a {kind}")
            if node.id == "sequence"
            else [node]
        )
        related = []
        for item in items:
            fields = self._yaml.fields(item, key, known=_RELATED)
            each = self._path(fields.get("list"), "list")
            where = self._whereabouts(fields, item, key, needs_path=each is None)
            description = RelatedDescription(**where, each=each)
            if each or description.value or description.location or description.id:
                related.append(description)
        return tuple(related)

    def _whereabouts(
        self,
        fields: dict[str, Node],
        node: Node,
        what: str,
        *,
        needs_path: bool = True,
    ) -> dict[str, Any]:
        paths = {
            key: self._path(fields.get(key), key) for key in ("value", "location", "id")
        }
        if needs_path and not any(
            key in fields and not is_null(fields[key]) for key in paths
        ):
            self._yaml.problem(
                f"{what} has no value, location or id", line=line_of(node)
            )
        return {
            "entity": self._entity(fields),
            **paths,
            "namespace": self._yaml.text(fields.get("namespace"), "namespace"),
            "line": line_of(node),
        }

    def _entity(self, fields: dict[str, Node]) -> EntityDescription | None:
        for key in _NAMES_OF_ENTITY:
            name = self._yaml.text(fields.get(key), key)
            if name is None:
                continue
            if name not in self._entities:
                self._yaml.problem(
                    f"entity {name} is not declared{hint(name, self._entities)}",
                    line=line_of(fields[key]),
                )
                return EntityDescription(name=name)
            return self._entities[name]
        return None

    def _path(self, node: Node | None, key: str) -> ValuePath | None:
        written = self._yaml.text(node, key)
        if node is None or written is None:
            return None
        try:
            return parse_path(written)
        except ReadError as error:
            self._yaml.problem(
                f"{key} {written!r} is no path to a value: {error.reason}",
                line=line_of(node),
            )
            return None

    def _hash_method(
        self, fields: dict[str, Node], what: str, *, default: str | None
    ) -> str | None:
        yaml = self._yaml
        of = yaml.choice(fields.get("hash"), "hash", options=_HASHES)
        method = yaml.choice(
            fields.get("hash_method"), "hash_method", options=_HASH_METHODS
        )
        if of == "path":
            return None
        if of == "content":
            return method or default or _HASH_METHODS[0]
        if method is not None and default is None:
            line = line_of(fields["hash_method"])
            yaml.problem(f"{what} has a hash_method and no hash: content", line=line)
        return default and (method or default)

    def _session_tag(self, node: Node | None) -> str | None:
        template = self._yaml.text(node, "session_tag")
        if node is None or template is None:
            return None
        try:
            names = [name for _, name, _, _ in string.Formatter().parse(template)]
            for name in filter(None, names):
                parse_path(name)
        except (ReadError, ValueError) as error:
            self._yaml.problem(
                f"session_tag {template!r} is no template: {error}", line=line_of(node)
            )
            return None
        return template

    def _say_twice(
        self, items: Sequence[_T], name_of: Callable[[_T], str | None], what: str
    ) -> None:
        seen: Counter[str] = Counter()
        for item in items:
            name = name_of(item)
            if name is None:
                continue
            seen[name] += 1
            if seen[name] == 2:
                line = getattr(item, "line", None)
                self._yaml.problem(f"{what} {name} is there twice", line=line)


def _declared(
    yaml: YamlFields, sections: dict[str, Node], keys: Sequence[str]
) -> list[tuple[str, Node]]:
    return [item for key in keys for item in yaml.items(sections.get(key), key)]


def _entity(yaml: YamlFields, name: str, node: Node) -> EntityDescription:
    fields = yaml.fields(node, f"entity {name}", known=_ENTITY)
    return EntityDescription(
        name=name,
        description=yaml.text(fields.get("description"), "description"),
        docurl=yaml.text(fields.get("docurl"), "docurl"),
        content_type=yaml.text(fields.get("contentType"), "contentType"),
        type=yaml.choice(fields.get("type"), "type", options=_TYPES),
        index=yaml.text(fields.get("index"), "index"),
        line=line_of(node),
    )


def _agent(yaml: YamlFields, name: str, node: Node) -> AgentDescription:
    properties = {
        key: text
        for key, value in yaml.items(node, f"agent {name}")
        if (text := yaml.text(value, key)) is not None
    }
    return AgentDescription(name=name, properties=properties, line=line_of(node))
