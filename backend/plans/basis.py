"""What a plan is made of, read in five short queries: enough to tell whether one that was built before still holds.

Schedules and programmes have a stamp that is another one after each change (`schedules.renewal`, `playlists.renewal`);
floor, business, stops and the device are compared by what they say, the ledger by the device's coming plays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import F, OuterRef, Q, Subquery
from msgspec import Struct

from devices.desired import desired_of
from devices.models import Device
from devices.protocol import Desired, Late, Priority
from events.domain import ledger
from events.models import PlayEvent
from playlists.models import FloorProgramme, ProgrammeRevision
from schedules.models import FloorStop
from schedules.selectors import stamps_heard

REACH = timedelta(hours=26)
"""From the beginning of the current hour: at least 25 h ahead of whoever asks."""
ORDERED_AHEAD = timedelta(hours=25)
"""No row of the ledger is written longer than this before its instant."""
SCHEDULED = ("timeline", "interval")
"""The priorities of the events that rules bring; the others are orders."""


class Row(Struct, frozen=True):
    """A coming play of the device on the ledger, with its announcement as it is now (None: removed)."""

    pk: UUID
    status: str
    priority: Priority
    play_at: datetime
    expires_at: datetime
    volume: int
    duck_db: float
    late: Late
    override_quiet_hours: bool
    waits_for_device: bool
    announcement: int | None
    sha256: str | None
    file_size: int | None
    mime_type: str | None
    duration_ms: int | None
    lead_in_ms: int | None
    gain_db: float | None
    title: str | None
    audio_file: str | None


class Basis(Struct, frozen=True):
    """What one device's plan is made of at an instant. Equal `digest`, equal plan, but for what expires meanwhile.

    `version` is that of what the device's place has in common (`plans.shared`); `schedules` those of it that fire on
    the device itself.
    """

    start: datetime
    end: datetime
    version: str
    schedules: frozenset[int]
    rows: tuple[Row, ...]
    desired: Desired
    digest: str


def basis_of(device: Device, *, now: datetime) -> Basis:
    """The basis of this device (with its floor and client) at `now`. Needs a scope that sees its business.

    It is read before anything is built: what is built afterwards is as new, or newer.
    """
    if device.floor is not None:
        device.floor.client = device.client  # who is asked for the floor's zone, and is here already
    start = now.replace(minute=0, second=0, microsecond=0)
    end = start + REACH
    stamps, schedules = stamps_heard(device)
    version = _hash(start, _place(device), _programme(device.floor_id), sorted(stamps.items()))
    rows = tuple(_rows(device, now, end))
    desired = desired_of(device, now)
    digest = _hash(version, device.device_id, sorted(schedules), rows, desired)
    return Basis(start, end, version, schedules, rows, desired, digest)


def _hash(*parts: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def _place(device: Device) -> list[Any]:
    """Where the device hangs, as far as it is heard, and the stops of its floor."""
    floor, client = device.floor, device.client
    said: list[Any] = [
        client.timezone,
        client.announcement_gap_minutes,
        client.status,
        client.trial_ends_at,
        client.subscription_status,
        client.deletion_requested_at is not None,
    ]
    if floor is None:
        return [device.pk, *said]
    stops = FloorStop.objects.filter(floor=floor).order_by("pk").values_list("starts_at", "until")
    return [*said, floor.pk, floor.timezone, floor.quiet_hours_start, floor.quiet_hours_end, *stops]


def _programme(floor_pk: int | None) -> Iterable[Any]:
    """The stamp of the floor's programme, and its newest revision."""
    newest = ProgrammeRevision.objects.filter(floor_id=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    return list(FloorProgramme.objects.filter(pk=floor_pk).values_list("stamp", Subquery(newest)))


def _rows(device: Device, now: datetime, end: datetime) -> Iterable[Row]:
    """What is on the record of this device and has not expired: orders, and what rules have written ahead.

    In the order of `play_at`, and cut at `end`, by us: a statement that names `play_at` is read by SQLite along an
    index of it, through the past of the whole business.
    """
    coming = PlayEvent.objects.filter(
        ~Q(priority=ledger.PLAYLIST),
        device=device,
        expires_at__gt=now,
        created_at__gte=now - ORDERED_AHEAD,  # says nothing new, and spares the device's past
    ).order_by()
    columns = ("pk", "status", "priority", "play_at", "expires_at", "volume", "duck_db", "late")
    own = (*columns, "override_quiet_hours", "waits_for_device", "announcement_id")
    words = (
        "sha256",
        "file_size",
        "mime_type",
        "duration_ms",
        "lead_in_ms",
        "gain_db",
        "title",
        "audio_file",
    )
    said = (F(f"announcement__{name}") for name in words)
    rows = (Row(*row) for row in coming.values_list(*own, *said))
    return sorted((row for row in rows if row.play_at < end), key=lambda row: (row.play_at, row.pk))
