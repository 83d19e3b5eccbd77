"""Which commit of which repository some code is from."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

__all__ = ["git_of"]

# Half of what the whole environment may take.
_TIMEOUT_SECONDS: Final = 0.075
_STATUS: Final = (
    "status",
    "--porcelain=v2",
    "--branch",
    "--untracked-files=no",
    "--ignore-submodules=dirty",
)
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MOST_BYTES: Final = 2**20


def git_of(folder: Path, *, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return commit, branch, dirty flag and root of the repository of a folder.

    Files that git does not track do not make it dirty. Where git is not installed or
    does not answer within 75 ms, as on a slow disk, the commit and the branch are read
    from its files, and whether it is dirty is not said.

    Args:
        folder: The folder of the code.
        environ: The environment, for the places of git and of its settings.

    Returns:
        What is known, with the names ``commit``, ``branch``, ``dirty`` and ``root``;
        nothing where the folder is in no repository.

    Example:
        >>> git_of(Path("/"), environ={})
        {}
    """
    root = _root_of(folder)
    if root is None:
        return {}
    try:
        found = _ask(root, environ=environ)
    except (OSError, ValueError, subprocess.SubprocessError):
        found = _read(root)
    return {**found, "root": str(root)} if found else {}


def _root_of(folder: Path) -> Path | None:
    try:
        folder = folder.resolve()
        for place in (folder, *folder.parents):
            if (place / ".git").exists():
                return place
    except (OSError, RuntimeError, ValueError):
        return None
    return None


def _ask(root: Path, *, environ: Mapping[str, str]) -> dict[str, Any]:
    known = {name: environ[name] for name in ("PATH", "HOME") if name in environ}
    done = subprocess.run(
        # Nothing is written, and no program of the repository's settings is started.
        ["git", "-c", "core.fsmonitor=false", "-C", str(root), *_STATUS],
        env={**known, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_TIMEOUT_SECONDS,
        check=True,
    )
    found: dict[str, Any] = {}
    is_dirty = False
    for line in done.stdout.decode("utf-8", "backslashreplace").splitlines():
        if line.startswith("# branch.oid "):
            commit = line.removeprefix("# branch.oid ")
            found |= {"commit": commit} if _COMMIT.fullmatch(commit) else {}
        elif line.startswith("# branch.head "):
            branch = line.removeprefix("# branch.head ")
            found |= {"branch": branch} if branch != "(detached)" else {}
        elif not line.startswith("#"):
            is_dirty = True
    return {**found, "dirty": is_dirty}


def _read(root: Path) -> dict[str, Any]:
    try:
        folder = root / ".git"
        if folder.is_file():  # A worktree: the folder is elsewhere.
            folder = root / _text(folder).removeprefix("gitdir:").strip()
        head = _text(folder / "HEAD").strip()
        if not head.startswith("ref:"):
            return {"commit": head} if _COMMIT.fullmatch(head) else {}
        reference = head.removeprefix("ref:").strip()
        found = {"branch": reference.removeprefix("refs/heads/")}
        shared = folder / "commondir"
        common = folder / _text(shared).strip() if shared.exists() else folder
        commit = _commit_of(common, reference)
    except (OSError, ValueError):
        return {}
    return {"commit": commit, **found} if commit else found


def _commit_of(folder: Path, reference: str) -> str | None:
    loose = folder / reference
    if loose.exists():
        commit = _text(loose).strip()
        return commit if _COMMIT.fullmatch(commit) else None
    packed = folder / "packed-refs"
    for line in _text(packed).splitlines() if packed.exists() else ():
        commit, _, name = line.partition(" ")
        if name == reference and _COMMIT.fullmatch(commit):
            return commit
    return None


def _text(path: Path) -> str:
    with path.open("rb") as stream:
        return stream.read(_MOST_BYTES).decode("utf-8", "backslashreplace")
