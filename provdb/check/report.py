"""The findings of a check: their kinds, one row each, and how often there is each."""

import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from provdb.model import Document
from provdb.model import fields as f
from provdb.tabular import Tabular

__all__ = ["KINDS", "CheckReport", "Fault", "Finding", "Findings"]


class _Kind(NamedTuple):
    """What a kind of finding says in a sentence, and what to do about it."""

    sentence: str
    next_step: str


_MISSING_RECORDS: Final = "ingest the log that has the missing records"
_DEFINITION: Final = "correct the definition, or the names that the pipeline records"
# The kinds of findings, in the order of the report. The texts take the fields of a
# finding; a fault that knows more than they do has a sentence or a next step itself.
_KINDS: Final[Mapping[str, _Kind]] = {
    "content conflict": _Kind(
        "The content of {location} {detail}.",
        "find what changed it; its recorded writes: provdb query versions {location}",
    ),
    "dangling input": _Kind(
        "{step} used {location}, and no step is known to have made it.",
        "ingest the log of the step that made it",
    ),
    "time conflict": _Kind(
        "The times of {step} contradict each other: {detail}.",
        "compare the clocks of the machines, and the time zone of the log",
    ),
    "across telescopes": _Kind(
        "{step} {detail}.",
        "look at the command of the step: provdb reproduce {location}",
    ),
    "placeholder": _Kind(
        "The path {location} has a placeholder: {detail}.",
        "correct the template in the pipeline, or pass the value that is missing",
    ),
    "undeclared activity": _Kind("{step} is {detail}.", _DEFINITION),
    "undeclared role": _Kind(
        "{step} has a role that the definition does not declare, {detail}.",
        _DEFINITION,
    ),
    "undeclared entity": _Kind(
        "{step} has an entity that the definition does not declare, {detail}.",
        _DEFINITION,
    ),
    "missing role": _Kind(
        "{step} completed without a role of the definition, {detail}.",
        _MISSING_RECORDS,
    ),
    "no end": _Kind(
        "{step} has no recorded end.",
        "ingest the rest of its log once the job has ended",
    ),
    "no start": _Kind("Records of {detail} have no recorded start.", _MISSING_RECORDS),
    "dangling link": _Kind(
        "No record describes what {step} names, {detail}.", _MISSING_RECORDS
    ),
    "unknown session": _Kind("{step} has {detail}.", _MISSING_RECORDS),
    "id collision": _Kind(
        "{detail} means several activities of one session tag.",
        "name these activities by the ids that provdb prints",
    ),
}
KINDS: Final = tuple(_KINDS)
_NO_STEP: Final = "an entity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong, as often as it is.

    Attributes:
        kind: One of `KINDS`.
        step: Name of the activities that it is about, or None if of entities.
        detail: What it is: a role, the name of an entity, an id.
        count: How many there are.
        example: Id of the first activity or entity that has it.
        session_tag: Session tag of that activity.
        entity: Id of the file that it is about, in the example, or None if of no file.
        location: Path or URL of that file.
        sentence: All of it as one sentence.
        next_step: What to do about it.
    """

    kind: str
    step: str | None
    detail: str
    count: int
    example: str
    session_tag: str | None
    entity: str | None
    location: str | None
    sentence: str
    next_step: str

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as it stands in JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport(Tabular):
    """What was looked at, and what is wrong with it.

    Attributes:
        activities: How many activities were looked at.
        entities: How many entities were looked at.
        findings: What is wrong, by kind, step and detail.
    """

    activities: int
    entities: int
    findings: tuple[Finding, ...]

    @property
    def next_steps(self) -> dict[str, str]:
        """The next step of the first finding of each kind, by kind."""
        first: dict[str, str] = {}
        for finding in self.findings:
            first.setdefault(finding.kind, finding.next_step)
        return first

    def rows(self) -> list[dict[str, Any]]:
        """Return the findings as they stand in JSON."""
        return [finding.to_dict() for finding in self.findings]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as it stands in JSON."""
        return {
            "activities": self.activities,
            "entities": self.entities,
            "findings": self.rows(),
        }


class Fault(NamedTuple):
    """What findings have in common that are counted as one.

    Attributes:
        kind: One of `KINDS`.
        step: Name of the activities, or None for entities.
        detail: What it is.
        entity: Id of the file, where each file is a finding of its own.
    """

    kind: str
    step: str | None
    detail: str
    entity: str | None = None


class _Example(NamedTuple):
    id: str
    session_tag: str | None
    entity: str | None
    location: str | None
    sentence: str | None
    next_step: str | None


class Findings:
    """The faults that were found so far, each with its number and first example."""

    def __init__(self) -> None:
        """Begin without any."""
        self._counts: Counter[Fault] = Counter()
        self._first: dict[Fault, _Example] = {}

    def add(
        self,
        fault: Fault,
        document: Document,
        *,
        file: Document | None = None,
        sentence: str | None = None,
        next_step: str | None = None,
    ) -> None:
        """Count a fault of an activity or an entity.

        Args:
            fault: What is wrong.
            document: The document that has it.
            file: The entity that it is about, or None if of none.
            sentence: What to say instead of the sentence of the kind.
            next_step: What to say instead of the next step of the kind.
        """
        self._counts[fault] += 1
        known = self._first.get(fault)
        id_ = str(document[f.ID])
        # The first one by its id, whatever the order of the store.
        if known is None or id_ < known.id:
            self._first[fault] = _Example(
                id=id_,
                session_tag=document.get(f.SESSION_TAG),
                entity=None if file is None else file[f.ID],
                location=None if file is None else file.get(f.LOCATION),
                sentence=sentence,
                next_step=next_step,
            )

    def in_order(self) -> tuple[Finding, ...]:
        """Return a finding for each fault, by kind, step and detail."""
        return tuple(
            self._finding(fault, count)
            for fault, count in sorted(self._counts.items(), key=_order)
        )

    def _finding(self, fault: Fault, count: int) -> Finding:
        example = self._first[fault]
        kind = _KINDS[fault.kind]
        place = example.location or example.entity or ""
        known = {"step": fault.step or _NO_STEP, "detail": fault.detail}
        return Finding(
            kind=fault.kind,
            step=fault.step,
            detail=fault.detail,
            count=count,
            example=example.id,
            session_tag=example.session_tag,
            entity=example.entity,
            location=example.location,
            sentence=example.sentence or kind.sentence.format(**known, location=place),
            next_step=example.next_step
            or kind.next_step.format(**known, location=shlex.quote(place)),
        )


def _order(item: tuple[Fault, int]) -> tuple[int, str, str, str]:
    fault, _ = item
    place = KINDS.index(fault.kind)
    return place, fault.step or "", fault.detail, fault.entity or ""
