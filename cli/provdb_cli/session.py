"""``provdb session``: the sessions that scripts ran in, by their tags."""

from pathlib import Path

import click

from provdb.model import fields as f
from provdb_cli.options import SessionTag, output_options, telescope_option
from provdb_cli.output import choose_format, print_rows
from provdb_cli.settings import Settings

__all__ = ["session"]

_COLUMNS = (
    "session_tag",
    "session_id",
    "execution_count",
    "first_start",
    "last_start",
    "observation_date",
    "software_version",
)
_TABLES = (
    _COLUMNS,
    ("session_tag", "session_id", "execution_count", "first_start", "last_start"),
    ("session_tag", "session_id", "execution_count", "first_start"),
)


@click.group()
def session() -> None:
    """List sessions, and show those of a tag.

    \b
    Example:
      provdb session list 'r0_to_dl1:*'
    """


@session.command("list")
@click.argument("tag", type=SessionTag(), default="*")
@telescope_option
@output_options()
@click.pass_obj
def list_sessions(
    settings: Settings,
    tag: str,
    telescope: str | None,
    format_name: str | None,
    output: Path | None,
) -> None:
    """List the sessions whose tag is TAG (* and ? are wild).

    \b
    Example:
      provdb session list
      provdb session list '*:01807'
    """
    from provdb.sessions import list_sessions

    format_name = choose_format(format_name, output, on_terminal="table")
    with settings.open_store() as store:
        rows = list_sessions(store, tag, telescope=telescope)
    print_rows(rows, _COLUMNS, format_name=format_name, output=output, tables=_TABLES)


@session.command("show")
@click.argument("tag", type=SessionTag())
@output_options()
@click.pass_obj
def show_sessions(
    settings: Settings, tag: str, format_name: str | None, output: Path | None
) -> None:
    """Show the sessions of TAG as the JSON that they are.

    \b
    Example:
      provdb session show r0_to_dl1:01807
    """
    from provdb.sessions import get_sessions

    format_name = choose_format(format_name, output, on_terminal="json")
    with settings.open_store() as store:
        rows = get_sessions(store, tag)
    if format_name in ("table", "csv"):
        rows = [{**row[f.PROPERTIES], **row} for row in rows]
    print_rows(rows, _COLUMNS, format_name=format_name, output=output, tables=_TABLES)
