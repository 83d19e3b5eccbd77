"""Lines come out of any file, and what is wrong with it is said with its place."""

import errno
import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provdb.errors import ReadError
from provdb.readers import open_log, read_lines
from provdb.readers.lines import LONGEST_LINE_BYTES, is_called_log, printable

ROOT = Path(__file__).parent.parent.parent
# A child with its own measure: reads a file, and says its lines and its memory.
MEASURE = """
import sys
from pathlib import Path
from provdb.readers import open_log, read_lines, read_records
from tests.memory import peak_bytes

before = peak_bytes()
problems = []
with open_log(Path(sys.argv[1])) as stream:
    lines = read_lines(stream, "prov.log", on_problem=problems.append)
    records = list(read_records(lines, on_problem=problems.append))
print(len(records), (peak_bytes() - before) // 2**20, *problems)
"""


def fail(problem: ReadError) -> None:
    raise problem


def read(content: bytes) -> tuple[list[tuple[int, str]], list[ReadError]]:
    """Return the numbered lines of a text, and the problems."""
    problems: list[ReadError] = []
    found = read_lines(BytesIO(content), "prov.log", on_problem=problems.append)
    return [(line.number, line.text) for line in found], problems


@given(st.lists(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1)))
def test_lines_are_numbered_from_one(texts: list[str]) -> None:
    content = "".join(f"{text}\n" for text in texts).encode()

    assert read(content) == (list(enumerate(texts, start=1)), [])


@given(st.lists(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1)))
def test_a_compressed_log_is_read_as_the_plain_one(texts: list[str]) -> None:
    content = "\r\n".join(texts).encode()

    assert read(gzip.compress(content)) == read(content)


def test_compressed_pieces_after_one_another_are_one_log() -> None:
    content = gzip.compress(b"one\n") + gzip.compress(b"two\n")

    assert read(content) == ([(1, "one"), (2, "two")], [])


@pytest.mark.parametrize(
    ("content", "is_complete"),
    [
        pytest.param(b"one\n", True, id="ended"),
        pytest.param(b"one", False, id="cut in mid line"),
    ],
)
def test_a_line_says_whether_it_is_complete(content: bytes, is_complete: bool) -> None:
    (line,) = read_lines(BytesIO(content), "prov.log", on_problem=fail)

    assert line.is_complete is is_complete


def test_an_empty_log_has_no_lines() -> None:
    assert read(b"") == ([], [])


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_byte_order_mark_is_no_part_of_the_first_line(
    compress: Callable[[bytes], bytes],
) -> None:
    lines, problems = read(compress("\ufeff{'a': 1}\n\ufeffb\n".encode()))

    assert lines == [(1, "{'a': 1}"), (2, "\ufeffb")]
    assert problems == []


def test_bytes_of_latin_1_are_read_as_escapes() -> None:
    lines, problems = read("{'name': 'Múnich'}\n".encode("latin-1"))

    assert lines == [(1, "{'name': 'M\\xfanich'}")]
    assert problems == []


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x89HDF\r\n\x1a\n\0\0\0\0", id="HDF5"),
        pytest.param(b"a\0b", id="NUL"),
        pytest.param(gzip.compress(b"SIMPLE\0\0"), id="compressed"),
    ],
)
def test_binary_data_are_refused(content: bytes) -> None:
    with pytest.raises(ReadError, match=r"^prov.log: it is no text log"):
        read(content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x1f\x8b", id="only the magic number"),
        pytest.param(b"\x1f\x8b\x08 and no more of a header", id="no stream"),
        pytest.param(gzip.compress(b"a line\n")[:12], id="cut in the first line"),
    ],
)
def test_a_compressed_file_without_a_readable_line_is_refused(content: bytes) -> None:
    with pytest.raises(ReadError, match=r"^prov.log: the compressed file is damaged"):
        read(content)


@pytest.mark.parametrize("missing", [1, 4, 8, 100, 5000])
def test_lines_before_the_end_of_a_truncated_file_are_read(missing: int) -> None:
    texts = [f"{number} {os.urandom(20).hex()}" for number in range(1, 1001)]
    content = gzip.compress("".join(f"{text}\n" for text in texts).encode())

    lines, (problem,) = read(content[:-missing])

    assert lines == list(enumerate(texts, start=1))[: len(lines)]
    assert len(lines) >= 1000 - missing // 20 - 10
    assert problem.line == len(lines)
    assert "the compressed file is damaged after this line" in problem.reason


def test_lines_before_a_damaged_place_are_read() -> None:
    texts = [os.urandom(20).hex() for _ in range(5000)]
    content = bytearray(gzip.compress("".join(f"{t}\n" for t in texts).encode()))
    half = len(content) // 2
    content[half : half + 500] = bytes(500)

    lines, problems = read(bytes(content))

    assert [text for _, text in lines[:1000]] == texts[:1000]
    assert len(problems) == 1


def test_a_line_of_the_longest_size_is_read_and_a_longer_one_is_not() -> None:
    longest = b"a" * (LONGEST_LINE_BYTES - 1) + b"\n"

    lines, (problem,) = read(b"one\n" + longest + b"a" * 3 + longest + b"four")

    assert [number for number, _ in lines] == [1, 2, 4]
    assert problem.line == 3
    assert problem.reason == "a line of 2097155 bytes is too long for a record"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="measures as Linux does")
def test_a_line_of_100_megabytes_takes_little_memory(tmp_path: Path) -> None:
    log = tmp_path / "prov.log"
    with log.open("wb") as stream:
        stream.write(b"{'first': 1}\n{'a': '")
        stream.writelines(b"a" * 10**6 for _ in range(100))
        stream.write(b"'}\n{'last': 1}\n")

    records, megabytes, *problem = measure(log)

    assert records == "2"
    assert int(megabytes) < 60
    assert " ".join(problem).startswith("prov.log:2: a line of 100000010 bytes")


def measure(log: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(log)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'schemas'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_a_stream_of_the_caller_stays_open() -> None:
    stream = BytesIO(b"one\n")

    list(read_lines(stream, "standard input", on_problem=fail))

    assert not stream.closed


def test_a_stream_that_breaks_is_a_problem() -> None:
    broken = read_lines(Broken(), "standard input", on_problem=fail)

    with pytest.raises(ReadError, match="standard input: it cannot be read: lost"):
        list(broken)


class Broken(BytesIO):
    """A stream whose other end is gone."""

    def readinto(self, buffer: object) -> int:
        """Fail as a lost disk does."""
        raise OSError(errno.EIO, "lost")


@pytest.mark.parametrize(
    "name",
    ["prov.log", "prov.log.1", "prov.log.2.gz", "01807_prov.LOG", "a.txt", "p.jsonl"],
)
def test_a_name_can_be_that_of_a_log(name: str) -> None:
    assert is_called_log(Path("night", name))


@pytest.mark.parametrize(
    "name", ["dl1.h5", "prov.log.bak", "log", "plot.pdf", "1", "prov.json.1"]
)
def test_a_name_can_be_that_of_no_log(name: str) -> None:
    assert not is_called_log(Path("prov.log", name))


@given(st.text(st.characters(exclude_categories=()), min_size=1))
def test_any_path_is_told_in_one_line_that_can_be_written(path: str) -> None:
    told = printable(path)

    assert told.encode("utf-8").decode() == told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    "name",
    [pytest.param(".", id="folder"), pytest.param("missing.log", id="missing")],
)
def test_what_cannot_be_opened_is_an_error(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(ReadError, match="it cannot be read: "),
        open_log(tmp_path / name),
    ):
        pass
