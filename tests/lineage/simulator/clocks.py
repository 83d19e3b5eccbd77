"""Kinds of history: what clocks do, and steps that take no time."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tests.lineage.simulator.history import World
from tests.lineage.simulator.registry import a_night, again, kind, rest

__all__: list[str] = []

_NODES = ("cp01", "cp02", "cp03")


@kind(is_ordinary=True)
def clocks_within_a_second(world: World, chance: random.Random) -> None:
    _shift(world, lambda: chance.uniform(-0.45, 0.45))
    _passes(world, chance)


@kind()
def clocks_within_the_tolerance(world: World, chance: random.Random) -> None:
    _shift(world, lambda: chance.uniform(-2.4, 2.4))
    world.logs = chance.choice([1, 1, 3])
    _passes(world, chance)


@kind()
def clocks_minutes_off(world: World, chance: random.Random) -> None:
    """One log, whose order contradicts the clocks; nothing in several logs does."""
    _shift(world, lambda: chance.choice([0.0, 0.0, chance.uniform(-600.0, 600.0)]))
    _passes(world, chance)
    world.quiet.clear()


@kind()
def clocks_an_hour_off(world: World, chance: random.Random) -> None:
    _shift(world, lambda: chance.choice([0.0, 0.0, -3600.0, 3600.0]))
    _passes(world, chance)
    world.quiet.clear()


@kind()
def clock_set_back(world: World, chance: random.Random) -> None:
    """The night in which summer time ends; the log has times without a zone."""
    world.zone = ZoneInfo("Europe/Madrid")
    world.begin = datetime(2026, 10, 25, tzinfo=UTC)
    start = chance.uniform(300.0, 3500.0)
    night = a_night(world, chance, nodes=_NODES[: chance.choice([1, 3])])
    end = night.process(night.calibrate(start))
    for _ in range(chance.choice([0, 1, 1])):
        world.turn += 1
        end = again(night).process(end + chance.uniform(10.0, 3600.0))


@kind()
def whole_seconds(world: World, chance: random.Random) -> None:
    """Records have whole seconds, and steps take hardly any time or none at all."""
    world.precision = 0
    world.delays = (0.0001, 0.0009)
    shape = chance.choice([(0.0, 0.0), (0.01, 0.3), (0.01, 3.0)])
    night = a_night(
        world,
        chance,
        lengths=shape,
        gaps=(0.002, chance.choice([0.01, 0.5])),
        has_dl1ab=True,
        has_dl1c=True,
    )
    end = night.process(night.calibrate(0.25))
    if chance.random() < 0.6:
        again(night).process(rest(world, end))


@kind()
def no_time_at_all(world: World, chance: random.Random) -> None:
    """Steps of a replayed or imported log that start and end at once."""
    world.delays = (0.0001, 0.0009)
    night = a_night(world, chance, lengths=(0.0, 0.0), gaps=(0.001, 0.01))
    end = night.process(night.calibrate(0.0))
    if chance.random() < 0.6:
        again(night).process(rest(world, end))


@kind()
def several_logs(world: World, chance: random.Random) -> None:
    """Each job writes to one of several logs; clocks are right within a second."""
    world.logs = chance.choice([2, 3])
    _shift(world, lambda: chance.uniform(-0.45, 0.45))
    _passes(world, chance)


def _shift(world: World, ahead: Callable[[], float]) -> None:
    for node in _NODES:
        world.clocks[node] = ahead()


def _passes(world: World, chance: random.Random) -> None:
    night = a_night(world, chance, nodes=_NODES)
    end = night.process(night.calibrate(0.0))
    for _ in range(chance.choice([0, 1, 1, 2])):
        second = again(night, has_muons=chance.random() < 0.5)
        start = rest(world, end)
        if chance.random() < 0.3:
            start = second.calibrate(start)
        end = second.process(start)
