"""The tree of a query: what text and JSON are read into, and what is compiled.

Where a part stood in the text is kept for messages; two trees that differ in nothing
else are equal.
"""

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

__all__ = [
    "FUNCTIONS",
    "OPERATORS",
    "And",
    "Compare",
    "Count",
    "Field",
    "Free",
    "Known",
    "Limit",
    "Match",
    "Measure",
    "Member",
    "Node",
    "Not",
    "Or",
    "Order",
    "Query",
    "Range",
    "Reach",
    "Regex",
    "Select",
    "Sort",
    "Stage",
    "Text",
    "Unique",
    "Value",
]

OPERATORS: Final = (":", "=", "!=", ">", ">=", "<", "<=")
FUNCTIONS: Final = ("sum", "avg", "min", "max", "p50", "p95", "p99")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field, with the keys below it.

    Attributes:
        parts: Its name, then the keys, as in ``config.tailcut.picture_thresh``.
        position: Where it stood in the text.
    """

    parts: tuple[str, ...]
    position: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A value as it was written.

    Attributes:
        text: The value, without quotes.
        is_quoted: Whether it had quotes, so that nothing in it is wild.
        position: Where it stood in the text.
    """

    text: str
    is_quoted: bool = False
    position: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A range of values, both ends in it.

    Attributes:
        low: The lower end as it was written, or None.
        high: The upper end as it was written, or None.
        position: Where it stood in the text.
    """

    low: str | None
    high: str | None
    position: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regex:
    """A regular expression.

    Attributes:
        pattern: The expression, without the slashes around it.
        ignores_case: Whether it had an ``i`` behind it.
        position: Where it stood in the text.
    """

    pattern: str
    ignores_case: bool = False
    position: int = field(default=0, compare=False, repr=False)


Value: TypeAlias = Text | Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """A field compared with a value; the operator is one of `OPERATORS`."""

    field: Field
    operator: str
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A field that has a text in it, or is like a regular expression; or is not."""

    field: Field
    pattern: Regex | Text
    is_negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A field that has one of some values."""

    field: Field
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A field that has a value, or that has none."""

    field: Field
    is_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """A part of a file name, or of the name of an activity."""

    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """What a part is known not to be."""

    part: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    """What all parts are; two at least."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    """What any of the parts is; two at least."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What is reached from all that a part selects, by the rules of lineage."""

    direction: Literal["upstream", "downstream"]
    part: "Node"


Node: TypeAlias = Compare | Match | Member | Known | Free | Not | And | Or | Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """Show these fields and no other."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A field to sort by, and whether the largest comes first."""

    field: Field
    is_descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """Put rows in order; what is unknown comes last."""

    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Keep so many rows."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Count rows, all or by fields."""

    by: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Compute one of `FUNCTIONS` of a field, of all rows or by fields."""

    function: str
    field: Field
    by: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """List the different values of a field."""

    field: Field


Stage: TypeAlias = Select | Sort | Limit | Count | Measure | Unique


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A selector, and what is done with all that it selects.

    Attributes:
        selector: What is asked for, or None for everything.
        stages: What is done with it, in order.
    """

    selector: Node | None = None
    stages: tuple[Stage, ...] = ()
