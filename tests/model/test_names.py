"""Names say level, run, telescope and more, however the pipelines spell them."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provdb.errors import ConfigError
from provdb.model.names import (
    LEVELS,
    FileFacts,
    file_facts,
    file_name,
    run_of_tag,
    subrun_of_arguments,
    telescope_name,
)
from provdb.model.naming_rules import DATA_KINDS, NAMING_RULES, naming_rules


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

    assert facts[:3] == (level, run, subrun)


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
    assert file_facts(None, f"/data/dl1_{spelling}.0003.h5")[:3] == ("DL1", 1618, 3)


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
        pytest.param(["100234.00012"], 12, id="more digits"),
        pytest.param([], None, id="none"),
    ],
)
def test_subrun_of_arguments(arguments: list[object], subrun: int | None) -> None:
    assert subrun_of_arguments(arguments) == subrun


def _facts(**stated: Any) -> FileFacts:
    return FileFacts(**{"level": None, "run": None, "subrun": None, **stated})


_REAL = "/fefs/aswg/data/real"
_MC = "/fefs/aswg/data/mc"
_CAT_A = f"{_REAL}/monitoring/PixelCalibration/Cat-A"
_NIGHT = {"date": "2024-01-10"}
_SIMULATED = {"data_kind": "simulated_events"}


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        pytest.param(
            f"{_REAL}/R0/20240110/LST-1.1.Run02032.0192.fits.fz",
            _facts(
                level="R0", run=2032, subrun=192, telescope="LST-1", stream=1,
                data_kind="events", **_NIGHT,
            ),
            id="raw stream",
        ),
        pytest.param(
            f"{_REAL}/R0/20240110/LST-4.4.Run02032.0192.fits.fz",
            _facts(
                level="R0", run=2032, subrun=192, telescope="LST-4", stream=4,
                data_kind="events", **_NIGHT,
            ),
            id="fourth stream of the fourth telescope",
        ),
        pytest.param(
            f"{_REAL}/R0/20240110/LST-1.1.Run02033.0000_first50.fits.fz",
            _facts(
                level="R0", run=2033, subrun=0, telescope="LST-1", stream=1,
                data_kind="events", **_NIGHT,
            ),
            id="raw, first events only",
        ),
        pytest.param(
            f"{_REAL}/R0/20240110/LST-1.*.Run02034.0000.fits.fz",
            _facts(
                level="R0", run=2034, subrun=0, telescope="LST-1",
                data_kind="events", **_NIGHT,
            ),
            id="raw, all streams",
        ),
        pytest.param(
            f"{_REAL}/R0/20240110/LST-1.Run02035.0000.fits.fz",
            _facts(
                level="R0", run=2035, subrun=0, telescope="LST-1",
                data_kind="events", **_NIGHT,
            ),
            id="raw without a stream",
        ),
        pytest.param(
            f"{_REAL}/R0/20240110/LST-1.1.Run02035.*.fits.fz",
            _facts(
                level="R0", run=2035, telescope="LST-1", stream=1,
                data_kind="events", **_NIGHT,
            ),
            id="raw, all subruns",
        ),
        pytest.param(
            f"{_REAL}/R0/20240110/LST-2.1.Run100234.00012.fits.fz",
            _facts(
                level="R0", run=100234, subrun=12, telescope="LST-2", stream=1,
                data_kind="events", **_NIGHT,
            ),
            id="six digits of a run, five of a subrun",
        ),
        pytest.param(
            "/fefs/onsite/data/R0/LSTN-02/20240110/",
            _facts(telescope="LST-2", **_NIGHT),
            id="folder of a night of a telescope",
        ),
        pytest.param(
            f"{_REAL}/DL1/20240110/v0.4/dl1_LST-1.1.Run02035.0000.fits.h5",
            _facts(
                level="DL1", run=2035, subrun=0, telescope="LST-1", stream=1,
                data_kind="events", **_NIGHT,
            ),
            id="dl1 of a stream",
        ),
        pytest.param(
            f"{_REAL}/DL1/20240110/v0.10/dl1ab_LST-2.Run02035.0001.h5",
            _facts(
                level="DL1", run=2035, subrun=1, telescope="LST-2",
                data_kind="events", **_NIGHT,
            ),
            id="dl1ab",
        ),
        pytest.param(
            f"{_REAL}/DL1/20240110/v0.10/muons/muons_LST-1.Run02035.0001.fits",
            _facts(
                level="DL1", run=2035, subrun=1, telescope="LST-1",
                data_kind="muons", **_NIGHT,
            ),
            id="muons",
        ),
        pytest.param(
            f"{_REAL}/DL1/20240110/v0.10/datacheck_dl1_LST-1.Run02035.pdf",
            _facts(
                level="DL1", run=2035, telescope="LST-1", data_kind="datacheck",
                **_NIGHT,
            ),
            id="datacheck",
        ),
        pytest.param(
            f"{_REAL}/DL1/20240110/v0.10/interleaved/interleaved_LST-1.Run02035.0001.h5",
            _facts(
                level="R1", run=2035, subrun=1, telescope="LST-1",
                data_kind="interleaved", **_NIGHT,
            ),
            id="interleaved",
        ),
        pytest.param(
            f"{_REAL}/DL2/20240110/v0.10/dl2_LST-1.Run02035_srcdep.h5",
            _facts(
                level="DL2", run=2035, telescope="LST-1", data_kind="events", **_NIGHT
            ),
            id="dl2 by source",
        ),
        pytest.param(
            f"{_REAL}/DL3/20240110/dl3_LST-1.Run02035.fits.gz",
            _facts(
                level="DL3", run=2035, telescope="LST-1", data_kind="events", **_NIGHT
            ),
            id="dl3 by run",
        ),
        pytest.param(
            "/dl3/hess_dl3_dr1_obs_id_020136.fits.gz",
            _facts(level="DL3", run=20136, data_kind="events"),
            id="dl3 by observation id",
        ),
        pytest.param(
            "/dl3/obs_01807.dl3.fits",
            _facts(level="DL3", run=1807, data_kind="events"),
            id="dl3 by observation",
        ),
        pytest.param(
            "/dl3/obs_20240110.dl3.fits",
            _facts(level="DL3", data_kind="events", **_NIGHT),
            id="dl3 of a date is of no run",
        ),
        pytest.param(
            "/dl3/obs-index.fits.gz",
            _facts(level="DL3", data_kind="catalogue"),
            id="index of observations",
        ),
        pytest.param(
            f"{_CAT_A}/drs4_baseline/20240110/v0.10/drs4_pedestal.Run02005.0000.h5",
            _facts(run=2005, subrun=0, data_kind="calibration", **_NIGHT),
            id="pedestal",
        ),
        pytest.param(
            "/fefs/onsite/data/LST2/monitoring/20240110/drs4_pedestal.Run02005.0000.h5",
            _facts(
                run=2005, subrun=0, telescope="LST-2", data_kind="calibration", **_NIGHT
            ),
            id="pedestal in a folder of a telescope",
        ),
        pytest.param(
            f"{_CAT_A}/20240110/v0.10/calibration_filters_52.Run02006.0000.h5",
            _facts(run=2006, subrun=0, data_kind="calibration", **_NIGHT),
            id="Cat-A calibration",
        ),
        pytest.param(
            f"{_REAL}/Cat-B/20240110/v0.10/cat_B_calibration_filters_52.Run02006.h5",
            _facts(run=2006, data_kind="calibration", **_NIGHT),
            id="Cat-B calibration",
        ),
        pytest.param(
            f"{_CAT_A}/20240110/pro/time_calibration.Run01625.0000.h5",
            _facts(run=1625, subrun=0, data_kind="calibration", **_NIGHT),
            id="time calibration",
        ),
        pytest.param(
            f"{_CAT_A}/20240110/log/calibration_filters_52.Run02006.0000.pdf",
            _facts(run=2006, subrun=0, data_kind="plot", **_NIGHT),
            id="plot of a calibration",
        ),
        pytest.param(
            f"{_CAT_A}/ffactor_systematics/20200725/pro/ffactor_systematics_20200725.h5",
            _facts(data_kind="correction", date="2020-07-25"),
            id="correction",
        ),
        pytest.param(
            f"{_REAL}/monitoring/RunSummary/RunSummary_20240110.ecsv",
            _facts(data_kind="catalogue", **_NIGHT),
            id="run summary",
        ),
        pytest.param(
            f"{_REAL}/monitoring/DrivePosition_log_20240110.txt",
            _facts(data_kind="drive", **_NIGHT),
            id="drive log",
        ),
        pytest.param(
            "/corrected_drive_logs_Nov19/drive_log_19_11_23.txt",
            _facts(data_kind="drive", date="2019-11-23"),
            id="old drive log",
        ),
        pytest.param(
            "/lstchain/data/20240110/lstchain_dl1_config.json",
            _facts(data_kind="configuration"),
            id="configuration names no level and no date",
        ),
        pytest.param(
            "/data/models/prod5/zenith_20deg/20201023_v0.6.3/reg_energy.sav",
            _facts(data_kind="model"),
            id="model",
        ),
        pytest.param(
            "/data/models/prod5/energy.pkl", _facts(data_kind="model"),
            id="model by its folder",
        ),
        pytest.param(
            "/here/energy_regressor.pkl", _facts(data_kind="model"),
            id="model by its name",
        ),
        pytest.param("/here/answer.pkl", _facts(), id="a pickle that is not a model"),
        pytest.param(
            "/irf/irf_20201023_v0.6.3.fits.gz", _facts(data_kind="irf"), id="irf"
        ),
        pytest.param(
            "/log/r0_to_dl1_01807_prov.json", _facts(data_kind="provenance"),
            id="provenance",
        ),
        pytest.param(
            f"{_MC}/DL0/LSTProd2/TrainingDataset/Protons/dec_2276/sim_telarray/"
            "node_theta_6.000_az_180.000_/simtel_corsika_theta_6.000_az_180.000_run10"
            ".simtel.gz",
            _facts(simulation_run=10, particle="proton", data_kind="simulation"),
            id="sim_telarray",
        ),
        pytest.param(
            "/here/gamma_20deg_0deg_run8___cta-prod5-lapalma.simtel.zst",
            _facts(simulation_run=8, particle="gamma", data_kind="simulation"),
            id="sim_telarray of a particle",
        ),
        pytest.param(
            "/here/DAT000012", _facts(data_kind="simulation"), id="CORSIKA"
        ),
        pytest.param(
            "/here/dl1_gamma_20deg_180deg_run1000___cta-prod5-lapalma_desert_cone10.h5",
            _facts(
                level="DL1", simulation_run=1000, particle="gamma", **_SIMULATED
            ),
            id="dl1 of a simulation",
        ),
        pytest.param(
            "/here/dl1_gamma-diffuse_20deg_180deg_cta-prod3-demo-mono_merge_train.h5",
            _facts(level="DL1", particle="gamma-diffuse", **_SIMULATED),
            id="merged dl1 of a simulation",
        ),
        pytest.param(
            f"{_MC}/DL1/AllSky/20240131_allsky/TestingDataset/dl1_node_corsika_theta_"
            "10.0_az_102.199_.h5",
            _facts(level="DL1", **_SIMULATED),
            id="merged dl1 of a pointing",
        ),
        pytest.param(
            f"{_MC}/DL1/AllSky/20240131_allsky/dec_2276/dl1_GammaDiffuse.h5",
            _facts(level="DL1", particle="gamma-diffuse", **_SIMULATED),
            id="merged dl1 of a particle",
        ),
        pytest.param(
            "/here/dl2_20240131_dec_2276_Protons_merged.h5",
            _facts(level="DL2", particle="proton", **_SIMULATED),
            id="date of a production is no date of an observation",
        ),
        pytest.param(
            f"{_MC}/electron/LST-1.1.Run02032.0192.fits.fz",
            _facts(
                level="R0", run=2032, subrun=192, telescope="LST-1", stream=1,
                data_kind="events",
            ),
            id="an observation, wherever it lies",
        ),
        pytest.param(
            "/here/gamma_map.dl5.fits", _facts(level="DL5", data_kind="events"),
            id="gamma rays from the sky",
        ),
        pytest.param("/here/Run12345678901.h5", _facts(), id="too long for a run"),
        pytest.param("/here/rerun1.h5", _facts(), id="run at the end of a word"),
        pytest.param("/home/lst1/a.h5", _facts(), id="an account, not a telescope"),
    ],
)  # fmt: skip  # A name and what it says, not a line for each field.
def test_a_file_name_says(location: str, expected: FileFacts) -> None:
    assert file_facts(None, location) == expected


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param("PedestalFile", "calibration", id="pedestal"),
        pytest.param("CoefficientsCalibrationFile", "calibration", id="calibration"),
        pytest.param("TimeCalibrationFile", "calibration", id="time calibration"),
        pytest.param("SystematicCorrectionFile", "correction", id="correction"),
        pytest.param("CalibrationCheckPlot", "plot", id="plot"),
        pytest.param("AnalysisConfigFile", "configuration", id="configuration"),
        pytest.param("RFModelGammanessFile", "model", id="model"),
        pytest.param("PointingFile", "drive", id="drive"),
        pytest.param("RunSummaryFile", "catalogue", id="run summary"),
        pytest.param("DL1CheckSubrunDataset", "datacheck", id="datacheck"),
        pytest.param("MuonsCollection", "muons", id="muons"),
        pytest.param("DL2Collection", "events", id="events"),
        pytest.param("SomethingElse", None, id="anything else"),
    ],
)
def test_the_name_of_an_entity_says_what_its_data_are(
    name: str, kind: str | None
) -> None:
    assert file_facts(name, "/data/whatever.h5").data_kind == kind


def test_each_kind_of_the_table_has_a_meaning() -> None:
    kinds = {row.data_kind for row in NAMING_RULES.rows if row.data_kind is not None}

    assert kinds <= set(DATA_KINDS)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        pytest.param("LST1", "LST-1", id="as scripts write it"),
        pytest.param("lst-2", "LST-2", id="small letters"),
        pytest.param("LSTN-04", "LST-4", id="as CTAO writes it"),
        pytest.param("MAGIC-1", "MAGIC-1", id="another one"),
    ],
)
def test_a_telescope_has_one_name(written: str, stored: str) -> None:
    assert telescope_name(written) == stored


_MAGIC = {
    "name": "magic",
    "file": r"^\d{8}_M(?P<telescope>\d)_(?P<run>\d{8})\.(?P<subrun>\d{3})_Y_",
    "telescope": r"MAGIC-\g<telescope>",
    "level": "DL1",
}


def test_other_instruments_add_rows() -> None:
    rules = naming_rules([_MAGIC])

    facts = file_facts(None, "/m/20240110_M2_05012345.001_Y_CrabNebula.root", rules)

    assert facts == _facts(
        level="DL1", run=5012345, subrun=1, telescope="MAGIC-2", data_kind="events",
        **_NIGHT,
    )  # fmt: skip  # As the table above.


def test_rows_of_other_instruments_come_first() -> None:
    rules = naming_rules([{"name": "mine", "file": "^dl1_", "data_kind": "images"}])

    facts = file_facts("DL1SubrunDataset", "/dl1_LST-1.Run01807.0001.h5", rules)

    assert (facts.data_kind, facts.level, facts.run) == ("images", "DL1", 1807)


def test_rows_of_other_instruments_can_be_simulations() -> None:
    rules = naming_rules(
        [{"name": "s", "file": r"^ev(?P<run>\d+)_dl2", "simulated": True}]
    )

    facts = file_facts(None, "/s/ev1000_dl2.root", rules)

    assert (facts.run, facts.simulation_run) == (None, 1000)


def test_a_known_row_can_be_written_as_a_table() -> None:
    """Who copies known rows into a file and changes none reads names as before."""
    rules = naming_rules([row.table() for row in NAMING_RULES.rows])

    own = [(row.table(), row.has_numbers, row.is_simulated) for row in rules.rows]

    assert own == [
        (row.table(), row.has_numbers, row.is_simulated) for row in NAMING_RULES.rows
    ]


def test_without_rows_of_its_own_an_instrument_has_the_known_ones() -> None:
    assert naming_rules([]) is NAMING_RULES


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        pytest.param({"file": "a"}, "it needs a name", id="no name"),
        pytest.param({"name": "a"}, "it needs a pattern", id="no pattern"),
        pytest.param({"name": "a", "file": "("}, "a pattern is wrong", id="pattern"),
        pytest.param({"name": "a", "file": 1}, "file must be a text", id="no text"),
        pytest.param(
            {"name": "a", "file": "a", "colour": "x"}, "colour is none of", id="key"
        ),
        pytest.param(
            {"name": "a", "file": "a", "level": "DL9"}, "level must be", id="level"
        ),
        pytest.param(
            {"name": "a", "file": "a", "simulated": 1}, "simulated must", id="simulated"
        ),
        pytest.param(
            {"name": "a", "file": "(?P<runs>1)"}, "the group runs", id="group"
        ),
        pytest.param(
            {"name": "a", "file": "a", "telescope": r"M\1"}, "may have one", id="filled"
        ),
    ],
)
def test_a_row_that_says_nothing_is_refused(table: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        naming_rules([table])


@given(st.text() | st.none(), st.text() | st.none())
def test_any_name_is_read(name: str | None, location: str | None) -> None:
    facts = file_facts(name, location)

    assert facts.level in (*LEVELS, None)
    assert (facts.run or 0) < 10**9
    assert (facts.simulation_run or 0) < 10**9
    assert facts.run is None or facts.simulation_run is None


_PIECES = (
    "LST-1.", "1.", "*.", "Run", "run", "01618", "1" * 12, ".0008", "20201131", "_obs_",
    "mc/", "gamma_", "GammaDiffuse", "simtel", "dl1_", "LSTN-02", "/", ".fits.fz", "²",
    "٣", ".json", ".pkl", "models/", "cat_B_calibration_filters_52.", "\n",
)  # fmt: skip  # Pieces of names at a glance.


@given(st.lists(st.sampled_from(_PIECES), max_size=8).map("".join))
def test_what_looks_like_a_name_is_read(location: str) -> None:
    facts = file_facts("DL1SubrunDataset", location)

    assert facts.level == "DL1"
    assert facts.date is None or date.fromisoformat(facts.date).isoformat()
    assert facts.run is None or facts.simulation_run is None


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
