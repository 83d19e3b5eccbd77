"""The one place where an error becomes a sentence on stderr and an exit status."""

from typing import Any, Final, NoReturn

import click

from provdb.errors import (
    Ambiguous,
    ConfigError,
    NotFound,
    ProvdbError,
    QueryError,
    UnknownFormat,
    WrongTemplate,
)
from provdb_cli.output import encode_stdout

__all__ = ["ANSWER_IS_NO", "INPUT_UNREAD", "ReportingGroup", "warn"]

ANSWER_IS_NO: Final = 1
WRONG_USAGE: Final = 2
INPUT_UNREAD: Final = 3
_INTERRUPTED: Final = 130

# Everything else that provdb raises means that something could not be reached.
_STATUS: Final = (
    ((NotFound, Ambiguous), ANSWER_IS_NO),
    ((ConfigError, QueryError, UnknownFormat, WrongTemplate), WRONG_USAGE),
)


class ReportingGroup(click.Group):
    """A group whose commands end with a sentence, never with a traceback."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line, whose help is printed before anything is invoked."""
        encode_stdout()
        return super().main(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and end with the status that its error means."""
        try:
            return super().invoke(ctx)
        except ProvdbError as error:
            _end(str(error), _status(error))
        except KeyboardInterrupt:
            _end("interrupted; what was stored until now stays", _INTERRUPTED)


def warn(message: str) -> None:
    """Tell something on stderr, beside the results."""
    click.echo(f"provdb: {message}", err=True)


def _status(error: ProvdbError) -> int:
    for kinds, status in _STATUS:
        if isinstance(error, kinds):
            return status
    return INPUT_UNREAD


def _end(message: str, status: int) -> NoReturn:
    warn(message)
    raise click.exceptions.Exit(status)
