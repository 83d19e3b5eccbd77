"""SVG, PDF and PNG: what Graphviz draws of it, with links, the same each time."""

import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from pypdf import PageObject, PdfReader

from provdb.errors import ExportError, MissingExtra
from provdb.export.dot import dot
from provdb.export.drawing import draw
from provdb.export.links import LinkTemplate
from provdb.export.picture import Picture, picture
from provdb.lineage import Lineage, collapse
from tests.export.lineages import DOUBTFUL, MARKED, lineage_of, lineages

Nights = Callable[..., Lineage]

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_HINT = "{http://www.w3.org/1999/xlink}title"


def svg_of(drawn: Picture) -> ElementTree.Element:
    return ElementTree.fromstring(draw(dot(drawn), "svg"))


def texts(element: ElementTree.Element) -> list[str]:
    """Return what is to be read in a picture, without the spaces of the legend."""
    found = (part.text or "" for part in element.iter(f"{_SVG}text"))
    return [text for text in found if text.strip(" \xa0")]


def links(element: ElementTree.Element) -> Iterator[str]:
    for part in element.iter(f"{_SVG}a"):
        if _LINK in part.attrib:
            yield part.attrib[_LINK]


def words_of(drawn: Picture) -> list[str]:
    signs = {
        "many": ["×N"],
        "inferred": ["- - -"],
        "contested": ["==="],
        "time_conflict": ["• • •"],
        "maybe_damaged": ["[]---"],
    }
    words = [drawn.title, *drawn.notes, *wrap(drawn.sentence, 110)]
    for entry in drawn.legend:
        words += [*signs.get(entry.key, []), entry.meaning]
    for box in drawn.boxes:
        words += [*box.name, *box.facts, *([box.words] if box.words else [])]
    return [*words, *(arrow.words for arrow in drawn.arrows if arrow.words)]


@pytest.mark.parametrize("lineage", [MARKED, DOUBTFUL], ids=["marked", "doubtful"])
def test_an_svg_says_what_the_picture_says(lineage: Lineage) -> None:
    drawn = picture(lineage)

    assert sorted(texts(svg_of(drawn))) == sorted(words_of(drawn))


def test_an_svg_links_each_file_to_its_data() -> None:
    link = LinkTemplate("https://lst.example/get?run={run:05d}&file={file_name}")
    drawn = picture(MARKED, link=link)

    svg = svg_of(drawn)

    assert set(links(svg)) == {box.link for box in drawn.boxes if box.link}
    assert "https://lst.example/get?run=01807&file=LST-1.1.Run01807.0000.fits.fz" in (
        links(svg)
    )


def test_a_pdf_links_each_box_where_it_is(nights: Nights) -> None:
    link = LinkTemplate("https://lst.example/get?run={run:05d}&file={file_name}")
    drawn = picture(collapse(nights(20)), link=link)

    reader = PdfReader(BytesIO(draw(dot(drawn), "pdf")))

    (page,) = reader.pages
    annotations: Any = page["/Annots"]
    found = [annotation.get_object() for annotation in annotations]
    urls = {box.link for box in drawn.boxes if box.link}
    assert {annotation["/A"]["/URI"] for annotation in found} == urls
    places = [tuple(map(float, annotation["/Rect"])) for annotation in found]
    _, _, width, height = page.mediabox
    assert all(
        0 < x1 < x2 < width and 0 < y1 < y2 < height for x1, y1, x2, y2 in places
    )
    (asked,) = [a for a in found if a["/A"]["/URI"].endswith("dl3_LST-1.Run01807.fits")]
    # Some fonts have one sign for the two letters of "fi".
    text = unicodedata.normalize("NFKC", text_within(page, asked["/Rect"]))
    assert "dl3_LST-1.Run01807.fits" in text
    assert "DL2" not in text_within(page, asked["/Rect"])


def text_within(page: PageObject, place: Sequence[float]) -> str:
    """Return what begins inside of a rectangle of a page."""
    x1, y1, x2, y2 = map(float, place)
    found: list[str] = []

    def visit(text: str, cm: Sequence[float], tm: Sequence[float], *_: object) -> None:
        x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
        y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        found.append(text if x1 <= x <= x2 and y1 <= y <= y2 else "")

    page.extract_text(visitor_text=visit)
    return "".join(found)


@pytest.mark.parametrize("format_name", ["svg", "pdf", "png"])
def test_a_picture_is_the_same_each_time(format_name: str) -> None:
    text = dot(picture(MARKED))

    assert draw(text, format_name) == draw(text, format_name)


@pytest.mark.parametrize(
    ("format_name", "beginning"),
    [("svg", b"<?xml"), ("pdf", b"%PDF-1."), ("png", b"\x89PNG\r\n")],
)
def test_a_picture_is_of_its_format(format_name: str, beginning: bytes) -> None:
    assert draw(dot(picture(MARKED)), format_name).startswith(beginning)


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"];x -> y [label="',
        r"\N\G\L\l\\",
        "&lt;&amp;&#60;",
        "a\nb\0c",
        "%s %d {run} $x #1",
        "<b><i></b>",
        "]]>",
    ],
)
def test_a_name_is_drawn_as_it_is(name: str) -> None:
    drawn = picture(lineage_of(name=name))

    svg = svg_of(drawn)

    assert sorted(texts(svg)) == sorted(words_of(drawn))
    hints = {part.attrib[_HINT] for part in svg.iter(f"{_SVG}a")}
    assert drawn.boxes[0].hint in hints


def _with_blanks(text: str) -> str:
    # Graphviz writes the second of two blanks so that it is drawn.
    return text.replace("\xa0", " ")


@settings(max_examples=10)
@given(lineage=lineages())
def test_whatever_the_text_the_svg_says_it(lineage: Lineage) -> None:
    drawn = picture(lineage)

    svg = svg_of(drawn)

    shown = [word for word in words_of(drawn) if word.strip(" \xa0")]
    assert sorted(map(_with_blanks, texts(svg))) == sorted(map(_with_blanks, shown))
    assert set(links(svg)) == {box.link for box in drawn.boxes if box.link}
    assert not list(svg.iter(f"{_SVG}script"))


def test_what_graphviz_cannot_read_is_said() -> None:
    with pytest.raises(ExportError, match="Graphviz cannot draw this graph: "):
        draw("digraph {", "svg")


def test_what_graphviz_complains_of_is_an_error() -> None:
    with pytest.raises(ExportError, match="Error: syntax error in line 1"):
        draw("digraph { a [label=<<b></b>] }", "svg")


@pytest.mark.parametrize(
    ("library", "format_name"), [("pygraphviz", "svg"), ("pypdf", "pdf")]
)
def test_without_its_library_the_line_that_installs_it_is_said(
    monkeypatch: pytest.MonkeyPatch, library: str, format_name: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(MissingExtra, match=r"pip install 'provdb\[graph\]'"):
        draw("digraph {}", format_name)


def test_a_file_of_the_folder_one_is_in_is_no_module(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pygraphviz.py").write_text("raise SystemExit('loaded')")
    monkeypatch.chdir(tmp_path)

    assert draw("digraph {}", "svg").startswith(b"<?xml")


def test_a_picture_needs_no_letters_of_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "fonts.conf").write_text("<fontconfig></fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))

    drawn = picture(MARKED)

    assert sorted(texts(svg_of(drawn))) == sorted(words_of(drawn))
