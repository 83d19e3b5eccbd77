"""``provdb files``: copies of files are listed, and come back byte for byte."""

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from provdb.model import Record
from tests.cli.command import Provdb

IsGolden = Callable[[str, str], bool]

STANDARD = b'{"picture_thresh": 8, "boundary_thresh": 4}\n'
TUNED = b'{"picture_thresh": 6}\n'
BINARY = bytes(range(256))
WITH_SECRETS = b"password = p\n"


def copy(content: bytes, path: str, run: str, **more: str) -> Record:
    """Return the record of a copy."""
    return {
        "file_id": sha256(content).hexdigest(),
        "filepath": path,
        "size": len(content),
        "content": b64encode(content).decode(),
        "session_tag": f"dl1ab:{run}",
        **more,
    }


def without_content(record: Record) -> Record:
    """Return what is recorded of a file with secrets."""
    bare = {name: record[name] for name in record if name != "content"}
    return bare | {"content_left_out": "secrets"}


COPIES = [
    copy(STANDARD, "/fefs/conf/lstchain.json", "01618", activity_id="621ca2"),
    copy(STANDARD, "/fefs/conf/lstchain.json", "01618", activity_id="7404bb"),
    copy(STANDARD, "/fefs/conf/lstchain.json", "01619"),
    copy(STANDARD, "/home/lst/standard.json", "01618"),
    copy(TUNED, "/fefs/tuned/lstchain.json", "01618", activity_id="621ca2"),
    copy(BINARY, "/fefs/conf/cuts.bin", "01618"),
    without_content(copy(WITH_SECRETS, "/fefs/conf/database.cfg", "01618")),
]


@pytest.fixture
def provdb_files(provdb_there: Provdb) -> Provdb:
    """The command, with copies of files in the store."""
    log = "".join(f"INFO x __PROV__2020__PROV__{copied!r}\n" for copied in COPIES)
    said = provdb_there("ingest", "-", stdin=log.encode())
    assert said.status == 0
    return provdb_there


@pytest.mark.parametrize(
    ("format_name", "columns", "name"),
    [
        ("json", 80, "files-list.json"),
        ("jsonl", 80, "files-list.jsonl"),
        ("csv", 80, "files-list.csv"),
        ("table", 80, "table-files-list-80.txt"),
        ("table", 120, "table-files-list-120.txt"),
        ("table", 200, "table-files-list-200.txt"),
    ],
)
def test_copies_are_listed(
    provdb_files: Provdb,
    is_golden: IsGolden,
    format_name: str,
    columns: int,
    name: str,
) -> None:
    said = provdb_files("files", "list", "--format", format_name, columns=columns)

    assert (said.status, said.stderr) == (0, "")
    assert is_golden(name, said.stdout)


def test_without_copies_none_is_listed(provdb_there: Provdb) -> None:
    provdb_there("db", "init")

    said = provdb_there("files", "list")

    assert (said.status, said.json) == (0, [])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("/fefs/conf/lstchain.json", STANDARD, id="path"),
        pytest.param("tuned/lstchain.json", TUNED, id="end of a path"),
        pytest.param("standard.json", STANDARD, id="file name"),
        pytest.param(sha256(TUNED).hexdigest(), TUNED, id="digest"),
        pytest.param(sha256(BINARY).hexdigest()[:8], BINARY, id="start of a digest"),
    ],
)
def test_a_copy_is_written_to_a_file(
    provdb_files: Provdb, tmp_path: Path, name: str, content: bytes
) -> None:
    target = tmp_path / "target"

    said = provdb_files("files", "get", name, "-o", target)

    assert (said.status, said.stdout, said.stderr) == (0, "", "")
    assert target.read_bytes() == content


def test_a_copy_is_written_to_stdout(provdb_files: Provdb) -> None:
    said = provdb_files("files", "get", "tuned/lstchain.json")

    assert (said.status, said.stderr) == (0, "")
    assert said.stdout.encode() == TUNED


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        pytest.param(
            "lstchain.json",
            "provdb: lstchain.json can mean 2 things, give more of the path of one",
            id="two of them",
        ),
        pytest.param(
            "lstchan.json",
            "provdb: no copy is called lstchan.json; 'provdb files list' shows all; "
            "did you mean lstchain.json?",
            id="near",
        ),
        pytest.param("/nowhere/cuts.bin", "provdb: no copy is called", id="path"),
        pytest.param("chain.json", "provdb: no copy is called", id="no whole name"),
        pytest.param("0" * 64, "provdb: no copy is called 000", id="digest"),
        pytest.param(
            "database.cfg",
            f"provdb: the content of {sha256(WITH_SECRETS).hexdigest()} was left out "
            "(secrets), only its digest is stored",
            id="secrets",
        ),
    ],
)
def test_what_is_no_copy_is_told(
    provdb_files: Provdb, tmp_path: Path, name: str, sentence: str
) -> None:
    said = provdb_files("files", "get", name, "-o", tmp_path / "target")

    assert (said.status, said.stdout) == (1, "")
    assert said.stderr.startswith(sentence)
    assert not (tmp_path / "target").exists()


def test_an_empty_name_is_wrong_usage(provdb_there: Provdb) -> None:
    assert provdb_there("files", "get", "").status == 2


def test_a_target_that_cannot_be_written_is_told(provdb_files: Provdb) -> None:
    said = provdb_files("files", "get", "cuts.bin", "-o", "/nowhere/target")

    assert said.status == 3
    assert said.stderr == (
        "provdb: /nowhere/target: it cannot be written: No such file or directory\n"
    )
