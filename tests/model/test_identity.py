"""What an entity document says of the other names of its file."""

from typing import Any

import pytest

from provdb.model import Document, Record, fold, location_id, unfold
from provdb.model import fields as f

DL1 = "/fefs/DL1/dl1_LST-1.Run01807.h5"


def _entity(location: str, **more: Any) -> Document:
    entity_id = more.pop("entity_id", location_id(location))
    record: Record = {"entity_id": entity_id, "filepath": location, **more}
    folded = fold([record])
    assert list(unfold(folded)) == [record]
    (document,) = folded[f.ENTITIES]
    return document


def test_a_file_in_its_canonical_spelling_needs_no_other_id() -> None:
    document = _entity(DL1)

    assert f.SAME_AS not in document
    assert f.ALIASES not in document


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("/fefs//DL1/dl1_LST-1.Run01807.h5", id="two slashes"),
        pytest.param(f"{DL1}/", id="slash at the end"),
        pytest.param("file:///fefs/DL1/dl1_LST%2D1.Run01807.h5", id="file URL"),
    ],
)
def test_a_file_in_another_spelling_has_the_id_of_the_canonical_one(
    location: str,
) -> None:
    document = _entity(location)

    assert document[f.ID] == location_id(location)
    assert document[f.SAME_AS] == location_id(DL1)
    assert document[f.FILE_NAME] == "dl1_LST-1.Run01807.h5"


def test_a_file_with_an_id_of_another_system_has_that_of_its_location() -> None:
    assert _entity(DL1, entity_id="f0e19f")[f.SAME_AS] == location_id(DL1)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"entity_id": "c011ec71", "type": "SetCollection"}, id="list"),
        pytest.param({"entity_id": "http://example.org/dl1"}, id="thing of a document"),
    ],
)
def test_what_is_no_file_of_a_pipeline_is_the_same_as_nothing(
    more: dict[str, Any],
) -> None:
    assert f.SAME_AS not in _entity(DL1, **more)


@pytest.mark.parametrize(
    ("more", "aliases"),
    [
        pytest.param(
            {"product_id": "F69C1A88-c8df-4e89-a78f-1a34f30e3b20"},
            ["f69c1a88c8df4e89a78f1a34f30e3b20"],
            id="UUID",
        ),
        pytest.param(
            {"reference_meta": {"CTA PRODUCT ID": "f69c1a88c8df4e89a78f1a34f30e3b20"}},
            ["f69c1a88c8df4e89a78f1a34f30e3b20"],
            id="ctapipe",
        ),
        pytest.param(
            {
                "headers": [
                    {"DATAID": "144f5d04-b74e-48ec-a0dc-932b149bd7b6"},
                    {"DATAID": "144f5d04-b74e-48ec-a0dc-932b149bd7b6"},
                ]
            },
            ["144f5d04b74e48eca0dc932b149bd7b6"],
            id="CTAO",
        ),
        pytest.param(
            {"lfn": "lfn:///ctao/DL0/a.fits", "did": "ctao.dpps:a.fits"},
            ["/ctao/DL0/a.fits", "ctao.dpps:a.fits"],
            id="grid",
        ),
        pytest.param({"aliases": ["b", "a", 1]}, ["a", "b"], id="said"),
        pytest.param({"aliases": {"a": 1}, "headers": "x"}, None, id="something else"),
    ],
)
def test_other_names_of_a_file_are_its_aliases(
    more: dict[str, Any], aliases: list[str] | None
) -> None:
    assert _entity(DL1, **more).get(f.ALIASES) == aliases
