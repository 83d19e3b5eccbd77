"""What conditions mean: types, the unknown, escapes, what a query ranges over."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from provdb.model import fold, location_id
from provdb.query import FIELDS, explain, find, parse
from provdb.query.text import field_text
from provdb.query.tree import Field
from provdb.store import Store, open_store

_FOLDER = "/fefs/DL1/20191123/v0.5.1_v03"


def _records() -> Iterator[dict[str, Any]]:
    """Two subruns of a run: one reduced with a configuration, one that failed."""
    content = b'{"tailcut": {"picture_thresh": 6}}'
    digest = hashlib.sha256(content).hexdigest()
    for subrun, status in (("0000", "completed"), ("0001", "failed")):
        tag = {"session_tag": "r0_to_dl1:01618"}
        yield {
            **tag,
            "session_id": f"s{subrun}",
            "name": "01618",
            "startTime": "2020-05-18T10:00:00",
            "observation_date": "20191123" if status == "completed" else None,
            "system": {
                "platform": {"node": f"cp{subrun}"},
                "python": {"packages": [{"name": "lstchain", "version": "0.9.6"}]},
            },
        }
        act = {**tag, "activity_id": f"a{subrun}"}
        yield {
            **act,
            "name": "r0_to_dl1",
            "in_session": f"s{subrun}",
            "startTime": "2020-05-18T10:00:00",
            "agent_name": "lst.analyzer",
        }
        yield {**act, "endTime": "2020-05-18T10:20:00", "status": status}
        yield {**act, "parameters": {"ProdID": "03", "cut.level": 6, "$where": "a*b"}}
        for level, name in (("R0", "LST-1.1"), ("DL1", "dl1_LST-1")):
            path = f"{_FOLDER}/{name}.Run01618.{subrun}.h5"
            relation = "used" if level == "R0" else "generated"
            yield {
                "entity_id": location_id(path),
                "filepath": path,
                "name": f"{level}SubrunDataset",
                "type": "File",
                **tag,
            }
            yield {**act, f"{relation}_id": location_id(path)}
        if status == "completed":
            copy = {"file_id": digest, "filepath": "/cfg/lstchain.json"}
            yield {**act, **copy, "content": b64encode(content).decode()}


@pytest.fixture
def night(store: Store) -> Store:
    """A store with two subruns."""
    store.write(fold(_records()))
    return store


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("run:1618", 6),
        ("run:01618 kind:activity", 2),
        ("run:Run01618 level:R0", 2),
        ("subrun:1..", 2),
        ("level:dl1", 2),
        ("level >= DL1", 2),
        ("level:DL*", 2),
        ("date:20191123 kind:activity", 1),
        ("date:2019-11 kind:activity", 1),
        ("-date:20200101 kind:activity", 1),
        ("date is unknown kind:activity", 1),
        # One session does not say its night, but the folder of its files does.
        ("level:DL1 date:20191123", 2),
        ("level:R0 date:20191123", 2),
        ("level:R0 date:20191124", 0),
        ("level:DL1 date is known", 2),
        ("level:DL1 date is unknown", 0),
        ("telescope:LST-1", 4),
        ("telescope:lst1", 4),
        ("telescope:LST-2", 0),
        ("-telescope:LST-2", 4),
        ("stream:1", 2),
        ("data_kind:events", 4),
        ("start:2020-05-18", 2),
        ("start:2020-05-18T10:00", 2),
        ("start > 2020-05-18T10:00", 0),
        ("duration:20m", 2),
        ("duration < 20m", 0),
        ("duration:19m..1h", 2),
        ("status:failed", 1),
        ("-status:failed", 1),
        ("status:comp*", 1),
        ("level:DL1 status:failed", 1),
        ("level:DL1 -status:failed", 1),
        ("level:R0 -status:failed", 0),
        ("level:R0 status is unknown", 2),
        ("level:DL1 made_by:r0_*", 2),
        ("level:DL1 node:cp0000", 1),
        ("level:DL1 -date:20191123", 0),
        ("node:cp0000", 1),
        ("node != cp0000", 1),
        ("node ~ /^cp0/", 2),
        ("node !~ 0001", 1),
        ("software.lstchain:0.9.*", 2),
        ("software.numpy:1", 0),
        ("-software.numpy:1", 0),
        ("software.numpy is unknown kind:activity", 2),
        ("config.tailcut.picture_thresh:6", 1),
        ("config.tailcut.picture_thresh:6 date:2019-11-01..2019-11-30 level:DL1", 1),
        ("config.tailcut.picture_thresh:7", 0),
        ("-config.tailcut.picture_thresh:7", 1),
        ("config.tailcut.picture_thresh is unknown kind:activity", 1),
        ("param.ProdID:03", 2),
        ("param.ProdID:3", 2),
        ("param.ProdID=03", 2),
        ("param.ProdID=3", 0),
        ('param."cut.level":6', 2),
        ('param."cut.level" > 5.5', 2),
        ('param."$where":"a*b"', 2),
        ('param."$where":"a?b"', 0),
        ("agent:lst.analyzer", 2),
        ("agent:lst?analyzer", 2),
        ('agent:"lst?analyzer"', 0),
        ("agent=lst*", 0),
        ("agent ~ lst.a", 2),
        ("agent ~ st_a", 0),
        ("prod:v0.5*", 4),
        ("prod:v0.5", 0),
        (f"path:{_FOLDER}/dl1_LST-1.Run01618.0000.h5", 1),
        ("path:v0.5.1_v03/dl1_LST-1.Run01618.0000.h5", 1),
        ("path:dl1_LST-1.Run01618.0000.h5", 1),
        ("path:dl1*", 2),
        ("path:/fefs/*/dl1*", 2),
        ("path:/fefs/", 4),
        (f"path:{_FOLDER}/", 4),
        ("path:DL1/20191123/", 4),
        ("path:L1/20191123/", 0),
        ("path:/fefs/DL1/2019/", 0),
        ("path=/fefs/", 0),
        ("dry_run:true", 0),
        ("dry_run:false", 2),
        ("-dry_run:true", 2),
        ("dl1_LST-1.Run01618", 2),
        ("r0_to", 2),
        ("Run01618 -0001", 2),
        ("upstream(level:DL1)", 4),
        ("downstream(level:R0) level:DL1", 2),
        ("-downstream(level:R0) level:DL1", 0),
        ("upstream(activity:r0_to_dl1 status:failed) kind:entity", 1),
        ("kind:any level:DL1", 2),
        ("NOT (status:failed OR run:1619) kind:activity", 1),
        ("level in (R0, DL2)", 2),
        ("-level in (R0, DL2)", 2),
        ("", 6),
    ],
)
def test_a_condition(night: Store, query: str, count: int) -> None:
    assert list(find(night, f"{query} | count")) == [{"count": count}]
    assert len(list(find(night, query))) == count


@pytest.mark.parametrize(
    "text",
    [
        '{"$gt": ""}',
        "$where",
        "' || 1 == 1 || '",
        "a.b.c",
        "[^x]*(a+)+$",
        "\\",
        "é\u202e",
        "x" * 9900,
        "\U0001f52d*?$",
    ],
)
@pytest.mark.parametrize(
    "field", ["activity", "path", "hash", "param.ProdID", "node", "agent", "prod", "id"]
)
@pytest.mark.parametrize("operator", [":", "=", "!=", "~"])
def test_no_text_is_an_operator(
    mongo_samples: Store, local_samples: Store, field: str, operator: str, text: str
) -> None:
    """The server takes each of them as a text, and finds what the local store does."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    query = f'{field} {operator} "{escaped}" | count'

    assert list(find(mongo_samples, query)) == list(find(local_samples, query))


# A condition of every field; those of which nothing in the samples is known last.
_KNOWN_OF_SOME = (
    "level:DL1",
    "entity:DL1*",
    "path:*dl1*",
    "type:File",
    "content_type:*hdf*",
    "hash:0",
    "size > 5",
    "prod:v0.1*",
    "telescope:LST-1",
    "stream:1",
    "data_kind:events",
    "made_by:dl1ab",
    "activity:dl1ab",
    "session_tag:dl1ab:01807",
    "session_id:2020*",
    "activity_id:0*",
    "status != completed",
    "start > 2021-01-01",
    "end:2026-11..",
    "duration < 1s",
    "agent ~ Anon",
    "script in (datasequence, x)",
    "node:vm",
    "interpreter !~ /^3/",
    "dry_run:true",
    "param.StoreImage:true",
    "software.lstchain:0.12*",
    "env.SHELL:/bin/bash",
    "run:1807",
    "subrun:0..3",
    "date:20200117",
    "name:dl1*",
    "id:0",
)
_KNOWN_OF_NONE = (
    "started_by:0",
    "config.tailcut.x:6",
    "param.nothing != 5",
    "particle:gamma",
    "simulation_run:1000",
)


@pytest.mark.parametrize("condition", [*_KNOWN_OF_SOME, *_KNOWN_OF_NONE])
def test_what_is_so_what_is_not_so_and_the_unknown_are_everything(
    samples: Store, condition: str
) -> None:
    """No negation matches the unknown, whatever the field."""
    field = parse(condition).selector.field  # type: ignore[union-attr]  # Has one.

    so, not_so, unknown, everything = (
        next(find(samples, f"kind:any {asked} | count"))["count"]
        for asked in (
            condition,
            f"-({condition})",
            f"{field_text(field)} is unknown",
            "kind:any",
        )
    )

    assert so + not_so + unknown == everything
    assert (so + not_so == 0) is (condition in _KNOWN_OF_NONE)


def test_every_field_is_negated_in_these_tests() -> None:
    asked = {
        parse(condition).selector.field.parts[0]  # type: ignore[union-attr]  # As above.
        for condition in (*_KNOWN_OF_SOME, *_KNOWN_OF_NONE)
    }

    assert asked == FIELDS.keys() - {"kind"}


_KEYS = ("$where", "$expr", "a.$gt", ".", 'q"', "back\\", "é", " ", "*", "x" * 190)


def test_no_key_is_an_operator_or_a_path(store: Store) -> None:
    act = {"activity_id": "a", "session_tag": "r0_to_dl1:01618"}
    started = {**act, "name": "r0_to_dl1", "startTime": "2020-05-18T10:00:00"}
    values = {key: number for number, key in enumerate(_KEYS, start=1)}
    store.write(fold([started, {**act, "parameters": values}]))

    for key, number in values.items():
        name = field_text(Field(parts=("param", key)))
        assert len(list(find(store, f"{name}:{number}"))) == 1
        assert list(find(store, f"{name} != {number}")) == []
        assert list(find(store, f"{name}.more is known")) == []


def test_ten_thousand_letters_are_a_value(store: Store) -> None:
    path = "/" + "é$*." * 2400
    store.write(fold([{"entity_id": "1", "filepath": path}]))

    assert len(list(find(store, f'path:"{path}"'))) == 1
    assert list(find(store, f'path:"{path}x"')) == []


def test_stages_follow_each_other(samples: Store) -> None:
    query = "run:1807.. level:DL1 | count by run,prod | sort -count | limit 1"

    assert list(find(samples, query)) == [{"run": 1807, "prod": "v0.1.0", "count": 35}]


def test_what_is_left_of_an_answer_may_outlive_the_store(store_uri: str) -> None:
    records = [{"entity_id": f"{number:032x}", "name": "x"} for number in range(3000)]
    with open_store(store_uri) as store:
        store.write(fold(records))
        rows = find(store, "kind:entity")
        first = next(rows)

    rows.close()  # type: ignore[attr-defined]  # A generator, as any that is left.

    assert first["kind"] == "entity"


def test_every_measure(night: Store) -> None:
    functions = ("sum", "avg", "min", "max", "p50", "p95")

    found = [next(find(night, f"| {name} duration")) for name in functions]

    assert found == [
        {f"{name}_duration": value}
        for name, value in zip(functions, (2400.0, 1200.0, *[1200.0] * 4), strict=True)
    ]


def test_rows_have_the_fields_of_documents(night: Store) -> None:
    (row,) = find(night, "activity:r0_to_dl1 status:failed")

    assert row == {
        "kind": "activity",
        "id": row["id"],
        "name": "r0_to_dl1",
        "activity_id": "a0001",
        "session_tag": "r0_to_dl1:01618",
        "session_id": "s0001",
        "run": 1618,
        "subrun": None,
        "status": "failed",
        "start": datetime(2020, 5, 18, 10, tzinfo=UTC),
        "end": datetime(2020, 5, 18, 10, 20, tzinfo=UTC),
        "duration": 1200.0,
        "agent": "lst.analyzer",
        "script": None,
    }


@pytest.mark.parametrize(
    "condition",
    [
        'session_tag:"r0_to_dl1:01807"',
        "run:1807",
        "date:20200117 kind:activity",
        "level:DL1",
        "level:DL2 run:1807",
        "path:dl1_LST-1.Run01807.0000.h5",
        "path:dl1_LST-1.Run01807*",
        "path:/fefs/aswg/*Run01807*",
        "hash:446f45dd*",
        "activity:r0_to_dl1",
        "status:failed",
    ],
)
def test_an_index_serves(samples: Store, condition: str) -> None:
    asks = explain(samples, condition)["asks"]

    assert asks[-1]["index"] != []
