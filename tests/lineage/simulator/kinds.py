"""The kinds of history: each a function that makes one by chance."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.lineage.simulator.history import History, World
from tests.lineage.simulator.night import Files, Night

__all__ = ["KINDS", "Kind", "kind", "make"]

Maker = Callable[[World, random.Random], None]
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of history.

    Attributes:
        name: Its name.
        make: Schedules what happens.
        is_ordinary: Whether steps take seconds to minutes and clocks are within a
            second, so that hardly any answer may be marked.
    """

    name: str
    make: Maker
    is_ordinary: bool


KINDS: Final[dict[str, Kind]] = {}


def kind(*, is_ordinary: bool = False) -> Callable[[Maker], Maker]:
    """Register a kind of history under the name of its function."""

    def register(maker: Maker) -> Maker:
        name = maker.__name__
        KINDS[name] = Kind(name, maker, is_ordinary)
        return maker

    return register


def make(name: str, seed: int) -> History:
    """Return the history of a kind with a seed."""
    chance = random.Random(f"{name} {seed}")
    world = World(chance)
    KINDS[name].make(world, chance)
    return world.finish()


def _night(world: World, chance: random.Random, **others: Any) -> Night:
    """Return a processing of some subruns, of some shape."""
    shape: dict[str, Any] = {
        "subruns": range(chance.choice([2, 2, 3])),
        "has_muons": chance.random() < 0.5,
        "has_dl1ab": chance.random() < 0.6,
        "has_check": chance.random() < 0.3,
        "merge": chance.choice(["parts", "step"]),
        "has_dl3": chance.random() < 0.7,
    }
    return Night(world=world, **shape | others)


def _again(night: Night, **others: Any) -> Night:
    """Return a further processing, like another one but for what is said."""
    night.world.turn += 1
    shape = {name: getattr(night, name) for name in Night.__slots__}
    return Night(**shape | others)


def _rest(world: World, end: float) -> float:
    """Return when the next processing starts; a time between can be asked about."""
    world.quiet.append(end + 60.0)
    return end + world.chance.choice([600.0, 3600.0, _DAY])


@kind(is_ordinary=True)
def one_night(world: World, chance: random.Random) -> None:
    night = _night(world, chance)
    night.process(night.calibrate(0.0))


@kind(is_ordinary=True)
def repeated_pass(world: World, chance: random.Random) -> None:
    night = _night(world, chance)
    end = night.process(night.calibrate(0.0))
    for _ in range(chance.choice([1, 1, 2])):
        start = _rest(world, end)
        again = _again(night)
        if chance.random() < 0.5:
            start = again.calibrate(start)
        end = again.process(start)


@kind(is_ordinary=True)
def some_subruns_again(world: World, chance: random.Random) -> None:
    night = _night(world, chance, subruns=range(3))
    end = night.process(night.calibrate(0.0))
    for _ in range(chance.choice([1, 1, 2])):
        some = sorted(chance.sample(range(3), chance.choice([1, 2])))
        again = _again(night, subruns=some)
        start = _rest(world, end)
        ends = [again.subrun(subrun, start + subrun) for subrun in some]
        whole = _again(night)
        end = whole.run_wise(max(ends) + 5.0) if chance.random() < 0.7 else max(ends)


@kind(is_ordinary=True)
def other_outputs(world: World, chance: random.Random) -> None:
    night = _night(world, chance, has_muons=True)
    end = night.process(night.calibrate(0.0))
    for has_muons in chance.choice([[False], [False, True]]):
        start = _rest(world, end)
        again = _again(night, has_muons=has_muons, has_check=chance.random() < 0.5)
        end = again.process(again.calibrate(start))


@kind(is_ordinary=True)
def chains_of_three(world: World, chance: random.Random) -> None:
    night = _night(world, chance, has_dl1ab=True, has_dl1c=True)
    end = night.process(night.calibrate(0.0))
    for _ in range(chance.choice([0, 1, 2])):
        again = _again(night, has_dl1c=chance.random() < 0.6)
        end = again.process(_rest(world, end))


@kind(is_ordinary=True)
def parts(world: World, chance: random.Random) -> None:
    """Every dl1_to_dl2 writes its part of the run's file; some parts are redone."""
    night = _night(world, chance, merge="parts", subruns=range(3))
    end = night.process(night.calibrate(0.0))
    for _ in range(chance.choice([1, 2, 3])):
        world.software = chance.choice([world.software, "0.12.0"])
        some = sorted(chance.sample(range(3), chance.choice([1, 2, 3])))
        again = _again(night, subruns=some)
        end = again.process(_rest(world, end))


@kind(is_ordinary=True)
def version_folder(world: World, chance: random.Random) -> None:
    night = _night(world, chance)
    end = night.process(night.calibrate(0.0))
    version = chance.choice(["v0.12", "v0.10"])
    files = Files(version=version, calibration_version=chance.choice([None, "v0.11"]))
    again = _again(night, files=files)
    start = _rest(world, end)
    if files.calibration_version is None:
        start = again.calibrate(start)
    end = again.process(start)
    if chance.random() < 0.4:
        end = night.process(_rest(world, end))
