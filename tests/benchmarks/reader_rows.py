"""The row of the table that is about readers: what many small files cost."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from provdb.readers import Source
from provdb.readers.guard import end_guards, guarded
from tests.benchmarks.measure import Line, at_most, in_turns
from tests.benchmarks.stage import Stage

__all__ = ["READER_ROWS", "SAMPLE"]

SAMPLE: Final = (
    Path(__file__).parents[1]
    / "data"
    / "lstchain-0.12.3"
    / "dl1_LST-1.Run01807.0000.h5"
)


def _hdf5(stage: Stage, *, rounds: int) -> Iterator[Line]:
    """Read copies of a small DL1 file, and open them and read their root alone."""
    import h5py

    # As many as a run has, a hundred in full.
    paths = [stage.folder / f"dl1.{i:04d}.h5" for i in range(stage.scale.subruns)]
    for path in paths:
        shutil.copyfile(SAMPLE, path)
    read = guarded("hdf5")

    def ours() -> None:
        for path in paths:
            with path.open("rb") as stream:
                assert list(read(Source(stream, path=path), _fail))

    def baseline() -> None:
        for path in paths:
            with h5py.File(path, "r") as file:
                assert dict(file.attrs)

    ours()  # The process is started once for all files.
    mine, bare = in_turns(rounds, ours, baseline)
    end_guards()
    what = f"read {len(paths)} HDF5 files, {len(paths) / mine:.0f} a second"
    yield at_most(f"{what} | attributes of their roots by h5py", mine, bare, 5)


def _fail(problem: Exception) -> None:
    raise problem


READER_ROWS: Final[Mapping[str, Callable[..., Iterator[Line]]]] = {"hdf5": _hdf5}
