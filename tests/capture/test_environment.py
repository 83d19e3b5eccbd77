"""The environment of a process: found out quickly, once, and without secrets."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provdb.capture.environment import capture_environment, environment_of_process
from provdb.capture.git import git_of
from provdb.capture.packages import packages_in
from provdb.model import Record, fold, unfold
from provdb.model import fields as f
from provdb.model.values import encode
from tests.samples import texts_of

NOW = datetime(2020, 1, 18, 8, tzinfo=UTC)
SECRET = "xYz-3141-QqQ"


def capture(environ: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """Describe a process with this environment."""
    arguments = more.pop("arguments", ["datasequence", "01618.0008"])
    return capture_environment(
        environ=environ or {}, arguments=arguments, now=NOW, **more
    )


def git(folder: Path, *arguments: str) -> str:
    """Run git without the settings of whoever runs the tests."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_NAME": "lst" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "lst@cp01" for who in ("AUTHOR", "COMMITTER")},
    }
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit on the branch main."""
    folder = tmp_path / "code"
    (folder / "scripts").mkdir(parents=True)
    (folder / "scripts/run.py").write_text("print()\n", encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=Start")
    return folder


def plant_package(folder: Path, name: str, metadata: str = "") -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "METADATA").write_text(metadata, encoding="utf-8")


def plant_packages(folder: Path, *, count: int) -> None:
    for number in range(count):
        plant_package(folder, f"package{number}-1.{number}.dist-info")


def test_the_layout_is_that_of_lstosa() -> None:
    block = capture({"USER": "lst"})

    assert list(block)[:4] == ["executable", "platform", "python", "environment"]
    assert block["arguments"] == ["datasequence", "01618.0008"]
    assert block["start_time_utc"] == "2020-01-18T08:00:00+00:00"
    assert block["environment"]["USER"] == "lst"
    assert block["environment"]["CONDA_PREFIX"] is None
    assert set(block["platform"]) >= {"node", "num_cpus", "boot_time", "machine"}
    assert block["python"]["version"] == sys.version.split()[0]
    assert block["python"]["packages"][0].keys() == {"name", "version", "path"}


def test_only_known_variables_are_taken() -> None:
    block = capture({"USER": "lst", "MY_OWN": SECRET, "SLURM_JWT": SECRET})

    assert SECRET not in repr(block)


def test_secrets_are_masked() -> None:
    block = capture(
        {"PYTHONPATH": f"https://osa:{SECRET}@cp01/x", "SLURM_JOB_ID": "7"},
        arguments=["run", f"--uri=mongodb://osa:{SECRET}@cp01", "--token", SECRET],
    )

    assert SECRET not in repr(block)


def test_a_block_can_be_stored() -> None:
    assert encode(capture({"HOME": "/fefs/\udcff"}))


@pytest.mark.parametrize(
    ("environ", "batch"),
    [
        pytest.param(
            {"SLURM_JOB_ID": "17", "SLURM_ARRAY_TASK_ID": "3", "SLURM_JOB_USER": "x"},
            {"system": "slurm", "SLURM_JOB_ID": "17", "SLURM_ARRAY_TASK_ID": "3"},
            id="Slurm",
        ),
        pytest.param(
            {"PBS_JOBID": "17.cp01", "PBS_ARRAY_INDEX": "3"},
            {"system": "pbs", "PBS_JOBID": "17.cp01", "PBS_ARRAY_INDEX": "3"},
            id="PBS",
        ),
        pytest.param(
            {"LSB_JOBID": "17", "LSB_JOBINDEX": "3"},
            {"system": "lsf", "LSB_JOBID": "17", "LSB_JOBINDEX": "3"},
            id="LSF",
        ),
        pytest.param(
            {"_CONDOR_JOB_AD": "/nowhere", "_CONDOR_SLOT": "slot1"},
            {
                "system": "htcondor",
                "_CONDOR_JOB_AD": "/nowhere",
                "_CONDOR_SLOT": "slot1",
            },
            id="HTCondor",
        ),
    ],
)
def test_the_job_of_a_batch_system_is_told(
    environ: dict[str, str], batch: dict[str, str]
) -> None:
    assert capture(environ)["batch"] == batch


def test_the_ids_of_htcondor_are_read_from_its_file(tmp_path: Path) -> None:
    advertisement = tmp_path / "job.ad"
    advertisement.write_text('Cmd = "x"\nClusterId = 17\nProcId = 3\n')

    batch = capture({"_CONDOR_JOB_AD": str(advertisement)})["batch"]

    assert (batch["ClusterId"], batch["ProcId"]) == ("17", "3")


def test_without_a_batch_system_there_is_no_job() -> None:
    assert "batch" not in capture({})


@pytest.mark.parametrize(
    ("environ", "files", "container"),
    [
        pytest.param(
            {"APPTAINER_CONTAINER": "/sw/lst.sif", "SINGULARITY_CONTAINER": "/sw/x"},
            {},
            {"kind": "apptainer", "image": "/sw/lst.sif"},
            id="Apptainer",
        ),
        pytest.param(
            {"SINGULARITY_CONTAINER": "/sw/lst.sif"},
            {},
            {"kind": "singularity", "image": "/sw/lst.sif"},
            id="Singularity",
        ),
        pytest.param({}, {".dockerenv": ""}, {"kind": "docker"}, id="Docker"),
        pytest.param(
            {},
            {"run/.containerenv": 'name="a"\nimage="lst:1"\nimageid="ab"\n'},
            {"kind": "podman", "image": "lst:1", "imageid": "ab"},
            id="Podman",
        ),
    ],
)
def test_the_container_is_told(
    tmp_path: Path,
    environ: dict[str, str],
    files: dict[str, str],
    container: dict[str, str],
) -> None:
    (tmp_path / "run").mkdir()
    plant = [(tmp_path / name).write_text(files[name]) for name in files]

    block = capture(environ, root=tmp_path)

    assert len(plant) == len(files)
    assert block["container"] == container


def test_conda_is_told() -> None:
    block = capture({"CONDA_PREFIX": "/opt/lst-dev", "CONDA_DEFAULT_ENV": "lst-dev"})

    assert block["conda"] == {"prefix": "/opt/lst-dev", "name": "lst-dev"}


def test_boot_is_told_to_the_minute(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text("cpu 1\nbtime 1578390063\nprocesses 2\n")

    block = capture(root=tmp_path)

    assert block["platform"]["boot_time"] == "2020-01-07T09:41:00+00:00"


def test_the_commit_of_the_script_is_told(repository: Path) -> None:
    script = str(repository / "scripts/run.py")

    block = capture({"PATH": os.environ["PATH"]}, arguments=[script])

    assert block["git"] == {
        "commit": git(repository, "rev-parse", "HEAD"),
        "branch": "main",
        "dirty": False,
        "root": str(repository),
    }


def test_code_that_was_changed_is_dirty(repository: Path) -> None:
    (repository / "scripts/run.py").write_text("print(1)\n", encoding="utf-8")

    found = git_of(repository, environ={"PATH": os.environ["PATH"]})

    assert found["dirty"] is True


def test_a_file_that_git_does_not_know_makes_nothing_dirty(repository: Path) -> None:
    (repository / "new.log").write_text("", encoding="utf-8")

    found = git_of(repository, environ={"PATH": os.environ["PATH"]})

    assert found["dirty"] is False


@pytest.mark.parametrize("prepare", ["pack-refs --all", "gc --quiet", "status"])
def test_without_git_the_commit_is_read_from_its_files(
    repository: Path, prepare: str
) -> None:
    git(repository, *prepare.split())

    found = git_of(repository / "scripts", environ={"PATH": "/nowhere"})

    assert found == {
        "commit": git(repository, "rev-parse", "HEAD"),
        "branch": "main",
        "root": str(repository),
    }


def test_without_git_a_worktree_is_read(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "w"))

    found = git_of(tmp_path / "w", environ={"PATH": "/nowhere"})

    assert found["commit"] == git(repository, "rev-parse", "HEAD")
    assert found["branch"] == "other"


def test_a_detached_commit_has_no_branch(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--detach")

    found = git_of(repository, environ={"PATH": os.environ["PATH"]})

    assert "branch" not in found
    assert found["commit"] == git(repository, "rev-parse", "HEAD")


def test_a_repository_without_commits_has_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")

    found = git_of(tmp_path, environ={"PATH": os.environ["PATH"]})

    assert found == {"branch": "main", "dirty": False, "root": str(tmp_path)}


def test_a_broken_repository_is_none(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n", encoding="utf-8")

    assert git_of(tmp_path, environ={"PATH": os.environ["PATH"]}) == {}


def test_a_git_that_does_not_answer_is_not_waited_for(
    repository: Path, tmp_path: Path
) -> None:
    slow = tmp_path / "bin/git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 20\n", encoding="utf-8")
    slow.chmod(0o755)
    start = time.perf_counter()

    found = git_of(repository, environ={"PATH": f"{slow.parent}:/usr/bin:/bin"})

    assert time.perf_counter() - start < 5
    assert found["commit"] == git(repository, "rev-parse", "HEAD")
    assert "dirty" not in found


def test_packages_are_known_by_their_folders(tmp_path: Path) -> None:
    plant_package(tmp_path, "argon2_cffi-25.1.0.dist-info")
    plant_package(tmp_path, "Jinja2-3.1.6-py3.11.egg-info")
    plant_package(tmp_path, "lstosa.egg-info", "Name: lstosa\nVersion: 0.11.10\n")
    plant_package(tmp_path, "~umpy-1.26.4.dist-info")
    plant_package(tmp_path, "broken.dist-info")
    plant_package(tmp_path, "numpy")

    found = packages_in([str(tmp_path), "/nowhere", "a\0b"])

    assert [(package.name, package.version) for package in found] == [
        ("argon2-cffi", "25.1.0"),
        ("jinja2", "3.1.6"),
        ("lstosa", "0.11.10"),
    ]


def test_of_two_packages_of_one_name_the_first_counts(tmp_path: Path) -> None:
    plant_package(tmp_path / "a", "numpy-1.26.4.dist-info")
    plant_package(tmp_path / "b", "NumPy-2.0.dist-info")

    found = packages_in([str(tmp_path / "a"), str(tmp_path / "b")])

    assert found == [("numpy", "1.26.4", str(tmp_path / "a"))]


@pytest.mark.parametrize(
    "arguments", [[], [""], ["-c"], ["a\0b"], ["/nowhere/run.py"]], ids=repr
)
def test_a_process_of_no_script_is_described(arguments: list[str]) -> None:
    block = capture({}, arguments=arguments, code=Path("/nowhere\0"))

    assert block["arguments"] == arguments


def test_array_tasks_of_a_node_have_one_environment() -> None:
    tasks = [task_session(number) for number in range(100)]

    documents = fold(tasks)

    assert len(documents[f.ENVIRONMENTS]) == 1
    assert len(documents[f.SESSIONS][0][f.EXECUTIONS]) == 100
    assert texts_of(unfold(documents)) == texts_of(tasks)


def task_session(number: int) -> Record:
    """Return the session of a task of an array job."""
    system = capture_environment(
        environ={"SLURM_JOB_ID": f"{17 + number}", "SLURM_ARRAY_TASK_ID": f"{number}"},
        arguments=["datasequence", f"01618.{number:04}"],
        now=NOW.replace(second=number % 60),
    )
    return {"session_id": "1", "session_tag": "r0_to_dl1:01618", "system": system}


def test_a_process_is_described_once() -> None:
    assert environment_of_process() is environment_of_process()
    assert environment_of_process()["arguments"]


def test_a_process_that_is_forked_off_is_described_anew() -> None:
    script = (
        "import os\n"
        "from provdb.capture.environment import environment_of_process\n"
        "first = environment_of_process()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(environment_of_process() is first)\n"
        "print(os.waitpid(child, 0)[1])\n"
    )

    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert said.stdout == "0\n"


def test_an_environment_of_many_packages_is_described_in_time(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_packages(tmp_path / "lib", count=250)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "lib"), *sys.path])
    environ = {"PATH": os.environ["PATH"]}
    start = time.perf_counter()

    block = capture(environ, code=repository)

    assert time.perf_counter() - start < 0.5  # 0.15, on a machine with others on it.
    assert len(block["python"]["packages"]) > 250
    assert "commit" in block["git"]
