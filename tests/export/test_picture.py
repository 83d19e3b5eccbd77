"""What is drawn of a lineage: words, marks, colours, and no more than can be read."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from provdb.export.picture import MOST_BOXES, Box, Entry, picture, readable
from provdb.lineage import Lineage, LineageEdge, LineageNode, collapse
from tests.export.lineages import DOUBTFUL, MARKED, lineage_of, lineages

Nights = Callable[..., Lineage]


def box_of(lineage: Lineage, id_: str) -> Box:
    (found,) = [box for box in picture(lineage).boxes if box.id == id_]
    return found


@pytest.mark.parametrize(
    ("location", "lines"),
    [
        ("/DL1/dl1_LST-1.Run01807.0000.h5", ("dl1_LST-1.Run01807.0000.h5",)),
        (
            "/v03/calibration_filters_52.Run01809.0000.h5",
            ("calibration_filters_", "52.Run01809.0000.h5"),
        ),
        ("/DL1/20200117/", ("20200117",)),
        ("/", ("/",)),
        ("/a/" + 30 * "x" + ".h5", (30 * "x" + ".h5",)),
        ("/a/" + 14 * "x" + "." + 14 * "y", (14 * "x" + ".", 14 * "y")),
        ("/a/ \n", ("\N{REPLACEMENT CHARACTER}",)),
    ],
)
def test_a_file_is_called_by_its_name(location: str, lines: tuple[str, ...]) -> None:
    assert box_of(lineage_of(location=location), "file").name == lines


def test_a_long_name_loses_its_middle() -> None:
    (box, _) = picture(lineage_of(location="/" + "a" * 200 + ".h5")).boxes

    assert sum(map(len, box.name)) == 54
    assert "".join(box.name).endswith("a.h5")
    assert box.hint == "/" + "a" * 200 + ".h5"


@pytest.mark.parametrize(
    ("id_", "facts"),
    [
        ("r0", ("R0 · run 01807.0000",)),
        ("dl2", ("DL2 · run 01807.0000", "made by a failed step")),
        ("calibration", ("CoefficientsCalibrationFile · run 01809.0000",)),
        ("gain", ()),
        ("dl1_to_dl2", ("run 01807.0000", "2020-01-18 08:30", "failed")),
        ("r0_to_dl1", ("run 01807.0000", "2020-01-18 08:30", "running")),
        ("calibrate_charge", ("run 01809", "2020-01-18 08:30", "interrupted")),
    ],
)
def test_facts_are_run_time_and_what_went_wrong(
    id_: str, facts: tuple[str, ...]
) -> None:
    assert box_of(MARKED, id_).facts == facts


@pytest.mark.parametrize(
    ("id_", "colour", "mark"),
    [
        ("r0", "R0", None),
        ("dl1", "DL1", None),
        ("dl2", "DL2", "failed"),
        ("calibration", "file", None),
        ("gain", "value", None),
        ("r0_to_dl1", "step", "running"),
        ("calibrate_charge", "step", "interrupted"),
    ],
)
def test_colour_is_the_level_and_a_mark_what_went_wrong(
    id_: str, colour: str, mark: str | None
) -> None:
    box = box_of(MARKED, id_)

    assert (box.colour, box.mark) == (colour, mark)


def test_a_collapsed_box_says_of_how_many_it_is(nights: Nights) -> None:
    boxes = picture(collapse(nights(20))).boxes

    said = {(*box.name, *box.facts) for box in boxes if box.size > 1}
    assert ("dl1ab ×20", "run 01807", "2020-01-18 08:00") in said
    assert (
        "dl2_LST-1.Run01807.",
        "[0000…0019].h5",
        "DL2 ×20 · run 01807",
    ) in said
    assert {box.size for box in boxes} == {1, 20}


def test_of_a_collapsed_step_those_that_failed_are_counted() -> None:
    steps = [
        LineageNode(
            f"s{number}",
            "activity",
            "r0_to_dl1",
            run=1618,
            subrun=number,
            status="failed" if number == 3 else "completed",
            start=datetime(2019, 11, 23, 8, 5 * number, tzinfo=UTC),
            end=datetime(2019, 11, 23, 8, 5 * number + 4, tzinfo=UTC),
        )
        for number in range(5)
    ]
    asked = LineageNode("x", "entity", location="/x")
    edges = tuple(LineageEdge("x", step.id, "wasGeneratedBy") for step in steps)
    answer = Lineage(question={}, start="x", nodes=(asked, *steps), edges=edges)

    _, box = picture(collapse(answer)).boxes

    assert box.name == ("r0_to_dl1 ×5",)
    assert box.facts == ("run 01618", "2019-11-23 08:00 to 08:24", "1 of 5 failed")
    assert box.mark == "failed"


def test_all_roles_of_one_use_are_one_arrow() -> None:
    hints = {(a.source, a.target): a.hint for a in picture(MARKED).arrows}

    assert hints["r0_to_dl1", "calibration"] == "used: Calibration, Monitoring"
    assert len(hints) == len(picture(MARKED).arrows) == 8


def test_what_is_inferred_or_in_conflict_is_said_at_its_arrow() -> None:
    arrows = {(a.source, a.target): a for a in picture(MARKED).arrows}

    inferred = arrows["calibration", "calibration_v1"]
    late = arrows["dl1_to_dl2", "dl1"]
    assert inferred.words == "wasDerivedFrom, inferred"
    assert inferred.hint == "wasDerivedFrom (inferred: calibration-version)"
    assert (late.words, late.marks) == ("time conflict", ("time_conflict",))
    assert {a.words for a in arrows.values() if a not in (inferred, late)} == {""}


def test_what_is_in_doubt_is_said_at_its_arrow_and_in_its_box() -> None:
    drawn = picture(DOUBTFUL)
    arrows = {(a.source, a.target): a for a in drawn.arrows}
    boxes = {box.id: box for box in drawn.boxes}

    doubtful = arrows["dl1_to_dl2.1", "DL1.1"]
    assert doubtful.words == "contested, maybe damaged"
    assert doubtful.hint == (
        "used: DL1; contested: another write may have made what was used; "
        "maybe damaged: a write that did not end well may have changed the file; "
        "maybe damaged by r0_to_dl1 2020-01-18 08:40"
    )
    assert arrows["r0_to_dl1.0", "pedestal"].signs == ("contested",)
    assert arrows["merge", "DL2.0"].hint == "used: DL2 (inferred: glob)"
    assert {id_: box.words for id_, box in boxes.items() if box.words} == {
        "merged": "mixed",
        "merge": "incomplete",
        "pedestal": "gap",
        "interleaved": "gap",
    }


def test_a_collapsed_picture_has_the_same_doubts_and_the_same_sentence() -> None:
    single, many = picture(DOUBTFUL), picture(collapse(DOUBTFUL))

    assert many.sentence == single.sentence == DOUBTFUL.sentence
    doubts = [{a.words for a in drawn.arrows} for drawn in (single, many)]
    assert doubts[0] == doubts[1]
    assert {e.key for e in many.legend} - {e.key for e in single.legend} == {"many"}


def test_what_a_record_also_states_is_not_inferred() -> None:
    stated = LineageEdge("calibration", "calibration_v1", "wasDerivedFrom")
    answer = replace(MARKED, edges=(*MARKED.edges, stated))

    arrows = {(a.source, a.target): a for a in picture(answer).arrows}

    assert arrows["calibration", "calibration_v1"].words == "wasDerivedFrom"


def test_the_legend_says_what_occurs_and_nothing_else(nights: Nights) -> None:
    assert picture(MARKED).legend == (
        Entry("step", "step"),
        Entry("R0", "R0"),
        Entry("DL1", "DL1"),
        Entry("DL2", "DL2"),
        Entry("file", "other file"),
        Entry("value", "value, no file"),
        Entry("asked", "what was asked for"),
        Entry("failed", "failed"),
        Entry("interrupted", "interrupted"),
        Entry("running", "has no end"),
        Entry("inferred", "inferred, not recorded"),
        Entry("time_conflict", "time conflict: written after its use"),
    )
    assert picture(DOUBTFUL).legend[-7:] == (
        Entry("mixed", "mixed: parts of several passes"),
        Entry("incomplete", "incomplete: records are missing"),
        Entry("gap", "gap: nobody is known to have made it"),
        Entry("inferred", "inferred, not recorded"),
        Entry("contested", "contested or clock: perhaps another write"),
        Entry("time_conflict", "time conflict: written after its use"),
        Entry("maybe_damaged", "maybe damaged by a failed write"),
    )
    assert [entry.key for entry in picture(collapse(nights(20))).legend] == [
        *("step", "R0", "DL1", "DL2", "DL3", "file", "many", "asked", "gap")
    ]


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ({"direction": "upstream"}, "What a.h5 came from"),
        ({"direction": "downstream"}, "What came from a.h5"),
        ({"direction": "upstream", "until": "b"}, "How a.h5 came about"),
    ],
)
def test_the_title_is_the_question(question: dict[str, str], title: str) -> None:
    answer = replace(lineage_of(location="/a.h5"), question=question)

    assert picture(answer).title == title


@pytest.mark.parametrize("question", ["lineage", "impact"])
@pytest.mark.parametrize(("subruns", "is_collapsed"), [(5, False), (20, True)])
def test_what_is_large_is_collapsed(
    nights: Nights, question: str, subruns: int, is_collapsed: bool
) -> None:
    answer = nights(subruns, question=question)

    shown = readable(answer)

    assert (shown.opened is answer) is is_collapsed
    assert len(shown.nodes) <= MOST_BOXES


def test_what_is_collapsed_already_stays_so(nights: Nights) -> None:
    answer = collapse(nights(1), to="activity")

    assert readable(answer) is answer


@settings(max_examples=40)
@given(lineage=lineages())
def test_every_node_and_relation_is_drawn_whatever_its_text(lineage: Lineage) -> None:
    drawn = picture(lineage)

    assert {box.id for box in drawn.boxes} == {node.id for node in lineage.nodes}
    assert {arrow[:3] for arrow in drawn.arrows} == {edge[:3] for edge in lineage.edges}
    words = [
        drawn.title,
        *drawn.notes,
        drawn.sentence,
        *(arrow.hint for arrow in drawn.arrows),
    ]
    for box in drawn.boxes:
        words += [*box.name, *box.facts, box.hint, box.words]
    assert all(word.isprintable() for word in words)


def test_of_a_tag_the_title_is_its_name_and_nothing_is_asked_for() -> None:
    question = {"name": "r0_to_dl1:*", "tag": "r0_to_dl1:*", "direction": "none"}
    answer = replace(MARKED, question=question, start="")

    drawn = picture(answer)

    assert drawn.title == "Steps of r0_to_dl1:*"
    assert "asked" not in {entry.key for entry in drawn.legend}
    assert not any(box.is_asked for box in drawn.boxes)
