"""The steps of lstosa, with the roles, names and paths of a real log.

A path is a template of a night, the number of a run, and that of a subrun.
The steps after DL2 are not traced by lstosa; they are written as it would.
"""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = [
    "CALIBRATION_STEPS",
    "FILES",
    "RUN_STEPS",
    "SUBRUN_STEPS",
    "File",
    "Step",
]


class File(NamedTuple):
    """A kind of file: the Entity's name, its content type, its path."""

    name: str
    content_type: str
    path: str


class Step(NamedTuple):
    """A kind of Activity: its script, and a file of `FILES` for each role."""

    script: str
    used: Mapping[str, str]
    generated: Mapping[str, str]
    parameters: Mapping[str, object] = {}


_CALIBRATION = "{night.base}/monitoring/PixelCalibration/Cat-A"
_PEDESTAL = f"{_CALIBRATION}/drs4_baseline/{{night.date}}/{{night.software_version}}"
_CHARGE = f"{_CALIBRATION}/calibration/{{night.date}}/{{night.software_version}}"
_MODELS = "/data/models/prod5/zenith_20deg/20201023_v0.6.3"
_IRF = "/data/irfs/prod5/zenith_20deg/20201023_v0.6.3/irf_20201023_v0.6.3.fits.gz"
_DL1 = "{night.base}/DL1/{night.date}/{night.prod_id}/tailcut84"
_DL2 = "{night.base}/DL2/{night.date}/{night.prod_id}/model2"
_DL3 = "{night.base}/DL3/{night.date}/{night.prod_id}/model2"
_FITS, _HDF, _SAV = "application/fits", "application/x-hdf", "application/x-spss-sav"

FILES = {
    "pedestal raw": File(
        "RawObservationFile",
        _FITS,
        "{night.base}/R0/{night.date}/LST-1.1.Run{night.pedestal_run:05d}.fits.fz",
    ),
    "pedestal": File(
        "PedestalFile",
        _HDF,
        f"{_PEDESTAL}/drs4_pedestal.Run{{night.pedestal_run:05d}}.0000.h5",
    ),
    "pedestal plot": File(
        "PedestalCheckPlot",
        "application/pdf",
        f"{_PEDESTAL}/log/drs4_pedestal.Run{{night.pedestal_run:05d}}.0000.pdf",
    ),
    "charge raw": File(
        "RawObservationFile",
        _FITS,
        "{night.base}/R0/{night.date}/LST-1.1.Run{night.calibration_run:05d}.fits.fz",
    ),
    "charge": File(
        "CoefficientsCalibrationFile",
        _HDF,
        f"{_CHARGE}/calibration_filters_52.Run{{night.calibration_run:05d}}.0000.h5",
    ),
    "charge plot": File(
        "CalibrationCheckPlot",
        "application/pdf",
        f"{_CHARGE}/log/calibration_filters_52.Run{{night.calibration_run:05d}}.0000.pdf",
    ),
    "time calibration": File(
        "TimeCalibrationFile",
        _HDF,
        f"{_CALIBRATION}/drs4_time_sampling_from_FF/20191124/pro/"
        "time_calibration.Run01625.0000.h5",
    ),
    "systematics": File(
        "SystematicCorrectionFile",
        _HDF,
        f"{_CALIBRATION}/ffactor_systematics/20200725/pro/"
        "ffactor_systematics_20200725.h5",
    ),
    "pointing": File(
        "PointingFile",
        "text/plain",
        "{night.base}/monitoring/DrivePositioning/DrivePosition_log_{night.date}.txt",
    ),
    "run summary": File(
        "RunSummaryFile",
        "application/ecsv",
        "{night.base}/monitoring/RunSummary/RunSummary_{night.date}.ecsv",
    ),
    "analysis config": File(
        "AnalysisConfigFile",
        "application/json",
        "/software/lstchain/data/lstchain_standard_config.json",
    ),
    "energy model": File("RFModelEnergyFile", _SAV, f"{_MODELS}/reg_energy.sav"),
    "norm model": File("RFModelDispNormFile", _SAV, f"{_MODELS}/reg_disp_norm.sav"),
    "sign model": File("RFModelDispSignFile", _SAV, f"{_MODELS}/reg_disp_sign.sav"),
    "gammaness model": File("RFModelGammanessFile", _SAV, f"{_MODELS}/cls_gh.sav"),
    "irf": File("IRFFile", _FITS, _IRF),
    "r0": File(
        "R0SubrunDataset",
        _FITS,
        "{night.base}/R0/{night.date}/LST-1.1.Run{run:05d}.{subrun:04d}.fits.fz",
    ),
    "dl1": File(
        "DL1SubrunDataset", _HDF, f"{_DL1}/dl1_LST-1.Run{{run:05d}}.{{subrun:04d}}.h5"
    ),
    "muons": File(
        "MuonsSubrunDataset",
        _FITS,
        "{night.base}/DL1/{night.date}/{night.prod_id}/muons/muons_LST-1.Run{run:05d}.{subrun:04d}.fits",
    ),
    "check": File(
        "DL1CheckSubrunDataset",
        _HDF,
        f"{_DL1}/datacheck_dl1_LST-1.Run{{run:05d}}.{{subrun:04d}}.h5",
    ),
    "run check": File(
        "DL1CheckHDF5File",
        "application/hdf5",
        f"{_DL1}/datacheck_dl1_LST-1.Run{{run:05d}}.h5",
    ),
    "run check plots": File(
        "DL1CheckPDFFile",
        "application/pdf",
        f"{_DL1}/datacheck_dl1_LST-1.Run{{run:05d}}.pdf",
    ),
    "dl2": File(
        "DL2SubrunDataset", _HDF, f"{_DL2}/dl2_LST-1.Run{{run:05d}}.{{subrun:04d}}.h5"
    ),
    "merged dl2": File(
        "DL2MergedFile", "application/hdf5", f"{_DL2}/dl2_LST-1.Run{{run:05d}}.h5"
    ),
    "dl3": File("DL3File", _FITS, f"{_DL3}/dl3_LST-1.Run{{run:05d}}.fits"),
}

CALIBRATION_STEPS = {
    "drs4_pedestal": Step(
        "calibration_pipeline",
        used={"Subrun for pedestal": "pedestal raw"},
        generated={"Pedestal": "pedestal", "Check plot for pedestal": "pedestal plot"},
    ),
    "calibrate_charge": Step(
        "calibration_pipeline",
        used={"Subrun for calibration": "charge raw", "Pedestal file": "pedestal"},
        generated={
            "Coefficients calibration file": "charge",
            "Check plot for calibration": "charge plot",
        },
    ),
}
SUBRUN_STEPS = {
    "r0_to_dl1": Step(
        "datasequence",
        used={
            "Observation subrun": "r0",
            "Pedestal file": "pedestal",
            "Coefficients calibration file": "charge",
            "Time calibration file": "time calibration",
            "Systematic correction factor file": "systematics",
            "Pointing file": "pointing",
            "Run summary": "run summary",
        },
        generated={"DL1 subrun dataset": "dl1", "Muons subrun dataset": "muons"},
    ),
    "dl1ab": Step(
        "datasequence",
        used={
            "DL1 subrun dataset": "dl1",
            "Analysis configuration file": "analysis config",
        },
        generated={"DL1AB subrun dataset": "dl1"},
        parameters={"StoreImage": True},
    ),
    "dl1_datacheck": Step(
        "datasequence",
        used={"DL1AB subrun dataset": "dl1", "Muons subrun dataset": "muons"},
        generated={
            "DL1Check HDF5 file": "run check",
            "DL1Check PDF file": "run check plots",
            "DL1Check subrun dataset": "check",
        },
    ),
    "dl1_to_dl2": Step(
        "datasequence",
        used={
            "DL1 subrun dataset": "dl1",
            "RFModelEnergyFile": "energy model",
            "RFModelDispNormFile": "norm model",
            "RFModelDispSignFile": "sign model",
            "RFModelGammanessFile": "gammaness model",
            "Analysis configuration file": "analysis config",
        },
        generated={"DL2 merged file": "merged dl2", "DL2 subrun dataset": "dl2"},
    ),
}
RUN_STEPS = {
    "merge_dl2": Step(
        "closer",
        used={"DL2 subrun dataset": "dl2"},
        generated={"DL2 merged file": "merged dl2"},
    ),
    "dl2_to_dl3": Step(
        "dl3_stage",
        used={"DL2 merged file": "merged dl2", "IRF file": "irf"},
        generated={"DL3 file": "dl3"},
    ),
}
