"""The rows about folders and nights: what it takes to ingest them."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Final

from provdb.ingest import ingest
from provdb.ingest.run import usable_cores
from provdb.store import Store, open_store
from tests.benchmarks.measure import Line, at_most, in_turns, time_text
from tests.benchmarks.reader_rows import SAMPLE
from tests.benchmarks.stage import Stage, fold_log

__all__ = ["INGEST_ROWS"]

_FILES_A_FOLDER: Final = 1000
_LONG_AGO: Final = 1_579_306_800
# To make the stores anew takes longer than what is measured.
_MOST_ROUNDS: Final = 3
_FILES_A_SECOND: Final = 300
_NIGHT_SECONDS: Final = 10.0
_UNCHANGED_SECONDS: Final = 5.0


def _folder(stage: Stage, *, rounds: int) -> Iterator[Line]:
    """Read a folder of small DL1 files, and open them and read their roots alone."""
    import h5py

    files = stage.scale.folder_files
    folder = _folder_of(stage, "folder", files, lambda p: shutil.copyfile(SAMPLE, p))
    numbers = count()

    def ours() -> None:
        with open_store(f"sqlite:///{stage.folder}/folder{next(numbers)}.db") as store:
            assert ingest(store, [folder], on_problem=_fail).inputs == files

    def baseline() -> None:
        for path in folder.rglob("*.h5"):
            with h5py.File(path, "r") as file:
                assert dict(file.attrs)

    mine, bare = in_turns(min(rounds, _MOST_ROUNDS), ours, baseline)
    what = f"ingest {files:,} HDF5 files on {usable_cores()} cores"
    yield at_most(f"{what} | attributes of their roots by h5py", mine, bare, 3)
    rate = files / mine
    yield Line(
        what=f"{what} | {_FILES_A_SECOND} files a second",
        ours=f"{rate:.0f} /s",
        baseline=f"{_FILES_A_SECOND} /s",
        ratio=rate / _FILES_A_SECOND,
        at_least=1,
    )


def _night(stage: Stage, *, rounds: int) -> Iterator[Line]:
    """Ingest the log of a night into a server; fold it, and insert what it makes."""
    log = stage.log(runs=stage.scale.night_runs)

    def ours() -> None:
        assert ingest(mine_in.pop(), [log], on_problem=_fail).records

    def baseline() -> None:
        store = bare_in.pop()
        for name, documents in fold_log(log).items():
            if documents:
                store.collection(name).insert_many(documents, ordered=False)

    rounds = min(rounds, _MOST_ROUNDS)
    mine_in = [stage.empty_store() for _ in range(rounds)]
    bare_in = [stage.empty_store() for _ in range(rounds)]
    mine, bare = in_turns(rounds, ours, baseline)
    what = f"ingest a night of {stage.scale.night_runs} runs into MongoDB"
    yield at_most(f"{what} | fold it, and insert_many by pymongo", mine, bare, 2)
    yield _within(what, mine, _NIGHT_SECONDS)


def _unchanged(stage: Stage, *, rounds: int) -> Iterator[Line]:
    """Look again at a folder that has not changed, and walk over it alone."""
    files = stage.scale.unchanged_files
    folder = _folder_of(stage, "unchanged", files, Path.touch)

    def baseline() -> None:
        for place, _, names in os.walk(folder):
            for name in names:
                os.stat(os.path.join(place, name))

    with open_store(f"sqlite:///{stage.folder}/unchanged.db") as local:
        for name, store in (("SQLite", local), ("MongoDB", stage.empty_store())):
            ingest(store, [stage.log(runs=1), folder])

            def ours(store: Store = store) -> None:
                assert ingest(store, [folder]).others == files

            mine, bare = in_turns(rounds, ours, baseline)
            what = f"ingest {files:,} files that have not changed, {name}"
            yield at_most(f"{what} | os.walk and os.stat", mine, bare, 5)
            yield _within(what, mine, _UNCHANGED_SECONDS)


def _within(what: str, ours: float, seconds: float) -> Line:
    return Line(
        what=f"{what} | {seconds:.0f} s",
        ours=time_text(ours),
        baseline=time_text(seconds),
        ratio=ours / seconds,
        at_most=1,
    )


def _folder_of(
    stage: Stage, name: str, files: int, make: Callable[[Path], object]
) -> Path:
    """Return a folder of folders of files that are old enough to be remembered."""
    folder = stage.folder / name
    for number in range(files):
        place = folder / f"{number // _FILES_A_FOLDER:03}"
        if number % _FILES_A_FOLDER == 0:
            place.mkdir(parents=True)
        path = place / f"dl1_LST-1.Run{number:05}.0000.h5"
        make(path)
        os.utime(path, (_LONG_AGO, _LONG_AGO))
    return folder


def _fail(problem: Exception) -> None:
    raise problem


INGEST_ROWS: Final[Mapping[str, Callable[..., Iterator[Line]]]] = {
    "folder": _folder,
    "night": _night,
    "unchanged": _unchanged,
}
