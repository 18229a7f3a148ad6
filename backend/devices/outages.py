"""The record of when speakers were away, and of when there was anybody to hear them, written by the tick that watches.

A speaker is away once its lease is out, and was so since its last sign of life. After a restart of the server the
fleet has a lease's time to come back, and who does not is away since the server listens again. A speaker that never
called is not missed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Subquery
from django.db.models.functions import Greatest

from common.tenancy import system_scope
from devices.models import LEASE, Device, DeviceQuerySet, ListeningSpan, Outage
from devices.presence import GAP_S, listening_since

NOTED_EVERY = timedelta(seconds=GAP_S / 2)
"""How often it is written that the server still listens."""
AT_ONCE = 1_000
"""Rows of one INSERT."""


def watch_outages(*, now: datetime) -> int:
    """Writes which speakers went away and which are back; returns how many. At rest, three queries and no write."""
    with system_scope("outages are watched for every client"):
        changed = _end(now)
        since = listening_since()
        if since is None:
            return changed
        _note_listening(since, now)
        return changed + (_begin(since, now) if since <= now - LEASE else 0)


def _note_listening(since: datetime, now: datetime) -> None:
    span, _ = ListeningSpan.objects.get_or_create(started_at=since, defaults={"ended_at": now})
    if now - span.ended_at >= NOTED_EVERY:
        ListeningSpan.objects.filter(pk=span.pk, ended_at__lt=now).update(ended_at=now)


def _begin(since: datetime, now: datetime) -> int:
    on_record = Exists(Outage.objects.filter(device=OuterRef("pk"), ended_at=None))
    missed: DeviceQuerySet = Device.objects.filter(~on_record, last_seen__lte=now - LEASE)
    if not missed.exists():
        return 0
    with transaction.atomic():
        rows = missed.select_for_update(skip_locked=True, no_key=True).order_by("pk")
        seen = rows.values_list("pk", "last_seen")
        gone = [Outage(device_id=pk, started_at=max(last_seen or since, since)) for pk, last_seen in seen]
        # Another watcher's are there by now, perhaps.
        Outage.objects.bulk_create(gone, batch_size=AT_ONCE, ignore_conflicts=True)
    return len(gone)


def _end(now: datetime) -> int:
    over = Outage.objects.filter(ended_at=None, device__last_seen__gt=now - LEASE)
    if not over.exists():
        return 0
    seen = Subquery(Device.objects.filter(pk=OuterRef("device")).values("last_seen"))
    return int(over.update(ended_at=Greatest(F("started_at"), seen)))
