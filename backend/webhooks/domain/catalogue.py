"""The events that there are: their types, what they mean, and an example of each. Pure.

A type's `data` always has the example's shape; tests hold what is really sent to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

TEST = "webhook.test"
DEVICE_ONLINE = "device.online"
DEVICE_OFFLINE = "device.offline"
PLAY_FAILED = "play.failed"
ANNOUNCEMENT_READY = "announcement.ready"
ANNOUNCEMENT_FAILED = "announcement.failed"

MOST_TOGETHER = 100
"""How many of a gathered event one message carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One type. `gathered` names the list in `data` into which several that come close together are put."""

    summary: str
    description: str
    example: Mapping[str, Any]
    gathered: str = ""
    gathers_for: timedelta = timedelta(0)


_DEVICE = {"id": 12, "name": "Till", "hardware_id": "b8:27:eb:12:34:56"}
_FLOOR = {"id": 3, "name": "Ground"}
_ANNOUNCEMENT = {"id": 41, "title": "We close in ten minutes"}

TYPES: dict[str, EventType] = {
    DEVICE_ONLINE: EventType(
        summary="A speaker is back",
        description="After it was told as offline, or for the first time.",
        example={"device": _DEVICE, "floor": _FLOOR, "last_seen": "2026-03-02T12:00:00Z"},
    ),
    DEVICE_OFFLINE: EventType(
        summary="A speaker is away",
        description=(
            "It has been offline for a minute (WEBHOOK_OFFLINE_AFTER_S); shorter gaps are not told, nor is the time"
            " in which this server could hear nobody. `last_seen` is its last sign of life."
        ),
        example={"device": _DEVICE, "floor": _FLOOR, "last_seen": "2026-03-02T11:58:15Z"},
    ),
    PLAY_FAILED: EventType(
        summary="Announcements were not heard",
        description=(
            "Plays that ended without being heard through no rule of yours, with the reason of each (`reason` is"
            " stable, `detail` a sentence). Those of five seconds are gathered, up to a hundred in one message. A"
            " receipt that comes late may still correct a play; that is not told."
        ),
        example={
            "plays": [
                {
                    "id": "7c0d8f6e-5f0a-5b52-9f57-0d6d3f1c2a10",
                    "play_id": "0b6a4a0e-8c37-4f9d-8a53-6a3f5d2f9e77",
                    "announcement": _ANNOUNCEMENT,
                    "device": {"id": 12, "name": "Till"},
                    "floor": _FLOOR,
                    "priority": "interval",
                    "play_at": "2026-03-02T12:00:00Z",
                    "reason": "offline",
                    "detail": "The device was offline until the announcement had expired.",
                }
            ]
        },
        gathered="plays",
        gathers_for=timedelta(seconds=5),
    ),
    ANNOUNCEMENT_READY: EventType(
        summary="An announcement can be played",
        description="Its sound was made, or made anew after a change.",
        example={"announcement": _ANNOUNCEMENT | {"type": "tts", "duration_ms": 4200}},
    ),
    ANNOUNCEMENT_FAILED: EventType(
        summary="The sound of an announcement could not be made",
        description="An earlier sound stays in use. `code` is stable, `detail` a sentence.",
        example={
            "announcement": _ANNOUNCEMENT | {"type": "uploaded"},
            "code": "truncated",
            "detail": "The file ends in the middle of a frame.",
        },
    ),
}
"""What a webhook may subscribe to."""

TEST_TYPE = EventType(
    summary="A test",
    description="Sent by the test button only, whatever the webhook subscribes to.",
    example={"webhook": {"id": 5, "url": "https://example.com/hooks/sync2gear"}},
)
ALL_TYPES = TYPES | {TEST: TEST_TYPE}


def body_of(type_: str, data: Mapping[str, Any], *, at: datetime) -> str:
    """The JSON text of one message, which is what is signed; `at` is when it happened."""
    return json.dumps(
        {"type": type_, "timestamp": instant(at), "data": data}, ensure_ascii=False, separators=(",", ":")
    )


def instant(at: datetime) -> str:
    """An instant as payloads hold it: ISO 8601, UTC, ending in Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
