"""Activity documents: one execution of one step, with all that it used and generated.

An activity document is a function of the set of records that state something about
one execution, and gives that set back. What it takes from its session (arguments,
environment) is added by `attach_execution` and can be added again at any time.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any, Final

from provdb.model import fields as f
from provdb.model.ids import activity_key
from provdb.model.names import run_of_tag, subrun_of_arguments
from provdb.model.records import (
    Field,
    Kind,
    Record,
    Table,
    identifier,
    kind_of,
    lay_out,
    restore,
    text,
    time,
    truth,
)
from provdb.model.times import is_ambiguous, microseconds_of
from provdb.model.values import canonical, decode, encode

__all__ = [
    "ACTIVITY_VERSION",
    "ATTACHED",
    "MODES",
    "activity_document",
    "activity_records",
    "attach_execution",
    "is_waiting",
    "merge_recorded",
    "waiting_keys",
]

ACTIVITY_VERSION: Final = 2
# What an activity takes from the entry of its session, together or not at all.
ATTACHED: Final = (f.ENVIRONMENT, f.NODE, f.ARGUMENTS)
# An activity without an end is ``running``, or ``unknown`` if it was stated by somebody
# who does not record each start and each end.
STATUSES: Final = ("running", "completed", "failed", "interrupted", "unknown")
# How a write may change a file: as a whole, in the slot of its writer, or at its end.
MODES: Final = ("overwrite", "part", "append")
_SUBRUN: Final = re.compile(r"\d{1,9}")

_START: Final = Table(
    Field(record="name", document=f.NAME, convert=text),
    Field(record="startTime", document=f.START, convert=time),
    Field(record="session_start", document=f.SESSION_START, convert=text),
    Field(record="agent_name", document=f.AGENT, convert=text),
    Field(record="script", document=f.SCRIPT, convert=text),
    Field(record="granularity", document=f.GRANULARITY, convert=text),
    Field(record="started_by", document=f.STARTED_BY, convert=text),
    Field(record="dry_run", document=f.DRY_RUN, convert=truth),
)
_END: Final = Table(Field(record="endTime", document=f.END, convert=time))
# The start and the end are two records of one document.
_PART_OF_END: Final = {
    f.END: f.END,
    f.EXTRA: f.END_EXTRA,
    f.WRITTEN: f.END_WRITTEN,
}


def _mode(value: Any, zone: tzinfo | None = None) -> str | None:
    return value if value in MODES else None


def _link_fields(prefix: str, *more: Field) -> Table:
    return Table(
        Field(record=f"{prefix}_id", document=f.ENTITY, convert=identifier),
        Field(record=f"{prefix}_role", document=f.ROLE, convert=text),
        Field(record=f"{prefix}_hash", document=f.HASH, convert=text),
        *more,
    )


_LINKS: Final = (
    (Kind.USAGE, f.USED, _link_fields("used")),
    (
        Kind.GENERATION,
        f.GENERATED,
        _link_fields("generated", Field(record="mode", document=f.MODE, convert=_mode)),
    ),
    (Kind.INVALIDATION, f.INVALIDATED, _link_fields("invalidated")),
    (
        Kind.FILE,
        f.COPIES,
        Table(
            Field(record="file_id", document=f.ENTITY, convert=text),
            Field(record="filepath", document=f.LOCATION, convert=text),
        ),
    ),
)
# Few activities have these.
_OPTIONAL: Final = (f.INVALIDATED, f.COPIES)


def activity_document(
    records: Mapping[bytes, Record],
    *,
    session_tag: str | None,
    zone: tzinfo,
    recorded: Iterable[Mapping[str, Any]] = (),
    activity_id: str | None = None,
) -> dict[str, Any]:
    """Return the document of one execution from the records about it.

    Args:
        records: Records that all have one ``activity_id``, by their canonical text
            (`records.distinct`), without their start if that is not known yet.
        session_tag: The tag of the execution, which its records have by default.
        zone: Zone of times that name none.
        recorded: Entries of ``recorded``: where records of its start and its end stand.
        activity_id: The id that the records have; needed only if there are none.
    """
    by_text = dict(sorted(records.items()))
    by_kind: dict[Kind, dict[bytes, Record]] = {}
    for key, record in by_text.items():
        by_kind.setdefault(kind_of(record), {})[key] = record
    start_key, start = _fullest(by_kind.get(Kind.START, {}))
    end_key, end = _fullest(by_kind.get(Kind.END, {}))
    some: Record = next(iter(by_text.values()), {"activity_id": activity_id})
    source_id = str(some["activity_id"])
    session_id = identifier(start.get("in_session"))
    document: dict[str, Any] = {
        f.ID: activity_key(session_tag, session_id, source_id, start_text(start)),
        f.SCHEMA_VERSION: ACTIVITY_VERSION,
        f.SESSION_TAG: session_tag,
        f.SESSION_ID: session_id,
        f.ACTIVITY_ID: source_id,
        f.RUN: run_of_tag(session_tag),
        f.STATUS: _status(start, end),
    }
    known = _known(document)
    given_back = {start_key, end_key}
    if start:
        document |= lay_out(start, _START, known=_known_of_start(document), zone=zone)
        document |= _precision(start.get("startTime"), f.START, zone=zone)
    if end:
        part = lay_out(end, _END, known=known, zone=zone)
        document |= {_PART_OF_END[name]: part[name] for name in part}
        document |= _precision(end.get("endTime"), f.END, zone=zone)
    if places := merge_recorded(recorded):
        document[f.RECORDED] = places
    for kind, array, table in _LINKS:
        links = [
            (key, lay_out(record, table, known=known, zone=zone))
            for key, record in by_kind.get(kind, {}).items()
        ]
        links = _without_repeats([(k, link) for k, link in links if f.ENTITY in link])
        given_back.update(key for key, _ in links)
        if links or array not in _OPTIONAL:
            document[array] = _in_order([link for _, link in links])
    parameters = by_kind.get(Kind.PARAMETERS, {})
    document[f.PARAMETERS] = encode(_merged_parameters(parameters.values()))
    if document[f.PARAMETERS] and len(parameters) == 1:
        (record,) = parameters.values()
        if record == _restored_parameters(document):
            given_back.update(parameters)
    others = [encode(by_text[key]) for key in by_text if key not in given_back]
    if others:
        document[f.OTHER_RECORDS] = others
    _add_subrun(document)
    return document


def activity_records(document: Mapping[str, Any]) -> list[Record]:
    """Return the records that an activity document was made from.

    The inverse of `activity_document`, order and repeats apart.
    """
    known = _known(document)
    others = [decode(record) for record in document.get(f.OTHER_RECORDS, ())]
    records: list[Record] = []
    if not is_waiting(document):
        records.append(restore(document, _START, known=_known_of_start(document)))
    end = {
        name: document[stored]
        for name, stored in _PART_OF_END.items()
        if stored in document
    }
    if end:
        records.append(restore(end, _END, known=known))
    for _, array, table in _LINKS:
        records += [
            restore(link, table, known=known) for link in document.get(array, ())
        ]
    if document[f.PARAMETERS] and not any(
        kind_of(record) is Kind.PARAMETERS for record in others
    ):
        records.append(_restored_parameters(document))
    return records + others


def attach_execution(
    document: Mapping[str, Any], execution: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an activity document with what its session's execution says of it.

    What another execution said of it before is forgotten.

    Args:
        document: An activity document.
        execution: The entry of its session document that it belongs to.
    """
    attached = {name: document[name] for name in document if name not in ATTACHED}
    attached |= {name: execution[name] for name in ATTACHED if name in execution}
    _add_subrun(attached)
    return attached


def merge_recorded(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one entry for each source, with the first place of each record in it.

    An entry has the ``source`` of records, and the places in it of the records of the
    ``start`` and the ``end``. Places order the records of one source.

    >>> merge_recorded([{"source": "a1", "start": 7}, {"source": "a1", "end": 9}])
    [{'source': 'a1', 'start': 7, 'end': 9}]
    """
    merged: dict[str, dict[str, Any]] = {}
    for entry in entries:
        known = merged.setdefault(entry[f.SOURCE], {f.SOURCE: entry[f.SOURCE]})
        for name in (f.START, f.END):
            if name in entry:
                known[name] = min(entry[name], known.get(name, entry[name]))
    return [
        {name: entry[name] for name in (f.SOURCE, f.START, f.END) if name in entry}
        for _, entry in sorted(merged.items())
    ]


def is_waiting(document: Mapping[str, Any]) -> bool:
    """Say whether the start of a document's activity has not been seen yet."""
    fields = (f.NAME, f.START, f.AGENT, f.SCRIPT, f.EXTRA, f.WRITTEN)
    return document[f.SESSION_ID] is None and not any(
        name in document for name in fields
    )


def waiting_keys(document: Mapping[str, Any]) -> tuple[str, str]:
    """Return the ids under which statements about an activity wait for its start."""
    source_id = document[f.ACTIVITY_ID]
    return (
        activity_key(document[f.SESSION_TAG], None, source_id, None),
        activity_key(None, None, source_id, None),
    )


def start_text(start: Mapping[str, Any]) -> str | None:
    """Return the start of an activity or a session as its record writes it."""
    written = start.get("startTime")
    return None if written is None else str(written)


_MICROSECONDS: Final = {f.START: f.START_MICROSECONDS, f.END: f.END_MICROSECONDS}
_AMBIGUOUS: Final = {f.START: f.START_AMBIGUOUS, f.END: f.END_AMBIGUOUS}


def _precision(written: object, field: str, *, zone: tzinfo) -> dict[str, Any]:
    """Return what the stored time does not hold of a time as it was written."""
    precision: dict[str, Any] = {}
    if microseconds := microseconds_of(written):
        precision[_MICROSECONDS[field]] = microseconds
    if is_ambiguous(written, zone=zone):
        precision[_AMBIGUOUS[field]] = True
    return precision


def _known(document: Mapping[str, Any]) -> Record:
    known = {"activity_id": document[f.ACTIVITY_ID]}
    if document[f.SESSION_TAG] is not None:
        known["session_tag"] = document[f.SESSION_TAG]
    return known


def _known_of_start(document: Mapping[str, Any]) -> Record:
    if document[f.SESSION_ID] is None:
        return _known(document)
    return {**_known(document), "in_session": document[f.SESSION_ID]}


def _fullest(records: Mapping[bytes, Record]) -> tuple[bytes, Record]:
    # Of equally full records the last in order: of two ends, the later one.
    return max(
        records.items(), key=lambda item: (len(item[1]), item[0]), default=(b"", {})
    )


def _status(start: Mapping[str, Any], end: Mapping[str, Any]) -> str:
    if end.get("status") in STATUSES:
        return str(end["status"])
    if end:
        return "completed"
    is_foreign = "prov" in start or start.get("status") == "unknown"
    return "unknown" if is_foreign else "running"


def _without_repeats(
    links: list[tuple[bytes, dict[str, Any]]],
) -> list[tuple[bytes, dict[str, Any]]]:
    """Leave out what names an entity and no more, where another link says more of it.

    The metadata of a file tells who generated it, and the log of the activity also in
    which role.
    """
    bare = [link for _, link in links if len(link) == 1]
    if not bare or len(links) == 1:
        return links
    told = {link[f.ENTITY] for _, link in links if len(link) > 1}
    return [
        (k, link) for k, link in links if len(link) > 1 or link[f.ENTITY] not in told
    ]


def _in_order(links: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ordered = {(link.get(f.ROLE, ""), link[f.ENTITY]): link for link in links}
    if len(ordered) == len(links):
        return [ordered[place] for place in sorted(ordered)]
    return sorted(
        links, key=lambda link: (link.get(f.ROLE, ""), link[f.ENTITY], canonical(link))
    )


def _merged_parameters(records: Iterable[Record]) -> dict[Any, Any]:
    merged: dict[Any, Any] = {}
    for record in records:
        if isinstance(record["parameters"], dict):
            merged |= record["parameters"]
    return merged


def _restored_parameters(document: Mapping[str, Any]) -> Record:
    return {**_known(document), "parameters": decode(document[f.PARAMETERS])}


def _add_subrun(document: dict[str, Any]) -> None:
    subrun = document[f.PARAMETERS].get("ObservationSubRun")
    if isinstance(subrun, str) and _SUBRUN.fullmatch(subrun):
        document[f.SUBRUN] = int(subrun)
    else:
        document[f.SUBRUN] = subrun_of_arguments(document.get(f.ARGUMENTS, ()))
