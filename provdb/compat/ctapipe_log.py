"""The provenance log of ctapipe: how it spells the system, times and values. Pure."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from provdb.capture.plain import plain

__all__ = ["as_json_value", "log_time", "system_block"]

_VARIABLES: Final = (
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
# Field of ctapipe's log: field of provdb's system block.
_PLATFORM: Final = {
    "architecture_bits": "architecture_bits",
    "architecture_linkage": "architecture_linkage",
    "machine": "machine",
    "processor": "processor",
    "node": "node",
    "version": "version",
    "system": "system",
    "release": "release",
    "libcver": "libcver",
    "n_cpus": "num_cpus",
    "boot_time": "boot_time",
}
_PYTHON: Final = ("version_string", "version", "compiler", "implementation")
_CTAPIPE: Final = "ctapipe"
_SVC_PATH: Final = "CTAPIPE_SVC_PATH"


def log_time(time: datetime) -> str:
    """Write a time as ctapipe does: UTC that names no zone, with milliseconds.

    >>> log_time(datetime(2026, 11, 22, 17, 17, 14, 518000, tzinfo=UTC))
    '2026-11-22T17:17:14.518'
    """
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


def system_block(
    system: Mapping[str, Any], *, environ: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    """Return the ``system`` of an activity in the log.

    Args:
        system: The system block of provdb's capture.
        environ: The environment of the process.
        now: When the activity started.
    """
    python = system.get("python", {})
    packages = python.get("packages", ())
    versions = {package["name"]: package.get("version") for package in packages}
    return {
        "ctapipe_version": _ctapipe_version() or versions.get(_CTAPIPE),
        "ctapipe_svc_path": environ.get(_SVC_PATH),
        "executable": system.get("executable", sys.executable),
        "platform": {
            name: system.get("platform", {}).get(ours)
            for name, ours in _PLATFORM.items()
        },
        "python": {
            **{name: python.get(name) for name in _PYTHON},
            "packages": [
                {"name": name, "version": version} for name, version in versions.items()
            ],
        },
        "environment": {name: environ.get(name) for name in _VARIABLES},
        "arguments": list(sys.argv),
        "start_time_utc": log_time(now),
    }


def as_json_value(value: object) -> Any:
    """Return a value of a configuration as JSON has it, as ``default`` of `json`.

    A quantity becomes its value and its unit, as ctapipe writes it; anything else
    what `plain` makes of it.

    >>> from pathlib import Path
    >>> as_json_value(Path("/fefs/aswg/data"))
    '/fefs/aswg/data'
    """
    unit = getattr(value, "unit", None)
    if unit is not None and hasattr(value, "value"):
        return {"value": plain(value.value), "unit": str(unit)}
    return plain(value)


def _ctapipe_version() -> str | None:
    # ctapipe writes it into the files it makes, and takes nothing but a text.
    loaded = sys.modules.get(_CTAPIPE)
    version: str | None = getattr(loaded, "__version__", None)
    return version
