"""The format of a file is found by its content, whatever its name."""

from pathlib import Path

import pytest

from provdb.errors import UnknownFormat
from provdb.readers.formats import FORMATS, format_named
from provdb_cli.ingest import ingest
from tests.readers.dl3 import write_dl3
from tests.readers.reading import format_of, read_text
from tests.samples import (
    CTAPIPE,
    CTAPIPE_MERGE,
    CTAPIPE_PROCESS,
    LSTCHAIN_DL1,
    LSTCHAIN_DL2,
    NIGHT_LOG,
    RUN_JSON,
    RUN_LOG,
    SLIDES_LOG,
)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (NIGHT_LOG, "lstosa"),
        (SLIDES_LOG, "lstosa"),
        (RUN_LOG, "lstosa-run"),
        (RUN_JSON, "lstosa-json"),
        (CTAPIPE_PROCESS, "ctapipe"),
        (CTAPIPE_MERGE, "ctapipe"),
        (LSTCHAIN_DL1, "hdf5"),
        (LSTCHAIN_DL2, "hdf5"),
        (CTAPIPE / "dl1_LST-1.Run01807.h5", "hdf5"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_every_sample_is_known_by_its_content(path: Path, name: str) -> None:
    assert format_of(path.read_bytes(), path=Path("some.file")) == name


@pytest.mark.parametrize("name", ["dl3.fits", "dl3.fits.gz"])
def test_a_fits_file_is_known_also_if_it_is_compressed(
    tmp_path: Path, name: str
) -> None:
    content = write_dl3(tmp_path / name).read_bytes()

    assert format_of(content, path=Path("some.file")) == "fits"


def test_an_hdf5_file_may_have_something_before_it() -> None:
    assert format_of(bytes(512) + LSTCHAIN_DL1.read_bytes()) == "hdf5"


@pytest.mark.parametrize(
    ("content", "path", "name"),
    [
        pytest.param(b"INFO hello\n", "prov.log", "lstosa", id="a log without records"),
        pytest.param(b"INFO hello\n", "notes.md", None, id="another text"),
        pytest.param(b"a: b\nc: d\n", "a.log", "lstosa", id="a log like YAML"),
        pytest.param(b"\0\1", "prov.log", None, id="binary"),
    ],
)
def test_in_a_folder_a_text_that_is_called_a_log_is_one(
    content: bytes, path: str, name: str | None
) -> None:
    assert format_of(content, path=Path(path)) == name


def test_the_command_line_knows_every_format() -> None:
    (option,) = (one for one in ingest.params if one.name == "input_format")

    choices = option.type.choices  # type: ignore[attr-defined]  # It is a choice.
    assert sorted(choices) == sorted(one.name for one in FORMATS)


def test_an_unknown_format_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UnknownFormat, match="there is no format x; known are hdf5, "):
        format_named("x")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param(
            {"d" * 40: "d" * 40, "location": "/R0/a.fits", "hash_type": "sha1"},
            {"entity_id": "d" * 40, "location": "/R0/a.fits", "hash_type": "sha1"},
            id="hash",
        ),
        pytest.param({"/R0/a.b": "/R0/a.b"}, {"entity_id": "/R0/a.b"}, id="no file"),
        pytest.param(
            {"entity_id": 2**70, "value": "x"},
            {"entity_id": 2**70, "value": "x"},
            id="an id of more than 8 bytes",
        ),
        pytest.param({"name": "name"}, {"name": "name"}, id="something else"),
    ],
)
def test_the_entities_of_logprov_have_their_ids(
    written: dict[str, object], read: dict[str, object]
) -> None:
    line = f"INFO _PROV_2022-04-13T10:00:00_PROV_{written!r}"

    assert read_text(line) == ([read], "")
