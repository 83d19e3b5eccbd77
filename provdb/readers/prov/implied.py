"""Relations of RDF that stand there in two forms, plain and qualified.

The qualified form, a node such as a ``prov:Usage``, implies the plain one, the triple
``prov:used`` (https://www.w3.org/TR/prov-o/#description-qualified-terms).
"""

from collections.abc import Iterable, Iterator

from provdb.model.qualified import PROV
from provdb.model.statement import ELEMENTS, PLAIN_RELATIONS, Statement

__all__ = ["without_implied"]

_Ends = tuple[str, str | None, str | None, str | None]


def without_implied(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Yield statements without the plain relations that others of them imply.

    A relation that stands as an attribute at its subject becomes a statement.

    >>> ends = (("activity", "urn:a"), ("entity", "urn:e"))
    >>> plain = Statement("used", None, ends)
    >>> qualified = Statement("used", None, ends, ((f"{PROV}role", "input"),))
    >>> list(without_implied([plain, qualified])) == [qualified]
    True
    """
    stated = [one for statement in statements for one in _apart(statement)]
    qualified = {_ends(one) for one in stated if not _is_plain(one)}
    known: set[_Ends] = set()
    for one in stated:
        if _is_plain(one):
            ends = _ends(one)
            if ends in qualified or ends in known:
                continue
            known.add(ends)
        yield one


def _apart(statement: Statement) -> Iterator[Statement]:
    """Yield a statement without relations among its attributes, and these."""
    relations = [
        (name.removeprefix(PROV), value)
        for name, value in statement.attributes
        if name.startswith(PROV) and name.removeprefix(PROV) in PLAIN_RELATIONS
    ]
    if statement.kind not in ELEMENTS or not relations:
        yield statement
        return
    attributes = tuple(
        (name, value)
        for name, value in statement.attributes
        if name.removeprefix(PROV) not in PLAIN_RELATIONS
    )
    yield statement._replace(attributes=attributes)
    for kind, value in relations:
        first, second = PLAIN_RELATIONS[kind]
        target = value["value"] if isinstance(value, dict) else value
        ends = ((first, str(statement.id)), (second, str(target)))
        yield Statement(kind, None, ends, (), statement.bundle)


def _is_plain(statement: Statement) -> bool:
    return (
        statement.kind in PLAIN_RELATIONS
        and statement.id is None
        and not statement.attributes
        and {name for name, _ in statement.arguments}
        == {*PLAIN_RELATIONS[statement.kind]}
    )


def _ends(statement: Statement) -> _Ends:
    first, second = PLAIN_RELATIONS.get(statement.kind, ("", ""))
    return (
        statement.kind,
        statement.argument(first),
        statement.argument(second),
        statement.bundle,
    )
