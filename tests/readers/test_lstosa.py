"""The text logs of lstosa and logprov give their records, whatever is between them."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provdb.errors import ReadError
from provdb.model import Record
from provdb.readers import Line, read_records
from provdb.readers.literal import parse_literal
from tests.model.literals import signature
from tests.samples import NIGHT_LOG, RUN_LOG, SLIDES_LOG, read_log, records_of

TIME = "2020-05-18T14:18:30.445713"
# Parts of a record with a system block, and what may confuse who parts it.
PARTS = st.sampled_from(
    [
        "{'system': {",
        "'system': {",
        "'x': 1, ",
        "'arguments': [",
        "]}",
        "]}}",
        "}",
        "{",
        "]",
        ", ",
        "'",
        "''",
        "'''",
        '"',
        "\\",
        "#",
        "\r",
        "'a' ",
        "'k': ",
        "1",
        "None",
        "b",
        "(",
        ")",
        ": ",
    ]
)
SOME = st.lists(PARTS, max_size=4).map("".join)
PAYLOADS = st.tuples(
    st.sampled_from(["{", "{'a': 1, ", "{'a': {'b': ", "['", "{'''", "{#"]) | SOME,
    st.just("'system': {"),
    st.sampled_from(["'x': 1, ", "'x': {'y': 2}, ", "'x': (1", "1: {1}, "]) | SOME,
    st.just("'arguments': ["),
    st.sampled_from(["]}}", "], 'x': 2}, 'system': {}}", "]}, 'b': ''}"]) | SOME,
).map("".join)


def read(*texts: str) -> tuple[list[Record], list[ReadError]]:
    """Return what is read from lines, and the problems."""
    problems: list[ReadError] = []
    lines = [Line("prov.log", i, text, True) for i, text in enumerate(texts, start=1)]
    found = read_records(lines, on_problem=problems.append)
    return [record for _, record in found], problems


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(
            f"INFO provLogger __PROV__{TIME}__PROV__{{'run': 1}}", id="lstosa"
        ),
        pytest.param(
            f"INFO provLogger __PROV_{TIME}_PROV__{{'run': 1}}", id="old lstosa"
        ),
        pytest.param(f"INFO prov _PROV_{TIME}_PROV_{{'run': 1}}", id="logprov"),
        pytest.param("{'run': 1}", id="run-wise product"),
        pytest.param('{"run": 1}', id="JSON"),
        pytest.param(f"_PROV_{TIME}_PROV_ {{'run': 1}}", id="space"),
        pytest.param(f"x: __PROV__{TIME}__PROV__{{'run': 1}}", id="other prefix"),
        pytest.param("__PROV____PROV__{'run': 1}", id="no time"),
    ],
)
def test_every_spelling_is_read(line: str) -> None:
    assert read(line) == ([{"run": 1}], [])


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("", id="empty"),
        pytest.param("INFO datasequence started", id="message"),
        pytest.param("PROV: {'run': 1}", id="the word alone"),
        pytest.param("INFO __PROV__ is the mark of lstosa", id="one mark"),
        pytest.param("Traceback (most recent call last):", id="traceback"),
        pytest.param(f"__PROV__{'x' * 99}__PROV__{{}}", id="marks far apart"),
    ],
)
def test_lines_of_somebody_else_are_passed_over(line: str) -> None:
    assert read(line) == ([], [])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(
            "__PROV__t__PROV__{'run': ",
            "prov.log:1: no record was read from \"{'run':\": it is no Python literal",
            id="no literal",
        ),
        pytest.param(
            "__PROV__t__PROV__[1, 2]",
            "prov.log:1: no record was read from '[1, 2]': it is no dictionary",
            id="no dictionary",
        ),
        pytest.param(
            "{'run': __import__('os').getpid()}", "it is no Python literal", id="code"
        ),
        pytest.param("_PROV_t_PROV_", "from '': it is no Python literal", id="nothing"),
        pytest.param("{" * 5000, "{{{…': it is", id="nested"),
        pytest.param("{'a': '" + "b" * 90, 'bbb…": it is', id="shown in part"),
    ],
)
def test_a_line_that_should_hold_a_record_is_a_problem(line: str, message: str) -> None:
    records, (problem,) = read(line)

    assert records == []
    assert message in str(problem)
    assert (problem.source, problem.line) == ("prov.log", 1)


def test_a_log_that_is_cut_off_says_so() -> None:
    problems: list[ReadError] = []
    line = Line("prov.log", 7, "__PROV__t__PROV__{'run': 16", False)

    records = list(read_records([line], on_problem=problems.append))

    assert records == []
    assert [str(problem) for problem in problems] == [
        "prov.log:7: no record was read from \"{'run': 16\": "
        "the log is cut off in this line"
    ]


def test_good_lines_between_bad_ones_are_read() -> None:
    records, problems = read("{'a': 1}", "{'b': ", "noise", "{'c': 2}")

    assert records == [{"a": 1}, {"c": 2}]
    assert [problem.line for problem in problems] == [2]


def test_times_may_go_backwards() -> None:
    late = "__PROV__2020-05-18T23:59:59__PROV__{'n': 1}"
    early = "__PROV__2020-05-18T00:00:01__PROV__{'n': 2}"

    assert read(late, early) == ([{"n": 1}, {"n": 2}], [])


@pytest.mark.parametrize(
    ("log", "count"),
    [
        pytest.param(SLIDES_LOG, 12, id="slides"),
        pytest.param(RUN_LOG, 77, id="run-wise"),
        pytest.param(NIGHT_LOG, 1280, id="night"),
    ],
)
def test_every_line_of_the_samples_is_read(log: Path, count: int) -> None:
    assert len(records_of(read_log(log))) == count


def test_repeated_sessions_share_nothing_that_can_be_changed() -> None:
    line = "{'session_id': 1, 'system': {'os': 'Linux', 'arguments': ['a']}}"

    (one, other), _ = read(line, line)
    one["system"]["os"] = "changed"

    assert other["system"] == {"os": "Linux", "arguments": ["a"]}


@given(PAYLOADS)
@example("{'a' 'system': {'x': 1, 'arguments': []}, 'system': {'c': 1}}")
@example("{'system': {'x': 1, 'arguments': []}, 'system': {'arguments': [2]}}")
@example("{''' ''system': {'a': 1, 'arguments': [''': 1, 'system': {'c': 1}}")
@example("{ #'system': {'a': 1, 'arguments': [\r 'system': {'c': 1}}")
@example("{'system': {'x': 1 'arguments': []}}")
@example("{'system': {'x': 1}, 'y': {'z': 1, 'arguments': []}}")
@example("{'system': {'x': {'y': 1, 'arguments': []}}}")
@example("{'k': 'it is', \"'system': {'x': 1, 'arguments': [\": 2, 'system': {}}")
@example("{'a': '\\'', 'system': {'x': '\\'arguments\\': [', 'arguments': ['}']}}")
@example("{'system': {'%block': 1, 'x': 2, 'arguments': []}}")
@example("{'system': {'x': 1, 'arguments': [1], 'x': 2}, 'y': 3}")
@example("{'system': {'arguments': [], 'x': 1}}")
def test_the_software_block_is_read_as_the_plain_parse_reads_it(payload: str) -> None:
    line = f"__PROV__{TIME}__PROV__{payload}"
    expected = [record for record in plain(payload) if isinstance(record, dict)]

    records, problems = read(line, line)

    assert list(map(signature, records)) == list(map(signature, expected * 2))
    assert len(records) + len(problems) == 2


def plain(payload: str) -> list[object]:
    """Return the literal, or nothing where there is none."""
    try:
        return [parse_literal(payload.strip())]
    except ValueError:
        return []


def test_blocks_without_end_do_not_fill_the_memory() -> None:
    lines = [
        f"{{'system': {{'host': 'cp{i}', 'arguments': [{i}]}}}}" for i in range(200)
    ]

    records, _ = read(*lines)

    assert [record["system"]["host"] for record in records] == [
        f"cp{i}" for i in range(200)
    ]
