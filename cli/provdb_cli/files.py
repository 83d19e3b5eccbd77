"""``provdb files``: the copies of configuration files and other small inputs."""

from pathlib import Path

import click

from provdb_cli.options import FileName, output_options
from provdb_cli.output import choose_format, print_bytes, print_rows
from provdb_cli.settings import Settings

__all__ = ["files"]

_COLUMNS = ("digest", "size", "names", "activities", "left_out")
_TABLES = (
    ("digest", "size", "activities", "left_out", "names"),
    ("short_digest", "size", "activities", "left_out", "names"),
    ("short_digest", "size", "activities", "left_out", "file"),
)


@click.group()
def files() -> None:
    """List copies of files, and write one out.

    \b
    Example:
      provdb files list
    """


@files.command("list")
@output_options()
@click.pass_obj
def list_files(
    settings: Settings, format_name: str | None, output: Path | None
) -> None:
    """List the copies of files, with every path that named them.

    \b
    Example:
      provdb files list
      provdb files list --format json
    """
    from provdb.files import list_files

    format_name = choose_format(format_name, output, on_terminal="table")
    with settings.open_store() as store:
        rows = list_files(store)
    print_rows(rows, _COLUMNS, format_name=format_name, output=output, tables=_TABLES)


@files.command("get")
@click.argument("name", type=FileName(), metavar="DIGEST_OR_PATH")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to FILE instead of stdout.",
)
@click.pass_obj
def get_file(settings: Settings, name: str, output: Path | None) -> None:
    """Write the content of a copy, byte for byte.

    DIGEST_OR_PATH is a digest or how it starts, a path, the end of a path or a file
    name.

    \b
    Example:
      provdb files get lstchain_standard_config.json
      provdb files get 44136fa355b3 -o lstchain_standard_config.json
    """
    from provdb.files import get_file

    with settings.open_store() as store:
        content = get_file(store, name)
    print_bytes(content, output=output)
