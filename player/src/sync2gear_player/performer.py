"""Carries out what `plays` decides: journal first, then the output; and makes receipts of what the output tells."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sync2gear_player.messages import Ack, Outcome, PlaybackStarted, Receipt
from sync2gear_player.mixer import RATE
from sync2gear_player.mixer.graph import Mixer
from sync2gear_player.mixer.voices import Clip, ClipEnded, ClipStarted
from sync2gear_player.output import Note, OutputFailed, SegmentStarted
from sync2gear_player.plan import Silence
from sync2gear_player.plays import Disarm, Effect, FadeOut, Finish, Offer, Play, Plays, Situation, Start
from sync2gear_player.programme import Programme

if TYPE_CHECKING:
    from sync2gear_player.device import Device

DECODE_AHEAD_US = 60_000_000
LOOK_AGAIN_S = 5.0

log = logging.getLogger(__name__)


class Performer:
    """Runs the announcements of one speaker. All methods are for the event loop's thread."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._plays = Plays()
        self._planned: tuple[Play, ...] | None = None
        self._since_us = device.clock.monotonic_us()
        self._silences: tuple[Silence, ...] = ()
        self._starting: dict[str, Start] = {}
        self._sounding: dict[str, ClipStarted] = {}
        self._awaited: dict[str, Play] = {}
        self._wake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    def poke(self) -> None:
        """Something changed: decide again."""
        self._wake.set()

    def take_pushed(self, play: Play) -> Offer:
        """Takes a play that was pushed."""
        return self._plays.offer(play, self._device.time.now(), trusted=self._device.time.trusted)

    def take_planned(self, plays: Iterable[Play], silences: tuple[Silence, ...]) -> None:
        """Takes the plays of a new plan."""
        self._silences = silences
        self._planned = tuple(plays)
        self._hand_over()

    def acknowledge_when_ready(self, play: Play) -> None:
        """Sends the ack `armed` once the audio is here, or `cannot`."""
        self._awaited[play.event_id] = play

    async def cancel(self, event_id: str) -> None:
        """Cancels an event, in whatever state it is."""
        async with self._one_at_a_time:
            await self._carry_out(self._plays.cancel(event_id, self._device.time.now()))

    async def run(self) -> None:
        """Decides for ever; returns only by cancellation."""
        while True:
            self._wake.clear()
            async with self._one_at_a_time:
                await self._decide()
            now = self._device.time.now()
            wake_at = self._plays.wake_at(now)
            wait = LOOK_AGAIN_S if wake_at is None else min(LOOK_AGAIN_S, max(0.001, (wake_at - now) / 1e6))
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def hear(self, note: Note) -> None:
        """Takes what the output tells."""
        match note:
            case ClipStarted(clip=Clip(kind="announcement")):
                self._sounding[note.clip.key] = note
                self._device.link.say(PlaybackStarted(event_id=note.clip.key, started_at=round(note.at)))
                await self._record(note)
            case ClipEnded(clip=Clip(kind="announcement")):
                await self._receipt_of(note)
            case SegmentStarted():
                entry = {"key": note.segment_id, "frame": note.frame, "position_ms": note.position_ms}
                await asyncio.to_thread(self._device.record, "segments", entry)
            case OutputFailed():
                await self._lose(note)

    # --- decisions ---

    def _hand_over(self) -> None:
        """Gives the plan's plays to the rules as soon as the clock can tell which of them are over."""
        time = self._device.time
        if self._planned is None or not time.trusted:
            return
        plays, self._planned = self._planned, None
        now = time.now()
        since = min(now, round(time.estimate.server_us(self._since_us)))
        self._since_us = self._device.clock.monotonic_us()
        self._plays.replace_planned(plays, since=since, now=now)

    async def _decide(self) -> None:
        device = self._device
        self._hand_over()
        now = device.time.now()
        soon = {play.sha256 for play in self._plays.pending.values() if play.play_at - DECODE_AHEAD_US <= now}
        device.media.prepare(soon)
        missing = device.media.missing(soon)
        self._acknowledge_awaited()
        situation = Situation(
            now=now,
            trusted=device.time.trusted,
            silences=self._silences,
            silenced=device.kept.silenced,
            missing=missing,
        )
        await self._carry_out(self._plays.tick(situation))

    async def _carry_out(self, effects: Iterable[Effect]) -> None:
        output = self._device.output
        for effect in effects:
            match effect:
                case Start():
                    await self._start(effect)
                case Finish(play=play, outcome=outcome, error=error):
                    if not self._plays.awaits(play.sha256):
                        self._device.media.release(play.sha256)
                    await self._keep(_unheard(play, outcome, error))
                case FadeOut():
                    output.submit(partial(_fade_out, effect))
                case Disarm():
                    self._starting.pop(effect.event_id, None)
                    output.submit(partial(_disarm, effect))

    async def _start(self, start: Start) -> None:
        play, device = start.play, self._device
        pcm = device.media.clip(play.sha256)
        crashed = _unheard(
            play, "unknown_after_crash", "the speaker stopped while this was about to sound or sounding"
        )
        begun = await asyncio.to_thread(device.journal.begin, crashed, device.time.now())
        if not begun:
            log.warning("%s is in the journal already: it is not played again", play.event_id)
            self._plays.abandon(play.event_id)
            return
        clip = Clip(
            key=play.event_id,
            kind="announcement",
            pcm=pcm,
            start_at=start.at,
            offset_frames=start.offset_ms * RATE // 1000,
            volume=device.kept.volume if play.volume is None else play.volume,
            gain_db=play.gain_db,
            duck_db=play.duck_db,
            emergency=play.priority == "emergency",
            announcement_id=play.announcement_id,
        )
        self._starting[play.event_id] = start
        device.output.submit(lambda mixer, _: mixer.add(clip))

    def _acknowledge_awaited(self) -> None:
        for event_id, play in list(self._awaited.items()):
            if self._device.media.has(play.sha256):
                del self._awaited[event_id]
                self._device.link.say(Ack(event_id=event_id, state="armed"), urgent=True)

    # --- receipts ---

    async def _receipt_of(self, ended: ClipEnded) -> None:
        key, played_ms = ended.clip.key, round(ended.played_frames * 1000 / RATE)
        started, start = self._sounding.pop(key, None), self._starting.pop(key)
        outcome, error = self._plays.ended(key, played_ms)
        if started is None:
            if outcome == "played":
                outcome, error = "skipped_late", "it came too late to the output"
            await self._keep(_unheard(start.play, outcome, error))
        else:
            due_at = start.play.play_at + start.offset_ms * 1000
            receipt = replace(
                _unheard(start.play, outcome, error or ("the speaker was muted" if started.muted else "")),
                started_at=round(started.at),
                ended_at=round(ended.at),
                start_error_us=round(started.at - due_at),
                played_ms=played_ms,
            )
            await self._keep(receipt)
            await self._record(started, receipt)
        self.poke()

    async def _lose(self, failed: OutputFailed) -> None:
        log.error("the output has failed: %s", failed.why)
        for key in failed.lost:
            self._plays.abandon(key)
            self._sounding.pop(key, None)
            start = self._starting.pop(key, None)
            if start is not None:
                await self._keep(_unheard(start.play, "failed_output", failed.why))

    async def _keep(self, receipt: Receipt) -> None:
        awaited = self._awaited.pop(receipt.event_id, None)
        if awaited is not None:
            cannot = Ack(event_id=receipt.event_id, state="cannot", reason=receipt.outcome)
            self._device.link.say(cannot, urgent=True)
        await asyncio.to_thread(self._device.journal.finish, receipt, self._device.time.now())
        self._device.link.owe(receipt)
        log.info("%s: %s %s", receipt.event_id, receipt.outcome, receipt.error)

    async def _record(self, started: ClipStarted, receipt: Receipt | None = None) -> None:
        entry = {
            "key": started.clip.key,
            "event_id": started.clip.key,
            "announcement_id": started.clip.announcement_id,
            "started_frame": started.frame,
            "started_at_reported_us": round(started.at),
        }
        if receipt is not None:
            entry |= {"outcome": receipt.outcome, "ended_at_reported_us": receipt.ended_at}
        await asyncio.to_thread(self._device.record, "events", entry)


def _unheard(play: Play, outcome: Outcome, error: str) -> Receipt:
    return Receipt(
        event_id=play.event_id,
        announcement_id=play.announcement_id,
        outcome=outcome,
        played_ms=0,
        error=error,
        play_at=play.play_at,
        priority=play.priority,
    )


def _fade_out(effect: FadeOut, mixer: Mixer, _: Programme) -> None:
    mixer.fade_out(effect.event_id, effect.end_at, effect.fade_ms)


def _disarm(effect: Disarm, mixer: Mixer, _: Programme) -> None:
    mixer.disarm(effect.event_id)
