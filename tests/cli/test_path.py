"""``provdb query path``, letter by letter, and how it ends."""

from collections.abc import Callable

import pytest

from tests.cli.command import Provdb

IsGolden = Callable[[str, str], bool]
AskNight = Callable[[int], Provdb]

_RAW = "LST-1.1.Run01807.0003.fits.fz"
_PEDESTAL = "drs4_pedestal.Run01804.0000.h5"
_DL3 = "dl3_LST-1.Run01807.fits"


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("name", ["tree", "table"])
def test_paths_of_a_night(
    ask_night: AskNight, is_golden: IsGolden, name: str, columns: int
) -> None:
    provdb = ask_night(20)

    words = ("query", "path", _PEDESTAL, _DL3, "--limit=2", "--format", name)
    said = provdb(*words, columns=columns)

    assert (said.status, said.stderr) == (0, "")
    assert is_golden(f"path-{name}-{columns}.txt", said.stdout)


@pytest.mark.parametrize("format_name", ["json", "jsonl", "csv"])
def test_every_format(
    ask_night: AskNight, is_golden: IsGolden, format_name: str
) -> None:
    words = ("query", "path", _RAW, _DL3, "--format", format_name)

    said = ask_night(20)(*words)

    assert (said.status, said.stderr) == (0, "")
    assert is_golden(f"path.{format_name}", said.stdout)


def test_the_order_of_the_files_does_not_matter(ask_night: AskNight) -> None:
    provdb = ask_night(20)

    one = provdb("query", "path", _RAW, _DL3, "--format=tree")
    other = provdb("query", "path", _DL3, _RAW, "--format=tree")

    assert (one.status, other.status) == (0, 0)
    assert one.stdout == other.stdout
    assert one.stdout.endswith(f"{_DL3} came from {_RAW} in 1 way through 5 steps\n")


def test_an_unfolded_tree_has_a_line_for_each_subrun(ask_night: AskNight) -> None:
    words = ("query", "path", _PEDESTAL, _DL3, "--unfold", "--format=tree")

    said = ask_night(20)(*words, "--limit=3")

    assert said.stdout.count("DL2 dl2_LST-1.Run01807.00") == 3
    assert said.stdout.endswith("in 20 ways through 5 steps, 3 of them shown\n")


@pytest.mark.parametrize("format_name", ["tree", "json", "csv"])
def test_no_way_between_two_files_is_status_1(
    ask_night: AskNight, format_name: str
) -> None:
    other = "LST-1.1.Run01807.0004.fits.fz"

    said = ask_night(20)("query", "path", _RAW, other, "--format", format_name)

    assert said.status == 1
    assert said.stderr == (
        f"provdb: neither came {other} from {_RAW} nor {_RAW} from {other}\n"
    )


def test_what_is_piped_of_no_way_can_be_read(ask_night: AskNight) -> None:
    said = ask_night(20)("query", "path", _RAW, "LST-1.1.Run01807.0004.fits.fz")

    assert (said.json["paths"], said.json["count"]) == ([], 0)


def test_an_unknown_file_is_status_1(ask_night: AskNight) -> None:
    said = ask_night(20)("query", "path", _RAW, "no_such_file.h5")

    assert (said.status, said.stdout) == (1, "")
    assert "no_such_file.h5" in said.stderr
