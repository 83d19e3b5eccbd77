"""Every store answers as its documents read plainly do: random stores and queries."""

import math
import uuid
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo import MongoClient

from provdb.lineage import makers, reach
from provdb.model import Document, fold
from provdb.model import fields as f
from provdb.query import find, to_text
from provdb.query.tree import (
    And,
    Compare,
    Field,
    Known,
    Node,
    Not,
    Or,
    Query,
    Reach,
    Text,
)
from provdb.store import Store, open_store
from provdb.store.evaluate import matcher, tally
from tests.lineage.histories import stored
from tests.lineage.random_histories import RandomHistory, histories
from tests.mongod import with_database

_ENTITY_FIELDS: Final = {
    "level": f.LEVEL,
    "entity": f.NAME,
    "type": f.TYPE,
    "run": f.RUN,
    "subrun": f.SUBRUN,
}
_ACTIVITY_FIELDS: Final = {
    "activity": f.NAME,
    "session_tag": f.SESSION_TAG,
    "session_id": f.SESSION_ID,
    "status": f.STATUS,
}
_OF_BOTH: Final = {"run": f.RUN, "subrun": f.SUBRUN}
_VALUES: Final = {
    "level": ("DL1", "R0"),
    "entity": ("SomeFile", "*File", "DL1*", "R0Collection"),
    "type": ("File", "?ile", "SetCollection"),
    "run": ("1", "2"),
    "subrun": ("0", "1"),
    "activity": ("p", "q", "*", "x"),
    "session_tag": ("p:00001", "q:*"),
    "session_id": ("s1", "s?"),
    "status": ("completed", "failed", "running", "*ed"),
}
_LEAVES = st.one_of(
    st.sampled_from(sorted(_VALUES)).flatmap(
        lambda name: st.builds(
            Compare,
            field=st.just(Field(parts=(name,))),
            operator=st.sampled_from([":", "!="]),
            value=st.sampled_from(_VALUES[name]).map(lambda text: Text(text=text)),
        )
    ),
    st.builds(
        Known,
        field=st.sampled_from(sorted(_VALUES)).map(lambda name: Field(parts=(name,))),
        is_known=st.booleans(),
    ),
)


def _larger(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    kind = st.sampled_from(["upstream", "downstream"])
    return st.one_of(
        st.builds(Not, part=parts),
        st.builds(And, parts=several),
        st.builds(Or, parts=several),
        st.builds(Reach, direction=kind, part=parts),
    )


_NODES = st.recursive(_LEAVES, _larger, max_leaves=6)


@pytest.fixture(scope="module")
def server_store(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]]
) -> Iterator[Callable[[Store], Store]]:
    """What copies the documents of a store to the server, in place of those before."""
    name = f"provdb_test_{uuid.uuid4().hex}"
    with open_store(with_database(mongo_uri, name)) as store:
        store.initialise()

        def copied(source: Store) -> Store:
            for collection in f.COLLECTIONS:
                mongo_client[name][collection].delete_many({})
                documents = list(source.scan(collection))
                _insert(mongo_client[name][collection], documents)
            return store

        yield copied
    mongo_client.drop_database(name)


@pytest.mark.mongo
@settings(max_examples=40)
@given(histories(), st.lists(_NODES, min_size=1, max_size=6))
def test_both_stores_answer_as_the_documents_read_plainly(
    server_store: Callable[[Store], Store], history: RandomHistory, nodes: list[Node]
) -> None:
    local = stored(*history.parts)
    server = server_store(local)
    texts = [to_text(Query(selector=node)) for node in nodes]

    expected = [_plainly(local, node) for node in nodes]

    assert [_ids(local, text) for text in texts] == expected
    assert [_ids(server, text) for text in texts] == expected


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, 1.0, -2.5]),
    st.sampled_from(["", "a", "A", "ab", "a.b", "1", "é", "b\nc", "$where"]),
)
_HELD = st.one_of(
    _SCALARS,
    st.lists(st.one_of(_SCALARS, st.just({"a": 1}), st.just([1])), max_size=2),
)
_DOCUMENTS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from("xy"), _HELD
)
_NESTED = st.builds(lambda inner, outer: {**outer, "z": inner}, _DOCUMENTS, _DOCUMENTS)
_PATHS = st.sampled_from(["x", "y", "z.x", "z.y"])
_BOUNDS = st.one_of(st.integers(-2, 2), st.sampled_from([0.5, "", "a", "ab"]))
_ARRAYS = st.lists(st.one_of(_SCALARS, st.just({"a": 1.0})), max_size=2)
_CONDITIONS = st.one_of(
    _SCALARS,
    st.builds(lambda value: {"$eq": value}, _ARRAYS),
    st.builds(lambda value: {"$in": [value, 1]}, _ARRAYS),
    st.builds(lambda value: {"$ne": value}, _ARRAYS),
    st.builds(lambda value: {"$ne": value}, _SCALARS),
    st.builds(lambda values: {"$in": values}, st.lists(_SCALARS, max_size=3)),
    st.builds(lambda values: {"$nin": values}, st.lists(_SCALARS, max_size=3)),
    st.builds(
        lambda name, value: {name: value},
        st.sampled_from(["$gt", "$gte", "$lt", "$lte"]),
        _BOUNDS,
    ),
    st.builds(lambda low, high: {"$gte": low, "$lt": high}, _BOUNDS, _BOUNDS),
    st.builds(
        lambda pattern, options: {"$regex": pattern, "$options": options},
        st.sampled_from(["^a", "a.b", r"a\.b", "b$", "^(?>.*?a).*$", "B"]),
        st.sampled_from(["", "i", "s"]),
    ),
)
_FILTERS: Any = st.recursive(
    st.dictionaries(_PATHS, _CONDITIONS, min_size=1, max_size=2),
    lambda parts: st.builds(
        lambda name, several: {name: several},
        st.sampled_from(["$and", "$or", "$nor"]),
        st.lists(parts, min_size=1, max_size=3),
    ),
    max_leaves=4,
)


@pytest.mark.mongo
@settings(max_examples=100)
@given(
    st.lists(_NESTED, min_size=1, max_size=8),
    st.lists(_FILTERS, min_size=1, max_size=6),
)
def test_a_filter_matches_here_what_it_matches_on_a_server(
    mongo_client: MongoClient[dict[str, Any]],
    documents: list[Document],
    filters: list[dict[str, Any]],
) -> None:
    collection = mongo_client["provdb_test_filters"]["documents"]
    collection.delete_many({})
    numbered = [{**one, f.ID: number} for number, one in enumerate(documents)]
    _insert(collection, numbered)

    found = [[d[f.ID] for d in numbered if matcher(one)(d)] for one in filters]

    assert found == [
        [d[f.ID] for d in collection.find(one, sort=[(f.ID, 1)])] for one in filters
    ]


_RECORDED = st.recursive(
    st.one_of(
        st.sampled_from([5, 6.5, 2**63 - 1, 2**64 - 1, -(2**70), 1e300, True, None]),
        st.sampled_from(["6", "06.50", "-7", "abc", "nan", "1_0", "2020-01-17"]),
        st.sampled_from([math.nan, math.inf, -math.inf]),
    ),
    lambda held: st.one_of(st.lists(held, max_size=2), st.tuples(held, held)),
    max_leaves=3,
)
_ANY_CONDITIONS = st.builds(
    "param.x {} {}".format,
    st.sampled_from([":", "=", "!=", ">", ">=", "<", "<="]),
    st.sampled_from(
        [
            "5",
            "6",
            "06.50",
            "-7",
            "1e20",
            "18446744073709551615",
            "-9223372036854775809",
            "inf",
            "-inf",
            "abc",
            "1_0",
            '"6"',
            '"[5, 5]"',
        ]
    ),
) | st.sampled_from(["param.x:nan", "param.x:5..7", "param.x:a..b", "param.x:*0"])


@pytest.mark.mongo
@settings(max_examples=25)
@given(
    st.lists(_RECORDED, min_size=1, max_size=8),
    st.lists(_ANY_CONDITIONS, min_size=1, max_size=8),
)
def test_both_stores_find_the_same_parameters_and_not_the_others(
    server_store: Callable[[Store], Store], held: list[Any], conditions: list[str]
) -> None:
    records: list[dict[str, Any]] = []
    for number, value in enumerate(held):
        act = {"activity_id": f"a{number}", "session_tag": "p:00001"}
        records += [
            {**act, "name": "p", "startTime": "2026-11-22T20:01:00"},
            {**act, "parameters": {"x": value}},
        ]
    with open_store("memory://") as local:
        local.write(fold(records))
        server = server_store(local)
        known = _ids(local, "param.x is known")

        for condition in conditions:
            found = _ids(local, condition)
            others = _ids(local, f"NOT {condition}")

            assert found | others == known
            assert not found & others
            assert _ids(server, condition) == found
            assert _ids(server, f"NOT {condition}") == others


@pytest.mark.mongo
@pytest.mark.parametrize(
    "told",
    [
        {"count": {"$sum": 1}},
        {"values": {"$push": {"$subtract": ["$end", "$start"]}}},
        {"values": {"$push": "$subrun"}},
        {"values": {"$push": "$no"}},
    ],
)
def test_a_tally_is_that_of_a_server(
    mongo_samples: Store, told: dict[str, Any]
) -> None:
    key = {
        "f0": "$status",
        "f1": {"$subtract": ["$end", "$start"]},
        "f2": "$no",
        "part": {"$substrCP": ["$_id", 0, 1]},
    }
    group = {f.ID: key, **told}

    here = tally(mongo_samples.scan(f.ACTIVITIES), group)

    there = mongo_samples.aggregate(f.ACTIVITIES, [{"$match": {}}, {"$group": group}])
    assert sorted(map(_in_any_order, here)) == sorted(map(_in_any_order, there))


_NAMES = ("activity", "status", "run", "subrun", "session_tag", "node", "start")
_MEASURES = ("sum", "avg", "min", "max", "p50", "p95")
_BY = st.lists(st.sampled_from(_NAMES), max_size=2, unique=True)
_STAGES: Any = st.one_of(
    st.builds(lambda by: ("count", None, by), _BY),
    st.builds(lambda name: ("unique", name, []), st.sampled_from(_NAMES)),
    st.builds(
        lambda measured, by: (*measured, by),
        st.sampled_from(
            [
                *product(_MEASURES, ["duration", "run", "subrun"]),
                *product(["min", "max", "p50", "p95"], ["start"]),
                *product(["min", "max"], ["activity"]),
            ]
        ),
        _BY,
    ),
)


@pytest.mark.mongo
@settings(max_examples=25)
@given(histories(), st.lists(_STAGES, min_size=1, max_size=6))
def test_both_stores_measure_as_the_documents_read_plainly(
    server_store: Callable[[Store], Store],
    history: RandomHistory,
    stages: list[tuple[str, str | None, list[str]]],
) -> None:
    local = stored(*history.parts)
    server = server_store(local)
    texts = [_stage_text(*stage) for stage in stages]

    expected = [_measured_plainly(local, *stage) for stage in stages]

    assert [list(find(local, text)) for text in texts] == expected
    assert [list(find(server, text)) for text in texts] == expected


def _insert(collection: Any, documents: list[Document]) -> None:
    collection.insert_many(documents) if documents else None


def _in_any_order(group: Document) -> str:
    """Return a group as text, whose values are in no order."""
    held = group.get("values", ())
    return str({**group, "values": sorted(map(str, held))})


def _stage_text(function: str, name: str | None, by: list[str]) -> str:
    words = ["kind:activity", "|", function, *([name] if name else [])]
    return " ".join([*words, *(["by", ",".join(by)] if by else [])])


def _measured_plainly(
    store: Store, function: str, name: str | None, by: list[str]
) -> list[dict[str, Any]]:
    """Return the rows of a stage, one document after another."""
    nodes = {d[f.ID]: d.get(f.NODE) for d in store.scan(f.ENVIRONMENTS)}
    rows = []
    for document in store.scan(f.ACTIVITIES):
        row = {one: document.get(path) for one, path in _ACTIVITY_FIELDS.items()}
        row |= {one: document.get(one) for one in ("run", "subrun", "start")}
        there = nodes.get(document.get(f.ENVIRONMENT))
        row["node"] = document.get(f.NODE) or there
        start, end = document.get(f.START), document.get(f.END)
        lasted = None if not start or not end else (end - start).total_seconds()
        rows.append({**row, "duration": lasted})
    if function == "unique":
        assert name is not None
        function, by = "count", [name]
        rows = [row for row in rows if row[name] is not None]
    groups: dict[tuple[Any, ...], list[Any]] = {} if by else {(): []}
    for row in rows:
        key = tuple(row[one] for one in by)
        groups.setdefault(key, []).append(row.get(name or ""))
    if function != "count" and not rows:
        return []
    column = "count" if function == "count" else f"{function}_{name}"
    ordered = sorted(
        groups, key=lambda key: [(v is None, 0 if v is None else v) for v in key]
    )
    return [
        {**dict(zip(by, key, strict=True)), column: _of(function, groups[key])}
        for key in ordered
    ]


def _of(function: str, held: list[Any]) -> Any:
    if function == "count":
        return len(held)
    known = sorted(value for value in held if value is not None)
    if not known:
        return None
    if function in ("sum", "avg"):
        total = math.fsum(known)
        return total if function == "sum" else total / len(known)
    share = {"min": 0, "p50": 50, "p95": 95, "max": 100}[function]
    return known[max(0, math.ceil(len(known) * share / 100) - 1)]


def _ids(store: Store, text: str) -> set[str]:
    return {row["id"] for row in find(store, text)}


def _plainly(store: Store, node: Node) -> set[str]:
    """Return the ids that a condition selects, one document after another."""
    names = {name for name in _names(node) if name not in _OF_BOTH}
    is_of_entities = bool(names & _ENTITY_FIELDS.keys())
    is_of_activities = bool(names) and not is_of_entities
    entities = {} if is_of_activities else _all(store, f.ENTITIES)
    activities = {} if is_of_entities else _all(store, f.ACTIVITIES)
    made = makers(store, entities)
    every = _all(store, f.ACTIVITIES)
    read: list[tuple[str, list[tuple[dict[str, str], list[Document]]]]] = [
        (
            id_,
            [(_ACTIVITY_FIELDS, [every[m] for m in made[id_]]), (_ENTITY_FIELDS, [d])],
        )
        for id_, d in entities.items()
    ]
    read += [
        (id_, [(_ACTIVITY_FIELDS | _OF_BOTH, [d])]) for id_, d in activities.items()
    ]
    reached = _reached(store, node)
    return {id_ for id_, held in read if _holds(node, id_, held, reached) is True}


def _holds(
    node: Node, id_: str, held: Any, reached: dict[int, set[str]]
) -> bool | None:
    """Say whether a condition is true, false, or (None) unknown."""
    if isinstance(node, Not):
        part = _holds(node.part, id_, held, reached)
        return None if part is None else not part
    if isinstance(node, And | Or):
        parts = [_holds(part, id_, held, reached) for part in node.parts]
        decisive = isinstance(node, Or)
        return (
            decisive if decisive in parts else None if None in parts else not decisive
        )
    if isinstance(node, Reach):
        return id_ in reached[id(node)]
    assert isinstance(node, Compare | Known)
    (name,) = node.field.parts
    values = [
        document.get(table[name])
        for table, documents in held
        if name in table
        for document in documents
    ]
    known = [str(value) for value in values if value is not None]
    if isinstance(node, Known):
        return bool(known) is node.is_known
    if not known:
        return None
    assert isinstance(node.value, Text)
    is_like = any(fnmatchcase(value, node.value.text) for value in known)
    return is_like is (node.operator == ":")


def _reached(store: Store, node: Node) -> dict[int, set[str]]:
    """Return what is reached by each part of a query that says so."""
    if isinstance(node, Not):
        return _reached(store, node.part)
    if isinstance(node, And | Or):
        found = [_reached(store, part) for part in node.parts]
        return {key: ids for one in found for key, ids in one.items()}
    if not isinstance(node, Reach):
        return {}
    starts = _plainly(store, node.part)
    reached = reach(
        store,
        entities=sorted(starts & _all(store, f.ENTITIES).keys()),
        activities=sorted(starts & _all(store, f.ACTIVITIES).keys()),
        is_upstream=node.direction == "upstream",
    )
    return {id(node): {*reached.entities, *reached.activities}}


def _names(node: Node) -> set[str]:
    if isinstance(node, Not):
        return _names(node.part)
    if isinstance(node, And | Or):
        return {name for part in node.parts for name in _names(part)}
    return {node.field.parts[0]} if isinstance(node, Compare | Known) else set()


def _all(store: Store, collection: str) -> dict[str, Document]:
    return {document[f.ID]: document for document in store.scan(collection)}
