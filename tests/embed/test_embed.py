"""What is embedded in a file: its ancestry, beside data that nobody touched."""

import gzip
import hashlib
import os
import shutil
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Final

import h5py
import numpy as np
import orjson
import pytest
from astropy.io import fits

from provdb.embed import content_of, embed, plan
from provdb.errors import Ambiguous, ExportError, MissingExtra, NotFound, ReadError
from provdb.model import fold
from provdb.store import Store
from provdb.verify import verify
from tests.embed.products import (
    FITS,
    FORMATS,
    GZIP,
    HDF5,
    contents_of,
    history_of,
    write_product,
)
from tests.lineage.histories import Step, file, remember
from tests.samples import LSTCHAIN_DL2

_LINES: Final = [
    "provdb: made by 2 steps; the extension PROVENANCE has all that is known",
    "provdb: r0_to_dl1 run 01807 2020-01-17T20:00Z in 1",
    "provdb: reduce run 01807 2020-01-17T20:05Z in 2",
]

every_format = pytest.mark.parametrize("name", FORMATS)


@pytest.fixture
def product(tmp_path: Path, memory: Store, name: str) -> Path:
    """A file of a format, whose history is in the store."""
    path = write_product(tmp_path / name)
    history_of(memory, path)
    return path


@every_format
def test_the_data_stay_byte_for_byte(memory: Store, product: Path) -> None:
    before = contents_of(product)

    done = embed(memory, str(product))

    assert done.status == "embedded"
    assert contents_of(product) == before


@every_format
def test_what_is_embedded_twice_is_there_once(memory: Store, product: Path) -> None:
    embed(memory, str(product))
    once = product.read_bytes(), product.stat().st_mtime_ns

    done = embed(memory, str(product))

    assert done.status == "up to date"
    assert (product.read_bytes(), product.stat().st_mtime_ns) == once


@every_format
def test_what_was_embedded_before_is_replaced_and_nothing_grows(
    memory: Store, product: Path
) -> None:
    data = contents_of(product)
    embed(memory, str(product))
    size = product.stat().st_size
    for start in range(10, 50):
        history_of(memory, product, start=start)
        embed(memory, str(product))

    for_last = content_of(memory, str(product))
    assert product.stat().st_size < size + 3 * 2880
    assert plan(memory, str(product)).is_up_to_date
    assert contents_of(product) == data
    assert for_last.text.count(b'"reduce"') == 1


@every_format
def test_another_file_is_written_where_one_is_named(
    memory: Store, product: Path, tmp_path: Path
) -> None:
    before = product.read_bytes()
    embed(memory, str(product), output=tmp_path / f"new_{product.name}")

    assert product.read_bytes() == before
    assert contents_of(tmp_path / f"new_{product.name}") == contents_of(product)


@every_format
def test_the_permissions_stay_and_a_link_stays_a_link(
    memory: Store, product: Path, tmp_path: Path
) -> None:
    product.chmod(0o640)
    link = tmp_path / "link" / product.name
    link.parent.mkdir()
    link.symlink_to(product)

    embed(memory, str(link))

    assert link.is_symlink()
    assert product.stat().st_mode & 0o777 == 0o640
    assert plan(memory, str(product)).is_up_to_date
    assert sorted(tmp_path.rglob("*")) == sorted([product, link, link.parent])


def test_a_document_of_prov_json_is_read_with_h5py_alone(
    tmp_path: Path, memory: Store
) -> None:
    path = tmp_path / HDF5
    shutil.copy(LSTCHAIN_DL2, path)
    history_of(memory, path)
    embed(memory, str(path))

    with h5py.File(path) as opened:
        dataset = opened["provenance/provdb"]
        document = orjson.loads(dataset[()].tobytes())
        said = [dataset.attrs[key].decode() for key in ("format", "creator")]
        size = int(dataset.attrs["file_size"])
        stages = sorted(opened["provenance"])

    assert len(document["activity"]) == 2
    assert said == ["PROV-JSON", f"provdb {version('provdb')}"]
    assert size == path.stat().st_size
    assert stages == ["dl1_to_dl2", "provdb"]


def test_a_file_with_groups_of_the_latest_format_takes_it(
    tmp_path: Path, memory: Store
) -> None:
    path = tmp_path / HDF5
    with h5py.File(path, "w", libver="latest", userblock_size=512) as opened:
        opened.create_dataset("dl2/a", data=np.arange(1000), chunks=(10,), shuffle=True)
        opened["dl2"].attrs["config"] = "{}"
    history_of(memory, path)
    before = contents_of(path)

    embed(memory, str(path))

    assert contents_of(path) == before


@pytest.mark.parametrize("name", [FITS, GZIP])
def test_a_person_reads_the_steps_in_the_first_header(
    memory: Store, product: Path
) -> None:
    embed(memory, str(product))

    header = fits.getheader(product, 0)
    assert list(header["HISTORY"]) == _LINES


@pytest.mark.parametrize("name", [FITS, GZIP])
def test_all_checksums_are_right(memory: Store, product: Path) -> None:
    for start in (1, 2, 3):
        history_of(memory, product, start=start)
        embed(memory, str(product))

        with warnings.catch_warnings(), fits.open(product, checksum=True) as units:
            warnings.simplefilter("error")
            assert ["CHECKSUM" in unit.header for unit in units] == [True] * 4
            units.verify("exception")
            names = [unit.name for unit in units]
        assert names == ["PRIMARY", "EVENTS", "EFFECTIVE AREA", "PROVENANCE"]


def test_a_document_of_prov_json_is_read_with_astropy_alone(
    tmp_path: Path, memory: Store
) -> None:
    path = write_product(tmp_path / FITS)
    history_of(memory, path)
    embed(memory, str(path))

    column = fits.getdata(path, "PROVENANCE")["PROV_JSON_GZIP"]

    assert len(orjson.loads(gzip.decompress(column.tobytes()))["activity"]) == 2


def test_a_wrong_checksum_is_not_made_right(tmp_path: Path, memory: Store) -> None:
    path = tmp_path / FITS
    image = fits.PrimaryHDU(np.arange(100, dtype="i4"))
    image.writeto(path, checksum=True)
    content = path.read_bytes()
    path.write_bytes(content[:2900] + b"\x07" + content[2901:])
    history_of(memory, path)

    embed(memory, str(path))

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fits.open(path, checksum=True).close()
    assert "Checksum verification failed" in "\n".join(str(w.message) for w in told)


@pytest.mark.parametrize(
    "cards",
    [
        pytest.param({"EXTEND": False}, id="EXTEND is F"),
        pytest.param({}, id="nothing"),
        pytest.param({f"KEY{n}": n for n in range(31)}, id="one card is free"),
        pytest.param({f"KEY{n}": n for n in range(32)}, id="no card is free"),
    ],
)
def test_an_image_alone_becomes_a_file_with_an_extension(
    tmp_path: Path, memory: Store, cards: dict[str, bool]
) -> None:
    path = tmp_path / FITS
    image = fits.PrimaryHDU(np.arange(5000, dtype="i4"))
    image.header.update(cards)
    image.writeto(path, checksum=True)
    history_of(memory, path)

    embed(memory, str(path))

    with warnings.catch_warnings(), fits.open(path, checksum=True) as units:
        warnings.simplefilter("error")
        units.verify("exception")
        assert units[0].data.tolist() == list(range(5000))
        assert units[0].header.get("EXTEND") is not False
        assert len(units) == 2


def test_what_stands_behind_all_extensions_stays_there(
    tmp_path: Path, memory: Store
) -> None:
    path = write_product(tmp_path / FITS)
    with path.open("ab") as stream:
        stream.write(b"special records".ljust(2880))
    history_of(memory, path)
    for start in (1, 2):
        history_of(memory, path, start=start)
        embed(memory, str(path))

    assert path.read_bytes().endswith(b"special records".ljust(2880))
    assert path.read_bytes().count(b"special records") == 1
    assert fits.getheader(path, "PROVENANCE")["HDUCLASS"] == "PROVDB"


def test_an_extension_of_that_name_of_somebody_else_stays(
    tmp_path: Path, memory: Store
) -> None:
    path = write_product(tmp_path / FITS)
    fits.append(path, np.arange(5), fits.Header([("EXTNAME", "PROVENANCE")]))
    history_of(memory, path)
    embed(memory, str(path))

    with fits.open(path) as units:
        assert [unit.name for unit in units[3:]] == ["PROVENANCE"] * 2
        assert units[3].data.tolist() == list(range(5))


def test_a_secret_is_not_given_away(tmp_path: Path, memory: Store) -> None:
    path = write_product(tmp_path / HDF5)
    history_of(memory, path)
    step = {"activity_id": "aaaaa1", "session_tag": "reduce:01807"}
    secret = {"db_password": "hunter2", "uri": "mongodb://me:hunter2@cp01/x"}
    memory.write(fold([{**step, "parameters": secret}]))

    embed(memory, str(path))

    text = content_of(memory, str(path)).text
    assert b"hunter2" not in text
    assert b"mongodb://me:***@cp01/x" in text
    assert plan(memory, str(path)).is_up_to_date


def test_a_file_elsewhere_is_known_by_its_name(tmp_path: Path, memory: Store) -> None:
    history_of(memory, Path(f"/fefs/DL2/{HDF5}"))
    path = write_product(tmp_path / HDF5)

    done = embed(memory, str(path))

    assert done.location == f"/fefs/DL2/{HDF5}"
    assert done.warnings == (
        f"the store knows it by its name only, as /fefs/DL2/{HDF5}",
    )


def test_a_name_alone_means_the_file_where_the_store_has_it(
    tmp_path: Path, memory: Store
) -> None:
    path = write_product(tmp_path / HDF5)
    history_of(memory, path)

    assert embed(memory, HDF5).file == str(path)


def test_another_content_than_was_recorded_is_told(
    tmp_path: Path, memory: Store
) -> None:
    path = write_product(tmp_path / HDF5)
    history_of(memory, path, digest=hashlib.md5(b"another one").hexdigest())

    done = embed(memory, str(path))

    assert done.warnings == (
        "its content is not the one that was recorded when it was made",
    )


def test_further_names_of_a_file_are_told(tmp_path: Path, memory: Store) -> None:
    path = write_product(tmp_path / HDF5)
    os.link(path, tmp_path / "other.h5")
    history_of(memory, path)

    assert "it has 2 names on the disk" in embed(memory, str(path)).warnings[0]


@every_format
def test_verify_tells_that_provenance_was_embedded(
    memory: Store, tmp_path: Path, name: str
) -> None:
    path = write_product(tmp_path / name)
    digest = hashlib.sha1(path.read_bytes()).hexdigest()
    history_of(memory, path, digest=digest)
    later = file("/DL4/spectrum.fits")
    used = file(str(path), "Product").link(content=digest)
    remember(memory, Step(name="fit", used=[used], generated=[later], start=20))
    embed(memory, str(path))

    found = verify(memory, later.id)

    assert found.counts["embedded"] == 1
    assert not found.has_differences


def test_the_digests_of_another_file_are_not_taken_for_its_own(
    memory: Store, tmp_path: Path
) -> None:
    """As where a tool of lstchain copied what was embedded in its input."""
    path = write_product(tmp_path / HDF5)
    history_of(memory, path)
    embed(memory, str(path))
    other = tmp_path / "dl3_LST-1.Run01807.h5"
    shutil.copy(path, other)
    history_of(memory, other, digest=hashlib.sha256(other.read_bytes()).hexdigest())

    done = embed(memory, str(other))

    assert done.warnings == ()


def test_verify_takes_no_word_for_another_content(
    memory: Store, tmp_path: Path
) -> None:
    path = write_product(tmp_path / FITS)
    history_of(memory, path)
    later = file("/DL4/spectrum.fits")
    digest = hashlib.sha256(b"another one").hexdigest()
    used = file(str(path), "Product").link(content=digest)
    remember(memory, Step(name="fit", used=[used], generated=[later], start=20))
    embed(memory, str(path))

    assert verify(memory, later.id).has_differences


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"# a log\n", "it is no HDF5 and no FITS file", id="text"),
        pytest.param(b"", "it is no HDF5 and no FITS file", id="empty"),
        pytest.param(
            b"\x89HDF\r\n\x1a\n" + bytes(900), "it is no whole HDF5 file", id="HDF5"
        ),
        pytest.param(
            b"SIMPLE  =                    T".ljust(2880),
            "it is no whole FITS file",
            id="FITS",
        ),
        pytest.param(
            gzip.compress(b"SIMPLE  =                    T".ljust(2880))[:-9],
            "it is no",
            id="gzip",
        ),
    ],
)
def test_a_file_that_cannot_take_it_stays(
    memory: Store, tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / HDF5
    path.write_bytes(content)
    history_of(memory, path)

    with pytest.raises(ReadError, match=reason):
        embed(memory, str(path))

    assert path.read_bytes() == content
    assert [*tmp_path.iterdir()] == [path]


def test_a_fits_file_that_is_cut_off_stays(memory: Store, tmp_path: Path) -> None:
    path = write_product(tmp_path / FITS)
    path.write_bytes(path.read_bytes()[:-2000])
    content = path.read_bytes()
    history_of(memory, path)

    with pytest.raises(ReadError, match="it is no whole FITS file: it is cut off"):
        embed(memory, str(path))

    assert (path.read_bytes(), [*tmp_path.iterdir()]) == (content, [path])


def test_a_file_that_the_store_does_not_know_is_none(
    memory: Store, tmp_path: Path
) -> None:
    path = write_product(tmp_path / HDF5)
    remember(memory, file("/R0/LST-1.1.Run01807.0000.fits.fz"))

    with pytest.raises(NotFound, match=f"nothing in the store is called {HDF5}"):
        embed(memory, str(path))


def test_a_file_that_nobody_knows_the_origin_of_is_told(
    memory: Store, tmp_path: Path
) -> None:
    path = write_product(tmp_path / HDF5)
    remember(memory, file(str(path)))

    with pytest.raises(NotFound, match="nobody knows how"):
        embed(memory, str(path))


def test_several_files_of_the_name_are_told(memory: Store, tmp_path: Path) -> None:
    history_of(memory, Path(f"/a/{HDF5}"))
    history_of(memory, Path(f"/b/{HDF5}"))

    with pytest.raises(Ambiguous):
        embed(memory, str(write_product(tmp_path / HDF5)))


def test_a_file_that_is_not_here_is_told(memory: Store) -> None:
    history_of(memory, Path(f"/nowhere/{HDF5}"))

    with pytest.raises(ReadError, match=f"in the store it is at /nowhere/{HDF5}"):
        embed(memory, HDF5)


def test_provenance_that_is_too_large_for_a_file_is_told(
    memory: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_product(tmp_path / HDF5)
    history_of(memory, path)
    monkeypatch.setattr("provdb.embed.content.LARGEST_BYTES", 100)

    with pytest.raises(ExportError, match="'provdb export' writes it beside"):
        embed(memory, str(path))


@pytest.mark.parametrize(("name", "library"), [(HDF5, "h5py"), (FITS, "astropy.io")])
def test_a_library_that_is_missing_is_named_with_what_installs_it(
    memory: Store, product: Path, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, library, None)

    with pytest.raises(MissingExtra, match=r"pip install 'provdb\[readers\]'"):
        embed(memory, str(product))


def test_what_was_moved_to_another_name_is_embedded_as_it_was(
    memory: Store, tmp_path: Path
) -> None:
    path = write_product(tmp_path / HDF5)
    history_of(memory, path)
    embed(memory, str(path))
    other = tmp_path / "copy" / HDF5
    other.parent.mkdir()
    shutil.copy(path, other)

    assert embed(memory, str(other)).status == "up to date"
