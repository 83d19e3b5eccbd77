"""A lineage as a document of W3C PROV, for everything that the library can do with one.

See https://www.w3.org/TR/prov-dm/ for what a document says, and
https://prov.readthedocs.io for the library.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from provdb.export.declared import Declared
from provdb.export.details import read_details
from provdb.export.prefixes import Prefixes
from provdb.export.statements import statements_of
from provdb.lineage import Lineage
from provdb.model.qualified import PROV, XSD
from provdb.model.statement import TIMES, Statement, Value
from provdb.store import Store

if TYPE_CHECKING:
    from prov.identifier import QualifiedName
    from prov.model import ProvBundle, ProvDocument

__all__ = ["document_of", "prov_document"]


def prov_document(
    lineage: Lineage, store: Store, *, definition: Declared | None = None
) -> "ProvDocument":
    """Return a lineage as a PROV document.

    Each node of the lineage is an entity or an activity, each edge a relation. Versions
    of one file are entities of their own. Beside them stand agents, sessions,
    environments and parameters, which activity informed which, and how complete the
    answer is. A version that several activities wrote is a collection of its parts.

    Args:
        lineage: An answer of lineage or impact.
        store: The store that gave it, with the details.
        definition: What a definition declares of the steps, as `get_definition` of
            `provdb.capture.definition` reads it, or None. It adds the classes of the
            IVOA's model: descriptions, parameters, configuration files.

    >>> from provdb.lineage import lineage
    >>> from provdb.model import fold
    >>> from provdb.store import open_store
    >>> step = {"activity_id": "621ca2", "session_tag": "r0_to_dl1:01618"}
    >>> store = open_store("memory://")
    >>> counts = store.write(fold([step | {"name": "r0_to_dl1"},
    ...     {"entity_id": "446f45", "filepath": "/R0/LST-1.1.Run01618.0008.fits.fz"},
    ...     {"entity_id": "6d2362", "filepath": "/DL1/dl1_LST-1.Run01618.0008.h5"},
    ...     step | {"used_id": "446f45"}, step | {"generated_id": "6d2362"}]))
    >>> answer = lineage(store, "dl1_LST-1.Run01618.0008.h5")
    >>> document = prov_document(answer, store)
    >>> [str(record.get_type()) for record in document.get_records()][:4]
    ['prov:Entity', 'prov:Activity', 'prov:Entity', 'prov:Usage']
    """
    details = read_details(lineage, store)
    return document_of(statements_of(lineage, details, definition=definition))


def document_of(statements: Iterable[Statement]) -> "ProvDocument":
    """Return statements as a document of the library."""
    from prov.model import ProvDocument

    document = ProvDocument()
    names = _Names(document)
    bundles: dict[str, ProvBundle] = {}
    for statement in statements:
        bundle: ProvBundle = document
        if statement.bundle is not None:
            if statement.bundle not in bundles:
                name = names[statement.bundle]
                bundles[statement.bundle] = document.bundle(name)
            bundle = bundles[statement.bundle]
        if statement.kind == "bundle":
            document.bundle(names[str(statement.id)])
            continue
        _add(bundle, statement, names)
    return document


class _Names:
    """Qualified names of URIs, each made once, and their prefixes."""

    def __init__(self, document: "ProvDocument") -> None:
        self._document = document
        self._names: dict[str, QualifiedName] = {}
        self._prefixes = Prefixes()

    def __getitem__(self, uri: str) -> "QualifiedName":
        found = self._names.get(uri)
        if found is None:
            name = self._prefixes[uri]
            namespace = self._document.add_namespace(name.prefix, name.base)
            found = self._names[uri] = namespace[name.local]
        return found


def _add(bundle: "ProvBundle", statement: Statement, names: _Names) -> None:
    from prov.constants import PROV_ATTRIBUTES_ID_MAP, PROV_RECORD_IDS_MAP

    bundle.new_record(
        PROV_RECORD_IDS_MAP[statement.kind],
        None if statement.id is None else names[statement.id],
        [
            (
                PROV_ATTRIBUTES_ID_MAP[f"prov:{name}"],
                datetime.fromisoformat(value) if name in TIMES else names[value],
            )
            for name, value in statement.arguments
        ],
        [(names[name], _value(value, names)) for name, value in statement.attributes],
    )


def _value(value: Value, names: _Names) -> Any:
    from prov.identifier import Identifier
    from prov.model import Literal

    if not isinstance(value, Mapping):
        return value
    text = value["value"]
    if "lang" in value:
        return Literal(text, langtag=value["lang"])
    type_ = value["type"]
    if type_ == f"{PROV}QUALIFIED_NAME":
        return names[text]
    if type_ == f"{XSD}anyURI":
        return Identifier(text)
    if type_ == f"{XSD}dateTime":
        return datetime.fromisoformat(text)
    return Literal(text, datatype=names[type_])
