"""Read a Python literal out of a text, safely and fast.

lstosa and logprov write the ``repr`` of a dictionary. What is plain in it (no escape,
no double quote) becomes JSON by exchanging its quotes, which a JSON parser reads
thirty times faster than Python reads a literal; all else goes to
`ast.literal_eval`. Nothing is ever evaluated.
"""

import ast
import re
import warnings
from ast import literal_eval
from typing import Any, Final, cast

import orjson

__all__ = ["parse_literal"]

# What stands between the strings of a literal that JSON can say too. An integer of
# more than 18 digits is left to Python, as the JSON parser makes a float of it.
_PLAIN: Final = re.compile(
    r"(?:[\s\[\]{}:,.+-]|(?<![\d.])\d{1,18}(?![\d_])|(?<=\.)\d+|[eE](?=[\d+-])"
    r"|\b(?:None|True|False)\b|')*"
)
_NOT_FINITE: Final = re.compile(r"\b(?:(?:nan|inf)j?|Ellipsis)\b")
_WORDS: Final = {"None": "null", "True": "true", "False": "false"}
_WORD: Final = re.compile("|".join(_WORDS))


def parse_literal(text: str) -> Any:
    """Return the value of a Python literal, or of a JSON text.

    Raises:
        ValueError: The text is neither; the message says why.

    >>> parse_literal("{'run': 1618, 'sizes': (1, 2), 'end': None}")
    {'run': 1618, 'sizes': (1, 2), 'end': None}
    >>> parse_literal("{'chi2': nan}")
    {'chi2': nan}
    """
    as_json = _as_json(text)
    if as_json is not None:
        try:
            return orjson.loads(as_json)
        except orjson.JSONDecodeError:
            pass  # Python knows literals that JSON does not, such as a set.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About the spelling of numbers.
            return literal_eval(_with_numbers(text))
    except (SyntaxError, ValueError, TypeError) as error:
        value = _json(text)
        if value is None:
            raise ValueError("it is no Python literal") from error
        return value
    except (MemoryError, RecursionError) as error:
        raise ValueError("it is nested too deeply") from error


def _with_numbers(text: str) -> str | ast.Expression:
    """Return a text, or its tree if it has numbers that Python writes and cannot read.

    The ``repr`` of a float can be ``nan`` or ``inf``, which are no literals.
    """
    if _NOT_FINITE.search(text) is None:
        return text
    tree = ast.parse(text.lstrip(" \t"), mode="eval")
    return cast(ast.Expression, _Numbers().visit(tree))


class _Numbers(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        if _NOT_FINITE.fullmatch(node.id) is None:
            return node
        if node.id == "Ellipsis":
            return ast.copy_location(ast.Constant(...), node)
        number = complex(node.id) if node.id.endswith("j") else float(node.id)
        return ast.copy_location(ast.Constant(number), node)


def _as_json(text: str) -> str | None:
    """Return the literal as JSON, if all its strings are plain ones."""
    if '"' in text or "\\" in text:
        return None
    # Without escapes and other quotes, every quote opens or closes a string.
    parts = text.split("'")
    between = "'".join(parts[::2])
    if not _PLAIN.fullmatch(between):
        return None
    if _WORD.search(between):
        parts[::2] = [_WORD.sub(_json_word, part) for part in parts[::2]]
    return '"'.join(parts)


def _json_word(match: re.Match[str]) -> str:
    return _WORDS[match.group()]


def _json(text: str) -> Any:
    # An integer that JSON would round is not taken from it.
    if re.search(r"\d{19}", text):
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
