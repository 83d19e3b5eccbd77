"""Readers: text or files in, records out; one file a format, and no store."""

from provdb.readers.formats import FORMATS, Format, find_format, format_named
from provdb.readers.lines import Line, find_files, open_log, printable, read_lines
from provdb.readers.lstosa import RecordParser, read_records
from provdb.readers.source import Source

__all__ = [
    "FORMATS",
    "Format",
    "Line",
    "RecordParser",
    "Source",
    "find_files",
    "find_format",
    "format_named",
    "open_log",
    "printable",
    "read_lines",
    "read_records",
]
