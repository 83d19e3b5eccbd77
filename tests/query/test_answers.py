"""The questions answered a second time, by plain Python over the lines of the logs.

Nothing of provdb reads the logs here, and nothing resolves versions: in these logs no
file was made anew from other inputs, so that whatever names a path means one file.
"""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Any, Final

import pytest

from provdb.query import find
from provdb.store import Store
from tests.samples import LOGS, read_log

_RECORD: Final = re.compile(r"^(?:.*_PROV_+)?(\{.*\})\s*$", re.MULTILINE)
_RUN: Final = re.compile(r"Run0*(\d+)")


class _Step:
    """What the lines of one activity say."""

    def __init__(self) -> None:
        self.said: dict[str, Any] = {}
        self.used: set[str] = set()
        self.made: set[str] = set()


@cache
def _lines() -> list[dict[str, Any]]:
    texts = [read_log(log).decode() for log in LOGS]
    return [ast.literal_eval(found) for t in texts for found in _RECORD.findall(t)]


@cache
def _steps() -> list[_Step]:
    steps: dict[str, _Step] = {}
    for line in _lines():
        if "activity_id" in line:
            step = steps.setdefault(line["activity_id"], _Step())
            step.said |= line
            step.used |= {line["used_id"]} if "used_id" in line else set()
            step.made |= {line["generated_id"]} if "generated_id" in line else set()
    return list(steps.values())


@cache
def _files() -> dict[str, dict[str, Any]]:
    told = [line for line in _lines() if line.get("type") == "File"]
    return {line["entity_id"]: line for line in told if "filepath" in line}


@cache
def _sessions() -> dict[str, dict[str, Any]]:
    told = [line for line in _lines() if {"session_id", "session_tag"} <= line.keys()]
    return {str(line["session_id"]) + line["session_tag"]: line for line in told}


def _session(step: _Step) -> dict[str, Any]:
    return _sessions()[str(step.said["in_session"]) + step.said["session_tag"]]


def _path(entity: str) -> str:
    return str(_files().get(entity, {}).get("filepath", ""))


def _level(path: str) -> str | None:
    name = path.rpartition("/")[2]
    if name.startswith("LST-1"):
        return "R0"
    if name.startswith(("dl1_", "muons_", "datacheck_dl1_")):
        return "DL1"
    return "DL2" if name.startswith("dl2_") else None


def _run(path: str) -> int:
    found = _RUN.search(path)
    assert found is not None
    return int(found.group(1))


def _reached(start: Iterable[str], *, back: bool) -> tuple[set[str], list[_Step]]:
    """Return the entities and the activities before or after some entities."""
    entities = set(start)
    steps: list[_Step] = []
    while True:
        more = [
            step
            for step in _steps()
            if step not in steps and entities & (step.made if back else step.used)
        ]
        if not more:
            return entities, steps
        steps += more
        entities = entities.union(*(s.used if back else s.made for s in more))


def _like(pattern: str) -> set[str]:
    return {entity for entity in _files() if re.search(pattern, _path(entity))}


def _tally(names: tuple[str, ...], values: Iterable[Any]) -> list[dict[str, Any]]:
    counts = Counter(values)
    return [
        {**dict(zip(names, value, strict=True)), "count": counts[value]}
        for value in sorted(counts)
    ]


def _to_redo() -> Any:
    pedestal = _like(r"/drs4_pedestal\.Run01804\.\d+\.h5$")
    after, _ = _reached(pedestal, back=False)
    return _tally(("run",), ((_run(_path(e)),) for e in after & _like(r"/dl2_")))


def _models() -> Any:
    before, _ = _reached(_like(r"/dl2_.*Run01807\.0008"), back=True)
    models = [e for e in before if _files().get(e, {}).get("name", "")[:7] == "RFModel"]
    return [{"path": path} for path in sorted(map(_path, models))]


def _never_reached_dl2() -> Any:
    before, _ = _reached(_like(r"/dl2_"), back=True)
    raw = {entity for entity in _files() if _level(_path(entity)) == "R0"}
    return [{"path": path} for path in sorted(map(_path, raw - before))]


def _unfinished() -> Any:
    open_ = [step for step in _steps() if "endTime" not in step.said]
    tonight = [s for s in open_ if _session(s)["observation_date"] == "20191123"]
    return sorted(str(step.said["in_session"]) for step in tonight)


def _slowest() -> Any:
    lasted: dict[str, list[int]] = {}
    for step in _steps():
        if step.said["name"] == "r0_to_dl1" and "endTime" in step.said:
            start, end = (
                datetime.fromisoformat(f"{step.said[k]}"[:23])
                for k in ("startTime", "endTime")
            )
            node = _session(step)["system"]["platform"]["node"]
            milliseconds = round((end - start).total_seconds() * 1000)
            lasted.setdefault(node, []).append(milliseconds)
    return [
        {
            "node": node,
            "p95_duration": sorted(times)[-(-len(times) * 95 // 100) - 1] / 1000,
        }
        for node, times in sorted(lasted.items())
    ]


def _software() -> Any:
    _, found = _reached(_like(r"/dl2_.*Run01807"), back=True)
    # The run-wise log tells of the calibration a second time, under other ids.
    steps = {(step.said["name"], *sorted(step.made)): step for step in found}.values()
    versions = [
        (package["version"],)
        for step in steps
        for package in _session(step)["system"]["python"].get("packages", ())
        if package["name"] == "ctapipe"
    ]
    return _tally(("software.ctapipe",), versions)


def _calibrated_runs() -> Any:
    _, steps = _reached(_like(r"/calibration\.Run1614"), back=False)
    runs = [s.said["session_tag"] for s in steps if s.said["name"] == "r0_to_dl1"]
    return _tally(("run",), ((int(tag.rpartition(":")[2]),) for tag in runs))


def _same_content() -> Any:
    told = [line for line in _files().values() if line["hash"].startswith("446f45dd")]
    return [{"path": line["filepath"], "run": _run(line["filepath"])} for line in told]


def _of_one_tag() -> Any:
    tagged = [s for s in _steps() if s.said["session_tag"] == "r0_to_dl1:01618"]
    ended = ["completed" if "endTime" in s.said else "running" for s in tagged]
    named = zip((s.said["name"] for s in tagged), ended, strict=True)
    return _tally(("activity", "status"), named)


def _not_official() -> Any:
    others = [s for s in _steps() if s.said.get("agent_name") != "lstanalyzer"]
    made = {entity for step in others for entity in step.made & _files().keys()}
    kinds = [(_path(entity), _level(_path(entity))) for entity in made]
    return _tally(
        ("run", "level"),
        ((_run(path), level) for path, level in kinds if level in ("DL1", "DL2")),
    )


@pytest.mark.parametrize(
    ("query", "plainly"),
    [
        pytest.param(
            "downstream(entity:PedestalFile run:1804) level:DL2 type:File"
            " | count by run",
            _to_redo,
            id="which DL2 must be redone",
        ),
        pytest.param(
            "upstream(path:*dl2*Run01807.0008*) entity:RFModel* | select path",
            _models,
            id="which models",
        ),
        pytest.param(
            "level:R0 -upstream(level:DL2) | select path",
            _never_reached_dl2,
            id="subruns without DL2",
        ),
        pytest.param(
            "activity:r0_to_dl1 date:20200117 | p95 duration by node",
            _slowest,
            id="slowest step",
        ),
        pytest.param(
            "upstream(run:1807 level:DL2) | unique software.ctapipe",
            _software,
            id="software versions",
        ),
        pytest.param(
            "downstream(path:calibration.Run1614*) activity:r0_to_dl1 | unique run",
            _calibrated_runs,
            id="runs calibrated",
        ),
        pytest.param(
            "hash:446f45dd* | select path,run", _same_content, id="same content"
        ),
        pytest.param(
            'session_tag:"r0_to_dl1:01618" | count by activity,status',
            _of_one_tag,
            id="everything of one tag",
        ),
        pytest.param(
            "-agent:lstanalyzer level in (DL1, DL2) type:File | count by run,level",
            _not_official,
            id="not the official account",
        ),
    ],
)
def test_a_question_has_the_answer_of_the_lines(
    samples: Store, query: str, plainly: Callable[[], Any]
) -> None:
    answer = plainly()

    assert answer
    assert list(find(samples, query)) == answer


def test_the_unfinished_are_those_whose_lines_have_no_end(samples: Store) -> None:
    query = "date:20191123 (status:failed OR end is unknown) | select session_id"

    found = sorted(row["session_id"] for row in find(samples, query))

    assert found == _unfinished()


def test_no_line_says_a_picture_threshold_nor_a_night_of_run_2007() -> None:
    """So the questions about these have no answer in the samples."""
    said = repr(_lines())

    assert "picture_thresh" not in said
    assert "Run02007" not in said
    assert "20200218" not in said
