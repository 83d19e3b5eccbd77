"""Measure what provdb promises, each beside a baseline, and print one table.

Run it from the root, on a quiet machine::

    python -m tests.benchmarks.run
    python -m tests.benchmarks.run lineage history --rounds 21
    python -m tests.benchmarks.run --quick
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence

from tests.benchmarks.measure import Line
from tests.benchmarks.rows import ROWS
from tests.benchmarks.stage import FULL, QUICK, Scale, Stage
from tests.mongod import NoMongod

__all__ = ["main", "measure", "table"]

_HEADINGS = ("what | baseline", "ours", "baseline", "ratio", "promised", "kept")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table that the words of a command line ask for.

    Args:
        arguments: The words; those of this process if left out.
    """
    given = _parser().parse_args(arguments)
    measured = measure(
        given.rows or tuple(ROWS),
        scale=QUICK if given.quick else FULL,
        rounds=given.rounds or (1 if given.quick else 7),
        uri=given.uri,
    )
    for text in table(measured):
        sys.stdout.write(f"{text}\n")


def measure(
    rows: Iterable[str], *, scale: Scale, rounds: int, uri: str | None = None
) -> list[Line]:
    """Return what was measured, in the order of the rows.

    Args:
        rows: Names of rows.
        scale: How much there is to measure on.
        rounds: How many times each thing is measured; the median counts.
        uri: A MongoDB server to use, else one is looked for or started.
    """
    measured: list[Line] = []
    with Stage(scale, uri=uri) as stage:
        for row in rows:
            sys.stderr.write(f"measuring {row}\n")
            try:
                measured += ROWS[row](stage, rounds=rounds)
            except NoMongod as error:
                sys.stderr.write(f"no MongoDB: {error}\n")
                measured.append(Line(what=row, ours="no MongoDB", baseline=""))
    return measured


def table(measured: Iterable[Line]) -> Iterator[str]:
    r"""Yield the lines of a table.

    Example:
        >>> line = Line(what="a | b", ours="1 ms", baseline="3 ms", ratio=3, at_least=2)
        >>> print(*table([line]), sep="\n")
        what | baseline  ours  baseline  ratio  promised  kept
        a | b            1 ms      3 ms   3.00      >= 2   yes
    """
    cells = [_HEADINGS, *(_cells(line) for line in measured)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for what, *others in cells:
        first = what.ljust(widths[0])
        yield "  ".join([first, *map(str.rjust, others, widths[1:])]).rstrip()


def _cells(line: Line) -> tuple[str, ...]:
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
    return line.what, line.ours, line.baseline, ratio, line.promised, line.kept


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.run",
        description="Measure what provdb promises, each beside a baseline.",
    )
    option = parser.add_argument
    option("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all if none")
    option("--quick", action="store_true", help="on little, once: only that it works")
    option("--rounds", type=int, help="how many times to measure each thing")
    option("--uri", help="a MongoDB server to use, without a database")
    return parser


if __name__ == "__main__":
    main()
