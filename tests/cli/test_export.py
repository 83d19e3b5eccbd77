"""``provdb export`` writes documents, and says in one sentence why it does not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Provdb, night_warning

DL2 = "dl2_LST-1.Run01807.h5"
WARNING = night_warning("run 01807, subruns 0000-0010 (11)")


@pytest.fixture
def asked(
    home: Path, local_filled_uri: Callable[[Path], str], sample_log: Path
) -> Provdb:
    """The command, with the night of two runs in the store."""
    return Provdb(home=home, uri=local_filled_uri(sample_log))


def test_a_lineage_is_prov_json_unless_told(asked: Provdb) -> None:
    said = asked("export", DL2)

    assert (said.status, said.stderr) == (0, WARNING)
    assert len(said.json["activity"]) == 35


def test_the_ending_chooses_the_format(asked: Provdb, tmp_path: Path) -> None:
    said = asked("export", DL2, "-o", tmp_path / "lineage.provn")

    assert (said.status, said.stdout, said.stderr) == (0, "", WARNING)
    text = (tmp_path / "lineage.provn").read_text(encoding="utf-8")
    assert text.startswith("document\n  prefix provdb <urn:provdb:>\n")


def test_an_impact_and_a_part_of_a_lineage_are_exported(asked: Provdb) -> None:
    impact = asked("export", "drs4_pedestal.Run01804.0000.h5", "--impact")
    part = asked("export", DL2, "--depth", "1")

    labels = {one["prov:label"] for one in impact.json["activity"].values()}
    assert "dl1_to_dl2" in labels
    assert {one["prov:label"] for one in part.json["activity"].values()} == {
        "dl1_to_dl2"
    }
    assert "warning: the answer was cut" in part.stderr


def test_all_steps_of_a_tag_are_exported(asked: Provdb) -> None:
    said = asked("export", "--tag", "r0_to_dl1:*")

    tags = {one["provdb:session_tag"] for one in said.json["activity"].values()}
    assert tags == {"r0_to_dl1:01807", "r0_to_dl1:01808"}


def test_a_collapsed_lineage_is_exported(asked: Provdb) -> None:
    said = asked("export", DL2, "--collapse", "run")

    sizes = [one.get("provdb:size") for one in said.json["activity"].values()]
    assert {"$": "11", "type": "xsd:int"} in sizes
    assert len(sizes) < 10


def test_a_definition_is_written_with_it(asked: Provdb) -> None:
    definition = Path(__file__).parents[2] / "provdb" / "demo" / "definition.yaml"

    said = asked("export", DL2, "--definition", definition)

    assert "voprov:ActivityDescription" in json.dumps(said.json)


def test_what_was_exported_is_ingested(asked: Provdb, tmp_path: Path) -> None:
    asked("export", DL2, "-o", tmp_path / "lineage.ttl")
    other = Provdb(home=tmp_path, uri=f"sqlite:///{tmp_path}/other.db")

    assert other("ingest", tmp_path / "lineage.ttl").status == 0

    question = ("query", "lineage", DL2, "--format", "json")
    assert other(*question).stdout == asked(*question).stdout


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        pytest.param([], 2, "name a FILE or a --tag, one of both", id="nothing"),
        pytest.param([DL2, "--tag", "a"], 2, "one of both", id="both"),
        pytest.param(["--tag", "a", "--impact"], 2, "about a FILE", id="impact"),
        pytest.param(
            ["--tag", "a", "--depth", "1"], 2, "--depth is about a FILE", id="depth"
        ),
        pytest.param([DL2, "--format", "word"], 2, "Invalid value", id="format"),
        pytest.param(
            [DL2, "-o", "lineage.docx"], 2, "there is no format .docx", id="ending"
        ),
        pytest.param(["nowhere.h5"], 1, "nothing in the store is called", id="file"),
        pytest.param(["--tag", "x:*"], 1, "no step has the tag x:*", id="tag"),
        pytest.param(
            [DL2, "-o", "/nowhere/lineage.json"],
            3,
            "/nowhere/lineage.json: it cannot be written",
            id="output",
        ),
        pytest.param(
            [DL2, "--definition", "/nowhere.yaml"],
            3,
            "/nowhere.yaml: No such file",
            id="definition",
        ),
    ],
)
def test_what_is_wrong_is_told(
    asked: Provdb, arguments: list[str], status: int, sentence: str
) -> None:
    said = asked("export", *arguments)

    assert (said.status, said.stdout) == (status, "")
    assert sentence in said.stderr
    assert "Traceback" not in said.stderr
