"""What the pipelines of these tests do: log numbered records and say which were taken.

It runs in processes of its own, which the tests start and kill (`tests.faults.kit`).
"""

import logging
import os
import sys
import time
from itertools import count

from provdb.capture.handler import ProvHandler
from tests.faults.records import Sent, record

__all__ = ["Writer", "logger", "wait", "work"]

logger = logging.getLogger("provLogger")


class Writer:
    """Logs records one after the other.

    Attributes:
        name: Stands in its records.
        handler: Where they go to.
    """

    def __init__(self, name: str, **options: object) -> None:
        """Set the handler up, with the store and the folders of the test."""
        self.name = name
        self.handler = ProvHandler(
            os.environ["FAULTS_URI"],
            os.environ["FAULTS_SPOOL"],
            **options,  # type: ignore[arg-type]  # as they stand in the script
        )
        self._numbers = count()
        self._report = os.open(
            os.environ["FAULTS_REPORT"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600
        )
        logger.addHandler(self.handler)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False

    def log(self, records: int, *, name: str | None = None, pause: float = 0) -> None:
        """Log some records, and say each that was taken, with the time it took."""
        for _ in range(records):
            self.log_one(name=name)
            if pause:
                time.sleep(pause)

    def log_one(self, *, name: str | None = None) -> None:
        """Log the next record."""
        sent = Sent(name or self.name, next(self._numbers))
        dropped = self.handler.dropped
        begun = time.perf_counter()
        logger.info(record(sent))
        seconds = time.perf_counter() - begun
        if self.handler.dropped == dropped:
            line = f"taken {sent.writer} {sent.number} {seconds:.6f}\n"
            os.write(self._report, line.encode())

    def fork(self, name: str) -> None:
        """Go on in a forked process, under another name and from 0."""
        self.name = name
        self._numbers = count()

    def end(self) -> None:
        """Say that the process has no more to do than to end."""
        os.write(self._report, f"end {time.monotonic():.6f}\n".encode())


def work(name: str) -> None:
    """Be the process of a pool that knows nothing of its parent: log two activities."""
    writer = Writer(name)
    writer.log(12)
    writer.handler.close()
    logger.removeHandler(writer.handler)


def wait(said: str) -> None:
    """Say how far it is, and wait to be told to go on."""
    print(said, flush=True)  # noqa: T201  # the test reads it
    sys.stdin.readline()
