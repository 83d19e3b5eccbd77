"""Copies of what activities use: each content once a session, known by its digest."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from provdb.capture import Activity, activity, session
from provdb.model import Kind
from tests.capture.recorder import Recorder

_LONG_AGO = 1_579_248_000


def _config(folder: Path, *, text: str) -> Path:
    path = folder / "lstchain_standard_config.json"
    path.write_text(text)
    os.utime(path, (_LONG_AGO, _LONG_AGO))
    return path


def _use(path: Path, **options: Any) -> None:
    with activity("dl1ab", session_tag="dl1ab:01618") as step:
        assert isinstance(step, Activity)
        step.used(path, role="Analysis configuration file", **options)


def test_a_content_is_copied_once_however_often_it_is_used(
    recorded: Recorder, tmp_path: Path
) -> None:
    path = _config(tmp_path, text="{}")

    with session("dl1ab:01618"):
        _use(path)
        _use(path)

    copy, again = recorded.of(Kind.FILE)
    starts = recorded.of(Kind.START)
    assert copy["file_id"] == again["file_id"] == hashlib.sha256(b"{}").hexdigest()
    assert ("content" in copy, "content" in again) == (True, False)
    assert [copy["activity_id"], again["activity_id"]] == [
        start["activity_id"] for start in starts
    ]
    assert [used["used_hash"] for used in recorded.of(Kind.USAGE)] == [
        copy["file_id"]
    ] * 2


@pytest.mark.parametrize("text", ["{1}", '{"picture_thresh": 8}'])
def test_each_version_of_a_file_is_copied(
    recorded: Recorder, tmp_path: Path, text: str
) -> None:
    with session("dl1ab:01618"):
        _use(_config(tmp_path, text="{}"))
        path = tmp_path / "lstchain_standard_config.json"
        path.write_text(text)
        _use(path)

    assert len({copy["file_id"] for copy in recorded.of(Kind.FILE)}) == 2


def test_a_file_that_was_just_written_is_looked_at_again(
    recorded: Recorder, tmp_path: Path
) -> None:
    path = tmp_path / "config.json"

    with session("dl1ab:01618"):
        path.write_text("{1}")
        kept = os.stat(path)
        _use(path)
        path.write_text("{2}")
        os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
        _use(path)

    assert len({copy["file_id"] for copy in recorded.of(Kind.FILE)}) == 2


@pytest.mark.parametrize(
    ("name", "options", "copies"),
    [
        pytest.param("config.json", {}, 1, id="configuration"),
        pytest.param("config.json", {"copy": False}, 0, id="not wanted"),
        pytest.param("dl1.h5", {}, 0, id="data"),
        pytest.param("dl1_LST-1.Run01618.0000.json", {}, 0, id="data in JSON"),
        pytest.param("a.json", {"name": "R0SubrunDataset"}, 0, id="data by its name"),
        pytest.param("dl1_config.json", {"name": "Config"}, 1, id="named as such"),
        pytest.param("dl1.h5", {"copy": True}, 1, id="data that is wanted"),
    ],
)
def test_configuration_is_copied_and_data_is_not(
    recorded: Recorder, tmp_path: Path, name: str, options: dict[str, Any], copies: int
) -> None:
    path = tmp_path / name
    path.write_text("{}")

    _use(path, **options)

    assert len(recorded.of(Kind.FILE)) == copies


def test_a_file_that_is_not_there_is_no_problem(
    recorded: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _use(tmp_path / "config.json")

    assert recorded.of(Kind.FILE) == []
    assert len(recorded.of(Kind.USAGE)) == 1
    assert capsys.readouterr().err == ""


def test_a_folder_that_cannot_be_copied_is_a_problem(
    recorded: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _use(tmp_path, copy=True)

    assert len(recorded.of(Kind.USAGE)) == 1
    assert f"provdb: {tmp_path}: it cannot be read" in capsys.readouterr().err
