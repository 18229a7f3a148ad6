"""Events that have moved, and what is told of it: thousands at a time, by one statement each.

Django's `bulk_update` sends a branch of a CASE for each row and column, and takes five times as long.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec
from django.db import connection

from common.given import given
from events import counting
from events.models import PlayEvent
from events.rows import Change, Row
from live.changes import tell_plays

MOVES = {
    "status": "text",
    "reason": "text",
    "error_message": "text",
    "announcement_id": "bigint",
    "announcement_title": "text",
    "delivered_at": "timestamptz",
    "started_at": "timestamptz",
    "completed_at": "timestamptz",
    "outcome": "text",
    "start_error_us": "bigint",
    "played_ms": "bigint",
}
"""The columns that change in the life of an event, and their types."""


def became(events: Iterable[PlayEvent], at: datetime, source: str) -> list[Change]:
    """That these events have become what they are now, at this instant and by `source`."""
    return [
        Change(event=event, at=at, status=event.status, reason=event.reason, source=source)
        for event in events
    ]


def keep(events: Collection[PlayEvent | Row], changes: Collection[Change]) -> None:
    """Writes these events, whose rows the caller has locked, and what they have become; counts it.

    Needs a transaction.
    """
    if not events:
        return
    columns = {name: (kind, [getattr(event, name) for event in events]) for name, kind in MOVES.items()}
    table, values = given("m", {"id": ("uuid", [event.pk for event in events]), **columns})
    moved = ", ".join(f"{name} = m.{name}" for name in MOVES)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE play_events SET {moved} FROM {table} WHERE play_events.id = m.id", values)  # noqa: S608  # our own names
        table, values = given(
            "c",
            {
                "event_id": ("uuid", [change.event.pk for change in changes]),
                "at": ("timestamptz", [change.at for change in changes]),
                "status": ("text", [change.status for change in changes]),
                "reason": ("text", [change.reason for change in changes]),
                "source": ("text", [change.source for change in changes]),
                "correction": ("boolean", [change.correction for change in changes]),
                "detail": ("jsonb", [msgspec.json.encode(change.detail).decode() for change in changes]),
            },
        )
        cursor.execute(
            "INSERT INTO play_event_changes (event_id, at, status, reason, source, correction, detail)"  # noqa: S608  # our own names
            f" SELECT event_id, at, status, reason, source, correction, detail FROM {table}",
            values,
        )
    counting.note_changes(changes)
    tell_plays(events)
