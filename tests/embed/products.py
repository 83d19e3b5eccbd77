"""Data files of a history, to embed provenance in, and what is compared of them."""

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from astropy.io import fits

from provdb.model import fold
from provdb.store import Store
from tests.lineage.histories import Step, file, remember
from tests.readers.dl3 import write_dl3
from tests.samples import LSTCHAIN_DL1

__all__ = [
    "FITS",
    "FORMATS",
    "GZIP",
    "HDF5",
    "contents_of",
    "history_of",
    "write_product",
]

HDF5: Final = "dl2_LST-1.Run01807.h5"
FITS: Final = "dl3_LST-1.Run01807.fits"
GZIP: Final = "dl3_LST-1.Run01807.fits.gz"
FORMATS: Final = (HDF5, FITS, GZIP)
_OURS: Final = "provdb: "


def write_product(path: Path) -> Path:
    """Write a file as its name says: tables of lstchain in HDF5, or a DL3 in FITS."""
    if path.suffix == ".h5":
        path.write_bytes(LSTCHAIN_DL1.read_bytes())
        return path
    return write_dl3(path)


def history_of(
    store: Store, product: Path, *, start: float = 5, digest: str | None = None
) -> Store:
    """Remember how a product came about: two steps, a configuration, a raw file."""
    raw = file("/R0/LST-1.1.Run01807.0000.fits.fz", "R0SubrunDataset")
    middle = file("/DL1/dl1_LST-1.Run01807.0000.h5", "DL1SubrunDataset")
    muons = file("/DL1/muons_LST-1.Run01807.0000.fits", "MuonsSubrunDataset")
    config = file("/config/lst.json", "AnalysisConfigFile")
    made = file(str(product), "Product")
    first = Step(name="r0_to_dl1", used=[raw], generated=[middle, muons], id="621ca2")
    second = Step(
        name="reduce",
        used=[middle, config],
        generated=[made.link(content=digest)],
        start=start,
        end=start + 1,
        id="aaaaa1",
    )
    remember(store, first, second)
    copy = {
        "file_id": hashlib.sha256(b"{}").hexdigest(),
        "filepath": "/config/lst.json",
        "size": 2,
        "content": "e30=",
        "session_tag": second.session_tag,
        "activity_id": "aaaaa1",
    }
    store.write(fold([copy]))
    return store


def contents_of(path: Path) -> Any:
    """Return all that is in a file but what provdb embeds, in a form that compares."""
    if path.suffix == ".h5":
        return dict(_objects_of(path))
    return list(_units_of(path))


def _objects_of(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield each object of an HDF5 file: attributes, layout, bytes as they lie."""
    with h5py.File(path) as opened:
        names: list[str] = []
        opened.visit(names.append)
        ours = ["provenance/provdb"]
        if list(opened.get("provenance", ())) == ["provdb"]:
            ours.append("provenance")
        for name in ["/", *names]:
            if name in ours:
                continue
            one = opened[name]
            attributes = {key: _raw(one.attrs, key) for key in one.attrs}
            if not isinstance(one, h5py.Dataset):
                yield name, attributes
                continue
            layout = (one.shape, one.dtype.descr, one.chunks, one.compression)
            offset = one.id.get_offset()
            parts = []
            if one.chunks:
                parts = [
                    one.id.read_direct_chunk(one.id.get_chunk_info(n).chunk_offset)
                    for n in range(one.id.get_num_chunks())
                ]
            elif offset is not None:
                with path.open("rb") as stream:
                    stream.seek(offset)
                    parts = [stream.read(one.id.get_storage_size())]
            yield name, (attributes, layout, offset, parts)


def _raw(attributes: Any, key: str) -> Any:
    value = attributes[key]
    return value.tobytes() if isinstance(value, np.ndarray) else repr(value)


def _units_of(path: Path) -> Iterator[bytes | list[bytes]]:
    """Yield the bytes of the first header without what may change, and of all else."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    with fits.open(path, disable_image_compression=True) as units:
        places = [unit.fileinfo() for unit in units if unit.name != "PROVENANCE"]
    for number, place in enumerate(places):
        data = place["datLoc"]
        header = content[place["hdrLoc"] : data]
        cards = [header[n : n + 80] for n in range(0, len(header), 80)]
        if number:
            yield header
        else:
            yield [
                card
                for card in cards[: cards.index(b"END".ljust(80))]
                if not card.startswith((b"HISTORY " + _OURS.encode(), b"CHECKSUM"))
            ]
        yield content[data : data + place["datSpan"]]
