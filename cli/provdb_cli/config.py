"""``provdb config``: the settings, and where each of them came from."""

from pathlib import Path

import click

from provdb_cli.options import escape, output_options
from provdb_cli.output import choose_format, print_rows
from provdb_cli.settings import Settings

__all__ = ["config"]

_COLUMNS = ("name", "value", "source")


@click.command()
@output_options()
@click.pass_obj
def config(settings: Settings, format_name: str | None, output: Path | None) -> None:
    """Show each setting and where it came from.

    \b
    Example:
      provdb config
    """
    format_name = choose_format(format_name, output, on_terminal="table")
    rows = [
        dict(zip(_COLUMNS, map(escape, row), strict=True))
        for row in settings.load().rows()
    ]
    print_rows(rows, _COLUMNS, format_name=format_name, output=output)
