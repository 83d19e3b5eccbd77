"""What an answer says that it knows, and does not know."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from provdb.lineage import Lineage, LineageEdge, LineageNode, collapse
from provdb.lineage.assess import completeness_of
from provdb.lineage.completeness import Completeness
from provdb.lineage.result import DOUBTS, EVIDENCE
from tests.lineage.pass_of_two import DAMAGING, DL1, DL2, R0, STEP, UPSTREAM

_DOUBTFUL: Final = (
    pytest.param({"contested": 1}, id="contested"),
    pytest.param({"time_conflicts": 1}, id="time conflict"),
    pytest.param({"damaged": ("9891",)}, id="damaged"),
    pytest.param({"mixed": (("5a2d@1", "two passes"),)}, id="mixed"),
)
_MISSING: Final = (
    pytest.param({"gaps": ("5a2d",)}, id="gap"),
    pytest.param({"incomplete": ("9891",)}, id="incomplete"),
    pytest.param({"ties": ("two files fit",)}, id="tie"),
    pytest.param({"is_cut": True}, id="cut"),
)


@pytest.mark.parametrize("known", _MISSING)
def test_an_answer_that_lacks_something_is_not_complete(known: dict[str, Any]) -> None:
    completeness = Completeness(**known)

    assert (completeness.is_complete, completeness.is_certain) == (False, False)
    assert completeness.sentence.startswith("Not complete: ")


@pytest.mark.parametrize("known", _DOUBTFUL)
def test_an_answer_in_doubt_is_complete_and_not_certain(known: dict[str, Any]) -> None:
    completeness = Completeness(**known)

    assert (completeness.is_complete, completeness.is_certain) == (True, False)
    assert completeness.sentence.startswith("Complete; 1 ")


def test_an_inferred_edge_leaves_an_answer_certain() -> None:
    completeness = Completeness(inferred=2)

    assert completeness.is_certain
    assert completeness.sentence == "Complete; 2 edges inferred."


def test_a_complete_answer_names_its_raw_data() -> None:
    nodes = (DL2, STEP, R0(0), R0(1), R0(3))
    edges = (
        LineageEdge(DL2.id, STEP.id, "wasGeneratedBy"),
        *(LineageEdge(STEP.id, node.id, "used") for node in nodes[2:]),
    )

    answer = Lineage(question=UPSTREAM, start=DL2.id, nodes=nodes, edges=edges)

    assert answer.sentence == (
        "Complete to raw data: run 01807, subruns 0000-0001, 0003 (3)."
    )


def answer_with(completeness: Completeness, **edge: Any) -> Lineage:
    return Lineage(
        question=UPSTREAM,
        start=DL2.id,
        nodes=(DL2, STEP, DL1, R0(0)),
        edges=(
            LineageEdge(DL2.id, STEP.id, "wasGeneratedBy"),
            LineageEdge(STEP.id, DL1.id, "used", **edge),
            LineageEdge(STEP.id, R0(0).id, "used"),
        ),
        completeness=completeness,
        damaging=(DAMAGING,),
    )


@pytest.mark.parametrize(
    ("completeness", "edge", "sentence"),
    [
        pytest.param(
            Completeness(gaps=(DL1.id,)),
            {},
            "Not complete: 1 gap (dl1_LST-1.Run01807.0000.h5). "
            "Raw data found: run 01807, subrun 0000.",
            id="gap",
        ),
        pytest.param(
            Completeness(incomplete=(STEP.id,)),
            {},
            "Not complete: 1 step incomplete (dl1_to_dl2 2020-01-18 08:30). "
            "Raw data found: run 01807, subrun 0000.",
            id="incomplete",
        ),
        pytest.param(
            Completeness(contested=1),
            {"marks": ("clock",)},
            "Complete to raw data: run 01807, subrun 0000; "
            "1 edge contested (dl1_LST-1.Run01807.0000.h5).",
            id="contested",
        ),
        pytest.param(
            Completeness(time_conflicts=1),
            {"marks": ("time_conflict",)},
            "Complete to raw data: run 01807, subrun 0000; "
            "1 time conflict (dl1_LST-1.Run01807.0000.h5).",
            id="time conflict",
        ),
        pytest.param(
            Completeness(damaged=(DAMAGING.id,)),
            {"marks": ("maybe_damaged",), "damaged_by": (DAMAGING.id,)},
            "Complete to raw data: run 01807, subrun 0000; "
            "1 step may have damaged a file (r0_to_dl1 2020-01-18 08:20).",
            id="damaged",
        ),
        pytest.param(
            Completeness(mixed=((DL1.id, "software 0.9, 0.10"),)),
            {},
            "Complete to raw data: run 01807, subrun 0000; 1 version mixed "
            "(dl1_LST-1.Run01807.0000.h5: software 0.9, 0.10).",
            id="mixed",
        ),
    ],
)
def test_the_sentence_names_what_is_missing_or_in_doubt(
    completeness: Completeness, edge: dict[str, Any], sentence: str
) -> None:
    answer = answer_with(completeness, **edge)

    assert answer.sentence == sentence
    assert answer.to_dict()["completeness"]["sentence"] == sentence


def test_a_sentence_names_three_places_and_counts_all() -> None:
    gaps = tuple(
        LineageNode(f"g{number}", "entity", location=f"/dl1_{number}.h5")
        for number in range(9)
    )
    completeness = Completeness(gaps=tuple(node.id for node in gaps))

    answer = Lineage(
        question=UPSTREAM,
        start="g0",
        nodes=gaps,
        edges=(),
        completeness=completeness,
    )

    assert answer.sentence == "Not complete: 9 gaps (dl1_0.h5, dl1_1.h5, dl1_2.h5, …)."


def test_a_sentence_of_many_runs_stays_short() -> None:
    nodes = tuple(replace_run(R0(0), run) for run in range(1800, 1820))
    start = LineageNode("dl3", "entity", level="DL3")
    edges = tuple(LineageEdge("dl3", node.id, "wasDerivedFrom") for node in nodes)

    answer = Lineage(question=UPSTREAM, start="dl3", nodes=(start, *nodes), edges=edges)

    assert answer.sentence == (
        "Complete to raw data: run 01800, subrun 0000; run 01801, subrun 0000; "
        "run 01802, subrun 0000; and 17 more runs."
    )


def replace_run(node: LineageNode, run: int) -> LineageNode:
    return node._replace(id=f"{run}", run=run, entity=f"{run}")


def test_a_collapsed_answer_has_the_sentence_of_the_open_one() -> None:
    answer = answer_with(Completeness(contested=1), marks=("contested",))

    assert collapse(answer).sentence == answer.sentence


def test_a_name_in_a_sentence_controls_no_terminal() -> None:
    file = LineageNode("f", "entity", location="/\x1b[31mdl1.h5")

    answer = Lineage(
        question=UPSTREAM,
        start="f",
        nodes=(file,),
        edges=(),
        completeness=Completeness(gaps=("f",)),
    )

    assert answer.sentence == "Not complete: 1 gap (�[31mdl1.h5)."


def test_completeness_is_counted_from_marks() -> None:
    mixed = DL1._replace(marks=("mixed",), origin="gap")
    step = STEP._replace(marks=("incomplete",))
    edges = [
        LineageEdge("a", "b", "used", marks=("contested", "clock")),
        LineageEdge("a", "c", "used", marks=("time_conflict",), evidence="glob"),
        LineageEdge("a", "d", "used", marks=("maybe_damaged",), damaged_by=("x",)),
    ]

    completeness = completeness_of(
        [mixed, step], edges, reasons={mixed.id: "two passes"}, ties=["t"]
    )

    assert completeness == Completeness(
        gaps=(DL1.id,),
        mixed=((DL1.id, "two passes"),),
        contested=1,
        time_conflicts=1,
        inferred=1,
        damaged=("x",),
        incomplete=(STEP.id,),
        ties=("t",),
    )


@pytest.mark.parametrize("evidence", [*EVIDENCE, "rule:archive"])
@pytest.mark.parametrize("mark", DOUBTS)
def test_a_row_has_the_evidence_and_the_marks_of_the_edge_that_leads_there(
    evidence: str, mark: str
) -> None:
    answer = answer_with(Completeness(), evidence=evidence, marks=(mark,))

    rows = {row["id"]: row for row in answer.rows()}

    assert (rows[DL1.id]["evidence"], rows[DL1.id]["marks"]) == (evidence, [mark])
    assert (rows[DL2.id]["evidence"], rows[DL2.id]["marks"]) == (None, [])


def test_a_row_of_an_impact_has_the_evidence_of_the_edge_from_before() -> None:
    answer = replace(
        answer_with(Completeness(), evidence="order", marks=("contested",)),
        question={"direction": "downstream"},
        start=DL1.id,
    )

    rows = {row["id"]: row for row in answer.rows()}

    assert (rows[STEP.id]["evidence"], rows[STEP.id]["marks"]) == (
        "order",
        ["contested"],
    )


def test_what_may_have_damaged_a_file_stands_in_the_json() -> None:
    answer = answer_with(Completeness(damaged=(DAMAGING.id,)))

    assert [node["id"] for node in answer.to_dict()["damaging"]] == [DAMAGING.id]
    assert DAMAGING.start == datetime(2020, 1, 18, 8, 20, tzinfo=UTC)
