"""``provdb db``: the store itself."""

from pathlib import Path

import click

from provdb_cli.errors import warn
from provdb_cli.options import output_options
from provdb_cli.output import choose_format, print_rows
from provdb_cli.progress import progress
from provdb_cli.settings import Settings
from provdb_cli.store_settings import alias, rules, set_value, show_settings

__all__ = ["db"]

_STATS_COLUMNS = ("name", "documents", "size_bytes", "index_bytes")
_MIGRATED_COLUMNS = ("name", "changed")
_COPY_COLUMNS = ("name", "added", "changed", "unchanged")


@click.group()
def db() -> None:
    """Prepare, measure, migrate and copy the store.

    The settings of a store (aliases of folders, rules, clock tolerance) apply to all
    who use it.

    \b
    Example:
      provdb db stats
    """


@db.command()
@click.pass_obj
def init(settings: Settings) -> None:
    """Make collections, indexes and validators where they are missing.

    Ingesting does the same when it is needed; run this after an upgrade.

    \b
    Example:
      provdb --uri mongodb://localhost/provdb db init
    """
    with settings.open_store(is_checked=False) as store:
        store.initialise()
        warn(f"{store.uri} is ready")


@db.command()
@output_options()
@click.pass_obj
def stats(settings: Settings, format_name: str | None, output: Path | None) -> None:
    """Show how large each collection is.

    \b
    Example:
      provdb db stats
    """
    format_name = choose_format(format_name, output, on_terminal="table")
    with settings.open_store(is_checked=False) as store:
        rows = [
            {name: getattr(collection, name) for name in _STATS_COLUMNS}
            for collection in store.stats()
        ]
    print_rows(rows, _STATS_COLUMNS, format_name=format_name, output=output)


@db.command()
@click.argument("target", metavar="URI")
@output_options()
@click.pass_obj
def copy(
    settings: Settings, target: str, format_name: str | None, output: Path | None
) -> None:
    """Copy the store into the one at URI, joined with what is there.

    \b
    Example:
      provdb db copy mongodb://localhost/provdb
    """
    from provdb.store import copy_store

    format_name = choose_format(format_name, output, on_terminal="table")
    with (
        settings.open_store(is_checked=False) as store,
        settings.open_store(target) as other,
    ):
        total = sum(collection.documents for collection in store.stats())
        with progress("copying", total=total, unit="documents") as advance:
            counts = copy_store(store, other, on_progress=advance)
    rows = [
        {
            "name": name,
            "added": count.added,
            "changed": count.changed,
            "unchanged": count.unchanged,
        }
        for name, count in counts.items()
    ]
    print_rows(rows, _COPY_COLUMNS, format_name=format_name, output=output)


@db.command()
@output_options()
@click.pass_obj
def migrate(settings: Settings, format_name: str | None, output: Path | None) -> None:
    """Update a store that an earlier version of provdb wrote.

    Entities that follow earlier naming rules of the store are updated too. The store
    can be used meanwhile. If the migration is interrupted, the next call continues it.

    \b
    Example:
      provdb db migrate
    """
    from provdb.store import migrate_store, migration_size

    format_name = choose_format(format_name, output, on_terminal="table")
    with settings.open_store(is_checked=False) as store:
        total = migration_size(store)
        with progress("migrating", total=total, unit="documents") as advance:
            changed = migrate_store(store, on_progress=advance)
    rows = [{"name": name, "changed": count} for name, count in changed.items()]
    print_rows(rows, _MIGRATED_COLUMNS, format_name=format_name, output=output)


for command in (alias, rules, set_value, show_settings):
    db.add_command(command)
