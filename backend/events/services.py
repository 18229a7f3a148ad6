"""Playing now, and taking it back. Keyword-only, atomic; devices hear of it after the commit."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from announcements.models import Announcement
from audit.services import record
from common import clock
from common.api import refuse_locked
from common.errors import Refusal
from devices import bus
from devices.hub import Frame
from devices.models import Device, lease_runs
from devices.protocol import CancelAnnouncement
from events import moves, orders, ports
from events.domain import ledger, timing
from events.ids import instant_event_ids
from events.models import PlayEvent
from events.orders import Order, OrderedEvent, Speaker
from zones.domain import is_quiet, quiet_hours
from zones.models import Floor

FARTHEST_AHEAD = timedelta(hours=24)
"""A device's plan reaches this far, so an instant play may too."""
EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Play:
    """One request to play: its events, one for each device."""

    play_id: uuid.UUID
    play_at: datetime
    events: list[OrderedEvent]
    offline: frozenset[int]


def play_now(
    *,
    announcement: Announcement,
    devices: Sequence[Device | Speaker],
    user: Any,
    now: datetime,
    floors: Iterable[Floor] = (),
    volume: int | None = None,
    priority: str = "instant",
    play_at: datetime | None = None,
    override_quiet_hours: bool = False,
) -> Play:
    """Orders an announcement on these devices of its business, all at the same instant.

    An offline device is waited for 60 s. Those of its `floors` that are at hand are not read again. Raises `Refusal`:
    `not_ready`, `announcement_disabled`, `no_devices`, `floor_stopped`, `quiet_hours`, `validation_failed` for
    an instant out of reach, `trial_ended` and `client_suspended` (an emergency is refused for none of the last four).
    """
    _require_playable(announcement, priority)
    if not devices:
        raise Refusal("no_devices", "None of the named devices and floors has a device to play on.")
    online = [device for device in devices if lease_runs(device.last_seen, now)]
    start = _start(announcement, online, now, play_at)
    places = _floors(devices, announcement, floors)
    if priority != EMERGENCY:
        _require_not_stopped(places, start)
        if not override_quiet_hours:
            _require_no_quiet_hours(places.values(), start)
    order = Order(
        play_id=uuid.uuid4(),
        announcement=announcement,
        priority=priority,
        override_quiet_hours=override_quiet_hours,
        play_at=start,
        user_pk=None if user is None else user.pk,
        now=now,
    )
    offline = frozenset(device.pk for device in devices) - {device.pk for device in online}
    events = _events(order, devices, places, volume, offline)
    with transaction.atomic():
        # First, so that speakers hear of it before dashboards.
        bus.publish_on_commit(orders.message_of(order, events))
        orders.write(order, events)
        record(
            "play",
            resource="announcement",
            resource_id=announcement.pk,
            client_id=announcement.client_id,
            client_name=announcement.client.name,
            details={
                "play_id": order.play_id,
                "title": announcement.title,
                "devices": [device.pk for device in devices],
                "priority": priority,
                "play_at": start,
                "override_quiet_hours": override_quiet_hours,
            },
        )
    return Play(order.play_id, start, events, offline)


def _floors(
    devices: Iterable[Device | Speaker], announcement: Announcement, at_hand: Iterable[Floor]
) -> dict[int, Floor]:
    """The floors on which these devices hang, with their business."""
    wanted = {device.floor_id for device in devices if device.floor_id}
    floors = {floor.pk: floor for floor in at_hand if floor.pk in wanted}
    if missing := wanted - floors.keys():
        floors |= Floor._base_manager.in_bulk(missing)
    for floor in floors.values():
        floor.client = announcement.client
    return floors


def _events(
    order: Order,
    devices: Sequence[Device | Speaker],
    floors: Mapping[int, Floor],
    volume: int | None,
    offline: Set[int],
) -> list[OrderedEvent]:
    start = clock.to_us(order.play_at)
    expiries = {waits: clock.from_us(timing.expiry_us(start, waits=waits)) for waits in (False, True)}
    pks = instant_event_ids(order.play_id, [device.pk for device in devices])
    events = []
    for pk, device in zip(pks, devices, strict=True):
        floor = floors.get(device.floor_id or 0)
        loud = device.volume if volume is None else volume
        waits = device.pk in offline
        events.append(
            OrderedEvent(
                pk=pk,
                device_id=device.pk,
                device_name=device.name,
                floor_id=None if floor is None else floor.pk,
                floor_name="" if floor is None else floor.name,
                volume=loud if floor is None else floor.bounded(loud),
                waits_for_device=waits,
                play_at=order.play_at,
                expires_at=expiries[waits],
            )
        )
    return events


def _require_playable(announcement: Announcement, priority: str) -> None:
    if priority != EMERGENCY:
        refuse_locked(announcement.client)
    if not announcement.enabled:
        raise Refusal("announcement_disabled", f"“{announcement.title}” is switched off.")
    if not announcement.playable:
        why = announcement.failure_detail or f"it is {announcement.get_status_display().lower()}"
        raise Refusal("not_ready", f"“{announcement.title}” cannot be played: {why}.")


def _start(
    announcement: Announcement, online: Sequence[Device | Speaker], now: datetime, asked: datetime | None
) -> datetime:
    paths = [
        timing.Path(
            required_lead_us=device.required_lead_ms * timing.MS,
            output_delay_us=device.output_delay_ms * timing.MS,
            round_trip_us=device.round_trip_us,
        )
        for device in online
    ]
    soonest = clock.from_us(clock.to_us(now) + timing.lead_us(paths, clip_bytes=announcement.file_size))
    if asked is None:
        return soonest
    if asked < now:
        raise Refusal("validation_failed", "play_at lies in the past.", field="play_at")
    if asked > now + FARTHEST_AHEAD:
        raise Refusal("validation_failed", "play_at may be at most 24 hours ahead.", field="play_at")
    return max(asked, soonest)


def _require_not_stopped(floors: Mapping[int, Floor], start: datetime) -> None:
    stopped = sorted(floors[pk].name for pk in ports.stops().stopped(floors, start))
    if stopped:
        raise Refusal(
            "floor_stopped",
            f"Somebody has told {', '.join(stopped)} to be silent: lift that first. Only an emergency sounds there.",
            floors=stopped,
        )


def _require_no_quiet_hours(floors: Iterable[Floor], start: datetime) -> None:
    quiet = [floor.name for floor in floors if is_quiet_on(floor, start)]
    if quiet:
        raise Refusal(
            "quiet_hours",
            f"It is quiet hours on {', '.join(sorted(quiet))}. Send override_quiet_hours to play all the same;"
            " that is recorded.",
            floors=sorted(quiet),
        )


def is_quiet_on(floor: Floor, at: datetime) -> bool:
    """Whether `at` lies in the floor's quiet hours, read on its own wall clock."""
    hours = quiet_hours(floor.quiet_hours_start, floor.quiet_hours_end)
    return is_quiet(hours, ZoneInfo(floor.zone), clock.to_us(at))


@transaction.atomic
def cancel_events(*, events: Iterable[PlayEvent], now: datetime) -> list[PlayEvent]:
    """Takes back what has not started of these events of one play; answers with those that were cancelled.

    The devices are told too. If one had started in the meantime, its receipt corrects the record.
    """
    cancelled = list(
        PlayEvent.objects.select_for_update(of=("self",), no_key=True)
        .select_related("created_by")
        .filter(pk__in=[event.pk for event in events], status__in=[ledger.PENDING, ledger.DELIVERED])
        .order_by("play_at", "pk")
    )
    if not cancelled:
        return []
    for event in cancelled:
        event.status = ledger.FAILED
        event.reason = "cancelled"
        event.error_message = ledger.REASONS["cancelled"]
        event.completed_at = now
        if event.device_id is not None:
            bus.publish_on_commit(Frame([event.device_id], CancelAnnouncement(event_id=str(event.pk))))
    moves.keep(cancelled, moves.became(cancelled, now, "user"))
    first = cancelled[0]
    record(
        "cancel",
        resource="play",
        resource_id=first.play_id,
        client_id=first.client_id,
        details={"title": first.announcement_title, "events": [event.pk for event in cancelled]},
    )
    return cancelled
