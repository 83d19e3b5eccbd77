"""Answers as tables: a frame of pandas, and what a notebook shows of them."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import islice
from typing import Any, Final

import orjson

from provdb.errors import MissingExtra
from provdb.model import format_time

__all__ = [
    "MOST_ROWS",
    "RowList",
    "Tabular",
    "html_note",
    "html_table",
    "plain_row",
]

# So many rows are shown in a notebook.
MOST_ROWS: Final = 100
_MOST_LETTERS: Final = 200
_CELL: Final = "text-align: left; vertical-align: top; white-space: pre-wrap"


class Tabular:
    """Something that has rows, and can be looked at as a table of them."""

    __slots__ = ()

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as they stand in JSON, all with the same fields."""
        raise NotImplementedError

    def to_dataframe(self) -> Any:
        """Return the rows as a frame of pandas, a column a field.

        Raises:
            MissingExtra: pandas is not installed.
        """
        try:
            # Heavy, and few need it.
            import pandas  # type: ignore[import-untyped,import-not-found,unused-ignore]  # It has no types.
        except ImportError as error:
            raise MissingExtra("pandas", extra="notebook") from error
        rows = self.rows()
        frame = pandas.DataFrame(rows, columns=_fields(rows))
        # Else pandas makes 1618.0 of run 1618 where another row has none.
        whole = [name for name in frame if _is_whole(row.get(name) for row in rows)]
        return frame.astype(dict.fromkeys(whole, "Int64"))

    def _repr_html_(self) -> str:
        """Return the table that a notebook shows, of the first rows."""
        return html_table(self.rows())


class RowList(list[dict[str, Any]], Tabular):
    """A list of rows, which a notebook shows as a table.

    >>> RowList([{"session_tag": "r0_to_dl1:01618"}])._repr_html_().count("<td")
    1
    """

    __slots__ = ()

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows."""
        return list(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the rows as one value that JSON can hold."""
        return {"rows": [plain_row(row) for row in self]}


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON holds it, times as texts.

    >>> from datetime import UTC, datetime
    >>> plain_row({"run": 1618, "start": datetime(2019, 11, 24, 7, tzinfo=UTC)})
    {'run': 1618, 'start': '2019-11-24T07:00:00.000Z'}
    """
    return {name: _plain(value) for name, value in row.items()}


def html_table(rows: Sequence[Mapping[str, Any]], *, is_all: bool = True) -> str:
    """Return rows as a table of HTML, without what all of them lack.

    Long texts are cut, of many rows the first ones are shown, and nothing in them
    becomes markup.

    Args:
        rows: The rows.
        is_all: Whether there are no more of them.

    >>> html_table([{"name": "<b>", "run": None}]).count("&lt;b&gt;")
    1
    """
    columns = [
        name
        for name in _fields(rows)
        if any(row.get(name) not in (None, "", [], {}) for row in rows)
    ]
    header = "".join(_cell("th", name.replace("_", " ")) for name in columns)
    lines = [
        "".join(_cell("td", _text(row.get(name))) for name in columns)
        for row in islice(rows, MOST_ROWS)
    ]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    note = "no rows"
    if rows:
        note = f"{len(rows)} row{'s' if len(rows) > 1 else ''}"
    if len(rows) > MOST_ROWS:
        note += f", the first {MOST_ROWS} are shown"
    if not is_all:
        note = f"the first {MOST_ROWS} rows, there are more"
    return (
        f"<table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>"
        f"<p>{note}</p>"
    )


def html_note(text: str) -> str:
    """Return a sentence as a paragraph of HTML, in which nothing becomes markup.

    >>> html_note("1 gap (<b>.h5)")
    '<p>1 gap (&lt;b&gt;.h5)</p>'
    """
    return f"<p>{escape(text)}</p>"


def _fields(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _is_whole(values: Iterable[Any]) -> bool:
    """Say whether there are whole numbers, and gaps, and nothing else."""
    kinds = {type(value) for value in values}
    return kinds == {int, type(None)}


def _cell(tag: str, text: str) -> str:
    return f'<{tag} style="{_CELL}">{escape(text)}</{tag}>'


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, list) and not any(
        isinstance(item, list | dict) for item in value
    ):
        text = "\n".join(map(_text, value))
    else:
        plain = _plain(value)
        text = plain if isinstance(plain, str) else orjson.dumps(plain).decode()
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}…"


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it, times as texts."""
    written = orjson.dumps(
        value, default=format_time, option=orjson.OPT_PASSTHROUGH_DATETIME
    )
    return orjson.loads(written)
