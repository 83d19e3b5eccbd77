"""The rules as a question meets them, on both stores."""

import pytest

from provdb.lineage import WalkOptions, impact, lineage
from provdb.store import Store
from tests.lineage.histories import (
    File,
    Step,
    edges,
    entities,
    file,
    generated_by,
    generation,
    remember,
    undescribed,
)

RAW = file("/R0/LST-1.1.Run01807.0001.fits.fz", "R0SubrunDataset")
RAW_2 = file("/R0/LST-1.1.Run01807.0002.fits.fz", "R0SubrunDataset")
DL1 = file("/DL1/dl1_LST-1.Run01807.0001.h5", "DL1SubrunDataset")
DL2 = file("/DL2/dl2_LST-1.Run01807.h5", "DL2MergedFile")
CONFIG = file("/cfg/lstchain.json", "AnalysisConfigFile")

R0_TO_DL1 = Step(name="r0_to_dl1", used=[RAW], generated=[DL1], start=0, end=1)
DL1AB = Step(name="dl1ab", used=[DL1], generated=[DL1], start=2, end=3)
RAW_LEVEL = WalkOptions(leaf_level="R0")


def test_a_step_that_overwrites_its_input_comes_from_the_version_before(
    store: Store,
) -> None:
    """dl1ab uses and generates one path; its output is no input of itself."""
    remember(store, R0_TO_DL1, DL1AB)

    answer = lineage(store, DL1.id)

    assert [(node.name, node.distance) for node in answer.nodes] == [
        ("DL1SubrunDataset", 0),
        ("dl1ab", 1),
        ("DL1SubrunDataset", 2),
        ("r0_to_dl1", 3),
        ("R0SubrunDataset", 4),
    ]
    first, second = (n.version for n in answer.nodes if n.entity == DL1.id)
    assert first != second


def test_what_a_step_read_before_it_alone_wrote_it_is_a_gap(store: Store) -> None:
    remember(store, DL1AB)

    answer = lineage(store, DL1.id)

    (root,) = answer.roots
    assert root == DL1.id
    assert [n.origin for n in answer.nodes if n.id == root] == ["gap"]
    assert answer.question["id"] != root


def test_a_failed_step_is_left_out_if_another_one_wrote_the_file(
    store: Store,
) -> None:
    again = Step(
        name="r0_to_dl1", used=[RAW], generated=[DL1], start=2, end=3, status="failed"
    )
    remember(store, R0_TO_DL1, again)

    answer = lineage(store, DL1.id)

    assert generation(answer, DL1) == generated_by(("r0_to_dl1", 0))
    assert answer.warnings == ()


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_a_file_that_only_a_failed_step_wrote_is_marked_and_warned_of(
    store: Store, status: str
) -> None:
    remember(store, Step(name="r0_to_dl1", used=[RAW], generated=[DL1], status=status))

    answer = lineage(store, DL1.id)

    assert [n.status for n in answer.nodes] == [status, status, None]
    assert answer.warnings == (
        f"/DL1/dl1_LST-1.Run01807.0001.h5 was made only by steps that are {status}",
    )


def test_the_content_that_was_used_names_its_version(store: Store) -> None:
    remember(
        store,
        Step(name="r0_to_dl1", used=[RAW], generated=[DL1.link(content="aa")]),
        Step(
            name="r0_to_dl1",
            used=[RAW],
            generated=[DL1.link(content="bb")],
            start=2,
            end=3,
        ),
        Step(
            name="dl1_to_dl2",
            used=[DL1.link(content="aa")],
            generated=[DL2],
            start=4,
            end=5,
        ),
    )

    answer = lineage(store, DL2.id)

    assert generation(answer, DL1) == generated_by(("r0_to_dl1", 0))


def test_what_was_written_while_it_was_read_is_a_time_conflict(
    store: Store,
) -> None:
    remember(
        store,
        Step(
            name="r0_to_dl1", used=[RAW], generated=[DL1], start=4, end=5, session="1"
        ),
        Step(name="dl1_to_dl2", used=[DL1], generated=[DL2], start=3, end=6),
    )

    back, on = lineage(store, DL2.id), impact(store, RAW.id)

    for_both = [[e.relation for e in a.edges if e.time_conflict] for a in (back, on)]
    assert for_both == [["used"], ["used"]]
    both = (back.completeness, on.completeness)
    assert [one.time_conflicts for one in both] == [1, 1]


def test_a_step_that_was_repeated_replaces_its_first_execution(store: Store) -> None:
    again = Step(name="r0_to_dl1", used=[RAW], generated=[DL1], start=2, end=3)
    remember(store, R0_TO_DL1, again)

    assert generation(lineage(store, DL1.id), DL1) == generated_by(("r0_to_dl1", 2))


def test_steps_with_other_data_are_all_writers_of_a_merged_file(store: Store) -> None:
    remember(
        store,
        Step(name="merge", used=[RAW, CONFIG], generated=[DL2], start=0, end=1),
        Step(name="merge", used=[RAW_2, CONFIG], generated=[DL2], start=2, end=3),
    )

    answer = lineage(store, DL2.id, options=RAW_LEVEL)

    assert generation(answer, DL2) == generated_by(("merge", 0), ("merge", 2))
    assert {leaf.entity for leaf in answer.leaves} == {RAW.id, RAW_2.id}


def test_a_merged_file_has_an_older_version_while_it_is_written(store: Store) -> None:
    """Who read it between two writers used what the first of them had written."""
    dl3 = file("/DL3/dl3_LST-1.Run01807.fits", "DL3File")
    remember(
        store,
        Step(name="merge", used=[RAW], generated=[DL2], start=0, end=1),
        Step(name="dl2_to_dl3", used=[DL2], generated=[dl3], start=2, end=2.5),
        Step(name="merge", used=[RAW_2], generated=[DL2], start=3, end=4),
    )

    assert entities(lineage(store, dl3.id)) == {dl3.id, DL2.id, RAW.id}
    assert entities(impact(store, RAW_2.id)) == {RAW_2.id, DL2.id}


def test_a_session_tag_is_no_evidence_of_another_product(store: Store) -> None:
    """Each of them handled one subrun of the run that the file stands for."""
    remember(
        store,
        Step(name="merge", used=[RAW], generated=[DL2], tag="merge:01806"),
        Step(name="merge", used=[RAW_2], generated=[DL2], start=2, end=3),
    )

    assert generation(lineage(store, DL2.id), DL2) == generated_by(
        ("merge", 0), ("merge", 2)
    )


@pytest.mark.parametrize(
    ("root", "origin"),
    [
        pytest.param(RAW, "raw", id="raw data"),
        pytest.param(CONFIG, "external", id="a file from outside"),
        pytest.param(undescribed("0dd0dd"), "unknown", id="what nobody described"),
    ],
)
def test_a_root_says_of_which_kind_it_is(store: Store, root: File, origin: str) -> None:
    remember(store, Step(name="r0_to_dl1", used=[root], generated=[DL1]))

    answer = lineage(store, DL1.id)

    assert answer.roots == (root.id,)
    assert [n.origin for n in answer.nodes] == [None, None, origin]


def test_activities_in_a_circle_end(store: Store) -> None:
    remember(
        store,
        Step(name="p", used=[DL1], generated=[DL2], start=0, end=1),
        Step(name="q", used=[DL2], generated=[DL1], start=0, end=1),
    )

    back, on = lineage(store, DL1.id), impact(store, DL1.id)

    assert entities(back) == entities(on) == {DL1.id, DL2.id}


def test_edges_point_as_prov_says_in_both_directions(store: Store) -> None:
    remember(store, R0_TO_DL1)

    back, on = lineage(store, DL1.id), impact(store, RAW.id)

    assert set(back.edges) == set(on.edges)
    assert edges(back, "wasGeneratedBy") == {(DL1.id, "r0_to_dl1")}
    assert edges(back, "used") == {("r0_to_dl1", RAW.id)}
