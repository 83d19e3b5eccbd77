"""Views: parts of an answer by name, also those of the user."""

from collections.abc import Mapping
from typing import Any

import pytest

from provdb.errors import ConfigError, NotFound, QueryError
from provdb.ingest import ingest
from provdb.lineage import (
    Lineage,
    collapse,
    impact,
    lineage,
    tag_lineage,
    view,
    views,
)
from provdb.store import Store
from tests.lineage.histories import Step, file, stored
from tests.lineage.logs import SUBRUN_WISE

_DL3 = "dl3_LST-1.Run01807.fits"


@pytest.fixture
def answer(night: Store) -> Lineage:
    """The lineage of the last product of a generated night."""
    return lineage(night, _DL3)


@pytest.mark.parametrize(
    ("name", "steps", "levels"),
    [
        ("calibration", {"drs4_pedestal", "calibrate_charge"}, {"R0"}),
        ("r0_to_dl1", {"r0_to_dl1", "dl1ab"}, {"R0", "DL1"}),
        ("dl1_to_dl2", {"dl1_to_dl2"}, {"DL1", "DL2"}),
        (
            "calibration_to_dl1",
            {"drs4_pedestal", "calibrate_charge", "r0_to_dl1", "dl1ab"},
            {"R0", "DL1"},
        ),
        (
            "all",
            {
                "drs4_pedestal",
                "calibrate_charge",
                "r0_to_dl1",
                "dl1ab",
                "dl1_to_dl2",
                "dl2_to_dl3",
            },
            {"R0", "DL1", "DL2", "DL3"},
        ),
    ],
)
def test_a_view_has_its_steps_and_what_they_used_and_generated(
    answer: Lineage, name: str, steps: set[str], levels: set[str]
) -> None:
    part = view(answer, name)

    named = {node.name for node in part.nodes if node.kind == "activity"}
    assert named - {"merge_dl2"} == steps
    assert {node.level for node in part.nodes} - {None} == levels


@pytest.mark.parametrize("name", ["calibration", "r0_to_dl1", "dl1_to_dl2", "all"])
def test_a_view_has_both_ends_of_every_edge_and_begins_at_one_of_its_nodes(
    answer: Lineage, name: str
) -> None:
    part = view(answer, name)

    ids = {node.id for node in part.nodes}
    assert {end for e in part.edges for end in (e.source, e.target)} <= ids
    assert part.start in ids
    assert set(part.edges) <= set(answer.edges)


def test_the_view_of_all_is_the_answer(answer: Lineage) -> None:
    part = view(answer, "all")

    assert (part.nodes, part.edges) == (answer.nodes, answer.edges)
    assert part.start == answer.start


def test_a_collapsed_answer_stays_collapsed_and_can_be_opened(answer: Lineage) -> None:
    part = view(collapse(answer, to="run"), "r0_to_dl1")

    assert part.to_dict() == collapse(view(answer, "r0_to_dl1"), to="run").to_dict()
    assert part.opened == view(answer, "r0_to_dl1")


def test_a_run_wise_view_leads_from_dl2_to_raw_data_and_to_the_calibration(
    answer: Lineage,
) -> None:
    part = view(collapse(answer, to="run"), "calibration_to_dl2")

    names = {node.id: node.name for node in part.nodes}
    (merged,) = (node.id for node in part.nodes if node.name == "DL2MergedFile")
    assert {"R0Collection", "calibrate_charge", "drs4_pedestal"} <= {
        names[one] for one in _behind(part, merged)
    }


def test_calibration_that_a_link_rule_found_is_in_the_view_of_what_it_calibrated() -> (
    None
):
    written = file("/v0.12/drs4_pedestal.Run01804.h5", "PedestalFile")
    read = file("/v0.1/drs4_pedestal.Run01804.h5", "PedestalFile")
    dl1 = file("/DL1/dl1_LST-1.Run01807.0000.h5", "DL1SubrunDataset")
    store = stored(
        Step(name="drs4_pedestal", generated=[written], start=0, end=1),
        Step(name="r0_to_dl1", used=[read], generated=[dl1], start=2, end=3),
    )

    part = view(lineage(store, dl1.id), "r0_to_dl1")

    assert [node.entity for node in part.nodes if node.entity] == [
        dl1.id,
        read.id,
        written.id,
    ]
    assert [edge.rule for edge in part.edges if edge.rule] == [
        "calibration_version_folder"
    ]


def test_a_view_of_impact_is_what_its_steps_made(store: Store) -> None:
    ingest(store, [SUBRUN_WISE])
    answer = impact(store, "drs4_pedestal.Run01804.0000.h5")

    part = view(answer, "dl1_to_dl2")

    assert {node.level for node in part.nodes} == {None, "DL1", "DL2"}
    assert {node.run for node in part.nodes} == {1807, 1808}


def test_what_a_tag_holds_begins_nowhere_in_a_view_too(night: Store) -> None:
    whole = tag_lineage(night, "*:01807")

    part = view(collapse(whole, to="run"), "r0_to_dl1")

    assert part.start == whole.start == ""
    assert {node.name for node in part.nodes if node.kind == "activity"} == {
        "r0_to_dl1",
        "dl1ab",
        "dl1_datacheck",
    }


def test_an_unknown_view_is_refused_with_the_known_ones(answer: Lineage) -> None:
    with pytest.raises(
        QueryError, match="no view r1_to_dl1; known are calibration, r0"
    ):
        view(answer, "r1_to_dl1")


def test_an_answer_without_a_step_of_the_view_is_refused() -> None:
    dl1 = file("/DL1/dl1_LST-1.Run01807.0000.h5", "DL1SubrunDataset")
    answer = lineage(stored(Step(name="r0_to_dl1", generated=[dl1])), dl1.id)

    with pytest.raises(NotFound, match="nothing here is of a step of the view calib"):
        view(answer, "calibration")


def test_a_view_of_the_user_takes_the_place_of_a_known_one(answer: Lineage) -> None:
    among = views([{"name": "dl1_to_dl2", "steps": ["dl2_to_*"]}])

    part = view(answer, "dl1_to_dl2", among=among)

    assert {n.name for n in part.nodes if n.kind == "activity"} == {"dl2_to_dl3"}


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        pytest.param({"steps": ["a"]}, "it needs a name", id="no name"),
        pytest.param({"name": "../x", "steps": ["a"]}, "no slash", id="a path"),
        pytest.param({"name": ".x", "steps": ["a"]}, "no slash", id="hidden"),
        pytest.param({"name": "x"}, "steps must be a list", id="no steps"),
        pytest.param({"name": "x", "steps": []}, "steps must be", id="empty steps"),
        pytest.param({"name": "x", "steps": "dl1ab"}, "steps must be", id="a text"),
        pytest.param({"name": "x", "steps": [1]}, "steps must be", id="a number"),
        pytest.param({"name": "x", "step": ["a"]}, "step is none of", id="a key"),
    ],
)
def test_a_table_that_is_no_view_is_refused(
    table: Mapping[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        views([table])

    assert caught.value.setting == "views"


def _behind(answer: Lineage, start: str) -> set[str]:
    reached = {start}
    todo = [start]
    while todo:
        here = todo.pop()
        found = {edge.target for edge in answer.edges if edge.source == here} - reached
        reached |= found
        todo += found
    return reached
