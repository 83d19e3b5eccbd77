"""A spool holds what was written, whatever happens to the process and the file."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provdb.capture.encoding import decode_value, encode_value
from provdb.capture.plain import plain
from provdb.capture.spool import (
    Spool,
    SpoolClosed,
    SpoolFull,
    SpoolName,
    left_behind,
    read_lines,
    read_store,
    read_value,
)
from provdb.errors import RecordError
from provdb.secrets.redaction import redact

NOW = datetime(2020, 11, 22, 21, 15, 3, 123456, tzinfo=UTC)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """A spool of this process."""
    opened = Spool(
        tmp_path, SpoolName.of_process(NOW), store="sqlite:///x", max_bytes=2000
    )
    yield opened
    opened.close()


def write(spool: Spool, *values: Any) -> None:
    for value in values:
        spool.append(*encode_value(value))


def values_in(path: Path) -> list[Any]:
    """Return the values of the lines after the first, that names the store."""
    return [read_value(line.text)[1] for line in read_lines(path)][1:]


_LITERALS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(record=st.dictionaries(st.text(), _LITERALS))
def test_what_is_encoded_comes_back(record: dict[str, Any]) -> None:
    assert decode_value(*encode_value(record)) == redact(plain(record))


def test_lines_come_back_in_order_with_ids_of_their_own(spool: Spool) -> None:
    write(spool, {"run": 1618}, "__PROV__{'run': 1618}", {"nan": float("inf")})

    ids = [read_value(line.text)[0] for line in read_lines(spool.path)]
    assert values_in(spool.path) == [
        {"run": 1618},
        "__PROV__{'run': 1618}",
        {"nan": float("inf")},
    ]
    assert ids == [f"{spool.path.stem}-{number}" for number in range(4)]


def test_it_says_which_store_it_is_for(spool: Spool) -> None:
    assert read_store(spool.path) == "sqlite:///x"


def test_a_line_that_was_cut_off_is_left_out(spool: Spool) -> None:
    write(spool, {"run": 1}, {"run": 2})

    os.truncate(spool.path, spool.path.stat().st_size - 1)

    assert values_in(spool.path) == [{"run": 1}]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        pytest.param(b'"run":1', b'"run":2', "its checksum is wrong", id="changed"),
        pytest.param(b'"crc"', b'"cra"', "it is no line of a spool", id="broken"),
    ],
)
def test_a_damaged_line_is_seen(
    spool: Spool, before: bytes, after: bytes, reason: str
) -> None:
    write(spool, {"run": 1})
    (_, line) = read_lines(spool.path)

    with pytest.raises(RecordError, match=reason):
        read_value(line.text.replace(before, after))


def test_what_was_shipped_is_taken_out(spool: Spool) -> None:
    write(spool, {"run": 1})
    (head, line) = read_lines(spool.path)

    position = spool.forget(line.end)
    write(spool, {"run": 2})

    assert position == head.end
    assert values_in(spool.path) == [{"run": 2}]


def test_what_came_meanwhile_stays(spool: Spool) -> None:
    write(spool, {"run": 1})
    (_, line) = read_lines(spool.path)
    write(spool, {"run": 2})

    assert spool.forget(line.end) == line.end
    assert values_in(spool.path) == [{"run": 1}, {"run": 2}]


def test_it_is_no_larger_than_it_may_be(spool: Spool) -> None:
    with pytest.raises(SpoolFull):
        write(spool, {"text": "x" * 2000})

    write(spool, {"run": 1})
    assert values_in(spool.path) == [{"run": 1}]


def test_a_closed_one_takes_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SpoolName.of_process(NOW), store="x", max_bytes=2000)

    assert spool.close()

    assert not spool.path.exists()
    with pytest.raises(SpoolClosed):
        write(spool, {"run": 1})


def test_two_of_one_process_have_two_names(spool: Spool) -> None:
    name = SpoolName.of_process(NOW)
    other = Spool(spool.path.parent, name, store="x", max_bytes=2000)

    assert other.path != spool.path
    other.close()


def test_a_running_process_has_not_left_it(spool: Spool) -> None:
    with left_behind(spool.path) as is_left:
        assert not is_left


def test_an_ended_process_has_left_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SpoolName.of_process(NOW), store="x", max_bytes=2000)
    write(spool, {"run": 1})
    spool.close()

    with left_behind(spool.path) as is_left:
        assert is_left


@pytest.mark.parametrize(
    "name",
    [
        SpoolName("cp15", (4711,), "20201122T211503123"),
        SpoolName("lst-1_cp15", (4711, 4712, 4713), "20201122T211503123"),
    ],
    ids=["process", "forked"],
)
def test_a_name_comes_back(name: SpoolName) -> None:
    assert SpoolName.parse(f"{name}.jsonl") == name
    assert SpoolName.parse(f"{name}.dead.jsonl") == name


def test_the_name_of_another_file_is_none() -> None:
    assert SpoolName.parse("events.jsonl") is None
