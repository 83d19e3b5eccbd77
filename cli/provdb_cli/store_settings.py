"""``provdb db alias``, ``rules``, ``settings`` and ``set``: what a store is told."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provdb_cli.errors import warn
from provdb_cli.options import output_options
from provdb_cli.output import choose_format, print_rows
from provdb_cli.progress import progress
from provdb_cli.settings import Settings

if TYPE_CHECKING:
    from provdb.store import Store

__all__ = ["alias", "rules", "set_value", "show_settings"]

_ALIAS_COLUMNS = ("prefix", "target")
_RULE_COLUMNS = ("name", "kind", "source", "rule")
_SETTING_COLUMNS = ("name", "value")


@click.group()
def alias() -> None:
    """Join folders that are one folder under several mount points.

    \b
    Example:
      provdb db alias add /mnt/lst /fefs/aswg
    """


@alias.command("add")
@click.argument("prefix")
@click.argument("target")
@click.pass_obj
def add_alias(settings: Settings, prefix: str, target: str) -> None:
    """Make paths below PREFIX name the same files as those below TARGET.

    Both are folders, or how URLs begin. The alias applies to every question to the
    store; stored documents do not change.

    \b
    Example:
      provdb db alias add /mnt/lst /fefs/aswg
      provdb db alias add root://eos.cta.org/fefs /fefs
    """
    from provdb.model.settings import with_alias

    with settings.open_store(is_checked=False) as store:
        store.change_settings(lambda known: with_alias(known, prefix, target))


@alias.command("list")
@output_options()
@click.pass_obj
def list_aliases(
    settings: Settings, format_name: str | None, output: Path | None
) -> None:
    """List the aliases of the store.

    \b
    Example:
      provdb db alias list
    """
    format_name = choose_format(format_name, output, on_terminal="table")
    with settings.open_store(is_checked=False) as store:
        pairs = store.settings().aliases
    rows = [dict(zip(_ALIAS_COLUMNS, pair, strict=True)) for pair in pairs]
    print_rows(rows, _ALIAS_COLUMNS, format_name=format_name, output=output)


@alias.command("remove")
@click.argument("prefix")
@click.pass_obj
def remove_alias(settings: Settings, prefix: str) -> None:
    """Remove the alias of PREFIX, which is a folder of its own then.

    \b
    Example:
      provdb db alias remove /mnt/lst
    """
    from provdb.model.settings import without_alias

    with settings.open_store(is_checked=False) as store:
        store.change_settings(lambda known: without_alias(known, prefix))


@click.group()
def rules() -> None:
    """Add rules that link files, or that read names of files.

    \b
    Example:
      provdb db rules list
    """


@rules.command("list")
@output_options()
@click.pass_obj
def list_rules(
    settings: Settings, format_name: str | None, output: Path | None
) -> None:
    """List the rules of provdb and those of the store.

    \b
    Example:
      provdb db rules list
    """
    from provdb.lineage import LINK_RULES
    from provdb.model.naming_rules import NAMING_RULES

    format_name = choose_format(format_name, output, on_terminal="table")
    with settings.open_store(is_checked=False) as store:
        known = store.settings()
    own = {
        "link": {table["name"]: table for table in known.link_rules},
        "naming": {table["name"]: table for table in known.naming_rules},
    }
    rows = [
        _rule_row(asdict(rule), kind="link", source="provdb")
        for rule in LINK_RULES
        if rule.name not in own["link"]
    ]
    rows += [
        _rule_row(rule.table(), kind="naming", source="provdb")
        for rule in NAMING_RULES.rows
        if rule.name not in own["naming"]
    ]
    rows += [
        _rule_row(table, kind=kind, source="store")
        for kind, tables in own.items()
        for table in tables.values()
    ]
    print_rows(rows, _RULE_COLUMNS, format_name=format_name, output=output)


@rules.command("add")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.toml")
@click.pass_obj
def add_rules(settings: Settings, file: Path) -> None:
    """Add the rules of a TOML file to the store.

    Each is a [[link_rules]] or a [[naming_rules]] with a name; a rule of that name
    that is there is replaced, also a known one. With a naming rule, the names of all
    entities in the store are read anew: level, run, telescope and the like follow the
    rules at once, also for what was ingested before.

    \b
    Example:
      provdb db rules add examples/rules.toml
    """
    from provdb.lineage.rule_files import read_rules
    from provdb.model.settings import with_rules

    added = read_rules(file)
    with settings.open_store(is_checked=False) as store:
        store.change_settings(lambda known: with_rules(known, **added))
        _rename_entities(store)


@rules.command("remove")
@click.argument("name")
@click.pass_obj
def remove_rule(settings: Settings, name: str) -> None:
    """Remove the rules called NAME from the store; known ones stay.

    Without a naming rule, the names of all entities are read anew.

    \b
    Example:
      provdb db rules remove copied_to_archive
    """
    from provdb.model.settings import without_rule

    with settings.open_store(is_checked=False) as store:
        store.change_settings(lambda known: without_rule(known, name))
        _rename_entities(store)


@click.command("settings")
@output_options()
@click.pass_obj
def show_settings(
    settings: Settings, format_name: str | None, output: Path | None
) -> None:
    """Show the settings of the store, which apply to all who use it.

    \b
    Example:
      provdb db settings
    """
    from provdb.model.settings import setting_rows

    format_name = choose_format(format_name, output, on_terminal="table")
    with settings.open_store(is_checked=False) as store:
        known = store.settings()
    rows = [
        dict(zip(_SETTING_COLUMNS, row, strict=True)) for row in setting_rows(known)
    ]
    print_rows(rows, _SETTING_COLUMNS, format_name=format_name, output=output)


@click.command("set")
@click.argument("name", type=click.Choice(("clock-tolerance", "node-local")))
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
@click.pass_obj
def set_value(settings: Settings, name: str, values: tuple[str, ...]) -> None:
    """Change a setting of the store.

    clock-tolerance is how much the clocks of two nodes may differ, such as 5s or 500ms.
    node-local are patterns of paths on disks that only their own node can read.

    \b
    Example:
      provdb db set clock-tolerance 5s
      provdb db set node-local '/tmp/*' '/scratch/*'
    """
    from provdb.model.settings import with_value

    with settings.open_store(is_checked=False) as store:
        store.change_settings(lambda known: with_value(known, name, values))


def _rename_entities(store: "Store") -> None:
    """Have all entities follow the naming rules of a store, if these have changed."""
    from provdb.model import fields as f
    from provdb.store import rename_entities

    if not store.has_outdated_names():
        return
    total = store.document_count(f.ENTITIES)
    with progress("reading names anew", total=total, unit="entities") as advance:
        changed = rename_entities(store, on_progress=advance)
    if total:
        warn(
            f"the naming rules have changed; {changed} of {total} entities were updated"
        )


def _rule_row(table: Mapping[str, Any], *, kind: str, source: str) -> dict[str, Any]:
    told = (
        f"{key}={', '.join(value) if isinstance(value, list | tuple) else value}"
        for key, value in table.items()
        if key != "name" and value is not None
    )
    return {
        "name": table["name"],
        "kind": kind,
        "source": source,
        "rule": "  ".join(told),
    }
