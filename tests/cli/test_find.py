"""``provdb query find`` and ``fields``: formats, statuses, and how a query ends."""

from collections.abc import Callable
from pathlib import Path

import pytest

from provdb.model import fold, location_id
from provdb.store import open_store
from tests.cli.command import Provdb

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
    ("query", "hints"),
    [
        (
            "software.ctapip:0.19",
            ["no activity has software.ctapip; did you mean software.ctapipe?"],
        ),
        (
            "upstream(param.zzz:1)",
            ["no activity has param.zzz; 'provdb query fields param' lists the keys"],
        ),
        ("level:DL2 run:9999", ["nothing matches run:9999"]),
        (
            "level:DL5 run:9999",
            ["nothing matches level:DL5", "nothing matches run:9999"],
        ),
        ("level:DL5 run:1807 | count", ["nothing matches level:DL5"]),
        ("level:DL2 -status:failed | count", []),
    ],
)
def test_an_empty_answer_says_what_nothing_matches(
    ask_sample: Provdb, query: str, hints: list[str]
) -> None:
    said = ask_sample("query", "find", query, "--format", "jsonl")

    assert said.stderr.splitlines() == [f"provdb: {hint}" for hint in hints]


@pytest.mark.parametrize(
    ("time", "count"), [("2026-10-25T02:40", 1), ("2026-10-25T00:40", 0)]
)
def test_times_without_a_zone_are_read_in_that_of_the_settings(
    provdb_there: Provdb, tmp_path: Path, time: str, count: int
) -> None:
    log = tmp_path / "prov.log"
    record = {
        "activity_id": "a1",
        "name": "r0_to_dl1",
        "startTime": "2026-10-25T02:40:00",
        "session_tag": "r0_to_dl1:01807",
    }
    log.write_text(f"INFO provLogger __PROV__2026-10-25T02:40:00__PROV__{record}\n")
    zone = {"PROVDB_TIMEZONE": "Europe/Madrid"}
    provdb_there("ingest", log, environ=zone)

    said = provdb_there("query", "find", f"start:{time} | count", environ=zone)

    assert said.json == [{"count": count}]


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


@pytest.mark.parametrize("columns", [80, 200])
def test_fields_without_a_store(
    provdb: Provdb, is_golden: IsGolden, columns: int
) -> None:
    said = provdb("query", "fields", "--format", "table", columns=columns)

    assert said.status == 0
    assert said.stderr.startswith("provdb: fields without counts: the store sqlite://")
    assert said.stderr.count("\n") == 1
    assert is_golden(f"fields-{columns}.txt", said.stdout)


@pytest.mark.parametrize("columns", [80, 200])
def test_fields_of_a_store(
    ask_sample: Provdb, is_golden: IsGolden, columns: int
) -> None:
    said = ask_sample("query", "fields", "--format", "table", columns=columns)

    assert (said.status, said.stderr) == (0, "")
    assert is_golden(f"fields-sample-{columns}.txt", said.stdout)


def test_fields_of_a_family(ask_sample: Provdb, is_golden: IsGolden) -> None:
    said = ask_sample("query", "fields", "software.lst")

    assert (said.status, said.stderr) == (0, "")
    assert is_golden("fields-software.json", said.stdout)


def test_counts_of_a_large_store_are_estimates(
    home: Path, local_store_uri: str
) -> None:
    paths = [f"/fefs/dl1_LST-1.Run01618.{number:04}.h5" for number in range(1001)]
    with open_store(local_store_uri) as store:
        store.write(fold([{"entity_id": location_id(p), "filepath": p} for p in paths]))
    provdb = Provdb(home=home, uri=local_store_uri)

    table = provdb("query", "fields", "level", "--format", "table")
    (row,) = provdb("query", "fields", "level").json

    assert (table.status, row["estimated"]) == (0, True)
    assert table.stdout.splitlines()[-1].split()[4] == "~1000"
    assert table.stderr.endswith(" of 1,001 entities\n")


def test_no_field_of_a_prefix_is_a_no(ask_sample: Provdb) -> None:
    said = ask_sample("query", "fields", "lvl")

    assert (said.status, said.stdout) == (1, "")
    assert said.stderr == (
        "provdb: no field begins with lvl; 'provdb query fields' lists all\n"
    )


@pytest.mark.parametrize(
    "query",
    ["-agent:lstanalyzer level in (DL1, DL2)", "-(level:R0)", "-hash:0", "-dl1_LST"],
)
def test_a_query_may_begin_with_a_minus(ask_sample: Provdb, query: str) -> None:
    said = ask_sample("query", "find", query, "--format", "jsonl")
    spelt = ask_sample("query", "find", f"NOT {query[1:]}", "--format", "jsonl")

    assert (said.status, said.stderr) == (0, "")
    assert said.stdout == spelt.stdout


def test_an_error_in_a_query_with_a_minus_is_where_it_is(provdb: Provdb) -> None:
    said = provdb("query", "find", "-levle:DL1")

    assert said.status == 2
    assert said.stderr.endswith("\n  -levle:DL1\n   ^\n")


def test_an_unknown_option_is_still_told(provdb: Provdb) -> None:
    said = provdb("query", "find", "level:DL1", "--explian")

    assert said.status == 2
    assert "No such option: --explian" in said.stderr or "'--explian'" in said.stderr


def test_a_query_is_explained_in_lines(ask_sample: Provdb) -> None:
    query = "(level:DL2 OR level:DL1) -upstream(run:1807 Run01807) | count by run"

    said = ask_sample("query", "find", query, "--explain", "--format", "table")

    assert (said.status, said.stderr) == (0, "")
    tree, _, asks = said.stdout.partition("\n\n")
    assert tree.splitlines() == [
        "all of",
        "├ any of",
        "│ ├ level:DL2",
        "│ └ level:DL1",
        "└ not",
        "  └ upstream of",
        "    └ all of",
        "      ├ run:1807",
        "      └ Run01807",
        "| count by run",
    ]
    assert "entities: by the index " in asks
    assert " not upstream of (" in asks


@pytest.mark.parametrize(
    ("query", "collection"),
    [
        ("level:DL2 run:1807", "entities"),
        ("activity:dl1ab status:completed", "activities"),
        ("session_tag:dl1ab:01807 node:vm", "activities"),
    ],
)
def test_the_index_is_named(ask_sample: Provdb, query: str, collection: str) -> None:
    said = ask_sample("query", "find", query, "--explain", "--format", "table")

    assert f"{collection}: by the index " in said.stdout
