"""The names of play events: UUIDv5 of what the event is (RFC 9562 §5.5)."""

from __future__ import annotations

from uuid import UUID, uuid5

INSTANT_PLAYS = UUID("9f5d2c1e-63c0-5a0e-8f5e-6d2a0c7b4e11")


def instant_event_id(play_id: UUID, device_pk: int) -> UUID:
    """The event of one instant play on one device."""
    return uuid5(INSTANT_PLAYS, f"{play_id}/{device_pk}")
