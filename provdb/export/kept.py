"""Statements of others that documents keep, to be written again as they were read."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from provdb.model import Document, decode
from provdb.model import fields as f
from provdb.model.activity import activity_records
from provdb.model.statement import ELEMENTS, TIMES, Statement
from provdb.readers.prov.foreign import kept_statement

if TYPE_CHECKING:
    from provdb.export.details import Details

__all__ = [
    "agents_of",
    "is_all_kept",
    "kept_beside",
    "kept_elements",
    "kept_in",
    "kept_of",
]

_KEPT: Final = "prov"
# Whom a statement names that is no node of any lineage.
_BESIDE: Final = ("agent", "delegate", "responsible", "plan", "influencer")
# What these say names no element.
_NO_ELEMENTS: Final = (*TIMES, "generation", "usage", "bundle")


def kept_of(part: Mapping[str, Any]) -> Statement | None:
    """Return the statement that a part of a document keeps, if it keeps one."""
    return kept_in(part.get(f.EXTRA, {}))


def kept_in(record: Mapping[str, Any]) -> Statement | None:
    """Return the statement that a stored record keeps, if it keeps one."""
    return kept_statement(decode(record[_KEPT])) if _KEPT in record else None


def kept_elements(document: Document) -> list[Statement]:
    """Return what others stated of an entity, an agent or an activity itself."""
    return [kept for kept in _all_kept(document) if kept.kind in ELEMENTS]


def is_all_kept(document: Document) -> bool:
    """Say whether all that describes an entity or an activity is somebody else's."""
    if f.ACTIVITY_ID in document:
        return kept_of(document) is not None
    return all(
        kept_of(part) is not None
        for part in (document, *document.get(f.DESCRIPTIONS, ()))
        if part.get(f.SESSION_TAGS)
    )


def kept_beside(
    details: "Details", nodes: Collection[str], *, is_everything: bool
) -> Iterator[Statement]:
    """Yield what others stated of the nodes that no lineage knows, and their agents.

    Args:
        details: The documents of the nodes, and of their agents.
        nodes: The URIs of the nodes.
        is_everything: Whether these are all nodes that there are; else what names
            another one is left out.
    """
    for agent in details.agents.values():
        if agent[f.ID] not in nodes:
            yield from kept_elements(agent)
    known = {*nodes, *details.agents}
    for documents in (details.activities, details.entities, details.agents):
        for document in documents.values():
            for kept in _all_kept(document):
                if kept.kind in ELEMENTS:
                    continue
                if is_everything or _is_about(kept, known):
                    yield kept
    for session in details.sessions.values():
        for record in session.get(f.OTHER_RECORDS, ()):
            kept_one = kept_in(record)
            if kept_one is not None:
                yield kept_one


def agents_of(documents: Iterable[Document]) -> set[str]:
    """Return the URIs of whom documents name that is no node of any lineage."""
    return {
        uri
        for document in documents
        for kept in _all_kept(document)
        for name, uri in kept.arguments
        if name in _BESIDE
    }


def _is_about(statement: Statement, known: Collection[str]) -> bool:
    """Say whether a relation names no element but what is known."""
    return all(
        uri in known
        for name, uri in statement.arguments
        if name not in _NO_ELEMENTS and name not in _BESIDE
    )


def _all_kept(document: Document) -> Iterator[Statement]:
    """Yield what others stated, but for the links of an activity."""
    if f.ACTIVITY_ID in document:
        bare = {**document, f.USED: [], f.GENERATED: []}
        for record in activity_records(bare):
            if _KEPT in record:
                yield kept_statement(record[_KEPT])
        return
    for part in (document, *document.get(f.DESCRIPTIONS, ())):
        kept = kept_of(part)
        if kept is not None:
            yield kept
