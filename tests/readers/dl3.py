"""A DL3 file with the headers that lstchain writes, for tests."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table

__all__ = ["write_dl3"]


def write_dl3(
    path: Path, *, run: int = 1807, cards: Mapping[str, str] | None = None
) -> Path:
    """Write an event list of a run, and return its path.

    Args:
        path: Where to.
        run: The run, which the header names.
        cards: Further cards of the header of the events.
    """
    events = fits.BinTableHDU(
        Table({"EVENT_ID": np.arange(5), "ENERGY": np.ones(5)}), name="EVENTS"
    )
    events.header.update(
        HDUCLASS="GADF",
        HDUCLAS1="EVENTS",
        OBS_ID=run,
        CREATOR="lstchain v0.12.3",
        TELESCOP="CTA-N",
        CREATED="2026-11-22T18:00:00",
    )
    events.header["HISTORY"] = "gamma-like events"
    events.header["HISTORY"] = "of one run"
    for name, value in (cards or {}).items():
        events.header[f"HIERARCH {name}"] = value
    area = fits.BinTableHDU(Table({"EFFAREA": np.ones(3)}), name="EFFECTIVE AREA")
    area.header["GH_CUT"] = 0.7
    fits.HDUList([fits.PrimaryHDU(), events, area]).writeto(path, checksum=True)
    return path
