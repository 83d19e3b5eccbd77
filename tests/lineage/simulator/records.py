"""Kinds of history: records that are missing, late, repeated, or in pieces."""

import random

from tests.lineage.simulator.disk import Job
from tests.lineage.simulator.history import World
from tests.lineage.simulator.registry import a_night, again, kind, rest

__all__: list[str] = []


@kind(is_ordinary=True)
def equal_ids(world: World, chance: random.Random) -> None:
    """Jobs have one of three activity_ids, as 24 bits are not enough."""
    world.ids = [f"{chance.getrandbits(24):06x}" for _ in range(3)]
    world.is_live = False
    night = a_night(world, chance)
    end = night.process(night.calibrate(0.0))
    again(night).process(rest(world, end))


@kind()
def records_missing(world: World, chance: random.Random) -> None:
    """One or two records of a processing never arrive."""
    night = a_night(world, chance, subruns=range(3))
    end = night.process(night.calibrate(0.0))
    if chance.random() < 0.5:
        again(night).process(rest(world, end))
    for job in chance.sample(world.disk.jobs, chance.choice([1, 2])):
        _leave_out(job, chance)


@kind(is_ordinary=True)
def records_late(world: World, chance: random.Random) -> None:
    """The records of some jobs arrive hours later than those of others."""
    world.is_late = True
    _two_passes(world, chance)
    for job in world.disk.jobs:
        if chance.random() < 0.2:
            job.is_live, job.delay = False, chance.choice([600.0, 7200.0, 200_000.0])


@kind(is_ordinary=True)
def records_repeated(world: World, chance: random.Random) -> None:
    world.repeats = 0.3
    _two_passes(world, chance)


@kind()
def records_in_pieces(world: World, chance: random.Random) -> None:
    """Logs come in pieces, in any order, each as a log of its own."""
    world.is_cut = True
    world.logs = chance.choice([1, 2])
    _two_passes(world, chance)


def _two_passes(world: World, chance: random.Random) -> None:
    night = a_night(world, chance)
    end = night.process(night.calibrate(0.0))
    again(night, has_muons=chance.random() < 0.5).process(rest(world, end))


def _leave_out(job: Job, chance: random.Random) -> None:
    what = chance.choice(["session", "start", "end", "usage", "generation"])
    if what == "session":
        job.has_session = False
    elif what == "start":
        job.has_start = False
    elif what == "end":
        job.has_end = False
    elif what == "usage" and job.reads:
        chance.choice(job.reads).is_recorded = False
    elif job.writes:
        chance.choice(job.writes).is_recorded = False
