"""``provdb query find`` and ``fields``: formats, statuses, and how a query ends."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Provdb, ProvdbProcess

IsGolden = Callable[[str, str], bool]


@pytest.mark.parametrize(
    ("format_name", "ending"),
    [("json", "json"), ("jsonl", "jsonl"), ("csv", "csv"), ("table", "txt")],
)
@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("entities", "level:DL2"),
        ("activities", "activity:r0_to_dl1"),
        ("both", "run:1804"),
        ("counts", "level:DL1 | count by made_by,prod"),
    ],
)
def test_every_format(
    ask_night: Callable[[int], Provdb],
    is_golden: IsGolden,
    name: str,
    query: str,
    format_name: str,
    ending: str,
) -> None:
    said = ask_night(1)("query", "find", query, "--format", format_name, columns=120)

    assert (said.status, said.stderr) == (0, "")
    assert is_golden(f"find-{name}.{ending}", said.stdout)


@pytest.mark.parametrize(
    "query",
    ["level:DL2 run:1807", "session_tag:dl1ab:01807 | p95 duration", "upstream(DL2)"],
)
def test_explained(ask_sample: Provdb, query: str) -> None:
    said = ask_sample("query", "find", query, "--explain")

    assert said.status == 0
    assert list(said.json) == ["query", "tree", "asks"]
    assert [set(ask) - {"then"} for ask in said.json["asks"]] == [
        {"collection", "pipeline", "index"} for _ in said.json["asks"]
    ]


def test_nothing_found_is_a_no(ask_sample: Provdb) -> None:
    said = ask_sample("query", "find", "run:9999", "--format", "jsonl")

    assert (said.status, said.stdout, said.stderr) == (1, "", "")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "level:DL1 |",
            "provdb: the query is wrong at column 12: expected a stage: select, sort, "
            "limit, count, unique, sum, avg, …\n  level:DL1 |\n             ^\n",
        ),
        (
            "levle:DL1",
            "provdb: there is no field levle, did you mean level? "
            "'provdb query fields' lists all\n  levle:DL1\n  ^\n",
        ),
    ],
)
def test_a_wrong_query_is_wrong_usage(provdb: Provdb, query: str, message: str) -> None:
    """It is seen before there is any store."""
    said = provdb("query", "find", query)

    assert (said.status, said.stdout, said.stderr) == (2, "", message)


def test_a_query_ends_when_its_time_is_over(ask_sample: Provdb) -> None:
    said = ask_sample("query", "find", "level:DL1 node:vm", "--timeout", "0.0000001")

    assert said.status == 3
    assert said.stdout == ""


def test_rows_go_into_a_file(ask_sample: Provdb, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"

    said = ask_sample("query", "find", "level:R0 | select run,subrun", "-o", path)

    assert (said.status, said.stdout) == (0, "")
    assert path.read_text().splitlines()[0] == "run,subrun"


def test_who_has_seen_enough_ends_a_query_quietly(
    home: Path, local_filled_uri: Callable[[Path], str], sample_log: Path
) -> None:
    provdb = ProvdbProcess(home=home, uri=local_filled_uri(sample_log))

    with provdb.start(
        "query", "find", "", "--format", "jsonl", stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize("columns", [80, 200])
def test_fields(provdb: Provdb, is_golden: IsGolden, columns: int) -> None:
    said = provdb("query", "fields", "--format", "table", columns=columns)

    assert (said.status, said.stderr) == (0, "")
    assert is_golden(f"fields-{columns}.txt", said.stdout)
