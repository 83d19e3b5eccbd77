"""``provdb verify``: do a file and its inputs still have the recorded content?"""

from pathlib import Path

import click

from provdb_cli.errors import ANSWER_IS_NO, warn
from provdb_cli.options import FileName, output_options, rules_option
from provdb_cli.output import choose_format, print_rows
from provdb_cli.progress import progress
from provdb_cli.settings import Settings

__all__ = ["verify"]

_COLUMNS = (
    "status",
    "level",
    "name",
    "location",
    "run",
    "subrun",
    "method",
    "recorded",
    "found",
    "asked",
)
_TABLES = (
    ("status", "level", "name", "location"),
    ("status", "level", "name", "file"),
    ("status", "level", "file"),
)


@click.command()
@click.argument("file", type=FileName())
@rules_option
@output_options()
@click.pass_context
def verify(
    context: click.Context,
    file: str,
    no_inferred: bool,
    format_name: str | None,
    output: Path | None,
) -> None:
    """Compare FILE, and what it was made from, with recorded contents.

    Each file is the same, differs, is missing, was overwritten by a later step, or has
    no recorded content. A file is embedded if it had the recorded content before
    'provdb embed' wrote into it. The exit status is 1 if any file differs. FILE@VERSION
    is one version of FILE.

    \b
    Example:
      provdb verify dl2_LST-1.Run01807.h5
    """
    from provdb.lineage import WalkOptions
    from provdb.verify import plan

    settings: Settings = context.obj
    format_name = choose_format(format_name, output, on_terminal="table")
    with settings.open_store() as store:
        rules = () if no_inferred else None
        options = WalkOptions(rules=rules)
        planned = plan(store, file, options=options)
    with progress("verifying", total=planned.size_bytes, unit="bytes") as advance:
        found = planned.compare(on_read=advance)
    print_rows(
        found.rows(), _COLUMNS, format_name=format_name, output=output, tables=_TABLES
    )
    told = ", ".join(f"{number} {status}" for status, number in found.counts.items())
    warn(f"{file}: {told or 'it is no file, and was made from none'}")
    if found.asked_status == "differs":
        warn(f"{file} itself is not what was recorded of it")
    if found.has_differences:
        context.exit(ANSWER_IS_NO)
