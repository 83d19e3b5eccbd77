"""The files and the steps of a night of observation, from which histories are made."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.lineage.simulator.disk import RAW, File, Job
from tests.lineage.simulator.history import World

__all__ = ["Files", "Night"]

# Files of a run into which the steps of each subrun write their part.
_RUN_WISE: Final = ("DL2MergedFile", "DL1CheckHDF5File")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The names of the files of one production of one run.

    Attributes:
        base: Folder of the products.
        raw_base: Folder of the raw data.
        version: Name of the version folder.
        run: Number of the run.
        telescope: Number of the telescope.
        calibration_version: Name of the version folder of the calibration.
    """

    base: str = ""
    raw_base: str = "/R0/20261122"
    version: str = "v0.11"
    run: int = 1807
    telescope: int = 1
    calibration_version: str | None = None

    def raw(self, subrun: int) -> File:
        """Return the raw file of a subrun."""
        name = f"LST-{self.telescope}.1.Run{self.run:05d}.{subrun:04d}.fits.fz"
        return File(f"{self.raw_base}/{name}", "R0SubrunDataset")

    def raw_of(self, run: int) -> File:
        """Return the raw file of a calibration run."""
        name = f"LST-{self.telescope}.1.Run{run:05d}.0000.fits.fz"
        return File(f"{self.raw_base}/{name}", "RawObservationFile")

    @property
    def pedestal(self) -> File:
        """The pedestal file of the night."""
        return self._calibration("drs4_baseline", "drs4_pedestal", "Run01804", "Ped")

    @property
    def charge(self) -> File:
        """The calibration file of the night."""
        return self._calibration("calibration", "calibration_filters_52", "Run01809")

    def dl1(self, subrun: int, folder: str = "") -> File:
        """Return the DL1 file of a subrun."""
        return self._product("DL1", folder, f"dl1_{self._run}.{subrun:04d}.h5", "")

    def muons(self, subrun: int) -> File:
        """Return the muons file of a subrun."""
        name = f"muons_{self._run}.{subrun:04d}.fits"
        return File(
            f"{self.base}/DL1/20261122/{self.version}/muons/{name}",
            "MuonsSubrunDataset",
        )

    def check(self, subrun: int) -> File:
        """Return the check of the DL1 file of a subrun."""
        name = f"datacheck_dl1_{self._run}.{subrun:04d}.h5"
        return File(
            f"{self.base}/DL1/20261122/{self.version}/{name}", "DL1CheckSubrunDataset"
        )

    def dl2(self, subrun: int) -> File:
        """Return the DL2 file of a subrun."""
        return self._product("DL2", "", f"dl2_{self._run}.{subrun:04d}.h5", "")

    @property
    def merged(self) -> File:
        """The DL2 file of the run."""
        path = f"{self.base}/DL2/20261122/{self.version}/dl2_{self._run}.h5"
        return File(path, "DL2MergedFile")

    @property
    def merged_check(self) -> File:
        """The check of the DL1 files of the run."""
        path = f"{self.base}/DL1/20261122/{self.version}/datacheck_dl1_{self._run}.h5"
        return File(path, "DL1CheckHDF5File")

    @property
    def dl3(self) -> File:
        """The DL3 file of the run."""
        path = f"{self.base}/DL3/20261122/{self.version}/dl3_{self._run}.fits"
        return File(path, "DL3File")

    @property
    def night_wise(self) -> File:
        """The product of all runs of the night."""
        path = f"{self.base}/DL2/20261122/{self.version}/dl2_LST-1.20261122.h5"
        return File(path, "DL2NightFile")

    @property
    def tag_run(self) -> str:
        """The run as session tags have it."""
        return f"{self.run:05d}"

    @property
    def _run(self) -> str:
        return f"LST-{self.telescope}.Run{self.run:05d}"

    def _product(self, level: str, folder: str, name: str, extra: str) -> File:
        where = f"{self.base}/{level}/20261122/{self.version}"
        path = f"{where}/{folder}/{name}" if folder else f"{where}/{name}"
        return File(path, f"{level}SubrunDataset{extra}")

    def _calibration(self, folder: str, name: str, run: str, kind: str = "") -> File:
        version = self.calibration_version or self.version
        telescope = "" if self.telescope == 1 else f"LST-{self.telescope}/"
        path = f"{self.base}/mon/{telescope}{folder}/20261122/{version}"
        entity = "PedestalFile" if kind else "CoefficientsCalibrationFile"
        return File(f"{path}/{name}.{run}.0000.h5", entity)


@dataclass(slots=True, kw_only=True)
class Night:
    """How one processing of one run goes.

    Attributes:
        world: What it happens in.
        files: The files.
        subruns: The subruns that are processed.
        nodes: The machines, of which each step gets one.
        lengths: The shortest and the longest time that a step takes.
        gaps: The shortest and the longest time from one step to the next.
        has_muons: Whether r0_to_dl1 writes a muons file.
        has_dl1ab: Whether the DL1 files are rewritten in place.
        has_dl1c: Whether they are then rewritten once more.
        has_check: Whether the DL1 files are checked.
        merge: How the DL2 file of the run is made: ``parts`` by every dl1_to_dl2,
            ``step`` by a step that reads all subruns, or not at all.
        has_dl3: Whether a DL3 file is made of the DL2 file of the run.
    """

    world: World
    files: Files = field(default_factory=Files)
    subruns: Sequence[int] = (0, 1)
    nodes: Sequence[str] = ("cp01",)
    lengths: tuple[float, float] = (3.0, 90.0)
    gaps: tuple[float, float] = (1.0, 20.0)
    has_muons: bool = True
    has_dl1ab: bool = False
    has_dl1c: bool = False
    has_check: bool = False
    merge: str = "step"
    has_dl3: bool = True

    def calibrate(self, start: float) -> float:
        """Schedule the calibration, and return when it is there."""
        files = self.files
        for run in (1804, 1809):
            self.world.disk.put(files.raw_of(run), RAW)
        end = self.step(
            "drs4_pedestal",
            start,
            [(files.raw_of(1804), "Subrun for pedestal")],
            [(files.pedestal, "Pedestal")],
            run="01804-01809",
        ).end
        end = self.step(
            "calibrate_charge",
            end + self.gap(),
            [
                (files.raw_of(1809), "Subrun for calibration"),
                (files.pedestal, "Pedestal file"),
            ],
            [(files.charge, "Coefficients calibration file")],
            run="01804-01809",
        ).end
        return end + self.gap()

    def process(self, start: float) -> float:
        """Schedule all steps of all subruns, and return when the last has ended."""
        ends = [
            self.subrun(subrun, start + self.world.chance.uniform(0, 5))
            for subrun in self.subruns
        ]
        return self.run_wise(max(ends) + self.gap())

    def subrun(self, subrun: int, start: float) -> float:
        """Schedule the steps of a subrun, and return when the last has ended."""
        files = self.files
        self.world.disk.put(files.raw(subrun), RAW)
        end = self.r0_to_dl1(subrun, start)
        dl1 = files.dl1(subrun)
        config = self.world.external("/cfg/standard.json", "AnalysisConfigFile")
        for name, is_done in (("dl1ab", self.has_dl1ab), ("dl1c", self.has_dl1c)):
            if is_done:
                end = self.step(
                    name,
                    end + self.gap(),
                    [(dl1, "DL1 subrun dataset"), (config, "Analysis configuration")],
                    [(dl1, "DL1AB subrun dataset")],
                    subrun=subrun,
                ).end
        if self.has_check:
            end = self._check(subrun, end + self.gap())
        return self.dl1_to_dl2(subrun, end + self.gap())

    def r0_to_dl1(self, subrun: int, start: float) -> float:
        """Schedule the first step of a subrun, and return when it has ended."""
        files = self.files
        summary = self.world.external("/mon/RunSummary.ecsv", "RunSummaryFile")
        outputs = [(files.dl1(subrun), "DL1 subrun dataset")]
        if self.has_muons:
            outputs.append((files.muons(subrun), "Muons subrun dataset"))
        return self.step(
            "r0_to_dl1",
            start,
            [
                (files.raw(subrun), "Observation subrun"),
                (files.pedestal, "Pedestal file"),
                (files.charge, "Coefficients calibration file"),
                (summary, "Run summary"),
            ],
            outputs,
            subrun=subrun,
        ).end

    def dl1_to_dl2(self, subrun: int, start: float) -> float:
        """Schedule the last step of a subrun, and return when it has ended."""
        files = self.files
        model = self.world.external("/models/reg_energy.sav", "RFModelEnergyFile")
        outputs = [(files.dl2(subrun), "DL2 subrun dataset")]
        if self.merge == "parts":
            outputs.append((files.merged, "DL2 merged file"))
        job = self.step(
            "dl1_to_dl2",
            start,
            [(files.dl1(subrun), "DL1 subrun dataset"), (model, "RFModelEnergyFile")],
            outputs,
            subrun=subrun,
        )
        return job.end

    def run_wise(self, start: float) -> float:
        """Schedule the steps of the whole run, and return when the last has ended."""
        files = self.files
        end = start
        if self.merge == "step":
            job = self.step(
                "merge_dl2",
                start,
                [(files.dl2(s), "DL2 subrun dataset") for s in self.subruns],
                [(files.merged, "DL2 merged file")],
            )
            job.writes[0].slots = tuple(f"{s:04d}" for s in self.subruns)
            end = job.end
        if self.has_dl3 and self.merge:
            irf = self.world.external("/irfs/irf.fits.gz", "IRFFile")
            end = self.step(
                "dl2_to_dl3",
                end + self.gap(),
                [(files.merged, "DL2 merged file"), (irf, "IRF file")],
                [(files.dl3, "DL3 file")],
            ).end
        return end

    def _check(self, subrun: int, start: float) -> float:
        files = self.files
        inputs = [(files.dl1(subrun), "DL1AB subrun dataset")]
        if self.has_muons:
            inputs.append((files.muons(subrun), "Muons subrun dataset"))
        job = self.step(
            "dl1_datacheck",
            start,
            inputs,
            [
                (files.check(subrun), "DL1Check subrun dataset"),
                (files.merged_check, "DL1Check HDF5 file"),
            ],
            subrun=subrun,
        )
        return job.end

    def step(
        self,
        name: str,
        start: float,
        reads: list[tuple[File, str]],
        writes: list[tuple[File, str]],
        *,
        run: str | None = None,
        subrun: int | None = None,
    ) -> Job:
        """Schedule a step that takes some time on some machine."""
        job = self.world.job(
            name,
            run=self.files.tag_run if run is None else run,
            start=start,
            length=self.world.chance.uniform(*self.lengths),
            reads=reads,
            writes=writes,
            node=self.world.chance.choice(self.nodes),
            subrun=subrun,
        )
        if subrun is not None:
            for write in job.writes:
                if write.file.name in _RUN_WISE:
                    write.is_part, write.slots = True, (f"{subrun:04d}",)
        return job

    def gap(self) -> float:
        """Return some time from the end of a step to the start of the next."""
        return self.world.chance.uniform(*self.gaps)
