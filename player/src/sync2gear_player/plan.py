"""The plan document of this speaker, and what can be asked of it.

Instants are µs UTC, durations ms, gains dB; all intervals are half-open. A plan outlives its validity: when
no newer one can be had, its programme goes round again by whole days (or by its own length if it is shorter),
so that a shop without a network is not silent. Occurrences are never repeated: each is one event.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from sync2gear_player.documents import DocumentError, build
from sync2gear_player.messages import Desired, Late, Priority

VERSION = 1
DAY_US = 86_400_000_000

SilenceReason = Literal["quiet_hours", "stopped", "client_locked"]
_WEIGHTIEST: tuple[SilenceReason, ...] = ("client_locked", "stopped", "quiet_hours")


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One media file, addressed by its content."""

    sha256: str
    bytes: int
    mime: str
    duration_ms: int
    gain_db: float
    url: str = ""
    url_expires_at: int = 0


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A stretch of the programme: the asset from `offset_ms` on sounds during `[start_at, end_at)`."""

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


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One announcement at `play_at`."""

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
    overrides_quiet_hours: bool = False


@dataclass(frozen=True, kw_only=True)
class Silence:
    """The floor is silent, but for what ignores `reason`."""

    start_at: int
    end_at: int
    reason: SilenceReason


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What this speaker has to do during `[valid_from, valid_until)`."""

    version: int
    device_id: str
    valid_from: int
    valid_until: int
    timezone: str
    desired: Desired
    etag: str = ""
    assets: tuple[Asset, ...] = ()
    programme: tuple[Segment, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    silences: tuple[Silence, ...] = ()

    def assets_by_hash(self) -> dict[str, Asset]:
        """Every asset by its SHA-256."""
        return {asset.sha256: asset for asset in self.assets}

    def music(self) -> tuple[Segment, ...]:
        """The programme without its announcements."""
        return tuple(segment for segment in self.programme if segment.kind == "music")


def parse(document: object) -> Plan:
    """A plan from its decoded JSON; raises `DocumentError` if it is none, or of another version."""
    plan = build(Plan, document)
    if plan.version != VERSION:
        raise DocumentError(f"version: {plan.version}, but this speaker reads {VERSION}")
    return plan


def silence_at(plan: Plan, instant: float) -> SilenceReason | None:
    """Why the floor is silent at an instant, or None. A locked client outweighs a stop, a stop quiet hours."""
    reasons = {silence.reason for silence in plan.silences if silence.start_at <= instant < silence.end_at}
    return next((reason for reason in _WEIGHTIEST if reason in reasons), None)


def needed_assets(plan: Plan, now: int) -> list[str]:
    """SHA-256 of every asset that is still to sound after `now`, each once, the soonest needed first."""
    needs = [(segment.start_at, segment.sha256) for segment in plan.programme if segment.end_at > now]
    needs += [(each.play_at, each.sha256) for each in plan.occurrences if each.expires_at > now]
    return list(dict.fromkeys(sha256 for _, sha256 in sorted(needs)))


def repeated(plan: Plan, now: int) -> Plan:
    """The plan that holds at `now`: itself, or, past its end, its programme and silences moved up to `now`."""
    if now < plan.valid_until or not plan.programme:
        return plan
    span = plan.valid_until - plan.valid_from
    period = DAY_US if span >= DAY_US else span
    if period <= 0:
        return plan
    rounds = (now - plan.valid_until) // period + 1
    move = rounds * period
    return replace(
        plan,
        valid_from=plan.valid_from + move,
        valid_until=plan.valid_until + move,
        occurrences=(),
        programme=tuple(
            replace(
                segment,
                id=f"{segment.id}+{rounds}",
                start_at=segment.start_at + move,
                end_at=segment.end_at + move,
            )
            for segment in plan.music()
        ),
        silences=tuple(
            replace(silence, start_at=silence.start_at + move, end_at=silence.end_at + move)
            for silence in plan.silences
        ),
    )
