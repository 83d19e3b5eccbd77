"""Mermaid: text that holds nothing but what it says, whatever is called how."""

import re
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given, settings

from provdb.export.mermaid import mermaid
from provdb.export.picture import picture
from provdb.lineage import Lineage, collapse
from tests.export.lineages import DOUBTFUL, MARKED, lineages

IsGolden = Callable[[str, str], bool]
Nights = Callable[..., Lineage]

# All that a line can be; a label has no letter that means anything to Mermaid.
_LABEL: Final = r"(?:[\w .\-/()\[\],…·×�]|#\d+;|<br/>)*"
_LINE: Final = re.compile(
    "|".join(
        (
            "flowchart LR",
            f"  accTitle: {_LABEL}",
            f"  accDescr: {_LABEL}",
            rf'  n\d+(?:\[|\(\[|\[\[|\[\(|\{{\{{)"{_LABEL}"(?:\]|\]\)|\]\]|\)\]|\}}\}})'
            r":::\w+",
            r'  n\d+ (?:-->|-\.->|==>)(?:\|"[\w, ]+"\|)? n\d+',
            rf'  click n\d+ href "[^"\s<>]+" "{_LABEL}" _blank',
            r"  classDef \w+ fill:#\w{6},stroke:#\w{6},color:#\w{6}",
            r"  style n\d+ stroke-width:3px(?:,stroke:#\w{6})?"
            r"(?:,stroke-dasharray:\d \d)?",
            r"  linkStyle \d+ stroke:#\w{6},stroke-width:2px",
        )
    )
)


def test_marked_lineage(is_golden: IsGolden) -> None:
    assert is_golden("marked.mmd", mermaid(picture(MARKED)))


def test_collapsed_night(nights: Nights, is_golden: IsGolden) -> None:
    assert is_golden("night.mmd", mermaid(picture(collapse(nights(20)))))


@pytest.mark.parametrize("question", ["lineage", "impact"])
@pytest.mark.parametrize("granularity", ["none", "run"])
def test_nodes_and_edges_are_those_of_the_lineage(
    nights: Nights, question: str, granularity: str
) -> None:
    answer = collapse(nights(20, question=question), to=granularity)
    drawn = picture(answer)

    text = mermaid(drawn)

    nodes = re.findall(r"^  (n\d+)\W.*:::\w+$", text, re.MULTILINE)
    ids = {f"n{number}": box.id for number, box in enumerate(drawn.boxes)}
    arrows = re.findall(r"^  (n\d+) --> (n\d+)$", text, re.MULTILINE)
    assert nodes == list(ids)
    assert {(ids[later], ids[earlier]) for earlier, later in arrows} == {
        edge[:2] for edge in answer.edges
    }


def test_doubts_are_said_in_words_and_seen_without_colour(is_golden: IsGolden) -> None:
    text = mermaid(picture(DOUBTFUL))

    assert is_golden("doubtful.mmd", text)
    assert text.count('==>|"clock"|') == 3
    assert '==>|"contested, maybe damaged"|' in text
    assert '-.->|"time conflict"|' in text
    assert '-.->|"inferred"|' in text
    assert text.count("<br/>gap") == 2
    assert text.count("stroke-dasharray:6 4") == 2
    assert ("<br/>mixed" in text, "<br/>incomplete" in text) == (True, True)
    assert "  accDescr: Not complete#58; 3 gaps (" in text


@settings(max_examples=40)
@given(lineage=lineages())
def test_no_text_ends_a_label_or_begins_anything(lineage: Lineage) -> None:
    drawn = picture(lineage)

    lines = mermaid(drawn).removesuffix("\n").split("\n")

    assert [line for line in lines if not _LINE.fullmatch(line)] == []
    assert sum(":::" in line for line in lines) == len(drawn.boxes)
    arrows = [line for line in lines if re.search(r"[-=]> n|\| n", line)]
    assert len(arrows) == len(drawn.arrows)
