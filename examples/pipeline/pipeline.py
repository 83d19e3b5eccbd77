"""A small pipeline whose provenance is captured: four subruns in parallel processes.

::

    python examples/pipeline/pipeline.py /tmp/night
    provdb query lineage dl2_LST-1.Run01618.txt

Its functions know nothing of provenance but their decorator; ``definition.yaml`` says
what they use and generate, ``logger.yaml`` where the records go.
"""

import json
import logging.config
import multiprocessing
import random
import statistics
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

import provdb

HERE = Path(__file__).resolve().parent
CONFIG = HERE / "config.json"
DATE = "20191123"
PEDESTAL_RUN = "01611"
RUN = "01618"
SUBRUNS = 4


@dataclass(frozen=True, kw_only=True)
class Subrun:
    """A subrun to be processed."""

    number: str
    raw: Path
    pedestal: Path

    def product(self, level: str, ending: str) -> Path:
        """Return where a product of it is."""
        name = f"{level}_LST-1.Run{RUN}.{self.number}.{ending}"
        return self.raw.with_name(name)


@provdb.trace
def drs4_pedestal(raw: Path, pedestal: Path) -> None:
    """Take the mean of the counts of a pedestal run."""
    pedestal.write_text(str(statistics.mean(json.loads(raw.read_text()))))


@provdb.trace
def r0_to_dl1(subrun: Subrun) -> Path:
    """Subtract the pedestal from the counts of a subrun."""
    pedestal = float(subrun.pedestal.read_text())
    counts = [count - pedestal for count in json.loads(subrun.raw.read_text())]
    dl1 = subrun.product("dl1", "json")
    dl1.write_text(json.dumps(counts))
    return dl1


@provdb.trace
def dl1ab(subrun: Subrun, dl1: Path, *, options: Mapping[str, float]) -> None:
    """Remove small counts, in the same file."""
    threshold = options["threshold"]
    counts = [count for count in json.loads(dl1.read_text()) if count > threshold]
    dl1.write_text(json.dumps(counts))


@provdb.trace
def dl1_to_dl2(subrun: Subrun, dl1: Path) -> Path:
    """Sum up the counts of a subrun."""
    dl2 = subrun.product("dl2", "txt")
    dl2.write_text(f"{sum(json.loads(dl1.read_text())):.1f}\n")
    return dl2


@provdb.trace
def merge_dl2(subruns: Sequence[Path], merged: Path) -> None:
    """Join the subruns of a run."""
    merged.write_text("".join(path.read_text() for path in subruns))


def process(subrun: Subrun) -> Path:
    """Take a subrun from R0 to DL2, as each parallel process does."""
    tag = f"r0_to_dl1:{RUN}"
    with provdb.session(tag, observation_date=DATE, observation_run=RUN):
        dl1 = r0_to_dl1(subrun)
        dl1ab(subrun, dl1, options=json.loads(CONFIG.read_text()))
        return dl1_to_dl2(subrun, dl1)


def set_up_capture() -> None:
    """Say where the provenance goes, and what declares it; once in each process."""
    logging.config.dictConfig(yaml.safe_load((HERE / "logger.yaml").read_text()))
    provdb.use_definition(HERE / "definition.yaml")


def observe(path: Path, *, baseline: float) -> Path:
    """Write some raw counts, for there is no telescope."""
    chance = random.Random(path.name)
    path.write_text(json.dumps([chance.gauss(baseline, 3) for _ in range(1000)]))
    return path


def main(folder: Path) -> None:
    """Process a run of four subruns in parallel, and merge them."""
    folder.mkdir(parents=True, exist_ok=True)
    set_up_capture()
    pedestal = folder / f"drs4_pedestal.Run{PEDESTAL_RUN}.0000.txt"
    drs4_pedestal(
        observe(folder / f"LST-1.1.Run{PEDESTAL_RUN}.json", baseline=300), pedestal
    )
    subruns = [
        Subrun(
            number=f"{number:04d}",
            raw=observe(folder / f"LST-1.1.Run{RUN}.{number:04d}.json", baseline=303),
            pedestal=pedestal,
        )
        for number in range(SUBRUNS)
    ]
    # Spawned and not forked: the capture has a thread in this process.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context, initializer=set_up_capture) as pool:
        products = list(pool.map(process, subruns))
    merged = folder / f"dl2_LST-1.Run{RUN}.txt"
    merge_dl2(products, merged)
    print(merged)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
