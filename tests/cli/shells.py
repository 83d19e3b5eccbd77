"""Real shells, in which something is typed and completed; absent ones are told of."""

import fcntl
import os
import pty
import shlex
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from tests.cli.command import ProvdbProcess

__all__ = ["find_shell", "fish_offers", "install", "typing_in"]

_SECONDS: Final = 60.0
_TAB: Final = "\t"
_END: Final = "----"
_TELL: Final = "\x18t"  # Ctrl-X t
_BASH: Final = """\
PS1='$ '
bind 'set bell-style none'
eval "$(provdb completion bash)"
tell() { printf '%s|' "$READLINE_LINE" > "$TOLD.new"; mv "$TOLD.new" "$TOLD"; }
bind -x '"\\C-xt": tell'
"""
_ZSH: Final = """\
PS1='$ '
unsetopt beep
autoload -U compinit
compinit -u -D
eval "$(provdb completion zsh)"
tell() { print -rn -- "$BUFFER|" > $TOLD.new; mv $TOLD.new $TOLD; BUFFER=; }
zle -N tell
bindkey '^Xt' tell
"""
_RC: Final = {"bash": (".bashrc", _BASH), "zsh": (".zshrc", _ZSH)}


def find_shell(name: str) -> str:
    """Return where a shell is; without it the test is skipped, or fails in CI."""
    found = shutil.which(name)
    if found is not None:
        return found
    reason = f"NO {name.upper()}, ITS COMPLETION IS NOT TESTED"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def install(process: ProvdbProcess, folder: Path) -> dict[str, str]:
    """Put ``provdb`` on a path, and return the variables that find it there."""
    program = folder / "bin" / "provdb"
    program.parent.mkdir()
    python = shlex.quote(sys.executable)
    program.write_text(f'#!/bin/sh\nexec {python} -m provdb_cli.main "$@"\n')
    program.chmod(0o755)
    environ = process.environ
    environ["PATH"] = f"{program.parent}{os.pathsep}{environ['PATH']}"
    if process.uri is not None:
        environ["PROVDB_URI"] = process.uri
    return {**environ, "ZDOTDIR": str(folder), "HOME": str(folder), "LC_ALL": "C.UTF-8"}


@contextmanager
def typing_in(name: str, environ: dict[str, str]) -> Iterator["Line"]:
    """Start an interactive shell on a terminal, and give its line."""
    shell = find_shell(name)
    folder = Path(environ["HOME"])
    file_name, text = _RC[name]
    (folder / file_name).write_text(text)
    told = folder / "told"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [shell, "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**environ, "TOLD": str(told)},
        cwd=folder,
        preexec_fn=_own_terminal,
    )
    os.close(theirs)
    Thread(target=_drain, args=(ours,), daemon=True).start()
    try:
        yield Line(ours, told)
    finally:
        process.kill()
        process.wait()


class Line:
    """The line of a shell, in which somebody types."""

    def __init__(self, terminal: int, told: Path) -> None:
        """Type on a terminal, whose shell tells its line in a file."""
        self._terminal = terminal
        self._told = told

    def completed(self, typed: str) -> str:
        """Return what a line becomes by a Tab, and begin a new one."""
        os.write(self._terminal, f"{typed}{_TAB}{_TELL}".encode())
        end = time.monotonic() + _SECONDS
        while not self._told.exists():
            assert time.monotonic() < end, "the shell did not tell its line"
            time.sleep(0.01)
        line = self._told.read_text().removesuffix("|")
        self._told.unlink()
        os.write(self._terminal, b"\x15")  # Ctrl-U
        return line


def fish_offers(environ: dict[str, str], lines: list[str]) -> list[list[str]]:
    """Return what fish offers for the last word of each line."""
    shell = find_shell("fish")
    asked = "; ".join(f"complete -C {shlex.quote(line)}; echo {_END}" for line in lines)
    said = subprocess.run(
        [shell, "--no-config", "-c", f"provdb completion fish | source; {asked}"],
        env=environ,
        cwd=environ["HOME"],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=True,
    )
    assert said.stderr == ""
    return [part.splitlines() for part in said.stdout.split(f"{_END}\n")[:-1]]


def _own_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _drain(terminal: int) -> None:
    # Else the shell waits for somebody to read.
    while True:
        try:
            if not os.read(terminal, 65536):
                return
        except OSError:
            return
