"""Lineages as graphs: by the ending of a file, or by the name of a format."""

from collections.abc import Callable
from pathlib import Path

import pytest

from provdb.export import FORMATS
from provdb_cli.options import GRAPH_FORMATS
from tests.cli.command import Provdb, ProvdbProcess, night_warning

AskNight = Callable[[int], Provdb]

_DL3 = "dl3_LST-1.Run01807.fits"
_PEDESTAL = "drs4_pedestal.Run01804.0000.h5"
_WARNING = night_warning("run 01807, subrun 0000")
_BEGINNINGS = {
    "dot": b'digraph "What',
    "gv": b'digraph "What',
    "mmd": b"flowchart LR\n",
    "svg": b"<?xml",
    "pdf": b"%PDF-",
    "png": b"\x89PNG",
    "html": b"<!DOCTYPE html>",
    "provn": b"document",
}


def test_the_named_formats_are_those_of_the_library() -> None:
    assert sorted(GRAPH_FORMATS) == sorted(FORMATS)


@pytest.mark.parametrize(
    ("question", "file", "ending", "stderr"),
    [
        *(("lineage", _DL3, ending, _WARNING) for ending in _BEGINNINGS),
        ("impact", _PEDESTAL, "svg", ""),
    ],
)
def test_the_ending_of_the_file_chooses_the_format(
    ask_night: AskNight,
    tmp_path: Path,
    question: str,
    file: str,
    ending: str,
    stderr: str,
) -> None:
    output = tmp_path / f"graph.{ending}"

    said = ask_night(1)("query", question, file, "-o", output)

    assert (said.status, said.stdout, said.stderr) == (0, "", stderr)
    assert output.read_bytes().startswith(_BEGINNINGS[ending])
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [output.name]


@pytest.mark.parametrize(
    ("subruns", "options", "boxes"),
    [
        (20, (), 27),
        (20, ("--collapse", "run"), 27),
        (20, ("--collapse", "none"), 160),
        (1, (), 27),
    ],
)
def test_a_large_graph_is_collapsed_unless_told(
    ask_night: AskNight, subruns: int, options: tuple[str, ...], boxes: int
) -> None:
    provdb = ask_night(subruns)

    said = provdb("query", "lineage", _DL3, "--format", "dot", *options)

    assert said.stdout.count("tooltip=") - 1 - 2 * said.stdout.count(" -> ") == boxes


def test_files_link_where_the_template_says(ask_night: AskNight) -> None:
    said = ask_night(1)(
        *("query", "lineage", _DL3, "--format", "dot"),
        *("--link-template", "https://lst.example/{run:05d}/{file_name}"),
    )

    assert (
        'URL="https://lst.example/01807/LST-1.1.Run01807.0000.fits.fz"' in said.stdout
    )


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (
            ("--format", "svg", "--link-template", "http://x/{path}"),
            2,
            "provdb: the link template http://x/{path} is wrong: it has no field "
            "{path}; known are location, file_name, run, subrun, level, name, id\n",
        ),
        (
            ("-o", "graph.jpg"),
            2,
            "provdb: there is no format .jpg; known are .json, .jsonl, .csv, .txt,",
        ),
        (
            ("-o", "nowhere/graph.svg"),
            3,
            "provdb: nowhere/graph.svg: it cannot be written: No such file",
        ),
    ],
)
def test_what_cannot_be_written_is_one_sentence(
    ask_night: AskNight,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    options: tuple[str, ...],
    status: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)

    answer = ask_night(1)("query", "lineage", _DL3, *options)

    assert (answer.status, answer.stdout) == (status, "")
    assert answer.stderr.startswith(said)
    assert answer.stderr.count("\n") == 1
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


@pytest.mark.parametrize("format_name", ["pdf", "png"])
def test_a_terminal_is_given_no_binary(
    home: Path, ask_night: AskNight, format_name: str
) -> None:
    process = ProvdbProcess(home=home, uri=ask_night(1).uri)

    said = process.on_terminal("query", "lineage", _DL3, "--format", format_name)

    assert said.status == 2
    assert f"{format_name} is nothing that a terminal can show" in said.stdout
