"""``provdb query path`` and ``diff``: what two things have to do with each other."""

from datetime import datetime
from pathlib import Path
from typing import Final

import click

from provdb_cli.completeness import (
    end_if_strict,
    warn_of_doubts,
    with_marks,
    with_words,
)
from provdb_cli.differences import draw_differences
from provdb_cli.errors import ANSWER_IS_NO, warn
from provdb_cli.options import (
    FileName,
    SideName,
    as_of_option,
    dry_run_option,
    output_options,
    rules_option,
    strict_option,
    telescope_option,
    unfold_option,
)
from provdb_cli.output import choose_format, print_json, print_rows, print_text
from provdb_cli.settings import Settings
from provdb_cli.tree import draw_paths

__all__ = ["diff", "path"]

_PATH_COLUMNS: Final = (
    "path",
    "distance",
    "kind",
    "level",
    "name",
    "location",
    "relation",
    "role",
    "evidence",
    "inferred",
    "time_conflict",
    "marks",
    "status",
    "start",
    "end",
    "id",
)
_PATH_TABLES: Final = (
    (
        "path",
        "level",
        "name",
        "file",
        "relation",
        "role",
        "evidence",
        "status",
        "start",
        "end",
    ),
    ("path", "level", "name", "file", "role", "evidence", "start"),
    ("path", "level", "name", "file", "role", "start"),
    ("path", "name", "file", "role"),
)
_DIFF_COLUMNS: Final = ("kind", "steps", "name", "a", "b")


@click.command()
@click.argument("a", type=FileName())
@click.argument("b", type=FileName())
@as_of_option
@rules_option
@dry_run_option
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="Show N ways at most.",
)
@unfold_option
@strict_option
@output_options(is_tree=True)
@click.pass_obj
def path(
    settings: Settings,
    a: str,
    b: str,
    *,
    as_of: datetime | None,
    no_inferred: bool,
    is_dry_run: bool,
    limit: int,
    unfold: bool,
    is_strict: bool,
    format_name: str | None,
    output: Path | None,
) -> None:
    """Show how B came from A, or A from B: the shortest ways.

    A and B are files or activities, named as in 'provdb query lineage'. The exit status
    is 1 if neither came from the other.

    \b
    Example:
      provdb query path LST-1.1.Run01807.0003.fits.fz dl3_LST-1.Run01807.fits
    """
    from provdb.lineage import WalkOptions, path

    format_name = choose_format(format_name, output, on_terminal="tree")
    with settings.open_store() as store:
        rules = () if no_inferred else None
        options = WalkOptions(rules=rules, as_of=as_of, is_dry_run=is_dry_run)
        found = path(store, a, b, options=options, limit=limit)
    for warning in found.warnings:
        warn(f"warning: {warning}")
    if format_name == "json":
        print_json(found.to_dict(), output=output)
    elif format_name != "tree":
        rows = found.rows()
        if format_name != "jsonl":
            rows = [*with_words(rows)]
        print_rows(
            rows,
            _PATH_COLUMNS,
            format_name=format_name,
            output=output,
            tables=with_marks(_PATH_TABLES, rows),
        )
        warn_of_doubts(found.completeness, found.sentence)
    elif found.chains:
        print_text(
            lambda console: draw_paths(console, found, is_unfolded=unfold),
            output=output,
        )
    if not found.chains:
        warn(found.sentence)
        raise click.exceptions.Exit(ANSWER_IS_NO)
    end_if_strict(found.completeness, is_strict=is_strict)


@click.command()
@click.argument("a", type=SideName())
@click.argument("b", type=SideName())
@as_of_option
@rules_option
@strict_option
@telescope_option
@output_options()
@click.pass_obj
def diff(
    settings: Settings,
    a: str,
    b: str,
    *,
    as_of: datetime | None,
    no_inferred: bool,
    is_strict: bool,
    telescope: str | None,
    format_name: str | None,
    output: Path | None,
) -> None:
    """Show what differs between A and B, by step and role.

    Inputs, parameters, configuration by content, software, commit of the code, nodes,
    statuses and durations are compared; numbers of runs, nights and times are not. The
    exit status is 1 if anything differs, as that of diff.

    \b
    A and B each are one of
      run:01807, or 01807           all activities of a run
      run:21000/LST-2               those of one telescope
      tag:r0_to_dl1:01807, or r0_to_dl1:01807, also with * and ?
      production:v0.12.3            the software_version of sessions
      production:v0.12.3/20200117   one night of it
      FILE, FILE@VERSION, file:FILE a file with all that it came from

    \b
    Example:
      provdb query diff 01807 01808
      provdb query diff dl2_LST-1.Run01807.0000.h5 dl2_LST-1.Run01807.0003.h5
      provdb query diff dl2_LST-1.Run01807.h5@b3261e79 dl2_LST-1.Run01807.h5
      provdb query diff production:v0.12.3 production:v0.13.0
    """
    from provdb.compare import diff
    from provdb.lineage import WalkOptions

    format_name = choose_format(format_name, output, on_terminal="table")
    with settings.open_store() as store:
        options = WalkOptions(rules=() if no_inferred else None, as_of=as_of)
        found = diff(store, a, b, options=options, telescope=telescope)
    for warning in found.warnings:
        warn(f"warning: {warning}")
    if format_name == "json":
        print_json(found.to_dict(), output=output)
    elif format_name == "table":
        print_text(lambda console: draw_differences(console, found), output=output)
    else:
        print_rows(found.rows(), _DIFF_COLUMNS, format_name=format_name, output=output)
    if not found.is_equal:
        raise click.exceptions.Exit(ANSWER_IS_NO)
    end_if_strict(found.completeness, is_strict=is_strict)
