"""Readers: text or files in, records out; one file a format, and no store.

`provdb.readers.formats` is the table of them. It is not loaded here: who only parses
the lines of a log, as capture does, needs none of the others.
"""

from provdb.readers.lines import Line, open_log, printable, read_lines
from provdb.readers.lstosa import RecordParser, read_records
from provdb.readers.source import Source

__all__ = [
    "Line",
    "RecordParser",
    "Source",
    "open_log",
    "printable",
    "read_lines",
    "read_records",
]
