"""``provdb query find`` and ``provdb query fields``: the query language."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, Final

import click

from provdb.errors import StoreUnavailable
from provdb_cli.completeness import end_if_strict, warn_of_doubts
from provdb_cli.errors import ANSWER_IS_NO, warn
from provdb_cli.options import FieldName, QueryText, output_options, strict_option
from provdb_cli.output import cell, choose_format, print_json, print_rows, print_text
from provdb_cli.progress import Counting
from provdb_cli.settings import Settings

__all__ = ["fields", "find"]

_COLUMNS: Final = (
    "kind",
    "name",
    "level",
    "location",
    "activity_id",
    "session_tag",
    "session_id",
    "run",
    "subrun",
    "status",
    "start",
    "end",
    "duration",
    "agent",
    "script",
    "type",
    "hash",
    "size",
    "id",
)
_ENTITY_TABLES: Final = (
    ("name", "level", "run", "subrun", "file", "type", "short_id"),
    ("name", "level", "run", "subrun", "file"),
    ("level", "run", "subrun", "file"),
)
_ACTIVITY_TABLES: Final = (
    ("name", "session_tag", "subrun", "status", "start", "duration", "agent", "id"),
    ("name", "session_tag", "subrun", "status", "start", "duration"),
    ("name", "session_tag", "subrun", "status"),
)
_BOTH_TABLES: Final = (
    ("kind", "name", "level", "run", "subrun", "status", "start", "file", "short_id"),
    ("kind", "name", "run", "subrun", "status", "file"),
    ("kind", "name", "run", "subrun", "file"),
)
_TABLES: Final[Mapping[tuple[str, ...], Sequence[Sequence[str]]]] = {
    ("entity",): _ENTITY_TABLES,
    ("activity",): _ACTIVITY_TABLES,
}
# Options with one minus have one letter, and none but -o has something behind it.
_NEGATED: Final = re.compile("-[^-o].", re.DOTALL)
_FIELD_COLUMNS: Final = (
    "field",
    "type",
    "about",
    "indexed",
    "count",
    "estimated",
    "examples",
    "meaning",
    "example",
)
_FIELD_TABLES: Final = (
    ("field", "type", "about", "indexed", "count", "examples", "meaning"),
    ("field", "type", "count", "examples", "meaning"),
    ("field", "type", "count", "examples"),
    ("field", "count", "examples"),
)
_UNCOUNTED_TABLES: Final = (
    ("field", "type", "about", "indexed", "meaning", "example"),
    ("field", "type", "meaning", "example"),
    ("field", "meaning"),
)
# What a table shows of the values of a field, in letters.
_EXAMPLES_WIDTH: Final = 42
_EXAMPLE_WIDTH: Final = 24
# How long a store may take to say what it has of the fields.
_SURVEY_SECONDS: Final = 20.0


class _QueryCommand(click.Command):
    """A command whose QUERY may begin with a minus, as -status:failed does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options; a query is none, nor a row of them."""
        return super().parse_args(
            ctx, [f" {word}" if _NEGATED.match(word) else word for word in args]
        )


@click.command(cls=_QueryCommand)
@click.argument("query", type=QueryText())
@click.option(
    "--explain",
    "is_explained",
    is_flag=True,
    help="Show what it means and which index serves it, and ask nothing.",
)
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="End a query that takes longer.",
)
@strict_option
@output_options()
@click.pass_obj
def find(
    settings: Settings,
    query: str,
    is_explained: bool,
    timeout_seconds: float | None,
    is_strict: bool,
    format_name: str | None,
    output: Path | None,
) -> None:
    """Show everything that QUERY asks for.

    A query is conditions, such as level:DL1 or run:1618..1620, joined by blanks, OR,
    NOT and brackets; then stages after pipes. If nothing is found, the exit status is
    1, and the conditions that nothing matches are named. A warning says if a lineage
    of upstream() or downstream() is not complete or has a doubt. Times without a zone
    are in the zone of the settings.

    \b
    Example:
      provdb query find 'level:DL2 run:1807'
      provdb query find 'path:*dl1*Run01807* -status:failed | select path,start'
      provdb query find 'downstream(entity:PedestalFile run:1804) level:DL2'
      provdb query find 'level:R0 run:1807 -upstream(level:DL2)'
      provdb query find 'activity:r0_to_dl1 date:20200117 | p95 duration by node'
      provdb query find 'upstream(run:1807 level:DL2) | unique software.ctapipe'
      provdb query find 'activity:r0_to_dl1 software.lstchain>=0.10 -dry_run:true'
    """
    from provdb.lineage.completeness import Completeness
    from provdb.query import compile_query, explain, hints_for
    from provdb.query import find as find_rows
    from provdb_cli.explained import draw_explained

    format_name = choose_format(format_name, output, on_terminal="table")
    compiled = compile_query(query, zone=settings.zone())
    with settings.open_store(timeout_seconds=timeout_seconds) as store:
        if is_explained:
            explained = explain(store, compiled)
            if format_name == "table":
                print_text(
                    lambda console: draw_explained(console, compiled.query, explained),
                    output=output,
                )
            else:
                print_json(explained, output=output)
            return
        completeness = Completeness()

        def join(reached: Completeness) -> None:
            nonlocal completeness
            completeness = completeness.joined(reached)

        is_live = output is None and format_name in ("jsonl", "csv")
        counting = Counting(is_hidden_by_rows=is_live and sys.stdout.isatty())
        with store.within(timeout_seconds), counting:
            rows = counting.rows(
                find_rows(
                    store,
                    compiled,
                    timeout_seconds=timeout_seconds,
                    on_reached=join,
                )
            )
            first = next(rows, None)
            kinds = tuple(plan.kind for plan in compiled.plans)
            print_rows(
                _found(first, rows),
                compiled.columns or _COLUMNS,
                format_name=format_name,
                output=output,
                tables=() if compiled.columns else _TABLES.get(kinds, _BOTH_TABLES),
            )
            if first is None or first == {"count": 0}:
                # A hint that takes too long is left out; the answer is there.
                with suppress(StoreUnavailable):
                    for hint in hints_for(store, compiled):
                        warn(hint)
    warn_of_doubts(completeness, completeness.sentence)
    if first is None:
        raise click.exceptions.Exit(ANSWER_IS_NO)
    end_if_strict(completeness, is_strict=is_strict)


@click.command()
@click.argument("prefix", type=FieldName(), default="")
@output_options()
@click.pass_obj
def fields(
    settings: Settings, prefix: str, format_name: str | None, output: Path | None
) -> None:
    """List what can be asked for, and what the store has of it.

    Shown are how many documents have a field, and some of its values. Of a large store
    some documents are read, and counts are estimates. PREFIX is how the names begin; a
    family of fields, such as param or software, is listed by its keys then. Without a
    store the fields are listed alone.

    \b
    Example:
      provdb query fields
      provdb query fields param
      provdb query fields software.lst
    """
    from provdb.query import FIELDS
    from provdb.query.survey import survey

    format_name = choose_format(format_name, output, on_terminal="table")
    tables: Sequence[Sequence[str]] = _FIELD_TABLES
    try:
        with (
            settings.open_store(timeout_seconds=_SURVEY_SECONDS) as store,
            store.within(_SURVEY_SECONDS),
        ):
            found = survey(store, prefix)
    except StoreUnavailable as error:
        warn(f"fields without counts: {error}")
        tables = _UNCOUNTED_TABLES
        asked = [field for field in FIELDS.values() if field.name.startswith(prefix)]
        rows = [field.to_dict() for field in asked]
    else:
        for collection, (read, there) in sorted(found.read.items()):
            warn(f"estimates, from {read:,} of {there:,} {collection}")
        rows = [use.to_dict() for use in found.uses]
    if format_name == "table":
        rows = [_as_shown(row) for row in rows]
    if rows or not prefix:
        print_rows(
            rows,
            _FIELD_COLUMNS,
            format_name=format_name,
            output=output,
            tables=tables,
        )
    else:
        warn(f"no field begins with {prefix}; 'provdb query fields' lists all")
        raise click.exceptions.Exit(ANSWER_IS_NO)


def _as_shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a table, in which examples are one short text.

    >>> row = {"field": "param.KEY", "examples": ["param.a", "param.b"], "count": 9}
    >>> _as_shown({**row, "estimated": True})["examples"]
    'param.a, param.b'
    """
    words = [_shortened(cell(v), _EXAMPLE_WIDTH) for v in row.get("examples", ())]
    for left in range(len(words) + 1):
        text = ", ".join(words[: len(words) - left])
        if left and str(row["field"]).endswith(".KEY"):
            text += f", and {left} more"
        if len(text) <= _EXAMPLES_WIDTH:
            break
    about = "~" if row.get("estimated") and row["count"] else ""
    return {**row, "examples": text, "count": f"{about}{row.get('count', '')}"}


def _shortened(text: str, width: int) -> str:
    # The end of a path tells more than its beginning.
    if len(text) <= width:
        return text
    return f"…{text[1 - width :]}" if "/" in text else f"{text[: width - 1]}…"


def _found(
    first: Mapping[str, Any] | None, others: Iterator[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    return iter(()) if first is None else chain([first], others)
