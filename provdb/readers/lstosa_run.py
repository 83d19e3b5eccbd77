"""Read what lstosa makes of a log for one run: ``*_prov.log`` and ``*_prov.json``.

In these products the subruns of a run are one activity of each step, with collections
for their files, and the records that name the subruns are gone. Their activities are
marked as run-wise, so that they stand for the subruns only where nobody knows these.
Both products of a run give the same activities.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from provdb.errors import ReadError
from provdb.model import Kind, Record, kind_of
from provdb.readers.literal import parse_literal
from provdb.readers.lstosa import read_log
from provdb.readers.source import Source

__all__ = ["RUN_WISE", "claims_json", "claims_log", "read_json", "read_run_log"]

# The granularity of an activity that stands for all subruns of a run.
RUN_WISE: Final = "run"
_LOOK_BYTES: Final = 256 * 2**10
_MOST_BYTES: Final = 64 * 2**20
_BARE: Final = re.compile(rb"\s*\{'(?:session|activity|entity)_id'")
_COLLECTION: Final = re.compile(
    rb"^\{'entity_id': '[^']*', 'name': '\w+', 'type': 'SetCollection'", re.MULTILINE
)
# `prov` writes the namespaces of a document first.
_PREFIX: Final = re.compile(
    rb'\s*\{\s*"prefix":\s*\{\s*"id":\s*"id:",\s*"default":\s*"param:"'
)
_OF_RUN: Final = re.compile(r"\d{8}(\d{5})")
_OF_CALIBRATION: Final = re.compile(r"(\d{5})(\d{5})")
_ID: Final = "id:"
_SESSION: Final = "ExecutionSession"
_PARAMETERS: Final = "_parameters"
_LINKS: Final = (("used", "used"), ("wasGeneratedBy", "generated"))
# How PROV-JSON spells the fields of records.
_FIELDS: Final = {
    "prov:label": "name",
    "prov:type": "type",
    "prov:startTime": "startTime",
    "prov:generatedAtTime": "startTime",
}


def claims_log(source: Source) -> bool:
    """Say whether a source is the run-wise log of lstosa, with its collections."""
    if not _BARE.match(source.first_bytes()):
        return False
    return _COLLECTION.search(source.first_bytes(_LOOK_BYTES)) is not None


def claims_json(source: Source) -> bool:
    """Say whether a source is the PROV-JSON of lstosa, with its namespaces."""
    return _PREFIX.match(source.first_bytes()) is not None


def read_run_log(
    source: Source, on_problem: Callable[[ReadError], None]
) -> Iterator[tuple[int | None, Record]]:
    """Yield the records of a run-wise log, with the numbers of their lines.

    Args:
        source: The log.
        on_problem: Is told of each line that should hold a record and does not.

    Raises:
        ReadError: It is no text.
    """
    tags: dict[Any, Any] = {}
    for line, record in read_log(source, on_problem):
        kind = kind_of(record)
        if kind is Kind.START:
            tags[record["activity_id"]] = record.get("session_tag")
            record = {**record, "granularity": RUN_WISE}
        elif "activity_id" in record and "session_tag" not in record:
            # What is about collections is written without the tag of its activity.
            tag = tags.get(record["activity_id"])
            record = record if tag is None else {**record, "session_tag": tag}
        yield line, record


def read_json(
    source: Source, on_problem: Callable[[ReadError], None]
) -> Iterator[tuple[int | None, Record]]:
    """Yield the records of lstosa's PROV-JSON, as its run-wise log has them.

    Args:
        source: The document.
        on_problem: Is told of each part of it that is none of lstosa's.

    Raises:
        ReadError: It is no JSON.
    """
    try:
        document = orjson.loads(source.read_all(_MOST_BYTES))
    except orjson.JSONDecodeError as error:
        raise ReadError(source.name, f"it is no JSON: {error}") from error
    yield from ((None, record) for record in _records(_mapping(document)))


def _records(document: Mapping[str, Any]) -> Iterator[Record]:
    entities = _mapping(document.get("entity"))
    activities = _mapping(document.get("activity"))
    agents = [_bare(agent) for agent in _mapping(document.get("agent"))]
    sessions = [e for e in map(_mapping, entities.values()) if _is_session(e)]
    run = sessions[0].get("observation_run") if sessions else None
    tags: dict[str, Record] = {}
    for id_, entity in entities.items():
        record = _fields(_mapping(entity))
        if _is_session(_mapping(entity)):
            del record["type"]
            yield {"session_id": _bare(id_), **record, **_tag(activities, run)}
        elif not id_.endswith(_PARAMETERS):
            yield {"entity_id": _bare(id_), **record}
    for id_, written in activities.items():
        activity = _fields(_mapping(written))
        end = activity.pop("prov:endTime", None)
        tags[id_] = _tag({id_: written}, run)
        start = {"activity_id": _bare(id_), **activity, "granularity": RUN_WISE}
        if len(agents) == 1:
            start["agent_name"] = agents[0]
        yield start | tags[id_]
        parameters = _mapping(entities.get(f"{id_}{_PARAMETERS}"))
        if parameters:
            values = {
                key: _value(value)
                for key, value in parameters.items()
                if not key.startswith("prov:")
            }
            yield {"activity_id": _bare(id_), "parameters": values, **tags[id_]}
        if end is not None:
            yield {"activity_id": _bare(id_), "endTime": end, **tags[id_]}
    for relation, prefix in _LINKS:
        for link in map(_mapping, _mapping(document.get(relation)).values()):
            activity_id, entity_id = link.get("prov:activity"), link.get("prov:entity")
            if not isinstance(activity_id, str) or not isinstance(entity_id, str):
                continue
            if entity_id.endswith(_PARAMETERS):
                continue
            yield {
                "activity_id": _bare(activity_id),
                f"{prefix}_id": _bare(entity_id),
                f"{prefix}_role": link.get("prov:role"),
                **tags.get(activity_id, {}),
            }
    yield from _derivations(_mapping(document.get("wasDerivedFrom")).values())


def _derivations(relations: Iterable[Any]) -> Iterator[Record]:
    for relation in map(_mapping, relations):
        later = relation.get("prov:generatedEntity")
        earlier = relation.get("prov:usedEntity")
        if isinstance(later, str) and isinstance(earlier, str):
            yield {"entity_id": _bare(later), "progenitor_id": _bare(earlier)}


def _fields(written: Mapping[str, Any]) -> Record:
    return {_FIELDS.get(key, key): _number(key, written[key]) for key in written}


def _tag(activities: Mapping[str, Any], run: object) -> Record:
    """Return the tag of an activity, which lstosa leaves out, from its session's id."""
    for written in activities.values():
        activity = _mapping(written)
        name, session = activity.get("prov:label"), str(activity.get("in_session"))
        if of_run := _OF_RUN.fullmatch(session):
            return {"session_tag": f"{name}:{of_run.group(1)}"}
        if of_calibration := _OF_CALIBRATION.fullmatch(session):
            return {"session_tag": f"{name}:{'-'.join(of_calibration.groups())}"}
        if isinstance(run, str):
            return {"session_tag": f"{name}:{run}"}
    return {}


def _number(key: str, value: Any) -> Any:
    # `prov` writes the size of a collection as a text.
    if key == "size" and isinstance(value, str) and value.isdecimal():
        return int(value[:18])
    return value


def _value(value: Any) -> Any:
    # And every parameter, as Python would print it.
    if not isinstance(value, str):
        return value
    try:
        return parse_literal(value)
    except ValueError:
        return value


def _is_session(entity: Mapping[str, Any]) -> bool:
    return entity.get("prov:type") == _SESSION


def _bare(id_: str) -> str:
    return id_.removeprefix(_ID)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
