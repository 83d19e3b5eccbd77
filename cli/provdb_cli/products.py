"""``provdb products``: what lstosa writes of a run: log, PROV-JSON, graph, files."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provdb_cli.completeness import end_if_strict, warn_of_doubts
from provdb_cli.errors import warn
from provdb_cli.options import (
    TABLE_FORMATS,
    Name,
    as_of_option,
    strict_option,
    telescope_option,
)
from provdb_cli.output import choose_format, print_rows
from provdb_cli.settings import Settings

if TYPE_CHECKING:
    from provdb.lineage import Lineage

__all__ = ["products"]

_COLUMNS = ("path", "kind", "source", "location")
_TABLES = (("path", "kind", "source"),)


@click.command()
@click.argument("run", type=Name())
@click.option(
    "--view",
    "views",
    multiple=True,
    metavar="VIEW",
    help="Write this view of the run (calibration, r0_to_dl1, dl1_to_dl2, all, or "
    "one of your own); repeat for more.",
)
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path),
    default=".",
    metavar="DIR",
    help="Folder to write into; it is made if it does not exist. Default: here.",
)
@telescope_option
@as_of_option
@strict_option
@click.option("--no-graph", is_flag=True, help="Write no graph (PDF).")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(TABLE_FORMATS),
    help="Default: table on a terminal, json when piped.",
)
@click.pass_obj
def products(
    settings: Settings,
    run: str,
    views: tuple[str, ...],
    folder: Path,
    telescope: str | None,
    as_of: datetime | None,
    no_graph: bool,
    is_strict: bool,
    format_name: str | None,
) -> None:
    """Write the products of RUN as lstosa does: log, JSON, graph.

    The configuration files that were used are written beside them. RUN is 01807, 1807
    or Run01807. The default views are calibration_to_dl1 and calibration_to_dl2, as far
    as the run has come. If several telescopes have a run of this number, each has
    products of its own. Of a run that was processed again they are those of the last
    pass; --as-of gives those of an earlier one.

    \b
    Example:
      provdb products 01807 -o /fefs/aswg/data/real/DL2/20200117/v0.1.0/model2/log
      provdb products 01807 --as-of 2020-03-01 -o earlier_pass
      provdb products 21000 --telescope LST-2 -o log
      provdb products 01807 --view r0_to_dl1 --view dl1_to_dl2 -o log
    """
    from provdb.lineage.completeness import Completeness
    from provdb.products import parse_run, write_products

    format_name = choose_format(format_name, None, on_terminal="table")
    completeness, sentence = Completeness(), ""

    def tell(answer: "Lineage") -> None:
        nonlocal completeness, sentence
        completeness, sentence = answer.completeness, answer.sentence

    with settings.open_store() as store:
        written = write_products(
            store,
            parse_run(run),
            folder,
            views=views,
            among=settings.views(),
            has_graphs=not no_graph,
            telescope=telescope,
            as_of=as_of,
            on_problem=lambda problem: warn(f"warning: {problem}"),
            on_answer=tell,
        )
    rows = [product.to_dict() for product in written]
    print_rows(rows, _COLUMNS, format_name=format_name, tables=_TABLES)
    warn_of_doubts(completeness, sentence)
    end_if_strict(completeness, is_strict=is_strict)
