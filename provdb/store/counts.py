"""What a write changed, and how large a store is."""

from dataclasses import dataclass

__all__ = ["CollectionStats", "WriteCounts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCounts:
    """What became of the documents of one collection.

    Attributes:
        added: Documents that were not there.
        changed: Documents that were there and learned something.
        unchanged: Documents that were there, just so.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "WriteCounts") -> "WriteCounts":
        """Add the counts of two writes."""
        return WriteCounts(
            added=self.added + other.added,
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionStats:
    """How large a collection is.

    Attributes:
        name: Name of the collection.
        documents: Number of documents.
        size_bytes: What documents take on disk, after compression.
        index_bytes: What indexes take on disk, 0 where the store keeps them together
            with the documents.
    """

    name: str
    documents: int
    size_bytes: int
    index_bytes: int
