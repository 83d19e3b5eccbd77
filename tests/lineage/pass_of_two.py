"""A DL2 file, what it was made from, and a failed step that may have damaged that."""

from datetime import UTC, datetime
from typing import Final

from provdb.lineage import LineageNode

__all__ = ["DAMAGING", "DL1", "DL2", "R0", "STEP", "UPSTREAM"]

UPSTREAM: Final = {"direction": "upstream"}
DL2: Final = LineageNode(
    "dl2",
    "entity",
    "DL2SubrunDataset",
    location="/DL2/dl2_LST-1.Run01807.0000.h5",
    level="DL2",
    run=1807,
    subrun=0,
)
STEP: Final = LineageNode(
    "9891",
    "activity",
    "dl1_to_dl2",
    run=1807,
    status="completed",
    start=datetime(2020, 1, 18, 8, 30, tzinfo=UTC),
    distance=1,
)
DL1: Final = LineageNode(
    "dl1",
    "entity",
    "DL1SubrunDataset",
    location="/DL1/dl1_LST-1.Run01807.0000.h5",
    level="DL1",
    run=1807,
    subrun=0,
    distance=2,
)
DAMAGING: Final = LineageNode(
    "621ca2",
    "activity",
    "r0_to_dl1",
    run=1807,
    status="failed",
    start=datetime(2020, 1, 18, 8, 20, tzinfo=UTC),
)


def R0(subrun: int) -> LineageNode:  # It stands among the others.
    """Return the raw data of a subrun."""
    return LineageNode(
        f"r0{subrun}",
        "entity",
        "R0SubrunDataset",
        location=f"/R0/LST-1.1.Run01807.{subrun:04d}.fits.fz",
        level="R0",
        run=1807,
        subrun=subrun,
        origin="raw",
        entity=f"r0{subrun}",
        distance=2,
    )
