"""Laws that two questions, two stores or two ways of reading must keep."""

import json
import random
from collections.abc import Iterable
from io import BytesIO
from typing import Any, Final

from provdb.errors import NotFound
from provdb.ingest import ingest
from provdb.lineage import Lineage, WalkOptions, impact, lineage, versions
from provdb.model.ids import location_id
from provdb.store import Store, open_store
from tests.lineage.simulator.history import History, Line
from tests.lineage.simulator.judge import (
    marks_of,
    products,
    store_of,
    told_of,
    write_logs,
)

__all__ = [
    "answers",
    "asymmetric_files",
    "asymmetric_versions",
    "differing_unmarked",
    "ingested",
    "pieces",
    "unstable",
]

# Whether a step is like others is known only when there are others.
_OF_OTHERS: Final = "incomplete"


def answers(store: Store, history: History) -> list[str]:
    """Return what is said of every product, and of what came from it, as JSON."""
    ids = [location_id(file.path) for file in products(history)]
    listed = [version.id for id_ in ids for version in versions(store, id_)]
    asked = [ask(store, id_).to_dict() for id_ in ids for ask in (lineage, impact)]
    asked += [lineage(store, id_).to_dict() for id_ in listed]
    return [json.dumps(answer) for answer in asked]


def ingested(store: Store, history: History) -> Store:
    """Read the logs of a history as text, as `provdb ingest` does."""
    texts = ["".join(line.text() for line in log) for log in history.logs]
    ingest(store, [BytesIO(text.encode()) for text in texts])
    return store


def pieces(history: History, chance: random.Random) -> list[list[Line]]:
    """Cut each log of a history into pieces, in any order."""
    cut: list[list[Line]] = []
    for log in history.logs:
        places = sorted(chance.sample(range(1, len(log)), min(3, len(log) - 1)))
        ends = [*places, len(log)]
        cut += [log[a:b] for a, b in zip([0, *places], ends, strict=True)]
    chance.shuffle(cut)
    return cut


def unstable(history: History) -> list[str]:
    """Return the questions whose answers change when more is recorded later.

    A store that ends at a time is compared with one that goes on, as of that time and
    version by version.
    """
    changed: list[str] = []
    later = store_of(history)
    for time in history.quiet:
        logs = [[line for line in log if line.time <= time] for log in history.logs]
        earlier = write_logs(
            open_store("memory://", zone=history.zone), [log for log in logs if log]
        )
        options = WalkOptions(as_of=history.clock(time))
        for path, file in sorted(history.disk.files.items()):
            if file.is_local or not history.disk.at(file, time):
                continue
            id_ = location_id(path)
            try:
                now = _bare(lineage(earlier, id_))
            except NotFound:
                continue
            if now != _bare(lineage(later, id_, options=options)):
                changed.append(f"{path} as of {time:.1f}")
            known = {version.id for version in versions(later, id_)}
            for version in versions(earlier, id_):
                if version.id not in known:
                    # What is there now may still get further parts.
                    changed += [] if version.is_current else [f"no {version.id}"]
                elif _bare(lineage(earlier, version.id)) != _bare(
                    lineage(later, version.id)
                ):
                    changed.append(f"{path} version {version.id}")
    return changed


def asymmetric_versions(store: Store, history: History) -> list[tuple[str, str]]:
    """Return versions of which only one of lineage and impact has the other.

    The impact of what is named without a version is that of the file.
    """
    names: set[str] = set()
    for path in sorted(history.named):
        id_ = location_id(path)
        names |= {version.id for version in versions(store, id_)}
        names.add(lineage(store, id_).start)
    named = {name for name in names if "@" in name}
    upstream = {(b, a) for b in names for a in _ids(lineage(store, b)) & named}
    downstream = {(b, a) for a in named for b in _ids(impact(store, a)) & names}
    return sorted(upstream ^ downstream)


def asymmetric_files(store: Store, history: History) -> list[tuple[str, str]]:
    """Return files of which only one of lineage and impact, as they are, has the other.

    The impact of a file is every current file whose lineage holds any version of it.
    """
    # Two spellings of a path are one file, which goes by one of their ids.
    asked = [lineage(store, location_id(path)) for path in sorted(history.named)]
    now = {one.start.partition("@")[0]: one for one in asked}
    ids = now.keys()
    upstream = {
        (b, a) for b in ids for a in _entities(now[b].nodes) if a in ids and a != b
    }
    downstream = {
        (b, a)
        for a in ids
        for b in _entities(
            node
            for node in impact(store, a).nodes
            if node.entity in ids and node.id == now[node.entity].start
        )
        if a != b
    }
    return sorted(upstream ^ downstream)


def differing_unmarked(one: Store, other: Store, history: History) -> list[str]:
    """Return the files of which two stores differ, both without a mark."""
    differing = []
    for file in products(history):
        both = [lineage(store, location_id(file.path)) for store in (one, other)]
        first, second = (told_of(history, answer) for answer in both)
        if first != second and not any(map(marks_of, both)):
            differing.append(file.path)
    return differing


def _ids(answer: Lineage) -> set[str]:
    return {node.id for node in answer.nodes}


def _entities(nodes: Iterable[Any]) -> set[str]:
    return {node.entity for node in nodes if node.entity is not None}


def _bare(answer: Lineage) -> dict[str, Any]:
    """Return an answer without the question, and without marks that others decide."""
    told = {**answer.to_dict(), "question": None, "completeness": None}
    for part in (*told["nodes"], *told["edges"]):
        part["marks"] = [mark for mark in part["marks"] if mark != _OF_OTHERS]
    return told
