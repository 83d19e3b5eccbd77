"""Files whose parts are known by their names alone: joined where known, else gaps."""

from collections.abc import Callable, Iterable
from pathlib import Path

import h5py
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provdb.errors import Ambiguous
from provdb.ingest import ingest
from provdb.lineage import (
    Lineage,
    WalkOptions,
    find_name,
    impact,
    lineage,
    link_rules,
    versions,
)
from provdb.model import fold
from provdb.query import find
from provdb.store import Store, open_store
from tests.lineage.histories import (
    File,
    Step,
    entities,
    file,
    remember,
    stored,
    undescribed,
)

LOG = Path(__file__).parent.parent / "data/cases/report-32-hdf5-merged/prov.log"
RUN = "dl1_LST-1.Run09401.h5"
SUBRUN_1 = "dl1_LST-1.Run09401.0001.h5"
RULE = "same_name"
RAW = file("/R0/LST-1.1.Run01807.0001.fits.fz", "R0SubrunDataset")
PART = "dl1_LST-1.Run01807.0001.h5"
PART_NAME = file(PART)
PART_FILE = file(f"/DL1/v1/{PART}", "DL1SubrunDataset")
OTHER_PART = file("dl1_LST-1.Run01807.0002.h5")
MERGED = file("/merged/dl1_LST-1.Run01807.h5").holding(PART_NAME, OTHER_PART)
WRITING = Step(name="r0_to_dl1", used=[RAW], generated=[PART_FILE], start=0, end=1)
DESCRIBED = (PART_NAME, OTHER_PART, MERGED)


@pytest.fixture
def merged(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a merged file with the names of its parts."""

    def make(name: str, parts: Iterable[str], *, attribute: str | None = None) -> Path:
        path = tmp_path / name
        with h5py.File(path, "w") as opened:
            opened.attrs["LSTCHAIN_VERSION"] = "0.10.5"
            if attribute is not None:
                opened.attrs["SOURCE_FILENAMES"] = attribute
            else:
                opened["source_filenames/filenames"] = list(parts)
        return path

    return make


@pytest.fixture
def run(store: Store, merged: Callable[..., Path]) -> Store:
    """Return a store that knows a merged file, and who made three of its 500 parts."""
    path = merged(RUN, (f"dl1_LST-1.Run09401.{part:04d}.h5" for part in range(500)))
    ingest(store, [path, LOG])
    return store


def relations(answer: Lineage, relation: str) -> list[tuple[str, str, str]]:
    """Return (from, to, evidence) of the edges of one relation, by location."""
    places = {node.id: str(node.location) for node in answer.nodes}
    return sorted(
        (places[edge.source], places[edge.target], edge.evidence)
        for edge in answer.edges
        if edge.relation == relation
    )


def move_away(step: Step, source: File) -> dict[str, str]:
    """Return the record that a step removed a file from where it was."""
    return {
        "activity_id": step.activity_id,
        "session_tag": step.session_tag,
        "invalidated_id": source.id,
    }


def gaps(answer: Lineage) -> list[str]:
    """Return the locations of the gaps of an answer, or their ids, in order."""
    nodes = {node.id: node for node in answer.nodes}
    return sorted(nodes[id_].location or id_ for id_ in answer.completeness.gaps)


def test_all_named_parts_of_a_merged_file_are_its_members(run: Store) -> None:
    answer = lineage(run, RUN)

    members = relations(answer, "hadMember")
    assert len(members) == 500
    assert {evidence for _, _, evidence in members} == {"recorded"}


def test_parts_are_joined_with_the_files_of_these_names_and_others_are_gaps(
    run: Store,
) -> None:
    answer = lineage(run, RUN, options=WalkOptions(leaf_level="R0"))

    names = [f"dl1_LST-1.Run09401.{part:04d}.h5" for part in range(500)]
    assert relations(answer, "wasDerivedFrom") == [
        (name, f"/fefs/DL1/{name}", f"rule:{RULE}") for name in names[:3]
    ]
    assert gaps(answer) == names[3:]
    assert answer.completeness.inferred == 3
    assert [leaf.subrun for leaf in answer.leaves] == [0, 1, 2]


def test_a_merged_file_is_of_its_run(run: Store) -> None:
    (start, *_) = lineage(run, RUN).nodes

    assert (start.kind, start.level, start.run) == ("collection", "DL1", 9401)


@pytest.mark.parametrize(
    "name", [SUBRUN_1, f"/fefs/DL1/{SUBRUN_1}", "LST-1.1.Run09401.0001.fits.fz"]
)
def test_the_impact_of_a_part_reaches_the_merged_file(run: Store, name: str) -> None:
    answer = impact(run, name)

    assert RUN in {str(node.location).rpartition("/")[2] for node in answer.nodes}


def test_a_query_reaches_raw_data_through_the_names_of_parts(run: Store) -> None:
    back = find(run, f"upstream(file:{RUN}) level:R0 | count")
    on = find(run, "downstream(file:LST-1.1.Run09401.0001.fits.fz) run:9401 level:DL1")

    assert list(back) == [{"count": 3}]
    assert f"/{RUN}" in {row["location"][-len(RUN) - 1 :] for row in on}


def test_a_version_is_in_the_impact_of_what_is_in_its_lineage(store: Store) -> None:
    again = Step(name="r0_to_dl1", used=[RAW], generated=[PART_FILE], start=3, end=4)
    remember(store, WRITING, again, *DESCRIBED)
    current, earlier = versions(store, PART_FILE.id)

    back = {node.id for node in lineage(store, MERGED.id).nodes}
    on = {node.id for node in impact(store, current.id).nodes}
    of_earlier = entities(impact(store, earlier.id))

    assert current.id in back
    assert earlier.id not in back
    assert lineage(store, MERGED.id).start in on
    assert MERGED.id not in of_earlier


def test_order_of_ingestion_and_store_change_nothing(
    store: Store, merged: Callable[..., Path]
) -> None:
    path = merged(RUN, [SUBRUN_1, "dl1_LST-1.Run09401.0003.h5"])
    with open_store("memory://") as other:
        ingest(other, [LOG])
        ingest(other, [path])
        expected = lineage(other, RUN).to_dict()
    ingest(store, [path])
    ingest(store, [LOG])

    assert lineage(store, RUN).to_dict() == expected


def test_a_name_that_several_files_have_is_linked_to_none_and_that_is_said(
    store: Store,
) -> None:
    other = file(f"/DL1/v2/{PART}", "DL1SubrunDataset")
    again = Step(name="r0_to_dl1", used=[RAW], generated=[other], start=3, end=4)
    remember(store, WRITING, again, *DESCRIBED)

    answer = lineage(store, MERGED.id)

    assert relations(answer, "wasDerivedFrom") == []
    assert gaps(answer) == [PART, OTHER_PART.fields[1][1]]
    assert answer.completeness.ties == (
        f"{PART} can be any of 2 files by the link rule {RULE}, so it was linked to "
        f"none: /DL1/v1/{PART}, /DL1/v2/{PART}",
    )


def test_a_file_that_was_moved_is_one_file(store: Store) -> None:
    below = file(f"/DL1/v1/tailcut84/{PART}", "DL1SubrunDataset")
    reading = Step(name="dl1_to_dl2", used=[below], generated=[], start=3, end=4)
    remember(store, WRITING, reading, *DESCRIBED)

    answer = lineage(store, MERGED.id)

    assert relations(answer, "wasDerivedFrom") == [
        (f"/DL1/v1/tailcut84/{PART}", f"/DL1/v1/{PART}", "rule:moved_to_tailcut"),
        (PART, f"/DL1/v1/tailcut84/{PART}", f"rule:{RULE}"),
    ]
    assert answer.completeness.ties == ()
    assert MERGED.id in entities(impact(store, RAW.id))


def test_a_file_whose_move_is_recorded_is_where_it_was_moved_to(store: Store) -> None:
    target = file(f"/archive/{PART}", "DL1SubrunDataset")
    move = Step(name="mv", used=[PART_FILE], generated=[target], start=3, end=4)
    remember(store, WRITING, *DESCRIBED)
    store.write(fold([*move.records(), move_away(move, PART_FILE)]))

    answer = lineage(store, MERGED.id)

    assert (PART, f"/archive/{PART}", f"rule:{RULE}") in relations(
        answer, "wasDerivedFrom"
    )
    assert answer.completeness.ties == ()


def test_a_file_that_nobody_is_known_to_have_written_has_its_name_all_the_same(
    store: Store,
) -> None:
    raw_name = file("LST-1.1.Run01807.0001.fits.fz")
    dl1 = file("/DL1/dl1_LST-1.Run01807.0001.h5").derived(raw_name)
    reading = Step(name="r0_to_dl1", used=[RAW], start=0, end=1)
    remember(store, reading, raw_name, dl1)

    back, on = lineage(store, dl1.id), impact(store, RAW.id)

    assert {RAW.id, raw_name.id} <= entities(back)
    assert dl1.id in entities(on)
    assert back.completeness.gaps == ()


def test_a_part_that_was_written_after_the_merged_file_was_read_is_not_joined(
    store: Store,
) -> None:
    dl2 = file("/DL2/dl2_LST-1.Run01807.h5", "DL2MergedFile")
    late = Step(name="r0_to_dl1", used=[RAW], generated=[PART_FILE], start=5, end=6)
    reading = Step(name="dl1_to_dl2", used=[MERGED], generated=[dl2], start=1, end=2)
    remember(store, late, reading, PART_NAME, OTHER_PART)

    assert PART_FILE.id not in entities(lineage(store, dl2.id))
    assert PART_FILE.id in entities(lineage(store, MERGED.id))


def test_a_named_part_is_the_input_of_that_name_of_a_recorded_step(
    store: Store,
) -> None:
    whole = file("/merged/dl1_LST-1.Run01807.h5").holding(PART_NAME)
    other = file(f"/DL1/v2/{PART}", "DL1SubrunDataset")
    again = Step(name="r0_to_dl1", used=[RAW], generated=[other], start=1, end=2)
    merging = Step(name="merge_dl1", used=[PART_FILE], generated=[whole], start=3)
    remember(store, WRITING, again, merging, PART_NAME)

    answer = lineage(store, whole.id)

    assert entities(answer) == {whole.id, PART_FILE.id, RAW.id}
    assert answer.completeness.ties == ()
    assert whole.id not in entities(impact(store, other.id))


def test_a_named_part_that_a_recorded_step_did_not_use_is_a_gap(store: Store) -> None:
    merging = Step(name="merge_dl1", used=[PART_FILE], generated=[MERGED], start=3)
    remember(store, WRITING, merging, PART_NAME, OTHER_PART)

    answer = lineage(store, MERGED.id)

    assert entities(answer) == {MERGED.id, PART_FILE.id, RAW.id, OTHER_PART.id}
    assert gaps(answer) == [OTHER_PART.fields[1][1]]


def test_names_that_are_cut_off_do_not_matter_where_a_recorded_step_used_data(
    store: Store,
) -> None:
    whole = file("/merged/dl1_LST-1.Run01807.h5")
    whole = whole.holding(PART_NAME, undescribed("names are cut off"))
    merging = Step(name="merge_dl1", used=[PART_FILE], generated=[whole], start=3)
    remember(store, WRITING, merging, PART_NAME)

    assert lineage(store, whole.id).completeness.is_complete


def test_a_part_that_a_recorded_step_used_is_a_member_too(store: Store) -> None:
    whole = file("/merged/dl1_LST-1.Run01807.h5").holding(PART_FILE)
    merging = Step(name="merge_dl1", used=[PART_FILE], generated=[whole], start=3)
    remember(store, WRITING, merging)

    members = relations(lineage(store, whole.id), "hadMember")

    assert [(target, how) for _, target, how in members] == [
        (f"/DL1/v1/{PART}", "recorded")
    ]


def test_without_rules_parts_are_not_joined(run: Store) -> None:
    answer = lineage(run, RUN, options=WalkOptions(rules=()))

    assert len(answer.completeness.gaps) == 500
    assert relations(answer, "wasDerivedFrom") == []


def test_a_store_can_restrict_the_rule_to_some_entities(run: Store) -> None:
    rules = link_rules([{"name": RULE, "folder": "unknown", "entities": ["DL3*"]}])

    answer = lineage(run, RUN, options=WalkOptions(rules=rules))

    assert len(answer.completeness.gaps) == 500


def test_files_that_name_each_other_end_a_walk(store: Store) -> None:
    names = file("dl1_LST-1.Run01807.h5"), file("dl1_LST-1.Run01808.h5")
    one = file("/a/dl1_LST-1.Run01807.h5").holding(names[1], OTHER_PART)
    other = file("/a/dl1_LST-1.Run01808.h5").holding(names[0], OTHER_PART)
    remember(store, *names, OTHER_PART, one, other)

    assert {one.id, other.id} <= entities(lineage(store, one.id))
    assert {one.id, other.id} <= entities(impact(store, one.id))


def test_a_file_name_means_the_file_whose_folder_is_known(store: Store) -> None:
    remember(store, WRITING, *DESCRIBED)

    assert find_name(store, PART).location == f"/DL1/v1/{PART}"
    assert find_name(store, PART_NAME.id).location == PART


def test_a_file_name_that_an_activity_used_keeps_its_meaning(store: Store) -> None:
    reading = Step(name="dl1_to_dl2", used=[PART_NAME], start=3, end=4)
    remember(store, WRITING, reading)

    assert find_name(store, PART).location == PART


def test_a_file_name_of_several_folders_is_ambiguous_beside_a_merged_file(
    store: Store,
) -> None:
    other = file(f"/DL1/v2/{PART}", "DL1SubrunDataset")
    again = Step(name="r0_to_dl1", used=[RAW], generated=[other], start=3, end=4)
    remember(store, WRITING, again, *DESCRIBED)

    with pytest.raises(Ambiguous) as raised:
        find_name(store, PART)

    assert list(raised.value.candidates) == [f"/DL1/v1/{PART}", f"/DL1/v2/{PART}"]


def test_names_that_are_cut_off_are_a_gap(
    store: Store, merged: Callable[..., Path]
) -> None:
    text = str([f"dl1_LST-1.Run09402.{part:04d}.h5" for part in range(3000)])
    path = merged("dl1_LST-1.Run09402.h5", [], attribute=text[:64_000])
    ingest(store, [path])

    answer = lineage(store, str(path))

    assert len(answer.completeness.gaps) == 2134
    assert f"names are cut off: {path}" in gaps(answer)


def test_all_parts_of_a_merged_simulation_are_there(
    store: Store, merged: Callable[..., Path]
) -> None:
    names = [
        "dl1_node_corsika_theta_56.069_az_65.502_.h5",
        "dl1_node_corsika_theta_63.108_az_296.803_.h5",
    ]
    runs = [f"dl1_gamma_20deg_180deg_run{run}___mono.h5" for run in (1000, 1001)]
    node, whole = merged(names[0], runs), merged("dl1_GammaDiffuse.h5", names)
    ingest(store, [node, whole])

    answer = lineage(store, str(whole))

    members = {target for _, target, _ in relations(answer, "hadMember")}
    assert members == {str(node), names[1], *runs}


def test_three_thousand_parts_are_joined_with_three_thousand_files(
    store: Store,
) -> None:
    names = [f"dl1_LST-1.Run09402.{part:04d}.h5" for part in range(3000)]
    files = [file(f"/DL1/{name}", "DL1SubrunDataset") for name in names]
    parts = [file(name) for name in names]
    step = Step(name="r0_to_dl1", generated=files)
    whole = file("/merged/dl1_LST-1.Run09402.h5").holding(*parts)
    remember(store, step, whole, *parts)

    answer = lineage(store, whole.id)

    assert answer.completeness.inferred == 3000
    assert answer.completeness.gaps == ()
    assert whole.id in entities(impact(store, files[2999].id))


@st.composite
def merges(draw: st.DrawFn) -> list[Step | File]:
    """Draw a history of subruns in some folders, and of files that name them."""
    names = [f"dl1_LST-1.Run01807.000{subrun}.h5" for subrun in range(3)]
    folders = st.sets(st.sampled_from(["/a", "/b", "/a/tailcut84"]), min_size=1)
    written = [
        file(f"{folder}/{name}", "DL1SubrunDataset")
        for name in names
        for folder in sorted(draw(folders))
    ]
    parts = [file(name) for name in names]
    chosen = st.lists(st.sampled_from(parts), min_size=1, max_size=3, unique=True)
    runs = [
        file(f"/m/dl1_LST-1.Run0180{run}.h5").holding(*draw(chosen)) for run in (7, 8)
    ]
    run_name = file("dl1_LST-1.Run01807.h5")
    night = file("/n/dl1_LST-1.Run01899.h5").holding(
        run_name, draw(st.sampled_from(parts))
    )
    dl2 = file("/d/dl2_LST-1.Run01807.h5")
    kinds = {
        "r0_to_dl1": ([RAW], written),
        "dl1ab": (written, written),
        "merge": (written, runs),
        "dl1_to_dl2": ([*runs, night], [dl2]),
    }
    steps = [
        Step(
            name=name,
            used=[draw(st.sampled_from(kinds[name][0]))],
            generated=[draw(st.sampled_from(kinds[name][1]))],
            start=2 * start,
            end=2 * start + draw(st.integers(1, 2)),
        )
        for start, name in enumerate(draw(st.lists(st.sampled_from(sorted(kinds)))))
    ]
    return [*parts, *runs, run_name, night, *steps]


def known_versions(store: Store) -> set[str]:
    """Return the ids of all versions that the lineage of any file holds."""
    files = [document["_id"] for document in store.find("entities", {})]
    return {id_ for one in files for id_ in version_ids(lineage(store, one))}


def version_ids(answer: Lineage) -> set[str]:
    """Return the ids of the versions of an answer."""
    return {node.id for node in answer.nodes if node.version is not None}


@settings(max_examples=60, deadline=None)
@given(merges())
def test_a_version_is_in_an_impact_exactly_when_that_one_is_in_its_lineage(
    history: list[Step | File],
) -> None:
    store = stored(*history)
    ids = known_versions(store)

    back = {(a, b) for b in ids for a in ids & version_ids(lineage(store, b))}
    on = {(a, b) for a in ids for b in ids & version_ids(impact(store, a))}

    assert back == on
