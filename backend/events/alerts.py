"""Telling a business's own systems of announcements that were not heard."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from events.domain import ledger
from events.models import PlayEvent
from events.rows import Row
from webhooks.domain import catalogue
from webhooks.services import Event, emit

ALARMING = frozenset(
    {
        "offline",
        "expired",
        "partial",
        "clock_untrusted",
        "download_failed",
        "decode_failed",
        "output_failed",
        "unknown_after_crash",
        "no_receipt",
        "cannot",
        "missed",
        "no_announcement",
    }
)
"""The reasons that somebody should look into. The others are rules and orders at work: quiet hours, a cancellation,
a more urgent announcement, a day off."""


def tell_failed(events: Iterable[PlayEvent | Row], *, now: datetime) -> int:
    """Tells of those of these events that have failed for a reason of ALARMING; returns how many messages.

    Call it once for each event, when it has failed, inside that transaction.
    """
    return emit(events=[_event(event, now) for event in events if is_alarming(event)], now=now)


def is_alarming(event: PlayEvent | Row) -> bool:
    """Whether the event has failed for a reason of ALARMING."""
    return event.status == ledger.FAILED and event.reason in ALARMING


def _event(event: PlayEvent | Row, now: datetime) -> Event:
    data: dict[str, Any] = {
        "id": str(event.pk),
        "play_id": str(event.play_id),
        "announcement": {"id": event.announcement_id, "title": event.announcement_title},
        "device": {"id": event.device_id, "name": event.device_name},
        "floor": {"id": event.floor_id, "name": event.floor_name} if event.floor_name else None,
        "priority": event.priority,
        "play_at": catalogue.instant(event.play_at),
        "reason": event.reason,
        "detail": event.error_message,
    }
    return Event(client_id=event.client_id, type=catalogue.PLAY_FAILED, data=data, at=now)
