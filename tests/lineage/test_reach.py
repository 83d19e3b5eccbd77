"""What many things come from is what each of them comes from, taken together."""

from hypothesis import given, settings

from provdb.lineage import impact, lineage, reach
from provdb.lineage.result import Lineage
from provdb.model import fields as f
from provdb.store import Store
from tests.lineage.histories import Step, file, remember, stored
from tests.lineage.random_histories import RandomHistory, histories


@settings(max_examples=60)
@given(histories())
def test_upstream_of_many_is_the_lineage_of_each(history: RandomHistory) -> None:
    store = stored(*history.parts)
    known = _known(store, history)

    reached = reach(store, entities=known, is_upstream=True)

    answers = [lineage(store, one) for one in known]
    assert reached.activities == {id_ for a in answers for id_ in _activities(a)}
    assert reached.entities == {
        edge_end for answer in answers for edge_end in _entities_behind(answer)
    }


@settings(max_examples=60)
@given(histories())
def test_downstream_of_many_is_the_impact_of_each(history: RandomHistory) -> None:
    store = stored(*history.parts)
    known = _known(store, history)

    reached = reach(store, entities=known, is_upstream=False)

    answers = [impact(store, one) for one in known]
    assert reached.activities == {id_ for a in answers for id_ in _activities(a)}


def test_what_came_from_an_activity_begins_with_what_it_made(store: Store) -> None:
    raw, dl1, dl2 = file("/R0/raw.fits.fz"), file("/DL1/dl1.h5"), file("/DL2/dl2.h5")
    first = Step(name="r0_to_dl1", used=[raw], generated=[dl1], start=0, end=1)
    second = Step(name="dl1_to_dl2", used=[dl1], generated=[dl2], start=2, end=3)
    remember(store, raw, dl1, dl2, first, second)
    (start,) = [a[f.ID] for a in store.find(f.ACTIVITIES, {f.NAME: "r0_to_dl1"})]

    reached = reach(store, activities=[start], is_upstream=False)
    answer = impact(store, start)

    assert reached.entities == {dl1.id, dl2.id}
    assert {node.entity for node in answer.nodes if node.kind == "entity"} == {
        dl1.id,
        dl2.id,
    }


def _known(store: Store, history: RandomHistory) -> list[str]:
    ids = [one.id for one in history.files]
    return sorted(document[f.ID] for document in store.read(f.ENTITIES, ids))


def _activities(answer: Lineage) -> set[str]:
    return {node.id for node in answer.nodes if node.kind == "activity"}


def _entities_behind(answer: Lineage) -> set[str]:
    """Return the entities that an edge leads to, which is away from the start."""
    entities = {node.id: node.entity for node in answer.nodes}
    targets = {entities[edge.target] for edge in answer.edges}
    return {entity for entity in targets if entity is not None}
