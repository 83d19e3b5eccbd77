"""Collapsed answers: one node for many, nothing lost, and the laws that hold."""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provdb.errors import QueryError
from provdb.ingest import ingest
from provdb.lineage import (
    Lineage,
    LineageEdge,
    LineageNode,
    collapse,
    impact,
    lineage,
    tree,
)
from provdb.model import fields as f
from provdb.store import Store, open_store
from tests.benchmarks.night import Night, write
from tests.lineage.histories import File, Step, at, file, stored
from tests.lineage.logs import SUBRUN_WISE
from tests.lineage.random_histories import RandomHistory, histories

_GRANULARITY = st.sampled_from(["activity", "run"])
_LEVELS = st.sampled_from(["DL1", "DL1", None])
# By whether each end is an activity.
_RELATIONS = {
    (True, False): "used",
    (False, True): "wasGeneratedBy",
    (False, False): "wasDerivedFrom",
}
_CONFIG = file("/cfg/lstchain_standard_config.json", "AnalysisConfigFile")
_DL2 = file("/DL2/dl2_LST-1.Run01807.h5", "DL2MergedFile")


@st.composite
def graphs(draw: st.DrawFn) -> Lineage:
    """Draw an answer: any graph of files and steps, with cycles, of few names."""
    count = draw(st.integers(1, 12))
    nodes = tuple(draw(_nodes(f"n{number:02d}")) for number in range(count))
    ends = st.sampled_from(nodes)
    pairs = draw(st.lists(st.tuples(ends, ends), max_size=20))
    edges = [
        LineageEdge(
            one.id,
            other.id,
            _RELATIONS[one.kind == "activity", other.kind == "activity"],
            draw(st.sampled_from([None, "DL1 subrun dataset"])),
            draw(st.sampled_from(["recorded", "order", "rule:moved_to_subfolder"])),
            draw(st.sampled_from([(), ("contested",), ("time_conflict",)])),
        )
        for one, other in pairs
        if (one.kind, other.kind) != ("activity", "activity")
    ]
    return Lineage(
        question={
            "id": draw(st.sampled_from([nodes[0].id, None])),
            "direction": draw(st.sampled_from(["upstream", "downstream"])),
        },
        start=nodes[0].id,
        nodes=nodes,
        edges=tuple({e[:4]: e for e in edges}.values()),
    )


@st.composite
def _nodes(draw: st.DrawFn, id_: str) -> LineageNode:
    run = draw(st.sampled_from([1, 1, 2]))
    subrun = draw(st.sampled_from([0, 1, None]))
    if draw(st.booleans()):
        return LineageNode(
            id_,
            "activity",
            draw(st.sampled_from(["p", "q", None])),
            run=run,
            subrun=subrun,
            session_tag=draw(st.sampled_from(["p:1", "q:2", None])),
            status=draw(st.sampled_from(["completed", "failed", "running"])),
            distance=draw(st.integers(0, 3)),
        )
    level = draw(_LEVELS)
    name = "a" if subrun is None else f"a_Run{run:05d}.{subrun:04d}.h5"
    return LineageNode(
        id_,
        "entity",
        f"{level}SubrunDataset",
        f"/{draw(st.sampled_from('xy'))}/{name}",
        level,
        run,
        subrun,
        distance=draw(st.integers(0, 3)),
    )


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A store with a night of a run of a hundred subruns; only to be read."""
    path = tmp_path_factory.mktemp("night") / "prov.log"
    write(Night(subruns=100), path)
    with open_store("memory://") as store:
        ingest(store, [path])
        yield store


def test_a_hundred_subruns_are_a_node_for_each_step_and_each_kind_of_file(
    hundred: Store,
) -> None:
    answer = lineage(hundred, "dl2_LST-1.Run01807.h5")

    collapsed = collapse(answer, to="run")

    assert len(answer.nodes) == 717
    assert [
        (node.kind, node.name, node.size)
        for node in collapsed.nodes
        if node.size is not None
    ] == [
        ("collection", "DL2Collection", 100),
        ("activity", "dl1_to_dl2", 100),
        ("collection", "DL1Collection", 100),
        ("activity", "dl1ab", 100),
        ("collection", "DL1Collection", 100),
        ("activity", "r0_to_dl1", 100),
        ("collection", "R0Collection", 100),
    ]
    assert len(collapsed.nodes) == 24


def test_a_path_that_is_read_and_written_again_is_two_collections(
    hundred: Store,
) -> None:
    """dl1ab writes where it reads: its files have two versions, and make no loop."""
    collapsed = collapse(lineage(hundred, "dl2_LST-1.Run01807.h5"), to="run")

    names = {node.id: node.name for node in collapsed.nodes}
    step = next(node.id for node in collapsed.nodes if node.name == "dl1ab")
    read = {e.target for e in collapsed.edges if e.source == step}
    written = {e.source for e in collapsed.edges if e.target == step}
    assert {names[one] for one in read} == {"DL1Collection", "AnalysisConfigFile"}
    assert {names[one] for one in written} == {"DL1Collection"}
    assert read.isdisjoint(written)


def test_a_collection_says_where_its_members_are_and_what_they_share(
    hundred: Store,
) -> None:
    collapsed = collapse(lineage(hundred, "dl2_LST-1.Run01807.h5"), to="run")

    (raw,) = (node for node in collapsed.nodes if node.name == "R0Collection")
    assert (raw.level, raw.run, raw.subrun, raw.origin) == ("R0", 1807, None, "raw")
    assert raw.folder == "/fefs/aswg/data/real/R0/20200117"
    assert raw.location == "/fefs/aswg/data/real/R0/20200117/"
    assert [one.subrun for one in collapsed.members(raw)] == list(range(100))


def test_one_subrun_is_left_as_it_is(hundred: Store) -> None:
    answer = lineage(hundred, "dl2_LST-1.Run01807.0007.h5")

    collapsed = collapse(answer, to="run")

    assert (collapsed.nodes, collapsed.edges) == (answer.nodes, answer.edges)


def test_a_collapsed_answer_leads_to_the_same_files_and_is_the_same_tree(
    hundred: Store,
) -> None:
    answer = lineage(hundred, "dl3_LST-1.Run01807.fits")

    collapsed = collapse(answer, to="run")

    assert collapsed.files_of_level("R0") == answer.files_of_level("R0")
    assert len(collapsed.files_of_level("R0")) == 100
    assert [(row.depth, row.files, row.steps) for row in tree(collapsed)] == [
        (row.depth, row.files, row.steps) for row in tree(answer)
    ]


def test_the_impact_of_a_calibration_file_is_a_node_for_each_step_of_a_run() -> None:
    answer = _sample(impact, "drs4_pedestal.Run01804.0000.h5")

    collapsed = collapse(answer, to="run")

    assert [
        (node.name, node.run, node.size)
        for node in collapsed.nodes
        if node.kind == "activity"
    ] == [
        ("r0_to_dl1", 1807, 11),
        ("r0_to_dl1", 1808, 9),
        ("calibrate_charge", 1809, None),
        ("dl1ab", 1807, 11),
        ("dl1_datacheck", 1807, 11),
        ("dl1ab", 1808, 9),
        ("dl1_datacheck", 1808, 9),
        ("dl1_to_dl2", 1807, 11),
        ("dl1_to_dl2", 1808, 9),
    ]


def test_activities_of_one_tag_are_one_whatever_their_runs() -> None:
    steps = [
        _made(run, subrun, tag="reprocessing") for run in (1, 2) for subrun in (0, 1)
    ]
    answer = impact(stored(*steps), _CONFIG.id)

    sizes = {
        to: [node.size for node in collapse(answer, to=to).nodes]
        for to in ("none", "activity")
    }

    assert sizes == {"none": [None] * 9, "activity": [None, 4, 4]}


def test_activities_of_two_tags_are_one_in_a_run() -> None:
    steps = [_made(1, subrun, tag=f"worker{subrun}:00001") for subrun in (0, 1)]
    answer = impact(stored(*steps), _CONFIG.id)

    sizes = {
        to: [node.size for node in collapse(answer, to=to).nodes]
        for to in ("activity", "run")
    }

    assert sizes == {"activity": [None] * 5, "run": [None, 2, 2]}


def test_two_productions_of_a_run_are_two() -> None:
    """They have the same names, tags and runs, and write into different folders."""
    steps = [
        Step(
            name="r0_to_dl1",
            used=[_CONFIG],
            generated=[
                file(f"/DL1/{production}/{kind}_LST-1.Run00001.{subrun:04d}.h5", kind)
                for kind in ("dl1", "muons")[:kinds]
            ],
            tag="r0_to_dl1:00001",
        )
        for production in ("v0.1.0", "v0.2.0")
        for subrun, kinds in ((0, 1), (1, 2), (2, 1))
    ]
    failed = Step(name="r0_to_dl1", used=[_CONFIG], status="failed")
    answer = impact(stored(*steps, replace(failed, tag="r0_to_dl1:00001")), _CONFIG.id)

    collapsed = collapse(answer, to="run")

    assert sorted(
        node.size or 1 for node in collapsed.nodes if node.kind == "activity"
    ) == [1, 3, 3]
    assert {node.folder for node in collapsed.nodes if node.kind == "collection"} == {
        "/DL1/v0.1.0",
        "/DL1/v0.2.0",
    }


def test_folders_of_subruns_are_one_production_and_so_is_what_wrote_nothing() -> None:
    steps = [
        Step(
            name="r0_to_dl1",
            used=[_CONFIG],
            generated=[file(f"/w/{subrun:04d}/dl1_LST-1.Run00001.{subrun:04d}.h5")],
            tag="r0_to_dl1:00001",
        )
        for subrun in (0, 1)
    ]
    failed = replace(steps[0], generated=[], status="failed")

    collapsed = collapse(impact(stored(*steps, failed), _CONFIG.id), to="run")

    assert [node.size for node in collapsed.nodes] == [None, 3, 2]


def test_a_collapsed_step_begins_with_the_first_and_ends_as_the_worst() -> None:
    steps = [
        replace(_made(1, 0), start=2, end=9),
        replace(_made(1, 1), start=1, end=4, status="failed"),
        replace(_made(1, 2), start=3, end=5, status="failed"),
    ]
    answer = impact(stored(*steps), _CONFIG.id)

    (step,) = (n for n in collapse(answer).nodes if n.kind == "activity")

    assert (step.start, step.end) == (at(1), at(9))
    assert step.status == "failed"
    assert step.statuses == (("failed", 2), ("completed", 1))


def test_a_collapsed_step_has_no_end_while_a_member_is_running() -> None:
    steps = [_made(1, 0), replace(_made(1, 1), end=None)]
    answer = impact(stored(*steps), _CONFIG.id)

    (step,) = (n for n in collapse(answer).nodes if n.kind == "activity")

    assert (step.status, step.end) == ("running", None)


def test_a_second_pass_over_the_same_files_is_no_cycle() -> None:
    """A step that reads what the step of the same name wrote is a node of its own."""
    subruns = [_subrun("DL1", 1, number) for number in (0, 1)]
    steps = [
        Step(name=name, used=[one] * reads, generated=[one], start=start, end=start + 1)
        for name, reads, start in (
            ("r0_to_dl1", 0, 0),
            ("dl1ab", 1, 5),
            ("dl1ab", 1, 9),
        )
        for one in subruns
    ]
    merge = Step(name="merge", used=subruns, generated=[_DL2], start=20, end=21)
    answer = lineage(stored(*steps, merge), _DL2.id)

    collapsed = collapse(answer, to="run")

    assert [(node.name, node.size) for node in collapsed.nodes] == [
        ("DL2MergedFile", None),
        ("merge", None),
        ("DL1Collection", 2),
        ("dl1ab", 2),
        ("DL1Collection", 2),
        ("dl1ab", 2),
        ("DL1Collection", 2),
        ("r0_to_dl1", 2),
    ]
    assert not _on_cycles(collapsed)


def test_files_of_different_kinds_are_not_one_collection() -> None:
    """Also where nobody says of what kind they are: their names differ."""
    steps = [
        Step(
            name="r0_to_dl1",
            used=[_CONFIG],
            generated=[
                file(f"/DL1/dl1_LST-1.Run00001.{subrun:04d}.h5", ""),
                file(f"/DL1/muons_LST-1.Run00001.{subrun:04d}.fits", ""),
            ],
            tag="r0_to_dl1:00001",
        )
        for subrun in (0, 1)
    ]

    collapsed = collapse(impact(stored(*steps), _CONFIG.id))

    assert [node.size for node in collapsed.nodes] == [None, 2, 2, 2]


def test_files_without_a_subrun_that_one_step_made_are_one_collection() -> None:
    steps = [
        Step(
            name="plot",
            used=[_CONFIG],
            generated=[file(f"/plots/{part}/p.pdf", "Plot")],
            tag="plot:1",
        )
        for part in "ab"
    ]

    collapsed = collapse(impact(stored(*steps), _CONFIG.id), to="activity")

    plots = collapsed.nodes[-1]
    assert (plots.size, plots.folder, plots.location) == (2, None, None)


def test_what_was_asked_for_is_a_node_of_its_own() -> None:
    raw = [_subrun("R0", 1, number) for number in (0, 1)]
    steps = [
        Step(
            name="r0_to_dl1",
            used=raw,
            generated=[_subrun("DL1", 1, number)],
            tag="r0_to_dl1:00001",
        )
        for number in (0, 1)
    ]

    collapsed = collapse(impact(stored(*steps), raw[0].id), to="run")

    assert collapsed.start == raw[0].id
    assert collapsed.nodes[0].id == raw[0].id


def test_an_unknown_granularity_is_refused() -> None:
    answer = impact(stored(_made(1, 0)), _CONFIG.id)

    with pytest.raises(QueryError, match="none, activity, run, not to night"):
        collapse(answer, to="night")


@settings(max_examples=60)
@given(graphs(), _GRANULARITY)
def test_every_node_stands_in_one_node_and_every_edge_in_one_edge(
    answer: Lineage, to: str
) -> None:
    """Nothing is lost, and nothing is there that no record says."""
    collapsed = collapse(answer, to=to)

    part = _parts(collapsed)
    standing = [one.id for n in collapsed.nodes for one in collapsed.members(n)]
    assert sorted(standing) == sorted(node.id for node in answer.nodes)
    assert collapsed.start == part[answer.start]
    assert {edge[:4] for edge in collapsed.edges} == {
        edge._replace(source=source, target=target)[:4]
        for edge in answer.edges
        for source, target in [(part[edge.source], part[edge.target])]
        if source != target or source == edge.source
    }


@settings(max_examples=60)
@given(graphs(), _GRANULARITY)
def test_an_edge_has_a_mark_exactly_if_one_that_stands_in_it_has_it(
    answer: Lineage, to: str
) -> None:
    collapsed = collapse(answer, to=to)

    part = _parts(collapsed)
    marks = {
        (part[edge.source], part[edge.target], *edge[2:4], mark)
        for edge in answer.edges
        for mark in edge.marks
    }
    ends = {edge[:4] for edge in collapsed.edges}
    assert {(*edge[:4], mark) for edge in collapsed.edges for mark in edge.marks} == {
        mark for mark in marks if mark[:4] in ends
    }


@settings(max_examples=60)
@given(graphs(), _GRANULARITY)
def test_what_came_from_a_node_still_comes_from_the_node_in_which_it_stands(
    answer: Lineage, to: str
) -> None:
    collapsed = collapse(answer, to=to)

    part = _parts(collapsed)
    reached, parts_reached = _reach(answer), _reach(collapsed)
    assert [
        (one, other)
        for one, others in reached.items()
        for other in others
        if part[one] != part[other] and part[other] not in parts_reached[part[one]]
    ] == []


@settings(max_examples=120)
@given(graphs(), _GRANULARITY)
def test_no_cycle_comes_about(answer: Lineage, to: str) -> None:
    """An edge on a cycle holds one that was on a cycle before."""
    collapsed = collapse(answer, to=to)

    part = _parts(collapsed)
    assert _on_cycles(collapsed) <= {
        (part[source], part[target]) for source, target in _on_cycles(answer)
    }


@settings(max_examples=60)
@given(graphs(), _GRANULARITY, st.randoms(use_true_random=False))
def test_the_order_of_nodes_and_edges_does_not_matter(
    answer: Lineage, to: str, chance: random.Random
) -> None:
    nodes, edges = list(answer.nodes), list(answer.edges)
    chance.shuffle(nodes)
    chance.shuffle(edges)
    shuffled = replace(answer, nodes=tuple(nodes), edges=tuple(edges))

    assert _in_order(collapse(shuffled, to=to)) == _in_order(collapse(answer, to=to))


@settings(max_examples=60)
@given(graphs(), _GRANULARITY)
def test_an_answer_in_json_can_be_opened_again(answer: Lineage, to: str) -> None:
    whole = answer.to_dict()

    shown = collapse(answer, to=to).to_dict()

    inside = shown["opened"]
    own = [node for node in shown["nodes"] if "members" not in node]
    listed = [id_ for node in shown["nodes"] for id_ in node.get("members", ())]
    assert sorted(listed) == sorted(node["id"] for node in inside["nodes"])
    assert _as_set([*own, *inside["nodes"]]) == _as_set(whole["nodes"])
    ids = {node["id"] for node in own}
    between = [e for e in shown["edges"] if {e["source"], e["target"]} <= ids]
    assert _as_set([*between, *inside["edges"]]) == _as_set(whole["edges"])


@settings(max_examples=60)
@given(graphs(), _GRANULARITY, _GRANULARITY)
def test_a_collapsed_answer_collapses_as_the_open_one_does(
    answer: Lineage, to: str, then: str
) -> None:
    collapsed = collapse(answer, to=to)

    assert collapse(collapsed, to=then) == collapse(answer, to=then)
    assert collapse(collapsed, to="none") is answer


@settings(max_examples=30)
@given(histories())
def test_an_answer_of_any_history_collapses_without_a_new_cycle(
    history: RandomHistory,
) -> None:
    store = stored(*history.parts)
    (first, *_) = store.scan(f.ENTITIES)
    answers = [ask(store, first[f.ID]) for ask in (lineage, impact)]

    collapsed = [collapse(answer) for answer in answers]

    assert [one.opened for one in collapsed] == answers
    assert [one for one in collapsed if _on_cycles(one)] == [
        one for one in collapsed if _on_cycles(one) and _on_cycles(_opened(one))
    ]


def _subrun(level: str, run: int, subrun: int) -> File:
    name = f"{level.lower()}_LST-1.Run{run:05d}.{subrun:04d}.h5"
    return file(f"/{level}/{name}", f"{level}SubrunDataset")


def _made(run: int, subrun: int, *, tag: str | None = None) -> Step:
    return Step(
        name="r0_to_dl1",
        used=[_CONFIG],
        generated=[_subrun("DL1", run, subrun)],
        tag=tag or f"r0_to_dl1:{run:05d}",
    )


def _sample(ask: Callable[..., Lineage], name: str) -> Lineage:
    with open_store("memory://") as store:
        ingest(store, [SUBRUN_WISE])
        return ask(store, name)


def _in_order(answer: Lineage) -> dict[str, Any]:
    return {**answer.to_dict(), "roots": sorted(answer.roots)}


def _opened(collapsed: Lineage) -> Lineage:
    assert collapsed.opened is not None
    return collapsed.opened


def _parts(collapsed: Lineage) -> dict[str, str]:
    return {one.id: n.id for n in collapsed.nodes for one in collapsed.members(n)}


def _reach(answer: Lineage) -> dict[str, set[str]]:
    """Return what each node reaches by one edge or more."""
    reached: dict[str, set[str]] = {node.id: set() for node in answer.nodes}
    for start in reached:
        todo = [start]
        while todo:
            here = todo.pop()
            found = {e.target for e in answer.edges if e.source == here}
            todo += found - reached[start]
            reached[start] |= found
    return reached


def _on_cycles(answer: Lineage) -> set[tuple[str, str]]:
    reached = _reach(answer)
    return {
        (edge.source, edge.target)
        for edge in answer.edges
        if edge.source in reached[edge.target]
    }


def _as_set(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    return {repr(sorted(row.items())) for row in rows}
