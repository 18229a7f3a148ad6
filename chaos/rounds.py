"""Rounds of faults under load: a fault, then plays until one reaches every device in time; the judge at the end."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from chaos import books
from chaos.faults import FAULTS, World, possible
from chaos.footprint import Footprint
from chaos.judge import Broken, Case, judged
from chaos.network import Network
from chaos.people import People, now_us

NORMAL_WITHIN_S = 30.0
"""A play ordered this long after the end of a fault must reach all its devices in time."""
WITNESS_EVERY_S = 2.0
GIVEN_UP_S = 120.0
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


@dataclass(slots=True)
class Round:
    """One fault, once. `recovered_s`: after its end, the first play that reached all was ordered; None: never."""

    fault: str
    number: int
    began: int
    ended: int = 0
    recovered_s: float | None = None
    broken: list[Broken] = field(default_factory=list)


@asynccontextmanager
async def running(folder: Path, scale: Scale, seed: str) -> AsyncIterator[World]:
    """The footprint, its businesses and their devices, all connected."""
    footprint = Footprint(folder)
    network = Network(footprint.port)
    await network.open()
    try:
        await footprint.start()
        limits = httpx.Limits(max_connections=64)
        async with httpx.AsyncClient(base_url=footprint.url, timeout=15, limits=limits) as http:
            people = People(http, random.Random(f"{seed}/people"), f"chaos{seed}")
            await people.set_up(scale.businesses, scale.devices, footprint.database_url, network.port)
            world = World(footprint, network, people, cut_s=scale.cut_s)
            for speaker in world.speakers:
                speaker.switch_on()
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
    while absent := [speaker.pk for speaker in world.speakers if not speaker.greeted]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(absent)} devices are not connected: {absent[:10]}")
        await asyncio.sleep(0.2)


async def one_round(world: World, fault: str, number: int, seed: str) -> Round:
    """The fault at a random instant, and the time until all is normal again."""
    rng = random.Random(f"{seed}/{fault}/{number}")
    await settled(world)
    await asyncio.sleep(rng.uniform(0, 4))
    done = Round(fault, number, now_us())
    world.spoilt = set()
    try:
        async with FAULTS[fault](world, rng):
            pass
    except TimeoutError as late:  # what the fault waited for did not come; the other rounds go on
        done.broken.append(Broken("normal within 30 s", now_us(), str(late)))
    done.ended = now_us()
    over = time.monotonic()
    witnesses: set[asyncio.Task[float | None]] = set()
    while time.monotonic() - over < GIVEN_UP_S:
        witnesses.add(asyncio.create_task(witness(world, time.monotonic() - over)))
        await asyncio.sleep(WITNESS_EVERY_S)
        found = [at for task in witnesses if task.done() and (at := task.result()) is not None]
        if found:
            done.recovered_s = min(found)
            break
    await asyncio.gather(*witnesses)
    if done.recovered_s is None or done.recovered_s > NORMAL_WITHIN_S:
        took = "never" if done.recovered_s is None else f"after {done.recovered_s:.0f} s"
        done.broken.append(
            Broken("normal within 30 s", done.ended, f"the first play to reach all was ordered {took}")
        )
    return done


async def witness(world: World, after: float) -> float | None:
    """Orders a play on every device of every business: `after`, if all of them start it before it expires."""
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
        started = sum(speaker.started(event) for event, speaker in events)
        if started == len(events):
            return after if len(events) == len(wanted) else None
        if all(speaker.now() / 1e6 > last + 0.5 for _, speaker in events):
            return None
        await asyncio.sleep(0.2)


async def run(
    folder: Path, faults: Iterable[str], scale: Scale, seed: str, tell: Callable[[str], None]
) -> tuple[list[Round], list[Broken], dict[str, str]]:
    """All rounds of these faults, judged: the rounds, what was broken outside of any, and what could not be run."""
    rounds: list[Round] = []
    left_out: dict[str, str] = {}
    async with running(folder, scale, seed) as world:
        async with at_work(world.people):
            for fault in faults:
                if why := possible(world, fault):
                    left_out[fault] = why
                    continue
                for number in range(scale.rounds):
                    rounds.append(await one_round(world, fault, number, seed))
                    tell(_told(rounds[-1]))
        case = await evidence(world)
    tell(
        f"{len(case.journals)} devices began {sum(len(journal.starts) for journal in case.journals)} plays and wrote"
        f" {sum(len(journal.receipts) for journal in case.journals)} receipts; {len(case.books.events)} events in the"
        f" ledger; {sum(answer.acknowledged for answer in case.answers)} of {len(case.answers)} attempts acknowledged"
    )
    return rounds, attributed(rounds, judged(case)), left_out


def _told(done: Round) -> str:
    recovered = "never" if done.recovered_s is None else f"after {done.recovered_s:.1f} s"
    return f"{done.fault} {done.number}: normal again {recovered}"


async def evidence(world: World) -> Case:
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
    found = await asyncio.to_thread(books.read, world.footprint, world.people.name)
    journals = [speaker.journal for speaker in world.speakers]
    return Case(journals, world.people.answers, found, settled_at, now_us())


def attributed(rounds: list[Round], broken: list[Broken]) -> list[Broken]:
    """Gives each broken promise to the round in whose time it fell; answers with those of no round."""
    outside = []
    for each in broken:
        last = [one for one in rounds if one.began - 2_000_000 <= each.at]
        (last[-1].broken if last and each.at else outside).append(each)
    return outside


def table(rounds: list[Round], left_out: dict[str, str]) -> str:
    """For people: each fault with its rounds, broken promises and recovery times."""
    lines = [f"{'fault':18}{'rounds':>7}{'broken':>8}{'recovery s: p50':>17}{'max':>7}"]
    for fault in dict.fromkeys(each.fault for each in rounds):
        mine = [each for each in rounds if each.fault == fault]
        times = [each.recovered_s for each in mine if each.recovered_s is not None]
        middle, most = (
            (f"{statistics.median(times):.1f}", f"{max(times):.1f}") if times else ("never", "never")
        )
        broken = sum(len(each.broken) for each in mine)
        lines.append(f"{fault:18}{len(mine):>7}{broken:>8}{middle:>17}{most:>7}")
    lines += [f"{fault:18} not run: {why}" for fault, why in left_out.items()]
    return "\n".join(lines)
