"""A folder of products: files that appear whole, and overwrite no other content."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from provdb.errors import ReadError

__all__ = ["Folder"]

_PIECE_BYTES: Final = 2**20
_SHORT: Final = 8


class Folder:
    """A folder to write into, made if it is not there.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        """Make the folder if it is not there.

        Raises:
            ReadError: It cannot be made.
        """
        self.path = path
        with self._telling(path):
            path.mkdir(parents=True, exist_ok=True)
            if not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(None, "it is not yours to write into")

    def write(self, name: str, content: bytes) -> Path:
        """Write a file, in the place of one that has its name.

        Raises:
            ReadError: It cannot be written.
        """
        path = self.path / name
        with self._unfinished(path) as (unfinished, stream):
            stream.write(content)
            stream.close()
            unfinished.replace(path)
        return path

    def add(self, name: str, content: bytes | Path) -> tuple[Path, bool]:
        """Add a file beside all that is there, under a name of its own.

        Where the name is that of another content, its digest becomes part of it.

        Args:
            name: The name that it should have.
            content: What it holds, or the file that it is a copy of.

        Returns:
            The file, and whether it was there already.

        Raises:
            ReadError: It cannot be written, or not be read.
        """
        with self._unfinished(self.path / name) as (unfinished, stream):
            digest = hashlib.sha256()
            for piece in _pieces(content):
                digest.update(piece)
                stream.write(piece)
            stream.close()
            for free in _names(name, digest.hexdigest()):
                path = self.path / free
                if not os.path.lexists(path):
                    unfinished.replace(path)
                    return path, False
                if path.is_file() and _digest(path) == digest.hexdigest():
                    return path, True
        raise ReadError(str(self.path / name), "all names for it are taken")

    @contextmanager
    def _unfinished(self, path: Path) -> Iterator[tuple[Path, BinaryIO]]:
        """Yield a file beside another one, which is gone afterwards."""
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        with self._telling(path):
            try:
                with unfinished.open("xb") as stream:
                    yield unfinished, stream
            finally:
                unfinished.unlink(missing_ok=True)

    @contextmanager
    def _telling(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ReadError(
                str(path), f"it cannot be written: {error.strerror or error}"
            ) from error


def _pieces(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    try:
        with content.open("rb") as stream:
            while piece := stream.read(_PIECE_BYTES):
                yield piece
    except OSError as error:
        raise ReadError(
            str(content), f"it cannot be read: {error.strerror or error}"
        ) from error


def _names(name: str, digest: str) -> Iterator[str]:
    stem, _, ending = name.rpartition(".")
    yield name
    for shown in (digest[:_SHORT], digest):
        yield f"{stem}.{shown}.{ending}" if stem else f"{name}.{shown}"


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
