"""The filters and pipelines that queries become, by equality."""

from typing import Any

import pytest

from provdb.model import location_id
from provdb.query import compile_query
from provdb.query.compile import Lookup, filter_of

_LAST = "\U0010ffff"
_PATH = "/fefs/DL1/dl1_LST-1.Run01618.0008.h5"


@pytest.mark.parametrize(
    ("query", "filter_"),
    [
        ("level:dl1 run:01618", {"level": "DL1", "run": 1618}),
        ("level:R0 -run:1618", {"level": "R0", "run": {"$nin": [1618, None]}}),
        ("level:R0 run:1..3", {"level": "R0", "run": {"$gte": 1, "$lt": 4}}),
        ("level:R0 run > 3", {"level": "R0", "run": {"$gte": 4}}),
        ("level is unknown", {"level": None}),
        ("-level is unknown", {"level": {"$ne": None}}),
        ("level:DL1..DL2", {"level": {"$in": ["DL1", "DL2"]}}),
        ("entity:RFModel*", {"name": {"$gte": "RFModel", "$lt": f"RFModel{_LAST}"}}),
        ('entity:"RFModel*"', {"name": "RFModel*"}),
        ("entity=RFModel*", {"name": "RFModel*"}),
        ("entity ~ a.b", {"name": {"$regex": r"a\.b"}}),
        ("entity ~ /a.b/i", {"name": {"$regex": "a.b", "$options": "i"}}),
        ('entity:"$where"', {"name": "$where"}),
        ("hash:446F", {"hash": {"$gte": "446f", "$lt": f"446f{_LAST}"}}),
        (
            f"path:{_PATH}",
            {
                "$or": [
                    {"_id": location_id(_PATH), "location": _PATH},
                    {
                        "file_name": {"$in": ["dl1_LST-1.Run01618.0008.h5", None]},
                        "location": _PATH,
                    },
                ]
            },
        ),
        (
            "path:dl1*",
            {"file_name": {"$gte": "dl1", "$lt": f"dl1{_LAST}"}},
        ),
        ("activity:p OR status:failed", {"$or": [{"name": "p"}, {"status": "failed"}]}),
        (
            "-(activity:p OR status:failed)",
            {"name": {"$nin": ["p", None]}, "status": {"$nin": ["failed", None]}},
        ),
        (
            "node:cp15",
            {
                "$or": [
                    {"node": "cp15"},
                    {
                        "node": None,
                        "environment": {
                            "$in": Lookup(
                                collection="environments", filter={"node": "cp15"}
                            )
                        },
                    },
                ]
            },
        ),
        (
            "software.lstchain >= 0.10",
            {
                "environment": {
                    "$in": Lookup(
                        collection="environments",
                        filter={"packages.lstchain": {"$versions": {"$gte": "0.10"}}},
                    )
                }
            },
        ),
        (
            "param.x=6",
            {
                "$or": [
                    {"parameters.x": 6},
                    {"parameters.x.%tuple": 6},
                    {"parameters.x.%set": 6},
                ]
            },
        ),
        (
            "path:/fefs/DL1/",
            {
                "$or": [
                    {"location": {"$gte": "/fefs/DL1/", "$lt": f"/fefs/DL1/{_LAST}"}},
                    {"location": "/fefs/DL1"},
                ]
            },
        ),
        ("dry_run:true", {"dry_run": True}),
        ("dry_run:false", {"dry_run": {"$ne": True}}),
        ("level:DL1 status:failed", {"level": "DL1"}),
        ("level:DL1 upstream(level:DL2)", {"level": "DL1"}),
        ("level:DL1 OR status:failed", None),
    ],
)
def test_a_filter(query: str, filter_: dict[str, Any] | None) -> None:
    (plan,) = compile_query(query).plans

    assert filter_of(plan.condition) == filter_


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("level:DL1", ["entity"]),
        ("made_by:dl1ab", ["entity"]),
        ("level:DL1 status:failed", ["entity"]),
        ("status:failed", ["activity"]),
        ("param.x:6 run:1618", ["activity"]),
        ("run:1618", ["entity", "activity"]),
        ("upstream(level:DL2)", ["entity", "activity"]),
        ("run:1618 | p95 duration by node", ["activity"]),
        ("run:1618 | count by level", ["entity"]),
        ("run:1618 | count | sort -count", ["entity", "activity"]),
        ("kind:any level:DL1", ["entity", "activity"]),
        ("", ["entity", "activity"]),
    ],
)
def test_what_a_query_ranges_over(query: str, kinds: list[str]) -> None:
    assert [plan.kind for plan in compile_query(query).plans] == kinds


def test_brackets_that_change_nothing_change_no_plan() -> None:
    bare = compile_query("level:DL1 -run:1618 OR entity:x")
    full = compile_query("((level:DL1) (NOT (run:1618))) OR (entity:x)")

    assert bare.plans == full.plans


def test_a_pipeline_counts_what_is_alike() -> None:
    compiled = compile_query("status:failed | count by node,run,duration")

    (tally,) = compiled.tallies

    assert tally.pipeline({"status": "failed"}) == [
        {"$match": {"status": "failed"}},
        {
            "$group": {
                "_id": {
                    "f0": "$node",
                    "f1": "$environment",
                    "f2": "$run",
                    "f3": {"$subtract": ["$end", "$start"]},
                },
                "count": {"$sum": 1},
            }
        },
    ]


def test_a_pipeline_gathers_the_numbers_that_are_measured() -> None:
    compiled = compile_query("status:failed | p95 duration by node")

    (tally,) = compiled.tallies

    assert tally.pipeline({"status": "failed"}) == [
        {"$match": {"status": "failed"}},
        {
            "$group": {
                "_id": {
                    "f0": "$node",
                    "f1": "$environment",
                    "part": {"$substrCP": ["$_id", 0, 1]},
                },
                "values": {"$push": {"$subtract": ["$end", "$start"]}},
            }
        },
    ]


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("status:failed | select node", id="no stage that counts"),
        pytest.param("status:failed | sort start | count", id="another stage first"),
        pytest.param("upstream(run:1618) | count by level", id="lineage decides"),
        pytest.param("level:DL1 status:failed | count", id="a maker decides"),
        pytest.param("level:DL1 | count by node", id="a field of the maker"),
        pytest.param("level:DL1", id="no stage"),
    ],
)
def test_what_a_store_cannot_count(query: str) -> None:
    assert compile_query(query).tallies == ()


@pytest.mark.parametrize(
    ("query", "gathered"),
    [
        ("| p95 duration", "duration"),
        ("level:DL1 | sum size by level", "size"),
        ("activity:p | max run by run", None),
        ("activity:p | max param.x by node", None),
        ("activity:p | max start by node", None),
        ("activity:p | unique run", None),
    ],
)
def test_what_a_store_gathers(query: str, gathered: str | None) -> None:
    (tally,) = compile_query(query).tallies

    assert tally.gathered == gathered
