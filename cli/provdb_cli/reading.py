"""How far the reading of files is, on stderr, for people at a terminal."""

import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from provdb.ingest import Progress

__all__ = ["ReadingBar"]

# Of so few files the bytes tell more than their number.
_FEW: Final = 16
_REFRESH_SECONDS: Final = 0.1
_BAR_WIDTH: Final = 20


class ReadingBar:
    """A bar with files, bytes, rate and remaining time; or a line, between passes.

    Attributes:
        is_shown: Whether there is a terminal to show it on.
    """

    def __init__(self) -> None:
        """Show nothing yet."""
        self.is_shown = sys.stderr.isatty()
        self._display = ExitStack()
        self._bar: Bar | None = None
        self._next = 0.0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *error: object) -> None:
        """Take away what is shown."""
        self._clear()

    def show(self, progress: "Progress") -> None:
        """Show how far the reading is."""
        now = time.monotonic()
        is_whole = progress.is_total_known and progress.files == progress.total_files
        if now < self._next and not is_whole:
            return
        self._next = now + _REFRESH_SECONDS
        bar = self._bar or self._begin()
        (task,) = bar.tasks
        is_of_bytes = progress.is_total_known and progress.total_files <= _FEW
        done, total, amount = progress.files, progress.total_files, ""
        if is_of_bytes:
            done, total = progress.size_bytes, progress.total_bytes
            amount = f"/{_size(total)}"
        # While more are found, nobody knows how long it takes.
        bar.update(
            task.id,
            completed=done,
            total=total if progress.is_total_known else None,
            files=f"{progress.files:,}/{_at_least(progress)} files",
            amount=_size(progress.size_bytes) + amount,
        )
        if task.speed is not None:
            rate = f"{_size(task.speed)}" if is_of_bytes else f"{task.speed:,.0f}"
            bar.update(task.id, rate=f"{rate}/s")

    def rest(self, text: str) -> None:
        """Show a line until there is more to read."""
        if not self.is_shown:
            return
        from rich.console import Console
        from rich.text import Text

        self._clear()
        # A line that goes on in the next one would leave half of it behind.
        line = Text(text, no_wrap=True, overflow="ellipsis")
        status = Console(stderr=True).status(line, refresh_per_second=2)
        self._display.enter_context(status)

    def _begin(self) -> "Bar":
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._clear()
        self._bar = self._display.enter_context(
            Progress(
                TextColumn("reading"),
                BarColumn(bar_width=_BAR_WIDTH),
                TextColumn("{task.fields[files]}"),
                TextColumn("{task.fields[amount]}"),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
        )
        self._bar.add_task("", total=None, files="", amount="", rate="")
        return self._bar

    def _clear(self) -> None:
        self._bar = None
        self._display.close()


def _at_least(progress: "Progress") -> str:
    return f"{progress.total_files:,}" + ("" if progress.is_total_known else "+")


def _size(size_bytes: float) -> str:
    from rich.filesize import decimal

    return decimal(round(size_bytes))
