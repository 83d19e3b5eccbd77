"""What there is to read, in order: files, streams, and what is wrong on the way."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from provdb.errors import ReadError
from provdb.ingest.known import KnownFiles, UnchangedFiles
from provdb.readers.folders import FoundFile, walk_files

__all__ = ["EndOfPath", "Input", "Stream", "find_inputs"]


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of bytes, such as standard input."""

    stream: BinaryIO


@dataclass(frozen=True, slots=True)
class EndOfPath:
    """There is no more of a path."""

    path: Path


Input = FoundFile | Stream | UnchangedFiles | ReadError | EndOfPath


def find_inputs(
    paths: Iterable[Path | BinaryIO], *, known: KnownFiles
) -> Iterator[Input]:
    """Yield what paths mean, but for files that are known and have not changed."""
    for path in paths:
        if not isinstance(path, Path):
            yield Stream(path)
            continue
        try:
            yield from known.without(walk_files(path))
        except ReadError as problem:
            yield problem
            continue
        yield EndOfPath(path)
