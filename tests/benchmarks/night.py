"""Write the log that lstosa would have written for a night of observation.

The records, roles, names and paths are those of a real log of lstosa 0.10.18.
A night is calibrated once; then parallel processes take the subruns of every
run through the steps, and their lines interleave in the one log file::

    python -m tests.benchmarks.night --runs 10 prov.log
"""

import argparse
import gzip
import heapq
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import md5
from itertools import count, islice
from pathlib import Path
from typing import BinaryIO

from tests.benchmarks.lstosa_steps import (
    CALIBRATION_STEPS,
    FILES,
    RUN_STEPS,
    SUBRUN_STEPS,
)
from tests.benchmarks.system_block import system_block

__all__ = ["Night", "lines", "main", "write"]

_STEPS = CALIBRATION_STEPS | SUBRUN_STEPS | RUN_STEPS
_CONFIG = "/fefs/aswg/lstosa/cfg/sequencer.cfg"
_HELD_UP = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What was observed in a night, and how it was processed.

    The same night with a later `start` is a reprocessing: it writes the same
    paths with later times and new activity ids. Of two processings a few ids
    can be equal, as in real logs; within one they never are.

    Attributes:
        date: Night of the observation, as in the paths.
        runs: Number of runs.
        first_run: Number of the first run.
        subruns: Number of subruns of every run.
        steps: Steps of every subrun; always taken in the order of the chain.
        merge: Whether the DL2 subruns of a run are merged into one file.
        dl3: Whether a DL3 file is made of the merged DL2 file.
        dl2_claims_merged: Whether every dl1_to_dl2 says that it generated the
            merged DL2 file, as lstosa 0.10.18 does.
        start: Local time of the first step, without a zone.
        base: Folder of the data.
        prod_id: Name of the production, as in the paths.
        software_version: Version of lstchain; calibration paths have it too.
        pedestal_run: Number of the run for drs4_pedestal.
        calibration_run: Number of the run for calibrate_charge.
        processes: Number of processes that work in parallel.
        activity_seconds: Mean duration of a step. The default is that of a dry
            run; longer steps make fewer lines interleave.
        seed: Choice of the ids, durations and delays.

    Raises:
        ValueError: A step is unknown, or there is nothing to merge or to make DL3 of.

    Example:
        >>> Night(first_run=1808, runs=2).run_numbers
        (1808, 1810)
    """

    date: str = "20200117"
    runs: int = 1
    first_run: int = 1807
    subruns: int = 100
    steps: Sequence[str] = tuple(SUBRUN_STEPS)
    merge: bool = True
    dl3: bool = True
    dl2_claims_merged: bool = False
    start: datetime = datetime(2020, 1, 18, 8)
    base: str = "/fefs/aswg/data/real"
    prod_id: str = "v0.1.0"
    software_version: str = "v0.12.3"
    pedestal_run: int = 1804
    calibration_run: int = 1809
    processes: int = 4
    activity_seconds: float = 0.05
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse a night that cannot be."""
        unknown = sorted(set(self.steps) - set(SUBRUN_STEPS))
        if unknown:
            raise ValueError(
                f"{unknown[0]!r} is no step of a subrun; take {', '.join(SUBRUN_STEPS)}"
            )
        has_dl2 = "dl1_to_dl2" in self.steps
        if self.merge and not has_dl2:
            raise ValueError("merge needs the step dl1_to_dl2, or merge=False")
        if self.dl3 and not (self.merge or (has_dl2 and self.dl2_claims_merged)):
            raise ValueError("dl3 needs a merged DL2 file, or dl3=False")

    @property
    def run_numbers(self) -> tuple[int, ...]:
        """Numbers of the runs in order, without those of the calibration."""
        calibration = {self.pedestal_run, self.calibration_run}
        numbers = (run for run in count(self.first_run) if run not in calibration)
        return tuple(islice(numbers, self.runs))


def lines(night: Night) -> Iterator[str]:
    """Yield the lines of the log in the order of the file, without line ends.

    Args:
        night: What to write.

    Example:
        >>> next(lines(Night(subruns=1)))[:38]
        'INFO provLogger __PROV__2020-01-18T08:'
    """
    chance = random.Random(f"{night.date} {night.start.isoformat()} {night.seed}")
    work = partial(_work, night, chance=chance, activity_ids=_activity_ids(chance))
    opening = list(work(_CALIBRATION, begin=0))
    yield from (line for _, line in opening)

    calibrated, _ = opening[-1]
    free = [calibrated + chance.randint(1_000, 9_000) for _ in range(night.processes)]
    heapq.heapify(free)
    order = count()
    waiting: list[tuple[int, int, str]] = []
    for run in night.run_numbers:
        run_ended = 0
        for job in _jobs(night, run):
            begin = max(free[0], run_ended if job.closes_run else 0)
            # No process can write any more before the first one is free.
            while waiting and waiting[0][0] < free[0]:
                yield heapq.heappop(waiting)[2]
            ended = begin
            for ended, line in work(job, begin=begin):
                heapq.heappush(waiting, (ended, next(order), line))
            heapq.heapreplace(free, ended)
            run_ended = max(run_ended, ended)
    yield from (line for _, _, line in sorted(waiting))


def write(night: Night, path: str | Path) -> int:
    """Write the log and return the bytes of its text.

    Args:
        night: What to write.
        path: File to write; if its name ends in ``.gz``, it is compressed.
    """
    path = Path(path)
    stream: BinaryIO | gzip.GzipFile
    if path.suffix == ".gz":
        stream = gzip.GzipFile(path, "wb", compresslevel=6, mtime=0)
    else:
        stream = path.open("wb")
    with stream:
        return sum(stream.write(f"{line}\n".encode()) for line in lines(night))


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the log that the words of a command line ask for.

    Args:
        arguments: The words; those of this process if left out.
    """
    given = vars(_parser().parse_args(arguments))
    out = given.pop("out")
    size_bytes = write(Night(**given), out)
    sys.stdout.write(f"{out}: {size_bytes} bytes of text\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """Steps that one process takes, one after another.

    Attributes:
        steps: Names of the steps.
        run: Number of the run; the calibration has none.
        subruns: Numbers of the subruns that it works on.
        closes_run: Whether it needs what all other jobs of its run made.
    """

    steps: Sequence[str]
    run: int | None
    subruns: Sequence[int]
    closes_run: bool = False


_CALIBRATION = _Job(steps=tuple(CALIBRATION_STEPS), run=None, subruns=(0,))


def _jobs(night: Night, run: int) -> Iterator[_Job]:
    steps = [step for step in SUBRUN_STEPS if step in night.steps]
    for subrun in range(night.subruns):
        yield _Job(steps=steps, run=run, subruns=(subrun,))
    wanted = {"merge_dl2": night.merge, "dl2_to_dl3": night.dl3}
    closing = [step for step in RUN_STEPS if wanted[step]]
    if closing:
        subruns = range(night.subruns)
        yield _Job(steps=closing, run=run, subruns=subruns, closes_run=True)


def _work(
    night: Night,
    job: _Job,
    *,
    begin: int,
    chance: random.Random,
    activity_ids: Iterator[str],
) -> Iterator[tuple[int, str]]:
    """Yield the lines of a job, each with the time when it reaches the file.

    A line has the time when it was logged. Now and then a process is held up
    between the two, so the times in the file are not quite in order.

    Times are microseconds after the start of the night.
    """
    clock = begin
    for name in job.steps:
        start = clock + chance.randint(200, 900)
        end = start + round(night.activity_seconds * chance.uniform(5e5, 15e5))
        if name == "dl1ab":
            clock = end + 1
            yield clock, _warning(night, job)
        # The description of the machine takes longer than the dry step itself.
        clock = end + chance.randint(2_000, 9_000)
        activity = _Activity(
            activity_id=next(activity_ids),
            name=name,
            start=_time(night, start),
            end=_time(night, end),
            described=_time(night, clock - chance.randint(40, 120)),
        )
        for record in _records(night, job, activity=activity):
            logged = _time(night, clock)
            clock += chance.randint(4, 12)
            if chance.random() < _HELD_UP:
                clock += chance.randint(300, 1_500)
            yield clock, f"INFO provLogger __PROV__{logged}__PROV__{record}"
            # The longer the record, the longer it takes to write.
            clock += chance.randint(6, 40) + (500 if "system" in record else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Activity:
    """One execution of a step; its times are ISO text."""

    activity_id: str
    name: str
    start: str
    end: str
    described: str


def _records(
    night: Night, job: _Job, *, activity: _Activity
) -> Iterator[dict[str, object]]:
    step = _STEPS[activity.name]
    session = _session(night, job, activity=activity, script=step.script)
    tag = {"session_tag": f"{activity.name}:{session['name']}"}
    this = {"activity_id": activity.activity_id}
    yield {**session, **tag}
    yield {
        **this,
        "name": activity.name,
        "startTime": activity.start,
        "in_session": session["session_id"],
        "agent_name": "lstanalyzer",
        "script": step.script,
        **tag,
    }
    if step.parameters:
        yield {**this, "parameters": step.parameters, **tag}
    for role, entity in _entities(night, job, roles=step.used):
        yield {**entity, **tag}
        yield {**this, "used_id": entity["entity_id"], "used_role": role, **tag}
    generated = dict(step.generated)
    if activity.name == "dl1_to_dl2" and not night.dl2_claims_merged:
        del generated["DL2 merged file"]
    for role, entity in _entities(night, job, roles=generated):
        yield {**entity, **tag}
        identity = {"generated_id": entity["entity_id"], "generated_role": role}
        yield {**this, **identity, **tag}
    yield {**this, "endTime": activity.end, **tag}


def _session(
    night: Night, job: _Job, *, activity: _Activity, script: str
) -> dict[str, object]:
    pedestal, calibration = f"{night.pedestal_run:05d}", f"{night.calibration_run:05d}"
    day = f"{night.date[:4]}-{night.date[4:6]}-{night.date[6:]}"
    if job.run is None:
        session_id, name = f"{pedestal}{calibration}", f"{pedestal}-{calibration}"
        runs = {"pedestal_run": pedestal, "calibration_run": calibration}
        words = [f"--drs4-pedestal-run={pedestal}", f"--pedcal-run={calibration}"]
    else:
        name = f"{job.run:05d}"
        session_id = f"{night.date}{name}"
        runs = {"observation_run": name}
        what = name if job.closes_run else f"{name}.{job.subruns[0]:04d}"
        words = ["--config", _CONFIG, f"--date={day}", what]
    return {
        "session_id": session_id,
        "name": name,
        "startTime": activity.start,
        "system": system_block(
            [script, "-s", *words, "LST1"], start_time=activity.described
        ),
        "observation_date": night.date,
        "software_version": night.software_version,
        "config_file": _CONFIG,
        "config_file_hash": _md5(_CONFIG),
        "config_file_hash_type": "md5",
        **runs,
    }


def _entities(
    night: Night, job: _Job, *, roles: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each role with the record of its Entity, one a file."""
    for role, key in roles.items():
        file = FILES[key]
        # A path without a subrun is one file, however many subruns there are.
        for path in dict.fromkeys(_paths(night, job, template=file.path)):
            entity = {
                "entity_id": _md5(path),
                "name": file.name,
                "filepath": path,
                "hash": _md5(path),
                "hash_type": "md5",
                "type": "File",
                "contentType": file.content_type,
            }
            yield role, entity


def _paths(night: Night, job: _Job, *, template: str) -> Iterator[str]:
    for subrun in job.subruns:
        yield template.format(night=night, run=job.run, subrun=subrun)


def _warning(night: Night, job: _Job) -> str:
    """Write the line without a record that lstosa mixes into its log."""
    (path,) = _paths(night, job, template=FILES["dl1"].path)
    return (
        "WARNING provLogger Derivation detected in dl1ab for DL1SubrunDataset. "
        f"ID: {_md5(path)}"
    )


def _activity_ids(chance: random.Random) -> Iterator[str]:
    given: set[int] = set()
    while True:
        number = chance.getrandbits(24)
        if number not in given:
            given.add(number)
            yield f"{number:06x}"


def _time(night: Night, clock: int) -> str:
    moment = night.start + timedelta(microseconds=clock)
    return moment.isoformat(timespec="microseconds")


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Write the log that lstosa would have written for a night.",
        epilog="Options that are left out have the defaults of the class Night.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("out", help="file to write, compressed if it ends in .gz")
    option = parser.add_argument
    option("--date", help="night, as 20200117")
    option("--runs", type=int, help="number of runs")
    option("--first-run", type=int, help="number of the first run")
    option("--subruns", type=int, help="number of subruns of a run")
    option("--steps", type=lambda names: names.split(","), help="with commas")
    option("--no-merge", dest="merge", action="store_false")
    option("--no-dl3", dest="dl3", action="store_false")
    option("--dl2-claims-merged", action="store_true")
    option("--start", type=datetime.fromisoformat, help="as 2020-01-18T08:00")
    option("--base", help="folder of the data")
    option("--prod-id", help="name of the production")
    option("--software-version", help="version of lstchain")
    option("--processes", type=int, help="number of parallel processes")
    option("--activity-seconds", type=float, help="mean duration of a step")
    option("--seed", type=int, help="choice of the ids, durations and delays")
    return parser


if __name__ == "__main__":
    main()
