"""Binary files are read in a process of their own, which may die."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provdb.errors import ReadError
from provdb.readers import guard, hdf5, worker
from provdb.readers.formats import Format, format_named
from tests.readers.reading import read_file, read_text
from tests.samples import CTAPIPE, LSTCHAIN_DL1, LSTCHAIN_DL2

_HDF5 = format_named("hdf5")
# Stands for a reader of a library that does what a file makes it do.
_DIES = """
import json, os, sys, time
for line in sys.stdin:
    if "dies" in line:
        os.kill(os.getpid(), 11)
    if "hangs" in line:
        time.sleep(600)
    print(json.dumps({"records": [[None, {"pid": str(os.getpid())}]], "problems": []}))
    sys.stdout.flush()
"""


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """Leave no process behind."""
    yield
    guard.end_guards()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of files, and a process that dies or hangs of some of them."""
    for name in ("good", "dies", "hangs"):
        (tmp_path / name).touch()
    program = tmp_path / "reader.py"
    program.write_text(_DIES)
    real = subprocess.Popen

    def started(words: list[str], **options: object) -> object:
        return real([words[0], str(program)], **options)  # type: ignore[call-overload]  # As given.

    monkeypatch.setattr(subprocess, "Popen", started)
    return tmp_path


@pytest.mark.parametrize(
    "path",
    [LSTCHAIN_DL1, LSTCHAIN_DL2, CTAPIPE / "dl1_LST-1.Run01807.0000.h5"],
    ids=["DL1", "DL2", "ctapipe"],
)
def test_it_reads_what_is_read_without_it(path: Path) -> None:
    inside = Format(name="hdf5", title="", claims=hdf5.claims, read=hdf5.read_file)

    assert read_file(path) == read_file(path, inside)


def test_one_process_reads_many_files(files: Path) -> None:
    first, second = (read_file(files / "good", _HDF5)[0] for _ in range(2))

    assert first == second


def test_a_file_that_kills_the_process_is_named_and_the_next_is_read(
    files: Path,
) -> None:
    (before,) = read_file(files / "good", _HDF5)[0]

    with pytest.raises(ReadError) as said:
        read_file(files / "dies", _HDF5)
    (after,) = read_file(files / "good", _HDF5)[0]

    assert str(said.value) == (
        f"{files}/dies: it ended the process that read it: SIGSEGV"
    )
    assert before != after


def test_a_file_that_takes_for_ever_is_named_and_the_next_is_read(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "TIMEOUT_SECONDS", 0.2)

    with pytest.raises(ReadError, match="hangs: to read it takes more than 0 s"):
        read_file(files / "hangs", _HDF5)
    monkeypatch.setattr(guard, "TIMEOUT_SECONDS", 60.0)

    assert len(read_file(files / "good", _HDF5)[0]) == 1


def test_a_file_without_a_path_is_not_read() -> None:
    content = LSTCHAIN_DL1.read_bytes()

    with pytest.raises(ReadError, match="known by its path: name the file itself"):
        read_text(content)


def test_a_missing_library_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)

    answer = worker.answer({"format": "hdf5", "path": str(LSTCHAIN_DL1)})

    assert answer == {
        "unread": "h5py is needed for this: pip install 'provdb[readers]'"
    }


def test_the_process_ends_with_the_one_that_started_it() -> None:
    words = [sys.executable, "-m", "provdb.readers.worker"]
    request = json.dumps({"format": "hdf5", "path": "/missing.h5"})

    said = subprocess.run(
        words, input=request.encode(), capture_output=True, timeout=60, check=True
    )

    assert json.loads(said.stdout) == {
        "unread": "it cannot be read: No such file or directory"
    }


def test_the_memory_of_the_process_is_limited() -> None:
    code = (
        "from provdb.readers import worker\n"
        "worker._limit_memory()\n"
        "try: bytearray(8 * 2**30)\n"
        "except MemoryError: print('limited')"
    )

    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=60, check=True
    )

    assert said.stdout == b"limited\n"


def test_a_fork_has_a_process_of_its_own() -> None:
    assert guard._guard(os.getpid()) is not guard._guard(os.getpid() + 1)
