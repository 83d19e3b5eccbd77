"""``provdb run``: one command, recorded as one activity."""

import json
from contextlib import nullcontext, suppress
from typing import Any

import click

from provdb_cli.errors import warn
from provdb_cli.settings import Settings

__all__ = ["run"]


class Parameter(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # Generic only in later clicks.
    """``NAME=VALUE``, whose value is read as JSON if it is that, else as text."""

    name = "parameter"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, Any]:
        """Split the name from the value, or fail where there is none."""
        name, is_assigned, text = str(value).partition("=")
        if not (name and is_assigned):
            self.fail(f"{value!r} is not NAME=VALUE", param, ctx)
        try:
            return name, json.loads(text)
        except ValueError:
            return name, text


# What follows the first word of the command belongs to it, "--" or not.
@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option(
    "--name",
    metavar="STEP",
    help="Name of the step. Default: that of the tag, else the name of the command.",
)
@click.option(
    "--session-tag",
    metavar="TAG",
    help="Tag of the session, such as r0_to_dl1:01618. Default: PROVDB_SESSION_TAG.",
)
@click.option(
    "--used",
    multiple=True,
    metavar="[ROLE=]PATH",
    help="A file that the command uses, or a quoted pattern; repeat for more.",
)
@click.option(
    "--generated",
    multiple=True,
    metavar="[ROLE=]PATH",
    help="A file that the command generates, or a quoted pattern; repeat for more.",
)
@click.option(
    "--part",
    "parts",
    multiple=True,
    metavar="[ROLE=]PATH",
    help="As --generated, for a file of which the command writes only the part of its "
    "run or subrun; the other parts stay.",
)
@click.option(
    "--append",
    "appended",
    multiple=True,
    metavar="[ROLE=]PATH",
    help="As --generated, for a file to which the command adds; its old content stays.",
)
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    type=Parameter(),
    metavar="NAME=VALUE",
    help="Value of a parameter: JSON, else a text; repeat for more.",
)
@click.option(
    "--hash",
    "hash_method",
    type=click.Choice(("sha256", "sha1", "md5")),
    help="Record a hash of the content of each file, which is read for it.",
)
@click.option("--dry-run", is_flag=True, help="Record everything, and run nothing.")
@click.pass_context
def run(
    context: click.Context,
    command: tuple[str, ...],
    name: str | None,
    session_tag: str | None,
    used: tuple[str, ...],
    generated: tuple[str, ...],
    parts: tuple[str, ...],
    appended: tuple[str, ...],
    parameters: tuple[tuple[str, Any], ...],
    hash_method: str | None,
    dry_run: bool,
) -> None:
    """Run a command, and record it as one activity.

    The command runs as if it were called alone: its input and output, its exit status
    and the signals are its own. An error of provdb is written to stderr, and does not
    stop the command.

    Without --part or --append, lineage tells from the other writes of a file whether
    the command replaced all of it. A file of --part or --append need not be named by
    --generated.

    \b
    Example:
      provdb run --used in.fits --generated out.h5 -- r0_to_dl1 in.fits out.h5
      provdb run --session-tag dl1ab:01618 --used 'DL1=dl1*.h5' -- dl1ab 01618
      provdb run --part dl2_LST-1.20200117.h5 -- merge_night dl2_LST-1.Run01807.h5
    """
    # Loaded here, so that --help is quick.
    from provdb.capture import dry_run as dry_execution
    from provdb.capture.command import parse_declared, run_command

    settings: Settings = context.obj
    outputs = ((None, generated), ("part", parts), ("append", appended))
    with (
        settings.capture(on_problem=_warn),
        dry_execution() if dry_run else nullcontext(),
    ):
        status = run_command(
            command,
            name=name,
            session_tag=session_tag,
            used=[parse_declared(text) for text in used],
            generated=[
                parse_declared(text, mode=mode)
                for mode, texts in outputs
                for text in texts
            ],
            parameters=dict(parameters),
            hash_method=hash_method,
            variables=settings.variables(),
            warn=_warn,
        )
    context.exit(status)


def _warn(message: str) -> None:
    # Where nobody hears it the command runs all the same.
    with suppress(OSError):
        warn(f"warning: {message}")
