"""The first moment of the command, before anything of it is loaded."""

import subprocess
import sys

import pytest

_INTERRUPTED_WHILE_LOADING = """
import signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "provdb_cli.errors":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from provdb_cli.__main__ import main
main()
"""


def test_who_interrupts_it_while_it_is_loaded_sees_no_traceback() -> None:
    command = [sys.executable, "-c", _INTERRUPTED_WHILE_LOADING, "config"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("module", ["provdb_cli", "provdb_cli.main"])
def test_it_can_be_called_as_a_module(module: str) -> None:
    command = [sys.executable, "-m", module, "--version"]

    said = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "version" in said.stdout
