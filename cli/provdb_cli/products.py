"""``provdb products``: what lstosa writes of a run: log, PROV-JSON, graph, files."""

from pathlib import Path

import click

from provdb_cli.errors import warn
from provdb_cli.options import TABLE_FORMATS, Name
from provdb_cli.output import choose_format, print_rows
from provdb_cli.settings import Settings

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
    help="Write into this folder, and make it if it is not there; here unless told.",
)
@click.option("--no-graph", is_flag=True, help="Draw no graph, write no PDF.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(TABLE_FORMATS),
    help="Table on a terminal, json when piped, unless told.",
)
@click.pass_obj
def products(
    settings: Settings,
    run: str,
    views: tuple[str, ...],
    folder: Path,
    no_graph: bool,
    format_name: str | None,
) -> None:
    """Write the products of RUN as lstosa does: log, JSON, graph.

    Beside them stand the configuration files that were used. RUN is 01807, 1807 or
    Run01807. Unless told, the views are calibration_to_dl1 and calibration_to_dl2, as
    far as the run has come.

    \b
    Example:
      provdb products 01807 -o /fefs/aswg/data/real/DL2/20200117/v0.1.0/model2/log
      provdb products 01807 --view r0_to_dl1 --view dl1_to_dl2 -o log
    """
    from provdb.products import parse_run, write_products

    format_name = choose_format(format_name, None, on_terminal="table")
    with settings.open_store() as store:
        written = write_products(
            store,
            parse_run(run),
            folder,
            views=views,
            among=settings.views(),
            rules=settings.link_rules(store),
            has_graphs=not no_graph,
            on_problem=lambda problem: warn(f"warning: {problem}"),
        )
    rows = [product.to_dict() for product in written]
    print_rows(rows, _COLUMNS, format_name=format_name, tables=_TABLES)
