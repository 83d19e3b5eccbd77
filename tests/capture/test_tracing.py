"""Traced functions: what is recorded of them, and that they do what they did."""

import asyncio
import doctest
import hashlib
import inspect
import pickle
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provdb.capture import activity, dry_run, session
from provdb.capture.definition import parse_definition
from provdb.capture.descriptions import Definition
from provdb.capture.in_use import use_definition
from provdb.capture.tracing import trace, trace_class
from provdb.model import Kind
from tests.capture import pipeline
from tests.capture.recorder import Recorder

_R0 = "/R0/LST-1.1.Run01618.0008.fits.fz"
_DL1 = "/DL1/dl1_LST-1.Run01618.0008.h5"
_FILES = """\
entities:
  R0SubrunDataset: {type: File, contentType: application/fits}
  DL1SubrunDataset: {type: File, contentType: application/x-hdf}
  DL2SubrunDataset: {type: File}
  DL2MergedFile: {type: File}
  DL2Collection: {type: SetCollection}
  AnalysisConfigFile: {type: File}
  Model: {type: PythonObject}
"""

config = SimpleNamespace(input=SimpleNamespace(path=_R0))


def _definition(activities: str) -> Definition:
    definition = parse_definition(f"{_FILES}activities:\n{activities}")
    assert definition.problems == ()
    return definition


_STEP = _definition(
    """\
  r0_to_dl1:
    session_tag: "{activity}:{run}"
    parameters:
      - {name: ObservationRun, value: run}
    usage:
      - {role: Observation subrun, entityName: R0SubrunDataset, value: raw}
    generation:
      - {role: DL1 subrun dataset, entityName: DL1SubrunDataset, value: result}
"""
)


def test_a_call_is_recorded_as_its_definition_declares(recorded: Recorder) -> None:
    @trace(definition=_STEP)
    def r0_to_dl1(raw: str, run: int = 1618) -> str:
        return _DL1

    returned = r0_to_dl1(_R0)

    assert returned == _DL1
    assert recorded.kinds() == [
        Kind.START,
        Kind.PARAMETERS,
        Kind.USAGE,
        Kind.GENERATION,
        Kind.END,
    ]
    assert recorded.tags() == ["r0_to_dl1:01618"]
    assert recorded.parameters() == [{"ObservationRun": 1618}]
    assert recorded.used() == [("Observation subrun", _R0)]
    assert recorded.generated() == [("DL1 subrun dataset", _DL1)]
    assert recorded.statuses() == [("r0_to_dl1", "completed")]


def test_start_and_usage_are_recorded_before_the_function_runs(
    recorded: Recorder,
) -> None:
    seen = []

    @trace(definition=_STEP)
    def r0_to_dl1(raw: str, run: int) -> None:
        seen.extend(recorded.kinds())

    r0_to_dl1(_R0, 1618)

    assert seen == [Kind.START, Kind.PARAMETERS, Kind.USAGE]


def test_entities_are_described_by_their_declaration(recorded: Recorder) -> None:
    @trace(definition=_STEP)
    def r0_to_dl1(raw: str, run: int) -> str:
        return _DL1

    r0_to_dl1(_R0, 1618)

    r0, dl1 = recorded.of(Kind.ENTITY)
    assert (r0["name"], r0["type"], r0["contentType"]) == (
        "R0SubrunDataset",
        "File",
        "application/fits",
    )
    assert dl1["filepath"] == _DL1


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("raw", id="argument"),
        pytest.param("config.input.path", id="global"),
        pytest.param("kwargs.raw", id="keyword, as logprov has it"),
        pytest.param("options.raw", id="key of an argument"),
        pytest.param("R0SubrunDataset", id="attribute of the function, as lstosa"),
        pytest.param("Parsed", id="variable"),
    ],
)
def test_values_are_found_where_pipelines_have_them(
    recorded: Recorder, path: str
) -> None:
    definition = _definition(f"  step: {{usage: [{{role: R0, value: {path}}}]}}\n")

    @trace(definition=definition, variables=lambda **_: {"Parsed": _R0})
    def step(raw: str, options: dict[str, str]) -> None:
        pass

    step.R0SubrunDataset = _R0  # type: ignore[attr-defined]
    step(raw=_R0, options={"raw": _R0})

    assert recorded.used() == [("R0", _R0)]


def test_attributes_of_the_object_are_found_with_and_without_self(
    recorded: Recorder,
) -> None:
    definition = _definition(
        """\
  reduce:
    usage: [{role: R0, value: self.raw}]
    generation: [{role: DL1, value: dl1}]
"""
    )

    class Step:
        raw = _R0

        @trace(definition=definition)
        def reduce(self) -> None:
            self.dl1 = _DL1

    Step().reduce()

    assert recorded.used() == [("R0", _R0)]
    assert recorded.generated() == [("DL1", _DL1)]


def test_usage_that_is_known_only_afterwards_is_recorded_then(
    recorded: Recorder,
) -> None:
    definition = _definition(
        """\
  step:
    parameters: [{name: events, value: result.events}]
    usage: [{role: R0, value: result.raw}]
"""
    )

    @trace(definition=definition)
    def step() -> Any:
        return SimpleNamespace(events=7, raw=_R0)

    step()

    assert recorded.used() == [("R0", _R0)]
    assert recorded.parameters() == [{"events": 7}]


def test_a_list_of_files_is_a_usage_for_each(recorded: Recorder) -> None:
    definition = _definition(
        "  merge: {usage: [{role: DL2, entityName: DL2SubrunDataset, value: files}]}\n"
    )

    @trace(definition=definition)
    def merge(files: list[Path]) -> None:
        pass

    merge([Path("/DL2/0.h5"), Path("/DL2/1.h5")])

    assert recorded.used() == [("DL2", "/DL2/0.h5"), ("DL2", "/DL2/1.h5")]


def test_an_optional_file_that_is_not_given_is_no_problem(
    recorded: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    @trace(definition=_STEP)
    def r0_to_dl1(raw: str | None, run: int) -> str:
        return ""

    r0_to_dl1(None, 1618)

    assert (recorded.used(), recorded.generated()) == ([], [])
    assert recorded.tags() == ["r0_to_dl1:01618"]
    assert capsys.readouterr().err == ""


def test_a_value_that_is_not_found_is_reported_once_with_file_and_line(
    recorded: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    definition = parse_definition(
        "activities:\n  lost:\n    usage:\n    - {role: R0, value: raw.path}\n",
        source="lost.yaml",
    )

    @trace(definition=definition)
    def lost(raw: str) -> str:
        return raw

    returned = [lost("a"), lost("b")]

    assert returned == ["a", "b"]
    assert recorded.statuses() == [("lost", "completed")] * 2
    assert capsys.readouterr().err == (
        "provdb: lost.yaml:4: lost: value raw.path is not found: raw has no path\n"
    )


def test_what_is_no_path_is_reported(
    recorded: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    definition = _definition(
        "  typed: {usage: [{entityName: R0SubrunDataset, value: raw}]}\n"
    )

    @trace(definition=definition)
    def typed(raw: object) -> None:
        pass

    typed(7)

    assert recorded.statuses() == [("typed", "completed")]
    assert "R0SubrunDataset is int, not a path" in capsys.readouterr().err


def test_an_activity_that_is_not_declared_has_its_arguments_as_parameters(
    recorded: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    @trace(definition=_STEP)
    def r0_to_dl(raw: str, *, images: bool = True, **options: int) -> None:
        pass

    r0_to_dl(_R0, cuts=3)

    (parameters,) = recorded.parameters()
    assert parameters == {
        "raw": _R0,
        "images": True,
        "options": {"cuts": 3},
    }
    assert capsys.readouterr().err == (
        "provdb: definition: activity r0_to_dl is not declared; "
        "did you mean r0_to_dl1?\n"
    )


def test_definition_in_use_holds_also_for_functions_traced_before(
    recorded: Recorder, tmp_path: Path
) -> None:
    @trace
    def calibrate(raw: str) -> None:
        pass

    path = tmp_path / "definition.yaml"
    path.write_text("activities: {calibrate: {usage: [{role: R0, value: raw}]}}")
    assert use_definition(path).problems == ()
    calibrate(_R0)

    assert recorded.used() == [("R0", _R0)]


def test_a_definition_that_was_changed_is_read_again_when_it_is_named_again(
    recorded: Recorder, tmp_path: Path
) -> None:
    path = tmp_path / "definition.yaml"
    path.write_text("activities: {calibrate: {}}")
    use_definition(path)
    path.write_text("activities: {calibrate: {}, merge: {}}")

    assert list(use_definition(path).activities) == ["calibrate", "merge"]


def test_problems_of_a_definition_are_said_and_its_good_part_is_used(
    recorded: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "definition.yaml"
    path.write_text(
        "activities:\n  calibrate:\n    usage:\n    - {role: R0, value: raw}\n"
        "    parametres: []\n"
    )

    @trace(definition=path)
    def calibrate(raw: str) -> None:
        pass

    calibrate(_R0)

    assert recorded.used() == [("R0", _R0)]
    assert f"provdb: {path}:5: " in capsys.readouterr().err


def test_a_missing_definition_stops_nothing(
    recorded: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @trace(definition=tmp_path / "none.yaml")
    def calibrate(raw: str) -> str:
        return raw

    assert calibrate(_R0) == _R0
    assert recorded.parameters() == [{"raw": _R0}]
    assert "none.yaml: No such file or directory" in capsys.readouterr().err


def test_a_failure_is_recorded_with_what_was_written_and_raised_as_it_is(
    recorded: Recorder, tmp_path: Path
) -> None:
    definition = _definition(
        """\
  fail:
    usage: [{role: R0, value: raw}]
    generation:
      - {role: DL1, entityName: DL1SubrunDataset, value: dl1}
      - {role: other, entityName: DL1SubrunDataset, value: raw}
      - {role: result, entityName: DL1SubrunDataset, value: result}
"""
    )
    error = OSError("disk full")

    @trace(definition=definition)
    def fail(raw: str, dl1: Path) -> None:
        dl1.write_text("half")
        raise error

    with pytest.raises(OSError, match="disk full") as caught:
        fail(_R0, tmp_path / "dl1.h5")

    (end,) = recorded.of(Kind.END)
    assert caught.value is error
    assert recorded.used() == [("R0", _R0)]
    assert recorded.generated() == [("DL1", str(tmp_path / "dl1.h5"))]
    assert end["status"] == "failed"
    assert end["exception"] == {"type": "OSError", "message": "disk full"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(KeyboardInterrupt(), "interrupted", id="Ctrl-C"),
        pytest.param(SystemExit(0), "completed", id="exit"),
        pytest.param(SystemExit(3), "failed", id="exit with a status"),
    ],
)
def test_end_of_the_process_is_recorded(
    recorded: Recorder, error: BaseException, status: str
) -> None:
    @trace(definition=_STEP)
    def r0_to_dl1(raw: str, run: int) -> None:
        raise error

    with pytest.raises(type(error)):
        r0_to_dl1(_R0, 1618)

    assert recorded.statuses() == [("r0_to_dl1", status)]


def test_calls_inside_a_call_are_started_by_it(recorded: Recorder) -> None:
    definition = _definition("  outer: {}\n  inner: {}\n")

    @trace(definition=definition)
    def inner() -> None:
        pass

    @trace(definition=definition)
    def outer() -> None:
        inner()
        with activity("block"):
            inner()

    outer()

    starts = recorded.of(Kind.START)
    names = {record["activity_id"]: record["name"] for record in starts}
    assert [(r["name"], names.get(r.get("started_by"))) for r in starts] == [
        ("outer", None),
        ("inner", "outer"),
        ("block", "outer"),
        ("inner", "block"),
    ]


def test_members_and_progenitors_are_recorded(recorded: Recorder) -> None:
    definition = _definition(
        """\
  merge:
    generation:
      - role: DL2 merged file
        entityName: DL2MergedFile
        value: merged
        has_progenitors:
          list: subruns
          entityName: DL2SubrunDataset
      - role: DL2 collection
        entityName: DL2Collection
        value: folder
        has_members:
          list: subruns
          entityName: DL2SubrunDataset
          value: __str__()
"""
    )
    subruns = [Path("/DL2/0.h5"), Path("/DL2/1.h5")]

    @trace(definition=definition)
    def merge(subruns: list[Path], merged: str, folder: str) -> None:
        pass

    merge(subruns, "/DL2/merged.h5", "/DL2")

    assert recorded.related(Kind.DERIVATION) == [
        ("/DL2/merged.h5", "/DL2/0.h5"),
        ("/DL2/merged.h5", "/DL2/1.h5"),
    ]
    assert recorded.related(Kind.MEMBERSHIP) == [
        ("/DL2", "/DL2/0.h5"),
        ("/DL2", "/DL2/1.h5"),
    ]


def test_an_iterator_of_members_is_left_to_the_function(
    recorded: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    definition = _definition(
        "  list_files: {generation: [{role: all, entityName: DL2Collection, "
        "value: folder, has_members: {list: result}}]}\n"
    )

    @trace(definition=definition)
    def list_files(folder: str) -> Iterator[str]:
        return iter(["/DL2/0.h5", "/DL2/1.h5"])

    files = list_files("/DL2")

    assert list(files) == ["/DL2/0.h5", "/DL2/1.h5"]
    assert "list result is list_iterator, not a list" in capsys.readouterr().err


def test_what_the_capture_calls_is_no_activity(recorded: Recorder) -> None:
    definition = _definition(
        """\
  step: {usage: [{role: a, value: path()}, {role: b, value: own.step(own)}]}
  path: {usage: [{role: c, value: path()}, {role: d, value: path()}]}
"""
    )

    @trace(definition=definition)
    def path() -> str:
        return _R0

    @trace(definition=definition, variables=lambda _: {"path": path})
    def step(own: Any) -> str:
        return _DL1

    step(SimpleNamespace(step=step))

    assert recorded.statuses() == [("step", "completed")]
    assert recorded.used() == [("a", _R0), ("b", _DL1)]


def test_variables_that_cannot_be_had_cost_nothing_else(recorded: Recorder) -> None:
    @trace(definition=_STEP, variables=_raise)
    def r0_to_dl1(raw: str, run: int) -> str:
        return _DL1

    r0_to_dl1(_R0, 1618)

    assert recorded.used() == [("Observation subrun", _R0)]
    assert recorded.statuses() == [("r0_to_dl1", "completed")]


def test_members_have_ids_of_their_own_in_their_namespace(recorded: Recorder) -> None:
    definition = _definition(
        """\
  select:
    generation:
      - role: observations
        entityName: Model
        value: result.name
        has_members: {list: result.runs, id: obs_id, namespace: gamma-events}
"""
    )

    @trace(definition=definition)
    def select() -> Any:
        return SimpleNamespace(name="Crab", runs=[SimpleNamespace(obs_id=1618)])

    select()

    assert recorded.related(Kind.MEMBERSHIP) == [("Crab", "gamma-events:1618")]


@pytest.mark.parametrize("kind", ["usage", "generation"])
def test_a_file_that_is_overwritten_is_used_and_generated(
    recorded: Recorder, kind: str
) -> None:
    definition = _definition(
        f"  dl1ab: {{{kind}: [{{role: DL1, entityName: DL1SubrunDataset, "
        "value: dl1, overwrite: true}]}\n"
    )

    @trace(definition=definition)
    def dl1ab(dl1: str) -> None:
        pass

    dl1ab(_DL1)

    assert recorded.kinds() == [Kind.START, Kind.USAGE, Kind.GENERATION, Kind.END]
    assert recorded.used() == recorded.generated() == [("DL1", _DL1)]


def test_what_a_write_does_is_recorded_as_its_definition_declares(
    recorded: Recorder,
) -> None:
    definition = _definition(
        "  merge: {generation: [{role: DL2, value: dl2, mode: part}, "
        "{role: log, value: log}]}\n"
    )

    @trace(definition=definition)
    def merge(dl2: str, log: str) -> None:
        pass

    merge(_DL1, "/log.txt")

    modes = [record.get("mode") for record in recorded.of(Kind.GENERATION)]
    assert modes == ["part", None]


def test_an_object_that_is_changed_in_place_is_derived_from_what_it_was(
    recorded: Recorder,
) -> None:
    definition = _definition(
        "  fit: {generation: [{role: model, entityName: Model, value: model, "
        "overwrite: true}]}\n"
    )

    @trace(definition=definition)
    def fit(model: dict[str, float]) -> None:
        model["index"] = 2.6

    fit({"index": 2.0})

    assert recorded.used() == [("model", {"index": 2.0})]
    assert recorded.generated() == [("model", {"index": 2.6})]
    assert recorded.related(Kind.DERIVATION) == [({"index": 2.6}, {"index": 2.0})]


def test_content_is_hashed_where_the_definition_says_so(
    recorded: Recorder, tmp_path: Path
) -> None:
    path = tmp_path / "DL1.h5"
    path.write_bytes(b"before")
    definition = _definition(
        "  dl1ab: {hash: content, hash_method: md5, usage: "
        "[{entityName: DL1SubrunDataset, value: dl1, overwrite: true}]}\n"
    )

    @trace(definition=definition)
    def dl1ab(dl1: Path) -> None:
        dl1.write_bytes(b"after")

    dl1ab(path)

    (used,), (generated,) = recorded.of(Kind.USAGE), recorded.of(Kind.GENERATION)
    assert used["used_id"] == generated["generated_id"]
    assert used["used_hash"] == hashlib.md5(b"before").hexdigest()
    assert generated["generated_hash"] == hashlib.md5(b"after").hexdigest()


@pytest.mark.parametrize(
    ("template", "tag"),
    [
        pytest.param("{activity}:{run}", "step:01618", id="run of a used file"),
        pytest.param("{activity}:{number:05d}", "step:00042", id="argument"),
        pytest.param(
            "{activity}:{options.pedestal:05d}-{options.charge}",
            "step:01611-01614",
            id="two runs",
        ),
        pytest.param("night", "night", id="no names"),
    ],
)
def test_session_tag_is_made_by_its_template(
    recorded: Recorder, template: str, tag: str
) -> None:
    definition = _definition(
        f"  step: {{session_tag: '{template}', usage: ["
        "{role: calibration, value: calibration}, {role: R0, value: raw}]}\n"
    )

    @trace(definition=definition)
    def step(calibration: str, raw: str, number: int, options: dict[str, str]) -> None:
        pass

    step("/v1/drs4_pedestal.Run01611.0000.h5", _R0, 42, _OPTIONS)

    assert recorded.tags() == [tag]


_OPTIONS = {"pedestal": "1611", "charge": "01614"}


def test_a_template_without_its_value_leaves_the_tag_of_the_session(
    recorded: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    definition = _definition("  step: {session_tag: '{activity}:{run_number}'}\n")

    @trace(definition=definition)
    def step() -> None:
        pass

    with session("night:20200117"):
        step()

    assert recorded.tags() == ["night:20200117"]
    assert "run_number of the session_tag of step is not found" in (
        capsys.readouterr().err
    )


def test_dry_execution_records_what_can_be_found_and_runs_nothing(
    recorded: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    definition = _definition(
        """\
  r0_to_dl1:
    usage: [{role: R0, value: raw}]
    generation: [{role: DL1, value: dl1}, {role: muons, value: result}]
"""
    )

    @trace(definition=definition)
    def r0_to_dl1(raw: str, dl1: str) -> str:
        raise AssertionError("it ran")

    with dry_run():
        returned = r0_to_dl1(_R0, _DL1)

    (start,) = recorded.of(Kind.START)
    assert returned is None
    assert start["dry_run"] is True
    assert recorded.used() == [("R0", _R0)]
    assert recorded.generated() == [("DL1", _DL1)]
    assert capsys.readouterr().err == ""


def test_what_is_called_in_a_dry_activity_is_dry_too(recorded: Recorder) -> None:
    @trace(definition=_STEP)
    def r0_to_dl1(raw: str) -> str:
        raise AssertionError("it ran")

    with dry_run():
        step = activity("night")
    with step:
        r0_to_dl1(_R0)

    assert [start["dry_run"] for start in recorded.of(Kind.START)] == [True, True]


def test_asynchronous_functions_are_traced(recorded: Recorder) -> None:
    @trace(definition=_STEP)
    async def r0_to_dl1(raw: str, run: int) -> str:
        await asyncio.sleep(0)
        return _DL1

    returned = asyncio.run(r0_to_dl1(_R0, 1618))

    assert inspect.iscoroutinefunction(r0_to_dl1)
    assert returned == _DL1
    assert recorded.generated() == [("DL1 subrun dataset", _DL1)]


def test_cancelled_functions_are_interrupted(recorded: Recorder) -> None:
    @trace(definition=_STEP)
    async def r0_to_dl1(raw: str, run: int) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(r0_to_dl1(_R0, 1618))

    assert recorded.statuses() == [("r0_to_dl1", "interrupted")]


def test_generators_are_activities_from_their_first_step_to_their_last(
    recorded: Recorder,
) -> None:
    definition = _definition("  events: {}\n  between: {}\n  within: {}\n")

    @trace(definition=definition)
    def within() -> None:
        pass

    @trace(definition=definition)
    def between() -> None:
        pass

    @trace(definition=definition)
    def events() -> Any:
        within()
        got = yield 1
        yield got

    stream = events()
    assert recorded.records == []
    first = next(stream)
    between()
    second = stream.send(2)
    rest = list(stream)

    starts = {record["name"]: record for record in recorded.of(Kind.START)}
    assert inspect.isgeneratorfunction(events)
    assert (first, second, rest) == (1, 2, [])
    assert starts["within"]["started_by"] == starts["events"]["activity_id"]
    assert "started_by" not in starts["between"]
    assert recorded.statuses()[-1] == ("events", "completed")


def test_a_generator_gets_what_is_thrown_into_it(recorded: Recorder) -> None:
    @trace(definition=_definition("  events: {}\n"))
    def events() -> Any:
        try:
            yield 1
        except KeyError:
            yield 2
        raise ValueError("no more")

    stream = events()
    taken = [next(stream), stream.throw(KeyError("x"))]
    with pytest.raises(ValueError, match="no more"):
        next(stream)

    assert taken == [1, 2]
    assert recorded.statuses() == [("events", "failed")]


def test_a_generator_that_is_left_early_is_closed_and_completed(
    recorded: Recorder,
) -> None:
    closed = []

    @trace(definition=_definition("  events: {}\n"))
    def events() -> Any:
        try:
            yield 1
        finally:
            closed.append(True)

    stream = events()
    next(stream)
    stream.close()

    assert closed == [True]
    assert recorded.statuses() == [("events", "completed")]


def test_asynchronous_generators_are_traced(recorded: Recorder) -> None:
    @trace(definition=_definition("  events: {}\n"))
    async def events() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(0)
        yield 2

    async def taken() -> list[int]:
        return [event async for event in events()]

    assert asyncio.run(taken()) == [1, 2]
    assert inspect.isasyncgenfunction(events)
    assert recorded.statuses() == [("events", "completed")]


def test_declared_methods_of_a_class_are_traced_and_others_left_alone(
    recorded: Recorder,
) -> None:
    definition = _definition(
        "  Pipeline.calibrate: {}\n  merge: {}\n  reduce: {}\n  _hidden: {}\n"
    )

    @trace_class(definition=definition)
    class Pipeline:
        def calibrate(self) -> str:
            return "calibrated"

        @staticmethod
        def merge() -> str:
            return "merged"

        @classmethod
        def reduce(cls) -> str:
            return cls.__name__

        def other(self) -> str:
            return "other"

        def _hidden(self) -> str:
            return "hidden"

        @property
        def name(self) -> str:
            return "name"

    step = Pipeline()
    returned = [
        step.calibrate(),
        step.merge(),
        Pipeline.reduce(),
        step.other(),
        step._hidden(),
        step.name,
    ]

    assert returned == ["calibrated", "merged", "Pipeline", "other", "hidden", "name"]
    assert [name for name, _ in recorded.statuses()] == [
        "Pipeline.calibrate",
        "merge",
        "reduce",
    ]


@pytest.mark.parametrize("kind", [staticmethod, classmethod])
def test_static_and_class_methods_are_traced_in_either_order(
    recorded: Recorder, kind: Any
) -> None:
    definition = _definition("  outside: {}\n  inside: {}\n")

    class Step:
        @trace(definition=definition)
        @kind  # type: ignore[untyped-decorator]
        def outside(*args: Any) -> int:
            return len(args)

        @kind  # type: ignore[untyped-decorator]
        @trace(definition=definition)
        def inside(*args: Any) -> int:
            return len(args)

    assert Step.outside() == Step().outside() == Step.inside()
    assert len(recorded.statuses()) == 3


def test_a_name_may_be_given(recorded: Recorder) -> None:
    @trace(name="r0_to_dl1", definition=_STEP)
    def reduce(raw: str, run: int) -> str:
        return _DL1

    reduce(_R0, 1618)

    assert recorded.statuses() == [("r0_to_dl1", "completed")]


def test_a_traced_function_looks_as_before() -> None:
    traced = pipeline.plus_one

    assert str(inspect.signature(traced)) == "(number: int, *, times: int = 1) -> int"
    assert (traced.__name__, traced.__module__) == ("plus_one", pipeline.__name__)
    assert inspect.isfunction(traced)
    assert pickle.loads(pickle.dumps(traced)) is traced


def test_doctest_finds_the_examples_of_a_traced_function(recorded: Recorder) -> None:
    results = doctest.testmod(pipeline)

    assert (results.failed, results.attempted) == (0, 2)


@pytest.mark.parametrize(
    "called",
    [
        pytest.param(len, id="built-in"),
        pytest.param(partial(len), id="partial"),
        pytest.param(str.upper, id="method of a built-in class"),
    ],
)
def test_whatever_can_be_called_is_traced(recorded: Recorder, called: Any) -> None:
    traced = trace(name="step", definition=_definition("  step: {}\n"))(called)

    assert traced("abc") == called("abc")
    assert recorded.statuses() == [("step", "completed")]


def test_wrong_arguments_are_the_error_of_the_function(recorded: Recorder) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        pipeline.plus_one()  # type: ignore[call-arg]

    assert recorded.statuses() == [("plus_one", "failed")]


class _BrokenHandler(Recorder):
    def handle(self, record: Any) -> bool:
        raise MemoryError("no room")


class _Broken:
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("no attribute")


class _BrokenError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def _raise(*_: Any, **__: Any) -> Any:
    raise RuntimeError("no variables")


@pytest.mark.parametrize(
    "variables", [pytest.param(None, id="value"), pytest.param(_raise, id="variables")]
)
def test_whatever_goes_wrong_in_the_capture_the_function_does_what_it_did(
    recorded: Recorder, variables: Any
) -> None:
    definition = _definition(
        """\
  step:
    session_tag: "{thing.x}:{thing}"
    parameters: [{value: thing}, {value: thing.x}]
    usage: [{role: a, value: thing}, {role: b, entityName: Model, value: thing}]
    generation: [{role: c, entityName: R0SubrunDataset, value: result}]
"""
    )

    @trace(definition=definition, variables=variables)
    def step(thing: Any) -> Any:
        return thing

    thing = _Broken()

    assert step(thing) is thing


def test_an_error_without_a_text_is_raised_and_recorded(recorded: Recorder) -> None:
    error = _BrokenError()

    @trace(definition=_STEP)
    def r0_to_dl1(raw: str, run: int) -> None:
        raise error

    with pytest.raises(_BrokenError) as caught:
        r0_to_dl1(_R0, 1618)

    assert caught.value is error
    assert recorded.statuses() == [("r0_to_dl1", "failed")]


def test_a_handler_that_raises_stops_nothing(
    recorded: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded, "handle", _BrokenHandler().handle)

    @trace(definition=_STEP)
    def r0_to_dl1(raw: str, run: int) -> str:
        return _DL1

    assert r0_to_dl1(_R0, 1618) == _DL1


_PATHS = st.text(alphabet="astepr.[]()0'", max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=_PATHS, tag=st.text(alphabet="{}run:.", max_size=8), raw=st.integers())
def test_whatever_a_definition_says_the_function_returns_what_it_did(
    recorded: Recorder, value: str, tag: str, raw: int
) -> None:
    keys = f"value: {value!r}, location: {value!r}"
    definition = parse_definition(
        f"""\
activities:
  step:
    session_tag: {tag!r}
    parameters: [{{name: p, value: {value!r}}}]
    usage: [{{role: u, {keys}, overwrite: true}}]
    generation: [{{role: g, id: {value!r}, {keys}, has_members: {{list: {value!r}}}}}]
"""
    )

    @trace(definition=definition)
    def step(raw: int) -> Any:
        return [raw, str]

    assert step(raw) == [raw, str]
    assert recorded.statuses()[-1] == ("step", "completed")
