"""The rows of the table: what provdb promises, each beside something that it is not.

A baseline is what somebody would write without provdb, or what the machine can do at
best. Both are measured in turns in the same run, for a ratio is worth more than a
time.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from statistics import median
from typing import Any

import yaml

from provdb.lineage import impact, lineage
from tests.benchmarks.capture_rows import CAPTURE_ROWS
from tests.benchmarks.export_rows import EXPORT_ROWS
from tests.benchmarks.graph_rows import GRAPH_ROWS
from tests.benchmarks.ingest_rows import INGEST_ROWS
from tests.benchmarks.measure import Line, at_most, in_turns, seconds_of, time_text
from tests.benchmarks.night import lines
from tests.benchmarks.prov_rows import PROV_ROWS
from tests.benchmarks.query_rows import QUERY_ROWS
from tests.benchmarks.reader_rows import READER_ROWS
from tests.benchmarks.stage import Database, Stage, fold_log, python_environment

__all__ = ["ROWS"]

_MODEL = "reg_energy.sav"
_COMMAND = "provdb_cli.main"
_HEAVY = ("pymongo", "mongomock", "prov")
_MB = 1e6


def _reading(stage: Stage, *, rounds: int) -> Iterator[Line]:
    path = stage.log(runs=1)
    texts = path.read_text().splitlines()
    payloads = [text.split("__PROV__", 2)[2] for text in texts if "__PROV__" in text]
    documents = fold_log(path)
    ours, baseline = [], []
    for turn in range(rounds):
        # The baseline takes a minute: a part of it in every turn.
        part = payloads[turn::rounds]
        ours.append(seconds_of(lambda: fold_log(path)))
        baseline.append(seconds_of(lambda part=part: [yaml.safe_load(p) for p in part]))  # type: ignore[misc]
    size = path.stat().st_size / _MB
    activities = len(documents["activities"])
    yield Line(
        what=f"read and fold a log, {activities} activities, {size:.1f} MB"
        " | yaml.safe_load of its lines",
        ours=time_text(median(ours)),
        baseline=time_text(sum(baseline)),
        ratio=sum(baseline) / median(ours),
        at_least=30,
    )


def _storage(stage: Stage, *, rounds: int) -> Iterator[Line]:
    log = stage.log(runs=stage.scale.night_runs).stat().st_size
    database = stage.night_of_runs().bare
    database.client.admin.command("fsync")
    stored = 0
    for name in database.list_collection_names():
        (stats,) = database[name].aggregate([{"$collStats": {"storageStats": {}}}])
        storage = stats["storageStats"]
        stored += storage["storageSize"] + storage["totalIndexSize"]
    yield Line(
        what=f"storage and indexes in MongoDB, {stage.scale.night_runs} runs"
        " | text of their log",
        ours=f"{stored / _MB:.2f} MB",
        baseline=f"{log / _MB:.1f} MB",
        ratio=log / stored,
        at_least=40,
    )


def _lineage(stage: Stage, *, rounds: int) -> Iterator[Line]:
    database = stage.one_run()
    start = _dl3(stage)

    def ours() -> int:
        answer = lineage(database.store, start)
        return sum(node.kind == "activity" for node in answer.nodes)

    def bare() -> int:
        return len(_walk(database, start, back=True))

    def bare_with_entities() -> int:
        return len(_walk(database, start, back=True, with_entities=True))

    activities = _same(ours(), bare(), bare_with_entities())
    mine, alone, together = in_turns(rounds, ours, bare, bare_with_entities)
    what = f"lineage of a run's DL3, {activities} activities"
    yield at_most(f"{what} | bare walk", mine, alone, 2)
    yield at_most(f"{what} | bare walk with the entities", mine, together, None)


def _history(stage: Stage, *, rounds: int) -> Iterator[Line]:
    large, small = stage.run_with_history(), stage.one_run()
    start = _dl3(stage)
    ours, baseline = in_turns(
        rounds,
        lambda: lineage(large.store, start),
        lambda: lineage(small.store, start),
    )
    more = stage.scale.history_nights
    what = f"the same lineage, {more} times more history | without"
    yield at_most(what, ours, baseline, 1.2)


def _impact(stage: Stage, *, rounds: int) -> Iterator[Line]:
    database = stage.many_runs()

    def ours() -> int:
        answer = impact(database.store, _MODEL)
        return sum(node.kind == "activity" for node in answer.nodes)

    def bare() -> int:
        return len(_walk(database, _MODEL, back=False))

    activities = _same(ours(), bare())
    mine, alone = in_turns(rounds, ours, bare)
    what = f"impact of a random forest, {activities} activities"
    yield at_most(f"{what} | bare walk", mine, alone, 1.8)
    peak = _peak_mb(database.uri)
    yield Line(
        what=f"{what}: peak memory | 500 MB",
        ours=f"{peak:.0f} MB",
        baseline="500 MB",
        ratio=peak / 500,
        at_most=1,
    )


def _command_line(stage: Stage, *, rounds: int) -> Iterator[Line]:
    what = "the process: provdb query lineage FILE | python -c 'import pymongo'"
    if not _is_there(_COMMAND):
        yield Line(what=what, ours="not there", baseline="", at_most=2.5)
        return
    asked = ["-m", _COMMAND, "--uri", stage.local_run()]
    asked += ["query", "lineage", _dl3(stage)]
    ours, baseline = in_turns(
        rounds,
        lambda: _python(stage, *asked),
        lambda: _python(stage, "-c", "import pymongo"),
    )
    yield at_most(what, ours, baseline, 2.5)


def _help(stage: Stage, *, rounds: int) -> Iterator[Line]:
    what = f"heavy packages that provdb --help loads | of {', '.join(_HEAVY)}"
    if not _is_there(_COMMAND):
        yield Line(what=what, ours="not there", baseline="", at_most=0)
        return
    said = _python(stage, "-c", _HELP, _COMMAND, *_HEAVY).stderr
    loaded = said.splitlines()[-1].split()[1:]
    yield Line(
        what=what,
        ours=", ".join(loaded) or "none",
        baseline="",
        ratio=len(loaded) / len(_HEAVY),
        at_most=0,
    )


ROWS: Mapping[str, Callable[..., Iterator[Line]]] = {
    "reading": _reading,
    "storage": _storage,
    "lineage": _lineage,
    "history": _history,
    "impact": _impact,
    "command": _command_line,
    "help": _help,
    **CAPTURE_ROWS,
    **EXPORT_ROWS,
    **GRAPH_ROWS,
    **INGEST_ROWS,
    **PROV_ROWS,
    **QUERY_ROWS,
    **READER_ROWS,
}

_HELP = """
import runpy, sys
module, *heavy = sys.argv[1:]
sys.argv = ["provdb", "--help"]
try:
    runpy.run_module(module, run_name="__main__", alter_sys=False)
except SystemExit:
    pass
print("loaded:", *(name for name in heavy if name in sys.modules), file=sys.stderr)
"""

_PEAK = """
import sys
from provdb.lineage import impact
from provdb.store import open_store
from tests.memory import peak_bytes
with open_store(sys.argv[1]) as store:
    impact(store, sys.argv[2])
print(peak_bytes())
"""


def _walk(
    database: Database, start: str, *, back: bool, with_entities: bool = False
) -> dict[str, Any]:
    """Fetch all activities before or after a file, level by level, by id.

    This knows nothing of versions: whatever has the path is followed.
    """
    met, followed = ("generated", "used") if back else ("used", "generated")
    first = database.bare.entities.find_one({"file_name": start})
    activities: dict[str, Any] = {}
    entities: dict[str, Any] = {}
    frontier = {first["_id"]}
    seen = set(frontier)
    while frontier:
        among = {"$in": list(frontier)}
        if with_entities:
            for entity in database.bare.entities.find({"_id": among}):
                entities[entity["_id"]] = entity
        found = list(database.bare.activities.find({f"{met}.entity": among}))
        new = [a for a in found if a["_id"] not in activities]
        activities |= {activity["_id"]: activity for activity in new}
        frontier = {link["entity"] for a in new for link in a[followed]} - seen
        seen |= frontier
    return activities


def _dl3(stage: Stage) -> str:
    (name,) = {
        word.rpartition("/")[2]
        for line in lines(stage.run)
        if "'name': 'DL3File'" in line
        for word in line.split("'")
        if "/dl3_" in word
    }
    return name


def _same(first: int, *others: int) -> int:
    """Return a number that all must have found, for they were asked the same."""
    if any(other != first for other in others):
        raise RuntimeError(f"the walks disagree: {first} and {others} activities")
    return first


def _is_there(module: str) -> bool:
    return find_spec(module) is not None


def _peak_mb(uri: str) -> float:
    said = subprocess.run(
        [sys.executable, "-c", _PEAK, uri, _MODEL],
        env=python_environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return int(said.stdout) / _MB


def _python(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        env=python_environment(home=stage.folder),
        cwd=stage.folder,
        check=True,
        capture_output=True,
        text=True,
    )
