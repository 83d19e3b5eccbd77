"""Folders are watched during a night: what comes is read, and nothing is told twice."""

import os
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from provdb.errors import ReadError, StoreUnavailable
from provdb.ingest import IngestReport, watch
from provdb.model import Record
from provdb.model import fields as f
from provdb.readers import Source
from provdb.readers.formats import Format
from provdb.store import Store, WriteCounts
from provdb.store.local import LocalStore
from tests.samples import LSTCHAIN_DL1, SLIDES_LOG, read_log, stored_in

_RECORD: Final = b"{'entity_id': '%d', 'name': 'R0SubrunDataset'}\n"
_EVENING: Final = 1_579_306_800
_Step = Callable[[], object]


class Night:
    """A night in which something happens between two looks at a folder.

    Attributes:
        report: What was read in all of it.
        problems: What was told, pass by pass.
        passes: What was read until then, pass by pass.
    """

    def __init__(self, store: Store, *paths: Path) -> None:
        """Watch some paths."""
        self.report = IngestReport()
        self.problems: list[list[str]] = [[]]
        self.passes: list[tuple[int, int]] = []
        self.told: list[str] = []
        self._store = store
        self._paths = paths
        self._now = float(_EVENING)

    def goes(self, *steps: _Step, **options: Any) -> None:
        """Let these happen, one after each pass, ten seconds apart."""
        left = iter(steps)

        def wait(seconds: float) -> None:
            self._now += seconds
            step = next(left, None)
            if step is None:
                raise KeyboardInterrupt
            self.problems.append([])
            step()

        with pytest.raises(KeyboardInterrupt):
            watch(
                self._store,
                self._paths,
                report=self.report,
                on_problem=self._tell,
                on_pass=self._end_pass,
                on_lost=lambda error: self.told.append(f"lost: {error.reason}"),
                on_back=lambda: self.told.append("back"),
                wait=wait,
                now=lambda: self._now,
                **options,
            )

    def later(self, seconds: float) -> _Step:
        """Return what lets time pass."""

        def pass_time() -> None:
            self._now += seconds

        return pass_time

    def write(self, path: Path, content: bytes) -> _Step:
        """Return what writes a file anew, at the time that it is then."""

        def write() -> None:
            path.write_bytes(content)
            os.utime(path, (self._now, self._now))

        return write

    def _tell(self, problem: ReadError) -> None:
        self.problems[-1].append(str(problem))

    def _end_pass(self) -> None:
        self.passes.append((self.report.inputs, self.report.unchanged))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which nothing is yet."""
    folder = tmp_path / "night"
    folder.mkdir()
    return folder


@pytest.fixture
def night(store: Store, folder: Path) -> Night:
    """A night above the folder."""
    return Night(store, folder)


def _nothing() -> None:
    pass


def test_what_comes_to_a_folder_is_read_once(night: Night, folder: Path) -> None:
    night.goes(
        _nothing,
        night.write(folder / "a.log", _RECORD % 1),
        _nothing,
        night.write(folder / "b.log", _RECORD % 2),
        _nothing,
    )

    assert night.passes == [(0, 0), (0, 0), (1, 0), (1, 1), (2, 1), (2, 2)]
    assert not any(night.problems)


def test_a_log_that_grows_in_pieces_is_read_as_the_whole(
    store: Store, memory: Store, night: Night, folder: Path
) -> None:
    text = read_log(SLIDES_LOG)
    log = folder / "prov.log"
    cuts = range(100, len(text), len(text) // 7)

    night.goes(*(night.write(log, text[:cut]) for cut in cuts), night.write(log, text))

    other = Night(memory, log)
    other.goes(night.write(log, text))
    assert stored_in(store) == stored_in(memory)
    assert not any(night.problems)
    assert night.report.skipped == 0


def test_a_line_that_stays_without_its_end_is_told_once_nobody_writes(
    night: Night, folder: Path
) -> None:
    log = folder / "prov.log"

    night.goes(
        night.write(log, _RECORD % 1 + b"{'entity_id': "),
        _nothing,
        night.later(60),
        _nothing,
        _nothing,
    )

    told = [len(problems) for problems in night.problems]
    assert told == [0, 0, 0, 1, 0, 0]
    assert night.problems[3][0].endswith("the log is cut off in this line")
    assert night.passes[-1] == (3, 1)


def test_a_broken_line_of_a_log_that_grows_is_told_once(
    night: Night, folder: Path
) -> None:
    log = folder / "prov.log"
    text = _RECORD % 1 + b"__PROV__t__PROV__{\n"

    night.goes(
        night.write(log, text),
        night.write(log, text + _RECORD % 2),
        night.write(log, text + _RECORD % 2 + _RECORD % 3),
    )

    assert [len(problems) for problems in night.problems] == [0, 1, 0, 0]


def test_half_a_file_is_told_of_once_it_is_left_alone_and_read_when_it_is_whole(
    store: Store, night: Night, folder: Path
) -> None:
    file, content = folder / "dl1.h5", LSTCHAIN_DL1.read_bytes()

    night.goes(
        night.write(file, content[:4000]),
        night.write(file, content[:9000]),
        _nothing,
        night.later(60),
        _nothing,
        night.later(600),
        night.write(file, content),
    )

    told = [len(problems) for problems in night.problems]
    assert told == [0, 0, 0, 0, 1, 0, 0, 0]
    assert store.document_count(f.ENTITIES) == 1
    assert night.passes[-1] == (1, 0)


def test_what_cannot_be_read_is_not_tried_until_it_changes(
    night: Night, folder: Path
) -> None:
    tried: list[int] = []

    def read(source: Source, on_problem: object) -> Iterator[tuple[None, Record]]:
        tried.append(len(source.read_all(100)))
        raise ReadError(source.name, "it cannot be read")

    broken = Format(name="broken", title="", claims=lambda source: True, read=read)
    file = folder / "dl1.h5"

    night.goes(
        night.write(file, b"1"),
        night.later(60),
        _nothing,
        _nothing,
        night.write(file, b"12"),
        format=broken,
    )

    assert tried == [1, 1, 2]
    assert night.report.unread == 1


def test_a_file_that_comes_and_goes_is_no_error(night: Night, folder: Path) -> None:
    link = folder / "a.log"

    night.goes(
        lambda: link.symlink_to(folder / "missing"),
        link.unlink,
        night.write(folder / "b.log", _RECORD % 1),
        (folder / "b.log").unlink,
    )

    assert night.report.inputs == 1
    assert [len(problems) for problems in night.problems] == [0, 1, 0, 0, 0]


def test_a_folder_that_is_not_there_yet_is_told_once_and_read_when_it_is(
    store: Store, folder: Path
) -> None:
    night = Night(store, folder / "later")

    night.goes(
        _nothing,
        (folder / "later").mkdir,
        night.write(folder / "later" / "a.log", _RECORD % 1),
    )

    assert [len(problems) for problems in night.problems] == [1, 0, 0, 0]
    assert (night.report.inputs, night.report.unread) == (1, 1)


def test_a_file_that_is_named_is_read_when_it_has_changed(
    store: Store, folder: Path
) -> None:
    log = folder / "notes"
    night = Night(store, log)
    night.write(log, _RECORD % 1)()

    night.goes(_nothing, night.write(log, _RECORD % 1 + _RECORD % 2), _nothing)

    assert night.passes == [(1, 0), (1, 1), (2, 0), (2, 1)]


def test_a_name_that_no_store_holds_is_read_once(night: Night, folder: Path) -> None:
    name = Path(os.fsdecode(os.fsencode(folder) + b"/r\xe9sum\xe9.log"))

    night.goes(night.write(name, _RECORD % 1), _nothing, _nothing)

    assert night.report.inputs == 1


def test_only_the_first_pass_reads_all_again(night: Night, folder: Path) -> None:
    night.write(folder / "a.log", _RECORD % 1)()
    night.goes(_nothing)

    night.goes(_nothing, _nothing, is_again=True)

    assert night.report.inputs == 2


class _Away(LocalStore):
    """A store that is away from time to time."""

    is_away = False

    def write(self, documents: Any) -> dict[str, WriteCounts]:
        """Write, or fail."""
        if self.is_away:
            raise StoreUnavailable(self.uri, "it is gone")
        return super().write(documents)


@pytest.fixture
def away(tmp_path: Path) -> Iterator[_Away]:
    """A store that can go away."""
    with _Away(tmp_path / "it.db") as store:
        yield store


def test_nothing_is_lost_while_the_store_is_away(away: _Away, folder: Path) -> None:
    night = Night(away, folder)

    def goes(*, is_away: bool) -> _Step:
        return lambda: setattr(away, "is_away", is_away)

    night.goes(
        goes(is_away=True),
        night.write(folder / "a.log", _RECORD % 1),
        night.write(folder / "b.log", _RECORD % 2),
        goes(is_away=False),
        _nothing,
    )

    assert night.told == ["lost: it is gone", "back"]
    assert away.document_count(f.ENTITIES) == 2
    assert night.passes[-1][1] == 2


def test_a_store_that_is_away_from_the_beginning_is_an_error(
    away: _Away, folder: Path
) -> None:
    away.is_away = True

    with pytest.raises(StoreUnavailable):
        watch(away, [folder], report=IngestReport())


def test_memory_does_not_grow_over_a_night(memory: Store, folder: Path) -> None:
    """Of a file that changes all the time, another that fails, and many that stay."""
    for number in range(20):
        shutil.copy(SLIDES_LOG, folder / f"{number}.log")
        os.utime(folder / f"{number}.log", (_EVENING - 600, _EVENING - 600))
    (folder / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    os.utime(folder / "broken.h5", (_EVENING - 600, _EVENING - 600))
    night = Night(memory, folder)
    log = folder / "prov.log"
    sizes: list[int] = []

    def measure() -> None:
        sizes.append(tracemalloc.get_traced_memory()[0])

    def step(number: int) -> _Step:
        return night.write(log, _RECORD % (number % 7) * (1 + number % 5))

    steps = [step(number) for number in range(50)]
    tracemalloc.start()
    try:
        night.goes(*steps, measure, *steps * 4, measure, jobs=1)
    finally:
        tracemalloc.stop()

    before, after = sizes
    assert after - before < 200_000
