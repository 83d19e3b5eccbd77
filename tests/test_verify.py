"""Whether a file, and what it was made from, still have the recorded contents."""

from hashlib import new
from pathlib import Path

import pytest

from provdb.errors import NotFound
from provdb.lineage import versions
from provdb.model import fold
from provdb.store import Store
from provdb.verify import Verification, VerifiedFile, plan, verify
from tests.lineage.histories import File, Step, file, remember, stored


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A file that a step used."""
    path = tmp_path / "LST-1.1.Run01618.0008.fits.fz"
    path.write_bytes(b"events")
    return path


def _digest(content: bytes, method: str = "sha256") -> str:
    return new(method, content).hexdigest()


def _entity(path: Path) -> File:
    return file(str(path), "R0SubrunDataset")


def _dl1(path: Path) -> File:
    return file(str(path.with_name("dl1_LST-1.Run01618.0008.h5")), "DL1SubrunDataset")


def _history(store: Store, raw: Path, digest: str | None) -> str:
    """Remember a step that used a file with a content, and return what it made."""
    used = _entity(raw).link(content=digest)
    remember(store, Step(name="r0_to_dl1", used=[used], generated=[_dl1(raw)]))
    return _dl1(raw).id


def _inputs(found: Verification) -> list[VerifiedFile]:
    """Return the files behind the one that was asked for."""
    return [one for one in found.files if not one.is_asked]


@pytest.mark.parametrize("method", ["sha256", "sha1", "md5"])
def test_a_file_that_is_as_it_was_is_the_same(
    memory: Store, raw: Path, method: str
) -> None:
    name = _history(memory, raw, _digest(b"events", method))

    found = verify(memory, name)

    assert [(one.status, one.method) for one in _inputs(found)] == [("same", method)]
    assert not found.has_differences


def test_a_file_with_another_content_differs(store: Store, raw: Path) -> None:
    name = _history(store, raw, _digest(b"events"))
    raw.write_bytes(b"other events")

    found = verify(store, name)

    (one,) = _inputs(found)
    assert (one.status, one.found) == ("differs", _digest(b"other events"))
    assert found.has_differences


def test_a_file_that_is_gone_is_missing_and_no_difference(raw: Path) -> None:
    store = stored()
    name = _history(store, raw, _digest(b"events"))
    raw.unlink()

    found = verify(store, name)

    assert [one.status for one in _inputs(found)] == ["missing"]
    assert not found.has_differences


def test_a_folder_in_its_place_cannot_be_read(raw: Path) -> None:
    store = stored()
    name = _history(store, raw, _digest(b"events"))
    raw.unlink()
    raw.mkdir()

    assert [one.status for one in _inputs(verify(store, name))] == ["unreadable"]


def test_a_file_of_which_no_content_was_recorded_is_not_read(raw: Path) -> None:
    store = stored()
    name = _history(store, raw, None)

    planned = plan(store, name)

    assert planned.size_bytes == 0
    assert planned.compare().counts == {"not recorded": 2}


def test_the_method_that_the_entity_names_is_used(raw: Path) -> None:
    """Its digest is as long as one of sha256."""
    digest = _digest(b"events", "blake2s")
    store = stored()
    name = _history(store, raw, digest)
    (described,) = _entity(raw).records()
    store.write(fold([{**described, "hash": digest, "hash_type": "blake2s"}]))

    (one,) = _inputs(verify(store, name))

    assert (one.status, one.method) == ("same", "blake2s")


def test_a_copy_of_a_configuration_file_is_what_it_should_be(
    store: Store, raw: Path
) -> None:
    config = raw.with_name("lst.json")
    config.write_bytes(b"{}")
    used = file(str(config), "AnalysisConfigFile")
    step = Step(name="dl1ab", used=[used], generated=[_dl1(raw)], id="621ca2")
    remember(store, step)
    copy = {"file_id": _digest(b"{}"), "filepath": str(config), "content": "e30="}
    store.write(
        fold([{**copy, "activity_id": "621ca2", "session_tag": step.session_tag}])
    )

    (before,) = _inputs(verify(store, _dl1(raw).id))
    config.write_bytes(b"{ }")

    assert before.status == "same"
    assert verify(store, _dl1(raw).id).has_differences


def test_a_version_that_a_later_step_wrote_over_is_not_expected_on_the_disk(
    raw: Path,
) -> None:
    dl1 = _dl1(raw)
    dl2 = file("/DL2/dl2_LST-1.Run01618.0008.h5", "DL2SubrunDataset")
    Path(str(dict(dl1.fields)["filepath"])).write_bytes(b"second")
    first, second = (dl1.link(content=_digest(c)) for c in (b"first", b"second"))
    store = stored(
        Step(name="r0_to_dl1", generated=[first], start=0, end=1),
        Step(name="dl1ab", used=[first], generated=[second], start=2, end=3),
        Step(name="dl1_to_dl2", used=[second], generated=[dl2], start=4, end=5),
    )

    found = verify(store, dl2.id)

    assert [(one.status, one.recorded) for one in _inputs(found)] == [
        ("overwritten", _digest(b"first")),
        ("same", _digest(b"second")),
    ]


def test_it_is_told_of_each_piece_that_is_read(raw: Path) -> None:
    store = stored()
    name = _history(store, raw, _digest(b"events"))
    pieces: list[int] = []

    planned = plan(store, name)
    planned.compare(on_read=pieces.append)

    assert (planned.size_bytes, pieces) == (6, [6])


def test_what_nothing_is_called_is_refused(memory: Store) -> None:
    memory.initialise()

    with pytest.raises(NotFound):
        verify(memory, "dl3.fits")


def _made(raw: Path, content: bytes = b"images") -> tuple[File, Path]:
    """Return the DL1 file, which is there with a content."""
    path = raw.with_name("dl1_LST-1.Run01618.0008.h5")
    path.write_bytes(content)
    return _dl1(raw), path


def test_the_file_itself_is_compared_with_what_its_write_recorded(
    store: Store, raw: Path
) -> None:
    dl1, path = _made(raw)
    made = dl1.link(content=_digest(b"images"))
    remember(store, Step(name="r0_to_dl1", used=[_entity(raw)], generated=[made]))

    before = verify(store, dl1.id)
    path.write_bytes(b"other images")
    after = verify(store, dl1.id)

    assert (before.asked_status, before.has_differences) == ("same", False)
    assert (after.asked_status, after.has_differences) == ("differs", True)
    assert after.files[0].is_asked


def test_of_a_file_that_was_written_twice_the_last_content_counts(raw: Path) -> None:
    dl1, _ = _made(raw, b"second")
    steps = [
        Step(
            name="r0_to_dl1",
            used=[_entity(raw)],
            generated=[dl1.link(content=_digest(content))],
            start=start,
            end=start + 1,
        )
        for start, content in ((0, b"first"), (2, b"second"))
    ]
    store = stored(*steps)

    assert verify(store, dl1.id).asked_status == "same"


def test_an_older_version_is_not_expected_on_the_disk(raw: Path) -> None:
    dl1, _ = _made(raw, b"second")
    first, second = (dl1.link(content=_digest(c)) for c in (b"first", b"second"))
    store = stored(
        Step(name="r0_to_dl1", generated=[first], start=0, end=1),
        Step(name="dl1ab", used=[first], generated=[second], start=2, end=3),
    )
    newest, oldest = versions(store, dl1.id)

    assert verify(store, newest.id).asked_status == "same"
    asked = verify(store, oldest.id).files[0]
    assert (asked.status, asked.recorded) == ("overwritten", _digest(b"first"))


def test_of_parts_that_follow_each_other_the_last_content_counts(raw: Path) -> None:
    """After the first part the file had another content than after the second."""
    merged = file(str(raw.with_name("dl2_LST-1.Run01618.h5")), "DL2MergedFile")
    raw.with_name("dl2_LST-1.Run01618.h5").write_bytes(b"both")
    store = stored()
    for subrun, content in enumerate([b"one", b"both"]):
        part = file(f"/DL1/dl1_LST-1.Run01618.{subrun:04}.h5", "DL1SubrunDataset")
        step = Step(
            name="dl1_to_dl2",
            used=[part],
            generated=[merged.link(content=_digest(content))],
            start=2 * subrun,
            end=2 * subrun + 1,
        )
        remember(store, step)

    found = verify(store, merged.id)

    assert (found.asked_status, found.has_differences) == ("same", False)


@pytest.mark.parametrize(
    ("content", "status"), [(b"events", "same"), (b"others", "differs")]
)
def test_of_what_no_write_recorded_the_last_use_counts(
    store: Store, raw: Path, content: bytes, status: str
) -> None:
    """As of raw data."""
    steps = [
        Step(
            name="r0_to_dl1",
            used=[_entity(raw).link(content=_digest(used))],
            generated=[file(f"/DL1/{number}.h5")],
            start=number,
            end=number + 1,
        )
        for number, used in enumerate([b"before", b"events"])
    ]
    remember(store, *steps)
    raw.write_bytes(content)

    assert verify(store, _entity(raw).id).asked_status == status


def test_the_reading_of_the_file_itself_is_part_of_the_progress(raw: Path) -> None:
    dl1, _ = _made(raw)
    step = Step(name="r0_to_dl1", generated=[dl1.link(content=_digest(b"images"))])

    assert plan(stored(step), dl1.id).size_bytes == len(b"images")
