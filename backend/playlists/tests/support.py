"""What tests of playlists share: sounds that are ready, and instants."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

from announcements.models import Announcement
from common import clock
from common.tenancy import system_scope
from music.models import MusicFile

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
NOON_US = clock.to_us(NOON)
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_serial = count(1)


def tracks(client: Any, number: int, *, seconds: int = 180, **fields: Any) -> list[MusicFile]:
    """Ready tracks of this length."""
    with system_scope("test data"):
        return [
            MusicFile.objects.create(
                **{
                    "name": f"Track {serial}",
                    "artist": "The Band",
                    "client": client,
                    "file": f"music/{serial}.mp3",
                    "file_size": 1000,
                    "duration": seconds,
                    "duration_ms": seconds * 1000,
                    "mime_type": "audio/mpeg",
                    "sha256": f"{serial:064x}",
                    "status": "ready",
                }
                | fields
            )
            for serial in (next(_serial) for _ in range(number))
        ]


def words(client: Any, *, seconds: int = 10, **fields: Any) -> Announcement:
    """A ready announcement of this length."""
    serial = next(_serial)
    with system_scope("test data"):
        return Announcement.objects.create(
            **{
                "title": f"Words {serial}",
                "client": client,
                "type": "tts",
                "audio_file": f"announcements/{serial}.mp3",
                "file_size": 500,
                "duration": seconds,
                "duration_ms": seconds * 1000,
                "mime_type": "audio/mpeg",
                "sha256": f"{serial:064x}",
                "status": "ready",
            }
            | fields
        )
