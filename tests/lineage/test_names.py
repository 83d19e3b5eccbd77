"""What a user can call a file, and what is said of names that fit none or several."""

from dataclasses import replace
from pathlib import Path

import pytest

from provdb.errors import Ambiguous, NotFound
from provdb.lineage import find_name, impact, lineage
from provdb.store import Store
from tests.lineage.histories import (
    File,
    Step,
    collection,
    file,
    generated_by,
    generation,
    remember,
)

RAW = file("/fefs/R0/20191123/LST-1.1.Run01618.0008.fits.fz", "R0SubrunDataset")
DL1 = file("/fefs/DL1/20191123/v1/dl1_LST-1.Run01618.0008.h5", "DL1SubrunDataset")
OLD_DL1 = file("/fefs/DL1/20191123/v0/dl1_LST-1.Run01618.0008.h5", "DL1SubrunDataset")
SHORT = file("/v1/dl1_LST-1.Run01618.0008.h5", "DL1SubrunDataset")
ALL_DL1 = collection("c011ec71")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("/fefs/R0/20191123/LST-1.1.Run01618.0008.fits.fz", id="path"),
        pytest.param("20191123/LST-1.1.Run01618.0008.fits.fz", id="tail of the path"),
        pytest.param("./20191123/LST-1.1.Run01618.0008.fits.fz", id="tail from here"),
        pytest.param("R0//20191123/LST-1.1.Run01618.0008.fits.fz", id="untidy tail"),
        pytest.param("LST-1.1.Run01618.0008.fits.fz", id="file name"),
        pytest.param(RAW.id, id="id"),
        pytest.param(RAW.id[:6], id="start of the id"),
    ],
)
def test_a_file_is_found_by_its(store: Store, name: str) -> None:
    remember(store, RAW, DL1, OLD_DL1)

    found = find_name(store, name)

    assert found.entity == RAW.id
    assert found.version is None
    assert found.location == "/fefs/R0/20191123/LST-1.1.Run01618.0008.fits.fz"


def test_a_relative_path_is_one_from_the_working_directory(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = file(str(tmp_path / "dl1_LST-1.Run01618.0008.h5"), "DL1SubrunDataset")
    remember(store, here, DL1)
    monkeypatch.chdir(tmp_path)

    assert find_name(store, "dl1_LST-1.Run01618.0008.h5").entity == here.id


def test_a_path_in_full_comes_before_the_same_tail_of_another(store: Store) -> None:
    remember(store, SHORT, DL1)

    found = find_name(store, "/v1/dl1_LST-1.Run01618.0008.h5")

    assert found.entity == SHORT.id


def test_a_path_in_full_is_found_whatever_its_id_is(store: Store) -> None:
    """Not every system gives a file the id that lstosa computes of its path."""
    foreign = replace(SHORT, id="f0e19f0e19")
    remember(store, foreign, DL1)

    found = find_name(store, "/v1/dl1_LST-1.Run01618.0008.h5")

    assert found.entity == "f0e19f0e19"


def test_a_tail_is_whole_parts_of_a_path(store: Store) -> None:
    remember(store, RAW)

    with pytest.raises(NotFound):
        find_name(store, "3/LST-1.1.Run01618.0008.fits.fz")


def test_a_name_of_several_files_lists_them_and_chooses_none(store: Store) -> None:
    remember(store, DL1, OLD_DL1)

    with pytest.raises(Ambiguous) as raised:
        find_name(store, "dl1_LST-1.Run01618.0008.h5")

    assert raised.value.candidates == (
        "/fefs/DL1/20191123/v0/dl1_LST-1.Run01618.0008.h5",
        "/fefs/DL1/20191123/v1/dl1_LST-1.Run01618.0008.h5",
    )


def test_the_start_of_several_ids_lists_them(store: Store) -> None:
    remember(store, collection("abcd01", folder="/1/"), collection("abcd02", folder=""))

    with pytest.raises(Ambiguous) as raised:
        find_name(store, "abcd")

    assert len(raised.value.candidates) == 2


def test_an_id_comes_before_longer_ids_that_start_so(store: Store) -> None:
    remember(store, collection("abcd"), collection("abcd02"))

    assert find_name(store, "abcd").entity == "abcd"


def test_things_in_one_folder_are_told_apart_by_their_ids(store: Store) -> None:
    remember(store, collection("abcd01"), collection("abcd02"))

    with pytest.raises(Ambiguous) as raised:
        find_name(store, "abcd")

    assert raised.value.candidates == ("abcd01  /DL1/", "abcd02  /DL1/")


def test_a_collection_is_found_by_its_id(store: Store) -> None:
    remember(store, ALL_DL1)

    assert find_name(store, "c011ec71").location == "/DL1/"


def test_an_unknown_name_has_near_ones_beside_it(store: Store) -> None:
    remember(store, RAW, DL1)

    with pytest.raises(NotFound, match="did you mean") as raised:
        find_name(store, "/fefs/dl1_LST-1.Run01618.0009.h5")

    assert raised.value.near[0] == "dl1_LST-1.Run01618.0008.h5"


@pytest.mark.parametrize("name", ["", "/", "??", "nothing like it", "zzzz@0123"])
def test_a_name_with_nothing_near_is_not_found(store: Store, name: str) -> None:
    remember(store, RAW)

    with pytest.raises(NotFound) as raised:
        find_name(store, name)

    assert raised.value.near == ()


def test_an_id_with_a_version_asks_for_that_version(store: Store) -> None:
    remember(store, *_two_versions())
    answer = impact(store, RAW.id)
    nodes = {node.id: node for node in answer.nodes}
    first, second = (
        lineage(store, node.id) for node in answer.nodes if node.entity == DL1.id
    )

    assert {first.start, second.start} <= set(nodes)
    assert first.start != second.start
    assert generation(first, DL1) | generation(second, DL1) == generated_by(
        ("r0_to_dl1", 0), ("r0_to_dl1", 2)
    )


def test_the_start_of_a_version_is_enough(store: Store) -> None:
    remember(store, *_two_versions())
    now = lineage(store, DL1.id).start

    assert lineage(store, now[:-4]).start == now


def test_an_unknown_version_lists_those_that_there_are(store: Store) -> None:
    remember(store, *_two_versions())

    with pytest.raises(NotFound) as raised:
        lineage(store, f"{DL1.id}@0000")

    assert len(raised.value.near) == 2
    assert raised.value.near == tuple(sorted(raised.value.near))
    assert lineage(store, DL1.id).start in raised.value.near


def test_the_answer_repeats_the_name_and_says_the_id(store: Store) -> None:
    remember(store, RAW)

    answer = lineage(store, "LST-1.1.Run01618.0008.fits.fz")

    assert answer.to_dict()["question"] == {
        "name": "LST-1.1.Run01618.0008.fits.fz",
        "id": RAW.id,
        "direction": "upstream",
        "as_of": None,
    }


def _two_versions() -> list[Step | File]:
    """Return two executions that wrote one file, the first of them read in between."""
    dl2 = file("/fefs/DL2/dl2_LST-1.Run01618.0008.h5", "DL2SubrunDataset")
    return [
        Step(name="r0_to_dl1", used=[RAW], generated=[DL1], start=0, end=1),
        Step(name="dl1_to_dl2", used=[DL1], generated=[dl2], start=1, end=2),
        Step(name="r0_to_dl1", used=[RAW], generated=[DL1], start=2, end=3),
    ]
