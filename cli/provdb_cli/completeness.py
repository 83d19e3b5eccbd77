"""What an answer does not know: told on stderr, in columns, and by the exit status."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from provdb_cli.errors import ANSWER_IS_NO, warn

if TYPE_CHECKING:
    from provdb.lineage.completeness import Completeness

__all__ = ["end_if_strict", "warn_of_doubts", "with_marks", "with_words"]


def warn_of_doubts(completeness: "Completeness", sentence: str) -> None:
    """Tell in one line what is missing or in doubt; nothing of a certain answer."""
    if not completeness.is_certain:
        warn(f"warning: {sentence}")


def end_if_strict(completeness: "Completeness", *, is_strict: bool) -> None:
    """End with status 1 if certainty was asked for and the answer lacks it."""
    if is_strict and not completeness.is_certain:
        raise click.exceptions.Exit(ANSWER_IS_NO)


def with_words(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield rows whose marks are words, as a table and CSV show them."""
    from provdb.lineage.result import mark_in_words

    for row in rows:
        yield {**row, "marks": ", ".join(map(mark_in_words, row["marks"]))}


def with_marks(
    tables: Sequence[Sequence[str]], rows: Sequence[Mapping[str, Any]]
) -> Sequence[Sequence[str]]:
    """Return the columns of tables, with the marks if there are any."""
    if not any(row["marks"] for row in rows):
        return tables
    return [(*columns, "marks") for columns in tables]
