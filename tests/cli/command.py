"""The command ``provdb`` as tests call it: here, in a process, or on a terminal."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from click.testing import CliRunner

from provdb_cli.main import cli

__all__ = ["NIGHT_GAP", "Answer", "Provdb", "ProvdbProcess", "night_warning"]

# Of a simulated night, as of a real one, no record says who made this file.
NIGHT_GAP: Final = "Not complete: 1 gap (time_calibration.Run01625.0000.h5)."

_ROOT: Final = Path(__file__).parents[2]
_SETTINGS: Final = ("PROVDB_URI", "PROVDB_TIMEZONE", "PROVDB_CONFIG", "COLUMNS")
_MODULE: Final = (sys.executable, "-m", "provdb_cli.main")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command said, and how it ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """What stdout holds, read as JSON."""
        return orjson.loads(self.stdout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provdb:
    """Calls the command in this process, with a home of its own.

    Attributes:
        home: The folder of the user, and of all that provdb keeps there.
        uri: The store of ``--uri``, or None to leave the option out.
    """

    home: Path
    uri: str | None = None

    def __call__(
        self,
        *arguments: str | Path,
        stdin: bytes | None = None,
        columns: int | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Answer:
        """Run a command, as if its output were piped.

        Args:
            arguments: The words of the command line after ``provdb``.
            stdin: What it can read.
            columns: Width to draw for, or None where none is set.
            environ: More variables of the environment.
        """
        result = CliRunner(env={**_variables(self.home, columns), **(environ or {})})
        said = result.invoke(
            cli,
            [*_uri(self.uri), *map(str, arguments)],
            input=stdin,
            catch_exceptions=False,
            prog_name="provdb",
        )
        return Answer(status=said.exit_code, stdout=said.stdout, stderr=said.stderr)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvdbProcess:
    """Starts the command as a process, with a home of its own.

    Attributes:
        home: The folder of the user, and of all that provdb keeps there.
        uri: The store of ``--uri``, or None to leave the option out.
    """

    home: Path
    uri: str | None = None

    @property
    def environ(self) -> dict[str, str]:
        """The variables of the environment of its processes."""
        sources = [str(_ROOT), str(_ROOT / "cli"), str(_ROOT / "schemas")]
        kept = {
            name: os.environ[name]
            for name in ("PATH", "TMPDIR", "SYSTEMROOT")
            if name in os.environ
        }
        given = {k: v for k, v in _variables(self.home, None).items() if v is not None}
        return {
            **kept,
            **given,
            "PYTHONPATH": os.pathsep.join(sources),
            "PYTHONIOENCODING": "utf-8",
            "TERM": "xterm-256color",
        }

    def words(self, *arguments: str | Path) -> list[str]:
        """Return the words that start the command."""
        return [*_MODULE, *_uri(self.uri), *map(str, arguments)]

    def start(self, *arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
        """Start the command; stderr can be read."""
        return subprocess.Popen(
            self.words(*arguments),
            **{
                "stderr": subprocess.PIPE,
                "env": self.environ,
                "cwd": self.home,
                **options,
            },
        )

    def on_terminal(
        self, *arguments: str | Path, columns: int = 80, encoding: str = "utf-8"
    ) -> Answer:
        """Run the command with stdout and stderr on one terminal; both are stdout."""
        ours, theirs = pty.openpty()
        size = struct.pack("HHHH", 50, columns, 0, 0)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
        environ = {**self.environ, "PYTHONIOENCODING": encoding}
        process = self.start(
            *arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environ
        )
        os.close(theirs)
        said = b"".join(_until_closed(ours))
        os.close(ours)
        status = process.wait(timeout=60)
        text = said.decode(encoding).replace("\r\n", "\n")
        return Answer(status=status, stdout=text, stderr="")


def night_warning(raw: str = "") -> str:
    """Return what stderr says of a lineage of a simulated night.

    Args:
        raw: The runs and subruns of its raw data, in words.
    """
    found = f" Raw data found: {raw}." if raw else ""
    return f"provdb: warning: {NIGHT_GAP}{found}\n"


def _uri(uri: str | None) -> list[str]:
    return [] if uri is None else ["--uri", uri]


def _variables(home: Path, columns: int | None) -> dict[str, str | None]:
    return {
        **dict.fromkeys(_SETTINGS),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        **({} if columns is None else {"COLUMNS": str(columns)}),
    }


def _until_closed(terminal: int) -> Any:
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other side is closed.
            return
        if not part:
            return
        yield part
