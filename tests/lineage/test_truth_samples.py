"""Laws of lineage on a real log: one record left out, and the night processed twice."""

import os
import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import pytest

from provdb.errors import NotFound
from provdb.lineage import Lineage, WalkOptions, impact, lineage, versions
from provdb.model import Folder, Record
from provdb.store import Store, open_store
from tests.lineage.simulator.judge import marks_of, places_of_marks
from tests.samples import NIGHT_LOG, read_log, records_of, shifted

_IS_FULL: Final = os.environ.get("PROVDB_TRUTH") == "full"
_SHORT: Final = 12
_PIECES: Final = 4
_DAY: Final = timedelta(days=1)
# Between the processing of the night and the same a day later.
_BETWEEN: Final = datetime(2026, 11, 23, 5, tzinfo=UTC)
_AS_OF: Final = WalkOptions(as_of=_BETWEEN)
_PEDESTAL: Final = "drs4_pedestal.Run01804.0000.h5"


@pytest.mark.parametrize("piece", range(_PIECES))
def test_where_a_record_is_left_out_and_the_raw_data_change_the_answer_says_so(
    piece: int,
) -> None:
    """All records are left out, one at a time, in the long form; else some.

    A mark or a gap counts only if the answer does not have it with all records.
    """
    left_out = _sample(len(_records()))[piece::_PIECES]

    silent = {place: _changed_silently(place) for place in left_out}

    assert {place: files for place, files in silent.items() if files} == {}


def test_a_night_processed_twice_has_two_versions_of_each_file_that_one_step_wrote(
    twice: Store,
) -> None:
    counts = {
        id_: len(versions(twice, id_)) for id_ in _products() if _has_one_maker(id_)
    }

    assert len(counts) > 40
    assert counts == {id_: 2 * len(versions(_once(), id_)) for id_ in counts}


def test_every_version_of_a_file_that_one_step_wrote_is_of_one_processing(
    twice: Store,
) -> None:
    files = [id_ for id_ in _products() if _has_one_maker(id_)]

    listed = [version.id for id_ in files for version in versions(twice, id_)]

    assert [id_ for id_ in listed if len(_days(lineage(twice, id_))) != 1] == []


def test_now_every_product_is_of_the_second_processing(twice: Store) -> None:
    days = {id_: _days(lineage(twice, id_)) for id_ in _products()}

    assert [id_ for id_ in days if days[id_] != {23}] == []


def test_now_every_product_has_the_raw_data_that_it_had_after_the_first(
    twice: Store,
) -> None:
    raw = {id_: _raw(lineage(twice, id_)) for id_ in _products()}

    assert raw == {id_: _raw(lineage(_once(), id_)) for id_ in _products()}


@pytest.mark.parametrize("ask", [lineage, impact], ids=["lineage", "impact"])
def test_as_of_a_time_between_all_is_as_if_there_had_been_one_processing(
    twice: Store, ask: Any
) -> None:
    answers = {id_: _answer(ask(twice, id_, options=_AS_OF)) for id_ in _products()}

    assert answers == {id_: _answer(ask(_once(), id_)) for id_ in _products()}


def test_the_impact_of_a_file_that_was_made_twice_is_what_is_there_now(
    twice: Store,
) -> None:
    answer = impact(twice, _PEDESTAL)

    assert _days(answer) == {23}
    assert _entities(answer) == _entities(impact(_once(), _PEDESTAL))


def test_the_impact_of_a_version_is_of_its_own_processing(twice: Store) -> None:
    later, earlier = versions(twice, _PEDESTAL)

    days = [_days(impact(twice, version.id)) for version in (earlier, later)]

    assert days == [{22}, {23}]


@pytest.mark.parametrize("count", [1, 2], ids=["once", "twice"])
def test_hardly_any_answer_on_the_sample_is_in_doubt(count: int) -> None:
    """Of the time calibration nobody knows who made it: a gap, and no doubt."""
    store = _stored([shifted(_records(), _DAY * day) for day in range(count)])

    doubts = {id_: marks_of(lineage(store, id_)) for id_ in _products()}

    doubtful = [id_ for id_, marks in doubts.items() if set(marks) - {"gap"}]
    assert len(doubtful) <= 0.01 * len(_products())


@pytest.fixture(scope="module")
def twice() -> Store:
    """The log of the night, and the same log a day later."""
    return _stored([_records(), shifted(_records(), _DAY)])


@cache
def _records() -> list[Record]:
    return [_without_packages(record) for record in records_of(read_log(NIGHT_LOG))]


@cache
def _once() -> Store:
    return _stored([_records()])


@cache
def _products() -> list[str]:
    generated = {r["generated_id"] for r in _records() if "generated_id" in r}
    return sorted(generated)


@cache
def _expected() -> dict[str, tuple[set[str], frozenset[tuple[str, ...]]]]:
    """Return the raw data of each product, and where its answer is marked anyway."""
    answers = {id_: lineage(_once(), id_) for id_ in _products()}
    return {id_: (_raw(a), places_of_marks(a)) for id_, a in answers.items()}


def _stored(logs: Iterable[list[Record]]) -> Store:
    store = open_store("memory://")
    for number, log in enumerate(logs):
        folder = Folder()
        for place, record in enumerate(log, 1):
            folder.add(record, source=f"log {number}", place=place)
        store.write(folder.take())
    return store


def _sample(count: int) -> list[int]:
    """Return the places of the records that are left out."""
    everything = list(range(count))
    return everything if _IS_FULL else random.Random(14).sample(everything, _SHORT)


def _changed_silently(place: int) -> list[str]:
    """Return the files whose raw data change, unmarked, when a record is left out."""
    records = _records()
    with _stored([[*records[:place], *records[place + 1 :]]]) as store:
        return [id_ for id_ in _products() if _is_silent(store, id_)]


def _is_silent(store: Store, id_: str) -> bool:
    try:
        answer = lineage(store, id_)
    except NotFound:
        return False
    raw, marks = _expected()[id_]
    return _raw(answer) != raw and places_of_marks(answer) <= marks


def _without_packages(record: Record) -> Record:
    """Leave out of a record what takes most of the time and decides nothing."""
    system = record.get("system")
    if not isinstance(system, Mapping):
        return record
    names = ("executable", "platform", "arguments", "start_time_utc")
    return {**record, "system": {n: system[n] for n in names if n in system}}


def _has_one_maker(id_: str) -> bool:
    """Say whether a file is written as a whole, not in parts by many subruns."""
    makers = {
        edge.target
        for edge in lineage(_once(), id_).edges
        if edge.relation == "wasGeneratedBy" and edge.source.startswith(id_)
    }
    return len(makers) == 1


def _days(answer: Lineage) -> set[int]:
    return {node.start.day for node in answer.nodes if node.start is not None}


def _raw(answer: Lineage) -> set[str]:
    return {str(node.location) for node in answer.nodes if node.level == "R0"}


def _entities(answer: Lineage) -> set[str]:
    return {node.entity for node in answer.nodes if node.entity is not None}


def _answer(answer: Lineage) -> dict[str, Any]:
    return {**answer.to_dict(), "question": None}
