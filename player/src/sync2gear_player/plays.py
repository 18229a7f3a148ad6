"""Which announcement sounds when on this speaker: pure rules over plays, given the time.

The rules, in the order in which they are asked:

1. An event is played once or not at all; a push and the plan's own occurrence are one play (same `event_id`).
2. Nothing starts at or after its `expires_at`.
3. Without a trusted clock nothing starts, nor is anything judged: what passed meanwhile is told once it is trusted.
4. In a silence of the plan only an emergency starts, in quiet hours also what a person ordered in spite of them; while
   the speaker is silenced, only an emergency.
5. Two announcements never overlap: `placing` says which waits. An emergency cuts in. What waited starts from its
   beginning in its place, the same on every speaker of the floor, or is dropped at its expiry.
6. A play starts at its instant. One that missed it is skipped (`late="skip"`), or enters at the position where the
   others are (`late="join"`). Nothing starts late from its beginning.

A play that is about to start is armed `ARM_AHEAD_US` before: from then on it is in the output's hands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sync2gear_player.messages import Late, Outcome, Priority
from sync2gear_player.placing import RANK, Claim, Span, place
from sync2gear_player.plan import Plan, Silence

ARM_AHEAD_US = 700_000
LEAD_US = 200_000
"""A start nearer than this can no longer be met: the journal's commit and the output's buffer come first."""
HORIZON_US = 900_000_000
"""How far ahead places are given: longer than any announcement."""
WORTH_JOINING_US = 300_000
WHOLE_BUT_US = 250_000
"""A play that was joined with no more than this missing counts as played."""
RETRY_US = 50_000
CANCEL_FADE_MS = 250
CUT_FADE_MS = 150
PROGRAMME_EXPIRY_US = 60_000_000
"""How long an announcement of the programme may wait for another to end."""


@dataclass(frozen=True, kw_only=True)
class Play:
    """One play event of this speaker. Instants µs UTC of the server's clock."""

    event_id: str
    announcement_id: int
    sha256: str
    play_at: int
    expires_at: int
    duration_ms: int
    volume: int | None = None
    """0–100; None: the speaker's own at the time."""
    gain_db: float = 0.0
    priority: Priority = "instant"
    duck_db: float = -15.0
    late: Late = "skip"
    overrides_quiet_hours: bool = False
    pushed: bool = False
    """Pushed over the socket: it stays when a new plan does not name it."""

    @property
    def order(self) -> tuple[int, int, str]:
        """Higher priority first, then the earlier, then by id: a total order."""
        return (RANK[self.priority], self.play_at, self.event_id)

    @property
    def duration_us(self) -> int:
        """Length in µs."""
        return self.duration_ms * 1000


def plays_of(plan: Plan) -> list[Play]:
    """The plays of a plan: its occurrences, and the announcements that stand in its programme.

    The latter are part of a timeline that all speakers share: a speaker that comes late joins. What names an asset
    that the plan does not hold is left out.
    """
    assets = plan.assets_by_hash()
    found = [
        Play(
            event_id=each.event_id,
            announcement_id=each.announcement_id,
            sha256=each.sha256,
            play_at=each.play_at,
            expires_at=each.expires_at,
            duration_ms=assets[each.sha256].duration_ms,
            volume=each.volume,
            gain_db=assets[each.sha256].gain_db,
            priority=each.priority,
            duck_db=each.duck_db,
            late=each.late,
            overrides_quiet_hours=each.overrides_quiet_hours,
        )
        for each in plan.occurrences
        if each.sha256 in assets
    ]
    found += [
        Play(
            event_id=segment.event_id,
            announcement_id=segment.announcement_id,
            sha256=segment.sha256,
            play_at=segment.start_at,
            expires_at=segment.start_at + PROGRAMME_EXPIRY_US,
            duration_ms=assets[segment.sha256].duration_ms,
            gain_db=assets[segment.sha256].gain_db,
            priority="playlist",
            late="join",
        )
        for segment in plan.programme
        if segment.event_id and segment.announcement_id is not None and segment.sha256 in assets
    ]
    return found


@dataclass(frozen=True)
class Missing:
    """An asset that is not there to be played; `outcome` and `why` are its play's fate if it stays so."""

    outcome: Outcome = "failed_fetch"
    why: str = "the audio was not here in time"


@dataclass(frozen=True)
class Situation:
    """What the rules need to know besides the plays. `missing` holds the assets that cannot be played yet."""

    now: int
    trusted: bool = True
    silences: tuple[Silence, ...] = ()
    silenced: bool = False
    missing: Mapping[str, Missing] | None = None


@dataclass(frozen=True)
class Start:
    """Commit to the journal, then let `play` sound from `offset_ms` on at instant `at`."""

    play: Play
    at: int
    offset_ms: int


@dataclass(frozen=True)
class Finish:
    """The play is over without a sample: keep this outcome."""

    play: Play
    outcome: Outcome
    error: str = ""


@dataclass(frozen=True)
class FadeOut:
    """Fade out what is armed or sounds, so that it is silent at `end_at`."""

    event_id: str
    end_at: int
    fade_ms: int


@dataclass(frozen=True)
class Disarm:
    """Take back what is armed and has not started."""

    event_id: str


Effect = Start | Finish | FadeOut | Disarm
Offer = Literal["armed", "duplicate", "expired"]


@dataclass
class _Armed:
    """What is in the output's hands."""

    play: Play
    at: int
    end_at: int
    offset_us: int
    cut: str = ""
    unheard: Outcome = "failed_output"


class Plays:
    """All plays that are due on this speaker. The caller carries out the effects that the methods return."""

    def __init__(self) -> None:
        self.pending: dict[str, Play] = {}
        self._armed: dict[str, _Armed] = {}
        self._held: set[str] = set()
        self._unclocked: set[str] = set()
        self._cancelled: set[str] = set()
        self._starts: dict[str, int] = {}

    def offer(self, play: Play, now: int, *, trusted: bool) -> Offer:
        """Takes a pushed play. `expired`: it is over already; the next `tick` says so with its outcome."""
        if play.event_id in self._armed:
            return "duplicate"
        known = play.event_id in self.pending
        self.pending[play.event_id] = play
        if known:
            return "duplicate"
        return "expired" if trusted and now >= play.expires_at else "armed"

    def replace_planned(self, plays: Iterable[Play], *, since: int, now: int) -> None:
        """Takes the plays of a new plan in the place of the old plan's.

        Those that were over at `since`, before this speaker could know of them, are left out. Between `since` and
        `now` it had no trusted clock.
        """
        planned = {
            play.event_id: play
            for play in plays
            if play.event_id not in self._armed and (play.expires_at > since or play.event_id in self.pending)
        }
        self._unclocked |= {key for key, play in planned.items() if play.expires_at <= now}
        pushed = {key: play for key, play in self.pending.items() if play.pushed}
        self.pending = {**planned, **pushed}
        self._held &= self.pending.keys()

    def cancel(self, event_id: str, now: int) -> list[Effect]:
        """Cancels an event, known or not yet: before its start it is dropped, while it sounds it fades out."""
        self._cancelled.add(event_id)
        play = self.pending.pop(event_id, None)
        if play is not None:
            return [Finish(play, "skipped_cancelled")]
        armed = self._armed.get(event_id)
        if armed is None or armed.cut:
            return []
        end_at = now + LEAD_US + CANCEL_FADE_MS * 1000
        return self._take_back(armed, now, "skipped_cancelled", "cancelled", end_at, CANCEL_FADE_MS)

    def ended(self, event_id: str, played_ms: int) -> tuple[Outcome, str]:
        """The output is done with it: its outcome, and why it is not whole."""
        armed = self._armed.pop(event_id)
        if armed.cut:
            return ("partial" if played_ms else armed.unheard), armed.cut
        if armed.offset_us:
            why = f"joined at {armed.offset_us // 1000} ms"
            return ("partial" if armed.offset_us > WHOLE_BUT_US else "played"), why
        return "played", ""

    def awaits(self, sha256: str) -> bool:
        """Whether a play that is still to start needs this audio."""
        return any(play.sha256 == sha256 for play in self.pending.values())

    def armed(self, event_id: str) -> bool:
        """Whether it is in the output's hands."""
        return event_id in self._armed

    def abandon(self, event_id: str) -> None:
        """What was armed will not sound: the place is free again."""
        self._armed.pop(event_id, None)

    def tick(self, situation: Situation) -> list[Effect]:
        """What has to happen now; nothing while the clock is not trusted."""
        if not situation.trusted:
            self._unclocked |= self.pending.keys()
            return []
        effects: list[Effect] = []
        while step := self._step(situation):
            effects += step
        self._unclocked.clear()
        return effects

    def wake_at(self, now: int) -> int | None:
        """The next instant at which `tick` could have something to do; None if only an event can bring it.

        Good for `HORIZON_US` after a tick.
        """
        instants = []
        for event_id, play in self.pending.items():
            start = self._starts.get(event_id, play.play_at)
            arm = start - ARM_AHEAD_US
            waiting = play.expires_at if start >= play.expires_at else max(now, start - LEAD_US) + RETRY_US
            instants.append(min(play.expires_at, arm if arm > now else waiting))
        return min(instants, default=None)

    # --- rules ---

    def _step(self, situation: Situation) -> list[Effect]:
        """The first thing that has to happen; places are given anew after each."""
        due = [play for play in self.pending.values() if play.play_at - HORIZON_US <= situation.now]
        for play in sorted(due, key=lambda each: each.order):
            ending = self._ending(play, situation)
            if ending is not None:
                return [self._drop(play, *ending)]
        self._starts = self._placed(due, situation)
        for play in sorted(due, key=lambda each: each.order):
            effects = self._start(play, self._starts[play.event_id], situation)
            if effects:
                return effects
        return []

    def _ending(self, play: Play, situation: Situation) -> tuple[Outcome, str] | None:
        """The outcome of a play that will not sound, whatever else happens."""
        if play.event_id in self._cancelled:
            return "skipped_cancelled", ""
        if situation.now >= play.expires_at:
            return self._why_not(play, situation)
        if play.play_at - ARM_AHEAD_US <= situation.now:
            reason = silenced_by(play, max(play.play_at, situation.now), situation)
            if reason is not None:
                return "skipped_quiet", reason
        return None

    def _placed(self, due: Sequence[Play], situation: Situation) -> dict[str, int]:
        """When each can start at the earliest. What cannot be played, for want of its audio, holds up nobody."""
        earliest = {play.event_id: self._earliest(play, situation.now) for play in due}
        claims = [
            Claim(
                event_id=play.event_id,
                priority=play.priority,
                due_at=play.play_at,
                earliest=earliest[play.event_id],
                duration_us=play.duration_us,
                expires_at=play.expires_at,
            )
            for play in due
            if play.sha256 not in (situation.missing or {})
        ]
        taken = [
            Span(each.at, each.end_at, each.play.priority == "emergency") for each in self._armed.values()
        ]
        places = place(claims, taken)
        self._held |= {event_id for event_id, found in places.items() if found.held}
        return earliest | {event_id: found.start for event_id, found in places.items()}

    def _earliest(self, play: Play, now: int) -> int:
        """What gave way to another and is still free to start does so from its beginning, soon."""
        return max(play.play_at, now + LEAD_US) if play.event_id in self._held else play.play_at

    def _start(self, play: Play, start: int, situation: Situation) -> list[Effect]:
        now, offset_us = situation.now, 0
        if start >= play.expires_at or start - ARM_AHEAD_US > now:
            return []
        if start < now + LEAD_US:
            offset_us = now + LEAD_US - start
            start += offset_us
            worth = play.late == "join" and offset_us <= play.duration_us - WORTH_JOINING_US
            if not worth:
                return [self._drop(play, *self._why_not(play, situation))]
            if start >= play.expires_at:
                return []
        if play.sha256 in (situation.missing or {}):
            return []
        effects: list[Effect] = []
        if play.priority == "emergency":
            for other in list(self._armed.values()):
                if other.play.priority != "emergency" and other.end_at > start:
                    why = "an emergency cut in"
                    effects += self._take_back(other, now, "skipped_preempted", why, start, CUT_FADE_MS)
        del self.pending[play.event_id]
        self._held.discard(play.event_id)
        end_at = start + play.duration_us - offset_us
        self._armed[play.event_id] = _Armed(play, start, end_at, offset_us)
        return [*effects, Start(play, start, offset_us // 1000)]

    def _why_not(self, play: Play, situation: Situation) -> tuple[Outcome, str]:
        if play.event_id in self._unclocked:
            return "skipped_clock", "the clock was not synchronised"
        missing = (situation.missing or {}).get(play.sha256)
        if missing is not None:
            return missing.outcome, missing.why
        if play.event_id in self._held:
            return "skipped_preempted", "another announcement was sounding"
        return "skipped_late", "its instant had passed"

    def _drop(self, play: Play, outcome: Outcome, error: str = "") -> Finish:
        del self.pending[play.event_id]
        self._held.discard(play.event_id)
        return Finish(play, outcome, error)

    def _take_back(
        self, armed: _Armed, now: int, unheard: Outcome, why: str, end_at: int, fade_ms: int
    ) -> list[Effect]:
        """Ends what is armed: taken back if it is far enough from its start, else faded out."""
        if armed.at - LEAD_US > now:
            self.abandon(armed.play.event_id)
            return [Disarm(armed.play.event_id), Finish(armed.play, unheard, why)]
        armed.cut, armed.unheard = why, unheard
        armed.end_at = min(armed.end_at, end_at)
        return [FadeOut(armed.play.event_id, armed.end_at, fade_ms)]


def silenced_by(play: Play, instant: int, situation: Situation) -> str | None:
    """Why this play may not start at an instant, or None."""
    if play.priority == "emergency":
        return None
    if situation.silenced:
        return "client_locked"
    for silence in situation.silences:
        overridden = silence.reason == "quiet_hours" and play.overrides_quiet_hours
        if silence.start_at <= instant < silence.end_at and not overridden:
            return silence.reason
    return None
