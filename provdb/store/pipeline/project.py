"""The stage of a pipeline that chooses fields: ``$project``."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from provdb.errors import QueryError
from provdb.model import Document
from provdb.model import fields as f
from provdb.store.pipeline.expressions import Expression, expression, refuse
from provdb.store.pipeline.values import MISSING

__all__ = ["projection"]

# Names, with what is below each; nothing for all of it.
_Tree: TypeAlias = dict[str, "_Tree"]


def projection(written: Any) -> Callable[[Document], Document]:
    """Return what keeps of a document what a ``$project`` says.

    Args:
        written: Fields with 1 or 0, and fields that are computed.

    Raises:
        QueryError: It is wrong, or has what only a server knows.

    >>> projection({"_id": 0, "run": 1, "name": {"$toUpper": "$name"}})(
    ...     {"_id": "1", "run": 1618, "name": "dl1ab"}
    ... )
    {'run': 1618, 'name': 'DL1AB'}
    """
    if not isinstance(written, Mapping) or not written:
        raise QueryError(f"$project takes fields, and not {written!r:.80}")
    included: list[str] = []
    excluded: list[str] = []
    computed: dict[str, Expression] = {}
    for name, part in written.items():
        if isinstance(part, int | float):
            (included if part else excluded).append(name)
        else:
            computed[name] = _computed(name, part)
    others = [name for name in excluded if name != f.ID]
    if others and (computed or [name for name in included if name != f.ID]):
        raise QueryError(f"$project cannot leave out {others[0]} and choose others")
    if not computed and not included:
        return lambda document: _without(document, _tree(excluded))
    if f.ID not in written:
        included.append(f.ID)
    kept = _tree(included)

    def project(document: Document) -> Document:
        made = _only(document, kept)
        for name, compute in computed.items():
            value = compute({"ROOT": document})
            if value is not MISSING:
                made[name] = value
        return made

    return project


def _computed(name: str, part: Any) -> Expression:
    if "." in name:
        refuse(f"a computed field {name} below another")
    if isinstance(part, Mapping) and not str(next(iter(part), "")).startswith("$"):
        refuse(f"a document for {name} in $project; write {name}.FIELD")
    return expression(part)


def _tree(names: list[str]) -> _Tree:
    tree: _Tree = {}
    for name in names:
        keys = name.split(".")
        below = tree
        for place, key in enumerate(keys):
            is_new = key not in below
            below = below.setdefault(key, {})
            is_end = place == len(keys) - 1
            if not is_new and (is_end or not below):
                raise QueryError(f"$project names {name} and what it is part of")
    return tree


def _only(document: Mapping[str, Any], tree: _Tree) -> Document:
    found = {
        name: _only_below(value, tree[name]) if tree[name] else value
        for name, value in document.items()
        if name in tree
    }
    return {name: value for name, value in found.items() if value is not MISSING}


def _only_below(value: Any, tree: _Tree) -> Any:
    if isinstance(value, Mapping):
        return _only(value, tree)
    if isinstance(value, list):
        found = [_only_below(item, tree) for item in value]
        return [item for item in found if item is not MISSING]
    return MISSING


def _without(value: Any, tree: _Tree) -> Any:
    if isinstance(value, list):
        return [_without(item, tree) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: _without(part, tree[name]) if name in tree else part
        for name, part in value.items()
        if name not in tree or tree[name]
    }
