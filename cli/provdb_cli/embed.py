"""``provdb embed``: what files came from, into the files themselves."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from provdb.errors import ProvdbError, StoreUnavailable
from provdb_cli.errors import ANSWER_IS_NO, status_of, warn
from provdb_cli.options import TABLE_FORMATS, FileName, rules_option, strict_option
from provdb_cli.output import choose_format, print_rows
from provdb_cli.progress import progress
from provdb_cli.settings import Settings

if TYPE_CHECKING:
    from provdb.embed import EmbeddedFile

__all__ = ["embed"]

_COLUMNS: Final = (
    *("status", "file", "location", "format"),
    *("activities", "files", "size", "warnings"),
)
_TABLES: Final = (
    ("status", "file", "location", "format", "activities", "files", "size"),
    ("status", "file", "activities", "files", "size"),
    ("status", "file"),
)


@click.command()
@click.argument("files", nargs=-1, required=True, type=FileName(), metavar="FILE...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="NEW",
    help="Write a copy to NEW, a file or a folder, and leave FILE as it is.",
)
@click.option(
    "--dry-run", is_flag=True, help="Say what would be written, and write nothing."
)
@rules_option
@strict_option
@click.option(
    "--format",
    "format_name",
    type=click.Choice(TABLE_FORMATS),
    help="Default: table on a terminal, json when piped.",
)
@click.pass_context
def embed(
    context: click.Context,
    files: tuple[str, ...],
    output: Path | None,
    dry_run: bool,
    no_inferred: bool,
    is_strict: bool,
    format_name: str | None,
) -> None:
    """Write all that FILE came from into FILE, an HDF5 or FITS file.

    'provdb ingest' of the file restores the lineage in any store. HDF5 files get a data
    set /provenance/provdb, FITS files lines of HISTORY and an extension PROVENANCE,
    both with PROV-JSON. All other data stay as they are. An earlier embedding is
    replaced; a file in which nothing changed is not written.

    \b
    Example:
      provdb embed dl3_LST-1.Run01807.fits
      provdb embed DL3/*.fits.gz -o /archive/DL3
      provdb embed dl2_LST-1.Run01807.h5 --dry-run
    """
    from provdb.embed import plan

    settings: Settings = context.obj
    if output is not None and len(files) > 1 and not output.is_dir():
        raise click.UsageError("of several files -o names a folder that is there")
    if output is not None and len({Path(file).name for file in files}) < len(files):
        raise click.UsageError("two of the files have one name, and -o is one folder")
    format_name = choose_format(format_name, None, on_terminal="table")
    rows: list[EmbeddedFile] = []
    worst = 0
    with (
        settings.open_store() as store,
        progress("embedding", total=_total_bytes(files), unit="bytes") as advance,
    ):
        rules = () if no_inferred else None
        for file in files:
            try:
                planned = plan(store, file, rules=rules)
                if is_strict and not planned.content.completeness.is_certain:
                    worst = max(worst, ANSWER_IS_NO)
                rows.append(
                    planned.said("to be embedded")
                    if dry_run and not planned.is_up_to_date
                    else planned.write(_place(output, planned.path), on_read=advance)
                )
            except StoreUnavailable:
                raise
            except ProvdbError as error:
                warn(str(error))
                worst = max(worst, status_of(error))
    for row in rows:
        for warning in row.warnings:
            warn(f"warning: {row.file}: {warning}")
    print_rows(
        [row.to_dict() for row in rows],
        _COLUMNS,
        format_name=format_name,
        tables=_TABLES,
    )
    context.exit(worst)


def _place(output: Path | None, path: Path) -> Path | None:
    return output / path.name if output is not None and output.is_dir() else output


def _total_bytes(files: tuple[str, ...]) -> int | None:
    try:
        return sum(Path(file).stat().st_size for file in files)
    except (OSError, ValueError):
        return None  # Those that are named as the store has them.
