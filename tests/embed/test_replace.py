"""A file is replaced whole or not at all, whatever ends the writing of it."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import h5py
import numpy as np
import pytest

from provdb.embed import embed, plan
from provdb.errors import ReadError
from provdb.ingest import ingest
from provdb.readers.folders import UNFINISHED
from provdb.store import Store, open_store
from tests.embed.products import FORMATS, HDF5, contents_of, history_of, write_product

every_format = pytest.mark.parametrize("name", FORMATS)
_ROOT: Final = Path(__file__).parents[2]
# Embeds again and again, each time something else.
_SCRIPT: Final = """
import sys
from pathlib import Path
from provdb.embed import embed
from provdb.store import open_store
from tests.embed.products import history_of
path = Path(sys.argv[1])
with open_store("memory://") as store:
    print("ready", flush=True)
    for start in range(2, 100_000):
        history_of(store, path, start=start)
        embed(store, str(path))
"""


@pytest.fixture
def product(tmp_path: Path, memory: Store, name: str) -> Path:
    """A file of a format, whose history is in the store."""
    folder = tmp_path / "products"
    folder.mkdir()
    path = write_product(folder / name)
    history_of(memory, path)
    return path


@every_format
@pytest.mark.parametrize("after", [0.0, 0.003, 0.011, 0.02])
def test_a_kill_leaves_a_whole_file(memory: Store, product: Path, after: float) -> None:
    before = contents_of(product)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, str(product)],
        stdout=subprocess.PIPE,
        env=environ,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.4 + after)

    process.kill()

    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    assert contents_of(product) == before
    left = [path for path in product.parent.iterdir() if path != product]
    assert [path for path in left if not path.name.endswith(UNFINISHED)] == []
    history_of(memory, product, start=1)
    embed(memory, str(product))
    assert plan(memory, str(product)).is_up_to_date


@every_format
@pytest.mark.parametrize(
    "break_it",
    [
        pytest.param(lambda: _raise(OSError(28, "No space left on device")), id="full"),
        pytest.param(lambda: _raise(OSError(122, "Disk quota exceeded")), id="quota"),
    ],
)
def test_a_disk_that_takes_no_more_leaves_the_file_as_it_was(
    memory: Store,
    product: Path,
    monkeypatch: pytest.MonkeyPatch,
    break_it: Callable[[], None],
) -> None:
    before = product.read_bytes()
    monkeypatch.setattr("provdb.embed.replace._sync", lambda path: break_it())

    with pytest.raises(
        ReadError, match=r": it cannot be written: (No space|Disk quota)"
    ):
        embed(memory, str(product))

    assert product.read_bytes() == before
    assert [*product.parent.iterdir()] == [product]


@every_format
@pytest.mark.parametrize("room", [100, -2000, 500])
def test_a_limit_of_the_size_of_files_leaves_the_file_as_it_was(
    memory: Store, product: Path, room: int
) -> None:
    """It ends the writing at any place: of the copy, and of what is added."""
    before = product.read_bytes()
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + room, hard))
    try:
        with pytest.raises(ReadError):
            embed(memory, str(product))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        signal.signal(signal.SIGXFSZ, ignored)

    assert product.read_bytes() == before
    assert [*product.parent.iterdir()] == [product]


@every_format
def test_an_interruption_leaves_nothing(
    memory: Store, product: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = product.read_bytes()
    monkeypatch.setattr(
        "provdb.embed.replace._sync", lambda path: _raise(KeyboardInterrupt())
    )

    with pytest.raises(KeyboardInterrupt):
        embed(memory, str(product))

    assert product.read_bytes() == before
    assert [*product.parent.iterdir()] == [product]


@every_format
def test_a_file_that_somebody_writes_to_meanwhile_is_not_replaced(
    memory: Store, product: Path
) -> None:
    planned = plan(memory, str(product))
    before = product.read_bytes()

    def write_more(size_bytes: int) -> None:
        with product.open("ab") as stream:
            stream.write(bytes(2880) if size_bytes else b"")

    with pytest.raises(ReadError):
        planned.write(on_read=write_more)

    assert product.read_bytes().startswith(before)
    assert [*product.parent.iterdir()] == [product]


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder whose files can be read, and where nobody may write any."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def nobody(memory: Store, closed_folder: Path) -> Iterator[Path]:
    """Work without the rights of the superuser, who may write everywhere."""
    path = write_product(closed_folder / HDF5)
    history_of(memory, path)
    path.chmod(0o644)
    closed_folder.chmod(0o555)
    user = os.geteuid()
    os.seteuid(user or 65534)
    yield path
    os.seteuid(user)


def test_a_folder_that_cannot_be_written_to_is_told(
    memory: Store, nobody: Path
) -> None:
    with pytest.raises(ReadError, match="it cannot be written: Permission denied"):
        embed(memory, str(nobody))

    assert [*nobody.parent.iterdir()] == [nobody]


def test_what_a_killed_process_left_is_passed_over(tmp_path: Path) -> None:
    path = write_product(tmp_path / HDF5)
    left = path.with_name(f".{HDF5}.1234abcd{UNFINISHED}")
    left.write_bytes(path.read_bytes()[:5000])

    with open_store("memory://") as store:
        report = ingest(store, [tmp_path], on_problem=_raise)

    assert (report.inputs, report.unread, report.others) == (1, 0, 0)


@pytest.mark.slow
def test_a_file_of_gigabytes_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / HDF5
    with h5py.File(path, "w") as opened:
        # Sparse: it takes no room on the disk.
        dataset = opened.create_dataset("dl1/images", shape=(2**27,), dtype="f8")
        dataset[-1] = 1.0
    script = f"""
from pathlib import Path
from provdb.embed import embed
from provdb.store import open_store
from tests.embed.products import history_of
from tests.memory import peak_bytes
path = Path({str(path)!r})
with open_store("memory://") as store:
    history_of(store, path)
    embed(store, str(path))
print(peak_bytes())
"""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path])}

    said = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environ,
        check=True,
    )

    assert path.stat().st_size > 2**30
    assert int(said.stdout) < 400e6
    with h5py.File(path) as opened:
        assert np.count_nonzero(opened["dl1/images"][-5:]) == 1


def _raise(error: BaseException) -> None:
    raise error
