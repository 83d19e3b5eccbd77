"""What a store counts or gathers for the first stage, so that no document leaves it.

Documents that are alike in the fields of a stage are counted. Where a stage measures
numbers, which are mostly all different, those of documents that are alike are
gathered in lists.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from provdb.model import Document
from provdb.model import fields as f
from provdb.query.facts import DURATION, needed_fields, needs_makers
from provdb.query.fields import BoundField, Kind
from provdb.query.stages import measured_of
from provdb.query.tree import Count, Measure, Query, Unique
from provdb.store.evaluate import Filter, Pipeline

__all__ = ["Tally", "tally_of"]

# Types whose values are numbers, so that very many of them fit into one document.
_NUMBERS: Final = ("duration", "number", "whole number", "run")
_COUNT: Final = "count"
_PART: Final = "part"
_VALUES: Final = "values"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What is alike in documents that are counted, and what is gathered of them.

    Attributes:
        names: The fields in which documents may differ.
        gathered: The field whose values are gathered, or None.
    """

    names: tuple[str, ...]
    gathered: str | None

    def pipeline(self, filter_: Filter) -> Pipeline:
        """Return the pipeline that a store is asked.

        Args:
            filter_: What is counted.

        >>> Tally(names=("run",), gathered=None).pipeline({"level": "DL1"})[1]
        {'$group': {'_id': {'f0': '$run'}, 'count': {'$sum': 1}}}
        """
        key = {f"f{number}": _computed(name) for number, name in enumerate(self.names)}
        if self.gathered is None:
            group = {f.ID: key, _COUNT: {"$sum": 1}}
        else:
            # A document holds a million numbers: so each group is one of sixteen,
            # by the first digit of the ids, which are digests.
            key[_PART] = {"$substrCP": [f"${f.ID}", 0, 1]}
            group = {f.ID: key, _VALUES: {"$push": _computed(self.gathered)}}
        return [{"$match": filter_}, {"$group": group}]

    def read(self, groups: Iterable[Document]) -> Iterator[tuple[Document, int]]:
        """Yield a document for each group of an answer, and how many it stands for.

        One that stands for lists of numbers has them, as one list, in place of a
        number.
        """
        if self.gathered is None:
            for group in groups:
                yield self._document(group[f.ID]), group[_COUNT]
            return
        whole: dict[str, Document] = {}
        gathered: dict[str, list[Any]] = {}
        for group in groups:
            del group[f.ID][_PART]
            key = repr(sorted(group[f.ID].items()))
            whole[key] = group[f.ID]
            gathered.setdefault(key, []).extend(group[_VALUES])
        for key, values in gathered.items():
            document = self._document(whole[key])
            _put(document, self.gathered, values)
            yield document, 1

    def _document(self, key: Document) -> Document:
        document: Document = {}
        for number, name in enumerate(self.names):
            _put(document, name, key.get(f"f{number}"))
        return document


def tally_of(query: Query, kind: Kind, fields: Iterable[BoundField]) -> Tally | None:
    """Return what a store can count of a kind for the first stage, or None.

    Args:
        query: The query.
        kind: Entity or activity.
        fields: The fields that its stages need of documents.
    """
    bound = list(fields)
    if not query.stages or (kind == "entity" and needs_makers(bound)):
        return None
    stage = query.stages[0]
    if not isinstance(stage, Count | Measure | Unique):
        return None
    names = _names(kind, bound)
    measured = measured_of(stage, bound)
    gathered = None
    if measured is not None and measured.type.type in _NUMBERS:
        others = _names(kind, [field for field in bound if field is not measured])
        lacking = [name for name in names if name not in others]
        if len(lacking) == 1:
            (gathered,), names = lacking, others
    return Tally(names=tuple(names), gathered=gathered)


def _names(kind: Kind, fields: list[BoundField]) -> list[str]:
    own = [field for field in fields if field.type.type != DURATION]
    names = dict.fromkeys(needed_fields(kind, own, is_default=False))
    if not any(field.type.name == "id" for field in fields):
        names.pop(f.ID, None)
    if kind == "activity" and len(own) < len(fields):
        names[DURATION] = None
    return list(names)


def _computed(name: str) -> Any:
    if name == DURATION:
        return {"$subtract": [f"${f.END}", f"${f.START}"]}
    return f"${name}"


def _put(document: Document, path: str, value: Any) -> None:
    *above, last = path.split(".")
    for key in above:
        document = document.setdefault(key, {})
    document[last] = value
