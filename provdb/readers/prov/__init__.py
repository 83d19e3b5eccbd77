"""Read documents of W3C PROV: PROV-JSON, PROV-XML, RDF, PROV-N and PROV-JSONLD.

Documents that provdb wrote give the records that they were made of. Of all others what
a lineage knows is taken, and every statement is kept beside it as it is, so that it is
there when it is exported.
"""

from provdb.readers.prov.formats import (
    PROV_FORMATS,
    ProvFormat,
    read_document,
    storable,
)
from provdb.readers.prov.records import records_of

__all__ = ["PROV_FORMATS", "ProvFormat", "read_document", "records_of", "storable"]
