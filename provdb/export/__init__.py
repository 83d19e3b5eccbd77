"""Write a lineage in the formats of others: W3C PROV, RO-Crate."""

from provdb.export.prov import prov_document

__all__ = ["prov_document"]
