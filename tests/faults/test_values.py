"""One bad value harms only itself, and no handler feeds on itself."""

from typing import Any, Final

import orjson
import pytest

from provdb.model import Document
from provdb.model import fields as f
from provdb.store import open_store
from tests.faults.conftest import NewSpools
from tests.faults.kit import FULL, Spools

_RECORDS: Final = 2000 if FULL else 200
# Among so many a record that no store takes is looked for.
_MANY: Final = 2000
_LOG: Final = """
import decimal, enum, math, pathlib, uuid
from datetime import datetime, timedelta, timezone

class Unreadable:
    def __repr__(self):
        raise RuntimeError("no text")

class Level(enum.Enum):
    R0 = 0

recursive = {}
recursive["itself"] = recursive
deep = []
for _ in range(500):
    deep = [deep]

bad = BAD
writer = Writer("w", close_timeout_seconds=60)
for number in range(COUNT):
    entity = {"entity_id": f"e{number}", "name": "R0SubrunDataset"}
    logger.info(entity | ({"value": bad} if number == COUNT // 2 else {}))
print(writer.handler.dropped)
"""


@pytest.fixture(
    params=[
        pytest.param("mongo", marks=pytest.mark.mongo),
        *(["local"] if FULL else []),
    ]
)
def spools(request: pytest.FixtureRequest, new_spools: NewSpools) -> Spools:
    """Pipelines that log to a server, which takes less than a file does."""
    uri: str = request.getfixturevalue(f"{request.param}_store_uri")
    return new_spools(uri)


@pytest.mark.parametrize(
    ("bad", "stored"),
    [
        pytest.param("pathlib.Path('/fefs/lst.json')", "/fefs/lst.json", id="path"),
        pytest.param("{1}", {1}, id="set"),
        pytest.param(
            "datetime(2020, 5, 18, tzinfo=timezone(timedelta(hours=2)))",
            "2020-05-18T00:00:00+02:00",
            id="time with a zone",
        ),
        pytest.param("2**63", 2**63, id="64 bits"),
        pytest.param("2**70", 2**70, id="70 bits"),
        pytest.param("'\\udc80'", "\udc80", id="surrogate"),
        pytest.param("'a\\0b'", "a\0b", id="NUL"),
        pytest.param("{'a\\0b': 1}", {"a\0b": 1}, id="NUL in a key"),
        pytest.param("{'a.b': {'$x': 1}}", {"a.b": {"$x": 1}}, id="dots and dollars"),
        pytest.param("{1: 'a'}", {1: "a"}, id="integer key"),
        pytest.param("(1, 2j)", (1, 2j), id="complex"),
        pytest.param("decimal.Decimal('1.5')", "1.5", id="decimal"),
        pytest.param("uuid.UUID(int=1)", str(__import__("uuid").UUID(int=1)), id="id"),
    ],
)
def test_a_bad_value_is_stored_as_the_nearest_good_one(
    spools: Spools, bad: str, stored: Any
) -> None:
    ended = spools.run(script(bad))

    assert (ended.status, ended.stdout, ended.stderr) == (0, "0\n", "")
    assert (len(entities(spools)), spools.left()) == (_RECORDS, [])
    assert value_of_the_bad_one(spools) == stored


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param("math.nan", id="NaN"),
        pytest.param("math.inf", id="infinite"),
        pytest.param("Unreadable()", id="unreadable"),
        pytest.param("recursive", id="recursive"),
        pytest.param("deep", id="deep"),
        pytest.param("Level.R0", id="enumeration"),
        pytest.param("object", id="class"),
        pytest.param("(each for each in 'abc')", id="generator"),
        pytest.param("b'\\xff' * 1000", id="bytes"),
    ],
)
def test_a_strange_value_harms_nobody(spools: Spools, bad: str) -> None:
    ended = spools.run(script(bad))

    assert (ended.status, ended.stdout, ended.stderr) == (0, "0\n", "")
    assert (len(entities(spools)), spools.left()) == (_RECORDS, [])


@pytest.mark.parametrize(
    ("bad", "stored"),
    [
        pytest.param("numpy.int64(7)", 7, id="integer"),
        pytest.param("numpy.float32(7)", 7, id="float"),
        pytest.param("numpy.bool_(True)", True, id="bool"),
        pytest.param("numpy.arange(7)", list(range(7)), id="array"),
    ],
)
def test_values_of_numpy_are_numbers(spools: Spools, bad: str, stored: Any) -> None:
    ended = spools.run("import numpy" + script(bad))

    assert (ended.status, ended.stdout, ended.stderr) == (0, "0\n", "")
    assert value_of_the_bad_one(spools) == stored


def test_what_is_too_large_is_kept_and_stored_once_it_is_mended(
    spools: Spools,
) -> None:
    ended = spools.run(script("'x' * (17 * 2**20)", records=_MANY))

    assert (ended.status, ended.stdout) == (0, "0\n")
    assert len(ended.complaints) == 1
    assert len(entities(spools)) == _MANY - 1
    (dead,) = spools.dead()
    letter = orjson.loads(dead.read_bytes())
    assert letter["reason"] == "it has 17.0 MiB, a record has 8 at most"
    letter["record"]["value"] = "too large"
    dead.write_bytes(orjson.dumps(letter) + b"\n")

    assert spools.outcome() == ([], [], [])
    assert value_of_the_bad_one(spools) == "too large"


@pytest.mark.mongo
def test_a_handler_on_the_root_logger_does_not_feed_on_itself(
    mongo_store_uri: str, new_spools: NewSpools
) -> None:
    spools = new_spools(mongo_store_uri)

    ended = spools.run(
        """
import logging, time
writer = Writer("w", flush_interval_seconds=0.01)
logger.removeHandler(writer.handler)
logger.propagate = True
root = logging.getLogger()
root.addHandler(writer.handler)
root.setLevel(logging.DEBUG)
writer.log(120)
time.sleep(1)
writer.end()
"""
    )

    assert (ended.status, ended.stderr) == (0, "")
    assert ended.exit_seconds is not None
    assert ended.exit_seconds < 4
    assert (len(spools.taken), spools.missing(), spools.left()) == (120, [], [])


def test_memory_stays_small_while_the_store_is_away(new_spools: NewSpools) -> None:
    spools = new_spools("sqlite:////proc/nowhere/provdb.db")

    ended = spools.run(
        """
from tests.memory import peak_bytes

def peak_mib():
    return peak_bytes() / 2**20

writer = Writer("w", close_timeout_seconds=0.5)
writer.log(6_000)
before = peak_mib()
writer.log(200_000)
print(peak_mib() - before)
"""
    )

    assert ended.status == 0
    assert len(spools.taken) == 206_000
    assert float(ended.stdout) < 20


def script(bad: str, *, records: int = _RECORDS) -> str:
    """Return what logs a bad value in the middle of some records."""
    return _LOG.replace("BAD", bad).replace("COUNT", str(records))


def entities(spools: Spools) -> list[Document]:
    with open_store(spools.uri) as store:
        return list(store.scan(f.ENTITIES))


def value_of_the_bad_one(spools: Spools) -> Any:
    """Return what the store holds of the value, as records have it."""
    from provdb.model import unfold

    records = list(unfold({f.ENTITIES: entities(spools)}))
    (value,) = [record["value"] for record in records if "value" in record]
    return value
