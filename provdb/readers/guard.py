"""Read binary files in a process of their own, which may die of what is in them.

The libraries of HDF5 and FITS are written in C, and take what a file says of its sizes
for true. A file that makes them crash, hang or ask for all memory costs that process
and no more: the file is named, and the next one is read by a new process. The libraries
are loaded there alone.
"""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from threading import Lock, current_thread, main_thread
from typing import Any, Final

import orjson

from provdb.errors import ReadError
from provdb.model import Record, decode
from provdb.readers.source import Source

__all__ = ["end_guards", "guarded", "start_worker", "unread_because"]

# Linux ends a process so when the thread ends that started it.
WITH_PARENT: Final = "--with-parent"
# A file of gigabytes takes milliseconds, but for its disk.
TIMEOUT_SECONDS: Final = 60.0
_END_SECONDS: Final = 5
_CHUNK_BYTES: Final = 2**18
OnProblem = Callable[[ReadError], None]


def guarded(
    format_name: str,
) -> Callable[[Source, OnProblem], Iterator[tuple[int | None, Record]]]:
    """Return a reader of a format that reads in a process of its own.

    Args:
        format_name: ``hdf5`` or ``fits``.
    """

    def read(
        source: Source, on_problem: OnProblem
    ) -> Iterator[tuple[int | None, Record]]:
        location = source.location()
        answer = _guard(os.getpid()).ask(format_name, location)
        if "unread" in answer:
            raise ReadError(source.name, answer["unread"])
        for reason, line in answer["problems"]:
            on_problem(ReadError(source.name, reason, line=line))
        for line, record in answer["records"]:
            yield line, decode(record)

    return read


def start_worker(*, is_of_thread: bool) -> subprocess.Popen[bytes]:
    """Start a process that reads, as `provdb.readers.worker` says.

    Args:
        is_of_thread: Whether it may end, in mid file, with the thread that starts it.
    """
    # Not where modules of a user may be called as those of libraries are.
    words = [sys.executable, "-P", "-m", "provdb.readers.worker"]
    return subprocess.Popen(
        [*words, WITH_PARENT] if is_of_thread else words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    )


def unread_because(status: int | None, *, is_late: bool) -> str:
    """Say why a file was not read by the process that did.

    Args:
        status: How the process ended.
        is_late: Whether it was ended, as it took too long.
    """
    if is_late:
        return f"to read it takes more than {TIMEOUT_SECONDS:.0f} s"
    return f"it ended the process that read it: {_end_of(status)}"


def end_guards() -> None:
    """End the process that reads for this one, if there is one."""
    _guard(os.getpid()).end()


class _Guard:
    """A process that reads, started when it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def ask(self, format_name: str, path: str) -> dict[str, Any]:
        """Return what the process says of a file."""
        request = json.dumps({"format": format_name, "path": path}) + "\n"
        with self._lock:
            process = self._started()
            assert process.stdin is not None
            with suppress(BrokenPipeError):  # Why is said by how it ended.
                process.stdin.write(request.encode())
                process.stdin.flush()
            line = _line_of(process, timeout_seconds=TIMEOUT_SECONDS)
            if line is not None and line.endswith(b"\n"):
                answer: dict[str, Any] = orjson.loads(line)
                return answer
            is_late = line is None
            if is_late:
                process.kill()
            status = self._end()
        return {"unread": unread_because(status, is_late=is_late)}

    def end(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            is_main = current_thread() is main_thread()
            self._process = start_worker(is_of_thread=is_main)
        return self._process

    def _end(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        for stream in (process.stdin, process.stdout):
            with suppress(BrokenPipeError):
                stream.close()  # type: ignore[union-attr]  # Both are pipes.
        try:
            # At the end of its input it ends, unless it hangs.
            return process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


@cache
def _guard(pid: int) -> _Guard:
    """Return the guard of a process: a fork has its own."""
    guard = _Guard()
    atexit.register(guard.end)
    return guard


def _line_of(
    process: subprocess.Popen[bytes], *, timeout_seconds: float
) -> bytes | None:
    """Return the line that a process writes, a part if it ends, or None if it hangs."""
    assert process.stdout is not None
    parts: list[bytes] = []
    number = process.stdout.fileno()
    while True:
        ready, _, _ = select.select([number], [], [], timeout_seconds)
        if not ready:
            return None
        part = os.read(number, _CHUNK_BYTES)
        parts.append(part)
        if not part or part.endswith(b"\n"):
            return b"".join(parts)


def _environment() -> dict[str, str]:
    # One thread is enough to read, and each reserves memory.
    threads = dict.fromkeys(
        ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"
    )
    # What provdb is imported from here, it is there.
    return {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(sys.path)}


def _end_of(status: int | None) -> str:
    if status is None or status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
