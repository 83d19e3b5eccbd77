"""The README is true: its commands run in order, and print what it shows."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.samples import LSTCHAIN_DL2

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "tests/data/lstosa-0.10.18/prov.log.gz"
SERVER = "mongodb://localhost/provdb"

CONSOLE_BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
PYTHON_BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


class Shell:
    """Run the commands of a console block, and collect what it would show."""

    def __init__(self, folder: Path, *, server: str) -> None:
        """Put a shell into a folder, and a server where the README names one."""
        self._folder = folder
        self._server = server
        sources = [str(ROOT / source) for source in (".", "cli", "schemas")]
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PROVDB_")}
        self._environ = {
            **kept,
            "HOME": str(folder),
            "XDG_DATA_HOME": str(folder / "data"),
            "PYTHONPATH": os.pathsep.join(sources),
            "COLUMNS": "80",
        }

    def run(self, block: str) -> str:
        """Run a block, and return it with the output that its commands have now."""
        shown = ""
        for command, output in _commands(block):
            shown += f"$ {command}\n"
            printed = self._run(command.replace(SERVER, self._server))
            shown += printed if output else ""
        return shown

    def python(self, *arguments: str) -> str:
        """Run Python in the folder, and return what it prints."""
        return self._call([sys.executable, *arguments])

    def _run(self, command: str) -> str:
        program, *arguments = shlex.split(command)
        if program == "export":
            name, _, value = arguments[0].partition("=")
            self._environ[name] = value
            return ""
        assert program == "provdb"
        return self._call([sys.executable, "-m", "provdb_cli.main", *arguments])

    def _call(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=self._folder,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


def _commands(block: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


@pytest.fixture
def shell(tmp_path: Path, mongo_store_uri: str) -> Shell:
    """A shell in a folder with a real log, a product of its night, and the examples."""
    (tmp_path / "prov.log").write_bytes(SAMPLE.read_bytes())
    (tmp_path / LSTCHAIN_DL2.name).write_bytes(LSTCHAIN_DL2.read_bytes())
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return Shell(tmp_path, server=mongo_store_uri)


@pytest.mark.mongo
def test_commands_run_in_order_and_print_what_is_shown(shell: Shell) -> None:
    shown = [shell.run(block) for block in CONSOLE_BLOCKS]

    assert shown == CONSOLE_BLOCKS


@pytest.mark.mongo
def test_python_runs(shell: Shell) -> None:
    printed = shell.python("-c", "\n".join(PYTHON_BLOCKS))

    assert printed == "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n"


@pytest.mark.mongo
def test_example_script_names_the_subrun_of_each_file(shell: Shell) -> None:
    printed = shell.python(str(ROOT / "examples/which_subruns.py"), "prov.log")

    assert "dl2_LST-1.Run01808.0003.h5: 1808.0003\n" in printed


@pytest.mark.mongo
def test_example_settings_are_read(shell: Shell) -> None:
    settings = str(ROOT / "examples/provdb.toml")

    shown = shell.python("-m", "provdb_cli.main", "--config", settings, "config")

    assert "Atlantic/Canary" in shown
    assert "1 of your own" in shown
