"""The rows of a query are a value: a stream, a table, a frame, JSON."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from provdb import Database
from provdb.errors import StoreUnavailable, UnknownField
from provdb.lineage.completeness import Completeness
from provdb.model import Document, fold
from provdb.query import find
from provdb.store import Store
from provdb.store.evaluate import Filter
from provdb.store.local import LocalStore

_MANY = 6000


class _Counting(LocalStore):
    """A store that counts the documents that it gave away."""

    given = 0

    def find(
        self, collection: str, filter_: Filter, *, fields: Collection[str] = ()
    ) -> Iterator[Document]:
        for document in super().find(collection, filter_, fields=fields):
            self.given += 1
            yield document


@pytest.fixture(scope="module")
def many() -> Iterator[_Counting]:
    """A store with 6000 files, that counts what it is asked for."""
    with _Counting(None) as store:
        folder = "/fefs/aswg/data/real/DL1/20200117/v0.1.0"
        paths = (f"{folder}/dl1_LST-1.Run01807.{n:04d}.h5" for n in range(_MANY))
        records = ({"entity_id": str(n), "filepath": p} for n, p in enumerate(paths))
        store.write(fold(records))
        yield store


def test_rows_are_taken_from_the_store_one_after_another(many: _Counting) -> None:
    many.given = 0
    rows = Database(many).find("level:DL1")

    assert many.given == 0
    first = next(iter(rows))
    assert first["run"] == 1807
    assert many.given <= _MANY / 2


def test_a_notebook_asks_for_the_rows_that_it_shows(many: _Counting) -> None:
    many.given = 0
    shown = Database(many).find("level:DL1")._repr_html_()

    assert shown.count("<tr>") == 1 + 100
    assert "the first 100 rows, there are more" in shown
    assert many.given <= _MANY / 2


def test_rows_can_be_gone_through_again(samples: Store) -> None:
    rows = Database(samples).find("level:DL2 run:1807 type:File | select path")

    assert list(rows) == list(rows)
    assert len(rows.rows()) == 12


def test_rows_are_json_with_the_question(samples: Store) -> None:
    rows = Database(samples).find("activity:r0_to_dl1 run:1618 | select start")

    assert rows.to_dict() == {
        "question": {"query": "activity:r0_to_dl1 run:1618 | select start"},
        "rows": [
            {"start": "2020-05-18T14:18:06.362Z"},
            {"start": "2020-05-18T14:18:06.362Z"},
        ],
        "completeness": Completeness().to_dict(),
    }


@pytest.mark.parametrize(
    ("query", "walks"),
    [
        pytest.param("activity:r0_to_dl1 run:1618", 0, id="no lineage"),
        pytest.param("upstream(level:DL2) level:R0", 1, id="one lineage"),
        pytest.param("upstream(level:DL2) | count by level", 1, id="counted"),
        pytest.param("upstream(level:DL2) downstream(level:R0)", 2, id="two lineages"),
    ],
)
def test_each_lineage_that_a_query_follows_says_what_it_lacks(
    samples: Store, query: str, walks: int
) -> None:
    reached: list[Completeness] = []

    rows = list(find(samples, query, on_reached=reached.append))

    assert rows
    assert len(reached) == walks


def test_rows_know_how_complete_they_are_after_they_were_read(samples: Store) -> None:
    rows = Database(samples).find("upstream(level:DL2) level:R0")

    before = rows.completeness
    rows.rows()

    assert before == Completeness()
    assert rows.to_dict()["completeness"] == rows.completeness.to_dict()


def test_a_frame_has_times_and_whole_numbers(samples: Store) -> None:
    asked = "activity:r0_to_dl1 | select run,start | sort run,start | limit 1"
    frame = Database(samples).find(asked).to_dataframe()

    assert list(frame.columns) == ["run", "start"]
    assert frame.run[0] == 1618
    assert frame.start[0].tzinfo is UTC or frame.start[0].utcoffset().seconds == 0
    assert isinstance(frame.start[0], datetime)


def test_a_run_stays_a_whole_number_beside_an_unknown_one(samples: Store) -> None:
    rows: Any = Database(samples).find("kind:entity | count by run")

    assert rows.to_dataframe()["run"].dtype == "Int64"
    assert rows.to_dataframe()["run"].isna().sum() == 1


def test_a_frame_of_nothing_has_its_columns(samples: Store) -> None:
    rows = Database(samples).find("run:9999 | select path,run")

    assert list(rows.to_dataframe().columns) == ["path", "run"]
    assert "no rows" in rows._repr_html_()


def test_mistakes_are_told_before_anything_is_asked(samples: Store) -> None:
    with pytest.raises(UnknownField):
        Database(samples).find("levle:DL1")


def test_each_time_has_its_own_limit(samples: Store) -> None:
    rows = Database(samples).find("kind:any", timeout_seconds=1e-9)

    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="no whole answer within"):
            list(rows)
