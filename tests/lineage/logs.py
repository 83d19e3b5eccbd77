"""Where the sample logs are, and what the names in them call for."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from provdb.lineage import LineageNode
from provdb.model import fields as f
from provdb.store import Store

__all__ = [
    "RUN_WISE",
    "SAMPLES",
    "SLIDES",
    "SUBRUN_WISE",
    "called_for",
    "products",
    "raw_data",
    "subruns_of",
]

_FOLDER = Path(__file__).parent.parent / "data"
SUBRUN_WISE = _FOLDER / "lstosa-0.10.18" / "prov.log.gz"
RUN_WISE = _FOLDER / "lstosa-0.10.18" / "calibration_to_dl2_01807_prov.log"
SLIDES = _FOLDER / "slides-prov.log"
SAMPLES = (SUBRUN_WISE, RUN_WISE, SLIDES)

_NUMBERS = re.compile(r"Run(\d+)(?:\.(\d{4}))?")

Subrun = tuple[int, int | None]


def products(store: Store) -> list[dict[str, Any]]:
    """Return the files and collections of the levels DL1 and above."""
    return [
        document
        for document in store.scan(f.ENTITIES)
        if (document[f.LEVEL] or "").startswith("DL")
    ]


def raw_data(store: Store) -> set[Subrun]:
    """Return (run, subrun) of all raw data, read from the names of the files."""
    return {
        numbers
        for document in store.scan(f.ENTITIES)
        if document[f.LEVEL] == "R0"
        for numbers in _numbers(document[f.LOCATION])
    }


def called_for(location: str, raw: Iterable[Subrun]) -> set[Subrun]:
    """Return (run, subrun) of the raw data that the name of a product calls for.

    Of a subrun it is that subrun, of a run all of the run.
    """
    ((run, subrun),) = _numbers(location)
    return {one for one in raw if one[0] == run and subrun in (None, one[1])}


def subruns_of(leaves: Iterable[LineageNode]) -> set[Subrun]:
    """Return (run, subrun) of raw data, read from the names of the files."""
    return {numbers for leaf in leaves for numbers in _numbers(leaf.location or "")}


def _numbers(location: str) -> list[Subrun]:
    found = _NUMBERS.findall(location)
    return [(int(run), int(subrun) if subrun else None) for run, subrun in found]
