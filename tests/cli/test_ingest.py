"""``provdb ingest``: every kind of input, what is told, and what is stored."""

import gzip
import os
import pty
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.benchmarks.night import Night, write
from tests.cli.command import Provdb, ProvdbProcess
from tests.samples import LSTCHAIN_DL1

_LONG_AGO = 1_579_306_800
NightLog = Callable[[int], Path]
Start = Callable[..., Any]

_NAMELESS = b"INFO provLogger __PROV__2020-01-18T08:00:00__PROV__{'entity_id': "
_RECORD = _NAMELESS + b"'1a2b', 'name': 'R0SubrunDataset'}\n"
_BROKEN = _NAMELESS + b"\n"


def _added(report: dict[str, dict[str, dict[str, int]]]) -> dict[str, int]:
    return {name: counts["added"] for name, counts in report["written"].items()}


def _changed(report: dict[str, dict[str, dict[str, int]]]) -> dict[str, int]:
    return {name: counts["changed"] for name, counts in report["written"].items()}


def test_the_sample_of_lstosa_is_read_whole(
    provdb_there: Provdb, sample_log: Path
) -> None:
    said = provdb_there("ingest", sample_log)

    assert (said.status, said.stderr) == (0, "")
    assert said.json == {
        "inputs": 1,
        "unchanged": 0,
        "others": 0,
        "unread": 0,
        "lines": 1280,
        "records": 1280,
        "foreign": 0,
        "skipped": 0,
        "formats": {
            "lstosa": {
                "inputs": 1,
                "unchanged": 0,
                "records": 1280,
                "skipped": 0,
                "unread": 0,
            }
        },
        "written": {
            "environments": {"added": 1, "changed": 0, "unchanged": 0},
            "entities": {"added": 121, "changed": 0, "unchanged": 0},
            "sessions": {"added": 10, "changed": 0, "unchanged": 0},
            "activities": {"added": 82, "changed": 0, "unchanged": 0},
            "files": {"added": 0, "changed": 0, "unchanged": 0},
        },
    }


def test_the_log_of_the_slides_is_read_whole(
    provdb_there: Provdb, slides_log: Path
) -> None:
    ingested = provdb_there("ingest", slides_log)
    asked = provdb_there("session", "list")

    assert (ingested.status, ingested.stderr) == (0, "")
    assert (ingested.json["lines"], ingested.json["skipped"]) == (12, 0)
    assert [row["session_id"] for row in asked.json] == [
        "8739478486569",
        "8773094569769",
    ]


def test_a_repeated_ingest_changes_nothing(
    provdb_there: Provdb, sample_log: Path
) -> None:
    first = provdb_there("ingest", sample_log).json["written"]

    again = provdb_there("ingest", sample_log)

    assert again.status == 0
    assert again.json["written"] == {
        name: {"added": 0, "changed": 0, "unchanged": counts["added"]}
        for name, counts in first.items()
    }


def test_standard_input_is_read(provdb_there: Provdb, night_log: NightLog) -> None:
    log = night_log(1)

    piped = provdb_there("ingest", "-", stdin=log.read_bytes())
    again = provdb_there("ingest", log)

    assert (piped.status, piped.stderr) == (0, "")
    assert piped.json["inputs"] == 1
    assert set(_added(again.json).values()) == {0}


def test_compressed_standard_input_is_read(
    provdb_there: Provdb, sample_log: Path
) -> None:
    said = provdb_there("ingest", "-", stdin=sample_log.read_bytes())

    assert (said.status, said.json["records"]) == (0, 1280)


def test_a_file_is_known_as_compressed_without_its_ending(
    provdb_there: Provdb, sample_log: Path, tmp_path: Path
) -> None:
    log = tmp_path / "prov.log"
    shutil.copy(sample_log, log)

    said = provdb_there("ingest", log)

    assert (said.status, said.json["records"]) == (0, 1280)


def test_a_folder_is_read_with_all_logs_in_it(
    provdb_there: Provdb, sample_log: Path, slides_log: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "logs"
    (folder / "20200117").mkdir(parents=True)
    shutil.copy(sample_log, folder / "20200117" / "prov.log.1.gz")
    shutil.copy(slides_log, folder / "prov.log")
    (folder / "dl1_LST-1.Run01807.h5").write_bytes(bytes(10))

    said = provdb_there("ingest", folder)

    assert (said.status, said.stderr) == (0, "")
    assert (said.json["inputs"], said.json["records"]) == (2, 1292)


def test_other_inputs_are_stored_where_one_is_missing(
    provdb_there: Provdb, slides_log: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "missing.log"

    said = provdb_there("ingest", missing, slides_log)
    asked = provdb_there("session", "list")

    assert said.status == 3
    assert (said.json["inputs"], said.json["unread"]) == (1, 1)
    assert said.stderr == (
        f"provdb: warning: {missing}: there is no such file or folder\n"
    )
    assert len(asked.json) == 2


def test_a_line_that_is_no_record_is_told_with_its_file_and_line(
    provdb_there: Provdb, tmp_path: Path
) -> None:
    log = tmp_path / "prov.log"
    log.write_bytes(b"somebody else\n" + _RECORD + _BROKEN + _RECORD)

    said = provdb_there("ingest", log)

    assert said.status == 0
    assert said.stderr.startswith(f"provdb: warning: {log}:3: ")
    assert said.stderr.count("\n") == 1
    assert said.json["lines"] == 4
    assert said.json["records"] == 2
    assert said.json["foreign"] == 1
    assert said.json["skipped"] == 1


@pytest.mark.parametrize(
    ("problems", "told"),
    [
        pytest.param(20, [], id="twenty are all told"),
        pytest.param(
            25, ["provdb: warning: and 5 more like these"], id="more are counted"
        ),
    ],
)
def test_many_problems_are_summarised(
    provdb_there: Provdb, tmp_path: Path, problems: int, told: list[str]
) -> None:
    log = tmp_path / "prov.log"
    log.write_bytes(_RECORD + _BROKEN * problems)

    said = provdb_there("ingest", log)

    lines = said.stderr.splitlines()
    assert (said.status, said.json["skipped"]) == (0, problems)
    assert len(lines[:20]) == 20
    assert lines[20:] == told


def test_a_damaged_archive_is_read_to_where_it_ends(
    provdb_there: Provdb, sample_log: Path, tmp_path: Path
) -> None:
    log = tmp_path / "prov.log.gz"
    log.write_bytes(sample_log.read_bytes()[:30_000])

    said = provdb_there("ingest", log)

    assert said.status == 0
    assert said.json["records"] > 100
    assert "the compressed file is damaged after this line" in said.stderr


def test_the_format_can_be_told(provdb_there: Provdb, slides_log: Path) -> None:
    said = provdb_there("ingest", "--format", "lstosa", slides_log)

    assert (said.status, said.json["records"]) == (0, 12)


def test_times_are_read_in_the_zone_of_the_settings(
    provdb_there: Provdb, slides_log: Path
) -> None:
    zone = {"PROVDB_TIMEZONE": "Atlantic/Canary"}
    provdb_there("ingest", slides_log, environ=zone)

    first, _ = provdb_there("session", "list").json

    assert first["first_start"] == "2020-05-18T13:18:06.362Z"


def test_an_interrupted_ingest_is_completed_by_the_next_one(
    provdb_there: Provdb, home: Path, tmp_path: Path
) -> None:
    log = tmp_path / "prov.log"
    write(Night(subruns=20), log)
    text = log.read_bytes()
    half = text.index(b"\n", len(text) // 2) + 1

    process = ProvdbProcess(home=home, uri=provdb_there.uri).start(
        "ingest", log, "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    # Far more than a pipe holds: when it is written, reading has begun.
    process.stdin.write(text[:half])
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    completed = provdb_there("ingest", log)
    again = provdb_there("ingest", log)

    assert (process.returncode, stdout) == (130, b"")
    assert stderr == b"provdb: interrupted; what was stored until now stays\n"
    assert completed.status == 0
    assert set(_added(again.json).values()) == {0}
    assert again.json["written"]["activities"]["unchanged"] == 84


def test_an_ingest_of_pieces_is_that_of_the_whole_but_for_the_places_of_records(
    provdb_there: Provdb, night_log: NightLog, tmp_path: Path
) -> None:
    lines = night_log(1).read_bytes().splitlines(keepends=True)
    first, second = tmp_path / "prov.log.1.gz", tmp_path / "prov.log"
    first.write_bytes(gzip.compress(b"".join(lines[:30]), mtime=0))
    second.write_bytes(b"".join(lines[30:]))

    provdb_there("ingest", second)
    provdb_there("ingest", first)
    whole = provdb_there("ingest", night_log(1))
    again = provdb_there("ingest", night_log(1))

    assert set(_added(whole.json).values()) == {0}
    # Six activities have records in the second piece, which are further down in the
    # whole log.
    assert {name: n for name, n in _changed(whole.json).items() if n} == {
        "activities": 6
    }
    assert set(_changed(again.json).values()) == {0}


@pytest.fixture
def start() -> Iterator[Start]:
    """What starts the command, which is ended with the test."""
    with ExitStack() as stack:

        def start(process: ProvdbProcess, *words: Any, **options: Any) -> Any:
            started = process.start(*words, **options)
            stack.callback(started.wait)
            stack.callback(started.kill)
            return started

        yield start


@pytest.fixture
def old_logs(tmp_path: Path, slides_log: Path) -> Path:
    """A folder of logs that nobody has written to for years."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(40):
        shutil.copy(slides_log, folder / f"{number:02}.log")
        os.utime(folder / f"{number:02}.log", (_LONG_AGO, _LONG_AGO))
    return folder


def test_a_folder_that_has_not_changed_is_passed_over(
    provdb_there: Provdb, old_logs: Path
) -> None:
    first = provdb_there("ingest", "--jobs", "2", old_logs)
    again = provdb_there("ingest", old_logs)
    all_again = provdb_there("ingest", "--again", old_logs)

    assert [said.status for said in (first, again, all_again)] == [0, 0, 0]
    counts = [
        (said.json["inputs"], said.json["unchanged"])
        for said in (first, again, all_again)
    ]
    assert counts == [(40, 0), (0, 40), (40, 0)]
    assert again.json["formats"]["lstosa"]["unchanged"] == 40


def test_what_has_not_changed_is_said_in_words(
    home: Path, local_store_uri: str, old_logs: Path
) -> None:
    process = ProvdbProcess(home=home, uri=local_store_uri)
    process.on_terminal("ingest", old_logs)

    said = process.on_terminal("ingest", old_logs)

    assert said.status == 0
    assert "provdb: read nothing; 40 files unchanged\n" in said.stdout


@pytest.mark.parametrize("columns", [80, 200])
def test_files_and_rate_and_remaining_time_are_shown(
    home: Path, local_store_uri: str, old_logs: Path, columns: int
) -> None:
    process = ProvdbProcess(home=home, uri=local_store_uri)
    for number in range(40, 1000):
        shutil.copy(old_logs / "00.log", old_logs / f"{number}.log")

    said = process.on_terminal("ingest", old_logs, columns=columns)

    assert "1,000/1,000 files" in said.stdout
    shown = re.sub(r"\x1b\[[0-9;?]*\w", "", said.stdout).replace("\r", "\n")
    lines = [line for line in shown.splitlines() if line.startswith("reading")]
    assert max(map(len, lines)) < columns
    assert re.search(r"\d/s \d:\d\d:\d\d", shown)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_watch_ends_with_the_report(
    provdb_there: Provdb,
    home: Path,
    old_logs: Path,
    start: Start,
    number: signal.Signals,
) -> None:
    provdb_there("db", "init")
    process = ProvdbProcess(home=home, uri=provdb_there.uri)

    watch = start(process, "ingest", "--watch", "--interval=0.1", old_logs, stdout=-1)
    _until(lambda: len(provdb_there("session", "list").json) == 2)
    before = _documents(provdb_there, "entities")
    (old_logs / "new.log").write_bytes(_RECORD)
    _until(lambda: _documents(provdb_there, "entities") == before + 1)
    watch.send_signal(number)
    stdout, stderr = watch.communicate(timeout=60)

    assert (watch.returncode, stderr) == (0, b"")
    report = orjson.loads(stdout)
    assert report["inputs"] >= 41
    assert report["written"]["sessions"]["added"] == 2


def test_a_watch_shows_on_a_terminal_that_it_waits(
    home: Path, local_store_uri: str, old_logs: Path, start: Start
) -> None:
    ours, theirs = pty.openpty()
    process = ProvdbProcess(home=home, uri=local_store_uri)

    words = ("ingest", "--watch", old_logs)
    watch = start(process, *words, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = bytearray()
    _until(lambda: b"Ctrl-C ends" in _more(shown, ours))
    watch.send_signal(signal.SIGINT)
    _until(lambda: b"environments" in _more(shown, ours))
    os.close(ours)

    assert watch.wait(timeout=60) == 0
    assert "watching: read 40 inputs, 0 files unchanged" in shown.decode()


def test_two_processes_may_read_one_folder_at_once(
    provdb_there: Provdb, home: Path, old_logs: Path, start: Start
) -> None:
    for number in range(40):
        shutil.copy(LSTCHAIN_DL1, old_logs / f"{number}.h5")
        os.utime(old_logs / f"{number}.h5", (_LONG_AGO, _LONG_AGO))
    process = ProvdbProcess(home=home, uri=provdb_there.uri)

    both = [start(process, "ingest", old_logs, stdout=-1) for _ in range(2)]
    said = [ingest.communicate(timeout=60) for ingest in both]
    again = provdb_there("ingest", old_logs).json
    all_again = provdb_there("ingest", "--again", old_logs).json

    assert [ingest.returncode for ingest in both] == [0, 0]
    assert [stderr for _, stderr in said] == [b"", b""]
    assert (again["inputs"], again["unchanged"]) == (0, 80)
    written = all_again["written"].values()
    assert [counts["added"] + counts["changed"] for counts in written] == [0] * 5


def test_an_interrupted_folder_leaves_no_process_and_goes_on_where_it_was(
    provdb_there: Provdb, home: Path, tmp_path: Path, start: Start
) -> None:
    psutil = pytest.importorskip("psutil")
    for number in range(1500):
        shutil.copy(LSTCHAIN_DL1, tmp_path / f"{number:04}.h5")
        os.utime(tmp_path / f"{number:04}.h5", (_LONG_AGO, _LONG_AGO))
    provdb_there("db", "init")
    process = ProvdbProcess(home=home, uri=provdb_there.uri)

    ingest = start(process, "ingest", "--jobs=2", tmp_path, stdout=subprocess.PIPE)
    _until(lambda: _documents(provdb_there, "readings") > 0)
    readers = psutil.Process(ingest.pid).children()
    ingest.send_signal(signal.SIGINT)
    stdout, stderr = ingest.communicate(timeout=60)
    _, alive = psutil.wait_procs(readers, timeout=30)
    resumed = provdb_there("ingest", tmp_path).json

    assert (ingest.returncode, stdout, alive) == (130, b"", [])
    assert stderr == b"provdb: interrupted; what was stored until now stays\n"
    assert len(readers) == 2
    assert resumed["unchanged"] >= 500
    assert resumed["inputs"] + resumed["unchanged"] == 1500


def _documents(provdb: Provdb, collection: str) -> int:
    rows = {row["name"]: row["documents"] for row in provdb("db", "stats").json}
    documents: int = rows[collection]
    return documents


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def _more(shown: bytearray, terminal: int) -> bytearray:
    shown += os.read(terminal, 65536)
    return shown
