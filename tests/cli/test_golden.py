"""What the commands print, letter by letter, and the same from every store.

``pytest tests/cli --update-golden`` writes the files anew.
"""

from collections.abc import Callable

import pytest

from tests.cli.command import Provdb, night_warning

IsGolden = Callable[[str, str], bool]
AskNight = Callable[[int], Provdb]

_DL2 = "dl2_LST-1.Run01807.h5"
_DL3 = "dl3_LST-1.Run01807.fits"
_DL1 = "tailcut84/dl1_LST-1.Run01807.0000.h5"
_PEDESTAL = "drs4_pedestal.Run01804.0000.h5"


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("subruns", [1, 20, 100])
@pytest.mark.parametrize(
    ("question", "file"), [("lineage", _DL3), ("impact", _PEDESTAL)]
)
def test_tree_of_a_night(
    ask_night: AskNight,
    is_golden: IsGolden,
    question: str,
    file: str,
    subruns: int,
    columns: int,
) -> None:
    provdb = ask_night(subruns)

    said = provdb("query", question, file, "--format", "tree", columns=columns)

    assert (said.status, said.stderr) == (0, "")
    assert is_golden(f"{question}-{subruns}-subruns-{columns}.txt", said.stdout)


@pytest.mark.parametrize(
    ("question", "file"), [("lineage", _DL2), ("impact", _PEDESTAL)]
)
@pytest.mark.parametrize("columns", [80, 200])
def test_tree_of_the_sample(
    ask_sample: Provdb, is_golden: IsGolden, question: str, file: str, columns: int
) -> None:
    said = ask_sample("query", question, file, "--format", "tree", columns=columns)

    assert (said.status, said.stderr) == (0, "")
    assert is_golden(f"sample-{question}-{columns}.txt", said.stdout)


def test_unfolded_tree(ask_night: AskNight, is_golden: IsGolden) -> None:
    provdb = ask_night(20)

    said = provdb("query", "lineage", _DL3, "--unfold", "--format=tree", columns=80)

    assert (said.status, said.stderr) == (0, "")
    assert is_golden("lineage-20-subruns-unfolded-80.txt", said.stdout)


@pytest.mark.parametrize(
    ("format_name", "ending"),
    [("json", "json"), ("jsonl", "jsonl"), ("csv", "csv"), ("table", "txt")],
)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("night-impact", ("query", "impact", _PEDESTAL)),
        ("night-versions", ("query", "versions", _DL1)),
        ("night-session-list", ("session", "list")),
        ("night-session-show", ("session", "show", "r0_to_dl1:01807")),
    ],
)
def test_every_format(
    ask_night: AskNight,
    is_golden: IsGolden,
    name: str,
    arguments: tuple[str, ...],
    format_name: str,
    ending: str,
) -> None:
    said = ask_night(1)(*arguments, "--format", format_name, columns=200)

    assert (said.status, said.stderr) == (0, "")
    assert is_golden(f"{name}.{ending}", said.stdout)


@pytest.mark.parametrize(
    ("format_name", "ending", "stderr"),
    [
        ("json", "json", ""),
        ("jsonl", "jsonl", night_warning("run 01807, subrun 0000")),
        ("csv", "csv", night_warning("run 01807, subrun 0000")),
        ("table", "txt", night_warning("run 01807, subrun 0000")),
    ],
)
def test_every_format_of_a_lineage(
    ask_night: AskNight,
    is_golden: IsGolden,
    format_name: str,
    ending: str,
    stderr: str,
) -> None:
    said = ask_night(1)("query", "lineage", _DL3, "--format", format_name, columns=200)

    assert (said.status, said.stderr) == (0, stderr)
    assert is_golden(f"night-lineage.{ending}", said.stdout)


@pytest.mark.parametrize("columns", [80, 120, 200])
@pytest.mark.parametrize(
    ("name", "arguments", "stderr"),
    [
        (
            "lineage",
            ("query", "lineage", _DL2),
            night_warning("run 01807, subruns 0000-0010 (11)"),
        ),
        ("versions", ("query", "versions", _DL1), ""),
        ("session-list", ("session", "list"), ""),
        ("session-show", ("session", "show", "r0_to_dl1:01807"), ""),
    ],
)
def test_table_of_the_sample(
    ask_sample: Provdb,
    is_golden: IsGolden,
    name: str,
    arguments: tuple[str, ...],
    stderr: str,
    columns: int,
) -> None:
    said = ask_sample(*arguments, "--format=table", columns=columns)

    assert (said.status, said.stderr) == (0, stderr)
    assert max(map(len, said.stdout.splitlines())) <= columns
    assert is_golden(f"table-{name}-{columns}.txt", said.stdout)


def test_versions_and_sessions_of_the_sample(
    ask_sample: Provdb, is_golden: IsGolden
) -> None:
    versions = ask_sample("query", "versions", _DL2)
    sessions = ask_sample("session", "list", "--format=csv")

    assert is_golden("sample-versions.json", versions.stdout)
    assert is_golden("sample-session-list.csv", sessions.stdout)


def test_leaves(ask_night: AskNight, is_golden: IsGolden) -> None:
    said = ask_night(20)("query", "lineage", _DL3, "--leaves=R0", "--format=tree")

    warning = night_warning("run 01807, subruns 0000-0019 (20)")
    assert (said.status, said.stderr) == (0, warning)
    assert is_golden("leaves-20-subruns.txt", said.stdout)


def test_demo(provdb_there: Provdb, is_golden: IsGolden) -> None:
    said = provdb_there("demo", columns=80)

    assert said.status == 0
    assert is_golden("demo-80.txt", said.stdout)
