"""The calls of ctapipe's Provenance: its own log as before, and records of provdb."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from provdb.compat.ctapipe import Provenance
from provdb.model import location_id
from tests.record_list import RecordList, recorded

_SAMPLES: Final = Path(__file__).parents[1] / "data" / "ctapipe-0.28.0"
_DL1: Final = "/fefs/aswg/DL1/dl1_LST-1.Run01807.0000.h5"
_MERGED: Final = "/fefs/aswg/DL1/dl1_LST-1.Run01807.h5"
_WRITTEN: Final = {
    "CTA PRODUCT ID": "f69c1a88-c8df-4e89-a78f-1a34f30e3b20",
    "CTA PRODUCT FORMAT": "hdf5",
    "CTA PRODUCT DATA LEVELS": "DL1_IMAGES,DL1_PARAMETERS",
    "CTA ACTIVITY ID": "0bca4c15-6cc4-481b-88a9-07af21fb834a",
}
_MADE_UP: Final = {
    "CTA PRODUCT ID": "49eeeade-ab16-4db4-bfaa-64ea57ca61bf",
    "CTA PRODUCT FORMAT": "",
    "CTA PRODUCT DATA LEVELS": "",
    "CTA ACTIVITY ID": "",
}


@pytest.fixture
def records() -> Iterator[RecordList]:
    """What provdb records."""
    with recorded() as records:
        yield records


@pytest.fixture
def provenance(records: RecordList) -> Iterator[Provenance]:
    """The Provenance, which knows of no activity before and after."""
    provenance = Provenance()
    provenance.clear()
    yield provenance
    provenance.clear()


def _sample(name: str) -> dict[str, Any]:
    text = (_SAMPLES / name).read_text(encoding="utf-8")
    first, _ = json.JSONDecoder().raw_decode(text)
    activity: dict[str, Any] = first[0]
    return activity


def _shape(value: object) -> Any:
    """Return the names of the fields in a value, and in the first item of each list."""
    if isinstance(value, dict):
        return {name: _shape(part) for name, part in value.items()}
    return [_shape(value[0])] if isinstance(value, list) and value else None


def test_there_is_one_for_the_process() -> None:
    assert Provenance() is Provenance()


def test_the_log_has_the_fields_of_ctapipe(provenance: Provenance) -> None:
    sample = _sample("ctapipe-merge.provenance.log")
    metadata = sample["input"][0]["reference_meta"]

    provenance.start_activity("ctapipe-merge")
    provenance.add_input_file(_DL1, "data product to merge", reference_meta=metadata)
    provenance.add_output_file(_MERGED)
    provenance.current_activity.register_config(sample["config"])  # type: ignore[union-attr]  # It is running.
    provenance.finish_activity(activity_name="ctapipe-merge")

    (written,) = json.loads(provenance.as_json(indent=3))
    assert list(written) == list(sample)
    assert {name: _shape(written[name]) for name in ("start", "stop", "config")} == {
        name: _shape(sample[name]) for name in ("start", "stop", "config")
    }
    assert _shape(written["system"]) == _shape(sample["system"])
    assert written["input"][0] == sample["input"][0] | {"url": _DL1}
    assert written["output"] == [{"url": _MERGED, "role": None, "reference_meta": None}]
    assert (written["status"], written["exit_code"]) == ("completed", 0)


def test_an_activity_is_recorded_with_its_files(
    provenance: Provenance, records: RecordList
) -> None:
    provenance.start_activity("ctapipe-merge")
    provenance.add_input_file(_DL1, role="data product to merge")
    provenance.add_output_file(_MERGED, role="DL1/Event")
    provenance.finish_activity()

    merge = records.activity("ctapipe-merge")
    assert merge["status"] == "completed"
    assert merge["used"] == [
        {"entity": location_id(_DL1), "role": "data product to merge"}
    ]
    assert merge["generated"] == [{"entity": location_id(_MERGED), "role": "DL1/Event"}]


def test_the_id_is_the_one_that_ctapipe_writes_into_files(
    provenance: Provenance, records: RecordList
) -> None:
    activity = provenance.start_activity("ctapipe-process")

    written = activity.provenance["activity_uuid"]
    assert records.activity("ctapipe-process")["activity_id"] == written.replace(
        "-", ""
    )


def test_a_start_is_recorded_before_the_end(
    provenance: Provenance, records: RecordList
) -> None:
    provenance.start_activity("ctapipe-process")

    assert records.activity("ctapipe-process")["status"] == "running"


@pytest.mark.parametrize(
    ("status", "exit_code", "stored"),
    [
        pytest.param("completed", 0, "completed", id="completed"),
        pytest.param("error", 2, "failed", id="error"),
        pytest.param("interrupted", 130, "interrupted", id="interrupted"),
        pytest.param("ctapipe-merge", 0, "completed", id="a name, no error"),
        pytest.param("ctapipe-merge", 1, "failed", id="a name, an error"),
    ],
)
def test_statuses_are_those_of_provdb(
    provenance: Provenance,
    records: RecordList,
    status: str,
    exit_code: int,
    stored: str,
) -> None:
    provenance.start_activity("ctapipe-merge")
    provenance.finish_activity(status, exit_code)

    merge = records.activity("ctapipe-merge")
    assert (merge["status"], merge["end_extra"]["exit_code"]) == (stored, exit_code)
    assert provenance.provenance[0]["status"] == status


def test_an_optional_file_that_is_not_given_is_said_and_not_recorded(
    provenance: Provenance, records: RecordList, capsys: pytest.CaptureFixture[str]
) -> None:
    activity = provenance.start_activity("ctapipe-optional")
    provenance.add_input_file(None)  # type: ignore[arg-type]  # As a tool may do.
    provenance.finish_activity(activity_name="ctapipe-optional")

    assert records.activity("ctapipe-optional")["used"] == []
    assert activity.input == []
    assert "ctapipe-optional used None, not a path" in capsys.readouterr().err


def test_activities_are_a_stack(provenance: Provenance, records: RecordList) -> None:
    outer = provenance.start_activity("ctapipe-process")
    inner = provenance.start_activity("image-cleaning")
    provenance.add_input_file(_DL1)
    names = provenance.active_activity_names
    provenance.finish_activity(activity_name="image-cleaning")
    provenance.add_output_file(_MERGED)
    provenance.finish_activity(activity_name="ctapipe-process")

    cleaning = records.activity("image-cleaning")
    assert names == ["ctapipe-process", "image-cleaning"]
    assert provenance.finished_activity_names == ["image-cleaning", "ctapipe-process"]
    assert provenance.finished_activities == [inner, outer]
    assert [use["entity"] for use in cleaning["used"]] == [location_id(_DL1)]
    assert (
        cleaning["started_by"] == (records.activity("ctapipe-process")["activity_id"])
    )


def test_another_activity_than_the_current_one_is_not_finished(
    provenance: Provenance,
) -> None:
    provenance.start_activity("ctapipe-process")

    with pytest.raises(ValueError, match="ctapipe-process is the current one"):
        provenance.finish_activity(activity_name="ctapipe-merge")

    assert provenance.active_activity_names == ["ctapipe-process"]


def test_where_nothing_runs_nothing_can_be_finished(provenance: Provenance) -> None:
    with pytest.raises(IndexError, match="no activity is running"):
        provenance.finish_activity()


def test_a_file_of_no_activity_starts_one(provenance: Provenance) -> None:
    provenance.add_input_file(_DL1)

    (name,) = provenance.active_activity_names
    assert name.startswith("/")


def test_a_block_is_an_activity(provenance: Provenance, records: RecordList) -> None:
    with provenance.activity("ctapipe-merge") as merge:
        assert provenance.current_activity is merge

    assert provenance.current_activity is None
    assert records.activity("ctapipe-merge")["status"] == "completed"


@pytest.mark.parametrize(
    ("error", "written", "exit_code", "stored"),
    [
        pytest.param(ValueError("no events"), "error", 1, "failed", id="exception"),
        pytest.param(SystemExit(3), "error", 3, "failed", id="exit"),
        pytest.param(SystemExit("no input"), "error", 1, "failed", id="exit, a text"),
        pytest.param(SystemExit(), "completed", 0, "completed", id="exit, no error"),
        pytest.param(
            KeyboardInterrupt(), "interrupted", 130, "interrupted", id="interrupt"
        ),
    ],
)
def test_a_block_that_is_left_by_an_error_says_so(
    provenance: Provenance,
    records: RecordList,
    error: BaseException,
    written: str,
    exit_code: int,
    stored: str,
) -> None:
    with pytest.raises(type(error)), provenance.activity("ctapipe-merge"):
        raise error

    (merge,) = provenance.provenance
    assert (merge["status"], merge["exit_code"]) == (written, exit_code)
    assert records.activity("ctapipe-merge")["status"] == stored


def test_the_error_of_a_block_is_recorded(
    provenance: Provenance, records: RecordList
) -> None:
    with pytest.raises(ValueError, match="no events"), provenance.activity("merge"):
        raise ValueError("no events")

    assert records.activity("merge")["end_extra"]["exception"] == {
        "type": "ValueError",
        "message": "no events",
    }


def test_the_configuration_is_kept_as_it_is_nested(
    provenance: Provenance, records: RecordList
) -> None:
    config = {"MergeTool": {"output_path": Path("/DL1"), "HDF5Merger": {"dl1": True}}}

    with provenance.activity("ctapipe-merge"):
        provenance.add_config(config)

    assert records.activity("ctapipe-merge")["parameters"] == {
        "MergeTool": {"output_path": "/DL1", "HDF5Merger": {"dl1": True}}
    }
    assert provenance.provenance[0]["config"] == config


def test_values_are_written_into_the_log_as_ctapipe_does(
    provenance: Provenance,
) -> None:
    distance = SimpleNamespace(value=5.0, unit="m")
    start = SimpleNamespace(isot="2020-01-17T20:00:00.000")
    start.utc = start

    with provenance.activity("ctapipe-merge"):
        provenance.add_config(
            {
                "path": Path("/DL1"),
                "distance": distance,
                "start": start,
                "levels": {"DL1"},
                "mask": b"\x01",
            }
        )

    (written,) = json.loads(provenance.as_json())
    assert written["config"] == {
        "path": "/DL1",
        "distance": {"value": 5.0, "unit": "m"},
        "start": "2020-01-17T20:00:00.000",
        "levels": ["DL1"],
        "mask": "b'\\x01'",
    }


def test_a_configuration_that_holds_itself_stops_nothing(
    provenance: Provenance, records: RecordList
) -> None:
    config: dict[str, Any] = {"MergeTool": {"log_level": 30}}
    config["MergeTool"]["parent"] = config

    with provenance.activity("ctapipe-merge"):
        provenance.add_config(config)

    parameters = records.activity("ctapipe-merge")["parameters"]
    assert parameters["MergeTool"]["log_level"] == 30


def test_reference_metadata_describes_the_file(
    provenance: Provenance, records: RecordList
) -> None:
    with provenance.activity("ctapipe-process"):
        provenance.add_input_file("/sim/gamma.h5", reference_meta=_WRITTEN)

    gamma = records.entity("/sim/gamma.h5")
    assert gamma["extra"]["reference_meta"] == _WRITTEN
    assert gamma["level"] == "DL1"


def test_reference_metadata_that_is_made_up_is_not_recorded(
    provenance: Provenance, records: RecordList
) -> None:
    with provenance.activity("ctapipe-process"):
        provenance.add_input_file(_DL1, reference_meta=_MADE_UP)

    assert "extra" not in records.entity(_DL1)


def test_reference_metadata_may_be_an_object_of_ctapipe(
    provenance: Provenance, records: RecordList
) -> None:
    class Reference:
        def to_dict(self) -> dict[str, str]:
            return _WRITTEN

    with provenance.activity("ctapipe-process"):
        provenance.add_input_file(_DL1, reference_meta=Reference())

    assert records.entity(_DL1)["extra"]["reference_meta"] == _WRITTEN
    assert provenance.provenance[0]["input"][0]["reference_meta"] == _WRITTEN


def test_a_relative_path_is_that_of_the_file(
    provenance: Provenance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with provenance.activity("ctapipe-process"):
        provenance.add_output_file("dl1.h5")

    assert provenance.provenance[0]["output"][0]["url"] == str(tmp_path / "dl1.h5")


def test_samples_are_times(provenance: Provenance) -> None:
    activity = provenance.start_activity("ctapipe-process")
    activity.sample_cpu_and_memory()
    activity.sample_cpu_and_memory()
    provenance.finish_activity()

    samples = provenance.provenance[0]["samples"]
    assert [list(sample) for sample in samples] == [["time_utc"], ["time_utc"]]


def test_threads_do_not_mix_their_activities(
    provenance: Provenance, records: RecordList
) -> None:
    together = threading.Barrier(8)

    def process(subrun: int) -> None:
        with provenance.activity(f"process-{subrun}"):
            together.wait(timeout=30)
            provenance.add_output_file(f"/DL1/dl1_LST-1.Run01807.{subrun:04d}.h5")
            together.wait(timeout=30)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(process, range(8)))

    assert {
        activity["name"]: [made["entity"] for made in activity["generated"]]
        for activity in records.documents["activities"]
    } == {
        f"process-{n}": [location_id(f"/DL1/dl1_LST-1.Run01807.{n:04d}.h5")]
        for n in range(8)
    }
    assert len(provenance.finished_activities) == 8
    assert provenance.active_activity_names == []


def test_a_thread_without_an_activity_adds_to_that_of_the_tool(
    provenance: Provenance, records: RecordList
) -> None:
    with provenance.activity("ctapipe-process"):
        thread = threading.Thread(target=provenance.add_input_file, args=(_DL1,))
        thread.start()
        thread.join()

    used = records.activity("ctapipe-process")["used"]
    assert [use["entity"] for use in used] == [location_id(_DL1)]


def test_clear_forgets_what_the_log_would_say(provenance: Provenance) -> None:
    with provenance.activity("ctapipe-process"):
        pass

    provenance.clear()

    assert provenance.provenance == []
    assert provenance.as_json() == "[]"
