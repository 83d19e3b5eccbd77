"""In a notebook a lineage is a graph above its table, or the table alone."""

import pickle
import sys
from collections.abc import Iterator

import pytest

from provdb.database import Database, connect
from provdb.demo import store_demo
from provdb.export.notebook import ShownLineage
from provdb.lineage import Lineage, collapse
from provdb.store import Store

_DL3 = "dl3_LST-1.Run01807.fits"


@pytest.fixture(scope="module")
def db() -> Iterator[Database]:
    with connect("memory://") as opened:
        store_demo(opened.store)
        yield opened


def test_a_lineage_is_shown_as_a_graph_above_its_table(db: Database) -> None:
    shown = db.lineage(_DL3)

    svg, html = shown._repr_svg_(), shown._repr_html_()  # type: ignore[attr-defined]  # For notebooks alone.
    assert svg.startswith("<svg")
    assert "dl3_LST-1.Run01807.fits" in svg
    assert "<script" not in html
    assert html.index(svg) < html.index("<table>") < html.index(shown.sentence)
    assert f"<p>{len(shown.nodes)} rows" in html


def test_impact_and_what_is_collapsed_are_shown_too(db: Database) -> None:
    impact = db.impact("drs4_pedestal.Run01804.0000.h5")
    collapsed = collapse(db.lineage(_DL3))

    assert "What came from" in impact._repr_svg_()  # type: ignore[attr-defined]  # For notebooks alone.
    assert "r0_to_dl1 ×5" in collapsed._repr_svg_()  # type: ignore[attr-defined]  # For notebooks alone.


def test_without_what_draws_the_table_is_left(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    shown = db.lineage(_DL3)

    assert shown._repr_svg_() is None  # type: ignore[attr-defined]  # For notebooks alone.
    assert shown._repr_html_() == Lineage._repr_html_(shown)


def test_it_is_the_lineage_that_was_asked_for(store: Store) -> None:
    from provdb.lineage import lineage

    store_demo(store)

    shown = Database(store).lineage(_DL3)

    plain = lineage(store, _DL3)
    assert isinstance(shown, ShownLineage)
    assert shown.to_dict() == plain.to_dict()
    assert pickle.loads(pickle.dumps(shown)).to_dict() == plain.to_dict()
