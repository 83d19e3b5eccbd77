"""Pipelines in processes of their own, what they were told, and what became of them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from typing import Any, Final

from pymongo import MongoClient

from provdb.capture.replay import find_spools, replay
from provdb.model import fields as f
from provdb.store import open_store
from tests.faults.records import Sent, missing_from, twice_in
from tests.samples import stored_in, stored_without_places

__all__ = [
    "FULL",
    "MARGIN_SECONDS",
    "NOBODY",
    "Ended",
    "Pipeline",
    "Spools",
    "failing",
    "until",
]

# The long form of the ring: more rounds, more processes.
FULL: Final = os.environ.get("PROVDB_FAULTS") == "full"
# What a process needs to end on a busy machine, beside the seconds it is given.
MARGIN_SECONDS: Final = 3.0
# A server that is never there.
NOBODY: Final = "mongodb://127.0.0.1:9/provdb"
_PATIENCE_SECONDS: Final = 30.0
_ROOT: Final = Path(__file__).parents[2]
_SOURCES: Final = (_ROOT, _ROOT / "cli", _ROOT / "schemas")
_PRELUDE: Final = "from tests.faults.writer import Writer, logger, wait, work\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended.

    Attributes:
        status: Its exit status; the signal that killed it, negative.
        stdout: What it said.
        stderr: What it complained about.
        exit_seconds: How long it took from its last line of code to its end, or None
            where it did not come so far.
    """

    status: int
    stdout: str
    stderr: str
    exit_seconds: float | None

    @property
    def complaints(self) -> list[str]:
        """The lines on stderr."""
        return self.stderr.splitlines()


@dataclass(slots=True, kw_only=True)
class Pipeline:
    """A running process that logs provenance."""

    process: subprocess.Popen[str]
    report: Path

    def wait_for(self, said: str) -> None:
        """Wait until it says a line, and then waits itself."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == f"{said}\n"

    def go_on(self) -> None:
        """Let it go on from where it waits."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def wait_for_complaint(self) -> None:
        """Wait until it says something on stderr, which is left to be read."""
        assert self.process.stderr is not None
        said, _, _ = select([self.process.stderr], [], [], _PATIENCE_SECONDS)
        assert said, "it did not complain"

    def wait_until_taken(self, count: int) -> None:
        """Wait until it has logged some records."""
        until(lambda: len(self.taken()) >= count)

    def taken(self) -> list[Sent]:
        """Return the records that its handlers took."""
        lines = _lines(self.report, "taken")
        return [Sent(words[1], int(words[2])) for words in lines]

    def wait_for_end(self) -> Ended:
        """Wait until it ends by itself."""
        stdout, stderr = self.process.communicate(timeout=_PATIENCE_SECONDS)
        ended = time.monotonic()
        last = [float(words[1]) for words in _lines(self.report, "end")]
        return Ended(
            status=self.process.returncode,
            stdout=stdout,
            stderr=stderr,
            exit_seconds=ended - last[-1] if last else None,
        )


@dataclass(slots=True, kw_only=True)
class Spools:
    """Pipelines that log into one spool folder for one store.

    Attributes:
        uri: The store that they write to.
        folder: Where the spools are, in a folder ``spool``.
        python: The interpreter that runs them.
        environ: More variables of their environment.
    """

    uri: str
    folder: Path
    python: str = sys.executable
    environ: Mapping[str, str] = field(default_factory=dict)
    pipelines: list[Pipeline] = field(default_factory=list)

    @property
    def spool_dir(self) -> Path:
        """The folder of the spools."""
        return self.folder / "spool"

    @property
    def taken(self) -> list[Sent]:
        """The records that the handlers of all processes took."""
        return [sent for pipeline in self.pipelines for sent in pipeline.taken()]

    @property
    def slowest_seconds(self) -> float:
        """How long the slowest call of the pipelines took."""
        return max(
            float(words[3])
            for report in self._reports()
            for words in _lines(report, "taken")
        )

    def start(
        self,
        script: str,
        *arguments: str,
        environ: dict[str, str] | None = None,
        options: Iterable[str] = (),
    ) -> Pipeline:
        """Start a script that has `tests.faults.writer` imported.

        Args:
            script: Its code.
            arguments: ``sys.argv[1:]`` of it.
            environ: More variables of its environment.
            options: Those of the interpreter.
        """
        report = self.folder / f"report-{len(self.pipelines)}"
        process = subprocess.Popen(
            [self.python, *options, "-c", _PRELUDE + script, *arguments],
            env={
                **self.environment(),
                "FAULTS_URI": self.uri,
                "FAULTS_SPOOL": str(self.spool_dir),
                "FAULTS_REPORT": str(report),
                **self.environ,
                **(environ or {}),
            },
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.pipelines.append(Pipeline(process=process, report=report))
        return self.pipelines[-1]

    def run(self, script: str, *arguments: str, **options: Any) -> Ended:
        """Run a script to its end."""
        return self.start(script, *arguments, **options).wait_for_end()

    def provdb(
        self, *words: str, uri: str | None = None, spool_dir: bool = False
    ) -> Ended:
        """Run a command of provdb with the store, and the spool folder if asked for."""
        place = {"PROVDB_SPOOL_DIR": str(self.spool_dir)} if spool_dir else {}
        said = subprocess.run(
            [sys.executable, "-m", "provdb_cli.main", "--uri", uri or self.uri, *words],
            env=self.environment() | place,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        return Ended(
            status=said.returncode,
            stdout=said.stdout,
            stderr=said.stderr,
            exit_seconds=None,
        )

    def replay(self, *, uri: str | None = None) -> Ended:
        """Store what the spools hold, by the command."""
        return self.provdb("spool", "replay", str(self.spool_dir), uri=uri)

    def left(self) -> list[str]:
        """Return the names of the files that are in the spool folder."""
        return sorted(path.name for path in self.spool_dir.glob("*"))

    def dead(self) -> list[Path]:
        """Return the files of dead letters."""
        return sorted(self.spool_dir.glob("*.dead.jsonl"))

    def missing(self, sent: Iterable[Sent] | None = None) -> list[Sent]:
        """Return the records that were taken and that the store does not hold."""
        with open_store(self.uri) as store:
            return missing_from(store, self.taken if sent is None else sent)

    def twice(self) -> list[bytes]:
        """Return the records that the store holds more than once."""
        with open_store(self.uri) as store:
            return twice_in(store)

    def stored(self) -> dict[str, list[bytes]]:
        """Return all that the store holds, apart from where its records stand."""
        with open_store(self.uri) as store:
            return stored_without_places(store)

    def stored_count(self) -> int:
        """Return how many activities the store holds."""
        with open_store(self.uri) as store:
            return sum(
                each.documents for each in store.stats() if each.name == f.ACTIVITIES
            )

    def outcome(self) -> tuple[list[Sent], list[bytes], list[str]]:
        """Replay twice, and return what is missing, what is twice, and what is left.

        All three are empty when the promise was kept.
        """
        with open_store(self.uri) as store:
            replay(find_spools([self.spool_dir]), store)
            before = stored_in(store)
            replay(find_spools([self.spool_dir]), store)
            assert stored_in(store) == before, "a second replay changed the store"
            return missing_from(store, self.taken), twice_in(store), self.left()

    def close(self) -> None:
        """Kill what still runs."""
        for pipeline in self.pipelines:
            pipeline.process.kill()
            pipeline.process.communicate()

    def _reports(self) -> Iterator[Path]:
        return (p.report for p in self.pipelines if p.report.exists())

    def environment(self) -> dict[str, str]:
        """Return the environment of all processes."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PROVDB_")}
        return kept | {
            "PYTHONPATH": os.pathsep.join(map(str, _SOURCES)),
            # Python warns of a fork beside threads since 3.12, of which we have two.
            "PYTHONWARNINGS": "ignore:This process:DeprecationWarning",
        }


def until(is_so: Any, *, patience_seconds: float = _PATIENCE_SECONDS) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: It was not in all that time.
    """
    deadline = time.monotonic() + patience_seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not come")
        time.sleep(0.01)


@contextmanager
def failing(uri: str, *, mode: Any = "alwaysOn", **how: Any) -> Iterator[None]:
    """Make commands of provdb fail on a server, as long as the block lasts.

    Args:
        uri: The server.
        mode: ``alwaysOn``, or ``{"times": 3}``.
        how: What `failCommand` takes: errorCode, closeConnection and the like.
    """
    point = {"configureFailPoint": "failCommand"}
    commands = ["find", "insert", "update", "delete", "listCollections", "create"]
    failure = {"failCommands": commands, "appName": "provdb", **how}
    with MongoClient[dict[str, Any]](uri, directConnection=True) as client:
        client.admin.command({**point, "mode": mode, "data": failure})
        try:
            yield
        finally:
            client.admin.command({**point, "mode": "off"})


def _lines(report: Path, word: str) -> list[list[str]]:
    """Return the whole lines of a report that begin with a word."""
    if not report.exists():
        return []
    whole, _, _ = report.read_text().rpartition("\n")
    words = [line.split() for line in whole.splitlines()]
    return [line for line in words if line[0] == word]
