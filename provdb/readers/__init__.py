"""Readers: text or files in, records out; one file a format, and no store."""

from provdb.readers.lines import Line, find_logs, open_log, read_lines
from provdb.readers.lstosa import RecordParser, read_records

__all__ = [
    "Line",
    "RecordParser",
    "find_logs",
    "open_log",
    "read_lines",
    "read_records",
]
