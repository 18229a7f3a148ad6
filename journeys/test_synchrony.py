"""Four speakers with clocks that are minutes and tens of ppm apart start one announcement together.

Measured from what they rendered: each capture is searched for the clip, the onsets are placed on the machine's
true time line, and the spread of an event is the latest minus the earliest.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from journeys import lab
from journeys.acts import online, speak
from journeys.jitter import JitterProxy

pytestmark = [pytest.mark.system, pytest.mark.alone]

SKEWS = ((0.0, 0.0), (600.0, 40.0), (-613.0, -60.0), (37.5, 25.0))
"""Each speaker's clock: seconds off, and parts per million too fast."""
STRICT = bool(os.environ.get("SYNC2GEAR_SYNC_STRICT"))
PLAYS = int(os.environ.get("SYNC2GEAR_SYNC_PLAYS", "5"))


def wired(rng: random.Random) -> float:
    """One way on a cable, s."""
    return rng.uniform(0.0, 0.0005)


def wireless(rng: random.Random) -> float:
    """One way on a busy Wi-Fi, s: a few ms, and now and then a long wait."""
    return rng.uniform(0.001, 0.008) if rng.random() > 0.05 else rng.uniform(0.02, 0.06)


@pytest.mark.parametrize(
    ("name", "delay", "claimed_ms", "limit_ms"),
    [("wired", wired, 3.0, 2.0), ("wireless", wireless, 15.0, 5.0)],
)
def test_four_speakers_start_together(
    server: lab.Server,
    tmp_path: Path,
    name: str,
    delay: Any,
    claimed_ms: float,
    limit_ms: float,
) -> None:
    owner = lab.register(server)
    floor = owner.call("POST", "/api/floors/", expect=201, json={"name": "Ground"})
    announcement = speak(owner, "The shop closes in ten minutes.")
    proxies = [JitterProxy(server.port, delay, seed=number) for number in range(len(SKEWS))]
    devices, speakers = [], []
    for number, (offset_s, ppm) in enumerate(SKEWS):
        device = owner.call(
            "POST", "/api/devices/", expect=201, json={"name": f"S{number}", "floor": floor["id"]}
        )
        skew = (f"--lab-clock-offset-s={offset_s}", f"--lab-clock-ppm={ppm}")
        url = f"http://127.0.0.1:{proxies[number].port}"
        devices.append(device)
        speakers.append(lab.Speaker(tmp_path / f"speaker{number}", url, device["token"], skew).start())
    events: list[list[Any]] = []
    with lab.stopped_at_the_end(speakers):
        for device in devices:
            settled = lambda device=device: online(owner, device, clock_error_ms=claimed_ms)  # noqa: E731
            lab.wait_for("a settled clock", settled, seconds=60, every=0.3)
        for _ in range(PLAYS):
            play = owner.call(
                "POST", f"/api/announcements/{announcement['id']}/play/", expect=202, json={"all": True}
            )
            ids = [event["id"] for event in play["events"]]
            ended = lab.wait_for(
                "all receipts",
                lambda ids=ids: (
                    (found := [owner.event(event_id) for event_id in ids])
                    and all(event["status"] in ("completed", "failed") for event in found)
                    and found
                ),
                every=0.2,
            )
            assert [event["status"] for event in ended] == ["completed"] * 4, ended
            events.append(ended)
        for speaker in speakers:
            speaker.stop()
    for proxy in proxies:
        proxy.stop()

    clip = lab.decoded(owner.http.get(f"/api/announcements/{announcement['id']}/stream/").content)
    words = clip[
        : lab.RATE // 2
    ]  # the onset; later a clock that is still settling may have slipped some frames
    captures = [lab.Capture.of(speaker.wav) for speaker in speakers]
    spreads_ms, errors_ms = [], []
    for ended in events:
        heard = [
            capture.find(words, around_us=lab.instant_us(event["play_at"]), within_ms=400)
            for capture, event in zip(captures, ended, strict=True)
        ]
        assert min(found.score for found in heard) > 0.5, heard  # alike enough to tell the onset
        onsets = [found.at_us for found in heard]
        spreads_ms.append((max(onsets) - min(onsets)) / 1e3)
        errors_ms += [
            abs(found.at_us - lab.instant_us(event["play_at"])) / 1e3
            for found, event in zip(heard, ended, strict=True)
        ]
    p95 = float(np.percentile(spreads_ms, 95))
    print(json.dumps({"path": name, "plays": PLAYS, "spread_ms_p50": float(np.median(spreads_ms)), "p95": p95,
                      "max": max(spreads_ms), "off_server_time_max": max(errors_ms)}))  # fmt: skip
    # On a machine that does other work too, a play now and then is late by what the machine took; STRICT holds p95.
    assert float(np.median(spreads_ms)) < limit_ms, spreads_ms
    assert max(spreads_ms) < 3 * limit_ms, spreads_ms
    assert p95 < limit_ms or not STRICT, spreads_ms
