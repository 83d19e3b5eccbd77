"""Files are found in folders, in the order of their names, whatever lies there."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from provdb.errors import ReadError
from provdb.model import FileState
from provdb.readers.folders import FoundFile, walk_files
from provdb.readers.lines import printable

_DEEP: Final = sys.getrecursionlimit() + 100


def found_in(path: Path) -> list[FoundFile]:
    """Return what is found of a path in which nothing is wrong."""
    found = list(walk_files(path))
    files = [one for one in found if isinstance(one, FoundFile)]
    assert found == files
    return files


def find(path: Path) -> list[Path]:
    """Return the paths of what is found."""
    return [Path(file.path) for file in found_in(path)]


def test_files_of_a_folder_are_found_at_any_depth_and_sorted(tmp_path: Path) -> None:
    names = ["a/dl1.h5", "a/prov.log.1", "b/c/01807_prov.LOG", "b/notes", "dl3.fits"]
    for name in reversed(names):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    assert find(tmp_path) == [tmp_path / name for name in names]


def test_in_a_folder_pipes_and_devices_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.log")
    (tmp_path / "b.log").symlink_to("/dev/zero")
    (tmp_path / "c.log").touch()
    (tmp_path / "d.log").symlink_to(tmp_path / "c.log")
    (tmp_path / "e.log").symlink_to(tmp_path / "missing")

    found = find(tmp_path)

    # What is gone is told when it is opened.
    assert [path.name for path in found] == ["c.log", "d.log", "e.log"]


def test_a_pipe_that_is_named_is_a_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert find(tmp_path / "pipe") == [tmp_path / "pipe"]


def test_a_file_that_is_named_is_a_log_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "odd.name"
    path.touch()

    assert find(path) == [path]


def test_a_folder_that_holds_itself_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "prov.log").touch()
    (tmp_path / "again").symlink_to(tmp_path)

    assert find(tmp_path) == [tmp_path / "prov.log"]


def test_a_folder_that_is_linked_is_read(tmp_path: Path) -> None:
    (tmp_path / "night").mkdir()
    (tmp_path / "night" / "prov.log").touch()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "last").symlink_to(tmp_path / "night")

    assert find(tmp_path / "logs") == [tmp_path / "logs" / "last" / "prov.log"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("missing.log", id="missing"),
        pytest.param("a" * 300, id="name too long"),
        pytest.param("a\0b", id="name with NUL"),
        pytest.param("file/prov.log", id="below a file"),
    ],
)
def test_a_path_that_is_not_there_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ReadError) as caught:
        find(tmp_path / name)

    assert caught.value.source == printable(str(tmp_path / name))
    assert caught.value.line is None


@pytest.mark.usefixtures("nobody")
def test_a_folder_that_may_not_be_read_is_an_error(closed_folder: Path) -> None:
    with pytest.raises(ReadError, match="it cannot be read: Permission denied"):
        find(closed_folder)


@pytest.mark.usefixtures("nobody")
def test_a_closed_folder_in_a_folder_costs_no_other_file(closed_folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "closed").symlink_to(closed_folder)
        (folder / "prov.log").touch()
        problem, file = walk_files(folder)

        assert isinstance(problem, ReadError)
        assert problem.source == str(folder / "closed")
        assert isinstance(file, FoundFile)
        assert file.path == str(folder / "prov.log")


@pytest.mark.usefixtures("nobody")
def test_a_path_in_a_folder_that_may_not_be_read_is_an_error(
    closed_folder: Path,
) -> None:
    with pytest.raises(ReadError, match="it cannot be read: Permission denied"):
        find(closed_folder / "night" / "prov.log")


def test_a_file_is_found_with_its_place_its_size_and_its_time(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b.log").write_bytes(b"12345")
    os.utime(tmp_path / "b.log", ns=(1, 1_579_306_800_123_456_789))

    (file,) = found_in(tmp_path)

    assert (file.name, file.position, file.is_named) == ("b.log", 1, False)
    assert (file.place.location, file.place.file_count) == (str(tmp_path), 2)
    assert file.state == FileState(5, 1_579_306_800_123_456_789)


def test_what_is_no_plain_file_has_no_state(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to(tmp_path / "missing")

    (pipe,) = found_in(tmp_path / "pipe")
    (gone,) = found_in(tmp_path)

    assert (pipe.state, pipe.is_named, gone.state) == (None, True, None)


def test_paths_are_told_as_they_were_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("night/b").mkdir(parents=True)
    Path("night/b/prov.log").touch()

    asked = [Path(), Path("night"), Path("night/b/prov.log")]

    said = [[file.path for file in found_in(path)] for path in asked]
    assert said == [["night/b/prov.log"]] * 3


def test_folders_may_be_nested_deeper_than_calls(deep_folder: Path) -> None:
    (file,) = found_in(deep_folder)

    assert file.path.count("/d") == _DEEP


@pytest.fixture
def deep_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a log in folders that Python could not remove."""
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(_DEEP):
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(os.open("prov.log", os.O_CREAT, dir_fd=place))
    os.close(place)
    yield tmp_path
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder that nobody may enter."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0)
        yield path
        path.chmod(0o700)


@pytest.fixture
def nobody(closed_folder: Path) -> Iterator[None]:
    """Work without the rights of the superuser, who may read anything."""
    user = os.geteuid()
    os.seteuid(user or 65534)
    yield
    os.seteuid(user)
