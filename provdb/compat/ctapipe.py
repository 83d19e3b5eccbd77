"""``Provenance`` with the calls of ctapipe's, which records into provdb too.

A tool of ctapipe writes down what it did, and its log ends there: nothing links the
log of one tool with that of the next. Here each call is recorded by provdb as well,
where activities of different processes meet in the files that they name.

In code that imports ``Provenance`` this one can be imported in its place. `install`
makes the one that an installed ctapipe has record too, for tools that are as they are;
``python -m provdb.compat ctapipe-process …`` does that, and runs the tool.
"""

import json
import os
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, ClassVar, Final

from provdb.capture import Activity
from provdb.capture.environment import environment_of_process
from provdb.capture.locations import file_paths
from provdb.capture.plain import plain
from provdb.compat.ctapipe_log import as_json_value, log_time, system_block
from provdb.compat.reference_meta import as_mapping, read_reference_meta
from provdb.readers.reference_meta import is_made_up, product_level

__all__ = ["ActivityProvenance", "Provenance", "install"]

_CTAPIPE: Final = "ctapipe.core.provenance"
_STATUS: Final = {
    "completed": "completed",
    "error": "failed",
    "interrupted": "interrupted",
}
_INTERRUPTED: Final = 130
_FAILED: Final = 1


class Provenance:
    """All activities of the process; there is one, whoever asks for it.

    Activities are a stack: what is added belongs to the innermost one that runs. Each
    thread has its own; one that started none adds to the activity that was started
    last in any other.

    >>> from provdb.compat.ctapipe import Provenance
    >>> provenance = Provenance()
    >>> with provenance.activity("ctapipe-merge"):
    ...     provenance.add_input_file("/DL1/dl1_LST-1.Run01807.0000.h5", "DL1/Event")
    ...     provenance.add_output_file("/DL1/dl1_LST-1.Run01807.h5", "DL1/Event")
    >>> provenance.finished_activity_names
    ['ctapipe-merge']
    """

    # No locks, which a fork could leave held: whatever changes these collections is
    # one operation, that no other thread comes between.
    _instances: ClassVar[dict[str, "Provenance"]] = {}
    _activities: "list[ActivityProvenance]"
    _finished_activities: "list[ActivityProvenance]"

    def __new__(cls) -> "Provenance":
        """Return the one that there is."""
        made = super().__new__(cls)
        made.clear()
        return Provenance._instances.setdefault(_CTAPIPE, made)

    def start_activity(
        self, activity_name: str = sys.executable
    ) -> "ActivityProvenance":
        """Start an activity inside the current one, and return it."""
        activity = ActivityProvenance(activity_name, around=self.current_activity)
        activity.start()
        self._activities.append(activity)
        return activity

    def add_input_file(
        self,
        filename: str | os.PathLike[str],
        role: str | None = None,
        add_meta: bool = True,
        reference_meta: object = None,
    ) -> None:
        """Add a file that the current activity uses.

        Args:
            filename: Path or URL.
            role: What it is to the activity, such as ``DL1/Event``.
            add_meta: Whether its reference metadata is read.
            reference_meta: That metadata, if it is known already.
        """
        self._current_or_default().register_input(
            filename, role=role, add_meta=add_meta, reference_meta=reference_meta
        )

    def add_output_file(
        self,
        filename: str | os.PathLike[str],
        role: str | None = None,
        add_meta: bool = True,
    ) -> None:
        """Add a file that the current activity generated, when it is whole.

        Args:
            filename: Path or URL.
            role: What it is to the activity, such as ``DL1/Event``.
            add_meta: Whether its reference metadata is read.
        """
        self._current_or_default().register_output(
            filename, role=role, add_meta=add_meta
        )

    def add_config(self, config: Mapping[str, Any]) -> None:
        """Add the configuration of the current activity."""
        self._current_or_default().register_config(config)

    def finish_activity(
        self,
        status: str = "completed",
        exit_code: int | None = 0,
        activity_name: str | None = None,
    ) -> None:
        """End the current activity.

        Args:
            status: ``completed``, ``error`` or ``interrupted``.
            exit_code: Exit status of the tool.
            activity_name: Its name, to be sure that it is this one that ends.

        Raises:
            IndexError: No activity is running.
            ValueError: The current activity has another name; it stays the current
                one.
        """
        activity = self.current_activity
        if activity is None:
            raise IndexError("no activity is running that could be finished")
        if activity_name not in (None, activity.name):
            raise ValueError(
                f"the activity {activity_name} cannot be finished, "
                f"for {activity.name} is the current one"
            )
        activity.finish(status, exit_code)
        self._put_away(activity)

    @contextmanager
    def activity(self, name: str) -> "Iterator[ActivityProvenance]":
        """Run an activity in a block, which ends as the block does."""
        activity = self.start_activity(name)
        try:
            yield activity
        except BaseException as error:
            activity.finish(*_ending(error), error=error)
            raise
        else:
            activity.finish()
        finally:
            self._put_away(activity)

    @property
    def current_activity(self) -> "ActivityProvenance | None":
        """The innermost activity that runs, or None."""
        running = tuple(self._activities)
        thread = threading.get_ident()
        of_thread = [
            activity
            for activity in running
            if getattr(activity, "thread", thread) == thread
        ]
        return next(reversed(of_thread or running), None)

    @property
    def finished_activities(self) -> "list[ActivityProvenance]":
        """The activities that ended, in this order."""
        return self._finished_activities

    @property
    def provenance(self) -> list[dict[str, Any]]:
        """What is known of the activities that ended, as ctapipe has it."""
        return [activity.provenance for activity in self._finished_activities]

    def as_json(self, **kwargs: Any) -> str:
        """Return `provenance` as JSON, as ctapipe's log holds it.

        Args:
            **kwargs: Passed on to `json.dumps`.
        """
        return json.dumps(self.provenance, **{"default": as_json_value, **kwargs})

    @property
    def active_activity_names(self) -> list[str]:
        """Names of the activities that run, the innermost last."""
        return [activity.name for activity in tuple(self._activities)]

    @property
    def finished_activity_names(self) -> list[str]:
        """Names of the activities that ended, in this order."""
        return [activity.name for activity in tuple(self._finished_activities)]

    def clear(self) -> None:
        """Forget all activities; what was recorded stays recorded."""
        self._activities = []
        self._finished_activities = []

    def _current_or_default(self) -> "ActivityProvenance":
        return self.current_activity or self.start_activity()

    def _put_away(self, activity: "ActivityProvenance") -> None:
        if activity in self._activities:
            self._activities.remove(activity)
        self._finished_activities.append(activity)


class ActivityProvenance:
    """One activity, as ctapipe's log and provdb's records have it.

    Attributes:
        name: The tool, such as ``ctapipe-process``.
        provenance: What is known of it, in the structure of ctapipe's log.
        thread: The thread that it was started in.
    """

    def __init__(
        self,
        activity_name: str = sys.executable,
        *,
        around: "ActivityProvenance | None" = None,
    ) -> None:
        """Describe an activity; nothing is recorded yet.

        Args:
            activity_name: The tool.
            around: The activity that it is a part of.
        """
        outer = getattr(around, "_activity", None)
        self.name = activity_name
        self.thread = threading.get_ident()
        self._activity = Activity(
            activity_name,
            attributes={} if outer is None else {"started_by": outer.id},
        )
        self._start = datetime.now(UTC)
        self.provenance: dict[str, Any] = {
            "activity_name": activity_name,
            # The id that ctapipe writes into the files that the tool makes.
            "activity_uuid": str(uuid.UUID(self._activity.id)),
            "status": "running",
            "start": {},
            "stop": {},
            "system": {},
            "input": [],
            "output": [],
            "exit_code": None,
        }

    @property
    def input(self) -> list[dict[str, Any]]:
        """The files that it used."""
        files: list[dict[str, Any]] = self.provenance["input"]
        return files

    @property
    def output(self) -> list[dict[str, Any]]:
        """The files that it generated."""
        files: list[dict[str, Any]] = self.provenance["output"]
        return files

    def start(self) -> None:
        """Record that it starts."""
        self._start = datetime.now(UTC)
        self._activity.start()
        self.provenance["start"] = {"time_utc": log_time(self._start)}
        self.provenance["system"] = system_block(
            environment_of_process(), environ=os.environ, now=self._start
        )

    def register_input(
        self,
        url: str | os.PathLike[str],
        role: str | None = None,
        add_meta: bool = True,
        reference_meta: object = None,
    ) -> None:
        """Record a file that it uses, as `Provenance.add_input_file` does."""
        for path in file_paths(url, activity=self.name, verb="used"):
            entry = _file_entry(path, role, add_meta, reference_meta)
            self.input.append(entry)
            self._activity.used(path, role=role, **_description(entry))

    def register_output(
        self,
        url: str | os.PathLike[str],
        role: str | None = None,
        add_meta: bool = True,
        reference_meta: object = None,
    ) -> None:
        """Record a file that it generated, as `Provenance.add_output_file` does."""
        for path in file_paths(url, activity=self.name, verb="generated"):
            entry = _file_entry(path, role, add_meta, reference_meta)
            self.output.append(entry)
            self._activity.generated(path, role=role, **_description(entry))

    def register_config(self, config: Mapping[str, Any]) -> None:
        """Record its configuration: one parameter for each part at the top of it."""
        self.provenance["config"] = config
        self._activity.parameters(config)

    def sample_cpu_and_memory(self) -> None:
        """Note the time, which is all that ctapipe has in a sample."""
        samples = self.provenance.setdefault("samples", [])
        samples.append({"time_utc": log_time(datetime.now(UTC))})

    def finish(
        self,
        status: str = "completed",
        exit_code: int | None = 0,
        *,
        error: BaseException | None = None,
    ) -> None:
        """Record that it ends.

        Args:
            status: ``completed``, ``error`` or ``interrupted``.
            exit_code: Exit status of the tool.
            error: What ended it, if it did not end well.
        """
        end = datetime.now(UTC)
        self.provenance["stop"] = {"time_utc": log_time(end)}
        self.provenance["status"] = status
        self.provenance["exit_code"] = exit_code
        self.provenance["duration_min"] = (end - self._start).total_seconds() / 60
        self._activity.finish(
            error=error,
            status=_STATUS.get(status, "failed" if exit_code else "completed"),
            attributes={"exit_code": exit_code},
        )


def install() -> bool:
    """Make the ``Provenance`` of the installed ctapipe one of provdb.

    Its tools record into provdb from then on, and write their own logs as before.
    What was started before is finished as it was started, by ctapipe alone.

    Returns:
        Whether there is a ctapipe.
    """
    try:
        module = import_module(_CTAPIPE)
    except ImportError:
        return False
    # Modules of ctapipe keep the one instance that there is, and ask its class for it
    # again and again: it has to stay this instance of this class' making.
    theirs = module.Provenance()
    ours = Provenance()
    if theirs.__dict__ is not ours.__dict__:
        ours._activities[:0] = theirs._activities
        ours._finished_activities[:0] = theirs._finished_activities
        theirs.__class__ = Provenance
        theirs.__dict__ = ours.__dict__
    return True


def _file_entry(
    path: str,
    role: str | None,
    add_meta: bool,
    reference_meta: object,
) -> dict[str, Any]:
    metadata = as_mapping(reference_meta)
    if metadata is None and add_meta:
        metadata = read_reference_meta(path)
    return {"url": path, "role": role, "reference_meta": metadata}


def _description(entry: Mapping[str, Any]) -> dict[str, Any]:
    metadata = entry["reference_meta"]
    if metadata is None or is_made_up(metadata):
        return {}
    return {
        "name": product_level(metadata),
        "attributes": {"reference_meta": plain(metadata)},
    }


def _ending(error: BaseException) -> tuple[str, int | None]:
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int | None) else _FAILED
        return ("error" if code else "completed"), code or 0
    if isinstance(error, Exception):
        return "error", _FAILED
    return "interrupted", _INTERRUPTED
