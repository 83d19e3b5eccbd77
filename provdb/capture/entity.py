"""What an activity uses or generates: a file by its path, or a value by its content."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from provdb.capture.hashing import file_hash
from provdb.capture.locations import Location, file_path, real_path
from provdb.capture.plain import plain
from provdb.errors import ReadError
from provdb.model import file_facts, location_id, value_id

__all__ = ["Entity", "file_entity", "is_configuration", "value_entity"]

_CONFIGURATION_NAME: Final = re.compile(r"config", re.IGNORECASE)
_CONFIGURATION_TYPES: Final = (
    "application/json",
    "application/toml",
    "application/x-yaml",
    "application/yaml",
    "text/x-ini",
    "text/x-toml",
    "text/x-yaml",
    "text/yaml",
)
_CONFIGURATION_SUFFIXES: Final = (
    ".cfg",
    ".conf",
    ".ini",
    ".json",
    ".toml",
    ".yaml",
    ".yml",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """Something that an activity uses or generates.

    Attributes:
        id: The md5 of a file's path, as lstosa has it; for a value, a digest of it.
        description: Fields of its record.
        location: Its path or URL, or None for a value.
        content_hash: Digest of a file's content, or None if it was not asked for.
    """

    id: str
    description: Mapping[str, Any]
    location: str | None = None
    content_hash: str | None = None


def file_entity(
    location: Location,
    *,
    description: Mapping[str, Any],
    hash_method: str | None = None,
) -> Entity:
    """Return the entity of a file.

    A relative path is taken from the working folder, for other processes have
    another one; a URL stays as it is. The path of the file behind symbolic links is
    recorded too, as ``real_path``.

    Args:
        location: Path or URL.
        description: Further fields: ``name``, ``contentType``…
        hash_method: ``sha256``, ``sha1`` or ``md5`` to hash the content too, which
            reads the whole file; None for its path alone.

    >>> entity = file_entity("/R0/LST-1.1.Run01618.0008.fits.fz",
    ...     description={"name": "R0SubrunDataset"})
    >>> entity.id, entity.description["type"]
    ('72b6bc3afefd161d5bfd41f5099528e5', 'File')
    """
    path = file_path(location)
    fields = {"filepath": path, "type": "File", **_without_none(description)}
    if (real := real_path(path)) is not None:
        fields["real_path"] = real
    digest = None
    if hash_method is not None:
        try:
            digest = file_hash(path, hash_method)
        except ReadError as error:
            fields["hash_error"] = str(error)
        else:
            fields |= {"hash": digest, "hash_type": hash_method}
    return Entity(
        id=location_id(path), description=fields, location=path, content_hash=digest
    )


def value_entity(
    value: object, *, description: Mapping[str, Any], scope: str
) -> Entity:
    """Return the entity of a value, the same one for equal values in one scope.

    Args:
        value: Any Python value.
        description: Further fields: ``name``…
        scope: In which the value is the same thing, such as a session's id.

    >>> value_entity(0.5, description={"name": "threshold"}, scope="1618").description
    {'value': 0.5, 'type': 'PythonObject', 'name': 'threshold'}
    """
    fields = {
        "value": plain(value),
        "type": "PythonObject",
        **_without_none(description),
    }
    identity = [scope, fields.get("name"), fields["value"]]
    return Entity(id=value_id(identity), description=fields)


def is_configuration(description: Mapping[str, Any]) -> bool:
    """Say whether a file is configuration, of which a copy is kept.

    Its declared name or type says so (``AnalysisConfigFile``), its content type, or
    the ending of its name, in this order; what has a data level is referenced only,
    and so are models.

    >>> is_configuration({"filepath": "/osa/cfg/lstchain_standard_config.json"})
    True
    """
    declared = f"{description.get('name', '')} {description.get('type', '')}"
    if _CONFIGURATION_NAME.search(declared):
        return True
    path = description.get("filepath", "")
    if file_facts(description.get("name"), path).level is not None:
        return False
    content_type = description.get("contentType")
    if content_type is not None:
        return content_type in _CONFIGURATION_TYPES
    return PurePath(path).suffix.lower() in _CONFIGURATION_SUFFIXES


def _without_none(description: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in description.items() if value is not None}
