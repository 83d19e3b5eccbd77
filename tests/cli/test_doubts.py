"""What an answer lacks or doubts: in each format, on stderr, in the exit status."""

import csv
from pathlib import Path
from typing import Final

import pytest

from provdb.store import open_store
from tests.cli.command import Provdb
from tests.embed.products import write_product
from tests.lineage.histories import Step, file, remember

_RAW: Final = file("/R0/LST-1.1.Run01807.0000.fits.fz", "R0SubrunDataset")
_DL1: Final = file("/DL1/dl1_LST-1.Run01807.0000.h5", "DL1SubrunDataset")
_DL2: Final = file("/DL2/dl2_LST-1.Run01807.0000.h5", "DL2SubrunDataset")
_REDUCE: Final = Step(name="r0_to_dl1", used=[_RAW], generated=[_DL1], start=0, end=1)
_ANALYSE: Final = Step(name="dl1_to_dl2", used=[_DL1], generated=[_DL2], start=2, end=3)
_NAME: Final = "dl2_LST-1.Run01807.0000.h5"
_NOT_COMPLETE: Final = "Not complete: 1 gap (dl1_LST-1.Run01807.0000.h5).\n"
_LINEAGE: Final = ("query", "lineage", _NAME)
_PATH: Final = ("query", "path", _RAW.id, _NAME)


@pytest.fixture
def with_gap(provdb_there: Provdb) -> Provdb:
    """The command, with a DL1 file that nobody is known to have made."""
    with open_store(str(provdb_there.uri)) as store:
        remember(store, _DL1, _DL2, _ANALYSE)
    return provdb_there


@pytest.fixture
def complete(provdb_there: Provdb) -> Provdb:
    """The command, with the whole lineage of a DL2 file."""
    with open_store(str(provdb_there.uri)) as store:
        remember(store, _RAW, _DL1, _DL2, _REDUCE, _ANALYSE)
    return provdb_there


@pytest.fixture
def with_conflict(provdb_there: Provdb) -> Provdb:
    """The command, with a DL1 file that was written only after it was used."""
    late = Step(name="r0_to_dl1", used=[_RAW], generated=[_DL1], start=1.5, end=2.9)
    with open_store(str(provdb_there.uri)) as store:
        remember(store, _RAW, _DL1, _DL2, late, _ANALYSE)
    return provdb_there


@pytest.mark.parametrize("format_name", ["table", "csv", "jsonl", "dot", "prov-n"])
def test_a_gap_is_one_warning(with_gap: Provdb, format_name: str) -> None:
    said = with_gap(*_LINEAGE, "--format", format_name)

    assert (said.status, said.stderr) == (0, f"provdb: warning: {_NOT_COMPLETE}")


def test_a_gap_is_a_field_of_json_and_not_a_warning(with_gap: Provdb) -> None:
    said = with_gap(*_LINEAGE)

    completeness = said.json["completeness"]
    assert said.stderr == ""
    assert completeness["sentence"] == _NOT_COMPLETE.strip()
    assert [gap.partition("@")[0] for gap in completeness["gaps"]] == [_DL1.id]


def test_a_gap_stands_in_the_tree_and_not_in_a_warning(with_gap: Provdb) -> None:
    said = with_gap(*_LINEAGE, "--format=tree")

    assert said.stderr == ""
    assert said.stdout.splitlines()[1].split()[-2:] == ["gap", "/DL1"]
    assert said.stdout.endswith(_NOT_COMPLETE)


def test_leaves_have_a_warning(with_gap: Provdb) -> None:
    said = with_gap(*_LINEAGE, "--format=tree", "--leaves=R0")

    assert (said.stdout, said.stderr) == ("", f"provdb: warning: {_NOT_COMPLETE}")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(_LINEAGE, id="lineage"),
        pytest.param(("query", "lineage", _NAME, "--format=tree"), id="tree"),
        pytest.param(("query", "lineage", _NAME, "--format=svg"), id="svg"),
        pytest.param(("export", _NAME), id="export"),
        pytest.param(("query", "find", f"upstream(id:{_DL2.id}) level:DL1"), id="find"),
        pytest.param(("products", "01807", "--view=dl1_to_dl2"), id="products"),
    ],
)
def test_strict_is_status_1_and_the_answer_is_written_all_the_same(
    with_gap: Provdb,
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)

    usual = with_gap(*words)
    strict = with_gap(*words, "--strict")

    assert (usual.status, strict.status) == (0, 1)
    assert usual.stdout == strict.stdout != ""


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(_LINEAGE, id="lineage"),
        pytest.param(("query", "impact", _RAW.id), id="impact"),
        pytest.param(("export", _NAME), id="export"),
        pytest.param(_PATH, id="path"),
        pytest.param(("query", "diff", _NAME, _NAME), id="diff"),
        pytest.param(("query", "find", f"upstream(id:{_DL2.id})"), id="find"),
    ],
)
def test_a_certain_answer_is_status_0_however_strict(
    complete: Provdb, words: tuple[str, ...]
) -> None:
    said = complete(*words, "--strict")

    assert (said.status, said.stderr) == (0, "")


def test_embed_warns_and_embeds_all_the_same(with_gap: Provdb, tmp_path: Path) -> None:
    product = write_product(tmp_path / _NAME)

    said = with_gap("embed", product, "--strict")

    assert said.status == 1
    assert said.stderr.endswith(f"provdb: warning: {product}: {_NOT_COMPLETE}")
    (row,) = said.json
    assert (row["status"], row["warnings"][-1]) == ("embedded", _NOT_COMPLETE.strip())


def test_find_warns_of_the_lineage_that_it_follows(with_gap: Provdb) -> None:
    said = with_gap("query", "find", f"upstream(id:{_DL2.id}) level:DL1")

    assert len(said.json) == 1
    assert said.stderr == "provdb: warning: Not complete: 1 gap.\n"


def test_find_without_a_lineage_does_not_warn(with_gap: Provdb) -> None:
    said = with_gap("query", "find", "level:DL1", "--strict")

    assert (said.status, said.stderr) == (0, "")


def test_diff_warns_of_each_file_whose_lineage_is_not_complete(
    with_gap: Provdb,
) -> None:
    said = with_gap("query", "diff", _NAME, _NAME, "--strict")

    assert said.status == 1
    assert f"lineage of {_NAME}: {_NOT_COMPLETE.strip()}" in said.json["warnings"]
    assert not said.json["completeness"]["certain"]


def test_a_way_in_doubt_says_so_in_its_last_line(with_conflict: Provdb) -> None:
    said = with_conflict(*_PATH, "--format=tree", "--strict")

    assert (said.status, said.stderr) == (1, "")
    assert "time conflict" in said.stdout.splitlines()[1]
    assert said.stdout.endswith("; 1 time conflict (dl1_LST-1.Run01807.0000.h5)\n")


@pytest.mark.parametrize("format_name", ["table", "csv", "jsonl"])
def test_a_way_in_doubt_is_one_warning(with_conflict: Provdb, format_name: str) -> None:
    said = with_conflict(*_PATH, "--format", format_name)

    assert said.stderr.count("\n") == 1
    assert said.stderr.endswith("; 1 time conflict (dl1_LST-1.Run01807.0000.h5)\n")
    assert "time" in said.stdout


def test_rows_have_evidence_and_marks(with_conflict: Provdb) -> None:
    said = with_conflict(*_LINEAGE, "--format=csv")

    rows = {row["id"]: row for row in csv.DictReader(said.stdout.splitlines())}
    (marked,) = (row for row in rows.values() if row["marks"])
    assert (marked["location"], marked["marks"]) == (
        "/DL1/dl1_LST-1.Run01807.0000.h5",
        "time conflict",
    )
    assert marked["evidence"]
