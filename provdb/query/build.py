"""Queries built in Python, by operators on fields, without any text.

>>> from provdb.query import field, upstream
>>> made = (field.level == "DL2") & field.run.is_in([1618, 1619])
>>> print(made & ~upstream(field.agent != "lstanalyzer"))
level:DL2 run in (1618, 1619) NOT upstream(agent != lstanalyzer)
>>> print((field.activity == "r0_to_dl1").p95("duration", by="node").sort("-node"))
activity:r0_to_dl1 | p95 duration by node | sort -node
"""

import re
from collections.abc import Iterable
from typing import Final, Literal, NoReturn

from provdb.errors import QueryError
from provdb.query.built import (
    NO_BRACKETS,
    NO_TRUTH,
    BuiltQuery,
    FieldName,
    checked,
    condition_of,
    field_of,
)
from provdb.query.fields import FIELDS, find_field
from provdb.query.text import field_text
from provdb.query.tree import (
    Compare,
    Field,
    Free,
    Known,
    Match,
    Member,
    Order,
    Query,
    Range,
    Reach,
    Regex,
    Text,
)
from provdb.query.written import exact_text, range_end, word

__all__ = [
    "FieldReference",
    "downstream",
    "everything",
    "field",
    "named",
    "upstream",
]


class FieldReference(FieldName):
    """A field, to be compared.

    ``==`` and ``!=`` compare after normalising the type, so that ``field.run ==
    "01618"`` finds 1618; in a text ``*`` and ``?`` are wild, and None asks for what is
    unknown. An attribute is a key below: ``field.config.tailcut.picture_thresh``; one
    that is no name, or that of a method, stands in brackets, as it is.

    >>> from provdb.query import field
    >>> print(field.start >= "2020-01-17", field.param["tailcut.picture"] == 6)
    start >= 2020-01-17 param."tailcut.picture":6
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # It has no equality.
    # Brackets and == would make Python walk through keys for ever.
    __iter__ = None
    __contains__ = None

    def __init__(self, parts: tuple[str, ...]) -> None:
        """Name the field.

        Args:
            parts: Its name, then the keys.

        Raises:
            UnknownField: There is no such field; the error holds the nearest ones.
        """
        named = Field(parts=parts)
        known = FIELDS.get(parts[0])
        if known is None or not known.has_keys or len(parts) > 1:
            find_field(named, text=field_text(named))
        super().__init__(parts)

    def __repr__(self) -> str:
        """Return the field as a query names it."""
        return f"<field {self._name}>"

    def __getattr__(self, key: str) -> "FieldReference":
        """Return the field of a key below this one."""
        if key.startswith("_"):
            raise AttributeError(key)
        return self[key]

    def __getitem__(self, key: str) -> "FieldReference":
        """Return the field of a key below this one, as it is."""
        return FieldReference((*self._parts, str(key)))

    def __eq__(self, value: object) -> BuiltQuery:  # type: ignore[override]  # A query.
        """Ask for what has this value, or a text like it."""
        if value is None:
            return self.is_unknown()
        return self._compare(":", value)

    def __ne__(self, value: object) -> BuiltQuery:  # type: ignore[override]  # A query.
        """Ask for what is known to have another value."""
        if value is None:
            return self.is_known()
        return self._compare("!=", value)

    def __lt__(self, value: object) -> BuiltQuery:
        """Ask for smaller values."""
        return self._compare("<", value)

    def __le__(self, value: object) -> BuiltQuery:
        """Ask for values that are not larger."""
        return self._compare("<=", value)

    def __gt__(self, value: object) -> BuiltQuery:
        """Ask for larger values."""
        return self._compare(">", value)

    def __ge__(self, value: object) -> BuiltQuery:
        """Ask for values that are not smaller."""
        return self._compare(">=", value)

    def __neg__(self) -> Order:
        """Return the order with the largest first, for ``sort``."""
        return Order(field=self._field, is_descending=True)

    def exactly(self, value: object) -> BuiltQuery:
        """Ask for this very value: nothing in a text is wild."""
        compared = Compare(
            field=self._field, operator="=", value=exact_text(value, of=self._name)
        )
        return checked(BuiltQuery(selector=compared))

    def between(self, low: object, high: object) -> BuiltQuery:
        """Ask for values from one to another, both included; None is no end."""
        ends = Range(
            low=range_end(low, of=self._name), high=range_end(high, of=self._name)
        )
        if ends.low is None and ends.high is None:
            raise QueryError("a range needs a low end, a high end, or both")
        compared = Compare(field=self._field, operator=":", value=ends)
        return checked(BuiltQuery(selector=compared))

    def is_in(self, values: Iterable[object]) -> BuiltQuery:
        """Ask for any of some values."""
        if isinstance(values, str | bytes):
            raise QueryError(f"is_in needs a list of values, and got {values!r:.80}")
        listed = tuple(word(value, of=self._name) for value in values)
        if not listed:
            raise QueryError(
                f"{self._name} can be none of no values: the list is empty"
            )
        return checked(BuiltQuery(selector=Member(field=self._field, values=listed)))

    def is_known(self) -> BuiltQuery:
        """Ask for what has a value."""
        return self._known(is_known=True)

    def is_unknown(self) -> BuiltQuery:
        """Ask for what has no value."""
        return self._known(is_known=False)

    def contains(self, text: str) -> BuiltQuery:
        """Ask for texts with this one in them; nothing in it is wild."""
        part = Text(text=str(text), is_quoted=True)
        return checked(BuiltQuery(selector=Match(field=self._field, pattern=part)))

    def matches(self, pattern: str, *, ignores_case: bool = False) -> BuiltQuery:
        r"""Ask for texts that a regular expression is found in.

        Args:
            pattern: The expression; it is bounded, so that no text takes it long.
            ignores_case: Whether small and capital letters are the same.

        >>> from provdb.query import field
        >>> print(field.path.matches(r"/DL1/.*\.h5$"))
        path ~ /\/DL1\/.*\.h5$/
        """
        escaped = re.sub(r"(\\.)|/", lambda found: found.group(1) or r"\/", pattern)
        like = Regex(pattern=escaped, ignores_case=ignores_case)
        return checked(BuiltQuery(selector=Match(field=self._field, pattern=like)))

    @property
    def _name(self) -> str:
        return field_text(self._field)

    def _compare(self, operator: str, value: object) -> BuiltQuery:
        compared = Compare(
            field=self._field, operator=operator, value=word(value, of=self._name)
        )
        return checked(BuiltQuery(selector=compared))

    def _known(self, *, is_known: bool) -> BuiltQuery:
        return checked(BuiltQuery(selector=Known(field=self._field, is_known=is_known)))

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError(NO_BRACKETS)

    def __bool__(self) -> NoReturn:
        """Refuse to be true or false."""
        raise TypeError(NO_TRUTH)

    __and__ = __rand__ = __or__ = __ror__ = __invert__ = _refuse


class _Fields:
    """The fields, each an attribute.

    >>> field.levle
    Traceback (most recent call last):
    provdb.errors.UnknownField: there is no field levle, did you mean level? ...
    """

    __slots__ = ()
    __iter__ = None
    __contains__ = None

    def __getattr__(self, name: str) -> FieldReference:
        """Return the field of a name."""
        if name.startswith("_"):
            raise AttributeError(name)
        return FieldReference((name,))

    def __getitem__(self, name: str) -> FieldReference:
        """Return a field as a query names it, such as ``param.ProdID``."""
        return FieldReference(field_of(name).parts)

    def __dir__(self) -> list[str]:
        """Return the names of the fields, for completion."""
        return list(FIELDS)


field: Final = _Fields()
everything: Final = BuiltQuery()


def upstream(query: Query) -> BuiltQuery:
    """Ask for all that something came from, by the rules of lineage.

    >>> print(upstream(field.level == "DL2") & (field.entity == "RFModel*"))
    upstream(level:DL2) entity:RFModel*
    """
    return _reach("upstream", query)


def downstream(query: Query) -> BuiltQuery:
    """Ask for all that came from something, by the rules of lineage.

    >>> print(downstream(field.path == "*calibration.Run01614*").unique("run"))
    downstream(path:*calibration.Run01614*) | unique run
    """
    return _reach("downstream", query)


def named(text: str) -> BuiltQuery:
    """Ask for a part of a file name, or of the name of an activity.

    ``*`` and ``?`` are wild.

    >>> print(named("LST-1.Run01618.0008") | named("dl1_*Run01619*"))
    "LST-1.Run01618.0008" OR dl1_*Run01619*
    """
    is_wild = "*" in text or "?" in text
    part = Text(text=str(text), is_quoted=not is_wild)
    return checked(BuiltQuery(selector=Free(text=part)))


def _reach(direction: Literal["upstream", "downstream"], query: Query) -> BuiltQuery:
    return BuiltQuery(selector=Reach(direction=direction, part=condition_of(query)))
