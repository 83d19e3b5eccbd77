"""What SQL can say of a filter of MongoDB, for the documents in an SQLite file.

It lets everything through that matches, and as little else as its indexes tell apart;
the filter itself decides afterwards. Every value is bound, none is part of the text.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final

import orjson

from provdb.model import fields as f
from provdb.store.evaluate import Filter

__all__ = ["sql_condition", "sql_field"]

_ORDERS: Final = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
# Fields that hold one text or one integer; others may hold anything.
_SCALARS: Final = (
    f.NAME,
    f.RUN,
    f.SUBRUN,
    f.STATUS,
    f.LEVEL,
    f.LOCATION,
    f.HASH,
    f.TYPE,
    f.AGENT,
    f.SCRIPT,
    f.SESSION_TAG,
    f.SESSION_ID,
    f.ACTIVITY_ID,
    f.ENVIRONMENT,
    f.FILE_NAME,
    f.SIMULATION_RUN,
    f.TELESCOPE,
    f.STREAM,
    f.PARTICLE,
    f.DATA_KIND,
    f.DATE,
    f.PATTERN,
)


def sql_condition(
    filter_: Filter, *, columns: Collection[str]
) -> tuple[str, list[Any]]:
    """Return a condition that holds for all that matches, and its values.

    Args:
        filter_: A filter of MongoDB.
        columns: The fields that have a column of their own.

    >>> sql_condition({"run": 1618, "parameters.x": 6}, columns=())
    ("json_extract(document, '$.run') = ?", [1618])
    """
    values: list[Any] = []
    return _all(filter_, columns, values) or "1", values


def sql_field(name: str, *, columns: Collection[str]) -> str:
    """Return where a field is, as an index and a condition both write it."""
    if name == f.ID:
        return "id"
    return name if name in columns else f"json_extract(document, '$.{name}')"


def _all(filter_: Filter, columns: Collection[str], values: list[Any]) -> str:
    parts = []
    for name, value in filter_.items():
        if name == "$and":
            parts += [_all(part, columns, values) for part in value]
        elif name == "$or":
            parts.append(_any(value, columns, values))
        elif name in (f.ID, *_SCALARS):
            operations = value if isinstance(value, dict) else {"$eq": value}
            field = sql_field(name, columns=columns)
            parts += _operations(field, operations, values)
    return " AND ".join(part for part in parts if part)


def _any(filters: list[Filter], columns: Collection[str], values: list[Any]) -> str:
    found: list[Any] = []
    parts = [_all(part, columns, found) for part in filters]
    if not all(parts):
        return ""  # One of them is more than SQL can say.
    values += found
    return f"({' OR '.join(f'({part})' for part in parts)})"


def _operations(field: str, operations: Filter, values: list[Any]) -> Iterator[str]:
    for operator, value in operations.items():
        if operator == "$eq" and value is None:
            yield f"{field} IS NULL"
        elif operator == "$eq" and _is_sql(value):
            values.append(value)
            yield f"{field} = ?"
        elif operator in _ORDERS and _is_sql(value):
            values.append(value)
            yield f"{field} {_ORDERS[operator]} ?"
        elif operator == "$in":
            known = [one for one in value if one is not None]
            if not all(map(_is_sql, known)):
                continue
            values.append(orjson.dumps(known).decode())
            listed = f"{field} IN (SELECT value FROM json_each(?))"
            is_null = len(known) < len(value)
            yield f"({listed} OR {field} IS NULL)" if is_null else listed
        elif operator == "$ne" and value is None:
            yield f"{field} IS NOT NULL"


def _is_sql(value: Any) -> bool:
    return type(value) in (str, int)
