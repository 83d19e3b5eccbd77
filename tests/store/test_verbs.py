"""Every store answers the same questions in the same way."""

import signal
from collections.abc import Callable, Iterable

import pytest

from provdb.errors import StoreUnavailable
from provdb.model import Document, fold, location_id
from provdb.model import fields as f
from provdb.store import Store
from provdb.store.base import batches
from provdb.store.local import LocalStore
from tests.samples import NIGHT_LOG, read_log, records_of

NewStore = Callable[[], Store]
PEDESTAL = "21617da81522592415543ffc60cfcfd8"


@pytest.fixture
def night(new_store: NewStore) -> Store:
    """A store that holds the sample of a night."""
    store = new_store()
    store.write(fold(records_of(read_log(NIGHT_LOG))))
    return store


def names_of(documents: Iterable[Document]) -> list[str]:
    return sorted(document[f.NAME] for document in documents)


def test_documents_are_read_by_their_ids(night: Store) -> None:
    found = night.read(f.ENTITIES, [PEDESTAL, PEDESTAL, "nothing"])

    assert [entity[f.NAME] for entity in found] == ["PedestalFile"]


@pytest.mark.parametrize("collection", f.COLLECTIONS)
def test_nothing_is_found_by_no_ids(night: Store, collection: str) -> None:
    assert night.read(collection, []) == []


def test_more_ids_than_one_message_holds_are_read(night: Store) -> None:
    ids = [location_id(str(number)) for number in range(25_000)]

    assert len(night.read(f.ENTITIES, [*ids, PEDESTAL])) == 1


def test_a_scan_is_in_the_order_of_ids(night: Store) -> None:
    ids = [entity[f.ID] for entity in night.scan(f.ENTITIES)]

    assert ids == sorted(ids)
    assert len(ids) > 100


def test_a_scan_of_many_documents_yields_each_once(new_store: NewStore) -> None:
    store = new_store()
    store.write(fold({"entity_id": f"{number:05}"} for number in range(1203)))

    ids = [entity[f.ID] for entity in store.scan(f.ENTITIES)]

    assert ids == [f"{number:05}" for number in range(1203)]


def test_what_generated_a_file_is_found(night: Store) -> None:
    assert names_of(night.generations([PEDESTAL])) == ["drs4_pedestal"]


def test_what_used_a_file_is_found(night: Store) -> None:
    used = names_of(night.usages([PEDESTAL, "nothing"]))

    assert set(used) == {"calibrate_charge", "r0_to_dl1"}
    assert len(used) == 21


def test_what_is_derived_from_a_file_or_holds_it_is_found(new_store: NewStore) -> None:
    store = new_store()
    store.write(
        fold(
            [
                {"entity_id": "dl1", "progenitor_id": "r0"},
                {"entity_id": "all", "member_id": "r0"},
                {"entity_id": "both", "member_id": "r0"},
                {"entity_id": "both", "progenitor_id": "r0"},
                {"entity_id": "other", "progenitor_id": "dl1"},
            ]
        )
    )

    found = [entity[f.ID] for entity in store.descendants(["r0"])]

    assert sorted(found) == ["all", "both", "dl1"]


def test_files_of_one_name_are_found_in_any_folder(new_store: NewStore) -> None:
    store = new_store()
    places = ("/DL1/a/dl1.h5", "/DL1/b/dl1.h5", "/DL1/dl12.h5")
    store.write(fold({"entity_id": place, "filepath": place} for place in places))

    found = [entity[f.ID] for entity in store.named(["dl1.h5"])]

    assert sorted(found) == ["/DL1/a/dl1.h5", "/DL1/b/dl1.h5"]
    assert list(store.file_names()) == ["dl1.h5", "dl12.h5"]


def test_documents_whose_id_starts_so_are_found_in_order(new_store: NewStore) -> None:
    store = new_store()
    ids = ["a", "ab", "ab\U0010fffd", "abc", "b", "aB", "a_", "a%"]
    store.write(fold({"entity_id": id_} for id_ in ids))

    found = [e[f.ID] for e in store.starting(f.ENTITIES, "ab", limit=9)]
    first = [e[f.ID] for e in store.starting(f.ENTITIES, "a", limit=2)]

    assert found == ["ab", "abc", "ab\U0010fffd"]
    assert first == ["a", "a%"]


def test_a_name_that_no_store_can_hold_is_that_of_nothing(night: Store) -> None:
    assert night.named(["\udcff.h5"]) == []
    assert night.read(f.ENTITIES, ["\udcff"]) == []
    assert list(night.usages(["\udcff"])) == []
    assert night.starting(f.ENTITIES, "\udcff", limit=1) == []


def test_a_link_that_is_gone_is_not_found(new_store: NewStore) -> None:
    store = new_store()
    start = {"activity_id": "a", "name": "x", "session_tag": "x:1"}
    store.write(fold([{"activity_id": "a", "used_id": "e", "session_tag": "x:1"}]))

    store.write(fold([start]))

    (activity,) = store.usages(["e"])
    assert activity[f.NAME] == "x"


def test_documents_are_counted(night: Store) -> None:
    counts = {stats.name: stats.documents for stats in night.stats()}

    assert counts == {name: len(list(night.scan(name))) for name in f.STORED}


def test_batches_are_of_the_size_that_is_asked() -> None:
    assert [len(batch) for batch in batches(range(10), 4)] == [4, 4, 2]


@pytest.mark.parametrize(
    ("collection", "field", "low", "beyond", "smallest"),
    [
        (f.ACTIVITIES, f.NAME, "", "\U0010ffff", "calibrate_charge"),
        (f.ACTIVITIES, f.NAME, "d", "\U0010ffff", "dl1_datacheck"),
        (f.ACTIVITIES, f.NAME, "dl1_datacheck\0", "\U0010ffff", "dl1_to_dl2"),
        (f.ACTIVITIES, f.NAME, "dl1_datacheck\0", "dl1_to_dl2", None),
        (f.ACTIVITIES, f.RUN, 1805, 10_000, 1807),
        (f.ACTIVITIES, f.RUN, 1808, 1808, None),
        (f.ENTITIES, f.FILE_NAME, "dl2", "dl3", "dl2_LST-1.Run01807.0000.h5"),
        (f.ENTITIES, f.LOCATION, "0", "1", None),
    ],
)
def test_the_smallest_value_of_a_span(
    night: Store, collection: str, field: str, low: str, beyond: str, smallest: str
) -> None:
    assert night.smallest(collection, field, low=low, beyond=beyond) == smallest


@pytest.mark.parametrize("size", [1, 7, 81, 82, 500])
def test_a_sample_has_different_documents(night: Store, size: int) -> None:
    found = night.sample(f.ACTIVITIES, size=size)

    assert len({activity[f.ID] for activity in found}) == len(found)
    assert min(size, 82) * 0.9 <= len(found) <= min(size, 82)


def test_a_sample_matches_a_filter(night: Store) -> None:
    found = night.sample(f.ACTIVITIES, size=5, filter_={f.NAME: "dl1ab"})

    assert names_of(found) == ["dl1ab"] * 5


def test_the_documents_of_a_collection_are_counted(night: Store) -> None:
    assert night.document_count(f.ACTIVITIES) == 82
    assert night.document_count(f.FILES) == 0


def test_what_takes_too_long_ends(night: Store) -> None:
    def ask() -> None:
        with night.within(1e-6):
            list(night.find(f.ACTIVITIES, {}))

    with pytest.raises(StoreUnavailable, match="no whole answer in time"):
        ask()

    assert len(list(night.find(f.ACTIVITIES, {}))) == 82


_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "


def test_one_statement_of_sqlite_ends_in_time(new_local_store: NewStore) -> None:
    store = new_local_store()
    store.initialise()
    assert isinstance(store, LocalStore)

    with (
        store.within(0.05),
        pytest.raises(StoreUnavailable, match="no whole answer in time"),
    ):
        store._rows(f"{_ENDLESS} SELECT max(i) FROM n", ())


def test_ctrl_c_ends_one_statement_of_sqlite(new_local_store: NewStore) -> None:
    store = new_local_store()
    store.initialise()
    assert isinstance(store, LocalStore)
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)

    signal.setitimer(signal.ITIMER_REAL, 0.05)
    with store.within(None), pytest.raises(KeyboardInterrupt):
        store._rows(f"{_ENDLESS} SELECT max(i) FROM n", ())

    signal.signal(signal.SIGALRM, previous)
