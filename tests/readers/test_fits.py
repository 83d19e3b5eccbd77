"""FITS headers: all that they say, and nothing of the data."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from provdb.errors import ReadError
from provdb.model import Record, fold
from provdb.readers import fits as reader
from provdb.readers.formats import Format
from tests.readers.dl3 import write_dl3
from tests.readers.reading import read_file

# In this process, to see what is behind the guard.
FITS: Final = Format(
    name="fits", title="FITS", claims=reader.claims, read=reader.read_file
)


def _headers(records: list[Record]) -> dict[str, Any]:
    return {header["hdu"]: header for header in records[0]["headers"]}


def test_all_that_the_headers_of_an_event_list_say_is_kept(tmp_path: Path) -> None:
    path = write_dl3(tmp_path / "dl3_LST-1.Run01807.fits")

    records, problems = read_file(path, FITS)

    headers = _headers(records)
    assert problems == ""
    assert headers["EVENTS"]["CREATOR"] == "lstchain v0.12.3"
    assert headers["EVENTS"]["OBS_ID"] == 1807
    assert headers["EVENTS"]["HISTORY"] == ["gamma-like events", "of one run"]
    assert headers["EFFECTIVE AREA"]["GH_CUT"] == 0.7
    assert set(headers["EVENTS"]) >= {"CHECKSUM", "DATASUM"}
    assert not {"BITPIX", "TTYPE1", "NAXIS"} & set(headers["EVENTS"])


def test_run_and_level_are_those_of_the_header_where_the_name_says_none(
    tmp_path: Path,
) -> None:
    path = write_dl3(tmp_path / "crab.fits.gz")

    (entity,) = fold(read_file(path, FITS)[0])["entities"]

    assert (entity["level"], entity["run"]) == ("DL3", 1807)


def test_the_reference_metadata_of_ctao_names_the_activity(tmp_path: Path) -> None:
    metadata = {
        "CTA PRODUCT DATA LEVELS": "DL3",
        "CTA PRODUCT FORMAT": "fits",
        "CTA ACTIVITY ID": "0bca4c15-6cc4-481b-88a9-07af21fb834a",
        "CTA ACTIVITY NAME": "ctapipe-make-dl3",
        "CTA ACTIVITY START TIME": "2026-11-22 17:16:54.642",
    }
    path = write_dl3(tmp_path / "events.fits", cards=metadata)

    records, _ = read_file(path, FITS)

    assert records[0]["reference_meta"] == metadata
    assert [a["name"] for a in fold(records)["activities"]] == ["ctapipe-make-dl3"]


def test_a_file_of_gigabytes_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "large.fits"
    table = fits.BinTableHDU(Table({"X": np.zeros(1)}), name="EVENTS")
    table.header["CREATOR"] = "gammapy 1.3"
    table.header["NAXIS2"] = 2**29
    header = fits.Header(
        [("SIMPLE", True), ("BITPIX", 8), ("NAXIS", 0), ("EXTEND", True)]
    )
    content = (header.tostring() + table.header.tostring()).encode()
    path.write_bytes(content)
    with path.open("r+b") as file:
        # Sparse: it takes no room on the disk. Blocks have 2880 bytes.
        file.truncate(len(content) + (8 * 2**29 // 2880 + 1) * 2880)

    records, _ = read_file(path, FITS)

    assert _headers(records)["EVENTS"]["CREATOR"] == "gammapy 1.3"


def test_a_broken_card_costs_no_other(tmp_path: Path) -> None:
    path = write_dl3(tmp_path / "dl3_LST-1.Run01807.fits")
    content = path.read_bytes()
    path.write_bytes(
        content.replace(b"TELESCOP= 'CTA-N   '", b"TELESCOP= 'CTA-N  \xff ")
    )

    records, problems = read_file(path, FITS)

    assert _headers(records)["EVENTS"]["CREATOR"] == "lstchain v0.12.3"
    assert "EVENTS: card" in problems


def test_what_is_no_whole_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "dl3.fits"
    path.write_bytes(b"SIMPLE  =                    T" + b" " * 50)

    with pytest.raises(ReadError, match="it is no whole FITS file: "):
        read_file(path, FITS)
