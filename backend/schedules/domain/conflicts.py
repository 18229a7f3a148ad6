"""Who speaks when on one device: announcements that meet, and the music under them. Instants are µs UTC.

Precedence is emergency > instant > timeline > interval > playlist announcement > music; of equals, who is
due first, then the smaller event id. Two announcements never overlap.

- What has started is not disturbed, except by an emergency, which cuts it.
- What has not started is placed in order of precedence, each at the first instant, from its due time on, at
  which it fits whole between those placed before it. So a lower one known beforehand does not begin a
  sentence into which a higher one would fall; it waits, or speaks before.
- Who finds no place before its expiry is dropped (`expired`), with the one that stood in its way.
- Music runs on underneath, ducked, and is back at its timeline position afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from schedules.domain.rules import Priority


class Loss(StrEnum):
    """Why an announcement was not heard, or not to its end. The codes are stable."""

    EXPIRED = "expired"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Claim:
    """An announcement that wants the device.

    `at`: when it is due. `duration_us`: its length, chime included. `expires_at`: it never starts at or after
    this. `started_at`: when it began, if it is sounding already. `duck_db`: how far the music steps back
    (≤ 0), None to mute it. Raises ValueError for a length of nothing, an expiry before the due time, or a
    depth above 0 dB.
    """

    event_id: str
    priority: Priority
    at: int
    duration_us: int
    expires_at: int
    started_at: int | None = None
    duck_db: float | None = -15.0

    def __post_init__(self) -> None:
        if self.duration_us <= 0:
            raise ValueError("an announcement is longer than nothing")
        if self.expires_at <= self.at:
            raise ValueError("an announcement expires after it is due")
        if self.duck_db is not None and self.duck_db > 0:
            raise ValueError("ducking makes music softer, not louder")
        if self.priority is Priority.MUSIC:
            raise ValueError("music makes no claim")


@dataclass(frozen=True, slots=True)
class Play:
    """An announcement that sounds in [start, end); `cut_by` names the emergency that ends it early."""

    event_id: str
    priority: Priority
    start: int
    end: int
    duck_db: float | None = -15.0
    cut_by: str | None = None


@dataclass(frozen=True, slots=True)
class Loser:
    """An announcement that lost: why, by whom (None: nobody, its time had passed), and since when."""

    event_id: str
    reason: Loss
    by: str | None
    at: int


@dataclass(frozen=True, slots=True)
class Resolution:
    """What sounds, in order of start and without overlap, and what lost, in order of event id."""

    plays: tuple[Play, ...]
    losers: tuple[Loser, ...]


def resolve(claims: Iterable[Claim], now: int) -> Resolution:
    """Place the claims of one device, none of those that have not started before `now`.

    The order of `claims` does not matter. Claims that have started (`started_at`) keep their place; raises
    ValueError if two of them overlap and neither is an emergency. A cut announcement is both a play, up to
    the cut, and a loser (`superseded`); one cut at its very start is a loser only.
    """
    ordered = sorted(claims, key=lambda c: (c.priority, c.at, c.event_id))
    placed: list[Play] = []
    losers: list[Loser] = []
    urgent = [c for c in ordered if c.priority is Priority.EMERGENCY]
    for claim in sorted(urgent, key=lambda c: c.started_at is None):
        _place(claim, now, placed, losers)
    emergencies = tuple(placed)
    started = [c for c in ordered if c.started_at is not None and c.priority is not Priority.EMERGENCY]
    for claim in sorted(started, key=lambda c: c.started_at or 0):
        _keep(claim, emergencies, placed, losers)
    for claim in ordered:
        if claim.started_at is None and claim.priority is not Priority.EMERGENCY:
            _place(claim, now, placed, losers)
    plays = sorted(placed, key=_start)
    return Resolution(tuple(plays), tuple(sorted(losers, key=lambda loser: loser.event_id)))


def _place(claim: Claim, now: int, placed: list[Play], losers: list[Loser]) -> None:
    """Put a claim into the first gap that holds it whole, or among the losers."""
    start = max(claim.at, now) if claim.started_at is None else claim.started_at
    obstacle: str | None = None
    for play in sorted(placed, key=_start):
        if play.start < start + claim.duration_us and start < play.end:
            obstacle, start = play.event_id, play.end
    if claim.started_at is None and start >= claim.expires_at:
        losers.append(Loser(claim.event_id, Loss.EXPIRED, obstacle, claim.expires_at))
    else:
        end = start + claim.duration_us
        placed.append(Play(claim.event_id, claim.priority, start, end, claim.duck_db))


def _start(play: Play) -> int:
    return play.start


def _keep(claim: Claim, emergencies: tuple[Play, ...], placed: list[Play], losers: list[Loser]) -> None:
    """Leave what has started where it is, up to the first emergency that cuts it."""
    start = claim.at if claim.started_at is None else claim.started_at
    end, cut_by = start + claim.duration_us, None
    for emergency in emergencies:
        if emergency.start < end and start < emergency.end:
            end, cut_by = max(start, emergency.start), emergency.event_id
            losers.append(Loser(claim.event_id, Loss.SUPERSEDED, emergency.event_id, end))
            break
    if any(play.start < end and start < play.end for play in placed):
        raise ValueError(f"two announcements sound at once: {claim.event_id!r} and another")
    if start < end:
        placed.append(Play(claim.event_id, claim.priority, start, end, claim.duck_db, cut_by))
