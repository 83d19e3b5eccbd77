"""What the calls of an activity record: files, how they are written, and moves."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provdb.capture import activity, dry_run, session
from provdb.model import Kind, location_id
from tests.capture.recorder import Recorder

A, B = "/DL1/dl1_LST-1.Run01618.0000.h5", "/DL1/dl1_LST-1.Run01618.0001.h5"


class Unreadable:
    """A path that cannot be told."""

    def __fspath__(self) -> str:
        """Fail."""
        raise RuntimeError("no path")


def call(verb: str, given: Any, *, name: str = "dl1ab", **options: Any) -> Any:
    """Call ``used`` or ``generated`` in an activity, and return what it returns."""
    with activity(name, session_tag="dl1ab:01618") as step:
        return getattr(step, verb)(given, role="DL1", **options)


def files(recorded: Recorder, verb: str) -> list[str]:
    """Return the paths that were used, or generated."""
    found: list[tuple[Any, Any]] = getattr(recorded, verb)()
    assert {role for role, _ in found} <= {"DL1"}
    return [path for _, path in found]


both_ways = pytest.mark.parametrize("verb", ["used", "generated"])


@both_ways
@pytest.mark.parametrize(
    ("given", "paths"),
    [
        pytest.param(A, [A], id="text"),
        pytest.param(Path(A), [A], id="path"),
        pytest.param(A.encode(), [A], id="bytes"),
        pytest.param(f"file://{A}", [A], id="file URL"),
        pytest.param(f"file://localhost{A}", [A], id="file URL with its host"),
        pytest.param("file:///DL1/a%20b%C3%A9.h5", ["/DL1/a bé.h5"], id="escapes"),
        pytest.param("/DL1//./x/../a.h5", ["/DL1/a.h5"], id="untidy"),
        pytest.param("root://eos//DL1/a.h5", ["root://eos//DL1/a.h5"], id="other URL"),
        pytest.param([A, Path(B)], [A, B], id="list"),
        pytest.param((A, [B]), [A, B], id="nested"),
        pytest.param({B, A}, [A, B], id="set"),
        pytest.param([], [], id="empty list"),
    ],
)
def test_each_file_that_is_handed_over_is_recorded_by_its_path(
    recorded: Recorder, capsys: Any, verb: str, given: Any, paths: list[str]
) -> None:
    id_ = call(verb, given)

    assert files(recorded, verb) == paths
    assert id_ == (location_id(paths[0]) if paths else "")
    assert capsys.readouterr().err == ""


@both_ways
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param(None, "None, not a path", id="none"),
        pytest.param([None], "None, not a path", id="none in a list"),
        pytest.param("", "a file with an empty path", id="empty"),
        pytest.param(b"", "a file with an empty path", id="empty bytes"),
        pytest.param(1618, "1618, not a path", id="number"),
        pytest.param({"a": 1}, "{'a': 1}, not a path", id="mapping"),
        pytest.param(Unreadable(), "RuntimeError: no path", id="unreadable"),
    ],
)
def test_what_is_no_file_is_said_once_and_not_recorded(
    recorded: Recorder,
    capsys: Any,
    request: pytest.FixtureRequest,
    verb: str,
    given: Any,
    sentence: str,
) -> None:
    # Each problem is said once in a process.
    name = f"step {location_id(request.node.name)}"

    with activity(name) as step:
        ids = [getattr(step, verb)(given) for _ in range(2)]

    assert ids == ["", ""]
    assert recorded.kinds() == [Kind.START, Kind.END]
    assert capsys.readouterr().err.count(sentence) == 1


@both_ways
def test_one_that_is_no_file_costs_no_other(
    recorded: Recorder, capsys: Any, verb: str
) -> None:
    call(verb, [None, A, ""])

    assert files(recorded, verb) == [A]


@both_ways
def test_a_working_folder_that_is_gone_stops_nothing(
    recorded: Recorder,
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    verb: str,
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert call(verb, "dl1.h5", name=verb) == ""
    assert recorded.statuses() == [(verb, "completed")]
    assert f"{verb} is not recorded in full" in capsys.readouterr().err


@both_ways
def test_an_unknown_hash_method_stops_nothing(
    recorded: Recorder, capsys: Any, verb: str
) -> None:
    call(verb, A, hash="sha257", name=verb)

    assert recorded.statuses() == [(verb, "completed")]
    assert "there is no hash method sha257" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["overwrite", "part", "append"])
def test_the_mode_of_a_write_is_recorded(recorded: Recorder, mode: str) -> None:
    call("generated", [A, B], mode=mode)

    assert [r["mode"] for r in recorded.of(Kind.GENERATION)] == [mode, mode]


def test_a_mode_that_is_not_declared_is_not_recorded(recorded: Recorder) -> None:
    call("generated", A)

    (generation,) = recorded.of(Kind.GENERATION)
    assert "mode" not in generation


@pytest.mark.parametrize("mode", ["parts", "", 7, ["part"]])
def test_a_wrong_mode_is_said_and_the_write_is_recorded_without(
    recorded: Recorder, capsys: Any, mode: Any
) -> None:
    call("generated", A, mode=mode)

    (generation,) = recorded.of(Kind.GENERATION)
    assert "mode" not in generation
    assert (
        f"mode {mode!r} is not one of overwrite, part, append"
        in capsys.readouterr().err
    )


def linked(folder: Path) -> tuple[Path, Path]:
    """Make a file and a symbolic link to its folder; return file and link."""
    real = folder / "v1" / "drs4_pedestal.Run01611.0000.h5"
    real.parent.mkdir()
    real.write_bytes(b"pedestal")
    (folder / "pro").symlink_to("v1")
    return real, folder / "pro" / real.name


@both_ways
def test_the_file_behind_a_symbolic_link_is_recorded_beside_the_path(
    recorded: Recorder, tmp_path: Path, verb: str
) -> None:
    real, link = linked(tmp_path)

    call(verb, [link, real])

    by_path = {r["filepath"]: r for r in recorded.of(Kind.ENTITY)}
    assert by_path[str(link)]["real_path"] == str(real.resolve())
    assert by_path[str(real)].get("real_path") in (None, str(real.resolve()))
    assert files(recorded, verb) == [str(link), str(real)]


def test_a_link_that_leads_nowhere_or_to_itself_stops_nothing(
    recorded: Recorder, tmp_path: Path
) -> None:
    (tmp_path / "loop.h5").symlink_to("loop.h5")
    (tmp_path / "gone.h5").symlink_to("missing.h5")

    call("generated", [tmp_path / "loop.h5", tmp_path / "gone.h5"])

    by_path = {r["filepath"]: r for r in recorded.of(Kind.ENTITY)}
    gone = by_path[str(tmp_path / "gone.h5")]
    assert gone["real_path"] == os.path.realpath(tmp_path / "missing.h5")
    assert len(by_path) == 2


def moves(recorded: Recorder) -> list[tuple[str, str, str]]:
    """Return what each move used, generated and made invalid, by paths."""
    paths = {r["entity_id"]: r["filepath"] for r in recorded.of(Kind.ENTITY)}

    def of(kind: Kind, name: str, step: str) -> str:
        (record,) = [r for r in recorded.of(kind) if r["activity_id"] == step]
        return str(paths[record[name]])

    steps = [r["activity_id"] for r in recorded.of(Kind.START) if r["name"] == "mv"]
    return [
        (
            of(Kind.USAGE, "used_id", step),
            of(Kind.GENERATION, "generated_id", step),
            of(Kind.INVALIDATION, "invalidated_id", step),
        )
        for step in steps
    ]


def test_a_move_is_an_activity_that_the_one_around_it_started(
    recorded: Recorder,
) -> None:
    with session("dl1ab:01618"), activity("dl1ab") as step:
        id_ = step.moved("/DL1/tmp.h5", A)

    outer, inner = recorded.of(Kind.START)
    assert moves(recorded) == [("/DL1/tmp.h5", A, "/DL1/tmp.h5")]
    assert id_ == location_id(A)
    assert inner["started_by"] == outer["activity_id"]
    assert inner["session_tag"] == outer["session_tag"] == "dl1ab:01618"
    assert recorded.statuses() == [("mv", "completed"), ("dl1ab", "completed")]


def test_a_move_is_of_its_activity_also_outside_of_the_block(
    recorded: Recorder,
) -> None:
    step = activity("dl1ab", session_tag="dl1ab:01618")
    step.start()
    step.moved("/DL1/tmp.h5", A)
    step.finish()

    outer, inner = recorded.of(Kind.START)
    assert inner["started_by"] == outer["activity_id"]


def test_the_content_that_was_moved_is_that_of_source_and_target(
    recorded: Recorder, tmp_path: Path
) -> None:
    target = tmp_path / "dl1.h5"
    target.write_bytes(b"content")

    with activity("dl1ab") as step:
        step.moved(tmp_path / "tmp.h5", target, hash="md5")

    (used,), (generated,) = recorded.of(Kind.USAGE), recorded.of(Kind.GENERATION)
    assert used["used_hash"] == generated["generated_hash"]
    assert generated["generated_hash"] == "9a0364b9e99bb480dd25e1f0284c8555"


def test_a_folder_that_a_file_was_moved_into_stands_for_the_file(
    recorded: Recorder, tmp_path: Path
) -> None:
    (tmp_path / "DL1").mkdir()
    (tmp_path / "DL1" / "dl1.h5").touch()

    with activity("dl1ab") as step:
        step.moved("/scratch/dl1.h5", tmp_path / "DL1")

    assert [target for _, target, _ in moves(recorded)] == [f"{tmp_path}/DL1/dl1.h5"]


def test_the_files_of_a_folder_are_moved_with_it(
    recorded: Recorder, tmp_path: Path
) -> None:
    (tmp_path / "DL1" / "01618").mkdir(parents=True)
    (tmp_path / "DL1" / "01618" / "dl1.h5").touch()

    with activity("dl1ab") as step:
        step.moved("/scratch/DL1", tmp_path / "DL1")

    assert [(source, target) for source, target, _ in moves(recorded)] == [
        ("/scratch/DL1", f"{tmp_path}/DL1"),
        ("/scratch/DL1/01618/dl1.h5", f"{tmp_path}/DL1/01618/dl1.h5"),
    ]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        pytest.param(None, A, id="no source"),
        pytest.param(A, "", id="no target"),
        pytest.param([A, B], "/DL2", id="several"),
        pytest.param(A, A, id="to itself"),
    ],
)
def test_what_is_no_move_is_said_and_not_recorded(
    recorded: Recorder, capsys: Any, source: Any, target: Any
) -> None:
    with activity("no move") as step:
        id_ = step.moved(source, target)

    assert (id_, moves(recorded)) == ("", [])
    assert capsys.readouterr().err != ""


def starts_of(recorded: Recorder) -> list[tuple[str, Any]]:
    """Return the name of each activity with its mark of a dry run."""
    return [(r["name"], r.get("dry_run")) for r in recorded.of(Kind.START)]


def by_block() -> None:
    with dry_run(), activity("dl1ab") as step, activity("inner"):
        step.moved(A, B)


def nested_later() -> None:
    with dry_run():
        step = activity("dl1ab")
    with step, activity("inner"):
        step.moved(A, B)


@pytest.mark.parametrize("record", [by_block, nested_later])
def test_a_dry_run_marks_its_activities_and_those_in_them(
    recorded: Recorder, record: Callable[[], None]
) -> None:
    record()

    assert starts_of(recorded) == [("dl1ab", True), ("inner", True), ("mv", True)]


def test_a_process_may_be_a_dry_run(
    recorded: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVDB_DRY_RUN", "1")

    with activity("dl1ab"):
        pass

    assert starts_of(recorded) == [("dl1ab", True)]


def test_what_is_no_dry_run_has_no_mark(recorded: Recorder) -> None:
    with dry_run(), activity("before"):
        pass
    with activity("dl1ab"):
        pass

    assert starts_of(recorded)[1] == ("dl1ab", None)
