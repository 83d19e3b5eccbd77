"""Rows about what is written of a run, beside what lstosa takes for the same."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import Final

from tests.benchmarks.measure import Line, seconds_of, time_text
from tests.benchmarks.stage import Stage, python_environment

__all__ = ["EXPORT_ROWS"]

_RUN: Final = "01807"
_MB: Final = 1e6
_PROMISED_SECONDS: Final = 2
_PROMISED_MB: Final = 250
# Of lstosa's `provprocess`, for a run of 100 subruns in the log of a night of ten runs,
# on a machine of two cores (AMD EPYC): the time of the processor, and the memory.
_LSTOSA_SECONDS: Final = 126.9
_LSTOSA_MB: Final = 487

# What a process had at most by its own count: that of its end starts with what its
# parent had.
_WITH_PEAK: Final = """
import runpy, sys
from tests.memory import peak_bytes
sys.argv[0] = "provdb"
try:
    runpy.run_module("provdb_cli.main", run_name="__main__", alter_sys=False)
finally:
    print("peak:", peak_bytes(), file=sys.stderr)
"""


def _products(stage: Stage, *, rounds: int) -> Iterator[Line]:
    stores = {"LocalStore": stage.local_night(), "MongoDB": stage.night_to_dl3().uri}
    for name, uri in stores.items():
        what = f"the process: provdb products RUN, {name}"
        seconds = median(
            seconds_of(lambda uri=uri: _write(stage, uri, "-m", "provdb_cli.main"))  # type: ignore[misc]
            for _ in range(rounds)
        )
        yield Line(
            what=f"{what}"
            f" | {_PROMISED_SECONDS} s (lstosa: {_LSTOSA_SECONDS} s, quoted)",
            ours=time_text(seconds),
            baseline=time_text(_PROMISED_SECONDS),
            ratio=seconds / _PROMISED_SECONDS,
            at_most=1,
        )
        said = _write(stage, uri, "-c", _WITH_PEAK)
        peak = int(said.rpartition("peak:")[2]) / _MB
        yield Line(
            what=f"{what}: peak memory"
            f" | {_PROMISED_MB} MB (lstosa: {_LSTOSA_MB} MB, quoted)",
            ours=f"{peak:.0f} MB",
            baseline=f"{_PROMISED_MB} MB",
            ratio=peak / _PROMISED_MB,
            at_most=1,
        )


EXPORT_ROWS: Mapping[str, Callable[..., Iterator[Line]]] = {"products": _products}


def _write(stage: Stage, uri: str, *python: str) -> str:
    """Write the products of a run in a process, and return what it said."""
    words = ["--uri", uri, "products", _RUN, "-o", str(stage.folder / "products")]
    done = subprocess.run(
        [sys.executable, *python, *words],
        env=python_environment(home=stage.folder),
        cwd=stage.folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stderr
