"""``provdb spool``: what was captured and is not in the store yet."""

from pathlib import Path
from typing import Final

import click

from provdb_cli.errors import ANSWER_IS_NO, warn
from provdb_cli.options import output_options
from provdb_cli.output import choose_format, count, print_rows
from provdb_cli.progress import progress
from provdb_cli.settings import Settings

__all__ = ["spool"]

_COLUMNS: Final = ("path", "running", "records", "dead", "size_bytes", "store")
_NARROW: Final = ("spool", "running", "records", "dead", "size_bytes")
_TABLES: Final = (_COLUMNS, (*_NARROW, "store"), _NARROW)
_FOLDERS = click.argument(
    "folders", nargs=-1, type=click.Path(path_type=Path), metavar="[DIR]..."
)


@click.group()
def spool() -> None:
    """Look after what was captured and is not in the store yet.

    A process that cannot reach the store leaves its records in a spool, a file in
    the folder that 'provdb config' shows as spool_dir.

    \b
    Example:
      provdb spool status
      provdb spool replay
    """


@spool.command()
@_FOLDERS
@output_options()
@click.pass_obj
def status(
    settings: Settings,
    folders: tuple[Path, ...],
    format_name: str | None,
    output: Path | None,
) -> None:
    """Show the spools in the spool folder, or in each DIR.

    \b
    Example:
      provdb spool status /fefs/aswg/provdb/spool
    """
    from provdb.capture.replay import find_spools, spool_states

    format_name = choose_format(format_name, output, on_terminal="table")
    states = spool_states(find_spools(folders or settings.spool_folders()))
    rows = [
        {
            "path": str(state.path),
            "spool": state.path.name,
            "running": state.is_running,
            "records": state.records,
            "dead": state.dead,
            "size_bytes": state.size_bytes,
            "store": state.store,
        }
        for state in states
    ]
    print_rows(rows, _COLUMNS, format_name=format_name, output=output, tables=_TABLES)
    if not rows:
        warn("no spool holds a record")


@spool.command()
@_FOLDERS
@click.pass_context
def replay(context: click.Context, folders: tuple[Path, ...]) -> None:
    """Store what the spools of ended processes hold.

    They are looked for in the spool folder, or in each DIR.

    It may be run at any time and from any machine that sees the folder: what is
    stored already changes nothing, and a process that is still running ships its
    spool itself. Spools of another store are left alone, unless DIR is given.
    What the store does not take is kept in NAME.dead.jsonl with the reason; mend it
    there and replay it. The exit status is 1 if there is such a record.

    \b
    Example:
      provdb --uri mongodb://localhost/provdb spool replay
      provdb spool replay /fefs/aswg/provdb/spool
    """
    from provdb.capture.replay import find_spools, replay
    from provdb.config import mask_uri

    settings: Settings = context.obj
    spools = find_spools(folders or settings.spool_folders())
    total = sum(path.stat().st_size for path in spools if path.exists())
    with (
        settings.open_store(is_checked=False) as store,
        progress("replaying", total=total, unit="bytes") as advance,
    ):
        report = replay(
            spools,
            store,
            only_for=None if folders else mask_uri(settings.load().uri),
            on_progress=advance,
        )
    warn(f"stored {count(report.records, 'record')} of {count(report.spools, 'spool')}")
    if report.running:
        warn(f"{count(report.running, 'spool')} left to processes that still run")
    if report.of_other_stores:
        warn(
            f"{count(report.of_other_stores, 'spool')} left for another store; "
            "'provdb spool status' names it"
        )
    if report.dead:
        warn(
            f"{count(report.dead, 'record')} not stored; "
            "the .dead.jsonl beside their spool says why"
        )
        context.exit(ANSWER_IS_NO)
