"""Read the text logs of lstosa and logprov: one record a line, among other lines.

Four spellings are known: ``__PROV__…__PROV__`` of lstosa, ``__PROV_…_PROV__`` of its
first versions, ``_PROV_…_PROV_`` of logprov, and the bare dictionaries of lstosa's
run-wise products (``*_prov.log``). What comes before and between is somebody else's.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from provdb.errors import ReadError
from provdb.model import Record
from provdb.readers.lines import Line, read_lines
from provdb.readers.literal import parse_literal
from provdb.readers.source import Source

__all__ = ["RecordParser", "claims_log", "read_log", "read_records"]

_MARK: Final = re.compile(r"_{1,2}PROV_{1,2}[^{}']{0,64}?_{1,2}PROV_{1,2}")
_MARK_BYTES: Final = re.compile(_MARK.pattern.encode())
# A bare dictionary that starts as records do.
_BARE_BYTES: Final = re.compile(
    rb"""^\s*\{\s*['"](?:activity|entity|session|file)_id['"]\s*:""", re.MULTILINE
)
_IDS: Final = frozenset(("activity_id", "entity_id", "session_id", "file_id"))
_FILE_ID: Final = re.compile(r"[0-9a-f]{32,128}|/.+|[^\s/]+(?:/.+|\.\w+)")
_SYSTEM: Final = "'system': {"
_ARGUMENTS: Final = "'arguments': ["
_STAND_IN: Final = "%block"
_MOST_BLOCKS: Final = 64
_SHOWN: Final = 40


def claims_log(source: Source) -> bool:
    """Say whether the first bytes hold a record as lstosa and logprov write them."""
    first = source.first_bytes()
    return _MARK_BYTES.search(first) is not None or bool(_BARE_BYTES.search(first))


def read_log(
    source: Source, on_problem: Callable[[ReadError], None]
) -> Iterator[tuple[int | None, Record]]:
    """Yield the records of a log, with the numbers of their lines.

    Args:
        source: The log.
        on_problem: Is told of each line that should hold a record and does not.

    Raises:
        ReadError: It is no text, or damaged before its first line.
    """

    def skip_unsplit(problem: ReadError) -> None:
        source.line_count += 1
        on_problem(problem)

    def counted() -> Iterator[Line]:
        lines = read_lines(source.stream, source.name, on_problem=skip_unsplit)
        for line in lines:
            if source.is_growing and not line.is_complete:
                source.is_cut = True
                return
            source.line_count += 1
            yield line

    for line, record in read_records(counted(), on_problem=on_problem):
        yield line.number, record


def read_records(
    lines: Iterable[Line], *, on_problem: Callable[[ReadError], None]
) -> Iterator[tuple[Line, Record]]:
    """Yield the record of each line that holds one, with its line.

    Args:
        lines: The lines of a log.
        on_problem: Is told of each line that should hold a record and does not.

    >>> from io import BytesIO
    >>> from provdb.readers.lines import read_lines
    >>> log = b"INFO provLogger __PROV__2020-05-18T14:18:30__PROV__{'run': 1618}"
    >>> lines = read_lines(BytesIO(log), "prov.log", on_problem=print)
    >>> [record for _, record in read_records(lines, on_problem=print)]
    [{'run': 1618}]
    """
    parser = RecordParser()
    for line in lines:
        try:
            record = parser.parse_line(line.text)
        except ValueError as error:
            on_problem(_problem(line, str(error)))
            continue
        if record is not None:
            yield line, record


def _mended(record: Record) -> Record:
    """Return a record of logprov about a file that was used with its ``entity_id``.

    logprov 0.0.2 writes ``{"<id>": "<id>", …}`` for ``{"entity_id": "<id>", …}``: the
    hash of the file's content, or its path if there is no file.
    """
    if not _IDS.isdisjoint(record):
        return record
    ids = [key for key, value in record.items() if value == key and type(key) is str]
    if len(ids) != 1 or not _FILE_ID.fullmatch(ids[0]):
        return record
    others = {key: value for key, value in record.items() if key != ids[0]}
    return {"entity_id": ids[0], **others}


def _payload(text: str) -> str | None:
    """Return what should be a dictionary, or None for a line of somebody else."""
    if text.startswith("{"):
        return text
    mark = _MARK.search(text)
    return None if mark is None else text[mark.end() :].strip()


def _problem(line: Line, reason: str) -> ReadError:
    payload = _payload(line.text) or ""
    shown = payload[:_SHOWN] + ("…" if len(payload) > _SHOWN else "")
    if not line.is_complete:
        reason = "the log is cut off in this line"
    return ReadError(
        line.source, f"no record was read from {shown!r}: {reason}", line=line.number
    )


class RecordParser:
    """Parse lines; the software block of a session, once for all that repeat it."""

    def __init__(self) -> None:
        """Start with no block known."""
        self._blocks: dict[str, dict[Any, Any]] = {}

    def parse_line(self, text: str) -> Record | None:
        """Return the record of a line, or None for a line of somebody else.

        Raises:
            ValueError: The line should hold a record, and does not.

        >>> RecordParser().parse_line("__PROV__2020-05-18T14:18:30__PROV__{'run': 1}")
        {'run': 1}
        """
        payload = _payload(text)
        if payload is None:
            return None
        record = self._parse(payload)
        if not isinstance(record, dict):
            raise ValueError("it is no dictionary")
        return _mended(record)

    def _parse(self, payload: str) -> Any:
        start = payload.find(_SYSTEM)
        if start < 0:
            return parse_literal(payload)
        record = self._parse_with_block(payload, start)
        return parse_literal(payload) if record is None else record

    def _parse_with_block(self, payload: str, start: int) -> Any:
        """Parse the block and the rest apart, or return None if they cannot be parted.

        In the rest a stand-in is put for the block. Where it comes out as a key of
        the system, the block was a list of items in just that place, so the parts
        say what the whole says.
        """
        head = payload[: start + len(_SYSTEM) - 1]
        end = payload.find(_ARGUMENTS, start)
        text = payload[len(head) : end].rstrip()
        if end < 0 or _STAND_IN in payload or not text.endswith(("{", ",")):
            return None
        block = self._blocks.get(text)
        try:
            if block is None:
                block = parse_literal(text + "}")
                if len(self._blocks) >= _MOST_BLOCKS:
                    self._blocks.clear()
                self._blocks[text] = block
            record = parse_literal(head + f"{{'{_STAND_IN}': 0, " + payload[end:])
            del record["system"][_STAND_IN]
            record["system"] = {**block, **record["system"]}
        except (ValueError, TypeError, KeyError):
            return None
        return record
