"""Every error that provdb raises on purpose, as one tree.

::

    ProvdbError
      ConfigError          a setting is missing or unreadable
      RecordError          a record cannot become a document
      StoreError
        StoreUnavailable   the store does not answer or cannot be opened
        NotFound           nothing in the store has that name
        Ambiguous          several things in the store have that name
      QueryError           a question cannot be asked like that
        QuerySyntaxError   the text of a query is wrong somewhere
        UnknownField       a query names a field that there is not
      ReadError            an input is not what it should be
      MoveRefused          a file is not moved, for something would be lost
      ExportError
        UnknownFormat      there is no output format of that name
        MissingExtra       an optional library is not installed
        WrongTemplate      a template of links cannot be filled in

The facts of an error are its attributes; its message is one sentence that
holds the value and, where there is one, the next step.
"""

from collections.abc import Sequence
from typing import Final

__all__ = [
    "Ambiguous",
    "ConfigError",
    "ExportError",
    "MissingExtra",
    "MoveRefused",
    "NotFound",
    "ProvdbError",
    "QueryError",
    "QuerySyntaxError",
    "ReadError",
    "RecordError",
    "StoreError",
    "StoreUnavailable",
    "UnknownField",
    "UnknownFormat",
    "WrongTemplate",
]


class ProvdbError(Exception):
    """Base of every error that a user of provdb can cause."""


class ConfigError(ProvdbError):
    """A setting is missing or unreadable.

    Attributes:
        setting: Name of the setting, or path of the configuration file.
    """

    def __init__(self, message: str, *, setting: str) -> None:
        """Keep the name of the setting beside the message."""
        super().__init__(message)
        self.setting = setting


class RecordError(ProvdbError):
    """A record cannot become a document.

    Attributes:
        reason: What is wrong with it.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason, which is also the message."""
        super().__init__(reason)
        self.reason = reason


class StoreError(ProvdbError):
    """A store cannot do what was asked of it."""


class StoreUnavailable(StoreError):
    """The store does not answer or cannot be opened.

    Attributes:
        uri: Where it was looked for, without any password.
        reason: What the store or the driver said.
    """

    def __init__(self, uri: str, reason: str) -> None:
        """Say which store did not answer, and why."""
        super().__init__(f"the store {uri} cannot be used: {reason}")
        self.uri = uri
        self.reason = reason


class NotFound(StoreError):
    """Nothing in the store has that name.

    Attributes:
        name: What was looked for.
        near: Names in the store that are like it, best first.
    """

    def __init__(
        self, name: str, *, near: Sequence[str] = (), message: str | None = None
    ) -> None:
        """Name what was looked for and what is near it.

        Args:
            name: What was looked for.
            near: Names in the store that are like it, best first.
            message: What there is not, where the name alone does not say it.
        """
        sentence = message or f"nothing in the store is called {name}"
        hint = "" if not near else "; did you mean " + " or ".join(near) + "?"
        super().__init__(sentence + hint)
        self.name = name
        self.near = tuple(near)


class Ambiguous(StoreError):
    """Several things in the store have that name.

    Attributes:
        name: What was looked for.
        candidates: Everything it could mean, sorted.
    """

    def __init__(self, name: str, *, candidates: Sequence[str]) -> None:
        """Name what was looked for and everything it could mean."""
        listed = "\n".join(f"  {candidate}" for candidate in candidates)
        super().__init__(
            f"{name} can mean {len(candidates)} things, "
            f"give more of the path of one of them:\n{listed}"
        )
        self.name = name
        self.candidates = tuple(candidates)


class QueryError(ProvdbError):
    """A question cannot be asked like that."""


class QuerySyntaxError(QueryError):
    """The text of a query is wrong somewhere.

    Attributes:
        text: The query.
        position: Where in it, in characters from 0.
        expected: What could have stood there.
    """

    def __init__(self, text: str, position: int, *, expected: str) -> None:
        """Show the query with a caret below the place."""
        super().__init__(
            f"the query is wrong at column {position + 1}: expected {expected}\n"
            + _pointed(text, position)
        )
        self.text = text
        self.position = position
        self.expected = expected


class UnknownField(QueryError):
    """A query names a field that there is not.

    Attributes:
        name: What was named.
        near: Known fields that are like it, best first.
        text: The query.
        position: Where in it, in characters from 0.
    """

    def __init__(
        self, name: str, *, near: Sequence[str], text: str, position: int
    ) -> None:
        """Name the field and the nearest known ones, below the query."""
        hint = "" if not near else f", did you mean {' or '.join(near)}?"
        super().__init__(
            f"there is no field {name:.100}{hint or ';'} "
            f"'provdb query fields' lists all\n{_pointed(text, position)}"
        )
        self.name = name
        self.near = tuple(near)
        self.text = text
        self.position = position


class ReadError(ProvdbError):
    """An input is not what it should be.

    Attributes:
        source: Path or name of the input.
        line: Line number in it, from 1, or None for the whole input.
        reason: What is wrong.
    """

    def __init__(self, source: str, reason: str, *, line: int | None = None) -> None:
        """Say where and what is wrong."""
        place = source if line is None else f"{source}:{line}"
        super().__init__(f"{place}: {reason}")
        self.source = source
        self.line = line
        self.reason = reason


class MoveRefused(ProvdbError):
    """A file is not moved, for something would be lost.

    Attributes:
        path: The path in question.
        reason: What is in the way.
    """

    def __init__(self, path: str, reason: str) -> None:
        """Say which path it is, and what is in the way."""
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class ExportError(ProvdbError):
    """A result cannot be written as asked."""


class UnknownFormat(ExportError):
    """There is no output format of that name.

    Attributes:
        name: What was asked for.
        known: The formats that there are.
    """

    def __init__(self, name: str, *, known: Sequence[str]) -> None:
        """Name the format and the known ones."""
        super().__init__(f"there is no format {name}; known are {', '.join(known)}")
        self.name = name
        self.known = tuple(known)


class MissingExtra(ExportError):
    """An optional library is not installed.

    Attributes:
        extra: Name of the extra of the provdb package that brings it.
    """

    def __init__(self, library: str, *, extra: str) -> None:
        """Say which line installs the library."""
        super().__init__(f"{library} is needed for this: pip install 'provdb[{extra}]'")
        self.extra = extra


class WrongTemplate(ExportError):
    """A template of links cannot be filled in.

    Attributes:
        template: The template.
        reason: What is wrong with it.
    """

    def __init__(self, template: str, reason: str) -> None:
        """Show the template, and say what is wrong with it."""
        super().__init__(f"the link template {template:.200} is wrong: {reason}")
        self.template = template
        self.reason = reason


# How much of a long query is shown on each side of the place.
_SHOWN: Final = 60


def _pointed(text: str, position: int) -> str:
    """Return what is around a place in a text, with a caret below the place."""
    start = max(0, position - _SHOWN)
    end = position + _SHOWN
    cut = ("…" if start else ""), ("…" if end < len(text) else "")
    around = "".join(c if c.isprintable() else " " for c in text[start:end])
    place = " " * (position - start + len(cut[0]))
    return f"  {cut[0]}{around}{cut[1]}\n  {place}^"
