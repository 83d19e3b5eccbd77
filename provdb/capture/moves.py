"""Move files and record it: each move is an activity ``mv``."""

import errno
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from secrets import token_hex
from typing import Final

from provdb.capture.activity import MOVE, Activity
from provdb.capture.locations import file_path
from provdb.capture.session import session
from provdb.capture.surroundings import Surroundings
from provdb.errors import ConfigError, MoveRefused, ReadError
from provdb.readers.folders import UNFINISHED

__all__ = ["move_files"]

_VARIABLE: Final = "PROVDB_SESSION_TAG"
# The file system has no hard links, or not for this file.
_NO_LINK: Final = (
    errno.EPERM,
    errno.EXDEV,
    errno.EMLINK,
    errno.ENOSYS,
    errno.EOPNOTSUPP,
)


def move_files(
    sources: Sequence[str],
    target: str,
    *,
    session_tag: str | None = None,
    hash_method: str | None = None,
    is_forced: bool = False,
    is_moved_already: bool = False,
    moved_at: datetime | None = None,
) -> None:
    """Move files, and record each move with the files below a folder.

    All is checked before the first file is moved. A file is under its old or its new
    name at any time; between file systems it is copied first.

    Args:
        sources: Files or folders.
        target: The new path, or a folder to move them into.
        session_tag: Tag of the session, or None for that of ``PROVDB_SESSION_TAG``,
            else ``mv``.
        hash_method: ``sha256``, ``sha1`` or ``md5`` to record what is in the files.
        is_forced: Whether files that are there are replaced.
        is_moved_already: Whether the moves are only recorded.
        moved_at: When they were moved, if not now.

    Raises:
        ConfigError: Several files need a folder as their target.
        ReadError: A file is not there or cannot be moved; those before it are moved.
        MoveRefused: Something is there that would be lost.
    """
    pairs = _pairs(sources, target, is_moved_already=is_moved_already)
    check = _check_moved if is_moved_already else _check
    for old, new in pairs:
        check(old, new, is_forced=is_forced)
    tag = session_tag or os.environ.get(_VARIABLE) or MOVE
    around = Surroundings()
    if moved_at is not None:
        around = replace(around, now=lambda: moved_at)
    with session(tag, surroundings=around):
        for old, new in pairs:
            step = Activity(MOVE)
            step.start()
            try:
                if not (is_moved_already or step.is_dry_run):
                    _move(old, new, is_forced=is_forced)
            except OSError as error:
                step.finish(error=error)
                reason = error.strerror or error
                problem = f"it cannot be moved to {new}: {reason}"
                raise ReadError(old, problem) from error
            except BaseException as error:
                step.finish(error=error)
                raise
            method = None if step.is_dry_run else hash_method
            step.record_move(old, new, hash_method=method)
            step.finish()


def _pairs(
    sources: Sequence[str], target: str, *, is_moved_already: bool
) -> list[tuple[str, str]]:
    """Return the old and the new path of each file."""
    new = file_path(target)
    olds = [file_path(source) for source in sources]
    inside = [os.path.join(new, os.path.basename(old)) for old in olds]
    is_folder = os.path.isdir(new)
    if is_folder and is_moved_already:
        # A folder that has got another name is no folder that it was moved into.
        is_folder = len(olds) > 1 or os.path.lexists(inside[0])
    if len(olds) > 1 and not is_folder:
        raise ConfigError(
            f"{target} is not a folder; several files are moved into a folder",
            setting="TARGET",
        )
    news = inside if is_folder else [new]
    for path in news:
        if news.count(path) > 1:
            raise MoveRefused(path, "two of the files would have this path")
    return list(zip(olds, news, strict=True))


def _check(old: str, new: str, *, is_forced: bool) -> None:
    if not os.path.lexists(old):
        raise ReadError(old, "there is no such file")
    if not os.path.lexists(new):
        if os.path.isdir(old) and f"{new}/".startswith(f"{old}/"):
            raise MoveRefused(new, f"it is in the folder {old} itself")
        return
    if _is_same(old, new):
        raise MoveRefused(new, f"it is the same file as {old}")
    if os.path.isdir(new):
        raise MoveRefused(new, "it is a folder that is there already")
    if os.path.isdir(old):
        raise MoveRefused(new, f"it is a file, and {old} is a folder")
    if not is_forced:
        raise MoveRefused(new, "it is there already; --force replaces it")


def _check_moved(old: str, new: str, *, is_forced: bool) -> None:
    if not os.path.lexists(new):
        raise ReadError(new, "there is no such file, so nothing was moved to it")
    if old == new:
        raise MoveRefused(new, "it is the same file")
    if os.path.lexists(old) and not is_forced:
        raise MoveRefused(
            old, "it is there still, so it was not moved; --force records it anyway"
        )


def _is_same(old: str, new: str) -> bool:
    """Say whether two paths lead to one file, which a rename would lose or leave."""
    try:
        return os.path.samefile(old, new)
    except OSError:  # A link that leads nowhere.
        return old == new


def _move(old: str, new: str, *, is_forced: bool) -> None:
    if not is_forced and not _is_folder(old) and _move_by_link(old, new):
        return
    try:
        os.rename(old, new)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_by_copy(old, new, is_forced=is_forced)


def _move_by_link(old: str, new: str) -> bool:
    """Give a file its new name if nothing has it, and say whether links are known.

    A rename would replace what another process has written there in the meantime.
    """
    try:
        os.link(old, new, follow_symlinks=False)
    except FileExistsError:
        raise MoveRefused(new, "it is there already; --force replaces it") from None
    except NotImplementedError:
        return False
    except OSError as error:
        if error.errno in _NO_LINK:
            return False
        raise
    try:
        os.unlink(old)
    except OSError:
        os.unlink(new)
        raise
    return True


def _move_by_copy(old: str, new: str, *, is_forced: bool) -> None:
    """Move to another file system: a whole copy gets the name, or none."""
    folder, name = os.path.split(new)
    # A name has 255 bytes at most.
    short = os.fsdecode(os.fsencode(name)[:200])
    unfinished = os.path.join(folder, f".{short}.{token_hex(4)}{UNFINISHED}")
    try:
        if _is_folder(old):
            shutil.copytree(old, unfinished, symlinks=True)
            os.rename(unfinished, new)
        else:
            shutil.copy2(old, unfinished, follow_symlinks=False)
            _bring_to_disk(unfinished)
            if is_forced or not _move_by_link(unfinished, new):
                os.rename(unfinished, new)
    except BaseException:
        _remove(unfinished)
        raise
    if _is_folder(old):
        shutil.rmtree(old)
    else:
        os.unlink(old)


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _bring_to_disk(path: str) -> None:
    if os.path.islink(path):
        return
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _remove(path: str) -> None:
    with suppress(OSError):
        if _is_folder(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
