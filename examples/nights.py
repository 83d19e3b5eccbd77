"""Simulated nights of the LST1, for the notebook beside this file.

::

    PROVDB_URI=sqlite:////tmp/nights.db python examples/nights.py

Three nights with two runs each, processed on two nodes, one of which is slower and runs
out of memory; then the first night once more, with another version and other cleaning.
The steps do nothing but take simulated time: all else is captured as it is in a real
pipeline.
"""

import json
import logging
import os
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import provdb
from provdb.capture.surroundings import Surroundings

DATA = "/fefs/aswg/data/real"
CALIBRATION = f"{DATA}/monitoring/PixelCalibration/Cat-A"
MODELS = "/data/models/prod5/zenith_20deg"
SUBRUNS = range(6)
# How much longer a node takes than it should.
NODES = {"cp15": 1.0, "cp16": 1.4}
STEPS = {"r0_to_dl1": 300.0, "dl1ab": 90.0, "dl1_to_dl2": 150.0}


@dataclass(frozen=True, kw_only=True)
class Night:
    """A night, and how it was processed."""

    date: str
    pedestal_run: int
    runs: Sequence[int]
    start: datetime
    version: str = "v0.12.3"
    picture_threshold: int = 8
    failing: Sequence[tuple[int, int]] = ()

    @property
    def calibration_run(self) -> int:
        """The run that follows the pedestals."""
        return self.pedestal_run + 5

    @property
    def pedestal(self) -> str:
        """Path of the pedestal file."""
        folder = f"{CALIBRATION}/drs4_baseline/{self.date}/pro"
        return f"{folder}/drs4_pedestal.Run{self.pedestal_run:05d}.0000.h5"

    @property
    def charge(self) -> str:
        """Path of the charge calibration."""
        folder = f"{CALIBRATION}/calibration/{self.date}/pro"
        return f"{folder}/calibration.Run{self.calibration_run:05d}.0000.h5"

    def path(self, level: str, run: int, subrun: int | None = None) -> str:
        """Return the path of a file of a run, or of a subrun."""
        number = f"Run{run:05d}" + ("" if subrun is None else f".{subrun:04d}")
        if level == "R0":
            return f"{DATA}/R0/{self.date}/LST-1.1.{number}.fits.fz"
        folder = f"{DATA}/{level}/{self.date}/{self.version}"
        return f"{folder}/{level.lower()}_LST-1.{number}.h5"


NIGHTS = (
    Night(
        date="20200115",
        pedestal_run=1792,
        runs=(1795, 1796),
        start=datetime(2020, 1, 16, 9, tzinfo=UTC),
    ),
    Night(
        date="20200117",
        pedestal_run=1804,
        runs=(1807, 1808),
        start=datetime(2020, 1, 18, 9, tzinfo=UTC),
        failing=((1807, 3), (1808, 1), (1808, 5)),
    ),
    Night(
        date="20200118",
        pedestal_run=1830,
        runs=(1832, 1833),
        start=datetime(2020, 1, 19, 9, tzinfo=UTC),
        failing=((1833, 5),),
    ),
    Night(
        date="20200115",
        pedestal_run=1792,
        runs=(1795, 1796),
        start=datetime(2020, 6, 2, 9, tzinfo=UTC),
        version="v0.13.0",
        picture_threshold=6,
    ),
)


@dataclass(kw_only=True)
class Node:
    """A machine with its own clock, on which steps take simulated time."""

    name: str
    version: str
    now: datetime
    chance: random.Random
    ids: Callable[[], str] = field(repr=False)

    def surroundings(self) -> Surroundings:
        """Return what a session sees of the machine."""
        system = {
            "platform": {"node": self.name, "system": "Linux"},
            "python": {
                "version": "3.11.7",
                "packages": [{"name": "lstchain", "version": self.version[1:]}],
            },
        }
        return Surroundings(
            now=lambda: self.now,
            new_id=self.ids,
            agent=lambda: "lstanalyzer",
            script=lambda: "/software/lstosa/datasequence.py",
            system=lambda: system,
        )

    def work(self, seconds: float) -> None:
        """Let the time pass that a step takes."""
        slower = NODES[self.name] * self.chance.gauss(1, 0.08)
        self.now += timedelta(seconds=round(seconds * slower, 1))


def process(night: Night, folder: Path, chance: random.Random) -> None:
    """Take a night from R0 to DL2."""

    def new_id() -> str:
        return uuid.UUID(int=chance.getrandbits(128), version=4).hex

    nodes = [
        Node(
            name=name, version=night.version, now=night.start, chance=chance, ids=new_id
        )
        for name in NODES
    ]
    config = folder / "lstchain_standard_config.json"
    cleaning = {"picture_thresh": night.picture_threshold, "boundary_thresh": 4}
    config.write_text(json.dumps({"tailcut": cleaning}), encoding="utf-8")
    calibrate(night, nodes[0])
    for run in night.runs:
        merged = []
        for subrun in SUBRUNS:
            node = nodes[subrun % len(nodes)]
            node.now = max(node.now, nodes[0].now)
            dl2 = process_subrun(night, node, run, subrun, config)
            merged += [dl2] if dl2 else []
        # The merge waits for the subruns on all nodes.
        nodes[0].now = max(node.now for node in nodes)
        merge(night, nodes[0], run, merged)


def session_of(night: Night, node: Node, tag: str, **properties: Any) -> Any:
    """Return the session of a script that runs on a node."""
    return provdb.session(
        tag,
        surroundings=node.surroundings(),
        session_id=node.ids(),
        observation_date=night.date,
        software_version=night.version,
        **properties,
    )


def calibrate(night: Night, node: Node) -> None:
    """Make the calibration of a night."""
    runs = f"{night.pedestal_run:05d}-{night.calibration_run:05d}"
    with session_of(night, node, f"drs4_pedestal:{runs}"):
        with provdb.activity("drs4_pedestal") as step:
            step.used(night.path("R0", night.pedestal_run), role="Subrun for pedestal")
            node.work(90)
            step.generated(night.pedestal, role="Pedestal", name="PedestalFile")
        with provdb.activity("calibrate_charge") as step:
            calibration = night.path("R0", night.calibration_run)
            step.used(calibration, role="Subrun for calibration")
            step.used(night.pedestal, role="Pedestal file", name="PedestalFile")
            node.work(80)
            step.generated(night.charge, role="Coefficients calibration file")


def process_subrun(
    night: Night, node: Node, run: int, subrun: int, config: Path
) -> str | None:
    """Take a subrun to DL2, and return the file, or None if that failed."""
    raw, dl1, dl2 = (night.path(level, run, subrun) for level in ("R0", "DL1", "DL2"))
    is_failing = (run, subrun) in night.failing and night.version == "v0.12.3"
    numbers = {"ObservationRun": f"{run:05d}", "ObservationSubRun": f"{subrun:04d}"}
    try:
        with session_of(
            night, node, f"r0_to_dl1:{run:05d}", observation_run=f"{run:05d}"
        ):
            with provdb.activity("r0_to_dl1", **numbers) as step:
                step.used(raw, role="Observation subrun", name="R0SubrunDataset")
                step.used(night.pedestal, role="Pedestal file", name="PedestalFile")
                step.used(night.charge, role="Coefficients calibration file")
                node.work(STEPS["r0_to_dl1"])
                step.generated(dl1, role="DL1 subrun dataset")
            with provdb.activity("dl1ab", **numbers) as step:
                step.used(dl1, role="DL1 subrun dataset")
                step.used(config, role="Analysis configuration file")
                node.work(STEPS["dl1ab"])
                step.generated(dl1, role="DL1AB subrun dataset")
            with provdb.activity("dl1_to_dl2", **numbers) as step:
                step.used(dl1, role="DL1 subrun dataset")
                step.used(f"{MODELS}/{night.version}/reg_energy.sav", role="RFModel")
                node.work(STEPS["dl1_to_dl2"] / (4 if is_failing else 1))
                if is_failing:
                    raise MemoryError("cannot allocate the random forest")
                step.generated(dl2, role="DL2 subrun dataset")
    except MemoryError:
        return None
    return dl2


def merge(night: Night, node: Node, run: int, subruns: Sequence[str]) -> None:
    """Join the DL2 files of a run."""
    tag = f"merge_dl2:{run:05d}"
    with (
        session_of(night, node, tag, observation_run=f"{run:05d}"),
        provdb.activity("merge_dl2", ObservationRun=f"{run:05d}") as step,
    ):
        for dl2 in subruns:
            step.used(dl2, role="DL2 subrun dataset")
        node.work(25)
        step.generated(night.path("DL2", run), role="DL2 merged file")


def simulate(uri: str, nights: Sequence[Night] = NIGHTS) -> None:
    """Process all nights, and store their provenance."""
    logger = logging.getLogger("provdb")
    chance = random.Random(1804)
    with TemporaryDirectory(prefix="nights-") as folder:
        handler = provdb.ProvHandler(uri, spool_dir=folder)
        logger.addHandler(handler)
        try:
            for night in nights:
                process(night, Path(folder), chance)
        finally:
            logger.removeHandler(handler)
            handler.close()


def main(environ: Mapping[str, str]) -> None:
    """Store the nights where `PROVDB_URI` says."""
    simulate(environ["PROVDB_URI"])


if __name__ == "__main__":
    main(os.environ)
