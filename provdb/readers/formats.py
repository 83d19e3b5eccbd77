"""The table of formats: how each is known by its content, and who reads it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from provdb.errors import ReadError, UnknownFormat
from provdb.model import Record
from provdb.readers import ctapipe, fits, hdf5, lstosa_run, small_files
from provdb.readers.guard import guarded
from provdb.readers.lines import is_called_log
from provdb.readers.lstosa import claims_log, read_log
from provdb.readers.prov import PROV_FORMATS
from provdb.readers.source import Source

__all__ = ["FORMATS", "READERS_VERSION", "Format", "find_format", "format_named"]

# To be raised when any of them reads more of a file than before: what was read by
# another version is read again.
READERS_VERSION: Final = 1
# Is told of each part of a file that should hold a record and does not.
OnProblem = Callable[[ReadError], None]
# A record, and the line of the file that holds it, if there is one.
Found = tuple[int | None, Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format of files that hold provenance.

    Attributes:
        name: Its name, as ``--format`` has it.
        title: What such files are, in a few words.
        claims: Says whether a source is in this format, by its first bytes.
        read: Yields the records of a source. What is wrong in a part of it is told,
            and costs no other part; a `ReadError` is about the whole of it.
        is_quick: Whether to read takes less time than to hand over what was read from
            one process to another, as of lines of text.
    """

    name: str
    title: str
    claims: Callable[[Source], bool]
    read: Callable[[Source, OnProblem], Iterator[Found]]
    is_quick: bool = False


_LSTOSA: Final = Format(
    name="lstosa",
    title="logs of lstosa and logprov",
    claims=claims_log,
    read=read_log,
    is_quick=True,
)
# In the order in which they are asked: the first that claims a file reads it.
FORMATS: Final = (
    Format(
        name="hdf5",
        title="HDF5 files of lstchain and ctapipe",
        claims=hdf5.claims,
        read=guarded("hdf5"),
    ),
    Format(
        name="fits",
        title="headers of FITS files",
        claims=fits.claims,
        read=guarded("fits"),
    ),
    Format(
        name="ctapipe",
        title="provenance logs of ctapipe",
        claims=ctapipe.claims_log,
        read=ctapipe.read_log,
        is_quick=True,
    ),
    Format(
        name="lstosa-run",
        title="run-wise logs of lstosa",
        claims=lstosa_run.claims_log,
        read=lstosa_run.read_run_log,
        is_quick=True,
    ),
    Format(
        name="lstosa-json",
        title="run-wise PROV-JSON of lstosa",
        claims=lstosa_run.claims_json,
        read=lstosa_run.read_json,
    ),
    Format(
        name="ecsv",
        title="tables in ECSV",
        claims=small_files.claims_ecsv,
        read=small_files.read_ecsv,
    ),
    _LSTOSA,
    *(
        Format(name=one.name, title=one.title, claims=one.claims, read=one.read)
        for one in PROV_FORMATS
    ),
    Format(
        name="config",
        title="configurations in JSON and YAML",
        claims=small_files.claims_configuration,
        read=small_files.read_configuration,
    ),
)


def find_format(source: Source, *, is_named: bool = True) -> Format | None:
    """Return the format of a source, or None if it is none of those that are known.

    A text that no format claims is read as a log of lstosa, whose records may stand
    anywhere between lines of others.

    Args:
        source: The source.
        is_named: Whether somebody asked for this very source. Else such a text must
            be called a log, for there are many others in a folder.

    Raises:
        ReadError: The source cannot be read.

    >>> from io import BytesIO
    >>> find_format(Source(BytesIO(b"INFO __PROV__2020-05-18__PROV__{'run': 1}"))).name
    'lstosa'
    """
    for one in FORMATS:
        if one.claims(source):
            return one
    is_log = is_named or source.path is None or is_called_log(source.path)
    return _LSTOSA if is_log and b"\0" not in source.first_bytes() else None


def format_named(name: str, formats: Iterable[Format] = FORMATS) -> Format:
    """Return the format of a name.

    Raises:
        UnknownFormat: There is none.

    >>> format_named("lstosa").title
    'logs of lstosa and logprov'
    """
    for one in formats:
        if one.name == name:
            return one
    raise UnknownFormat(name, known=[one.name for one in formats])
