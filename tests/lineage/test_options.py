"""How far to walk, and through what; and how the answer stands in JSON."""

import pytest

from provdb.lineage import WalkOptions, impact, lineage
from provdb.store import Store
from tests.lineage.histories import (
    Step,
    collection,
    entities,
    file,
    remember,
    undescribed,
)

RAW = file("/R0/LST-1.1.Run01807.0001.fits.fz", "R0SubrunDataset")
PEDESTAL_RAW = file("/R0/LST-1.1.Run01804.fits.fz", "RawObservationFile")
PEDESTAL = file("/cal/drs4_pedestal.Run01804.0000.h5", "PedestalFile")
DL1 = file("/DL1/dl1_LST-1.Run01807.0001.h5", "DL1SubrunDataset")
MUONS = file("/DL1/muons_LST-1.Run01807.0001.fits", "MuonsSubrunDataset")
DL2 = file("/DL2/dl2_LST-1.Run01807.0001.h5", "DL2SubrunDataset")
CHAIN = (
    Step(
        name="drs4_pedestal",
        used=[PEDESTAL_RAW.link(role="Subrun for pedestal")],
        generated=[PEDESTAL.link(role="Pedestal")],
        start=0,
        end=1,
    ),
    Step(
        name="r0_to_dl1",
        used=[
            RAW.link(role="Observation subrun"),
            PEDESTAL.link(role="Pedestal file"),
        ],
        generated=[
            DL1.link(role="DL1 subrun dataset"),
            MUONS.link(role="Muons subrun dataset"),
        ],
        start=2,
        end=3,
    ),
    Step(
        name="dl1_to_dl2",
        used=[DL1.link(role="DL1 subrun dataset")],
        generated=[DL2.link(role="DL2 subrun dataset")],
        start=4,
        end=5,
    ),
)
STEP_BY_STEP = [
    pytest.param(0, {DL2.id}, id="no step"),
    pytest.param(1, {DL2.id, DL1.id}, id="one step"),
    pytest.param(2, {DL2.id, DL1.id, RAW.id, PEDESTAL.id}, id="two steps"),
]


@pytest.fixture
def chain(store: Store) -> Store:
    """A store with a subrun up to DL2 and the pedestal that it needed."""
    return remember(store, *CHAIN)


@pytest.mark.parametrize(("depth", "reached"), STEP_BY_STEP)
def test_depth_counts_activities(chain: Store, depth: int, reached: set[str]) -> None:
    answer = lineage(chain, DL2.id, options=WalkOptions(depth=depth))

    steps = [node for node in answer.nodes if node.kind == "activity"]
    assert entities(answer) == reached
    assert len(steps) == depth
    assert answer.truncated
    assert answer.warnings == (
        f"the answer was cut at the depth of {depth} activities; there is more",
    )


def test_a_depth_that_reaches_everything_cuts_nothing(chain: Store) -> None:
    answer = lineage(chain, DL2.id, options=WalkOptions(depth=3))

    assert answer == lineage(chain, DL2.id)
    assert not answer.truncated
    assert answer.warnings == ()


def test_depth_holds_for_impact(chain: Store) -> None:
    answer = impact(chain, PEDESTAL_RAW.id, options=WalkOptions(depth=2))

    assert entities(answer) == {PEDESTAL_RAW.id, PEDESTAL.id, DL1.id, MUONS.id}
    assert answer.truncated


@pytest.mark.parametrize("limit", [1, 4, 7])
def test_a_limit_gives_so_many_nodes_and_says_that_there_are_more(
    chain: Store, limit: int
) -> None:
    answer = lineage(chain, DL2.id, options=WalkOptions(limit=limit))

    ids = {node.id for node in answer.nodes}
    assert len(answer.nodes) == limit
    assert answer.to_dict()["truncated"]
    assert answer.warnings == (
        f"the answer was cut at the limit of {limit} nodes; there is more",
    )
    assert {end for edge in answer.edges for end in (edge.source, edge.target)} <= ids


def test_a_limit_of_just_enough_cuts_nothing(chain: Store) -> None:
    nodes = len(lineage(chain, DL2.id).nodes)

    answer = lineage(chain, DL2.id, options=WalkOptions(limit=nodes))

    assert not answer.truncated
    assert answer.warnings == ()


def test_a_limit_keeps_the_same_nodes_every_time(store: Store) -> None:
    """Of the members of a collection these are the first, in order of their ids."""
    members = [undescribed(f"{number:08x}") for number in range(20)]
    remember(store, collection("c011ec71").holding(*members))

    answer = lineage(store, "c011ec71", options=WalkOptions(limit=6))

    assert entities(answer) - {"c011ec71"} == {one.id for one in members[:5]}


@pytest.mark.parametrize(
    ("via", "reached"),
    [
        pytest.param(("dl1_to_dl2",), {DL2.id, DL1.id}, id="one activity"),
        pytest.param(("r0_to_dl1",), {DL2.id}, id="one that is not next"),
        pytest.param(
            ("dl1_*", "r0_*"), {DL2.id, DL1.id, RAW.id, PEDESTAL.id}, id="patterns"
        ),
    ],
)
def test_via_passes_activities_of_these_names_alone(
    chain: Store, via: tuple[str, ...], reached: set[str]
) -> None:
    answer = lineage(chain, DL2.id, options=WalkOptions(via=via))

    assert entities(answer) == reached
    assert not answer.truncated


def test_via_holds_for_impact(chain: Store) -> None:
    answer = impact(chain, RAW.id, options=WalkOptions(via=("r0_to_dl1",)))

    assert entities(answer) == {RAW.id, DL1.id, MUONS.id}


@pytest.mark.parametrize(
    ("role", "reached"),
    [
        pytest.param("*subrun*", {DL2.id, DL1.id, RAW.id}, id="pattern"),
        pytest.param("DL1 subrun dataset", {DL2.id, DL1.id}, id="whole role"),
        pytest.param("dl1 *", {DL2.id}, id="letters count"),
    ],
)
def test_role_follows_usages_of_this_role_alone(
    chain: Store, role: str, reached: set[str]
) -> None:
    answer = lineage(chain, DL2.id, options=WalkOptions(role=role))

    assert entities(answer) == reached


def test_role_holds_for_impact(chain: Store) -> None:
    answer = impact(chain, PEDESTAL_RAW.id, options=WalkOptions(role="Subrun*"))

    assert entities(answer) == {PEDESTAL_RAW.id, PEDESTAL.id}


def test_roles_stand_on_the_edges_of_usage_and_generation(chain: Store) -> None:
    answer = lineage(chain, PEDESTAL.id)

    assert {(edge.relation, edge.role) for edge in answer.edges} == {
        ("wasGeneratedBy", "Pedestal"),
        ("used", "Subrun for pedestal"),
    }


def test_the_leaves_are_the_data_and_not_what_only_calibrated_them(
    chain: Store,
) -> None:
    answer = lineage(chain, DL2.id, options=WalkOptions(leaf_level="R0"))

    assert answer.to_dict()["leaves"] == [
        {
            "id": RAW.id,
            "location": "/R0/LST-1.1.Run01807.0001.fits.fz",
            "run": 1807,
            "subrun": 1,
        }
    ]
    assert PEDESTAL_RAW.id in entities(answer)


@pytest.mark.parametrize(
    ("level", "leaves"),
    [
        pytest.param("DL1", [DL1.id], id="DL1"),
        pytest.param("DL2", [DL2.id], id="that of the file itself"),
        pytest.param("DL5", [], id="one that is not there"),
    ],
)
def test_leaves_are_of_the_level_that_was_asked_for(
    chain: Store, level: str, leaves: list[str]
) -> None:
    answer = lineage(chain, DL2.id, options=WalkOptions(leaf_level=level))

    assert [leaf.entity for leaf in answer.leaves] == leaves


def test_the_leaves_of_an_impact_are_all_files_of_the_level(chain: Store) -> None:
    answer = impact(chain, PEDESTAL_RAW.id, options=WalkOptions(leaf_level="DL1"))

    assert [leaf.entity for leaf in answer.leaves] == [DL1.id, MUONS.id]


def test_there_are_no_leaves_in_json_unless_asked_for(chain: Store) -> None:
    assert list(lineage(chain, DL2.id).to_dict()) == [
        "question",
        "roots",
        "nodes",
        "edges",
        "truncated",
        "warnings",
        "completeness",
    ]


def test_nodes_come_nearest_first_and_in_json_edges_in_order_of_their_ends(
    chain: Store,
) -> None:
    answer = lineage(chain, DL2.id)

    distances = [node.distance for node in answer.nodes]
    ends = [(e["source"], e["target"]) for e in answer.to_dict()["edges"]]
    assert distances == sorted(distances)
    assert ends == sorted(ends)
