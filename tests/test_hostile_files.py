"""Files that are broken, or made to break a reader: counted, named and passed over."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provdb.errors import ReadError
from provdb.ingest import IngestReport, ingest
from provdb.model import fields as f
from provdb.model import fold
from provdb.readers.guard import end_guards
from provdb.store import open_store
from tests.readers.dl3 import write_dl3
from tests.readers.reading import read_file
from tests.samples import CTAPIPE, LSTCHAIN_DL1, LSTCHAIN_DL2

_GOOD: Final = b"{'entity_id': '446f45', 'name': 'R0SubrunDataset'}\n"


def _ingest(*paths: Path) -> tuple[IngestReport, int, list[str]]:
    problems: list[ReadError] = []
    with open_store("memory://") as store:
        report = ingest(store, paths, on_problem=problems.append)
        stored = len(list(store.scan(f.ENTITIES)))
    return report, stored, [str(problem) for problem in problems]


def _truncated(folder: Path) -> None:
    (folder / "cut.h5").write_bytes(LSTCHAIN_DL1.read_bytes()[:9000])


def _zeros(folder: Path) -> None:
    (folder / "zero.h5").write_bytes(LSTCHAIN_DL1.read_bytes()[:600] + bytes(9000))


def _large_attribute(folder: Path) -> None:
    with h5py.File(folder / "a.h5", "w", libver="latest") as file:
        value = np.zeros(100 * 2**20, dtype="S1")
        file.create_group("a").attrs.create("config", data=value)


def _embedded(folder: Path, text: bytes, **options: Any) -> None:
    with h5py.File(folder / "e.h5", "w") as file:
        data = np.frombuffer(text, dtype="u1")
        file.create_dataset("provenance/provdb", data=data, **options)


def _embedded_vast(folder: Path) -> None:
    with h5py.File(folder / "e.h5", "w") as file:
        # Half a terabyte that takes no room on the disk.
        file.create_dataset("provenance/provdb", (2**39,), "u1", chunks=(2**20,))


def _embedded_vast_chunk(folder: Path) -> None:
    with h5py.File(folder / "e.h5", "w") as file:
        file.create_dataset(
            "provenance/provdb", (2**20,), "u1", chunks=(2**20,), compression="gzip"
        )
        file["provenance/provdb"][:] = 91


def _embedded_elsewhere(folder: Path) -> None:
    with h5py.File(folder / "e.h5", "w") as file:
        file.create_dataset(
            "provenance/provdb", (9,), "u1", external=[("/etc/passwd", 0, 9)]
        )


def _embedded_fits(folder: Path, content: bytes) -> None:
    column = fits.Column(
        name="PROV_JSON_GZIP", format="B", array=np.frombuffer(content, dtype="u1")
    )
    table = fits.BinTableHDU.from_columns([column], name="PROVENANCE")
    table.header["HDUCLASS"] = "PROVDB"
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(folder / "e.fits")


def _json_bomb(folder: Path) -> None:
    (folder / "bomb.provenance.log").write_text('[{"activity_uuid": ' + "[" * 10**6)


def _fits_without_end(folder: Path) -> None:
    (folder / "a.fits").write_bytes(
        b"SIMPLE  =                    T".ljust(80) * 36 * 50
    )


def _gzip_bomb(folder: Path) -> None:
    (folder / "a.log.gz").write_bytes(gzip.compress(bytes(50 * 2**20)))


@pytest.mark.parametrize(
    ("write", "name"),
    [
        pytest.param(_truncated, "cut.h5", id="truncated HDF5"),
        pytest.param(_zeros, "zero.h5", id="zeros"),
        pytest.param(_large_attribute, "a.h5", id="attribute of 100 MB"),
        pytest.param(_json_bomb, "bomb.provenance.log", id="deep JSON"),
        pytest.param(_fits_without_end, "a.fits", id="FITS without an end"),
        pytest.param(lambda f: _embedded(f, b"{"), "e.h5", id="embedded: no JSON"),
        pytest.param(
            lambda f: _embedded(f, b'{"entity": ' + b"[" * 10**6),
            "e.h5",
            id="embedded: deep JSON",
        ),
        pytest.param(lambda f: _embedded(f, b"[1]"), "e.h5", id="embedded: no PROV"),
        pytest.param(
            lambda f: _embedded(f, b"\xff\xfe{}"), "e.h5", id="embedded: no UTF-8"
        ),
        pytest.param(
            lambda f: _embedded(
                f, b'{"entity": {"_:e": {"prov:label": "%b"}}}' % (b"a" * 2**22)
            ),
            "e.h5",
            id="embedded: long text",
        ),
        pytest.param(_embedded_vast, "e.h5", id="embedded: vast"),
        pytest.param(_embedded_vast_chunk, "e.h5", id="embedded: zeros packed"),
        pytest.param(_embedded_elsewhere, "e.h5", id="embedded: elsewhere"),
        pytest.param(
            lambda f: _embedded_fits(f, gzip.compress(bytes(100 * 2**20))),
            "e.fits",
            id="embedded: bomb in FITS",
        ),
        pytest.param(
            lambda f: _embedded_fits(f, b"no gzip"), "e.fits", id="embedded: no gzip"
        ),
        pytest.param(
            lambda f: _embedded_fits(f, gzip.compress(b'{"entity": {}}')[:-9]),
            "e.fits",
            id="embedded: cut gzip",
        ),
    ],
)
def test_a_hostile_file_is_named_and_the_others_are_stored(
    tmp_path: Path, write: Callable[[Path], None], name: str
) -> None:
    write(tmp_path)
    (tmp_path / "prov.log").write_bytes(_GOOD)

    report, stored, problems = _ingest(tmp_path)

    assert (report.unread + report.skipped, stored) == (1, 1)
    (problem,) = problems
    assert problem.startswith(f"{tmp_path / name}:")


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda folder: (folder / "empty.h5").touch(), id="empty"),
        pytest.param(_gzip_bomb, id="zeros in gzip"),
        pytest.param(
            lambda folder: (folder / "again").symlink_to(folder), id="link to itself"
        ),
        pytest.param(
            lambda folder: (folder / "m.sav").write_bytes(b"\x80\x04\x95\0\0"),
            id="pickle",
        ),
        pytest.param(lambda folder: os.mkfifo(folder / "pipe.log"), id="pipe"),
    ],
)
def test_what_is_no_provenance_in_a_folder_is_passed_over(
    tmp_path: Path, write: Callable[[Path], object]
) -> None:
    write(tmp_path)
    (tmp_path / "prov.log").write_bytes(_GOOD)

    report, stored, problems = _ingest(tmp_path)

    assert (report.inputs, report.unread, stored, problems) == (1, 0, 1, [])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(b"a\nb.log", id="newline"),
        pytest.param(b"r\xe9sum\xe9.log", id="no UTF-8"),
        pytest.param(b"-rf.log", id="like an option"),
        pytest.param("Múnich ✓.log".encode(), id="UTF-8"),
    ],
)
def test_any_name_of_a_file_is_read_and_told_in_one_line(
    tmp_path: Path, name: bytes
) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_bytes(_GOOD + b"__PROV__t__PROV__{\n")

    report, stored, (problem,) = _ingest(tmp_path)

    assert (report.inputs, stored) == (1, 1)
    assert len(problem.encode().splitlines()) == 1


@pytest.mark.parametrize("name", [b"a\nb.h5", b"r\xe9sum\xe9.h5"])
def test_an_odd_name_of_a_binary_file_is_no_error(tmp_path: Path, name: bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_bytes(LSTCHAIN_DL2.read_bytes())

    report, stored, problems = _ingest(tmp_path)

    assert (report.inputs, stored, problems) == (1, 4, [])


def _is_read_or_told(path: Path) -> bool:
    try:
        records, _ = read_file(path)
    except ReadError as error:
        return str(error).startswith(f"{path}: ")
    return fold(records).keys() == set(f.COLLECTIONS)


def _changed(content: bytes, data: st.DataObject) -> bytes:
    """Return a content with some of its bytes changed, and maybe cut off."""
    changed = bytearray(content)
    for _ in range(data.draw(st.sampled_from([1, 3, 20]))):
        place = data.draw(st.integers(16, len(changed) - 1))
        changed[place] = data.draw(st.sampled_from([0, 1, 32, 127, 255]))
    return bytes(changed[: data.draw(st.sampled_from([len(changed), 2000, 700]))])


@pytest.mark.parametrize(
    "path",
    [LSTCHAIN_DL1, LSTCHAIN_DL2, CTAPIPE / "dl1_LST-1.Run01807.h5"],
    ids=["DL1", "DL2", "ctapipe"],
)
@settings(
    max_examples=25,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],
)
@given(data=st.data())
def test_any_change_of_a_sample_is_read_or_told(
    tmp_path: Path, path: Path, data: st.DataObject
) -> None:
    changed = tmp_path / f"changed{path.suffix}"
    changed.write_bytes(_changed(path.read_bytes(), data))

    assert _is_read_or_told(changed)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_a_fits_file_is_read_or_told(
    tmp_path: Path, data: st.DataObject
) -> None:
    source = tmp_path / "dl3.fits"
    if not source.exists():
        write_dl3(source)
    changed = tmp_path / "changed.fits"
    changed.write_bytes(_changed(source.read_bytes(), data))

    assert _is_read_or_told(changed)


def test_the_samples_are_read_whole_after_all_that() -> None:
    records, problems = read_file(LSTCHAIN_DL2)
    end_guards()

    assert (len(records), problems) == (12, "")
