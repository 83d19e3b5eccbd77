"""Trees of answers with gaps and doubts: what is weak is marked, and nothing else.

``pytest tests/cli --update-golden`` writes the files anew.
"""

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from provdb.lineage import Lineage, collapse
from provdb.lineage.completeness import Completeness
from provdb_cli.tree import draw_tree
from tests.export.lineages import DOUBTFUL, MARKED

IsGolden = Callable[[str, str], bool]


def drawn(lineage: Lineage, *, columns: int = 200, **options: Any) -> str:
    stream = StringIO()
    console = Console(file=stream, width=columns, highlight=False, markup=False)
    draw_tree(console, lineage, **options)
    return stream.getvalue()


@pytest.mark.parametrize("columns", [80, 200])
def test_every_mark_stands_on_its_line(is_golden: IsGolden, columns: int) -> None:
    text = drawn(DOUBTFUL, columns=columns)

    assert is_golden(f"doubtful-{columns}.txt", text)
    assert max(map(len, text.splitlines())) <= columns


@pytest.mark.parametrize("columns", [80, 200])
def test_a_collapsed_answer_has_the_same_tree(columns: int) -> None:
    assert drawn(collapse(DOUBTFUL), columns=columns) == drawn(
        DOUBTFUL, columns=columns
    )


def test_each_line_of_an_unfolded_tree_has_its_own_marks() -> None:
    lines = drawn(DOUBTFUL, is_unfolded=True).splitlines()

    doubtful = [line for line in lines if "contested" in line][:-1]
    assert [line.split("Run01807.")[1][:4] for line in doubtful] == ["0001"]


def test_a_certain_answer_has_no_marks() -> None:
    edges = tuple(
        edge._replace(marks=(), evidence="order", damaged_by=())
        for edge in DOUBTFUL.edges
    )
    nodes = tuple(
        node._replace(marks=(), origin="raw" if node.origin == "gap" else node.origin)
        for node in DOUBTFUL.nodes
    )
    certain = replace(
        DOUBTFUL, nodes=nodes, edges=edges, completeness=Completeness(), damaging=()
    )

    text = drawn(certain)

    assert not any(
        word in text for word in ("contested", "inferred", "mixed", "gap", "damaged")
    )
    assert text.splitlines()[-1].startswith("Complete to raw data: run 01807")


def test_the_last_line_is_the_sentence() -> None:
    assert drawn(DOUBTFUL, columns=10_000).splitlines()[-1] == DOUBTFUL.sentence
    assert drawn(MARKED, columns=10_000).splitlines()[-1] == MARKED.sentence


@pytest.mark.parametrize("columns", [20, 80])
def test_the_sentence_breaks_between_words(columns: int) -> None:
    text = drawn(DOUBTFUL, columns=columns)

    assert text.replace("\n", " ").endswith(f" {DOUBTFUL.sentence} ")
    assert not [line for line in text.splitlines() if line.endswith(" ")]
