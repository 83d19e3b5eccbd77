"""Statements as PROV-JSON (https://www.w3.org/submissions/prov-json/).

It is what the library of PROV writes of the same document, in a tenth of the time: of
a run of a thousand subruns there are thirty thousand statements.
"""

from collections.abc import Iterable
from typing import Any, Final

import orjson

from provdb.export.prefixes import Prefixes
from provdb.model.qualified import PROV
from provdb.model.statement import TIMES, Statement, Value

__all__ = ["prov_json"]

_INT: Final = range(-(2**31), 2**31)
_QUALIFIED_NAME: Final = f"{PROV}QUALIFIED_NAME"

Container = dict[str, dict[str, Any]]


def prov_json(statements: Iterable[Statement]) -> bytes:
    """Return statements as a document of PROV-JSON, indented.

    >>> text = prov_json([Statement("entity", "urn:provdb:entity-446f45")])
    >>> orjson.loads(text)
    {'prefix': {'provdb': 'urn:provdb:'}, 'entity': {'provdb:entity-446f45': {}}}
    """
    writer = _Writer()
    for statement in statements:
        writer.add(statement)
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(writer.document(), option=option)


class _Writer:
    """Takes statements one by one, and gives the document that they make."""

    def __init__(self) -> None:
        self._prefixes = Prefixes()
        self._text = self._prefixes.text
        self._containers: dict[str | None, Container] = {None: {}}
        self._unnamed = 0

    def add(self, statement: Statement) -> None:
        if statement.kind == "bundle":
            self._containers.setdefault(statement.id, {})
            return
        container = self._containers.setdefault(statement.bundle, {})
        text = self._text
        name = self._name(statement.id)
        record: dict[str, Any] = {
            f"prov:{key}": value if key in TIMES else text(value)
            for key, value in statement.arguments
        }
        for attribute, value in statement.attributes:
            _append(record, text(attribute), self._value(value))
        records = container.setdefault(statement.kind, {})
        if name not in records:
            records[name] = record
        elif isinstance(records[name], list):
            records[name].append(record)
        else:
            records[name] = [records[name], record]

    def document(self) -> dict[str, Any]:
        bundles = {
            self._text(bundle): container
            for bundle, container in self._containers.items()
            if bundle is not None
        }
        document: dict[str, Any] = {}
        if self._prefixes.used:
            document["prefix"] = self._prefixes.used
        document |= self._containers[None]
        if bundles:
            document["bundle"] = bundles
        return document

    def _name(self, uri: str | None) -> str:
        if uri is not None:
            return self._text(uri)
        self._unnamed += 1
        return f"_:id{self._unnamed}"

    def _value(self, value: Value) -> Any:
        kind = type(value)
        if kind is str or kind is bool:
            return value
        if kind is int:
            return {"$": str(value), "type": "xsd:int" if value in _INT else "xsd:long"}
        if kind is float:
            return {"$": repr(value), "type": "xsd:double"}
        text = value["value"]
        if "lang" in value:
            return {"$": text, "lang": value["lang"]}
        if value["type"] == _QUALIFIED_NAME:
            return {"$": self._text(text), "type": "xsd:QName"}
        return {"$": text, "type": self._text(value["type"])}


def _append(record: dict[str, Any], name: str, value: Any) -> None:
    """Add one value; several of one name are a list, in which each stands once."""
    if name not in record:
        record[name] = value
        return
    values = record[name] if isinstance(record[name], list) else [record[name]]
    if value not in values:
        record[name] = [*values, value]
