"""How a query that somebody is typing may go on; for the shells, and for editors.

Nothing that was typed is changed: a completion is the text with something behind it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from provdb.errors import QueryError
from provdb.model import LEVELS
from provdb.model.activity import STATUSES
from provdb.model.naming_rules import DATA_KINDS, TELESCOPES
from provdb.query.fields import FIELDS, KIND, FieldType
from provdb.query.parse import parse
from provdb.query.stages import columns_of
from provdb.query.tree import FUNCTIONS

__all__ = ["Completion", "complete_query"]

# Gives the values of a field that start so; for the name of a family of fields with a
# dot behind it, the names of fields whose key does.
Known = Callable[[str, str], Iterable[str]]

_NAME: Final = r'[A-Za-z_]\w*(?:\.(?:"(?:\\.|[^"\\])*"|[\w-]+))*'
_PIECE: Final = r""""(?:\\.|[^"\\])*|'(?:\\.|[^'\\])*|[^\s(),"'|]*"""
_BEFORE: Final = r"(?:^|(?<=[\s(\-]))"
_COMPARED: Final = re.compile(
    rf"{_BEFORE}(?P<field>{_NAME})\s*(?P<sign>>=|<=|!=|!~|[:=<>~])\s*"
    rf"(?P<value>{_PIECE})$"
)
_LISTED: Final = re.compile(
    rf"{_BEFORE}(?P<field>{_NAME})\s+in\s*\((?:[^()]*,)?\s*(?P<value>{_PIECE})$",
    re.IGNORECASE,
)
_NULL: Final = re.compile(
    rf"{_BEFORE}(?P<field>{_NAME})\s+is\s+(?P<value>\w*)$", re.IGNORECASE
)
_FIELD_BEFORE: Final = re.compile(rf"{_BEFORE}({_NAME})\s+$")
_LAST_WORD: Final = re.compile(r"""[^\s(),"'|]*$""")
_KEYS: Final = re.compile(r"(?P<family>\w+)\.(?P<key>[\w.-]*)$")
# What is skipped to see pipes: a regular expression, a text in quotes; and one that
# is still open.
_SCANNED: Final = re.compile(
    r"""~\s*/(?:\\.|[^/\\\n])*(?:/|$)|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'"""
    r"""|(?P<open>["'](?s:.)*)|(?P<pipe>(?<!\|)\|(?!\|))"""
)
_SAFE: Final = re.compile(r"""[^\s(),"'=<>~!|*?][^\s(),"'|*?]*""")
_STAGE: Final = re.compile(r"\s*(?P<word>\w*)$")
_BY: Final = re.compile(r"\s*(?:count|\w+\s+[^\s,]+)\s+(?P<word>\w*)$")
_IN_STAGE: Final = re.compile(
    r"\s*(?:(?P<stage>select|unique|sort|sum|avg|min|max|p50|p95|p99)\s+"
    r"|(?:count|(?:sum|avg|min|max|p50|p95|p99)\s+[^\s,]+)\s+by\s+)"
    r"(?:[^\s,]+\s*,\s*)*-?(?P<word>[\w.-]*)$"
)

_MEANINGS: Final = {
    "upstream(": "all that these came from",
    "downstream(": "all that came from these",
    "NOT ": "what is known not to be so",
    "OR ": "either of both",
    "AND ": "both, as a blank says too",
}
_STAGES: Final = {
    "select": "show these fields",
    "sort": "by fields; -FIELD is the largest first",
    "limit": "so many rows",
    "count": "all, or by fields",
    "unique": "the different values of a field",
    **dict.fromkeys(FUNCTIONS, "of a field, of all rows or by fields"),
}
_CHOICES: Final = {
    "level": LEVELS,
    "status": STATUSES,
    "telescope": TELESCOPES,
    "data_kind": tuple(DATA_KINDS),
    KIND: ("entity", "activity", "any"),
    "dry_run": ("true", "false"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One way in which a text may go on.

    Attributes:
        text: The whole text then.
        added_to: Where in it the word begins that goes on.
        meaning: What the word says, or nothing.
        is_finished: Whether it can end there.
    """

    text: str
    added_to: int
    meaning: str = ""
    is_finished: bool = False


def complete_query(
    text: str, *, known: Known = lambda field, start: ()
) -> list[Completion]:
    """Return how a query may go on, up to whose end somebody has typed.

    Args:
        text: The query, as far as it is typed.
        known: Gives the known values of a field that start so; for ``param.``, the
            names of the fields ``param.KEY`` whose key starts so.

    >>> [c.text for c in complete_query("level:DL2 -stat")]
    ['level:DL2 -status:']
    >>> [c.text for c in complete_query("run:1618 | co")]
    ['run:1618 | count ']
    """
    start, opened = 0, len(text)
    for found in _SCANNED.finditer(text):
        if found["pipe"]:
            start = found.end()
        elif found["open"]:
            opened = found.start()
    typing = _Typing(text, start=start, opened=opened, known=known)
    found_so = typing.in_stage() if start else typing.in_selector()
    return list(found_so)


class _Typing:
    """A query that is being typed."""

    def __init__(self, text: str, *, start: int, opened: int, known: Known) -> None:
        """Keep what is known of the text.

        Args:
            text: The text.
            start: Where its last stage begins.
            opened: Where a quote stands that is not closed; else the end.
            known: Gives known values.
        """
        self._text = text
        self._start = start
        self._opened = opened
        self._known = known

    def in_selector(self) -> Iterator[Completion]:
        """Yield how a selector may go on."""
        for pattern in (_LISTED, _COMPARED):
            found = pattern.search(self._text)
            # A quote that belongs to no field is free text, whatever is in it.
            if found and found.start("value") <= self._opened:
                yield from self._values(found)
                return
        if self._opened < len(self._text):
            return
        if found := _NULL.search(self._text):
            yield from self._words(found["value"], {"known": "", "unknown": ""})
            return
        (word,) = _LAST_WORD.findall(self._text)[:1]
        word = word.lstrip("-")
        if keys := _KEYS.fullmatch(word):
            yield from self._with_keys(keys, end=":")
            return
        names = {_opened(field): field.meaning for field in FIELDS.values()}
        before = self._text[: len(self._text) - len(word)]
        asked = _FIELD_BEFORE.search(before)
        if asked and asked[1].partition(".")[0] in FIELDS:
            yield from self._words(word, {"is known": "", "is unknown": ""})
            yield from self._words(word, {"in (": "any of these"})
        is_first = not before.strip() or before.rstrip().endswith(("(", "-"))
        others = {
            name: meaning
            for name, meaning in _MEANINGS.items()
            if not (is_first and name in ("OR ", "AND "))
        }
        yield from self._words(word, names | others)

    def in_stage(self) -> Iterator[Completion]:
        """Yield how a stage may go on."""
        if self._opened < len(self._text):
            return
        typed = self._text[self._start :]
        if found := _STAGE.fullmatch(typed):
            stages = {f"{name} ": meaning for name, meaning in _STAGES.items()}
            yield from self._words(found["word"], stages)
            return
        if found := _IN_STAGE.fullmatch(typed):
            yield from self._columns(found["word"])
            return
        if found := _BY.fullmatch(typed):
            yield from self._words(found["word"], {"by ": "for each of these"})

    def _columns(self, word: str) -> Iterator[Completion]:
        columns = self._columns_before()
        if columns:
            yield from self._words(word, dict.fromkeys(columns, ""))
        elif keys := _KEYS.fullmatch(word):
            yield from self._with_keys(keys, end="")
        else:
            for field in FIELDS.values():
                end = "." if field.has_keys else ""
                yield from self._words(word, {f"{field.name}{end}": field.meaning})

    def _columns_before(self) -> tuple[str, ...]:
        """Return the columns that the stages before this one leave."""
        try:
            stages = parse(self._text[: self._start - 1]).stages
        except QueryError:
            return ()
        chosen: tuple[str, ...] = ()
        for stage in stages:
            chosen = columns_of(stage) or chosen
        return chosen

    def _values(self, found: re.Match[str]) -> Iterator[Completion]:
        field = FIELDS.get(found["field"])
        is_listed = "sign" not in found.re.groupindex
        if field is None or (not is_listed and found["sign"] not in (":", "=", "!=")):
            return
        typed = found["value"]
        quote = typed[:1] if typed[:1] in ("'", '"') else ""
        bare = re.sub(r"\\(.)", r"\1", typed[1:]) if quote else typed
        for value in _of_choices(field, bare) or self._known(field.name, bare):
            if not value.startswith(bare) or (value == bare and not quote):
                continue
            rest = value[len(bare) :]
            if quote:
                added = _escaped(rest, quote) + quote
            elif _SAFE.fullmatch(value) and ".." not in value:
                added = rest
            elif not bare:
                added = f'"{_escaped(rest, chr(34))}"'
            else:
                continue
            is_finished = not is_listed and not value.endswith("/")
            yield self._one(typed, added, is_finished=is_finished)

    def _with_keys(self, found: re.Match[str], *, end: str) -> Iterator[Completion]:
        field = FIELDS.get(found["family"])
        if field is None or not field.has_keys:
            return
        for name in self._known(f"{field.name}.", found["key"]):
            yield from self._words(
                found.group(), {f"{name}{end}": ""}, is_finished=not end
            )

    def _words(
        self, word: str, words: dict[str, str], *, is_finished: bool | None = None
    ) -> Iterator[Completion]:
        for whole, meaning in words.items():
            if whole.startswith(word) and whole != word:
                ends = whole[-1] not in " :.(" if is_finished is None else is_finished
                added = whole[len(word) :]
                yield self._one(word, added, meaning=meaning, is_finished=ends)

    def _one(
        self, word: str, added: str, *, is_finished: bool, meaning: str = ""
    ) -> Completion:
        return Completion(
            text=self._text + added,
            added_to=len(self._text) - len(word),
            meaning=meaning,
            is_finished=is_finished,
        )


def _opened(field: FieldType) -> str:
    return f"{field.name}." if field.has_keys else f"{field.name}:"


def _of_choices(field: FieldType, typed: str) -> list[str]:
    """Return the choices that go on so, in the case in which they are begun."""
    choices = _CHOICES.get(field.name, ())
    return [
        typed + (rest.lower() if typed.islower() else rest)
        for choice in choices
        if choice.lower().startswith(typed.lower())
        for rest in [choice[len(typed) :]]
    ]


def _escaped(text: str, quote: str) -> str:
    return text.replace("\\", "\\\\").replace(quote, f"\\{quote}").replace("\n", "\\n")
