"""``provdb run``: the command as if it were alone, and what is recorded of it."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any, Final

import pytest

from provdb.model import location_id
from provdb.store import open_store
from tests.cli.command import Answer, ProvdbProcess

_WAITING: Final = "while :; do sleep 0.05; done"
# A terminal of its own for the process, as a login has one.
_ON_TERMINAL: Final = (
    "import fcntl, os, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "os.execv(sys.argv[1], sys.argv[1:])\n"
)

_SAYS_WHAT_IS_LOADED: Final = """
import runpy, sys, time
def hear(event, arguments):
    if event == "import" and arguments[0] == "pymongo":
        time.sleep(1)  # As on a slow disk: whoever waits for it is late.
    if event == "os.posix_spawn":
        is_loaded = "pymongo" in sys.modules
        print("a command starts, the driver is loaded:", is_loaded, file=sys.stderr)
sys.addaudithook(hear)
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def provdb(home: Path, local_store_uri: str) -> ProvdbProcess:
    """The command, with an empty store, in a folder of its own."""
    return ProvdbProcess(home=home, uri=local_store_uri)


def _run(
    provdb: ProvdbProcess,
    *arguments: str | Path,
    stdin: bytes = b"",
    environ: dict[str, str] | None = None,
) -> Answer:
    """Run a command through to its end."""
    done = subprocess.run(
        provdb.words("run", *arguments),
        input=stdin,
        capture_output=True,
        env={**provdb.environ, **(environ or {})},
        cwd=provdb.home,
        timeout=60,
    )
    return Answer(
        status=done.returncode,
        stdout=done.stdout.decode("latin-1"),
        stderr=done.stderr.decode(),
    )


def _activity(provdb: ProvdbProcess) -> dict[str, Any]:
    """Return the document of the only activity that is stored."""
    with open_store(str(provdb.uri)) as store:
        (activity,) = store.scan("activities")
    return activity


def _entities(provdb: ProvdbProcess) -> dict[str, dict[str, Any]]:
    """Return the documents of the entities by their paths below the folder."""
    with open_store(str(provdb.uri)) as store:
        return {
            os.path.relpath(entity["location"], provdb.home): entity
            for entity in store.scan("entities")
        }


def _files(provdb: ProvdbProcess, array: str) -> list[str]:
    """Return the paths below the folder that the activity used or generated."""
    paths = {entity["_id"]: path for path, entity in _entities(provdb).items()}
    return sorted(paths[link["entity"]] for link in _activity(provdb)[array])


def _read_until(terminal: FileIO, mark: bytes) -> bytes:
    """Read what a terminal shows, up to a mark."""
    shown = b""
    while mark not in shown:
        shown += terminal.read(100)
    return shown


@pytest.fixture
def waiting(
    provdb: ProvdbProcess, request: pytest.FixtureRequest
) -> Iterator[subprocess.Popen[bytes]]:
    """A script that waits for signals, which has said that it is ready."""
    script = f"{request.param}\necho ready; {_WAITING}"
    with provdb.start(
        "run", "--name", "dl1ab", "sh", "-c", script, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


def test_streams_are_those_of_the_command(provdb: ProvdbProcess) -> None:
    every_byte = bytes(range(256)) * 1000

    said = _run(provdb, "sh", "-c", "cat; echo problem >&2", stdin=every_byte)

    assert said.stdout.encode("latin-1") == every_byte
    assert said.stderr == "problem\n"


@pytest.mark.parametrize(
    ("script", "status", "word"),
    [
        pytest.param("exit 0", 0, "completed", id="well"),
        pytest.param("exit 3", 3, "failed", id="failed"),
        pytest.param("exit 255", 255, "failed", id="highest status"),
        pytest.param("kill -SEGV $$", 139, "failed", id="fault"),
        pytest.param("kill -TERM $$", 143, "interrupted", id="terminated"),
        pytest.param("kill -KILL $$", 137, "interrupted", id="killed"),
        pytest.param("kill -40 $$", 168, "interrupted", id="signal without a name"),
    ],
)
def test_the_exit_status_is_that_of_the_command(
    provdb: ProvdbProcess, script: str, status: int, word: str
) -> None:
    said = _run(provdb, "sh", "-c", script)

    activity = _activity(provdb)
    assert (said.status, said.stdout, said.stderr) == (status, "", "")
    assert activity["status"] == word
    assert activity["end_extra"]["exit_code"] == status


@pytest.mark.parametrize(
    ("command", "status", "sentence"),
    [
        pytest.param("r0_to_dl0", 127, "r0_to_dl0 is not found", id="not found"),
        pytest.param("/etc/passwd/x", 127, "/etc/passwd/x is not found", id="no path"),
        pytest.param("/etc/passwd", 126, "Permission denied", id="not executable"),
        pytest.param("/etc", 126, "Permission denied", id="folder"),
    ],
)
def test_a_command_that_cannot_be_run_is_told_in_one_sentence(
    provdb: ProvdbProcess, command: str, status: int, sentence: str
) -> None:
    said = _run(provdb, "--", command)

    assert said.status == status
    assert said.stderr.count("\n") == 1
    assert sentence in said.stderr
    assert _activity(provdb)["status"] == "failed"


def test_a_script_that_names_no_interpreter_is_run_by_the_shell(
    provdb: ProvdbProcess,
) -> None:
    script = provdb.home / "dl1ab"
    script.write_text('echo "$1"; exit 5', encoding="utf-8")
    script.chmod(0o755)

    said = _run(provdb, "./dl1ab", "01618")

    assert (said.status, said.stdout) == (5, "01618\n")


def test_nobody_needs_to_hear_what_goes_wrong(provdb: ProvdbProcess) -> None:
    words = provdb.words("run", "--generated", "dl1.h5", "sh", "-c", "exit 0")

    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *words],
        env=provdb.environ,
        cwd=provdb.home,
        timeout=60,
    )

    assert done.returncode == 0
    assert _activity(provdb)["status"] == "completed"


def test_the_command_has_default_signals(provdb: ProvdbProcess) -> None:
    said = _run(provdb, "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status")

    found = dict(re.findall(r"(\w+):\s+(\w+)", said.stdout))
    assert int(found["SigBlk"], 16) == 0
    # The C library ignores two of its own, above the 31 that have names.
    assert int(found["SigIgn"], 16) & 0x7FFFFFFF == 0


def test_what_is_declared_is_recorded(provdb: ProvdbProcess) -> None:
    r0 = "LST-1.1.Run01618.0008.fits.fz"
    dl1 = "dl1_LST-1.Run01618.0008.h5"
    (provdb.home / r0).write_bytes(b"events")

    said = _run(
        provdb,
        "--session-tag", "r0_to_dl1:01618",
        "--used", f"Observation subrun={r0}",
        "--used", "/calibration/calibration.Run01615.0000.h5",
        "--generated", f"DL1 subrun dataset={dl1}",
        "--parameter", "threshold=0.5",
        "--parameter", "mode=fast",
        "--parameter", "run=01618",
        "--", "cp", r0, dl1,
    )  # fmt: skip

    activity = _activity(provdb)
    assert (said.status, said.stderr) == (0, "")
    assert activity["name"] == "r0_to_dl1"
    assert (activity["session_tag"], activity["run"]) == ("r0_to_dl1:01618", 1618)
    assert (activity["script"], activity["arguments"]) == ("cp", ["cp", r0, dl1])
    assert activity["used"] == [
        {"entity": location_id("/calibration/calibration.Run01615.0000.h5")},
        {
            "entity": location_id(str(provdb.home / r0)),
            "role": "Observation subrun",
        },
    ]
    assert activity["generated"] == [
        {"entity": location_id(str(provdb.home / dl1)), "role": "DL1 subrun dataset"}
    ]
    assert activity["parameters"] == {"threshold": 0.5, "mode": "fast", "run": "01618"}
    assert activity["extra"]["working_folder"] == str(provdb.home)


def test_what_the_command_needed_is_recorded(provdb: ProvdbProcess) -> None:
    _run(provdb, sys.executable, "-c", "sum(range(3_000_000))")

    needed = _activity(provdb)["end_extra"]
    assert 0 < needed["user_seconds"] < 60
    assert 0 <= needed["system_seconds"] < 60
    assert 2**20 < needed["max_rss_bytes"] < 2**40


def test_the_store_may_be_of_any_kind(home: Path, store_uri: str) -> None:
    provdb = ProvdbProcess(home=home, uri=store_uri)

    said = _run(provdb, "--name", "dl1ab", "true")

    assert (said.status, said.stderr) == (0, "")
    assert _activity(provdb)["name"] == "dl1ab"


@pytest.mark.parametrize(
    ("options", "environ", "name", "tag"),
    [
        pytest.param([], {}, "sh", "sh", id="command"),
        pytest.param(["--name", "dl1ab"], {}, "dl1ab", "dl1ab", id="name"),
        pytest.param(
            [], {"PROVDB_SESSION_TAG": "dl1ab:01618"}, "dl1ab", "dl1ab:01618", id="tag"
        ),
        pytest.param(
            ["--session-tag", "dl1ab:01619"],
            {"PROVDB_SESSION_TAG": "dl1ab:01618"},
            "dl1ab",
            "dl1ab:01619",
            id="option before variable",
        ),
    ],
)
def test_the_step_is_named_by_what_is_told(
    provdb: ProvdbProcess,
    options: list[str],
    environ: dict[str, str],
    name: str,
    tag: str,
) -> None:
    _run(provdb, *options, "sh", "-c", "exit 0", environ=environ)

    activity = _activity(provdb)
    assert (activity["name"], activity["session_tag"]) == (name, tag)


def test_the_command_records_into_the_same_session_tag_and_store(
    provdb: ProvdbProcess,
) -> None:
    said = _run(
        provdb,
        *("--session-tag", "dl1ab:01618", "--"),
        *("sh", "-c", "echo $PROVDB_SESSION_TAG $PROVDB_URI"),
    )

    assert said.stdout == f"dl1ab:01618 {provdb.uri}\n"


def test_contents_are_hashed_when_asked(provdb: ProvdbProcess) -> None:
    (provdb.home / "in.txt").write_text("events", encoding="utf-8")
    digest = hashlib.sha256(b"events").hexdigest()

    _run(
        provdb,
        *("--used", "in.txt", "--generated", "out.txt", "--hash", "sha256"),
        *("cp", "in.txt", "out.txt"),
    )

    activity = _activity(provdb)
    (used,) = activity["used"]
    (generated,) = activity["generated"]
    assert (used["hash"], generated["hash"]) == (digest, digest)


def test_an_output_that_is_not_there_is_recorded_as_missing(
    provdb: ProvdbProcess,
) -> None:
    said = _run(provdb, "--generated", "DL1=dl1.h5", "--hash", "md5", "true")

    (generated,) = _activity(provdb)["generated"]
    assert said.status == 0
    assert said.stderr == (
        "provdb: warning: the command ended well, but the output "
        f"{provdb.home}/dl1.h5 is not there\n"
    )
    assert (generated["role"], generated["extra"]) == ("DL1", {"missing": True})
    assert "extra" not in _entities(provdb)["dl1.h5"]


def test_a_command_that_failed_generated_what_it_changed(
    provdb: ProvdbProcess,
) -> None:
    (provdb.home / "before.h5").write_bytes(b"")

    said = _run(
        provdb,
        *("--generated", "before.h5", "--generated", "half.h5"),
        *("--generated", "never.h5"),
        *("sh", "-c", "echo half > half.h5; exit 1"),
    )

    assert (said.status, said.stderr) == (1, "")
    assert _files(provdb, "generated") == ["half.h5"]


def test_patterns_are_expanded_when_the_files_are_there(
    provdb: ProvdbProcess,
) -> None:
    (provdb.home / "r0.0000.fz").write_bytes(b"")
    (provdb.home / "r0.0001.fz").write_bytes(b"")
    (provdb.home / "dl1.0009.h5").write_bytes(b"")

    said = _run(
        provdb,
        *("--used", "R0=r0.*.fz", "--generated", "DL1=dl1.*.h5"),
        *("sh", "-c", "touch r0.0002.fz dl1.0000.h5 dl1.0001.h5"),
    )

    assert (said.status, said.stderr) == (0, "")
    assert _files(provdb, "used") == ["r0.0000.fz", "r0.0001.fz"]
    assert _files(provdb, "generated") == ["dl1.0000.h5", "dl1.0001.h5"]


def test_a_pattern_that_matches_nothing_is_told(provdb: ProvdbProcess) -> None:
    said = _run(provdb, "--used", "r0.*.fz", "--generated", "dl1.*.h5", "true")

    assert said.status == 0
    assert said.stderr == (
        "provdb: warning: nothing matches the input r0.*.fz\n"
        "provdb: warning: the command wrote nothing that matches dl1.*.h5\n"
    )


def test_a_dry_run_records_and_runs_nothing(provdb: ProvdbProcess) -> None:
    said = _run(
        provdb,
        *("--dry-run", "--used", "r0.fz", "--generated", "dl1.h5"),
        *("sh", "-c", "touch dl1.h5; exit 3"),
    )

    activity = _activity(provdb)
    assert (said.status, said.stdout, said.stderr) == (0, "", "")
    assert not (provdb.home / "dl1.h5").exists()
    assert _files(provdb, "used") == ["r0.fz"]
    assert _files(provdb, "generated") == ["dl1.h5"]
    assert activity["dry_run"] is True


def test_a_dry_run_of_the_environment_runs_nothing(provdb: ProvdbProcess) -> None:
    said = _run(
        provdb,
        *("--part", "night.h5", "sh", "-c", "touch night.h5"),
        environ={"PROVDB_DRY_RUN": "1"},
    )

    activity = _activity(provdb)
    assert (said.status, said.stderr) == (0, "")
    assert activity["dry_run"] is True
    assert [link["mode"] for link in activity["generated"]] == ["part"]


def test_what_the_command_does_to_its_outputs_is_recorded(
    provdb: ProvdbProcess,
) -> None:
    for name in ("night.h5", "old.0000.h5", "log.txt"):
        (provdb.home / name).write_text("before")

    said = _run(
        provdb,
        *("--part", "DL2=night.h5", "--part", "old.*.h5", "--append", "log.txt"),
        *("--generated", "new.h5"),
        *("sh", "-c", "for n in night.h5 log.txt new.h5 old.0001.h5; "
        "do echo more >> $n; done"),
    )  # fmt: skip

    paths = {entity["_id"]: path for path, entity in _entities(provdb).items()}
    links = _activity(provdb)["generated"]
    assert (said.status, said.stderr) == (0, "")
    assert {
        paths[link["entity"]]: (link.get("mode"), link.get("role")) for link in links
    } == {
        "night.h5": ("part", "DL2"),
        "old.0001.h5": ("part", None),
        "log.txt": ("append", None),
        "new.h5": (None, None),
    }


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param(("--generated", "DL2=dl2.h5", "--part", "dl2.h5"), id="same"),
        pytest.param(("--generated", "DL2=*.h5", "--part", "dl2.h5"), id="pattern"),
        pytest.param(("--part", "*.h5", "--generated", "DL2=dl2.h5"), id="any order"),
        pytest.param(
            ("--part", "dl2.h5", "--append", "DL2=dl2.h5"), id="two, of which the first"
        ),
    ],
)
def test_a_file_that_is_declared_twice_is_recorded_once_with_role_and_mode(
    provdb: ProvdbProcess, declared: tuple[str, ...]
) -> None:
    said = _run(provdb, *declared, "touch", "dl2.h5")

    assert said.status == 0
    assert _activity(provdb)["generated"] == [
        {
            "entity": location_id(str(provdb.home / "dl2.h5")),
            "role": "DL2",
            "mode": "part",
        }
    ]


def test_a_file_that_has_two_roles_is_recorded_with_both(
    provdb: ProvdbProcess,
) -> None:
    _run(
        provdb, "--generated", "A=dl1.h5", "--generated", "B=dl1.h5", "touch", "dl1.h5"
    )

    roles = [link["role"] for link in _activity(provdb)["generated"]]
    assert roles == ["A", "B"]


def test_an_output_that_is_a_link_leads_to_its_file(provdb: ProvdbProcess) -> None:
    (provdb.home / "v1").mkdir()
    (provdb.home / "pro").symlink_to("v1")

    _run(provdb, "--generated", "pro/dl1.h5", "touch", "pro/dl1.h5")

    (entity,) = _entities(provdb).values()
    assert entity["location"] == str(provdb.home / "pro" / "dl1.h5")
    assert entity["real_path"] == str((provdb.home / "v1" / "dl1.h5").resolve())
    assert entity["same_as"] == location_id(entity["real_path"])


def test_secrets_in_arguments_are_masked(provdb: ProvdbProcess) -> None:
    secret = "Xk7qPz"

    _run(provdb, "--parameter", f"password={secret}", "true", f"--token={secret}")

    with open_store(str(provdb.uri)) as store:
        stored = [
            repr(row) for name in ("activities", "sessions") for row in store.scan(name)
        ]
    assert "--token=" in "".join(stored)
    assert secret not in "".join(stored)


@pytest.mark.parametrize(
    ("waiting", "number", "word"),
    [
        pytest.param("trap 'echo got; exit 7' INT", signal.SIGINT, "interrupted"),
        pytest.param("trap 'echo got; exit 7' TERM", signal.SIGTERM, "interrupted"),
        pytest.param("trap 'echo got; exit 7' HUP", signal.SIGHUP, "interrupted"),
        pytest.param("trap 'echo got; exit 7' USR1", signal.SIGUSR1, "failed"),
        pytest.param("trap 'echo got; exit 0' TERM", signal.SIGTERM, "completed"),
    ],
    indirect=["waiting"],
)
def test_signals_are_passed_on(
    provdb: ProvdbProcess,
    waiting: subprocess.Popen[bytes],
    number: signal.Signals,
    word: str,
) -> None:
    waiting.send_signal(number)
    stdout, stderr = waiting.communicate(timeout=60)

    activity = _activity(provdb)
    assert (stdout, stderr) == (b"got\n", b"")
    assert waiting.returncode == activity["end_extra"]["exit_code"]
    assert activity["status"] == word


@pytest.mark.parametrize("waiting", [""], indirect=True)
def test_a_signal_that_kills_the_command_ends_the_activity(
    provdb: ProvdbProcess, waiting: subprocess.Popen[bytes]
) -> None:
    waiting.send_signal(signal.SIGTERM)
    waiting.communicate(timeout=60)

    activity = _activity(provdb)
    assert waiting.returncode == 143
    assert activity["status"] == "interrupted"
    assert activity["end_extra"]["signal"] == "SIGTERM"


def test_a_signal_that_was_ignored_stays_ignored(provdb: ProvdbProcess) -> None:
    words = provdb.words("run", "sh", "-c", "kill -HUP $PPID $$; echo alive")

    done = subprocess.run(
        ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *words],
        capture_output=True,
        env=provdb.environ,
        cwd=provdb.home,
        timeout=60,
    )

    assert (done.returncode, done.stdout) == (0, b"alive\n")


def test_the_terminal_interrupts_the_command_once(provdb: ProvdbProcess) -> None:
    script = (
        "import signal, time\n"
        "got = []\n"
        "signal.signal(signal.SIGINT, lambda *_: got.append(1))\n"
        "print('ready', flush=True)\n"
        "end = time.monotonic() + 30\n"
        "while not got and time.monotonic() < end: time.sleep(0.05)\n"
        "time.sleep(0.5)\n"
        "print(f'interrupts: {len(got)}!', flush=True)\n"
    )
    ours, theirs = os.openpty()
    words = provdb.words("run", sys.executable, "-c", script)

    process = subprocess.Popen(
        [sys.executable, "-c", _ON_TERMINAL, *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=provdb.environ,
        cwd=provdb.home,
        start_new_session=True,
    )
    os.close(theirs)
    with os.fdopen(ours, "r+b", buffering=0) as terminal:
        _read_until(terminal, b"ready")
        terminal.write(b"\x03")
        shown = _read_until(terminal, b"!")
        process.wait(timeout=60)

    assert b"interrupts: 1!" in shown
    assert process.returncode == 0


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("mongodb://127.0.0.1:1/provdb", id="server down"),
        pytest.param("nowhere://provdb", id="no such store"),
        pytest.param("sqlite:////proc/none/provdb.db", id="no folder"),
    ],
)
def test_a_store_that_fails_does_not_stop_the_command(home: Path, uri: str) -> None:
    provdb = ProvdbProcess(home=home, uri=uri)
    start = time.monotonic()

    said = _run(provdb, "--generated", "dl1.h5", "sh", "-c", "touch dl1.h5; exit 7")

    assert said.status == 7
    assert (home / "dl1.h5").exists()
    assert said.stderr.startswith("provdb: ")
    assert "Traceback" not in said.stderr
    assert time.monotonic() - start < 30


def test_a_spool_folder_that_fails_does_not_stop_the_command(
    provdb: ProvdbProcess,
) -> None:
    said = _run(
        provdb, "sh", "-c", "exit 7", environ={"PROVDB_SPOOL_DIR": "/proc/none"}
    )

    assert said.status == 7
    assert said.stderr.startswith("provdb: ")
    assert "Traceback" not in said.stderr


def test_settings_that_are_wrong_do_not_stop_the_command(home: Path) -> None:
    provdb = replace(ProvdbProcess(home=home), uri=None)
    words = provdb.words("--config", "none.toml", "run", "sh", "-c", "exit 7")

    done = subprocess.run(
        words, capture_output=True, env=provdb.environ, cwd=home, timeout=60
    )

    assert done.returncode == 7
    assert b"none.toml" in done.stderr


def test_a_folder_that_is_gone_does_not_stop_the_command(
    provdb: ProvdbProcess,
) -> None:
    words = provdb.words("run", "--generated", "dl1.h5", "sh", "-c", "exit 7")

    done = subprocess.run(
        ["sh", "-c", 'mkdir gone; cd gone; rmdir ../gone; exec "$@"', "sh", *words],
        capture_output=True,
        env=provdb.environ,
        cwd=provdb.home,
        timeout=60,
    )

    assert done.returncode == 7
    assert b"Traceback" not in done.stderr


@pytest.mark.mongo
def test_the_command_starts_before_the_driver_is_loaded(
    home: Path, mongo_store_uri: str
) -> None:
    provdb = ProvdbProcess(home=home, uri=mongo_store_uri)
    python, _, module, *words = provdb.words("run", "true")

    done = subprocess.run(
        [python, "-c", _SAYS_WHAT_IS_LOADED, module, *words],
        capture_output=True,
        text=True,
        env=provdb.environ,
        cwd=home,
        timeout=60,
    )

    assert done.stderr.startswith("a command starts, the driver is loaded: False\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param([], "Missing argument 'COMMAND...'", id="no command"),
        pytest.param(["--parameter", "x", "true"], "is not NAME=VALUE", id="no value"),
        pytest.param(["--hash", "crc", "true"], "--hash", id="no such hash"),
    ],
)
def test_wrong_usage_runs_nothing(
    provdb: ProvdbProcess, arguments: list[str], sentence: str
) -> None:
    said = _run(provdb, *arguments)

    assert said.status == 2
    assert sentence in said.stderr
