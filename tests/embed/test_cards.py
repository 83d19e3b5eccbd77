"""The first header of a FITS file: whatever is in it, its checksum stays right."""

import warnings
from io import BytesIO

import numpy as np
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from provdb.embed.cards import CARD_BYTES, END, lines_in, padded, with_lines

_LINES = st.lists(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=64).map(
        lambda text: f"provdb: {text}".rstrip()
    ),
    max_size=45,
)


@given(
    data=st.binary(max_size=40),
    keys=st.integers(0, 40),
    first=_LINES,
    second=_LINES,
)
def test_a_checksum_stays_right_whatever_is_written(
    data: bytes, keys: int, first: list[str], second: list[str]
) -> None:
    image = fits.PrimaryHDU(np.frombuffer(data, dtype="u1"))
    image.header.update({f"KEY{number}": number for number in range(keys)})
    image.header["HISTORY"] = "of somebody else"
    stream = BytesIO()
    image.writeto(stream, checksum=True)
    content = stream.getvalue()
    end = content.index(END)
    cards = [content[n : n + CARD_BYTES] for n in range(0, end, CARD_BYTES)]

    written = with_lines(with_lines(cards, first), second)

    header = padded(cards)
    assert [line.rstrip() for line in lines_in(written)] == second
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        changed = BytesIO(padded(written) + content[len(header) :])
        with fits.open(changed, checksum=True) as units:
            assert units[0].header["HISTORY"][0] == "of somebody else"
