"""The one place where an error becomes a sentence on stderr and an exit status."""

import os
import stat
import sys
from contextlib import suppress
from io import StringIO
from typing import Any, Final, NoReturn

import click

from provdb.errors import (
    Ambiguous,
    ConfigError,
    MoveRefused,
    NotFound,
    ProvdbError,
    QueryError,
    UnknownFormat,
    WrongTemplate,
)
from provdb_cli.output import encode_stdout

__all__ = ["ANSWER_IS_NO", "INPUT_UNREAD", "ReportingGroup", "status_of", "warn"]

ANSWER_IS_NO: Final = 1
WRONG_USAGE: Final = 2
INPUT_UNREAD: Final = 3
_INTERRUPTED: Final = 130
# Commands that store nothing: nobody needs to be told that they were interrupted.
_READING: Final = ("config", "embed", "files", "query", "session")

# Everything else that provdb raises means that something could not be reached.
_STATUS: Final = (
    ((NotFound, Ambiguous, MoveRefused), ANSWER_IS_NO),
    ((ConfigError, QueryError, UnknownFormat, WrongTemplate), WRONG_USAGE),
)


class ReportingGroup(click.Group):
    """A group whose commands end with a sentence, never with a traceback."""

    _is_process = False

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line, whose help is printed before anything is invoked."""
        encode_stdout()
        # Without words of its own it is that of this process.
        self._is_process = not args and options.get("args") is None
        return super().main(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and end with the status that its error means."""
        try:
            return super().invoke(ctx)
        except ProvdbError as error:
            _end(str(error), status_of(error))
        except BrokenPipeError:
            # Who reads has seen enough, as in "| head": all went well.
            sys.stdout = StringIO()  # Else Python tries to write again as it ends.
            raise click.exceptions.Exit(0) from None
        except KeyboardInterrupt:
            if ctx.invoked_subcommand not in _READING:
                warn("interrupted; what was stored until now stays")
            if self._is_process:
                _leave(_INTERRUPTED)
            raise click.exceptions.Exit(_INTERRUPTED) from None


def warn(message: str) -> None:
    """Tell something on stderr, beside the results."""
    click.echo(f"provdb: {message}", err=True)


def status_of(error: ProvdbError) -> int:
    """Return the exit status that an error means."""
    for kinds, status in _STATUS:
        if isinstance(error, kinds):
            return status
    return INPUT_UNREAD


def _leave(status: int) -> NoReturn:
    """End at once; else Python waits for threads that wait for a store."""
    # Whole lines in a file; who reads a pipe may not read any more.
    with suppress(OSError, ValueError):
        if stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode):
            sys.stdout.flush()
    os._exit(status)


def _end(message: str, status: int) -> NoReturn:
    warn(message)
    raise click.exceptions.Exit(status)
