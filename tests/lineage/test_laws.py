"""Laws of lineage and impact, on histories drawn at random."""

import random
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from provdb.lineage import LINK_RULES, Lineage, WalkOptions, impact, lineage
from provdb.lineage.history import History, Node, Step
from provdb.lineage.loaded import Loaded
from provdb.model import fields as f
from provdb.model import fold
from provdb.store import Store
from tests.lineage.histories import at, stored
from tests.lineage.random_histories import RandomHistory, histories
from tests.lineage.reference import generations_behind

_TIMES = st.integers(0, 9)


@settings(max_examples=40)
@given(histories())
def test_what_is_in_the_lineage_of_a_version_has_that_version_in_its_impact(
    history: RandomHistory,
) -> None:
    """One is asked for by the names of versions, as a user would."""
    store = stored(*history.parts)
    names = _names_of_versions(store, history)

    upstream = {(b, a) for b in names for a in _ids(lineage(store, b)) & names}
    downstream = {(b, a) for a in names for b in _ids(impact(store, a)) & names}

    assert upstream == downstream


@settings(max_examples=40)
@given(histories())
def test_lineage_and_impact_agree_on_versions_that_have_no_name(
    history: RandomHistory,
) -> None:
    """What nothing generated has no name of its own once somebody generates it."""
    known = _history(stored(*history.parts), history)
    versions = _versions(known, history)

    upstream = {(b, a) for b in versions for a in _reach(b, known.upstream) & versions}
    downstream = {
        (b, a) for a in versions for b in _reach(a, known.downstream) & versions
    }

    assert upstream == downstream


@settings(max_examples=40)
@given(histories())
def test_a_lineage_reaches_what_the_whole_history_says(history: RandomHistory) -> None:
    """Reading level by level what a walk needs leaves nothing out."""
    store = stored(*history.parts)
    known = _history(store, history)

    walked = {one: _ids(lineage(store, one)) for one in _known(store, history)}

    assert walked == {
        entity: {node.id for node in _reach(known.now(entity), known.upstream)}
        for entity in walked
    }


@settings(max_examples=40)
@given(histories())
def test_the_version_that_there_is_now_is_one_of_the_versions(
    history: RandomHistory,
) -> None:
    known = _history(stored(*history.parts), history)

    current = {one.id: known.now(one.id) for one in history.files}

    assert {
        entity for entity in current if current[entity] in known.versions(entity)
    } == set(current)


@settings(max_examples=40)
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_writing_does_not_matter(
    history: RandomHistory, chance: random.Random
) -> None:
    parts = list(history.parts)
    chance.shuffle(parts)

    shuffled = stored()
    for part in parts:
        shuffled.write(fold(part.records()))

    assert _answers(shuffled, history) == _answers(stored(*history.parts), history)


@settings(max_examples=40)
@given(histories())
def test_an_answer_has_every_node_and_edge_once_and_both_ends_of_each_edge(
    history: RandomHistory,
) -> None:
    store = stored(*history.parts)

    answers = [
        ask(store, one) for ask in (lineage, impact) for one in _known(store, history)
    ]

    assert [
        answer
        for answer in answers
        if len(_ids(answer)) != len(answer.nodes)
        or len(set(answer.edges)) != len(answer.edges)
        or not {end for edge in answer.edges for end in (edge.source, edge.target)}
        <= _ids(answer)
    ] == []


@settings(max_examples=40)
@given(histories(), _TIMES)
def test_an_answer_as_of_a_time_is_that_of_a_store_that_ends_there(
    history: RandomHistory, time: int
) -> None:
    store = stored(*history.parts)
    before = stored(*history.until(time).parts)
    options = WalkOptions(as_of=at(time))
    known = [
        one
        for one in _known(store, history)
        if not history.was_written_later(one, time)
    ]

    asked_now = [
        _answer(ask(store, one, options=options))
        for ask in (lineage, impact)
        for one in known
    ]

    assert asked_now == [
        _answer(ask(before, one)) for ask in (lineage, impact) for one in known
    ]


@settings(max_examples=100)
@given(histories(with_gaps=False))
def test_lineage_reaches_what_the_rules_read_plainly_say(
    history: RandomHistory,
) -> None:
    """The reference follows the documentation, one rule after another."""
    store = stored(*history.parts)
    documents = {name: list(store.scan(name)) for name in (f.ACTIVITIES, f.ENTITIES)}

    reached = {one: _generations(lineage(store, one)) for one in _known(store, history)}

    assert reached == {
        entity: generations_behind(entity, documents) for entity in reached
    }


def _known(store: Store, history: RandomHistory) -> list[str]:
    """Return the entities that can be asked for: those that are described."""
    ids = [one.id for one in history.files]
    return sorted(document[f.ID] for document in store.read(f.ENTITIES, ids))


def _history(store: Store, history: RandomHistory) -> History:
    loaded = Loaded(store, rules=LINK_RULES, as_of=None)
    loaded.load_readers(one.id for one in history.files)
    return History(loaded)


def _versions(known: History, history: RandomHistory) -> set[Node]:
    return {
        version
        for one in history.files
        for version in (*known.versions(one.id), known.now(one.id))
    }


def _names_of_versions(store: Store, history: RandomHistory) -> set[str]:
    """Return the names under which a version can be asked for, also that of now."""
    known = _history(store, history)
    return {
        version.id
        for entity in _known(store, history)
        for version in {*known.versions(entity), known.now(entity)}
        if version.tag is not None or version == known.now(entity)
    }


def _reach(start: Node, step: Callable[[Node], Iterable[Step]]) -> set[Node]:
    reached = {start}
    todo = [start]
    while todo:
        found = {other for other, _ in step(todo.pop())} - reached
        reached |= found
        todo += found
    return reached


def _ids(answer: Lineage) -> set[str]:
    return {node.id for node in answer.nodes}


def _answer(answer: Lineage) -> dict[str, Any]:
    return {**answer.to_dict(), "question": None}


def _answers(store: Store, history: RandomHistory) -> list[dict[str, Any]]:
    known = _known(store, history)
    return [ask(store, one).to_dict() for ask in (lineage, impact) for one in known]


def _generations(answer: Lineage) -> set[tuple[str, str]]:
    """Return (entity, activity that generated it) of all edges of an answer."""
    entities = {node.id: node.entity or "" for node in answer.nodes}
    return {
        (entities[edge.source], edge.target)
        for edge in answer.edges
        if edge.relation == "wasGeneratedBy"
    }
