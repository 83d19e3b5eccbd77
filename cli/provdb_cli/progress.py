"""Progress on stderr, for people at a terminal: a bar, or how much there is so far."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

__all__ = ["Counting", "progress"]

# What takes less is not worth a word.
_SHORT_SECONDS: Final = 1.0
_Item = TypeVar("_Item")


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
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    amount = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount)
    with _shown(*columns, TimeRemainingColumn()) as bar:
        task = bar.add_task(what, total=total)
        yield lambda moved: bar.advance(task, moved)


class Counting:
    """Says how many rows there are until now, and since when, while it is entered.

    Nothing is shown of what is short, nor when rows appear on a terminal themselves.
    """

    def __init__(self, *, is_hidden_by_rows: bool) -> None:
        """Count what comes.

        Args:
            is_hidden_by_rows: Whether rows are shown on the terminal as they come.
        """
        self._is_hidden_by_rows = is_hidden_by_rows
        self._count = 0
        self._lock = Lock()
        self._shown = ExitStack()
        self._bar: Progress | None = None
        self._timer = Timer(_SHORT_SECONDS, self._show)
        self._timer.daemon = True

    def __enter__(self) -> "Counting":
        """Begin to count."""
        if sys.stderr.isatty():
            self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Take away what is shown."""
        self._hide()

    def rows(self, rows: Iterable[_Item]) -> Iterator[_Item]:
        """Yield rows as they come, and count them."""
        for row in rows:
            self._count += 1
            if self._count == 1 and self._is_hidden_by_rows:
                self._hide()
            bar = self._bar
            if bar is not None:
                bar.update(bar.task_ids[0], completed=self._count)
            yield row
        self._hide()

    def _show(self) -> None:
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        with self._lock:
            if self._timer.finished.is_set():
                return
            text = TextColumn("{task.completed:,} rows so far")
            bar = self._shown.enter_context(
                _shown(SpinnerColumn(), text, TimeElapsedColumn())
            )
            bar.add_task("", total=None, completed=self._count)
            bar.tasks[0].start_time = bar.get_time() - _SHORT_SECONDS
            self._bar = bar

    def _hide(self) -> None:
        self._timer.cancel()
        with self._lock:
            self._bar = None
            self._shown.close()


def _shown(*columns: "ProgressColumn") -> "Progress":
    from rich.console import Console
    from rich.progress import Progress

    return Progress(*columns, console=Console(stderr=True), transient=True)
