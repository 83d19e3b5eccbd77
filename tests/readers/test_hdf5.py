"""HDF5 files of lstchain and ctapipe: what they say of themselves, table by table."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import pytest

from provdb.errors import ReadError
from provdb.model import Record, fold, location_id
from provdb.model.file import file_content
from provdb.readers import hdf5
from provdb.readers.formats import Format
from tests.readers.reading import read_file
from tests.samples import CTAPIPE, LSTCHAIN_DL1, LSTCHAIN_DL2

# In this process, to see what is behind the guard.
HDF5: Final = Format(name="hdf5", title="HDF5", claims=hdf5.claims, read=hdf5.read_file)
_TABLE: Final = "/dl1/event/telescope/parameters/LST_LSTCam"
_VERSIONS: Final = {
    "CONTACT": "LST Consortium",
    "CTAPIPE_IO_LST_VERSION": "0.29.2",
    "CTAPIPE_VERSION": "0.25.1",
    "LSTCHAIN_VERSION": "0.12.3",
}


@pytest.fixture
def make(tmp_path: Path) -> Callable[[Callable[[Any], object]], Path]:
    """Return a function that makes an HDF5 file with what another one writes in it."""

    def made(write: Callable[[Any], object]) -> Path:
        path = tmp_path / "dl1_LST-1.Run01807.h5"
        with h5py.File(path, "w") as file:
            write(file)
        return path

    return made


def _entity(records: list[Record], path: Path) -> Record:
    id_ = location_id(str(path))
    (entity,) = (r for r in records if r.get("entity_id") == id_ and "contentType" in r)
    return entity


def _configuration(records: list[Record], file_id: str) -> Any:
    (document,) = (d for d in fold(records)["files"] if d["_id"] == file_id)
    return json.loads(file_content(document) or b"")


def test_versions_and_contact_of_a_file_are_read() -> None:
    records, problems = read_file(LSTCHAIN_DL1, HDF5)

    entity = _entity(records, LSTCHAIN_DL1)
    assert problems == ""
    assert entity["attributes"] == {**_VERSIONS, "PYTABLES_FORMAT_VERSION": "2.1"}


@pytest.mark.parametrize(
    ("path", "table", "encoding"),
    [
        pytest.param(LSTCHAIN_DL1, _TABLE, "json", id="JSON"),
        pytest.param(LSTCHAIN_DL2, _TABLE.replace("1", "2", 1), "pickle", id="pickle"),
    ],
)
def test_the_configuration_of_a_table_is_kept_by_its_content(
    path: Path, table: str, encoding: str
) -> None:
    records, problems = read_file(path, HDF5)

    (told,) = _entity(records, path)["tables"]
    configuration = _configuration(records, told["config"])
    assert problems == ""
    assert told["tables"] == [table]
    assert {name: told[name] for name in _VERSIONS} == _VERSIONS
    assert told["config_encoding"] == encoding
    assert configuration["source_config"]["EventSource"] == {
        "allowed_tels": [1],
        "max_events": None,
    }


def test_the_three_encodings_of_one_configuration_are_one_content(
    make: Callable[..., Path],
) -> None:
    config = {"tailcut": {"picture_thresh": 8}, "path": None, "cuts": [-0.9, 2]}
    pickled = b"(dVtailcut\n(dVpicture_thresh\nI8\nssVpath\nNsVcuts\n(lF-0.9\naI2\nas."

    def write(file: Any) -> None:
        for name, text in (
            ("a", json.dumps(config)),
            ("b", str(config)),
            ("c", pickled),
        ):
            file.create_group(name).attrs["config"] = np.bytes_(text)

    path = make(write)
    records, problems = read_file(path, HDF5)

    told = _entity(records, path)["tables"]
    assert problems == ""
    assert [one["config_encoding"] for one in told] == ["json", "python", "pickle"]
    assert len({one["config"] for one in told}) == 1
    assert _configuration(records, told[0]["config"]) == config


def test_a_pickle_that_would_run_code_is_told_and_not_run(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    trap = f"cposix\nsystem\n(Vtouch {tmp_path}/ran\ntR.".encode()
    path = make(lambda file: file["/"].attrs.update({"LSTCHAIN_VERSION": "0.12.3"}))
    with h5py.File(path, "a") as file:
        file.create_group("dl2").attrs["config"] = np.bytes_(trap)

    records, problems = read_file(path, HDF5)

    (told,) = _entity(records, path)["tables"]
    assert not (tmp_path / "ran").exists()
    assert "GLOBAL posix system" in told["config_left_out"]
    assert problems.endswith(told["config_left_out"])


def test_tables_that_were_copied_keep_the_versions_of_their_step(
    make: Callable[..., Path],
) -> None:
    def write(file: Any) -> None:
        file.attrs["LSTCHAIN_VERSION"] = "0.12.3"
        for name, version in (("a", "0.10.1"), ("b", "0.12.3"), ("c", "0.10.1")):
            file.create_dataset(f"dl1/{name}", data=[1]).attrs["LSTCHAIN_VERSION"] = (
                version
            )

    path = make(write)
    entity = _entity(read_file(path, HDF5)[0], path)

    assert entity["attributes"] == {"LSTCHAIN_VERSION": "0.12.3"}
    assert entity["tables"] == [
        {"tables": ["/dl1/a", "/dl1/c"], "LSTCHAIN_VERSION": "0.10.1"},
        {"tables": ["/dl1/b"], "LSTCHAIN_VERSION": "0.12.3"},
    ]


def test_the_activity_that_lstchain_keeps_in_a_file_generated_it() -> None:
    folded = fold(read_file(LSTCHAIN_DL2, HDF5)[0])

    (activity,) = folded["activities"]
    (environment,) = folded["environments"]
    locations = {e["_id"]: e["location"] for e in folded["entities"]}
    assert activity["session_tag"] == "lstchain_dl1_to_dl2:01807"
    assert {(locations[u["entity"]], u["role"]) for u in activity["used"]} == {
        ("/fefs/aswg/lst/dl1_LST-1.Run01807.h5", "dl1 input file"),
        ("/fefs/aswg/lst/models", "trained model directory"),
    }
    assert {locations[g["entity"]] for g in activity["generated"]} == {
        "/fefs/aswg/lst/dl2_LST-1.Run01807.h5",
        str(LSTCHAIN_DL2),
    }
    assert environment["packages"]["lstchain"] == "0.12.3"


def test_the_reference_metadata_of_a_file_names_its_activity() -> None:
    path = CTAPIPE / "dl1_LST-1.Run01807.0000.h5"
    records, problems = read_file(path, HDF5)

    (activity,) = fold(records)["activities"]
    metadata = _entity(records, path)["reference_meta"]
    assert (problems, len(metadata)) == ("", 30)
    assert metadata["CTA PRODUCT ID"] == "f69c1a88-c8df-4e89-a78f-1a34f30e3b20"
    assert activity["name"] == "ctapipe-process"
    assert activity["activity_id"] == "0bca4c156cc4481b88a907af21fb834a"
    assert activity["generated"] == [{"entity": location_id(str(path))}]


def _write_names(names: list[str]) -> Callable[[Any], object]:
    """Return what writes names as lstchain does."""
    return lambda file: file.create_dataset(
        "source_filenames/filenames", data=names, dtype=h5py.string_dtype()
    )


def _locations(records: list[Record], ids: set[str]) -> set[str]:
    return {r["filepath"] for r in records if r.get("entity_id") in ids}


def test_every_file_that_was_merged_is_a_member(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    names = ["/DL1/dl1_LST-1.Run01807.0000.h5", "beside.h5", "./elsewhere.h5"]
    (tmp_path / "beside.h5").touch()
    path = make(_write_names(names))

    records, problems = read_file(path, HDF5)

    members = {r["member_id"] for r in records if "member_id" in r}
    assert problems == ""
    assert _entity(records, path)["source_filenames"] == names
    assert {r["entity_id"] for r in records if "member_id" in r} == {
        location_id(str(path))
    }
    # A name without a folder is that of a file beside, or stays a name.
    places = {names[0], str(tmp_path / "beside.h5"), "elsewhere.h5"}
    assert members == {location_id(place) for place in places}
    assert _locations(records, members) == places


def test_a_name_that_stands_alone_is_what_the_file_is_derived_from(
    make: Callable[..., Path],
) -> None:
    path = make(_write_names(["LST-1.1.Run01807.0000.fits.fz"]))

    records, _ = read_file(path, HDF5)

    assert {"member_id" for r in records if "member_id" in r} == set()
    assert [r["progenitor_id"] for r in records if "progenitor_id" in r] == [
        location_id("LST-1.1.Run01807.0000.fits.fz")
    ]


def test_a_file_is_no_part_of_itself(make: Callable[..., Path]) -> None:
    path = make(_write_names(["dl1_LST-1.Run01807.h5"]))

    records, _ = read_file(path, HDF5)

    assert not any({"member_id", "progenitor_id"} & record.keys() for record in records)


_NAMES: Final = ["dl1_LST-1.Run01807.0000.h5", "dl1_LST-1.Run01807.0001.h5"]
_PICKLED_NAMES: Final = b"(lp0\nV" + b"\naV".join(n.encode() for n in _NAMES)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(np.bytes_(str(_NAMES)), id="Python"),
        pytest.param(np.bytes_(json.dumps(_NAMES)), id="JSON"),
        pytest.param(np.bytes_(_PICKLED_NAMES + b"\na."), id="pickle"),
        pytest.param(np.bytes_(", ".join(_NAMES)), id="text"),
        pytest.param(np.array(_NAMES, dtype="S64"), id="array"),
    ],
)
def test_names_in_an_attribute_are_members_however_they_are_written(
    make: Callable[..., Path], value: Any
) -> None:
    path = make(lambda file: file.attrs.update({"SOURCE_FILENAMES": value}))

    records, problems = read_file(path, HDF5)

    entity = _entity(records, path)
    assert problems == ""
    assert entity["source_filenames"] == _NAMES
    assert "attributes" not in entity
    assert {r["member_id"] for r in records if "member_id" in r} == {
        location_id(name) for name in _NAMES
    }


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(np.bytes_(str([*_NAMES, "dl1_LST-1.R"])[:-2]), id="Python"),
        pytest.param(np.bytes_(json.dumps([*_NAMES, "dl1"])[:-2]), id="JSON"),
        pytest.param(np.bytes_(_PICKLED_NAMES + b"\naVdl1_LST"), id="pickle"),
    ],
)
def test_names_that_are_cut_off_are_a_problem_and_a_member_of_no_description(
    make: Callable[..., Path], value: Any
) -> None:
    path = make(lambda file: file.attrs.update({"SOURCE_FILENAMES": value}))

    records, problems = read_file(path, HDF5)

    entity = _entity(records, path)
    members = {r["member_id"] for r in records if "member_id" in r}
    unknown = f"names are cut off: {path}"
    assert "SOURCE_FILENAMES: names are cut off; 2 names of files are whole" in problems
    assert entity["source_filenames"] == _NAMES
    assert entity["source_filenames_cut_off"] is True
    assert members == {*map(location_id, _NAMES), unknown}
    assert not any(r.get("entity_id") == unknown for r in records)


def test_names_that_are_cut_off_do_not_matter_beside_a_whole_list(
    make: Callable[..., Path],
) -> None:
    def write(file: Any) -> None:
        file.attrs["SOURCE_FILENAMES"] = np.bytes_(str(_NAMES)[:30])
        _write_names(_NAMES)(file)

    path = make(write)
    records, problems = read_file(path, HDF5)

    members = {r["member_id"] for r in records if "member_id" in r}
    assert problems == ""
    assert members == {location_id(name) for name in _NAMES}


def test_names_that_cannot_be_read_leave_a_member_of_no_description(
    make: Callable[..., Path],
) -> None:
    path = make(_virtual)

    records, problems = read_file(path, HDF5)

    assert "lie in another file" in problems
    assert [r["member_id"] for r in records if "member_id" in r] == [
        f"names are cut off: {path}"
    ]


def test_the_names_of_a_table_are_not_those_of_the_file(
    make: Callable[..., Path],
) -> None:
    def write(file: Any) -> None:
        file.create_group("a").attrs["SOURCE_FILENAMES"] = np.bytes_(str(_NAMES))

    path = make(write)
    records, _ = read_file(path, HDF5)

    assert not any("member_id" in record for record in records)


def test_a_file_of_gigabytes_is_not_loaded(make: Callable[..., Path]) -> None:
    def write(file: Any) -> None:
        file.attrs["LSTCHAIN_VERSION"] = "0.12.3"
        # Sparse: four gigabytes that take no room on the disk.
        file.create_dataset("dl1/images", shape=(2**29,), dtype="f8")
        file["dl1/images"][-1] = 1.0

    path = make(write)
    before = time.process_time()
    entity = _entity(read_file(path, HDF5)[0], path)

    assert path.stat().st_size > 4e9
    assert entity["attributes"] == {"LSTCHAIN_VERSION": "0.12.3"}
    assert time.process_time() - before < 2


def _cycle(file: Any) -> None:
    file.create_group("a")["again"] = file["/"]


def _outside(file: Any) -> None:
    file["provenance"] = h5py.ExternalLink(LSTCHAIN_DL2, "/provenance")
    file["soft"] = h5py.SoftLink("/nowhere")
    file.create_group("a").attrs["LSTCHAIN_VERSION"] = "1"


def _external(file: Any) -> None:
    file.create_group("provenance")
    file.create_dataset(
        "provenance/dl1_to_dl2",
        shape=(9,),
        dtype="S1",
        external=[("/etc/passwd", 0, 9)],
    )


def _virtual(file: Any) -> None:
    layout = h5py.VirtualLayout(shape=(1,), dtype="i8")
    layout[0] = h5py.VirtualSource(LSTCHAIN_DL2, "/dl2", shape=(1,))[0]
    file.create_virtual_dataset("source_filenames/filenames", layout)


def _large(file: Any) -> None:
    file.create_dataset("provenance/x", shape=(2**31,), dtype="S8", chunks=(2**16,))


def _nested(file: Any) -> None:
    file.create_group("a").attrs["config"] = np.bytes_("[" * 20_000)


def _no_activity(file: Any) -> None:
    file["provenance/dl1_to_dl2"] = "{}"


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        pytest.param(_cycle, "", id="cycle"),
        pytest.param(_outside, "", id="links to other files"),
        pytest.param(_external, "lie in another file", id="external values"),
        pytest.param(_virtual, "lie in another file", id="virtual values"),
        pytest.param(_large, "too much for provenance", id="large"),
        pytest.param(_nested, "nested too deeply", id="nested"),
        pytest.param(_no_activity, "without a name or an id", id="no activity"),
    ],
)
def test_what_a_file_must_not_make_a_reader_do_is_not_done(
    make: Callable[..., Path], write: Callable[[Any], None], problem: str
) -> None:
    path = make(write)
    with h5py.File(path, "a") as file:
        file.attrs["CTAPIPE_VERSION"] = "0.28.0"

    records, problems = read_file(path, HDF5)

    assert _entity(records, path)["attributes"] == {"CTAPIPE_VERSION": "0.28.0"}
    assert not any("activity_id" in record for record in records)
    assert problem in problems
    assert bool(problem) == bool(problems)


def test_a_truncated_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "dl1.h5"
    path.write_bytes(LSTCHAIN_DL1.read_bytes()[:5000])

    with pytest.raises(ReadError, match="it is no whole HDF5 file: "):
        read_file(path, HDF5)
