"""The rows of the table that are about queries, asked of an archive of many nights.

A baseline is what somebody writes by hand who knows the documents and their indexes.
It must answer the same.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import Any, Final

from provdb.query import compile_query, explain, find
from tests.benchmarks.archive import FIRST_RUN, RUNS_A_NIGHT, date_of
from tests.benchmarks.measure import Line, at_most, in_turns, seconds_of, time_text
from tests.benchmarks.stage import Database, Stage, python_environment

__all__ = ["INDEXED", "QUERY_ROWS"]

_LONG: Final = (
    "downstream(entity:PedestalFile run:{run}) level:DL2 -status:failed"
    " date:20191101..20191130 | count by run"
)
_COMPILED: Final = 200
_MOST_SECONDS: Final = 1e-3
_MOST_MB: Final = 200
_MB: Final = 1e6
_SMALL: Final = "status:failed"
_LARGE: Final = "start:2020-01-01..2020-12-31"

# What must be found by an index, of the first night of an archive.
INDEXED: Final = (
    f"session_tag:r0_to_dl1:{FIRST_RUN:05d}",
    f"session_tag:r0_to_dl1:{FIRST_RUN:05d} kind:entity",
    f"run:{FIRST_RUN}",
    f"run:{FIRST_RUN}..{FIRST_RUN + 2}",
    f"run:{FIRST_RUN} status:failed",
    f"-run:{FIRST_RUN} level:R0",
    f"date:{date_of(0)}",
    f"date:{date_of(0)}..{date_of(1)}",
    "date:2020-01 (status:failed OR end is unknown)",
    f"-date:{date_of(0)} kind:activity",
    "level:DL2",
    f"level:DL2 run:{FIRST_RUN}",
    "level in (DL1, DL2)",
    "level:DL2 status:failed",
    "level:DL2 OR status:failed",
    f"path:dl2_LST-1.Run{FIRST_RUN:05d}.0000.h5",
    f"path:*dl2*Run{FIRST_RUN:05d}*",
    "path:/fefs/aswg/data/real/DL1/*",
    f"path:*/DL2/{date_of(0)}/*",
    "hash:446f45dd*",
    "activity:r0_to_dl1",
    "activity:dl1*",
    "made_by:dl1ab",
    "status:failed",
    "status:failed kind:entity",
    "-status:completed",
    f"downstream(path:drs4_pedestal.Run{FIRST_RUN - 2:05d}.0000.h5) level:DL2",
)


def _compile(stage: Stage, *, rounds: int) -> Iterator[Line]:
    texts = [_LONG.format(run=run) for run in range(FIRST_RUN, FIRST_RUN + _COMPILED)]
    compile_query(texts[0])
    taken = [
        seconds_of(lambda text=text: compile_query(text))  # type: ignore[misc]
        for text in texts
    ]
    yield at_most(
        f"parse and compile a query of {len(texts[0])} characters | 1 ms",
        median(taken),
        _MOST_SECONDS,
        1,
    )


def _selector(stage: Stage, *, rounds: int) -> Iterator[Line]:
    archive = stage.archive()
    runs = _runs(stage)

    def ours(run: int) -> list[str]:
        return sorted(row["id"] for row in find(archive.store, f"level:DL2 run:{run}"))

    def bare(run: int) -> list[str]:
        found = list(archive.bare.entities.find({"level": "DL2", "run": run}))
        return sorted(document["_id"] for document in found)

    count = len(_same(ours(runs[0]), bare(runs[0])))
    mine, alone = _of_any(runs, 3 * rounds, ours, bare)
    what = f"level:DL2 run:N, {count} of {_size(archive)}"
    yield at_most(f"{what} | the bare query", mine, alone, 1.3)


def _percentile(stage: Stage, *, rounds: int) -> Iterator[Line]:
    archive = stage.archive()
    nights = list(range(stage.scale.archive_nights))
    last = date_of(nights[-1])

    def ours(first: str, last: str) -> list[Any]:
        query = f"activity:r0_to_dl1 date:{first}..{last} | p95 duration by node"
        return list(find(archive.store, query))

    def by_hand(first: str, last: str) -> list[Any]:
        return _p95_by_node(archive, first, last)

    _same(ours(date_of(0), last), by_hand(date_of(0), last))
    mine, alone = _of_any(
        [date_of(night) for night in nights],
        3 * rounds,
        lambda date: ours(date, date),
        lambda date: by_hand(date, date),
    )
    what = f"p95 duration by node of a step, of {_size(archive)}"
    yield at_most(f"{what}, a night | by hand", mine, alone, 1.3)
    mine, alone = in_turns(
        rounds, lambda: ours(date_of(0), last), lambda: by_hand(date_of(0), last)
    )
    yield at_most(f"{what}, all nights | by hand", mine, alone, 1.3)


def _downstream(stage: Stage, *, rounds: int) -> Iterator[Line]:
    archive = stage.archive()
    nights = list(range(stage.scale.archive_nights))

    def ours(night: int) -> list[str]:
        run = FIRST_RUN - 2 + 100 * night
        query = f"downstream(entity:PedestalFile run:{run}) level:DL2"
        return sorted(row["id"] for row in find(archive.store, query))

    def bare(night: int) -> list[str]:
        return _walk_downstream(archive, run=FIRST_RUN - 2 + 100 * night)

    count = len(_same(ours(0), bare(0)))
    mine, alone = _of_any(nights, rounds, ours, bare)
    what = f"downstream(a pedestal of a night) level:DL2, {count} of {_size(archive)}"
    yield at_most(f"{what} | the bare walk", mine, alone, 2)


def _indexes(stage: Stage, *, rounds: int) -> Iterator[Line]:
    archive = stage.archive()
    without = [
        f"{query} ({ask['collection']})"
        for query in INDEXED
        for ask in explain(archive.store, query)["asks"]
        if not ask["index"]
    ]
    yield Line(
        what=f"queries of {len(INDEXED)} without an index, of {_size(archive)}",
        ours=", ".join(without) or "none",
        baseline="",
        ratio=len(without) / len(INDEXED),
        at_most=0,
    )


def _streaming(stage: Stage, *, rounds: int) -> Iterator[Line]:
    archive = stage.archive()
    rows, _, peak = _streamed(stage, archive, _LARGE)
    _same(rows, archive.bare.activities.estimated_document_count())
    yield Line(
        what=f"provdb query find, {rows} rows as jsonl: peak memory | {_MOST_MB} MB",
        ours=f"{peak:.0f} MB",
        baseline=f"{_MOST_MB} MB",
        ratio=peak / _MOST_MB,
        at_most=1,
    )
    large, small = in_turns_of(
        rounds,
        lambda: _streamed(stage, archive, _LARGE, only_first=True)[1],
        lambda: _streamed(stage, archive, _SMALL, only_first=True)[1],
    )
    few = archive.bare.activities.count_documents({"status": "failed"})
    yield Line(
        what=f"its first row, of {rows} | of {few}",
        ours=time_text(large),
        baseline=time_text(small),
        ratio=large / small,
        at_most=1.3,
    )


QUERY_ROWS: Mapping[str, Callable[..., Iterator[Line]]] = {
    "compile": _compile,
    "selector": _selector,
    "percentile": _percentile,
    "downstream": _downstream,
    "indexes": _indexes,
    "streaming": _streaming,
}

# What the command line does with these words, and the most memory it had.
_FIND = """
import sys
from provdb_cli.main import cli
from tests.memory import peak_bytes
try:
    cli(sys.argv[1:])
finally:
    print(peak_bytes(), file=sys.stderr)
"""


def _p95_by_node(archive: Database, first: str, last: str) -> list[Any]:
    """Return what a pipeline says that is written by hand, with all in the server."""
    dated = {"properties.observation_date": {"$gte": first, "$lte": last}}
    tags = archive.bare.sessions.distinct("session_tag", dated)
    place = {"$ceil": {"$divide": [{"$multiply": [{"$size": "$lasted"}, 95]}, 100]}}
    groups = archive.bare.activities.aggregate(
        [
            {"$match": {"name": "r0_to_dl1", "session_tag": {"$in": tags}}},
            {
                "$group": {
                    "_id": "$environment",
                    "lasted": {"$push": {"$subtract": ["$end", "$start"]}},
                }
            },
            {
                "$lookup": {
                    "from": "environments",
                    "localField": "_id",
                    "foreignField": "_id",
                    "as": "environment",
                }
            },
            {"$unwind": "$environment"},
            {"$unwind": "$lasted"},
            {"$group": {"_id": "$environment.node", "lasted": {"$push": "$lasted"}}},
            {"$set": {"lasted": {"$sortArray": {"input": "$lasted", "sortBy": 1}}}},
            {"$set": {"p95": {"$arrayElemAt": ["$lasted", {"$subtract": [place, 1]}]}}},
            {"$project": {"p95": 1}},
            {"$sort": {"_id": 1}},
        ],
        allowDiskUse=True,
    )
    return [{"node": g["_id"], "p95_duration": g["p95"] / 1000} for g in groups]


def _walk_downstream(archive: Database, *, run: int) -> list[str]:
    """Return the DL2 files after the pedestal file of a run, level by level, by id.

    This knows nothing of versions: whatever has the path is followed.
    """
    starting = {"name": "PedestalFile", "run": run}
    frontier = {entity["_id"] for entity in archive.bare.entities.find(starting)}
    seen, activities = set(frontier), dict[str, Any]()
    while frontier:
        using = {"used.entity": {"$in": list(frontier)}}
        found = list(archive.bare.activities.find(using))
        new = [a for a in found if a["_id"] not in activities]
        activities |= {activity["_id"]: activity for activity in new}
        frontier = {link["entity"] for a in new for link in a["generated"]} - seen
        seen |= frontier
    reached = {"_id": {"$in": list(seen)}, "level": "DL2"}
    return sorted(entity["_id"] for entity in archive.bare.entities.find(reached))


def _streamed(
    stage: Stage, archive: Database, query: str, *, only_first: bool = False
) -> tuple[int, float, float]:
    """Run the command line; return its rows, seconds to the first, most memory in MB.

    Whoever wants only the first row closes the pipe, as ``head`` does.
    """
    words = ["--uri", archive.uri, "query", "find", query, "--format", "jsonl"]
    begin = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", _FIND, *words],
        env=python_environment(home=stage.folder),
        cwd=stage.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        seconds = time.perf_counter() - begin
        rows = 1
        if only_first:
            process.stdout.close()
        else:
            rows += sum(1 for _ in process.stdout)
        peak = int(process.stderr.read().split()[-1])
    return rows, seconds, peak / _MB


def _of_any(
    questions: list[Any], rounds: int, *todo: Callable[[Any], object]
) -> list[float]:
    """Return the median time of each, taken in turns, asked another question in each.

    All are asked the same, and all that comes from disk is there before.
    """
    asked = [questions[turn * 7 % len(questions)] for turn in range(rounds)]
    taken: list[list[float]] = [[] for _ in todo]
    for turn, question in enumerate(asked):
        todo[0](question)
        for number in range(len(todo))[:: 1 if turn % 2 == 0 else -1]:
            ask = todo[number]
            taken[number].append(seconds_of(lambda ask=ask, q=question: ask(q)))  # type: ignore[misc]
    return [median(times) for times in taken]


def in_turns_of(rounds: int, *seconds: Callable[[], float]) -> list[float]:
    """Return the median of what each says that it took, asked in turns."""
    taken = [[one() for one in seconds] for _ in range(rounds)]
    return [median(times) for times in zip(*taken, strict=True)]


def _runs(stage: Stage) -> list[int]:
    return [
        FIRST_RUN + 100 * night + run
        for night in range(stage.scale.archive_nights)
        for run in range(RUNS_A_NIGHT)
    ]


def _size(archive: Database) -> str:
    count = archive.bare.activities.estimated_document_count()
    return f"{count:,} activities"


def _same(first: Any, other: Any) -> Any:
    """Return what both must have found, for they were asked the same."""
    if first != other:
        raise RuntimeError(f"the answers differ: {first!r:.200} and {other!r:.200}")
    return first
