"""However the same records are delivered, every store holds the same documents."""

import random
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from provdb.errors import RecordError
from provdb.model import Folder, Record, fold, kind_of, unfold
from provdb.model import fields as f
from provdb.model.records import Kind
from provdb.store import Store, WriteCounts, copy_store, open_store
from provdb.store.base import batches
from provdb.store.validators import check
from tests.benchmarks.night import Night, lines
from tests.model.literals import records as any_records
from tests.model.test_fold import fold_what_can_be
from tests.samples import (
    LOGS,
    NIGHT_LOG,
    RUN_LOG,
    SLIDES_LOG,
    every_log,
    read_log,
    records_of,
    stored_in,
    texts_of,
    together,
)

NewStore = Callable[[], Store]
StartProcess = Callable[..., subprocess.Popen[str]]

# A process that writes its part of a log piece by piece, and says each.
WRITER = """
import sys
from pathlib import Path
from provdb.model import fold
from provdb.store import open_store
from provdb.store.base import batches
from tests.samples import read_log, records_of

uri, log, first, step, size = sys.argv[1:]
records = records_of(read_log(Path(log)))[int(first)::int(step)]
print("ready", flush=True)
input()
with open_store(uri) as store:
    for piece in batches(records, int(size)):
        store.write(fold(piece))
        print("wrote", flush=True)
print("done", flush=True)
"""


def write_pieces(store: Store, pieces: Iterable[Sequence[Record]]) -> None:
    """Write pieces of a log as processes that know nothing of each other do."""
    for piece in pieces:
        store.write(fold(piece))


@every_log
def test_a_store_holds_the_documents_that_the_records_make(
    new_store: NewStore, log: Path
) -> None:
    store, documents = new_store(), fold(records_of(read_log(log)))

    store.write(documents)

    assert stored_in(store) == together(documents)


@every_log
def test_from_a_store_the_records_come_back(new_store: NewStore, log: Path) -> None:
    store, records = new_store(), records_of(read_log(log))

    store.write(fold(records))

    scanned = {name: list(store.scan(name)) for name in f.COLLECTIONS}
    assert texts_of(unfold(scanned)) == texts_of(records)


def test_all_samples_in_one_store_are_the_documents_of_all(new_store: NewStore) -> None:
    store = new_store()
    logs = [records_of(read_log(log)) for log in LOGS]

    write_pieces(store, logs)

    assert stored_in(store) == together(
        fold([record for records in logs for record in records])
    )


@every_log
def test_writing_again_changes_nothing(new_store: NewStore, log: Path) -> None:
    store, documents = new_store(), fold(records_of(read_log(log)))
    first = store.write(documents)
    before = stored_in(store)

    again = store.write(documents)

    assert stored_in(store) == before
    assert first == {
        name: WriteCounts(added=len(documents.get(name, ()))) for name in f.COLLECTIONS
    }
    assert again == {
        name: WriteCounts(unchanged=len(documents.get(name, ())))
        for name in f.COLLECTIONS
    }


@pytest.mark.parametrize(
    ("log", "step"),
    [
        pytest.param(SLIDES_LOG, 1, id="slides"),
        pytest.param(RUN_LOG, 1, id="run-wise"),
        pytest.param(NIGHT_LOG, 160, id="night"),
    ],
)
def test_where_a_log_is_cut_does_not_matter(
    new_store: NewStore, log: Path, step: int
) -> None:
    records = records_of(read_log(log))
    cuts = range(1, len(records), step)

    wrong = [cut for cut in cuts if not is_same_when_cut(new_store(), records, cut=cut)]

    assert wrong == []


@pytest.mark.parametrize(
    "log", [pytest.param(SLIDES_LOG, id="slides"), pytest.param(RUN_LOG, id="run-wise")]
)
def test_where_a_log_is_cut_does_not_matter_when_the_end_comes_first(
    new_store: NewStore, log: Path
) -> None:
    records = records_of(read_log(log))
    halves = [(records[cut:], records[:cut]) for cut in range(1, len(records))]

    wrong = [h for h in halves if not is_same_in_pieces(new_store(), records, pieces=h)]

    assert wrong == []


def is_same_when_cut(store: Store, records: Sequence[Record], *, cut: int) -> bool:
    return is_same_in_pieces(store, records, pieces=(records[:cut], records[cut:]))


def is_same_in_pieces(
    store: Store, records: Sequence[Record], *, pieces: Iterable[Sequence[Record]]
) -> bool:
    write_pieces(store, pieces)
    return stored_in(store) == together(fold(records))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("log", "size"),
    [
        pytest.param(SLIDES_LOG, 1, id="slides, one by one"),
        pytest.param(RUN_LOG, 5, id="run-wise"),
        pytest.param(NIGHT_LOG, 150, id="night"),
    ],
)
def test_the_order_of_records_does_not_matter(
    new_store: NewStore, log: Path, size: int, seed: int
) -> None:
    store, records = new_store(), records_of(read_log(log))
    shuffled = random.Random(seed).sample(records, len(records))

    write_pieces(store, batches(shuffled, size))

    assert stored_in(store) == together(fold(records))


Placed = tuple[int, Record]


def write_placed(store: Store, pieces: Iterable[Sequence[Placed]]) -> None:
    """Write pieces of a log with the places that its records have in it."""
    for piece in pieces:
        folder = Folder()
        for place, record in piece:
            folder.add(record, source="prov.log", place=place)
        store.write(folder.take())


@given(chance=st.randoms(use_true_random=False), size=st.integers(1, 40))
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_places_of_records_are_kept_in_any_pieces_and_any_order(
    new_store: NewStore, chance: random.Random, size: int
) -> None:
    placed = list(enumerate(records_of(read_log(RUN_LOG)), 1))
    shuffled = chance.sample(placed, len(placed))
    whole, store = new_store(), new_store()
    write_placed(whole, [placed])

    write_placed(store, batches(shuffled, size))
    once = stored_in(store)
    write_placed(store, batches(placed, size))

    assert once == stored_in(whole)
    assert stored_in(store) == once


def test_the_order_of_processes_does_not_matter(new_store: NewStore) -> None:
    store, records = new_store(), records_of(read_log(NIGHT_LOG))
    executions = list(each_execution(records))
    random.Random(1).shuffle(executions)

    write_pieces(store, batches(chain.from_iterable(executions), 333))

    assert stored_in(store) == together(fold(records))


def each_execution(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Yield the records of each process, which begins with its session."""
    execution: list[Record] = []
    for record in records:
        if "session_id" in record and execution:
            yield execution
            execution = []
        execution.append(record)
    yield execution


def test_a_night_of_interleaved_processes_is_the_same_in_pieces(
    new_store: NewStore,
) -> None:
    night = Night(subruns=12, activity_seconds=0.002)
    records = records_of("\n".join(lines(night)).encode())
    store = new_store()

    write_pieces(store, batches(records, 97))

    assert stored_in(store) == together(fold(records))


def orderly(record: dict[Any, Any]) -> dict[Any, Any]:
    """Make the ids of activities such that none is that of two executions."""
    activity_id = record.get("activity_id")
    if activity_id is None:
        return record
    fixed = {"startTime": "2020-05-18T14:18:06", "in_session": 7, "name": "r0_to_dl1"}
    tagged = {**record, "session_tag": f"r0_to_dl1:0{activity_id}"}
    return {**tagged, **fixed} if kind_of(record) is Kind.START else tagged


@given(
    records=st.lists(any_records().map(orderly), min_size=1, max_size=8),
    chance=st.randoms(use_true_random=False),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_records_in_any_pieces_are_the_same_documents(
    new_store: NewStore, records: list[Record], chance: random.Random
) -> None:
    taken, documents = fold_what_can_be(records)
    assume(taken)
    store = new_store()

    write_pieces(store, [[record] for record in chance.sample(taken, len(taken))])

    assert stored_in(store) == together(documents)


@pytest.mark.mongo
@every_log
def test_both_stores_hold_the_very_same(
    new_local_store: NewStore, new_mongo_store: NewStore, log: Path
) -> None:
    documents = fold(records_of(read_log(log)))
    local, mongo = new_local_store(), new_mongo_store()

    local.write(documents)
    mongo.write(documents)

    assert [*map(list, map(local.scan, f.COLLECTIONS))] == [
        *map(list, map(mongo.scan, f.COLLECTIONS))
    ]


@every_log
def test_every_stored_document_follows_its_schema(
    new_store: NewStore, log: Path
) -> None:
    store = new_store()
    store.write(fold(records_of(read_log(log))))

    for collection in f.COLLECTIONS:
        check(collection, store.scan(collection))


def test_a_document_that_does_not_follow_its_schema_is_refused(
    new_store: NewStore,
) -> None:
    store, documents = new_store(), fold(records_of(read_log(SLIDES_LOG)))
    documents[f.ACTIVITIES][0]["colour"] = "red"
    store.initialise()

    with pytest.raises(RecordError, match=r"activities .*colour"):
        store.write(documents)

    assert stored_in(store) == {}


def test_a_value_of_any_depth_that_is_taken_can_be_stored(new_store: NewStore) -> None:
    deep: Any = []
    for _ in range(87):
        deep = [deep]
    start = {"activity_id": "a", "name": "x", "startTime": "2020-05-18"}
    parameters = {"activity_id": "a", "parameters": {"deep": deep}}
    store = new_store()

    write_pieces(store, [[start, parameters], [{"activity_id": "a", "endTime": 1}]])

    (activity,) = store.scan(f.ACTIVITIES)
    assert activity[f.PARAMETERS] == {"deep": deep}


def test_two_executions_with_one_id_stay_two_in_pieces(new_store: NewStore) -> None:
    start = {"activity_id": "621ca2", "name": "r0_to_dl1", "session_tag": "r0_to_dl1:1"}
    usage = {"activity_id": "621ca2", "used_id": "446f45", "session_tag": "r0_to_dl1:1"}
    store = new_store()

    write_pieces(
        store,
        [
            [start | {"startTime": "2020-05-18T14:00:00"}, usage],
            [start | {"startTime": "2020-05-18T15:00:00"}, usage | {"used_id": "74"}],
        ],
    )

    used = [[u[f.ENTITY] for u in a[f.USED]] for a in store.scan(f.ACTIVITIES)]
    assert sorted(used) == [["446f45"], ["74"]]


def _of_one_start() -> list[Record]:
    tagged = {"session_tag": "r0_to_dl1:01618", "startTime": "2020-05-18T14:18:06"}
    session = {**tagged, "session_id": 8739478486569}
    first = {"executable": "/usr/bin/python3", "arguments": ["-s", "1"]}
    second = {"executable": "/opt/python3", "arguments": ["-s", "2"]}
    return [
        {**session, "system": first},
        {**session, "system": second},
        session,
        {**session, "system": {}},
        {
            **tagged,
            "activity_id": "621ca2",
            "name": "r0_to_dl1",
            "in_session": 8739478486569,
        },
    ]


@pytest.mark.parametrize("size", [1, 2])
def test_which_of_two_executions_of_one_start_comes_first_does_not_matter(
    new_store: NewStore, size: int
) -> None:
    records = _of_one_start()
    orders = list(permutations(records))

    wrong = [
        order
        for order in orders
        if not is_same_in_pieces(new_store(), records, pieces=batches(order, size))
    ]

    assert wrong == []


def test_an_activity_with_its_own_session_learns_of_the_other_execution(
    new_store: NewStore,
) -> None:
    one, other, *_, start = records = _of_one_start()
    deliveries = [[one, start], [other, start]], [[other, start], [one, start]]
    expected = [[*records[:2], start]] * 2

    same = [
        is_same_in_pieces(new_store(), whole, pieces=pieces)
        for pieces, whole in zip(deliveries, expected, strict=True)
    ]

    assert same == [True, True]


@pytest.mark.parametrize("is_swapped", [False, True])
def test_copies_of_two_executions_of_one_start_are_those_of_both(
    new_store: NewStore, is_swapped: bool
) -> None:
    one, other, *_, start = _of_one_start()
    pieces = [[one, start], [other, start]][:: -1 if is_swapped else 1]
    target = new_store()

    for piece in pieces:
        with open_store("memory://") as source:
            source.write(fold(piece))
            copy_store(source, target)

    assert stored_in(target) == together(fold([one, other, start]))


@pytest.mark.slow
def test_many_processes_write_one_log_into_one_new_store(
    store_uri: str, store: Store, start_process: StartProcess
) -> None:
    arguments = [(store_uri, str(NIGHT_LOG), str(n), "8", "12") for n in range(8)]
    processes = [start_process(WRITER, *each) for each in arguments]
    ready = [process.stdout.readline() for process in processes if process.stdout]

    said = [process.communicate("go\n", timeout=60) for process in go(processes)]

    assert ready == ["ready\n"] * 8
    assert [errors for _, errors in said] == [""] * 8
    assert stored_in(store) == together(fold(records_of(read_log(NIGHT_LOG))))


def go(processes: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    """Let all begin at the same time."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return processes


@pytest.mark.slow
@pytest.mark.parametrize("pieces", [1, 7, 30])
def test_a_process_that_is_killed_leaves_a_store_that_can_be_completed(
    store_uri: str, store: Store, start_process: StartProcess, pieces: int
) -> None:
    process = start_process(WRITER, store_uri, str(NIGHT_LOG), "0", "1", "20")
    go([process])
    assert process.stdout is not None
    for _ in range(1 + pieces):
        process.stdout.readline()
    process.kill()
    process.wait()
    documents = fold(records_of(read_log(NIGHT_LOG)))
    partial = stored_in(store)

    store.write(documents)

    assert partial
    assert stored_in(store) == together(documents)
