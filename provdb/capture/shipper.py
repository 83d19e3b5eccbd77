"""The shipper: a thread beside the pipeline that brings its spool into the store.

While the pipeline runs the thread takes a small share of a processor, for it shares
the interpreter's lock with the pipeline; what comes faster waits in the spool. At the
end it ships what is left as fast as it can, for a limited time.

It also ships what ended processes of the same machine left in the same folder for the
same store: those that were forked from its own, and those of an earlier night.
"""

import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from provdb.capture.complaints import Complaints
from provdb.capture.dead_letters import DEAD_SUFFIX, DeadLetters
from provdb.capture.delivery import Delivery
from provdb.capture.left import deliver_left
from provdb.capture.spool import Spool, SpoolName
from provdb.errors import StoreUnavailable
from provdb.store import Store

__all__ = ["Shipper"]

# Share of a processor, and lines a step, while the pipeline runs.
_SHARE: Final = 0.1
_STEP: Final = 1000
_LONGEST_PAUSE_SECONDS: Final = 30.0
_MOST_DOUBLINGS: Final = 30
_LOOK_AGAIN_SECONDS: Final = 30.0
# Python 3.12 lets the driver start no thread once the main one has ended: there the
# first record of a process waits for the driver to be loaded.
_MUST_CONNECT_EARLY: Final = sys.version_info >= (3, 12)
_OPENING_SECONDS: Final = 5.0
# A store that did not answer so long ago is not asked again at the end.
_JUST_NOW_SECONDS: Final = 10.0


class Shipper:
    """Ships one spool until it is told to finish."""

    def __init__(
        self,
        spool: Spool,
        name: SpoolName,
        *,
        store_uri: str,
        open_store: Callable[[], Store],
        flush_interval_seconds: float,
        queue_size: int,
        complaints: Complaints,
    ) -> None:
        """Make what ships; nothing is started yet.

        Args:
            spool: The spool of this process.
            name: Its name.
            store_uri: Which store it is for, without any password.
            open_store: Opens the store; it is called in the thread.
            flush_interval_seconds: How long a record waits at least.
            queue_size: How many records are held in memory at most.
            complaints: Where faults are said.
        """
        self._spool = spool
        self._dead_letters = DeadLetters(spool.path)
        self._name = name
        self._store_uri = store_uri
        self._open_store = open_store
        self._interval = flush_interval_seconds
        self._queue_size = queue_size
        self._complaints = complaints
        self._store: Store | None = None
        self._delivery: Delivery | None = None
        self._left = self._deliver_left_by_others()
        self._failures = 0
        self._failed_at = 0.0
        self._deadline = 0.0
        self._is_wanted = threading.Event()
        self._is_finishing = threading.Event()
        self._is_started = False
        self._is_opened = threading.Event()
        self._is_claimed = threading.Lock()
        self._is_over = threading.Event()

    def start(self) -> None:
        """Start the thread, if none is at work yet.

        Raises:
            RuntimeError: The interpreter is ending and starts no thread.
        """
        if not self._is_claimed.locked() and not self._is_finishing.is_set():
            threading.Thread(
                target=self._run, name="provdb-shipper", daemon=True
            ).start()
            self._is_started = True
            if _MUST_CONNECT_EARLY:
                # Not loaded here: an exception of a signal would leave half of it.
                self._is_opened.wait(_OPENING_SECONDS)

    def is_alive(self) -> bool:
        """Say whether it is still at work."""
        is_started = self._is_started or self._is_claimed.locked()
        return is_started and not self._is_over.is_set()

    def wake(self) -> None:
        """Have what there is shipped now."""
        self._is_wanted.set()

    def begin_finishing(self, timeout_seconds: float) -> None:
        """Ship what is left, close the spool, and end.

        Args:
            timeout_seconds: How long that may take, whatever happens.
        """
        self._deadline = time.monotonic() + timeout_seconds
        self._is_finishing.set()
        self._is_wanted.set()

    def wait_until_finished(self) -> bool:
        """Wait as long as it may take, and say whether all is in the store."""
        if self.is_alive():
            self._is_over.wait(max(0.0, self._deadline - time.monotonic()))
        return not self.is_alive() and self._spool.is_empty

    def _run(self) -> None:
        # Whoever was interrupted while it started a thread starts another one.
        if not self._is_claimed.acquire(blocking=False):
            return
        try:
            self._ship_until_finished()
        finally:
            with suppress(OSError):
                self._spool.close()
            self._is_over.set()

    def _ship_until_finished(self) -> None:
        # The process may end soon, and no driver can be loaded then.
        self._try(self._open)
        self._is_opened.set()
        pause = self._interval
        while not self._is_finishing.is_set():
            self._is_wanted.wait(pause)
            self._is_wanted.clear()
            started = time.thread_time()
            is_behind = self._try(self._step)
            worked = time.thread_time() - started
            pause = worked * (1 / _SHARE - 1)
            if not is_behind:
                pause = max(pause, self._interval)
            if self._failures:
                doubled = self._interval * 2 ** min(self._failures, _MOST_DOUBLINGS)
                pause = min(doubled, _LONGEST_PAUSE_SECONDS)
        just_now = time.monotonic() - _JUST_NOW_SECONDS
        if not self._failures or self._failed_at < just_now:
            self._try(self._ship_all)
        if self._store is not None:
            self._store.close()

    def _open(self) -> bool:
        """Open the store, and say that there is nothing more to do."""
        if self._store is None:
            self._store = self._open_store()
            self._delivery = Delivery(
                self._spool.path, self._store, dead_letters=self._dead_letters
            )
        return False

    def _step(self) -> bool:
        """Ship some lines, and say whether there are more."""
        self._spool.sync()
        shipped = self._ship(limit=_STEP)
        if shipped == _STEP:
            return True
        return next(self._left, False)

    def _ship_all(self) -> bool:
        """Ship all lines, also those of forked processes, until time is over."""
        self._spool.sync()
        while self._ship(limit=self._queue_size):
            if self._is_late():
                return True
        self._left.close()  # It may hold one of these.
        for path in self._left_spools():
            name = SpoolName.parse(path.name)
            if name is not None and self._name.pids[-1] in name.pids[:-1]:
                for _ in self._deliver(path, limit=self._queue_size):
                    if self._is_late():
                        return True
        return False

    def _ship(self, *, limit: int) -> int:
        self._open()
        if self._delivery is None:
            return 0
        shipped = self._delivery.step(limit=limit)
        if self._delivery.dead:
            self._complaints.add(
                "dead",
                f"a record cannot be stored, it is kept in {self._dead_letters.path}",
            )
        self._delivery.position = self._spool.forget(self._delivery.position)
        return shipped

    def _deliver_left_by_others(self) -> Generator[bool, None, None]:
        """Deliver what others left, a step each time, and say whether there is more."""
        while True:
            for path in self._left_spools():
                for _ in self._deliver(path, limit=_STEP):
                    yield True
            look_again = time.monotonic() + _LOOK_AGAIN_SECONDS
            while time.monotonic() < look_again:
                yield False

    def _left_spools(self) -> list[Path]:
        """Return the spools of other processes of this machine in this folder."""
        mine = self._spool.path
        beside = mine.parent.glob(f"{self._name.host}-*{mine.suffix}")
        return sorted(path for path in beside if path != mine)

    def _deliver(self, path: Path, *, limit: int) -> Iterator[Delivery]:
        if self._store is not None and not path.name.endswith(DEAD_SUFFIX):
            yield from deliver_left(
                path, self._store, limit=limit, only_for=self._store_uri
            )

    def _is_late(self) -> bool:
        return time.monotonic() >= self._deadline

    def _try(self, step: Callable[[], bool]) -> bool:
        """Do a step, and say whether there is more; a fault is said and waits."""
        try:
            is_behind = step()
        except StoreUnavailable as error:
            self._failures += 1
            self._complaints.add(
                "unavailable",
                f"{error}; what is recorded waits in {self._spool.path.parent} and is "
                "shipped when it answers",
            )
        except OSError as error:
            self._failures += 1
            self._complaints.add(
                "unreadable", f"the spool {self._spool.path} cannot be shipped: {error}"
            )
        except Exception as error:
            self._failures += 1
            self._complaints.add(
                "fault",
                f"shipping fails with {type(error).__name__}: {error}; "
                f"what is recorded waits in {self._spool.path.parent}",
            )
        else:
            self._failures = 0
            return is_behind
        self._failed_at = time.monotonic()
        self._left = self._deliver_left_by_others()
        return False
