"""The ids of a programme's announcements, derived so that everyone who means the same play means the same row.

UUIDv5 (RFC 9562, section 5.5) under a namespace of the project's own. The name is UTF-8 text whose
fields are joined by "/": the rows' ids as text (lower case, if they are UUIDs), instants as integer µs UTC.
"""

from __future__ import annotations

from hashlib import sha1
from uuid import UUID

NAMESPACE = UUID("ca23abe2-c0c7-51d9-b0d5-f5ae650767af")
"""UUIDv5 of the DNS namespace and "play-events.sync2gear"; never changes, or every event becomes another."""
_PREFIX = sha1(NAMESPACE.bytes, usedforsecurity=False)


def named(name: str) -> UUID:
    """`uuid.uuid5(NAMESPACE, name)` in a third of its time: a plan of a day has a thousand of them."""
    digest = _PREFIX.copy()
    digest.update(name.encode())
    return UUID(bytes=digest.digest()[:16], version=5)


def programme_event_id(playlist_id: str, floor_id: str, start: int, device_id: str) -> UUID:
    """The event of a playlist's announcement that starts at `start` (µs UTC) in a floor's programme."""
    return named(f"programme/{playlist_id}/{floor_id}/{start}/{device_id}")


def programme_play_id(playlist_id: str, floor_id: str, start: int) -> UUID:
    """What the events of one such announcement have in common on all devices of the floor."""
    return named(f"programme/{playlist_id}/{floor_id}/{start}")
