"""Copies of files are the same in every store, however they are delivered."""

from base64 import b64encode
from hashlib import sha256
from itertools import permutations

import pytest

from provdb.model import Record, fold, unfold
from provdb.model import fields as f
from provdb.store import Store, WriteCounts, copy_store, open_store
from tests.samples import stored_in, texts_of, together


def copy(content: bytes, path: str, **more: str) -> Record:
    """Return the record of a copy."""
    return {
        "file_id": sha256(content).hexdigest(),
        "filepath": path,
        "size": len(content),
        "content": b64encode(content).decode(),
        **more,
    }


ONE = copy(b"{}", "/fefs/a.json", session_tag="dl1ab:01618")
SAME = copy(b"{}", "/fefs/b.json", session_tag="dl1ab:01619", activity_id="621ca2")
OTHER = copy(b"[]", "/fefs/a.json", session_tag="dl1ab:01618")
WITHOUT = {name: SAME[name] for name in SAME if name != "content"}
COPIES = [ONE, SAME, OTHER, WITHOUT]
ORDERS = list(permutations(COPIES))


def write_each(store: Store, records: tuple[Record, ...]) -> None:
    """Write each record by itself, as processes do that know nothing of each other."""
    for record in records:
        store.write(fold([record]))


@pytest.mark.parametrize("order", ORDERS[::5], ids=range(len(ORDERS[::5])))
def test_copies_in_pieces_and_any_order_are_those_of_all(
    store: Store, order: tuple[Record, ...]
) -> None:
    write_each(store, order)

    assert stored_in(store) == together(fold(COPIES))
    scanned = {name: list(store.scan(name)) for name in f.COLLECTIONS}
    assert texts_of(unfold(scanned)) == texts_of(COPIES)


def test_writing_copies_again_changes_nothing(store: Store) -> None:
    store.write(fold(COPIES))
    before = stored_in(store)

    again = store.write(fold(COPIES))

    assert again[f.FILES] == WriteCounts(unchanged=2)
    assert stored_in(store) == before


def test_copies_are_copied_into_another_store(store: Store) -> None:
    with open_store("memory://") as source:
        source.write(fold(COPIES))
        copy_store(source, store)

    assert stored_in(store) == together(fold(COPIES))


def test_the_activities_that_used_a_copy_are_counted(store: Store) -> None:
    other_path = SAME | {"filepath": "/fefs/c.json"}
    used = [*COPIES, other_path, SAME | {"activity_id": "7404bb"}]
    store.write(fold(used))

    counts = store.copy_uses([ONE["file_id"], OTHER["file_id"]])

    assert counts == {ONE["file_id"]: 2}


def test_copies_are_listed_without_their_contents(store: Store) -> None:
    store.write(fold(COPIES))

    listed = list(store.copies())

    assert listed == [
        {name: document[name] for name in document if name != f.CONTENT}
        for document in store.scan(f.FILES)
    ]
    assert len(listed) == 2
