"""MongoDB's aggregation pipelines on documents in memory: the stages told here.

Each means what it means on a server, which a test holds it to; another one is refused
by its name (https://www.mongodb.com/docs/v6.0/reference/operator/aggregation-pipeline/).
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice, pairwise
from typing import Any, Final, TypeAlias

from provdb.errors import QueryError
from provdb.model import Document
from provdb.model import fields as f
from provdb.store.evaluate import Filter, Pipeline, matcher
from provdb.store.pipeline.expressions import Expression, expression, refuse
from provdb.store.pipeline.group import grouped
from provdb.store.pipeline.project import projection
from provdb.store.pipeline.values import MISSING, Key, ends, order_of

__all__ = ["first_match", "run_pipeline"]

Documents: TypeAlias = Iterable[Document]
Read: TypeAlias = Callable[[str], Documents]
Stage: TypeAlias = Callable[[Documents], Documents]


def run_pipeline(documents: Documents, pipeline: Pipeline, *, read: Read) -> Documents:
    """Return what a pipeline makes of documents.

    Args:
        documents: The documents of a collection.
        pipeline: The stages.
        read: Gives all documents of another collection.

    Raises:
        QueryError: A stage is wrong, or only a server knows it.

    >>> runs = [{"run": 1618}, {"run": 1618}, {"run": 1619}]
    >>> by_run = [{"$sortByCount": "$run"}, {"$limit": 1}]
    >>> list(run_pipeline(runs, by_run, read=list))
    [{'_id': 1618, 'count': 2}]
    """
    # All stages are read before the first document is.
    return _through(documents, [_stage(written, read) for written in pipeline])


def first_match(pipeline: Pipeline) -> tuple[Filter, Pipeline]:
    """Return the filter that a pipeline begins with, and the stages behind it.

    Raises:
        QueryError: The filter is none.

    >>> first_match([{"$match": {"run": 1618}}, {"$count": "files"}])
    ({'run': 1618}, [{'$count': 'files'}])
    """
    if not pipeline or "$match" not in pipeline[0]:
        return {}, pipeline
    filter_ = pipeline[0]["$match"]
    _matching(filter_)
    return filter_, pipeline[1:]


def _through(documents: Documents, stages: Iterable[Stage]) -> Documents:
    for stage in stages:
        documents = stage(documents)
    return documents


def _stage(written: Mapping[str, Any], read: Read) -> Stage:
    try:
        ((name, value),) = written.items()
        if name == "$lookup":
            return _lookup(value, read)
        if name == "$facet":
            return _facet(value, read)
        if name in _STAGES:
            return _STAGES[name](value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise QueryError(f"the stage {written!r:.80} is wrong") from error
    refuse(f"the stage {name!r:.80}")


def _matching(value: Any) -> Callable[[Document], bool]:
    if not isinstance(value, Mapping):
        raise QueryError(f"$match takes a filter, and not {value!r:.80}")
    try:
        return matcher(value)
    except (AttributeError, KeyError, TypeError, ValueError, re.error) as error:
        raise QueryError(
            f"a local store cannot match {value!r:.80} as MongoDB does: {error}"
        ) from error


def _match(value: Any) -> Stage:
    return partial(filter, _matching(value))


def _project(value: Any) -> Stage:
    return partial(map, projection(value))


def _unset(value: Any) -> Stage:
    names = [value] if isinstance(value, str) else value
    return _project(dict.fromkeys(names, 0))


def _set(value: Any) -> Stage:
    if not isinstance(value, Mapping) or not value:
        raise QueryError(f"$set takes fields, and not {value!r:.80}")
    fields = {name: _own_field(name, part) for name, part in value.items()}

    def changed(document: Document) -> Document:
        made = dict(document)
        for name, compute in fields.items():
            found = compute({"ROOT": document})
            if found is MISSING:
                made.pop(name, None)
            else:
                made[name] = found
        return made

    return partial(map, changed)


def _own_field(name: str, part: Any) -> Expression:
    if "." in name:
        refuse(f"a computed field {name} below another")
    if isinstance(part, Mapping) and not str(next(iter(part), "")).startswith("$"):
        refuse(f"a computed document {name} without $mergeObjects or $literal")
    return expression(part)


def _replace_root(value: Any) -> Stage:
    compute = expression(value)

    def root(document: Document) -> Document:
        found = compute({"ROOT": document})
        if not isinstance(found, Mapping):
            raise QueryError(f"a document cannot be replaced by {found!r:.80}")
        return dict(found)

    return partial(map, root)


def _replace_root_by_name(value: Any) -> Stage:
    if not isinstance(value, Mapping) or [*value] != ["newRoot"]:
        raise QueryError("$replaceRoot takes newRoot")
    return _replace_root(value["newRoot"])


def _sort(value: Any) -> Stage:
    if not isinstance(value, Mapping) or not value:
        raise QueryError(f"$sort takes fields and 1 or -1, and not {value!r:.80}")
    if wrong := [order for order in value.values() if order not in (1, -1)]:
        raise QueryError(f"$sort goes by 1 or -1, and not by {wrong[0]!r:.80}")

    def ordered(documents: Documents) -> Documents:
        found = list(documents)
        if [*value] == [f.ID]:
            # By the id alone a server sorts arrays as a whole.
            whole = (f.ID,)
            found.sort(
                key=lambda document: order_of(next(ends(document, whole))),
                reverse=value[f.ID] < 0,
            )
            return found
        for name, order in reversed(list(value.items())):
            keys = name.split(".")
            found.sort(key=partial(_place, keys, order < 0), reverse=order < 0)
        return found

    return ordered


def _place(keys: Sequence[str], is_descending: bool, document: Document) -> Any:
    # An array stands where its largest or its smallest item would.
    found: list[Key] = []
    for end in ends(document, keys):
        if isinstance(end, list):
            found += map(order_of, end) if end else [(0,)]
        else:
            found.append(order_of(None if end is MISSING else end))
    if not found:
        return order_of(None)
    return max(found) if is_descending else min(found)


def _slice(name: str, value: Any) -> Stage:
    least = 1 if name == "$limit" else 0
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise QueryError(
            f"{name} takes a number from {least} on, and not {value!r:.80}"
        )
    if name == "$limit":
        return lambda documents: islice(documents, value)
    return lambda documents: islice(documents, value, None)


def _count(value: Any) -> Stage:
    if not isinstance(value, str) or not value or value[0] == "$" or "." in value:
        raise QueryError(f"$count takes the name of a field, and not {value!r:.80}")

    def counted(documents: Documents) -> Iterator[Document]:
        # Of nothing a server says nothing.
        if count := sum(1 for _ in documents):
            yield {value: count}

    return counted


def _sort_by_count(value: Any) -> Stage:
    by_count = grouped({f.ID: value, "count": {"$sum": 1}})
    return lambda documents: _sort({"count": -1})(by_count(documents))


def _bucket(value: Any) -> Stage:
    if not isinstance(value, Mapping) or not {"groupBy", "boundaries"} <= {*value}:
        raise QueryError("$bucket takes groupBy and boundaries")
    if unknown := {*value} - {"groupBy", "boundaries", "default", "output"}:
        raise QueryError(f"$bucket takes no {min(unknown)}")
    boundaries = value["boundaries"]
    ordered = [order_of(bound) for bound in boundaries]
    is_rising = all(a < b for a, b in pairwise(ordered))
    if len(ordered) < 2 or not is_rising or len({kind[0] for kind in ordered}) > 1:
        raise QueryError("the boundaries of $bucket are two or more rising values")
    compute = expression(value["groupBy"])
    output = value.get("output", {"count": {"$sum": 1}})

    def bucket(scope: Mapping[str, Any]) -> Any:
        found = order_of(compute(scope))
        if ordered[0] <= found < ordered[-1]:
            return boundaries[bisect_right(ordered, found) - 1]
        if "default" not in value:
            raise QueryError(
                "a value is in no bucket of $bucket, and it has no default"
            )
        return value["default"]

    by_bucket = grouped({f.ID: None, **output}, key=bucket)
    return lambda documents: _sort({f.ID: 1})(by_bucket(documents))


def _unwind(value: Any) -> Stage:
    asked = value if isinstance(value, Mapping) else {"path": value}
    path = asked.get("path")
    known = ("path", "preserveNullAndEmptyArrays", "includeArrayIndex")
    if unknown := [name for name in asked if name not in known]:
        raise QueryError(f"$unwind takes no {unknown[0]}")
    if not isinstance(path, str) or not path.startswith("$") or len(path) < 2:
        raise QueryError(f"$unwind takes the $path of an array, and not {path!r:.80}")
    keys = path[1:].split(".")
    is_kept = bool(asked.get("preserveNullAndEmptyArrays"))
    place = asked.get("includeArrayIndex")

    def unwound(documents: Documents) -> Iterator[Document]:
        for document in documents:
            for number, item in _items(_below(document, keys), is_kept):
                made = _with(document, keys, item)
                yield made if place is None else _with(made, [place], number)

    return unwound


def _below(value: Any, keys: Sequence[str]) -> Any:
    """Return what stands at a path that leads through no array."""
    for key in keys:
        value = value.get(key, MISSING) if isinstance(value, Mapping) else MISSING
    return value


def _items(value: Any, is_kept: bool) -> Iterator[tuple[int | None, Any]]:
    if isinstance(value, list) and value:
        yield from enumerate(value)
    elif isinstance(value, list):
        yield from [(None, MISSING)] if is_kept else []
    elif is_kept or not (value is None or value is MISSING):
        yield None, value


def _with(document: Document, keys: Sequence[str], value: Any) -> Document:
    key, *below = keys
    made = dict(document)
    if below:
        if isinstance(made.get(key), Mapping):
            made[key] = _with(made[key], below, value)
    elif value is MISSING:
        made.pop(key, None)
    else:
        made[key] = value
    return made


def _lookup(value: Any, read: Read) -> Stage:
    needed = ("from", "localField", "foreignField", "as")
    if not isinstance(value, Mapping) or not all(
        isinstance(value.get(name), str) for name in needed
    ):
        refuse(f"$lookup without one of {', '.join(needed)}")
    if unknown := [name for name in value if name not in needed]:
        refuse(f"{unknown[0]} of $lookup")
    if "." in value["as"]:
        refuse("$lookup as a field below another")
    if value["from"] not in f.COLLECTIONS:
        raise QueryError(
            f"there is no collection {value['from']:.80}; known are "
            f"{', '.join(f.COLLECTIONS)}"
        )
    local, foreign = (value[n].split(".") for n in ("localField", "foreignField"))

    def looked_up(documents: Documents) -> Iterator[Document]:
        found: dict[Any, dict[str, Document]] = {}
        for other in read(value["from"]):
            for key in _link_keys(other, foreign):
                found.setdefault(key, {})[other[f.ID]] = other
        for document in documents:
            others: dict[str, Document] = {}
            for key in _link_keys(document, local, is_whole=False):
                others |= found.get(key, {})
            yield {**document, value["as"]: [others[id_] for id_ in sorted(others)]}

    return looked_up


def _link_keys(
    document: Document, keys: Sequence[str], *, is_whole: bool = True
) -> set[Any]:
    """Return all that a document is linked by: an array is what any of its items is."""
    found = set()
    for end in ends(document, keys):
        if isinstance(end, list):
            found |= {order_of(item) for item in end}
        if is_whole or not isinstance(end, list):
            found.add(order_of(None if end is MISSING else end))
    return found


def _facet(value: Any, read: Read) -> Stage:
    if not isinstance(value, Mapping) or not value:
        raise QueryError("$facet takes pipelines by name")
    stages = {
        name: [_stage(written, read) for written in pipeline]
        for name, pipeline in value.items()
    }

    def faceted(documents: Documents) -> Iterator[Document]:
        found = list(documents)
        yield {name: list(_through(found, listed)) for name, listed in stages.items()}

    return faceted


_STAGES: Final[dict[str, Callable[[Any], Stage]]] = {
    "$match": _match,
    "$project": _project,
    "$unset": _unset,
    "$set": _set,
    "$addFields": _set,
    "$replaceRoot": _replace_root_by_name,
    "$replaceWith": _replace_root,
    "$group": grouped,
    "$sortByCount": _sort_by_count,
    "$bucket": _bucket,
    "$sort": _sort,
    "$limit": partial(_slice, "$limit"),
    "$skip": partial(_slice, "$skip"),
    "$count": _count,
    "$unwind": _unwind,
}
