"""``provdb db`` and ``provdb demo``: stores that are made, measured and copied."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Provdb

AskNight = Callable[[int], Provdb]

_PROVENANCE = ["environments", "entities", "sessions", "activities", "files"]
_COLLECTIONS = [*_PROVENANCE, "readings", "settings"]
_DL3 = "dl3_LST-1.Run01807.fits"


def test_init_makes_a_store_and_may_be_repeated(provdb_there: Provdb) -> None:
    first = provdb_there("db", "init")
    again = provdb_there("db", "init")
    stats = provdb_there("db", "stats")

    assert (first.status, first.stdout) == (0, "")
    assert first == again
    assert first.stderr.startswith("provdb: ")
    assert first.stderr.endswith(" is ready\n")
    assert [row["documents"] for row in stats.json] == [0] * 7


def test_stats_count_the_documents(ask_sample: Provdb) -> None:
    rows = ask_sample("db", "stats").json

    assert [row["name"] for row in rows] == _COLLECTIONS
    assert [row["documents"] for row in rows] == [1, 121, 10, 82, 0, 0, 0]
    assert set(rows[0]) == {"name", "documents", "size_bytes", "index_bytes"}


def test_a_copy_answers_as_the_store_does(
    ask_night: AskNight, home: Path, store_uri: str
) -> None:
    provdb = ask_night(1)
    copy = Provdb(home=home, uri=store_uri)
    question = ("query", "lineage", _DL3)

    said = provdb("db", "copy", store_uri)

    assert (said.status, said.stderr) == (0, "")
    assert copy(*question).stdout == provdb(*question).stdout
    assert copy("session", "list").stdout == provdb("session", "list").stdout


def test_a_repeated_copy_changes_nothing(ask_night: AskNight, store_uri: str) -> None:
    provdb = ask_night(1)

    first = provdb("db", "copy", store_uri).json
    again = provdb("db", "copy", store_uri).json

    assert [row["name"] for row in again] == _COLLECTIONS
    assert [row["unchanged"] for row in again] == [row["added"] for row in first]
    assert {row["added"] + row["changed"] for row in again} == {0}


def test_demo_keeps_its_night_beside_the_store_of_the_user(
    provdb: Provdb, home: Path
) -> None:
    said = provdb("demo")

    made = home / "data" / "provdb" / "demo.db"
    assert said.status == 0
    assert [path.name for path in home.rglob("*.db")] == ["demo.db"]
    assert said.stderr.splitlines() == [
        f"provdb: a simulated night of 560 records is in sqlite://{made}",
        f"provdb: ask on: provdb --uri sqlite://{made} query impact "
        "drs4_pedestal.Run01804.0000.h5",
    ]


def test_demo_leaves_the_store_of_the_environment_alone(
    provdb: Provdb, tmp_path: Path
) -> None:
    path = tmp_path / "mine.db"

    provdb("demo", environ={"PROVDB_URI": f"sqlite://{path}"})

    assert not path.exists()


def test_what_demo_says_to_ask_can_be_asked(provdb_there: Provdb) -> None:
    first = provdb_there("demo")
    again = provdb_there("demo")
    asked = provdb_there(
        "query", "impact", "drs4_pedestal.Run01804.0000.h5", "--leaves=DL3"
    )

    assert first == again
    assert [leaf["run"] for leaf in asked.json["leaves"]] == [1807, 1808]


@pytest.mark.parametrize(
    ("pattern", "tags"),
    [
        pytest.param("drs4_*", ["drs4_pedestal:01804-01809"], id="start"),
        pytest.param("*_dl?:01808", ["dl1_to_dl2:01808", "r0_to_dl1:01808"], id="mid"),
        pytest.param("r0_to_dl1:01807", ["r0_to_dl1:01807"], id="a tag"),
        pytest.param("r0_to_dl1", [], id="no tag"),
    ],
)
def test_session_list_takes_a_pattern(
    ask_sample: Provdb, pattern: str, tags: list[str]
) -> None:
    said = ask_sample("session", "list", pattern)

    assert said.status == 0
    assert [row["session_tag"] for row in said.json] == tags


def test_session_list_names_a_session_before_it_describes_it(
    ask_sample: Provdb,
) -> None:
    (session,) = ask_sample("session", "list", "r0_to_dl1:01807").json

    assert list(session)[:3] == ["session_tag", "session_id", "name"]
    assert list(session)[-2:] == ["first_start", "last_start"]


def test_a_short_id_of_a_table_can_be_asked(ask_sample: Provdb) -> None:
    question = ("query", "versions", "tailcut84/dl1_LST-1.Run01807.0000.h5")
    shown = ask_sample(*question, "--format=table", columns=80)
    _, _, _, earlier = shown.stdout.splitlines()

    said = ask_sample("query", "lineage", earlier.split()[-1])

    assert said.status == 0
    assert said.json["nodes"][0]["id"] == ask_sample(*question).json[-1]["id"]


def test_session_show_gives_what_was_stored(ask_sample: Provdb) -> None:
    (session,) = ask_sample("session", "show", "r0_to_dl1:01807").json

    assert session["session_tag"] == "r0_to_dl1:01807"
    assert session["execution_count"] == len(session["executions"]) == 11
    assert session["properties"]["observation_date"] == "20200117"
