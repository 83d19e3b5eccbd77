"""One file has one answer, in whatever spelling and by whatever name it is asked."""

from pathlib import Path
from typing import Any

import pytest

from provdb.errors import Ambiguous, NotFound
from provdb.lineage import find_file, find_name
from provdb.model import Record, StoreSettings, fold, location_id
from provdb.model import fields as f
from provdb.store import Store

DL1 = "/fefs/aswg/DL1/dl1_LST-1.Run04000.0000.h5"
DL1_ID = location_id(DL1)
UNTIDY = "/fefs/aswg//DL1/dl1_LST-1.Run04000.0000.h5"
MOUNTED = "/mnt/lst/DL1/dl1_LST-1.Run04000.0000.h5"
UUID = "f69c1a88-c8df-4e89-a78f-1a34f30e3b20"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
MOUNTS = StoreSettings(aliases=(("/mnt/lst", "/fefs/aswg"),))
SESSION = "r0_to_dl1:04000"
START: Record = {
    "activity_id": "621ca2",
    "name": "r0_to_dl1",
    "startTime": "2020-05-18T14:18:06",
    "in_session": "8739478486569",
    "session_tag": SESSION,
}


def _file(location: str, **more: Any) -> Record:
    return {"entity_id": location_id(location), "filepath": location, **more}


def _remember(store: Store, *records: Record) -> None:
    store.write(fold(records))


def _activity(store: Store) -> str:
    (activity,) = store.tagged([SESSION])
    return str(activity[f.ID])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(DL1, id="path"),
        pytest.param(UNTIDY, id="untidy path"),
        pytest.param(f"{DL1}/", id="slash at the end"),
        pytest.param(f"file://{DL1}", id="file URL"),
        pytest.param(f"file://localhost{DL1}".replace("_", "%5F"), id="escaped URL"),
        pytest.param("/fefs/aswg/DL2/../DL1/dl1_LST-1.Run04000.0000.h5", id="dots"),
        pytest.param("dl1_LST-1.Run04000.0000.h5", id="file name"),
        pytest.param("DL1/./dl1_LST-1.Run04000.0000.h5", id="tail"),
        pytest.param(DL1_ID, id="id of the canonical spelling"),
        pytest.param(location_id(UNTIDY), id="id of the other spelling"),
        pytest.param(f"urn:provdb:entity-{location_id(UNTIDY)}", id="URI of it"),
    ],
)
def test_spellings_of_one_file_are_one_answer(store: Store, name: str) -> None:
    _remember(store, _file(DL1), _file(UNTIDY))

    found = find_name(store, name)

    assert found.entity == DL1_ID
    assert found.location == DL1
    assert found.group == tuple(sorted([DL1_ID, location_id(UNTIDY)]))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(DL1, id="canonical"),
        pytest.param(UNTIDY, id="as recorded"),
        pytest.param("dl1_LST-1.Run04000.0000.h5", id="file name"),
        pytest.param(DL1_ID, id="id of the canonical spelling"),
    ],
)
def test_a_file_that_nobody_spells_canonically_is_found(
    store: Store, name: str
) -> None:
    _remember(store, _file(UNTIDY))

    found = find_name(store, name)

    assert found.entity == location_id(UNTIDY)
    assert found.group == (location_id(UNTIDY),)


@pytest.mark.parametrize("name", ["/fefs/models/dec_2276", "/fefs/models/dec_2276/"])
def test_a_folder_is_one_with_and_without_a_slash(store: Store, name: str) -> None:
    slashed = "/fefs/models/dec_2276/"
    _remember(store, _file(slashed), _file("/fefs/models/dec_2276"))

    assert find_name(store, name).location == "/fefs/models/dec_2276"
    assert len(find_name(store, "dec_2276").group) == 2


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(DL1, id="preferred"),
        pytest.param(MOUNTED, id="mounted"),
        pytest.param(f"file://{MOUNTED}", id="mounted, as a URL"),
        pytest.param("dl1_LST-1.Run04000.0000.h5", id="file name"),
        pytest.param("DL1/dl1_LST-1.Run04000.0000.h5", id="tail"),
        pytest.param(location_id(MOUNTED), id="id"),
    ],
)
def test_an_alias_of_the_store_joins_mount_points(store: Store, name: str) -> None:
    _remember(store, _file(DL1), _file(MOUNTED))
    store.change_settings(MOUNTS)

    found = find_name(store, name)

    assert (found.entity, found.location) == (DL1_ID, DL1)
    assert found.group == tuple(sorted([DL1_ID, location_id(MOUNTED)]))


def test_a_name_that_fits_one_spelling_finds_all(store: Store) -> None:
    _remember(store, _file(DL1), _file(MOUNTED))
    store.change_settings(MOUNTS)

    found = find_name(store, "lst/DL1/dl1_LST-1.Run04000.0000.h5")

    assert (found.entity, len(found.group)) == (DL1_ID, 2)


def test_a_mounted_file_is_found_by_its_preferred_spelling(store: Store) -> None:
    _remember(store, _file(MOUNTED))
    store.change_settings(MOUNTS)

    assert find_name(store, DL1).entity == location_id(MOUNTED)


def test_without_an_alias_two_mount_points_are_two_files(store: Store) -> None:
    _remember(store, _file(DL1), _file(MOUNTED))

    with pytest.raises(Ambiguous) as raised:
        find_name(store, "dl1_LST-1.Run04000.0000.h5")

    assert raised.value.candidates == (DL1, MOUNTED)


def test_spellings_of_one_file_are_listed_once(store: Store) -> None:
    _remember(store, _file(DL1), _file(UNTIDY), _file(MOUNTED))

    with pytest.raises(Ambiguous) as raised:
        find_name(store, "dl1_LST-1.Run04000.0000.h5")

    assert raised.value.candidates == (DL1, MOUNTED)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(f"{DL1}@9c3006f3", id="path"),
        pytest.param("dl1_LST-1.Run04000.0000.h5@9c3006f3", id="file name"),
        pytest.param(f"file://{UNTIDY}@9c3006f3", id="URL"),
        pytest.param(f"{DL1_ID}@9c3006f3", id="id"),
        pytest.param(f"{UUID}@9c3006f3", id="UUID"),
        pytest.param(f"urn:provdb:entity-{DL1_ID}.9c3006f3", id="URI"),
        pytest.param(f"provdb:entity-{DL1_ID}.9c3006f3", id="prefixed name"),
    ],
)
def test_a_version_can_be_named_wherever_a_file_is(store: Store, name: str) -> None:
    _remember(store, _file(DL1, product_id=UUID))

    found = find_name(store, name)

    assert (found.entity, found.version) == (DL1_ID, "9c3006f3")


@pytest.mark.parametrize("name", ["/DL1/a@beef", "a@beef", "DL1/a@beef"])
def test_a_file_whose_name_holds_an_at_sign_comes_first(
    store: Store, name: str
) -> None:
    _remember(store, _file("/DL1/a@beef"), _file("/DL1/a"))

    found = find_name(store, name)

    assert (found.location, found.version) == ("/DL1/a@beef", None)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(UUID, id="dashes"),
        pytest.param(UUID.upper(), id="upper case"),
        pytest.param(UUID.replace("-", ""), id="no dashes"),
        pytest.param(f"urn:uuid:{UUID}", id="URN"),
        pytest.param("/ctao/dpps/DL1/dl1.h5", id="logical file name"),
        pytest.param("lfn:///ctao/dpps/DL1/dl1.h5", id="its URL"),
        pytest.param("LFN:/ctao/dpps/DL1/dl1.h5", id="as DIRAC writes it"),
        pytest.param("ctao.dpps:dl1.h5", id="Rucio"),
    ],
)
def test_another_name_of_a_file_is_one(store: Store, name: str) -> None:
    grid = {"lfn": "lfn:///ctao/dpps/DL1/dl1.h5", "did": "ctao.dpps:dl1.h5"}
    _remember(store, _file(DL1, product_id=UUID, **grid), _file(UNTIDY))

    found = find_name(store, name)

    assert found.entity == DL1_ID
    assert len(found.group) == 2


def test_a_product_that_was_moved_is_one_by_its_uuid(store: Store) -> None:
    moved = "/archive/dl1_LST-1.Run04000.0000.h5"
    _remember(store, _file(DL1, product_id=UUID), _file(moved, product_id=UUID))

    assert find_name(store, UUID).group == tuple(sorted([DL1_ID, location_id(moved)]))


def test_two_products_with_one_uuid_are_listed(store: Store) -> None:
    """A merge that failed leaves the UUID of an input in its output."""
    merged = "/fefs/aswg/DL1/dl1_LST-1.Run04000.h5"
    _remember(store, _file(DL1, product_id=UUID), _file(merged, product_id=UUID))

    with pytest.raises(Ambiguous) as raised:
        find_name(store, UUID)

    assert raised.value.candidates == (DL1, merged)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(SHA256, id="digest"),
        pytest.param(SHA256.upper(), id="upper case"),
        pytest.param(f"sha256:{SHA256}", id="with its method"),
        pytest.param(f"urn:provdb:file-{SHA256}", id="URI"),
    ],
)
def test_a_file_is_found_by_the_hash_of_its_content(store: Store, name: str) -> None:
    _remember(store, _file(DL1, hash=SHA256, hash_type="sha256"))

    assert find_name(store, name).entity == DL1_ID


def test_a_hash_of_another_method_is_none_of_the_file(store: Store) -> None:
    _remember(store, _file(DL1, hash=SHA256, hash_type="sha3_256"))

    with pytest.raises(NotFound):
        find_name(store, f"sha256:{SHA256}")


def test_a_configuration_is_found_by_the_hash_of_its_copy(store: Store) -> None:
    digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    copy: Record = {"file_id": digest, "filepath": DL1, "content": "e30="}
    _remember(store, _file(DL1), copy)

    assert find_name(store, f"sha256:{digest}").entity == DL1_ID


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("{id}", id="id"),
        pytest.param("urn:provdb:activity-{id}", id="URI"),
        pytest.param("provdb:activity-{id}", id="prefixed name"),
        pytest.param("621ca2", id="id of its own system"),
    ],
)
def test_an_activity_is_found_by_its_ids(store: Store, written: str) -> None:
    _remember(store, START, _file(DL1))
    id_ = _activity(store)

    found = find_name(store, written.format(id=id_))

    assert (found.activity, found.entity, found.group) == (id_, "", ())


def test_an_activity_of_ctapipe_is_found_by_its_uuid(store: Store) -> None:
    _remember(store, {**START, "activity_id": UUID.replace("-", "")})

    assert find_name(store, UUID).activity == _activity(store)


def test_an_activity_is_not_a_file(store: Store) -> None:
    _remember(store, START)

    with pytest.raises(NotFound, match="is an activity, and not a file"):
        find_file(store, "621ca2")


def test_activities_with_one_id_of_their_own_system_are_listed(store: Store) -> None:
    _remember(store, START, {**START, "in_session": "8739478486570"})

    with pytest.raises(Ambiguous) as raised:
        find_name(store, "621ca2")

    assert all("r0_to_dl1" in candidate for candidate in raised.value.candidates)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("http://example.org/dl1", id="URI"),
        pytest.param("ns1:dl1", id="prefixed name"),
        pytest.param("http://example.org/dl1@9c3006f3", id="URI of a version"),
        pytest.param("ex:dl1@9c30", id="prefixed name of a version"),
    ],
)
def test_a_thing_of_a_foreign_document_is_found_by_its(store: Store, name: str) -> None:
    _remember(store, {"entity_id": "http://example.org/dl1", "name": "dl1"})

    assert find_name(store, name).entity == "http://example.org/dl1"


def test_an_activity_of_a_foreign_document_is_found_by_its_uri(store: Store) -> None:
    _remember(store, {"activity_id": "http://example.org/step", "name": "step"})
    (activity,) = store.scan(f.ACTIVITIES)

    assert find_name(store, "http://example.org/step").activity == activity[f.ID]
    assert find_name(store, "ex:step").activity == activity[f.ID]


def test_things_of_a_foreign_document_at_one_place_are_several(store: Store) -> None:
    _remember(
        store,
        {"entity_id": "http://example.org/1", "filepath": DL1},
        {"entity_id": "http://example.org/2", "filepath": DL1},
    )

    with pytest.raises(Ambiguous):
        find_name(store, "dl1_LST-1.Run04000.0000.h5")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        pytest.param(
            "urn:provdb:session-r0_to_dl1-3A04000-2F8739478486569",
            "the kind session, .*; 'provdb session show r0_to_dl1:04000' shows it",
            id="session",
        ),
        pytest.param("provdb:agent-lstanalyzer", "the kind agent", id="agent"),
        pytest.param("urn:provdb:entity-0123", "nothing in the store", id="unknown"),
        pytest.param("urn:provdb:entity--FF", "nothing in the store", id="malformed"),
        pytest.param("sha256:zz", "nothing in the store", id="no digest"),
    ],
)
def test_a_uri_of_something_else_is_said_to_be(
    store: Store, name: str, sentence: str
) -> None:
    _remember(store, _file(DL1))

    with pytest.raises(NotFound, match=sentence):
        find_name(store, name)


def test_a_file_of_this_folder_is_found_in_any_spelling(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = str(tmp_path / "dl1_LST-1.Run04000.0000.h5")
    _remember(store, _file(here), _file(DL1))
    monkeypatch.chdir(tmp_path)

    assert find_name(store, "./dl1_LST-1.Run04000.0000.h5").location == here
    assert (
        find_name(store, "../" + tmp_path.name + "/" + Path(here).name).location == here
    )


def test_a_plain_file_name_is_one_question(memory: Store) -> None:
    """Nearly all names are, and nothing else is read for them."""
    _remember(memory, _file(DL1))
    asked: list[str] = []
    memory._open().set_trace_callback(asked.append)  # type: ignore[attr-defined]  # Local only.

    find_name(memory, "dl1_LST-1.Run04000.0000.h5")

    assert len(asked) == 1
