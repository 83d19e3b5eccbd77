"""Without a disk, or without room on it, the pipeline runs on and says so once."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.faults.conftest import NewSpools
from tests.faults.kit import NOBODY, Ended, Spools

_UNREACHABLE: Final = {"FAULTS_URI": NOBODY}
_RECORDS: Final = 300
_LOG: Final = f"""
writer.log({_RECORDS})
print(writer.handler.dropped)
"""


@pytest.fixture
def spools(local_store_uri: str, new_spools: NewSpools) -> Spools:
    """Pipelines whose store is away until what they left is replayed."""
    return new_spools(local_store_uri)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "provdb-test", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"NO SMALL DISK, ITS TEST DOES NOT RUN: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_limit_of_the_system_costs_only_what_is_beyond_it(spools: Spools) -> None:
    ended = spools.run(
        """
import resource
writer = Writer("w", close_timeout_seconds=0.5)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
"""
        + _LOG,
        environ=_UNREACHABLE,
    )

    assert_said_once_and_counted(spools, ended)
    assert 50 < len(spools.taken) < 150
    assert spools.outcome() == ([], [], [])


def test_a_limit_of_the_handler_costs_only_what_is_beyond_it(spools: Spools) -> None:
    ended = spools.run(
        'writer = Writer("w", close_timeout_seconds=0.5, max_spool_bytes=20_000)'
        + _LOG,
        environ=_UNREACHABLE,
    )

    assert_said_once_and_counted(spools, ended)
    assert 50 < len(spools.taken) < 150
    assert (spools.spool_dir / spools.left()[0]).stat().st_size <= 20_000
    assert spools.outcome() == ([], [], [])


def test_a_full_disk_costs_only_what_has_no_room(
    spools: Spools, small_disk: Path
) -> None:
    ended = spools.run(
        'writer = Writer("w", close_timeout_seconds=0.5)'
        + _LOG.replace(str(_RECORDS), "600"),
        environ=_UNREACHABLE | {"FAULTS_SPOOL": str(small_disk)},
    )
    for path in small_disk.iterdir():
        spools.spool_dir.mkdir(exist_ok=True)
        shutil.copy(path, spools.spool_dir)

    assert_said_once_and_counted(spools, ended, records=600)
    assert 150 < len(spools.taken) < 500
    assert spools.outcome() == ([], [], [])


def test_a_disk_that_has_room_again_is_used_again(
    spools: Spools, small_disk: Path
) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 60_000)

    ended = spools.run(
        """
import os
writer = Writer("w", close_timeout_seconds=0.5)
writer.log(100)
lost = writer.handler.dropped
os.unlink(os.environ["FAULTS_SPOOL"] + "/ballast")
writer.log(100)
print(lost > 0, writer.handler.dropped == lost)
""",
        environ=_UNREACHABLE | {"FAULTS_SPOOL": str(small_disk)},
    )

    assert (ended.status, ended.stdout) == (0, "True True\n")


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param("/proc/provdb", id="cannot be made"),
        pytest.param("/dev/null", id="is a file"),
        pytest.param("/dev/null/spool", id="is below a file"),
    ],
)
def test_a_folder_that_is_none_costs_the_records_and_nothing_else(
    spools: Spools, folder: str
) -> None:
    ended = spools.run(
        'writer = Writer("w", close_timeout_seconds=0.5)' + _LOG,
        environ=_UNREACHABLE | {"FAULTS_SPOOL": folder},
    )

    assert_said_once_and_counted(spools, ended)
    assert spools.taken == []
    assert len(ended.complaints) == 1


def test_a_pipeline_without_stderr_and_disk_runs_on(spools: Spools) -> None:
    ended = spools.run(
        """
import os, sys
os.close(2)
sys.stderr = None
writer = Writer("w", close_timeout_seconds=0.5)
"""
        + _LOG,
        environ=_UNREACHABLE | {"FAULTS_SPOOL": "/dev/null"},
    )

    assert (ended.status, ended.stdout) == (0, f"{_RECORDS}\n")


def test_a_long_job_on_a_small_spool_loses_nothing_while_the_store_answers(
    spools: Spools,
) -> None:
    ended = spools.run(
        'writer = Writer("w", flush_interval_seconds=0.05, max_spool_bytes=200_000)\n'
        "writer.log(3000, pause=0.001)\n"
        "print(writer.handler.dropped)"
    )

    assert (ended.status, ended.stdout, ended.stderr) == (0, "0\n", "")
    assert (len(spools.taken), spools.missing(), spools.left()) == (3000, [], [])


def assert_said_once_and_counted(
    spools: Spools, ended: Ended, *, records: int = _RECORDS
) -> None:
    assert ended.status == 0
    assert ended.stdout == f"{records - len(spools.taken)}\n"
    assert len([line for line in ended.complaints if "lost" in line]) == 1
    assert "Traceback" not in ended.stderr
