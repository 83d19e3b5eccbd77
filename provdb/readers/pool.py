"""Read many files in several processes, and give what they hold in the given order.

A thread hands out files and takes the answers; a process that dies or hangs costs the
file that it read, and what it had still to read goes to another one. What is on its
way is bounded: nothing is handed out while what was read waits to be taken.
"""

import json
import os
import selectors
import subprocess
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any, Final, Generic, TypeVar

import orjson

from provdb.readers import guard
from provdb.readers.lines import reason_of

__all__ = ["read_in_processes"]

# Files on their way, and the bytes of the answers about them.
_MOST_TASKS: Final = 2000
_MOST_BYTES: Final = 64 * 2**20
# Of one process: enough to go on while this one is busy, and less than a pipe holds.
_MOST_REQUESTS: Final = 16
_MOST_REQUEST_BYTES: Final = 2**15
_CHUNK_BYTES: Final = 2**18
_END_SECONDS: Final = 5
_Item = TypeVar("_Item")
Answer = dict[str, Any]


def read_in_processes(
    items: Iterator[_Item],
    *,
    request_of: Callable[[_Item], dict[str, Any] | None],
    jobs: int,
) -> Generator[tuple[_Item, Answer | None], None, None]:
    """Yield each item with what a process answered to its request, in order.

    Args:
        items: What to read; they are taken in another thread.
        request_of: Returns what `provdb.readers.worker.find_and_read` takes, or None
            for an item that no process has to do with.
        jobs: How many processes read.

    Raises:
        Exception: What was raised where the items come from.
    """
    pool = _Pool(items, request_of, jobs)
    pool.start()
    try:
        yield from pool.taken()
    finally:
        pool.end()


@dataclass(slots=True, eq=False)
class _Task(Generic[_Item]):
    """An item, and the answer about it when there is one."""

    item: _Item
    request: bytes = b""
    answer: bytes | Answer | None = None
    is_done: bool = False


@dataclass(slots=True, eq=False)
class _Reader(Generic[_Item]):
    """A process that reads, and what it was asked and has not answered."""

    process: subprocess.Popen[bytes]
    asked: deque[_Task[_Item]] = field(default_factory=deque)
    parts: list[bytes] = field(default_factory=list)
    # When it began with the first of them.
    since: float = 0.0

    @property
    def has_room(self) -> bool:
        return len(self.asked) < _MOST_REQUESTS and (
            sum(len(task.request) for task in self.asked) < _MOST_REQUEST_BYTES
        )


class _Pool(Generic[_Item]):
    """The processes, the thread that feeds them, and what is on its way."""

    def __init__(
        self,
        items: Iterator[_Item],
        request_of: Callable[[_Item], dict[str, Any] | None],
        jobs: int,
    ) -> None:
        self._items = items
        self._request_of = request_of
        self._jobs = jobs
        self._readers: list[_Reader[_Item]] = []
        self._again: deque[_Task[_Item]] = deque()
        self._selector = selectors.DefaultSelector()
        self._waker: int | None
        self._wakes, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        # Shared by both threads, below the condition.
        self._tasks: deque[_Task[_Item]] = deque()
        self._bytes = 0
        self._is_exhausted = False
        self._is_stopped = False
        self._error: BaseException | None = None
        self._changed = Condition()
        self._thread = Thread(target=self._run, name="provdb-readers", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._selector.register(self._wakes, selectors.EVENT_READ)
        self._thread.start()

    def taken(self) -> Iterator[tuple[_Item, Answer | None]]:
        """Yield the items in their order, each when it is read."""
        while True:
            with self._changed:
                self._changed.wait_for(self._is_ready)
                if not self._tasks or not self._tasks[0].is_done:
                    if self._error is not None:
                        raise self._error
                    return
                task = self._tasks.popleft()
                was_full = self._is_full(len(self._tasks) + 1)
                if isinstance(task.answer, bytes):
                    self._bytes -= len(task.answer)
                if was_full:
                    self._wake()
            yield task.item, _loaded(task.answer)

    def end(self) -> None:
        """End the processes at once, and the thread as soon as it can."""
        with self._changed:
            self._is_stopped = True
            self._wake()
        # Where the items come from may be slow: a disk, or a server.
        self._thread.join(_END_SECONDS)

    def _is_ready(self) -> bool:
        if self._tasks and self._tasks[0].is_done:
            return True
        return self._error is not None or (self._is_exhausted and not self._tasks)

    def _is_full(self, count: int) -> bool:
        return count >= _MOST_TASKS or self._bytes >= _MOST_BYTES

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # It will wake anyway.
            if self._waker is not None:
                os.write(self._waker, b"\0")

    def _run(self) -> None:
        try:
            while not self._is_stopped:
                self._hand_out()
                if self._is_exhausted and not any(r.asked for r in self._readers):
                    break
                self._wait()
        except BaseException as error:  # It is raised where the items are taken.
            with self._changed:
                self._error = error
                self._changed.notify()
        finally:
            for reader in list(self._readers):
                reader.process.kill()
                self._leave(reader)
            self._selector.close()
            with self._changed:
                waker, self._waker = self._waker, None
            os.close(self._wakes)
            if waker is not None:
                os.close(waker)

    def _hand_out(self) -> None:
        while not self._is_stopped:
            reader = self._reader_with_room()
            if reader is None:
                return
            if self._again:
                self._ask(reader, self._again.popleft())
                continue
            with self._changed:
                if self._is_exhausted or self._is_full(len(self._tasks)):
                    return
            self._take_item(reader)

    def _take_item(self, reader: "_Reader[_Item] | _Unstarted") -> None:
        try:
            item = next(self._items)
        except StopIteration:
            with self._changed:
                self._is_exhausted = True
                self._changed.notify()
            return
        request = self._request_of(item)
        task = _Task(item, is_done=request is None)
        with self._changed:
            self._tasks.append(task)
            self._changed.notify()
        if request is not None:
            task.request = json.dumps(request).encode() + b"\n"
            self._ask(reader, task)

    def _reader_with_room(self) -> "_Reader[_Item] | _Unstarted | None":
        idle = min(self._readers, key=lambda r: len(r.asked), default=None)
        if idle is not None and not idle.asked:
            return idle
        if len(self._readers) < self._jobs:
            return _Unstarted()
        return idle if idle is not None and idle.has_room else None

    def _ask(self, reader: "_Reader[_Item] | _Unstarted", task: _Task[_Item]) -> None:
        if isinstance(reader, _Unstarted):
            try:
                process = guard.start_worker(is_of_thread=True)
            except OSError as error:
                self._done(task, {"unread": reason_of(error)})
                return
            reader = _Reader(process)
            self._readers.append(reader)
            self._selector.register(process.stdout, selectors.EVENT_READ, reader)  # type: ignore[arg-type]  # It is a pipe.
        if not reader.asked:
            reader.since = time.monotonic()
        reader.asked.append(task)
        with suppress(BrokenPipeError):  # Why is said by how it ended.
            reader.process.stdin.write(task.request)  # type: ignore[union-attr]  # It is a pipe.
            reader.process.stdin.flush()  # type: ignore[union-attr]  # It is a pipe.

    def _wait(self) -> None:
        working = [reader for reader in self._readers if reader.asked]
        first = min((reader.since for reader in working), default=None)
        left = None
        if first is not None:
            left = max(0.0, first + guard.TIMEOUT_SECONDS - time.monotonic())
        for key, _ in self._selector.select(left):
            if key.data is None:
                os.read(self._wakes, _CHUNK_BYTES)
            else:
                self._take_answers(key.data)
        now = time.monotonic()
        for reader in working:
            is_late = now - reader.since >= guard.TIMEOUT_SECONDS
            if is_late and reader.asked and reader in self._readers:
                reader.process.kill()
                self._lose(reader, is_late=True)

    def _take_answers(self, reader: _Reader[_Item]) -> None:
        part = os.read(reader.process.stdout.fileno(), _CHUNK_BYTES)  # type: ignore[union-attr]  # It is a pipe.
        if not part:
            self._lose(reader, is_late=False)
            return
        *lines, rest = part.split(b"\n")
        for line in lines:
            reader.parts.append(line)
            self._done(reader.asked.popleft(), b"".join(reader.parts))
            reader.parts = []
            reader.since = time.monotonic()
        if rest:
            reader.parts.append(rest)

    def _lose(self, reader: _Reader[_Item], *, is_late: bool) -> None:
        """Take what a process had to read from it, but for the file that ended it."""
        status = self._leave(reader)
        if reader.asked:
            reason = guard.unread_because(status, is_late=is_late)
            self._done(reader.asked.popleft(), {"unread": reason})
        self._again.extendleft(reversed(reader.asked))
        reader.asked.clear()

    def _leave(self, reader: _Reader[_Item]) -> int | None:
        """Part from a process, and return how it ended; None if it does not."""
        self._readers.remove(reader)
        self._selector.unregister(reader.process.stdout)  # type: ignore[arg-type]  # It is a pipe.
        for stream in (reader.process.stdin, reader.process.stdout):
            with suppress(BrokenPipeError):
                stream.close()  # type: ignore[union-attr]  # Both are pipes.
        # It is about to end, unless it waits for a disk that does not answer.
        with suppress(subprocess.TimeoutExpired):
            return reader.process.wait(_END_SECONDS)
        reader.process.kill()
        with suppress(subprocess.TimeoutExpired):
            return reader.process.wait(_END_SECONDS)
        return None

    def _done(self, task: _Task[_Item], answer: bytes | Answer) -> None:
        with self._changed:
            task.answer, task.is_done = answer, True
            if isinstance(answer, bytes):
                self._bytes += len(answer)
            self._changed.notify()


def _loaded(answer: bytes | Answer | None) -> Answer | None:
    if not isinstance(answer, bytes):
        return answer
    loaded: Answer = orjson.loads(answer)
    return {**loaded, "size_bytes": len(answer)}


class _Unstarted:
    """Stands for a process that is started for the first file that it reads."""
