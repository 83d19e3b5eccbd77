"""Delivering a spool: what is told again is stored once, and counted each time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from provdb.capture.dead_letters import DeadLetters
from provdb.capture.delivery import Delivery
from provdb.capture.spool import PLAIN, spool_line
from provdb.errors import StoreUnavailable
from provdb.model import fields as f
from provdb.model import fold
from provdb.store import Store
from tests.samples import stored_in, stored_without_places, together

MODEL = {"entity_id": "446f45", "name": "ModelFile", "filepath": "/models/reg.sav"}
OTHER = {"entity_id": "6d2362", "filepath": "/DL1/dl1_LST-1.Run01618.0008.h5"}
TAGGED = {**MODEL, "session_tag": "dl1_to_dl2:01618"}
START = {"activity_id": "621ca2", "name": "dl1_to_dl2", "startTime": "2020-01-18T01:00"}
END = {"activity_id": "621ca2", "endTime": "2020-01-18T01:02"}
RECORDS = [MODEL, START, MODEL, OTHER, TAGGED, MODEL, TAGGED, START]


def spool(path: Path, records: Sequence[dict[str, Any]]) -> Path:
    """Write a spool of records."""
    lines = [
        spool_line(b"cp15-1-%d" % number, PLAIN, orjson.dumps(record))
        for number, record in enumerate(records)
    ]
    path.write_bytes(b"".join(lines))
    return path


def delivery(path: Path, store: Store) -> Delivery:
    """Return the way of a spool into a store."""
    return Delivery(path, store, dead_letters=DeadLetters(path))


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_what_is_told_again_is_stored_once_and_counted_each_time(
    store: Store, tmp_path: Path, limit: int
) -> None:
    path = spool(tmp_path / "cp15-1-20200118T010000000.jsonl", RECORDS)
    shipping = delivery(path, store)

    while shipping.step(limit=limit):
        pass

    assert shipping.delivered == len(RECORDS)
    assert shipping.position == path.stat().st_size
    assert stored_without_places(store) == together(fold(RECORDS))


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_an_activity_says_where_its_records_stand_in_the_spool(
    store: Store, tmp_path: Path, limit: int
) -> None:
    path = spool(tmp_path / "cp15-1-20200118T010000000.jsonl", [*RECORDS, END, END])
    shipping = delivery(path, store)

    while shipping.step(limit=limit):
        pass

    (activity,) = store.scan(f.ACTIVITIES)
    assert activity[f.RECORDED] == [{f.SOURCE: "cp15-1", f.START: 1, f.END: 8}]


def test_a_spool_that_is_delivered_again_changes_nothing(
    store: Store, tmp_path: Path
) -> None:
    path = spool(tmp_path / "cp15-1-20200118T010000000.jsonl", [*RECORDS, END])
    first, again = delivery(path, store), delivery(path, store)
    while first.step(limit=100):
        pass
    before = stored_in(store)

    while again.step(limit=3):
        pass

    assert stored_in(store) == before


@pytest.mark.parametrize("id_", [b"mended", b"cp15-1-x", b"-7", "cp15-²".encode()])
def test_a_record_whose_id_names_no_place_is_stored(
    store: Store, tmp_path: Path, id_: bytes
) -> None:
    path = tmp_path / "cp15-1-20200118T010000000.mended.jsonl"
    path.write_bytes(spool_line(id_, PLAIN, orjson.dumps(START)))
    shipping = delivery(path, store)

    while shipping.step(limit=100):
        pass

    assert shipping.dead == 0
    (activity,) = store.scan(f.ACTIVITIES)
    assert f.RECORDED not in activity


def test_what_a_store_did_not_take_is_told_to_it_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spool(tmp_path / "cp15-1-20200118T010000000.jsonl", RECORDS)
    shipping = delivery(path, store)

    def refuse(documents: object) -> None:
        raise StoreUnavailable("memory://", "it is away")

    with monkeypatch.context() as broken:
        broken.setattr(store, "write", refuse)
        with pytest.raises(StoreUnavailable):
            shipping.step(limit=100)
    while shipping.step(limit=100):
        pass

    assert shipping.delivered == len(RECORDS)
    assert {d[f.ID] for d in store.scan(f.ENTITIES)} == {"446f45", "6d2362"}


def test_a_bad_record_keeps_nothing_of_an_entity_from_the_store(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spool(tmp_path / "cp15-1-20200118T010000000.jsonl", [MODEL, OTHER, MODEL])
    shipping = delivery(path, store)
    write = store.write

    def refuse_other(documents: Any) -> Any:
        if any(one[f.ID] == "6d2362" for one in documents[f.ENTITIES]):
            raise ValueError("it is refused")
        return write(documents)

    monkeypatch.setattr(store, "write", refuse_other)
    while shipping.step(limit=100):
        pass

    assert shipping.dead == 1
    assert [d[f.ID] for d in store.scan(f.ENTITIES)] == ["446f45"]
    assert shipping.delivered == 3


def test_a_bad_record_costs_no_other_its_place(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spool(tmp_path / "cp15-1-20200118T010000000.jsonl", [START, OTHER, END])
    shipping = delivery(path, store)
    write = store.write

    def refuse_other(documents: Any) -> Any:
        if documents[f.ENTITIES]:
            raise ValueError("it is refused")
        return write(documents)

    monkeypatch.setattr(store, "write", refuse_other)
    while shipping.step(limit=100):
        pass

    (activity,) = store.scan(f.ACTIVITIES)
    assert activity[f.RECORDED] == [{f.SOURCE: "cp15-1", f.START: 0, f.END: 2}]
