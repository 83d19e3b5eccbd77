"""Regular expressions that compare numbers which were recorded as texts.

A parameter may be recorded as 6 or as '6', and an integer of more than 64 bits is
stored as its digits. Neither MongoDB nor SQLite compares such texts as numbers, and
both search expressions alike, so a bound becomes an expression of its digits.
"""

import re
from decimal import Decimal
from typing import Final

__all__ = ["MOST_DIGITS", "decimal_regex", "is_decimal", "read_number"]

# Digits that a bound has before the point; those behind it that are looked at.
MOST_DIGITS: Final = 60
_NUMBER: Final = re.compile(
    r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})(e[+-]?\d{1,3})?", re.I | re.A
)
_DECIMAL: Final = re.compile(r"[+-]?\d+(\.\d*)?", re.A)
_ANY: Final = r"[0-9]+(?:\.[0-9]*)?"
# The end of the text; a dollar alone is also before a last line feed.
_ENDS: Final = r"$(?!\n)"


def read_number(text: str) -> Decimal | None:
    """Read a number as people and programs write it, or return None.

    >>> read_number("1e3"), read_number("01804"), read_number("1_0")
    (Decimal('1E+3'), Decimal('1804'), None)
    """
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def is_decimal(text: str) -> bool:
    """Say whether a recorded text is compared as a number: a sign, digits, a point."""
    return _DECIMAL.fullmatch(text) is not None


def decimal_regex(operator: str, bound: Decimal) -> str:
    """Return the expression of the decimal texts that are as a bound asks.

    Args:
        operator: ``=``, ``>``, ``>=``, ``<`` or ``<=``.
        bound: The bound, of at most `MOST_DIGITS` digits before the point.

    >>> pattern = re.compile(decimal_regex(">", Decimal("5.5")))
    >>> [text for text in ("6", "05.51", "5.5", "-7", "6a") if pattern.search(text)]
    ['6', '05.51']
    """
    size = _Magnitude(abs(bound))
    parts: list[str] = []
    if operator.startswith(">"):
        parts = _more(bound, size)
    elif operator.startswith("<"):
        parts = _less(bound, size)
    if operator.endswith("="):
        parts += _equal(bound, size)
    return f"^(?:{'|'.join(parts)}){_ENDS}" if parts else r"^(?!)"


def _more(bound: Decimal, size: "_Magnitude") -> list[str]:
    if bound >= 0:
        return [rf"\+?(?:{size.more()})"]
    return [rf"\+?{_ANY}", *(f"-(?:{part})" for part in size.less())]


def _less(bound: Decimal, size: "_Magnitude") -> list[str]:
    if bound <= 0:
        return [f"-(?:{size.more()})"]
    return [f"-{_ANY}", *(rf"\+?(?:{part})" for part in size.less())]


def _equal(bound: Decimal, size: "_Magnitude") -> list[str]:
    sign = "[+-]?" if bound == 0 else "-" if bound < 0 else r"\+?"
    return [f"{sign}(?:{part})" for part in size.equal()]


class _Magnitude:
    """The digits of a bound without its sign."""

    def __init__(self, bound: Decimal) -> None:
        whole, _, decimals = f"{bound:f}".partition(".")
        self._whole = whole.lstrip("0")
        self._is_cut = bool(decimals[MOST_DIGITS:].strip("0"))
        self._decimals = decimals[:MOST_DIGITS].rstrip("0")

    def more(self) -> str:
        """Return the expression of the digits of larger numbers."""
        whole, decimals = self._whole, self._decimals
        parts = [rf"[1-9][0-9]{{{len(whole)},}}(?:\.[0-9]*)?"]
        for place, digit in enumerate(whole):
            if digit != "9":
                above = f"{whole[:place]}[{int(digit) + 1}-9]"
                rest = len(whole) - place - 1
                parts.append(rf"{above}[0-9]{{{rest}}}(?:\.[0-9]*)?")
        for place, digit in enumerate(decimals):
            if digit != "9":
                above = f"{decimals[:place]}[{int(digit) + 1}-9]"
                parts.append(rf"{self._point()}{above}[0-9]*")
        parts.append(rf"{self._point()}{decimals}0*[1-9][0-9]*")
        return f"0*(?:{'|'.join(parts)})"

    def less(self) -> list[str]:
        """Return the expressions of the digits of smaller numbers; may be none."""
        whole, decimals = self._whole, self._decimals
        parts = []
        if len(whole) > 1:
            parts.append(rf"[0-9]{{1,{len(whole) - 1}}}(?:\.[0-9]*)?")
        elif whole:
            parts.append(r"0(?:\.[0-9]*)?")
        for place, digit in enumerate(whole):
            if digit != "0":
                below = f"{whole[:place]}[0-{int(digit) - 1}]"
                rest = len(whole) - place - 1
                parts.append(rf"{below}[0-9]{{{rest}}}(?:\.[0-9]*)?")
        for place, digit in enumerate(decimals):
            parts.append(rf"{self._point()}{decimals[:place]}")
            if digit != "0":
                below = f"{decimals[:place]}[0-{int(digit) - 1}]"
                parts.append(rf"{self._point()}{below}[0-9]*")
        if decimals or self._is_cut:
            parts.append(self._whole or "0")
        if self._is_cut:
            parts.append(rf"{self._point()}{decimals}0*")
        return [f"0*(?:{'|'.join(parts)})"] if parts else []

    def equal(self) -> list[str]:
        """Return the expressions of the digits of the number; none if it is cut."""
        if self._is_cut:
            return []
        if not self._decimals:
            return [rf"0*{self._whole or '0'}(?:\.0*)?"]
        return [rf"0*{self._point()}{self._decimals}0*"]

    def _point(self) -> str:
        # Zeros may have been taken by what is in front.
        return rf"{self._whole}\." if self._whole else r"(?<=0)\."
