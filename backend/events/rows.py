"""Play events and their changes as rows of columns: where thousands move, model objects take most of the time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from msgspec import Struct

from events.models import PlayEvent


class Row(Struct, gc=False):
    """The columns of a play event that its life is about, without a model object."""

    pk: UUID
    play_id: UUID
    client_id: int
    device_id: int | None
    device_name: str
    floor_id: int | None
    floor_name: str
    event_type: str
    priority: str
    play_at: datetime
    created_at: datetime
    status: str
    reason: str
    error_message: str
    announcement_id: int | None
    announcement_title: str
    delivered_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    outcome: str
    start_error_us: int | None
    played_ms: int | None


class Change(Struct, frozen=True, kw_only=True, gc=False):
    """One entry of an event's history, to be written: see `PlayEventChange`."""

    event: PlayEvent | Row
    at: datetime
    status: str
    reason: str
    source: str
    correction: bool = False
    detail: dict[str, Any] = {}


def rows_of(events: QuerySet[PlayEvent]) -> list[Row]:
    """These events as rows."""
    return [Row(*columns) for columns in events.values_list(*Row.__struct_fields__)]
