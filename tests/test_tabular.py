"""Answers in a notebook: as a frame, as a table, as a dictionary."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

import provdb
from provdb import Database, Store
from provdb.errors import MissingExtra
from provdb.tabular import RowList, Tabular, html_table

_ROOT: Final = Path(__file__).parents[1]
_SOURCES: Final = [str(_ROOT), str(_ROOT / "cli"), str(_ROOT / "schemas")]
_DL3: Final = "dl3_LST-1.Run01807.fits"


@pytest.fixture
def db(store: Store) -> Database:
    """A database with the simulated night."""
    provdb.store_demo(store)
    return Database(store)


@pytest.fixture(params=["lineage", "impact", "path", "diff", "versions", "sessions"])
def answer(request: pytest.FixtureRequest, db: Database) -> Any:
    """One answer of each kind."""
    questions: dict[str, Callable[[], Any]] = {
        "lineage": lambda: db.lineage(_DL3),
        "impact": lambda: db.impact("drs4_pedestal.Run01804.0000.h5"),
        "path": lambda: db.path("LST-1.1.Run01807.0003.fits.fz", _DL3),
        "diff": lambda: db.diff("r0_to_dl1:01807", "dl1ab:01807"),
        "versions": lambda: db.versions(_DL3),
        "sessions": db.sessions,
    }
    return questions[request.param]()


def test_a_frame_has_a_row_for_each_row(answer: Tabular) -> None:
    frame = answer.to_dataframe()

    assert len(frame) == len(answer.rows()) > 0
    assert list(frame.columns) == list(
        dict.fromkeys(name for row in answer.rows() for name in row)
    )


def test_a_dictionary_can_be_written_as_json(answer: Any) -> None:
    assert orjson.loads(orjson.dumps(answer.to_dict())) == answer.to_dict()


def test_a_notebook_shows_a_table_without_scripts(answer: Any) -> None:
    shown = answer._repr_html_()

    _, found, _ = shown.partition("<table>")
    assert found
    assert shown.count("<tr>") == min(len(answer.rows()), 100) + 1
    assert f"<p>{len(answer.rows())} row" in shown
    assert "<script" not in shown


def test_an_empty_answer_is_an_empty_frame_and_table() -> None:
    assert len(RowList().to_dataframe()) == 0
    assert "<p>no rows</p>" in RowList()._repr_html_()


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    shown = html_table([{"<i>": '<script>alert("x")</script>', "names": ["<b>", "&"]}])

    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "&lt;i&gt;" in shown
    assert "&lt;b&gt;\n&amp;" in shown


def test_of_many_rows_the_first_are_shown_and_a_note_says_so() -> None:
    shown = html_table([{"number": number} for number in range(1000)])

    assert shown.count("<td") == 100
    assert "1000 rows, the first 100 are shown" in shown


def test_a_long_text_is_cut() -> None:
    shown = html_table([{"text": "x" * 10_000}])

    assert "x" * 200 + "…" in shown
    assert len(shown) < 1000


def test_without_pandas_the_line_that_installs_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(MissingExtra, match=r"pip install 'provdb\[notebook\]'"):
        RowList([{"run": 1807}]).to_dataframe()


def test_nothing_heavy_is_loaded_before_a_frame_is_asked_for() -> None:
    script = (
        f"import sys; sys.path[:0] = {_SOURCES!r}\n"
        "import provdb\n"
        "db = provdb.connect('memory://')\n"
        "provdb.store_demo(db.store)\n"
        f"db.lineage({_DL3!r})._repr_html_()\n"
        "print([m for m in ('pandas', 'numpy', 'rich') if m in sys.modules])"
    )

    said = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout

    assert said == "[]\n"
