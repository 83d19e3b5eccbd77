"""The ``system`` block of a session: where and with which software a process runs.

Its layout is that of ctapipe and lstosa, with the commit of the working code, the conda
environment, the container image and the ids of the batch system beside it. Variables
are taken by name only, secrets are masked, and what cannot be found out is left out.
"""

import functools
import os
import platform
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from provdb.capture.git import git_of
from provdb.capture.packages import packages_in
from provdb.secrets.redaction import redact

__all__ = [
    "BATCH_VARIABLES",
    "CTAPIPE_VARIABLES",
    "VARIABLES",
    "capture_environment",
    "environment_of_process",
]

# Those of ctapipe and lstosa, which are None where they are not set.
CTAPIPE_VARIABLES: Final = (
    "CONDA_DEFAULT_ENV",
    "CONDA_PREFIX",
    "CONDA_PYTHON_EXE",
    "CONDA_EXE",
    "CONDA_PROMPT_MODIFIER",
    "CONDA_SHLVL",
    "PATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "USER",
    "HOME",
    "SHELL",
)
# What else decides which code and which data files run, and in how many threads.
_MORE_VARIABLES: Final = (
    "CTAPIPE_SVC_PATH",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TZ",
)
VARIABLES: Final = (*CTAPIPE_VARIABLES, *_MORE_VARIABLES)
# By batch system; the first is the one that only its jobs have.
BATCH_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "slurm": (
        "SLURM_JOB_ID",
        "SLURM_ARRAY_JOB_ID",
        "SLURM_ARRAY_TASK_ID",
        "SLURM_JOB_NAME",
        "SLURM_JOB_PARTITION",
        "SLURM_CLUSTER_NAME",
        "SLURM_PROCID",
        "SLURM_RESTART_COUNT",
    ),
    "htcondor": ("_CONDOR_JOB_AD", "_CONDOR_SLOT"),
    "pbs": (
        "PBS_JOBID",
        "PBS_ARRAYID",
        "PBS_ARRAY_ID",
        "PBS_ARRAY_INDEX",
        "PBS_JOBNAME",
        "PBS_QUEUE",
    ),
    "lsf": ("LSB_JOBID", "LSB_JOBINDEX", "LSB_JOBNAME", "LSB_QUEUE"),
}
_IMAGE_VARIABLES: Final = (
    ("apptainer", "APPTAINER_CONTAINER"),
    ("singularity", "SINGULARITY_CONTAINER"),
)

_FAILURES: Final = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    subprocess.SubprocessError,
)
_MOST_BYTES: Final = 2**20
# The first processor is enough; the kernel asks each for its clock.
_FIRST_BYTES: Final = 2**12
_ROOT: Final = Path("/")
_MODEL: Final = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)
_BOOT: Final = re.compile(r"^btime (\d+)$", re.MULTILINE)
_CONDOR_ID: Final = re.compile(r"^(ClusterId|ProcId)\s*=\s*(\d+)\s*$", re.MULTILINE)
_CONTAINER_LINE: Final = re.compile(r'^(image|imageid)="(.*)"$', re.MULTILINE)


def capture_environment(
    *,
    environ: Mapping[str, str],
    arguments: Sequence[str],
    now: datetime,
    code: Path | None = None,
    root: Path = _ROOT,
) -> dict[str, Any]:
    """Describe the process: machine, interpreter, packages, code, container, job.

    Takes some 10 ms, at most 150 ms, and never raises: a part that cannot be found out
    is not there. Secrets are masked (`provdb.secrets.redaction.redact`). What differs
    from one process to the next on a machine is in ``arguments``, ``start_time_utc``,
    ``git`` and ``batch`` alone.

    Args:
        environ: The environment, such as `os.environ`; of it only `VARIABLES` and
            `BATCH_VARIABLES` are taken.
        arguments: Words of the command line, the script first, such as `sys.argv`.
        now: When the process started.
        code: A file or folder of the working code, whose commit is told; the script
            unless given, or the working directory where that is no file.
        root: Where the file system starts.

    Returns:
        The block: ``executable``, ``platform``, ``python``, ``environment``, ``conda``,
        ``container``, ``arguments``, ``start_time_utc``, ``git``, ``batch``.

    Example:
        >>> block = capture_environment(
        ...     environ={"USER": "lst", "SLURM_JOB_ID": "17", "DB_PASSWORD": "p"},
        ...     arguments=["datasequence", "--token", "abc", "01618.0008"],
        ...     now=datetime(2020, 1, 18, 8, tzinfo=UTC),
        ... )
        >>> block["arguments"], block["batch"]["SLURM_JOB_ID"]
        (['datasequence', '--token', '***', '01618.0008'], '17')
        >>> block["environment"]["USER"], "DB_PASSWORD" in block["environment"]
        ('lst', False)
    """
    parts: dict[str, Callable[[], Any]] = {
        "executable": lambda: sys.executable,
        "platform": lambda: _platform(root),
        "python": _python,
        "environment": lambda: _variables(environ),
        "conda": lambda: _conda(environ),
        "container": lambda: _container(environ, root=root),
        # The reader of logs takes what is before these for the same in all of them.
        "arguments": lambda: list(arguments),
        "start_time_utc": lambda: now.astimezone(UTC).isoformat(),
        "git": lambda: git_of(_folder_of_code(code, arguments), environ=environ),
        "batch": lambda: _batch(environ),
    }
    block: dict[str, Any] = {}
    for name, find in parts.items():
        try:
            part = find()
        except _FAILURES:
            continue
        if part or name == "arguments":
            block[name] = part
    redacted: dict[str, Any] = redact(block)
    return redacted


def environment_of_process() -> dict[str, Any]:
    """Describe this process, which is found out once; do not change what is returned.

    A process that was forked off is described anew.

    Example:
        >>> environment_of_process() is environment_of_process()
        True
    """
    return _environment_of(os.getpid())


@functools.lru_cache(maxsize=1)
def _environment_of(pid: int) -> dict[str, Any]:
    return capture_environment(
        environ=os.environ, arguments=sys.argv, now=datetime.now(UTC)
    )


def _platform(root: Path) -> dict[str, Any]:
    system = os.uname()
    return {
        "architecture_bits": f"{struct.calcsize('P') * 8}bit",
        "machine": system.machine,
        "processor": _found(_MODEL, root / "proc/cpuinfo", _FIRST_BYTES)
        or system.machine,
        "node": system.nodename,
        "version": system.version,
        "system": system.sysname,
        "release": system.release,
        "libcver": str(platform.libc_ver()),
        "num_cpus": os.cpu_count(),
        "boot_time": _boot_time(root),
    }


def _boot_time(root: Path) -> str | None:
    seconds = _found(_BOOT, root / "proc/stat")
    if seconds is None:
        return None
    # The kernel reckons it from two clocks anew each time, a second more or less.
    time = datetime.fromtimestamp(round(int(seconds) / 60) * 60, tz=UTC)
    return time.isoformat()


def _python() -> dict[str, Any]:
    return {
        "version_string": sys.version,
        "version": platform.python_version(),
        "compiler": platform.python_compiler(),
        "implementation": platform.python_implementation(),
        "packages": [package._asdict() for package in packages_in(sys.path)],
    }


def _variables(environ: Mapping[str, str]) -> dict[str, str | None]:
    variables = {name: environ.get(name) for name in CTAPIPE_VARIABLES}
    return variables | {
        name: environ[name] for name in _MORE_VARIABLES if name in environ
    }


def _folder_of_code(code: Path | None, arguments: Sequence[str]) -> Path:
    place = code or Path(arguments[0] if arguments else "")
    if place.is_file():
        return place.resolve().parent
    return place if code is not None else Path.cwd()


def _conda(environ: Mapping[str, str]) -> dict[str, str]:
    prefix = environ.get("CONDA_PREFIX")
    if prefix:
        name = environ.get("CONDA_DEFAULT_ENV") or os.path.basename(prefix)
        return {"prefix": prefix, "name": name}
    if Path(sys.prefix, "conda-meta").is_dir():  # Run without its activation.
        return {"prefix": sys.prefix, "name": os.path.basename(sys.prefix)}
    return {}


def _container(environ: Mapping[str, str], *, root: Path) -> dict[str, str]:
    for kind, variable in _IMAGE_VARIABLES:
        if environ.get(variable):
            return {"kind": kind, "image": environ[variable]}
    podman = root / "run/.containerenv"
    if podman.is_file():
        lines = _CONTAINER_LINE.findall(_head_of(podman))
        return {"kind": "podman", **{name: value for name, value in lines if value}}
    if (root / ".dockerenv").exists():
        return {"kind": "docker"}
    return {}


def _batch(environ: Mapping[str, str]) -> dict[str, str]:
    for system, names in BATCH_VARIABLES.items():
        if environ.get(names[0]):
            known = {name: environ[name] for name in names if name in environ}
            return {"system": system, **known, **_condor_ids(known)}
    return {}


def _condor_ids(known: Mapping[str, str]) -> dict[str, str]:
    # HTCondor tells a job its ids in a file alone.
    if "_CONDOR_JOB_AD" not in known:
        return {}
    try:
        return dict(_CONDOR_ID.findall(_head_of(Path(known["_CONDOR_JOB_AD"]))))
    except _FAILURES:
        return {}


def _found(
    pattern: re.Pattern[str], path: Path, most_bytes: int = _MOST_BYTES
) -> str | None:
    try:
        found = pattern.search(_head_of(path, most_bytes))
    except _FAILURES:
        return None
    return found[1] if found else None


def _head_of(path: Path, most_bytes: int = _MOST_BYTES) -> str:
    with path.open("rb") as stream:
        return stream.read(most_bytes).decode("utf-8", "backslashreplace")
