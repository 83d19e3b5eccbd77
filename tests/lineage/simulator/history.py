"""A history: jobs on a pretended disk, and the logs that they would have written."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from provdb.model.ids import activity_key, location_id
from tests.lineage.simulator.disk import EXTERNAL, Disk, File, Job, Read, Write, digest

__all__ = ["BEGIN", "History", "Line", "Record", "World"]

Record = dict[str, Any]
BEGIN: Final = datetime(2026, 11, 22, 20, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log.

    Attributes:
        time: When it was written, by the true clock.
        written: The same by the clock of its machine, as text.
        record: What it says.
        job: The job that it is of, or None.
    """

    time: float
    written: str
    record: Record
    job: Job | None

    def text(self) -> str:
        """Return the line as lstosa writes it."""
        return f"INFO provLogger __PROV__{self.written}__PROV__{self.record!r}\n"


@dataclass(slots=True, kw_only=True)
class History:
    """A disk after all that happened to it, and the logs that tell of it.

    Attributes:
        disk: The disk.
        logs: The lines of each log, in order.
        zone: Zone of the times in the logs.
        quiet: Times at which no job runs, by the true clock.
        is_late: Whether some records arrive long after what they tell.
        has_versions: Whether every earlier state of a file can be told from the logs.
        keys: The job of each id under which its records may be stored.
        named: The paths that records name.
    """

    disk: Disk
    logs: list[list[Line]]
    begin: datetime
    zone: tzinfo
    quiet: list[float]
    is_late: bool
    has_versions: bool
    keys: dict[str, Job]
    named: frozenset[str]

    def text(self) -> str:
        """Return all logs as text."""
        return "\n".join("".join(map(Line.text, log)) for log in self.logs)

    def clock(self, time: float) -> datetime:
        """Return a time of the true clock as UTC."""
        return self.begin + timedelta(seconds=time)


@dataclass(slots=True)
class World:
    """What a kind of history is made with.

    Attributes:
        chance: What decides.
        disk: The disk.
        clocks: How many seconds the clock of each machine is ahead.
        precision: Digits of a second in the records.
        begin: UTC of second 0.
        zone: Zone of the times in the records, and of the store.
        hashes: Whether records have the hashes of contents.
        is_live: Whether starts are recorded when they happen; None for either.
        logs: Number of the log of a job; by default all go to one.
        delays: The shortest and the longest time from the end of a job to its records.
        arguments: Whether sessions have the arguments of the script.
        ids: The activity_ids that there are, or None for 24 bits.
        is_late: Whether some records arrive long after what they tell.
        has_versions: Whether every earlier state of a file can be told.
        repeats: Share of the lines that stand in their log again, later.
        is_cut: Whether logs are cut into pieces, which are read in any order.
        turn: Number of the processing that jobs belong to.
        software: Version of the software.
        quiet: Times at which no job runs.
    """

    chance: random.Random
    disk: Disk = field(default_factory=Disk)
    clocks: dict[str, float] = field(default_factory=dict)
    precision: int = 6
    begin: datetime = BEGIN
    zone: tzinfo = UTC
    hashes: bool = False
    is_live: bool | None = None
    logs: int = 1
    delays: tuple[float, float] = (0.001, 0.2)
    arguments: bool = True
    ids: Sequence[str] | None = None
    is_late: bool = False
    has_versions: bool = True
    repeats: float = 0.0
    is_cut: bool = False
    turn: int = 0
    software: str = "0.11.10"
    quiet: list[float] = field(default_factory=list)
    _style: bool | None = None
    _used_ids: set[str] = field(default_factory=set)

    def job(
        self,
        step: str,
        *,
        run: str,
        start: float,
        length: float = 10.0,
        reads: Iterable[tuple[File, str]] = (),
        writes: Iterable[tuple[File, str]] = (),
        node: str = "cp01",
        subrun: int | None = None,
        **others: Any,
    ) -> Job:
        """Add a job that reads at its start, and whose output is there at its end.

        Args:
            step: Name of the step.
            run: Run in its session tag.
            start: When it starts, by the true clock.
            length: How long it lasts.
            reads: Files that it reads, with their roles.
            writes: Files that it writes, with their roles.
            node: The machine.
            subrun: The subrun that its script is called for.
            **others: Attributes of the job.
        """
        if self._style is None:
            self._style = self.chance.random() < 0.5
        is_live = self._style if self.is_live is None else self.is_live
        end = start + length
        arguments: tuple[str, ...] = ()
        if self.arguments and subrun is not None:
            arguments = (step, "--date=2026-11-22", f"{run}.{subrun:04d}", "LST1")
        job = Job(
            step=step,
            run=run,
            start=start,
            end=end,
            node=node,
            order=self.disk.next_order(),
            id=self._id(),
            session=f"20261122{run.replace('-', '')}",
            tag=f"{step}:{run}",
            arguments=arguments,
            software=self.software,
            turn=self.turn,
            log=self.chance.randrange(self.logs),
            is_live=is_live,
            delay=self.chance.uniform(*self.delays),
        )
        for name, value in others.items():
            setattr(job, name, value)
        job.reads = [
            Read(file, role, start, is_hashed=self.hashes) for file, role in reads
        ]
        job.writes = [
            Write(file, role, end, is_hashed=self.hashes) for file, role in writes
        ]
        self.disk.jobs.append(job)
        return job

    def external(self, path: str, name: str) -> File:
        """Return a file that was always there."""
        file = File(path, name)
        self.disk.put(file, EXTERNAL)
        return file

    def finish(self) -> History:
        """Let everything happen, and return the history."""
        self.disk.run()
        logs: list[list[tuple[float, int, Line]]] = [[] for _ in range(self.logs)]
        count = 0
        keys: dict[str, Job] = {}
        for job in self.disk.jobs:
            start = self.written(job, job.start)
            keys[activity_key(job.tag, job.session, job.id, start)] = job
            if job.is_lost:
                continue
            if not job.has_start:
                keys[activity_key(job.tag, None, job.id, None)] = job
            for line in self._lines(job):
                logs[job.log].append((line.time, count, line))
                count += 1
        ordered = [
            [line for _, _, line in sorted(log, key=lambda entry: entry[:2])]
            for log in logs
        ]
        if self.repeats:
            ordered = [self._with_repeats(log) for log in ordered]
        if self.is_cut:
            ordered = [piece for log in ordered for piece in self._pieces(log)]
            self.chance.shuffle(ordered)
        return History(
            disk=self.disk,
            logs=[log for log in ordered if log],
            begin=self.begin,
            zone=self.zone,
            quiet=self.quiet,
            is_late=self.is_late,
            has_versions=self.has_versions,
            keys=keys,
            named=frozenset(
                str(line.record["filepath"])
                for log in ordered
                for line in log
                if "filepath" in line.record
            ),
        )

    def written(self, job: Job, time: float) -> str:
        """Return a time as the machine of a job writes it."""
        shifted = self.begin + timedelta(seconds=time + self.clocks.get(job.node, 0.0))
        local = shifted.astimezone(self.zone).replace(tzinfo=None)
        if self.precision == 0:
            return local.replace(microsecond=0).isoformat()
        return local.isoformat(timespec="microseconds")

    def _with_repeats(self, log: list[Line]) -> list[Line]:
        lines = list(log)
        for line in log:
            if self.chance.random() < self.repeats:
                place = next(i for i, one in enumerate(lines) if one is line)
                lines.insert(self.chance.randint(place + 1, len(lines)), line)
        return lines

    def _pieces(self, log: list[Line]) -> list[list[Line]]:
        count = min(self.chance.choice([2, 3, 4]), len(log))
        cuts = sorted(self.chance.sample(range(1, len(log)), count - 1))
        ends = [*cuts, len(log)]
        return [log[a:b] for a, b in zip([0, *cuts], ends, strict=True)]

    def _id(self) -> str:
        if self.ids is not None:
            return self.chance.choice(self.ids)
        while True:
            id_ = f"{self.chance.getrandbits(24):06x}"
            if id_ not in self._used_ids:
                self._used_ids.add(id_)
                return id_

    def _lines(self, job: Job) -> Iterator[Line]:
        after = job.end + job.delay
        first = job.start + min(job.delay, 0.01) if job.is_live else after
        for record in self._start_records(job):
            yield Line(first, self.written(job, first), record, job)
        for record in self._end_records(job):
            yield Line(after, self.written(job, after), record, job)

    def _start_records(self, job: Job) -> Iterator[Record]:
        start = self.written(job, job.start)
        if job.has_session:
            yield self._session_record(job, start)
        this = {"activity_id": job.id, "session_tag": job.tag}
        if job.has_start:
            yield {
                **this,
                "name": job.step,
                "startTime": start,
                "in_session": job.session,
                "agent_name": "lstanalyzer",
                "script": "datasequence",
                **({"dry_run": True} if job.is_dry else {}),
                **({} if job.parent is None else {"started_by": job.parent.id}),
            }
        yield from self._usages(job, this)

    def _session_record(self, job: Job, start: str) -> Record:
        system: Record = {
            "executable": "/py",
            "platform": {"node": job.node, "system": "Linux"},
            "python": {"packages": [{"name": "lstchain", "version": job.software}]},
        }
        if job.arguments:
            system["arguments"] = list(job.arguments)
        return {
            "session_id": job.session,
            "name": job.run,
            "startTime": start,
            "system": system,
            "observation_date": "2026-11-22",
            "observation_run": job.run,
            "software_version": job.software,
            "session_tag": job.tag,
        }

    def _usages(self, job: Job, this: Record) -> Iterator[Record]:
        tag = {"session_tag": job.tag}
        named: set[File] = set()
        for read in job.reads:
            file = read.named or read.file
            if read.is_recorded and file not in named:
                named.add(file)
                yield {**_description(file), **tag}
                yield {
                    **this,
                    "used_id": location_id(file.path),
                    "used_role": read.role,
                    **({"used_hash": digest(read.state)} if read.is_hashed else {}),
                }

    def _end_records(self, job: Job) -> Iterator[Record]:
        this = {"activity_id": job.id, "session_tag": job.tag}
        for write in job.writes:
            if not write.is_recorded:
                continue
            yield {**_description(write.file), "session_tag": job.tag}
            hashed = write.is_hashed and bool(write.state)
            yield {
                **this,
                "generated_id": location_id(write.file.path),
                "generated_role": write.role,
                **({"generated_hash": digest(write.state)} if hashed else {}),
                **({"mode": write.mode} if write.mode else {}),
            }
        for file in job.removes:
            yield {**this, "invalidated_id": location_id(file.path)}
        if job.has_end:
            yield {
                **this,
                "endTime": self.written(job, job.end),
                **({"status": job.status} if job.status else {}),
            }


def _description(file: File) -> Record:
    return {
        "entity_id": location_id(file.path),
        "name": file.name,
        "filepath": file.path,
        "type": "File",
        "contentType": "application/x",
    }
