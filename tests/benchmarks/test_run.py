"""The benchmarks run, on little data; how fast they were is not asked."""

import math

import pytest

from tests.benchmarks.measure import Line
from tests.benchmarks.rows import ROWS
from tests.benchmarks.run import main, measure, table
from tests.benchmarks.stage import QUICK


@pytest.mark.slow
@pytest.mark.mongo
def test_every_row_that_can_be_measured_has_a_finite_ratio(mongo_uri: str) -> None:
    measured = measure(ROWS, scale=QUICK, rounds=1, uri=mongo_uri)

    ratios = [line.ratio for line in measured if line.ours != "not there"]
    assert len(measured) >= len(ROWS)
    assert all(ratio is not None and math.isfinite(ratio) for ratio in ratios)


@pytest.mark.slow
def test_the_command_line_prints_the_rows_that_it_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["reading", "--quick"])

    headings, row = capsys.readouterr().out.splitlines()
    assert headings.split()[-4:] == ["baseline", "ratio", "promised", "kept"]
    assert row.startswith("read and fold a log, 14 activities")


@pytest.mark.parametrize(
    ("ratio", "at_least", "at_most", "kept"),
    [
        pytest.param(30.0, 30, None, "yes", id="as many times faster"),
        pytest.param(29.9, 30, None, "NO", id="not so many times faster"),
        pytest.param(1.3, None, 1.3, "yes", id="as slow as it may be"),
        pytest.param(1.4, None, 1.3, "NO", id="slower"),
        pytest.param(5.0, None, None, "", id="no promise"),
        pytest.param(None, 30, None, "", id="not measured"),
    ],
)
def test_a_promise_is_kept_or_not(
    ratio: float | None, at_least: float | None, at_most: float | None, kept: str
) -> None:
    line = Line(
        what="", ours="", baseline="", ratio=ratio, at_least=at_least, at_most=at_most
    )

    assert line.kept == kept


def test_the_columns_of_the_table_are_aligned() -> None:
    lines = [
        Line(what="short", ours="1 ms", baseline="100 ms", ratio=100, at_least=30),
        Line(what="a longer one", ours="10.5 ms", baseline=""),
    ]

    assert list(table(lines)) == [
        "what | baseline     ours  baseline   ratio  promised  kept",
        "short               1 ms    100 ms  100.00     >= 30   yes",
        "a longer one     10.5 ms",
    ]
