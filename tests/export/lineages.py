"""Lineages to draw: a small one of all that can be marked, and ones of any text."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from provdb.lineage import Lineage, LineageEdge, LineageNode
from provdb.lineage.assess import completeness_of
from provdb.lineage.result import DOUBTS, EVIDENCE

__all__ = ["DOUBTFUL", "MARKED", "lineage_of", "lineages"]

_START: Final = datetime(2020, 1, 18, 8, 30, tzinfo=UTC)
_STATUSES: Final = (None, "completed", "failed", "interrupted", "running", "paused")
_ORIGINS: Final = (None, "raw", "external", "gap", "unknown")
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


def _subruns(stem: str, level: str, **fields: Any) -> tuple[LineageNode, ...]:
    return tuple(
        LineageNode(
            id=f"{level}.{subrun}",
            kind="entity",
            name=f"{level}SubrunDataset",
            location=f"/fefs/{level}/20200117/{stem}.Run01807.{subrun:04d}.h5",
            level=level,
            run=1807,
            subrun=subrun,
            entity=f"{level}.{subrun}",
            **fields,
        )
        for subrun in range(3)
    )


def _steps(name: str, *, minute: int) -> tuple[LineageNode, ...]:
    return tuple(
        LineageNode(
            id=f"{name}.{subrun}",
            kind="activity",
            name=name,
            session_tag=f"{name}:01807",
            run=1807,
            subrun=subrun,
            status="completed",
            start=_START + timedelta(minutes=minute + subrun),
        )
        for subrun in range(3)
    )


def _doubtful() -> Lineage:
    """Return an answer with every doubt, inference and gap that there can be."""
    dl2, dl1, r0 = (
        _subruns(stem, level)
        for stem, level in (("dl2_LST-1", "DL2"), ("dl1_LST-1", "DL1"), ("LST-1", "R0"))
    )
    r0 = tuple(node._replace(origin="raw") for node in r0)
    to_dl2, to_dl1 = (_steps("dl1_to_dl2", minute=20), _steps("r0_to_dl1", minute=0))
    merged = LineageNode(
        id="merged",
        kind="entity",
        name="DL2MergedFile",
        location="/fefs/DL2/20200117/dl2_LST-1.Run01807.h5",
        level="DL2",
        run=1807,
        marks=("mixed",),
    )
    merge = LineageNode(
        id="merge",
        kind="activity",
        name="merge_dl2",
        run=1807,
        status="completed",
        start=_START + timedelta(minutes=40),
        marks=("incomplete",),
    )
    model = LineageNode(
        id="model",
        kind="entity",
        name="RFModelEnergyFile",
        location="/fefs/models/20200629_prod5/reg_energy.sav",
        origin="external",
    )
    interleaved, drive, pedestal, summary, written = (
        LineageNode(id=stem, kind="entity", location=f"/fefs/{folder}/{name}", **fields)
        for stem, folder, name, fields in (
            (
                "interleaved",
                "DL1/interleaved",
                "interleaved_LST-1.Run01807.h5",
                {"level": "DL1", "run": 1807, "origin": "gap"},
            ),
            ("drive", "drive", "DrivePosition_log_20200117.txt", {"origin": "unknown"}),
            (
                "pedestal",
                "calibration/v2",
                "drs4_pedestal.Run01804.0000.h5",
                {"origin": "gap"},
            ),
            ("summary", "monitoring", "RunSummary_20200117.ecsv", {}),
            ("written", "staging", "RunSummary_20200117.ecsv", {"origin": "external"}),
        )
    )
    edges = [
        LineageEdge("merged", "merge", "wasGeneratedBy", "Merged DL2"),
        LineageEdge(
            "merge", "interleaved", "used", "Interleaved", marks=("time_conflict",)
        ),
    ]
    for number in range(3):
        edges += [
            LineageEdge("merge", dl2[number].id, "used", "DL2", evidence="glob"),
            LineageEdge(dl2[number].id, to_dl2[number].id, "wasGeneratedBy", "DL2"),
            LineageEdge(
                to_dl2[number].id,
                dl1[number].id,
                "used",
                "DL1",
                evidence="order",
                marks=("contested", "maybe_damaged") if number == 1 else (),
                damaged_by=("killed",) if number == 1 else (),
            ),
            LineageEdge(to_dl2[number].id, "model", "used", "RF model"),
            LineageEdge(dl1[number].id, to_dl1[number].id, "wasGeneratedBy", "DL1"),
            LineageEdge(to_dl1[number].id, r0[number].id, "used", "R0"),
            LineageEdge(
                to_dl1[number].id, "pedestal", "used", "Pedestal", marks=("clock",)
            ),
            LineageEdge(to_dl1[number].id, "drive", "used", "Drive log"),
            LineageEdge(to_dl1[number].id, "summary", "used", "Run summary"),
        ]
    edges.append(
        LineageEdge("summary", "written", "wasDerivedFrom", evidence="rule:archive")
    )
    nodes = (merged, merge, *dl2, interleaved, *to_dl2, *dl1, model, *to_dl1, *r0)
    nodes += (pedestal, drive, summary, written)
    return Lineage(
        question={"name": "merged", "id": "merged", "direction": "upstream"},
        start="merged",
        nodes=nodes,
        edges=tuple(edges),
        completeness=completeness_of(
            nodes, edges, reasons={"merged": "subrun 0001 of an earlier pass"}
        ),
        damaging=(
            LineageNode(
                id="killed",
                kind="activity",
                name="r0_to_dl1",
                run=1807,
                subrun=1,
                status="interrupted",
                start=_START + timedelta(minutes=10),
            ),
        ),
    )


DOUBTFUL: Final = _doubtful()


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
            origin=draw(st.sampled_from(_ORIGINS)),
            marks=draw(_marks),
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
