"""The run-wise products of lstosa (``*_prov.json``): records as in its logs.

A product says of a run what the ``*_prov.log`` beside it says, but for the system
block, so reading both leaves the same activities. The tag of a session stands in none
of its statements; it follows from the session's id, which lstosa makes of the date and
the run, or of the runs for pedestal and calibration.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from provdb.model import Record
from provdb.model.statement import LABEL, ROLE, TYPE, Statement

__all__ = ["is_of_lstosa", "lstosa_records"]

_ID: Final = "id:"
_PARAM: Final = "param:"
_GENERATED_AT: Final = "http://www.w3.org/ns/prov#generatedAtTime"
_SESSION: Final = "ExecutionSession"
_PARAMETERS: Final = "Parameters"
_COLLECTION: Final = "SetCollection"
_OF_RUN: Final = re.compile(r"\d{8}(\d{5})")
_OF_CALIBRATION: Final = re.compile(r"(\d{5})(\d{5})")
_LITERALS: Final = {"True": True, "False": False}
_NUMBERS: Final = ("size",)


def is_of_lstosa(statements: Sequence[Statement]) -> bool:
    """Say whether a document has the names that lstosa gives."""
    ids = [statement.id for statement in statements if statement.id is not None]
    return bool(ids) and all(id_.startswith(_ID) for id_ in ids)


def lstosa_records(statements: Sequence[Statement]) -> Iterator[Record]:
    """Yield the records of a run-wise product.

    >>> step = Statement("activity", "id:f36c08", (),
    ...     ((LABEL, "r0_to_dl1"), ("param:in_session", "2020011701807")))
    >>> next(lstosa_records([step]))["session_tag"]
    'r0_to_dl1:01807'
    """
    activities = {s.id: s for s in statements if s.kind == "activity"}
    parameters = {s.id: s for s in statements if _type(s) == _PARAMETERS}
    # What is said of these has no tag in the logs.
    collections = {s.id for s in statements if _type(s) == _COLLECTION}
    agents = [_local(s.id) for s in statements if s.kind == "agent"]
    agent = agents[0] if len(agents) == 1 else None
    for statement in statements:
        if statement.kind == "entity" and _type(statement) == _SESSION:
            yield _session(statement)
        elif statement.kind == "entity" and statement.id not in parameters:
            yield _entity(statement)
    for step in activities.values():
        yield from _activity(step, agent=agent)
    for statement in statements:
        activity = activities.get(statement.argument("activity") or "")
        entity = statement.argument("entity")
        known = _known(activity, statement)
        if entity in collections:
            known.pop("session_tag", None)
        if entity in parameters:
            yield {**known, "parameters": _fields(parameters[entity])}
        elif statement.kind == "used":
            yield {**known, **_link(statement, "used")}
        elif statement.kind == "wasGeneratedBy":
            yield {**known, **_link(statement, "generated")}
        elif statement.kind == "wasDerivedFrom":
            yield {
                "entity_id": _local(statement.argument("generatedEntity")),
                "progenitor_id": _local(statement.argument("usedEntity")),
            }
        elif statement.kind == "hadMember":
            yield {
                "entity_id": _local(statement.argument("collection")),
                "member_id": _local(entity),
            }


def _session(statement: Statement) -> Record:
    time = statement.value(_GENERATED_AT)
    return {
        "session_id": _local(statement.id),
        **_label(statement),
        "startTime": time["value"] if isinstance(time, dict) else time,
        **_fields(statement),
    }


def _entity(statement: Statement) -> Record:
    record: Record = {"entity_id": _local(statement.id), **_label(statement)}
    if _type(statement) is not None:
        record["type"] = _type(statement)
    return record | _fields(statement)


def _activity(statement: Statement, *, agent: str | None) -> Iterator[Record]:
    known = _known(statement, statement)
    start = {**known, **_label(statement)}
    if statement.argument("startTime") is not None:
        start["startTime"] = statement.argument("startTime")
    if agent is not None:
        start["agent_name"] = agent
    yield start | _fields(statement)
    if statement.argument("endTime") is not None:
        yield {**known, "endTime": statement.argument("endTime")}


def _known(activity: Statement | None, statement: Statement) -> Record:
    """Return the id of an activity and its tag, as its records have them."""
    if activity is None:
        return {"activity_id": _local(statement.argument("activity"))}
    record: Record = {"activity_id": _local(activity.id)}
    session = str(activity.value(f"{_PARAM}in_session") or "")
    name = activity.value(LABEL)
    of_run = _OF_RUN.fullmatch(session)
    of_calibration = _OF_CALIBRATION.fullmatch(session)
    if name is not None and of_run is not None:
        record["session_tag"] = f"{name}:{of_run[1]}"
    elif name is not None and of_calibration is not None:
        pedestal_run, calibration_run = of_calibration.groups()
        record["session_tag"] = f"{name}:{pedestal_run}-{calibration_run}"
    return record


def _link(statement: Statement, relation: str) -> Record:
    record: Record = {f"{relation}_id": _local(statement.argument("entity"))}
    role = statement.value(ROLE)
    return record if role is None else record | {f"{relation}_role": role}


def _label(statement: Statement) -> Record:
    label = statement.value(LABEL)
    return {} if label is None else {"name": label}


def _fields(statement: Statement) -> Record:
    """Return what a statement says in the words of lstosa."""
    return {
        name[len(_PARAM) :]: _literal(name[len(_PARAM) :], value)
        for name, value in statement.attributes
        if name.startswith(_PARAM)
    }


def _literal(name: str, value: Any) -> Any:
    """Return a value as it stands in the log; here all of them are texts."""
    text = value["value"] if isinstance(value, dict) else value
    if name in _NUMBERS and isinstance(text, str) and text.isdecimal():
        return int(text)
    return _LITERALS.get(text, text) if isinstance(text, str) else text


def _type(statement: Statement) -> Any:
    return statement.value(TYPE)


def _local(uri: str | None) -> str:
    return (uri or "").removeprefix(_ID)
