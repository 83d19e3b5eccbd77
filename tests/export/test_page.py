"""The page: one file that loads nothing, in which no data can become code."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings

from provdb.export.details import Details
from provdb.export.links import LinkTemplate
from provdb.export.page import page
from provdb.export.picture import picture
from provdb.lineage import Lineage, LineageNode, collapse
from tests.export.lineages import DOUBTFUL, MARKED, lineage_of, lineages

Nights = Callable[..., Lineage]


class Parts(HTMLParser):
    """What a browser finds in a page: its elements, and the texts in them."""

    def __init__(self, text: str) -> None:
        """Read a page."""
        super().__init__()
        self.inside: str | None = None
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.elements.append((tag, dict(attrs)))
        self.texts.setdefault(tag, []).append("")
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        """Leave what is inside of an element."""
        self.inside = None

    def handle_data(self, data: str) -> None:
        """Keep a text with the element that it stands in, if that has no others."""
        if self.inside is not None:
            self.texts[self.inside][-1] += data

    @property
    def data(self) -> Any:
        """The data of the page."""
        return json.loads(self.texts["script"][0])


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_its_policy_lets_nothing_in_but_its_own_script_and_style() -> None:
    parts = Parts(page(MARKED))

    (policy,) = [
        attributes["content"]
        for tag, attributes in parts.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == (
        "default-src 'none'; "
        f"script-src 'sha256-{digest(parts.texts['script'][1])}'; "
        f"style-src 'sha256-{digest(parts.texts['style'][0])}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_it_names_nothing_that_could_be_loaded(nights: Nights) -> None:
    text = page(nights(1))
    parts = Parts(text)

    loading = {"src", "href", "srcset", "action", "background", "poster", "style"}
    assert [found for _, found in parts.elements if loading & set(found)] == []
    code = parts.texts["script"][1] + parts.texts["style"][0]
    named = re.findall(r"(?:https?:)?//[\w.]+\.\w+[^\s\"']*", code)
    assert named == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttp|WebSocket|import\(", code)
    assert not re.search(r"innerHTML|outerHTML|document\.write|\beval\b|new Fun", code)


@pytest.mark.parametrize("question", ["lineage", "impact"])
@pytest.mark.parametrize("subruns", [1, 20, 100])
def test_nodes_and_edges_are_those_of_the_lineage(
    nights: Nights, question: str, subruns: int
) -> None:
    answer = nights(subruns, question=question)

    data = Parts(page(answer)).data

    ids = [box["fields"]["id"] for box in data["boxes"]]
    assert sorted(ids) == sorted(node.id for node in answer.nodes)
    assert {(ids[s], ids[t], relation) for s, t, relation, *_ in data["arrows"]} == {
        edge[:3] for edge in answer.edges
    }


@pytest.mark.parametrize("is_collapsed", [False, True])
def test_boxes_of_many_have_all_their_members(
    nights: Nights, is_collapsed: bool
) -> None:
    answer = nights(20)
    collapsed = collapse(answer)

    data = Parts(page(collapsed if is_collapsed else answer)).data

    members: dict[str, set[str]] = {}
    for box in data["boxes"]:
        if "of" in box:
            group = data["groups"][box["of"]]["fields"]["id"]
            members.setdefault(group, set()).add(box["fields"]["id"])
    assert members == {
        node.id: set(node.members) for node in collapsed.nodes if node.members
    }


@pytest.mark.parametrize(("subruns", "is_open"), [(5, True), (20, False)])
def test_boxes_of_many_are_closed_at_first_where_there_are_many(
    nights: Nights, subruns: int, is_open: bool
) -> None:
    assert Parts(page(nights(subruns))).data["isOpen"] is is_open
    assert Parts(page(collapse(nights(subruns)))).data["isOpen"] is False


def test_a_click_shows_all_that_is_known() -> None:
    details = Details(
        activities={
            "r0_to_dl1": {
                "_id": "r0_to_dl1",
                "agent": "lstanalyzer",
                "environment": "e1",
                "arguments": ["datasequence", "--config", "a b.cfg"],
                "parameters": {"tailcut%2Ethresh": 6, "ids": {"%tuple": [1, 2]}},
            }
        },
        entities={"5a2d": {"_id": "5a2d", "content_type": "application/fits"}},
        environments={"e1": {"_id": "e1", "node": "cp15"}},
    )
    file = LineageNode("5a2d@1", "entity", location="/R0/a.fits", entity="5a2d")
    answer = Lineage(
        question={}, start=file.id, nodes=(*MARKED.nodes, file), edges=MARKED.edges
    )

    boxes = Parts(page(answer, details=details)).data["boxes"]

    fields = {box["fields"]["id"]: box["fields"] for box in boxes}
    assert fields["r0_to_dl1"] == {
        "kind": "activity",
        "name": "r0_to_dl1",
        "run": "01807",
        "subrun": "0000",
        "status": "running",
        "start": "2020-01-18T08:30:00.000Z",
        "agent": "lstanalyzer",
        "node": "cp15",
        "command": "datasequence --config 'a b.cfg'",
        "parameters": {"tailcut.thresh": "6", "ids": "(1, 2)"},
        "id": "r0_to_dl1",
    }
    assert fields["5a2d@1"]["content type"] == "application/fits"


@pytest.mark.parametrize("lineage", [MARKED, DOUBTFUL], ids=["marked", "doubtful"])
def test_the_sentence_can_be_read_without_the_script(lineage: Lineage) -> None:
    assert Parts(page(lineage)).texts["footer"] == [lineage.sentence]


def test_doubts_are_in_the_data() -> None:
    data = Parts(page(DOUBTFUL)).data

    ids = [box["fields"]["id"] for box in data["boxes"]]
    flags = {(ids[s], ids[t]): flags for s, t, _, _, flags in data["arrows"] if flags}
    doubts = {
        box["fields"]["id"]: box["doubts"] for box in data["boxes"] if "doubts" in box
    }
    assert flags["dl1_to_dl2.1", "DL1.1"] == 4 + 16
    assert flags["r0_to_dl1.0", "pedestal"] == 8
    assert flags["merge", "interleaved"] == 2
    assert flags["merge", "DL2.0"] == flags["summary", "written"] == 1
    assert doubts == {
        "interleaved": ["gap"],
        "merge": ["incomplete"],
        "merged": ["mixed"],
        "pedestal": ["gap"],
    }


def test_files_link_to_their_data() -> None:
    link = LinkTemplate("https://lst.example/{file_name}")

    data = Parts(page(MARKED, link=link)).data

    links = {box["fields"]["id"]: box.get("link") for box in data["boxes"]}
    assert links["r0"] == "https://lst.example/LST-1.1.Run01807.0000.fits.fz"
    assert links["r0_to_dl1"] is None


def test_a_template_of_the_page_is_not_looked_for_in_the_data() -> None:
    parts = Parts(page(lineage_of(location="/$script$data$policy")))

    assert parts.texts["h1"][0] == "What came from $script$data$policy"
    assert parts.data["boxes"][0]["fields"]["location"] == "/$script$data$policy"


_TAGS = [tag for tag, _ in Parts(page(MARKED)).elements]


@settings(max_examples=20)
@given(lineage=lineages())
def test_whatever_the_text_the_page_holds_it_as_text(lineage: Lineage) -> None:
    parts = Parts(page(lineage))

    drawn = picture(lineage)
    assert [tag for tag, _ in parts.elements] == _TAGS
    assert parts.texts["title"] == [drawn.title]
    boxes = {box["fields"]["id"]: box for box in parts.data["boxes"]}
    assert {id_: tuple(box["name"]) for id_, box in boxes.items()} == {
        box.id: box.name for box in drawn.boxes
    }
    locations = {id_: box["fields"].get("location") for id_, box in boxes.items()}
    assert locations == {node.id: node.location or None for node in lineage.nodes}
