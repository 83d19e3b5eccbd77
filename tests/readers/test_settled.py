"""A file is what its size and time say only when nobody wrote to it meanwhile."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from provdb.readers.settled import Settled

_NOW_NS = 1_579_306_800 * 10**9


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that was written a minute ago."""
    path = tmp_path / "prov.log"
    path.write_bytes(b"12345")
    os.utime(path, ns=(0, _NOW_NS - 60 * 10**9))
    monkeypatch.setattr("time.time_ns", lambda: _NOW_NS)
    return path


def _write_same_size(path: Path) -> None:
    path.write_bytes(b"54321")


def _append(path: Path) -> None:
    about = path.stat()
    path.write_bytes(b"123456")
    os.utime(path, ns=(0, about.st_mtime_ns))


def _replace(path: Path) -> None:
    about = path.stat()
    other = path.with_name("other")
    other.write_bytes(b"54321")
    os.utime(other, ns=(0, about.st_mtime_ns))
    other.replace(path)


def test_a_file_that_is_left_alone_has_its_size_and_time(path: Path) -> None:
    with path.open("rb") as stream:
        state = Settled(stream).state()

    assert state == (5, _NOW_NS - 60 * 10**9)


@pytest.mark.parametrize("change", [_write_same_size, _append, _replace, Path.unlink])
def test_a_file_that_changes_meanwhile_has_none(
    path: Path, change: Callable[[Path], None]
) -> None:
    with path.open("rb") as stream:
        file = Settled(stream)
        change(path)

        assert file.state() is None


@pytest.mark.parametrize(
    ("age_seconds", "is_settled"),
    [
        pytest.param(3, True, id="some seconds ago"),
        pytest.param(1, False, id="just now"),
        pytest.param(-60, False, id="by a clock that is ahead"),
        pytest.param(-86400, True, id="far ahead"),
    ],
)
def test_a_file_that_was_just_written_has_none(
    path: Path, age_seconds: int, is_settled: bool
) -> None:
    os.utime(path, ns=(0, _NOW_NS - age_seconds * 10**9))

    with path.open("rb") as stream:
        assert (Settled(stream).state() is not None) == is_settled
