"""A pretended disk: what is in each file, who wrote it, and what the writer had read.

Nothing here knows how provdb decides anything. A history is a list of jobs and of
things that happen to files behind every job's back. `Disk.run` lets them happen in
the order of a true clock, which no machine of the history has.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

__all__ = [
    "EXTERNAL",
    "RAW",
    "UNKNOWN_HAND",
    "Content",
    "Disk",
    "File",
    "Job",
    "Placement",
    "Read",
    "State",
    "Truth",
    "Write",
    "digest",
    "sealed_states",
    "truth_of",
]

# The origin of content that no job wrote.
RAW: Final = "raw"
EXTERNAL: Final = "external"
UNKNOWN_HAND: Final = "unknown hand"
# Every slot of a file; parts of a file have slots of their own.
_WHOLE: Final = ""
_READ, _WRITE, _EVENT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class File:
    """A path, and the name that records give to what is there."""

    path: str
    name: str

    @property
    def is_local(self) -> bool:
        """Whether every node has a file of its own at this path."""
        return self.path.startswith("/scratch/")


@dataclass(eq=False, slots=True)
class Content:
    """What one write, or one unknown hand, put into a file.

    Attributes:
        writer: The job that wrote it, or None.
        origin: Where it comes from if no job wrote it.
        number: A number of its own; two contents with equal bytes have two.
        bytes: What stands for its bytes, of which the hash is taken.
        turn: The processing in which it was written.
    """

    writer: "Job | None"
    origin: str | None
    number: int
    bytes: str
    turn: int = 0


# What a file holds: for each slot the content in it.
State = tuple[tuple[str, Content], ...]


@dataclass(eq=False, slots=True)
class Read:
    """One read of a file by a job.

    Attributes:
        file: The file.
        role: The role that the record names.
        time: When, by the true clock.
        is_hashed: Whether the record has the hash of what was read.
        is_recorded: Whether there is a record.
        state: What was read; filled in by the run.
        named: What the record names instead of the file: a pattern or a folder.
    """

    file: File
    role: str
    time: float
    is_hashed: bool = False
    is_recorded: bool = True
    state: State = ()
    named: File | None = None


@dataclass(eq=False, slots=True)
class Write:
    """One write of a file by a job.

    Attributes:
        file: The file.
        role: The role that the record names.
        time: When what it wrote is there, by the true clock.
        slots: The slots that it fills; all others keep what is in them if it is a
            part, and lose it if not.
        is_part: Whether it leaves the other slots as they are.
        mode: What the record declares of that, or None.
        is_hashed: Whether the record has the hash of what was written.
        is_recorded: Whether there is a record.
        happens: Whether anything is written at all.
        bytes: What stands for the bytes, or None for bytes like no others.
        state: What the file holds afterwards; filled in by the run.
    """

    file: File
    role: str
    time: float
    slots: tuple[str, ...] = (_WHOLE,)
    is_part: bool = False
    mode: str | None = None
    is_hashed: bool = False
    is_recorded: bool = True
    happens: bool = True
    bytes: str | None = None
    state: State = ()


@dataclass(eq=False, slots=True, kw_only=True)
class Job:
    """One execution of a step.

    Attributes:
        step: Name of the step.
        run: The run that it is about, as in its session tag.
        start: When it started, by the true clock, in seconds.
        end: When it ended, also if nobody noted that.
        node: The machine, whose clock its records have.
        order: Which of two things comes first that happen at once.
        reads: What it read.
        writes: What it wrote.
        removes: Files that it removed, as a move does.
        status: How it ended, or None for the usual end.
        id: Its activity_id, which may be that of another job too.
        session: Its session_id.
        tag: Its session_tag.
        arguments: Arguments of its script.
        software: Version of the software.
        parent: The job that ran it as a step of its own.
        turn: Number of the processing that it belongs to.
        log: Number of the log that its records go to.
        is_live: Whether its start is recorded when it starts; else all records are
            written after its end, as lstosa does.
        has_session: Whether its session is recorded.
        has_start: Whether its start is recorded.
        has_end: Whether its end is recorded.
        is_lost: Whether none of its records arrive.
        is_dry: Whether it only says what it would do.
        delay: Seconds from the end of the job to its records.
    """

    step: str
    run: str
    start: float
    end: float
    node: str
    order: int
    reads: list[Read] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    removes: list[File] = field(default_factory=list)
    status: str | None = None
    id: str = ""
    session: str = ""
    tag: str = ""
    arguments: tuple[str, ...] = ()
    software: str = "0.11.10"
    parent: "Job | None" = None
    turn: int = 0
    log: int = 0
    is_live: bool = True
    has_session: bool = True
    has_start: bool = True
    has_end: bool = True
    is_lost: bool = False
    is_dry: bool = False
    delay: float = 0.01

    def __repr__(self) -> str:
        """Name the job for people."""
        return f"<{self.step} {self.id} {self.start:.3f}>"


@dataclass(eq=False, slots=True)
class Placement:
    """One change of what is at a path.

    Attributes:
        time: When, by the true clock.
        state: What is there from then on; empty if there is nothing.
        job: The job that changed it, or None.
        is_known: Whether a record says so.
        is_hashed: Whether that record has a hash.
        is_whole: Whether all that was there before is gone.
    """

    time: float
    state: State
    job: Job | None
    is_known: bool
    is_hashed: bool
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Truth:
    """What a content came from: the jobs, and the raw files that they read."""

    jobs: frozenset[Job]
    raw: frozenset[str]
    is_known: bool = True


class Disk:
    """All files of all nodes, and all that happened to them.

    Attributes:
        jobs: All jobs.
        placements: All that was at each path, in order; by node, for local paths.
        reads: All reads of each path, in order.
        snapshots: What was at each path at the times that were asked for.
    """

    def __init__(self) -> None:
        """Begin with an empty disk."""
        self.jobs: list[Job] = []
        self.placements: dict[tuple[str, str], list[Placement]] = {}
        self.reads: dict[tuple[str, str], list[tuple[Read, Job]]] = {}
        self.files: dict[str, File] = {}
        self._events: list[tuple[float, int, int, str, tuple[File, ...]]] = []
        self._count = 0

    def next_order(self) -> int:
        """Return a number that is larger than all before."""
        self._count += 1
        return self._count

    def put(self, file: File, origin: str = EXTERNAL) -> None:
        """Have a file there from the beginning."""
        key = (_place(file, ""), file.path)
        if key not in self.placements:
            content = Content(None, origin, self.next_order(), f"{origin} {file.path}")
            state = ((_WHOLE, content),)
            known = Placement(float("-inf"), state, None, True, False)
            self.placements[key] = [known]
            self.files[file.path] = file

    def happen(self, what: str, time: float, *files: File) -> None:
        """Have something happen unrecorded: ``mv``, ``cp``, ``edit`` or ``rm``."""
        self._events.append((time, self.next_order(), _EVENT, what, files))

    def run(self) -> None:
        """Let everything happen in the order of the true clock."""
        steps: list[tuple[float, int, int, object, object]] = []
        for job in self.jobs:
            if job.is_dry:
                continue
            steps += [(r.time, job.order, _READ, r, job) for r in job.reads]
            steps += [
                (w.time, job.order, _WRITE, w, job) for w in job.writes if w.happens
            ]
            steps += [(job.end, job.order, _EVENT, old, job) for old in job.removes]
        steps += [(time, order, kind, w, f) for time, order, kind, w, f in self._events]
        for time, _, kind, what, other in sorted(steps, key=lambda step: step[:3]):
            if kind == _READ:
                assert isinstance(what, Read)
                assert isinstance(other, Job)
                self._read(what, other)
            elif kind == _WRITE:
                assert isinstance(what, Write)
                assert isinstance(other, Job)
                self._write(what, other)
            elif isinstance(what, File):
                assert isinstance(other, Job)
                self._place(what, other.node, Placement(time, (), other, True, True))
            else:
                assert isinstance(other, tuple)
                self._happen(str(what), time, other)

    def now(self, file: File, node: str = "") -> State:
        """Return what is in a file at the end."""
        there = self.placements.get((_place(file, node), file.path))
        return there[-1].state if there else ()

    def at(self, file: File, time: float, node: str = "") -> State:
        """Return what was in a file at a time."""
        there = self.placements.get((_place(file, node), file.path), [])
        return next((p.state for p in reversed(there) if p.time <= time), ())

    def _read(self, read: Read, job: Job) -> None:
        key = (_place(read.file, job.node), read.file.path)
        there = self.placements.get(key)
        state = there[-1].state if there else ()
        assert state, f"{job} reads {read.file.path}, which is not there"
        read.state = state
        self.reads.setdefault(key, []).append((read, job))

    def _write(self, write: Write, job: Job) -> None:
        number = self.next_order()
        stands_for = write.bytes or f"content {number}"
        content = Content(job, None, number, stands_for, job.turn)
        kept: State = ()
        if write.is_part:
            kept = tuple(
                (slot, old)
                for slot, old in self.now(write.file, job.node)
                if slot not in write.slots
            )
        write.state = (*kept, *((slot, content) for slot in write.slots))
        is_known = write.is_recorded and not job.is_lost
        placement = Placement(
            write.time,
            write.state,
            job,
            is_known,
            write.is_hashed and is_known,
            not kept,
        )
        self._place(write.file, job.node, placement)

    def _happen(self, what: str, time: float, files: tuple[File, ...]) -> None:
        source, *targets = files
        state = self.now(source)
        assert state, f"{what} of {source.path}, which is not there"
        if what == "edit":
            number = self.next_order()
            edited = Content(None, UNKNOWN_HAND, number, f"edited {number}")
            state, targets = ((_WHOLE, edited),), [source]
        for target in targets:
            self._place(target, "", Placement(time, state, None, False, False))
        if what in ("mv", "rm"):
            self._place(source, "", Placement(time, (), None, False, False))

    def _place(self, file: File, node: str, placement: Placement) -> None:
        self.files[file.path] = file
        key = (_place(file, node), file.path)
        self.placements.setdefault(key, []).append(placement)


def truth_of(disk: Disk, state: State, file: File, *, until: float) -> Truth:
    """Return what a state of a file came from.

    What cannot be known from any log is said in ``is_known``: content that changed
    with no record and no hash.

    Args:
        disk: The disk, after its run.
        state: What was in the file.
        file: The file.
        until: When it was there.
    """
    jobs: set[Job] = set()
    raw: set[str] = set()
    is_known = _could_be_known(disk, file, "", state, until)
    todo = [(file.path, state)]
    unknown = Job(step=UNKNOWN_HAND, run="", start=0, end=0, node="", order=0)
    while todo:
        path, contents = todo.pop()
        for _, content in contents:
            if content.origin == RAW:
                raw.add(path)
            if content.origin == UNKNOWN_HAND:
                jobs.add(unknown)
            writer = content.writer
            if writer is None or writer in jobs:
                continue
            jobs.add(writer)
            for read in writer.reads:
                todo.append((read.file.path, read.state))
                is_known &= _could_be_known(
                    disk, read.file, writer.node, read.state, read.time
                )
                if not read.is_recorded and not writer.is_lost:
                    is_known &= _others_say(disk, writer, read)
    return Truth(frozenset(jobs), frozenset(raw), is_known)


def sealed_states(places: Iterable[Placement]) -> list[Placement]:
    """Return what a file held before each rewrite, and what it holds now."""
    sealed: list[Placement] = []
    last: Placement | None = None
    for place in places:
        if last is not None and last.state and not _extends(last.state, place.state):
            sealed.append(last)
        last = place
    if last is not None and last.state:
        sealed.append(last)
    return sealed


def digest(state: State) -> str:
    """Return the hash of the bytes in a file."""
    text = "\n".join(f"{slot} {content.bytes}" for slot, content in sorted(state))
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _extends(old: State, new: State) -> bool:
    """Say whether a state has all that an earlier one has, and more."""
    return set(old) <= set(new)


def _could_be_known(
    disk: Disk, file: File, node: str, state: State, time: float
) -> bool:
    """Say whether records tell enough of what was at a path at a time."""
    places = disk.placements.get((_place(file, node), file.path), [])
    before = [p for p in places if p.time <= time]
    changed = [
        place
        for place, p in enumerate(before)
        if not p.is_known and (p.state == state or _brought(before, place) & {*state})
    ]
    if not changed:
        return True
    last = changed[-1]
    changed_at = before[last].time
    # Parts may have been written over it, and then nobody can have read it any more.
    until = before[last + 1].time if last + 1 < len(before) else time
    known = [p for p in before if p.is_known and p.job is not None and p.state]
    if not known:
        return True  # Nobody is known to have written there: a gap shows.
    if not all(p.is_hashed for p in known):
        return False
    reads = disk.reads.get((_place(file, node), file.path), [])
    return any(
        read.is_hashed and read.is_recorded and not job.is_lost
        for read, job in reads
        if changed_at <= read.time <= until
    )


def _brought(places: Sequence[Placement], place: int) -> set[tuple[str, Content]]:
    """Return what was new in a file when something happened to it."""
    before = places[place - 1].state if place else ()
    return {*places[place].state} - {*before}


def _others_say(disk: Disk, job: Job, read: Read) -> bool:
    """Say whether other executions of a step tell that a job lacks a role."""
    others = [j for j in disk.jobs if j.step == job.step and j is not job]
    telling = [
        other
        for other in others
        if any(r.role == read.role and r.is_recorded for r in other.reads)
    ]
    return 2 * len(telling) > len(others)


def _place(file: File, node: str) -> str:
    return node if file.is_local else ""
