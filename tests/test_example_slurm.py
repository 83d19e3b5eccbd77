"""The job script for Slurm, run as Slurm runs it: one process a subrun."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

import provdb

_ROOT: Final = Path(__file__).parents[1]
_SCRIPT: Final = _ROOT / "examples" / "slurm_array.sh"
_SOURCES: Final = [str(_ROOT), str(_ROOT / "cli"), str(_ROOT / "schemas")]
_FAILING: Final = 2
# What the steps leave behind, in the place of lstchain's.
_COMMANDS: Final = {
    "lstchain_r0_to_dl1": (
        'n=$(basename "$2" .fits.fz); echo > "$4/dl1_LST-1.${n#LST-1.1.}.h5"'
    ),
    "lstchain_dl1ab": f'case $2 in *.000{_FAILING}.h5) exit 4;; esac; cp "$2" "$4"',
    "lstchain_dl1_to_dl2": 'n=$(basename "$2"); cp "$2" "$6/dl2_${n#dl1_}"',
    "provdb": f'exec {sys.executable} -m provdb_cli.main "$@"',
}

Job = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """The folder of a night, with its calibration and its models."""
    night = tmp_path / "night"
    files = [
        *(f"R0/LST-1.1.Run01807.{subrun:04d}.fits.fz" for subrun in range(3)),
        "calibration/drs4_pedestal.Run01804.0000.h5",
        "calibration/calibration_filters_52.Run01809.0000.h5",
        "models/reg_energy.sav",
        "models/cls_gh.sav",
        "lstchain_standard_config.json",
        "DL1/.keep",
    ]
    for name in files:
        (night / name).parent.mkdir(parents=True, exist_ok=True)
        (night / name).write_text("{}", encoding="utf-8")
    return night


@pytest.fixture
def job(tmp_path: Path, night: Path, local_store_uri: str) -> Job:
    """What runs the script with the variables of a task, or of no task."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, text in _COMMANDS.items():
        (commands / name).write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
        (commands / name).chmod(0o755)

    def run(*arguments: str, **task: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", str(_SCRIPT), *arguments],
            capture_output=True,
            text=True,
            env={
                "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(tmp_path),
                "PYTHONPATH": os.pathsep.join(_SOURCES),
                "BASE": str(night),
                "PROVDB_URI": local_store_uri,
                "RUN": "01807",
                **task,
            },
            timeout=120,
        )

    return run


def _task(job: Job, subrun: int) -> "subprocess.CompletedProcess[str]":
    return job(SLURM_JOB_ID=str(100 + subrun), SLURM_ARRAY_TASK_ID=str(subrun))


def test_each_subrun_has_its_own_lineage(job: Job, local_store_uri: str) -> None:
    with ThreadPoolExecutor(2) as tasks:
        done = list(tasks.map(lambda subrun: _task(job, subrun), range(2)))

    with provdb.connect(local_store_uri) as db:
        lineages = [
            db.lineage(f"dl2_LST-1.Run01807.{subrun:04d}.h5") for subrun in range(2)
        ]
        activities = [(a["name"], a["subrun"]) for a in db.store.scan("activities")]
    assert [(task.returncode, task.stderr) for task in done] == [(0, "")] * 2
    assert [[r0.subrun for r0 in found.files_of_level("R0")] for found in lineages] == [
        [0],
        [1],
    ]
    assert {Path(str(node.location)).name for node in lineages[0].nodes} >= {
        "drs4_pedestal.Run01804.0000.h5",
        "reg_energy.sav",
        "cls_gh.sav",
        "lstchain_standard_config.json",
    }
    assert sorted(activities) == [
        (step, subrun)
        for step in ("dl1_to_dl2", "dl1ab", "r0_to_dl1")
        for subrun in range(2)
    ]


def test_a_step_that_fails_ends_its_task_and_is_recorded(
    job: Job, local_store_uri: str
) -> None:
    task = _task(job, _FAILING)

    with provdb.connect(local_store_uri) as db:
        ends = {a["name"]: a["status"] for a in db.store.scan("activities")}
    assert task.returncode == 4
    assert ends == {"r0_to_dl1": "completed", "dl1ab": "failed"}


@pytest.mark.slow
def test_what_a_task_could_not_store_is_stored_by_the_job_after_it(
    job: Job, tmp_path: Path, night: Path
) -> None:
    blocked = tmp_path / "elsewhere"
    blocked.write_text("no folder", encoding="utf-8")
    uri = f"sqlite:///{blocked}/provdb.db"

    task = job(SLURM_ARRAY_TASK_ID="0", PROVDB_URI=uri)
    waiting = sorted((night / "provdb-spool").glob("*.jsonl"))
    blocked.unlink()
    blocked.mkdir()
    replayed = job("replay", PROVDB_URI=uri)

    with provdb.connect(uri) as db:
        found = db.lineage("dl2_LST-1.Run01807.0000.h5")
    assert task.returncode == 0
    assert len(waiting) == 3
    assert replayed.returncode == 0, replayed.stderr
    assert [r0.subrun for r0 in found.files_of_level("R0")] == [0]


@pytest.mark.parametrize("missing", ["BASE", "PROVDB_URI", "SLURM_ARRAY_TASK_ID"])
def test_a_variable_that_is_not_set_is_named(job: Job, missing: str) -> None:
    task = job(**{"SLURM_ARRAY_TASK_ID": "0", missing: ""})

    assert task.returncode == 1
    assert missing in task.stderr


def test_the_script_has_the_syntax_of_a_shell() -> None:
    checked = subprocess.run(["bash", "-n", str(_SCRIPT)], capture_output=True)

    assert (checked.returncode, checked.stderr) == (0, b"")
