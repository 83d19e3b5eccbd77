"""Derivations, members, and what is no file."""

import re
from pathlib import Path

import pytest

from provdb.ingest import ingest
from provdb.lineage import WalkOptions, impact, lineage
from provdb.store import Store
from tests.lineage.histories import (
    Step,
    collection,
    edges,
    entities,
    file,
    generated_by,
    generation,
    remember,
)
from tests.lineage.logs import RUN_WISE

RAW = file("/R0/LST-1.1.Run01807.0001.fits.fz", "R0SubrunDataset")
DL1 = file("/DL1/dl1_LST-1.Run01807.0001.h5", "DL1SubrunDataset")
DL2 = file("/DL2/dl2_LST-1.Run01807.0001.h5", "DL2SubrunDataset")
NOTES = file("/notes.txt", "Notes")
PAPER = file("/paper.txt", "Notes")
ALL_DL1 = collection("c011ec71")

R0_TO_DL1 = Step(name="r0_to_dl1", used=[RAW], generated=[DL1], start=0, end=1)
RAW_LEVEL = WalkOptions(leaf_level="R0")


def test_a_derivation_is_followed_beside_the_generation(store: Store) -> None:
    remember(store, R0_TO_DL1, DL1.derived(NOTES), NOTES)

    answer = lineage(store, DL1.id)

    assert edges(answer, "wasDerivedFrom") == {(DL1.id, NOTES.id)}
    assert generation(answer, DL1) == generated_by(("r0_to_dl1", 0))


def test_a_derivation_is_followed_where_nothing_was_generated(store: Store) -> None:
    remember(store, PAPER.derived(NOTES), NOTES)

    assert edges(lineage(store, PAPER.id), "wasDerivedFrom") == {(PAPER.id, NOTES.id)}
    assert edges(impact(store, NOTES.id), "wasDerivedFrom") == {(PAPER.id, NOTES.id)}


def test_a_derivation_from_what_a_failed_step_may_have_damaged_says_so(
    store: Store,
) -> None:
    remember(
        store,
        Step(name="r0_to_dl1", used=[RAW], generated=[DL1], start=0, end=1),
        Step(name="dl1ab", generated=[DL1], start=2, end=3, status="failed"),
        NOTES.derived(DL1),
    )

    back, on = lineage(store, NOTES.id), impact(store, DL1.id)

    for answer in (back, on):
        (edge,) = [e for e in answer.edges if e.relation == "wasDerivedFrom"]
        assert edge.marks == ("maybe_damaged",)
    assert len(back.completeness.damaged) == 1


def test_a_derivation_names_the_version_that_there_was_then(store: Store) -> None:
    remember(
        store,
        R0_TO_DL1,
        Step(name="convert", generated=[NOTES], start=2, end=3),
        Step(name="r0_to_dl1", used=[RAW], generated=[DL1], start=4, end=5),
        NOTES.derived(DL1),
    )

    answer = lineage(store, NOTES.id)

    assert generation(answer, DL1) == generated_by(("r0_to_dl1", 0))


def test_a_derivation_of_a_merged_file_is_from_when_its_last_part_was_written(
    store: Store,
) -> None:
    other = file("/R0/LST-1.1.Run01807.0002.fits.fz", "R0SubrunDataset")
    merged = file("/DL2/dl2_LST-1.Run01807.h5", "DL2MergedFile")
    remember(
        store,
        Step(name="merge", used=[RAW], generated=[merged], start=0, end=1),
        Step(name="write", generated=[NOTES], start=2, end=3),
        Step(name="merge", used=[other], generated=[merged], start=4, end=5),
        merged.derived(NOTES),
    )

    answer = lineage(store, merged.id)

    assert generation(answer, NOTES) == generated_by(("write", 2))
    assert answer.warnings == ()


def test_a_file_derived_from_itself_comes_from_its_version_before(store: Store) -> None:
    remember(
        store,
        R0_TO_DL1,
        Step(name="dl1ab", generated=[DL1], start=2, end=3),
        DL1.derived(DL1),
    )

    answer = lineage(store, DL1.id, options=RAW_LEVEL)

    assert generation(answer, DL1) == generated_by(("dl1ab", 2), ("r0_to_dl1", 0))
    assert [leaf.entity for leaf in answer.leaves] == [RAW.id]


def test_derivations_in_a_circle_end(store: Store) -> None:
    remember(store, PAPER.derived(NOTES), NOTES.derived(PAPER))

    assert entities(lineage(store, PAPER.id)) == {PAPER.id, NOTES.id}
    assert PAPER.id in entities(impact(store, PAPER.id))


def test_the_members_of_a_collection_are_followed(store: Store) -> None:
    remember(
        store,
        R0_TO_DL1,
        ALL_DL1.holding(DL1),
        Step(name="dl1_to_dl2", used=[ALL_DL1], generated=[DL2], start=2, end=3),
    )

    answer = lineage(store, DL2.id, options=RAW_LEVEL)

    assert edges(answer, "hadMember") == {(ALL_DL1.id, DL1.id)}
    assert [leaf.entity for leaf in answer.leaves] == [RAW.id]
    assert DL2.id in entities(impact(store, RAW.id))


def test_the_content_of_a_collection_says_nothing_of_its_members(
    store: Store,
) -> None:
    first, again = (
        Step(
            name="r0_to_dl1",
            used=[RAW],
            generated=[DL1.link(content=content)],
            start=start,
            end=start + 1,
        )
        for content, start in (("aa", 0), ("bb", 2))
    )
    reader = Step(
        name="dl1_to_dl2",
        used=[ALL_DL1.link(content="aa")],
        generated=[DL2],
        start=4,
        end=5,
    )
    remember(store, first, again, ALL_DL1.holding(DL1), reader)

    answer = lineage(store, DL2.id)

    assert generation(answer, DL1) == generated_by(("r0_to_dl1", 2))


def test_members_that_their_reader_overwrites_are_those_from_before(
    store: Store,
) -> None:
    """An activity such as dl1ab reads a collection and writes its members anew."""
    remember(
        store,
        R0_TO_DL1,
        ALL_DL1.holding(DL1),
        Step(name="dl1ab", used=[ALL_DL1], generated=[DL1], start=2, end=3),
    )

    answer = lineage(store, DL1.id, options=RAW_LEVEL)

    assert generation(answer, DL1) == generated_by(("dl1ab", 2), ("r0_to_dl1", 0))
    assert [leaf.entity for leaf in answer.leaves] == [RAW.id]
    assert answer.warnings == ()


def test_the_files_in_a_collection_can_come_from_other_sessions(store: Store) -> None:
    """Only the collection itself means something within its session alone."""
    remember(
        store,
        Step(name="r0_to_dl1", used=[RAW], generated=[DL1], session="1"),
        ALL_DL1.holding(DL1),
        Step(name="dl1_to_dl2", used=[ALL_DL1], generated=[DL2], start=2, session="2"),
    )

    answer = lineage(store, DL2.id, options=RAW_LEVEL)

    assert [leaf.entity for leaf in answer.leaves] == [RAW.id]


def test_a_collection_in_a_collection_is_that_of_the_same_session(
    store: Store,
) -> None:
    night = collection("a11a11", "DL1NightCollection")
    other = file("/R0/LST-1.1.Run01808.0001.fits.fz", "R0SubrunDataset")
    remember(
        store,
        Step(name="r0_to_dl1", used=[RAW], generated=[ALL_DL1], session="1"),
        Step(name="r0_to_dl1", used=[other], generated=[ALL_DL1], start=1, session="2"),
        night.holding(ALL_DL1),
        Step(name="dl1_to_dl2", used=[night], generated=[DL2], start=4, session="1"),
    )

    answer = lineage(store, DL2.id, options=RAW_LEVEL)

    assert [leaf.entity for leaf in answer.leaves] == [RAW.id]


def test_a_collection_asked_for_is_that_of_its_latest_session(store: Store) -> None:
    other = file("/R0/LST-1.1.Run01808.0001.fits.fz", "R0SubrunDataset")
    remember(
        store,
        Step(name="r0_to_dl1", used=[RAW], generated=[ALL_DL1], session="1"),
        Step(name="r0_to_dl1", used=[other], generated=[ALL_DL1], start=1, session="2"),
    )

    answer = lineage(store, ALL_DL1.id, options=RAW_LEVEL)

    assert [leaf.entity for leaf in answer.leaves] == [other.id]


@pytest.mark.parametrize(
    ("product", "run"),
    [
        pytest.param("dl2_LST-1.Run01807.h5", 1807, id="the run of the sample"),
        pytest.param("dl2_LST-1.Run01907.h5", 1907, id="the other run"),
    ],
)
def test_collections_of_two_runs_with_one_id_do_not_mix(
    store: Store, tmp_path: Path, product: str, run: int
) -> None:
    """The collections of every run of a night have the same ids in such logs."""
    ingest(store, [RUN_WISE, _of_another_run(tmp_path)])

    answer = lineage(store, product, options=RAW_LEVEL)

    runs = {node.run for node in answer.nodes if node.kind == "activity"}
    assert runs == {run, 1804, 1809}
    assert [leaf.run for leaf in answer.leaves] == [run]


def test_the_impact_of_a_collection_stays_in_its_session(
    store: Store, tmp_path: Path
) -> None:
    ingest(store, [RUN_WISE, _of_another_run(tmp_path)])

    answer = impact(store, "datacheck_dl1_LST-1.Run01907.h5")

    assert len(answer.nodes) == 1


def _of_another_run(folder: Path) -> Path:
    """Write the product log of a run that differs in the number and the times."""
    text = RUN_WISE.read_text()
    another = re.sub(r"01807", "01907", text)
    # The files of the run have other paths, so other ids; the collections have not.
    paths = re.findall(
        r"'entity_id': '(\w+)', [^{}]*'filepath': '([^']*01807[^']*)'", text
    )
    for old, path in paths:
        another = another.replace(old, file(path.replace("01807", "01907")).id)
    another = another.replace("2026-11-22T17:05:5", "2026-11-22T17:06:5")
    written = folder / "calibration_to_dl2_01907_prov.log"
    written.write_text(another)
    return written
