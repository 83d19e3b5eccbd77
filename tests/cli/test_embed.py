"""``provdb embed``: files that carry their provenance, and what is said of them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Provdb, ProvdbProcess
from tests.embed.products import contents_of, write_product

DL2 = "dl2_LST-1.Run01807.h5"
DL1 = "dl1_LST-1.Run01808.0003.h5"


@pytest.fixture
def asked(
    home: Path, local_filled_uri: Callable[[Path], str], sample_log: Path
) -> Provdb:
    """The command, with the night of two runs in the store."""
    return Provdb(home=home, uri=local_filled_uri(sample_log))


@pytest.fixture
def dl2(tmp_path: Path) -> Path:
    """A file of that night."""
    return write_product(tmp_path / DL2)


def test_what_was_embedded_is_ingested_in_another_home(
    asked: Provdb, dl2: Path, tmp_path: Path
) -> None:
    before = contents_of(dl2)
    other = Provdb(home=tmp_path, uri=f"sqlite:///{tmp_path}/other.db")

    said = asked("embed", dl2)

    assert (said.status, said.json[0]["status"]) == (0, "embedded")
    assert said.json[0]["activities"] == 35
    assert contents_of(dl2) == before
    assert other("ingest", dl2).status == 0
    question = ("query", "lineage", DL2, "--format", "json")
    assert other(*question).stdout == asked(*question).stdout


@pytest.mark.mongo
def test_every_store_embeds_the_same(
    ask_sample: Provdb, asked: Provdb, dl2: Path
) -> None:
    asked("embed", dl2)

    assert ask_sample("embed", dl2).json[0]["status"] == "up to date"


def test_a_dry_run_writes_nothing(asked: Provdb, dl2: Path) -> None:
    before = dl2.read_bytes()

    said = asked("embed", dl2, "--dry-run", "--format", "jsonl")

    assert said.status == 0
    assert json.loads(said.stdout)["status"] == "to be embedded"
    assert dl2.read_bytes() == before


def test_a_copy_is_written_to_a_file_or_a_folder(
    asked: Provdb, dl2: Path, tmp_path: Path
) -> None:
    before = dl2.read_bytes()
    dl1 = write_product(tmp_path / DL1)
    folder = tmp_path / "archive"
    folder.mkdir()

    one = asked("embed", dl2, "-o", tmp_path / "new.h5")
    two = asked("embed", dl2, dl1, "-o", folder)

    assert [one.status, two.status] == [0, 0]
    assert sorted(path.name for path in folder.iterdir()) == [DL1, DL2]
    assert [row["file"] for row in two.json] == [f"{folder}/{DL2}", f"{folder}/{DL1}"]
    assert dl2.read_bytes() == before


def test_a_file_that_cannot_be_done_costs_no_other(
    asked: Provdb, dl2: Path, tmp_path: Path
) -> None:
    text = tmp_path / DL1
    text.write_text("no HDF5")

    said = asked("embed", text, "nowhere.h5", dl2)

    assert said.status == 3
    assert [row["file"] for row in said.json] == [str(dl2)]
    assert "it is no HDF5 and no FITS file" in said.stderr
    assert "nothing in the store is called nowhere.h5" in said.stderr


def test_what_is_odd_is_told_beside_the_result(asked: Provdb, dl2: Path) -> None:
    said = asked("embed", dl2, "--format", "table")

    assert f"warning: {dl2}: the store knows it by its name only" in said.stderr
    assert said.stdout.splitlines()[2].startswith("embedded")


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        pytest.param([], 2, "Missing argument", id="nothing"),
        pytest.param([""], 2, "it is empty", id="no name"),
        pytest.param(["nowhere.h5"], 1, "nothing in the store", id="unknown"),
        pytest.param([DL2], 3, "there is no such file here; in the store", id="away"),
        pytest.param(["a.h5", "b.h5", "-o", "c.h5"], 2, "-o names a folder", id="-o"),
        pytest.param(["a/a", "b/a", "-o", "/"], 2, "have one name", id="one name"),
    ],
)
def test_what_is_wrong_is_told(
    asked: Provdb, arguments: list[str], status: int, sentence: str
) -> None:
    said = asked("embed", *arguments)

    assert said.status == status
    assert sentence in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize("columns", [80, 200])
def test_a_terminal_shows_a_table(
    asked: Provdb, dl2: Path, home: Path, columns: int
) -> None:
    process = ProvdbProcess(home=home, uri=asked.uri)

    said = process.on_terminal("embed", dl2, columns=columns)

    assert said.status == 0
    assert max(map(len, said.stdout.splitlines()[-1:])) <= columns
    assert "embedded" in said.stdout.splitlines()[-1]
