"""Telling a business's own systems what became of the sound of an announcement."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from announcements.models import Announcement
from common.media_fields import Readiness
from webhooks.domain import catalogue
from webhooks.services import Event, emit


def tell_prepared(announcement: Announcement, *, now: datetime) -> int:
    """Tells that it is ready, or that it failed and why; returns how many messages. Inside that transaction."""
    about: dict[str, Any] = {"id": announcement.pk, "title": announcement.title, "type": announcement.type}
    if announcement.status == Readiness.READY:
        type_ = catalogue.ANNOUNCEMENT_READY
        data: dict[str, Any] = {"announcement": about | {"duration_ms": announcement.duration_ms}}
    else:
        type_ = catalogue.ANNOUNCEMENT_FAILED
        data = {
            "announcement": about,
            "code": announcement.failure_code,
            "detail": announcement.failure_detail,
        }
    return emit(events=[Event(client_id=announcement.client_id, type=type_, data=data, at=now)], now=now)
