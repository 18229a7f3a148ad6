"""Which announcement sounds when on this speaker: pure rules over plays, given the time.

The rules, in the order in which they are asked:

1. An event is played once or not at all; a push and the plan's own occurrence are one play (same `event_id`).
2. Nothing starts at or after its `expires_at`.
3. Without a trusted clock nothing starts, nor is anything judged: what passed meanwhile is told once it is trusted.
4. In a silence of the plan only what ignores its reason starts; while silenced, only emergencies.
5. A play starts at its `play_at`. One that missed it is skipped (`late="skip"`), or enters at the position where
   the others are (`late="join"`). Nothing starts late from its beginning, but for rule 6.
6. Two announcements never overlap. An emergency cuts in; any other waits until the one that sounds has ended, and
   does not begin if it would still sound when a higher one is due. What waited starts from its beginning, `GAP_US`
   after the other's end, the same on every speaker of the floor, or is dropped at its expiry.

A play that is about to start is armed `ARM_AHEAD_US` before: from then on it is in the output's hands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from sync2gear_player.messages import Late, Outcome, Priority
from sync2gear_player.plan import Plan, Silence, SilenceReason

ARM_AHEAD_US = 700_000
GAP_US = 250_000
LEAD_US = 200_000
"""A start nearer than this can no longer be met: the journal's commit and the output's buffer come first."""
WORTH_JOINING_US = 300_000
RETRY_US = 50_000
CANCEL_FADE_MS = 250
CUT_FADE_MS = 150

RANK: dict[Priority, int] = {"emergency": 0, "instant": 1, "timeline": 2, "interval": 3, "playlist": 4}

IGNORES: dict[SilenceReason, frozenset[Priority]] = {
    "quiet_hours": frozenset({"emergency", "instant"}),
    "stopped": frozenset({"emergency", "instant"}),
    "client_locked": frozenset({"emergency"}),
}
"""What sounds in spite of a silence. The server lets an instant play through only if it may override."""


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

    The latter are part of a timeline that all speakers share: one that comes late joins, and the programme's own
    fades, not ducking, make room for them. What names an asset that the plan does not hold is left out.
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
            expires_at=segment.end_at,
            duration_ms=assets[segment.sha256].duration_ms,
            gain_db=assets[segment.sha256].gain_db,
            priority="playlist",
            duck_db=0.0,
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
    offset_ms: int
    cut: str = ""
    unheard: Outcome = "failed_output"


class Plays:
    """All plays that are due on this speaker. The caller carries out the effects that the methods return."""

    def __init__(self) -> None:
        self.pending: dict[str, Play] = {}
        self.current: _Armed | None = None
        """The announcement that holds the floor: armed or sounding. One that is cut by an emergency does not."""
        self._armed: dict[str, _Armed] = {}
        self._free_from = 0
        self._held: set[str] = set()
        self._unclocked: set[str] = set()
        self._cancelled: set[str] = set()

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

    def ended(self, event_id: str, at: int, played_ms: int) -> tuple[Outcome, str]:
        """The output is done with it at `at`: its outcome, and why it is not whole."""
        armed = self._armed.pop(event_id)
        if self.current is armed:
            self.current = None
            self._free_from = at + GAP_US
        if armed.cut:
            return ("partial" if played_ms else armed.unheard), armed.cut
        if armed.offset_ms:
            return "partial", f"joined at {armed.offset_ms} ms"
        return "played", ""

    def armed(self, event_id: str) -> bool:
        """Whether it is in the output's hands."""
        return event_id in self._armed

    def abandon(self, event_id: str) -> None:
        """What was armed will not sound: the place is free again."""
        armed = self._armed.pop(event_id, None)
        if armed is not None and self.current is armed:
            self.current = None

    def tick(self, situation: Situation) -> list[Effect]:
        """What has to happen now; nothing while the clock is not trusted."""
        if not situation.trusted:
            self._unclocked |= self.pending.keys()
            return []
        effects: list[Effect] = []
        for play in sorted(self.pending.values(), key=lambda each: each.order):
            if play.play_at - ARM_AHEAD_US <= situation.now:
                effects += self._decide(play, situation)
        self._unclocked.clear()
        return effects

    def wake_at(self, now: int) -> int | None:
        """The next instant at which `tick` could have something to do; None if only an event can bring it."""
        instants = []
        for play in self.pending.values():
            start, _ = self._start_of(play)
            arm = start - ARM_AHEAD_US
            instants.append(arm if arm > now else min(play.expires_at, max(now, start - LEAD_US) + RETRY_US))
        return min(instants, default=None)

    # --- rules ---

    def _decide(self, play: Play, situation: Situation) -> list[Effect]:
        now = situation.now
        if play.event_id in self._cancelled:
            return [self._drop(play, "skipped_cancelled")]
        if now >= play.expires_at:
            return [self._drop(play, *self._why_not(play, situation))]
        start, waits = self._start_of(play)
        if waits:
            self._held.add(play.event_id)
        if start < now + LEAD_US:
            if play.late == "skip" and play.event_id not in self._held:
                return [self._drop(play, *self._why_not(play, situation))]
            start = now + LEAD_US
        offset = start - play.play_at if play.late == "join" else 0
        if offset > max(0, play.duration_us - WORTH_JOINING_US):
            return [self._drop(play, *self._why_not(play, situation))]
        if start >= play.expires_at or start - ARM_AHEAD_US > now:
            return []
        reason = silenced_by(play.priority, start, situation)
        if reason is not None:
            return [self._drop(play, "skipped_quiet", reason)]
        if play.sha256 in (situation.missing or {}):
            return []
        return self._arm(play, start, offset, now)

    def _arm(self, play: Play, start: int, offset_us: int, now: int) -> list[Effect]:
        effects: list[Effect] = []
        end_at = start + play.duration_us - offset_us
        if self.current is not None:
            if not self._cuts_in(play):
                self._held.add(play.event_id)
                return []
            why = "an emergency cut in"
            effects += self._take_back(self.current, now, "skipped_preempted", why, start, CUT_FADE_MS)
        elif self._higher_due(play, start, end_at):
            self._held.add(play.event_id)
            return []
        del self.pending[play.event_id]
        self._held.discard(play.event_id)
        self.current = _Armed(play=play, at=start, end_at=end_at, offset_ms=offset_us // 1000)
        self._armed[play.event_id] = self.current
        return [*effects, Start(play, start, offset_us // 1000)]

    def _cuts_in(self, play: Play) -> bool:
        return play.priority == "emergency" and (
            self.current is None or self.current.play.priority != "emergency"
        )

    def _higher_due(self, play: Play, start: int, end_at: int) -> bool:
        return any(
            RANK[other.priority] < RANK[play.priority] and start <= other.play_at < end_at + GAP_US
            for other in self.pending.values()
        )

    def _start_of(self, play: Play) -> tuple[int, bool]:
        """When it can start at the earliest, and whether it waits for another to end."""
        if self._cuts_in(play):
            return play.play_at, False
        if self.current is not None and self.current.end_at + GAP_US > play.play_at:
            return self.current.end_at + GAP_US, True
        if play.event_id in self._held:
            return max(play.play_at, self._free_from), True
        return play.play_at, False

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


def silenced_by(priority: Priority, instant: int, situation: Situation) -> str | None:
    """Why nothing of this priority may sound at an instant, or None."""
    if situation.silenced and priority != "emergency":
        return "client_locked"
    for silence in situation.silences:
        if silence.start_at <= instant < silence.end_at and priority not in IGNORES[silence.reason]:
            return silence.reason
    return None
