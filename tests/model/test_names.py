"""Names say level, run and subrun, however the pipelines spell them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provdb.model.names import (
    LEVELS,
    FileFacts,
    file_facts,
    file_name,
    run_of_tag,
    subrun_of_arguments,
)


@pytest.mark.parametrize(
    ("name", "file", "level", "run", "subrun"),
    [
        ("R0SubrunDataset", "R0/20191123/LST-1.1.Run01618.0008.fits.fz", "R0", 1618, 8),
        ("RawObservationFile", "LST-1.1.Run01804.fits.fz", "R0", 1804, None),
        ("R0Collection", "R0/20200117/", "R0", None, None),
        ("DL1SubrunDataset", "dl1_LST-1.Run01807.0002.h5", "DL1", 1807, 2),
        ("DL1Collection", "DL1/20200117/v0.1.0/", "DL1", None, None),
        (
            "DL1CheckSubrunDataset",
            "datacheck_dl1_LST-1.Run01807.0010.h5",
            "DL1",
            1807,
            10,
        ),
        ("DL1CheckHDF5File", "datacheck_dl1_LST-1.Run01807.h5", "DL1", 1807, None),
        ("DL1CheckPDFFile", "datacheck_dl1_LST-1.Run01808.pdf", "DL1", 1808, None),
        ("DL1CheckCollection", "DL1/20200117/v0.1.0/", "DL1", None, None),
        ("MuonsSubrunDataset", "muons_LST-1.Run01807.0001.fits", "DL1", 1807, 1),
        ("MuonsCollection", "DL1/20200117/v0.1.0/", "DL1", None, None),
        ("DL2SubrunDataset", "dl2_LST-1.Run01808.0003.h5", "DL2", 1808, 3),
        ("DL2MergedFile", "dl2_LST-1.Run01807.h5", "DL2", 1807, None),
        ("DL2Collection", "DL2/20200117/v0.1.0/model2/", "DL2", None, None),
        ("DL3File", "dl3_LST-1.Run01807.fits", "DL3", 1807, None),
        ("PedestalFile", "v03/drs4_pedestal.Run1611.0000.fits", None, 1611, 0),
        ("PedestalFile", "drs4_pedestal.Run01804.0000.h5", None, 1804, 0),
        ("PedestalCheckPlot", "drs4_pedestal.Run01804.0000.pdf", None, 1804, 0),
        ("CoefficientsCalibrationFile", "calibration.Run1614.0000.hdf5", None, 1614, 0),
        (
            "CoefficientsCalibrationFile",
            "calibration_filters_52.Run01809.0000.h5",
            None,
            1809,
            0,
        ),
        ("TimeCalibrationFile", "time_calibration.Run1614.0000.hdf5", None, 1614, 0),
        ("PointingFile", "DrivePosition_log_20200117.txt", None, None, None),
        ("RunSummaryFile", "RunSummary_20200117.ecsv", None, None, None),
        ("AnalysisConfigFile", "lstchain_standard_config.json", None, None, None),
        (
            "SystematicCorrectionFile",
            "ffactor_systematics_20200725.h5",
            None,
            None,
            None,
        ),
        ("RFModelEnergyFile", "reg_energy.sav", None, None, None),
    ],
)
def test_names_of_the_samples(
    name: str, file: str, level: str | None, run: int | None, subrun: int | None
) -> None:
    facts = file_facts(name, f"/fefs/aswg/data/real/{file}")

    assert facts == FileFacts(level=level, run=run, subrun=subrun)


@pytest.mark.parametrize(
    ("file", "level"),
    [
        pytest.param("dl1_LST-1.Run01807.0001.h5", "DL1", id="lstchain"),
        pytest.param("LST-1.1.Run01618.0008.fits.fz", "R0", id="raw, compressed"),
        pytest.param("LST-1.1.Run01804.fits", "R0", id="raw run"),
        pytest.param("gamma_run1.dl2.h5", "DL2", id="ctapipe"),
        pytest.param("events.DL3.fits", "DL3", id="upper case"),
        pytest.param("dl12_LST-1.h5", None, id="no level"),
        pytest.param("model1.sav", None, id="no level in a word"),
    ],
)
def test_a_file_without_an_entity_name_says_its_level(
    file: str, level: str | None
) -> None:
    assert file_facts(None, f"/data/{file}").level == level


@pytest.mark.parametrize(
    "spelling", ["Run01618", "Run1618", "run01618", "Run_1618", "RUN001618"]
)
def test_one_run_has_many_spellings(spelling: str) -> None:
    assert file_facts(None, f"/data/dl1_{spelling}.0003.h5") == FileFacts(
        level="DL1", run=1618, subrun=3
    )


@pytest.mark.parametrize(
    ("tag", "run"),
    [
        pytest.param("r0_to_dl1:01618", 1618, id="five digits"),
        pytest.param("r0_to_dl1:1618", 1618, id="four digits"),
        pytest.param("drs4_pedestal:01804-01809", 1804, id="pedestal run"),
        pytest.param("calibrate_charge:01804-01809", 1809, id="calibration run"),
        pytest.param("r0_to_dl1:", None, id="no run"),
        pytest.param("r0_to_dl1", None, id="no colon"),
        pytest.param("night:2020-01-17", None, id="a date"),
        pytest.param("a:9999999999", None, id="too long"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="none"),
    ],
)
def test_run_of_a_tag(tag: str | None, run: int | None) -> None:
    assert run_of_tag(tag) == run


@pytest.mark.parametrize(
    ("arguments", "subrun"),
    [
        pytest.param(["datasequence", "01807.0010", "LST1"], 10, id="subrun"),
        pytest.param(["datasequence", "01807", "LST1"], None, id="run only"),
        pytest.param(["01807.0001", "01807.0002"], None, id="two subruns"),
        pytest.param([1807.0001, None, ["01807.0001"]], None, id="no texts"),
        pytest.param([], None, id="none"),
    ],
)
def test_subrun_of_arguments(arguments: list[object], subrun: int | None) -> None:
    assert subrun_of_arguments(arguments) == subrun


@given(st.text() | st.none(), st.text() | st.none())
def test_any_name_is_read(name: str | None, location: str | None) -> None:
    facts = file_facts(name, location)

    assert facts.level in (*LEVELS, None)
    assert (facts.run or 0) < 10**9


@pytest.mark.parametrize(
    ("location", "name"),
    [
        pytest.param("/DL1/20200117/dl1.h5", "dl1.h5", id="path"),
        pytest.param("/DL1/20200117/", "20200117", id="folder"),
        pytest.param("dl1.h5", "dl1.h5", id="name"),
        pytest.param("/", "", id="root"),
    ],
)
def test_file_name_is_the_last_part(location: str, name: str) -> None:
    assert file_name(location) == name
