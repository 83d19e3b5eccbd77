"""``provdb check``: captured provenance, in itself and against a definition."""

from datetime import UTC, datetime
from pathlib import Path

import click

from provdb_cli.errors import ANSWER_IS_NO, warn
from provdb_cli.options import output_options
from provdb_cli.output import choose_format, count, print_rows
from provdb_cli.progress import progress
from provdb_cli.settings import Settings

__all__ = ["check"]

_COLUMNS = (
    "kind",
    "step",
    "detail",
    "count",
    "session_tag",
    "example",
    "entity",
    "location",
    "sentence",
    "next_step",
)
_TABLES = (
    ("kind", "step", "detail", "count", "session_tag", "example", "location"),
    ("kind", "step", "detail", "count", "session_tag", "example"),
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

    It finds files that were used with another content than was written, data products
    that nobody made, files that were used before they were written, steps that mix
    telescopes, placeholders in paths, links that lead nowhere, activities without a
    start or an end, and ids of several activities; with a definition also missing
    roles and names that it does not declare. Each finding has a sentence and a next
    step. The exit status is 1 if there is any.

    \b
    Example:
      provdb check
      provdb check --definition examples/lst_definition.yaml
    """
    from provdb.capture.definition import get_definition
    from provdb.check import check
    from provdb.model import fields as f

    settings: Settings = context.obj
    format_name = choose_format(format_name, output, on_terminal="table")
    definition = None if definition_file is None else get_definition(definition_file)
    with settings.open_store() as store:
        total = sum(map(store.document_count, (f.ACTIVITIES, f.ENTITIES)))
        with progress("checking", total=total, unit="documents") as advance:
            report = check(
                store,
                definition=definition,
                now=datetime.now(UTC),
                on_checked=advance,
            )
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
    for kind, next_step in report.next_steps.items() if format_name == "table" else ():
        warn(f"{kind}: {next_step}")
    if report.findings:
        context.exit(ANSWER_IS_NO)
