"""Functions of a pipeline as they are traced, at the top of a module.

>>> plus_one(1)
2
"""

from provdb.capture.descriptions import ActivityDescription, Definition
from provdb.capture.tracing import trace

__all__ = ["plus_one"]

_DECLARED = Definition(
    source="pipeline.yaml",
    activities={"plus_one": ActivityDescription(name="plus_one")},
)


@trace(definition=_DECLARED)
def plus_one(number: int, *, times: int = 1) -> int:
    """Add one.

    >>> plus_one(2)
    3
    """
    return number + times
