"""What is known of the activities of one side, step by step, in terms of no one run."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from statistics import median
from typing import Any, Final, NamedTuple

from provdb.compare.nature import Nature, night_of
from provdb.compare.side import Side
from provdb.model import Document, decode, file_name
from provdb.model import fields as f
from provdb.model.names import calibration_runs
from provdb.model.values import (
    canonical,
    decode_key,
    encode,
    is_plain_integer,
    is_plain_text,
)

__all__ = ["Copy", "Facts", "Input", "Place", "Values", "facts_of"]

_UNKNOWN: Final = "unknown step"
_PYTHON: Final = "python"
_SOFTWARE_VERSION: Final = "software_version"
_DATE: Final = "observation_date"


class Place(NamedTuple):
    """What a value is of: a kind of thing, the step, and which one of that kind."""

    kind: str
    step: str
    name: str


class Input(NamedTuple):
    """One use of an entity, in terms of no one run.

    Attributes:
        place: Its path without what is of the run, or what it is called.
        written: Its path as it is.
        is_own: Whether the path is of the run, or one of the steps made it.
        hash: Hash of the content, where it was recorded.
        has_copy: Whether the store has a copy of it, or its digest at least.
    """

    place: str
    written: str
    is_own: bool
    hash: str | None
    has_copy: bool


class Copy(NamedTuple):
    """A copy of a configuration file that an activity named.

    Attributes:
        digest: Digest of the content.
        location: Path under which it was named.
        nature: What is of the run of the activity.
    """

    digest: str
    location: str
    nature: Nature


class Values:
    """Different values of one thing, each by what it is in terms of no one run."""

    def __init__(self) -> None:
        """Start with none."""
        self._written: dict[bytes, dict[bytes, Any]] = {}
        self._natural: dict[bytes, Any] = {}

    def add(self, natural: Any, written: Any) -> None:
        """Add a value: in terms of no one run, and as it is written."""
        key = canonical(encode(natural))
        self._natural[key] = natural
        self._written.setdefault(key, {})[canonical(encode(written))] = written

    def without(self, other: "Values") -> tuple[Any, ...]:
        """Return the values that another one has not, as written where there is one.

        What is written alike is the same, whichever run it is of.
        """
        written = {text for texts in other._written.values() for text in texts}
        return tuple(
            self._shown(key)
            for key in sorted(self._natural.keys() - other._natural.keys())
            if not written.issuperset(self._written[key])
        )

    def _shown(self, key: bytes) -> Any:
        written = self._written[key]
        return next(iter(written.values())) if len(written) == 1 else self._natural[key]


@dataclass(slots=True)
class Facts:
    """All that is compared of one side.

    Attributes:
        steps: Names of the steps, with the number of activities, in order.
        values: Values that are compared as they are, by their places.
        inputs: The inputs of each role, by their places.
        copies: Copies of configuration files, by their places.
        seconds: Median duration of each step.
        known: What somebody recorded of a step at all, and the step.
    """

    steps: dict[str, int] = field(default_factory=dict)
    values: dict[Place, Values] = field(default_factory=dict)
    inputs: dict[Place, set[Input]] = field(default_factory=dict)
    copies: dict[Place, set[Copy]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    known: set[tuple[str, str]] = field(default_factory=set)

    def knows(self, place: Place) -> bool:
        """Say whether anybody recorded what a place is one of."""
        return (_recorded_as(place), place.step) in self.known


def facts_of(side: Side) -> Facts:
    """Return what is known of the activities of one side."""
    facts = Facts()
    generated = side.generated
    told: set[tuple[str, str | None]] = set()
    natures: dict[tuple[Any, ...], Nature] = {}
    durations: dict[str, list[float]] = {}
    for activity in side.activities:
        step = activity.get(f.NAME) or _UNKNOWN
        run, nights = activity[f.RUN], frozenset(_nights(side, activity))
        runs = calibration_runs(activity[f.SESSION_TAG])
        if (run, nights, runs) not in natures:
            natures[run, nights, runs] = Nature(run, nights, calibration=runs)
        nature = natures[run, nights, runs]
        facts.steps[step] = facts.steps.get(step, 0) + 1
        said = list(_said(side, activity, nature))
        environment = activity.get(f.ENVIRONMENT)
        if (step, environment) not in told:
            # Many activities have one environment, with hundreds of packages.
            told.add((step, environment))
            said += _said_of_environment(side.environments.get(environment or ""))
        for kind, name, natural, written in said:
            place = Place(kind, step, name)
            facts.values.setdefault(place, Values()).add(natural, written)
            facts.known.add((_recorded_as(place), step))
        _add_inputs(facts, side, activity, nature, step=step, generated=generated)
        if activity.get(f.START) is not None and activity.get(f.END) is not None:
            lasted = (activity[f.END] - activity[f.START]).total_seconds()
            durations.setdefault(step, []).append(lasted)
    facts.seconds = {step: median(durations[step]) for step in durations}
    return facts


def _said(
    side: Side, activity: Document, nature: Nature
) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield kind, name and value of what is compared as it is."""
    yield "status", "status", activity[f.STATUS], activity[f.STATUS]
    for name, value in _flat("", decode(activity[f.PARAMETERS])):
        yield "parameter", name, nature.value(name, value), value
    declared = side.properties(activity).get(_SOFTWARE_VERSION)
    if declared is not None:
        yield "software", _SOFTWARE_VERSION, str(declared), str(declared)
    git = side.commit(activity)
    if "commit" in git:
        changed = " with changes" if git.get("dirty") else ""
        commit = f"{git['commit']}{changed}"
        yield "commit", "git", commit, commit


def _said_of_environment(
    environment: Document | None,
) -> Iterator[tuple[str, str, Any, Any]]:
    if environment is None:
        return
    packages = environment[f.PACKAGES].items()
    versions = [(str(decode_key(name)), version) for name, version in packages]
    for name, version in [(_PYTHON, environment[f.INTERPRETER]), *versions]:
        if version is not None:
            yield "software", name, version, version
    if environment[f.NODE] is not None:
        yield "node", "node", environment[f.NODE], environment[f.NODE]


def _recorded_as(place: Place) -> str:
    # A session says which software it runs beside what its environment says.
    return place.name if place.name == _SOFTWARE_VERSION else place.kind


def _add_inputs(
    facts: Facts,
    side: Side,
    activity: Document,
    nature: Nature,
    *,
    step: str,
    generated: frozenset[str],
) -> None:
    copied = {
        copy[f.LOCATION]: copy
        for copy in activity.get(f.COPIES, ())
        if f.LOCATION in copy
    }
    roles: dict[str, str] = {}
    for link in activity[f.USED]:
        document = side.entities.get(link[f.ENTITY], {})
        location = document.get(f.LOCATION)
        called = document.get(f.NAME) or link[f.ENTITY]
        role = link.get(f.ROLE) or called
        if location is not None:
            roles[location] = role
        used = _input(
            nature,
            location,
            called,
            is_made=link[f.ENTITY] in generated,
            hash_=link.get(f.HASH),
            has_copy=location in copied,
        )
        facts.inputs.setdefault(Place("input", step, role), set()).add(used)
    for location, copy in copied.items():
        name = roles.get(location) or nature.text(file_name(location))
        place = Place("configuration", step, name)
        found = Copy(copy[f.ENTITY], location, nature)
        facts.copies.setdefault(place, set()).add(found)


def _input(
    nature: Nature,
    location: str | None,
    called: str,
    *,
    is_made: bool,
    hash_: str | None,
    has_copy: bool,
) -> Input:
    if location is None:
        # Its id is of its session, and says nothing.
        return Input(called, called, True, None, False)
    natural = nature.text(location)
    place = file_name(natural) if is_made else natural
    return Input(place, location, is_made or natural != location, hash_, has_copy)


def _nights(side: Side, activity: Document) -> Iterator[str]:
    """Yield the nights of the data of an activity."""
    observed = night_of(str(side.properties(activity).get(_DATE, "")))
    if observed is not None:
        yield observed
    runs = calibration_runs(activity[f.SESSION_TAG])
    numbers = Nature(activity[f.RUN], calibration=runs)
    for link in (*activity[f.USED], *activity[f.GENERATED]):
        location = side.entities.get(link[f.ENTITY], {}).get(f.LOCATION)
        if location is not None and numbers.text(location) != location:
            night = night_of(location)
            if night is not None:
                yield night


def _flat(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _flat(f"{key}.{name}" if key else str(name), item)
    elif key:
        yield key, _plain(value)


def _plain(value: Any) -> Any:
    """Return a literal as JSON holds it; what JSON has not as Python writes it."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {ascii(key): _plain(item) for key, item in value.items()}
    is_number = isinstance(value, float) and isfinite(value)
    if value is None or isinstance(value, bool) or is_number:
        return value
    return value if is_plain_text(value) or is_plain_integer(value) else ascii(value)
