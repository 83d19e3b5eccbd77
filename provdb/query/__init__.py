"""Ask anything: one line of text, what it means, and the rows that answer it."""

from provdb.query.build import downstream, everything, field, named, upstream
from provdb.query.built import BuiltQuery
from provdb.query.explain import explain
from provdb.query.fields import FIELDS, FieldType
from provdb.query.filters import filter_query
from provdb.query.hints import hints_for
from provdb.query.json_form import from_json, to_json
from provdb.query.parse import parse
from provdb.query.rows import Rows
from provdb.query.run import CompiledQuery, compile_query, find
from provdb.query.text import to_text
from provdb.query.tree import Query

__all__ = [
    "FIELDS",
    "BuiltQuery",
    "CompiledQuery",
    "FieldType",
    "Query",
    "Rows",
    "compile_query",
    "downstream",
    "everything",
    "explain",
    "field",
    "filter_query",
    "find",
    "from_json",
    "hints_for",
    "named",
    "parse",
    "to_json",
    "to_text",
    "upstream",
]
