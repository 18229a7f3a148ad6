"""The record of when speakers were away, and of when there was anybody to hear them, written by the tick that watches.

A speaker is away once its lease is out, and was so since its last sign of life. After a restart of the server the
fleet has a lease's time to come back, and who does not is away since the server listens again. A speaker that never
called is not missed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from common.given import given
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
    away = dict(Outage.objects.filter(ended_at=None).values_list("device_id", "pk"))
    back = Device.objects.filter(pk__among=away, last_seen__gt=now - LEASE) if away else Device.objects.none()
    seen = dict(back.values_list("pk", "last_seen"))
    if not seen:
        return 0
    # By value, not by a join: that few are away is what PostgreSQL knows, and for thousands who come back at once it
    # looked through all of them for each of them, and that for each outage.
    table, values = given(
        "back",
        {"id": ("bigint", [away[pk] for pk in seen]), "seen": ("timestamptz", list(seen.values()))},
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE device_outages"  # noqa: S608  # our own names
            " SET ended_at = CASE WHEN started_at < back.seen THEN back.seen ELSE started_at END"
            f" FROM {table} WHERE device_outages.id = back.id AND ended_at IS NULL",
            values,
        )
        return int(cursor.rowcount)
