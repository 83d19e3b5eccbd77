"""The help of every command: an example to paste, a word on every option."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import pytest
from click.testing import CliRunner

from provdb_cli.main import cli

_ROOT: Final = Path(__file__).parents[1]
_SOURCES: Final = [str(_ROOT), str(_ROOT / "cli"), str(_ROOT / "schemas")]
_HEAVY: Final = (
    "pymongo",
    "bson",
    "mongomock",
    "prov",
    "rich",
    "jsonschema_rs",
    "lark",
)


def _commands(
    command: click.Command, words: tuple[str, ...] = ("provdb",)
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield each command with the words that call it, groups before their own."""
    yield words, command
    if isinstance(command, click.Group):
        for name, sub in sorted(command.commands.items()):
            yield from _commands(sub, (*words, name))


_COMMANDS: Final = dict(_commands(cli))
_every_command = pytest.mark.parametrize(
    "words", [pytest.param(words, id=" ".join(words)) for words in _COMMANDS]
)


def _help(words: tuple[str, ...]) -> str:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(
        cli, [*words[1:], "--help"], prog_name="provdb", catch_exceptions=False
    )
    assert result.exit_code == 0
    return result.stdout


def _examples(words: tuple[str, ...]) -> list[str]:
    """Return the lines below ``Example:``, up to the next empty one."""
    _, _, below = _help(words).partition("\n  Example:\n")
    block, _, _ = below.partition("\n\n")
    return [line.strip() for line in block.splitlines()]


_every_example = pytest.mark.parametrize(
    ("words", "example"),
    [
        pytest.param(words, example, id=example)
        for words in _COMMANDS
        for example in _examples(words)
    ],
)


@_every_command
def test_help_starts_with_a_sentence(words: tuple[str, ...]) -> None:
    usage, _, text = _help(words).partition("\n\n")

    assert usage.startswith(f"Usage: {' '.join(words)} ")
    assert text.lstrip().split("\n", 1)[0].strip().endswith(".")


@_every_command
def test_help_has_examples_to_paste(words: tuple[str, ...]) -> None:
    examples = _examples(words)

    assert examples
    assert [line for line in examples if not line.startswith("provdb ")] == []


@_every_example
def test_an_example_is_one_of_its_command(words: tuple[str, ...], example: str) -> None:
    typed = shlex.split(example)

    assert tuple(word for word in typed if word in words) == words


@_every_example
def test_the_commands_and_options_of_an_example_are_there(
    words: tuple[str, ...], example: str
) -> None:
    # What follows "--" is the command line of somebody else.
    typed = shlex.split(example.partition(" < ")[0].partition(" -- ")[0])

    # With --help last everything before it is parsed, and nothing is run.
    result = CliRunner().invoke(cli, [*typed[1:], "--help"], prog_name="provdb")

    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: {' '.join(words)} ")


@_every_command
def test_every_option_has_help(words: tuple[str, ...]) -> None:
    options = [p for p in _COMMANDS[words].params if isinstance(p, click.Option)]

    assert [option.name for option in options if not option.help] == []


@_every_command
def test_no_line_of_help_is_cut_or_too_long(words: tuple[str, ...]) -> None:
    _usage, *lines = _help(words).splitlines()

    assert [line for line in lines if line.endswith("...")] == []
    assert [line for line in lines if len(line) > 80] == []
    assert [line for line in lines if "\\b" in line or "\b" in line] == []


def test_help_names_every_command() -> None:
    listed = _help(("provdb",)).partition("Commands:\n")[2]

    assert [line.split()[0] for line in listed.splitlines()] == sorted(cli.commands)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["query", "lineage", "--help"], ["ingest", "--help"], ["config"]],
    ids=" ".join,
)
def test_no_heavy_library_is_loaded_for(arguments: list[str], tmp_path: Path) -> None:
    script = (
        "import atexit, sys\n"
        f"heavy = {_HEAVY!r}\n"
        "atexit.register(lambda: print([m for m in heavy if m in sys.modules],"
        " file=sys.stderr))\n"
        "from provdb_cli.main import cli\n"
        f"cli({arguments!r}, prog_name='provdb')\n"
    )

    said = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": os.pathsep.join(_SOURCES),
        },
        timeout=60,
        check=True,
    )

    assert said.stdout
    assert said.stderr == "[]\n"


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(cli, ["--version"], prog_name="provdb")

    assert result.exit_code == 0
    assert result.stdout.startswith("provdb, version ")
