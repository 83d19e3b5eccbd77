"""The page as a reader has it: in a browser, from the disk, without any network."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from provdb.export.page import page as write_page
from provdb.lineage import Lineage, collapse
from tests.export.lineages import DOUBTFUL, MARKED, lineage_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Nights = Callable[..., Lineage]
Open = Callable[..., "Page"]

# Each box with what is drawn behind it, and with the sign that opens it.
_EXTENTS = """[...document.querySelectorAll("#world .box")].map((box) => {
  const parts = [...box.querySelectorAll(".shape, .behind, circle")];
  const all = parts.map((part) => part.getBoundingClientRect());
  const most = (side) => Math.max(...all.map((place) => place[side]));
  const least = (side) => Math.min(...all.map((place) => place[side]));
  return [least("left"), least("top"), most("right"), most("bottom")];
})"""
_NASTY = "/R0/<script>alert(1)</script>\"'\n&lt;.fits.fz"


@pytest.fixture
def opened(browser: "Browser", tmp_path: Path) -> Iterator[Open]:
    """What opens a lineage from the disk, and watches what the page does."""
    complaints: list[str] = []
    requests: list[str] = []
    context = browser.new_context(viewport={"width": 1400, "height": 800})

    def opened(lineage: Lineage, **options: Any) -> "Page":
        path = tmp_path / "lineage.html"
        path.write_text(write_page(lineage, **options), encoding="utf-8")
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        requests.remove(path.as_uri())
        return page

    yield opened
    context.close()
    assert complaints == []
    assert requests == []


def box(page: "Page", name: str) -> Any:
    """Return the one box that has a name."""
    return page.locator(f'[data-box]:has(text.name:text-is("{name}"))')


def transform(page: "Page") -> str | None:
    return page.locator("#world").get_attribute("transform")


@pytest.mark.parametrize("question", ["lineage", "impact"])
@pytest.mark.parametrize(("subruns", "boxes"), [(1, False), (20, True), (100, True)])
def test_every_shown_box_is_in_the_window_and_none_covers_another(
    opened: Open, nights: Nights, question: str, subruns: int, boxes: bool
) -> None:
    page = opened(nights(subruns, question=question))

    places = page.evaluate(_EXTENTS)
    svg = page.locator("#graph").bounding_box()
    assert svg is not None
    assert len(places) == page.locator("[data-box]").count() > 15
    assert min(left for left, *_ in places) >= svg["x"]
    assert max(right for _, _, right, _ in places) <= svg["x"] + svg["width"]
    assert [
        (one, other)
        for number, one in enumerate(places)
        for other in places[:number]
        if one[0] < other[2] - 0.1
        and other[0] < one[2] - 0.1
        and one[1] < other[3] - 0.1
        and other[1] < one[3] - 0.1
    ] == []
    assert bool(page.locator("[data-open]").count()) is boxes


@pytest.mark.parametrize("subruns", [1, 20])
def test_time_goes_from_left_to_right(
    opened: Open, nights: Nights, subruns: int
) -> None:
    page = opened(nights(subruns))

    page.click("#open-all") if subruns > 1 else None

    backwards = page.evaluate(
        "scene.arrows.filter(({from, to}) =>"
        " scene.boxes[from].x + scene.boxes[from].w > scene.boxes[to].x).length"
    )
    assert backwards == 0
    assert page.evaluate("scene.arrows.length") >= 28


def test_no_letters_stick_out_of_their_box(opened: Open, nights: Nights) -> None:
    page = opened(nights(20))

    sticking_out = page.evaluate(
        "[...document.querySelectorAll('[data-box]')].filter((box) => {"
        " const shape = box.querySelector('.shape').getBoundingClientRect();"
        " return [...box.querySelectorAll('text.name, text.fact')].some((text) => {"
        "  const r = text.getBoundingClientRect();"
        "  return r.left < shape.left || r.right > shape.right"
        "   || r.top < shape.top - 1 || r.bottom > shape.bottom + 1; }); })"
        ".map((box) => box.textContent)"
    )
    assert sticking_out == []


def test_a_box_of_many_opens_and_closes(opened: Open, nights: Nights) -> None:
    page = opened(nights(20))
    before = page.locator("[data-box]").count()

    box(page, "r0_to_dl1 ×20").locator(".knob").click()

    assert page.locator("[data-box]").count() == before + 19
    assert box(page, "r0_to_dl1").count() == 20

    page.locator(".frame .knob").click()

    assert page.locator("[data-box]").count() == before
    assert box(page, "r0_to_dl1 ×20").count() == 1


def test_subruns_stand_in_their_order(opened: Open, nights: Nights) -> None:
    page = opened(nights(20))

    box(page, "r0_to_dl1 ×20").dblclick()

    heights = page.evaluate(
        "scene.boxes.filter(({index}) => NODES[index].group !== null"
        " && index < FIRST_GROUP && NODES[index].fields.name === 'r0_to_dl1')"
        ".map(({index, y}) => [NODES[index].fields.subrun, y])"
    )
    assert len(heights) == 20
    assert [y for _, y in sorted(heights)] == sorted(y for _, y in heights)


def test_all_boxes_of_many_open_and_close(opened: Open, nights: Nights) -> None:
    answer = nights(20)
    page = opened(answer)
    before = page.locator("[data-box]").count()

    page.click("#open-all")

    assert page.locator("[data-box]").count() == len(answer.nodes)
    assert page.locator(".frame").count() >= 7

    page.click("#close-all")

    assert page.locator("[data-box]").count() == before


def test_a_click_shows_details_inputs_and_outputs(opened: Open, nights: Nights) -> None:
    page = opened(nights(1))
    details = page.locator("#details")
    assert details.is_hidden()

    box(page, "r0_to_dl1").click()

    said = details.inner_text()
    assert "session tag\nr0_to_dl1:01807" in said
    assert "status\ncompleted" in said
    assert "duration\n0:00:00." in said
    assert "Inputs (7)" in said
    assert "LST-1.1.Run01807.0000.fits.fz Observation subrun" in said
    assert "Outputs" in said

    page.get_by_role("button", name="dl1_LST-1.Run01807.0000.h5 DL1").click()

    assert details.locator("h2").inner_text() == "dl1_LST-1.Run01807.0000.h5"
    assert "Generated by" in details.inner_text()

    page.keyboard.press("Escape")

    assert details.is_hidden()


def test_what_a_file_came_from_stands_out(opened: Open, nights: Nights) -> None:
    page = opened(nights(1))

    box(page, "calibrate_charge").click()

    assert page.locator(".box.dim").count() > 5
    assert not box(page, "dl3_LST-1.Run01807.fits").evaluate(
        "box => box.classList.contains('dim')"
    )
    assert box(page, "cls_gh.sav").evaluate("box => box.classList.contains('dim')")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("dl1ab 01807.0013", "dl1ab"),
        ("0007.fits.fz", "LST-1.1.Run01807.0007.fits.fz"),
        ("IRFFile", "irf_20201023_v0.6.3.fits.gz"),
    ],
)
def test_what_is_found_is_shown_also_in_a_closed_box(
    opened: Open, nights: Nights, words: str, found: str
) -> None:
    page = opened(nights(20))

    page.keyboard.press("/")
    page.keyboard.type(words)
    assert page.locator("#found [role=option]").count() == 1
    page.keyboard.press("Enter")

    chosen = page.locator(".box.chosen")
    assert "".join(chosen.locator("text.name").all_text_contents()) == found
    place, svg = chosen.bounding_box(), page.locator("#graph").bounding_box()
    assert place is not None
    assert svg is not None
    middle = svg["x"] + svg["width"] / 2
    assert place["x"] < middle < place["x"] + place["width"]
    assert page.locator("#details h2").inner_text() == found


def test_what_is_not_there_is_said(opened: Open, nights: Nights) -> None:
    page = opened(nights(1))

    page.fill("#search", "Run09999")

    assert page.locator("#found").inner_text() == (
        "nothing in this lineage has these words"
    )


def test_it_zooms_and_moves(opened: Open, nights: Nights) -> None:
    page = opened(nights(1))
    whole = transform(page)
    seen = [whole]

    page.mouse.move(600, 400)
    page.mouse.wheel(0, -400)
    page.wait_for_function(f"world.getAttribute('transform') !== '{whole}'")
    seen.append(transform(page))
    page.mouse.down()
    page.mouse.move(700, 480)
    page.mouse.up()
    seen.append(transform(page))
    page.click("#zoom-out")
    seen.append(transform(page))
    page.locator("#graph").focus()
    for key in ("+", "ArrowLeft", "ArrowDown", "-"):
        page.keyboard.press(key)
        seen.append(transform(page))

    assert len(seen) == 8
    assert all(one != next_one for one, next_one in pairwise(seen))
    assert page.locator("#details").is_hidden()

    page.click("#fit")

    assert transform(page) == whole


def test_it_can_be_used_with_the_keyboard_alone(opened: Open, nights: Nights) -> None:
    page = opened(nights(20))
    before = page.locator("[data-box]").count()

    page.locator("#graph").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.locator("#details").is_visible()
    assert page.evaluate("document.activeElement.dataset.box") is not None

    page.evaluate("document.querySelector('[data-box] .knob').parentNode.focus()")
    page.keyboard.press("o")

    assert page.locator("[data-box]").count() > before
    assert page.evaluate("document.activeElement.dataset.box") is not None

    page.keyboard.press("o")

    assert page.locator("[data-box]").count() == before


def test_files_link_to_their_data(opened: Open, nights: Nights) -> None:
    page = opened(nights(1))

    links = page.eval_on_selector_all(
        "a.data", "all => all.map(a => [a.getAttribute('href'), a.getAttribute('rel')])"
    )
    assert [
        "file:///fefs/aswg/data/real/R0/20200117/LST-1.1.Run01807.0000.fits.fz",
        "noopener noreferrer",
    ] in links
    box(page, "dl3_LST-1.Run01807.fits").click()
    link = page.locator("#details dd a").get_attribute("href")
    assert link == (
        "file:///fefs/aswg/data/real/DL3/20200117/v0.1.0/model2/dl3_LST-1.Run01807.fits"
    )


def test_what_went_wrong_can_be_seen(opened: Open) -> None:
    page = opened(MARKED)

    assert page.locator("#world .box.bad").count() == 4
    assert page.locator("#world .box.running").count() == 1
    assert page.locator("text.fact.bad").all_text_contents() == [
        "made by a failed step",
        "failed",
        "running",
        "interrupted",
    ]
    words = page.locator(".words").all_text_contents()
    assert sorted(words) == ["time conflict", "wasDerivedFrom, inferred"]
    assert page.locator("#notes").inner_text() == "the times of 1 edges conflict"
    legend = page.locator("#legend li").all_inner_texts()
    assert legend[-2:] == [
        "inferred, not recorded",
        "time conflict: written after its use",
    ]


@pytest.mark.parametrize("is_collapsed", [False, True])
def test_what_is_in_doubt_can_be_seen_without_colour(
    opened: Open, is_collapsed: bool
) -> None:
    page = opened(collapse(DOUBTFUL) if is_collapsed else DOUBTFUL)

    count = {
        name: page.locator(f"#world {selector}").count()
        for name, selector in (
            ("gap", ".box.is-gap"),
            ("mixed", ".box.is-mixed .second"),
            ("incomplete", ".box.is-incomplete"),
            ("contested", ".arrow.contested"),
            ("middle", ".middle"),
            ("time conflict", ".arrow.conflict"),
            ("damaged", "[marker-start='url(#square)']"),
        )
    }
    words = page.locator("#world .words").all_text_contents()
    contested = 2 if is_collapsed else 4
    assert count == {
        "gap": 2,
        "mixed": 1,
        "incomplete": 1,
        "contested": contested,
        "middle": contested,
        "time conflict": 1,
        "damaged": 1,
    }
    assert set(words) == {
        "clock",
        "contested, maybe damaged",
        "inferred",
        "time conflict",
        "wasDerivedFrom, inferred",
    }
    assert page.locator("text.fact.bad").all_text_contents() == [
        "gap",
        "mixed",
        "gap",
        "incomplete",
    ]


def test_the_sentence_stands_below_the_picture(opened: Open) -> None:
    page = opened(DOUBTFUL)

    footer = page.locator("footer")
    assert footer.inner_text() == DOUBTFUL.sentence
    place, world = (page.locator(it).bounding_box() for it in ("footer", "#world"))
    assert place is not None
    assert world is not None
    assert place["y"] >= world["y"] + world["height"]


def test_the_legend_has_a_sign_for_each_doubt_and_only_for_those(opened: Open) -> None:
    doubtful = opened(DOUBTFUL).locator("#legend li").all_inner_texts()
    marked = opened(MARKED).locator("#legend li").all_inner_texts()

    doubts = {entry for entry in doubtful if entry not in marked}
    assert doubts == {
        "contested or clock: perhaps another write",
        "gap: nobody is known to have made it",
        "incomplete: records are missing",
        "many of one kind",
        "maybe damaged by a failed write",
        "mixed: parts of several passes",
    }


def test_a_chosen_file_says_what_is_in_doubt_of_its_use(opened: Open) -> None:
    page = opened(DOUBTFUL)

    box(page, "dl1_LST-1.Run01807.0001.h5").click()

    said = page.locator("#details").inner_text()
    assert "contested: another write may have made what was used" in said
    assert "maybe damaged by r0_to_dl1 2020-01-18 08:40" in said


def test_a_name_that_looks_like_code_is_a_name(opened: Open) -> None:
    page = opened(lineage_of(location=_NASTY))

    box(page, "r0_to_dl1").click()
    page.fill("#search", "alert")

    assert page.locator("[data-box]").count() == 2
    assert "script>" in page.locator("#found").inner_text()
    page.keyboard.press("Enter")
    assert _NASTY in page.locator("#details").inner_text()
    assert page.locator("script").count() == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_system_and_can_be_told_otherwise(
    browser: "Browser", opened: Open, scheme: Any
) -> None:
    page = opened(MARKED)
    page.emulate_media(color_scheme=scheme)

    def paper() -> Any:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    colours = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 28)"}
    assert paper() == colours.pop(scheme)
    page.click("#theme")
    assert [paper()] == list(colours.values())


def test_the_whole_picture_is_printed(
    opened: Open, nights: Nights, tmp_path: Path
) -> None:
    from pypdf import PdfReader

    page = opened(nights(20))
    page.click("#zoom-in")
    page.click("#zoom-in")
    before = transform(page)

    page.pdf(path=tmp_path / "printed.pdf", prefer_css_page_size=True)

    (sheet,) = PdfReader(tmp_path / "printed.pdf").pages
    said = sheet.extract_text()
    assert sheet.mediabox.width > sheet.mediabox.height
    assert "What dl3_LST-1.Run01807.fits came from" in said
    assert "merge_dl2" in said
    assert "LST-1.1.Run01804.fits.fz" in said
    assert "other file" in said
    assert "Open all" not in said
    assert transform(page) == before


def test_a_hundred_subruns_open_and_are_found(opened: Open, nights: Nights) -> None:
    answer = nights(100)
    page = opened(answer)
    assert page.locator("[data-box]").count() < 60

    page.click("#open-all")

    assert page.evaluate("scene.boxes.length") == len(answer.nodes) > 700
    # Only what is in view is there.
    assert page.locator("[data-box]").count() < 400

    page.click("#fit")
    page.fill("#search", "dl1ab 01807.0050")
    page.keyboard.press("Enter")

    chosen = page.locator(".box.chosen")
    assert chosen.locator("text.name").text_content() == "dl1ab"
    assert "0050" in page.locator("#details").inner_text()
