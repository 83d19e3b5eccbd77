"""The stage of a pipeline that puts documents together: ``$group``."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from provdb.errors import QueryError
from provdb.model import Document
from provdb.model import fields as f
from provdb.store.pipeline.expressions import Expression, expression, refuse
from provdb.store.pipeline.operators import ARRAY_FUNCTIONS
from provdb.store.pipeline.values import MISSING, Key, order_of

__all__ = ["grouped"]


def grouped(
    written: Any, *, key: Expression | None = None
) -> Callable[[Iterable[Document]], Iterator[Document]]:
    """Return the stage of a ``$group``.

    Args:
        written: What it takes.
        key: What computes the group of a document, or None for what its ``_id`` says.

    Raises:
        QueryError: It is wrong, or has what only a server knows.

    >>> stage = grouped({"_id": "$run", "files": {"$sum": 1}})
    >>> list(stage([{"run": 1618}, {"run": 1618}]))
    [{'_id': 1618, 'files': 2}]
    """
    if not isinstance(written, Mapping) or f.ID not in written:
        raise QueryError(f"$group takes an _id, and not {written!r:.80}")
    key = expression(written[f.ID]) if key is None else key
    parts = {
        name: _accumulator(name, part) for name, part in written.items() if name != f.ID
    }

    def stage(documents: Iterable[Document]) -> Iterator[Document]:
        groups: dict[Key, tuple[Any, dict[str, list[Any]]]] = {}
        for document in documents:
            scope = {"ROOT": document}
            of = key(scope)
            of = None if of is MISSING else of
            if (same := order_of(of)) not in groups:
                groups[same] = of, {name: [] for name in parts}
            for name, values in groups[same][1].items():
                values.append(parts[name][0](scope))
        for of, kept in groups.values():
            yield {f.ID: of} | {n: parts[n][1](values) for n, values in kept.items()}

    return stage


def _accumulator(name: str, part: Any) -> tuple[Expression, Callable[[list[Any]], Any]]:
    if "." in name or name.startswith("$"):
        raise QueryError(f"a field of $group cannot be called {name:.80}")
    if not isinstance(part, Mapping) or len(part) != 1:
        raise QueryError(f"{name:.80} of $group takes one operator")
    ((operator, written),) = part.items()
    if operator == "$count":
        return (lambda _: 1), len
    if operator not in _ACCUMULATORS:
        refuse(f"{operator!r:.80} in $group")
    if isinstance(written, list):
        raise QueryError(f"{operator} of $group takes one value, and not a list")
    return expression(written), _ACCUMULATORS[operator]


def _known(values: list[Any]) -> list[Any]:
    return [value for value in values if value is not MISSING]


def _different(values: list[Any]) -> list[Any]:
    return list({order_of(value): value for value in reversed(_known(values))}.values())


def _null_for_missing(value: Any) -> Any:
    return None if value is MISSING else value


_ACCUMULATORS: Final[dict[str, Callable[[list[Any]], Any]]] = {
    **ARRAY_FUNCTIONS,
    "$first": lambda values: _null_for_missing(values[0]),
    "$last": lambda values: _null_for_missing(values[-1]),
    "$push": _known,
    "$addToSet": _different,
}
