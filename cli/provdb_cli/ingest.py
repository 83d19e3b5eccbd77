"""``provdb ingest``: files with provenance into the store."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click

from provdb.errors import ReadError
from provdb_cli.errors import ANSWER_IS_NO, INPUT_UNREAD, warn
from provdb_cli.output import choose_format, count, print_json, print_rows
from provdb_cli.reading import ReadingBar
from provdb_cli.settings import Settings

if TYPE_CHECKING:
    from provdb.errors import StoreUnavailable
    from provdb.ingest import IngestReport

__all__ = ["ingest"]

_STDIN: Final = "-"
# The names of `provdb.readers.formats.FORMATS`, which help does not load.
_FORMATS: Final = (
    *("hdf5", "fits", "ctapipe", "lstosa-run", "lstosa-json", "ecsv", "lstosa"),
    *("prov-json", "prov-jsonld", "prov-xml", "rdf", "prov-n", "config"),
)
_COLUMNS: Final = ("collection", "added", "changed", "unchanged")
_MOST_WARNINGS: Final = 20


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(), metavar="PATH...")
@click.option(
    "--format",
    "input_format",
    type=click.Choice(_FORMATS),
    metavar="FORMAT",
    help="What the inputs are; default: found by their content. One of "
    f"{', '.join(_FORMATS)}.",
)
@click.option(
    "--again", "is_again", is_flag=True, help="Read also files that have not changed."
)
@click.option(
    "--watch",
    "is_watch",
    is_flag=True,
    help="Read on whatever comes to the files and folders, until Ctrl-C.",
)
@click.option(
    "--interval",
    "interval_seconds",
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    default=10.0,
    show_default=True,
    help="How long --watch waits between two looks.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many processes read. Default: as many as there are cores.",
)
@click.pass_context
def ingest(
    context: click.Context,
    paths: tuple[str, ...],
    input_format: str | None,
    is_again: bool,
    is_watch: bool,
    interval_seconds: float,
    jobs: int | None,
) -> None:
    """Store the provenance in logs, PROV documents and data files.

    PATH is a file, a folder, or - for standard input. Logs of lstosa, logprov and
    ctapipe are read, run-wise products of lstosa, documents of W3C PROV (PROV-JSON,
    PROV-XML, RDF, PROV-N), attributes of HDF5 files, headers of FITS files, ECSV
    tables and configurations, compressed by gzip or not.

    Reading a file again changes nothing. In a folder, files are passed over whose size
    and time are as they were when this store got them, so that an interrupted ingest
    goes on where it was.

    \b
    Example:
      provdb ingest prov.log
      provdb ingest /fefs/aswg/data/real/DL1/20200117
      provdb ingest --watch /fefs/aswg/data/real/running_analysis/20200117
      provdb ingest - < prov.log
    """
    from provdb.ingest import IngestReport, ingest, watch
    from provdb.readers.formats import format_named

    if is_watch and _STDIN in paths:
        raise click.UsageError("--watch needs files or folders, and not -")
    settings: Settings = context.obj
    problems, bar = _Problems(), ReadingBar()
    options: dict[str, Any] = {
        "format": None if input_format is None else format_named(input_format),
        "jobs": jobs,
        "is_again": is_again,
        "on_problem": problems.add,
        "on_progress": bar.show if bar.is_shown else None,
    }
    if not is_watch:
        with settings.open_store(is_checked=False) as store, bar:
            report = ingest(store, [_input(path) for path in paths], **options)
        problems.end()
        _print(report)
        if report.unread:
            context.exit(INPUT_UNREAD)
        if not report.records and not report.unchanged:
            context.exit(ANSWER_IS_NO)
        return
    report = IngestReport()

    def end_pass() -> None:
        problems.end()
        read = count(report.inputs, "input")
        same = count(report.unchanged, "file")
        bar.rest(f"watching: read {read}, {same} unchanged; Ctrl-C ends it")

    with _ended_by_signals(), settings.open_store(is_checked=False) as store, bar:
        watch(
            store,
            [Path(path) for path in paths],
            report=report,
            interval_seconds=interval_seconds,
            on_pass=end_pass,
            on_lost=_tell_lost,
            on_back=lambda: warn("the store answers again"),
            **options,
        )
    problems.end()
    _print(report)


class _Problems:
    """Tell the first problems as they come, and count the others."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, problem: ReadError) -> None:
        self._count += 1
        if self._count <= _MOST_WARNINGS:
            warn(f"warning: {problem}")

    def end(self) -> None:
        """Tell how many others there were, and begin anew."""
        if self._count > _MOST_WARNINGS:
            warn(f"warning: and {self._count - _MOST_WARNINGS} more like these")
        self._count = 0


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """End what is in the block, and go on behind it, on Ctrl-C and SIGTERM."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell_lost(error: "StoreUnavailable") -> None:
    warn(str(error))
    warn("it is asked again and again, and nothing is lost")


def _input(path: str) -> Path | BinaryIO:
    return sys.stdin.buffer if path == _STDIN else Path(path)


def _print(report: "IngestReport") -> None:
    format_name = choose_format(None, None, on_terminal="table")
    if format_name == "json":
        print_json(report.to_dict())
        return
    warn(_summary(report))
    rows = [
        {"collection": name, **counts}
        for name, counts in report.to_dict()["written"].items()
    ]
    print_rows(rows, _COLUMNS, format_name=format_name)


def _summary(report: "IngestReport") -> str:
    """Return in words what was read, and what was not if there is any."""
    formats = ", ".join(
        f"{counts.inputs:,} {name}"
        for name, counts in sorted(report.formats.items())
        if counts.inputs
    )
    lines = f" in {count(report.lines, 'line')}" if report.lines else ""
    read = (
        f"read {count(report.records, 'record')}{lines} "
        f"of {count(report.inputs, 'input')} ({formats})"
    )
    others = (
        (report.unchanged, "file", "unchanged"),
        (report.others, "other file", "held no provenance"),
        (report.foreign, "line", "held no provenance"),
        (report.skipped, "record", "could not be read"),
        (report.unread, "input", "could not be read"),
    )
    said = [f"{count(n, what)} {end}" for n, what, end in others if n]
    return "; ".join([read if report.inputs else "read nothing", *said])
