"""The faults, as a table: each is an asynchronous context; what is wrong begins with it and is over when it ends.

A fault takes the world and a seeded source of chance. What it does at random instants can be done again by its seed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chaos.devices import Speaker
from chaos.footprint import Footprint, children, send
from chaos.network import Network
from chaos.people import People


@dataclass
class World:
    """What faults may lay hands on. `spoilt` are the devices that the round cannot expect to hear a play."""

    footprint: Footprint
    network: Network
    people: People
    cut_s: float = 60.0
    spoilt: set[int] | None = None

    @property
    def speakers(self) -> list[Speaker]:
        """All of them."""
        return [speaker for business in self.people.businesses for speaker in business.speakers]


Fault = Callable[[World, random.Random], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def web_killed(world: World, rng: random.Random) -> AsyncIterator[None]:
    """SIGKILL to one of the processes that serve; every fourth time to their supervisor and all of them."""
    if rng.random() < 0.25:
        world.footprint.processes["web"].kill()
    else:
        send(signal.SIGKILL, [rng.choice(world.footprint.web_children())])
    yield


@asynccontextmanager
async def worker_killed(world: World, rng: random.Random) -> AsyncIterator[None]:
    """SIGKILL in the middle of a job: to a worker and its children, or to the one child that works."""
    jobs = [asyncio.create_task(world.people.speak()) for _ in range(4)]
    await asyncio.sleep(rng.uniform(0.1, 1.0))
    worker = rng.choice(world.footprint.named("worker"))
    if rng.random() < 0.5:
        worker.kill()
    else:
        send(signal.SIGKILL, [rng.choice(children(worker.pid) or [worker.pid])])
    yield
    await asyncio.gather(*jobs)


@asynccontextmanager
async def beat_killed(world: World, rng: random.Random) -> AsyncIterator[None]:
    """SIGKILL to both beats while they send what they have chosen: Valkey takes it and does not answer."""
    world.footprint.freeze_valkey(True)
    try:
        await asyncio.sleep(rng.uniform(1.2, 2.0))
        for beat in world.footprint.named("beat"):
            beat.kill()
    finally:
        world.footprint.freeze_valkey(False)
    yield


def valkey_killed(*, with_its_data: bool) -> Fault:
    """SIGKILL to Valkey, which is back after one to four seconds."""

    @asynccontextmanager
    async def fault(world: World, rng: random.Random) -> AsyncIterator[None]:
        world.footprint.kill_valkey(with_its_data=with_its_data)
        try:
            yield
            await asyncio.sleep(rng.uniform(1, 4))
        finally:
            world.footprint.start_valkey()

    return fault


@asynccontextmanager
async def valkey_hung(world: World, rng: random.Random) -> AsyncIterator[None]:
    """Valkey takes connections and answers nobody, for 5 to 15 s: the network to it is gone, or its machine swaps."""
    world.footprint.freeze_valkey(True)
    try:
        yield
        await asyncio.sleep(rng.uniform(5, 15))
    finally:
        world.footprint.freeze_valkey(False)


@asynccontextmanager
async def postgres_killed(world: World, rng: random.Random) -> AsyncIterator[None]:
    """SIGKILL to PostgreSQL with all its backends; it recovers from its log when it is started again."""
    world.footprint.kill_postgres()
    try:
        yield
        await asyncio.sleep(rng.uniform(1, 4))
    finally:
        await asyncio.to_thread(world.footprint.start_postgres)


@asynccontextmanager
async def postgres_slow(world: World, rng: random.Random) -> AsyncIterator[None]:
    """Everything asked of PostgreSQL takes about two seconds: it stands still for two of each 2.1 s."""
    yield
    for _ in range(rng.randrange(3, 7)):
        frozen = world.footprint.postgres_processes()
        send(signal.SIGSTOP, frozen)
        try:
            await asyncio.sleep(2.0)
        finally:
            send(signal.SIGCONT, frozen)
        await asyncio.sleep(0.1)


@asynccontextmanager
async def postgres_full(world: World, rng: random.Random) -> AsyncIterator[None]:
    """All connections that PostgreSQL allows belong to somebody else, also those that were ours, for 5 to 15 s."""
    held = world.footprint.full_of_connections()
    await asyncio.to_thread(held.__enter__)
    try:
        yield
        await asyncio.sleep(rng.uniform(5, 15))
    finally:
        await asyncio.to_thread(held.__exit__, None, None, None)


@asynccontextmanager
async def disk_full(world: World, rng: random.Random) -> AsyncIterator[None]:
    """The file system of media and temporary files is full to the last byte while people upload."""
    ballast = world.footprint.disk / "ballast"
    await asyncio.to_thread(_fill, ballast)
    try:
        yield
        uploads = [asyncio.create_task(world.people.upload(rng.uniform(1, 20))) for _ in range(4)]
        await asyncio.sleep(rng.uniform(3, 6))
    finally:
        ballast.unlink()
    await asyncio.gather(*uploads)


def _fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(64 * 1024))
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(b"x")


@asynccontextmanager
async def clock_stepped(world: World, rng: random.Random) -> AsyncIterator[None]:
    """The wall clock of web, workers and beats jumps by up to ten minutes, either way, and back after 10 to 20 s."""
    seconds = rng.choice((-1, 1)) * rng.uniform(5, 600)
    world.footprint.step_clock(seconds)
    try:
        yield
        await asyncio.sleep(rng.uniform(10, 20))
    finally:
        world.footprint.step_clock(0)


@asynccontextmanager
async def half_open(world: World, rng: random.Random) -> AsyncIterator[None]:
    """A third of the devices' connections swallow every byte from now on; neither side is told."""
    world.network.swallow(1 / 3, rng)
    yield


@asynccontextmanager
async def network_cut(world: World, rng: random.Random) -> AsyncIterator[None]:
    """No device reaches the server, for `cut_s` and up to a tenth more."""
    with world.network.cut():
        yield
        await asyncio.sleep(world.cut_s * rng.uniform(1.0, 1.1))


@asynccontextmanager
async def rolling_restart(world: World, rng: random.Random) -> AsyncIterator[None]:
    """SIGHUP to the web server: it exchanges its processes one by one."""
    before = set(world.footprint.web_children())
    world.footprint.processes["web"].hang_up()
    yield
    await world.footprint.until(
        "new web processes",
        lambda: len(now := set(world.footprint.web_children())) == len(before) and not now & before,
    )


def bad_manners(manner: str) -> Fault:
    """A few devices behave badly for 4 to 7 s; nothing is expected of them, and the others must not notice.

    They are always of the same tenth: what the others say may be believed to the end of the run.
    """

    @asynccontextmanager
    async def fault(world: World, rng: random.Random) -> AsyncIterator[None]:
        chosen = rng.sample(world.speakers[::10], max(1, len(world.speakers) // 50))
        world.spoilt = {speaker.pk for speaker in chosen}
        for speaker in chosen:
            speaker.manner = manner
        deeds = [asyncio.create_task(_misbehave(world, speaker, manner, rng)) for speaker in chosen]
        try:
            yield
            await asyncio.sleep(rng.uniform(4, 7))
            await asyncio.gather(*deeds)
        finally:
            for speaker in chosen:
                speaker.manner = "honest"

    return fault


async def _misbehave(world: World, speaker: Speaker, manner: str, rng: random.Random) -> None:
    if manner == "flooding":
        await speaker.flood(2000)
    elif manner == "lying":
        victims = rng.sample([other for other in world.speakers if other is not speaker], 3)
        events = [(event, victim.journal.ordered[event]) for victim in victims for event in victim.coming()]
        await speaker.lie(rng.sample(events, min(20, len(events))))


FAULTS: dict[str, Fault] = {
    "web-killed": web_killed,
    "worker-killed": worker_killed,
    "beat-killed": beat_killed,
    "valkey-killed": valkey_killed(with_its_data=False),
    "valkey-lost": valkey_killed(with_its_data=True),
    "valkey-hung": valkey_hung,
    "postgres-killed": postgres_killed,
    "postgres-slow": postgres_slow,
    "postgres-full": postgres_full,
    "disk-full": disk_full,
    "clock-stepped": clock_stepped,
    "half-open": half_open,
    "network-cut": network_cut,
    "rolling-restart": rolling_restart,
    "flood": bad_manners("flooding"),
    "no-acks": bad_manners("mute"),
    "lies": bad_manners("lying"),
}
"""Each by the name that FAULT= takes."""

SHORT = ("web-killed", "valkey-lost", "lies")
"""One round of these is CI's share."""


def possible(world: World, name: str) -> str:
    """Why this machine cannot run the fault, or an empty text."""
    if name == "clock-stepped" and not world.footprint.steps_clock:
        return "no C compiler for the clock that can be stepped"
    if name == "disk-full" and not world.footprint.small_disk:
        return "no right to mount a small file system"
    return ""
