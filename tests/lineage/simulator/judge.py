"""Compare what provdb answers with what is on the disk.

provdb is asked as a user asks it: a store, `lineage`, `versions`. What it answers is
reduced to the jobs and the raw files that a file came from, and to whether anything
in the answer is marked as uncertain or missing.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from provdb.errors import NotFound
from provdb.lineage import Lineage, WalkOptions, lineage, versions
from provdb.model import Folder
from provdb.model.ids import location_id
from provdb.store import Store, open_store
from tests.lineage.simulator.disk import (
    UNKNOWN_HAND,
    File,
    Job,
    State,
    Truth,
    sealed_states,
    truth_of,
)
from tests.lineage.simulator.history import History, Line

__all__ = [
    "EXCUSED",
    "MARKED",
    "NEEDLESS",
    "RIGHT",
    "SILENT",
    "Verdict",
    "count_kinds",
    "judge",
    "marks_of",
    "places_of_marks",
    "products",
    "store_of",
    "told_of",
    "write_logs",
]

RIGHT: Final = "right"
NEEDLESS: Final = "needless"
MARKED: Final = "marked"
SILENT: Final = "silent"
EXCUSED: Final = "excused"
_MIXED: Final = "mixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one answer is worth.

    Attributes:
        question: What was asked.
        kind: ``right``, ``needless`` (right, but marked as uncertain), ``marked``
            (wrong, and it says where), ``silent`` (wrong, without a word) or
            ``excused`` (wrong where no log could tell: content changed with no
            record and no hash).
        missing: Jobs and raw files that the answer lacks.
        added: Jobs and raw files that the answer has, and that are not in the file.
        marks: What the answer says of itself.
        is_apart: Whether the answer is ``marked``, but not where it is wrong.
    """

    question: str
    kind: str
    missing: tuple[str, ...]
    added: tuple[str, ...]
    marks: tuple[str, ...]
    is_apart: bool = False


def write_logs(store: Store, logs: Iterable[list[Line]]) -> Store:
    """Write logs into a store, each as a source of its own, and return the store."""
    for log in logs:
        folder = Folder(zone=store.zone)
        source = _name_of(log)
        for place, line in enumerate(log, 1):
            folder.add(line.record, source=source, place=place)
        store.write(folder.take())
    return store


def store_of(history: History, *, uri: str = "memory://") -> Store:
    """Return a new store that has the logs of a history."""
    return write_logs(open_store(uri, zone=history.zone), history.logs)


def judge(
    history: History, store: Store, *, with_versions: bool = True
) -> Iterator[Verdict]:
    """Ask for every product of a history, and yield what the answers are worth."""
    now = max((job.end for job in history.disk.jobs), default=0.0) + 1e6
    for file in products(history):
        state = history.disk.now(file)
        yield _verdict(history, store, file, state, now, WalkOptions(), "now")
        for time in history.quiet:
            state = history.disk.at(file, time)
            if not any(content.writer for _, content in state):
                continue
            options = WalkOptions(as_of=history.clock(time))
            asked = f"as of {time:.1f}"
            yield _verdict(history, store, file, state, time, options, asked)
        if with_versions and history.has_versions:
            yield from _judge_versions(history, store, file)


def products(history: History) -> list[File]:
    """Return the files that are there in the end, and that somebody made."""
    disk = history.disk
    return [
        file
        for path, file in sorted(disk.files.items())
        if not file.is_local
        and any(
            content.writer is not None or content.origin == UNKNOWN_HAND
            for _, content in disk.now(file)
        )
        and path in history.named
    ]


def marks_of(answer: Lineage) -> tuple[str, ...]:
    """Return all that an answer says of what is uncertain or missing in it."""
    marks = {mark for edge in answer.edges for mark in edge.marks}
    marks |= {mark for node in answer.nodes for mark in node.marks}
    marks |= {"gap" for node in answer.nodes if node.origin == "gap"}
    marks |= {"maybe_damaged" for edge in answer.edges if edge.damaged_by}
    said = answer.completeness
    marks |= {"gap"} if said.gaps else set()
    marks |= {"tie"} if said.ties else set()
    marks |= {"incomplete"} if said.incomplete else set()
    marks |= {"maybe_damaged"} if said.damaged else set()
    marks |= {_MIXED} if said.mixed else set()
    return tuple(sorted(marks))


def places_of_marks(answer: Lineage) -> frozenset[tuple[str, ...]]:
    """Return each mark and each gap of an answer, with the place that it names."""
    said = answer.completeness
    return frozenset(
        [
            *(
                (edge.source, edge.target, m)
                for edge in answer.edges
                for m in edge.marks
            ),
            *((node.id, mark) for node in answer.nodes for mark in node.marks),
            *((id_, "gap") for id_ in said.gaps),
            *((node.id, "gap") for node in answer.nodes if node.origin == "gap"),
            *((id_, "incomplete") for id_ in said.incomplete),
            *((id_, "maybe_damaged") for id_ in said.damaged),
            *((tie, "tie") for tie in said.ties),
        ]
    )


def _verdict(
    history: History,
    store: Store,
    file: File,
    state: State,
    until: float,
    options: WalkOptions,
    asked: str,
) -> Verdict:
    question = f"{file.path} {asked}"
    truth = truth_of(history.disk, state, file, until=until)
    try:
        answer = lineage(store, location_id(file.path), options=options)
    except NotFound:
        # Said aloud, not silently wrong.
        return Verdict(
            question=question,
            kind=MARKED if truth.is_known else EXCUSED,
            missing=_names(truth.jobs | truth.raw),
            added=(),
            marks=("not found",),
        )
    return _compared(history, truth, answer, question)


def _judge_versions(history: History, store: Store, file: File) -> Iterator[Verdict]:
    """Compare the versions that provdb lists with the states that the file had."""
    places = history.disk.placements["", file.path]
    known = [
        version
        for version in versions(store, location_id(file.path))
        if version.status == "completed"
    ]
    answers = [lineage(store, version.id) for version in known]
    told = [told_of(history, answer) for answer in answers]
    marked = sorted({mark for answer in answers for mark in marks_of(answer)})
    held = [truth_of(history.disk, p.state, file, until=p.time) for p in places]
    seen = {(one.jobs, one.raw) for one in held}
    for version, answer, said in zip(known, answers, told, strict=True):
        if said in seen:
            continue
        made = _makers(history, answer)
        nearest = min(
            zip(places, held, strict=True),
            key=lambda one: (
                _writers(one[0].state) != made,
                # It is what was there after the last one of these wrote.
                -one[0].time if one[0].job in made else math.inf,
                len(one[1].jobs ^ said[0]),
            ),
        )[1]
        asked = f"{file.path} version {version.id}"
        yield _compared(history, nearest, answer, asked)
    for place in sealed_states(places):
        job = place.job
        if job is None or job.status or not job.has_end or not place.is_known:
            continue  # Nobody says that it was there, or that it was whole.
        writers = _writers(place.state) - {None}
        if any(one.status or not one.has_end for one in writers):
            continue  # It is a version with what an unfinished job left in it.
        truth = truth_of(history.disk, place.state, file, until=place.time)
        is_there = (truth.jobs, truth.raw) in told
        kind = RIGHT if is_there else MARKED if marked else SILENT
        if not is_there and not truth.is_known:
            kind = EXCUSED
        yield Verdict(
            question=f"{file.path} version of {place.time:.1f}",
            kind=kind,
            missing=() if is_there else _names(truth.jobs | truth.raw),
            added=(),
            marks=tuple(marked),
        )


def _compared(
    history: History, truth: Truth, answer: Lineage, question: str
) -> Verdict:
    jobs, raw = told_of(history, answer)
    marks = marks_of(answer)
    is_right = jobs == truth.jobs and raw == truth.raw
    if is_right:
        doubts = set(marks)
        if _is_mixed(truth):
            doubts.discard(_MIXED)
        kind = NEEDLESS if doubts else RIGHT
    elif marks:
        kind = MARKED
    else:
        kind = SILENT if truth.is_known else EXCUSED
    return Verdict(
        question=question,
        kind=kind,
        missing=_names((truth.jobs - jobs) | (truth.raw - raw)),
        added=_names((jobs - truth.jobs) | (raw - truth.raw)),
        marks=marks,
        is_apart=kind == MARKED and truth.is_known and _is_apart(history, answer),
    )


def told_of(history: History, answer: Lineage) -> tuple[frozenset[Any], frozenset[str]]:
    """Return the jobs and the paths of the raw files of an answer."""
    jobs = {
        history.keys.get(node.id, node.id)
        for node in answer.nodes
        if node.kind == "activity"
    }
    derived = {edge.source for edge in answer.edges}
    raw = {
        node.location or node.id
        for node in answer.nodes
        if node.kind != "activity" and node.level == "R0" and node.id not in derived
    }
    return frozenset(jobs), frozenset(raw)


def _makers(history: History, answer: Lineage) -> set[Any]:
    """Return the jobs that wrote what was asked for."""
    return {
        history.keys.get(edge.target, edge.target)
        for edge in answer.edges
        if edge.relation == "wasGeneratedBy" and edge.source == answer.start
    }


def _writers(state: State) -> set[Any]:
    return {content.writer for _, content in state}


def _is_apart(history: History, answer: Lineage) -> bool:
    """Say whether some read is answered wrongly, and nothing near it is marked."""
    nodes = {node.id: node for node in answer.nodes}
    makers: dict[str, set[str]] = {}
    marked = {edge.source for edge in answer.edges if edge.marks or edge.damaged_by}
    marked |= {node.id for node in answer.nodes if node.marks or node.origin == "gap"}
    for edge in answer.edges:
        if edge.relation == "wasGeneratedBy":
            makers.setdefault(edge.source, set()).add(edge.target)
    for edge in answer.edges:
        job = history.keys.get(edge.source)
        if edge.relation != "used" or job is None:
            continue
        path = nodes[edge.target].location
        read = next((r for r in job.reads if r.file.path == path), None)
        if read is None or edge.marks or {edge.source, edge.target} & marked:
            continue
        wrote = {c.writer for _, c in read.state if c.writer is not None}
        said = {history.keys.get(id_) for id_ in makers.get(edge.target, ())}
        if wrote != said and edge.target in makers:
            return True
    return False


def _is_mixed(truth: Truth) -> bool:
    """Say whether a file that was read holds parts of several processings."""
    states = [read.state for job in truth.jobs for read in job.reads]
    states += [write.state for job in truth.jobs for write in job.writes]
    return any(map(_is_of_several, states))


def _is_of_several(state: State) -> bool:
    turns = {(c.turn, c.writer.software) for _, c in state if c.writer}
    return len(turns) > 1


def _names(things: Iterable[Job | str]) -> tuple[str, ...]:
    return tuple(sorted(map(str, things)))


def _name_of(log: list[Line]) -> str:
    """Return the name of a log: a digest of how it begins, as that of provdb's own."""
    first = "".join(line.text() for line in log[:2])
    return hashlib.md5(first.encode(), usedforsecurity=False).hexdigest()[:16]


def count_kinds(verdicts: Iterable[Verdict]) -> Counter[str]:
    """Count verdicts by their kind."""
    return Counter(verdict.kind for verdict in verdicts)
