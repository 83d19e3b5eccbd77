"""``provdb db alias``, ``rules``, ``settings``, ``set`` and ``migrate``."""

from pathlib import Path

import pytest

from provdb.model import location_id
from provdb.model.settings import with_rules
from provdb.store import open_store
from tests.cli.command import Answer, Provdb
from tests.old_stores import fill_old_store

_RULES = r"""
[[link_rules]]
name = "copied_to_archive"
entities = ["DL3*"]
folder = "any"

[[naming_rules]]
name = "NectarCAM"
file = '^Nectar\.Run(?P<run>\d+)'
level = "R0"
"""

_RAW = "/data/Nectar.Run0512.fits"
_NECTAR = (
    {"entity_id": location_id(_RAW), "filepath": _RAW},
    {"entity_id": location_id("/data/notes.txt"), "filepath": "/data/notes.txt"},
)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A file with a link rule and a naming rule."""
    path = tmp_path / "rules.toml"
    path.write_text(_RULES)
    return path


@pytest.fixture
def provdb_of_before(provdb_there: Provdb, store_uri: str) -> Provdb:
    """The command, with a store that an earlier version wrote."""
    fill_old_store(store_uri)
    return provdb_there


@pytest.fixture
def provdb_with_nectar(provdb_there: Provdb, tmp_path: Path) -> Provdb:
    """The command, with a store of files of an instrument that provdb does not know."""
    log = tmp_path / "nectar.log"
    log.write_text("".join(f"{record}\n" for record in _NECTAR))
    provdb_there("ingest", log)
    return provdb_there


def _ids(answer: Answer) -> list[str]:
    return [node["id"] for node in answer.json["nodes"]]


def _located(answer: Answer) -> list[str]:
    return [row["location"] for row in answer.json]


def test_an_alias_that_is_added_is_listed(provdb_there: Provdb) -> None:
    added = provdb_there("db", "alias", "add", "/mnt/lst/", "/fefs/aswg")
    again = provdb_there("db", "alias", "add", "/mnt/lst", "/fefs/aswg")

    listed = provdb_there("db", "alias", "list")

    assert (added.status, added.stdout, added.stderr) == (0, "", "")
    assert again == added
    assert listed.json == [{"prefix": "/mnt/lst", "target": "/fefs/aswg"}]


def test_an_alias_that_is_removed_is_gone(provdb_there: Provdb) -> None:
    provdb_there("db", "alias", "add", "/mnt/lst", "/fefs/aswg")

    removed = provdb_there("db", "alias", "remove", "/mnt/lst/")
    again = provdb_there("db", "alias", "remove", "/mnt/lst/")

    assert (removed.status, provdb_there("db", "alias", "list").json) == (0, [])
    assert (again.status, again.stderr) == (1, "provdb: /mnt/lst is not an alias\n")


def test_an_alias_of_something_in_itself_is_status_2(provdb_there: Provdb) -> None:
    said = provdb_there("db", "alias", "add", "/fefs", "/fefs/aswg")

    assert said.status == 2
    assert said.stderr == (
        "provdb: /fefs cannot be an alias of /fefs/aswg: "
        "one of the two lies in the other\n"
    )


def test_rules_that_are_added_are_listed_behind_the_known_ones(
    provdb_there: Provdb, rules: Path
) -> None:
    added = provdb_there("db", "rules", "add", rules)

    listed = provdb_there("db", "rules", "list").json

    assert (added.status, added.stdout, added.stderr) == (0, "", "")
    assert {(row["kind"], row["source"]) for row in listed[:-2]} == {
        ("link", "provdb"),
        ("naming", "provdb"),
    }
    assert listed[-2:] == [
        {
            "name": "copied_to_archive",
            "kind": "link",
            "source": "store",
            "rule": "entities=DL3*  folder=any",
        },
        {
            "name": "NectarCAM",
            "kind": "naming",
            "source": "store",
            "rule": r"file=^Nectar\.Run(?P<run>\d+)  level=R0",
        },
    ]


def test_a_rule_that_is_removed_is_gone(provdb_there: Provdb, rules: Path) -> None:
    provdb_there("db", "rules", "add", rules)

    removed = provdb_there("db", "rules", "remove", "copied_to_archive")
    again = provdb_there("db", "rules", "remove", "copied_to_archive")

    names = [row["name"] for row in provdb_there("db", "rules", "list").json]
    assert (removed.status, "copied_to_archive" in names) == (0, False)
    assert again.status == 1
    assert "no rule copied_to_archive; did you mean NectarCAM?" in again.stderr


@pytest.mark.parametrize(
    ("text", "status", "sentence"),
    [
        pytest.param("name =", 2, "it is not valid TOML", id="no TOML"),
        pytest.param("", 2, "it has no rule; it may have [[link_rules]]", id="empty"),
        pytest.param("uri = ''", 2, "uri is unknown", id="config file"),
        pytest.param("link_rules = 1", 2, "must be tables", id="no table"),
        pytest.param(
            "[[link_rules]]\nentities = ['DL3*']", 2, "has no name", id="no name"
        ),
        pytest.param(
            "[[link_rules]]\nname = 'archive'\nentities = 'DL3*'",
            2,
            "link rule archive",
            id="wrong rule",
        ),
        pytest.param(
            "[[naming_rules]]\nname = 'Nectar'\nfile = '('",
            2,
            "the naming rule Nectar is wrong: a pattern is wrong",
            id="wrong pattern",
        ),
    ],
)
def test_a_wrong_file_of_rules_adds_none(
    provdb_there: Provdb, rules: Path, text: str, status: int, sentence: str
) -> None:
    provdb_there("db", "init")
    rules.write_text(text)

    said = provdb_there("db", "rules", "add", rules)

    assert (said.status, said.stdout) == (status, "")
    assert sentence in said.stderr
    assert {row["source"] for row in provdb_there("db", "rules", "list").json} == {
        "provdb"
    }


def test_a_file_of_rules_that_is_not_there_is_status_3(provdb_there: Provdb) -> None:
    said = provdb_there("db", "rules", "add", "/nowhere/rules.toml")

    assert said.status == 3
    assert "it cannot be read: No such file" in said.stderr


def test_a_naming_rule_updates_what_is_stored(
    provdb_with_nectar: Provdb, rules: Path
) -> None:
    provdb = provdb_with_nectar

    added = provdb("db", "rules", "add", rules)
    again = provdb("db", "rules", "add", rules)
    found = provdb("query", "find", "level:R0 run:512")

    said = "provdb: the naming rules have changed; 1 of 2 entities were updated\n"
    assert (added.status, added.stdout, added.stderr) == (0, "", said)
    assert (again.status, again.stderr) == (0, "")
    assert _located(found) == [_RAW]


def test_a_naming_rule_that_is_removed_says_nothing_more(
    provdb_with_nectar: Provdb, rules: Path
) -> None:
    provdb = provdb_with_nectar
    provdb("db", "rules", "add", rules)

    removed = provdb("db", "rules", "remove", "NectarCAM")
    found = provdb("query", "find", "level:R0 run:512")

    assert (removed.status, "1 of 2 entities were updated" in removed.stderr) == (
        0,
        True,
    )
    assert _located(found) == []


def test_a_link_rule_leaves_entities_as_they_are(
    provdb_with_nectar: Provdb, rules: Path
) -> None:
    rules.write_text("[[link_rules]]\nname = 'archive'\nentities = ['DL3*']")

    added = provdb_with_nectar("db", "rules", "add", rules)

    assert (added.status, added.stderr) == (0, "")


def test_entities_by_earlier_naming_rules_are_warned_of_until_a_migration(
    provdb_with_nectar: Provdb, store_uri: str
) -> None:
    """As an interrupted ``rules add`` leaves them."""
    rule = {"name": "Nectar", "file": "^Nectar", "level": "R0"}
    with open_store(store_uri) as store:
        store.change_settings(lambda known: with_rules(known, naming_rules=[rule]))

    before = provdb_with_nectar("query", "find", "level:R0")
    migrated = provdb_with_nectar("db", "migrate")
    after = provdb_with_nectar("query", "find", "level:R0")

    assert before.stderr == (
        "provdb: warning: some entities do not follow the naming rules of the store "
        "yet; 'provdb db migrate' updates them\n"
    )
    assert migrated.json[0] == {"name": "entities", "changed": 1}
    assert (_located(after), after.stderr) == ([_RAW], "")


def test_settings_are_shown_with_what_was_set(provdb_there: Provdb) -> None:
    provdb_there("db", "init")
    before = provdb_there("db", "settings").json
    provdb_there("db", "set", "clock-tolerance", "500ms")
    provdb_there("db", "set", "node-local", "/scratch/*", "/local/*")

    after = {row["name"]: row["value"] for row in provdb_there("db", "settings").json}

    assert before[0] == {"name": "clock-tolerance", "value": "5 s"}
    assert after == {
        "clock-tolerance": "0.5 s",
        "node-local": "/scratch/* /local/*",
        "aliases": "0",
        "link-rules": "0 of its own",
        "naming-rules": "0 of its own",
    }


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(("clock-tolerance", "soon"), "soon is not a duration", id="time"),
        pytest.param(("clock-tolerance", "1", "2"), "with 2 values", id="two"),
        pytest.param(("node-local", "scratch"), "pattern of absolute paths", id="path"),
        pytest.param(("clock", "5s"), "clock-tolerance", id="name"),
    ],
)
def test_a_wrong_value_is_status_2(
    provdb_there: Provdb, words: tuple[str, ...], sentence: str
) -> None:
    said = provdb_there("db", "set", *words)

    assert said.status == 2
    assert sentence in said.stderr


def test_a_store_of_an_earlier_version_answers_with_a_warning(
    provdb_of_before: Provdb,
) -> None:
    said = provdb_of_before("query", "lineage", "dl2_LST-1.Run01807.h5")

    assert said.status == 0
    assert said.stderr.count("\n") == 1
    assert said.stderr.startswith("provdb: warning: an earlier version of provdb wrote")
    assert "'provdb db migrate'" in said.stderr


def test_a_migrated_store_answers_without_a_warning(provdb_of_before: Provdb) -> None:
    question = ("query", "lineage", "dl2_LST-1.Run01807.h5")
    before = provdb_of_before(*question)

    migrated = provdb_of_before("db", "migrate")
    again = provdb_of_before("db", "migrate")
    after = provdb_of_before(*question)

    assert (migrated.status, migrated.stderr) == (0, "")
    assert migrated.json == [
        {"name": "entities", "changed": 122},
        {"name": "sessions", "changed": 11},
        {"name": "activities", "changed": 84},
    ]
    assert {row["changed"] for row in again.json} == {0}
    assert (after.status, after.stderr) == (0, "")
    assert _ids(after) == _ids(before)


def test_a_store_that_is_not_there_is_named_as_before(provdb_there: Provdb) -> None:
    said = provdb_there("--uri", "sqlite:////nowhere/a.db", "query", "lineage", "a.h5")

    assert said.status == 3
    assert "no such file yet" in said.stderr
