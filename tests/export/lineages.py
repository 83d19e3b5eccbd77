"""Lineages to draw: a small one of all that can be marked, and ones of any text."""

from datetime import UTC, datetime
from typing import Final

from hypothesis import strategies as st

from provdb.lineage import Lineage, LineageEdge, LineageNode
from provdb.lineage.result import DOUBTS, EVIDENCE

__all__ = ["MARKED", "lineage_of", "lineages"]

_START: Final = datetime(2020, 1, 18, 8, 30, tzinfo=UTC)
_STATUSES: Final = (None, "completed", "failed", "interrupted", "running", "paused")
# Each with whether it goes from a step, and to one.
_RELATIONS: Final = (
    ("used", True, False),
    ("wasGeneratedBy", False, True),
    ("wasDerivedFrom", False, False),
    ("hadMember", False, False),
)

# A step that failed, one without an end, what a rule inferred, times that conflict.
MARKED: Final = Lineage(
    question={"name": "dl2", "direction": "upstream"},
    start="dl2",
    nodes=(
        LineageNode(
            id="dl2",
            kind="entity",
            name="DL2SubrunDataset",
            location="/fefs/DL2/dl2_LST-1.Run01807.0000.h5",
            level="DL2",
            run=1807,
            subrun=0,
            status="failed",
        ),
        LineageNode(
            id="dl1_to_dl2",
            kind="activity",
            name="dl1_to_dl2",
            run=1807,
            subrun=0,
            status="failed",
            start=_START,
        ),
        LineageNode(
            id="dl1",
            kind="entity",
            name="DL1SubrunDataset",
            location="/fefs/DL1/dl1_LST-1.Run01807.0000.h5",
            level="DL1",
            run=1807,
            subrun=0,
        ),
        LineageNode(
            id="r0_to_dl1",
            kind="activity",
            name="r0_to_dl1",
            run=1807,
            subrun=0,
            status="running",
            start=_START,
        ),
        LineageNode(
            id="r0",
            kind="entity",
            name="R0SubrunDataset",
            location="/fefs/R0/LST-1.1.Run01807.0000.fits.fz",
            level="R0",
            run=1807,
            subrun=0,
            origin="raw",
        ),
        LineageNode(
            id="calibration",
            kind="entity",
            name="CoefficientsCalibrationFile",
            location="/fefs/v2/calibration_filters_52.Run01809.0000.h5",
            run=1809,
            subrun=0,
        ),
        LineageNode(
            id="calibration_v1",
            kind="entity",
            name="CoefficientsCalibrationFile",
            location="/fefs/v1/calibration_filters_52.Run01809.0000.h5",
            run=1809,
            subrun=0,
        ),
        LineageNode(
            id="calibrate_charge",
            kind="activity",
            name="calibrate_charge",
            run=1809,
            status="interrupted",
            start=_START,
        ),
        LineageNode(id="gain", kind="entity", name="GainSelection"),
    ),
    edges=(
        LineageEdge("dl2", "dl1_to_dl2", "wasGeneratedBy", "DL2 subrun dataset"),
        LineageEdge(
            "dl1_to_dl2",
            "dl1",
            "used",
            "DL1 subrun dataset",
            evidence="order",
            marks=("time_conflict",),
        ),
        LineageEdge("dl1", "r0_to_dl1", "wasGeneratedBy", "DL1 subrun dataset"),
        LineageEdge("r0_to_dl1", "r0", "used", "Observation subrun"),
        LineageEdge("r0_to_dl1", "calibration", "used", "Calibration"),
        LineageEdge("r0_to_dl1", "calibration", "used", "Monitoring"),
        LineageEdge(
            "calibration",
            "calibration_v1",
            "wasDerivedFrom",
            evidence="rule:calibration-version",
        ),
        LineageEdge("calibration_v1", "calibrate_charge", "wasGeneratedBy"),
        LineageEdge("calibrate_charge", "gain", "used"),
    ),
    warnings=("the times of 1 edges conflict",),
)


def lineage_of(**fields: str | int) -> Lineage:
    """Return a lineage of one file that has these fields, and the step that made it."""
    file = LineageNode(**{"id": "file", "kind": "entity", **fields})  # type: ignore[arg-type]  # As the caller says.
    step = LineageNode(id="step", kind="activity", name="r0_to_dl1")
    made = LineageEdge(file.id, step.id, "wasGeneratedBy")
    return Lineage(question={}, start=file.id, nodes=(file, step), edges=(made,))


# Signs of all languages of pictures, and letters that none of them can draw.
_marks = st.sets(st.sampled_from(sorted(DOUBTS)), max_size=2).map(
    lambda marks: tuple(mark for mark in DOUBTS if mark in marks)
)
_texts = st.text(max_size=30) | st.text(
    alphabet="\\\"'`<>&;:#%${}[]()|/\n\r\t\0\u202e\ufffe-_.x01\ud800", max_size=30
)
_numbers = st.none() | st.integers(min_value=0, max_value=99_999)


@st.composite
def lineages(draw: st.DrawFn) -> Lineage:
    """Make a lineage of a few nodes whose names and places are any text."""
    ids = draw(st.lists(_texts.filter(bool), min_size=1, max_size=5, unique=True))
    nodes = tuple(
        LineageNode(
            id=id_,
            kind=draw(st.sampled_from(("activity", "entity", "collection"))),
            name=draw(st.none() | _texts),
            location=draw(st.none() | _texts | _texts.map("/{}".format)),
            level=draw(st.none() | st.sampled_from(("R0", "DL1", "DL9"))),
            run=draw(_numbers),
            subrun=draw(_numbers),
            status=draw(st.sampled_from(_STATUSES)),
            start=draw(st.none() | st.just(_START)),
        )
        for id_ in ids
    )
    steps = {node.id for node in nodes if node.kind == "activity"}
    possible = [
        (source, target, relation)
        for relation, is_from_step, is_to_step in _RELATIONS
        for source in ids
        for target in ids
        if (source in steps, target in steps) == (is_from_step, is_to_step)
    ]
    ends = draw(st.lists(st.sampled_from(possible), max_size=6)) if possible else []
    edges = tuple(
        LineageEdge(
            *end,
            role=draw(st.none() | _texts),
            evidence=draw(st.sampled_from(EVIDENCE) | _texts.map("rule:{}".format)),
            marks=draw(_marks),
        )
        for end in ends
    )
    return Lineage(
        question={"direction": draw(st.sampled_from(("upstream", "downstream")))},
        start=ids[0],
        nodes=nodes,
        edges=edges,
        warnings=tuple(draw(st.lists(_texts, max_size=2))),
    )
