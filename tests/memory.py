"""How much memory this process had at most, by its own count."""

import resource
import sys
from pathlib import Path

__all__ = ["peak_bytes"]

_STATUS = Path("/proc/self/status")


def peak_bytes() -> int:
    """Return the most memory that the process had so far.

    What ``getrusage`` says starts, on Linux, with what the parent had that started it.

    >>> peak_bytes() > 2**20
    True
    """
    if _STATUS.exists():
        words = _STATUS.read_text().split()
        return int(words[words.index("VmHWM:") + 1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
