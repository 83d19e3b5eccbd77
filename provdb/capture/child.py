"""A child process in the place of its caller, which passes signals on to it.

The child has the caller's streams, folder and signal mask. The caller takes the
signals one by one while the child runs, and learns how it ended and what it needed.
"""

import errno
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

__all__ = ["Ending", "SignalMasks", "run_child", "signals_blocked"]

NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127
_OF_SIGNAL: Final = 128
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
_MAX_RSS_UNIT_BYTES: Final = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
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


class SignalMasks(NamedTuple):
    """Which signals wait.

    Attributes:
        blocked: Those that wait for `run_child` to take them.
        before: Those that waited before, and do for the child.
    """

    blocked: set[signal.Signals]
    before: set[signal.Signals]


@contextmanager
def signals_blocked() -> Iterator[SignalMasks]:
    """Keep the signals of a command waiting in a block, for `run_child` to take them.

    To be called in the main thread before there are others, for those that it starts
    in the block must not get the signals either. A signal that was ignored before, as
    SIGHUP is by nohup, is ignored by the command too.
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
        yield SignalMasks(blocked, {signal.Signals(number) for number in before})
    finally:
        # What came too late for the command is not to end the capture of it.
        while pending := signal.sigpending() & blocked:
            signal.sigwait(pending)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGCHLD, of_children)


def run_child(
    words: Sequence[str],
    environ: Mapping[str, str],
    *,
    masks: SignalMasks,
    warn: Callable[[str], None],
) -> Ending:
    """Run a command, and return how it ended.

    Args:
        words: The command and its arguments.
        environ: Its environment.
        masks: What `signals_blocked` gives.
        warn: Is told why a command cannot be run, whose status is 127 if it is not
            found and else 126.
    """
    try:
        child = _spawn(words, environ, mask=masks.before)
    except (FileNotFoundError, NotADirectoryError):
        warn(f"the command {words[0]} is not found")
        return Ending(status=NOT_FOUND)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        warn(f"the command {words[0]} cannot be executed: {reason}")
        return Ending(status=NOT_EXECUTABLE)
    is_asked = False
    while True:
        number, is_for_us_alone = _next_signal(masks.blocked)
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
) -> Ending:
    code = os.waitstatus_to_exitcode(wait_status)
    return Ending(
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
