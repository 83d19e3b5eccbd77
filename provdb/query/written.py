"""Values of Python as a query writes them: each is only ever a value."""

import os
import re
from datetime import UTC, date, datetime, timedelta
from math import isfinite
from numbers import Integral, Real
from typing import Final

from provdb.errors import QueryError
from provdb.query.tree import Text

__all__ = ["exact_text", "range_end", "word"]

_SAFE: Final = re.compile(r"[\w:./+*?-]+")
_SAFE_END: Final = re.compile(r"[\w:.+-]{1,40}")
_WILD: Final = re.compile(r"[*?]")


def word(value: object, *, of: str) -> Text:
    """Return a value to compare with; ``*`` and ``?`` in a text are wild.

    Args:
        value: A text, a path, a number, a truth, a date, a time (in the zone of the
            store where it names none) or a duration.
        of: What is compared with it, for messages.

    Raises:
        QueryError: It is none of these, or a pattern that a query cannot write.

    >>> word(1618, of="run"), word("a b", of="agent")
    (Text(text='1618', is_quoted=False), Text(text='a b', is_quoted=True))
    """
    written = _written(value, of=of)
    is_quoted = not _is_word(written)
    if is_quoted and _WILD.search(written):
        raise QueryError(
            f"{of} cannot be like {written!r:.80}: * and ? are wild, but not beside "
            "blanks, quotes, commas or brackets; use .exactly(…) or .matches(…) of "
            "provdb.query.field"
        )
    return Text(text=written, is_quoted=is_quoted)


def exact_text(value: object, *, of: str) -> Text:
    """Return a value that something is to be itself; nothing in it is wild.

    A text is none of the numbers that look alike.
    """
    return Text(text=_written(value, of=of), is_quoted=not isinstance(value, Real))


def range_end(value: object, *, of: str) -> str | None:
    """Return one end of a range, or None where it has none.

    Raises:
        QueryError: It is no value, or a range cannot end with it.
    """
    if value is None:
        return None
    written = _written(value, of=of)
    if not _SAFE_END.fullmatch(written) or ".." in written:
        raise QueryError(
            f"{of} cannot range to {written!r:.80}; compare with >= and <= instead"
        )
    return written


def _written(value: object, *, of: str) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            # Read in the zone of the store, as times in a text are.
            return value.isoformat()
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value // timedelta(milliseconds=1)}ms"
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str | bool):
        return str(value)
    # Those of numpy are numbers too.
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real) and isfinite(value):
        return repr(float(value))
    raise QueryError(f"{of} cannot be {value!r:.80}")


def _is_word(written: str) -> bool:
    is_safe = _SAFE.fullmatch(written) is not None
    return is_safe and ".." not in written and not written.startswith(":")
