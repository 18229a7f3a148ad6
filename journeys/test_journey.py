"""The main job, end to end, with real processes: a business registers, uploads, speaks, hangs up a speaker, plays.

What the speaker rendered contains the announcement where its receipt says, with the music ducked under it, and the
ledger says truthfully that it played; also when the server was killed in mid-clip.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from common.audio.encode import write_audio
from common.audio.synth import demo_track
from journeys import lab
from journeys.acts import hang_up_a_speaker, music_plays, online, speak

pytestmark = [pytest.mark.system, pytest.mark.alone]
WORDS = (
    "Good afternoon. The bakery on the ground floor has just taken fresh bread out of the oven."
    " Please ask our staff for a taste."
)
PART = lab.RATE * 3 // 2
"""How much of the words is looked for at a time: a clock that settles slips frames in between."""


def test_from_register_to_proof_of_play(server: lab.Server, tmp_path: Path) -> None:
    owner = lab.register(server)
    floor = owner.call("POST", "/api/floors/", expect=201, json={"name": "Ground"})
    track = tmp_path / "song.mp3"
    tags = {"title": "Slow Morning", "artist": "House Band"}
    write_audio(track, demo_track(seed=3, seconds=40), lab.RATE, tags=tags)
    with track.open("rb") as file:
        uploaded = owner.call("POST", "/api/music/upload/", expect=201, files={"file": ("song.mp3", file)})
    song = uploaded["results"][0] if "results" in uploaded else uploaded
    lab.wait_for("music ready", lambda: owner.get(f"/api/music/{song['id']}/")["status"] == "ready")
    playlist = owner.call(
        "POST",
        "/api/channel-playlists/",
        expect=201,
        json={"name": "All day", "items": [{"item_type": "music", "music_file": song["id"]}]},
    )
    owner.call(
        "POST",
        f"/api/channel-playlists/{playlist['id']}/assign-floors/",
        expect=200,
        json={"floors": [floor["id"]]},
    )
    announcement = speak(owner, WORDS)
    device, speaker = hang_up_a_speaker(owner, server, floor["id"], tmp_path / "speaker", "Till")
    with lab.stopped_at_the_end([speaker]):
        lab.wait_for("the speaker online", lambda: online(owner, device))
        lab.wait_for("four seconds of music", lambda: speaker.heard_s() > 4 and music_plays(owner, device))
        play = owner.call(
            "POST",
            f"/api/announcements/{announcement['id']}/play/",
            expect=202,
            json={"floors": [floor["id"]]},
        )
        event_id = play["events"][0]["id"]
        event = lab.wait_for(
            "the receipt", lambda: (e := owner.event(event_id))["status"] in ("completed", "failed") and e
        )
        so_far = speaker.heard_s()
        lab.wait_for("four seconds more", lambda: speaker.heard_s() > so_far + 4)
        speaker.stop()

    assert event["status"] == "completed", event
    assert [change["status"] for change in event["changes"]] == [
        "pending",
        "delivered",
        "playing",
        "completed",
    ]
    started = lab.instant_us(event["started_at"])
    assert abs(started - lab.instant_us(play["play_at"])) < 20_000

    clip = lab.decoded(owner.http.get(f"/api/announcements/{announcement['id']}/stream/").content)
    capture = lab.Capture.of(speaker.wav)
    heard = capture.find(clip[:PART], around_us=started)
    assert heard.score > 0.8, f"the announcement is not in what the speaker rendered: {heard}"
    assert abs(heard.at_us - started) < 20_000, heard
    length_us = len(clip) / lab.RATE * 1e6
    last_us = started + length_us - PART / lab.RATE * 1e6
    close = capture.find(clip[-PART:], around_us=last_us)
    assert close.score > 0.8, f"its end is not in what the speaker rendered: {close}"
    assert abs(close.at_us - last_us) < 50_000, close
    ended = lab.instant_us(event["completed_at"])
    assert abs(ended - started - length_us) < 100_000

    # The music alone before and after, and at least 8 dB lower in the pauses between the words.
    before = capture.loudness_db(started - 2_500_000, started - 700_000)
    under = quietest(capture, started + 600_000, ended - 200_000)
    after = capture.loudness_db(ended + 2_000_000, ended + 3_500_000)
    assert before > -40, "no music was playing"
    assert under < before - 8, (before, under)
    assert abs(after - before) < 6, (before, after)


def quietest(capture: lab.Capture, start_us: float, end_us: float) -> float:
    """The lowest level of any 60 ms of a stretch, dBFS: the pauses between the words."""
    steps = range(int(start_us), int(end_us) - 60_000, 20_000)
    return min(capture.loudness_db(at, at + 60_000) for at in steps)


def test_server_killed_in_mid_clip(server: lab.Server, tmp_path: Path) -> None:
    owner = lab.register(server)
    floor = owner.call("POST", "/api/floors/", expect=201, json={"name": "Ground"})
    announcement = speak(owner, WORDS)
    device, speaker = hang_up_a_speaker(owner, server, floor["id"], tmp_path / "speaker", "Till")
    with lab.stopped_at_the_end([speaker]):
        lab.wait_for("the speaker online", lambda: online(owner, device))
        play = owner.call(
            "POST",
            f"/api/announcements/{announcement['id']}/play/",
            expect=202,
            json={"devices": [device["id"]]},
        )
        event_id = play["events"][0]["id"]
        lab.wait_for("the start", lambda: owner.event(event_id)["status"] == "playing", every=0.02)
        server.kill()
        server.start()
        event = lab.wait_for(
            "the receipt after the restart",
            lambda: (e := owner.event(event_id))["status"] in ("completed", "failed") and e,
            seconds=90,
        )
        speaker.stop()

    assert event["status"] == "completed", event
    assert len(owner.get("/api/play-events/")["results"]) == 1
    assert [c["status"] for c in event["changes"]].count("completed") == 1
    clip = lab.decoded(owner.http.get(f"/api/announcements/{announcement['id']}/stream/").content)
    capture = lab.Capture.of(speaker.wav)
    length_us = (len(clip) - PART) / lab.RATE * 1e6
    heard = capture.find(clip[-PART:], around_us=lab.instant_us(event["started_at"]) + length_us)
    assert heard.score > 0.9, "the clip did not finish"
    assert len(capture.events) == 1
