"""What a lineage asks of its store: no more often, and for no more, than it needs."""

from collections.abc import Collection, Iterable, Iterator

import pytest

from provdb.lineage import WalkOptions, lineage
from provdb.model import Document
from provdb.store.local import LocalStore
from tests.lineage.histories import File, Step, file, remember

RAW, OTHER_RAW = file("/R0/raw.fits.fz"), file("/R0/other.fits.fz")
DL1, DL2, DL3 = file("/DL1/dl1.h5"), file("/DL2/dl2.h5"), file("/DL3/dl3.fits")
CHAIN = (
    Step(name="r0_to_dl1", used=[RAW], generated=[DL1], start=0, end=1),
    Step(name="dl1ab", used=[DL1], generated=[DL1], start=2, end=3),
    Step(name="dl1_to_dl2", used=[DL1], generated=[DL2], start=4, end=5),
    Step(name="dl2_to_dl3", used=[DL2], generated=[DL3], start=6, end=7),
)


class ListeningStore(LocalStore):
    """A store that remembers what was asked.

    Attributes:
        described: Ids in each question for entities.
        traced: Ids in each question for generations.
    """

    def __init__(self) -> None:
        """Start in memory, with nothing asked."""
        super().__init__(None)
        self.described: list[set[str]] = []
        self.traced: list[set[str]] = []

    def entities(self, ids: Iterable[str]) -> Iterator[Document]:
        """Yield the entities that have these ids."""
        asked = list(ids)
        self.described.append(set(asked))
        return super().entities(asked)

    def generations(
        self, entities: Iterable[str], *, known: Collection[str] = ()
    ) -> Iterator[Document]:
        """Yield the activities that generated any of these entities."""
        asked = list(entities)
        self.traced.append(set(asked))
        return super().generations(asked, known=known)


@pytest.fixture
def listening() -> ListeningStore:
    """A store with a chain of steps, one of which overwrites a file."""
    store = ListeningStore()
    remember(store, *CHAIN)
    return store


def test_a_lineage_asks_for_the_entities_of_all_levels_at_once(
    listening: ListeningStore,
) -> None:
    lineage(listening, DL3.id)

    assert listening.described[0] == _ids(RAW, DL1, DL2, DL3)
    # And once whether a gap lies in a folder that somebody made.
    assert len(listening.described) == 2


def test_a_lineage_asks_for_the_activities_of_each_level_once(
    listening: ListeningStore,
) -> None:
    lineage(listening, DL3.id)

    assert listening.traced == [_ids(DL3), _ids(DL2), _ids(DL1), _ids(RAW)]


def test_what_another_session_overwrote_is_not_followed(
    listening: ListeningStore,
) -> None:
    """A file that is overwritten every night would bring in all the nights."""
    other = Step(
        name="r0_to_dl1",
        used=[OTHER_RAW],
        generated=[DL1],
        start=-2,
        end=-1,
        tag="r0_to_dl1:01806",
    )
    remember(listening, other)

    answer = lineage(listening, DL3.id)

    asked = set().union(*listening.traced)
    assert RAW.id in {node.entity for node in answer.nodes}
    assert (RAW.id in asked, OTHER_RAW.id in asked) == (True, False)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(WalkOptions(depth=1), id="depth"),
        pytest.param(WalkOptions(limit=2), id="limit"),
        pytest.param(WalkOptions(via=("dl2*",)), id="via"),
        pytest.param(WalkOptions(role="nothing"), id="role"),
    ],
)
def test_a_part_of_a_lineage_is_not_asked_for_all_of_it(
    listening: ListeningStore, options: WalkOptions
) -> None:
    lineage(listening, DL3.id, options=options)

    assert RAW.id not in set().union(*listening.traced)


def _ids(*files: File) -> set[str]:
    return {one.id for one in files}
