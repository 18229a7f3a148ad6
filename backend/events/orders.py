"""A new instant play as rows: columns alone, for a floor of 200 speakers would need 400 model objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from msgspec import Struct

from announcements.models import Announcement
from common import clock
from common.given import Column, given
from devices.hub import Plays, Target
from devices.models import Device
from devices.protocol import PlayAnnouncement
from events.domain import ledger
from events.messages import sound_fields
from events.models import PlayEvent
from live.changes import tell

DUCK_DB = -15.0
"""How far the music steps back under it."""
LATE: Literal["join"] = "join"


class Speaker(NamedTuple):
    """The columns of a device that an order needs."""

    pk: int
    name: str
    floor_id: int | None
    volume: int
    last_seen: datetime | None
    required_lead_ms: int
    output_delay_ms: int
    round_trip_us: int | None


def speakers(devices: QuerySet[Device]) -> list[Speaker]:
    """These devices, without making a model of each."""
    return [Speaker(*row) for row in devices.values_list(*Speaker._fields)]


class Order(Struct, frozen=True, kw_only=True):
    """What all events of an instant play have in common; `now` is when it was ordered."""

    play_id: UUID
    announcement: Announcement
    priority: str
    override_quiet_hours: bool
    play_at: datetime
    user_pk: int | None
    now: datetime


class OrderedEvent(Struct, frozen=True, kw_only=True, gc=False):
    """One device of a play that was just ordered: its row is `pending`. `waits_for_device`: it is offline."""

    pk: UUID
    device_id: int
    device_name: str
    floor_id: int | None
    floor_name: str
    volume: int
    waits_for_device: bool
    play_at: datetime
    expires_at: datetime


def write(order: Order, events: Sequence[OrderedEvent]) -> None:
    """The rows of these events, by one statement; dashboards are told. Needs a transaction."""
    own: dict[str, Column] = {
        "id": ("uuid", [event.pk for event in events]),
        "device_id": ("bigint", [event.device_id for event in events]),
        "device_name": ("text", [event.device_name for event in events]),
        "floor_id": ("bigint", [event.floor_id for event in events]),
        "floor_name": ("text", [event.floor_name for event in events]),
        "volume": ("smallint", [event.volume for event in events]),
        "waits_for_device": ("boolean", [event.waits_for_device for event in events]),
        "expires_at": ("timestamptz", [event.expires_at for event in events]),
    }
    common: dict[str, Column] = {
        "play_id": ("uuid", [order.play_id]),
        "announcement_id": ("bigint", [order.announcement.pk]),
        "announcement_title": ("text", [order.announcement.title]),
        "client_id": ("bigint", [order.announcement.client_id]),
        "event_type": ("text", [PlayEvent.Type.INSTANT.value]),
        "priority": ("text", [order.priority]),
        "status": ("text", [ledger.PENDING]),
        "reason": ("text", [""]),
        "error_message": ("text", [""]),
        "outcome": ("text", [""]),
        "play_at": ("timestamptz", [order.play_at]),
        "duck_db": ("float8", [DUCK_DB]),
        "late": ("text", [LATE]),
        "override_quiet_hours": ("boolean", [order.override_quiet_hours]),
        "created_at": ("timestamptz", [order.now]),
        "created_by_id": ("bigint", [order.user_pk]),
    }
    each, values = given("e", own)
    all_, more = given("o", common)
    names = ", ".join([*own, *common])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO play_events ({names}) SELECT {names} FROM {each} CROSS JOIN {all_}",  # noqa: S608  # our own names
            [*values, *more],
        )
    by_floor: dict[int | None, list[UUID]] = defaultdict(list)
    for event in events:
        by_floor[event.floor_id].append(event.pk)
    for floor_pk, pks in by_floor.items():
        tell("plays", client=order.announcement.client_id, floor=floor_pk, keys=pks)


def message_of(order: Order, events: Sequence[OrderedEvent]) -> Plays:
    """The push to all of these devices."""
    first = events[0]
    priority: Any = order.priority
    play_at = clock.to_us(order.play_at)
    return Plays(
        common=PlayAnnouncement(
            **sound_fields(order.announcement, order.now),
            volume=first.volume,
            event_id=str(first.pk),
            play_at=play_at,
            expires_at=clock.to_us(first.expires_at),
            priority=priority,
            duck_db=DUCK_DB,
            late=LATE,
            overrides_quiet_hours=order.override_quiet_hours,
        ),
        targets=[
            Target(event.device_id, str(event.pk), event.volume, play_at, clock.to_us(event.expires_at))
            for event in events
        ],
        ordered_at=clock.to_us(order.now),
    )
