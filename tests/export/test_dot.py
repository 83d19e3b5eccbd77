"""DOT: the same graph when it is read again, whatever is called how."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygraphviz import AGraph  # type: ignore[import-untyped]  # It has no types.

from provdb.export.dot import dot
from provdb.export.picture import Box, Picture, picture
from provdb.lineage import Lineage, collapse
from tests.export.lineages import DOUBTFUL, MARKED, lineages

IsGolden = Callable[[str, str], bool]
Nights = Callable[..., Lineage]


def read(text: str) -> AGraph:
    return AGraph(string=text)


def test_marked_lineage(is_golden: IsGolden) -> None:
    assert is_golden("marked.dot", dot(picture(MARKED)))


def test_collapsed_night(nights: Nights, is_golden: IsGolden) -> None:
    assert is_golden("night.dot", dot(picture(collapse(nights(20)))))


@pytest.mark.parametrize("question", ["lineage", "impact"])
@pytest.mark.parametrize("subruns", [1, 20, 100])
@pytest.mark.parametrize("granularity", ["none", "run"])
def test_nodes_and_edges_are_those_of_the_lineage(
    nights: Nights, question: str, subruns: int, granularity: str
) -> None:
    answer = collapse(nights(subruns, question=question), to=granularity)

    graph = read(dot(picture(answer)))

    assert set(graph.nodes()) == {node.id for node in answer.nodes}
    assert set(graph.edges()) == {edge[:2] for edge in answer.edges}


def test_steps_and_files_have_shapes_of_their_own(nights: Nights) -> None:
    answer = collapse(nights(20))
    graph, marked = read(dot(picture(answer))), read(dot(picture(MARKED)))

    shapes = {
        (node.kind, node.size is not None): graph.get_node(node.id).attr["shape"]
        for node in answer.nodes
    }
    assert shapes == {
        ("activity", False): "box",
        ("activity", True): "box",
        ("entity", False): "note",
        ("collection", True): "folder",
    }
    assert marked.get_node("gain").attr["shape"] == "ellipse"


@pytest.mark.parametrize(
    ("edge", "style", "label"),
    [
        (("calibration", "calibration_v1"), "dashed", "wasDerivedFrom, inferred"),
        (("dl1_to_dl2", "dl1"), "dotted", "time conflict"),
        (("r0_to_dl1", "r0"), "", ""),
    ],
)
def test_what_is_not_certain_can_be_seen_without_colour(
    edge: tuple[str, str], style: str, label: str
) -> None:
    graph = read(dot(picture(MARKED)))

    drawn = graph.get_edge(*edge)
    assert (drawn.attr["style"] or "", drawn.attr["label"] or "") == (style, label)


@pytest.mark.parametrize(
    ("edge", "look", "label"),
    [
        pytest.param(
            ("dl1_to_dl2.1", "DL1.1"),
            {"color": "#b3261e:#b3261e", "arrowhead": "obox"},
            "contested, maybe damaged",
            id="contested",
        ),
        pytest.param(
            ("r0_to_dl1.0", "pedestal"),
            {"color": "#b3261e:#b3261e"},
            "clock",
            id="clock",
        ),
        pytest.param(
            ("merge", "interleaved"), {"style": "dotted"}, "time conflict", id="time"
        ),
        pytest.param(("merge", "DL2.0"), {"style": "dashed"}, "inferred", id="glob"),
    ],
)
def test_each_doubt_of_an_arrow_has_a_look_of_its_own(
    edge: tuple[str, str], look: dict[str, str], label: str
) -> None:
    graph = read(dot(picture(DOUBTFUL)))
    drawn = graph.get_edge(*edge)

    assert {name: drawn.attr[name] for name in look} == look
    assert drawn.attr["label"] == label


@pytest.mark.parametrize(
    ("node", "look", "words"),
    [
        pytest.param("merged", {"peripheries": "2"}, "mixed", id="mixed"),
        pytest.param(
            "merge", {"style": "filled,rounded,dotted"}, "incomplete", id="incomplete"
        ),
        pytest.param(
            "pedestal",
            {"style": "filled,dashed", "fillcolor": "#ffffff"},
            "gap",
            id="gap",
        ),
    ],
)
def test_each_doubt_of_a_box_has_a_look_of_its_own(
    node: str, look: dict[str, str], words: str
) -> None:
    graph = read(dot(picture(DOUBTFUL)))
    drawn = graph.get_node(node)

    assert {name: drawn.attr[name] for name in look} == look
    assert f"<b>{words}</b>" in drawn.attr["label"]


def test_a_doubtful_lineage(is_golden: IsGolden) -> None:
    assert is_golden("doubtful.dot", dot(picture(DOUBTFUL)))


def test_a_step_that_failed_can_be_seen_without_colour() -> None:
    graph = read(dot(picture(MARKED)))

    assert graph.get_node("dl1_to_dl2").attr["penwidth"] == "2.5"
    assert ">failed</font>" in graph.get_node("dl1_to_dl2").attr["label"]
    assert "dashed" in graph.get_node("r0_to_dl1").attr["style"]


@settings(max_examples=40)
@given(lineage=lineages())
def test_whatever_the_text_the_graph_is_the_same(lineage: Lineage) -> None:
    drawn = picture(lineage)

    graph = read(dot(drawn))

    assert len(graph.nodes()) == len(drawn.boxes)
    assert len(graph.edges()) == len(drawn.arrows)


@given(name=st.text(min_size=1).filter(str.isprintable))
def test_a_name_is_read_as_it_was_written(name: str) -> None:
    box = Box(name, "file", ("x",))
    drawn = Picture(title=name, notes=(), boxes=(box,), arrows=(), legend=())

    graph = read(dot(drawn))

    # Graphviz keeps a backslash in a name as it is written: twice.
    assert graph.nodes() == [re.sub("^%", r"\\u0025", name.replace("\\", 2 * "\\"))]
