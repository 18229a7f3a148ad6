"""The ids of play events, derived so that everyone who means the same play means the same row.

UUIDv5 (RFC 9562, section 5.5) under a namespace of the project's own. The name is UTF-8 text whose
fields are joined by "/": the rows' ids as text (lower case, if they are UUIDs), instants as integer µs UTC.
"""

from __future__ import annotations

from uuid import UUID, uuid5

NAMESPACE = UUID("ca23abe2-c0c7-51d9-b0d5-f5ae650767af")
"""UUIDv5 of the DNS namespace and "play-events.sync2gear"; never changes, or every event becomes another."""


def occurrence_event_id(schedule_id: str, at: int, device_id: str) -> UUID:
    """The event of a schedule's occurrence at the instant `at` (µs UTC) on one device."""
    return uuid5(NAMESPACE, f"occurrence/{schedule_id}/{at}/{device_id}")


def programme_event_id(playlist_id: str, floor_id: str, start: int, device_id: str) -> UUID:
    """The event of a playlist's announcement that starts at `start` (µs UTC) in a floor's programme."""
    return uuid5(NAMESPACE, f"programme/{playlist_id}/{floor_id}/{start}/{device_id}")
