"""Telling a business's own systems which of its speakers are away, and which are back: never of a blip.

Presence itself is the lease. A speaker is told as away once its lease has been out for WEBHOOK_OFFLINE_AFTER, in which
time somebody was there to hear it: after a restart of the server the whole fleet gets its time to come back.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q

from common import clock
from common.tenancy import system_scope
from devices.models import LEASE, Device, DeviceQuerySet
from webhooks.domain import catalogue
from webhooks.services import Event, emit

LISTENING = "devices.listening"
"""Where the cache holds since when (µs UTC) at least one process has been hearing devices, without a gap."""
GAP_S = 30
"""Each process says every five seconds that it hears; so long a silence is a gap."""


def listening(*, now: datetime) -> None:
    """A process that serves devices hears them at `now`."""
    if not cache.touch(LISTENING, GAP_S):
        cache.add(LISTENING, clock.to_us(now), GAP_S)


def listening_since() -> datetime | None:
    """Since when somebody has been hearing devices without a gap; None while nobody does."""
    since = cache.get(LISTENING)
    return None if since is None else clock.from_us(since)


def tell_presence(*, now: datetime) -> int:
    """Tells of each speaker that has gone and of each that is back, once; returns of how many.

    A speaker that never called is not missed; its first call is told.
    """
    with system_scope("presence is watched for every client"):
        changed = _changed(now)
        if not Device.objects.filter(changed).exists():
            return 0
        with transaction.atomic():
            rows: DeviceQuerySet = Device.objects.select_for_update(
                of=("self",), skip_locked=True, no_key=True
            )
            devices = list(rows.filter(changed).select_related("floor").order_by("pk"))
            for told_away in (True, False):
                turned = [device.pk for device in devices if device.told_away is not told_away]
                Device.objects.filter(pk__in=turned).update(told_away=told_away)
            emit(events=[_event(device, now) for device in devices], now=now)
        return len(devices)


def _changed(now: datetime) -> Q:
    """Those that are told as away and have a lease, and those that are not and have been missed for long enough."""
    back = Q(told_away=True, last_seen__gt=now - LEASE)
    missed_since = now - LEASE - settings.WEBHOOK_OFFLINE_AFTER
    since = listening_since()
    if since is None or since > missed_since:
        return back
    return back | Q(told_away=False, last_seen__lte=missed_since)


def _event(device: Device, now: datetime) -> Event:
    """What is told of a device, whose row still says what was told before."""
    return Event(
        client_id=device.client_id,
        type=catalogue.DEVICE_ONLINE if device.told_away else catalogue.DEVICE_OFFLINE,
        data={
            "device": {"id": device.pk, "name": device.name, "hardware_id": device.device_id},
            "floor": {"id": device.floor.pk, "name": device.floor.name} if device.floor else None,
            "last_seen": catalogue.instant(device.last_seen or now),
        },
        at=now,
    )
