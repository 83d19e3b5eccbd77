"""The exit status, and the one sentence on stderr that says why."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Provdb, ProvdbProcess

AskNight = Callable[[int], Provdb]
NightLog = Callable[[int], Path]

_NO_SERVER = "mongodb://127.0.0.1:1/provdb?serverSelectionTimeoutMS=200"
_DL2 = "dl2_LST-1.Run01807.0003.h5"


def test_an_answer_is_status_0(ask_night: AskNight) -> None:
    said = ask_night(20)("query", "lineage", _DL2)

    assert (said.status, said.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(
            ("query", "lineage", "dl2_LST-1.Run01807.1003.h5"),
            "provdb: nothing in the store is called dl2_LST-1.Run01807.1003.h5; "
            "did you mean dl2_LST-1.Run01807.0003.h5 or ",
            id="unknown file, near ones are named",
        ),
        pytest.param(
            ("query", "impact", "zzz"),
            "provdb: nothing in the store is called zzz\n",
            id="unknown file, nothing is near",
        ),
        pytest.param(
            ("query", "versions", "zzz"),
            "provdb: nothing in the store is called zzz\n",
            id="versions of an unknown file",
        ),
        pytest.param(
            ("query", "versions", "RunSummary_20200117.ecsv"),
            "provdb: nothing is known to have written RunSummary_20200117.ecsv\n",
            id="versions of a file nobody wrote",
        ),
        pytest.param(
            ("query", "lineage", _DL2, "--as-of", "2019-01-01"),
            "it was written later\n",
            id="before the file was written",
        ),
        pytest.param(
            ("session", "show", "r0_to_dl1:99999"),
            "provdb: no session has the tag r0_to_dl1:99999; "
            "'provdb session list' shows all\n",
            id="unknown tag",
        ),
        pytest.param(
            ("session", "show", "r0_to_dl1:*"),
            "'provdb session list' shows all\n",
            id="a tag is no pattern",
        ),
    ],
)
def test_no_is_status_1(
    ask_night: AskNight, arguments: tuple[str, ...], sentence: str
) -> None:
    said = ask_night(20)(*arguments)

    assert (said.status, said.stdout) == (1, "")
    assert sentence in said.stderr
    assert said.stderr.count("\n") == 1


def test_several_files_of_a_name_are_all_listed(
    provdb_there: Provdb, sample_log: Path, night_log: NightLog
) -> None:
    provdb_there("ingest", sample_log, night_log(1))

    said = provdb_there("query", "lineage", "dl2_LST-1.Run01807.h5")

    assert (said.status, said.stdout) == (1, "")
    assert said.stderr == (
        "provdb: dl2_LST-1.Run01807.h5 can mean 2 things, "
        "give more of the path of one of them:\n"
        "  /fefs/aswg/data/real/DL2/20200117/v0.1.0/model2/dl2_LST-1.Run01807.h5\n"
        "  /fefs/aswg/osa-old/test_osa/test_files0/DL2/20200117/v0.1.0/model2/"
        "dl2_LST-1.Run01807.h5\n"
    )


def test_more_of_the_path_tells_files_of_a_name_apart(
    provdb_there: Provdb, sample_log: Path, night_log: NightLog
) -> None:
    provdb_there("ingest", sample_log, night_log(1))
    tail = "test_files0/DL2/20200117/v0.1.0/model2/dl2_LST-1.Run01807.h5"

    said = provdb_there("query", "lineage", tail, "--leaves=R0", "--format=csv")

    assert said.status == 0
    assert said.stdout.count("/test_files0/R0/") == 11


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("", "it holds no provenance record", id="empty"),
        pytest.param(
            "a line\nanother\n", "it holds no provenance record", id="foreign"
        ),
    ],
)
def test_a_log_without_a_record_is_status_1(
    provdb_there: Provdb, tmp_path: Path, text: str, sentence: str
) -> None:
    log = tmp_path / "prov.log"
    log.write_text(text)

    said = provdb_there("ingest", log)

    assert said.status == 1
    assert said.stderr == f"provdb: warning: {log}: {sentence}\n"


def test_a_folder_without_a_log_is_status_1(
    provdb_there: Provdb, tmp_path: Path
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()

    said = provdb_there("ingest", folder)

    assert said.status == 1
    assert said.stderr == (
        f"provdb: warning: {folder}: there is no file with provenance in this folder\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(("nonsense",), "No such command 'nonsense'", id="command"),
        pytest.param(("query", "nonsense"), "No such command", id="command of a group"),
        pytest.param(("ingest",), "Missing argument 'PATH...'", id="no input"),
        pytest.param(
            ("ingest", "--watch", "-"),
            "--watch needs files or folders, and not -",
            id="stdin is watched",
        ),
        pytest.param(("query", "lineage"), "Missing argument 'FILE'", id="no file"),
        pytest.param(
            ("query", "lineage", ""),
            "Invalid value for 'FILE': it is empty; give a path, a file name or an id",
            id="empty file",
        ),
        pytest.param(("query", "impact", ""), "it is empty", id="impact of no file"),
        pytest.param(("query", "versions", ""), "it is empty", id="versions of none"),
        pytest.param(("query", "impact", "a", "b"), "unexpected extra", id="two files"),
        pytest.param(
            ("query", "lineage", "a", "--depth=-1"), "-1 is not in", id="depth"
        ),
        pytest.param(("query", "lineage", "a", "--limit=0"), "0 is not in", id="limit"),
        pytest.param(("query", "lineage", "a", "--leaves=DL9"), "'DL9' is", id="level"),
        pytest.param(("db", "stats", "--format=tree"), "'tree' is not", id="format"),
        pytest.param(
            ("query", "lineage", "a", "--as-of=yesterday"),
            "'yesterday' is no time such as 2020-01-18T08:30",
            id="time",
        ),
        pytest.param(
            ("query", "lineage", "a", "--as-of=0001-01-01T00:00+05:00"),
            "is no time such as 2020-01-18T08:30",
            id="time before all times",
        ),
    ],
)
def test_wrong_usage_is_status_2(
    provdb: Provdb, arguments: tuple[str, ...], sentence: str
) -> None:
    said = provdb(*arguments)

    assert (said.status, said.stdout) == (2, "")
    assert said.stderr.startswith("Usage: provdb")
    assert sentence in said.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("uri =", "is not valid TOML", id="no toml"),
        pytest.param(
            "urii = ''", "there is no setting urii; did you mean uri?", id="key"
        ),
        pytest.param("timezone = 'Mars'", "Mars", id="zone"),
        pytest.param(
            "[[link_rules]]\nname = 'archive'", "belong to the store", id="link rules"
        ),
    ],
)
@pytest.mark.parametrize("question", ["lineage", "impact", "versions"])
def test_a_wrong_config_file_is_status_2(
    ask_night: AskNight, tmp_path: Path, question: str, text: str, sentence: str
) -> None:
    path = tmp_path / "provdb.toml"
    path.write_text(text)
    provdb = ask_night(20)

    said = provdb("--config", path, "query", question, _DL2)

    assert (said.status, said.stdout) == (2, "")
    assert sentence in said.stderr
    assert said.stderr.count("\n") == 1


def test_a_missing_config_file_is_status_2(provdb: Provdb, tmp_path: Path) -> None:
    said = provdb("--config", tmp_path / "none.toml", "db", "stats")

    assert (said.status, said.stdout) == (2, "")
    assert "none.toml of --config does not exist" in said.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("ingest", "-"), id="ingest"),
        pytest.param(("query", "lineage", "a"), id="lineage"),
        pytest.param(("query", "impact", "a"), id="impact"),
        pytest.param(("query", "versions", "a"), id="versions"),
        pytest.param(("session", "list"), id="session list"),
        pytest.param(("session", "show", "a"), id="session show"),
        pytest.param(("db", "init"), id="db init"),
        pytest.param(("db", "stats"), id="db stats"),
        pytest.param(("db", "copy", "memory://"), id="db copy"),
        pytest.param(("demo",), id="demo"),
    ],
)
@pytest.mark.parametrize(
    ("uri", "masked", "sentence"),
    [
        pytest.param(
            _NO_SERVER.replace("//", "//osa:secret@"),
            _NO_SERVER.replace("//", "//osa:***@"),
            "no server answers there",
            id="no server",
        ),
        pytest.param(
            "postgres://osa:secret@cp01/provdb",
            "postgres://osa:***@cp01/provdb",
            "a store is sqlite:///PATH, mongodb://HOST/DATABASE or memory://",
            id="scheme",
        ),
    ],
)
def test_a_store_that_cannot_be_used_is_status_3_and_no_password_is_shown(
    home: Path, arguments: tuple[str, ...], uri: str, masked: str, sentence: str
) -> None:
    provdb = Provdb(home=home, uri=uri)

    said = provdb(*arguments, stdin=b"{'entity_id': '1a', 'name': 'R0SubrunDataset'}\n")

    assert (said.status, said.stdout) == (3, "")
    assert said.stderr.startswith(f"provdb: the store {masked} cannot be used: ")
    assert sentence in said.stderr
    assert "secret" not in said.stderr
    assert said.stderr.count("\n") == 1


def test_a_target_that_cannot_be_used_is_status_3(ask_night: AskNight) -> None:
    said = ask_night(1)("db", "copy", _NO_SERVER)

    assert (said.status, said.stdout) == (3, "")
    assert said.stderr.startswith(f"provdb: the store {_NO_SERVER} cannot be used: ")


def test_a_file_that_is_no_store_is_status_3(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "it.db"
    path.write_bytes(b"no database " * 100)

    said = Provdb(home=home, uri=f"sqlite://{path}")("db", "stats")

    assert (said.status, said.stdout) == (3, "")
    assert said.stderr.startswith(f"provdb: the store sqlite://{path} cannot be used: ")
    assert said.stderr.count("\n") == 1


def test_a_missing_input_is_status_3(provdb_there: Provdb, tmp_path: Path) -> None:
    log = tmp_path / "prov.log"

    said = provdb_there("ingest", log)

    assert said.status == 3
    assert said.stderr == f"provdb: warning: {log}: there is no such file or folder\n"


def test_a_binary_input_is_status_3(provdb_there: Provdb, tmp_path: Path) -> None:
    log = tmp_path / "reg_energy.sav"
    log.write_bytes(b"\x80\4\x95" + bytes(100))

    said = provdb_there("ingest", log)

    assert said.status == 3
    assert said.stderr.startswith(
        f"provdb: warning: {log}: it is in none of the formats that are known: "
    )
    assert said.stderr.count("\n") == 1


def test_a_question_does_not_make_a_store(provdb: Provdb, home: Path) -> None:
    said = provdb("query", "lineage", _DL2)

    assert (said.status, said.stdout) == (3, "")
    assert said.stderr.endswith(
        "there is no such file yet; 'provdb ingest PATH' stores a log there, "
        "'provdb demo' an example\n"
    )
    assert list(home.rglob("*.db")) == []


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("query", "lineage", "\udcff.h5"), id="lineage"),
        pytest.param(("query", "versions", "\udcff.h5"), id="versions"),
        pytest.param(("session", "show", "\udcff.h5"), id="session show"),
    ],
)
def test_a_name_that_is_no_utf8_is_unknown(
    ask_night: AskNight, arguments: tuple[str, ...]
) -> None:
    said = ask_night(1)(*arguments)

    assert (said.status, said.stdout) == (1, "")
    assert "\\xff.h5" in said.stderr


@pytest.mark.parametrize("format_name", ["table", "json", "csv"])
def test_a_store_whose_path_is_no_utf8_is_shown(home: Path, format_name: str) -> None:
    provdb = Provdb(home=home, uri="sqlite:///night\udcff.db")

    said = provdb("config", "--format", format_name)

    assert said.status == 0
    assert "\\xff.db" in said.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize("format_name", ["tree", "table", "json", "jsonl", "csv"])
def test_a_full_disk_is_status_3(
    home: Path, ask_night: AskNight, format_name: str
) -> None:
    process = ProvdbProcess(home=home, uri=ask_night(1).uri)

    with Path("/dev/full").open("wb") as full:
        started = process.start(
            "query",
            "lineage",
            "dl3_LST-1.Run01807.fits",
            "--format",
            format_name,
            stdout=full,
        )
    _, stderr = started.communicate(timeout=60)

    assert started.returncode == 3
    assert stderr == (
        b"provdb: standard output: it cannot be written: No space left on device\n"
    )
