"""Options of questions and of ``provdb`` itself: each changes what it says it does."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Answer, Provdb

AskNight = Callable[[int], Provdb]

_DL2 = "dl2_LST-1.Run01807.h5"
_DL3 = "dl3_LST-1.Run01807.fits"
_PEDESTAL = "drs4_pedestal.Run01804.0000.h5"


def _steps(said: Answer) -> set[str]:
    return {n["name"] for n in said.json["nodes"] if n["kind"] == "activity"}


def _log(records: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(f"{record}\n".encode() for record in records)


def _wrote(activity: str, path: str, *, time: str = "2020-01-18T08:00:00") -> bytes:
    """Return the records of a step that wrote a DL3 file."""
    entity = {"entity_id": path, "name": "DL3File", "filepath": path}
    this = {"activity_id": activity, "session_tag": "dl2_to_dl3:01807"}
    return _log(
        [
            {**this, "name": "dl2_to_dl3", "startTime": time},
            {**entity, "session_tag": "dl2_to_dl3:01807"},
            {**this, "generated_id": path},
            {**this, "endTime": time},
        ]
    )


def _read(activity: str, path: str) -> bytes:
    """Return the records of a step that read a DL3 file."""
    entity = {"entity_id": path, "name": "DL3File", "filepath": path}
    this = {"activity_id": activity, "session_tag": "look:01807"}
    time = "2020-01-19T08:00:00"
    return _log(
        [
            {**this, "name": "look", "startTime": time},
            {**entity, "session_tag": "look:01807"},
            {**this, "used_id": path},
            {**this, "endTime": time},
        ]
    )


def test_leaves_are_listed_in_the_json(ask_night: AskNight) -> None:
    said = ask_night(20)("query", "lineage", _DL3, "--leaves", "R0")

    leaves = said.json["leaves"]
    assert [(leaf["run"], leaf["subrun"]) for leaf in leaves] == [
        (1807, subrun) for subrun in range(20)
    ]
    assert leaves[3]["location"].endswith("/LST-1.1.Run01807.0003.fits.fz")
    assert set(leaves[0]) == {"id", "location", "run", "subrun"}


def test_leaves_have_a_line_each_in_a_tree(ask_night: AskNight) -> None:
    said = ask_night(20)("query", "lineage", _DL3, "--leaves=r0", "--format=tree")

    lines = said.stdout.splitlines()
    assert len(lines) == 20
    assert lines[0] == "/fefs/aswg/data/real/R0/20200117/LST-1.1.Run01807.0000.fits.fz"


def test_leaves_of_an_impact_are_what_came_from_it(ask_night: AskNight) -> None:
    said = ask_night(20)("query", "impact", _PEDESTAL, "--leaves=DL3", "--format=tree")

    assert said.stdout == (
        "/fefs/aswg/data/real/DL3/20200117/v0.1.0/model2/dl3_LST-1.Run01807.fits\n"
    )


def test_leaves_that_are_not_there_are_an_empty_list(ask_night: AskNight) -> None:
    said = ask_night(1)("query", "impact", _DL3, "--leaves=R0")

    assert (said.status, said.json["leaves"]) == (0, [])


@pytest.mark.parametrize(
    ("depth", "steps"),
    [
        pytest.param(0, set(), id="the file alone"),
        pytest.param(1, {"dl2_to_dl3"}, id="one step"),
        pytest.param(2, {"dl2_to_dl3", "merge_dl2"}, id="two steps"),
    ],
)
def test_depth_passes_so_many_activities(
    ask_night: AskNight, depth: int, steps: set[str]
) -> None:
    said = ask_night(20)("query", "lineage", _DL3, "--depth", str(depth))

    assert (said.status, _steps(said)) == (0, steps)
    assert said.json["truncated"] is True
    assert said.stderr == (
        f"provdb: warning: the answer was cut at the depth of {depth} activities; "
        "there is more\n"
    )


def test_a_depth_beyond_the_end_cuts_nothing(ask_night: AskNight) -> None:
    said = ask_night(20)("query", "lineage", _DL3, "--depth=100")

    assert (said.json["truncated"], said.stderr) == (False, "")


def test_limit_visits_so_many_nodes(ask_night: AskNight) -> None:
    said = ask_night(20)("query", "lineage", _DL3, "--limit=5")

    assert (said.status, len(said.json["nodes"])) == (0, 5)
    assert said.json["truncated"] is True
    assert said.json["warnings"] == [
        "the answer was cut at the limit of 5 nodes; there is more"
    ]
    assert said.stderr == f"provdb: warning: {said.json['warnings'][0]}\n"


@pytest.mark.parametrize(
    ("via", "steps"),
    [
        pytest.param(["--via=merge_dl2"], set(), id="not the first step"),
        pytest.param(["--via=dl2_*"], {"dl2_to_dl3"}, id="a pattern"),
        pytest.param(
            ["--via=dl2_to_dl3", "--via=merge_dl2"],
            {"dl2_to_dl3", "merge_dl2"},
            id="repeated",
        ),
    ],
)
def test_via_passes_only_these_activities(
    ask_night: AskNight, via: list[str], steps: set[str]
) -> None:
    said = ask_night(20)("query", "lineage", _DL3, *via)

    assert (said.status, _steps(said)) == (0, steps)


def test_role_follows_only_usages_in_it(ask_night: AskNight) -> None:
    file = "calibration_filters_52.Run01809.0000.h5"

    said = ask_night(20)("query", "lineage", file, "--role", "Pedestal file")

    used = [edge for edge in said.json["edges"] if edge["relation"] == "used"]
    assert [edge["role"] for edge in used] == ["Pedestal file"]


def test_as_of_answers_from_what_had_happened(provdb_there: Provdb) -> None:
    path = "/fefs/DL3/dl3_LST-1.Run01807.fits"
    first = _wrote("a1", path, time="2020-01-18T08:00:00")
    second = _wrote("b2", path, time="2020-02-18T08:00:00")
    provdb_there("ingest", "-", stdin=first + second)

    now = provdb_there("query", "lineage", path)
    then = provdb_there("query", "lineage", path, "--as-of=2020-01-31")
    versions = provdb_there("query", "versions", path, "--as-of=2020-01-31")

    starts = [n["start"] for n in now.json["nodes"] if n["kind"] == "activity"]
    assert starts == ["2020-02-18T08:00:00.000Z"]
    starts = [n["start"] for n in then.json["nodes"] if n["kind"] == "activity"]
    assert starts == ["2020-01-18T08:00:00.000Z"]
    assert [version["start"] for version in versions.json] == starts
    assert then.json["question"]["as_of"] == "2020-01-31T00:00:00.000Z"


def test_as_of_without_a_zone_is_read_in_that_of_the_settings(
    ask_night: AskNight,
) -> None:
    said = ask_night(1)(
        "query",
        "lineage",
        _DL3,
        "--as-of",
        "2020-01-18T10:30:00",
        environ={"PROVDB_TIMEZONE": "Europe/Madrid"},
    )

    assert said.json["question"]["as_of"] == "2020-01-18T09:30:00.000Z"


def test_as_of_takes_a_zone(ask_night: AskNight) -> None:
    said = ask_night(1)(
        "query", "lineage", _DL3, "--as-of", "2020-01-18T10:30:00+02:00"
    )

    assert said.json["question"]["as_of"] == "2020-01-18T08:30:00.000Z"


def test_a_version_can_be_asked_for_by_its_id(ask_night: AskNight) -> None:
    provdb = ask_night(1)
    new, old = provdb("query", "versions", "dl1_LST-1.Run01807.0000.h5").json

    said = provdb("query", "lineage", old["id"], "--depth=1")

    assert (new["current"], old["current"]) == (True, False)
    assert said.json["question"]["id"] == old["id"]
    assert _steps(said) == {"r0_to_dl1"}


def test_no_inferred_leaves_out_what_a_rule_bridges(provdb_there: Provdb) -> None:
    written = "/fefs/calibration/v0.12/drs4_pedestal.Run01804.0000.h5"
    read = "/fefs/calibration/pro/drs4_pedestal.Run01804.0000.h5"
    log = _wrote("a1", written) + _read("b2", read)
    provdb_there("ingest", "-", stdin=log.replace(b"DL3File", b"PedestalFile"))

    usual = provdb_there("query", "lineage", read)
    stated = provdb_there("query", "lineage", read, "--no-inferred")

    assert [e["rule"] for e in usual.json["edges"] if e["inferred"]] == [
        "calibration_version_folder"
    ]
    assert _steps(usual) == {"dl2_to_dl3"}
    assert (_steps(stated), stated.json["edges"]) == (set(), [])


def test_a_link_rule_of_the_store_is_used_by_everybody(
    provdb_there: Provdb, tmp_path: Path
) -> None:
    written = "/fefs/DL3/dl3_LST-1.Run01807.fits"
    read = "/archive/dl3_LST-1.Run01807.fits"
    provdb_there("ingest", "-", stdin=_wrote("a1", written) + _read("b2", read))
    rules = tmp_path / "rules.toml"
    rules.write_text('[[link_rules]]\nname = "archive"\nentities = ["DL3*"]\n')

    without = provdb_there("query", "impact", written)
    provdb_there("db", "rules", "add", rules)
    bridged = provdb_there("query", "impact", written)
    tree = provdb_there("query", "lineage", read, "--format=tree", columns=80)

    assert _steps(without) == set()
    assert _steps(bridged) == {"look"}
    assert [e["rule"] for e in bridged.json["edges"] if e["inferred"]] == ["archive"]
    assert "inferred" in tree.stdout


def test_unfold_gives_each_subrun_a_line(ask_night: AskNight) -> None:
    provdb = ask_night(20)

    folded = provdb("query", "lineage", _DL3, "--format=tree").stdout
    unfolded = provdb("query", "lineage", _DL3, "--format=tree", "--unfold").stdout

    assert folded.count("R0 ") == 3
    assert unfolded.count("R0 LST-1.1.Run01807.") == 20
    assert "×" not in unfolded


def test_the_uri_is_taken_from_the_first_place_that_has_one(
    provdb: Provdb, home: Path, tmp_path: Path, slides_log: Path
) -> None:
    option, variable, file = (
        f"sqlite://{tmp_path / name}.db" for name in ("option", "variable", "file")
    )
    config = tmp_path / "provdb.toml"
    config.write_text(f'uri = "{file}"')
    environ = {"PROVDB_URI": variable}
    ingest = ("ingest", slides_log)

    provdb("--uri", option, "--config", config, *ingest, environ=environ)
    after_option = sorted(path.name for path in tmp_path.glob("*.db"))
    provdb("--config", config, *ingest, environ=environ)
    after_variable = sorted(path.name for path in tmp_path.glob("*.db"))
    provdb("--config", config, *ingest)
    after_file = sorted(path.name for path in tmp_path.glob("*.db"))
    provdb(*ingest)

    assert after_option == ["option.db"]
    assert after_variable == ["option.db", "variable.db"]
    assert after_file == ["file.db", "option.db", "variable.db"]
    assert (home / "data" / "provdb" / "provdb.db").exists()


def test_the_usual_config_file_is_read(provdb: Provdb, home: Path) -> None:
    folder = home / "config" / "provdb"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('timezone = "Atlantic/Canary"')

    rows = {row["name"]: row for row in provdb("config").json}

    assert rows["timezone"] == {
        "name": "timezone",
        "value": "Atlantic/Canary",
        "source": str(folder / "config.toml"),
    }


def test_config_shows_each_setting_and_its_source(provdb: Provdb) -> None:
    said = provdb(
        "--uri",
        "mongodb://osa:secret@cp01/provenance",
        "config",
        "--format=table",
        environ={
            "PROVDB_TIMEZONE": "Europe/Madrid",
            "PROVDB_SPOOL_DIR": "/fefs/spool",
        },
        columns=80,
    )

    assert (said.status, said.stderr) == (0, "")
    assert [line.split() for line in said.stdout.splitlines()[2:]] == [
        ["uri", "mongodb://osa:***@cp01/provenance", "--uri"],
        ["spool_dir", "/fefs/spool", "PROVDB_SPOOL_DIR"],
        ["timezone", "Europe/Madrid", "PROVDB_TIMEZONE"],
        ["views", "0", "of", "your", "own", "default"],
    ]


@pytest.mark.parametrize("help_option", ["-h", "--help"])
def test_help_has_a_short_option(provdb: Provdb, help_option: str) -> None:
    said = provdb("query", "lineage", help_option)

    assert (said.status, said.stderr) == (0, "")
    assert said.stdout.startswith("Usage: provdb query lineage [OPTIONS] FILE\n")
