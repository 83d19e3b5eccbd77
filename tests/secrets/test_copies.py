"""Small files are copied by their content, and no secret with them."""

from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest

from provdb.errors import ReadError
from provdb.model import fields as f
from provdb.model import fold
from provdb.readers.lines import LONGEST_LINE_BYTES
from provdb.secrets.copies import LARGEST_BYTES, copy_record
from provdb.secrets.redaction import redact

TAG = "dl1ab:01618"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration file."""
    file = tmp_path / "lstchain_standard_config.json"
    file.write_bytes(b'{"picture_thresh": 8}\n')
    return file


def test_a_file_is_copied(config: Path) -> None:
    record = copy_record(config, session_tag=TAG, activity_id="621ca2")

    assert record is not None
    assert b64decode(record.pop("content")) == config.read_bytes()
    assert record == {
        "file_id": sha256(config.read_bytes()).hexdigest(),
        "filepath": str(config),
        "size": 22,
        "session_tag": TAG,
        "activity_id": "621ca2",
    }


def test_a_copy_becomes_a_document(config: Path) -> None:
    record = copy_record(config, session_tag=None)

    assert record is not None
    assert [file[f.SIZE] for file in fold([record])[f.FILES]] == [22]


def test_a_path_is_made_absolute(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(config.parent)

    record = copy_record(config.name, session_tag=TAG)

    assert record is not None
    assert record["filepath"] == str(config)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"db": {"password": "p"}}', id="JSON"),
        pytest.param(b"[db]\npassword = p\n", id="INI"),
        pytest.param(b"db:\n  uri: mongodb://osa:p@cp01/x\n", id="YAML"),
        pytest.param('{"token": "p"}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b"-----BEGIN PRIVATE KEY-----\nMII\n", id="key"),
    ],
)
def test_of_a_file_with_secrets_only_the_digest_is_kept(
    config: Path, content: bytes
) -> None:
    config.write_bytes(content)

    record = copy_record(config, session_tag=TAG)

    assert record == {
        "file_id": sha256(content).hexdigest(),
        "filepath": str(config),
        "size": len(content),
        "content_left_out": "secrets",
        "session_tag": TAG,
    }


def test_the_largest_copy_is_a_line_that_readers_take(config: Path) -> None:
    config.write_bytes(bytes(range(256)) * (LARGEST_BYTES // 256))

    record = copy_record(config, session_tag=TAG, activity_id="621ca2")

    assert len(f"INFO provLogger __PROV__{record!r}") < LONGEST_LINE_BYTES


def test_masking_leaves_a_copy_as_it_is(config: Path) -> None:
    config.write_bytes(b64decode("AapikeY="))

    record = copy_record(config, session_tag=TAG)

    assert record is not None
    assert record["content"] == "AapikeY="
    assert redact(record) is record


def test_a_larger_file_is_not_copied(config: Path) -> None:
    config.write_bytes(b"a" * (LARGEST_BYTES + 1))

    assert copy_record(config, session_tag=TAG) is None


@pytest.mark.parametrize("name", ["nowhere", "", "a\0b"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ReadError, match="it cannot be read"):
        copy_record(f"{tmp_path}/{name}", session_tag=TAG)
