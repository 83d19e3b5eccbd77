"""What the benchmarks work on: nights, logs, stores and a server, each made once."""

import os
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient

from provdb.ingest import ingest
from provdb.model import Folder
from provdb.readers import open_log, read_lines, read_records
from provdb.store import Store, open_store
from tests.benchmarks.archive import Documents, archive
from tests.benchmarks.night import Night, lines, write
from tests.mongod import MongoServer, with_database

__all__ = [
    "FULL",
    "QUICK",
    "TRACED_STEPS",
    "Database",
    "Scale",
    "Stage",
    "fill_archive",
    "fold_log",
]

# The steps that lstosa traces today.
TRACED_STEPS = ("r0_to_dl1", "dl1ab", "dl1_datacheck")

_FIRST_DATE = date(2020, 2, 1)
_RUNS_A_NIGHT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much there is to measure on.

    Attributes:
        subruns: Subruns of every run.
        night_runs: Runs of the night whose size is compared with its log.
        history_nights: Nights of one run that lie beside the run that is asked for.
        impact_runs: Runs below a random forest.
        drawn_subruns: Subruns of the run that is drawn.
        archive_nights: Nights of ten runs that queries are asked about.
        folder_files: Small HDF5 files in the folder that is read.
        unchanged_files: Files in the folder that is read a second time.
    """

    subruns: int
    night_runs: int
    history_nights: int
    impact_runs: int
    drawn_subruns: int
    archive_nights: int
    folder_files: int
    unchanged_files: int


FULL = Scale(
    subruns=100,
    night_runs=10,
    history_nights=20,
    impact_runs=490,
    drawn_subruns=1000,
    archive_nights=50,
    folder_files=10_000,
    unchanged_files=100_000,
)
QUICK = Scale(
    subruns=4,
    night_runs=2,
    history_nights=2,
    impact_runs=4,
    drawn_subruns=20,
    archive_nights=2,
    folder_files=40,
    unchanged_files=200,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database as provdb sees it, and as the bare driver does.

    Attributes:
        uri: Where it is.
        store: It, opened by provdb.
        bare: It, opened by pymongo with the options that provdb takes.
    """

    uri: str
    store: Store
    bare: Any


class Stage:
    """Things to measure on, made when they are first asked for, removed on `close`."""

    def __init__(self, scale: Scale, *, uri: str | None = None) -> None:
        """Start with nothing.

        Args:
            scale: How much there is.
            uri: A MongoDB server to use; None for that of ``PROVDB_TEST_URI``, or one
                that is started.
        """
        self.scale = scale
        self._uri = uri or os.environ.get("PROVDB_TEST_URI")
        self._lone_uri = self._uri
        self._databases: dict[str, Database] = {}
        self._to_close = ExitStack()
        folder = self._to_close.enter_context(
            tempfile.TemporaryDirectory(prefix="provdb-benchmark-")
        )
        self.folder = Path(folder)

    def __enter__(self) -> Self:
        """Return the stage itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the stage."""
        self.close()

    def close(self) -> None:
        """Drop the databases, stop the server and remove the files."""
        self._to_close.close()

    @property
    def run(self) -> Night:
        """One run, all the way to DL3."""
        return Night(subruns=self.scale.subruns)

    def log(self, *, runs: int) -> Path:
        """Return the log of the steps that are traced today, of a night of *runs*."""
        path = self.folder / f"{runs}.log"
        if not path.exists():
            write(
                Night(
                    runs=runs,
                    subruns=self.scale.subruns,
                    steps=TRACED_STEPS,
                    merge=False,
                    dl3=False,
                ),
                path,
            )
        return path

    def local_run(self) -> str:
        """Return the URI of a local store with one run."""
        return self._local("run", self.run)

    def large_local_run(self) -> str:
        """Return the URI of a local store with one run of very many subruns."""
        return self._local("large", Night(subruns=self.scale.drawn_subruns))

    def local_night(self) -> str:
        """Return the URI of a local store with a night of many runs, up to DL3."""
        return self._local("night", self._night_to_dl3)

    def night_to_dl3(self) -> Database:
        """Return a database with the same night."""
        return self._database("dl3", lambda store: _fill(store, [self._night_to_dl3]))

    def night_of_runs(self) -> Database:
        """Return a database with the night of `log`."""

        def ingest_log(store: Store) -> None:
            ingest(store, [self.log(runs=self.scale.night_runs)])

        return self._database("night", ingest_log)

    def one_run(self) -> Database:
        """Return a database with one run."""
        return self._database("run", lambda store: _fill(store, [self.run]))

    def run_with_history(self) -> Database:
        """Return a database with one run among many nights of the same size."""
        nights = [
            _other_night(number, runs=1, subruns=self.scale.subruns)
            for number in range(self.scale.history_nights)
        ]
        return self._database("history", lambda s: _fill(s, [self.run, *nights]))

    def many_runs(self) -> Database:
        """Return a database with many runs from DL1 to DL3 below one random forest."""
        runs, subruns = self.scale.impact_runs, self.scale.subruns
        nights = [
            _other_night(
                number,
                runs=min(_RUNS_A_NIGHT, runs - first),
                subruns=subruns,
                steps=("dl1_to_dl2",),
            )
            for number, first in enumerate(range(0, runs, _RUNS_A_NIGHT))
        ]
        return self._database("impact", lambda store: _fill(store, nights))

    def archive(self) -> Database:
        """Return a database with 4,000 activities of each night of an archive."""
        nights, subruns = self.scale.archive_nights, self.scale.subruns
        return self._database(
            "archive",
            lambda store: fill_archive(store, archive(nights=nights, subruns=subruns)),
        )

    def empty_database(self, *, is_lone: bool = False) -> str:
        """Return the URI of a database that has collections and indexes alone.

        Args:
            is_lone: Whether it is on a server that is no replica set, and that has as
                much memory as one has at least.
        """
        name = f"empty{len(self._databases)}"
        server = self._lone_server() if is_lone else None
        return self._database(name, lambda store: store.initialise(), server).uri

    def empty_store(self) -> Store:
        """Return a database that has collections and indexes alone, opened."""
        name = f"empty{len(self._databases)}"
        return self._database(name, lambda store: store.initialise()).store

    @property
    def _night_to_dl3(self) -> Night:
        return Night(runs=self.scale.night_runs, subruns=self.scale.subruns)

    def _local(self, name: str, night: Night) -> str:
        path = self.folder / f"{name}.db"
        uri = f"sqlite:///{path}"
        if not path.exists():
            with open_store(uri) as store:
                _fill(store, [night])
        return uri

    def _database(
        self, name: str, fill: Callable[[Store], None], server: str | None = None
    ) -> Database:
        if name not in self._databases:
            unique = f"provdb_benchmark_{name}_{uuid.uuid4().hex[:8]}"
            uri = with_database(server or self._server(), unique)
            store = self._to_close.enter_context(open_store(uri))
            client = self._to_close.enter_context(_client(uri))
            self._to_close.callback(client.drop_database, unique)
            fill(store)
            self._databases[name] = Database(
                uri=uri, store=store, bare=client.get_default_database()
            )
        return self._databases[name]

    def _server(self) -> str:
        if self._uri is None:
            self._uri = self._to_close.enter_context(MongoServer()).uri
        return self._uri

    def _lone_server(self) -> str:
        if self._lone_uri is None:
            server = MongoServer(replica_set=None, cache_gb=1)
            self._lone_uri = self._to_close.enter_context(server).uri
        return self._lone_uri


def fold_log(path: Path) -> Mapping[str, list[dict[str, Any]]]:
    """Return the documents that the records of a log make."""
    folder = Folder()
    with open_log(path) as stream:
        found = read_lines(stream, str(path), on_problem=_refuse)
        for _, record in read_records(found, on_problem=_refuse):
            folder.add(record)
    return folder.take()


def python_environment(*, home: Path | None = None) -> dict[str, str]:
    """Return the environment of a process that finds what this one finds.

    Args:
        home: Where it looks for the files of its user; None for where this one does.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PROVDB_")}
    found = [str(Path(place).absolute()) for place in sys.path]
    if home is not None:
        kept |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    return kept | {"PYTHONPATH": os.pathsep.join(found)}


def fill_archive(store: Store, nights: Iterable[Documents]) -> None:
    """Put the documents of nights into a store of a server, and nothing beside."""
    store.initialise()
    for night in nights:
        for name, documents in night.items():
            if documents:
                store.collection(name).insert_many(documents, ordered=False)


def _fill(store: Store, nights: Iterable[Night]) -> None:
    store.initialise()
    for night in nights:
        ingest(store, [BytesIO("\n".join(lines(night)).encode())], on_problem=_refuse)


def _other_night(number: int, **options: Any) -> Night:
    """Return another night, with numbers of runs that no other one has."""
    day = _FIRST_DATE + timedelta(days=number)
    first_run = 2000 + 20 * number
    return Night(
        date=f"{day:%Y%m%d}",
        start=datetime(day.year, day.month, day.day, 8) + timedelta(days=1),
        pedestal_run=first_run,
        calibration_run=first_run + 1,
        first_run=first_run + 2,
        **options,
    )


def _client(uri: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(
        uri, w="majority", journal=True, tz_aware=True, serverSelectionTimeoutMS=5000
    )


def _refuse(problem: Exception) -> None:
    raise problem
