"""The kinds of history, by name, and what most of them start with."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.lineage.simulator.history import History, World
from tests.lineage.simulator.night import Night

__all__ = ["KINDS", "Kind", "a_night", "again", "kind", "make", "rest"]

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


def a_night(world: World, chance: random.Random, **others: Any) -> Night:
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


def again(night: Night, **others: Any) -> Night:
    """Return a further processing, like another one but for what is said."""
    night.world.turn += 1
    shape = {name: getattr(night, name) for name in Night.__slots__}
    return Night(**shape | others)


def rest(world: World, end: float) -> float:
    """Return when the next processing starts; a time between can be asked about."""
    world.quiet.append(end + 60.0)
    return end + world.chance.choice([600.0, 3600.0, _DAY])
