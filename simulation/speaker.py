"""A speaker: the real rules (`plays`), journal and messages, in simulated time, with an ear that forgets nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from simulation.kernel import HOUR, MINUTE, MS, SECOND, Kernel
from simulation.wire import Wire
from sync2gear_player import messages
from sync2gear_player.journal import Journal
from sync2gear_player.plan import Plan, parse
from sync2gear_player.plays import (
    Disarm,
    Effect,
    FadeOut,
    Finish,
    Missing,
    Play,
    Plays,
    Situation,
    Start,
    plays_of,
)

if TYPE_CHECKING:
    from simulation.server import Server

POLL = 2 * HOUR
REPEAT = 15 * SECOND
CLOCK_ERROR = 15 * MS
"""A clock that is trusted is wrong by no more than this."""
LOOK_AGAIN = 10 * MINUTE
LEAD_MS = 500


@dataclass
class Sound:
    """What an ear heard of one play. True time; `due_at` is where its first heard sample belonged."""

    play: Play
    started_at: int
    due_at: int
    ended_at: int | None = None


class Speaker:
    """One device. `power`, `online` and `silenced` are the world's to change."""

    def __init__(self, kernel: Kernel, server: Server, *, pk: int, name: str) -> None:
        self.pk, self.name = pk, name
        self.heard: list[Sound] = []
        self.receipts: dict[str, messages.Receipt] = {}
        """Every receipt that it made, by event."""
        self.powered_at: int | None = None
        self.online = True
        self.silenced = False
        self.journal = Journal(Path(":memory:"))
        self.well: list[tuple[int, int]] = []
        """When it had power, a clock, a plan and all that the plan needs."""
        self.told: list[int] = []
        """When the server has told it its plan, or that it still holds."""
        self._well_since: int | None = None
        self._kernel, self._server = kernel, server
        self._plan: Plan | None = None
        self._rev = -1
        self._boot = 0
        self._wire: Wire | None = None
        self._has: set[str] = set()
        self._reset()
        kernel.every(POLL, self._ask_plan)

    def _reset(self) -> None:
        self.trusted = False
        self._plays = Plays()
        self._planned: tuple[Play, ...] | None = None
        self._since = 0
        self._starts: dict[str, Start] = {}
        self._sounding: dict[str, Sound] = {}
        self._woken_at: int | None = None

    # --- power and clock ---

    def power_on(self) -> None:
        """Begins with what was kept: journal, plan, files. Does nothing to one that has power."""
        if self.powered_at is not None:
            return
        rng = self._kernel.rng
        self.powered_at = self._kernel.now
        self._boot += 1
        self._error = round(rng.uniform(-CLOCK_ERROR, CLOCK_ERROR))
        self._since = self.now
        for event_id in self.journal.recover(self.now):
            again = self.journal.receipt_again(event_id)
            if again is not None:
                self.receipts[event_id] = again
        if self._plan is not None:
            self._take_plan(self._plan)
        self._in_boot(rng.uniform(0.5, 5) * SECOND, self._connect)
        self._in_boot(REPEAT, self._repeat)

    def power_cut(self) -> None:
        """Silence at once; only what was committed is left."""
        if self.powered_at is None:
            return
        self._unwell()
        self.powered_at = None
        self._boot += 1
        for sound in self._sounding.values():
            sound.ended_at = self._kernel.now
        self._reset()
        if self._wire is not None:
            wire, self._wire = self._wire, None
            wire.cut()

    @property
    def now(self) -> int:
        """What it takes for the server's time."""
        return self._kernel.now + self._error

    def _in_boot(self, delay: float, do: object, *arguments: object) -> None:
        """`do` after a delay, unless the power has failed meanwhile."""
        boot = self._boot

        def later() -> None:
            if self._boot == boot and callable(do):
                do(*arguments)

        self._kernel.after(delay, later)

    def _trust(self) -> None:
        if not self.trusted:
            self.trusted = True
            if self._planned is None and self._plan is not None:
                self._take_plan(self._plan)
            self._hand_over()
            self._poke()

    # --- the connection ---

    def _connect(self) -> None:
        webs = [web for web in self._server.webs if web.alive]
        if self._wire is not None:
            return
        if not self.online or not webs:
            self._in_boot(self._kernel.rng.uniform(1, 15) * SECOND, self._connect)
            return
        web = self._kernel.rng.choice(webs)
        self._wire = Wire(self._kernel, self, web)
        web.open(self._wire)
        self._say(
            messages.Hello(
                boot_id=str(self._boot),
                software="simulated",
                capabilities=("sync", "plan"),
                plan_etag=self._etag,
                applied_rev=max(0, self._rev),
                clock=messages.ClockReport(state="synced", error_us=CLOCK_ERROR, round_trip_us=2 * MS),
                required_lead_ms=LEAD_MS,
                output_delay_ms=0,
            )
        )

    def network_cut(self) -> None:
        """Nothing leaves it and nothing arrives; nobody is told."""
        self.online = False
        if self._wire is not None:
            self._wire.cut()

    def lost(self, wire: Wire) -> None:
        """It has noticed that its connection is gone."""
        if self._wire is wire:
            self._wire = None
            self._in_boot(self._kernel.rng.uniform(0.2, 5) * SECOND, self._connect)

    def arrived(self, wire: Wire, frame: bytes) -> None:
        """A frame of the server."""
        if wire is not self._wire or self.powered_at is None:
            return
        match messages.decode(frame):
            case messages.Welcome(desired=desired):
                self._apply(desired)
                for receipt in self.journal.owed():
                    self._say(receipt)
                self._ask_plan()
                self._in_boot(1 * SECOND, self._trust)
            case messages.PlayAnnouncement() as push:
                self._take_push(push)
            case messages.CancelAnnouncement(event_id=event_id):
                self._carry_out(self._plays.cancel(event_id, self.now))
                self._poke()
            case messages.PlanChanged():
                self._ask_plan()
            case messages.SetDesired() as told:
                self._apply(told.desired())
            case messages.ReceiptAck(event_ids=event_ids):
                self.journal.acknowledge(event_ids)
            case messages.Junk(why=why):
                raise AssertionError(f"the server sent what the speaker cannot read: {why}")

    def _say(self, message: messages.Outgoing) -> None:
        if self._wire is not None:
            self._wire.up(messages.encode(message, self.now))

    def _repeat(self) -> None:
        for receipt in self.journal.owed():
            self._say(receipt)
        self._in_boot(REPEAT, self._repeat)

    def _apply(self, desired: messages.Desired) -> None:
        if desired.rev > self._rev:
            self._rev, self.silenced = desired.rev, desired.silenced
            self._poke()

    # --- plan and pushes ---

    @property
    def _etag(self) -> str:
        return "" if self._plan is None else self._plan.etag

    def _ask_plan(self) -> None:
        """A request is answered whole after a while, or fails if the way is cut or every process is dead."""
        if self.powered_at is not None:
            self._in_boot(self._kernel.rng.uniform(20, 800) * MS, self._fetch)

    def _fetch(self) -> None:
        if not self.online or not any(web.alive for web in self._server.webs):
            if self._wire is not None:
                self._in_boot(self._kernel.rng.uniform(2, 60) * SECOND, self._fetch)
            return
        document = self._server.fetch_plan(self.pk, self._etag)
        self.told.append(self._kernel.now)
        if document is not None:
            self._in_boot(self._kernel.rng.uniform(5, 200) * MS, self._arrived_plan, document)

    def _arrived_plan(self, document: bytes) -> None:
        self._plan = parse(json.loads(document))
        self._take_plan(self._plan)
        self._apply(self._plan.desired)

    def _take_plan(self, plan: Plan) -> None:
        plays = plays_of(plan)
        known = self.journal.known(play.event_id for play in plays)
        self._planned = tuple(play for play in plays if play.event_id not in known)
        self._silences = plan.silences
        for sha256 in {play.sha256 for play in self._planned}:
            self._need(sha256)
        self._hand_over()
        self._poke()

    def _hand_over(self) -> None:
        if self._planned is None or not self.trusted:
            return
        plays, self._planned = self._planned, None
        self._plays.replace_planned(plays, since=min(self.now, self._since), now=self.now)
        self._since = self.now
        self._perhaps_well()

    def _perhaps_well(self) -> None:
        if self._well_since is not None or self._plan is None or self._planned is not None:
            return
        if self.trusted and self._has.issuperset(asset.sha256 for asset in self._plan.assets):
            self._well_since = self._kernel.now

    def _unwell(self) -> None:
        if self._well_since is not None:
            self.well.append((self._well_since, self._kernel.now))
            self._well_since = None

    def spans_well(self) -> list[tuple[int, int]]:
        """`well`, up to now."""
        return self.well + ([(self._well_since, self._kernel.now)] if self._well_since is not None else [])

    def _take_push(self, push: messages.PlayAnnouncement) -> None:
        again = self.journal.receipt_again(push.event_id)
        if again is not None:
            self._say(messages.Ack(event_id=push.event_id, state="duplicate"))
            self._say(again)
            return
        play = Play(
            event_id=push.event_id,
            announcement_id=push.announcement_id,
            sha256=push.sha256,
            play_at=push.play_at,
            expires_at=push.expires_at,
            duration_ms=push.duration_ms,
            volume=push.volume,
            priority=push.priority,
            late=push.late,
            overrides_quiet_hours=push.overrides_quiet_hours,
            pushed=True,
        )
        state = self._plays.offer(play, self.now, trusted=self.trusted)
        self._need(play.sha256)
        self._say(messages.Ack(event_id=push.event_id, state=state))
        self._poke()

    def _need(self, sha256: str) -> None:
        if sha256 not in self._has:
            self._in_boot(self._kernel.rng.uniform(20, 900) * MS, self._fetched, sha256)

    def _fetched(self, sha256: str) -> None:
        if self.online:
            self._has.add(sha256)
            self._perhaps_well()
            self._poke()
        elif sha256 not in self._has:
            self._in_boot(self._kernel.rng.uniform(2, 60) * SECOND, self._fetched, sha256)

    # --- playing ---

    def _poke(self) -> None:
        """Decides again, now."""
        if self.powered_at is None:
            return
        missing = {p.sha256: Missing() for p in self._plays.pending.values() if p.sha256 not in self._has}
        silences = self._silences if self._plan is not None else ()
        situation = Situation(
            now=self.now, trusted=self.trusted, silences=silences, silenced=self.silenced, missing=missing
        )
        self._carry_out(self._plays.tick(situation))
        wake_at = self._plays.wake_at(self.now)
        wait = LOOK_AGAIN if wake_at is None else min(LOOK_AGAIN, max(1 * MS, wake_at - self.now))
        self._woken_at = woken_at = self._kernel.now + wait
        self._in_boot(wait, self._wake, woken_at)

    def _wake(self, woken_at: int) -> None:
        if self._woken_at == woken_at:
            self._poke()

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Start():
                    self._start(effect)
                case Finish(play=play, outcome=outcome, error=error):
                    self._keep(_receipt(play, outcome, error))
                case FadeOut(event_id=event_id, end_at=end_at):
                    self._in_boot(max(0, end_at - self.now), self._end, event_id)
                case Disarm(event_id=event_id):
                    self._starts.pop(event_id, None)

    def _start(self, start: Start) -> None:
        if not self.journal.begin(_receipt(start.play, "unknown_after_crash"), self.now):
            self._plays.abandon(start.play.event_id)
            return
        self._starts[start.play.event_id] = start
        self._in_boot(max(0, start.at - self.now), self._sound, start)

    def _sound(self, start: Start) -> None:
        if self._starts.get(start.play.event_id) is not start:
            return
        now = self._kernel.now
        sound = Sound(start.play, now, start.play.play_at + start.offset_ms * MS)
        self.heard.append(sound)
        self._sounding[start.play.event_id] = sound
        self._say(messages.PlaybackStarted(event_id=start.play.event_id, started_at=self.now))
        left = start.play.duration_us - start.offset_ms * MS
        self._in_boot(left, self._end, start.play.event_id)

    def _end(self, event_id: str) -> None:
        start, sound = self._starts.pop(event_id, None), self._sounding.pop(event_id, None)
        if start is None:
            return
        played = 0 if sound is None else self._kernel.now - sound.started_at
        outcome, error = self._plays.ended(event_id, played // MS)
        receipt = _receipt(start.play, outcome, error)
        if sound is not None:
            sound.ended_at = self._kernel.now
            receipt = replace(
                receipt,
                started_at=sound.started_at + self._error,
                ended_at=self.now,
                played_ms=played // MS,
                start_error_us=sound.started_at + self._error - sound.due_at,
            )
        self._keep(receipt)
        self._poke()

    def _keep(self, receipt: messages.Receipt) -> None:
        self.journal.finish(receipt, self.now)
        self.receipts.setdefault(receipt.event_id, receipt)
        self._say(receipt)


def _receipt(play: Play, outcome: messages.Outcome, error: str = "") -> messages.Receipt:
    return messages.Receipt(
        event_id=play.event_id,
        announcement_id=play.announcement_id,
        outcome=outcome,
        played_ms=0,
        error=error,
        play_at=play.play_at,
        priority=play.priority,
    )
