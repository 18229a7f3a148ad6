"""Rounds of faults under load: a fault, then plays until one reaches every device in time, then the judge.

After each round the judge sees what has come to rest meanwhile, a chapter of the evidence; after the last, the rest.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from chaos import books
from chaos.diary import Diary, Round
from chaos.faults import FAULTS, World, possible
from chaos.footprint import Footprint
from chaos.judge import Broken, Case, judged
from chaos.network import Network
from chaos.people import People, now_us
from chaos.records import Answer

NORMAL_WITHIN_S = 30.0
"""A play ordered this long after the end of a fault must reach all its devices in time."""
WITNESS_EVERY_S = 2.0
GIVEN_UP_S = 120.0
LAG_US = 120 * 1_000_000
"""What was due so long ago, and before the last round was over, has come to rest."""
DRAIN_S = 150.0
"""After the last round: receipts have 60 s, and what has to be told again a few more."""
SETTLED_S = 90.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything."""

    devices: int = 500
    businesses: int = 10
    rounds: int = 20
    cut_s: float = 60.0
    minutes: float = math.inf
    """No round begins later."""


class Crowd(httpx.AsyncHTTPTransport):
    """At most so many requests wait for their answer's head at once.

    A pool that bounds its connections is not enough: one whose request is cancelled in a certain moment is never given
    back, and after an hour and a half of faults all were gone.
    """

    def __init__(self, most: int) -> None:
        super().__init__(limits=httpx.Limits(max_connections=None, max_keepalive_connections=most))
        self._room = asyncio.Semaphore(most)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As httpx does it, once there is room."""
        async with self._room:
            return await super().handle_async_request(request)


@asynccontextmanager
async def running(folder: Path, scale: Scale, seed: str) -> AsyncIterator[World]:
    """The footprint, its businesses and their devices, all connected."""
    footprint = Footprint(folder)
    network = Network(footprint.port)
    await network.open()
    try:
        await footprint.start()
        async with httpx.AsyncClient(base_url=footprint.url, timeout=15, transport=Crowd(64)) as http:
            people = People(http, random.Random(f"{seed}/people"), f"chaos{seed}")
            await people.set_up(scale.businesses, scale.devices, footprint.database_url, network.port)
            world = World(footprint, network, people, cut_s=scale.cut_s)
            for speaker in world.speakers:
                speaker.switch_on(within_s=scale.devices / 50)
            try:
                await settled(world)
                yield world
            finally:
                await asyncio.gather(*(speaker.switch_off() for speaker in world.speakers))
    finally:
        await network.close()
        await footprint.stop()


@asynccontextmanager
async def at_work(people: People) -> AsyncIterator[None]:
    """The people do what people do, and are answered before the block is left."""
    living = asyncio.create_task(people.live())
    try:
        yield
    finally:
        living.cancel()
        with suppress(asyncio.CancelledError):
            await living


async def settled(world: World) -> None:
    """Returns when every device is in a session; raises `TimeoutError` if some are not after SETTLED_S."""
    deadline = time.monotonic() + SETTLED_S
    for speaker in world.speakers:
        speaker.raise_if_dead()
    while absent := [speaker.pk for speaker in world.speakers if not speaker.greeted]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(absent)} devices are not connected: {absent[:10]}")
        await asyncio.sleep(0.2)


async def one_round(world: World, fault: str, number: int, seed: str) -> Round:
    """The fault at a random instant, and the time until all is normal again."""
    rng = random.Random(f"{seed}/{fault}/{number}")
    done = Round(fault, number, now_us())
    world.spoilt = set()
    try:
        await settled(world)
        await asyncio.sleep(rng.uniform(0, 3))
        done.began = now_us()
        async with FAULTS[fault](world, rng):
            pass
    except TimeoutError as late:  # what was waited for did not come; the other rounds go on
        done.broken = Broken("normal within 30 s", now_us(), str(late))
    done.ended = now_us()
    over = time.monotonic()
    witnesses: set[asyncio.Task[float | None]] = set()
    missed: set[int] = set()
    while time.monotonic() - over < GIVEN_UP_S:
        witnesses.add(asyncio.create_task(witness(world, time.monotonic() - over, missed)))
        await asyncio.sleep(WITNESS_EVERY_S)
        found = [at for task in witnesses if task.done() and (at := task.result()) is not None]
        if found:
            done.recovered_s = min(found)
            break
    for other in witnesses:  # ordered earlier, and not heard by all so far
        other.cancel()
    await asyncio.wait(witnesses)
    done.normal = now_us()
    if done.recovered_s is None or done.recovered_s > NORMAL_WITHIN_S:
        took = "never" if done.recovered_s is None else f"after {done.recovered_s:.0f} s"
        done.broken = Broken(
            "normal within 30 s",
            done.ended,
            f"the first play to reach all was ordered {took}; before, {_few(missed)}",
        )
    return done


def _few(missed: set[int]) -> str:
    if not missed:
        return "orders were not answered"
    return f"{len(missed)} devices missed the last one that was missed, such as {sorted(missed)[:5]}"


async def witness(world: World, after: float, missed: set[int]) -> float | None:
    """Orders a play on every device of every business: `after`, if all of them start it before it expires.

    Otherwise `missed` becomes those that did not.
    """
    wanted = {speaker.pk: speaker for speaker in world.speakers if speaker.pk not in (world.spoilt or ())}
    answers = await asyncio.gather(
        *(world.people.play(business, {"all": True}) for business in world.people.businesses)
    )
    if not all(answers):
        return None
    events = [
        (event["id"], wanted[event["device"]])
        for answer in answers
        for event in answer["events"]
        if event["device"] in wanted
    ]
    last = max(
        datetime.fromisoformat(event["expires_at"]).timestamp()
        for answer in answers
        for event in answer["events"]
    )
    while True:
        late = {speaker.pk for event, speaker in events if not speaker.started(event)}
        late |= wanted.keys() - {speaker.pk for _, speaker in events}
        if not late:
            return after
        if all(speaker.now() / 1e6 > last + 0.5 for _, speaker in events):
            missed.clear()
            missed |= late
            return None
        await asyncio.sleep(0.2)


async def run(
    folder: Path, faults: Iterable[str], scale: Scale, seed: str, diary: Diary
) -> tuple[list[Round], dict[str, str]]:
    """The rounds of these faults, in turn and judged, and what could not be run. `diary` is told all at once."""
    rounds: list[Round] = []
    async with running(folder, scale, seed) as world:
        left_out = {fault: why for fault in faults if (why := possible(world, fault))}
        reader = await asyncio.to_thread(books.Reader, world.footprint, world.people.name)
        over = time.monotonic() + scale.minutes * 60
        async with at_work(world.people):
            for number, fault in ((each, fault) for each in range(scale.rounds) for fault in faults):
                if fault in left_out or (fault, number) in diary.had or time.monotonic() > over:
                    continue
                before = sum(speaker.heard for speaker in world.speakers)
                done = await one_round(world, fault, number, seed)
                done.plays = sum(speaker.heard for speaker in world.speakers) - before
                rounds.append(done)
                diary.round(done, len(world.speakers))
                if len(rounds) > 1 and all(each.recovered_s is not None for each in rounds[-2:]):
                    settled_at = min(rounds[-2].normal, now_us() - LAG_US)
                    diary.broken(rounds, judged(await chapter(world, reader, settled_at)))
        diary.broken(rounds, judged(await last_chapter(world, reader)))
    return rounds, left_out


async def chapter(world: World, reader: books.Reader, settled_at: int) -> Case:
    """The evidence of what was due before `settled_at`; it is struck out of the journals."""
    journals = [speaker.journal for speaker in world.speakers]
    held = [
        name
        for journal in journals
        for name, receipt in journal.receipts.items()
        if not receipt.acked and receipt.at >= settled_at
    ]
    answers, world.people.answers = _parted(world.people.answers, settled_at)
    settled = datetime.fromtimestamp(settled_at / 1e6, tz=UTC)
    found = await asyncio.to_thread(reader.read, answers, settled, held)
    return Case([each.chapter(found.events) for each in journals], answers, found, settled_at, now_us())


def _parted(answers: list[Answer], at: int) -> tuple[list[Answer], list[Answer]]:
    return [each for each in answers if each.at < at], [each for each in answers if each.at >= at]


async def last_chapter(world: World, reader: books.Reader) -> Case:
    """Gives what was due by now time to end and to be told, switches the devices off, and reads the books."""
    settled_at = now_us()
    deadline = time.monotonic() + DRAIN_S
    while time.monotonic() < deadline:
        owed = sum(
            not receipt.acked for speaker in world.speakers for receipt in speaker.journal.receipts.values()
        )
        due = datetime.fromtimestamp(settled_at / 1e6, tz=UTC)
        if not owed and not await asyncio.to_thread(books.waiting, world.footprint.database_url, due):
            break
        await asyncio.sleep(1.0)
    await asyncio.gather(*(speaker.switch_off() for speaker in world.speakers))
    found = await asyncio.to_thread(reader.read, world.people.answers, None)
    journals = [speaker.journal for speaker in world.speakers]
    return Case(journals, world.people.answers, found, settled_at, now_us())
