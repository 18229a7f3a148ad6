"""What goes wrong, how often and for how long: one table. Nobody announces anything."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from simulation.kernel import HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from simulation.world import World


def network(world: World) -> None:
    """One speaker is cut off."""
    speaker = world.kernel.rng.choice(world.speakers)
    world.cut_off([speaker], _between(world, 10 * SECOND, 3 * HOUR))


def shop_network(world: World) -> None:
    """A whole shop is cut off."""
    shop = world.kernel.rng.choice(world.shops)
    world.cut_off(shop.speakers, _between(world, 20 * SECOND, 20 * MINUTE))


def broken_connection(world: World) -> None:
    """One connection breaks, and both sides notice at some time within the lease."""
    speaker = world.kernel.rng.choice(world.speakers)
    world.cut_off([speaker], 1)


def power(world: World) -> None:
    """One speaker loses its power."""
    speaker = world.kernel.rng.choice(world.speakers)
    if speaker.powered_at is not None:
        speaker.power_cut()
        world.kernel.after(_between(world, 5 * SECOND, 2 * HOUR), speaker.power_on)


def web(world: World) -> None:
    """A web process is killed."""
    world.kernel.rng.choice(world.server.webs).kill()


def scheduler(world: World) -> None:
    """A scheduler is killed, and the other goes on."""
    world.kernel.rng.choice(world.server.schedulers).kill(_between(world, 3 * SECOND, MINUTE))


def everything(world: World) -> None:
    """The whole server is away."""
    away = _between(world, 10 * SECOND, 20 * MINUTE)
    for process in (*world.server.webs, *world.server.schedulers):
        process.kill(away)


def mid_statement(world: World) -> None:
    """For a while, one unit of work in five is the last of its process, at any statement of it."""
    world.server.doomed = 0.2
    world.kernel.after(_between(world, 5 * SECOND, MINUTE), _heal_processes, world)


def bus(world: World) -> None:
    """For a while, some or all messages between the processes are lost."""
    world.server.bus_loses = world.kernel.rng.choice((0.2, 1.0))
    world.kernel.after(_between(world, SECOND, 2 * MINUTE), _heal_bus, world)


FAULTS: dict[str, tuple[Callable[[World], None], float]] = {
    "a speaker's network": (network, 20 * MINUTE),
    "a shop's network": (shop_network, 2 * HOUR),
    "a broken connection": (broken_connection, 10 * MINUTE),
    "a speaker's power": (power, 20 * MINUTE),
    "a web process": (web, 20 * MINUTE),
    "a scheduler": (scheduler, 20 * MINUTE),
    "the whole server": (everything, 4 * HOUR),
    "a process in mid statement": (mid_statement, 30 * MINUTE),
    "the bus": (bus, 30 * MINUTE),
}
"""What happens, and how far apart on average (µs)."""


def _between(world: World, least: int, most: int) -> int:
    """A span, short ones as likely as long ones (log-uniform)."""
    return round(math.exp(world.kernel.rng.uniform(math.log(least), math.log(most))))


def _heal_processes(world: World) -> None:
    world.server.doomed = 0.0


def _heal_bus(world: World) -> None:
    world.server.bus_loses = 0.0
