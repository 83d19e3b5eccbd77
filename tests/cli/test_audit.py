"""``provdb verify``, ``check`` and ``reproduce``: what they print, how they end."""

import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from orjson import loads

from tests.cli.command import Provdb, ProvdbProcess

IsGolden = Callable[[str, str], bool]
Run = Callable[..., "subprocess.CompletedProcess[str]"]

_DL2 = "dl2_LST-1.Run01807.h5"
_DEFINITION = Path(__file__).parents[2] / "examples/lst_definition.yaml"


@pytest.fixture
def run_there(home: Path, store_uri: str, tmp_path: Path) -> Run:
    """The command in a process of its own and a folder of files, with each store."""
    provdb = ProvdbProcess(home=home, uri=store_uri)

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            provdb.words(*words),
            cwd=tmp_path,
            env=provdb.environ,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def _log(*records: object) -> bytes:
    return "".join(f"{record}\n" for record in records).encode()


@pytest.mark.parametrize(("content", "status"), [(b"events", 0), (b"others", 1)])
def test_verify_ends_with_1_if_a_content_differs(
    provdb_there: Provdb, tmp_path: Path, content: bytes, status: int
) -> None:
    raw = tmp_path / "LST-1.1.Run01618.0008.fits.fz"
    raw.write_bytes(content)
    this = {"activity_id": "621ca2", "session_tag": "r0_to_dl1:01618"}
    digest = sha256(b"events").hexdigest()
    log = _log(
        {**this, "name": "r0_to_dl1", "startTime": "2020-05-18T14:18:06"},
        {"entity_id": "446f45", "name": "R0SubrunDataset", "filepath": str(raw)},
        {**this, "used_id": "446f45", "used_hash": digest},
        {"entity_id": "6d2362", "filepath": "/DL1/dl1_LST-1.Run01618.0008.h5"},
        {**this, "generated_id": "6d2362"},
        {**this, "endTime": "2020-05-18T14:18:07"},
    )
    provdb_there("ingest", "-", stdin=log)

    said = provdb_there("verify", "dl1_LST-1.Run01618.0008.h5", "--format=table")

    word = ("same", "differs")[status]
    assert said.status == status
    assert said.stderr == (
        f"provdb: dl1_LST-1.Run01618.0008.h5: 1 {word}, 1 not recorded\n"
    )
    assert said.stdout.splitlines()[2].split() == [
        word,
        "R0",
        "R0SubrunDataset",
        str(raw),
    ]


def test_verify_compares_the_file_itself_with_what_a_run_recorded(
    run_there: Run, tmp_path: Path
) -> None:
    (tmp_path / "raw").write_text("1\n")
    words = ("--hash=sha256", "--used=R=raw", "--generated=prod", "--", "cp", "raw")
    run_there("run", *words, "prod")
    before = run_there("verify", "prod", "--format=table")
    (tmp_path / "prod").write_text("broken\n")

    after = run_there("verify", "prod", "--format=json")

    assert (before.returncode, before.stderr) == (0, "provdb: prod: 2 same\n")
    assert after.returncode == 1
    assert after.stderr == (
        "provdb: prod: 1 differs, 1 same\n"
        "provdb: prod itself is not what was recorded of it\n"
    )
    asked, other = loads(after.stdout)
    assert (asked["status"], asked["asked"]) == ("differs", True)
    assert (other["status"], other["asked"]) == ("same", False)


def test_check_finds_a_content_that_was_edited_between_two_runs(
    run_there: Run, tmp_path: Path
) -> None:
    (tmp_path / "r0").write_text("r0\n")
    words = ("--hash=sha256", "--generated=dl1", "--used=r0", "--", "cp", "r0", "dl1")
    run_there("run", *words)
    (tmp_path / "dl1").write_text("edited\n")
    words = ("--hash=sha256", "--generated=dl2", "--used=dl1", "--", "cp", "dl1", "dl2")
    run_there("run", *words)

    said = run_there("check")

    (row,) = loads(said.stdout)
    assert said.returncode == 1
    assert (row["kind"], row["step"]) == ("content conflict", "cp")
    assert row["location"] == str(tmp_path / "dl1")
    assert row["sentence"].startswith(
        f"The content of {tmp_path}/dl1 that cp used is not what cp wrote: "
    )


@pytest.mark.parametrize("columns", [80, 200])
def test_verify_lists_every_file_behind_another_one(
    ask_sample: Provdb, is_golden: IsGolden, columns: int
) -> None:
    words = ("verify", "dl2_LST-1.Run01807.0003.h5", "--format=table")

    said = ask_sample(*words, columns=columns)

    assert said.status == 0
    assert is_golden(f"verify-{columns}.txt", said.stdout)


@pytest.mark.parametrize("columns", [80, 200])
def test_check_lists_what_is_wrong_and_ends_with_1(
    ask_sample: Provdb, is_golden: IsGolden, columns: int
) -> None:
    words = ("check", "--definition", _DEFINITION, "--format=table")

    said = ask_sample(*words, columns=columns)

    assert said.status == 1
    assert said.stderr == (
        "provdb: 82 activities checked, 2 findings\n"
        "provdb: undeclared role: correct the definition, or the names that the "
        "pipeline records\n"
        "provdb: missing role: ingest the log that has the missing records\n"
    )
    assert is_golden(f"check-{columns}.txt", said.stdout)


def test_check_takes_the_definition_of_the_environment(ask_sample: Provdb) -> None:
    said = ask_sample("check", environ={"PROVDB_DEFINITION": str(_DEFINITION)})

    assert {row["kind"] for row in said.json} == {"missing role", "undeclared role"}


def test_check_says_that_nothing_is_wrong(ask_sample: Provdb) -> None:
    said = ask_sample("check", "--format=table")

    assert (said.status, said.stdout) == (0, "")
    assert said.stderr == "provdb: 82 activities checked, 0 findings\n"


def test_a_definition_that_cannot_be_read_is_refused(
    ask_sample: Provdb, tmp_path: Path
) -> None:
    definition = tmp_path / "definition.yaml"
    definition.write_text("activities: [")

    said = ask_sample("check", "--definition", definition)

    assert (said.status, said.stdout) == (3, "")
    assert said.stderr.startswith(f"provdb: {definition}:2: it is no YAML")


def test_reproduce_writes_a_script(ask_sample: Provdb, is_golden: IsGolden) -> None:
    said = ask_sample("reproduce", _DL2)

    assert (said.status, said.stderr) == (0, "")
    assert is_golden("reproduce.sh", said.stdout)


def test_reproduce_ends_with_1_where_no_command_is_known(
    provdb_there: Provdb,
) -> None:
    this = {"activity_id": "621ca2", "session_tag": "r0_to_dl1:01618"}
    log = _log(
        {**this, "name": "r0_to_dl1"},
        {"entity_id": "6d2362", "filepath": "/DL1/dl1_LST-1.Run01618.0008.h5"},
        {**this, "generated_id": "6d2362"},
    )
    provdb_there("ingest", "-", stdin=log)

    said = provdb_there("reproduce", "dl1_LST-1.Run01618.0008.h5")

    assert said.status == 1
    assert "lacks 'no command was recorded of r0_to_dl1'\n" in said.stdout
    assert said.stderr == (
        "provdb: warning: no command was recorded of 1 step; the script says of which\n"
        "provdb: no command makes /DL1/dl1_LST-1.Run01618.0008.h5: "
        "none was recorded of r0_to_dl1, which wrote it\n"
    )


def test_reproduce_ends_with_1_for_a_file_that_no_step_wrote(
    provdb_there: Provdb,
) -> None:
    location = "/R0/LST-1.1.Run01618.0008.fits.fz"
    log = _log({"entity_id": "446f45", "filepath": location})
    provdb_there("ingest", "-", stdin=log)

    said = provdb_there("reproduce", location)

    assert said.status == 1
    assert said.stderr == (
        f"provdb: no command makes {location}: no step is known to have written it\n"
    )


def test_the_script_of_a_run_makes_its_file_again(
    run_there: Run, tmp_path: Path
) -> None:
    (tmp_path / "raw").write_text("1\n")
    words = ("--hash=sha256", "--used=raw", "--generated=prod", "--", "cp", "raw")
    run_there("run", *words, "prod")
    script = run_there("reproduce", "prod").stdout
    (tmp_path / "prod").unlink()

    done = _shell(script)
    (tmp_path / "raw").write_text("2\n")
    other = _shell(script)

    assert (done.returncode, done.stderr) == (
        0,
        f"what was made then: {tmp_path}/prod\n",
    )
    assert (tmp_path / "prod").read_text() == "1\n"
    assert other.returncode == 1
    assert other.stderr.startswith(f"not what was used then: {tmp_path}/raw ")


def _shell(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", "-s"], input=script, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("command", ["verify", "reproduce"])
def test_a_file_that_is_not_known_is_one_sentence(
    ask_sample: Provdb, command: str
) -> None:
    said = ask_sample(command, "dl9.fits")

    assert (said.status, said.stdout) == (1, "")
    assert said.stderr.startswith("provdb: nothing in the store is called dl9.fits")
