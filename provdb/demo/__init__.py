"""A small simulated night, to try provdb without a pipeline of one's own.

Two runs of five subruns with their calibration, from R0 to DL3, captured like those
of a real pipeline: functions are traced as ``definition.yaml`` declares, and what
they record goes through a handler into a store.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from provdb.model import fields as f
from provdb.model import unfold
from provdb.store import Store, open_store

__all__ = ["DEMO_CALIBRATION", "DEMO_PRODUCT", "store_demo"]

DEMO_PRODUCT: Final = "dl3_LST-1.Run01807.fits"
DEMO_CALIBRATION: Final = "drs4_pedestal.Run01804.0000.h5"
_SOURCE: Final = "demo"


def store_demo(store: Store) -> int:
    """Capture the simulated night, store it, and return how many records it has.

    The night is the same each time, so a store that has it already stays as it is.

    >>> store_demo(open_store("memory://")) > 300
    True
    """
    # Loading the capture is only worth while for a night.
    from provdb.capture.handler import ProvHandler
    from provdb.capture.sink import recording_to
    from provdb.demo.night import observe

    # A handler opens its store by itself, and cannot reach one that is in memory.
    with TemporaryDirectory(prefix="provdb-demo-") as folder:
        uri = f"sqlite://{Path(folder) / 'night.db'}"
        handler = ProvHandler(uri, spool_dir=folder)
        with recording_to(handler):
            observe()
        handler.close()
        with open_store(uri) as captured:
            documents = {name: list(captured.scan(name)) for name in f.COLLECTIONS}
    for activity in documents[f.ACTIVITIES]:
        # The spool has the name of a process, which is another one each time.
        activity[f.RECORDED] = [
            {**entry, f.SOURCE: _SOURCE} for entry in activity[f.RECORDED]
        ]
    store.write(documents)
    return sum(1 for _ in unfold(documents))
