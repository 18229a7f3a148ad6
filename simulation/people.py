"""What people do meanwhile, by the services that the API calls. What is refused is refused; what was accepted holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

from clients.models import Client
from common import clock
from common.errors import Refusal
from devices.models import Device
from events.models import PlayEvent
from events.services import cancel_events, play_now
from schedules.models import Schedule
from schedules.services import (
    Parts,
    create_schedule,
    delete_schedule,
    resume_floor,
    stop_floor,
    toggle_schedule,
    update_schedule,
)
from schedules.validation import Entry
from simulation.kernel import HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from simulation.world import Shop, World


def play(world: World, shop: Shop) -> None:
    """A play on one floor or all of them, now or in a minute, urgent or not."""
    rng = world.kernel.rng
    floors = rng.choice([[floor] for floor in shop.floors] + [shop.floors])
    devices = Device.objects.select_related("floor__client", "client").filter(floor__in=floors)
    later = min(world.kernel.now + round(rng.uniform(5, 120) * SECOND), world.end)
    ordered = play_now(
        announcement=rng.choice(shop.words),
        devices=list(devices.order_by("pk")),
        user=shop.user,
        now=world.kernel.instant,
        priority=rng.choice(("instant", "instant", "emergency")),
        play_at=rng.choice((None, None, clock.from_us(later))),
        override_quiet_hours=rng.random() < 0.5,
    )
    world.accepted.update(event.pk for event in ordered.events)


def cancel(world: World, shop: Shop) -> None:
    """The last play is taken back."""
    last = PlayEvent.objects.filter(client=shop.client, event_type="instant").order_by("-play_at").first()
    if last is not None:
        cancel_events(events=PlayEvent.objects.filter(play_id=last.play_id), now=world.kernel.instant)


def change(world: World, shop: Shop) -> None:
    """A schedule that is not steady gets another rhythm, is switched, removed, or made."""
    rng, now = world.kernel.rng, world.kernel.instant
    passing = list(Schedule.objects.filter(client=shop.client, name="passing").select_related("client"))
    deed = rng.choice(("make", "rhythm", "switch", "remove"))
    if not passing or (deed == "make" and len(passing) < 3):
        create_schedule(
            client=shop.client,
            by=shop.user,
            parts=Parts(
                entries=[Entry(announcement=rng.choice(shop.words))], floors=[rng.choice(shop.floors)]
            ),
            now=now,
            name="passing",
            schedule_type="interval",
            interval_minutes=rng.choice((1, 7, 30)),
        )
    elif deed == "switch":
        toggle_schedule(schedule=rng.choice(passing), now=now)
    elif deed == "remove":
        delete_schedule(schedule=rng.choice(passing), now=now)
    else:
        update_schedule(
            schedule=rng.choice(passing), parts=Parts(), now=now, interval_minutes=rng.choice((1, 3, 11))
        )


def stop(world: World, shop: Shop) -> None:
    """A floor is told to be silent, or to go on."""
    rng, now = world.kernel.rng, world.kernel.instant
    floor = rng.choice(shop.floors)
    if rng.random() < 0.5:
        until = now + timedelta(minutes=rng.uniform(1, 60))
        stop_floor(floor=floor, until=until, by=shop.user, now=now)
    else:
        resume_floor(floor=floor, now=now)


def lock(world: World, shop: Shop) -> None:
    """The business is suspended, or let in again."""
    client = Client.objects.get(pk=shop.client.pk)
    locked = client.status == Client.Status.SUSPENDED
    client.status = Client.Status.ACTIVE if locked else Client.Status.SUSPENDED
    client.save(update_fields=["status"])
    shop.client = client
    shop.locks.append(world.kernel.now)


DEEDS: dict[str, tuple[Callable[[World, Shop], None], float]] = {
    "play": (play, 5 * MINUTE),
    "cancel": (cancel, 20 * MINUTE),
    "change": (change, 20 * MINUTE),
    "stop": (stop, 2 * HOUR),
    "lock": (lock, 8 * HOUR),
}
"""What is done in one of the shops, and how far apart on average (µs)."""
REFUSED = (Refusal, ValidationError)
"""The server's word that it will not; nothing is expected of it."""
