"""Read the provenance logs of ctapipe (``*.provenance.log``), as 0.28 writes them.

Every process appends the list of all its activities: a log is lists after one another,
which is no JSON, and the same activity may be in several of them. Each activity is read
on its own: one that is cut off or damaged costs no other.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from provdb.errors import ReadError
from provdb.model import Record, location_id
from provdb.readers.reference_meta import (
    generator_of,
    hex_id,
    is_made_up,
    product_level,
    product_records,
    session_tag_of,
    utc_text,
)
from provdb.readers.source import Source

__all__ = ["activity_records", "claims_log", "read_log"]

# A night of ten runs has 70 MB at most.
_MOST_BYTES: Final = 512 * 2**20
_ACTIVITY: Final = re.compile(r'\{\s*"activity_')
_BETWEEN: Final = re.compile(r"[\s\[\],]*")
_STATUS: Final = {
    "completed": "completed",
    "error": "failed",
    "interrupted": "interrupted",
}
_KNOWN: Final = (
    "activity_name",
    "activity_uuid",
    "status",
    "start",
    "stop",
    "system",
    "input",
    "output",
    "exit_code",
    "config",
    "duration_min",
    "samples",
)
_LINKS: Final = (("input", "used"), ("output", "generated"))


def claims_log(source: Source) -> bool:
    """Say whether the first bytes are those of a list of ctapipe's activities."""
    first = source.first_bytes().lstrip()
    return first.startswith(b"[") and b'"activity_uuid"' in first


def read_log(
    source: Source, on_problem: Callable[[ReadError], None]
) -> Iterator[tuple[int | None, Record]]:
    """Yield the records of a log, with the line on which their activity begins.

    Args:
        source: The log.
        on_problem: Is told of each activity that cannot be read.

    Raises:
        ReadError: It cannot be read at all.
    """
    text = source.read_all(_MOST_BYTES).decode("utf-8", "backslashreplace")
    decoder = json.JSONDecoder()
    place = _end_of_space(text, 0)
    line, counted = 1, 0
    while place < len(text):
        line, counted = line + text.count("\n", counted, place), place
        try:
            activity, place = decoder.raw_decode(text, place)
            records = activity_records(activity)
        except (ValueError, RecursionError) as error:
            on_problem(ReadError(source.name, _reason(error), line=line))
            following = _ACTIVITY.search(text, max(counted + 1, place))
            if following is None:
                return
            place = following.start()
            continue
        yield from ((line, record) for record in records)
        place = _end_of_space(text, place)


def activity_records(activity: object) -> list[Record]:
    """Return the records of one activity, as ctapipe writes it.

    Raises:
        ValueError: It is none; the message says why.

    >>> records = activity_records({"activity_name": "ctapipe-merge",
    ...     "activity_uuid": "b0f7eeda-bb64-4fb4-8016-fbfd283fd456",
    ...     "start": {"time_utc": "2026-11-22T17:17:14.518"},
    ...     "output": [{"url": "/DL1/dl1_LST-1.Run01807.h5", "role": "DL1/Event"}]})
    >>> records[0]["startTime"], records[-1]["generated_role"]
    ('2026-11-22T17:17:14.518Z', 'DL1/Event')
    """
    if not isinstance(activity, Mapping):
        raise ValueError("it is no activity of ctapipe")
    name, uuid = activity.get("activity_name"), activity.get("activity_uuid")
    if not isinstance(name, str) or not isinstance(uuid, str):
        raise ValueError("it is an activity without a name or an id")
    id_ = hex_id(uuid)
    start = utc_text(_mapping(activity.get("start")).get("time_utc"))
    system = _mapping(activity.get("system"))
    of_tag = {"session_tag": _session_tag(name, id_, activity)}
    of_activity = {"activity_id": id_, **of_tag}
    others = {key: activity[key] for key in activity if key not in _KNOWN}
    records: list[Record] = []
    if system:
        # Every activity says what it ran in, so each is a session of its own.
        version = system.get("ctapipe_version")
        session: Record = {
            "session_id": id_,
            "startTime": start,
            "software": "ctapipe",
            "software_version": version,
            "system": dict(system),
            **of_tag,
        }
        records.append(session)
    records.append(
        {
            **others,
            **of_activity,
            "name": name,
            "startTime": start,
            "in_session": id_,
            "session_start": start,
            **_who(system),
        }
    )
    config = activity.get("config")
    if config is not None:
        records.append({**of_activity, "parameters": config})
    for array, relation in _LINKS:
        for entry in _entries(activity, array):
            records += _file_records(entry, relation, of_activity, of_tag)
    records += _end_records(activity, of_activity)
    return records


def _end_records(activity: Mapping[str, Any], of_activity: Record) -> list[Record]:
    stop = utc_text(_mapping(activity.get("stop")).get("time_utc"))
    status = _STATUS.get(str(activity.get("status")))
    if stop is None and status is None:
        return []  # It was still running, or nobody knows.
    end: Record = {**of_activity, "endTime": stop}
    if status is not None:
        end["status"] = status
    for key in ("exit_code", "duration_min", "samples"):
        if key in activity:
            end[key] = activity[key]
    return [end]


def _file_records(
    entry: Mapping[str, Any], relation: str, of_activity: Record, of_tag: Record
) -> Iterator[Record]:
    location, role = entry["url"], entry.get("role")
    metadata = _mapping(entry.get("reference_meta"))
    entity: Record = {
        "entity_id": location_id(location),
        "filepath": location,
        "type": "File",
        **of_tag,
    }
    is_told = not is_made_up(metadata)
    if is_told:
        level = product_level(metadata)
        if level is not None:
            entity["name"] = level
        entity["reference_meta"] = metadata
    yield entity
    link: Record = {**of_activity, f"{relation}_id": entity["entity_id"]}
    if role is not None:
        link[f"{relation}_role"] = role
    known = ("url", "role", "reference_meta")
    yield {**{key: entry[key] for key in entry if key not in known}, **link}
    # The metadata of what a failed merge leaves behind is that of an input: who
    # generated an output is the activity itself.
    if is_told and relation == "used":
        yield from product_records(metadata, location)


def _session_tag(name: str, id_: str, activity: Mapping[str, Any]) -> str:
    """Return ``<activity>:<run>``, as the metadata of what it generated has it."""
    inputs, outputs = (_entries(activity, array) for array, _ in _LINKS)
    for entry in outputs:
        metadata = entry.get("reference_meta")
        is_own = isinstance(metadata, Mapping) and generator_of(metadata) == id_
        tag = session_tag_of(name, metadata if is_own else None, entry["url"])
        if tag != name:
            return tag
    tags = {session_tag_of(name, None, entry["url"]) for entry in inputs} - {name}
    return tags.pop() if len(tags) == 1 else name


def _entries(activity: Mapping[str, Any], array: str) -> list[Mapping[str, Any]]:
    listed = activity.get(array)
    if not isinstance(listed, list):
        return []
    return [
        entry
        for entry in listed
        if isinstance(entry, Mapping) and isinstance(entry.get("url"), str)
    ]


def _who(system: Mapping[str, Any]) -> Record:
    user = _mapping(system.get("environment")).get("USER")
    arguments = system.get("arguments")
    who: Record = {}
    if isinstance(user, str):
        who["agent_name"] = user
    if isinstance(arguments, list) and arguments:
        who["script"] = arguments[0]
    return who


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _end_of_space(text: str, place: int) -> int:
    found = _BETWEEN.match(text, place)
    return place if found is None else found.end()


def _reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"no activity of ctapipe was read: {error.msg}"
    if isinstance(error, RecursionError):
        return "no activity of ctapipe was read: it is nested too deeply"
    return f"no activity of ctapipe was read: {error}"
