"""Kinds of entities, as definitions declare them and as calls have them."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from provdb.capture.declared import entities, look_for
from provdb.capture.definition import load_definition
from provdb.capture.descriptions import EntityDescription, LinkDescription
from provdb.capture.entity import Entity
from provdb.capture.lookup import parse_path
from provdb.capture.tracing import trace
from provdb.errors import ReadError
from provdb.model import location_id
from tests.capture.recorder import Recorder

_LST = Path(__file__).parents[2] / "examples" / "lst_definition.yaml"


def _entities(value: Any, *, kind: str | None, **options: Any) -> list[Entity]:
    entity = EntityDescription(name="It", type=kind, index=options.pop("index", None))
    link = LinkDescription(entity=entity, value=parse_path("it"), line=3, **options)
    sighting = look_for(link, [{"it": value}])
    return entities(sighting, link, scope="1618", source="definition.yaml")


@pytest.mark.parametrize("value", ["/DL1/a.h5", Path("/DL1/a.h5"), b"/DL1/a.h5"])
@pytest.mark.parametrize("kind", ["File", "FileCollection", None])
def test_a_path_is_a_file_by_the_id_that_lstosa_gives_it(
    value: object, kind: str | None
) -> None:
    (entity,) = _entities(value, kind=kind)

    assert entity.id == location_id("/DL1/a.h5")
    assert entity.description["type"] == (kind or "File")


def test_what_has_no_type_and_is_no_path_is_an_object() -> None:
    (entity,) = _entities(0.5, kind=None)

    assert entity.description["type"] == "PythonObject"
    assert entity.description["value"] == 0.5


def test_an_object_may_be_a_list() -> None:
    (entity,) = _entities([1, 2], kind="PythonObject")

    assert entity.description["value"] == [1, 2]


def test_a_set_is_one_thing_in_one_session() -> None:
    (first,) = _entities(["/DL1/a.h5", "/DL1/b.h5"], kind="SetCollection")
    (again,) = _entities(["/DL1/a.h5", "/DL1/b.h5"], kind="SetCollection")
    (folder,) = _entities("/DL1", kind="SetCollection")

    assert first.id == again.id
    assert first.description["size"] == 2
    assert folder.description["filepath"] == "/DL1"


def test_the_index_stands_for_the_content_of_a_collection_of_files(
    tmp_path: Path,
) -> None:
    (tmp_path / "obs-index.fits.gz").write_bytes(b"index")

    (entity,) = _entities(
        tmp_path, kind="FileCollection", index="obs-index.fits.gz", hash_method="sha1"
    )

    assert entity.id == location_id(str(tmp_path))
    assert entity.content_hash == hashlib.sha1(b"index").hexdigest()


@pytest.mark.parametrize("value", [None, "", [], [None, ""]])
def test_nothing_is_no_file(value: object) -> None:
    assert _entities(value, kind="File") == []


@pytest.mark.parametrize("value", [7, ["/DL1/a.h5", 7], {"a": 1}])
def test_what_is_no_path_is_a_problem_with_its_line(value: object) -> None:
    with pytest.raises(ReadError, match=r"definition.yaml:3: It is .*, not a path"):
        _entities(value, kind="File")


def test_the_definition_of_the_lst_finds_what_lstosa_parsed(
    recorded: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    definition = load_definition(_LST)
    declared = definition.activities["r0_to_dl1"]
    names = [
        link.value.text
        for link in (*declared.usage, *declared.generation)
        if link.value
    ]

    @trace(definition=definition)
    def r0_to_dl1(calibration: str, run_str: str) -> int:
        return 0

    parsed = {name: f"/data/{name}.Run01618.0008" for name in names}
    optional = {"InterleavedPedestalEventsFile": None}
    runs = {"ObservationRun": "01618", "ObservationSubRun": "0008"}
    vars(r0_to_dl1).update(parsed | optional | runs)
    r0_to_dl1("calibration.h5", "01618.0008")

    assert [role for role, _ in recorded.used()] == [
        "Observation subrun",
        "Pedestal file",
        "Coefficients calibration file",
        "Time calibration file",
        "Systematic correction factor file",
        "Pointing file",
        "Run summary",
    ]
    assert [role for role, _ in recorded.generated()] == [
        "DL1 subrun dataset",
        "Muons subrun dataset",
    ]
    assert recorded.tags() == ["r0_to_dl1:01618"]
    assert capsys.readouterr().err == ""
