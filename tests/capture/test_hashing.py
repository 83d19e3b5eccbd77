"""The digest of a file is that of its content."""

import hashlib
from pathlib import Path

import pytest

from provdb.capture.hashing import METHODS, file_hash
from provdb.errors import ConfigError, ReadError

CONTENT = bytes(range(256)) * 10_000


@pytest.mark.parametrize("method", METHODS)
def test_the_digest_is_that_of_the_content(tmp_path: Path, method: str) -> None:
    file = tmp_path / "dl1_LST-1.Run01618.0008.h5"
    file.write_bytes(CONTENT)

    digest = file_hash(file, method)

    assert digest == hashlib.new(method, CONTENT).hexdigest()


def test_the_method_is_sha256_unless_told(tmp_path: Path) -> None:
    file = tmp_path / "empty"
    file.touch()

    assert file_hash(str(file)) == hashlib.sha256().hexdigest()


@pytest.mark.parametrize("method", ["crc32", "", "shake_128", "SHA256"])
def test_an_unknown_method_is_named(tmp_path: Path, method: str) -> None:
    with pytest.raises(ConfigError, match="known are sha256"):
        file_hash(tmp_path, method)


@pytest.mark.parametrize("name", ["nowhere", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ReadError, match="it cannot be read") as caught:
        file_hash(f"{tmp_path}/{name}")

    assert caught.value.source == f"{tmp_path}/{name}"
