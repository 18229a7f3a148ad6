"""A whole shop: music, a schedule of every minute and a timeline on four speakers, and the server away for minutes.

The speakers' clocks are minutes and tens of ppm apart. While the server is gone they go on by their plans: their
files show every announcement at its instant on all four, and the music in step. When the server is back, each
occurrence has exactly one event on each speaker, completed, with the device's own times.
"""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.audio.encode import write_audio
from common.audio.synth import demo_track
from journeys import lab
from journeys.acts import online, speak
from journeys.test_synchrony import SKEWS, STRICT

pytestmark = pytest.mark.system

OUTAGE_S = float(os.environ.get("SYNC2GEAR_OUTAGE_S", "75"))
"""How long the server is away; the proof that is reported has 300."""
BEFORE_S, AFTER_S = 65.0, 20.0
TOGETHER_MS = 5.0
ON_TIME_MS = 20.0
MARKS = (30, 75)
"""Seconds of the timeline's two minutes."""
MUSIC_AT_S = range(40, 56)
"""Seconds of each minute in which the music is compared: nothing is spoken there."""


def occurrences(begin: float, end: float) -> list[float]:
    """The instants (s) in [begin, end) at which somebody speaks, from the schedules' definition alone.

    London's midnight lies on a whole hour of UTC, so its minutes, and every second one, are those of UTC.
    """
    minutes = range(math.floor(begin / 60) * 60 - 120, math.ceil(end), 60)
    cycles = range(math.floor(begin / 120) * 120 - 120, math.ceil(end), 120)
    instants = [*minutes, *(cycle + mark for cycle in cycles for mark in MARKS)]
    return sorted(at for at in instants if begin <= at < end)


def upload(owner: lab.Person, folder: Path, seed: int) -> int:
    """A track of 50 s, when it is ready."""
    track = folder / f"song{seed}.mp3"
    write_audio(track, demo_track(seed=seed, seconds=50), lab.RATE, tags={"title": f"Song {seed}"})
    with track.open("rb") as file:
        uploaded = owner.call("POST", "/api/music/upload/", expect=201, files={"file": (track.name, file)})
    song = uploaded["results"][0] if "results" in uploaded else uploaded
    lab.wait_for("music ready", lambda: owner.get(f"/api/music/{song['id']}/")["status"] == "ready")
    return int(song["id"])


def programme(owner: lab.Person, floor: int, folder: Path) -> dict[int, lab.Samples]:
    """Music and both schedules on the floor; answers the announcements' sound by their ids."""
    items = [{"item_type": "music", "music_file": upload(owner, folder, seed)} for seed in (1, 2, 3)]
    channel = owner.call(
        "POST", "/api/channel-playlists/", expect=201, json={"name": "All day", "items": items}
    )
    path = f"/api/channel-playlists/{channel['id']}/assign-floors/"
    owner.call("POST", path, expect=200, json={"floors": [floor]})
    spoken = [speak(owner, text)["id"] for text in (
        "Today all winter coats are half price.", "Our tea room is on the second floor.",
        "Fresh bread is out of the oven.", "Please mind your bags.",
    )]  # fmt: skip
    every_minute = {"schedule_type": "interval", "interval_minutes": 1}
    timeline = {"schedule_type": "timeline", "cycle_duration_minutes": 2}
    marked = [{"announcement": pk, "timestamp_seconds": at} for pk, at in zip(spoken[2:], MARKS, strict=True)]
    for name, kind, entries in (
        ("Offers", every_minute, [{"announcement": pk} for pk in spoken[:2]]),
        ("Notices", timeline, marked),
    ):
        schedule = {"name": name, **kind, "schedule_announcements": entries, "floors": [floor]}
        owner.call("POST", "/api/schedules/", expect=201, json=schedule)
    return {pk: lab.decoded(owner.http.get(f"/api/announcements/{pk}/stream/").content) for pk in spoken}


def everything_is_cached(owner: lab.Person, device: Any, speaker: lab.Speaker) -> bool:
    """Whether the speaker has every sound of its plan, music and words."""
    assets = {asset["sha256"] for asset in owner.get(f"/api/devices/{device['id']}/plan/")["assets"]}
    here = {path.name for path in speaker.folder.rglob("*") if path.is_file()}
    return len(assets) == 7 and assets <= here


def events_between(owner: lab.Person, begin: float, end: float) -> list[Any]:
    """The ledger's rows whose instants lie in [begin, end), s."""
    edges = {
        name: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        for name, at in (("from", begin), ("to", end))
    }
    rows: list[Any] = []
    page = owner.get("/api/play-events/", params={**edges, "limit": 200})
    rows += page["results"]
    while page["next"]:
        page = owner.get(page["next"])
        rows += page["results"]
    return rows


def test_a_shop_goes_on_while_the_server_is_away(server: lab.Server, tmp_path: Path) -> None:
    owner = lab.register(server)
    floor = owner.call("POST", "/api/floors/", expect=201, json={"name": "Ground"})["id"]
    clips = programme(owner, floor, tmp_path)
    devices, speakers = [], []
    for number, (offset_s, ppm) in enumerate(SKEWS):
        device = owner.call("POST", "/api/devices/", expect=201, json={"name": f"S{number}", "floor": floor})
        skew = (f"--lab-clock-offset-s={offset_s}", f"--lab-clock-ppm={ppm}")
        devices.append(device)
        folder = tmp_path / f"speaker{number}"
        speakers.append(lab.Speaker(folder, server.url, device["token"], skew).start())
    with lab.stopped_at_the_end(speakers):
        for device, speaker in zip(devices, speakers, strict=True):
            settled = lambda device=device: online(owner, device, clock_error_ms=3.0)  # noqa: E731
            lab.wait_for("a settled clock", settled, seconds=90, every=0.3)
            whole = lambda device=device, speaker=speaker: everything_is_cached(owner, device, speaker)  # noqa: E731
            lab.wait_for("all sounds cached", whole, seconds=90, every=0.5)
        begin = math.ceil(time.time()) + 3
        time.sleep(begin + BEFORE_S - time.time())
        server.kill()
        gone = time.time()
        time.sleep(OUTAGE_S)
        server.start()
        back = time.time()
        end = math.ceil(back + AFTER_S)
        due = occurrences(begin, end)

        time.sleep(end + 8 - time.time())
        lab.wait_for(
            "every receipt",
            lambda: all(row["status"] == "completed" for row in events_between(owner, begin, end)),
            seconds=120,
            every=1,
        )
        rows = events_between(owner, begin, end)
        for speaker in speakers:
            speaker.stop()

    # The record: one event for each occurrence and speaker, completed, with the speaker's own times.
    wanted = sorted((round(at), device["id"]) for at in due for device in devices)
    assert sorted((round(lab.instant_us(row["play_at"]) / 1e6), row["device"]) for row in rows) == wanted
    for row in rows:
        started, ended = lab.instant_us(row["started_at"]), lab.instant_us(row["completed_at"])
        assert abs(started - lab.instant_us(row["play_at"])) < ON_TIME_MS * 1e3, row
        length_us = len(clips[row["announcement"]]) / lab.RATE * 1e6
        assert abs(ended - started - length_us) < 100_000, row

    # The sound: what was spoken, when, on all four.
    captures = [lab.Capture.of(speaker.wav) for speaker in speakers]
    words = {
        (round(lab.instant_us(row["play_at"]) / 1e6), row["device"]): row["announcement"] for row in rows
    }
    spreads, errors, scores = [], [], []
    for at in due:
        said = {words[round(at), device["id"]] for device in devices}
        assert len(said) == 1, f"different words at {at}: {said}"
        clip = clips[said.pop()][: 2 * lab.RATE]
        heard = [capture.find(clip, around_us=at * 1e6, within_ms=400) for capture in captures]
        onsets = [found.at_us for found in heard]
        scores += [found.score for found in heard]
        spreads.append((max(onsets) - min(onsets)) / 1e3)
        errors.append(max(abs(onset - at * 1e6) for onset in onsets) / 1e3)
    apart, alike = music_apart_ms(captures, begin, end)
    figures = {
        "outage_s": round(back - gone, 1), "occurrences": len(due), "events": len(rows),
        "in_the_outage": sum(gone <= at < back for at in due), "least_alike": round(min(scores), 3),
        "music_least_alike": round(alike, 3),
        **percentiles("spread_ms", spreads), **percentiles("off_true_time_ms", errors),
        **percentiles("music_apart_ms", apart),
    }  # fmt: skip
    print(json.dumps(figures))
    assert min(scores) > 0.6, scores
    # Other tests work beside this one: an instant now and then is off by what the machine took; STRICT holds the worst.
    assert float(np.median(spreads)) < TOGETHER_MS, spreads
    assert max(spreads) < TOGETHER_MS or not STRICT, spreads
    assert max(errors) < ON_TIME_MS, errors
    assert alike > 0.5, "different music"
    assert float(np.median(apart)) < TOGETHER_MS, apart
    assert max(apart) < TOGETHER_MS or not STRICT, apart


def music_apart_ms(captures: list[lab.Capture], begin: float, end: float) -> tuple[list[float], float]:
    """How far apart the speakers' music is, second by second between the announcements; and the least likeness.

    It must sound everywhere. A second in which a speaker sets its position right is less alike than the others.
    """
    apart, scores = [], [1.0]
    first = captures[0]
    minutes = range(math.ceil(begin / 60) * 60, int(end) - 60, 60)
    for second in (minute + second for minute in minutes for second in MUSIC_AT_S):
        at_us = second * 1e6
        levels = [capture.loudness_db(at_us, at_us + 1e6) for capture in captures]
        assert min(levels) > -50, f"no music {second - begin:.0f} s after the beginning: {levels}"
        begins = first.frame_at(at_us)
        piece, at = first.samples[begins : begins + lab.RATE], first.time_of(begins)
        heard = [capture.find(piece, around_us=at, within_ms=50) for capture in captures[1:]]
        scores += [found.score for found in heard]
        places = [at, *(found.at_us for found in heard)]
        apart.append((max(places) - min(places)) / 1e3)
    assert apart, "the music was never compared"
    return apart, min(scores)


def percentiles(name: str, values: list[float]) -> dict[str, float]:
    """Median, 95th percentile and most."""
    return {
        f"{name}_p50": round(float(np.median(values)), 3),
        f"{name}_p95": round(float(np.percentile(values, 95)), 3),
        f"{name}_max": round(max(values), 3),
    }
