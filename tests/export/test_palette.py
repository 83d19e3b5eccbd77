"""The colours can be read, and seen on white and on black paper."""

from collections.abc import Mapping

import pytest

from provdb.export.palette import COLOURS, DARK_COLOURS, INK, MARK, QUIET, Colour
from provdb.model import LEVELS

_DARK_INK = "#eef1f4"
_DARK_PAPER = "#14181c"


def luminance(colour: str) -> float:
    """Return the relative luminance that WCAG 2 defines."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", COLOURS)
@pytest.mark.parametrize(
    ("colours", "ink", "paper"),
    [
        pytest.param(COLOURS, INK, "#ffffff", id="light"),
        pytest.param(DARK_COLOURS, _DARK_INK, _DARK_PAPER, id="dark"),
    ],
)
def test_letters_and_edges_stand_out(
    colours: Mapping[str, Colour], ink: str, paper: str, name: str
) -> None:
    fill, edge = colours[name]

    assert contrast(ink, fill) >= 7
    assert contrast(edge, paper) >= 3
    assert contrast(edge, fill) >= 3


@pytest.mark.parametrize("name", COLOURS)
@pytest.mark.parametrize("ink", [QUIET, MARK])
def test_small_letters_can_be_read(name: str, ink: str) -> None:
    assert contrast(ink, COLOURS[name].fill) >= 4.5


def test_every_level_has_a_colour_of_its_own() -> None:
    for colours in (COLOURS, DARK_COLOURS):
        assert {*LEVELS, "step", "file", "value"} == set(colours)
        assert len(set(colours.values())) == len(colours)
