"""Statements of PROV documents as records, whoever wrote the document."""

from collections.abc import Callable, Iterator, Sequence

from provdb.errors import ReadError
from provdb.model import Record
from provdb.model.attributes import EDGE, INFERRED
from provdb.model.statement import Statement
from provdb.readers.prov.foreign import foreign_records
from provdb.readers.prov.own import OwnDocument

__all__ = ["records_of"]


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
        for statement in statements
        if not own.takes(statement) and not statement.values(INFERRED)
    ]

    def tell(statement: Statement, reason: str) -> None:
        what = f"{statement.kind} {statement.id or ''}".strip()
        on_problem(ReadError(source, f"no record was read from {what}: {reason}"))

    yield from own.records(on_problem=tell)
    yield from foreign_records(others)


def _without_answer(statement: Statement) -> Statement:
    """Return a statement without what an answer of provdb said of the relation."""
    attributes = statement.attributes
    if not any(name in EDGE for name, _ in attributes):
        return statement
    stated = tuple(pair for pair in attributes if pair[0] not in EDGE)
    return statement._replace(attributes=stated)
