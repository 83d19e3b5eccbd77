"""``--collapse``: one node for the many that differ in their subrun only."""

from collections.abc import Callable

import pytest

from tests.cli.command import Provdb, night_warning

IsGolden = Callable[[str, str], bool]
AskNight = Callable[[int], Provdb]

_DL3 = "dl3_LST-1.Run01807.fits"
_PEDESTAL = "drs4_pedestal.Run01804.0000.h5"


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize(
    ("question", "file", "stderr"),
    [
        ("lineage", _DL3, night_warning("run 01807, subruns 0000-0099 (100)")),
        ("impact", _PEDESTAL, ""),
    ],
)
def test_table_of_a_collapsed_answer(
    ask_night: AskNight,
    is_golden: IsGolden,
    question: str,
    file: str,
    stderr: str,
    columns: int,
) -> None:
    words = ("query", question, file, "--collapse=run", "--format=table")

    said = ask_night(100)(*words, columns=columns)

    assert (said.status, said.stderr) == (0, stderr)
    assert is_golden(f"collapsed-{question}-{columns}.txt", said.stdout)


@pytest.mark.parametrize(
    ("ending", "stderr"),
    [("json", ""), ("csv", night_warning("run 01807, subruns 0000-0001 (2)"))],
)
def test_every_other_format(
    ask_night: AskNight, is_golden: IsGolden, ending: str, stderr: str
) -> None:
    words = ("query", "lineage", _DL3, "--collapse=activity", f"--format={ending}")

    said = ask_night(2)(*words)

    assert (said.status, said.stderr) == (0, stderr)
    assert is_golden(f"collapsed.{ending}", said.stdout)


def test_the_tree_of_a_collapsed_answer_is_the_one_that_is_folded_anyway(
    ask_night: AskNight,
) -> None:
    provdb = ask_night(20)
    words = ("query", "lineage", _DL3, "--format=tree")

    collapsed = provdb(*words, "--collapse=run").stdout

    assert collapsed == provdb(*words).stdout
    assert "R0 ×20" in collapsed


def test_leaves_of_a_collapsed_answer_are_files(ask_night: AskNight) -> None:
    said = ask_night(20)("query", "lineage", _DL3, "--collapse=run", "--leaves=R0")

    assert len(said.json["leaves"]) == 20
    assert len([n for n in said.json["nodes"] if n["level"] == "R0"]) == 3
