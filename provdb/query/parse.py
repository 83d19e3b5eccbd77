"""Read the text of a query into its tree.

The grammar is in ``grammar.lark``. A text that is too long, too deep or has too many
words is refused before it costs anything.
"""

import re
from functools import cache
from typing import Any, Final, Literal

from provdb.errors import QuerySyntaxError
from provdb.query.fields import FIELDS
from provdb.query.tree import (
    And,
    Compare,
    Count,
    Field,
    Free,
    Known,
    Limit,
    Match,
    Measure,
    Member,
    Node,
    Not,
    Or,
    Order,
    Query,
    Range,
    Reach,
    Regex,
    Select,
    Sort,
    Stage,
    Text,
    Unique,
    Value,
)

__all__ = ["parse"]

_LONGEST: Final = 10_000
_MOST_WORDS: Final = 500
_DEEPEST: Final = 50
# A quoted text is one word more, also where it touches the one before.
_WORD: Final = re.compile(
    r"""[()|\-]|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|[^\s()|,\-"']+"""
)
_UNWRITABLE: Final = re.compile(r"[\x00\ud800-\udfff]")
_KEY: Final = re.compile(r'\.("(?:\\.|[^"\\\n])*"|[\w-]+)')
_ESCAPE: Final = re.compile(r"\\(.)")
_QUOTES: Final = "\"'"

_OPERATORS: Final = {"==": "=", "<>": "!="}
_FUNCTION_NAMES: Final = {"average": "avg", "mean": "avg", "median": "p50"}
# Words of SQL that are conditions of no kind here, and what is written for them.
_OTHER_LANGUAGES: Final = {
    "select": "conditions alone, with '| select FIELD' behind them",
    "from": "conditions alone, with '| select FIELD' behind them",
    "where": "conditions alone, such as level:DL2 status:failed",
    "order": "'| sort FIELD' for ORDER BY",
    "group": "'| count by FIELD' for GROUP BY",
    "like": "FIELD:PATTERN for LIKE, as in path:*dl2*",
    "between": "FIELD:LOW..HIGH for BETWEEN, as in run:1807..1810",
    "limit": "'| limit 10' for LIMIT",
}

# What a person calls what the grammar expects; the first that fits is told.
_EXPECTED: Final = (
    ({"_SELECT"}, "a stage: select, sort, limit, count, unique, sum, avg, …"),
    ({"FIELD"}, "a condition such as level:DL1, a word, or NOT, ( or upstream("),
    ({"REGEX"}, "a text, or a regular expression such as /^dl1_/"),
    ({"WORD"}, "a value; one with blanks or brackets needs quotes"),
    ({"NULLNESS"}, "known or unknown"),
    ({"NUMBER"}, "a whole number"),
    ({"NAME"}, "the name of a field"),
    ({"_BY", "COMMA"}, "a comma, 'by', | or the end"),
    ({"_BY"}, "'by', | or the end"),
    ({"COMMA", "_PIPE"}, "a comma before another field, | or the end"),
    ({"_PIPE"}, "| or the end"),
    ({"LPAR"}, "("),
    ({"COMMA", "RPAR"}, "a comma or )"),
    ({"RPAR"}, ") or another condition"),
    ({"COMPARISON"}, "one of : = != > >= < <= ~"),
)


def parse(text: str) -> Query:
    """Read the text of a query.

    Raises:
        QuerySyntaxError: The text is no query; the error says where and what was
            expected there.

    >>> query = parse("level:DL2 run:1618 | count")
    >>> [part.value.text for part in query.selector.parts], query.stages
    (['DL2', '1618'], (Count(by=()),))
    """
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    _check_size(text)
    try:
        tree = _parser().parse(text)
        return _Reader(text).query(tree)
    except UnexpectedToken as error:
        is_end = error.token.type == "$END"
        place = len(text) if is_end else int(error.token.start_pos or 0)
        expected = set(error.accepts or error.expected)
        raise QuerySyntaxError(text, place, expected=_told(expected)) from error
    except UnexpectedCharacters as error:
        place = int(error.pos_in_stream or 0)
        expected = set(error.allowed or ())
        is_open = text[place] in _QUOTES
        told = "a closing quote behind it" if is_open else _told(expected)
        raise QuerySyntaxError(text, place, expected=told) from error


@cache
def _parser() -> Any:
    # Loaded here, for most commands read no query.
    from importlib.resources import files

    from lark import Lark

    grammar = files("provdb.query").joinpath("grammar.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=False)


def _check_size(text: str) -> None:
    if len(text) > _LONGEST:
        expected = f"the end: a query has {_LONGEST} characters at most"
        raise QuerySyntaxError(text, _LONGEST, expected=expected)
    unwritable = _UNWRITABLE.search(text)
    if unwritable is not None:
        expected = "a character that can be stored"
        raise QuerySyntaxError(text, unwritable.start(), expected=expected)
    for number, word in enumerate(_WORD.finditer(text)):
        if number == _MOST_WORDS:
            expected = f"the end: a query has {_MOST_WORDS} words at most"
            raise QuerySyntaxError(text, word.start(), expected=expected)


def _told(expected: set[str]) -> str:
    for terminals, words in _EXPECTED:
        if terminals <= expected:
            return words
    return "something else"


class _Reader:
    """Makes the tree of a query from that of the grammar."""

    def __init__(self, text: str) -> None:
        self._text = text

    def query(self, tree: Any) -> Query:
        """Return the query that a whole text says."""
        selector: Node | None = None
        stages: list[Stage] = []
        for part in tree.children:
            if part.data in _STAGES:
                stages.append(getattr(self, f"_{part.data}")(part.children))
            else:
                selector = self._node(part, depth=0)
        return Query(selector=selector, stages=tuple(stages))

    def _node(self, tree: Any, *, depth: int) -> Node:
        if depth > _DEEPEST:
            place = next(tree.scan_values(lambda _: True)).start_pos
            expected = f"less: a query is nested {_DEEPEST} levels deep at most"
            raise QuerySyntaxError(self._text, place, expected=expected)
        children = tree.children
        if tree.data in ("conj", "disj"):
            parts = tuple(self._node(part, depth=depth + 1) for part in children)
            return And(parts=parts) if tree.data == "conj" else Or(parts=parts)
        if tree.data == "negation":
            return Not(part=self._node(children[0], depth=depth + 1))
        if tree.data == "reach":
            is_upstream = children[0].lower() in ("upstream", "ancestors")
            direction: Literal["upstream", "downstream"] = (
                "upstream" if is_upstream else "downstream"
            )
            part = self._node(children[1], depth=depth + 1)
            return Reach(direction=direction, part=part)
        return self._condition(tree.data, children)

    def _condition(self, kind: str, children: Any) -> Node:
        if kind == "free":
            return Free(text=self._free(children[0]))
        field = _field(children[0])
        if kind == "known":
            is_known = children[1].lower() not in ("unknown", "null")
            return Known(field=field, is_known=is_known)
        if kind == "either":
            operator = _operator(children[1])
            if operator not in (":", "="):
                expected = "one value behind it, or : before several"
                raise QuerySyntaxError(
                    self._text, children[1].start_pos, expected=expected
                )
            several = tuple(map(self._value, children[2:]))
            if len(several) > 1 and operator == ":":
                return Member(field=field, values=several)
            each = tuple(
                Compare(field=field, operator=operator, value=value)
                for value in several
            )
            return each[0] if len(each) == 1 else Or(parts=each)
        if kind == "member":
            values = tuple(map(self._value, children[1:]))
            return Member(field=field, values=values)
        if kind == "compare":
            value = self._value(children[2])
            return Compare(field=field, operator=_operator(children[1]), value=value)
        pattern = children[2]
        is_negated = children[1] == "!~"
        if getattr(pattern, "type", None) == "REGEX":
            return Match(field=field, pattern=_regex(pattern), is_negated=is_negated)
        like = self._value(pattern)
        if isinstance(like, Range):
            expected = "a text, or a regular expression such as /^dl1_/"
            raise QuerySyntaxError(self._text, like.position, expected=expected)
        return Match(field=field, pattern=like, is_negated=is_negated)

    def _free(self, token: Any) -> Text:
        word = _text(token)
        expected = None if word.is_quoted else _OTHER_LANGUAGES.get(word.text.lower())
        if expected is not None:
            raise QuerySyntaxError(
                self._text,
                word.position,
                expected=f"{expected}; a name with {word.text} in it needs quotes",
            )
        return word

    def _value(self, tree: Any) -> Value:
        (token,) = tree.children
        if token.type == "BOUNDS":
            ends = token[1:-1].split()
            low, high = ("" if end == "*" else end for end in (ends[0], ends[2]))
        elif token.type == "RANGE":
            low, _, high = token.partition("..")
        else:
            return _text(token)
        if (not low and not high) or ".." in low + high:
            expected = "a range such as 1..5, 1.. or ..5"
            raise QuerySyntaxError(self._text, token.start_pos, expected=expected)
        return Range(low=low or None, high=high or None, position=token.start_pos)

    def _select(self, children: Any) -> Stage:
        return Select(fields=_fields(children))

    def _sort(self, children: Any) -> Stage:
        orders = [order.children for order in children]
        return Sort(
            orders=tuple(
                Order(
                    field=next(_field(t) for t in order if t.type == "NAME"),
                    is_descending=any(
                        t.type == "MINUS" or t.lower() == "desc"
                        for t in order
                        if t.type != "NAME"
                    ),
                )
                for order in orders
            )
        )

    def _limit(self, children: Any) -> Stage:
        return Limit(count=int(children[0]))

    def _count(self, children: Any) -> Stage:
        return Count(by=_fields(children))

    def _measure(self, children: Any) -> Stage:
        function, field, *by = children
        name = _FUNCTION_NAMES.get(function.lower(), function.lower())
        return Measure(function=name, field=_field(field), by=_fields(by))

    def _unique(self, children: Any) -> Stage:
        return Unique(field=_field(children[0]))


_STAGES: Final = ("select", "sort", "limit", "count", "measure", "unique")


def _operator(token: Any) -> str:
    """Return the operator of a tree: that of a search engine is ``:>`` too."""
    written = str(token)
    written = written.removeprefix(":") or written
    return _OPERATORS.get(written, written)


def _fields(children: Any) -> tuple[Field, ...]:
    return tuple(_field(token) for fields in children for token in fields.children)


def _field(token: Any) -> Field:
    name = re.match(r"\w+", token)
    assert name is not None  # The grammar gives no other token.
    first = name.group()
    if first not in FIELDS and first.lower() in FIELDS:
        first = first.lower()
    keys = [key.group(1) for key in _KEY.finditer(token, name.end())]
    parts = (first, *(_unquoted(k) if k[0] == '"' else k for k in keys))
    return Field(parts=parts, position=token.start_pos)


def _text(token: Any) -> Text:
    if token.type == "QUOTED":
        text = _unquoted(token)
        return Text(text=text, is_quoted=True, position=token.start_pos)
    return Text(text=str(token), position=token.start_pos)


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(
        lambda escaped: "\n" if escaped.group(1) == "n" else escaped.group(1),
        text[1:-1],
    )


def _regex(token: Any) -> Regex:
    ignores_case = token.endswith("i")
    pattern = token[1:-2] if ignores_case else token[1:-1]
    return Regex(
        pattern=str(pattern), ignores_case=ignores_case, position=token.start_pos
    )
