"""``provdb reproduce``: the commands that made a file, as a shell script."""

from pathlib import Path

import click

from provdb_cli.errors import ANSWER_IS_NO, warn
from provdb_cli.options import FileName, rules_option
from provdb_cli.output import count, print_bytes
from provdb_cli.settings import Settings

__all__ = ["reproduce"]


@click.command()
@click.argument("file", type=FileName())
@rules_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to FILE instead of stdout.",
)
@click.pass_context
def reproduce(
    context: click.Context, file: str, no_inferred: bool, output: Path | None
) -> None:
    """Write the commands that made FILE as a shell script, in order.

    Each execution of a script is one command. Configuration files are taken from the
    store. The shell script stops if an input is missing or has another content than was
    recorded, and compares the result with the recorded content of FILE. Comments in it
    say what was never recorded, and where a secret was masked. The exit status is 1 if
    no command makes FILE.

    \b
    Example:
      provdb reproduce dl2_LST-1.Run01807.h5 -o dl2_01807.sh
    """
    from provdb.lineage import WalkOptions
    from provdb.reproduce import recipe

    settings: Settings = context.obj
    with settings.open_store() as store:
        rules = () if no_inferred else None
        found = recipe(store, file, options=WalkOptions(rules=rules))
    print_bytes(found.script().encode(), output=output)
    if found.unknown:
        steps = count(len(found.unknown), "step")
        warn(f"warning: no command was recorded of {steps}; the script says of which")
    for place in found.contested:
        warn(f"warning: several contents of {place} were used")
    if any(command.masked for command in found.commands):
        warn("warning: secrets were masked; the script says where to write them in")
    if found.reason is not None:
        warn(found.reason)
        context.exit(ANSWER_IS_NO)
