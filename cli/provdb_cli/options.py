"""Options that several commands share; the same option is the same everywhere."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.shell_completion import CompletionItem

from provdb.model.names import LEVELS
from provdb_cli.names import complete_name, known_values
from provdb_cli.settings import Settings

__all__ = [
    "TABLE_FORMATS",
    "ActivityName",
    "FieldName",
    "FileName",
    "Name",
    "QueryText",
    "SessionTag",
    "SideName",
    "Time",
    "as_of_option",
    "collapse_option",
    "dry_run_option",
    "escape",
    "link_option",
    "output_options",
    "reach_options",
    "rules_option",
    "strict_option",
    "telescope_option",
    "unfold_option",
    "walk_options",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])

TABLE_FORMATS: Final = ("table", "json", "jsonl", "csv")
TREE_FORMATS: Final = ("tree", *TABLE_FORMATS)
# Those of `provdb.export`, which need not be loaded for the help.
GRAPH_FORMATS: Final = (
    "dot",
    "mermaid",
    "svg",
    "pdf",
    "png",
    "html",
    "prov-json",
    "prov-n",
    "prov-xml",
    "turtle",
    "prov-jsonld",
    "ro-crate",
)
# A shell completes it as it completes files.
_ANY_FILE: Final = CompletionItem("", type="file")


class Time(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # Generic only in later clicks.
    """A point in time as ISO 8601 writes it; the settings say the zone otherwise."""

    name = "time"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        """Read the time, or fail with an example of one."""
        if isinstance(value, datetime):
            return value
        try:
            time = datetime.fromisoformat(value)
            if time.tzinfo is None:
                settings = None if ctx is None else ctx.find_object(Settings)
                zone = UTC if settings is None else settings.zone()
                time = time.replace(tzinfo=zone)
            return time.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time such as 2020-01-18T08:30", param, ctx)


class Name(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # As of Time.
    """A name; bytes in it that are no UTF-8 become the escapes of Python."""

    name = "name"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str:
        """Write the bytes that are no UTF-8 as escapes."""
        return escape(str(value))


class FileName(Name):
    """The name of a file, which is never empty."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[Any]]:
        """Return files in the store; of the disk, where there are none."""
        return complete_name(ctx, "file", incomplete) or [_ANY_FILE]

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str:
        """Write the name as a name is written, or fail where there is none."""
        if not value:
            self.fail("it is empty; give a path, a file name or an id", param, ctx)
        return super().convert(value, param, ctx)


class SideName(FileName):
    """One side of a comparison: a run, a tag, a production or a file."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[Any]]:
        """Return runs, tags and files in the store; else files of the disk."""
        return complete_name(ctx, "side", incomplete) or [_ANY_FILE]


class SessionTag(Name):
    """The tag of a session."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[Any]]:
        """Return tags in the store."""
        return complete_name(ctx, "session_tag", incomplete)


class ActivityName(Name):
    """The name of an activity."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[Any]]:
        """Return names of activities in the store."""
        return complete_name(ctx, "activity", incomplete)


class QueryText(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # As of Time.
    """A line of the query language."""

    name = "query"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str:
        """Take the blank away that tells a query with a minus from an option."""
        return str(value).removeprefix(" ")

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[Any]]:
        """Return how the query may go on."""
        from provdb.query.complete import complete_query

        return [
            CompletionItem(
                found.text,
                help=found.meaning or None,
                added_to=found.added_to,
                is_finished=found.is_finished,
            )
            for found in complete_query(incomplete, known=partial(known_values, ctx))
        ]


class FieldName(Name):
    """How the name of a field of queries begins."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[Any]]:
        """Return the fields, and the keys of a family in the store."""
        from provdb.query.complete import complete_query

        start = "| select "
        found = complete_query(f"{start}{incomplete}", known=partial(known_values, ctx))
        return [
            CompletionItem(
                one.text.removeprefix(start),
                help=one.meaning or None,
                is_finished=one.is_finished,
            )
            for one in found
        ]


def escape(typed: str) -> str:
    """Return what was typed with the escapes of Python for bytes that are no UTF-8."""
    written = typed.encode("utf-8", "surrogateescape")
    return written.decode("utf-8", "backslashreplace")


def output_options(
    *, is_tree: bool = False, is_graph: bool = False
) -> Callable[[_Command], _Command]:
    """Give a command ``--format`` and ``--output``.

    Args:
        is_tree: Whether its result can be shown as a tree.
        is_graph: Whether it can be written in the formats of `provdb.export` too.
    """
    formats: tuple[str, ...] = TREE_FORMATS if is_tree else TABLE_FORMATS
    default = f"Default: {formats[0]} on a terminal, json when piped."
    metavar = None
    if is_graph:
        formats += GRAPH_FORMATS
        default += f" One of {', '.join(formats)}."
        metavar = "FORMAT"

    def decorate(command: _Command) -> _Command:
        command = click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Write to FILE; its ending chooses the format.",
        )(command)
        return click.option(
            "--format",
            "format_name",
            type=click.Choice(formats),
            metavar=metavar,
            help=default,
        )(command)

    return decorate


def as_of_option(command: _Command) -> _Command:
    """Give a command ``--as-of``."""
    return click.option(
        "--as-of",
        type=Time(),
        metavar="TIME",
        help="Answer from what had happened by TIME. A time without a zone is in the "
        "zone of the settings, by default UTC.",
    )(command)


def rules_option(command: _Command) -> _Command:
    """Give a command ``--no-inferred``."""
    return click.option(
        "--no-inferred",
        is_flag=True,
        help="Follow records alone: no link rules, no equal contents, no folders or "
        "patterns.",
    )(command)


def dry_run_option(command: _Command) -> _Command:
    """Give a question ``--dry-run``."""
    return click.option(
        "--dry-run",
        "is_dry_run",
        is_flag=True,
        help="Include recorded dry runs, as if they had written their files.",
    )(command)


def strict_option(command: _Command) -> _Command:
    """Give a command ``--strict``."""
    return click.option(
        "--strict",
        "is_strict",
        is_flag=True,
        help="End with exit status 1 if the lineage is not complete to raw data or "
        "has a doubt. The answer is written in any case.",
    )(command)


def unfold_option(command: _Command) -> _Command:
    """Give a command ``--unfold``."""
    return click.option(
        "--unfold",
        is_flag=True,
        help="Give each subrun its own line in the tree.",
    )(command)


def collapse_option(command: _Command) -> _Command:
    """Give a command ``--collapse``."""
    return click.option(
        "--collapse",
        "granularity",
        type=click.Choice(("none", "activity", "run")),
        help="Make one node of the steps of one name and session tag (activity) or of "
        "one name and run (run), and one of their files. Default: run for a graph of "
        "more than 60 nodes, else none.",
    )(command)


def telescope_option(command: _Command) -> _Command:
    """Give a command ``--telescope``."""
    return click.option(
        "--telescope",
        metavar="NAME",
        help="Use only the data of this telescope, such as LST-2. Several telescopes "
        "may have runs of the same number.",
    )(command)


def link_option(command: _Command) -> _Command:
    """Give a command ``--link-template``."""
    return click.option(
        "--link-template",
        metavar="URL",
        help="Link of a file in svg, pdf and html, with fields such as {location}, "
        "{file_name}, {run:05d}, {level} or {id}. Default: file://{location}.",
    )(command)


def walk_options(command: _Command) -> _Command:
    """Give a command the options of a walk: how far, through what, and how shown."""
    leaves = click.option(
        "--leaves",
        "leaf_level",
        type=click.Choice(LEVELS, case_sensitive=False),
        help="List the files of this level: one location a line, or in the JSON.",
    )
    return reach_options(dry_run_option(leaves(unfold_option(command))))


def reach_options(command: _Command) -> _Command:
    """Give a command the options of a walk: how far, and through what."""
    options = (
        click.option(
            "--depth",
            type=click.IntRange(min=0),
            metavar="N",
            help="Pass N activities at most.",
        ),
        click.option(
            "--via",
            multiple=True,
            type=ActivityName(),
            metavar="ACTIVITY",
            help="Pass only activities of this name (* and ? are wild); repeat for "
            "more.",
        ),
        click.option("--role", metavar="ROLE", help="Follow only usages in this role."),
        as_of_option,
        rules_option,
        click.option(
            "--limit",
            type=click.IntRange(min=1),
            metavar="N",
            help="Stop after N nodes.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command
