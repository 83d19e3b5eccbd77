"""The rows that answer a query, as a value."""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from provdb.lineage import LinkRule
from provdb.lineage.completeness import Completeness
from provdb.query.run import CompiledQuery, compile_query, find
from provdb.query.stages import Row
from provdb.query.tree import Query
from provdb.store import Store
from provdb.tabular import MOST_ROWS, Tabular, html_note, html_table, plain_row

__all__ = ["Rows"]


class Rows(Tabular):
    """The rows that answer a query.

    Each time they are looked at the store is asked anew, and rows are taken from it one
    after another: going through a million of them holds none but the one at hand. A
    table in a notebook asks for its first rows only.

    Attributes:
        query: What is asked.
        completeness: What upstream() and downstream() of the query know and do not
            know; complete until the rows have been read.

    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> store.initialise()
    >>> rows = Rows(store, "level:DL1 | count")
    >>> rows
    <rows of level:DL1 | count>
    >>> list(rows), rows.to_dict()["rows"]
    ([{'count': 0}], [{'count': 0}])
    """

    __slots__ = ("_compiled", "_rules", "_store", "_timeout_seconds", "completeness")

    def __init__(
        self,
        store: Store,
        query: str | Query | CompiledQuery,
        *,
        rules: Collection[LinkRule] | None = None,
        timeout_seconds: float | None = None,
    ) -> None:
        """Say what to ask of which store, as `provdb.query.find` takes it.

        Raises:
            QuerySyntaxError: The text is no query, or a value is none of its field.
            UnknownField: It names a field that there is not.
        """
        self._compiled = (
            query
            if isinstance(query, CompiledQuery)
            else compile_query(query, zone=store.zone)
        )
        self._store = store
        self._rules = rules
        self._timeout_seconds = timeout_seconds
        self.completeness = Completeness()

    @property
    def query(self) -> str:
        """What is asked, as a text."""
        return self._compiled.text

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows as the store gives them.

        Raises:
            StoreUnavailable: The store does not answer, or not in time.
        """
        self.completeness = Completeness()
        return find(
            self._store,
            self._compiled,
            rules=self._rules,
            timeout_seconds=self._timeout_seconds,
            on_reached=self._join,
        )

    def __repr__(self) -> str:
        """Say what is asked; nothing is asked for that."""
        return f"<rows of {self.query or 'everything'}>"

    def rows(self) -> list[Row]:
        """Return all rows."""
        return list(self)

    def to_dict(self) -> dict[str, Any]:
        """Return question and rows as one value that JSON can hold."""
        rows = list(map(plain_row, self))
        return {
            "question": {"query": self.query},
            "rows": rows,
            "completeness": self.completeness.to_dict(),
        }

    def to_dataframe(self) -> Any:
        """Return the rows as a frame of pandas; it has its columns without rows too.

        Raises:
            MissingExtra: pandas is not installed.
        """
        frame = super().to_dataframe()
        return frame if len(frame) else frame.reindex(columns=self._compiled.columns)

    def _repr_html_(self) -> str:
        """Return the table that a notebook shows, of the first rows."""
        first = list(islice(self, MOST_ROWS + 1))
        table = html_table(first, is_all=len(first) <= MOST_ROWS)
        if self.completeness.is_certain:
            return table
        return table + html_note(self.completeness.sentence)

    def _join(self, completeness: Completeness) -> None:
        self.completeness = self.completeness.joined(completeness)
