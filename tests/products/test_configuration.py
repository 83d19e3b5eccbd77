"""Configuration files beside products: from the store by content, else from disk."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from provdb.errors import ReadError
from provdb.model import fold
from provdb.products.folder import Folder
from provdb.store import Store
from tests.lineage.histories import File, Step, file, remember
from tests.products.conftest import Write


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration file on the disk, as it is today."""
    path = tmp_path / "cfg" / "lstchain_standard_config.json"
    path.parent.mkdir()
    path.write_bytes(b'{"picture_thresh": 8}')
    return path


def _step(subrun: int, *used: File, **options: Any) -> Step:
    return Step(
        name="dl1ab",
        used=used,
        generated=[
            file(f"/DL1/dl1_LST-1.Run01618.{subrun:04d}.h5", "DL1SubrunDataset")
        ],
        **{"tag": "dl1ab:01618", "id": f"62{subrun}", **options},
    )


def _copy(path: Path, content: bytes | None, **told: Any) -> dict[str, Any]:
    record = {
        "file_id": sha256(content or b"secret").hexdigest(),
        "filepath": str(path),
        "session_tag": "dl1ab:01618",
        **told,
    }
    if content is None:
        return {**record, "content_left_out": "secrets"}
    return {**record, "content": b64encode(content).decode()}


def _used(config: Path) -> File:
    return file(str(config), "AnalysisConfigFile")


def _copied(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if "_prov." not in path.name
    }


@pytest.mark.parametrize("told", [{"activity_id": "620"}, {}], ids=["activity", "tag"])
def test_a_copy_in_the_store_is_what_was_used_whatever_the_disk_has_now(
    store: Store,
    write: Write,
    folder: Path,
    config: Path,
    problems: list[str],
    told: dict[str, str],
) -> None:
    remember(store, _step(0, _used(config)))
    store.write(fold([_copy(config, b'{"picture_thresh": 6}', **told)]))

    written = write(store, 1618, views=["r0_to_dl1"])

    assert _copied(folder) == {config.name: b'{"picture_thresh": 6}'}
    assert (written[-1].kind, written[-1].source) == ("configuration", "store")
    assert problems == []


def test_two_contents_of_one_path_are_two_files(
    store: Store, write: Write, folder: Path, config: Path
) -> None:
    contents = [b'{"picture_thresh": 6}', b'{"picture_thresh": 7}']
    remember(store, *(_step(subrun, _used(config)) for subrun in (0, 1)))
    store.write(
        fold(
            _copy(config, content, activity_id=f"62{subrun}")
            for subrun, content in enumerate(contents)
        )
    )

    write(store, 1618, views=["r0_to_dl1"])

    copied = _copied(folder)
    assert sorted(copied.values()) == contents
    (other,) = copied.keys() - {config.name}
    digest = sha256(copied[other]).hexdigest()
    assert other == f"lstchain_standard_config.{digest[:8]}.json"


def test_another_content_under_the_same_name_is_never_overwritten(
    memory: Store, write: Write, folder: Path, config: Path
) -> None:
    """Not by the third one either."""
    remember(memory, _step(0, _used(config)))
    folder.mkdir()
    (folder / config.name).write_bytes(b"older")

    for content in (b"second", b"third"):
        config.write_bytes(content)
        write(memory, 1618, views=["r0_to_dl1"])

    assert sorted(_copied(folder).values()) == [b"older", b"second", b"third"]


def test_what_is_there_already_is_not_written_again(
    memory: Store, write: Write, folder: Path, config: Path
) -> None:
    remember(memory, _step(0, _used(config)))
    write(memory, 1618, views=["r0_to_dl1"])

    written = write(memory, 1618, views=["r0_to_dl1"])

    assert written[-1].source == "unchanged"
    assert list(_copied(folder)) == [config.name]


def test_without_a_copy_the_file_is_taken_from_where_it_was(
    memory: Store, write: Write, folder: Path, config: Path, problems: list[str]
) -> None:
    remember(memory, _step(0, _used(config)))

    written = write(memory, 1618, views=["r0_to_dl1"])

    assert _copied(folder) == {config.name: config.read_bytes()}
    assert (written[-1].source, written[-1].location) == ("disk", str(config))
    assert problems == []


def test_a_file_that_is_nowhere_is_told_and_costs_no_other(
    memory: Store, write: Write, folder: Path, config: Path, problems: list[str]
) -> None:
    gone = file("/cfg/gone.json", "AnalysisConfigFile")
    remember(memory, _step(0, gone, _used(config)))

    write(memory, 1618, views=["r0_to_dl1"])

    assert list(_copied(folder)) == [config.name]
    assert problems == [
        "/cfg/gone.json: it is not copied, for it is not there any more"
    ]


def test_secrets_are_copied_neither_from_the_store_nor_from_the_disk(
    memory: Store, write: Write, folder: Path, config: Path, problems: list[str]
) -> None:
    other = config.with_name("other.cfg")
    other.write_text("password = hunter2hunter2\n")
    remember(memory, _step(0, _used(config), file(str(other), "Settings")))
    memory.write(fold([_copy(config, None, activity_id="620")]))

    write(memory, 1618, views=["r0_to_dl1"])

    assert _copied(folder) == {}
    assert problems == [
        f"the content of {config} was left out when it was used (secrets)",
        f"{other}: it is not copied, for it holds secrets",
    ]


def test_data_and_models_are_named_and_not_copied(
    memory: Store, write: Write, folder: Path, config: Path, problems: list[str]
) -> None:
    named = [
        file(str(config.with_name(name)), kind)
        for name, kind in (
            ("dl1_LST-1.Run01618.0003.h5", "DL1SubrunDataset"),
            ("reg_energy.sav", "RFModelEnergyFile"),
        )
    ]
    remember(memory, _step(0, *named))

    write(memory, 1618, views=["r0_to_dl1"])

    assert (_copied(folder), problems) == ({}, [])


def test_the_configuration_of_the_session_is_with_it(
    memory: Store, write: Write, folder: Path, config: Path
) -> None:
    remember(memory, _step(0))
    session = {
        "session_id": "202001171807",
        "session_tag": "dl1ab:01618",
        "config_file": str(config),
        "system": {"executable": "python"},
    }
    memory.write(fold([session]))

    write(memory, 1618, views=["r0_to_dl1"])

    assert list(_copied(folder)) == [config.name]


def test_a_name_without_an_ending_gets_its_digest_behind(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.add("config", b"one")

    path, is_known = folder.add("config", b"two")

    assert path.name == f"config.{sha256(b'two').hexdigest()[:8]}"
    assert (path.read_bytes(), is_known) == (b"two", False)


def test_a_file_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    with pytest.raises(ReadError, match="gone: it cannot be read"):
        folder.add("gone", tmp_path / "gone")

    assert list(tmp_path.iterdir()) == []
