"""The process that reads binary files for `provdb.readers.guard`: ``python -m`` this.

It takes a request a line on its standard input, and gives an answer a line on its
standard output, both JSON. It limits its own memory, and ends with its input, or with
the process that started it.
"""

import json
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from provdb.errors import MissingExtra, ReadError, RecordError
from provdb.model import Record, encode
from provdb.readers.guard import WITH_PARENT
from provdb.readers.settled import Settled
from provdb.readers.source import Source

if TYPE_CHECKING:
    from provdb.readers.formats import Format

__all__ = ["MOST_MEMORY_BYTES", "answer", "find_and_read", "main"]

# Whose libraries are loaded in this process alone.
_IN_HERE: Final = ("hdf5", "fits")
# What is larger may have more records than the memory of two processes should hold.
_LARGEST_HANDED_OVER: Final = 32 * 2**20
_PR_SET_PDEATHSIG: Final = 1
# Libraries reserve a gigabyte that they never use.
MOST_MEMORY_BYTES: Final = 4 * 2**30
OnProblem = Callable[[ReadError], None]
Reader = Callable[[Source, OnProblem], Iterator[tuple[int | None, Record]]]


def main() -> None:
    """Answer requests until there are no more."""
    if WITH_PARENT in sys.argv:
        _end_with_parent()
    # Who interrupts the reading ends this process too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory()
    # What a library prints is no answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.simplefilter("ignore")
    for line in sys.stdin.buffer:
        request = json.loads(line)
        answered = find_and_read(request) if "is_named" in request else answer(request)
        answers.write(orjson.dumps(answered) + b"\n")
        answers.flush()


def answer(request: Mapping[str, str]) -> dict[str, Any]:
    """Read a file, and return its records and its problems in a form for JSON.

    Args:
        request: The name of the format, and the path of the file.
    """
    path = Path(request["path"])

    def read() -> dict[str, Any]:
        with path.open("rb") as stream:
            return _taken(_reader(request["format"]), Source(stream, path=path))

    return _answered(read)


def find_and_read(request: Mapping[str, Any]) -> dict[str, Any]:
    """Read a file whatever it is, or say that who asked should do it.

    Args:
        request: The path of the file, whether somebody named it, and the name of its
            format where that is told.
    """
    path = Path(request["path"])
    said: dict[str, Any] = {}

    def read() -> dict[str, Any]:
        with path.open("rb") as stream:
            settled = Settled(stream)
            source = Source(stream, path=path)
            found = _found(source, request)
            if found is None:
                if request["is_named"]:
                    return {"is_left": True}
                return {"state": settled.state()}
            said["format"] = found.name
            if found.name in _IN_HERE:
                taken = _taken(_reader(found.name), source)
            elif found.is_quick or settled.size_bytes > _LARGEST_HANDED_OVER:
                return {"is_left": True}
            else:
                try:
                    taken = _taken(found.read, source, is_strict=True)
                except (ReadError, RecordError):
                    # What is wrong, and what is good before it, is told as if this
                    # process were not.
                    return {"is_left": True}
            counts = {"line_count": source.line_count}
            return {**counts, **taken, "state": settled.state()}

    return said | _answered(read)


def _answered(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return read()
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


def _taken(read: Reader, source: Source, *, is_strict: bool = False) -> dict[str, Any]:
    """Return the records and the problems of a source in a form for JSON.

    Raises:
        RecordError: A record cannot be stored, and that is not to be taken as a
            problem.
    """
    problems: list[Any] = []
    records: list[Any] = []

    def take(problem: ReadError) -> None:
        problems.append([problem.reason, problem.line])

    for line, record in read(source, take):
        try:
            records.append([line, encode(record)])
        except RecordError as error:
            if is_strict:
                raise
            problems.append([error.reason, line])
    return {"records": records, "problems": problems}


def _found(source: Source, request: Mapping[str, Any]) -> "Format | None":
    # Loaded here, for most who read in this process know what they read.
    from provdb.readers.formats import find_format, format_named

    told = request.get("format")
    if told is not None:
        return format_named(told)
    return find_format(source, is_named=request["is_named"])


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


def _end_with_parent() -> None:
    """End when the one that started this process does, also in mid file."""
    if not sys.platform.startswith("linux"):
        return  # At the end of its input it ends, once it has read a file.
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


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
