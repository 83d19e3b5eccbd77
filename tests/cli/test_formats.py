"""Where results go, and in which form."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from provdb.lineage.result import EVIDENCE
from tests.cli.command import NIGHT_GAP, Provdb, ProvdbProcess, night_warning

AskNight = Callable[[int], Provdb]
NightLog = Callable[[int], Path]

_DL2 = "dl2_LST-1.Run01807.h5"
_WARNING = night_warning("run 01807, subrun 0000")
_WARNING_OF_20 = night_warning("run 01807, subruns 0000-0019 (20)")
_EVERY_QUESTION = [
    pytest.param(("query", "lineage", _DL2), id="lineage"),
    pytest.param(("query", "impact", "dl1_LST-1.Run01807.0000.h5"), id="impact"),
    pytest.param(("query", "path", "dl1_LST-1.Run01807.0000.h5", _DL2), id="path"),
    pytest.param(("query", "versions", _DL2), id="versions"),
    pytest.param(("session", "list"), id="session list"),
    pytest.param(("session", "show", "r0_to_dl1:01807"), id="session show"),
    pytest.param(("db", "stats"), id="db stats"),
    pytest.param(("config",), id="config"),
]


@pytest.mark.parametrize("arguments", _EVERY_QUESTION)
def test_piped_output_is_json(ask_night: AskNight, arguments: tuple[str, ...]) -> None:
    provdb = ask_night(1)

    said = provdb(*arguments)

    assert said.json
    assert said.stdout == provdb(*arguments, "--format=json").stdout


@pytest.mark.parametrize("arguments", _EVERY_QUESTION)
@pytest.mark.parametrize("format_name", ["table", "json", "jsonl", "csv"])
def test_piped_output_is_stable_and_has_no_colours(
    ask_night: AskNight, arguments: tuple[str, ...], format_name: str
) -> None:
    provdb = ask_night(1)

    first = provdb(*arguments, "--format", format_name)
    second = provdb(*arguments, "--format", format_name)

    assert first == second
    assert "\x1b" not in first.stdout
    assert first.stdout.endswith("\n")


def test_piped_tree_has_no_colours_and_is_not_cut(ask_night: AskNight) -> None:
    said = ask_night(20)("query", "lineage", _DL2, "--format=tree")

    assert "\x1b" not in said.stdout
    assert "0019].fits.fz" in said.stdout
    assert not [line for line in said.stdout.splitlines() if line.endswith((" ", "…"))]


@pytest.mark.parametrize("columns", [1, 20, 40, 80, 99, 100, 139, 140, 200])
def test_a_tree_of_any_width_says_when_each_step_ran(
    ask_night: AskNight, columns: int
) -> None:
    said = ask_night(20)("query", "lineage", _DL2, "--format=tree", columns=columns)

    assert said.status == 0
    assert "dl1_to_dl2 ×20" in said.stdout
    assert said.stdout.count("01-18 08:00") == 6


@pytest.mark.parametrize("columns", [60, 80, 99, 100, 139, 140, 200])
def test_a_tree_is_as_wide_as_the_terminal_at_most(
    ask_night: AskNight, columns: int
) -> None:
    said = ask_night(100)("query", "lineage", _DL2, "--format=tree", columns=columns)

    assert max(map(len, said.stdout.splitlines())) <= columns


def test_jsonl_has_the_nodes_of_the_json_with_evidence(ask_night: AskNight) -> None:
    provdb = ask_night(1)

    nodes = provdb("query", "lineage", _DL2).json["nodes"]
    lines = provdb("query", "lineage", _DL2, "--format=jsonl").stdout.splitlines()

    rows = [orjson.loads(line) for line in lines]
    evidence = [row.pop("evidence") for row in rows]
    assert rows == nodes
    assert evidence[0] is None
    assert set(evidence[1:]) <= set(EVIDENCE)


def test_csv_has_the_nodes_of_the_json(ask_night: AskNight) -> None:
    provdb = ask_night(1)

    nodes = provdb("query", "lineage", _DL2).json["nodes"]
    text = provdb("query", "lineage", _DL2, "--format=csv").stdout

    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["id"] for row in rows] == [node["id"] for node in nodes]
    assert [row["location"] or None for row in rows] == [
        node["location"] for node in nodes
    ]


def test_times_of_sessions_are_the_same_in_every_format(ask_night: AskNight) -> None:
    provdb = ask_night(1)

    (session,) = provdb("session", "list", "r0_to_dl1:*").json
    text = provdb("session", "list", "r0_to_dl1:*", "--format=csv").stdout

    (row,) = csv.DictReader(io.StringIO(text))
    assert row["first_start"] == session["first_start"] == "2020-01-18T08:00:00.119Z"


def test_a_table_of_a_shown_session_has_its_properties(ask_night: AskNight) -> None:
    said = ask_night(1)("session", "show", "r0_to_dl1:01807", "--format=csv")

    (row,) = csv.DictReader(io.StringIO(said.stdout))
    assert (row["observation_date"], row["software_version"]) == ("20200117", "v0.12.3")


@pytest.mark.parametrize(
    ("name", "format_name", "stderr"),
    [
        pytest.param("answer.json", "json", "", id="json"),
        pytest.param("answer.jsonl", "jsonl", _WARNING, id="jsonl"),
        pytest.param("answer.csv", "csv", _WARNING, id="csv"),
        pytest.param("answer.txt", "tree", "", id="txt"),
        pytest.param("answer.JSON", "json", "", id="json in capitals"),
        pytest.param("answer.Txt", "tree", "", id="txt in capitals"),
    ],
)
def test_the_ending_of_a_file_chooses_its_format(
    ask_night: AskNight, tmp_path: Path, name: str, format_name: str, stderr: str
) -> None:
    provdb = ask_night(1)
    path = tmp_path / name

    said = provdb("query", "lineage", _DL2, "-o", path)

    assert (said.status, said.stdout, said.stderr) == (0, "", stderr)
    told = provdb("query", "lineage", _DL2, "--format", format_name)
    assert path.read_text(encoding="utf-8") == told.stdout


def test_a_told_format_wins_over_the_ending(
    ask_night: AskNight, tmp_path: Path
) -> None:
    path = tmp_path / "answer.dat"

    said = ask_night(1)("session", "list", "--output", path, "--format=csv")

    assert said.status == 0
    assert path.read_text().startswith("session_tag,session_id,")


@pytest.mark.parametrize("arguments", _EVERY_QUESTION)
@pytest.mark.parametrize("name", ["answer.fits", "answer"])
def test_an_unknown_ending_is_status_2_and_writes_nothing(
    ask_night: AskNight, tmp_path: Path, arguments: tuple[str, ...], name: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()

    said = ask_night(1)(*arguments, "-o", folder / name)

    assert (said.status, said.stdout) == (2, "")
    assert said.stderr.startswith("provdb: there is no format ")
    # Those of graphs follow where there is a graph.
    _, _, known = said.stderr.partition("; known are ")
    assert known.rstrip("\n").startswith(".json, .jsonl, .csv, .txt")
    assert said.stderr.count("\n") == 1
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("arguments", _EVERY_QUESTION)
@pytest.mark.parametrize("folder", ["absent", "a_file"])
def test_a_folder_that_cannot_be_written_is_status_3(
    ask_night: AskNight, tmp_path: Path, arguments: tuple[str, ...], folder: str
) -> None:
    (tmp_path / "a_file").write_text("it stays")
    path = tmp_path / folder / "answer.json"

    said = ask_night(1)(*arguments, "-o", path)

    assert (said.status, said.stdout) == (3, "")
    assert said.stderr.startswith(f"provdb: {path}: it cannot be written: ")
    assert said.stderr.count("\n") == 1
    assert (tmp_path / "a_file").read_text() == "it stays"
    assert not (tmp_path / "absent").exists()


def test_a_file_is_replaced_only_by_a_whole_one(
    ask_night: AskNight, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    path = folder / "answer.json"
    path.write_text("of before")
    provdb = ask_night(1)

    failed = provdb("query", "lineage", "no_such_file.h5", "-o", path)
    kept = path.read_text()
    done = provdb("query", "lineage", _DL2, "-o", path)

    assert (failed.status, kept) == (1, "of before")
    assert done.status == 0
    assert orjson.loads(path.read_bytes())["question"]["name"] == _DL2
    assert [entry.name for entry in folder.iterdir()] == ["answer.json"]


def test_a_written_file_can_be_read_by_whom_any_new_file_can(
    ask_night: AskNight, tmp_path: Path
) -> None:
    usual = tmp_path / "usual"
    usual.touch()
    path = tmp_path / "answer.json"

    ask_night(1)("query", "lineage", _DL2, "-o", path)

    assert path.stat().st_mode == usual.stat().st_mode


def test_on_a_terminal_a_lineage_is_a_tree_with_colours(
    ask_night: AskNight, home: Path
) -> None:
    here = ask_night(1)
    process = ProvdbProcess(home=home, uri=here.uri)

    said = process.on_terminal("query", "lineage", _DL2, columns=120)

    assert said.status == 0
    assert "\x1b[" in said.stdout
    assert "└ " in said.stdout
    assert f"{NIGHT_GAP} Raw data found: run 01807, subrun 0000." in said.stdout


def test_the_last_sentence_breaks_between_words_where_there_is_little_room(
    ask_night: AskNight,
) -> None:
    said = ask_night(1)("query", "lineage", _DL2, "--format=tree", columns=40)

    assert said.stdout.splitlines()[-3:] == [
        "Not complete: 1 gap",
        "(time_calibration.Run01625.0000.h5). Raw",
        "data found: run 01807, subrun 0000.",
    ]


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"PYTHONIOENCODING": "latin-1"}, id="latin-1"),
        pytest.param({"PYTHONIOENCODING": "ascii"}, id="ascii"),
        pytest.param({"LC_ALL": "C"}, id="C"),
        pytest.param(
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            id="C, as Python takes it literally",
        ),
    ],
)
@pytest.mark.parametrize(
    ("format_name", "stderr"),
    [
        pytest.param("tree", "", id="tree"),
        pytest.param("table", _WARNING_OF_20, id="table"),
        pytest.param("json", "", id="json"),
        pytest.param("jsonl", _WARNING_OF_20, id="jsonl"),
        pytest.param("csv", _WARNING_OF_20, id="csv"),
    ],
)
def test_what_is_piped_is_utf8_in_any_environment(
    ask_night: AskNight,
    home: Path,
    environ: dict[str, str],
    format_name: str,
    stderr: str,
) -> None:
    here = ask_night(20)
    process = ProvdbProcess(home=home, uri=here.uri)
    kept = {k: v for k, v in process.environ.items() if k != "PYTHONIOENCODING"}
    words = ("query", "lineage", _DL2, "--format", format_name)

    started = process.start(*words, stdout=-1, env=kept | environ)
    stdout, warnings = started.communicate(timeout=60)

    assert (started.returncode, warnings.decode("utf-8")) == (0, stderr)
    assert stdout.decode("utf-8") == here(*words).stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_shows_what_it_has(
    ask_night: AskNight, home: Path, encoding: str
) -> None:
    process = ProvdbProcess(home=home, uri=ask_night(1).uri)

    said = process.on_terminal("query", "lineage", _DL2, columns=120, encoding=encoding)

    assert said.status == 0
    assert "? " in said.stdout
    assert f"{NIGHT_GAP} Raw data found: run 01807, subrun 0000." in said.stdout


def test_on_a_terminal_sessions_are_a_table(ask_night: AskNight, home: Path) -> None:
    here = ask_night(1)
    process = ProvdbProcess(home=home, uri=here.uri)

    said = process.on_terminal("session", "list", columns=200)

    assert said.status == 0
    assert "session tag" in said.stdout
    assert "────" in said.stdout


def test_a_progress_bar_is_shown_on_a_terminal(
    home: Path, local_store_uri: str, night_log: NightLog
) -> None:
    process = ProvdbProcess(home=home, uri=local_store_uri)

    said = process.on_terminal("ingest", night_log(20), columns=120)

    assert said.status == 0
    assert "reading" in said.stdout
    assert "activities" in said.stdout


def test_on_a_terminal_what_was_read_is_said_in_words(
    home: Path, local_store_uri: str, sample_log: Path, tmp_path: Path
) -> None:
    process = ProvdbProcess(home=home, uri=local_store_uri)
    broken = tmp_path / "prov.log"
    broken.write_text("a line\n{'entity_id': \n{'entity_id': '1a', 'name': 'R0'}\n")

    whole = process.on_terminal("ingest", sample_log)
    partly = process.on_terminal("ingest", broken, tmp_path / "missing.log")
    none = process.on_terminal("ingest", tmp_path / "missing.log")

    assert (
        "provdb: read 1,280 records in 1,280 lines of 1 input (1 lstosa)\n"
    ) in whole.stdout
    assert (
        "provdb: read 1 record in 3 lines of 1 input (1 lstosa); "
        "1 line held no provenance; 1 record could not be read; "
        "1 input could not be read\n"
    ) in partly.stdout
    assert "provdb: read nothing; 1 input could not be read\n" in none.stdout


def test_no_progress_bar_is_piped(
    home: Path, local_store_uri: str, night_log: NightLog
) -> None:
    process = ProvdbProcess(home=home, uri=local_store_uri)

    started = process.start("ingest", night_log(20), stdout=-1)
    stdout, stderr = started.communicate(timeout=60)

    assert started.returncode == 0
    assert orjson.loads(stdout)["unread"] == 0
    assert stderr == b""


def test_a_reader_that_goes_away_is_no_error(ask_night: AskNight, home: Path) -> None:
    here = ask_night(100)
    process = ProvdbProcess(home=home, uri=here.uri)
    words = ("query", "lineage", _DL2, "--format=jsonl")

    started = process.start(*words, stdout=-1)
    assert started.stdout is not None
    first = started.stdout.readline()
    started.stdout.close()
    assert started.stderr is not None
    stderr = started.stderr.read()
    started.stderr.close()
    started.wait(timeout=60)

    assert orjson.loads(first)["distance"] == 0
    assert stderr == b""
