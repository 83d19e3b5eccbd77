"""ECSV, YAML and JSON are entities whose content is kept, unless it is secret."""

import json
from pathlib import Path

import pytest

from provdb.model import fold
from provdb.model.file import file_content
from provdb.secrets.copies import LARGEST_BYTES
from tests.readers.reading import format_of, read_file

_ECSV = """\
# %ECSV 1.0
# ---
# datatype:
# - {name: run_id, datatype: int64}
# - {name: run_type, datatype: string}
# meta: !!omap
# - {date: 2020-01-17}
# schema: astropy-2.0
run_id run_type
1807 DATA
"""
_BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n"
    for i in range(20)
)


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        pytest.param("lstchain.json", '{"cut": 8}', "application/json", id="JSON"),
        pytest.param("a.yaml", "# Cuts\ncut: 8\n", "application/yaml", id="YAML"),
        pytest.param("RunSummary_20200117.ecsv", _ECSV, "application/ecsv", id="ECSV"),
    ],
)
def test_the_content_comes_back_byte_for_byte(
    tmp_path: Path, name: str, content: str, content_type: str
) -> None:
    path = tmp_path / name
    path.write_text(content)

    records, problems = read_file(path)

    folded = fold(records)
    (entity,), (file,) = folded["entities"], folded["files"]
    assert problems == ""
    assert (entity["location"], entity["content_type"]) == (str(path), content_type)
    assert entity["hash"] == file["_id"]
    assert file_content(file) == content.encode()


def test_the_header_of_a_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "RunSummary_20200117.ecsv"
    path.write_text(_ECSV)

    entity, _ = read_file(path)[0]

    assert entity["columns"] == ["run_id", "run_type"]
    assert entity["meta"] == [["date", "2020-01-17"]]


def test_a_content_with_a_secret_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "database.json"
    path.write_text('{"password": "correct horse"}')

    (file,) = fold(read_file(path)[0])["files"]

    assert file["names"][0]["content_left_out"] == "secrets"
    assert "content" not in file


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(b'{"a": 1}', "config", id="JSON"),
        pytest.param(b"---\na: 1\n", "config", id="YAML"),
        pytest.param(b"\n# x\nsteps:\n  - a\n", "config", id="YAML after a comment"),
        pytest.param(b'{"a": ' + b"[" * 99_999, None, id="deep JSON"),
        pytest.param(b"a: " + b"[" * 9999 + b"]" * 9999, None, id="deep YAML"),
        pytest.param(_BOMB.encode(), None, id="aliases of aliases"),
        pytest.param(b'{"a": "' + b"x" * LARGEST_BYTES + b'"}', None, id="large JSON"),
        pytest.param(b"[1, 2]", None, id="a list"),
        pytest.param(b"just words\n", None, id="words"),
        pytest.param(b"a: [\n", None, id="broken YAML"),
        pytest.param(b"def f():\n    return 1\n", None, id="a program"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_only_a_small_and_plain_mapping_is_a_configuration(
    content: bytes, name: str | None
) -> None:
    assert format_of(content, path=Path("some.file")) == name


def test_a_table_with_a_broken_header_is_kept_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "broken.ecsv"
    path.write_text("# %ECSV 1.0\n# ---\n# datatype: [\n1\n")

    records, problems = read_file(path)

    assert len(records) == 2
    assert problems == f"{path}: its header cannot be read: it is no plain YAML"


def test_a_large_table_is_known_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.ecsv"
    path.write_text(_ECSV + "1807 DATA\n" * (LARGEST_BYTES // 10))

    (entity,) = read_file(path)[0]

    assert json.dumps(entity["columns"]) == '["run_id", "run_type"]'
    assert "hash" not in entity
