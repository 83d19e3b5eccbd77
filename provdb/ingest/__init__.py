"""Read files into a store: what was read, what was new, and what could not be read.

Every input is read to its end, whatever is wrong in it, and what is good is stored.
What was read of a folder is remembered in the store, once all of it is written: the
next walk over the folder passes over the files that have not changed.
"""

from provdb.ingest.progress import Progress
from provdb.ingest.report import FormatCounts, IngestReport
from provdb.ingest.run import ingest
from provdb.ingest.watching import watch

__all__ = ["FormatCounts", "IngestReport", "Progress", "ingest", "watch"]
