"""The process that reads binary files for `provdb.readers.guard`: ``python -m`` this.

It takes a request a line on its standard input, and gives an answer a line on its
standard output, both JSON. It limits its own memory, and ends with its input.
"""

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from provdb.errors import MissingExtra, ReadError, RecordError
from provdb.model import Record, encode
from provdb.readers.source import Source

__all__ = ["MOST_MEMORY_BYTES", "answer", "main"]

# Libraries reserve a gigabyte that they never use.
MOST_MEMORY_BYTES: Final = 4 * 2**30
OnProblem = Callable[[ReadError], None]
Reader = Callable[[Source, OnProblem], Iterator[tuple[int | None, Record]]]


def main() -> None:
    """Answer requests until there are no more."""
    _limit_memory()
    # What a library prints is no answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.simplefilter("ignore")
    for line in sys.stdin.buffer:
        answers.write(orjson.dumps(answer(json.loads(line))) + b"\n")
        answers.flush()


def answer(request: Mapping[str, str]) -> dict[str, Any]:
    """Read a file, and return its records and its problems in a form for JSON.

    Args:
        request: The name of the format, and the path of the file.
    """
    problems: list[Any] = []
    records: list[Any] = []

    def take(problem: ReadError) -> None:
        problems.append([problem.reason, problem.line])

    path = Path(request["path"])
    try:
        with path.open("rb") as stream:
            for line, record in _read(request["format"], stream, path, take):
                try:
                    records.append([line, encode(record)])
                except RecordError as error:
                    problems.append([error.reason, line])
    except ReadError as error:
        return {"unread": error.reason}
    except MissingExtra as error:
        return {"unread": str(error)}
    except OSError as error:
        return {"unread": f"it cannot be read: {error.strerror or error}"}
    except MemoryError:
        return {"unread": "to read it takes more than 4 GiB of memory"}
    except Exception as error:  # Of libraries that read what anybody may have written.
        return {"unread": f"it cannot be read: {type(error).__name__}: {error}"}
    return {"records": records, "problems": problems}


def _read(
    format_name: str, stream: BinaryIO, path: Path, on_problem: OnProblem
) -> Iterator[tuple[int | None, Record]]:
    return _reader(format_name)(Source(stream, path=path), on_problem)


def _reader(format_name: str) -> Reader:
    # Each loads its library only when there is a file for it.
    if format_name == "fits":
        from provdb.readers.fits import read_file

        return read_file
    if format_name == "embedded":
        from provdb.readers.before import read_file as read_before

        return read_before
    from provdb.readers.hdf5 import read_file as read_hdf5

    return read_hdf5


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has none.
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MOST_MEMORY_BYTES
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
