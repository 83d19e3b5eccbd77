"""The rows of the table that are about capture: what it costs the pipeline."""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from provdb.capture.environment import capture_environment
from provdb.capture.handler import ProvHandler
from tests.benchmarks.measure import Line, at_most, seconds_of
from tests.benchmarks.stage import Stage
from tests.benchmarks.tracing import seconds_of_traced_call
from tests.benchmarks.writers import Turn, run_writers

__all__ = ["CAPTURE_ROWS"]

_RECORD: Final[Mapping[str, Any]] = {
    "entity_id": "446f45dd1c878559585395eedce5bc7a",
    "name": "R0SubrunDataset",
    "filepath": "/fefs/aswg/data/real/R0/20191123/LST-1.1.Run01618.0008.fits.fz",
    "hash": "446f45dd1c878559585395eedce5bc7a",
    "hash_type": "md5",
    "type": "File",
    "contentType": "application/fits",
    "session_tag": "r0_to_dl1:01618",
}
_LINE: Final = f"__PROV__2020-05-18T14:18:30.447628__PROV__{dict(_RECORD)!r}"
# Nobody listens on this port.
_DOWN: Final = "mongodb://127.0.0.1:9/provdb?serverSelectionTimeoutMS=100"
_CALLS: Final = 3000
_PERCENT_99: Final = 98


def _caller(stage: Stage, *, rounds: int) -> Iterator[Line]:
    """Log to our handler and to a file in turns, while a store is there or is not."""
    stores = (("a local store", f"sqlite://{stage.folder}/calls.db"), ("none", _DOWN))
    for store, uri in stores:
        ours = ProvHandler(
            uri, spool_dir=stage.folder / "calls", close_timeout_seconds=1
        )
        file = logging.FileHandler(stage.folder / "calls.log")
        file.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
        for form, message in (("mapping", dict(_RECORD)), ("text line", _LINE)):
            mine, baseline = [], []
            for _ in range(3 * rounds):
                baseline += _calls(file, message)
                mine += _calls(ours, message)
            what = f"a logging call, {form}, store: {store}"
            yield at_most(f"{what} | FileHandler", median(mine), median(baseline), 1.1)
            yield at_most(
                f"{what}, 99th percentile | FileHandler",
                _percentile_99(mine),
                _percentile_99(baseline),
                10,
            )
        file.close()
        ours.close()


def _tracing(stage: Stage, *, rounds: int) -> Iterator[Line]:
    for name in ("merge_dl2", "r0_to_dl1"):
        turns = [seconds_of_traced_call(name) for _ in range(rounds)]
        added = median(traced - bare for traced, bare in turns)
        yield at_most(
            f"what @trace adds to a call of {name} | the promise", added, 0.001, 1
        )


def _environment(stage: Stage, *, rounds: int) -> Iterator[Line]:
    def capture() -> None:
        capture_environment(
            environ=os.environ,
            arguments=sys.argv,
            now=datetime.now(UTC),
            code=Path(__file__),
        )

    taken = median(seconds_of(capture) for _ in range(rounds))
    yield at_most("the environment of a process | the promise", taken, 0.15, 1)


def _writers(stage: Stage, *, rounds: int) -> Iterator[Line]:
    count = stage.scale.subruns
    for activities in (27, 100):
        mine, bare = [], []
        for _ in range(max(1, rounds // 2)):
            mine.append(run_writers(stage, count=count, activities=activities))
            bare.append(
                run_writers(stage, count=count, activities=activities, is_bare=True)
            )
        rate, least = median(map(_rate, mine)), median(map(_rate, bare))
        what = f"{count} writers, {mine[0].records // count} records each"
        yield Line(
            what=f"{what}, records a second in MongoDB | the promise",
            ours=f"{rate:,.0f}",
            baseline="30,000",
            ratio=rate / 30_000,
            at_least=1,
        )
        yield Line(
            what=f"{what} | FileHandler, and insert_many of documents made before",
            ours=f"{rate:,.0f}",
            baseline=f"{least:,.0f}",
            ratio=rate / least,
        )
        of_server = median(turn.server_seconds / turn.records for turn in mine)
        # Who writes from another machine takes nothing from the server's processors.
        yield at_most(
            f"{what}: processor time of the server for 30,000 records | a second",
            30_000 * of_server,
            1,
            None,
        )
        yield at_most(
            f"{what}: processor time of the writers | of the machine",
            median(turn.busy_seconds for turn in mine),
            median(turn.seconds for turn in mine) * (os.cpu_count() or 1),
            None,
        )


CAPTURE_ROWS: Final[Mapping[str, Callable[..., Iterator[Line]]]] = {
    "caller": _caller,
    "tracing": _tracing,
    "environment": _environment,
    "writers": _writers,
}


def _rate(turn: Turn) -> float:
    return turn.records / turn.seconds


def _calls(handler: logging.Handler, message: object) -> list[float]:
    logger = logging.Logger("provLogger", level=logging.INFO)
    logger.addHandler(handler)
    taken = []
    for _ in range(_CALLS):
        begin = time.perf_counter()
        logger.info(message)
        taken.append(time.perf_counter() - begin)
    return taken


def _percentile_99(taken: list[float]) -> float:
    return quantiles(taken, n=100)[_PERCENT_99]
