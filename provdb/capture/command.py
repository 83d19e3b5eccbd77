"""One command as one activity: declared inputs before it, declared outputs after it.

The command takes the place of its caller: it has the same streams, variables and
folder, gets the signals, and its exit status is what is given back. Whatever goes
wrong in the capture is a warning, and the command runs.
"""

import glob
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from provdb.capture.activity import Activity
from provdb.capture.child import Ending, run_child, signals_blocked
from provdb.capture.entity import file_entity
from provdb.capture.environment import environment_of_process
from provdb.capture.locations import file_path
from provdb.capture.session import session
from provdb.errors import ProvdbError

__all__ = ["Declared", "parse_declared", "run_command"]

_VARIABLE: Final = "PROVDB_SESSION_TAG"
_WILD: Final = frozenset("*?[")
_PATH_BEGINS: Final = ("/", "./", "../")


class Declared(NamedTuple):
    """A file that a command uses or generates, as it was declared.

    Attributes:
        path: Its path, or a pattern of paths.
        role: What it is to the command, or None.
        mode: What the command does to an output: ``overwrite``, ``part`` or
            ``append``, or None where it is not declared.
    """

    path: str
    role: str | None = None
    mode: str | None = None


def parse_declared(text: str, *, mode: str | None = None) -> Declared:
    """Return what ``ROLE=PATH`` or ``PATH`` declares.

    A path that holds a ``=`` is none if it begins as paths do.

    >>> parse_declared("DL2=/DL2/dl2_LST-1.20200117.h5", mode="part")
    Declared(path='/DL2/dl2_LST-1.20200117.h5', role='DL2', mode='part')
    >>> parse_declared("./run=01618/dl1.h5").role is None
    True
    """
    role, is_role, path = text.partition("=")
    if not is_role or text.startswith(_PATH_BEGINS) or "://" in role:
        return Declared(text, mode=mode)
    return Declared(path, role or None, mode)


def run_command(
    words: Sequence[str],
    *,
    name: str | None = None,
    session_tag: str | None = None,
    used: Sequence[Declared] = (),
    generated: Sequence[Declared] = (),
    parameters: Mapping[str, Any] | None = None,
    hash_method: str | None = None,
    variables: Mapping[str, str] | None = None,
    warn: Callable[[str], None],
) -> int:
    """Run a command as one activity, and return its exit status.

    The status is the command's own; 128 and the number of the signal that killed it;
    127 for a command that is not found and 126 for one that cannot be executed. To be
    called in the main thread, which is the one that gets the signals.

    Args:
        words: The command and its arguments.
        name: The step, or None for that of the tag, else the name of the command.
        session_tag: Tag of the session, or None for that of ``PROVDB_SESSION_TAG``,
            else the step; activities of the command itself get the same.
        used: Files that it uses; patterns are expanded before it runs.
        generated: Files that it generates; of a pattern, and of a command that
            failed, only those that it changed. The mode of a file that is declared
            several times is the first that is declared.
        parameters: Values of parameters.
        hash_method: ``sha256``, ``sha1`` or ``md5`` to record what is in the files.
        variables: Further variables of the environment of the command.
        warn: Is told what was not as declared, and what could not be recorded.
    """
    tag = session_tag or os.environ.get(_VARIABLE)
    step_name = name or (tag or "").partition(":")[0] or Path(words[0]).name or words[0]
    step = _Step(
        words,
        name=step_name,
        session_tag=tag or step_name,
        hash_method=hash_method,
        warn=warn,
    )
    environ = {
        **os.environ,
        **({} if tag is None else {_VARIABLE: tag}),
        **(variables or {}),
    }
    with signals_blocked() as masks:
        step.begin(used, outputs=generated, parameters=parameters or {})
        if step.is_dry_run:
            ending = Ending(status=0)
        else:
            ending = run_child(words, environ, masks=masks, warn=warn)
        step.end(generated, ending=ending)
    return ending.status


class _Step:
    """The activity of a command, whose capture stops nothing."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        name: str,
        session_tag: str,
        hash_method: str | None,
        warn: Callable[[str], None],
    ) -> None:
        self._words = list(words)
        self._tag = session_tag
        self._hash_method = hash_method
        self._warn = warn
        self._open = ExitStack()
        self._is_started = False
        self._before: dict[str, tuple[int, ...] | None] = {}
        self._activity = Activity(
            name,
            session_tag=session_tag,
            attributes={"script": words[0], "working_folder": _working_folder()},
        )

    @property
    def is_dry_run(self) -> bool:
        """Whether the command is not to be run."""
        return self._activity.is_dry_run

    def begin(
        self,
        used: Sequence[Declared],
        *,
        outputs: Sequence[Declared],
        parameters: Mapping[str, Any],
    ) -> None:
        """Record the start and the inputs, and look at the outputs that are there."""
        with self._safely():
            self._before = {
                path: _stamp(path)
                for declared in outputs
                for path in _expand(declared.path)
            }
        with self._safely():
            system = {**environment_of_process(), "arguments": self._words}
            self._open.enter_context(session(self._tag, system=system))
            self._activity.start()
            self._is_started = True
        if parameters and self._is_started:
            with self._safely():
                self._activity.parameters(parameters)
        for declared in used if self._is_started else ():
            with self._safely():
                self._use(declared)

    def end(self, generated: Sequence[Declared], *, ending: Ending) -> None:
        """Record the outputs and the end."""
        if not self._is_started:
            return
        outputs: list[Declared] = []
        for declared in generated:
            with self._safely():
                written = self._written(declared, is_successful=ending.status == 0)
                outputs += [declared._replace(path=path) for path in written]
        for output in _joined(outputs):
            with self._safely():
                self._generate(output)
        with self._safely():
            self._activity.finish(status=ending.word, attributes=ending.attributes)
        with self._safely():
            self._open.close()

    def _use(self, declared: Declared) -> None:
        paths = _expand(declared.path)
        if not paths:
            self._warn(f"nothing matches the input {declared.path}")
        for path in paths:
            hash_method = None if _is_missing(path) else self._hash_method
            self._activity.used(path, role=declared.role, hash=hash_method)

    def _written(self, declared: Declared, *, is_successful: bool) -> list[str]:
        """Return the paths of the files that the command wrote, as declared."""
        if self.is_dry_run:
            is_one = not _is_pattern(declared.path)
            return [file_path(declared.path)] if is_one else []
        is_said = is_successful and not _is_pattern(declared.path)
        found = [
            path
            for path in _expand(declared.path)
            if is_said or _stamp(path) not in (None, self._before.get(path))
        ]
        if is_successful and not found:
            self._warn(f"the command wrote nothing that matches {declared.path}")
        return found

    def _generate(self, output: Declared) -> None:
        path, role, mode = output
        if self.is_dry_run or not _is_missing(path):
            hash_method = None if self.is_dry_run else self._hash_method
            self._activity.generated(path, role=role, hash=hash_method, mode=mode)
            return
        self._warn(f"the command ended well, but the output {path} is not there")
        # Said of this generation: another one may well write the file.
        self._activity.generate(
            file_entity(path, description={}),
            role=role,
            mode=mode,
            attributes={"missing": True},
        )

    @contextmanager
    def _safely(self) -> Iterator[None]:
        try:
            yield
        except (ProvdbError, OSError, ValueError) as error:
            self._warn(f"the provenance of the command is not complete: {error}")


def _joined(outputs: Sequence[Declared]) -> list[Declared]:
    """Return each file once for each of its roles, with its mode.

    >>> part = Declared("/DL2/night.h5", mode="part")
    >>> _joined([Declared("/DL2/night.h5", "DL2"), part])
    [Declared(path='/DL2/night.h5', role='DL2', mode='part')]
    """
    roles: dict[str, list[str | None]] = {}
    modes: dict[str, str] = {}
    for path, role, mode in outputs:
        known = roles.setdefault(path, [])
        if role is not None and role not in known:
            known.append(role)
        if mode is not None:
            modes.setdefault(path, mode)
    return [
        Declared(path, role, modes.get(path))
        for path, known in roles.items()
        for role in known or [None]
    ]


def _expand(pattern: str) -> list[str]:
    """Return the paths that a pattern matches, or what is no pattern itself."""
    if not _is_pattern(pattern):
        return [file_path(pattern)] if pattern else []
    return sorted(map(file_path, glob.glob(pattern, recursive=True)))


def _is_pattern(path: str) -> bool:
    # A file may well have such a name.
    return not _WILD.isdisjoint(path) and "://" not in path and _stamp(path) is None


def _is_missing(path: str) -> bool:
    return "://" not in path and _stamp(path) is None


def _stamp(path: str) -> tuple[int, ...] | None:
    """Return what changes when a file is written, or None where there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _working_folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # It was removed while the job was in it.
        return None
