"""Records become documents and come back, whatever they are and however they come."""

import random
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provdb.errors import RecordError
from provdb.model import Document, Folder, Record, fold, location_id, merge, unfold
from provdb.model import fields as f
from provdb.store.validators import check
from tests.model.literals import records
from tests.samples import (
    NIGHT_LOG,
    SLIDES_LOG,
    every_log,
    read_log,
    records_of,
    texts_of,
    together,
)

TAG = "r0_to_dl1:01618"
START: Record = {
    "activity_id": "621ca2",
    "name": "r0_to_dl1",
    "startTime": "2020-05-18T14:18:06.362321",
    "in_session": 8739478486569,
    "agent_name": "lstanalyzer",
    "script": "datasequence.py",
    "session_tag": TAG,
}
USAGE: Record = {
    "activity_id": "621ca2",
    "used_id": "446f45",
    "used_role": "Observation subrun",
    "session_tag": TAG,
}
END: Record = {
    "activity_id": "621ca2",
    "endTime": "2020-05-18T14:18:30",
    "session_tag": TAG,
}
PARAMETERS: Record = {
    "activity_id": "621ca2",
    "parameters": {"ObservationRun": "01618", "ObservationSubRun": "0008"},
    "session_tag": TAG,
}
SESSION: Record = {
    "session_id": 8739478486569,
    "name": "01618",
    "startTime": "2020-05-18T14:18:06.362321",
    "system": {
        "executable": "/bin/python",
        "arguments": ["datasequence", "01618.0007"],
        "start_time_utc": "2020-05-18T14:18:06",
    },
    "session_tag": TAG,
}


@every_log
def test_records_of_the_samples_come_back_field_for_field(log: Path) -> None:
    records = records_of(read_log(log))

    given_back = list(unfold(fold(records)))

    assert texts_of(given_back) == texts_of(records)
    assert len(given_back) == len(texts_of(given_back))


@given(st.lists(records(), max_size=8))
@settings(max_examples=60)
def test_any_records_come_back(records: list[Record]) -> None:
    taken, documents = fold_what_can_be(records)

    assert texts_of(unfold(documents)) == texts_of(taken)


@given(st.lists(records(), max_size=8))
@settings(max_examples=60)
def test_documents_of_any_records_follow_the_schemas(records: list[Record]) -> None:
    _, documents = fold_what_can_be(records)

    for collection, listed in documents.items():
        check(collection, listed)


@given(st.lists(records(), max_size=8), st.integers(0, 8))
@settings(max_examples=60)
def test_records_of_two_deliveries_come_back_from_the_merged_documents(
    records: list[Record], cut: int
) -> None:
    first, once = fold_what_can_be(records[:cut])
    second, again = fold_what_can_be(records[cut:])

    merged = merge_all(once, again)

    assert texts_of(unfold(merged)) == texts_of(first + second)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"activity_id": "a", "in_session": None}, id="empty start"),
        pytest.param({"activity_id": "a", "name": None}, id="start without name"),
        pytest.param({"activity_id": 2**70, "endTime": None}, id="long id"),
        pytest.param({"activity_id": "a", "used_id": None}, id="use of nothing"),
        pytest.param({"activity_id": "a", "parameters": None}, id="no parameters"),
        pytest.param({"activity_id": "a", "parameters": {}}, id="empty parameters"),
        pytest.param({"activity_id": "a"}, id="only an id"),
        pytest.param({"entity_id": "e"}, id="only an entity"),
        pytest.param({"entity_id": "e", "size": "12"}, id="size as text"),
        pytest.param({"entity_id": "e", "progenitor_id": None}, id="from nothing"),
        pytest.param({"entity_id": "e", "session_tag": None}, id="tag is None"),
        pytest.param({"entity_id": "e", "session_tag": ""}, id="tag is empty"),
        pytest.param({"session_id": 1, "system": None}, id="no system"),
        pytest.param({"session_id": 1, "system": {}}, id="empty system"),
        pytest.param({"what": "?"}, id="no id at all"),
        pytest.param({}, id="empty"),
        pytest.param({"activity_id": "a", "entity_id": "e"}, id="two ids"),
        pytest.param(
            {"activity_id": "a", "parameters": {"ObservationSubRun": "9" * 30}},
            id="number of many digits",
        ),
        pytest.param({"entity_id": "e", 1: {"a.b": (1,)}}, id="odd keys"),
    ],
)
def test_an_odd_record_comes_back(record: Record) -> None:
    assert texts_of(unfold(fold([record]))) == texts_of([record])


@pytest.mark.parametrize("seed", range(5))
@every_log
def test_the_order_of_a_log_does_not_matter(log: Path, seed: int) -> None:
    records = records_of(read_log(log))
    shuffled = random.Random(seed).sample(records, len(records))

    assert together(fold(shuffled)) == together(fold(records))


@given(st.permutations([START, USAGE, END, PARAMETERS, SESSION]))
def test_the_order_of_the_records_of_an_execution_does_not_matter(
    records: list[Record],
) -> None:
    in_order = fold([SESSION, START, PARAMETERS, USAGE, END])

    assert together(fold(records)) == together(in_order)


@given(
    st.lists(
        records().filter(lambda record: record.get("activity_id") is None),
        max_size=8,
    ),
    st.randoms(),
)
@settings(max_examples=50)
def test_the_order_of_entities_and_sessions_does_not_matter(
    records: list[Record], chance: random.Random
) -> None:
    _, documents = fold_what_can_be(records)
    shuffled = chance.sample(records, len(records))

    _, again = fold_what_can_be(shuffled)

    assert together(again) == together(documents)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"session_id": "1", "name": "n"}, id="sessions"),
        pytest.param({"what": "n"}, id="other records"),
    ],
)
def test_the_order_of_no_tag_and_an_empty_one_does_not_matter(record: Record) -> None:
    empty = {**record, "session_tag": ""}

    assert together(fold([record, empty])) == together(fold([empty, record]))


@given(st.lists(records(), max_size=8))
@settings(max_examples=60)
def test_repeated_records_do_not_matter(records: list[Record]) -> None:
    each_twice = [record for record in records for _ in range(2)]

    _, once = fold_what_can_be(records)
    _, twice = fold_what_can_be(each_twice)

    assert together(twice) == together(once)


def test_statements_before_their_start_join_it() -> None:
    (activity,) = fold([END, USAGE, START])[f.ACTIVITIES]

    assert activity[f.STATUS] == "completed"
    assert activity[f.USED] == [{f.ENTITY: "446f45", f.ROLE: "Observation subrun"}]


def test_a_statement_without_a_tag_joins_the_start_of_any_tag() -> None:
    usage = {name: USAGE[name] for name in USAGE if name != "session_tag"}

    (activity,) = fold([usage, START, END])[f.ACTIVITIES]

    assert len(activity[f.USED]) == 1


def test_a_statement_of_another_tag_waits_for_its_own_start() -> None:
    activities = fold([START, USAGE | {"session_tag": "dl1ab:01618"}])[f.ACTIVITIES]

    assert [len(activity[f.USED]) for activity in activities] == [0, 1]


def test_what_is_taken_in_pieces_merges_to_the_whole() -> None:
    records = records_of(read_log(SLIDES_LOG))
    folder = Folder()
    pieces = [take_after(folder, record) for record in records]

    merged = merge_all(*pieces)

    assert texts_of(unfold(merged)) == texts_of(records)
    assert len(merged[f.ACTIVITIES]) == 2


@given(st.permutations(range(6)), st.sets(st.integers(1, 5)))
def test_places_are_the_same_however_records_come(
    order: list[int], cuts: set[int]
) -> None:
    deliveries = [
        (START, "prov.log", 1),
        (START, "cp15-1", 0),
        (USAGE, "prov.log", 2),
        (END, "prov.log", 9),
        (END, "cp15-1", 5),
        (END, "prov.log", 7),
    ]
    shuffled = [deliveries[number] for number in order]
    bounds = [0, *sorted(cuts), len(shuffled)]
    pieces = []
    folder = Folder()
    for start, end in pairwise(bounds):
        for record, source, place in [deliveries[0], *shuffled[start:end]]:
            folder.add(record, source=source, place=place)
        pieces.append(folder.take())

    (activity,) = merge_all(*pieces)[f.ACTIVITIES]

    assert activity[f.RECORDED] == [
        {f.SOURCE: "cp15-1", f.START: 0, f.END: 5},
        {f.SOURCE: "prov.log", f.START: 1, f.END: 7},
    ]


def test_the_place_of_an_end_before_its_start_is_kept() -> None:
    folder = Folder()
    folder.add(END, source="prov.log", place=3)
    folder.add(START, source="prov.log", place=4)

    (activity,) = folder.take()[f.ACTIVITIES]

    assert activity[f.RECORDED] == [{f.SOURCE: "prov.log", f.START: 4, f.END: 3}]


LATER: Record = {"startTime": "2020-05-18T15:00:00", "in_session": 8773094569769}


def test_two_starts_with_one_id_stay_two_activities() -> None:
    first = [START, USAGE, END]
    second = [
        START | LATER,
        USAGE | {"used_id": "7404bb"},
        END | {"endTime": "2020-05-18T15:00:09"},
    ]

    one, other = fold(first + second)[f.ACTIVITIES]

    assert one[f.ID] != other[f.ID]
    assert [link[f.ENTITY] for link in one[f.USED]] == ["446f45"]
    assert [link[f.ENTITY] for link in other[f.USED]] == ["7404bb"]
    assert one[f.END] < other[f.END]


def test_two_starts_with_one_id_stay_two_activities_in_pieces() -> None:
    records = [START, USAGE, END, START | LATER, USAGE | {"used_id": "7404bb"}]
    folder = Folder()
    pieces = [take_after(folder, record) for record in records]

    merged = merge_all(*pieces)

    assert together(merged) == together(fold(records))


def test_two_systems_with_one_id_stay_two_activities() -> None:
    other = {"session_tag": "dl1ab:01618", "name": "dl1ab"}

    activities = fold([START, START | other, USAGE | other, USAGE])[f.ACTIVITIES]

    assert [len(activity[f.USED]) for activity in activities] == [1, 1]


@pytest.mark.parametrize(
    ("end", "status"),
    [
        pytest.param([], "running", id="no end"),
        pytest.param([END], "completed", id="end"),
        pytest.param([END | {"status": "failed"}], "failed", id="failed"),
        pytest.param(
            [END | {"status": "interrupted"}], "interrupted", id="interrupted"
        ),
        pytest.param([END | {"status": "odd"}], "completed", id="unknown"),
        pytest.param([END | {"status": ["odd"]}], "completed", id="no text"),
    ],
)
def test_status_is_that_of_the_end(end: list[Record], status: str) -> None:
    (activity,) = fold([START, *end])[f.ACTIVITIES]

    assert activity[f.STATUS] == status


def test_subrun_is_that_of_the_parameters() -> None:
    (activity,) = fold([SESSION, START, PARAMETERS])[f.ACTIVITIES]

    assert (activity[f.RUN], activity[f.SUBRUN]) == (1618, 8)


def test_subrun_is_that_of_the_session_without_parameters() -> None:
    (activity,) = fold([SESSION, START])[f.ACTIVITIES]

    assert activity[f.SUBRUN] == 7
    assert activity[f.ARGUMENTS] == ["datasequence", "01618.0007"]


@pytest.mark.parametrize(
    "subrun", [8, "8.0", "-8", "", None, "9" * 30, "9" * 5000, "²", ["8"]]
)
def test_a_subrun_that_is_no_small_number_is_none(subrun: Any) -> None:
    parameters = PARAMETERS | {"parameters": {"ObservationSubRun": subrun}}

    (activity,) = fold([START, parameters])[f.ACTIVITIES]

    assert activity[f.SUBRUN] is None


def test_environment_is_that_of_the_session() -> None:
    documents = fold([START, SESSION])

    (environment,) = documents[f.ENVIRONMENTS]
    (activity,) = documents[f.ACTIVITIES]
    assert activity[f.ENVIRONMENT] == environment[f.ID]
    assert environment[f.SYSTEM] == {"executable": "/bin/python"}


def test_one_environment_is_stored_once() -> None:
    documents = fold(records_of(read_log(NIGHT_LOG)))

    assert len(documents[f.ENVIRONMENTS]) == 1
    assert len(documents[f.ACTIVITIES]) == 82


def test_a_file_says_level_run_subrun_and_name() -> None:
    path = "/R0/20191123/LST-1.1.Run01618.0008.fits.fz"

    (entity,) = fold([{"entity_id": "446f45", "filepath": path}])[f.ENTITIES]

    assert (entity[f.LEVEL], entity[f.RUN], entity[f.SUBRUN]) == ("R0", 1618, 8)
    assert entity[f.FILE_NAME] == "LST-1.1.Run01618.0008.fits.fz"


PLACE = "/cal/pro/drs4_pedestal.h5"
LINK = {"entity_id": location_id(PLACE), "filepath": PLACE}
REAL = "/cal/v1/drs4_pedestal.h5"


def test_a_file_behind_a_symbolic_link_is_the_same_file() -> None:
    (entity,) = fold([LINK | {"real_path": REAL}])[f.ENTITIES]

    assert entity[f.REAL_PATH] == REAL
    assert entity[f.SAME_AS] == location_id(REAL)


def test_a_link_is_the_same_file_under_whichever_tag_that_was_told() -> None:
    records = [LINK | {"session_tag": "a:1"}, LINK | {"real_path": REAL}, LINK]
    folder = Folder()
    pieces = [take_after(folder, record) for record in records]

    (entity,) = merge_all(*pieces)[f.ENTITIES]

    assert entity[f.SAME_AS] == location_id(REAL)


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([LINK], id="no link"),
        pytest.param(
            [
                LINK | {"real_path": f"/cal/v{number}/drs4_pedestal.h5"}
                for number in (1, 2)
            ],
            id="a link that led to several files",
        ),
        pytest.param(
            [{"entity_id": location_id(REAL), "real_path": REAL, "filepath": REAL}],
            id="a file that is itself",
        ),
        pytest.param([LINK | {"real_path": None}], id="nothing"),
    ],
)
def test_a_file_is_the_same_as_no_other_without_one_link(
    records: list[Record],
) -> None:
    (entity,) = fold(records)[f.ENTITIES]

    assert f.SAME_AS not in entity
    assert texts_of(unfold({f.ENTITIES: [entity]})) == texts_of(records)


def test_a_collection_has_no_file_name() -> None:
    record = {"entity_id": "c", "filepath": "/DL1/", "type": "SetCollection"}

    (entity,) = fold([record])[f.ENTITIES]

    assert f.FILE_NAME not in entity


def test_a_description_of_many_tags_is_stored_once() -> None:
    entity = {"entity_id": "446f45", "name": "R0SubrunDataset"}
    records = [entity | {"session_tag": tag} for tag in ("a:1", "b:1")]

    (document,) = fold([*records, entity])[f.ENTITIES]

    assert document[f.SESSION_TAGS] == [None, "a:1", "b:1"]
    assert f.DESCRIPTIONS not in document


def test_times_are_utc_with_milliseconds_and_the_text_beside() -> None:
    (activity,) = fold([START], zone=ZoneInfo("Europe/Madrid"))[f.ACTIVITIES]

    assert activity[f.START] == datetime(2020, 5, 18, 12, 18, 6, 362000, UTC)
    assert activity[f.WRITTEN]["startTime"] == START["startTime"]


def test_a_time_with_a_zone_is_read_in_it() -> None:
    start = START | {"startTime": "2020-05-18T14:18:06+01:00"}

    (activity,) = fold([start], zone=ZoneInfo("Asia/Tokyo"))[f.ACTIVITIES]

    assert activity[f.START] == datetime(2020, 5, 18, 13, 18, 6, tzinfo=UTC)


def test_links_are_sorted() -> None:
    usages = [
        USAGE | {"used_id": id_, "used_role": role}
        for role, id_ in (("b", "1"), ("a", "2"), ("a", "1"))
    ]

    (activity,) = fold([START, *usages])[f.ACTIVITIES]

    assert [(link[f.ROLE], link[f.ENTITY]) for link in activity[f.USED]] == [
        ("a", "1"),
        ("a", "2"),
        ("b", "1"),
    ]


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"activity_id": ["a"], "used_id": "e"}, id="odd activity id"),
        pytest.param({"activity_id": True, "entity_id": "e"}, id="id is True"),
        pytest.param({"entity_id": 1.5}, id="odd entity id"),
        pytest.param({"entity_id": "e\0"}, id="id with NUL"),
        pytest.param({"session_id": ()}, id="odd session id"),
        pytest.param({"session_id": 1 << 100_000}, id="endless session id"),
        pytest.param({"activity_id": 1 << 100_000}, id="endless activity id"),
        pytest.param({"entity_id": "e", "x": object()}, id="no literal"),
        pytest.param(SESSION | {"x": object()}, id="session with no literal"),
        pytest.param(
            SESSION | {"system": {"x": object()}}, id="system with no literal"
        ),
        pytest.param(
            SESSION | {"system": {"arguments": object()}},
            id="arguments with no literal",
        ),
    ],
)
def test_of_a_record_that_cannot_be_stored_nothing_is_taken(record: Record) -> None:
    folder = Folder()

    with pytest.raises(RecordError):
        folder.add(record)

    assert together(folder.take()) == {}


def fold_what_can_be(records: list[Record]) -> tuple[list[Record], dict[str, Any]]:
    """Fold records, and say which of them were taken."""
    folder = Folder()
    taken = [record for record in records if was_taken(folder, record)]
    return taken, folder.take()


def was_taken(folder: Folder, record: Record) -> bool:
    try:
        folder.add(record)
    except RecordError:
        return False
    return True


def take_after(folder: Folder, record: Record) -> dict[str, list[Document]]:
    folder.add(record)
    return folder.take()


def merge_all(*pieces: dict[str, list[Document]]) -> dict[str, list[Document]]:
    """Join the documents of one id, as a store does."""
    joined: dict[str, dict[str, Document]] = {name: {} for name in f.COLLECTIONS}
    for piece in pieces:
        for name, documents in piece.items():
            for document in documents:
                known = joined[name].get(document[f.ID])
                joined[name][document[f.ID]] = (
                    merge(name, known, document, zone=UTC) if known else document
                )
    return {name: list(found.values()) for name, found in joined.items()}


PLACES: Record = {
    "activity_id": "621ca2",
    "recorded": [{"source": "a1", "start": 7, "end": 9}],
    "session_tag": TAG,
}


@pytest.mark.parametrize(
    "order", [pytest.param(1, id="after"), pytest.param(-1, id="before the start")]
)
def test_a_record_of_places_says_where_the_others_stand(order: int) -> None:
    (activity,) = fold([START, PLACES, END][::order])[f.ACTIVITIES]

    assert activity[f.RECORDED] == [{"source": "a1", "start": 7, "end": 9}]
    assert texts_of(unfold({f.ACTIVITIES: [activity]})) == texts_of([START, END])


def test_places_that_come_twice_are_stored_once() -> None:
    folder = Folder()
    folder.add(START, source="a1", place=7)
    folder.add(PLACES)
    (activity,) = folder.take()[f.ACTIVITIES]
    (again,) = fold([START, PLACES])[f.ACTIVITIES]

    merged = merge(f.ACTIVITIES, activity, again, zone=UTC)

    assert merged[f.RECORDED] == [{"source": "a1", "start": 7, "end": 9}]


def test_places_alone_wait_for_the_start() -> None:
    (waiting,) = fold([PLACES])[f.ACTIVITIES]

    check(f.ACTIVITIES, [waiting])
    assert (waiting[f.ACTIVITY_ID], waiting[f.RECORDED]) == (
        "621ca2",
        PLACES["recorded"],
    )


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"recorded": "yesterday"}, id="text"),
        pytest.param({"recorded": [{"start": 7}]}, id="no source"),
        pytest.param({"recorded": [{"source": "a1", "start": "7"}]}, id="no place"),
        pytest.param({"recorded": [{"source": "a1", "why": 7}]}, id="more in it"),
        pytest.param({"recorded": [], "why": 1}, id="more beside it"),
    ],
)
def test_what_only_looks_like_places_is_a_record_like_others(record: Record) -> None:
    other = {"activity_id": "621ca2", **record}

    (activity,) = fold([other])[f.ACTIVITIES]

    assert f.RECORDED not in activity
    assert texts_of(unfold({f.ACTIVITIES: [activity]})) == texts_of([other])
