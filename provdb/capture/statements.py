"""What the capture states, as records with the fields that lstosa's logs have. Pure.

The fields beyond those of lstosa are ``session_start`` (which execution of the session
an activity belongs to), ``started_by`` (PROV wasStartedBy: the activity around it),
``status``, ``exception``, ``exit_code`` and ``dry_run``; ``missing`` in the link of a
file that was not there; ``mode`` in that of a file that was written (``overwrite``,
``part`` or ``append``); ``real_path``, the file behind symbolic links, in the record of
a file; ``invalidated_id``, a file that is gone since the activity.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from provdb.model import Record, format_time

__all__ = [
    "derivation_record",
    "end_record",
    "entity_record",
    "generation_record",
    "invalidation_record",
    "membership_record",
    "parameters_record",
    "session_record",
    "start_record",
    "usage_record",
]


def session_record(
    *,
    session_tag: str,
    session_id: str,
    start: datetime,
    system: Mapping[str, Any],
    properties: Mapping[str, Any],
) -> Record:
    """State that a script was executed, where, how and on what.

    Args:
        session_tag: Tag of the session, such as ``r0_to_dl1:01618``.
        session_id: Id of the session, the same in all its executions.
        start: When this execution of it started.
        system: The system block of the environment.
        properties: What is known of the session: ``observation_date``,
            ``observation_run``, ``software_version``, ``config_file``…
    """
    return {
        "session_id": session_id,
        "name": session_tag.rpartition(":")[2],
        "startTime": format_time(start),
        **({"system": dict(system)} if system else {}),
        **properties,
        "session_tag": session_tag,
    }


def start_record(
    *,
    session_tag: str,
    activity_id: str,
    name: str,
    start: datetime,
    session_id: str,
    session_start: datetime,
    agent: str,
    script: str,
    attributes: Mapping[str, Any],
) -> Record:
    """State that an activity started."""
    return {
        "activity_id": activity_id,
        "name": name,
        "startTime": format_time(start),
        "in_session": session_id,
        "session_start": format_time(session_start),
        "agent_name": agent,
        "script": script,
        **attributes,
        "session_tag": session_tag,
    }


def parameters_record(
    *, session_tag: str, activity_id: str, parameters: Mapping[str, Any]
) -> Record:
    """State the values of parameters of an activity."""
    return {
        "activity_id": activity_id,
        "parameters": dict(parameters),
        "session_tag": session_tag,
    }


def entity_record(
    *, session_tag: str, entity_id: str, description: Mapping[str, Any]
) -> Record:
    """State what an entity is: its ``name``, ``filepath``, ``type`` and so on."""
    known = {key: value for key, value in description.items() if value is not None}
    return {"entity_id": entity_id, **known, "session_tag": session_tag}


def usage_record(
    *,
    session_tag: str,
    activity_id: str,
    entity_id: str,
    role: str | None,
    content_hash: str | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Record:
    """State that an activity used an entity, and with which content."""
    link = _link("used", session_tag, activity_id, entity_id, role, content_hash)
    return {**link, **(attributes or {})}


def generation_record(
    *,
    session_tag: str,
    activity_id: str,
    entity_id: str,
    role: str | None,
    content_hash: str | None = None,
    mode: str | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Record:
    """State that an activity generated an entity, how, and with which content."""
    link = _link("generated", session_tag, activity_id, entity_id, role, content_hash)
    return {**link, **({} if mode is None else {"mode": mode}), **(attributes or {})}


def invalidation_record(
    *, session_tag: str, activity_id: str, entity_id: str, role: str | None
) -> Record:
    """State that an entity is gone since an activity, as a file that was moved."""
    return _link("invalidated", session_tag, activity_id, entity_id, role, None)


def derivation_record(
    *, session_tag: str, entity_id: str, progenitor_id: str
) -> Record:
    """State that an entity was derived from another one."""
    return {
        "entity_id": entity_id,
        "progenitor_id": progenitor_id,
        "session_tag": session_tag,
    }


def membership_record(*, session_tag: str, entity_id: str, member_id: str) -> Record:
    """State that a collection had a member."""
    return {
        "entity_id": entity_id,
        "member_id": member_id,
        "session_tag": session_tag,
    }


def end_record(
    *,
    session_tag: str,
    activity_id: str,
    end: datetime,
    status: str,
    attributes: Mapping[str, Any],
) -> Record:
    """State that an activity ended: ``completed``, ``failed`` or ``interrupted``."""
    return {
        "activity_id": activity_id,
        "endTime": format_time(end),
        "status": status,
        **attributes,
        "session_tag": session_tag,
    }


def _link(
    prefix: str,
    session_tag: str,
    activity_id: str,
    entity_id: str,
    role: str | None,
    content_hash: str | None,
) -> Record:
    return {
        "activity_id": activity_id,
        f"{prefix}_id": entity_id,
        **({} if role is None else {f"{prefix}_role": role}),
        **({} if content_hash is None else {f"{prefix}_hash": content_hash}),
        "session_tag": session_tag,
    }
