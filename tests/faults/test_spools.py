"""What processes left is stored by anybody, at any time, any number of times."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import orjson
import pytest

from provdb.capture.dead_letters import DeadLetters
from tests.faults.conftest import NewSpools
from tests.faults.kit import NOBODY, Spools
from tests.faults.records import Sent, record

_UNREACHABLE: Final = {"FAULTS_URI": NOBODY}
_WRITERS: Final = 4


def leave(spools: Spools, *, name: str = "w", records: int = 60) -> Path:
    """Have a process leave its records, and return its spool."""
    known = set(spools.spool_dir.glob("*"))
    spools.run(f'Writer("{name}").log({records})\n__import__("os")._exit(0)')
    (left,) = set(spools.spool_dir.glob("*")) - known
    return left


@pytest.fixture
def away(any_store_uri: str, new_spools: NewSpools) -> Spools:
    """Pipelines whose store is away until what they left is replayed."""
    spools = new_spools(any_store_uri)
    spools.environ = _UNREACHABLE
    return spools


def test_a_torn_last_line_costs_only_itself(away: Spools) -> None:
    spool = leave(away)
    spool.write_bytes(spool.read_bytes()[:-20])

    replayed = away.replay()

    assert (replayed.status, away.left()) == (0, [])
    assert away.missing() == [Sent("w", 59)]


@pytest.mark.parametrize("at", [0.3, 0.5, 0.8])
def test_a_damaged_line_costs_only_itself(away: Spools, at: float) -> None:
    spool = leave(away)
    text = bytearray(spool.read_bytes())
    text[int(len(text) * at)] ^= 1
    spool.write_bytes(text)

    replayed = away.replay()

    assert replayed.status == 1
    assert len(away.missing()) == 1
    (letter,) = read_dead(away)
    assert "checksum" in letter["reason"] or "no line" in letter["reason"]


def test_a_damaged_first_line_costs_no_record(away: Spools) -> None:
    spool = leave(away)
    text = bytearray(spool.read_bytes())
    text[text.index(b"mongodb")] ^= 1
    spool.write_bytes(text)

    replayed = away.replay()

    assert replayed.status == 1
    assert away.missing() == []


def test_a_dead_letter_that_is_mended_is_stored(away: Spools) -> None:
    spool = leave(away)
    text = bytearray(spool.read_bytes())
    text[len(text) // 2] ^= 1
    spool.write_bytes(text)
    away.replay()
    (lost,) = away.missing()
    (dead,) = away.dead()
    dead.write_bytes(orjson.dumps({"id": "mended", "record": record(lost)}) + b"\n")

    replayed = away.replay()

    assert (replayed.status, away.missing(), away.left()) == (0, [], [])


def test_a_dead_letter_that_is_not_mended_stays(away: Spools) -> None:
    spool = leave(away)
    text = bytearray(spool.read_bytes())
    text[len(text) // 2] ^= 1
    spool.write_bytes(text)
    away.replay()
    before = read_dead(away)

    replayed = away.replay()

    assert (replayed.status, read_dead(away)) == (1, before)


def test_a_replay_without_a_store_keeps_every_dead_letter(away: Spools) -> None:
    spool = leave(away)
    DeadLetters(spool).add(b"the first", reason="it is no line of a spool")
    away.replay(uri="sqlite:////proc/nowhere/provdb.db")
    with spool.open("ab") as file:
        file.write(b"the second\n")

    away.replay()
    away.replay()

    damaged = sorted(letter["damaged"] for letter in read_dead(away))
    assert damaged == ["the first", "the second"]
    assert away.missing() == []


def test_the_spool_of_another_host_is_replayed_and_not_shipped(away: Spools) -> None:
    spool = leave(away)
    elsewhere = spool.with_name("cp15-" + spool.name.partition("-")[2])
    spool.rename(elsewhere)

    away.run('Writer("v").log(6)', environ={"FAULTS_URI": away.uri})

    assert away.left() == [elsewhere.name]
    assert away.outcome() == ([], [], [])


def test_a_later_process_ships_what_an_earlier_one_left(spools: Spools) -> None:
    leave(spools)

    ended = spools.run(
        'import time\nwriter = Writer("v", flush_interval_seconds=0.05)\n'
        "writer.log(6)\ntime.sleep(2)"
    )

    assert (ended.status, ended.stderr) == (0, "")
    assert (spools.missing(), spools.left()) == ([], [])


def test_a_spool_of_another_store_is_left_alone(away: Spools) -> None:
    spool = leave(away)

    replayed = away.provdb("spool", "replay", spool_dir=True)
    shipped = away.run('Writer("v").log(6)', environ={"FAULTS_URI": away.uri})

    assert (replayed.status, shipped.status) == (0, 0)
    assert "1 spool left for another store" in replayed.stderr
    assert away.left() == [spool.name]


def test_several_replays_at_once_are_one(away: Spools) -> None:
    spool_count = 5
    spools = [leave(away, name=f"w{each}") for each in range(spool_count)]
    command = [sys.executable, "-m", "provdb_cli.main", "--uri", away.uri]
    command += ["spool", "replay", str(away.spool_dir)]

    replays = [
        subprocess.Popen(
            command, env=away.environment(), stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    said = [(replay.communicate()[1], replay.returncode) for replay in replays]

    assert len(spools) == spool_count
    assert [status for _, status in said] == [0] * 4
    assert away.outcome() == ([], [], [])


def test_replaying_while_pipelines_run_disturbs_nobody(spools: Spools) -> None:
    script = 'Writer(__import__("sys").argv[1]).log(600, pause=0.002)'
    writers = [spools.start(script, f"w{each}") for each in range(_WRITERS)]
    writers[0].wait_until_taken(1)

    replays = [spools.replay() for _ in range(3)]
    ended = [writer.wait_for_end() for writer in writers]

    assert [replay.status for replay in replays] == [0] * 3
    assert [(each.status, each.stderr) for each in ended] == [(0, "")] * _WRITERS
    assert len(spools.taken) == _WRITERS * 600
    assert (spools.missing(), spools.left()) == ([], [])


def test_the_status_names_what_is_left(away: Spools) -> None:
    spool = leave(away)

    said = away.provdb("spool", "status", str(away.spool_dir), "--format", "json")

    (row,) = orjson.loads(said.stdout)
    assert row == {
        "path": str(spool),
        "spool": spool.name,
        "running": False,
        "records": 60,
        "dead": 0,
        "size_bytes": spool.stat().st_size,
        "store": NOBODY,
    }


def test_the_status_knows_who_is_running(away: Spools) -> None:
    pipeline = away.start('writer = Writer("w")\nwriter.log(6)\nwait("half")')
    pipeline.wait_for("half")

    said = away.provdb("spool", "status", str(away.spool_dir), "--format", "json")

    assert [row["running"] for row in orjson.loads(said.stdout)] == [True]


def test_a_spool_is_for_its_owner_alone(away: Spools) -> None:
    spool = leave(away)

    assert oct(spool.stat().st_mode & 0o777) == "0o600"
    assert oct(away.spool_dir.stat().st_mode & 0o777) == "0o700"


def read_dead(spools: Spools) -> list[dict[str, str]]:
    """Return the dead letters, by their order."""
    return [
        orjson.loads(line)
        for path in spools.dead()
        for line in path.read_bytes().splitlines()
    ]
