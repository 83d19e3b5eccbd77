"""The sample logs, and what stores and documents hold, in forms that compare."""

import gzip
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest

from provdb.errors import ReadError
from provdb.model import Document, Record
from provdb.model import fields as f
from provdb.model.values import canonical, encode
from provdb.readers import read_lines, read_records
from provdb.store import Store

__all__ = [
    "CTAPIPE",
    "CTAPIPE_MERGE",
    "CTAPIPE_PROCESS",
    "LOGS",
    "LSTCHAIN",
    "LSTCHAIN_DL1",
    "LSTCHAIN_DL2",
    "NIGHT_LOG",
    "RUN_JSON",
    "RUN_LOG",
    "SLIDES_LOG",
    "every_log",
    "read_log",
    "records_of",
    "stored_in",
    "stored_without_places",
    "texts_of",
    "together",
]

_DATA: Final = Path(__file__).parent / "data"
# The log of the slides: two interleaved subruns, the first spelling.
SLIDES_LOG: Final = _DATA / "slides-prov.log"
# What lstosa 0.10.18 wrote for a night of two runs, and made of it for one run.
NIGHT_LOG: Final = _DATA / "lstosa-0.10.18" / "prov.log.gz"
RUN_LOG: Final = _DATA / "lstosa-0.10.18" / "calibration_to_dl2_01807_prov.log"
RUN_JSON: Final = _DATA / "lstosa-0.10.18" / "calibration_to_dl2_01807_prov.json"
# What ctapipe 0.28.0 wrote of three subruns and their merge, and two of its files.
CTAPIPE: Final = _DATA / "ctapipe-0.28.0"
CTAPIPE_PROCESS: Final = CTAPIPE / "ctapipe-process.provenance.log"
CTAPIPE_MERGE: Final = CTAPIPE / "ctapipe-merge.provenance.log"
# Files of lstchain 0.12.3: a DL1 file of a subrun, and the DL2 file of its run.
LSTCHAIN: Final = _DATA / "lstchain-0.12.3"
LSTCHAIN_DL1: Final = LSTCHAIN / "dl1_LST-1.Run01807.0000.h5"
LSTCHAIN_DL2: Final = LSTCHAIN / "dl2_LST-1.Run01807.h5"
LOGS: Final = (SLIDES_LOG, RUN_LOG, NIGHT_LOG)

every_log = pytest.mark.parametrize(
    "log",
    [
        pytest.param(SLIDES_LOG, id="slides"),
        pytest.param(RUN_LOG, id="run-wise"),
        pytest.param(NIGHT_LOG, id="night"),
    ],
)


@cache
def read_log(path: Path) -> bytes:
    """Return the text of a sample log, decompressed."""
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def records_of(text: bytes) -> list[Record]:
    """Return the records of a log that has no fault in it."""
    lines = read_lines(BytesIO(text), "a log", on_problem=_fail)
    return [record for _, record in read_records(lines, on_problem=_fail)]


def shifted(records: Iterable[Record], by: timedelta) -> list[Record]:
    """Return the records of a processing that happened so much later."""
    return [
        {
            **record,
            **{
                name: (datetime.fromisoformat(record[name]) + by).isoformat()
                for name in ("startTime", "endTime")
                if name in record
            },
        }
        for record in records
    ]


def texts_of(records: Iterable[Record]) -> set[bytes]:
    """Return the set of records, in a form that tells 1 from 1.0 and True."""
    return {canonical(encode(record)) for record in records}


def together(documents: Mapping[str, Iterable[Document]]) -> dict[str, list[bytes]]:
    """Return documents as canonical JSON, sorted, without empty collections."""
    return {
        collection: listed
        for collection in f.COLLECTIONS
        if (listed := sorted(map(canonical, documents.get(collection, ()))))
    }


def stored_in(store: Store) -> dict[str, list[bytes]]:
    """Return all that a store holds as canonical JSON."""
    return together({name: store.scan(name) for name in f.COLLECTIONS})


def stored_without_places(store: Store) -> dict[str, list[bytes]]:
    """Return all that a store holds, apart from where its records stand in logs."""
    return together(
        {
            name: [
                {key: part for key, part in document.items() if key != f.RECORDED}
                for document in store.scan(name)
            ]
            for name in f.COLLECTIONS
        }
    )


def _fail(problem: ReadError) -> Any:
    raise problem
