"""A simulated pipeline: the steps of the LST1 analysis, traced, and doing nothing.

The steps take time of a simulated clock, so that the night is the same whenever and
wherever it is simulated. All else is real: the definition, the tracing, the records.
"""

import random
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from provdb.capture import session, trace
from provdb.capture.surroundings import Surroundings

__all__ = ["RUNS", "SUBRUNS", "observe"]

RUNS: Final = (1807, 1808)
SUBRUNS: Final = range(5)
_PEDESTAL_RUN: Final = "01804"
_CALIBRATION_RUN: Final = "01809"
_DATE: Final = "20200117"
_VERSION: Final = "v0.12.3"
_START: Final = datetime(2020, 1, 18, 8, tzinfo=UTC)
_SEED: Final = 1804
_DEFINITION: Final = Path(__file__).with_name("definition.yaml")

_DATA: Final = "/fefs/aswg/data/real"
_CALIBRATION: Final = f"{_DATA}/monitoring/PixelCalibration/Cat-A"
_PEDESTAL: Final = f"{_CALIBRATION}/drs4_baseline/{_DATE}/{_VERSION}"
_CHARGE: Final = f"{_CALIBRATION}/calibration/{_DATE}/{_VERSION}"
_DL1: Final = f"{_DATA}/DL1/{_DATE}/v0.1.0/tailcut84"
_DL2: Final = f"{_DATA}/DL2/{_DATE}/v0.1.0/model2"
_MODELS: Final = "/data/models/prod5/zenith_20deg/20201023_v0.6.3"
_PLOT: Final = f"calibration_filters_52.Run{_CALIBRATION_RUN}.0000"

# What a step finds under the names of the definition.
_OF_NIGHT: Final = {
    "PedestalRun": _PEDESTAL_RUN,
    "CalibrationRun": _CALIBRATION_RUN,
    "StoreImage": True,
    "RawObservationFilePedestal": (
        f"{_DATA}/R0/{_DATE}/LST-1.1.Run{_PEDESTAL_RUN}.fits.fz"
    ),
    "RawObservationFileCalibration": (
        f"{_DATA}/R0/{_DATE}/LST-1.1.Run{_CALIBRATION_RUN}.fits.fz"
    ),
    "PedestalFile": f"{_PEDESTAL}/drs4_pedestal.Run{_PEDESTAL_RUN}.0000.h5",
    "PedestalCheckPlot": f"{_PEDESTAL}/log/drs4_pedestal.Run{_PEDESTAL_RUN}.0000.pdf",
    "CoefficientsCalibrationFile": f"{_CHARGE}/{_PLOT}.h5",
    "CalibrationCheckPlot": f"{_CHARGE}/log/{_PLOT}.pdf",
    "TimeCalibrationFile": (
        f"{_CALIBRATION}/drs4_time_sampling_from_FF/20191124/pro/"
        "time_calibration.Run01625.0000.h5"
    ),
    "SystematicCorrectionFile": (
        f"{_CALIBRATION}/ffactor_systematics/20200725/pro/"
        "ffactor_systematics_20200725.h5"
    ),
    "PointingFile": (
        f"{_DATA}/monitoring/DrivePositioning/DrivePosition_log_{_DATE}.txt"
    ),
    "InterleavedPedestalEventsFile": None,
    "RunSummaryFile": f"{_DATA}/monitoring/RunSummary/RunSummary_{_DATE}.ecsv",
    "AnalysisConfigFile": "/software/lstchain/data/lstchain_standard_config.json",
    "RFModelEnergyFile": f"{_MODELS}/reg_energy.sav",
    "RFModelDispNormFile": f"{_MODELS}/reg_disp_norm.sav",
    "RFModelDispSignFile": f"{_MODELS}/reg_disp_sign.sav",
    "RFModelGammanessFile": f"{_MODELS}/cls_gh.sav",
    "IRFFile": (
        "/data/irfs/prod5/zenith_20deg/20201023_v0.6.3/irf_20201023_v0.6.3.fits.gz"
    ),
}
_OF_RUN: Final = {
    "ObservationRun": "{run:05d}",
    "DL1CheckHDF5File": f"{_DL1}/datacheck_dl1_LST-1.Run{{run:05d}}.h5",
    "DL1CheckPDFFile": f"{_DL1}/datacheck_dl1_LST-1.Run{{run:05d}}.pdf",
    "DL2MergedFile": f"{_DL2}/dl2_LST-1.Run{{run:05d}}.h5",
    "DL3File": f"{_DATA}/DL3/{_DATE}/v0.1.0/model2/dl3_LST-1.Run{{run:05d}}.fits",
}
_OF_SUBRUN: Final = {
    "ObservationSubRun": "{subrun:04d}",
    "R0SubrunDataset": (
        f"{_DATA}/R0/{_DATE}/LST-1.1.Run{{run:05d}}.{{subrun:04d}}.fits.fz"
    ),
    "DL1SubrunDataset": f"{_DL1}/dl1_LST-1.Run{{run:05d}}.{{subrun:04d}}.h5",
    "MuonsSubrunDataset": (
        f"{_DATA}/DL1/{_DATE}/v0.1.0/muons/muons_LST-1.Run{{run:05d}}.{{subrun:04d}}.fits"
    ),
    "DL1CheckSubrunDataset": (
        f"{_DL1}/datacheck_dl1_LST-1.Run{{run:05d}}.{{subrun:04d}}.h5"
    ),
    "DL2SubrunDataset": f"{_DL2}/dl2_LST-1.Run{{run:05d}}.{{subrun:04d}}.h5",
}
_SYSTEM: Final = {
    "executable": "/software/conda/envs/osa/bin/python",
    "platform": {"node": "cp15", "system": "Linux", "machine": "x86_64"},
    "python": {
        "version": "3.11.7",
        "implementation": "CPython",
        "packages": [
            {"name": "ctapipe", "version": "0.28.0"},
            {"name": "lstchain", "version": "0.12.3"},
        ],
    },
}


class _Clock:
    """Simulated time, which passes when a step takes it."""

    def __init__(self) -> None:
        self._now = _START

    def now(self) -> datetime:
        return self._now

    def take(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


def _parsed(
    clock: _Clock, run: int = 0, subrun: int | None = None
) -> Mapping[str, Any]:
    """Return what a step can find, as lstosa parses the variables of a step."""
    found: dict[str, Any] = dict(_OF_NIGHT)
    if run:
        found |= {name: text.format(run=run) for name, text in _OF_RUN.items()}
        found["DL2SubrunDatasets"] = [
            _OF_SUBRUN["DL2SubrunDataset"].format(run=run, subrun=each)
            for each in SUBRUNS
        ]
    if subrun is not None:
        found |= {
            name: text.format(run=run, subrun=subrun)
            for name, text in _OF_SUBRUN.items()
        }
    return found


_traced = trace(definition=_DEFINITION, variables=_parsed)


@_traced
def drs4_pedestal(clock: _Clock) -> None:
    """Take the time that the pedestals of a night take."""
    clock.take(90)


@_traced
def calibrate_charge(clock: _Clock) -> None:
    """Take the time that the charge calibration of a night takes."""
    clock.take(80)


@_traced
def r0_to_dl1(clock: _Clock, run: int, subrun: int) -> None:
    """Take the time that the images of a subrun take."""
    clock.take(48)


@_traced
def dl1ab(clock: _Clock, run: int, subrun: int) -> None:
    """Take the time that cleaning a subrun anew takes."""
    clock.take(17)


@_traced
def dl1_datacheck(clock: _Clock, run: int, subrun: int) -> None:
    """Take the time that checking a subrun takes."""
    clock.take(11)


@_traced
def dl1_to_dl2(clock: _Clock, run: int, subrun: int) -> None:
    """Take the time that reconstructing a subrun takes."""
    clock.take(29)


@_traced
def merge_dl2(clock: _Clock, run: int) -> None:
    """Take the time that joining the subruns of a run takes."""
    clock.take(25)


@_traced
def dl2_to_dl3(clock: _Clock, run: int) -> None:
    """Take the time that selecting the events of a run takes."""
    clock.take(50)


def observe() -> None:
    """Simulate the night: the calibration, and two runs of five subruns up to DL3."""
    clock, chance = _Clock(), random.Random(_SEED)
    surroundings = Surroundings(
        now=clock.now,
        new_id=lambda: uuid.UUID(int=chance.getrandbits(128), version=4).hex,
        agent=lambda: "lstanalyzer",
        script=lambda: "/software/lstosa/datasequence.py",
        system=lambda: _SYSTEM,
    )
    with session(
        f"drs4_pedestal:{_PEDESTAL_RUN}-{_CALIBRATION_RUN}",
        surroundings=surroundings,
        session_id=f"{_PEDESTAL_RUN}{_CALIBRATION_RUN}",
        pedestal_run=_PEDESTAL_RUN,
        calibration_run=_CALIBRATION_RUN,
        observation_date=_DATE,
        software_version=_VERSION,
    ):
        drs4_pedestal(clock)
        calibrate_charge(clock)
    for run in RUNS:
        with session(
            f"r0_to_dl1:{run:05d}",
            surroundings=surroundings,
            session_id=f"{_DATE}{run:05d}",
            observation_run=f"{run:05d}",
            observation_date=_DATE,
            software_version=_VERSION,
        ):
            for subrun in SUBRUNS:
                r0_to_dl1(clock, run, subrun)
                dl1ab(clock, run, subrun)
                dl1_datacheck(clock, run, subrun)
                dl1_to_dl2(clock, run, subrun)
            merge_dl2(clock, run)
            dl2_to_dl3(clock, run)
