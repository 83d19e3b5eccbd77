"""Times of one activity that cannot be."""

from datetime import datetime, timedelta
from typing import Final

from provdb.check.report import Fault, Findings
from provdb.model import Document
from provdb.model import fields as f

__all__ = ["check_times"]

# A clock that is a little ahead is not a fault.
_AHEAD: Final = timedelta(minutes=1)


def check_times(
    activity: Document, *, now: datetime | None, findings: Findings
) -> None:
    """Find an end before the start, and times that have not come yet.

    Args:
        activity: The activity.
        now: The time, or None not to compare with it.
        findings: Where to add what is wrong.
    """
    step = activity.get(f.NAME)
    start, end = activity.get(f.START), activity.get(f.END)
    # An hour that happens twice has no order.
    is_ambiguous = activity.get(f.START_AMBIGUOUS) or activity.get(f.END_AMBIGUOUS)
    if start is not None and end is not None and end < start and not is_ambiguous:
        findings.add(
            Fault("time conflict", step, "it ended before it started"), activity
        )
    if now is None:
        return
    for time, verb in ((start, "started"), (end, "ended")):
        if time is not None and time > now + _AHEAD:
            detail = f"it {verb} in the future"
            findings.add(Fault("time conflict", step, detail), activity)
