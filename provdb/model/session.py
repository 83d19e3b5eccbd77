"""Session and environment documents: which scripts ran under a tag, where and how.

lstosa writes the whole session, software packages included, before every activity.
What is the same in all of them is stored once: the properties in the session
document, the system block in an environment document that its content names. What
differs is one small entry for each execution of a script.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any, Final, NamedTuple

from provdb.model import fields as f
from provdb.model.ids import content_digest, session_key
from provdb.model.names import run_of_tag
from provdb.model.records import (
    Field,
    Record,
    Table,
    identifier,
    lay_out,
    record_text,
    restore,
    text,
    time,
)
from provdb.model.values import (
    canonical,
    decode,
    encode,
    encode_key,
    is_plain_text,
)

__all__ = [
    "ENVIRONMENT_VERSION",
    "SESSION_VERSION",
    "SessionRecord",
    "environment_document",
    "session_document",
    "session_records",
    "split_system",
    "with_environment",
]

SESSION_VERSION: Final = 2
ENVIRONMENT_VERSION: Final = 1

# What a process writes into its system block that is not about the environment. The
# code that it runs is its own too: whether it was changed is not always found out.
_OF_THE_PROCESS: Final = ("arguments", "start_time_utc", "git", "batch")
_EXECUTION: Final = Table(Field(record="startTime", document=f.START, convert=time))


class SessionRecord(NamedTuple):
    """A session record whose system block is taken out.

    Attributes:
        record: The record without its system block.
        environment: Id of the environment document that holds the block, or None
            where the record has none.
        process: What the block says of the process alone.
        node: The machine that the block names, or None.
    """

    record: Record
    environment: str | None
    process: Record
    node: str | None = None

    def key(self) -> bytes:
        """Return the canonical text, equal for equal session records."""
        return canonical([encode(self.record), self.environment, encode(self.process)])


def split_system(system: Mapping[Any, Any]) -> tuple[Record, Record]:
    """Part a system block in the environment and what is the process's own.

    >>> split_system({"executable": "/usr/bin/python", "arguments": ["-c"]})
    ({'executable': '/usr/bin/python'}, {'arguments': ['-c']})
    """
    environment = dict(system)
    process = {
        name: environment.pop(name) for name in _OF_THE_PROCESS if name in environment
    }
    return environment, process


def environment_document(environment: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the document of an environment, whose id is a digest of its content."""
    system = encode(dict(environment))
    python = _mapping(environment.get("python"))
    node = _mapping(environment.get("platform")).get("node")
    interpreter = python.get("version")
    if isinstance(interpreter, list):  # ctapipe writes the parts of it.
        interpreter = ".".join(map(str, interpreter))
    return {
        f.ID: content_digest(canonical(system)),
        f.SCHEMA_VERSION: ENVIRONMENT_VERSION,
        f.NODE: node if is_plain_text(node) else None,
        f.INTERPRETER: interpreter if is_plain_text(interpreter) else None,
        f.PACKAGES: _packages(python.get("packages")),
        f.SYSTEM: system,
    }


def session_document(
    sessions: Mapping[bytes, SessionRecord],
    others: Mapping[bytes, Record],
    *,
    zone: tzinfo,
) -> dict[str, Any]:
    """Return the document of one session from the records about it.

    Args:
        sessions: Session records of one ``session_tag`` and one ``session_id``, by
            their keys.
        others: Records of the tag that state nothing about any activity, entity or
            session, by their canonical text.
        zone: Zone of times that name none.
    """
    # One id may stand for two tags: of none and of an empty one.
    sessions, others = dict(sorted(sessions.items())), dict(sorted(others.items()))
    some = next(iter(sessions.values())).record if sessions else {}
    tagged = some or next(iter(others.values()))
    session_tag = text(tagged.get("session_tag"))
    session_id = identifier(some.get("session_id"))
    ids = _ids(session_tag, session_id)
    common = _most_common(
        {
            name: value
            for name, value in session.record.items()
            if name not in ids and name != "startTime"
        }
        for session in sessions.values()
    )
    executions = [
        _execution(session, known={**ids, **common}, zone=zone)
        for session in sessions.values()
    ]
    executions.sort(key=lambda entry: (str(entry.get(f.START)), _sortable(entry)))
    starts = [entry[f.START] for entry in executions if f.START in entry]
    document: dict[str, Any] = {
        f.ID: session_key(session_tag, session_id),
        f.SCHEMA_VERSION: SESSION_VERSION,
        f.SESSION_TAG: session_tag,
        f.SESSION_ID: session_id,
        f.RUN: run_of_tag(session_tag),
        f.PROPERTIES: encode(common),
        f.EXECUTIONS: executions,
        f.EXECUTION_COUNT: len(executions),
        f.FIRST_START: min(starts, default=None),
        f.LAST_START: max(starts, default=None),
    }
    if others:
        document[f.OTHER_RECORDS] = [encode(record) for record in others.values()]
    return document


def session_records(
    document: Mapping[str, Any],
) -> tuple[list[SessionRecord], list[Record]]:
    """Return the records that a session document was made from.

    The inverse of `session_document`, order and repeats apart.
    """
    ids = _ids(document[f.SESSION_TAG], document[f.SESSION_ID])
    known = {**ids, **decode(document[f.PROPERTIES])}
    sessions = [
        SessionRecord(
            record=restore(entry, _EXECUTION, known=known),
            environment=entry.get(f.ENVIRONMENT),
            node=entry.get(f.NODE),
            process=decode(
                {
                    name: entry[stored]
                    for name, stored in (("arguments", f.ARGUMENTS),)
                    if stored in entry
                }
                | entry.get(f.PROCESS, {})
            ),
        )
        for entry in document[f.EXECUTIONS]
    ]
    return sessions, [decode(record) for record in document.get(f.OTHER_RECORDS, ())]


def with_environment(
    session: SessionRecord, environments: Mapping[str, Mapping[str, Any]]
) -> Record:
    """Return a session record as it was written, with its system block.

    Args:
        session: The record without its block.
        environments: Environment documents by their ids.
    """
    if session.environment is None:
        return session.record
    system = decode(environments[session.environment][f.SYSTEM])
    return {**session.record, "system": {**system, **session.process}}


def _ids(session_tag: str | None, session_id: str | None) -> Record:
    ids = {"session_tag": session_tag, "session_id": session_id}
    return {name: value for name, value in ids.items() if value is not None}


def _execution(
    session: SessionRecord, *, known: Record, zone: tzinfo
) -> dict[str, Any]:
    entry = lay_out(session.record, _EXECUTION, known=known, zone=zone)
    if session.environment is not None:
        entry[f.ENVIRONMENT] = session.environment
    if session.node is not None:
        entry[f.NODE] = session.node
    process = encode(session.process)
    if isinstance(process.get("arguments"), list):
        entry[f.ARGUMENTS] = process.pop("arguments")
    if process:
        entry[f.PROCESS] = process
    return entry


def _sortable(entry: Mapping[str, Any]) -> bytes:
    return canonical({name: entry[name] for name in entry if name != f.START})


def _most_common(properties: Iterable[Record]) -> Record:
    by_text = [(record_text(record), record) for record in properties]
    count = Counter(key for key, _ in by_text)
    _, common = min(
        by_text, key=lambda item: (-count[item[0]], item[0]), default=(b"", {})
    )
    return common


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _packages(packages: object) -> dict[str, str]:
    listed = packages if isinstance(packages, list) else []
    return {
        encode_key(package["name"]): package["version"]
        for package in map(_mapping, listed)
        if is_plain_text(package.get("name")) and is_plain_text(package.get("version"))
    }
