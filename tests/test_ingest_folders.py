"""Folders are read by several processes, and again only what has changed."""

import gzip
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from provdb.errors import ReadError, StoreUnavailable
from provdb.ingest import IngestReport, Progress, ingest
from provdb.ingest import known as known_files
from provdb.ingest import reading as room
from provdb.model import Document, Record
from provdb.model import fields as f
from provdb.readers import Source
from provdb.readers.formats import Format, format_named
from provdb.store import Store, WriteCounts, open_store
from provdb.store.local import LocalStore
from tests.readers.dl3 import write_dl3
from tests.samples import (
    CTAPIPE,
    LSTCHAIN_DL1,
    LSTCHAIN_DL2,
    NIGHT_LOG,
    RUN_JSON,
    SLIDES_LOG,
    read_log,
    stored_in,
    stored_without_places,
)

_RECORD: Final = b"{'entity_id': '%d', 'name': 'R0SubrunDataset'}\n"
DATA: Final = Path(__file__).parent / "data"
_LONG_AGO: Final = 1_579_306_800


def _age(folder: Path) -> None:
    """Let all files below a folder be as old as those of an archive."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (_LONG_AGO, _LONG_AGO))


def _logs(folder: Path, names: Sequence[str]) -> Path:
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        (folder / name).write_bytes(_RECORD % number)
    _age(folder)
    return folder


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder of three old logs."""
    return _logs(tmp_path / "logs", ["a.log", "b.log", "c.log"])


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all kinds, with what is broken and what is no provenance."""
    folder = tmp_path_factory.mktemp("mixed")
    lines = read_log(NIGHT_LOG).splitlines(keepends=True)
    (folder / "logs").mkdir()
    # A log that was rotated in the middle of many activities, and is read backwards.
    (folder / "logs" / "prov.log").write_bytes(b"".join(lines[600:]))
    packed = gzip.compress(b"".join(lines[:600]))
    (folder / "logs" / "prov.log.1.gz").write_bytes(packed)
    shutil.copy(SLIDES_LOG, folder / "slides.log")
    shutil.copy(RUN_JSON, folder)
    shutil.copytree(CTAPIPE, folder / "ctapipe")
    shutil.copytree(DATA / "prov", folder / "prov")
    write_dl3(folder / "dl3_LST-1.Run01807.fits")
    for number in range(12):
        shutil.copy(LSTCHAIN_DL1, folder / f"dl1.{number:02}.h5")
    shutil.copy(LSTCHAIN_DL2, folder)
    (folder / "cut.h5").write_bytes(LSTCHAIN_DL1.read_bytes()[:9000])
    (folder / "config.yaml").write_text("picture_thresh: 8\n")
    (folder / "table.ecsv").write_text("# %ECSV 1.0\n# ---\n# : a [\na b\n")
    (folder / "broken.log").write_bytes(_RECORD % 1 + b"__PROV__t__PROV__{\n")
    (folder / "notes.md").write_text("# Notes\n")
    (folder / "gone.log").symlink_to(folder / "missing")
    _age(folder)
    return folder


def _read(store: Store, *paths: Path, **options: Any) -> tuple[IngestReport, list[str]]:
    problems: list[ReadError] = []
    report = ingest(store, paths, on_problem=problems.append, **options)
    return report, list(map(str, problems))


@pytest.mark.parametrize("jobs", [2, 5])
def test_however_many_processes_read_the_same_is_stored_and_told(
    store: Store, mixed: Path, jobs: int
) -> None:
    with open_store("memory://") as alone:
        expected, told = _read(alone, mixed, jobs=1)

        report, problems = _read(store, mixed, jobs=jobs)

        assert stored_in(store) == stored_in(alone)
    assert report == expected
    assert problems == told
    assert (report.inputs, report.unread, report.others) == (28, 2, 1)


def test_whatever_files_are_called_several_processes_read_them(
    store: Store, tmp_path: Path
) -> None:
    names = [b"a\nb", b"r\xe9sum\xe9", b"-rf", "Múnich ✓".encode(), b"'\"\\"]
    for number, name in enumerate(names * 5):
        path = os.fsencode(tmp_path) + b"/%02d" % number + name + b".h5"
        shutil.copy(LSTCHAIN_DL1, os.fsdecode(path))
    with open_store("memory://") as alone:
        expected = _read(alone, tmp_path, jobs=1)

        read = _read(store, tmp_path, jobs=2)

        assert stored_in(store) == stored_in(alone)
    assert read == expected
    assert read[0].inputs == 25


def test_a_rotated_log_is_read_as_if_it_were_one(store: Store, mixed: Path) -> None:
    with open_store("memory://") as whole:
        ingest(whole, [NIGHT_LOG])

        _read(store, mixed / "logs", jobs=2)

        assert stored_without_places(store) == stored_without_places(whole)


@pytest.mark.parametrize("jobs", [1, 2])
def test_files_that_are_named_are_read_by_several_processes_too(
    memory: Store, tmp_path: Path, jobs: int
) -> None:
    files = [tmp_path / f"{number:02}.h5" for number in range(20)]
    for file in files:
        shutil.copy(LSTCHAIN_DL1, file)
    other = tmp_path / "model.sav"
    other.write_bytes(b"\x80\4\x95" + bytes(100))
    empty = tmp_path / "empty.log"
    empty.touch()

    report, problems = _read(memory, *files, other, empty, jobs=jobs)

    assert (report.inputs, report.unread, report.others) == (21, 1, 0)
    assert [text.partition(": ")[0] for text in problems] == [str(other), str(empty)]


def test_a_format_of_ones_own_is_read_without_another_process(
    memory: Store, tmp_path: Path
) -> None:
    def read(source: Source, on_problem: object) -> Iterator[tuple[None, Record]]:
        yield None, {"entity_id": source.name, "name": "R0SubrunDataset"}

    mine = Format(name="mine", title="", claims=lambda source: True, read=read)
    logs = _logs(tmp_path / "logs", [f"{n:02}.log" for n in range(40)])

    report, problems = _read(memory, logs, format=mine, jobs=2)

    assert (report.inputs, report.records, problems) == (40, 40, [])


def test_few_files_are_read_without_another_process(
    store: Store, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(subprocess, "Popen")

    report, problems = _read(store, logs, jobs=8)

    assert (report.inputs, problems) == (3, [])


def test_what_has_not_changed_is_not_read_again(store: Store, mixed: Path) -> None:
    first, _ = _read(store, mixed)
    before = stored_in(store)

    again, problems = _read(store, mixed)

    assert stored_in(store) == before
    assert (again.inputs, again.records) == (0, 0)
    assert (again.unchanged, again.others) == (first.inputs, first.others)
    assert again.written[f.ENTITIES] == WriteCounts()
    counts = {name: c.unchanged for name, c in again.formats.items()}
    assert counts == {name: c.inputs for name, c in first.formats.items()}
    # What could not be read is tried again.
    assert again.unread == len(problems) == 2


def _append(logs: Path) -> None:
    with (logs / "b.log").open("ab") as log:
        log.write(_RECORD % 7)
    _age(logs)


def _touch(logs: Path) -> None:
    os.utime(logs / "b.log", (_LONG_AGO, _LONG_AGO + 1))


def _add(logs: Path) -> None:
    (logs / "aa.log").write_bytes(_RECORD % 7)
    _age(logs)


def _replace(logs: Path) -> None:
    (logs / "b.log").unlink()
    _add(logs)


def _rename(logs: Path) -> None:
    (logs / "b.log").rename(logs / "d.log")


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        pytest.param(_append, (1, 2), id="size"),
        pytest.param(_touch, (1, 2), id="time"),
        pytest.param(_add, (1, 3), id="added"),
        pytest.param(_replace, (1, 2), id="removed and added"),
        pytest.param(_rename, (1, 2), id="renamed"),
    ],
)
def test_what_has_changed_is_read_again(
    store: Store, logs: Path, change: Callable[[Path], None], counts: tuple[int, int]
) -> None:
    _read(store, logs)
    change(logs)

    report, _ = _read(store, logs)
    again, _ = _read(store, logs)

    assert (report.inputs, report.unchanged) == counts
    assert (again.inputs, again.unchanged) == (0, sum(counts))


def test_all_is_read_again_where_that_is_asked_for(store: Store, logs: Path) -> None:
    _read(store, logs)

    report, _ = _read(store, logs, is_again=True)

    assert (report.inputs, report.unchanged) == (3, 0)


def test_a_file_that_is_named_is_read_always(store: Store, logs: Path) -> None:
    _read(store, logs)

    report, _ = _read(store, logs / "a.log", logs / "b.log")

    assert (report.inputs, report.unchanged) == (2, 0)


def test_a_file_that_has_just_changed_is_read_again(store: Store, logs: Path) -> None:
    """Its size and time may stay, and its content change, in the same moment."""
    os.utime(logs / "b.log")

    _read(store, logs)
    report, _ = _read(store, logs)

    assert (report.inputs, report.unchanged) == (1, 2)


def test_a_time_that_is_far_ahead_is_one_like_others(store: Store, logs: Path) -> None:
    in_a_year = time.time() + 365 * 86400
    os.utime(logs / "b.log", (in_a_year, in_a_year))

    _read(store, logs)
    report, _ = _read(store, logs)

    assert (report.inputs, report.unchanged) == (0, 3)


def test_a_store_that_was_emptied_knows_of_nothing(
    local_store_uri: str, logs: Path
) -> None:
    with open_store(local_store_uri) as store:
        _read(store, logs)
        entities = list(store.scan(f.ENTITIES))
        with store._transaction():
            store._delete(f.ENTITIES, entities)

        report, _ = _read(store, logs)

        assert (report.inputs, report.written[f.ENTITIES].added) == (3, 3)


def test_other_stores_know_of_nothing(store: Store, memory: Store, logs: Path) -> None:
    _read(store, logs)

    report, _ = _read(memory, logs)

    assert (report.inputs, report.unchanged) == (3, 0)


def test_what_an_earlier_version_read_is_read_again(
    store: Store, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _read(store, logs)
    monkeypatch.setattr(known_files, "READERS_VERSION", 2)

    report, _ = _read(store, logs)
    again, _ = _read(store, logs)

    assert (report.inputs, again.unchanged) == (3, 3)


def test_what_was_read_as_another_format_is_read_again(
    store: Store, logs: Path
) -> None:
    (logs / "notes.md").write_text("# Notes\n")
    _age(logs)
    _read(store, logs)

    told, _ = _read(store, logs, format=format_named("lstosa"))
    found, _ = _read(store, logs)

    assert (told.inputs, told.unchanged) == (1, 3)
    assert (found.inputs, found.unchanged, found.others) == (0, 4, 0)


def test_a_large_folder_is_known_in_parts(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_files, "_FILES_A_PART", 4)
    monkeypatch.setattr(known_files, "_FILES", 5)
    logs = _logs(tmp_path / "logs", [f"{n:02}.log" for n in range(30)])
    _read(store, logs, jobs=1)
    (logs / "00a.log").write_bytes(_RECORD % 100)
    _age(logs)

    report, _ = _read(store, logs, jobs=1)

    assert (report.inputs, report.unchanged) == (1, 30)
    assert len(list(store.scan(f.READINGS))) == 8


class _Breaks(LocalStore):
    """A store that goes away at a verb."""

    breaks: str = ""

    def write(self, documents: Any) -> dict[str, WriteCounts]:
        """Write, or fail."""
        if self.breaks == "write":
            raise StoreUnavailable(self.uri, "it is gone")
        return super().write(documents)

    def remember(self, readings: Sequence[Document]) -> WriteCounts:
        """Remember, or fail."""
        if self.breaks == "remember":
            raise StoreUnavailable(self.uri, "it is gone")
        return super().remember(readings)


@pytest.mark.parametrize("verb", ["write", "remember"])
def test_what_was_not_written_to_the_end_is_read_again(
    tmp_path: Path, logs: Path, verb: str
) -> None:
    with _Breaks(tmp_path / "it.db") as store:
        store.initialise()
        store.breaks = verb
        with pytest.raises(StoreUnavailable):
            _read(store, logs)
        store.breaks = ""

        report, _ = _read(store, logs)

        assert report.inputs == 3
        assert store.document_count(f.ENTITIES) == 3


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_was_written_before_an_interruption_is_not_read_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setattr(room, "_FILES_A_WRITE", 1)
    logs = _logs(tmp_path / "logs", [f"{n:02}.log" for n in range(40)])

    def interrupt(progress: Progress) -> None:
        if progress.files == 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(store, [logs], jobs=jobs, on_progress=interrupt)
    report, _ = _read(store, logs)

    assert (report.inputs, report.unchanged) == (16, 24)
    assert store.document_count(f.ENTITIES) == 40


def test_a_process_that_is_killed_loses_one_file_that_is_read_next_time(
    store: Store, tmp_path: Path
) -> None:
    psutil = pytest.importorskip("psutil")
    for number in range(300):
        shutil.copy(LSTCHAIN_DL1, tmp_path / f"{number:03}.h5")
    _age(tmp_path)
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        if progress.files == 50:
            children = psutil.Process().children()
            killed.append(
                next(c.pid for c in children if "readers" in str(c.cmdline()))
            )
            os.kill(killed[0], signal.SIGKILL)

    report, problems = _read(store, tmp_path, jobs=2, on_progress=kill)
    again, _ = _read(store, tmp_path)

    assert len(killed) == 1
    assert (report.inputs, report.unread) == (299, 1)
    assert problems[0].endswith(": it ended the process that read it: SIGKILL")
    assert (again.inputs, again.unchanged) == (1, 299)


def test_progress_counts_files_and_bytes_of_what_is_to_be_read(
    memory: Store, tmp_path: Path
) -> None:
    logs = _logs(tmp_path / "logs", [f"{n:02}.log" for n in range(40)])
    size = sum(path.stat().st_size for path in logs.iterdir())
    seen: list[tuple[int, int]] = []

    def see(progress: Progress) -> None:
        seen.append((progress.files, progress.size_bytes))

    ingest(memory, [logs], jobs=2, on_progress=see)

    assert seen == sorted(seen)
    assert seen[-1] == (40, size)


def test_what_is_remembered_takes_a_hundredth_of_what_was_read(
    memory: Store, tmp_path: Path
) -> None:
    logs = _logs(tmp_path / "logs", [f"dl1_LST-1.Run{n:05}.log" for n in range(100)])
    ingest(memory, [logs])

    (document,) = memory.scan(f.READINGS)

    assert document[f.NAMES][99] == "dl1_LST-1.Run00099.log"
    assert len(repr(document)) < 100 * 80
