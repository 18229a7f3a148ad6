"""The speaker: wires link, plan, media, plays, journal and output together. The rules live in those."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from sync2gear_player import SOFTWARE
from sync2gear_player.backoff import Backoff
from sync2gear_player.cache import DEFAULT_BOUND_BYTES, Cache
from sync2gear_player.clock import Clock
from sync2gear_player.clockfilter import Probe
from sync2gear_player.commands import Commands
from sync2gear_player.heard import MusicHeard
from sync2gear_player.journal import Journal
from sync2gear_player.link import Link
from sync2gear_player.media import Media, Need
from sync2gear_player.messages import (
    Ack,
    CancelAnnouncement,
    Control,
    Desired,
    Hello,
    Incoming,
    PlanChanged,
    PlayAnnouncement,
    Receipt,
    ReceiptAck,
    SetDesired,
    StatusUpdate,
    TestTone,
    Welcome,
)
from sync2gear_player.mixer.graph import Levels, Mixer
from sync2gear_player.music_reports import MusicReports
from sync2gear_player.network import Network, resolve
from sync2gear_player.output import Note, Output, OutputCrashed
from sync2gear_player.performer import Performer
from sync2gear_player.plan import Plan, needed_assets
from sync2gear_player.planning import PlanKeeper
from sync2gear_player.plays import LEAD_US, Play, plays_of
from sync2gear_player.programme import Programme
from sync2gear_player.sinks.base import Sink
from sync2gear_player.store import Identity, KeptState, StateFolder
from sync2gear_player.timekeeping import Timekeeper

CAPABILITIES = ("sync", "plan", "duck", "join", "cancel", "test_tone", "identify", "music_reports")
DECODE_MS = 300
"""Allowed for decoding an announcement and for a slow machine; the fetch is the server's to add."""
STATUS_LOOK_S = 0.5
PRUNE_S = 3600.0

log = logging.getLogger(__name__)

Record = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True)
class Parts:
    """What a speaker is built from; tests put their own in. `record` takes what a capture file tells of itself."""

    clock: Clock
    network: Network
    sink: Sink
    rng: random.Random
    record: Record | None = None
    cache_bytes: int = DEFAULT_BOUND_BYTES


class Device:
    """One speaker. `run` plays until it is cancelled, or returns when the server wants it restarted."""

    def __init__(self, parts: Parts, state: StateFolder, identity: Identity) -> None:
        self._parts = parts
        self.clock = parts.clock
        self._state = state
        self.journal = Journal(state.path / "journal.db")
        self.time = Timekeeper(parts.clock, state)
        self.media = Media(
            cache=Cache(state.path / "cache", parts.cache_bytes),
            network=parts.network,
            clock=parts.clock,
            server=identity.server,
            changed=self._poke,
            stale_urls=lambda: self.plans.refresh(anew=True),
        )
        self.plans = PlanKeeper(
            network=parts.network,
            state=state,
            server=identity.server,
            url=identity.plan_url,
            token=identity.token,
            now=self.time.now,
            lacking=lambda: self.media.lacking,
            changed=self._take_plan,
        )
        self.kept = state.load("desired", KeptState) or KeptState(
            rev=-1, volume=75, muted=False, output_delay_ms=0, silenced=False, stopped=False
        )
        self.paused = False
        programme = Programme(self.media.open)
        self.mixer = Mixer(programme)
        self.output = Output(
            parts.sink, parts.clock, self.mixer, programme, self.time.estimate, self._noted_in_thread
        )
        self.link = Link(
            network=parts.network,
            clock=parts.clock,
            backoff=Backoff(parts.rng),
            url=resolve(identity.server, identity.ws_path),
            token=identity.token,
            handler=self,
        )
        self.performer = Performer(self)
        self.commands = Commands(self)
        self.music_reports = MusicReports(self)
        self.restart_wanted = asyncio.Event()
        self._notes: asyncio.Queue[Note] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Plays. Raises `SinkError` if the output cannot be opened at the start."""
        self._loop = asyncio.get_running_loop()
        lost = self.journal.recover(self.time.now())
        if lost:
            log.warning("%d plays were cut off by the last stop; they are reported as unknown", len(lost))
        self.journal.recover_music(self.clock.boot_id)
        self.apply_levels()
        self.plans.load()
        self.output.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(work) for work in self._work()]
                try:
                    await self.restart_wanted.wait()
                finally:
                    await self.link.close("restart" if self.restart_wanted.is_set() else "stopped")
                    for task in running:
                        task.cancel()
        finally:
            self.output.stop()
            await self._keep_last_words()
            self.time.keep()
            self.journal.close()

    def _work(self) -> tuple[Coroutine[None, None, None], ...]:
        return (
            self.link.run(),
            self.plans.run(),
            self.media.run(),
            self.performer.run(),
            self.music_reports.run(),
            self._report_status(),
            self._hear_notes(),
            self._prune(),
        )

    # --- for the link ---

    def hello(self) -> Hello:
        """See `link.Handler`."""
        return Hello(
            boot_id=self._parts.clock.boot_id,
            software=SOFTWARE,
            capabilities=CAPABILITIES,
            plan_etag=self.plans.etag,
            applied_rev=max(0, self.kept.rev),
            clock=self.time.report(),
            required_lead_ms=LEAD_US // 1000 + DECODE_MS,
            output_delay_ms=self.kept.output_delay_ms,
        )

    def owed(self) -> list[Receipt]:
        """See `link.Handler`."""
        return self.journal.owed()

    def now(self) -> int:
        """See `link.Handler`."""
        return max(0, self.time.now())

    def probed(self, probe: Probe, burst: tuple[int, int]) -> None:
        """See `link.Handler`."""
        was_trusted = self.time.trusted
        if self.time.probed(probe, burst):
            self.output.estimate = self.time.estimate
        if not was_trusted and self.time.trusted and self.plans.plan is not None:
            self._take_plan(self.plans.plan)
        if not was_trusted:
            self._poke()
            self.music_reports.poke()

    async def message(self, message: Incoming) -> None:
        """See `link.Handler`."""
        match message:
            case Welcome():
                self._apply_desired(message.desired)
                self.plans.use_url(message.plan_url)
                if not self.plans.etag or message.plan_etag != self.plans.etag:
                    self.plans.refresh()
                self.music_reports.poke()
            case PlayAnnouncement():
                await self._take_push(message)
            case CancelAnnouncement():
                await self.performer.cancel(message.event_id)
            case PlanChanged():
                if message.etag != self.plans.etag or not message.etag:
                    self.plans.refresh()
            case SetDesired():
                self._apply_desired(message.desired())
            case Control() | TestTone():
                self.commands.take(message)
            case ReceiptAck():
                await asyncio.to_thread(self.journal.acknowledge, message.event_ids)
                await self.music_reports.acknowledged(message.report_ids)

    # --- state ---

    def set_stopped(self, *, stopped: bool) -> None:
        """Keeps a person's stop of this speaker's music over restarts."""
        self.kept = replace(self.kept, stopped=stopped)
        self._state.save("desired", self.kept)
        self.apply_levels()

    def apply_levels(self) -> None:
        """Hands volume, mute, stop and delay to the output."""
        levels = Levels(
            volume=self.kept.volume,
            muted=self.kept.muted,
            music_off=self.paused or self.kept.stopped,
            silenced=self.kept.silenced,
        )
        self.output.output_delay_ms = self.kept.output_delay_ms
        self.output.submit(lambda mixer, _: setattr(mixer, "levels", levels))

    def _apply_desired(self, desired: Desired) -> None:
        if desired.rev <= self.kept.rev:
            return
        self.kept = replace(
            self.kept,
            rev=desired.rev,
            volume=min(100, max(0, desired.volume)),
            muted=desired.muted,
            output_delay_ms=max(0, desired.output_delay_ms),
            silenced=desired.silenced,
        )
        self._state.save("desired", self.kept)
        self.apply_levels()
        self._poke()

    def _take_plan(self, plan: Plan) -> None:
        now = self.time.now()
        self._apply_desired(plan.desired)
        plays = plays_of(plan)
        known = self.journal.known(play.event_id for play in plays)
        self.performer.take_planned([play for play in plays if play.event_id not in known], plan.silences)
        assets = plan.assets_by_hash()
        needs = [assets[sha256] for sha256 in needed_assets(plan, now) if sha256 in assets]
        self.media.plan(Need(asset.sha256, asset.url, asset.bytes) for asset in needs)
        self.output.submit(lambda _, programme: programme.set_plan(plan, now))
        self._poke()

    async def _take_push(self, push: PlayAnnouncement) -> None:
        play = Play(
            event_id=push.event_id,
            announcement_id=push.announcement_id,
            sha256=push.sha256,
            play_at=push.play_at,
            expires_at=push.expires_at,
            duration_ms=push.duration_ms,
            volume=push.volume,
            gain_db=push.gain_db,
            priority=push.priority,
            duck_db=push.duck_db,
            late=push.late,
            overrides_quiet_hours=push.overrides_quiet_hours,
            pushed=True,
        )
        again = await asyncio.to_thread(self.journal.receipt_again, push.event_id)
        if again is not None:
            self.link.say(Ack(event_id=push.event_id, state="duplicate"), urgent=True)
            self.link.owe(again)
            return
        state = self.performer.take_pushed(play)
        fetching = self.media.push(Need(push.sha256, push.audio_url, push.bytes))
        if state == "armed" and fetching:
            self.performer.acknowledge_when_ready(play)
            self.link.say(Ack(event_id=push.event_id, state="fetching"), urgent=True)
        else:
            self.link.say(Ack(event_id=push.event_id, state=state), urgent=True)
        self._poke()

    # --- work ---

    async def _report_status(self) -> None:
        told: object = None
        clock, told_us = self.clock, 0
        while True:
            await asyncio.sleep(STATUS_LOOK_S)
            welcome = self.link.welcome
            if welcome is None:
                told = None
                continue
            playing, report = self.output.state.now_playing, self.time.report()
            change = (self.kept, playing.kind, playing.id, report.state, id(welcome))
            if change == told and clock.monotonic_us() - told_us < welcome.heartbeat_s * 1e6:
                continue
            told, told_us = change, clock.monotonic_us()
            self.link.say(
                StatusUpdate(
                    volume=self.kept.volume,
                    muted=self.kept.muted,
                    now_playing=playing,
                    applied_rev=max(0, self.kept.rev),
                    clock=report,
                    buffer_ms=self._parts.sink.buffer_ms,
                    underruns=self.output.state.underruns,
                    cache_bytes=self.media.cache_bytes(),
                    receipts_pending=self.link.receipts_pending,
                )
            )

    async def _hear_notes(self) -> None:
        while True:
            note = await self._notes.get()
            if isinstance(note, OutputCrashed):
                raise RuntimeError("the output's thread has failed") from note.error
            if isinstance(note, MusicHeard):
                await self.music_reports.hear(note)
                continue
            await self.performer.hear(note)
            self.commands.hear(note)

    async def _keep_last_words(self) -> None:
        """What music sounded until the output was stopped; `run` has nobody left to hear it."""
        await asyncio.sleep(0)  # the thread's last notes arrive
        while not self._notes.empty():
            note = self._notes.get_nowait()
            if isinstance(note, MusicHeard):
                self.music_reports.keep(note)
        for heard in self.output.last_words():
            self.music_reports.keep(heard)

    async def _prune(self) -> None:
        while True:
            if self.time.trusted:
                await asyncio.to_thread(self.journal.prune, self.time.now())
            await asyncio.to_thread(self.journal.prune_music)
            await asyncio.sleep(PRUNE_S)

    def record(self, kind: str, entry: dict[str, Any]) -> None:
        """Adds to what a capture file tells of itself, if the output is one."""
        if self._parts.record is not None:
            self._parts.record(kind, entry)

    def _poke(self) -> None:
        self.performer.poke()

    def _noted_in_thread(self, note: Note) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._notes.put_nowait, note)
