"""The speaker as a process: its options, its signals, and what a SIGKILL leaves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

import sync2gear_player
from devices import plan as plan_truth
from devices import protocol

from .fake_server import RATE, TOKEN, FakeServer, event_id, noise
from .measuring import heard_in, level, onset_us

pytestmark = [pytest.mark.system, pytest.mark.alone]
WORDS = noise(1.0, seed=7, level=0.2)


@contextlib.asynccontextmanager
async def process(
    server: FakeServer, folder: Path, *options: str, token: str = TOKEN
) -> AsyncIterator[asyncio.subprocess.Process]:
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240  a folder of the test's own
    environment = os.environ | {"PYTHONPATH": str(Path(sync2gear_player.__file__).parents[1])}
    environment["SYNC2GEAR_TOKEN"] = token
    arguments = ["--server", server.origin, "--state", str(folder / "state"), *options]
    running = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "sync2gear_player", *arguments],
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=(folder / "log").open("ab"),
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


def strength(wav: Path, play_at: int) -> float:
    """How strongly the words sound at an instant of a capture: 1 is wholly, 0 not at all."""
    heard, truth = heard_in(wav)
    at = round((play_at - truth["first_sample_true_us"]) * truth["rate"] / 1e6)
    span = np.zeros(RATE)
    have = heard[max(0, at) : max(0, at + RATE)]
    span[: len(have)] = have
    best = max(float(np.dot(np.roll(span, shift), WORDS)) for shift in range(-96, 97))
    return best / float(np.dot(WORDS, WORDS))


async def test_killed_before_the_journals_commit_it_plays_and_after_it_stays_silent(tmp_path):
    output = f"file:{tmp_path / 'out.wav'}"
    async with FakeServer().running() as server:
        words = server.add_sound(WORDS)
        async with process(server, tmp_path, "--output", output) as first:
            await server.expect(protocol.TimeProbe, count=3, within_s=20)
            late = server.push_of(words, play_at=server.now() + 60_000_000)
            soon = server.push_of(words, play_at=server.now() + 1_500_000)
            for push in (late, soon):
                await server.send(push)
            await server.expect(protocol.Ack, event_id=soon.event_id)
            # Commits are at 0.7 s before the instant; the kill falls between a commit and its first sample.
            await asyncio.sleep((soon.play_at - server.now()) / 1e6 - 0.25)
            first.send_signal(signal.SIGKILL)
            await first.wait()
        with contextlib.closing(sqlite3.connect(tmp_path / "state" / "journal.db")) as db:
            assert db.execute("SELECT event_id, receipt FROM plays").fetchall() == [(soon.event_id, None)]
        server.received.clear()
        async with process(server, tmp_path, "--output", output) as second:
            crashed = await server.expect(protocol.PlaybackComplete, event_id=soon.event_id, within_s=20)
            assert crashed.outcome == "unknown_after_crash"
            late = server.push_of(words, event_id=late.event_id)
            for push in (soon, late):
                await server.send(push)
            again = await server.expect(protocol.PlaybackComplete, event_id=late.event_id)
            assert again.outcome == "played"
            second.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(second.wait(), 10) == 0
            assert server.of_type(protocol.Goodbye, reason="stopped")
        assert {
            each.outcome for each in server.of_type(protocol.PlaybackComplete, event_id=soon.event_id)
        } == {"unknown_after_crash"}
    assert strength(tmp_path / "out.1.wav", soon.play_at) < 0.1, "the first capture outlived its writer"
    assert strength(tmp_path / "out.wav", soon.play_at) < 0.1
    assert strength(tmp_path / "out.wav", late.play_at) > 0.9


async def test_it_pairs_shows_the_code_and_remembers_who_it_is(tmp_path):
    async with FakeServer().running() as server:
        server.pairing = [
            (
                201,
                {
                    "device_code": "d",
                    "user_code": "BCDFGHJK",
                    "verification_uri": f"{server.origin}/claim",
                    "expires_in": 600,
                    "interval": 1,
                },
            ),
            (400, {"code": "authorization_pending", "detail": "Wait."}),
            (200, server.claim()),
        ]
        async with process(server, tmp_path, "--output", "null", token="") as first:
            shown = b""
            while b"good for 10 minutes" not in shown:
                shown += await asyncio.wait_for(first.stdout.readline(), 20)
            assert b"B  C  D  F  G  H  J  K" in shown
            assert f"{server.origin}/claim".encode() in shown
            await server.expect(protocol.Hello, within_s=15)
            first.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(first.wait(), 10) == 0
        assert TOKEN not in (tmp_path / "log").read_text(), "no token in a log"
        async with process(server, tmp_path, "--output", "null", token="") as again:
            await server.expect(protocol.Hello, count=2, within_s=15)
            await server.send(
                protocol.Control(command_id="r", action="restart", expires_at=server.now() + 5_000_000)
            )
            await server.expect(protocol.Hello, count=3, within_s=15)
            assert again.returncode is None, "the same process, begun anew"


def lab(folder: Path, offset_s: float, ppm: float) -> list[str]:
    """The options of a speaker whose clocks are wrong, and whose wall clock is stepped by a file."""
    return [
        *("--output", f"file:{folder / 'out.wav'}"),
        *("--lab-clock-offset-s", str(offset_s), "--lab-clock-ppm", str(ppm)),
        *("--lab-wall-step-file", str(folder / "step")),
    ]


async def test_push_and_plan_sound_together_on_skewed_clocks_over_ducked_music(tmp_path):
    async with FakeServer().running() as server, contextlib.AsyncExitStack() as stack:
        music, words = server.add_sound(noise(30, seed=1)), server.add_sound(WORDS)
        now = server.now()
        segment = plan_truth.Segment(
            id="m", kind="music", sha256=music.sha256, start_at=now - 5_000_000, end_at=now + 25_000_000
        )
        server.set_plan(assets=[music, words], programme=[segment])
        skews = (("a", 600.0, 60.0), ("b", -600.0, -80.0))
        both = [
            await stack.enter_async_context(
                process(server, tmp_path / name, *lab(tmp_path / name, offset_s, ppm))
            )
            for name, offset_s, ppm in skews
        ]
        await server.expect(protocol.TimeProbe, count=12, within_s=20)
        push = server.push_of(words)
        for _ in range(5):
            await server.send(push)
        planned = plan_truth.Occurrence(
            event_id=event_id(),
            announcement_id=3,
            sha256=words.sha256,
            play_at=push.play_at + 2_000_000,
            expires_at=push.play_at + 4_000_000,
            volume=100,
            priority="interval",
        )
        server.set_plan(assets=[music, words], programme=[segment], occurrences=[planned])
        await server.send(protocol.PlanChanged(etag=server.plan.etag))
        await asyncio.sleep(1.0)
        for name, *_ in skews:
            (tmp_path / name / "step").write_text("-600")
        for each in (push.event_id, planned.event_id):
            await server.expect(protocol.PlaybackComplete, event_id=each, outcome="played", count=2)
        for each in both:
            each.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(each.wait(), 10) == 0
        captures = [heard_in(tmp_path / name / "out.wav") for name, *_ in skews]

    acks = [ack.state for ack in server.of_type(protocol.Ack, event_id=push.event_id)]
    assert acks.count("duplicate") == 8, "five pushes and the plan are one play"
    claimed = [each.clock.error_us for each in server.of_type(protocol.StatusUpdate) if each.clock.error_us]
    allowed = max(1000, *claimed)  # a busy machine's path is worse, and says so
    for order in (push, planned):
        assert len(server.of_type(protocol.PlaybackStarted, event_id=order.event_id)) == 2
        receipts = server.of_type(protocol.PlaybackComplete, event_id=order.event_id)
        assert len(receipts) == 2
        starts = [onset_us(heard, truth, WORDS, order.play_at) for heard, truth in captures]
        assert max(abs(started - order.play_at) for started in starts) < allowed, "on the true time line"
        assert abs(starts[0] - starts[1]) < allowed, "together"
        for receipt in receipts:
            assert min(abs(receipt.started_at - started) for started in starts) < allowed, (
                "truthfully reported"
            )
            assert abs(receipt.start_error_us) <= 15
            assert receipt.played_ms == 1000
            assert receipt.ended_at - receipt.started_at == pytest.approx(1_000_000, abs=2000)
        for (_, truth), started in zip(captures, starts, strict=True):
            (event,) = [each for each in truth["events"] if each["event_id"] == order.event_id]
            assert event["started_at_reported_us"] in [receipt.started_at for receipt in receipts]
            frame_at = truth["first_sample_true_us"] + event["started_frame"] * 1e6 / truth["rate"]
            assert abs(frame_at - started) < 25
    for heard, truth in captures:
        frame = truth["events"][0]["started_frame"]
        under = heard[frame : frame + RATE] - WORDS[:RATE]
        assert 20 * np.log10(level(under) / 0.1) == pytest.approx(-15, abs=0.5), (
            "music ducked under the words"
        )
        before = truth["first_sample_true_us"] + (frame - RATE // 2) * 1e6 / truth["rate"]
        position = round((before - segment.start_at) * RATE / 1e6)
        expected = noise(30, seed=1)[position - 100 : position + 4900]
        lags = np.correlate(expected, heard[frame - RATE // 2 :][:4800], mode="valid")
        assert abs(int(np.argmax(lags)) - 100) < 60, "joined mid-track at the timeline's position"
