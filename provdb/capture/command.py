"""One command as one activity: declared inputs before it, declared outputs after it.

The command takes the place of its caller: it has the same streams, variables and
folder, gets the signals, and its exit status is what is given back. Whatever goes
wrong in the capture is a warning, and the command runs.
"""

import errno
import glob
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from provdb.capture.activity import Activity
from provdb.capture.entity import file_entity, file_path
from provdb.capture.environment import environment_of_process
from provdb.capture.session import session
from provdb.errors import ProvdbError

__all__ = ["Declared", "parse_declared", "run_command"]

NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127
_OF_SIGNAL: Final = 128
_VARIABLE: Final = "PROVDB_SESSION_TAG"
_SHELL: Final = "/bin/sh"

# Somebody wants the command to end; it may tidy up first.
_ENDING: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
_OF_TERMINAL: Final = (signal.SIGINT, signal.SIGQUIT)
_PASSED_ON: Final = (*_ENDING, signal.SIGUSR1, signal.SIGUSR2)
# The command itself did something wrong; any other signal comes from outside.
_FAULTS: Final = (
    signal.SIGABRT,
    signal.SIGBUS,
    signal.SIGFPE,
    signal.SIGILL,
    signal.SIGPIPE,
    signal.SIGSEGV,
    signal.SIGSYS,
    signal.SIGTRAP,
)
# Ignored by Python, and not to be ignored by the command.
_SET_BACK: Final = (signal.SIGPIPE, signal.SIGXFSZ)
_WILD: Final = frozenset("*?[")
_PATH_BEGINS: Final = ("/", "./", "../")
_MAX_RSS_UNIT_BYTES: Final = 1 if sys.platform == "darwin" else 1024


class Declared(NamedTuple):
    """A file that a command uses or generates, as it was declared.

    Attributes:
        path: Its path, or a pattern of paths.
        role: What it is to the command, or None.
    """

    path: str
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """How a command ended.

    Attributes:
        status: Exit status, as a shell has it.
        signal_number: The signal that killed it, or None.
        is_asked: Whether a signal asked for the end.
        usage: What it needed.
    """

    status: int
    signal_number: int | None = None
    is_asked: bool = False
    usage: Mapping[str, Any] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """The status of the activity."""
        if self.status == 0:
            return "completed"
        is_killed = self.signal_number not in (None, *_FAULTS)
        return "interrupted" if is_killed or self.is_asked else "failed"

    @property
    def attributes(self) -> dict[str, Any]:
        """The fields of the record of the end."""
        killed = self.signal_number
        named = {} if killed is None else {"signal": _signal_name(killed)}
        return {"exit_code": self.status, **named, **self.usage}


def parse_declared(text: str) -> Declared:
    """Return what ``ROLE=PATH`` or ``PATH`` declares.

    A path that holds a ``=`` is none if it begins as paths do.

    >>> parse_declared("Pedestal file=/v03/drs4_pedestal.Run01611.0000.h5")
    Declared(path='/v03/drs4_pedestal.Run01611.0000.h5', role='Pedestal file')
    >>> parse_declared("./run=01618/dl1.h5").role is None
    True
    """
    role, is_role, path = text.partition("=")
    if not is_role or text.startswith(_PATH_BEGINS) or "://" in role:
        return Declared(text)
    return Declared(path, role or None)


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

    To be called from the main thread, which is the one that gets the signals.
    It is the command's own; 128 and the number of the signal that killed it; 127 for a
    command that is not found and 126 for one that cannot be executed.

    Args:
        words: The command and its arguments.
        name: The step, or None for that of the tag, else the name of the command.
        session_tag: Tag of the session, or None for that of ``PROVDB_SESSION_TAG``,
            else the step; activities of the command itself get the same.
        used: Files that it uses; patterns are expanded before it runs.
        generated: Files that it generates; of a pattern, and of a command that
            failed, only those that it changed.
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
    with _signals_blocked() as (blocked, mask):
        step.begin(used, outputs=generated, parameters=parameters or {})
        if step.is_dry_run:
            ending = _Ending(status=0)
        else:
            ending = _run(words, environ, blocked=blocked, mask=mask, warn=warn)
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
        if parameters:
            with self._safely():
                self._activity.parameters(parameters)
        for declared in used:
            with self._safely():
                self._use(declared)

    def end(self, generated: Sequence[Declared], *, ending: _Ending) -> None:
        """Record the outputs and the end."""
        for declared in generated:
            with self._safely():
                self._generate(declared, is_successful=ending.status == 0)
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

    def _generate(self, declared: Declared, *, is_successful: bool) -> None:
        if self.is_dry_run:
            if not _is_pattern(declared.path):
                self._activity.generated(declared.path, role=declared.role)
            return
        is_said = is_successful and not _is_pattern(declared.path)
        found = [
            path
            for path in _expand(declared.path)
            if is_said or _stamp(path) not in (None, self._before.get(path))
        ]
        if is_successful and not found:
            self._warn(f"the command wrote nothing that matches {declared.path}")
        for path in found:
            self._generate_file(path, role=declared.role)

    def _generate_file(self, path: str, *, role: str | None) -> None:
        if not _is_missing(path):
            self._activity.generated(path, role=role, hash=self._hash_method)
            return
        self._warn(f"the command ended well, but the output {path} is not there")
        # Said of this generation: another one may well write the file.
        self._activity.generate(
            file_entity(path, description={}), role=role, attributes={"missing": True}
        )

    @contextmanager
    def _safely(self) -> Iterator[None]:
        try:
            yield
        except (ProvdbError, OSError, ValueError) as error:
            self._warn(f"the provenance of the command is not complete: {error}")


def _run(
    words: Sequence[str],
    environ: Mapping[str, str],
    *,
    blocked: set[signal.Signals],
    mask: set[signal.Signals],
    warn: Callable[[str], None],
) -> _Ending:
    """Run a command with the signal mask that there was, and return how it ended."""
    try:
        child = _spawn(words, environ, mask=mask)
    except (FileNotFoundError, NotADirectoryError):
        warn(f"the command {words[0]} is not found")
        return _Ending(status=NOT_FOUND)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        warn(f"the command {words[0]} cannot be executed: {reason}")
        return _Ending(status=NOT_EXECUTABLE)
    is_asked = False
    while True:
        number, is_for_us_alone = _next_signal(blocked)
        if number != signal.SIGCHLD:
            is_asked = is_asked or number in _ENDING
            if is_for_us_alone:
                os.kill(child, number)
            continue
        ended, wait_status, needed = os.wait4(child, os.WNOHANG)
        if ended == child:
            return _ending(wait_status, needed, is_asked=is_asked)


def _spawn(
    words: Sequence[str], environ: Mapping[str, str], *, mask: set[signal.Signals]
) -> int:
    spawn = partial(os.posix_spawnp, setsigmask=mask, setsigdef=_SET_BACK)
    try:
        return spawn(words[0], [*words], environ)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
    # A script that does not say what runs it: the shell, as when the shell calls it.
    script = shutil.which(words[0]) or words[0]
    return spawn(_SHELL, [_SHELL, script, *words[1:]], environ)


def _next_signal(blocked: set[signal.Signals]) -> tuple[int, bool]:
    """Return the next signal, and whether the command did not get it as well.

    What the terminal sends all of its processes get; macOS does not tell who sent it.
    """
    if sys.platform == "darwin":
        number = signal.sigwait(blocked)
        return number, number not in _OF_TERMINAL
    got = signal.sigwaitinfo(blocked)
    return got.si_signo, got.si_code <= 0


def _ending(
    wait_status: int, needed: resource.struct_rusage, *, is_asked: bool
) -> _Ending:
    code = os.waitstatus_to_exitcode(wait_status)
    return _Ending(
        status=code if code >= 0 else _OF_SIGNAL - code,
        signal_number=-code if code < 0 else None,
        is_asked=is_asked,
        usage={
            "user_seconds": round(needed.ru_utime, 6),
            "system_seconds": round(needed.ru_stime, 6),
            "max_rss_bytes": needed.ru_maxrss * _MAX_RSS_UNIT_BYTES,
        },
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # One of those for real time, of which few have names.
        return f"SIG{number}"


@contextmanager
def _signals_blocked() -> Iterator[tuple[set[signal.Signals], set[signal.Signals]]]:
    """Keep the signals of the command waiting, for `_run` to take them one by one.

    Also those threads must not get them that are started from here on. A signal that
    was ignored before, as SIGHUP is by nohup, is ignored by the command too.
    """
    heeded = {
        number
        for number in _PASSED_ON
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    blocked = {*heeded, signal.SIGCHLD}
    # A child whose end is ignored leaves no status behind.
    of_children = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        yield blocked, {signal.Signals(number) for number in before}
    finally:
        # What came too late for the command is not to end the capture of it.
        while pending := signal.sigpending() & blocked:
            signal.sigwait(pending)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGCHLD, of_children)


def _expand(pattern: str) -> list[str]:
    """Return the paths that a pattern matches, or what is no pattern itself."""
    if not _is_pattern(pattern):
        return [file_path(pattern)]
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
