"""A speaker is cut off, and meanwhile its schedule is removed: what it plays by its old plan is on the record."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from journeys import lab
from journeys.jitter import JitterProxy
from journeys.test_journey import online, server, speak  # noqa: F401  # the fixture

pytestmark = [pytest.mark.system, pytest.mark.alone]


def test_a_rule_that_was_removed_while_the_speaker_was_away(
    server: lab.Server,  # noqa: F811  # a fixture
    tmp_path: Path,
) -> None:
    owner = lab.register(server)
    floor = owner.call("POST", "/api/floors/", expect=201, json={"name": "Ground"})["id"]
    words = speak(owner, "Please mind the wet floor.")
    schedule = owner.call(
        "POST",
        "/api/schedules/",
        expect=201,
        json={
            "name": "Wet floor",
            "schedule_type": "interval",
            "interval_minutes": 2,
            "schedule_announcements": [{"announcement": words["id"]}],
            "floors": [floor],
        },
    )
    device = owner.call("POST", "/api/devices/", expect=201, json={"name": "Door", "floor": floor})
    proxy = JitterProxy(server.port, lambda rng: 0.0)
    speaker = lab.Speaker(tmp_path / "speaker", f"http://127.0.0.1:{proxy.port}", device["token"]).start()
    with lab.stopped_at_the_end([speaker]):
        lab.wait_for("the speaker online", lambda: online(owner, device))
        sound = lambda: any(path.name == words["sha256"] for path in speaker.folder.rglob("*"))  # noqa: E731
        lab.wait_for("the words in its cache", sound)
        while time.time() % 120 > 15:  # the rows of the next occurrence are written 90 s ahead
            time.sleep(0.2)
        proxy.cut()
        owner.call("DELETE", f"/api/schedules/{schedule['id']}/", expect=204)
        due = (time.time() // 120 + 1) * 120
        time.sleep(due + 8 - time.time())
        proxy.mend()
        played = lambda: [  # noqa: E731
            event for event in owner.get("/api/play-events/")["results"] if event["status"] == "completed"
        ]
        lab.wait_for("its receipt", lambda: len(played()) == 1, seconds=90)
        speaker.stop()
    proxy.stop()
    (event,) = played()
    assert (event["announcement"], event["device"], event["floor"]) == (words["id"], device["id"], floor)
    assert (event["event_type"], event["priority"]) == ("scheduled", "interval")
    assert abs(lab.instant_us(event["play_at"]) - due * 1e6) < 1
    clip = lab.decoded(owner.http.get(f"/api/announcements/{words['id']}/stream/").content)
    heard = lab.Capture.of(speaker.wav).find(clip[: lab.RATE], around_us=due * 1e6)
    assert heard.score > 0.8, "it was not heard"
