"""Compare two sides, step by step and role by role."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from provdb.compare.content import changed_lines, text_of, values_of
from provdb.compare.facts import Copy, Facts, Input, Place, Values, facts_of
from provdb.compare.result import Comparison, Difference
from provdb.compare.side import Side, load_side
from provdb.lineage import WalkOptions
from provdb.model import Document, file_content
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["diff"]

_EVERYTHING: Final = WalkOptions()
_KINDS: Final = (
    "step",
    "input",
    "parameter",
    "configuration",
    "software",
    "commit",
    "node",
    "status",
    "duration",
)
# What one side does not know of a step is no difference.
_OF_CAPTURE: Final = ("software", "commit", "node")
# Two executions of one step never take the same time.
_LONGER: Final = 1.5
_SECONDS: Final = 1.0
_SHORT: Final = 12

_Pair = tuple[tuple[Any, ...], tuple[Any, ...]]


def diff(
    store: Store,
    a: str,
    b: str,
    *,
    options: WalkOptions = _EVERYTHING,
    telescope: str | None = None,
) -> Comparison:
    """Return what differs between two files, runs, tags or productions.

    Steps of one name are compared: their inputs by role, parameters, configuration by
    content, software, commit of the code, node, status, and median duration where it
    is half as long again and more than a second longer. What is of another run or
    subrun by its nature is no difference: paths that differ only in its numbers or
    its night, times, ids. What one of the steps made is compared by its file name,
    for that step is compared itself. A value that one side did not record is none.

    Args:
        store: Where the documents are.
        a: The one side: ``run:01807`` or the number alone, or ``run:21000/LST-2`` where
            several telescopes have a run of that number; ``tag:r0_to_dl1:01807`` or
            the tag alone, with ``*`` and ``?``; ``production:v0.12.3``, a
            software_version of sessions, or ``production:v0.12.3/20200117``; else a
            file, as `find_name` takes it, with all it came from.
        b: The other side, in the same way.
        options: How far back files are followed.
        telescope: The telescope whose activities are compared; unless told, of all.

    Raises:
        NotFound: Nothing has one of the names, or nothing is known to have made it.
        Ambiguous: Several files have one of them.
        QueryError: One of them means more than can be compared.

    >>> import provdb
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> records = provdb.store_demo(store)
    >>> [(one.kind, one.name, one.a, one.b)
    ...     for one in diff(store, "run:01807", "run:01808").differences]
    []
    """
    sides = (
        load_side(store, a, options=options, telescope=telescope),
        load_side(store, b, options=options, telescope=telescope),
    )
    one, other = facts_of(sides[0]), facts_of(sides[1])
    steps = tuple(step for step in one.steps if step in other.steps)
    found: dict[Place, _Pair] = dict(_configuration(store, one, other, steps))
    found |= dict(_steps(one, other))
    found |= dict(_inputs(one, other, steps))
    found |= dict(_values(one, other, steps))
    found |= dict(_durations(one, other, steps))
    return Comparison(
        question={"a": a, "b": b, "kinds": [side.kind for side in sides]},
        steps=steps,
        activities=(len(sides[0].activities), len(sides[1].activities)),
        differences=tuple(_differences(found, [*one.steps, *other.steps])),
        warnings=(*_incomplete(sides), *_warnings((a, b), (one, other), steps)),
        completeness=sides[0].completeness.joined(sides[1].completeness),
    )


def _steps(one: Facts, other: Facts) -> Iterator[tuple[Place, _Pair]]:
    for step in dict.fromkeys((*one.steps, *other.steps)):
        if step not in other.steps:
            yield Place("step", step, step), ((one.steps[step],), ())
        elif step not in one.steps:
            yield Place("step", step, step), ((), (other.steps[step],))


def _values(
    one: Facts, other: Facts, steps: Collection[str]
) -> Iterator[tuple[Place, _Pair]]:
    none = Values()
    for place in one.values.keys() | other.values.keys():
        if place.step not in steps:
            continue
        if place.kind in _OF_CAPTURE and not (one.knows(place) and other.knows(place)):
            continue
        mine, yours = one.values.get(place, none), other.values.get(place, none)
        yield place, (mine.without(yours), yours.without(mine))


def _inputs(
    one: Facts, other: Facts, steps: Collection[str]
) -> Iterator[tuple[Place, _Pair]]:
    for place in one.inputs.keys() | other.inputs.keys():
        mine = one.inputs.get(place, set())
        yours = other.inputs.get(place, set())
        both = mine | yours
        is_copied = bool(mine and yours) and all(used.has_copy for used in both)
        if place.step not in steps or is_copied:
            continue
        has_hashes = all(used.hash is not None for used in both if not used.is_own)
        my_values = _places(mine, has_hashes=has_hashes)
        your_values = _places(yours, has_hashes=has_hashes)
        yield place, (my_values.without(your_values), your_values.without(my_values))


def _places(inputs: Collection[Input], *, has_hashes: bool) -> Values:
    places = Values()
    for used in inputs:
        if has_hashes and not used.is_own:
            written = f"{used.written} ({str(used.hash)[:_SHORT]})"
            places.add(used.hash, written)
        else:
            places.add(used.place, used.written)
    return places


def _configuration(
    store: Store, one: Facts, other: Facts, steps: Collection[str]
) -> Iterator[tuple[Place, _Pair]]:
    differing: list[tuple[Place, set[Copy], set[Copy]]] = []
    for place in one.copies.keys() | other.copies.keys():
        mine = one.copies.get(place, set())
        yours = other.copies.get(place, set())
        if place.step not in steps or not (mine and yours):
            # Where one side has no copy its path is compared, as an input.
            continue
        if {copy.digest for copy in mine} != {copy.digest for copy in yours}:
            differing.append((place, mine, yours))
    digests = {c.digest for _, mine, yours in differing for c in (*mine, *yours)}
    documents = {d[f.ID]: d for d in store.read(f.FILES, digests)}
    for place, mine, yours in differing:
        if (lines := _lines(mine, yours, documents)) is not None:
            for line, (before, after) in lines.items():
                yield place._replace(name=f"{place.name}, line {line}"), (before, after)
            continue
        my_values = _contents(mine, documents)
        your_values = _contents(yours, documents)
        none = Values()
        for key in my_values.keys() | your_values.keys():
            my_value = my_values.get(key, none)
            your_value = your_values.get(key, none)
            pair = my_value.without(your_value), your_value.without(my_value)
            yield place._replace(name=f"{place.name}: {key}"), pair


def _lines(
    mine: set[Copy], yours: set[Copy], documents: Mapping[str, Document]
) -> dict[int, _Pair] | None:
    """Return the lines that differ, if each side has one text without keys."""
    texts: list[str] = []
    for copies in (mine, yours):
        contents = {
            copy.nature.text(text)
            for copy in copies
            if (content := _content(copy, documents)) is not None
            and values_of(copy.location, content) is None
            and (text := text_of(content)) is not None
        }
        if len(contents) != 1 or len({copy.digest for copy in copies}) != 1:
            return None
        texts += contents
    return {
        line: ((before,) if before else (), (after,) if after else ())
        for line, before, after in changed_lines(*texts)
    }


def _contents(
    copies: set[Copy], documents: Mapping[str, Document]
) -> dict[str, Values]:
    """Return the values of configurations by key; of what has none its digest."""
    found: dict[str, Values] = {}
    for copy in copies:
        content = _content(copy, documents)
        values = None if content is None else values_of(copy.location, content)
        if values is None:
            values = {"content": copy.digest[:_SHORT]}
        for key, value in values.items():
            natural = copy.nature.value(key, value)
            found.setdefault(key, Values()).add(natural, value)
    return found


def _content(copy: Copy, documents: Mapping[str, Document]) -> bytes | None:
    document = documents.get(copy.digest)
    return None if document is None else file_content(document)


def _durations(
    one: Facts, other: Facts, steps: Collection[str]
) -> Iterator[tuple[Place, _Pair]]:
    for step in steps:
        if step not in one.seconds or step not in other.seconds:
            continue
        mine, yours = one.seconds[step], other.seconds[step]
        shorter, longer = sorted((mine, yours))
        if longer >= shorter * _LONGER and longer - shorter > _SECONDS:
            yield Place("duration", step, "median seconds"), ((mine,), (yours,))


def _differences(
    found: Mapping[Place, _Pair], steps: Sequence[str]
) -> Iterator[Difference]:
    """Yield what differs, in order; what is true of several steps once."""
    order = {step: place for place, step in enumerate(dict.fromkeys(steps))}
    merged: dict[tuple[str, str, str], list[Place]] = {}
    for place, pair in found.items():
        if pair[0] or pair[1]:
            merged.setdefault((place.kind, place.name, repr(pair)), []).append(place)
    rows = []
    for (kind, name, _), places in merged.items():
        ran = tuple(sorted((place.step for place in places), key=order.__getitem__))
        a, b = found[places[0]]
        rows.append(Difference(kind=kind, steps=ran, name=name, a=a, b=b))
    yield from sorted(
        rows,
        key=lambda row: (
            _KINDS.index(row.kind),
            [order[step] for step in row.steps],
            row.name,
        ),
    )


def _incomplete(sides: Iterable[Side]) -> Iterator[str]:
    for side in sides:
        if not side.completeness.is_certain:
            yield f"lineage of {side.name}: {side.sentence}"


def _warnings(
    names: tuple[str, str], facts: tuple[Facts, Facts], steps: Collection[str]
) -> Iterator[str]:
    for kind in ("software", "commit"):
        for name, mine, yours in (
            (names[0], facts[0], facts[1]),
            (names[1], facts[1], facts[0]),
        ):
            lacking = [
                step
                for step in steps
                if (kind, step) in yours.known and (kind, step) not in mine.known
            ]
            if lacking:
                yield (
                    f"no {kind} is recorded for {name}, so it is not compared: "
                    f"{', '.join(lacking)}"
                )
