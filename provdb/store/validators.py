"""The JSON Schemas of documents, in Python and as validators of a MongoDB server."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

from provdb.errors import RecordError
from provdb.model import Document
from provdb.model import fields as f

__all__ = ["check", "load_schema", "load_validators", "server_schema"]

_NOT_ON_SERVER: Final = ("$schema", "format", "type")
_BSON_TYPES: Final = {
    "integer": ("int", "long"),
    "boolean": ("bool",),
    "number": ("number",),
}


def load_validators() -> None:
    """Have all that `check` needs, before it is called."""
    for collection in f.COLLECTIONS:
        _validator(collection)


def load_schema(collection: str) -> dict[str, Any]:
    """Return the JSON Schema of the documents of a collection.

    >>> load_schema("activities")["title"]
    'activity'
    """
    text = files("provdb_schemas").joinpath(f"{collection}.schema.json").read_bytes()
    schema: dict[str, Any] = orjson.loads(text)
    return schema


def check(collection: str, documents: Iterable[Document]) -> None:
    """See that documents follow the schema of their collection.

    Raises:
        RecordError: One does not; it says which, and where.
    """
    listed = list(documents)
    if not listed:
        return
    # Loaded here, for no question needs it.
    from jsonschema_rs import ValidationError

    validator = _validator(collection)
    for document in listed:
        try:
            validator.validate(orjson.loads(orjson.dumps(document)))
        except ValidationError as error:
            place = ".".join(str(part) for part in error.instance_path) or "document"
            raise RecordError(
                f"{collection} {document.get(f.ID)}: {place}: {error.message}"
            ) from error


def server_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON Schema in the words of MongoDB's ``$jsonSchema``.

    Times are dates there, and there are no types but those of BSON.

    >>> server_schema({"type": ["string", "null"], "format": "date-time"})
    {'bsonType': ['date', 'null']}
    """
    translated = {
        name: _translate(name, value)
        for name, value in schema.items()
        if name not in _NOT_ON_SERVER
    }
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        is_time = schema.get("format") == "date-time"
        types = [
            bson
            for name in names
            for bson in (
                ("date",)
                if is_time and name == "string"
                else _BSON_TYPES.get(name, (name,))
            )
        ]
        translated["bsonType"] = types if len(types) > 1 else types[0]
    return translated


def _translate(name: str, value: Any) -> Any:
    if name == "properties":
        return {field: server_schema(schema) for field, schema in value.items()}
    if name in ("items", "additionalProperties") and isinstance(value, dict):
        return server_schema(value)
    return value


@cache
def _validator(collection: str) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(load_schema(collection))
