"""Write a lineage in the formats of others: W3C PROV, RO-Crate, graphs, a page."""

from provdb.export.formats import FORMATS, Export, Format, export, format_of, get_format
from provdb.export.prov import prov_document

__all__ = [
    "FORMATS",
    "Export",
    "Format",
    "export",
    "format_of",
    "get_format",
    "prov_document",
]
