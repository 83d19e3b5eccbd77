"""What became of the inputs, counted."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from provdb.store import WriteCounts

__all__ = ["FormatCounts", "IngestReport"]


@dataclass(slots=True, kw_only=True)
class FormatCounts:
    """What became of the inputs of one format.

    Attributes:
        inputs: Files read.
        unchanged: Files that are as they were when they were read.
        records: Records in those read, repeated ones too.
        skipped: Parts of them that should hold a record and do not.
        unread: Files that could not be read at all.
    """

    inputs: int = 0
    unchanged: int = 0
    records: int = 0
    skipped: int = 0
    unread: int = 0


@dataclass(slots=True, kw_only=True)
class IngestReport:
    """What became of the inputs.

    Attributes:
        inputs: Files read, standard input among them.
        unchanged: Files that are as they were when they were read, and are not read
            again.
        others: Files in folders whose format is none that is known.
        lines: Lines of logs that were read.
        records: Records in all inputs read, repeated ones too.
        foreign: Lines that are no provenance, such as warnings between the records.
        skipped: Lines, or parts of other files, that should hold a record and do not.
        unread: Inputs that could not be read at all.
        formats: What became of the inputs, by the name of their format.
        written: What became of the documents, by collection.
    """

    inputs: int = 0
    unchanged: int = 0
    others: int = 0
    lines: int = 0
    records: int = 0
    foreign: int = 0
    skipped: int = 0
    unread: int = 0
    formats: dict[str, FormatCounts] = field(default_factory=dict)
    written: dict[str, WriteCounts] = field(default_factory=dict)

    def of_format(self, name: str) -> FormatCounts:
        """Return the counts of a format, to add to."""
        return self.formats.setdefault(name, FormatCounts())

    def add_written(self, written: Mapping[str, WriteCounts]) -> None:
        """Add what became of documents."""
        for collection, counts in written.items():
            before = self.written.get(collection, WriteCounts())
            self.written[collection] = before + counts

    def begin_pass(self) -> None:
        """Forget what is counted anew in every pass over the same files."""
        self.unchanged = self.others = 0
        for counts in self.formats.values():
            counts.unchanged = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the report as it stands in JSON."""
        return {
            "inputs": self.inputs,
            "unchanged": self.unchanged,
            "others": self.others,
            "unread": self.unread,
            "lines": self.lines,
            "records": self.records,
            "foreign": self.foreign,
            "skipped": self.skipped,
            "formats": {
                name: asdict(self.formats[name]) for name in sorted(self.formats)
            },
            "written": {
                collection: asdict(counts)
                for collection, counts in self.written.items()
            },
        }
