"""Builds shops, lets days pass over them with faults and people, and hands what came of it to the judge."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from unittest.mock import patch

from announcements.models import Announcement
from clients.models import Client
from common import clock, jobs
from common.media_fields import Readiness
from common.tenancy import system_scope
from devices import bus
from devices.models import Device
from events.services import play_now
from plans import basis
from schedules.models import Schedule
from schedules.services import Parts, create_schedule
from schedules.validation import Entry
from simulation import people
from simulation.faults import FAULTS
from simulation.kernel import HOUR, MINUTE, SECOND, Kernel
from simulation.server import Server
from simulation.speaker import Speaker
from users.models import User
from zones.models import Floor

BEGIN = datetime(2026, 3, 2, 20, tzinfo=UTC)
"""A Monday evening: quiet hours are near."""
QUIET = (time(22), time(5))
TICK = 30 * SECOND
"""Seldomer than the real two seconds: the look-ahead is 90."""
LOOK = 15 * SECOND
PLANS_REACH = timedelta(hours=7)
"""Shorter than the real ones, which cost most of the time; nobody is cut off for longer than half of it."""
CALM = 60 * SECOND
"""So long after the last fault a play has to reach everybody: what broke in silence is noticed within 45 s."""
NOTICE = timedelta(seconds=25)
"""That play is ordered so long ahead: what was ordered before the end and waited for its speaker, a minute at most, has
been spoken by then; and a late packet or a file that is not there yet is no fault.
"""
DRAIN = 14 * MINUTE + 45 * SECOND
"""Longer than any announcement waits, and than the sweeper gives a receipt; and no rule fires in the last moments, so
that no receipt is under way when the judge looks.
"""


@dataclass(frozen=True)
class Size:
    """How much there is of everything."""

    shops: int = 3
    speakers: int = 4
    """On each of a shop's two floors."""
    hours: float = 24
    haste: float = 1.0
    """Faults and deeds come so many times as often as the tables say."""
    every: int = 0
    """Minutes between the words of a floor's steady interval; 0: 2, 3 or 5, by chance."""


@dataclass
class Shop:
    """A business: one floor with quiet hours, one without, and an announcement every few minutes on each."""

    client: Client
    user: User
    floors: list[Floor]
    words: list[Announcement]
    speakers: list[Speaker] = field(default_factory=list)
    steady: list[Schedule] = field(default_factory=list)
    """Schedules that nobody changes, so that one can say what they have to bring: two of each floor."""
    words_of: dict[int, int] = field(default_factory=dict)
    """The announcement of each of them, which no other has."""
    locks: list[int] = field(default_factory=list)
    """When it was suspended, let in again, suspended, and so on."""
    mark_s: int = 754
    """The second of the cycle at which those on a timeline speak."""


class World:
    """One simulation. Needs an empty database with real commits, and `simulated()` around all of it."""

    def __init__(self, *, seed: int, size: Size) -> None:
        self.seed, self.size = seed, size
        self.kernel = Kernel(seed=seed, start=clock.to_us(BEGIN))
        self.server = Server(self.kernel)
        self.begin = self.kernel.now
        self.end = self.begin + round(size.hours * HOUR)
        self.accepted: set[uuid.UUID] = set()
        """The events of plays that the server had said yes to."""
        self.probes: set[uuid.UUID] = set()
        """Those of the play ordered CALM after the last fault."""
        self.happened: Counter[str] = Counter()
        self.shops: list[Shop] = []
        self.speakers: list[Speaker] = []

    @contextmanager
    def simulated(self) -> Iterator[None]:
        """The server's code takes its time, its ids and its bus from here."""
        kernel = self.kernel
        replaced: list[tuple[Any, str, Any]] = [
            (clock, "now", lambda: kernel.instant),
            (clock, "now_us", lambda: kernel.now),
            (bus, "publish", self.server.publish),
            (basis, "REACH", PLANS_REACH),
            (jobs, "enqueue", lambda *_, **__: None),
            (uuid, "uuid4", lambda: uuid.UUID(int=kernel.rng.getrandbits(128), version=4)),
        ]
        with ExitStack() as held:
            for where, name, instead in replaced:
                held.enter_context(patch.object(where, name, instead))
            yield

    def run(self) -> None:
        """Builds, lets `size.hours` pass, then heals everything and waits until all is told."""
        with system_scope("a simulated world"):
            self.shops = [self._shop(number) for number in range(self.size.shops)]
        self.speakers = [speaker for shop in self.shops for speaker in shop.speakers]
        for process in self.server.schedulers:
            self.kernel.every(TICK, process.tick)
        for web in self.server.webs:
            self.kernel.every(LOOK, web.look)
        for speaker in self.speakers:
            self.kernel.after(self.kernel.rng.uniform(0, 5) * SECOND, speaker.power_on)
        self.kernel.run(self.begin + 2 * MINUTE)
        for name, (fault, mean) in FAULTS.items():
            self.kernel.seldom(mean / self.size.haste, self._while_it_lasts(name, lambda f=fault: f(self)))
        for name, (deed, mean) in people.DEEDS.items():
            self.kernel.seldom(mean / self.size.haste, self._while_it_lasts(name, lambda d=deed: self._do(d)))
        self.kernel.run(self.end)
        self._heal()
        self.kernel.run(self.end + CALM)
        self._probe()
        self.kernel.run(self.end + DRAIN)

    def cut_off(self, speakers: Sequence[Speaker], length: int) -> None:
        """These speakers have no network for so long."""
        for speaker in speakers:
            speaker.network_cut()
            self.kernel.after(length, setattr, speaker, "online", True)

    # --- what happens ---

    def _while_it_lasts(self, name: str, happen: Callable[[], None]) -> Callable[[], None]:
        def once() -> None:
            if self.kernel.now < self.end:
                self.happened[name] += 1
                happen()

        return once

    def _do(self, deed: Callable[[World, Shop], None]) -> None:
        """By a web process that may die of it: then the person got no answer, and expects nothing."""
        alive = [web for web in self.server.webs if web.alive]
        shop = self.kernel.rng.choice(self.shops)
        if not alive:
            return
        with self.server.mortal(self.kernel.rng.choice(alive)):
            try:
                deed(self, shop)
            except people.REFUSED:
                self.happened["refused"] += 1

    def _heal(self) -> None:
        self.server.doomed = self.server.bus_loses = 0.0
        for process in (*self.server.webs, *self.server.schedulers):
            process.start()
        for speaker in self.speakers:
            speaker.online = True
            if speaker.powered_at is None:
                speaker.power_on()
        with system_scope("a simulated world"):
            for shop in self.shops:
                Client.objects.filter(pk=shop.client.pk).update(status=Client.Status.ACTIVE)

    def _probe(self) -> None:
        """An emergency for everybody: neither quiet hours nor stops forbid it, and it waits for nothing."""
        with system_scope("a simulated world"):
            for shop in self.shops:
                devices = Device.objects.select_related("floor__client", "client").filter(client=shop.client)
                ordered = play_now(
                    announcement=shop.words[0],
                    devices=list(devices.order_by("pk")),
                    user=shop.user,
                    now=self.kernel.instant,
                    priority="emergency",
                    play_at=self.kernel.instant + NOTICE,
                )
                self.probes.update(event.pk for event in ordered.events)

    # --- rows ---

    def _shop(self, number: int) -> Shop:
        name = f"Shop {number}"
        client = Client.objects.create(
            name=name, business_name=name, email=f"{number}@shop.example", telephone="+44 20 0000",
            status=Client.Status.ACTIVE, multi_floor_enabled=True, max_floors=5, timezone="UTC",
        )  # fmt: skip
        address = f"admin{number}@shop.example"
        user = User.everyone.create_user(username=address, email=address, role="client", client=client)
        quiet = {"quiet_hours_start": QUIET[0], "quiet_hours_end": QUIET[1]}
        floors = [Floor.objects.create(client=client, name="Ground", **quiet)]
        floors.append(Floor.objects.create(client=client, name="Upper"))
        shop = Shop(client, user, floors, [self._words(client, user, f"{number}-{n}") for n in range(4)])
        for floor in floors:
            for place in range(self.size.speakers):
                label = f"{number}-{floor.name}-{place}"
                row = Device.objects.create(client=client, floor=floor, name=label, device_id=f"sim-{label}")
                shop.speakers.append(Speaker(self.kernel, self.server, pk=row.pk, name=label))
            shop.steady += [
                self._steady(
                    shop, floor, interval_minutes=self.size.every or self.kernel.rng.choice((2, 3, 5))
                ),
                self._steady(shop, floor, cycle_duration_minutes=60),
            ]
        return shop

    def _words(self, client: Client, user: User, name: str) -> Announcement:
        seconds = self.kernel.rng.choice((3, 5, 20))
        return Announcement.objects.create(
            client=client, created_by=user, title=name, type=Announcement.Type.TTS, status=Readiness.READY,
            audio_file=f"announcements/{name}.mp3", mime_type="audio/mpeg", file_size=40_000,
            duration=seconds, duration_ms=seconds * 1000, sha256=hashlib.sha256(name.encode()).hexdigest(),
        )  # fmt: skip

    def _steady(self, shop: Shop, floor: Floor, **rhythm: int) -> Schedule:
        """With words of its own, by which its plays are known."""
        interval = "interval_minutes" in rhythm
        words = self._words(shop.client, shop.user, f"steady-{len(shop.steady)}-{shop.client.name}")
        schedule = create_schedule(
            client=shop.client,
            by=shop.user,
            parts=Parts(entries=[Entry(words, None if interval else shop.mark_s)], floors=[floor]),
            now=self.kernel.instant,
            name="steady",
            schedule_type="interval" if interval else "timeline",
            **rhythm,
        )
        shop.words_of[schedule.pk] = words.pk
        return schedule
