"""The provenance log of ctapipe: how it spells the system, times and values."""

import platform
import sys
from collections import UserList
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from provdb.capture.environment import CTAPIPE_VARIABLES
from provdb.capture.plain import plain
from provdb.secrets.redaction import redact

__all__ = ["as_json_value", "log_time", "system_block"]

# Those that provdb's system block spells in the same way.
_PLATFORM: Final = (
    "architecture_bits",
    "machine",
    "processor",
    "node",
    "version",
    "system",
    "release",
)
_PYTHON: Final = ("version_string", "compiler", "implementation")
_JSON: Final = (str, int, float, list, dict, type(None))
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
    machine = system.get("platform", {})
    python = system.get("python", {})
    packages = [
        {"name": package["name"], "version": package.get("version")}
        for package in python.get("packages", ())
    ]
    return {
        "ctapipe_version": _ctapipe_version(packages),
        "ctapipe_svc_path": environ.get(_SVC_PATH),
        "executable": system.get("executable"),
        "platform": {
            **{name: machine.get(name) for name in _PLATFORM},
            "architecture_linkage": "ELF" if sys.platform == "linux" else "",
            "libcver": _libc_version(),
            "n_cpus": machine.get("num_cpus"),
            "boot_time": _utc(machine.get("boot_time")),
        },
        "python": {
            **{name: python.get(name) for name in _PYTHON},
            "version": list(platform.python_version_tuple()),
            "packages": packages,
        },
        "environment": {name: environ.get(name) for name in CTAPIPE_VARIABLES},
        "arguments": redact(list(sys.argv)),
        "start_time_utc": log_time(now),
    }


def as_json_value(value: Any) -> Any:
    """Return a value of a configuration as ctapipe's log has it.

    Args:
        value: What JSON has no form for: `json.dumps` asks for no other.

    >>> from pathlib import Path
    >>> as_json_value(Path("/fefs/aswg/data")), as_json_value({"DL1"})
    ('/fefs/aswg/data', ['DL1'])
    """
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "isot"):  # a time of astropy
        return value.utc.isot
    if hasattr(value, "unit") and hasattr(value, "value"):
        return {"value": plain(value.value), "unit": str(value.unit)}
    if isinstance(value, set | frozenset | UserList):
        return list(value)
    made = plain(value)
    return made if isinstance(made, _JSON) else str(made)


def _ctapipe_version(packages: Iterable[Mapping[str, Any]]) -> str | None:
    # ctapipe writes it into the files it makes, and takes nothing but a text.
    loaded = sys.modules.get(_CTAPIPE)
    installed = (p["version"] for p in packages if p["name"] == _CTAPIPE)
    version: str | None = getattr(loaded, "__version__", None) or next(installed, None)
    return version


@cache
def _libc_version() -> list[str]:
    return list(platform.libc_ver())


def _utc(written: str | None) -> str | None:
    return None if written is None else log_time(datetime.fromisoformat(written))
