"""``provdb products``: the files of a run, what is said of them, how it ends."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Provdb

IsGolden = Callable[[str, str], bool]
AskNight = Callable[[int], Provdb]


def test_the_files_are_listed_and_what_is_missing_is_said(
    ask_sample: Provdb,
    is_golden: IsGolden,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)

    said = ask_sample("products", "01807", "-o", "log", "--format=table", columns=80)

    assert said.status == 0
    assert is_golden("products-80.txt", said.stdout)
    assert is_golden("products-stderr.txt", said.stderr)
    assert (tmp_path / "log/calibration_to_dl2_01807_prov.pdf").read_bytes()[:5] == (
        b"%PDF-"
    )


def test_the_log_of_the_sample(
    ask_sample: Provdb, is_golden: IsGolden, tmp_path: Path
) -> None:
    said = ask_sample(
        "products", "1807", "--view=r0_to_dl1", "-o", tmp_path, "--no-graph"
    )

    assert said.status == 0
    log = (tmp_path / "r0_to_dl1_01807_prov.log").read_text()
    session, *others = log.splitlines(keepends=True)
    assert "'session_id': '2020011701807'" in session
    assert is_golden("products-r0_to_dl1.log", "".join(others))


def test_a_run_of_a_hundred_subruns_has_a_log_of_as_many_lines_as_one_of_two(
    ask_night: AskNight, tmp_path: Path
) -> None:
    words = ("products", "1807", "--no-graph", "-o")

    for_few = ask_night(2)(*words, tmp_path / "few")
    for_many = ask_night(100)(*words, tmp_path / "many")

    assert (for_few.status, for_many.status) == (0, 0)
    lines = [
        (tmp_path / name / "calibration_to_dl2_01807_prov.log").read_text().count("\n")
        for name in ("few", "many")
    ]
    assert lines[0] == lines[1] > 50


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        pytest.param(
            ["1806"],
            1,
            "no step of run 01806 is known; did you mean 01804 or 01807 or 01808?",
            id="unknown run",
        ),
        pytest.param(["dl2"], 1, "dl2 is no run such as 01807", id="no run"),
        pytest.param(
            ["1807", "--view=dl3"],
            2,
            "there is no view dl3; known are calibration, r0_to_dl1, dl1_to_dl2, "
            "calibration_to_dl1, calibration_to_dl2, all",
            id="unknown view",
        ),
        pytest.param(
            ["1804", "--view=r0_to_dl1"],
            1,
            "run 01804 has no step of the view r0_to_dl1",
            id="no step of the view",
        ),
        pytest.param(
            ["1807", "--no-graph", "-o", "/dev/null/log"],
            3,
            "/dev/null/log: it cannot be written: Not a directory",
            id="no folder",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_the_right_status(
    ask_sample: Provdb, words: list[str], status: int, sentence: str
) -> None:
    said = ask_sample("products", *words)

    assert (said.status, said.stdout) == (status, "")
    assert said.stderr == f"provdb: {sentence}\n"


def test_views_of_the_config_file_are_known(ask_sample: Provdb, tmp_path: Path) -> None:
    config = tmp_path / "provdb.toml"
    config.write_text('[[views]]\nname = "ab"\nsteps = ["dl1ab"]\n')
    words = ("products", "1807", "--view=ab", "--no-graph", "-o", tmp_path / "log")

    said = ask_sample(*words, environ={"PROVDB_CONFIG": str(config)})

    assert said.status == 0
    assert [Path(row["path"]).name for row in said.json] == [
        "ab_01807_prov.json",
        "ab_01807_prov.log",
    ]
