"""Statements of PROV documents as records, whoever wrote the document."""

from collections.abc import Callable, Iterator, Sequence

from provdb.errors import ReadError
from provdb.model import Record
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
    others = [statement for statement in statements if not own.takes(statement)]

    def tell(statement: Statement, reason: str) -> None:
        what = f"{statement.kind} {statement.id or ''}".strip()
        on_problem(ReadError(source, f"no record was read from {what}: {reason}"))

    yield from own.records(on_problem=tell)
    yield from foreign_records(others)
