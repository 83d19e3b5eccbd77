"""What spools of ended and running processes hold, and its way into a store.

It is safe while pipelines are running: what a process still writes is left to it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provdb.capture.dead_letters import DEAD_SUFFIX, DeadLetters
from provdb.capture.left import deliver_left
from provdb.capture.spool import (
    SUFFIX,
    SpoolName,
    left_behind,
    read_lines,
    read_store,
)
from provdb.errors import ReadError
from provdb.store import Store

__all__ = ["ReplayReport", "SpoolState", "find_spools", "replay", "spool_states"]

_STEP: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolState:
    """What one spool holds.

    Attributes:
        path: Its file.
        host: Machine of the process that wrote it.
        pid: Id of that process.
        is_running: Whether the process is still running, or somebody just replays it.
        records: How many records it holds; some may be in the store already.
        dead: How many records no store took.
        size_bytes: How large it is.
        store: URI of the store that it is for, without any password.
    """

    path: Path
    host: str
    pid: int
    is_running: bool
    records: int
    dead: int
    size_bytes: int
    store: str | None


@dataclass(slots=True, kw_only=True)
class ReplayReport:
    """What became of spools.

    Attributes:
        spools: How many were replayed.
        records: How many records went into the store.
        dead: How many records the store did not take; they are kept.
        running: How many spools were left to the processes that write them.
        of_other_stores: How many spools are for another store.
    """

    spools: int = 0
    records: int = 0
    dead: int = 0
    running: int = 0
    of_other_stores: int = 0


def find_spools(folders: Iterable[Path]) -> list[Path]:
    """Return the spools in folders, at any depth, in order; also empty ones.

    A spool of which there are only dead letters left counts too, by its own name.

    Raises:
        ReadError: A folder is missing or cannot be read.
    """
    found: set[Path] = set()
    for folder in folders:
        if not folder.is_dir():
            raise ReadError(str(folder), "there is no such folder")
        try:
            listed = list(folder.rglob(f"*{SUFFIX}"))
        except OSError as error:
            raise ReadError(str(folder), error.strerror or str(error)) from error
        for path in listed:
            if SpoolName.parse(path.name) is None:
                continue
            if path.name.endswith(DEAD_SUFFIX):
                path = path.with_name(path.name.removesuffix(DEAD_SUFFIX) + SUFFIX)
            found.add(path)
    return sorted(found)


def spool_states(spools: Iterable[Path]) -> Iterator[SpoolState]:
    """Yield what spools hold; one that has gone in the meantime is left out.

    Raises:
        ReadError: A spool cannot be read.
    """
    for path in spools:
        name = SpoolName.parse(path.name)
        if name is None:
            continue
        try:
            dead = DeadLetters(path).count()
            is_running = _is_running(path)
            lines = sum(1 for _ in read_lines(path)) if path.exists() else 0
            size = path.stat().st_size if lines else 0
            store = read_store(path) if lines else None
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ReadError(str(path), error.strerror or str(error)) from error
        if lines or dead:
            yield SpoolState(
                path=path,
                host=name.host,
                pid=name.pids[-1],
                is_running=is_running,
                records=max(0, lines - 1),
                dead=dead,
                size_bytes=size,
                store=store,
            )


def replay(
    spools: Iterable[Path],
    store: Store,
    *,
    only_for: str | None = None,
    on_progress: Callable[[int], None] = lambda count: None,
) -> ReplayReport:
    """Store what spools hold, and remove those of which everything is stored.

    Dead letters are tried again, for somebody may have mended them. Replaying twice,
    or two at once, changes nothing.

    Args:
        spools: Their paths, as `find_spools` gives them.
        store: Where to.
        only_for: URI of the store that they must be for, or None for any.
        on_progress: Is told how many bytes more are done.

    Raises:
        StoreUnavailable: The store does not answer; what is not stored stays.
        ReadError: A spool cannot be read.
    """
    report = ReplayReport()
    for path in spools:
        try:
            if _is_running(path):
                report.running += 1
                continue
            if only_for is not None and path.exists():
                target = read_store(path)
                if target is not None and target != only_for:
                    report.of_other_stores += 1
                    continue
            exhumed = DeadLetters(path).exhume()
            report.spools += 1
            for part in (path, exhumed):
                if part is not None:
                    _replay_one(part, store, report=report, on_progress=on_progress)
        except OSError as error:
            raise ReadError(str(path), error.strerror or str(error)) from error
    return report


def _replay_one(
    path: Path,
    store: Store,
    *,
    report: ReplayReport,
    on_progress: Callable[[int], None],
) -> None:
    delivery = None
    position = 0
    for delivery in deliver_left(path, store, limit=_STEP):
        on_progress(delivery.position - position)
        position = delivery.position
    if delivery is not None:
        report.records += delivery.delivered
        report.dead += delivery.dead


def _is_running(path: Path) -> bool:
    try:
        with left_behind(path) as is_left:
            return not is_left
    except FileNotFoundError:
        return False
