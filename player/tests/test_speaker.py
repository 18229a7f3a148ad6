"""The whole speaker in real time against a server on loopback, judged by what it rendered."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from devices import plan as plan_truth
from devices import protocol
from sync2gear_player.clock import LabClock, RealClock
from sync2gear_player.device import Device, Parts
from sync2gear_player.network import RealNetwork
from sync2gear_player.sinks.file import FileSink
from sync2gear_player.store import Identity, StateFolder

from .fake_server import RATE, TOKEN, FakeServer, event_id, noise
from .measuring import heard_in, level, onset_us

pytestmark = [pytest.mark.system, pytest.mark.alone]
WORDS = noise(1.0, seed=7, level=0.2)


@dataclass
class Speaker:
    device: Device
    clock: LabClock
    wav: Path
    task: asyncio.Task[None]

    def heard(self) -> tuple[np.ndarray, dict]:
        return heard_in(self.wav)


@contextlib.asynccontextmanager
async def speaker(server: FakeServer, folder: Path, **lab: float) -> AsyncIterator[Speaker]:
    clock = LabClock(RealClock(), step_file=folder / "step", **lab)
    sink = FileSink(clock, folder / "out.wav")
    state, network = StateFolder(folder / "state"), RealNetwork()
    identity = Identity(
        server=server.origin,
        token=TOKEN,
        device_id="lobby-1",
        ws_path="/ws/devices/lobby-1/",
        plan_url="/api/devices/5/plan/",
    )
    quick = random.Random(3)  # noqa: S311  the backoff's dice
    quick.uniform = lambda a, b: b / 20  # type: ignore[method-assign]  # a twentieth of the protocol's waits
    device = Device(Parts(clock, network, sink, quick, sink.record), state, identity)
    task = asyncio.create_task(device.run())
    try:
        yield Speaker(device, clock, folder / "out.wav", task)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await network.close()
        state.close()


async def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    """Waits for what no message tells."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  the speaker has no event for its innards
            await asyncio.sleep(0.02)


async def test_a_lost_receipt_ack_and_a_lost_connection(tmp_path):
    async with FakeServer().running() as server:
        words = server.add_sound(WORDS)
        server.acknowledge = False
        async with speaker(server, tmp_path) as it:
            await server.expect(protocol.TimeProbe, count=3)
            push = server.push_of(words)
            await server.send(push)
            first = await server.expect(protocol.PlaybackComplete, event_id=push.event_id)
            await server.drop()
            server.acknowledge = True
            again = await server.expect(protocol.PlaybackComplete, event_id=push.event_id, count=2)
            assert server.connections == 2
            await until(lambda: not it.device.journal.owed())
            await server.send(push)
            await server.expect(protocol.Ack, event_id=push.event_id, state="duplicate")
            third = await server.expect(protocol.PlaybackComplete, event_id=push.event_id, count=3)
        heard, truth = it.heard()
    assert (
        [first.started_at, first.outcome] == [again.started_at, again.outcome] == [third.started_at, "played"]
    )
    assert len(truth["events"]) == 1
    assert level(heard[truth["events"][0]["started_frame"] + RATE + 100 :]) == 0.0, "it sounded once"


async def test_offline_it_keeps_programme_and_schedule_and_hands_in_the_receipts_later(tmp_path):
    server = FakeServer()
    async with server.running():
        music, words = server.add_sound(noise(30, seed=1)), server.add_sound(WORDS)
        now = server.now()
        planned = plan_truth.Occurrence(
            event_id=event_id(),
            announcement_id=3,
            sha256=words.sha256,
            play_at=now + 4_500_000,
            expires_at=now + 6_500_000,
            volume=100,
            priority="timeline",
        )
        segment = plan_truth.Segment(
            id="m", kind="music", sha256=music.sha256, start_at=now, end_at=now + 30_000_000
        )
        server.set_plan(assets=[music, words], programme=[segment], occurrences=[planned])
        async with speaker(server, tmp_path):
            await server.expect(protocol.TimeProbe, count=4)
            cache = tmp_path / "state" / "cache"
            await until(lambda: all((cache / each.sha256).exists() for each in (music, words)))
        port = server.port
    # Restarted without a network: the kept plan, the kept clock.
    async with speaker(server, tmp_path, offset_s=0) as it:
        await until(lambda: server.now() > planned.play_at + 1_500_000)
        async with server.running(port):
            receipt = await server.expect(protocol.PlaybackComplete, event_id=planned.event_id, within_s=15)
        heard, truth = it.heard()
    assert receipt.outcome == "played"
    assert abs(onset_us(heard, truth, WORDS, planned.play_at) - planned.play_at) < 1500
    assert level(heard[round(RATE * 1.2) : round(RATE * 1.3)]) == pytest.approx(0.1, rel=0.1), "music"


async def test_a_refused_speaker_plays_on_and_does_not_hammer_the_server(tmp_path):
    async with FakeServer().running() as server:
        server.refuse_with = protocol.CloseCode.FORBIDDEN
        async with speaker(server, tmp_path) as it:
            await until(lambda: server.connections == 1)
            await asyncio.sleep(1.0)
            assert not it.task.done()
        samples, _ = it.heard()
    assert server.connections == 1
    assert len(samples) > RATE // 2


async def test_cancel_commands_volume_and_what_cannot_be_played(tmp_path):
    async with FakeServer().running() as server:
        words = server.add_sound(np.tile(WORDS, 4))
        broken = server.add_media(b"this is not audio" * 50, duration_ms=1000)
        gone = server.add_sound(noise(0.5, seed=3))
        server.media_status[gone.sha256] = 500
        async with speaker(server, tmp_path) as it:
            await server.expect(protocol.TimeProbe, count=3)
            at = server.now() + 1_500_000
            cut = server.push_of(words, play_at=at, late="join")
            never = server.push_of(words, play_at=at + 9_000_000)
            await server.send(cut)
            await server.send(never)
            for asset in (broken, gone):
                await server.send(server.push_of(asset, play_at=server.now() + 1_000_000))
            await server.send(protocol.CancelAnnouncement(event_id=never.event_id))
            assert (await server.expect(protocol.PlaybackComplete, event_id=never.event_id)).outcome == (
                "skipped_cancelled"
            )
            for outcome in ("failed_decode", "failed_fetch"):
                await server.expect(protocol.PlaybackComplete, outcome=outcome)
                await server.expect(protocol.Ack, state="cannot")
            await server.expect(protocol.PlaybackStarted, event_id=cut.event_id)
            await asyncio.sleep(0.5)
            await server.send(protocol.CancelAnnouncement(event_id=cut.event_id))
            receipt = await server.expect(protocol.PlaybackComplete, event_id=cut.event_id)
            assert (receipt.outcome, receipt.error) == ("partial", "cancelled")
            assert 500 <= receipt.played_ms < 1500

            later = server.now() + 10_000_000
            for n, action in enumerate(("pause", "play", "next", "identify", "refetch", "stop")):
                command = protocol.Control(command_id=f"c{n}", action=action, expires_at=later)
                await server.send(command)
                await server.send(command)
            await server.send(protocol.Control(command_id="old", action="play", expires_at=server.now() - 1))
            await server.send(protocol.TestTone(command_id="tone", hz=1000, ms=100))
            results = {
                name: (await server.expect(protocol.CommandResult, command_id=name)).ok
                for name in ("c0", "c1", "c2", "c3", "c4", "c5", "old", "tone")
            }
            refused = server.of_type(protocol.CommandResult, command_id="c2")
            assert results == {
                "c0": True,
                "c1": True,
                "c2": False,
                "c3": True,
                "c4": False,
                "c5": True,
                "old": False,
                "tone": True,
            }
            assert "shared" in refused[0].error
            assert len(refused) == 1, "done once"

            await server.send(protocol.SetDesired(rev=4, volume=20, muted=True))
            await server.send(protocol.SetDesired(rev=3, volume=90))
            status = await server.expect(protocol.StatusUpdate, applied_rev=4)
            assert (status.volume, status.muted) == (20, True)
            await server.send(protocol.TestTone(command_id="muted", hz=1000, ms=100))
            assert "muted" in (await server.expect(protocol.CommandResult, command_id="muted")).error
            await server.send({"type": "sing", "id": "1"})
            await server.send({"type": "play_announcement", "event_id": event_id()})
            await server.expect(protocol.Ack, state="cannot", reason="malformed")
            await server.send(protocol.Control(command_id="r", action="restart", expires_at=later))
            await server.expect(protocol.Goodbye, reason="restart")
            await it.task
        samples, truth = it.heard()
    assert len(truth["events"]) == 1
    assert np.abs(samples).max() < 1.0


async def test_an_emergency_cuts_in_and_what_is_silenced_stays_silent(tmp_path):
    async with FakeServer().running() as server:
        words, alarm = server.add_sound(np.tile(WORDS, 3)), server.add_sound(noise(1.0, seed=9, level=0.2))
        async with speaker(server, tmp_path) as it:
            await server.expect(protocol.TimeProbe, count=3)
            at = server.now() + 1_500_000
            calm = server.push_of(words, play_at=at)
            urgent = server.push_of(alarm, play_at=at + 1_500_000, priority="emergency")
            await server.send(calm)
            await server.send(urgent)
            receipt = await server.expect(protocol.PlaybackComplete, event_id=calm.event_id)
            await server.send(protocol.SetDesired(rev=2, volume=100, silenced=True))
            locked = server.push_of(words, play_at=server.now() + 1_000_000)
            await server.send(locked)
            played = await server.expect(protocol.PlaybackComplete, event_id=urgent.event_id)
            skipped = await server.expect(protocol.PlaybackComplete, event_id=locked.event_id)
        heard, truth = it.heard()
    # The emergency was known beforehand and the words would not have fitted before it: they waited, in vain.
    assert receipt.outcome == "skipped_preempted"
    assert played.outcome == "played"
    assert abs(onset_us(heard, truth, noise(1.0, seed=9), urgent.play_at) - urgent.play_at) < 1000
    assert (skipped.outcome, skipped.error) == ("skipped_quiet", "client_locked")


async def test_music_is_reported_by_whoever_heard_it_offline_too_and_once(tmp_path):
    server = FakeServer()
    async with server.running():
        music = server.add_sound(noise(60, seed=1))
        now = server.now()
        segment = plan_truth.Segment(
            id="music-5-1",
            kind="music",
            sha256=music.sha256,
            start_at=now,
            end_at=now + 60_000_000,
            music_id=5,
        )
        server.set_plan(assets=[music], programme=[segment])
        async with speaker(server, tmp_path) as it:
            hello = await server.expect(protocol.Hello)
            await until(lambda: it.device.output.state.now_playing.kind == "music")
            await asyncio.sleep(2.0)
            await server.send(protocol.SetDesired(rev=2, volume=100, muted=True))
            muted = await server.expect(protocol.MusicPlayed)
            await until(lambda: not it.device.journal.owed_music(9))
            await server.send(protocol.SetDesired(rev=3, volume=100, muted=False))
            await server.expect(protocol.StatusUpdate, applied_rev=3)
            await asyncio.sleep(1.0)
        first, _ = it.heard()
        port = server.port
        assert len(server.of_type(protocol.MusicPlayed)) == 1, "what was heard last waits for the next start"
    # Restarted without a network: what it heard before and what it hears now are told when there is a server.
    server.received.clear()
    async with speaker(server, tmp_path) as it:
        await until(lambda: it.device.output.state.now_playing.kind == "music")
        await asyncio.sleep(1.5)
        it.device.set_stopped(stopped=True)
        await until(lambda: len(it.device.journal.owed_music(9)) == 2)
        async with server.running(port):
            told = await server.expect(protocol.MusicPlayed, within_s=15)
            await until(lambda: not it.device.journal.owed_music(9))
        second, _ = it.heard()
    assert "music_reports" in hello.capabilities
    stretches = [*muted.stretches, *told.stretches]
    assert {(each.segment_id, each.music_id) for each in stretches} == {("music-5-1", 5)}
    assert len({each.report_id for each in stretches}) == len(stretches) == 3
    sounding = [np.count_nonzero(np.abs(each) > 0.001) / RATE for each in (first, second)]
    played = [each.played_ms / 1000 for each in stretches]
    assert played[0] + played[1] == pytest.approx(sounding[0], abs=0.2)
    assert played[2] == pytest.approx(sounding[1], abs=0.2)
    for each in stretches:
        assert each.ended_at - each.started_at == pytest.approx(each.played_ms * 1000, abs=50_000)
        assert now <= each.started_at < each.ended_at <= server.now() + 100_000
