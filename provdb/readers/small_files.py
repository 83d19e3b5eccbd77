"""Read small text files as entities with their content: ECSV, YAML and JSON.

Run summaries and catalogues are ECSV, configurations YAML or JSON. Their content is
kept, by its digest, unless there is a secret in it; of a large file, what its header
says.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Final

import orjson
import yaml

from provdb.errors import ReadError, RecordError
from provdb.model import Record, encode, location_id
from provdb.readers.lines import is_called_log
from provdb.readers.source import Source
from provdb.secrets.copies import LARGEST_BYTES, content_record

__all__ = ["claims_configuration", "claims_ecsv", "read_configuration", "read_ecsv"]

_ECSV: Final = re.compile(rb"#\s?%ECSV\s")
_YAML_KEY: Final = re.compile(rb"(?:\s*(?:#.*)?\n)*(?:%YAML|---\s|['\"]?[\w./ -]+:\s)")
_MOST_EVENTS: Final = 100_000
_DEEPEST: Final = 60
# Both of PyYAML: the one in C is ten times faster, and is not everywhere.
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
OnProblem = Callable[[ReadError], None]


def claims_ecsv(source: Source) -> bool:
    """Say whether the first bytes are those of an ECSV table."""
    return _ECSV.match(source.first_bytes()) is not None


def claims_configuration(source: Source) -> bool:
    """Say whether a whole source is a mapping in JSON or YAML, and no large one."""
    first = source.first_bytes()
    if first.lstrip().startswith(b"{"):
        return _is_json(_whole(source))
    if source.path is not None and is_called_log(source.path):
        return False  # In which every line may look like a key and a value.
    return _YAML_KEY.match(first) is not None and _is_yaml(_whole(source))


def read_ecsv(
    source: Source, on_problem: OnProblem
) -> Iterator[tuple[int | None, Record]]:
    """Yield the records of an ECSV table: its columns, its metadata and its content.

    Args:
        source: The table.
        on_problem: Is told where its header cannot be read.

    Raises:
        ReadError: It is no file.
    """
    content = _whole(source)
    entity = _entity(source, "application/ecsv")
    try:
        header = _ecsv_header(content)
        columns = [column["name"] for column in header.get("datatype", ())]
        said = {"columns": columns} if columns else {}
        if "meta" in header:
            said["meta"] = _plain(header["meta"])
        encode(said)
    except (ValueError, TypeError, KeyError, RecordError) as error:
        on_problem(ReadError(source.name, f"its header cannot be read: {error}"))
        said = {}
    yield from _with_content(entity | said, content)


def read_configuration(
    source: Source, on_problem: OnProblem
) -> Iterator[tuple[int | None, Record]]:
    """Yield the records of a configuration: the file and its content.

    Args:
        source: The file.
        on_problem: Is told of nothing: it is taken as it is.

    Raises:
        ReadError: It is no file.
    """
    content = _whole(source)
    is_json = content.lstrip().startswith(b"{")
    kind = "application/json" if is_json else "application/yaml"
    yield from _with_content(_entity(source, kind), content)


def _whole(source: Source) -> bytes:
    """Return the content, or more than `LARGEST_BYTES` of it."""
    return source.first_bytes(LARGEST_BYTES + 1)


def _entity(source: Source, content_type: str) -> Record:
    location = source.location()
    return {
        "entity_id": location_id(location),
        "filepath": location,
        "type": "File",
        "contentType": content_type,
    }


def _with_content(
    entity: Record, content: bytes
) -> Iterator[tuple[int | None, Record]]:
    if len(content) > LARGEST_BYTES:
        yield None, entity
        return
    record = content_record(content, location=entity["filepath"])
    yield None, {**entity, "hash": record["file_id"], "hash_type": "sha256"}
    yield None, record


def _ecsv_header(content: bytes) -> dict[str, Any]:
    lines = []
    for line in content.splitlines():
        if not line.startswith(b"#"):
            break
        lines.append(line[1:].removeprefix(b" "))
    text = b"\n".join(lines[1:])
    if not _is_yaml(text):
        raise ValueError("it is no plain YAML")
    try:
        return dict(yaml.load(text, _LOADER))  # It is a safe loader.
    except yaml.YAMLError as error:
        raise ValueError(str(error).partition("\n")[0]) from error


def _plain(value: Any) -> Any:
    """Return a value of YAML as a Python literal: dates are none."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _is_json(content: bytes) -> bool:
    if len(content) > LARGEST_BYTES:
        return False
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and bool(value)


def _is_yaml(content: bytes) -> bool:
    """Say whether a content is one mapping, neither deep nor with any alias.

    With aliases a few lines can stand for more than any memory holds.
    """
    if len(content) > LARGEST_BYTES:
        return False
    depth = 0
    try:
        for number, event in enumerate(yaml.parse(content, _LOADER)):
            is_first_node = depth == 0 and isinstance(event, yaml.NodeEvent)
            if isinstance(event, yaml.AliasEvent) or number > _MOST_EVENTS:
                return False
            if is_first_node and not isinstance(event, yaml.MappingStartEvent):
                return False
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > _DEEPEST:
                return False
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    return True
