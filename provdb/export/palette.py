"""The colours of pictures: one for each kind and level, told apart by the colour blind.

The hues are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), light enough to
read black on them, with edges that are dark enough to be seen on white.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = [
    "COLOURS",
    "DARK_COLOURS",
    "EDGE",
    "EMPTY",
    "INK",
    "MARK",
    "QUIET",
    "Colour",
]


class Colour(NamedTuple):
    """What a box is filled with, and what is around it."""

    fill: str
    edge: str


INK: Final = "#1b1f23"
QUIET: Final = "#4a525a"
EDGE: Final = "#6a737d"
MARK: Final = "#b3261e"
EMPTY: Final = "#ffffff"

COLOURS: Final[Mapping[str, Colour]] = {
    "step": Colour("#ffffff", "#1b1f23"),
    "R0": Colour("#ffe3b8", "#a86400"),
    "R1": Colour("#fff3b0", "#857400"),
    "DL0": Colour("#eef5c4", "#68760f"),
    "DL1": Colour("#cfe8f8", "#1273a8"),
    "DL2": Colour("#c4ecd9", "#00785a"),
    "DL3": Colour("#f4d3e4", "#a3487e"),
    "DL4": Colour("#dcd6f7", "#5b4bb0"),
    "DL5": Colour("#f9d0c4", "#b4470f"),
    "file": Colour("#eceff1", "#5f6b76"),
    "value": Colour("#f7f7f7", "#5f6b76"),
}

# The same hues on a dark page, below light letters.
DARK_COLOURS: Final[Mapping[str, Colour]] = {
    "step": Colour("#20262c", "#cdd5dc"),
    "R0": Colour("#4a3610", "#e5a83c"),
    "R1": Colour("#423c0c", "#d4c23e"),
    "DL0": Colour("#363c14", "#b3c24a"),
    "DL1": Colour("#123a52", "#5db4e6"),
    "DL2": Colour("#0f4234", "#45c49b"),
    "DL3": Colour("#4d2540", "#e08cbd"),
    "DL4": Colour("#302a58", "#a99bf0"),
    "DL5": Colour("#522716", "#ef8a5f"),
    "file": Colour("#2b3238", "#8f9ba6"),
    "value": Colour("#1c2126", "#8f9ba6"),
}
