"""Ask anything: one line of text, what it means, and the rows that answer it."""

from provdb.query.explain import explain
from provdb.query.fields import FIELDS, FieldType
from provdb.query.filters import filter_query
from provdb.query.json_form import from_json, to_json
from provdb.query.parse import parse
from provdb.query.run import CompiledQuery, compile_query, find
from provdb.query.text import to_text
from provdb.query.tree import Query

__all__ = [
    "FIELDS",
    "CompiledQuery",
    "FieldType",
    "Query",
    "compile_query",
    "explain",
    "filter_query",
    "find",
    "from_json",
    "parse",
    "to_json",
    "to_text",
]
