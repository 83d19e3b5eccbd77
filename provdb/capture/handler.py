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
from provdb.capture.shipper import Shipper
from provdb.capture.spool import Spool, SpoolClosed, SpoolFull, SpoolName
from provdb.capture.text_log import TextLog
from provdb.config import Config, load_config, mask_uri
from provdb.errors import ConfigError, StoreUnavailable
from provdb.store import Store, open_store

__all__ = ["ProvHandler"]

# In all spellings of lstosa and logprov.
_MARK: Final = "PROV_"
_DRIVER: Final = "pymongo"
_MEMORY: Final = "memory:"
_STORE_TIMEOUT_SECONDS: Final = 10.0
_TRY_AGAIN_SECONDS: Final = 10.0


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
        self._shipper: Shipper | None = None
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
                (self._spool or self._open()).append(key, payload)
            except SpoolClosed:  # The handler was closed a moment ago.
                self._open().append(key, payload)
            if self._text_log is not None:
                self._write_text(record, decode_value(key, payload))
        except Exception as error:
            self._drop(error)

    def flush(self) -> None:
        """Bring what was taken to the disk, and have it shipped without waiting."""
        try:
            if self._spool is not None:
                self._spool.sync()
            if self._shipper is not None:
                self._shipper.wake()
        except OSError as error:
            self._complaints.add("unsynced", f"the spool is not on the disk: {error}")

    def close(self) -> None:
        """Ship what is left, for a limited time, and end.

        What could not be shipped stays in the spool, for ``provdb spool replay``.
        """
        with self._lock:
            if self._spool is not None:
                self._finish(self._spool, self._shipper)
                self._spool = self._shipper = None
        super().close()

    def _finish(self, spool: Spool, shipper: Shipper | None) -> None:
        if shipper is not None:
            shipper.finish(self._close_timeout)
        if not spool.close():
            self._complaints.say(
                f"records are left in {spool.path}; 'provdb spool replay' stores them"
            )
        if self.dropped > 1:
            self._complaints.say(f"{self.dropped} records were lost in all")

    def _write_text(self, record: logging.LogRecord, value: Any) -> None:
        # What the driver logs about the shipper's work would go round in a circle.
        if self._text_log is not None and not record.name.startswith(_DRIVER):
            self._text_log.write(record, value)

    def _open(self) -> Spool:
        with self._lock:
            if self._spool is None:
                self._spool = self._new_spool()
            return self._spool

    def _new_spool(self) -> Spool:
        if time.monotonic() < self._try_again:
            raise OSError("the spool could not be opened a moment ago")
        self._try_again = time.monotonic() + _TRY_AGAIN_SECONDS
        name = SpoolName.of_process(datetime.now(UTC), parents=self._parents)
        store_uri = mask_uri(self._uri)
        spool = Spool(
            self._spool_dir, name, store=store_uri, max_bytes=self._max_spool_bytes
        )
        self._try_again = 0.0
        self._pids = name.pids
        try:
            self._shipper = Shipper(
                spool,
                name,
                store_uri=store_uri,
                open_store=self._open_store,
                flush_interval_seconds=self._flush_interval,
                queue_size=self._queue_size,
                complaints=self._complaints,
            )
            threading.Thread(target=self._guard, name="provdb-guard").start()
        except RuntimeError:
            pass  # The interpreter is ending and starts no thread; the spool stays.
        return spool

    def _guard(self) -> None:
        """Close when the main thread ends: later no thread can be started any more.

        A forked process of multiprocessing runs no exit handlers, but waits for this.
        """
        threading.main_thread().join()
        self.close()

    def _open_store(self) -> Store:
        if self._uri.startswith(_MEMORY):
            reason = "what is captured would end with the process; name a file"
            raise StoreUnavailable(self._uri, reason)
        return open_store(
            self._uri, zone=self._zone, timeout_seconds=_STORE_TIMEOUT_SECONDS
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
        self._parents = self._pids
        if self._spool is not None:
            self._spool.abandon()
        # They are kept, for the store must not be closed from here.
        self._inherited = self._spool, self._shipper
        self._spool = self._shipper = None


_HANDLERS: Final = weakref.WeakSet[ProvHandler]()


def _after_fork() -> None:
    for handler in list(_HANDLERS):
        handler._forget_parent()


os.register_at_fork(after_in_child=_after_fork)


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
    try:
        return load_config(environ=os.environ, uri=uri, spool_dir=named)
    except ConfigError as error:
        complaints.add("settings", str(error))
    return load_config(environ={}, uri=uri or "sqlite:", spool_dir=named)
