"""Completion as bash, zsh and fish do it, and what it asks of the store."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from provdb_cli.main import cli
from tests.cli.command import Provdb, ProvdbProcess
from tests.cli.shells import fish_offers, install, typing_in

_DL2: Final = "dl2_LST-1.Run01807.h5"
# A busy machine is no failure.
_PATIENT: Final = {"PROVDB_COMPLETION_SECONDS": "60"}
_HEAVY: Final = ("pymongo", "bson", "mongomock", "prov", "rich", "lark", "h5py")


@pytest.fixture
def environ(
    home: Path,
    tmp_path: Path,
    sample_log: Path,
    local_filled_uri: Callable[[Path], str],
) -> dict[str, str]:
    """Variables of a shell that finds the command, and a store with the sample."""
    (home / "other.log").touch()
    process = ProvdbProcess(home=home, uri=local_filled_uri(sample_log))
    found = {**install(process, tmp_path), "HOME": str(home), "ZDOTDIR": str(home)}
    return {**found, **_PATIENT}


# What is typed before a Tab, and the line that it becomes; bash closes a quote without
# a blank behind it.
_TYPED: Final = (
    ("provdb que", "provdb query "),
    ("provdb query find 'level:DL2 ru", "provdb query find 'level:DL2 run:"),
    (r"provdb query find x\ activity:r", r"provdb query find x\ activity:r0_to_dl1 "),
    (f"provdb query lineage {_DL2[:-1]}", f"provdb query lineage {_DL2} "),
    ("provdb ingest oth", "provdb ingest other.log "),
)


@pytest.mark.parametrize(
    ("shell", "closed"),
    [pytest.param("bash", "'", id="bash"), pytest.param("zsh", "' ", id="zsh")],
)
def test_a_shell_completes_the_line(
    environ: dict[str, str], shell: str, closed: str
) -> None:
    stage = "provdb query find 'run:1 | unique subr"
    with typing_in(shell, environ) as line:
        lines = [line.completed(typed) for typed, _ in _TYPED]
        closing = line.completed(stage)

    assert lines == [completed for _, completed in _TYPED]
    assert closing == f"{stage}un{closed}"


# What is typed, and what is offered for the last word and what it means.
_OFFERED: Final = {
    "provdb query fin": "find\tShow everything that QUERY asks for.",
    "provdb query find 'level:DL2 ru": "level:DL2 run:\tobservation run",
    "provdb query find -subr": "-subrun:\tsubrun of the run",
    "provdb ingest oth": "other.log",
}


def test_fish_offers(environ: dict[str, str]) -> None:
    found = fish_offers(environ, list(_OFFERED))

    assert [lines[:1] for lines in found] == [[line] for line in _OFFERED.values()]


@pytest.fixture
def offers(
    monkeypatch: pytest.MonkeyPatch, ask_sample: Provdb
) -> Callable[..., list[str]]:
    """What gives the words that are offered behind a line, with the sample."""

    def offers(*words: str) -> list[str]:
        # As the script of fish calls it, whose lines are the plainest.
        monkeypatch.setattr(sys, "argv", ["provdb", *words])
        runner = CliRunner(
            env={
                **_PATIENT,
                "_PROVDB_COMPLETE": "fish_complete",
                "PROVDB_URI": ask_sample.uri,
            }
        )
        said = runner.invoke(cli, [], prog_name="provdb", catch_exceptions=False)
        return [line.split("\t")[1] for line in said.stdout.splitlines() if line]

    return offers


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("session", "show", "dl1_to_dl2"), ["dl1_to_dl2:01807", "dl1_to_dl2:01808"]),
        (("query", "lineage", _DL2[:-1]), [_DL2]),
        (("query", "path", _DL2, _DL2[:-1]), [_DL2]),
        (("query", "lineage", "nothing"), ["_"]),
        (("query", "lineage", "/fef"), ["/fefs/"]),
        (("query", "find", "x", "--format=c"), ["--format=csv"]),
        (("query", "find", "-(subr"), ["-(subrun:"]),
        (("query", "diff", "018"), ["01804", "01807", "01808", "01809"]),
        (("query", "diff", "01807", "dl1ab:"), ["dl1ab:01807", "dl1ab:01808"]),
        (("query", "lineage", "x", "--via", "r"), ["r0_to_dl1"]),
        (("query", "lineage", "x", "--leaves", "DL"),
         ["DL0", "DL1", "DL2", "DL3", "DL4", "DL5"]),
        (("query", "find", "made_by:r"), ["made_by:r0_to_dl1"]),
        (("query", "find", "session_tag:dl1ab:"),
         ["session_tag:dl1ab:01807", "session_tag:dl1ab:01808"]),
        (("query", "find", "run:180"),
         ["run:1804", "run:1807", "run:1808", "run:1809"]),
        (("query", "find", "param.St"), ["param.StoreImage:"]),
        (("query", "find", "software.lst"),
         ["software.lstchain:", "software.lstosa:"]),
        (("query", "find", f"path:{_DL2[:-1]}"), [f"path:{_DL2}"]),
        (("query", "find", "-status:c"), ["-status:completed"]),
        (("query", "find", "x", "--ti"), ["--timeout"]),
        (("completion", ""), ["bash", "zsh", "fish"]),
    ],
)  # fmt: skip  # What is typed beside what is offered.
def test_what_the_store_has_is_offered(
    offers: Callable[..., list[str]], words: tuple[str, ...], offered: list[str]
) -> None:
    assert offers(*words) == offered


def test_a_name_that_no_line_can_hold_is_left_out(
    offers: Callable[..., list[str]], ask_sample: Provdb, tmp_path: Path
) -> None:
    """The lines of an answer are ended by a newline, and its parts by a tab."""
    log = tmp_path / "prov.log"
    record = {"entity_id": "1", "filepath": "/x/zz\tz\nz.h5", "name": "R0"}
    log.write_text(f"{record}\n")

    assert offers("query", "lineage", "zz") == ["_"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_printed(provdb: Provdb, shell: str) -> None:
    said = provdb("completion", shell)

    assert (said.status, said.stderr) == (0, "")
    assert f"_PROVDB_COMPLETE={shell}_complete" in said.stdout


@pytest.fixture
def silent_uri() -> Iterator[str]:
    """A server that takes connections, and never says anything."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        # The driver itself would wait for ten minutes.
        yield f"mongodb://127.0.0.1:{port}/x?serverSelectionTimeoutMS=600000"


def test_a_store_that_does_not_answer_is_left_out(home: Path, silent_uri: str) -> None:
    process = ProvdbProcess(home=home)
    environ = {**process.environ, "_PROVDB_COMPLETE": "zsh_complete"}

    started = process.start(
        "--uri",
        silent_uri,
        "query",
        "find",
        "activity:",
        env=environ,
        stdout=subprocess.PIPE,
    )
    said, complaints = started.communicate(timeout=60)

    assert (said, complaints, started.returncode) == (b"\n", b"", 0)


@pytest.mark.parametrize(
    "uri", ["mongodb://127.0.0.1:9/x", "postgres://x", "sqlite:///nowhere/x.db"]
)
def test_a_store_that_is_away_is_left_out(
    provdb: Provdb, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["provdb", "--uri", uri, "session", "show", "r"])

    said = provdb(environ={"_PROVDB_COMPLETE": "fish_complete"})

    assert (said.status, said.stdout, said.stderr) == (0, "\n", "")


@pytest.mark.parametrize(
    "words",
    [
        ("que",),
        ("query", "find", "--fo"),
        ("query", "find", "level:DL2 ru"),
    ],
)
def test_no_heavy_library_is_loaded_for(home: Path, words: tuple[str, ...]) -> None:
    script = (
        "import atexit, sys\n"
        f"heavy = {_HEAVY!r}\n"
        "atexit.register(lambda: print([m for m in heavy if m in sys.modules],"
        " file=sys.stderr))\n"
        "from provdb_cli.main import cli\n"
        "cli(prog_name='provdb')\n"
    )

    said = subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        env={
            **ProvdbProcess(home=home).environ,
            "_PROVDB_COMPLETE": "zsh_complete",
            "PROVDB_URI": "mongodb://127.0.0.1:9/x",
        },
        timeout=60,
        check=True,
    )

    assert said.stdout
    assert said.stderr == "[]\n"
