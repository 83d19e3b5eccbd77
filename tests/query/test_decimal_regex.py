"""An expression finds the decimal texts that are as a bound asks."""

import operator
import re
from decimal import Decimal
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from provdb.query.decimal_regex import decimal_regex

_COMPARED: Final = {
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_DIGITS = st.one_of(
    st.text("0123456789", min_size=1, max_size=4),
    st.text("01259", min_size=1, max_size=3),
)
_DECIMALS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "+", "-"]),
        _DIGITS,
        st.one_of(st.sampled_from(["", "."]), _DIGITS.map(lambda text: f".{text}")),
    ),
)


@settings(max_examples=1000)
@given(_DECIMALS, _DECIMALS, st.sampled_from(sorted(_COMPARED)))
def test_texts_of_digits_are_compared_as_numbers(
    text: str, bound: str, name: str
) -> None:
    found = re.search(decimal_regex(name, Decimal(bound)), text, re.ASCII)

    assert (found is not None) is _COMPARED[name](Decimal(text), Decimal(bound))


def test_other_texts_are_not_compared() -> None:
    patterns = [decimal_regex(name, Decimal(0)) for name in _COMPARED]

    found = [
        text
        for text in ("", "6a", "6\n", "1_0", "٣", "1e3", ".", "- 5")
        for pattern in patterns
        if re.search(pattern, text, re.ASCII)
    ]

    assert found == []


def test_decimals_beyond_the_sixtieth_decide_what_is_equal() -> None:
    third = Decimal("1E-70")

    assert not re.search(decimal_regex("=", third), "0")
    assert not re.search(decimal_regex(">=", third), "0.0")
    assert re.search(decimal_regex("<", third), "0.0")
