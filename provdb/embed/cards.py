"""The first header of a FITS file, card by card: its lines of provdb, its checksum.

Cards are kept as the bytes that they are; astropy would mend what it finds wrong in
some. See the FITS standard 4.0 (https://fits.gsfc.nasa.gov/fits_standard.html),
sections 3.3 and 4.4, and its appendix J for the checksum.
"""

import re
from collections.abc import Iterable
from typing import Final

from provdb.readers.embedded import HISTORY_MARK

__all__ = [
    "BLOCK_BYTES",
    "CARD_BYTES",
    "END",
    "checksum_of",
    "lines_in",
    "padded",
    "with_lines",
]

BLOCK_BYTES: Final = 2880
CARD_BYTES: Final = 80
END: Final = b"END".ljust(CARD_BYTES)
_LINE: Final = b"HISTORY " + HISTORY_MARK.encode()
_CHECKSUM: Final = re.compile(rb"CHECKSUM= '(.{16})'", re.DOTALL)
_ZEROS: Final = b"0" * 16
_UPDATED: Final = b"/ HDU checksum, updated by provdb"
_EXTEND_NOT: Final = re.compile(rb"EXTEND  = +F(?![^ /])")
_MOST: Final = 2**32 - 1
# What a checksum has none of: signs between the digits and the letters.
_PUNCTUATION: Final = (*range(0x3A, 0x41), *range(0x5B, 0x61))


def padded(cards: Iterable[bytes]) -> bytes:
    """Return cards as a header, with its end and up to a whole block."""
    content = b"".join(cards) + END
    return content + b" " * (-len(content) % BLOCK_BYTES)


def lines_in(cards: Iterable[bytes]) -> list[str]:
    """Return the lines that provdb wrote into a header."""
    return [
        card[8:].decode("ascii", "replace").rstrip()
        for card in cards
        if card.startswith(_LINE)
    ]


def checksum_of(cards: Iterable[bytes]) -> str | None:
    """Return the checksum that a header states, or None where it states none.

    >>> checksum_of([b"CHECKSUM= 'abcdefghijklmnop'".ljust(80)])
    'abcdefghijklmnop'
    """
    found = (_CHECKSUM.match(card) for card in cards)
    return next((one[1].decode("latin-1") for one in found if one), None)


def with_lines(cards: list[bytes], lines: Iterable[str]) -> list[bytes]:
    """Return the cards of a header with these lines of provdb, and no other ones of it.

    A checksum that was right is right again; one that was wrong stays wrong.

    >>> cards = [b"SIMPLE  =                    T".ljust(80)]
    >>> lines_in(with_lines(with_lines(cards, ["provdb: a"]), ["provdb: b"]))
    ['provdb: b']
    """
    kept = [card for card in cards if not card.startswith(_LINE)]
    changed = [
        card.replace(b"F", b"T", 1) if _EXTEND_NOT.match(card) else card
        for card in kept
    ]
    # Empty cards at the end are room that was left for more.
    place = len(changed)
    while place and not changed[place - 1].strip():
        place -= 1
    added = [f"HISTORY {line}".encode("ascii").ljust(CARD_BYTES) for line in lines]
    return _with_checksum([*changed[:place], *added, *changed[place:]], before=cards)


def _with_checksum(cards: list[bytes], *, before: list[bytes]) -> list[bytes]:
    """Return cards with a checksum that is as right as that of the cards before."""
    for number, card in enumerate(cards):
        if _CHECKSUM.match(card):
            # The sum of all is nothing but ones: what the data add is what is missing.
            data = _MOST - _sum(padded(before))
            zeroed = b"CHECKSUM= '%b'   %b" % (_ZEROS, _UPDATED)
            zeroed = zeroed.ljust(CARD_BYTES)
            bare = [*cards[:number], zeroed, *cards[number + 1 :]]
            total = _add(_sum(padded(bare)), data)
            written = zeroed.replace(_ZEROS, _encoded(_MOST - total), 1)
            return [*cards[:number], written, *cards[number + 1 :]]
    return cards


def _sum(content: bytes) -> int:
    """Return the sum of 32-bit words in ones' complement."""
    total = sum(memoryview(content).cast("B")[0::4]) << 24
    total += sum(memoryview(content).cast("B")[1::4]) << 16
    total += sum(memoryview(content).cast("B")[2::4]) << 8
    total += sum(memoryview(content).cast("B")[3::4])
    return _folded(total)


def _add(one: int, other: int) -> int:
    return _folded(one + other)


def _folded(total: int) -> int:
    while total > _MOST:
        total = (total & _MOST) + (total >> 32)
    return total


def _encoded(value: int) -> bytes:
    """Return a number as 16 letters and digits whose sum it is, with those of zeros."""
    encoded = bytearray(16)
    for place in range(4):
        byte = value >> (24 - 8 * place) & 0xFF
        quarter, rest = divmod(byte, 4)
        parts = [quarter + rest + 0x30, *([quarter + 0x30] * 3)]
        while any(part in _PUNCTUATION for part in parts):
            for first in (0, 2):
                if any(part in _PUNCTUATION for part in parts[first : first + 2]):
                    parts[first] += 1
                    parts[first + 1] -= 1
        for number, part in enumerate(parts):
            encoded[4 * number + place] = part
    # The text begins at the last byte of a word: it is turned by one to the right.
    return bytes(encoded[-1:] + encoded[:-1])
