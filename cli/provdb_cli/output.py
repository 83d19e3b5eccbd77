"""Results on stdout or in a file: tree, table, json, jsonl, csv."""

import csv
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click
import orjson

from provdb.errors import ReadError, UnknownFormat
from provdb.model import format_time
from provdb_cli.table import draw_table

if TYPE_CHECKING:
    from rich.console import Console

    from provdb.lineage import Lineage
    from provdb.store import Store

__all__ = [
    "cell",
    "choose_format",
    "count",
    "encode_stdout",
    "print_bytes",
    "print_export",
    "print_json",
    "print_rows",
    "print_text",
]

# Wide enough for any line: what is piped is not cut.
_UNCUT: Final = 10_000
_ENDINGS: Final = {".json": "json", ".jsonl": "jsonl", ".csv": "csv"}
_TEXT_ENDING: Final = ".txt"


def encode_stdout() -> None:
    """Make stdout take any text, whatever the encoding of the environment is.

    What is piped is UTF-8, as what is written to a file is; a terminal shows a
    question mark for what it does not have.
    """
    if not isinstance(sys.stdout, TextIOWrapper) or sys.stdout.encoding == "utf-8":
        return
    if sys.stdout.isatty():
        sys.stdout.reconfigure(errors="replace")
    else:
        sys.stdout.reconfigure(encoding="utf-8")


def count(number: int, what: str) -> str:
    """Return a number of things in words.

    >>> count(1, "record"), count(1200, "record")
    ('1 record', '1,200 records')
    """
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def choose_format(
    format_name: str | None,
    output: Path | None,
    *,
    on_terminal: str,
    is_graph: bool = False,
) -> str:
    """Return the format to write in: as told, by the ending, or by where it goes.

    Args:
        format_name: What was told, or None.
        output: The file to write, or None for stdout.
        on_terminal: The format for people.
        is_graph: Whether it can be any format of `provdb.export` too.

    Raises:
        UnknownFormat: The ending of the file is that of no format.
    """
    if format_name is not None:
        return format_name
    if output is None:
        return on_terminal if sys.stdout.isatty() else "json"
    ending = output.suffix.lower()
    if ending == _TEXT_ENDING:
        return on_terminal
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    if not is_graph:
        raise UnknownFormat(
            output.suffix or output.name, known=[*_ENDINGS, _TEXT_ENDING]
        )
    from provdb.export import format_of

    try:
        return format_of(output).name
    except UnknownFormat as error:
        known = dict.fromkeys((*_ENDINGS, _TEXT_ENDING, *error.known))
        raise UnknownFormat(error.name, known=list(known)) from error


def print_rows(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    format_name: str,
    output: Path | None = None,
    tables: Sequence[Sequence[str]] = (),
) -> None:
    """Print rows as a table, as JSON or as CSV.

    Args:
        rows: The rows.
        columns: The fields that CSV shows, in order; JSON has all.
        format_name: ``table``, ``json``, ``jsonl`` or ``csv``.
        output: The file to write, or None for stdout.
        tables: What a table shows of rows, as `draw_table` takes it; the same as
            CSV unless told.
    """
    with _stream(output) as stream:
        if format_name == "json":
            stream.write(_json(list(rows), is_indented=True))
        elif format_name == "jsonl":
            for row in rows:
                stream.write(_json(row))
        elif format_name == "csv":
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(columns)
            for row in rows:
                writer.writerow([cell(row.get(column)) for column in columns])
        else:
            draw_table(_console(stream), list(rows), tables or [columns], write=cell)


def print_json(value: Mapping[str, Any], *, output: Path | None = None) -> None:
    """Print one value as indented JSON."""
    with _stream(output) as stream:
        stream.write(_json(value, is_indented=True))


def print_bytes(content: bytes, *, output: Path | None = None) -> None:
    """Print bytes as they are."""
    with _stream(output, is_binary=True) as stream:
        stream.write(content)


def print_export(
    lineage: "Lineage",
    store: "Store",
    *,
    format_name: str,
    output: Path | None = None,
    **options: Any,
) -> None:
    """Print a lineage in a format of `provdb.export`.

    Args:
        lineage: The answer.
        store: The store that gave it.
        format_name: The name of the format.
        output: The file to write, or None for stdout.
        **options: What else `provdb.export.export` is told.

    Raises:
        click.UsageError: It goes to a terminal, which cannot show it.
    """
    from provdb.export import export, get_format

    if get_format(format_name).is_binary and output is None and sys.stdout.isatty():
        raise click.UsageError(
            f"{format_name} is nothing that a terminal can show; name a file with -o"
        )
    content = export(lineage, store, format_name=format_name, **options)
    print_bytes(content, output=output)


def print_text(
    draw: "Callable[[Console], None]", *, output: Path | None = None
) -> None:
    """Print what a function draws, with colours on a terminal only."""
    with _stream(output) as stream:
        draw(_console(stream))


def cell(value: Any) -> str:
    """Return a value as a table and CSV show it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, list | dict):
        return _json(value).rstrip("\n")
    return str(value)


def _console(stream: IO[str]) -> "Console":
    # Loaded here: rich takes longer to load than an answer in JSON to find.
    from rich.console import Console

    width = None if stream.isatty() or "COLUMNS" in os.environ else _UNCUT
    return Console(file=stream, width=width, highlight=False, markup=False)


@contextmanager
def _stream(output: Path | None, *, is_binary: bool = False) -> Iterator[IO[Any]]:
    """Yield where to write: stdout, or a file that appears only when it is whole."""
    try:
        if output is None:
            sys.stdout.flush()
            yield sys.stdout.buffer if is_binary else sys.stdout
            sys.stdout.flush()
            return
        # Not by tempfile, whose files nobody but their owner may read.
        unfinished = output.with_name(f".{output.name}.{os.getpid()}")
        try:
            mode, encoding = ("xb", None) if is_binary else ("x", "utf-8")
            with unfinished.open(mode, encoding=encoding) as stream:
                yield stream
            unfinished.replace(output)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    except BrokenPipeError:
        raise  # Who read has seen enough; click ends quietly.
    except OSError as error:
        if output is None:
            sys.stdout = StringIO()  # Else Python tries to write again as it ends.
        raise ReadError(
            str(output or "standard output"),
            f"it cannot be written: {error.strerror or error}",
        ) from error


def _json(value: Any, *, is_indented: bool = False) -> str:
    option = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_APPEND_NEWLINE
    if is_indented:
        option |= orjson.OPT_INDENT_2
    return orjson.dumps(value, default=format_time, option=option).decode()
