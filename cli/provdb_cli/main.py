"""The command ``provdb``: its groups, its global options, its exit statuses."""

import os
from pathlib import Path

import click

from provdb_cli.check import check
from provdb_cli.completion import completion
from provdb_cli.config import config
from provdb_cli.db import db
from provdb_cli.demo import demo
from provdb_cli.embed import embed
from provdb_cli.errors import ReportingGroup
from provdb_cli.export import export
from provdb_cli.files import files
from provdb_cli.find import fields, find
from provdb_cli.ingest import ingest
from provdb_cli.mv import mv
from provdb_cli.pairs import diff, path
from provdb_cli.products import products
from provdb_cli.query import query
from provdb_cli.reproduce import reproduce
from provdb_cli.run import run
from provdb_cli.session import session
from provdb_cli.settings import Settings
from provdb_cli.spool import spool
from provdb_cli.verify import verify

__all__ = ["cli"]


@click.group(
    cls=ReportingGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--uri",
    metavar="URI",
    help="Store to use: mongodb://HOST/DATABASE or sqlite:///PATH.",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Config file to read.",
)
@click.version_option(package_name="provdb")
@click.pass_context
def cli(context: click.Context, uri: str | None, config_file: Path | None) -> None:
    """Ask where a data product comes from.

    The store is, first wins: --uri, PROVDB_URI, the config file, an SQLite file in
    your data directory.

    \b
    Example:
      provdb ingest prov.log
      provdb query lineage dl2_LST-1.Run01807.h5
    """
    context.obj = Settings(environ=os.environ, uri=uri, config_file=config_file)


for command in (
    check,
    completion,
    config,
    db,
    demo,
    embed,
    export,
    files,
    ingest,
    mv,
    products,
    query,
    reproduce,
    run,
    session,
    spool,
    verify,
):
    cli.add_command(command)
for command in (diff, fields, find, path):
    query.add_command(command)


if __name__ == "__main__":
    cli(prog_name="provdb")
