"""``provdb demo``: a small simulated night, and where its DL3 file comes from."""

import click

from provdb.config import data_folder
from provdb_cli.errors import warn
from provdb_cli.output import print_text
from provdb_cli.settings import Settings
from provdb_cli.tree import draw_tree

__all__ = ["demo"]


@click.command()
@click.pass_obj
def demo(settings: Settings) -> None:
    """Show the lineage of a file of a simulated night.

    The night goes into a store of its own beside yours, unless --uri names one.

    \b
    Example:
      provdb demo
    """
    from provdb.demo import DEMO_CALIBRATION, DEMO_PRODUCT, store_demo
    from provdb.lineage import lineage

    uri = settings.uri or f"sqlite://{data_folder(settings.environ) / 'demo.db'}"
    with settings.open_store(uri) as store:
        records = store_demo(store)
        warn(f"a simulated night of {records} records is in {store.uri}")
        answer = lineage(store, DEMO_PRODUCT)
    print_text(lambda console: draw_tree(console, answer))
    warn(f"ask on: provdb --uri {store.uri} query impact {DEMO_CALIBRATION}")
