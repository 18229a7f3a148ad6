"""The plan of one device: the document of `GET /api/devices/{id}/plan/`.

Its canonical bytes (`etag_of`) leave out what changes without changing what is played (`generated_at`, the
signed URLs), so that two servers, a test and a device that compute a plan from the same rows agree to the byte.
Instants are µs UTC, durations ms, gains dB, volume 0–100. All intervals are half-open `[start_at, end_at)`.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec
from msgspec import Struct

from devices.protocol import Desired, Late, Priority

PLAN_VERSION = 1


class Asset(Struct, kw_only=True, frozen=True):
    """One media file, addressed by its content. `gain_db` brings it to −16 LUFS within −1 dBTP."""

    sha256: str
    bytes: int
    mime: str
    duration_ms: int
    gain_db: float
    url: str = ""
    url_expires_at: int = 0


class Segment(Struct, kw_only=True, frozen=True):
    """A stretch of the floor's programme: the asset from `offset_ms` on sounds during `[start_at, end_at)`.

    Segments are ordered by `start_at`; neighbours overlap by their crossfade. `fade_in_ms` and `fade_out_ms`
    are linear-in-power fades at the edges. An announcement segment has an `event_id` and is receipted.
    """

    id: str
    kind: Literal["music", "announcement"]
    sha256: str
    start_at: int
    end_at: int
    offset_ms: int = 0
    fade_in_ms: int = 0
    fade_out_ms: int = 0
    music_id: int | None = None
    announcement_id: int | None = None
    event_id: str | None = None
    playlist_id: int | None = None
    title: str = ""
    artist: str = ""


class Occurrence(Struct, kw_only=True, frozen=True):
    """One announcement to be played at `play_at`; the same event id as in a push for it."""

    event_id: str
    announcement_id: int
    sha256: str
    play_at: int
    expires_at: int
    volume: int
    priority: Priority
    duck_db: float = -15.0
    late: Late = "skip"
    lead_in_ms: int = 0
    schedule_id: int | None = None
    title: str = ""
    overrides_quiet_hours: bool = False


class Silence(Struct, kw_only=True, frozen=True):
    """The floor is silent; only what ignores `reason` may sound (emergency; an overriding instant play)."""

    start_at: int
    end_at: int
    reason: Literal["quiet_hours", "stopped", "client_locked"]


class Plan(Struct, kw_only=True, frozen=True):
    """What one device has to do during `[valid_from, valid_until)`."""

    version: int = PLAN_VERSION
    device_id: str
    etag: str = ""
    generated_at: int = 0
    valid_from: int
    valid_until: int
    timezone: str
    desired: Desired
    assets: list[Asset] = []
    programme: list[Segment] = []
    occurrences: list[Occurrence] = []
    silences: list[Silence] = []


def etag_of(plan: Plan) -> str:
    """First 128 bits of SHA-256 over the plan's canonical JSON, as hex."""
    assets = [msgspec.structs.replace(asset, url="", url_expires_at=0) for asset in plan.assets]
    canonical = msgspec.structs.replace(plan, etag="", generated_at=0, assets=assets)
    return hashlib.sha256(msgspec.json.encode(canonical, order="sorted")).hexdigest()[:32]
