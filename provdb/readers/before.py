"""The digests that a file had before provdb embedded provenance in it, as it says."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from provdb.errors import ReadError
from provdb.model import Record
from provdb.readers import embedded_fits, embedded_hdf5, fits, hdf5
from provdb.readers.guard import guarded
from provdb.readers.source import Source

__all__ = ["FORMAT", "digests_before", "read_file"]

# What the process that reads binary files is asked for.
FORMAT: Final = "embedded"
_DIGESTS: Final = "digests"
_READERS: Final[tuple[tuple[Any, Any], ...]] = (
    (hdf5, embedded_hdf5),
    (fits, embedded_fits),
)


def digests_before(path: Path) -> tuple[str, ...]:
    """Return the digests of a file before anything was embedded in it.

    Nothing says that its data are the same since: it is what the file says itself.

    Args:
        path: The file.

    Returns:
        Each as ``METHOD:DIGEST``; none where nothing is embedded, or where it cannot
        be read.
    """
    try:
        with path.open("rb") as stream:
            source = Source(stream, path=path)
            if not any(one.claims(source) for one, _ in _READERS):
                return ()
            found = [
                record for _, record in guarded(FORMAT)(source, lambda problem: None)
            ]
    except (OSError, ReadError):
        return ()
    return tuple(str(digest) for record in found for digest in record[_DIGESTS])


def read_file(
    source: Source, on_problem: Callable[[ReadError], None]
) -> Iterator[tuple[int | None, Record]]:
    """Yield the digests that a file says it had, in the process that reads files."""
    for format_, reader in _READERS:
        if format_.claims(source):
            embedded = reader.read(Path(source.location()))
            if embedded is not None:
                yield None, {_DIGESTS: list(embedded.before)}
            return
