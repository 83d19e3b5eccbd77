"""``provdb mv``: a move that lineage knows of."""

from contextlib import nullcontext
from datetime import datetime

import click

from provdb_cli.errors import warn
from provdb_cli.options import Time
from provdb_cli.settings import Settings

__all__ = ["mv"]


@click.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path())
@click.argument("target", type=click.Path())
@click.option("-f", "--force", is_flag=True, help="Replace files that exist.")
@click.option(
    "--record-only",
    is_flag=True,
    help="Move nothing; record a move that was made before.",
)
@click.option(
    "--at",
    "moved_at",
    type=Time(),
    metavar="TIME",
    help="With --record-only: when the files were moved. Default: now.",
)
@click.option(
    "--session-tag",
    metavar="TAG",
    help="Tag of the session. Default: PROVDB_SESSION_TAG, else mv.",
)
@click.option(
    "--hash",
    "hash_method",
    type=click.Choice(("sha256", "sha1", "md5")),
    help="Record a hash of the content of each file, which is read for it.",
)
@click.option("--dry-run", is_flag=True, help="Record everything, and move nothing.")
@click.pass_obj
def mv(
    settings: Settings,
    sources: tuple[str, ...],
    target: str,
    force: bool,
    record_only: bool,
    moved_at: datetime | None,
    session_tag: str | None,
    hash_method: str | None,
    dry_run: bool,
) -> None:
    """Move files, so that lineage follows them.

    TARGET is the new path, or a folder to move the files into. Nothing is moved if one
    of the files does not exist (exit status 3), or would replace another one without
    --force (exit status 1).

    \b
    Example:
      provdb mv dl2_LST-1.Run01807.h5 DL2/v0.1.1
      provdb mv --record-only /scratch/dl1.h5 DL1/dl1_LST-1.Run01807.0000.h5
    """
    # Loaded here, so that --help is quick.
    from provdb.capture import dry_run as dry_execution
    from provdb.capture.moves import move_files

    if moved_at is not None and not record_only:
        raise click.UsageError("--at is of moves that are past: add --record-only")
    with (
        settings.capture(on_problem=lambda message: warn(f"warning: {message}")),
        dry_execution() if dry_run else nullcontext(),
    ):
        move_files(
            sources,
            target,
            session_tag=session_tag,
            hash_method=hash_method,
            is_forced=force,
            is_moved_already=record_only,
            moved_at=moved_at,
        )
