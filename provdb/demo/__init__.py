"""A small simulated night, to try provdb without a log of one's own.

Two runs of five subruns with their calibration, from R0 to DL3, as lstosa logs them.
"""

from importlib.resources import files
from io import BytesIO
from typing import Final

from provdb.ingest import ingest
from provdb.store import Store

__all__ = ["DEMO_CALIBRATION", "DEMO_PRODUCT", "store_demo"]

DEMO_PRODUCT: Final = "dl3_LST-1.Run01807.fits"
DEMO_CALIBRATION: Final = "drs4_pedestal.Run01804.0000.h5"


def store_demo(store: Store) -> int:
    """Store the simulated night, and return how many records it has.

    >>> from provdb.store import open_store
    >>> store_demo(open_store("memory://")) > 600
    True
    """
    log = files("provdb.demo").joinpath("night.log.gz").read_bytes()
    return ingest(store, [BytesIO(log)]).records
