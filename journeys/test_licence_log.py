"""The licence log of a shop whose server was killed for a while: it says what the speaker played, no more, no less."""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.audio.encode import write_audio
from common.audio.synth import demo_track
from journeys import lab
from journeys.acts import hang_up_a_speaker, music_plays, online
from playlists.domain import DEFAULT_CROSSFADE_US
from sync2gear_player.sinks.file import read_capture

pytestmark = pytest.mark.system

WHOLE_SECONDS = 1.5
"""The CSV tells whole seconds: an instant may be half of one off, a length one, and the capture has its blocks."""
TRACK_S = 8
OUTAGE_S = 15.0


def upload(owner: lab.Person, folder: Path, number: int) -> int:
    """A track of TRACK_S, ready to be played."""
    file = folder / f"song{number}.mp3"
    write_audio(
        file,
        demo_track(seed=number, seconds=TRACK_S),
        lab.RATE,
        tags={"title": f"Song {number}", "artist": "Band"},
    )
    with file.open("rb") as content:
        answer = owner.call("POST", "/api/music/upload/", expect=201, files={"file": (file.name, content)})
    song = answer["results"][0] if "results" in answer else answer
    lab.wait_for("music ready", lambda: owner.get(f"/api/music/{song['id']}/")["status"] == "ready")
    return int(song["id"])


def log_of(owner: lab.Person) -> list[dict[str, str]]:
    """The licence log of this month."""
    month = datetime.now(UTC).strftime("%Y-%m")
    answer = owner.http.get("/api/music/licence-log/", params={"month": month})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def spans_of(rows: list[dict[str, str]]) -> list[tuple[float, float]]:
    """When each line sounded, in s of true time."""
    starts = [lab.instant_us(row["started_at"]) / 1e6 for row in rows]
    return [(start, start + int(row["seconds"])) for start, row in zip(starts, rows, strict=True)]


def sounded(wav: Path) -> tuple[list[float], float]:
    """When each track began in what the speaker rendered, and when the music ended: s of true time."""
    frames, truth = read_capture(wav)
    first, rate = truth["first_sample_true_us"] / 1e6, truth["rate"]
    loud = np.flatnonzero(np.abs(frames).max(axis=1) > 20)
    starts = [first + segment["frame"] / rate for segment in truth["segments"]]
    end = first + int(loud[-1]) / rate
    return [start for start in starts if start < end], end


def test_the_log_of_an_outage_is_what_the_speaker_played(tmp_path: Path) -> None:
    server = lab.Server(tmp_path / "server").start()
    speakers: list[Any] = []
    with lab.stopped_at_the_end([server, *speakers]):
        owner = lab.register(server)
        floor = owner.call("POST", "/api/floors/", expect=201, json={"name": "Ground"})
        songs = [upload(owner, tmp_path, number) for number in (1, 2, 3)]
        items = [{"item_type": "music", "music_file": song} for song in songs]
        playlist = owner.call(
            "POST", "/api/channel-playlists/", expect=201, json={"name": "All day", "items": items}
        )
        assign = f"/api/channel-playlists/{playlist['id']}/assign-floors/"
        owner.call("POST", assign, expect=200, json={"floors": [floor["id"]]})
        device, speaker = hang_up_a_speaker(owner, server, floor["id"], tmp_path / "speaker", "Till")
        speakers.append(speaker)
        lab.wait_for("the speaker online", lambda: online(owner, device))
        lab.wait_for("music", lambda: speaker.heard_s() > 3 and music_plays(owner, device))

        killed = time.time()
        server.kill()
        time.sleep(OUTAGE_S)
        server.start()
        back = time.time()
        # Its lease still runs, so "online" proves nothing; music that it played meanwhile does.
        told_since = lambda: any(began > killed for began, _ in spans_of(log_of(owner)))  # noqa: E731
        lab.wait_for("reports of the outage", told_since, seconds=90, every=0.5)
        so_far = speaker.heard_s()
        lab.wait_for("a track more", lambda: speaker.heard_s() > so_far + TRACK_S)
        lab.wait_for("the middle of a track", lambda: 2 < time.time() - sounded(speaker.wav)[0][-1] < 4)
        command = {"action": "stop"}
        owner.call("POST", f"/api/devices/{device['id']}/control/", expect=202, json=command)
        time.sleep(3)
        expected, _ = sounded(speaker.wav)
        rows = lab.wait_for(
            "the whole log", lambda: len(found := log_of(owner)) >= len(expected) and found, seconds=30
        )
        speaker.stop()
        assert log_of(owner) == rows, "nothing is told twice"

    starts, end = sounded(speaker.wav)
    spans = spans_of(rows)
    print(f"capture: {[round(s - starts[0], 2) for s in starts]} to {end - starts[0]:.2f}")
    print(f"log:     {[(round(s - starts[0], 2), round(e - s)) for s, e in spans]}")
    if len(spans) == len(starts) + 1:
        # It joined in a crossfade: the capture names only one of the two tracks that sounded then.
        fading = min(spans[:2], key=lambda span: span[1])
        assert fading[1] - fading[0] <= DEFAULT_CROSSFADE_US / 1e6 + 1
        spans.remove(fading)
    assert {row["device"] for row in rows} == {"Till"}
    assert len(spans) == len(starts)
    assert len([span for span in spans if killed < span[0] and span[1] < back]) >= 1, "a whole track offline"
    for (began, _), start in zip(spans, starts, strict=True):
        assert abs(began - start) <= WHOLE_SECONDS
    crossfade = DEFAULT_CROSSFADE_US / 1e6
    ends = [*(start + crossfade for start in starts[1:]), end]
    for (began, until), start, finish in zip(spans, starts, ends, strict=True):
        assert abs((until - began) - (finish - start)) <= WHOLE_SECONDS, (until - began, finish - start)
