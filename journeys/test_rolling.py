"""An upgrade in the middle of the day: every web process is exchanged while speakers play, and nobody hears it.

The production footprint as real processes. SIGHUP exchanges both web processes, one after the other. A speaker that is
between two of them when a play is ordered may miss it: then the ledger says so, and nobody hears it late.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from common.audio.encode import write_audio
from common.audio.synth import demo_track
from core.tests.processes import PATIENCE_S, running
from journeys import lab
from journeys.acts import music_plays, online, speak
from testing import servers

pytestmark = pytest.mark.system

CELERY = [sys.executable, "-m", "celery", "-A", "core"]
MANAGE = [sys.executable, str(lab.ROOT / "backend" / "manage.py")]
SILENCE_DB = -70.0
WINDOW_US = 300_000


@pytest.fixture
def production(tmp_path: Path) -> Iterator[lab.Server]:
    """Two web processes behind one port, a worker and a beat."""
    with ExitStack() as stack:
        started = stack.enter_context(servers.running())
        chosen = {
            "DATABASE_URL": started.database_url,
            "REDIS_URL": started.redis_url,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "PYTHON_DOTENV_DISABLED": "1",
        }
        server = lab.Server(tmp_path / "server", environ=chosen | {"WEB_CONCURRENCY": "2"})
        server.folder.mkdir()
        env = os.environ | chosen | {"SYNC2GEAR_DATA": str(server.folder / "data")}
        env.pop("DJANGO_SETTINGS_MODULE", None)
        subprocess.run([*MANAGE, "migrate", "--verbosity=0"], env=env, check=True, timeout=PATIENCE_S)
        worker = [*CELERY, "worker", "--concurrency=1"]
        stack.enter_context(running(worker, tmp_path / "worker.log", "ready", env))
        stack.enter_context(running([*CELERY, "beat"], tmp_path / "beat.log", "beat", env))
        stack.callback(server.kill)
        yield server.start()


def processes_of(server: lab.Server) -> set[int]:
    """The supervisor's children that serve."""
    assert server.process is not None
    pid = server.process.pid
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    commands = {int(child): Path(f"/proc/{child}/cmdline") for child in below}
    return {
        child
        for child, command in commands.items()
        if command.exists() and "spawn_main" in command.read_text()
    }


def test_speakers_ride_over_a_rolling_restart(production: lab.Server, tmp_path: Path) -> None:
    owner = lab.register(production)
    owner.http.headers["Connection"] = (
        "close"  # as behind a proxy: no connection of theirs is one process's own
    )
    floor = owner.call("POST", "/api/floors/", expect=201, json={"name": "Ground"})["id"]
    track = tmp_path / "song.mp3"
    write_audio(track, demo_track(seed=3, seconds=120), lab.RATE)
    with track.open("rb") as file:
        song = owner.call("POST", "/api/music/upload/", expect=201, files={"file": ("song.mp3", file)})["id"]
    lab.wait_for("music ready", lambda: owner.get(f"/api/music/{song}/")["status"] == "ready")
    channel = {"name": "All day", "items": [{"item_type": "music", "music_file": song}]}
    playlist = owner.call("POST", "/api/channel-playlists/", expect=201, json=channel)["id"]
    path = f"/api/channel-playlists/{playlist}/assign-floors/"
    owner.call("POST", path, expect=200, json={"floors": [floor]})
    words = speak(owner, "Fresh bread, now.")
    devices = [
        owner.call("POST", "/api/devices/", expect=201, json={"name": name, "floor": floor})
        for name in ("Door", "Till")
    ]
    speakers = [
        lab.Speaker(tmp_path / device["name"], production.url, device["token"]).start() for device in devices
    ]
    events: list[str] = []

    def play() -> None:
        """Orders the words on the floor, as soon as the floor has heard them out."""
        order = {"floors": [floor]}
        answer = owner.call("POST", f"/api/announcements/{words['id']}/play/", expect=202, json=order)
        events.extend(event["id"] for event in answer["events"])
        time.sleep(2 + words["duration_ms"] / 1000)

    with lab.stopped_at_the_end(speakers):
        for device, speaker in zip(devices, speakers, strict=True):
            lab.wait_for("a speaker online", lambda device=device: online(owner, device))
            lab.wait_for("its music", lambda s=speaker, d=device: s.heard_s() > 2 and music_plays(owner, d))
        first = processes_of(production)
        assert len(first) == 2
        play()
        assert production.process is not None
        production.process.send_signal(signal.SIGHUP)
        for _ in range(10):
            play()
            if len(second := processes_of(production) - first) == 2:
                break
        assert len(second) == 2, production.log
        lab.wait_for("the end of the old ones", lambda: not first & processes_of(production))
        since = time.time_ns() // 1000

        def seen_again(device: Any) -> bool:
            """By a process that stays."""
            return lab.instant_us(owner.get(f"/api/devices/{device['id']}/")["last_seen"]) > since

        for device in devices:
            lab.wait_for("a speaker online again", lambda device=device: seen_again(device))
        play()
        done = lambda: all(owner.event(event)["completed_at"] for event in events)  # noqa: E731
        lab.wait_for("the receipts", done, seconds=60)
        for speaker in speakers:
            speaker.stop()

    ended = [owner.event(event) for event in events]
    assert len(owner.get("/api/play-events/?limit=200")["results"]) == len(events) >= 6
    undisturbed = ended[: len(devices)] + ended[-len(devices) :]
    assert {event["status"] for event in undisturbed} == {"completed"}, undisturbed
    captures = {
        device["id"]: lab.Capture.of(speaker.wav) for device, speaker in zip(devices, speakers, strict=True)
    }
    heard = [
        sound["event_id"] for capture in captures.values() for sound in capture.events if "event_id" in sound
    ]
    assert sorted(heard) == sorted(event["id"] for event in ended if event["status"] == "completed")
    assert all(event["reason"] for event in ended if event["status"] == "failed"), ended
    clip = lab.decoded(owner.http.get(f"/api/announcements/{words['id']}/stream/").content)
    for event in undisturbed:
        started = lab.instant_us(event["started_at"])
        assert captures[event["device"]].find(clip, around_us=started, within_ms=500).score > 0.7
    for capture in captures.values():
        begun = int(abs(capture.samples > 0.01).argmax())
        last = capture.time_of(len(capture.samples)) - WINDOW_US
        instants = range(int(capture.time_of(begun)), int(last), WINDOW_US)
        assert len(instants) > 40
        assert min(capture.loudness_db(at, at + WINDOW_US) for at in instants) > SILENCE_DB
