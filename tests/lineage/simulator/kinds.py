"""All kinds of history."""

from tests.lineage.simulator import clocks, failures, files, passes, records
from tests.lineage.simulator.registry import KINDS, Kind, make

__all__ = ["KINDS", "Kind", "clocks", "failures", "files", "make", "passes", "records"]
