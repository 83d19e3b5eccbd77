"""Literals of Python and JSON inside a text, found and rewritten without a parser.

The text of a log may hold what no parser takes, such as the repr of an object; what
is looked for here is only where its strings start and end.
"""

import json
import re
import warnings
from ast import literal_eval
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

__all__ = ["CLOSING", "Token", "evaluate", "literals", "quotations", "scan", "write"]

_TOKEN: Final = re.compile(
    r"""(?P<string>[bB]?(?:'(?:[^'\\\r\n]|\\.)*+'|"(?:[^"\\\r\n]|\\.)*+"))"""
    r"""|(?P<open>[\[({])|(?P<close>[\])}])|(?P<mark>[,:=])|(?P<space>\s+)"""
    r"""|(?P<word>[^\s\[\](){},:='"]+)""",
    re.DOTALL,
)
_QUOTED: Final = re.compile(
    r"""(?<!["'\\])(?:'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+")(?![\w'"])""",
    re.DOTALL,
)
_OPENING: Final = re.compile(r"[\[({]")
CLOSING: Final = {"{": "}", "[": "]", "(": ")"}
# Each that fails has read the rest of the text.
_MOST_FAILURES: Final = 2
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Token(NamedTuple):
    """A part of a literal: a string, a bracket, a comma or a colon, or a word."""

    kind: str
    text: str
    start: int
    end: int


def literals(text: str) -> Iterator[list[Token]]:
    """Yield the tokens of each literal in a text that has brackets around it."""
    failures = position = 0
    for opening in _OPENING.finditer(text):
        place = opening.start()
        if place < position:
            continue
        tokens = scan(text, place)
        if tokens:
            yield tokens
            position = tokens[-1].end
        else:
            failures += 1
        if failures > _MOST_FAILURES:
            return


def scan(text: str, start: int) -> list[Token]:
    """Return the tokens from a bracket to the one that closes it; none if it is none.

    A string has brackets, commas, colons or equal signs around it; else what looks
    like one is what stands between two others.
    """
    tokens: list[Token] = []
    closing: list[str] = []
    before = "open"
    position = start
    while found := _TOKEN.match(text, position):
        kind = str(found.lastgroup)
        position = found.end()
        if kind == "space":
            continue
        if kind == "string" and before not in ("open", "mark"):
            return []
        if before == "string" and kind not in ("mark", "close"):
            return []
        tokens.append(Token(kind, found.group(), found.start(), found.end()))
        before = kind
        if kind == "open":
            closing.append(CLOSING[found.group()])
        elif kind == "close":
            if closing.pop() != found.group():
                return []
            if not closing:
                return tokens
    return []


def quotations(text: str) -> Iterator[Token]:
    """Yield what is quoted in a text without regard to brackets, and has escapes.

    What looks quoted may be what stands between two quotations.
    """
    if "\\'" not in text and '\\"' not in text:
        return
    for found in _QUOTED.finditer(text):
        if "\\" in found.group():
            yield Token("string", found.group(), found.start(), found.end())


def evaluate(literal: str) -> Any:
    """Return the text or the bytes that a literal stands for; else its own text."""
    if "\\" not in literal and literal[0] in "'\"":
        return literal[1:-1]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About escapes that are none.
            return literal_eval(literal)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return literal[1:-1]


def write(value: Any, *, quote: str) -> str:
    """Return the literal of a text; with double quotes it is JSON too."""
    if isinstance(value, bytes) or quote == "'":
        return repr(value)
    written = json.dumps(value, ensure_ascii=False)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", written)
