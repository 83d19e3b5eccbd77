"""The logging handler: a record goes into the spool of its process, and on from there.

`ProvHandler.emit` encodes a record and writes one line to a file; it waits for no
network. A thread beside the pipeline ships the lines (`provdb.capture.shipper`).
"""

import logging
import os
import threading
import time
import weakref

# The driver needs it, and it cannot be loaded any more when the interpreter ends.
from concurrent.futures import thread as _  # noqa: F401
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from provdb.capture.complaints import Complaints
from provdb.capture.encoding import decode_value, encode_value
from provdb.capture.problems import say
from provdb.capture.shipper import Shipper
from provdb.capture.spool import Spool, SpoolClosed, SpoolFull, SpoolName
from provdb.capture.text_log import TextLog
from provdb.config import Config, load_config, mask_uri
from provdb.errors import ConfigError, StoreUnavailable
from provdb.store import Store, open_store, prepare_store
from provdb.store import local as _local  # noqa: F401  it registers before us

__all__ = ["ProvHandler"]

# In all spellings of lstosa and logprov.
_MARK: Final = "PROV_"
_DRIVER: Final = "pymongo"
_MEMORY: Final = "memory:"
# To begin to connect to it waits for nothing; all other stores may wait.
_SERVER: Final = "mongodb:"
_GUARD: Final = "provdb-guard"
# A name of a file has room for so many processes at least.
_MOST_PARENTS: Final = 8
_STORE_TIMEOUT_SECONDS: Final = 10.0
_TRY_AGAIN_SECONDS: Final = 10.0
# How long a fork waits for the driver to be loaded; that takes a second at most.
_LOADING_SECONDS: Final = 10.0


class ProvHandler(logging.Handler):
    """Keeps the provenance that a pipeline logs, in MongoDB or in a local store.

    It takes records as mappings, and the text lines that lstosa and logprov log; all
    other messages are none of its business. What `emit` has taken survives the death
    of the process; it never raises into the pipeline, and never waits for the store.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> handler = ProvHandler(f"sqlite://{folder}/provdb.db")
    >>> logger = logging.getLogger("provLogger")
    >>> logger.addHandler(handler)
    >>> logger.error({"activity_id": "621ca2", "name": "r0_to_dl1"})
    >>> handler.close()
    >>> with open_store(f"sqlite://{folder}/provdb.db") as store:
    ...     [activity["name"] for activity in store.scan("activities")]
    ['r0_to_dl1']
    >>> logger.removeHandler(handler)
    """

    def __init__(
        self,
        uri: str | None = None,
        spool_dir: str | os.PathLike[str] | None = None,
        filename: str | os.PathLike[str] | None = None,
        *,
        flush_interval_seconds: float = 0.5,
        queue_size: int = 2000,
        close_timeout_seconds: float = 5.0,
        max_spool_bytes: int = 2**30,
    ) -> None:
        """Set up a handler, as `logging.config.dictConfig` does; nothing is opened yet.

        Args:
            uri: The store, or None for the one that the settings name.
            spool_dir: Folder of the spool, or None for that of the settings: beside
                a local store, for a server in the user's state folder.
            filename: The text log to be kept beside, as lstosa writes it, or None
                for none.
            flush_interval_seconds: How often the spool is brought to the disk, and
                what is in it to the store.
            queue_size: How many records are in memory at most.
            close_timeout_seconds: How long the end of the process waits for the
                store at most.
            max_spool_bytes: How large the spool of one process may become.
        """
        super().__init__()
        self._complaints = Complaints()
        config = _settings(uri, spool_dir, complaints=self._complaints)
        self._uri = config.uri
        self._zone = ZoneInfo(config.timezone) if config.timezone != "UTC" else UTC
        self._spool_dir = Path(config.spool_dir)
        self._text_log = None if filename is None else TextLog(filename)
        self._flush_interval = flush_interval_seconds
        self._queue_size = queue_size
        self._close_timeout = close_timeout_seconds
        self._max_spool_bytes = max_spool_bytes
        self._parents: tuple[int, ...] = ()
        self._pids: tuple[int, ...] = ()
        self._spool: Spool | None = None
        self._begun: Spool | None = None
        self._shipper: Shipper | None = None
        self._guardian: threading.Thread | None = None
        self._unfinished: list[tuple[Spool, Shipper | None]] = []
        self._is_opening = False
        self._held: list[tuple[bytes, bytes]] = []
        self._try_again = 0.0
        self._lock = threading.RLock()
        _HANDLERS.add(self)

    def __repr__(self) -> str:
        """Show where records go, without any password."""
        return f"<ProvHandler {mask_uri(self._uri)} ({self._spool_dir})>"

    @property
    def dropped(self) -> int:
        """How many records could not be kept, for want of a disk or of space on it."""
        return self._complaints.count("dropped")

    def setFormatter(self, fmt: logging.Formatter | None) -> None:
        """Set the form of the lines of the text log."""
        super().setFormatter(fmt)
        if self._text_log is not None:
            self._text_log.setFormatter(fmt)

    def handle(self, record: logging.LogRecord) -> bool:
        """Take a message, if the filters let it through.

        No lock is held here, for the spool has its own.
        """
        if self.filters and not self.filter(record):
            return False
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Write the provenance in a message to the spool; nothing is ever raised."""
        try:
            value = _provenance(record)
            if value is None:
                self._write_text(record, None)
                return
            key, payload = encode_value(value)
            try:
                self._keep(key, payload)
            except (OSError, SpoolFull) as error:
                self._drop(error)
            if self._text_log is not None:
                self._write_text(record, decode_value(key, payload))
        except Exception as error:
            self._drop(error)

    def flush(self) -> None:
        """Bring what was taken to the disk, and have it shipped without waiting."""
        spool, shipper = self._spool, self._shipper
        try:
            if spool is not None:
                spool.sync()
            if shipper is not None:
                shipper.wake()
        except OSError as error:
            self._complaints.add("unsynced", f"the spool is not on the disk: {error}")

    def close(self) -> None:
        """Ship what is left, for a limited time, and end.

        What could not be shipped stays in the spool, for ``provdb spool replay``.
        """
        with self._lock:
            spool, shipper = self._begun, self._shipper
            # What comes now begins another one.
            self._spool = self._begun = self._shipper = None
            if spool is not None:
                self._unfinished.append((spool, shipper))
            if shipper is not None:
                shipper.begin_finishing(self._close_timeout)
            unfinished = self._unfinished
            # The driver asks for the lock that is held while logging is configured.
            self._unfinished = unfinished if _is_configuring() else []
        if not self._unfinished:
            for spool, shipper in unfinished:
                self._finish(spool, shipper)
        super().close()

    def _finish(self, spool: Spool, shipper: Shipper | None) -> None:
        is_done = shipper is not None and shipper.wait_until_finished()
        if shipper is None or not shipper.is_alive():
            spool.close()
        if not is_done:
            say(f"records are left in {spool.path}; 'provdb spool replay' stores them")

    def _write_text(self, record: logging.LogRecord, value: Any) -> None:
        # What the driver logs about the shipper's work would go round in a circle.
        if self._text_log is None or record.name.startswith(_DRIVER):
            return
        try:
            self._text_log.write(record, value)
        except (OSError, ValueError, LookupError, TypeError) as error:
            self._complaints.add(
                "text log", f"the text log cannot be written as it should: {error}"
            )

    def _keep(self, key: bytes, payload: bytes) -> None:
        spool = self._spool
        while True:
            if spool is None:
                spool = self._open()
            if spool is None:  # A signal handler logs in the middle of that.
                self._held.append((key, payload))
                return
            try:
                spool.append(key, payload)
                return
            except SpoolClosed:  # By another thread, in this very moment.
                spool = None

    def _open(self) -> Spool | None:
        """Return the spool, or None where this very thread is just opening it."""
        with self._lock:
            if self._is_opening or self._spool is not None:
                return None if self._is_opening else self._spool
            if time.monotonic() < self._try_again:
                raise OSError("the spool could not be opened a moment ago")
            self._is_opening = True
            try:
                if self._begun is None:
                    self._begun = self._new_spool()
                self._watch()
                self._spool = self._begun
            except (OSError, SpoolFull) as error:
                self._try_again = time.monotonic() + _TRY_AGAIN_SECONDS
                for _ in self._held:
                    self._drop(error)
                self._held = []
                raise
            finally:
                self._is_opening = False
            held, self._held = self._held, []
            for key, payload in held:
                self._begun.append(key, payload)
            return self._begun

    def _new_spool(self) -> Spool:
        name = SpoolName.of_process(datetime.now(UTC), parents=self._parents)
        store_uri = mask_uri(self._uri)
        spool = Spool(
            self._spool_dir, name, store=store_uri, max_bytes=self._max_spool_bytes
        )
        self._pids = name.pids
        self._shipper = Shipper(
            spool,
            name,
            store_uri=store_uri,
            open_store=self._open_store,
            flush_interval_seconds=self._flush_interval,
            queue_size=self._queue_size,
            complaints=self._complaints,
        )
        return spool

    def _watch(self) -> None:
        """Start the threads, if a signal that came in the middle of it did not."""
        try:
            if self._shipper is not None:
                self._shipper.start()
            if self._guardian is None or not self._guardian.is_alive():
                self._guardian = threading.Thread(target=self._guard, name=_GUARD)
                self._guardian.start()
        except RuntimeError:
            pass  # The interpreter is ending and starts no thread; the spool stays.
        except BaseException:
            self._guardian = None
            raise

    def _guard(self) -> None:
        """Close when the pipeline ends: later no thread can be started any more.

        A forked process of multiprocessing runs no exit handlers, but waits for this.
        """
        threading.main_thread().join()
        while others := _threads_of_pipeline():
            for thread in others:
                thread.join()
        self.close()

    def _open_store(self) -> Store:
        if self._uri.startswith(_MEMORY):
            reason = "what is captured would end with the process; name a file"
            raise StoreUnavailable(self._uri, reason)
        with _LOADING:
            prepare_store(self._uri)
            if self._uri.startswith(_SERVER):
                return self._connected()
        return self._connected()

    def _connected(self) -> Store:
        return open_store(
            self._uri,
            zone=self._zone,
            timeout_seconds=_STORE_TIMEOUT_SECONDS,
            is_eager=True,
        )

    def _drop(self, error: Exception) -> None:
        where = f"in {self._spool_dir}"
        if isinstance(error, SpoolFull):
            reason = f"the spool has {self._max_spool_bytes} bytes, its limit"
        elif isinstance(error, OSError):
            reason = str(error)
        else:
            reason = f"{type(error).__name__}: {error}"
        self._complaints.add(
            "dropped", f"a record is lost, for it cannot be kept {where}: {reason}"
        )

    def _forget_parent(self) -> None:
        """Let go of what belongs to the process that this one was forked from."""
        self._lock = threading.RLock()
        self._complaints = Complaints()
        self._try_again = 0.0
        self._unfinished = []
        self._is_opening = False
        self._held = []
        self._parents = self._pids[-_MOST_PARENTS:]
        if self._begun is not None:
            self._begun.abandon()
        # They are kept, for the store must not be closed from here.
        self._inherited = self._begun, self._shipper
        self._spool = self._begun = self._shipper = None


_HANDLERS: Final = weakref.WeakSet[ProvHandler]()


# Held while a shipper loads the driver and has it begin to connect: a process that is
# forked in the middle of that could never load it itself, or would end with a client
# that is half made. What the local store does before a fork comes after this, for
# Python calls first what was registered last.
_LOADING: Final = threading.Lock()
_FORKING: Final = threading.local()


def _before_fork() -> None:
    _FORKING.has_lock = _LOADING.acquire(timeout=_LOADING_SECONDS)


def _after_fork() -> None:
    if _FORKING.has_lock:
        _LOADING.release()


def _after_fork_in_child() -> None:
    _after_fork()
    for handler in list(_HANDLERS):
        handler._forget_parent()


os.register_at_fork(
    before=_before_fork,
    after_in_parent=_after_fork,
    after_in_child=_after_fork_in_child,
)


def _is_configuring() -> bool:
    """Say whether this thread configures logging, and holds its lock."""
    is_owned = getattr(getattr(logging, "_lock", None), "_is_owned", None)
    return is_owned is not None and is_owned()


def _threads_of_pipeline() -> list[threading.Thread]:
    """Return the threads that the end of the process waits for."""
    return [
        thread
        for thread in threading.enumerate()
        if not thread.daemon
        and thread.name != _GUARD
        and thread.ident is not None
        and thread.is_alive()
    ]


def _provenance(record: logging.LogRecord) -> Any:
    """Return the record or the line that a message holds, or None if it is another."""
    message = record.msg
    if isinstance(message, str):
        text = record.getMessage() if record.args else message
        return text if _MARK in text else None
    return message if isinstance(message, dict) else None


def _settings(
    uri: str | None, spool_dir: str | os.PathLike[str] | None, *, complaints: Complaints
) -> Config:
    named = None if spool_dir is None else os.fspath(Path(spool_dir).absolute())
    # A blank setting is none, as a blank variable is.
    uri = uri if uri is None or uri.strip() else "sqlite:"
    try:
        return load_config(environ=os.environ, uri=uri, spool_dir=named)
    except ConfigError as error:
        complaints.add("settings", str(error))
    return load_config(environ={}, uri=uri or "sqlite:", spool_dir=named)
