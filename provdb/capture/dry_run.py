"""Dry execution: everything is recorded and nothing is run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["dry_run", "is_dry_run"]

_VARIABLE: Final = "PROVDB_DRY_RUN"
_NO: Final = ("", "0", "false", "no", "off")


@contextmanager
def dry_run() -> Iterator[None]:
    """Record what traced functions would do, and do not run them, in a block.

    A traced function then returns None at once; code between its calls does run, and
    asks `is_dry_run` where it matters. It holds for threads and for processes that
    the block starts, as ``PROVDB_DRY_RUN=1``, which does the same for a whole
    process. The counterpart of lstosa's ``simulate_processing``.

    >>> with dry_run():
    ...     is_dry_run()
    True
    """
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before


def is_dry_run() -> bool:
    """Say whether this is a dry execution.

    >>> is_dry_run()
    False
    """
    return os.environ.get(_VARIABLE, "").lower() not in _NO
