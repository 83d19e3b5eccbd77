"""``provdb query diff``, letter by letter, and how it ends."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provdb.store import open_store
from tests.cli.command import Provdb
from tests.compare.productions import Production, remember

IsGolden = Callable[[str, str], bool]

_ONE = Production()
_LIKE = replace(_ONE, run=1808, subruns=(3, 4))
_OTHER = replace(
    _ONE,
    run=1950,
    night="20200218",
    pedestal="/cal/v03/drs4_pedestal.Run01611.0000.h5",
    models="/models/v2",
    threshold=8,
    config=b'{"tailcut": {"picture_thresh": 6, "boundary_thresh": 4}}',
    packages={"lstchain": "0.13.0", "ctapipe": "0.28.0"},
    version="v0.13.0",
    node="cp16",
    status="failed",
    seconds=600,
    start=datetime(2020, 2, 19, 9, tzinfo=UTC),
)


@pytest.fixture
def provdb(home: Path, store_uri: str) -> Provdb:
    """The command, with two runs that were processed alike, and one that was not."""
    with open_store(store_uri) as store:
        remember(store, _ONE, _LIKE, _OTHER)
    return Provdb(home=home, uri=store_uri)


@pytest.mark.parametrize("columns", [80, 200])
def test_table_of_what_differs(
    provdb: Provdb, is_golden: IsGolden, columns: int
) -> None:
    words = ("query", "diff", "01807", "run:01950", "--format=table")

    said = provdb(*words, columns=columns)

    assert (said.status, said.stderr) == (1, "")
    assert max(map(len, said.stdout.splitlines())) <= columns
    assert is_golden(f"diff-{columns}.txt", said.stdout)


@pytest.mark.parametrize("format_name", ["json", "jsonl", "csv"])
def test_every_format(provdb: Provdb, is_golden: IsGolden, format_name: str) -> None:
    said = provdb("query", "diff", "01807", "01950", "--format", format_name)

    assert (said.status, said.stderr) == (1, "")
    assert is_golden(f"diff.{format_name}", said.stdout)


def test_runs_that_were_processed_alike_are_equal(provdb: Provdb) -> None:
    said = provdb("query", "diff", "01807", "01808", "--format=table")

    assert (said.status, said.stderr) == (0, "")
    assert said.stdout == "no differences (2 steps compared)\n"


def test_what_is_piped_of_equal_runs_says_so(provdb: Provdb) -> None:
    said = provdb("query", "diff", "01807", "01808")

    assert said.status == 0
    assert (said.json["equal"], said.json["differences"]) == (True, [])


def test_two_subruns_of_one_run_are_equal(provdb: Provdb) -> None:
    one, other = (f"dl2_LST-1.Run01807.000{subrun}.h5" for subrun in (0, 1))

    said = provdb("query", "diff", one, other)

    assert (said.status, said.json["question"]["kinds"]) == (0, ["file", "file"])


def test_what_is_not_there_is_status_1_with_a_sentence(provdb: Provdb) -> None:
    said = provdb("query", "diff", "01807", "09999")

    assert (said.status, said.stdout) == (1, "")
    assert said.stderr.startswith("provdb: no activity is of run 09999")


def test_wrong_usage_is_status_2(provdb: Provdb) -> None:
    said = provdb("query", "diff", "01807", "run:last")

    assert (said.status, said.stdout) == (2, "")
    assert said.stderr == "provdb: last is no run; write it as run:01807\n"
