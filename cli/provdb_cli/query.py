"""``provdb query``: what a file came from, what came from it, who wrote it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from provdb.errors import NotFound
from provdb.lineage import Lineage
from provdb_cli.completeness import (
    end_if_strict,
    warn_of_doubts,
    with_marks,
    with_words,
)
from provdb_cli.errors import warn
from provdb_cli.options import (
    GRAPH_FORMATS,
    FileName,
    as_of_option,
    collapse_option,
    link_option,
    output_options,
    strict_option,
    walk_options,
)
from provdb_cli.output import (
    choose_format,
    print_export,
    print_json,
    print_rows,
    print_text,
)
from provdb_cli.settings import Settings
from provdb_cli.tree import draw_leaves, draw_tree

__all__ = ["query"]

_NODE_COLUMNS = (
    "distance",
    "kind",
    "level",
    "name",
    "location",
    "run",
    "subrun",
    "status",
    "start",
    "end",
    "id",
    "evidence",
    "marks",
)
_VERSION_COLUMNS = (
    "current",
    "name",
    "session_tag",
    "status",
    "start",
    "end",
    "activities",
    "id",
)

_NODE_TABLES = (
    (
        "distance",
        "kind",
        "level",
        "name",
        "file",
        "run",
        "subrun",
        "status",
        "start",
        "end",
        "id",
        "evidence",
    ),
    ("distance", "level", "name", "file", "run", "subrun", "status", "start", "id"),
    ("distance", "level", "name", "file", "run", "subrun", "status", "start"),
    ("level", "name", "file", "subrun", "status", "start"),
    ("name", "file", "subrun", "status"),
)
_VERSION_TABLES = (
    _VERSION_COLUMNS,
    ("current", "name", "session_tag", "status", "start", "activities", "short_id"),
    ("current", "name", "status", "start", "short_id"),
)


@click.group()
def query() -> None:
    """Ask what a file came from, and what came from it.

    \b
    Example:
      provdb query lineage dl2_LST-1.Run01807.h5
    """


@query.command()
@click.argument("file", type=FileName())
@walk_options
@strict_option
@collapse_option
@link_option
@output_options(is_tree=True, is_graph=True)
@click.pass_obj
def lineage(settings: Settings, /, file: str, **options: Any) -> None:
    """Show everything FILE came from, back to raw data.

    FILE is a path in any spelling, the end of a path, a file name, an id, a UUID, the
    hash of the content, or the id of an activity. FILE@VERSION is one version of a
    file, as 'provdb query versions' lists them; otherwise the current version is meant.

    \b
    Marks in the answer:
      contested      another write may have made what was used
      clock          clocks of two machines contradict the order of records
      time conflict  by the clocks, the file was written only after it was used
      maybe damaged  a write that did not end well may have changed the file
      mixed          the file has parts of several passes or software versions
      incomplete     records of a step are missing
      gap            nobody is known to have made this data product
      inferred       a link rule, a folder or a pattern says so, and no record

    The last line says whether the answer is complete. JSON has it as a field; the
    other formats warn on stderr if it is not.

    \b
    Example:
      provdb query lineage dl2_LST-1.Run01807.h5
      provdb query lineage dl2_LST-1.Run01807.h5 --leaves R0
      provdb query lineage dl2_LST-1.Run01807.h5 --collapse run
      provdb query lineage dl2_LST-1.Run01807.h5 -o lineage.html
    """
    from provdb.lineage import lineage

    _answer(settings, lineage, file, **options)


@query.command()
@click.argument("file", type=FileName())
@walk_options
@strict_option
@collapse_option
@link_option
@output_options(is_tree=True, is_graph=True)
@click.pass_obj
def impact(settings: Settings, /, file: str, **options: Any) -> None:
    """Show everything that came from FILE.

    The answer has what is there now and came from any version of FILE, and says which
    version each step used. FILE@VERSION stands for one version. FILE and the marks are
    those of 'provdb query lineage'.

    \b
    Example:
      provdb query impact drs4_pedestal.Run01804.0000.h5
      provdb query impact drs4_pedestal.Run01804.0000.h5 --leaves DL2
      provdb query impact drs4_pedestal.Run01804.0000.h5 -o impact.pdf
    """
    from provdb.lineage import impact

    _answer(settings, impact, file, **options)


@query.command()
@click.argument("file", type=FileName())
@as_of_option
@output_options()
@click.pass_obj
def versions(
    settings: Settings,
    file: str,
    as_of: datetime | None,
    format_name: str | None,
    output: Path | None,
) -> None:
    """Show who wrote FILE, when, and which version is there now.

    The id of a version can be used wherever a FILE is named. So can FILE@VERSION, with
    what stands behind the @ of the id.

    \b
    Example:
      provdb query versions dl1_LST-1.Run01807.0000.h5
    """
    from provdb.lineage import versions

    format_name = choose_format(format_name, output, on_terminal="table")
    with settings.open_store() as store:
        found = versions(store, file, as_of=as_of)
    if not found:
        raise NotFound(file, message=f"nothing is known to have written {file}")
    rows: list[dict[str, Any]] = [version.to_dict() for version in found]
    if format_name == "table":
        rows = [{**row, "activities": len(row["activities"])} for row in rows]
    print_rows(
        rows,
        _VERSION_COLUMNS,
        format_name=format_name,
        output=output,
        tables=_VERSION_TABLES,
    )


def _answer(
    settings: Settings,
    ask: Callable[..., Lineage],
    file: str,
    *,
    format_name: str | None,
    output: Path | None,
    unfold: bool,
    no_inferred: bool,
    granularity: str | None,
    link_template: str | None,
    is_strict: bool,
    **options: Any,
) -> None:
    from provdb.lineage import WalkOptions, collapse

    format_name = choose_format(format_name, output, on_terminal="tree", is_graph=True)
    with settings.open_store() as store:
        rules = () if no_inferred else None
        walk = WalkOptions(rules=rules, **options)
        answer = ask(store, file, options=walk)
        for warning in answer.warnings:
            warn(f"warning: {warning}")
        if format_name in GRAPH_FORMATS:
            print_export(
                answer,
                store,
                format_name=format_name,
                output=output,
                granularity=granularity,
                link_template=link_template,
            )
            warn_of_doubts(answer.completeness, answer.sentence)
            end_if_strict(answer.completeness, is_strict=is_strict)
            return
    answer = collapse(answer, to=granularity or "none")
    if format_name == "json":
        print_json(answer.to_dict(), output=output)
    elif format_name != "tree":
        _print_nodes(answer, format_name=format_name, output=output)
        warn_of_doubts(answer.completeness, answer.sentence)
    elif answer.leaf_level is not None:
        print_text(lambda console: draw_leaves(console, answer), output=output)
        warn_of_doubts(answer.completeness, answer.sentence)
    else:
        print_text(
            lambda console: draw_tree(console, answer, is_unfolded=unfold),
            output=output,
        )
    end_if_strict(answer.completeness, is_strict=is_strict)


def _print_nodes(answer: Lineage, *, format_name: str, output: Path | None) -> None:
    rows = answer.rows()
    if answer.leaf_level is not None:
        rows = answer.rows_of(answer.leaves)
    if format_name != "jsonl":
        rows = [*with_words(rows)]
    has_sizes = any("size" in row for row in rows)
    tables = [*map(_with_size, _NODE_TABLES)] if has_sizes else _NODE_TABLES
    print_rows(
        rows,
        _with_size(_NODE_COLUMNS) if has_sizes else _NODE_COLUMNS,
        format_name=format_name,
        output=output,
        tables=with_marks(tables, rows),
    )


def _with_size(columns: Sequence[str]) -> Sequence[str]:
    """Return columns with the size of collapsed nodes, before their name."""
    place = columns.index("name")
    return *columns[:place], "size", *columns[place:]
