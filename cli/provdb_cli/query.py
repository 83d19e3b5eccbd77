"""``provdb query``: what a file came from, what came from it, who wrote it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from provdb.errors import NotFound
from provdb.lineage import Lineage
from provdb_cli.errors import warn
from provdb_cli.options import (
    GRAPH_FORMATS,
    FileName,
    as_of_option,
    collapse_option,
    link_option,
    output_options,
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
@collapse_option
@link_option
@output_options(is_tree=True, is_graph=True)
@click.pass_obj
def lineage(settings: Settings, /, file: str, **options: Any) -> None:
    """Show everything FILE came from, back to raw data.

    FILE is a path in any spelling, the end of one, a file name, an id, a UUID, the hash
    of its content, or the id of an activity; FILE@VERSION is one version of it, as
    'provdb query versions' lists them.

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
@collapse_option
@link_option
@output_options(is_tree=True, is_graph=True)
@click.pass_obj
def impact(settings: Settings, /, file: str, **options: Any) -> None:
    """Show everything that came from FILE.

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

    \b
    Example:
      provdb query versions dl1_LST-1.Run01807.0000.h5
    """
    from provdb.lineage import versions

    format_name = choose_format(format_name, output, on_terminal="table")
    with settings.open_store() as store:
        found = versions(store, file, as_of=as_of, rules=settings.link_rules(store))
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
    **options: Any,
) -> None:
    from provdb.lineage import WalkOptions, collapse

    format_name = choose_format(format_name, output, on_terminal="tree", is_graph=True)
    with settings.open_store() as store:
        rules = () if no_inferred else settings.link_rules(store)
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
            return
    answer = collapse(answer, to=granularity or "none")
    if format_name == "json":
        print_json(answer.to_dict(), output=output)
    elif format_name != "tree":
        leaves = [leaf.to_dict() for leaf in answer.leaves]
        rows = answer.rows() if answer.leaf_level is None else leaves
        has_sizes = any("size" in row for row in rows)
        print_rows(
            rows,
            _with_size(_NODE_COLUMNS) if has_sizes else _NODE_COLUMNS,
            format_name=format_name,
            output=output,
            tables=[*map(_with_size, _NODE_TABLES)] if has_sizes else _NODE_TABLES,
        )
    elif answer.leaf_level is not None:
        print_text(lambda console: draw_leaves(console, answer), output=output)
    else:
        print_text(
            lambda console: draw_tree(console, answer, is_unfolded=unfold),
            output=output,
        )


def _with_size(columns: Sequence[str]) -> Sequence[str]:
    """Return columns with the size of collapsed nodes, before their name."""
    place = columns.index("name")
    return *columns[:place], "size", *columns[place:]
