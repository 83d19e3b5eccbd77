"""Kinds of history: jobs that fail, are killed, are lost, are retried, and overlap."""

import random
from dataclasses import dataclass
from typing import Any

from tests.lineage.simulator.disk import File, Job, Read, Write
from tests.lineage.simulator.history import World
from tests.lineage.simulator.night import Night
from tests.lineage.simulator.registry import a_night, again, kind, rest

__all__: list[str] = []


@dataclass(slots=True, kw_only=True)
class _Unlucky(Night):
    """A processing in which some jobs do not end well, and are tried again.

    Attributes:
        share: How many do not end well.
        ways: How they do not.
        overlap: How many start again before the first try is gone.
    """

    share: float = 0.25
    ways: tuple[str, ...] = ("failed",)
    overlap: float = 0.0

    def step(self, *args: Any, **others: Any) -> Job:
        """Schedule a step, and before it a try of it that does not end well."""
        chance = self.world.chance
        name, start, *rest_of = args
        if chance.random() < self.share:
            tried = Night.step(self, name, start, *rest_of, **others)
            _spoil(self.world, tried, chance.choice(self.ways))
            start = tried.end + self.gap()
            if chance.random() < self.overlap:
                start = chance.uniform(tried.start + 0.5, tried.end)
        return Night.step(self, name, start, *rest_of, **others)


@kind()
def failed_and_retried(world: World, chance: random.Random) -> None:
    _unlucky(world, chance, ways=("failed", "interrupted"))


@kind()
def killed_and_retried(world: World, chance: random.Random) -> None:
    _unlucky(world, chance, ways=("killed",))


@kind()
def lost_and_retried(world: World, chance: random.Random) -> None:
    _unlucky(world, chance, ways=("lost",))


@kind()
def retry_overlaps(world: World, chance: random.Random) -> None:
    """A job starts again before its first try is gone, and that may write later."""
    ways = ("failed", "killed", "killed")
    _unlucky(world, chance, ways=ways, overlap=0.8)


@kind()
def spoiled_over_a_good_file(world: World, chance: random.Random) -> None:
    """Some step of a second processing does not end well, and nobody retries it."""
    world.hashes = chance.random() < 0.3
    night = a_night(world, chance)
    end = night.process(night.calibrate(0.0))
    count = len(world.disk.jobs)
    end = again(night).process(rest(world, end))
    way = chance.choice(["failed", "interrupted", "killed"])
    some = [job for job in world.disk.jobs[count:] if job.writes]
    _spoil(world, chance.choice(some), way)
    if chance.random() < 0.3:
        again(night).process(rest(world, end))


@kind()
def lost_over_a_good_file(world: World, chance: random.Random) -> None:
    """Of a step of a second processing no record arrives, but its output is there."""
    world.hashes = chance.random() < 0.7
    night = a_night(world, chance)
    end = night.process(night.calibrate(0.0))
    count = len(world.disk.jobs)
    again(night).process(rest(world, end))
    chance.choice(world.disk.jobs[count:]).is_lost = True


@kind()
def writers_overlap(world: World, chance: random.Random) -> None:
    """Two executions of a step run at once, and the last to end leaves its output."""
    night = a_night(world, chance)
    start = night.calibrate(0.0)
    end = night.process(start)
    for job in list(world.disk.jobs):
        if job.step in ("r0_to_dl1", "dl1_to_dl2") and chance.random() < 0.3:
            twin = _twin(world, job, chance.uniform(job.start, job.end))
            # What reads the output waits for neither.
            twin.end = twin.start + chance.uniform(1.0, 90.0)
            for write in twin.writes:
                write.time = twin.end
    if chance.random() < 0.4:
        again(night).process(rest(world, end + 200.0))


@kind()
def reader_overlaps_writer(world: World, chance: random.Random) -> None:
    """A second processing starts while steps of the first still read and write."""
    night = a_night(world, chance, lengths=(20.0, 90.0))
    start = night.calibrate(0.0)
    end = night.process(start)
    again(night).process(chance.uniform(start + 30.0, end))
    for job in world.disk.jobs:
        for read in job.reads:
            if chance.random() < 0.3 and not _reads_own_output(job, read):
                read.time = chance.uniform(job.start, job.end)


@kind()
def streaming_readers(world: World, chance: random.Random) -> None:
    """A step reads what another one is still writing."""
    night = a_night(world, chance, merge="", has_check=False, has_dl1ab=False)
    end = night.calibrate(0.0)
    for turn in range(chance.choice([1, 2])):
        world.turn = turn
        for subrun in night.subruns:
            world.disk.put(night.files.raw(subrun), "raw")
            night.r0_to_dl1(subrun, end)
            writer = world.disk.jobs[-1]
            writer.writes[0].time = writer.start + 0.3 * (writer.end - writer.start)
            begin = chance.uniform(writer.writes[0].time, writer.end)
            night.dl1_to_dl2(subrun, begin)
            reader = world.disk.jobs[-1]
            reader.end = max(reader.end, writer.end + chance.uniform(0.1, 20.0))
            for write in reader.writes:
                write.time = reader.end
        end = rest(world, max(job.end for job in world.disk.jobs))


@kind()
def late_reads_of_configuration(world: World, chance: random.Random) -> None:
    """A configuration is written anew while steps run that have yet to read it."""
    night = a_night(world, chance, has_dl1ab=True, lengths=(10.0, 90.0))
    start = night.calibrate(0.0)
    config = File("/cfg/standard.json", "AnalysisConfigFile")
    template = world.external("/cfg/template.json", "AnalysisConfigFile")

    def configure(at: float) -> None:
        world.job(
            "make_config",
            run="01807",
            start=at,
            length=1.0,
            reads=[(template, "Template")],
            writes=[(config, "Configuration")],
        )

    configure(start - 3.0)
    end = night.process(start)
    for _ in range(chance.choice([1, 2])):
        configure(chance.uniform(start, end))
    for job in world.disk.jobs:
        for read in job.reads:
            if read.file == config:
                read.time = chance.uniform(job.start, job.end)


@kind()
def nested_steps(world: World, chance: random.Random) -> None:
    """A step runs another one and then reads what that wrote."""
    _nest(world, chance, is_told=True)


@kind()
def nested_steps_untold(world: World, chance: random.Random) -> None:
    """The same, and no record says which step ran the other one."""
    _nest(world, chance, is_told=False)


def _nest(world: World, chance: random.Random, *, is_told: bool) -> None:
    night = a_night(world, chance, merge="", has_check=False, has_dl1ab=False)
    end = night.calibrate(0.0)
    for turn in range(chance.choice([1, 2, 3])):
        world.turn = turn
        for subrun in night.subruns:
            world.disk.put(night.files.raw(subrun), "raw")
            report = File(f"/DL1/report_{subrun:04d}.txt", "SequenceReport")
            dl1 = night.files.dl1(subrun)
            config = world.external("/cfg/sequence.cfg", "SequenceConfigFile")
            outer = night.step(
                "sequence",
                end,
                [(config, "Configuration"), (dl1, "DL1 subrun dataset")],
                [(report, "Report")],
                subrun=subrun,
            )
            inner_end = night.r0_to_dl1(subrun, outer.start + 1.0)
            inner = world.disk.jobs[-1]
            inner.node = outer.node
            inner.parent = outer if is_told else None
            outer.end = inner_end + chance.uniform(1.0, 20.0)
            outer.reads[1].time = inner_end + 0.5
            outer.writes[0].time = outer.end
            end = outer.end + night.gap()
        end = rest(world, end)


def _unlucky(world: World, chance: random.Random, **others: Any) -> None:
    plain = a_night(world, chance)
    shape = {name: getattr(plain, name) for name in Night.__slots__}
    night = _Unlucky(**shape, **others)
    end = night.process(plain.calibrate(0.0))
    if chance.random() < 0.6:
        world.turn += 1
        night.process(rest(world, end + 100.0))


def _spoil(world: World, job: Job, way: str) -> None:
    """Have a job not end well: what it writes is there in part, or not at all."""
    chance = world.chance
    if way == "lost":
        job.is_lost = True
        return
    if way == "killed":
        job.has_end, job.is_live = False, True
        job.delay = 0.001
    else:
        job.status = way
    is_told = chance.random() < 0.7
    for write in job.writes:
        if way != "killed" or chance.random() < 0.5:
            write.time = chance.uniform(job.start + 0.1, job.end)
        write.happens = chance.random() < 0.5
        write.is_recorded = is_told


def _twin(world: World, job: Job, start: float) -> Job:
    """Return a second execution of a job."""
    twin = world.job(
        job.step,
        run=job.run,
        start=start,
        node=job.node,
        arguments=job.arguments,
        software=job.software,
        turn=job.turn,
    )
    twin.reads = [Read(r.file, r.role, start, r.is_hashed) for r in job.reads]
    twin.writes = [
        Write(w.file, w.role, twin.end, w.slots, w.is_part, w.mode, w.is_hashed)
        for w in job.writes
    ]
    return twin


def _reads_own_output(job: Job, read: Read) -> bool:
    return any(write.file == read.file for write in job.writes)
