"""``provdb check``: captured provenance, in itself and against a definition."""

from pathlib import Path

import click

from provdb_cli.errors import ANSWER_IS_NO, warn
from provdb_cli.options import output_options
from provdb_cli.output import choose_format, count, print_rows
from provdb_cli.settings import Settings

__all__ = ["check"]

_COLUMNS = ("kind", "step", "detail", "count", "session_tag", "example")
_TABLES = (
    _COLUMNS,
    ("kind", "step", "detail", "count", "session_tag"),
    ("kind", "step", "detail", "count"),
)


@click.command()
@click.option(
    "--definition",
    "definition_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    envvar="PROVDB_DEFINITION",
    show_envvar=True,
    help="Definition of what each activity uses and generates.",
)
@output_options()
@click.pass_context
def check(
    context: click.Context,
    definition_file: Path | None,
    format_name: str | None,
    output: Path | None,
) -> None:
    """Show what is wrong with captured provenance.

    If anything is, the exit status is 1: dangling links, activities without an end or
    a start, ids that mean several activities; and against a definition: missing
    roles, and what it does not declare.

    \b
    Example:
      provdb check
      provdb check --definition examples/lst_definition.yaml
    """
    from provdb.capture.definition import get_definition
    from provdb.check import check

    settings: Settings = context.obj
    format_name = choose_format(format_name, output, on_terminal="table")
    definition = None if definition_file is None else get_definition(definition_file)
    with settings.open_store() as store:
        report = check(store, definition=definition)
    if report.findings or format_name != "table":
        print_rows(
            report.rows(),
            _COLUMNS,
            format_name=format_name,
            output=output,
            tables=_TABLES,
        )
    activities = count(report.activities, "activity").replace("activitys", "activities")
    warn(f"{activities} checked, {count(len(report.findings), 'finding')}")
    if report.findings:
        context.exit(ANSWER_IS_NO)
