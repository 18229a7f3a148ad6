"""Closes what will not end by itself, and says why.

A receipt that arrives later from a device that played offline still corrects the row.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from common.tenancy import system_scope
from events import moves
from events.alerts import tell_failed
from events.domain import ledger
from events.models import PlayEvent

RECEIPT_GRACE = timedelta(seconds=60)
"""How long after the end of a play its receipt may take on a healthy connection."""
ACK_GRACE = timedelta(seconds=2)
"""How long after its expiry an order may still be acknowledged: the ack may be on its way."""
AT_ONCE = 500


def sweep(*, now: datetime) -> int:
    """Closes the events whose time is over, AT_ONCE in a transaction; returns how many.

    All that have expired are looked at, for many of them may still wait for their receipts.
    """
    with system_scope("every client's ledger is swept"):
        expired = PlayEvent.objects.open().filter(expires_at__lt=now - ACK_GRACE).order_by("expires_at")
        pks = list(expired.values_list("pk", flat=True))
        return sum(_sweep(pks[first : first + AT_ONCE], now) for first in range(0, len(pks), AT_ONCE))


@transaction.atomic
def _sweep(pks: list[UUID], now: datetime) -> int:
    rows = (
        PlayEvent.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
        .select_related("announcement", "device")
        .open()
        .filter(pk__in=pks)
    )
    closed = []
    for event in rows:
        reason = reason_to_close(event, now)
        if reason is None:
            continue
        event.status = ledger.FAILED
        event.reason = reason
        event.error_message = ledger.REASONS[reason]
        event.completed_at = now
        closed.append(event)
    moves.keep(closed, moves.became(closed, now, "sweeper"))
    tell_failed(closed, now=now)
    return len(closed)


def reason_to_close(event: PlayEvent, now: datetime) -> str | None:
    """Why this expired event ends now, or None while its receipt may still come."""
    if event.device is None:
        return "device_removed"
    if event.status == ledger.PENDING:
        return "expired" if event.device.is_online(now) else "offline"
    length = timedelta(milliseconds=event.announcement.duration_ms if event.announcement else 0)
    over = max(event.expires_at, (event.started_at or event.play_at) + length) + RECEIPT_GRACE
    return "no_receipt" if now > over else None
