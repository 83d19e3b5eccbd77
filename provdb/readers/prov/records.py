"""Statements of PROV documents as records, whoever wrote the document."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from provdb.errors import ReadError
from provdb.model import Record
from provdb.model.attributes import EDGE, INFERRED
from provdb.model.qualified import IVOA, PROV, PROVDB, parse_uri
from provdb.model.statement import Statement
from provdb.readers.prov.foreign import foreign_records
from provdb.readers.prov.own import OwnDocument

__all__ = ["records_of"]

# The namespaces of the attributes of what provdb itself states.
_OWN: Final = (PROV, PROVDB, IVOA)


def records_of(
    statements: Sequence[Statement],
    *,
    source: str,
    on_problem: Callable[[ReadError], None],
) -> Iterator[Record]:
    """Yield the records that statements make.

    Args:
        statements: All statements of a document.
        source: What the document is called in messages.
        on_problem: Is told of each statement that makes no record.
    """
    own = OwnDocument()
    others = [
        _without_answer(statement)
        for one in statements
        for statement in _by_author(one)
        if not own.takes(statement) and not statement.values(INFERRED)
    ]

    def tell(statement: Statement, reason: str) -> None:
        what = f"{statement.kind} {statement.id or ''}".strip()
        on_problem(ReadError(source, f"no record was read from {what}: {reason}"))

    yield from own.records(on_problem=tell)
    yield from foreign_records(others)


def _by_author(statement: Statement) -> Iterator[Statement]:
    """Yield what provdb stated of an entity of its own apart from what others added."""
    named = parse_uri(statement.id or "")
    if statement.kind != "entity" or named is None or named.kind != "entity":
        yield statement
        return
    added = tuple(pair for pair in statement.attributes if not pair[0].startswith(_OWN))
    if len(added) < len(statement.attributes) or not added:
        own = tuple(pair for pair in statement.attributes if pair not in added)
        yield statement._replace(attributes=own)
    if added:
        yield statement._replace(attributes=added)


def _without_answer(statement: Statement) -> Statement:
    """Return a statement without what an answer of provdb said of the relation."""
    attributes = statement.attributes
    if not any(name in EDGE for name, _ in attributes):
        return statement
    stated = tuple(pair for pair in attributes if pair[0] not in EDGE)
    return statement._replace(attributes=stated)
