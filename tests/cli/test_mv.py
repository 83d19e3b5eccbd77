"""``provdb mv``: files are moved whole or not at all, and lineage is told."""

import errno
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provdb.capture import moves
from provdb.errors import MoveRefused
from provdb.model import fields as f
from provdb.model import location_id
from provdb.store import open_store
from tests.cli.command import Provdb

OLD, NEW = "dl1.h5", "dl1_LST-1.Run01618.0000.h5"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file, ``OLD``."""
    made = tmp_path / "data"
    made.mkdir()
    (made / OLD).write_bytes(b"content")
    return made


def steps(provdb: Provdb) -> list[dict[str, Any]]:
    """Return the activities that are stored, in the order of their records."""
    with open_store(str(provdb.uri)) as store:
        store.initialise()
        found = list(store.scan(f.ACTIVITIES))
    return sorted(found, key=lambda activity: activity[f.RECORDED][0][f.START])


def moved(provdb: Provdb) -> list[tuple[str, str, str]]:
    """Return what each move used, generated and made invalid, by paths."""
    with open_store(str(provdb.uri)) as store:
        paths = {e[f.ID]: e[f.LOCATION] for e in store.scan(f.ENTITIES)}
    arrays = (f.USED, f.GENERATED, f.INVALIDATED)
    found = []
    for step in steps(provdb):
        used, generated, invalidated = ([*step[array]] for array in arrays)
        assert (len(used), len(generated), len(invalidated)) == (1, 1, 1)
        links = (*used, *generated, *invalidated)
        old, new, gone = (str(paths[link[f.ENTITY]]) for link in links)
        found.append((old, new, gone))
    return found


def test_a_file_is_moved_and_that_is_recorded(
    provdb_there: Provdb, folder: Path
) -> None:
    old, new = folder / OLD, folder / NEW

    said = provdb_there("mv", old, new)

    (step,) = steps(provdb_there)
    assert (said.status, said.stdout, said.stderr) == (0, "", "")
    assert not old.exists()
    assert new.read_bytes() == b"content"
    assert (step[f.NAME], step[f.STATUS]) == ("mv", "completed")
    assert step[f.SESSION_TAG] == "mv"
    assert moved(provdb_there) == [(str(old), str(new), str(old))]
    assert [link[f.MODE] for link in step[f.GENERATED]] == ["overwrite"]
    assert step[f.INVALIDATED] == [
        {f.ENTITY: location_id(str(old)), f.ROLE: "Source file"}
    ]


def test_several_files_are_moved_into_a_folder(
    provdb_there: Provdb, folder: Path
) -> None:
    (folder / "other.h5").write_bytes(b"other")
    target = folder / "DL1"
    target.mkdir()

    said = provdb_there("mv", folder / OLD, folder / "other.h5", target)

    assert (said.status, said.stderr) == (0, "")
    assert sorted(os.listdir(target)) == [OLD, "other.h5"]
    assert [new for _, new, _ in moved(provdb_there)] == [
        str(target / OLD),
        str(target / "other.h5"),
    ]


def test_a_folder_is_moved_with_its_files(provdb_there: Provdb, folder: Path) -> None:
    target = folder.parent / "moved"

    said = provdb_there("mv", folder, target)

    whole, part = steps(provdb_there)
    assert (said.status, said.stderr) == (0, "")
    assert (target / OLD).read_bytes() == b"content"
    assert moved(provdb_there) == [
        (str(folder), str(target), str(folder)),
        (str(folder / OLD), str(target / OLD), str(folder / OLD)),
    ]
    assert part[f.STARTED_BY] == whole[f.ACTIVITY_ID]


def test_contents_are_hashed_when_asked(provdb_there: Provdb, folder: Path) -> None:
    provdb_there("mv", "--hash", "md5", folder / OLD, folder / NEW)

    (step,) = steps(provdb_there)
    hashes = [link[f.HASH] for array in (f.USED, f.GENERATED) for link in step[array]]
    assert hashes == ["9a0364b9e99bb480dd25e1f0284c8555"] * 2


def test_the_session_tag_is_that_of_the_option_or_the_environment(
    provdb_there: Provdb, folder: Path
) -> None:
    environ = {"PROVDB_SESSION_TAG": "dl1ab:01618"}
    provdb_there("mv", folder / OLD, folder / "1.h5", environ=environ)
    provdb_there("mv", "--session-tag", "night:1", folder / "1.h5", folder / "2.h5")

    tags = {step[f.SESSION_TAG] for step in steps(provdb_there)}
    assert tags == {"dl1ab:01618", "night:1"}


def nothing(folder: Path) -> None:
    pass


def there(folder: Path) -> None:
    (folder / NEW).write_bytes(b"good")


def linked_to_itself(folder: Path) -> None:
    (folder / NEW).symlink_to(OLD)


def hard_linked(folder: Path) -> None:
    os.link(folder / OLD, folder / NEW)


def other_of_that_name(folder: Path) -> None:
    (folder / "DL1" / OLD).mkdir(parents=True)


def two_of_one_name(folder: Path) -> None:
    (folder / "DL1").mkdir()
    (folder / "x").mkdir()
    (folder / "x" / OLD).touch()


@pytest.mark.parametrize(
    ("prepare", "words", "status", "sentence"),
    [
        pytest.param(there, [OLD, NEW], 1, "it is there already", id="there"),
        pytest.param(nothing, [OLD, OLD], 1, "it is the same file", id="itself"),
        pytest.param(
            linked_to_itself,
            ["-f", OLD, NEW],
            1,
            "it is the same file",
            id="link to itself",
        ),
        pytest.param(
            hard_linked, ["-f", OLD, NEW], 1, "it is the same file", id="hard link"
        ),
        pytest.param(
            other_of_that_name,
            ["-f", OLD, "DL1"],
            1,
            "it is a folder that is there already",
            id="folder in the way",
        ),
        pytest.param(
            two_of_one_name,
            [OLD, f"x/{OLD}", "DL1"],
            1,
            "two of the files would have this path",
            id="one name twice",
        ),
        pytest.param(
            two_of_one_name, ["x", "x/y"], 1, "in the folder", id="into itself"
        ),
        pytest.param(
            nothing, ["missing.h5", NEW], 3, "there is no such file", id="missing"
        ),
        pytest.param(
            nothing, [OLD, "nowhere/x.h5"], 3, "it cannot be moved", id="no folder"
        ),
        pytest.param(
            nothing, [OLD, OLD, NEW], 2, "is not a folder", id="several to a file"
        ),
        pytest.param(nothing, [OLD], 2, "Missing argument", id="no target"),
        pytest.param(
            nothing,
            ["--at", "2020-01-18", OLD, NEW],
            2,
            "add --record-only",
            id="time of a move that is not made yet",
        ),
        pytest.param(
            nothing,
            ["--record-only", "gone.h5", NEW],
            3,
            "so nothing was moved to it",
            id="not moved",
        ),
        pytest.param(
            there,
            ["--record-only", OLD, NEW],
            1,
            "it is there still",
            id="source is there",
        ),
    ],
)
def test_what_cannot_be_moved_stays_as_it_is(
    provdb_there: Provdb,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Path], None],
    words: list[str],
    status: int,
    sentence: str,
) -> None:
    prepare(folder)
    monkeypatch.chdir(folder)
    before = tree(folder)

    said = provdb_there("mv", *words)

    assert said.status == status
    assert sentence in said.stderr
    assert tree(folder) == before
    assert {step[f.STATUS] for step in steps(provdb_there)} <= {"failed"}
    assert [
        step[f.GENERATED] for step in steps(provdb_there) if step[f.GENERATED]
    ] == []


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return the files below a folder with what is in them."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def test_nothing_is_moved_unless_all_can_be(provdb_there: Provdb, folder: Path) -> None:
    target = folder / "DL1"
    target.mkdir()

    said = provdb_there("mv", folder / OLD, folder / "missing.h5", target)

    assert said.status == 3
    assert (folder / OLD).exists()
    assert steps(provdb_there) == []


def test_a_file_that_is_there_is_replaced_by_force(
    provdb_there: Provdb, folder: Path
) -> None:
    there(folder)

    said = provdb_there("mv", "--force", folder / OLD, folder / NEW)

    assert said.status == 0
    assert (folder / NEW).read_bytes() == b"content"
    assert not (folder / OLD).exists()


def test_a_move_that_was_made_is_recorded_at_its_time(
    provdb_there: Provdb, folder: Path
) -> None:
    (folder / OLD).rename(folder / NEW)

    said = provdb_there(
        *("mv", "--record-only", "--at", "2020-01-18T08:30"),
        *(folder / OLD, folder / NEW),
    )

    (step,) = steps(provdb_there)
    assert (said.status, said.stderr) == (0, "")
    assert moved(provdb_there)[0][:2] == (str(folder / OLD), str(folder / NEW))
    assert step[f.START] == step[f.END] == datetime(2020, 1, 18, 8, 30, tzinfo=UTC)


def test_a_folder_that_was_renamed_is_no_folder_that_it_was_moved_into(
    provdb_there: Provdb, folder: Path
) -> None:
    folder.rename(folder.parent / "renamed")

    provdb_there("mv", "--record-only", folder, folder.parent / "renamed")

    assert [new for _, new, _ in moved(provdb_there)] == [
        str(folder.parent / "renamed"),
        str(folder.parent / "renamed" / OLD),
    ]


def test_a_dry_run_is_recorded_and_moves_nothing(
    provdb_there: Provdb, folder: Path
) -> None:
    said = provdb_there("mv", "--dry-run", folder / OLD, folder / NEW)

    (step,) = steps(provdb_there)
    assert (said.status, said.stderr) == (0, "")
    assert sorted(os.listdir(folder)) == [OLD]
    assert step[f.DRY_RUN] is True
    assert len(step[f.GENERATED]) == 1


def refuse_across(monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
    """Let a folder be on another file system."""

    def guarded(call: Callable[..., None]) -> Callable[..., None]:
        def guard(old: str, new: str, **options: Any) -> None:
            if Path(old).parent != target and Path(new).parent == target:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            call(old, new, **options)

        return guard

    monkeypatch.setattr(os, "link", guarded(os.link))
    monkeypatch.setattr(os, "rename", guarded(os.rename))


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["new", "force"])
def test_between_file_systems_a_copy_takes_the_name(
    provdb_there: Provdb,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    force: list[str],
) -> None:
    target = folder.parent / "other"
    target.mkdir()
    refuse_across(monkeypatch, target)
    os.utime(folder / OLD, (1579336200, 1579336200))

    said = provdb_there("mv", *force, folder / OLD, target)

    assert (said.status, said.stderr) == (0, "")
    assert tree(target) == {OLD: b"content"}
    assert (target / OLD).stat().st_mtime == 1579336200
    assert tree(folder) == {}
    assert len(moved(provdb_there)) == 1


def test_a_folder_goes_to_another_file_system(
    provdb_there: Provdb, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = folder.parent / "other"
    target.mkdir()
    refuse_across(monkeypatch, target)

    said = provdb_there("mv", folder, target)

    assert said.status == 0
    assert tree(target) == {"data": None, f"data/{OLD}": b"content"}
    assert not folder.exists()


def test_a_copy_that_fails_leaves_the_file_where_it_was(
    provdb_there: Provdb, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = folder.parent / "other"
    target.mkdir()
    refuse_across(monkeypatch, target)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("provdb.capture.moves.os.fsync", full)
    said = provdb_there("mv", folder / OLD, target)
    monkeypatch.undo()

    (step,) = steps(provdb_there)
    assert said.status == 3
    assert "No space left on device" in said.stderr
    assert (tree(folder), tree(target)) == ({OLD: b"content"}, {})
    assert (step[f.STATUS], step[f.GENERATED]) == ("failed", [])


def test_of_two_that_move_to_one_name_one_is_refused(
    provdb_there: Provdb, folder: Path
) -> None:
    (folder / "other.h5").write_bytes(b"other")
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def move(name: str) -> None:
        barrier.wait()
        try:
            moves._move(str(folder / name), str(folder / NEW), is_forced=False)
            outcomes.append("moved")
        except MoveRefused:
            outcomes.append("refused")

    threads = [threading.Thread(target=move, args=[name]) for name in (OLD, "other.h5")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["moved", "refused"]
    assert sorted(tree(folder).values()) == [b"content", b"other"]  # type: ignore[type-var]
