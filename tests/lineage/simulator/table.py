"""Print what the answers to each kind of history are worth.

python -m tests.lineage.simulator.table 200
python -m tests.lineage.simulator.table --kind parts --seed 7 --show
"""

import argparse
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.lineage.simulator.judge import (
    EXCUSED,
    MARKED,
    NEEDLESS,
    RIGHT,
    SILENT,
    Verdict,
    judge,
    store_of,
)
from tests.lineage.simulator.kinds import KINDS, make

__all__ = ["Row", "main", "row_of", "verdicts_of"]

Row = Counter[str]
_COLUMNS = (RIGHT, NEEDLESS, MARKED, "apart", EXCUSED, SILENT)


def verdicts_of(name: str, seed: int) -> list[Verdict]:
    """Return what the answers to one history are worth."""
    history = make(name, seed)
    with store_of(history) as store:
        return list(judge(history, store))


def row_of(name: str, seeds: range) -> Row:
    """Count the verdicts on histories of one kind."""
    row: Row = Counter()
    for seed in seeds:
        for verdict in verdicts_of(name, seed):
            row[verdict.kind] += 1
            row["products"] += 1
            row["apart"] += verdict.is_apart
            if verdict.kind == SILENT:
                row[f"seed {seed}"] += 1
    return row


def main() -> int:
    """Print the table, or one history."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=15)
    parser.add_argument("--kind", action="append", choices=sorted(KINDS))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--show", action="store_true", help="print the logs too")
    parser.add_argument("--all", action="store_true", help="print right answers too")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    names = options.kind or list(KINDS)
    if options.seed is not None:
        for name in names:
            _show(name, options.seed, is_all=options.all, has_logs=options.show)
        return 0
    heads = "".join(f"{head:>10}" for head in ("products", *_COLUMNS))
    _say(f"{'kind':<28}{heads}")
    total: Row = Counter()
    work = partial(row_of, seeds=range(options.count))
    with ProcessPoolExecutor(options.jobs) as pool:
        rows = pool.map(work, names) if options.jobs > 1 else map(work, names)
        for name, row in zip(names, rows, strict=True):
            total += row
            _say(_line(name, row))
    _say(_line("all", total))
    return 1 if total[SILENT] else 0


def _line(name: str, row: Row) -> str:
    counts = "".join(f"{row[head]:>10}" for head in ("products", *_COLUMNS))
    is_ordinary = name in KINDS and KINDS[name].is_ordinary
    seeds = [key for key in row if key.startswith("seed ")]
    note = f"  {', '.join(seeds[:5])}" if name != "all" else ""
    return f"{name + (' *' if is_ordinary else ''):<28}{counts}{note}"


def _show(name: str, seed: int, *, is_all: bool, has_logs: bool) -> None:
    history = make(name, seed)
    if has_logs:
        _say(history.text())
    for job in sorted(history.disk.jobs, key=lambda job: job.start):
        _say(
            f"{job.start:10.2f} {job.end:10.2f} {job.step:<16} {job.id} {job.node} "
            f"turn {job.turn} {job.status or ''}{'' if job.has_end else ' no end'}"
            f"{' lost' if job.is_lost else ''}{' dry' if job.is_dry else ''}"
        )
        for read in job.reads:
            wrote = sorted({str(c.writer or c.origin) for _, c in read.state})
            _say(f"{'':22} {read.time:10.2f} reads  {read.file.path}: {wrote}")
        for write in job.writes:
            _say(f"{'':22} {write.time:10.2f} writes {write.file.path} {write.slots}")
    with store_of(history) as store:
        for verdict in judge(history, store):
            if is_all or verdict.kind not in (RIGHT, NEEDLESS):
                _say(f"{verdict.kind}: {verdict.question}")
                _say(f"    lacks {', '.join(verdict.missing)}")
                _say(f"    adds  {', '.join(verdict.added)}")
                _say(f"    marks {', '.join(verdict.marks)}")


def _say(text: str) -> None:
    sys.stdout.write(text + os.linesep)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
