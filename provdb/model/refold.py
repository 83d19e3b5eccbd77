"""Documents of earlier versions, made anew from the records that they hold."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any, Final

from provdb.model import fields as f
from provdb.model.activity import ACTIVITY_VERSION, ATTACHED, attach_execution
from provdb.model.entity import ENTITY_VERSION, entity_document, entity_records
from provdb.model.fold import Document, merge
from provdb.model.records import distinct
from provdb.model.session import SESSION_VERSION

__all__ = ["CURRENT_VERSIONS", "environments_of", "refold"]

# The collections whose documents have changed since the first version, in the order
# in which they are migrated: an activity takes from its session what it ran on.
CURRENT_VERSIONS: Final = {
    f.ENTITIES: ENTITY_VERSION,
    f.SESSIONS: SESSION_VERSION,
    f.ACTIVITIES: ACTIVITY_VERSION,
}


def refold(
    collection: str,
    document: Document,
    *,
    environments: Mapping[str, Mapping[str, Any]],
    zone: tzinfo,
) -> Document:
    """Return the document that the records of a document make today.

    Args:
        collection: One of `CURRENT_VERSIONS`.
        document: A document of any version.
        environments: The environment documents that it names, by their ids.
        zone: Zone of times that name none.

    >>> from datetime import UTC
    >>> old = {"_id": "446f45", "schema_version": 1, "session_tags": [None],
    ...     "location": "/R0//a.fits.fz", "level": "R0", "run": None, "subrun": None}
    >>> new = refold("entities", old, environments={}, zone=UTC)
    >>> new["schema_version"], new["file_name"]
    (2, 'a.fits.fz')
    """
    if collection == f.ENTITIES:
        return entity_document(distinct(entity_records(document)), zone=zone)
    if collection == f.SESSIONS:
        executions = [
            _with_node(entry, environments) for entry in document[f.EXECUTIONS]
        ]
        document = {**document, f.EXECUTIONS: executions}
        return merge(collection, document, document, zone=zone)
    document = _with_node(document, environments)
    attached: Document = {name: document[name] for name in ATTACHED if name in document}
    return attach_execution(merge(collection, document, document, zone=zone), attached)


def environments_of(collection: str, document: Document) -> Iterator[str]:
    """Yield the ids of the environments that a document names."""
    parts = document[f.EXECUTIONS] if collection == f.SESSIONS else [document]
    for part in parts:
        if f.ENVIRONMENT in part:
            yield part[f.ENVIRONMENT]


def _with_node(
    part: Mapping[str, Any], environments: Mapping[str, Mapping[str, Any]]
) -> Document:
    """Return a part of a document with the node that its environment names."""
    environment = environments.get(part.get(f.ENVIRONMENT, ""), {})
    node = environment.get(f.NODE)
    return dict(part) if node is None else {**part, f.NODE: node}
