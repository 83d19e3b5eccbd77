"""``provdb ingest``: files with provenance into the store."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from provdb.errors import ReadError
from provdb_cli.errors import ANSWER_IS_NO, INPUT_UNREAD, warn
from provdb_cli.output import choose_format, count, print_json, print_rows
from provdb_cli.progress import progress
from provdb_cli.settings import Settings

if TYPE_CHECKING:
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
    help="What the inputs are; found by their content unless told. One of "
    f"{', '.join(_FORMATS)}.",
)
@click.pass_context
def ingest(
    context: click.Context, paths: tuple[str, ...], input_format: str | None
) -> None:
    """Store the provenance in logs, PROV documents and data files.

    PATH is a file, a folder, or - for standard input. Logs of lstosa, logprov and
    ctapipe are read, run-wise products of lstosa, documents of W3C PROV (PROV-JSON,
    PROV-XML, RDF, PROV-N), attributes of HDF5 files, headers of FITS files, ECSV
    tables and configurations, compressed by gzip or not. Reading a file again changes
    nothing.

    \b
    Example:
      provdb ingest prov.log
      provdb ingest /fefs/aswg/data/real/DL1/20200117
      provdb ingest - < prov.log
    """
    from provdb.ingest import ingest, total_bytes
    from provdb.readers.formats import format_named

    settings: Settings = context.obj
    inputs = [_input(path) for path in paths]
    problems = _Problems()
    with (
        settings.open_store() as store,
        progress("reading", total=total_bytes(inputs), unit="bytes") as advance,
    ):
        report = ingest(
            store,
            inputs,
            format=None if input_format is None else format_named(input_format),
            on_problem=problems.add,
            on_progress=advance,
        )
    problems.end()
    _print(report)
    if report.unread:
        context.exit(INPUT_UNREAD)
    if not report.records:
        context.exit(ANSWER_IS_NO)


class _Problems:
    """Tell the first problems as they come, and count the others."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, problem: ReadError) -> None:
        self._count += 1
        if self._count <= _MOST_WARNINGS:
            warn(f"warning: {problem}")

    def end(self) -> None:
        if self._count > _MOST_WARNINGS:
            warn(f"warning: and {self._count - _MOST_WARNINGS} more like these")


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
        f"{counts.inputs} {name}"
        for name, counts in sorted(report.formats.items())
        if counts.inputs
    )
    lines = f" in {count(report.lines, 'line')}" if report.lines else ""
    read = (
        f"read {count(report.records, 'record')}{lines} "
        f"of {count(report.inputs, 'input')} ({formats})"
    )
    others = (
        (report.others, "other file", "held no provenance"),
        (report.foreign, "line", "held no provenance"),
        (report.skipped, "record", "could not be read"),
        (report.unread, "input", "could not be read"),
    )
    said = [f"{count(n, what)} {end}" for n, what, end in others if n]
    return "; ".join([read if report.inputs else "read nothing", *said])
