"""What a store has of the fields: all of a small one, a part of a large one."""

import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from provdb.model import fold, location_id
from provdb.query import find
from provdb.query.survey import Survey, field_names, survey
from provdb.store import Store

_CONFIG = b'{"tailcut": {"picture_thresh": 6, "boundary": null}, "a.b": 1}'


def _records(count: int) -> Iterator[dict[str, Any]]:
    """Steps of one kind, and one of another with parameters of its own."""
    for number in range(count):
        is_rare = number == count - 1
        tag = f"{'drs4_pedestal' if is_rare else 'r0_to_dl1'}:0{1600 + number % 7}"
        act = {"session_tag": tag, "activity_id": f"a{number}"}
        yield {
            **act,
            "name": tag.partition(":")[0],
            "startTime": f"2020-05-18T10:00:{number % 60:02}",
            "in_session": "1",
        }
        names = (
            {"rare.one": 1, "nested": {"x": [6, 3]}} if is_rare else {"ProdID": "03"}
        )
        yield {**act, "parameters": names}
        path = f"/fefs/dl1_LST-1.Run01618.{number:04}.h5"
        entity = location_id(path)
        yield {"entity_id": entity, "filepath": path, "name": "DL1", "session_tag": tag}
        yield {**act, "generated_id": entity}
        if is_rare:
            digest = sha256(_CONFIG).hexdigest()
            copy = {"file_id": digest, "filepath": "/cfg/lstchain.json"}
            yield {**act, **copy, "content": b64encode(_CONFIG).decode()}


@pytest.fixture
def night(store: Store) -> Store:
    """A store with sixty steps."""
    store.write(fold(_records(60)))
    return store


def _counts(found: Survey) -> dict[str, int]:
    return {use.name: use.count for use in found.uses}


def test_a_small_store_is_counted(night: Store) -> None:
    found = survey(night)

    assert found.read == {}
    assert _counts(found) == {
        **_counts(found),
        "level": 60,
        "activity": 60,
        "made_by": 60,
        "status": 60,
        "end": 0,
        "param.KEY": 60,
        "config.KEY": 1,
        "software.KEY": 0,
        "run": 120,
        "kind": 120,
    }


@pytest.mark.parametrize(
    "name", ["level", "made_by", "activity", "session_tag", "status", "param.ProdID"]
)
def test_a_count_is_what_a_query_finds(night: Store, name: str) -> None:
    (use,) = [u for u in survey(night, name.partition(".")[0]).uses if u.name == name]
    kind = "entity" if name in ("level", "made_by") else "activity"

    rows = list(find(night, f"{name} is known kind:{kind} | count"))

    assert rows == [{"count": use.count}]


def test_a_value_that_is_an_example_is_found(night: Store) -> None:
    uses = {use.name: use for use in survey(night).uses}

    assert uses["activity"].examples == ("r0_to_dl1", "drs4_pedestal")
    assert uses["made_by"].examples == ("r0_to_dl1", "drs4_pedestal")
    assert uses["param.KEY"].examples == (
        "param.ProdID",
        "param.nested.x",
        'param."rare.one"',
    )


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("le", ["level"]),
        ("sta", ["status", "start", "started_by"]),
        ("param.P", ["param.ProdID"]),
        ("param", ["param.ProdID", "param.nested.x", 'param."rare.one"']),
        ("param.x", []),
        ("config.", ["config.tailcut.picture_thresh", 'config."a.b"']),
        ("para", ["param.KEY"]),
        ("nothing", []),
    ],
)
def test_a_prefix_narrows(night: Store, prefix: str, names: list[str]) -> None:
    found = [use.name for use in survey(night, prefix).uses]

    assert sorted(found) == sorted(names)


@pytest.mark.parametrize("name", ["param.nested.x", 'param."rare.one"', 'config."a.b"'])
def test_a_key_that_is_listed_can_be_asked_for(night: Store, name: str) -> None:
    family = name.partition(".")[0]

    assert name in [use.name for use in survey(night, family).uses]
    assert list(find(night, f"{name} is known kind:activity | count")) == [{"count": 1}]


def test_a_large_store_is_not_read(night: Store) -> None:
    """What is counted is told apart from what is estimated."""
    found = survey(night, size=20)

    assert {name: there for name, (_, there) in found.read.items()} == {
        "activities": 60,
        "entities": 60,
    }
    assert all(read <= 20 for read, _ in found.read.values())
    assert {use.is_estimated for use in found.uses} == {True}
    assert _counts(found)["level"] == 60


def test_the_keys_of_a_rare_step_are_listed_all_the_same(night: Store) -> None:
    names = field_names(night, "param.", size=3)

    assert 'param."rare.one"' in names
    assert "param.ProdID" in names


def test_an_empty_store_has_nothing(store: Store) -> None:
    store.initialise()

    assert {use.count for use in survey(store).uses} == {0}


def test_what_is_told_is_json(night: Store) -> None:
    rows = [use.to_dict() for use in survey(night, "param").uses]

    assert json.loads(json.dumps(rows)) == rows
    assert {row["example"] for row in rows} == {f"{r['field']} is known" for r in rows}
