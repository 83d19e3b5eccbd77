"""A progress bar on stderr, for people at a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress"]


@contextmanager
def progress(
    what: str, *, total: int | None, unit: str
) -> Iterator[Callable[[int], None]]:
    """Show a bar while something goes on, and yield what moves it.

    Args:
        what: What is going on.
        total: How much there is, or None where that is unknown.
        unit: What is counted: ``bytes``, ``documents``.
    """
    if not sys.stderr.isatty():
        yield lambda amount: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    amount = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount)
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda moved: bar.advance(task, moved)
